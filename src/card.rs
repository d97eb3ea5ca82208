//! The native renderer: what a card shows goes in, the bytes of a picture come out. Pure: no clock, no network, no database,
//! and the same card gives the same bytes on every machine of one architecture.

mod bitmap;
mod code;
mod code_box;
mod code_card;
mod code_layout;
mod code_rows;
mod colour;
mod coloured;
mod content;
mod deflate;
mod direction;
mod encode;
mod exact;
mod eyebrow;
mod figure;
mod font;
mod font_files;
mod format;
mod glyph;
mod ground;
mod highlight;
mod huffman;
mod indexed;
mod kept;
mod language;
mod layer;
mod layout;
mod look;
mod look_error;
mod look_file;
mod looks;
mod missing;
mod other_formats;
mod output;
mod own_faces;
mod paint;
mod palette;
mod paragraph;
mod photograph;
mod picture_file;
mod pill;
mod plan;
mod raster;
mod stage;
mod tags;
mod template;
mod text;
mod theme;
mod title_card;
mod unicode;
mod words;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sha2::{Digest, Sha256};
use syntect::highlighting::Theme;

use encode::Writer;
use font::Fonts;
use highlight::Styles;
use indexed::Indexed;
use layer::Layers;
use look::Look;
use paint::{Canvas, Op};
use photograph::Photographs;
use stage::{Pictures, Stage};
use template::Template;
use text::Setter;

pub(crate) use exact::exact;
pub(crate) use font_files::embedded as face;

pub use content::{Card, CodeCard, Eyebrow, Image, Room, TitleCard};
pub use format::{Format, UnknownFormat};
pub use look_error::LookError;
pub use looks::Looks;
pub use missing::missing;
pub use template::Cover;

/// What a renderer is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The name of a look; [`Looks::names`] lists them.
    pub look: String,
    /// Where looks and themes are found besides those that are built in.
    pub looks: Looks,
    /// A syntax theme instead of the look's own: a name that [`themes`] lists, or a `.tmTheme` file. `NAME:raw` keeps colours that
    /// are too faint to read as they are.
    pub theme: Option<String>,
    /// A template in whose layout titles are drawn: a name that [`Looks::templates`] lists, or an SVG file.
    pub template: Option<String>,
    /// Pixels of the picture in a design pixel, 1 to 3.
    pub scale: u8,
    /// The format of the pictures. Where none is asked for: PNG, and JPEG for a card with a photograph of some size.
    pub format: Option<Format>,
}

impl Default for Options {
    fn default() -> Self {
        let look = look::BASE.to_owned();
        Self { look, looks: Looks::default(), theme: None, template: None, scale: 1, format: None }
    }
}

/// The scripts that no font of this machine draws, each with the Debian package that would; Latin, Greek and Cyrillic are built in.
#[must_use]
pub fn scripts_without_font() -> Vec<(String, &'static str)> {
    font::scripts_without_font()
}

/// Why a card could not be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// No look has this name.
    #[error("there is no look `{name}`; did you mean `{nearest}`? The looks are {known}")]
    UnknownLook {
        /// The name that was given.
        name: String,
        /// The known name that is most like it.
        nearest: String,
        /// The known names, by commas.
        known: String,
    },
    /// No syntax theme has this name.
    #[error("there is no syntax theme `{name}`; did you mean `{nearest}`?")]
    UnknownTheme {
        /// The name that was given.
        name: String,
        /// The known name that is most like it.
        nearest: String,
    },
    /// No template has this name.
    #[error("there is no template `{name}`; did you mean `{nearest}`? The templates are {known}")]
    UnknownTemplate {
        /// The name that was given.
        name: String,
        /// The known name that is most like it.
        nearest: String,
        /// The known names, by commas.
        known: String,
    },
    /// The file of a look, a theme or a template, or one that it names, cannot be used.
    #[error(transparent)]
    Look(#[from] LookError),
    /// The scale is not 1, 2 or 3.
    #[error("a picture can be drawn at scale 1, 2 or 3, not {scale}")]
    UnknownScale {
        /// The scale that was given.
        scale: u8,
    },
    /// The finished picture could not be written as a PNG.
    #[error("the picture could not be encoded: {0}")]
    Encoding(#[from] png::EncodingError),
    /// The finished picture could not be written in another format.
    #[error("the picture could not be encoded: {0}")]
    OtherEncoding(String),
}

/// The revision of everything here that decides pixels; it changes when a card drawn anew would look different.
const REVISION: u32 = 6;

/// What a renderer comes to hold besides faces and a template's art: layers, glyphs, styles, the picture in the making.
const WARM: usize = 64 * 1024 * 1024;

/// Draws cards of one look, theme and scale. Share it between threads: what one card warms up, the next finds ready.
pub struct Renderer {
    scale: u8,
    /// None where each card decides.
    format: Option<Format>,
    /// With the window as the theme wants it.
    look: Arc<Look>,
    theme: Theme,
    pictures: Pictures,
    /// The layout of titles where it is not the built-in one.
    layout: Option<Template>,
    fonts: Fonts,
    layers: Layers,
    template: OnceLock<String>,
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
        let (setter, writer) = (Setter::new(scale == 1), Writer::default());
        Self { setter, styles: Styles::default(), ops: Vec::new(), picture: Indexed::default(), writer }
    }
}

