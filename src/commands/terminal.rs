//! What a person sees and answers on a terminal: data on stdout, words and questions on stderr.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
};

use comfy_table::{Table, presets::NOTHING};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::{
    card::{self, Format, Image},
    cli,
    error::Error,
    picture,
};

impl From<cli::PictureFormat> for Format {
    fn from(flag: cli::PictureFormat) -> Self {
        match flag {
            cli::PictureFormat::Png => Self::Png,
            cli::PictureFormat::Webp => Self::WebP,
            cli::PictureFormat::Jpeg => Self::Jpeg,
        }
    }
}

impl From<cli::Draw> for picture::Draw {
    fn from(flag: cli::Draw) -> Self {
        match flag {
            cli::Draw::Auto => Self::Auto,
            cli::Draw::Code => Self::Code,
            cli::Draw::Title => Self::Title,
        }
    }
}

/// Prints one line of data. A reader that went away (`| head`) is no error.
pub(super) fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a value as one line of JSON.
pub(super) fn print_json(value: &impl Serialize) {
    print(&serde_json::to_string(value).unwrap_or_default());
}

/// Says something to the person at the terminal.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A table without lines.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header);
    table
}

/// Asks a question that has to be answered with yes; where nobody can answer, tells to say `--yes`.
pub(super) fn confirm(question: &str, yes: bool) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    let refusal = |what: &str| Error::Usage { what: what.to_owned(), hint: "say --yes to go ahead".to_owned() };
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(refusal("there is no terminal to ask on"));
    }
    let _ = write!(io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let _ = io::stdin().lock().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") { Ok(()) } else { Err(refusal("nothing was done")) }
}

/// A bar on stderr over `length` rows; hidden where stderr is no terminal.
pub(super) fn bar(what: &'static str, length: u64) -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {human_pos}/{human_len}  {per_sec}  {eta}  {msg}");
    let bar = ProgressBar::with_draw_target(Some(length), target).with_prefix(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Writes a picture to a file, or to stdout where the path is `-`.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let written = if path == Path::new("-") {
        if io::stdout().is_terminal() {
            return Err(Error::Usage {
                what: "a picture on a terminal is no picture".to_owned(),
                hint: "-o card.png, or pipe it somewhere".to_owned(),
            });
        }
        io::stdout().write_all(bytes)
    } else {
        std::fs::write(path, bytes)
    };
    written.map_err(|error| Error::File { path: path.to_owned(), error })
}

/// The format of a picture for a file: the one asked for, which must be that of the file's name where that names one; else that of
/// the name; none where the name has no ending, or the picture goes to stdout.
pub(super) fn format_for(output: Option<&Path>, asked: Option<cli::PictureFormat>) -> Result<Option<Format>, Error> {
    let asked = asked.map(Format::from);
    let Some((path, ending)) = output.and_then(|path| Some((path, path.extension()?.to_str()?))) else {
        return Ok(asked);
    };
    match (asked, ending.parse::<Format>()) {
        (Some(asked), Ok(named)) if asked != named => Err(Error::Usage {
            what: format!("{} would hold a picture in the format {asked}", path.display()),
            hint: format!("name it .{}, or leave --format out", asked.extension()),
        }),
        (None, Err(unknown)) => Err(Error::Usage {
            what: format!("{}: {unknown}", path.display()),
            hint: "name it .png, .jpg or .webp, or say --format".to_owned(),
        }),
        (asked, named) => Ok(asked.or(named.ok())),
    }
}

/// Says which characters no font had.
pub(super) fn warn_missing(image: &Image) {
    if let Some(told) = card::missing(&image.missing) {
        say(&format!("warning: {told}"));
    }
}
