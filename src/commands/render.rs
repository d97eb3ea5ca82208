//! `tintype render`: a post or a source file to a picture, without a database.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use serde_json::json;

use super::{
    Context,
    terminal::{format_for, print, print_json, say, warn_missing, write},
};
use crate::{
    card::{self, Card, Cover, Looks, Options, Renderer, Room},
    cli::{Render, Style},
    error::Error,
    picture::{self, Skip, Wish},
    post::{self, Fields, Post},
};

pub(super) fn render(context: &Context, flags: &Render) -> Result<(), Error> {
    let looks = context.config.looks(&flags.style.looks)?;
    if flags.list_looks {
        list(&looks.names());
    } else if flags.list_themes {
        list(&card::themes());
    } else if flags.list_templates {
        list(&looks.templates());
    } else if flags.list_languages {
        list_languages();
    } else if let Some(path) = &flags.post {
        return draw(path, flags, looks.and_paths());
    }
    Ok(())
}

fn list<T: AsRef<str>>(names: &[T]) {
    for name in names {
        print(name.as_ref());
    }
}

/// A language a line, its name first.
fn list_languages() {
    let languages = card::language_words();
    let width = languages.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, words) in languages {
        print(format!("{name:width$}  {}", words.join(", ")).trim_end());
    }
}

fn draw(path: &Path, flags: &Render, looks: Looks) -> Result<(), Error> {
    let format = format_for(flags.output.as_deref(), flags.format)?;
    let post = read(path, flags)?;
    let Style { look, theme, template, .. } = flags.style.clone();
    let template = template.filter(|name| !name.is_empty());
    let wish = wish(flags)?;
    let renderer =
        Renderer::new(&Options { look, looks, theme, template: template.clone(), scale: flags.scale, format })?;
    let (draw, wish) = (picture::Draw::from(flags.draw), Wish { room: renderer.room(), ..wish });
    if let (Some(name), Room::Titles, picture::Draw::Auto | picture::Draw::Title) = (&template, wish.room, draw)
        && (wish.block.is_some() || wish.lines.is_some())
    {
        return Err(Error::Usage {
            what: format!("the template {name} has no place for the code that --block and --lines choose"),
            hint: "leave --template out, say --draw code, or name a rectangle of the template tintype:code".to_owned(),
        });
    }
    let mut card = picture::choose_as(&post, draw, &wish).map_err(|skip| refused(&skip, &wish, path))?;
    match (&mut card, &flags.cover) {
        (Card::Title(card), Some(path)) => card.cover = Some(cover(path)?),
        (Card::Code(_), Some(_)) => {
            return Err(Error::Usage {
                what: "a card of code has no cover".to_owned(),
                hint: "leave --draw code out, and --template blog-post draws one".to_owned(),
            });
        }
        (_, None) => {}
    }
    let image = renderer.render(&card)?;
    let output = flags.output.clone().unwrap_or_else(|| beside(path, image.extension));
    if output == path && output != Path::new("-") {
        return Err(Error::Usage {
            what: format!("{} is the post itself, and would be overwritten", path.display()),
            hint: "-o names another file".to_owned(),
        });
    }
    write(&output, &image.bytes)?;
    warn_missing(&image);
    if flags.json {
        print_json(&json!({
            "output": output, "kind": picture::kind(&card), "alt": picture::alt_text(&card, card::language_name), "width": image.width,
            "height": image.height, "bytes": image.bytes.len(), "media_type": image.media_type, "missing": image.missing,
        }));
    } else if output != Path::new("-") {
        say(&format!("{} ({} × {}, {} bytes)", output.display(), image.width, image.height, image.bytes.len()));
    }
    Ok(())
}

/// The picture in a file.
fn cover(path: &Path) -> Result<Cover, Error> {
    let bytes = fs::read(path).map_err(|error| Error::File { path: path.to_owned(), error })?;
    Cover::decode(&bytes).map_err(|what| Error::Usage {
        what: format!("{} {what}", path.display()),
        hint: "a cover is a PNG, JPEG or WebP of at most 10 MB and 4096 pixels a side".to_owned(),
    })
}

/// What the flags ask of the post's code.
fn wish(flags: &Render) -> Result<Wish, Error> {
    let wrong = |flag: &str, error: picture::UnknownLines| Error::Usage {
        what: format!("{flag}: {error}"),
        hint: "lines count from 1, in the block or file before anything is left out".to_owned(),
    };
    Ok(Wish {
        block: flags.block,
        lines: flags.lines.as_deref().map(picture::range).transpose().map_err(|error| wrong("--lines", error))?,
        highlights: (flags.highlight.as_deref().map(picture::ranges).transpose())
            .map_err(|error| wrong("--highlight", error))?
            .unwrap_or_default(),
        line_numbers: flags.line_numbers,
        wrap: flags.wrap,
        tab_width: flags.tab_width,
        room: Room::default(),
    })
}

fn refused(skip: &Skip, wish: &Wish, path: &Path) -> Error {
    let Skip::NoSuchLine { found, .. } = skip else { return Error::Nothing(skip.to_string()) };
    let lines = wish.lines.as_ref().is_some_and(|lines| picture::last(lines) > *found);
    Error::Usage {
        what: format!("{}: {skip}", path.display()),
        hint: if lines {
            format!("--lines 1-{found} is all of it")
        } else {
            format!("--highlight takes lines from 1 to {found}")
        },
    }
}

/// The post: Markdown from stdin or a file of that kind, anything else as source code.
fn read(path: &Path, flags: &Render) -> Result<Post, Error> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        fs::read(path).map(|content| bytes = content)
    };
    read.map_err(|error| Error::File { path: path.to_owned(), error })?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let stdin = path == Path::new("-");
    let name = if stdin { flags.file.clone().unwrap_or_default() } else { name(path) };
    let extension = Path::new(&name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let markdown = ["md", "markdown", "mdx", "livemd"].contains(&extension.to_lowercase().as_str());
    let mut post = if flags.language.is_none() && (markdown || (stdin && flags.file.is_none())) {
        Post::new(Fields { body: text, ..Fields::default() })
    } else {
        Post::from_source(&name, &text)
    };
    for block in &mut post.blocks {
        block.info.language = flags.language.clone().or(block.info.language.take());
        block.info.file = flags.file.clone().or(block.info.file.take());
    }
    Ok(Post {
        title: flags.title.clone().or(post.title),
        author: flags.author.clone().or(post.author),
        site: flags.site.clone().or(post.site),
        date: flags.date.as_deref().map(day).transpose()?.or(post.date),
        tags: if flags.tags.is_empty() { post.tags } else { post::unique(&flags.tags) },
        ..post
    })
}

/// The day that a flag names.
fn day(text: &str) -> Result<Date, Error> {
    post::date(text).ok_or_else(|| Error::Usage {
        what: format!("--date: `{text}` is no date"),
        hint: "write 2026-11-21, or 21 November 2026".to_owned(),
    })
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The post's own name with another ending, in the working directory.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let stem = path.file_stem().filter(|_| path != Path::new("-")).map_or_else(|| "card".into(), PathBuf::from);
    stem.with_extension(extension)
}