impl Renderer {
    /// Makes a renderer; it draws no card yet. Only here are the files of looks, themes and templates read.
    ///
    /// # Errors
    /// When the look, the theme, the template or the scale is unknown, or a file of one of them cannot be used.
    pub fn new(options: &Options) -> Result<Self, CardError> {
        if !(1..=3).contains(&options.scale) {
            return Err(CardError::UnknownScale { scale: options.scale });
        }
        let mut look = options.looks.look(&options.look)?;
        if let Some(name) = &options.theme {
            look.assets.theme = Some(Arc::new(options.looks.theme(name)?));
        }
        let mut theme = theme::of(&mut look);
        let pictures = Pictures::new(&look.assets, options.scale);
        let layout = options.template.as_deref().map(|name| options.looks.template(name, &look, options.scale));
        let layout = layout.transpose()?;
        if let Some(ground) = layout.as_ref().and_then(Template::code_ground) {
            theme = theme::on(&mut look, ground);
        }
        (look.assets.avatar, look.assets.logo) = (None, None); // their files' pixels are not needed any more
        let fonts = Fonts::with(look.assets.faces.clone());
        let look = Arc::new(look);
        let layers = Layers::new(Arc::clone(&look), f32::from(options.scale));
        Ok(Self {
            scale: options.scale,
            format: options.format,
            look,
            theme,
            pictures,
            layout,
            fonts,
            layers,
            template: OnceLock::new(),
            benches: Mutex::new(Vec::new()),
        })
    }

    /// What its cards have room for.
    #[must_use]
    pub fn room(&self) -> Room {
        match &self.layout {
            None => Room::Either,
            Some(template) if template.takes_code() => Room::Both,
            Some(_) => Room::Titles,
        }
    }

    /// Draws a card as a picture of 1200 × 630 times the scale.
    ///
    /// # Errors
    /// When memory for the picture cannot be had. No text whatever makes it fail.
    pub fn render(&self, card: &Card) -> Result<Image, CardError> {
        let pooled = self.benches.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bench = pooled.unwrap_or_else(|| Bench::new(self.scale));
        bench.setter.missing.clear();
        let image = self.draw(card, &mut bench);
        self.benches.lock().unwrap_or_else(PoisonError::into_inner).push(bench);
        image
    }

    fn draw(&self, card: &Card, bench: &mut Bench) -> Result<Image, CardError> {
        let mut stage = Stage {
            canvas: Canvas { ops: std::mem::take(&mut bench.ops), scale: f32::from(self.scale) },
            look: &self.look,
            fonts: &self.fonts,
            setter: &mut bench.setter,
            styles: &mut bench.styles,
            layers: &self.layers,
            pictures: &self.pictures,
            layer: None,
            format: self.format,
            photographs: Photographs::None,
            true_colours: false,
        };
        let name = self.look.assets.theme.is_none().then_some(self.look.code.name);
        match card {
            Card::Code(card) => code_card::draw(card, (&self.theme, name), &mut stage),
            Card::Title(card) => match &self.layout {
                Some(template) => template.draw(card, (&self.theme, name), &mut stage),
                None => title_card::draw(card, &mut stage),
            },
        }
        let (format, true_colours) = (stage.format(), stage.true_colours);
        let (mut ops, layer) = (stage.canvas.ops, stage.layer.unwrap_or_default());
        let bytes = output::encode((&layer, &ops), (format, true_colours), (&mut bench.picture, &mut bench.writer))?;
        ops.clear();
        bench.ops = ops;
        let (width, height) = (layer.width as u32, layer.height() as u32);
        let (media_type, extension) = (format.media_type(), format.extension());
        Ok(Image { bytes, width, height, media_type, extension, missing: bench.setter.missing.clone() })
    }

