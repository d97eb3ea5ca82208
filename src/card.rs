//! The native renderer: what a card shows goes in, the bytes of a picture come out. Pure: no clock, no network, no database,
//! and the same card gives the same bytes on every machine of one architecture.

mod bitmap;
mod code;
mod code_card;
mod colour;
mod coloured;
mod direction;
mod encode;
mod eyebrow;
mod font;
mod font_files;
mod glyph;
mod ground;
mod highlight;
mod indexed;
mod language;
mod layer;
mod layout;
mod look;
mod missing;
mod paint;
mod palette;
mod paragraph;
mod plan;
mod raster;
mod stage;
mod text;
mod theme;
mod title_card;
mod unicode;
mod words;

use std::sync::{Arc, Mutex, PoisonError};

use coloured::Coloured;
use encode::Writer;
use font::Fonts;
use highlight::Styles;
use indexed::Indexed;
use layer::Layers;
use look::Look;
pub use missing::missing;
use paint::{Canvas, Op};
use sha2::{Digest, Sha256};
use stage::Stage;
use syntect::highlighting::Theme;
use text::Setter;

/// What a card shows: plain text, already chosen and trimmed; nothing here is Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Card {
    /// A window of highlighted code under a title.
    Code(CodeCard),
    /// A large title with an excerpt, for posts without code.
    Title(TitleCard),
}

/// The line above the title: who wrote it, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Eyebrow {
    /// The author's name; its first letter stands in the avatar.
    pub author: Option<String>,
    /// The site's name, muted.
    pub site: Option<String>,
}

/// A window of code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeCard {
    /// Author and site.
    pub eyebrow: Eyebrow,
    /// The post's title; without one the window moves up.
    pub title: Option<String>,
    /// The name in the window's title bar, such as `lib/form.ex`.
    pub file: Option<String>,
    /// The language as the author wrote it (`rs`, `c++`, `Elixir`); unknown ones are drawn as plain text.
    pub language: Option<String>,
    /// The code, LF line ends, tabs kept, no common indentation.
    pub code: String,
    /// Lines to stress, 1-based, both ends included; the others dim.
    pub highlights: Vec<std::ops::RangeInclusive<usize>>,
    /// Lines marked as added and as removed, like the highlights; a diff's own lines need no marking.
    pub added: Vec<std::ops::RangeInclusive<usize>>,
    /// See [`CodeCard::added`].
    pub removed: Vec<std::ops::RangeInclusive<usize>>,
    /// The number of the first line where numbers are asked for.
    pub line_numbers: Option<usize>,
    /// Whether a line that is too wide goes on in the next row; else it fades out.
    pub wrap: bool,
    /// The cells a tab reaches for, 1 to 8; 4 where nothing is said.
    pub tab_width: Option<u8>,
}

/// A title without code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TitleCard {
    /// Author and site.
    pub eyebrow: Eyebrow,
    /// The post's title.
    pub title: String,
    /// The first words of the post.
    pub excerpt: Option<String>,
    /// Tags, drawn as chips while there is room.
    pub tags: Vec<String>,
    /// The date as it is printed, such as `21 Nov 2026`.
    pub date: Option<String>,
}

/// A finished picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The encoded file.
    pub bytes: Vec<u8>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The media type, such as `image/png`.
    pub media_type: &'static str,
    /// Characters that no face had a glyph for, each once, in order of appearance.
    pub missing: Vec<char>,
}

/// What a renderer is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The name of a look; [`looks`] lists them.
    pub look: String,
    /// The name of a syntax theme instead of the look's own colours; [`themes`] lists them. `NAME:raw` keeps colours that are
    /// too faint to read as they are.
    pub theme: Option<String>,
    /// Pixels of the picture in a design pixel, 1 to 3.
    pub scale: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self { look: "night".to_owned(), theme: None, scale: 1 }
    }
}

/// Why a card could not be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// No look has this name.
    #[error("there is no look `{name}`; did you mean `{nearest}`?")]
    UnknownLook {
        /// The name that was given.
        name: String,
        /// The known name that is most like it.
        nearest: &'static str,
    },
    /// No syntax theme has this name.
    #[error("there is no syntax theme `{name}`; did you mean `{nearest}`?")]
    UnknownTheme {
        /// The name that was given.
        name: String,
        /// The known name that is most like it.
        nearest: &'static str,
    },
    /// The scale is not 1, 2 or 3.
    #[error("a picture can be drawn at scale 1, 2 or 3, not {scale}")]
    UnknownScale {
        /// The scale that was given.
        scale: u8,
    },
    /// The finished picture could not be written as a PNG.
    #[error("the picture could not be encoded: {0}")]
    Encoding(#[from] png::EncodingError),
}

/// The revision of everything here that decides pixels; it changes when a card drawn anew would look different.
const REVISION: u32 = 2;

/// Draws cards of one look, theme and scale. Share it between threads: what one card warms up, the next finds ready.
pub struct Renderer {
    options: Options,
    look: Arc<Look>,
    theme: Theme,
    fonts: Fonts,
    layers: Layers,
    /// What each thread that ever drew at the same time needs for itself.
    benches: Mutex<Vec<Bench>>,
}

/// What one thread draws with.
struct Bench {
    setter: Setter,
    styles: Styles,
    ops: Vec<Op>,
    picture: Indexed,
    writer: Writer,
}

impl Bench {
    fn new(scale: u8) -> Self {
        let (setter, writer) = (Setter::new(scale == 1), Writer::new());
        Self { setter, styles: Styles::default(), ops: Vec::new(), picture: Indexed::default(), writer }
    }
}

