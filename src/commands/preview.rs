//! `tintype preview`: one row of a table to a picture. Nothing is installed: where schema `tintype` is missing, its functions are
//! made in a transaction that is rolled back, so that the row is read and checked exactly as `attach` and `run` would.

use serde_json::json;

use super::{
    Context,
    attach::request,
    pages,
    terminal::{format_for, print_json, say, warn_missing, write},
};
use crate::{
    capture::Chrome,
    card::{self, Format, Image, Looks},
    cli::Preview,
    db::Queries,
    error::Error,
    install,
    picture::{self, Draw, Wish},
    post::Post,
    queue::{self, Material},
    source,
    studio::Studio,
};

pub(super) async fn preview(context: &Context, flags: &Preview) -> Result<(), Error> {
    let looks = context.config.looks(&flags.columns.looks)?;
    let format = format_for(Some(&flags.output), flags.format)?;
    let request = request(&flags.columns, looks.clone().and_paths())?;
    let db = context.database().await?;
    let mut client = db.get().await?;
    let transaction = client.transaction().await?;
    if install::applied(&transaction).await?.is_empty() {
        transaction.batch_execute(&install::up(&[])).await?;
    }
    let request = match source::lookup(&transaction, &flags.table).await? {
        Some(attached) => attached.with(request),
        None => request,
    };
    let source = source::plan(&transaction, &flags.table, &request).await?;
    let material = queue::read_planned(&transaction, &source, &flags.row).await?;
    transaction.rollback().await?;

    let Some(material) = material else {
        return Err(Error::Usage {
            what: format!("{} has no row with the key {}", source.name, flags.row),
            hint: format!("the key is ({})", source.key_columns.join(", ")),
        });
    };
    let shown =
        if material.page { take(context, flags, looks, &material).await? } else { paint(looks, format, &material)? };
    let Shown { image, kind, alt } = &shown;
    write(&flags.output, &image.bytes)?;
    warn_missing(image);
    if flags.json {
        print_json(&json!({
            "output": flags.output, "kind": kind, "alt": alt, "width": image.width, "height": image.height,
            "bytes": image.bytes.len(), "media_type": image.media_type, "missing": image.missing, "wanted": material.wanted,
        }));
    } else {
        let alt = if alt.is_empty() { "a page without a title" } else { alt };
        say(&format!("{}: {alt}", flags.output.display()));
    }
    Ok(())
}

/// A picture with what is said of it.
struct Shown {
    image: Image,
    kind: &'static str,
    alt: String,
}

fn paint(looks: Looks, format: Option<Format>, material: &Material) -> Result<Shown, Error> {
    // A path may come from the command line, never from a row, which may name a look.
    let looks = if material.row_look.is_some() { looks.and_paths_but_of_looks() } else { looks.and_paths() };
    let renderer = Studio::new(looks, 1, format).renderer(material.style())?;
    let draw = material.draw.parse::<Draw>().unwrap_or_default();
    let wish = Wish { room: renderer.room(), ..Wish::default() };
    let post = Post::new(material.fields());
    let card = picture::choose_as(&post, draw, &wish).map_err(|skip| Error::Nothing(skip.to_string()))?;
    let alt = picture::alt_text(&card, card::language_name);
    Ok(Shown { image: renderer.render(&card)?, kind: picture::kind(&card), alt })
}

async fn take(context: &Context, flags: &Preview, looks: Looks, material: &Material) -> Result<Shown, Error> {
    let chrome = Chrome::new(context.config.browser(&flags.browser)?);
    let gallery = pages::gallery(context, &looks, &flags.browser)?;
    let shot = gallery.template(material).and_then(|template| gallery.shot(material, &template));
    let shot = shot.map_err(|error| Error::Nothing(error.to_string()))?;
    let captured = chrome.capture(&shot).await;
    chrome.close().await;
    let captured = captured?;
    let alt = picture::alt_text_of_page(&captured.title, material.title.as_deref());
    Ok(Shown { image: captured.image, kind: "page", alt })
}