    /// About how much memory it holds while it is in use, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let faces: usize = self.look.assets.faces.all().map(<[u8]>::len).sum();
        WARM + faces + self.layout.as_ref().map_or(0, Template::bytes)
    }

    /// A short digest of everything besides a card that decides its pixels: this code's revision, the look with its pictures and
    /// faces, the theme, the scale, the format, and the font files of this machine. Computed once.
    #[must_use]
    pub fn template(&self) -> &str {
        self.template.get_or_init(|| {
            let mut hash = Sha256::new();
            let format = self.format.map_or_else(String::new, |format| format.to_string());
            hash.update(format!("{REVISION}\n{} {format}\n{:?}\n{:?}\n", self.scale, self.look, self.theme));
            for picture in [&self.pictures.avatar, &self.pictures.logo].into_iter().flatten() {
                hash.update(format!("{picture:?}\n"));
            }
            hash.update(self.layout.as_ref().map_or("", Template::digest));
            for face in self.look.assets.faces.all() {
                hash.update(Sha256::digest(face));
            }
            for (name, size) in Fonts::inventory() {
                hash.update(format!("{name} {size}\n"));
            }
            format!("{:x}", hash.finalize()).chars().take(16).collect()
        })
    }
}

/// The names of the bundled syntax themes.
#[must_use]
pub fn themes() -> Vec<&'static str> {
    theme::names()
}

/// The names of the languages that are highlighted.
#[must_use]
pub fn languages() -> Vec<String> {
    language_words().into_iter().map(|(name, _)| name).collect()
}

/// The same with the words by which authors may call each, file endings among them.
#[must_use]
pub fn language_words() -> Vec<(String, Vec<String>)> {
    language::all()
}

/// The name by which a reader knows a language that an author wrote (`rs` → `Rust`); as it was written where it is unknown.
#[must_use]
pub fn language_name(written: &str) -> String {
    language::Language::find(Some(written)).shown.unwrap_or_else(|| written.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(look: &str, theme: Option<&str>, scale: u8) -> Options {
        Options { look: look.to_owned(), theme: theme.map(str::to_owned), scale, ..Options::default() }
    }

    #[test]
    fn wrong_names_get_the_nearest_one() {
        let error = |look: &str, theme: Option<&str>, scale| {
            Renderer::new(&options(look, theme, scale)).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(
            error("nigth", None, 1),
            "there is no look `nigth`; did you mean `night`? The looks are night, paper"
        );
        assert_eq!(error("paper", Some("drakula"), 1), "there is no syntax theme `drakula`; did you mean `Dracula`?");
        assert_eq!(error("paper", None, 4), "a picture can be drawn at scale 1, 2 or 3, not 4");
        assert_eq!(error("paper", Some("nord"), 2), "");
    }

    #[test]
    fn the_template_tells_renderers_apart() {
        let template = |options: &Options| Renderer::new(options).unwrap().template().to_owned();
        let night = template(&options("night", None, 1));
        assert_eq!(night, template(&options("night", None, 1)));
        assert_eq!(night.len(), 16);
        for other in [
            options("paper", None, 1),
            options("night", None, 2),
            options("night", Some("Nord"), 1),
            Options { format: Some(Format::WebP), ..Options::default() },
        ] {
            assert_ne!(night, template(&other), "{other:?}");
        }
    }

    #[test]
    fn renderers_are_shared_by_threads() {
        fn assert_shared<T: Send + Sync>() {}
        assert_shared::<Renderer>();
    }
}
