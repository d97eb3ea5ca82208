//! `tintype capture`: a page to a picture, without a database.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;

use super::{
    Context, run,
    terminal::{print, print_json, say, write},
};
use crate::{
    capture::{self, Captured, Chrome, Clip, Credentials, Options, Shot, Subject, guard},
    cli::{self, Capture},
    error::Error,
};

pub(super) async fn capture(context: &Context, flags: &Capture) -> Result<(), Error> {
    let chrome = Chrome::new(context.config.browser(&flags.browser)?);
    if flags.show_browser {
        print(&chrome.program().await?.to_string());
        return Ok(());
    }
    let shot = shot(context, flags)?;
    let stop = run::stop_on_signal("no picture");
    let captured = tokio::select! {
        captured = chrome.capture(&shot) => captured,
        () = stop.cancelled() => Err(capture::Trouble::Stopped.into()),
    };
    chrome.close().await;
    let captured = captured?;
    let output = flags.output.clone().unwrap_or_else(|| Path::new("capture").with_extension(captured.image.extension));
    write(&output, &captured.image.bytes)?;
    tell(&captured, &output, flags.json);
    Ok(())
}

fn tell(captured: &Captured, output: &Path, as_json: bool) {
    let image = &captured.image;
    if let Some(height) = captured.cut_from {
        say(&format!("warning: it is {height} pixels high, and the picture ends before; --max-height allows more"));
    }
    if as_json {
        print_json(&json!({
            "output": output, "title": captured.title, "url": captured.seen.final_url, "status": captured.seen.status,
            "console": captured.seen.console, "width": image.width, "height": image.height, "bytes": image.bytes.len(),
            "media_type": image.media_type, "cut_from": captured.cut_from,
        }));
    } else if output != Path::new("-") {
        say(&format!("{} ({} × {}, {} bytes)", output.display(), image.width, image.height, image.bytes.len()));
    }
}

/// What the flags ask for.
fn shot(context: &Context, flags: &Capture) -> Result<Shot, Error> {
    let usage = |what: String, hint: &str| Error::Usage { what, hint: hint.to_owned() };
    let address = flags.url.as_deref().unwrap_or_default();
    let url = guard::check_subject(address)
        .map_err(|error| usage(error.to_string(), "write the whole address, such as https://example.com/page"))?;
    let headers = flags.visitor.headers.iter().map(|header| {
        let (name, value) = header.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    });
    let headers = headers
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| usage("--header: there is no colon in it".to_owned(), "write --header 'Accept-Language: de'"))?;
    let options = options(flags)?;
    options.check().map_err(|what| usage(what, "tintype capture --help lists the flags"))?;
    Ok(Shot {
        subject: Subject::Address(url),
        options,
        rules: Arc::new(context.config.rules(&flags.browser)?),
        credentials: Credentials { headers },
    })
}

fn options(flags: &Capture) -> Result<Options, Error> {
    let cli::Capture { part, visitor, when, change, .. } = flags;
    let css = |path: &PathBuf| fs::read_to_string(path).map_err(|error| Error::File { path: path.clone(), error });
    Ok(Options {
        width: flags.width,
        height: flags.height,
        scale: flags.scale,
        full_page: part.full_page,
        max_height: part.max_height,
        selector: part.selector.clone(),
        clip: part.clip.as_deref().map(rectangle).transpose()?,
        dark: visitor.dark,
        mobile: visitor.mobile,
        locale: visitor.locale.clone(),
        time_zone: visitor.time_zone.clone(),
        user_agent: visitor.user_agent.clone(),
        wait_until: when.wait_until.into(),
        wait_for: when.wait_for.clone(),
        delay: when.delay,
        deadline: when.deadline,
        hide: change.hide.clone(),
        click: change.click.clone(),
        css: change.css.as_ref().map(css).transpose()?,
        expect_selector: when.expect_selector.clone(),
        block_ads: change.block_ads,
        block_types: change.block_types.iter().map(|kind| (*kind).into()).collect(),
        format: format_for(flags.output.as_deref(), flags.format)?,
    })
}

/// A rectangle as a person writes it.
pub(super) fn rectangle(text: &str) -> Result<Clip, Error> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[x, y, width, height]) => Ok(Clip { x, y, width, height }),
        _ => Err(Error::Usage {
            what: format!("--clip: `{text}` is no rectangle"),
            hint: "write --clip X,Y,WIDTH,HEIGHT in CSS pixels, such as 0,100,600,400".to_owned(),
        }),
    }
}

/// The format for a file: as a card's, and PDF.
fn format_for(output: Option<&Path>, asked: Option<cli::PageFormat>) -> Result<Option<capture::PageFormat>, Error> {
    let ending = output.and_then(Path::extension).map(|ending| ending.to_string_lossy().to_lowercase());
    let named = match ending.as_deref() {
        None => None,
        Some("pdf") => Some(capture::PageFormat::Pdf),
        Some(ending) => match ending.parse::<crate::card::Format>() {
            Ok(format) => Some(format.into()),
            Err(_) if asked.is_some() => None,
            Err(error) => {
                return Err(Error::Usage {
                    what: format!("{}: {error}, or `pdf`", output.unwrap_or(Path::new("")).display()),
                    hint: "name it .png, .jpg, .webp or .pdf, or say --format".to_owned(),
                });
            }
        },
    };
    match (asked.map(capture::PageFormat::from), named) {
        (Some(asked), Some(named)) if asked != named => Err(Error::Usage {
            what: format!("{} is no name for that format", output.unwrap_or(Path::new("")).display()),
            hint: "let the name end as the format does, or leave --format out".to_owned(),
        }),
        (asked, named) => Ok(asked.or(named)),
    }
}

impl From<cli::PageFormat> for capture::PageFormat {
    fn from(flag: cli::PageFormat) -> Self {
        match flag {
            cli::PageFormat::Png => Self::Png,
            cli::PageFormat::Jpeg => Self::Jpeg,
            cli::PageFormat::Webp => Self::WebP,
            cli::PageFormat::Pdf => Self::Pdf,
        }
    }
}

impl From<cli::WaitUntil> for capture::WaitUntil {
    fn from(flag: cli::WaitUntil) -> Self {
        match flag {
            cli::WaitUntil::Dom => Self::Dom,
            cli::WaitUntil::Load => Self::Load,
            cli::WaitUntil::Idle => Self::Idle,
        }
    }
}

impl From<cli::ResourceKind> for capture::ResourceKind {
    fn from(flag: cli::ResourceKind) -> Self {
        match flag {
            cli::ResourceKind::Image => Self::Image,
            cli::ResourceKind::Media => Self::Media,
            cli::ResourceKind::Font => Self::Font,
            cli::ResourceKind::Stylesheet => Self::Stylesheet,
            cli::ResourceKind::Script => Self::Script,
            cli::ResourceKind::Fetch => Self::Fetch,
            cli::ResourceKind::Websocket => Self::Websocket,
            cli::ResourceKind::Frame => Self::Frame,
        }
    }
}