impl Renderer {
    /// Makes a renderer; it draws nothing yet.
    ///
    /// # Errors
    /// When the look, the theme or the scale is unknown.
    pub fn new(options: &Options) -> Result<Self, CardError> {
        if !(1..=3).contains(&options.scale) {
            return Err(CardError::UnknownScale { scale: options.scale });
        }
        let look = Look::built_in(&options.look).ok_or_else(|| CardError::UnknownLook {
            name: options.look.clone(),
            nearest: nearest(&options.look, look::names()),
        })?;
        let look = Arc::new(look);
        let theme = match &options.theme {
            None => theme::own(&look.code, look.window.fill),
            Some(name) => {
                let unknown = || CardError::UnknownTheme { name: name.clone(), nearest: nearest(name, theme::names()) };
                let (found, raw) = theme::parse(name).ok_or_else(unknown)?;
                theme::bundled(found, look.window.fill, raw)
            }
        };
        let layers = Layers::new(Arc::clone(&look), f32::from(options.scale));
        Ok(Self { options: options.clone(), look, theme, fonts: Fonts::new(), layers, benches: Mutex::new(Vec::new()) })
    }

    /// Draws a card as a PNG of 1200 × 630 times the scale.
    ///
    /// # Errors
    /// When memory for the picture cannot be had. No text whatever makes it fail.
    pub fn render(&self, card: &Card) -> Result<Image, CardError> {
        let pooled = self.benches.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bench = pooled.unwrap_or_else(|| Bench::new(self.options.scale));
        bench.setter.missing.clear();
        let image = self.draw(card, &mut bench);
        self.benches.lock().unwrap_or_else(PoisonError::into_inner).push(bench);
        image
    }

    fn draw(&self, card: &Card, bench: &mut Bench) -> Result<Image, CardError> {
        let mut stage = Stage {
            canvas: Canvas { ops: std::mem::take(&mut bench.ops), scale: f32::from(self.options.scale) },
            look: &self.look,
            fonts: &self.fonts,
            setter: &mut bench.setter,
            styles: &mut bench.styles,
            layers: &self.layers,
            layer: None,
        };
        let name = self.options.theme.is_none().then_some(self.look.code.name);
        match card {
            Card::Code(card) => code_card::draw(card, (&self.theme, name), &mut stage),
            Card::Title(card) => title_card::draw(card, &mut stage),
        }
        let (mut ops, layer) = (stage.canvas.ops, stage.layer.unwrap_or_default());
        let bytes = match plan::palette(&layer, &ops, usize::MAX) {
            Some(palette) => {
                bench.picture.paint(&layer, palette, &ops);
                bench.writer.indexed(&bench.picture)?
            }
            None => encode::coloured(&Coloured::paint(&layer, &ops))?,
        };
        ops.clear();
        bench.ops = ops;
        let (width, height) = (layer.width as u32, layer.height() as u32);
        Ok(Image { bytes, width, height, media_type: "image/png", missing: bench.setter.missing.clone() })
    }

    /// A short digest of everything besides a card that decides its pixels: this code's revision, the look, the theme, the
    /// scale, and the font files of this machine.
    #[must_use]
    pub fn template(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{REVISION}\n{:?}\n{:?}\n", self.options, self.look));
        for (name, size) in Fonts::inventory() {
            hash.update(format!("{name} {size}\n"));
        }
        format!("{:x}", hash.finalize()).chars().take(16).collect()
    }
}

/// The names of the looks.
#[must_use]
pub fn looks() -> Vec<&'static str> {
    look::names()
}

/// The names of the bundled syntax themes.
#[must_use]
pub fn themes() -> Vec<&'static str> {
    theme::names()
}

/// The names of the languages that are highlighted.
#[must_use]
pub fn languages() -> Vec<String> {
    language::names()
}

/// The name by which a reader knows a language that an author wrote (`rs` → `Rust`); as it was written where it is unknown.
#[must_use]
pub fn language_name(written: &str) -> String {
    language::Language::find(Some(written)).shown.unwrap_or_else(|| written.to_owned())
}

fn nearest(name: &str, known: Vec<&'static str>) -> &'static str {
    let wanted = name.to_lowercase();
    let likeness = |known: &&str| (strsim::jaro_winkler(&wanted, &known.to_lowercase()) * 1e6) as u64;
    known.into_iter().max_by_key(likeness).unwrap_or("night")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_names_get_the_nearest_one() {
        let error = |look: &str, theme: Option<&str>, scale| {
            let options = Options { look: look.to_owned(), theme: theme.map(str::to_owned), scale };
            Renderer::new(&options).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(error("nigth", None, 1), "there is no look `nigth`; did you mean `night`?");
        assert_eq!(error("paper", Some("drakula"), 1), "there is no syntax theme `drakula`; did you mean `Dracula`?");
        assert_eq!(error("paper", None, 4), "a picture can be drawn at scale 1, 2 or 3, not 4");
        assert_eq!(error("paper", Some("nord"), 2), "");
    }

    #[test]
    fn the_template_tells_renderers_apart() {
        let template = |look: &str, scale| {
            Renderer::new(&Options { look: look.to_owned(), theme: None, scale }).unwrap().template()
        };
        assert_eq!(template("night", 1), template("night", 1));
        assert_ne!(template("night", 1), template("paper", 1));
        assert_ne!(template("night", 1), template("night", 2));
        assert_eq!(template("night", 1).len(), 16);
    }

    #[test]
    fn renderers_are_shared_by_threads() {
        fn assert_shared<T: Send + Sync>() {}
        assert_shared::<Renderer>();
    }
}
