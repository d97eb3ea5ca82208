//! A look's file: the path of one comes in, the whole look goes out. It says what differs from the look that it extends, key by key;
//! what it names (pictures, faces, a theme) is read from beside it. Each mistake is reported with its line and column.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::colour::Rgb;
use super::look::{self, Assets, BASE, Look};
use super::look_error::{LookError, nearest, shown};
use super::looks::{named_theme, read, read_text, read_theme};
use super::own_faces::{self, Part};
use super::picture_file::{self, Picture};
use super::theme;

/// The contrast that title and muted text need against the ground: that of large text, WCAG 2.2 level AA. Less is an error and
/// no warning, because nobody reads a worker's warnings, and a card that cannot be read is not worth drawing.
const LEAST_CONTRAST: f32 = 3.0;
/// Looks that may extend each other.
const DEEPEST: usize = 8;

type Said = Option<Spanned<String>>;

/// What a file says that concerns other files or other keys, with its places.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mentions {
    extends: Said,
    ground: Said,
    title: Said,
    muted: Said,
    avatar: Said,
    logo: Said,
    theme: Said,
    faces: Faces,
    window: Window,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Faces {
    title: Said,
    text: Said,
    code: Said,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Window {
    fill: Said,
}

/// A look's file that is being read.
pub(super) struct LookFile {
    path: PathBuf,
    text: String,
}

impl LookFile {
    /// Reads the look in a file, with all that it names and extends.
    pub(super) fn read(path: &Path) -> Result<Look, LookError> {
        let (table, assets) = Self::merged(path, DEEPEST)?;
        Look::merged(table, assets).map_err(|error| LookError::whole(path, error.message()))
    }

    fn merged(path: &Path, depth: usize) -> Result<(Table, Assets), LookError> {
        let file = Self { path: path.to_owned(), text: read_text(path)? };
        file.parse::<Look>()?; // for its mistakes alone: what it leaves out is zero
        let mentions: Mentions = file.parse()?;
        let own: Table = file.parse()?;
        let (mut table, mut assets) = file.base(&mentions, depth)?;
        merge(&mut table, own);
        file.check_contrast(&mentions, &table)?;
        file.read_assets(&mentions, &mut assets)?;
        Ok((table, assets))
    }

    fn parse<T: for<'de> Deserialize<'de>>(&self) -> Result<T, LookError> {
        toml::from_str(&self.text).map_err(|error| LookError::toml(&self.path, &self.text, &error))
    }

    fn wrong(&self, said: &Spanned<String>, what: impl Into<String>) -> LookError {
        LookError::at(&self.path, &self.text, said.span().start, what)
    }

    /// The look that this one extends.
    fn base(&self, mentions: &Mentions, depth: usize) -> Result<(Table, Assets), LookError> {
        let name = mentions.extends.as_ref().map_or(BASE, |said| said.get_ref());
        if let Some(text) = look::text(name) {
            let table = toml::from_str(text).map_err(|error| LookError::toml(&self.path, text, &error))?;
            return Ok((table, Assets::default()));
        }
        let Some(said) = &mentions.extends else { return Ok((Table::new(), Assets::default())) };
        let path = self.beside(&format!("{name}.toml"));
        if name.contains(['/', '\\']) || !path.is_file() {
            let near = nearest(name, look::names()).map_or(BASE, |(near, _)| near);
            let what = format!(
                "there is no look `{}` to extend, built in or beside this file; did you mean `{near}`?",
                shown(name)
            );
            return Err(self.wrong(said, what));
        }
        if depth == 0 {
            return Err(self.wrong(said, "looks extend each other in a circle"));
        }
        Self::merged(&path, depth - 1)
    }

    fn check_contrast(&self, mentions: &Mentions, table: &Table) -> Result<(), LookError> {
        let colour = |key: &str| table.get(key).and_then(Value::as_str).and_then(Rgb::parse).unwrap_or_default();
        for (key, said) in [("title", &mentions.title), ("muted", &mentions.muted)] {
            let Some(said) = said.as_ref().or(mentions.ground.as_ref()) else { continue };
            let ratio = colour(key).contrast(colour("ground"));
            if ratio < LEAST_CONTRAST {
                let what = format!(
                    "{key} {} on ground {} cannot be read: a contrast of {ratio:.1} : 1, and {LEAST_CONTRAST} : 1 is the least",
                    colour(key),
                    colour("ground")
                );
                return Err(self.wrong(said, what));
            }
        }
        Ok(())
    }

    fn read_assets(&self, mentions: &Mentions, assets: &mut Assets) -> Result<(), LookError> {
        for (said, place) in [(&mentions.avatar, &mut assets.avatar), (&mentions.logo, &mut assets.logo)] {
            if let Some(said) = said {
                *place = self.picture(said)?;
            }
        }
        let faces = &mentions.faces;
        for (said, part) in [(&faces.title, Part::Title), (&faces.text, Part::Text), (&faces.code, Part::Code)] {
            let Some(said) = said else { continue };
            let data = if said.get_ref().is_empty() { None } else { Some(self.bytes(said, own_faces::MOST_BYTES)?) };
            assets.faces.set(part, data).map_err(|what| self.wrong(said, quoted(said, &what)))?;
        }
        if let Some(said) = &mentions.theme {
            let keeps_fill = mentions.window.fill.is_some();
            assets.theme = if said.get_ref().is_empty() { None } else { Some(Arc::new(self.theme(said, keeps_fill)?)) };
        } else if let (Some(choice), true) = (&mut assets.theme, mentions.window.fill.is_some()) {
            Arc::make_mut(choice).keeps_fill = true;
        }
        Ok(())
    }

    fn theme(&self, said: &Spanned<String>, keeps_fill: bool) -> Result<theme::Choice, LookError> {
        let mut choice = match theme::file(said.get_ref()) {
            Some((file, raw)) => {
                read_theme(&self.beside(file), raw).map_err(|error| self.wrong(said, error.to_string()))?
            }
            None => named_theme(said.get_ref()).map_err(|error| self.wrong(said, error.to_string()))?,
        };
        choice.keeps_fill = keeps_fill;
        Ok(choice)
    }

    fn picture(&self, said: &Spanned<String>) -> Result<Option<Arc<Picture>>, LookError> {
        let name = said.get_ref();
        if name.is_empty() {
            return Ok(None);
        }
        let data = match name.strip_prefix("data:") {
            Some(rest) => decode_url(rest).map_err(|what| self.wrong(said, format!("the data: URL {what}")))?,
            None => self.bytes(said, picture_file::MOST_BYTES)?,
        };
        let picture = Picture::decode(&data).map_err(|what| self.wrong(said, quoted(said, &what)))?;
        Ok(Some(Arc::new(picture)))
    }

    fn bytes(&self, said: &Spanned<String>, most: u64) -> Result<Vec<u8>, LookError> {
        read(&self.beside(said.get_ref()), most).map_err(|error| self.wrong(said, error.to_string()))
    }

    /// The path of a file that this one names.
    fn beside(&self, name: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(name)
    }
}

fn quoted(said: &Spanned<String>, what: &str) -> String {
    let name = said.get_ref();
    if name.starts_with("data:") { format!("the data: URL {what}") } else { format!("{} {what}", shown(name)) }
}

/// The bytes of a `data:` URL after its scheme, in either alphabet of base64, with or without padding.
fn decode_url(rest: &str) -> Result<Vec<u8>, String> {
    let (head, data) = rest.split_once(',').ok_or("has no comma before its data")?;
    if !head.to_ascii_lowercase().ends_with(";base64") {
        return Err("is not in base64: it begins with data:image/png;base64,".to_owned());
    }
    let plain: String = data
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '=')
        .map(|c| {
            if c == '-' {
                '+'
            } else if c == '_' {
                '/'
            } else {
                c
            }
        })
        .collect();
    if plain.len() as u64 / 4 * 3 > picture_file::MOST_BYTES {
        return Err(format!("is larger than {} MB", picture_file::MOST_BYTES / (1024 * 1024)));
    }
    BASE64_STANDARD_NO_PAD.decode(plain).map_err(|error| format!("is not base64: {error}"))
}

/// Lays a table over another: tables are merged, anything else is replaced.
fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 16, 16);
        encoder.set_color(png::ColorType::Rgba);
        let pixels: Vec<u8> = (0..1024_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        bytes
    }

    /// A look's file with a picture, two fonts and a theme beside it.
    fn read_as(text: &str) -> Result<Look, LookError> {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, data: &[u8]| std::fs::write(folder.path().join(name), data).unwrap();
        put("mine.toml", text.as_bytes());
        put(
            "house.toml",
            b"extends = \"paper\"\nsite = \"notes.example\"\ntitle = \"#101010\"\navatar = \"face.png\"\n",
        );
        put("a.toml", b"extends = \"b\"\n");
        put("b.toml", b"\nextends = \"a\"\n");
        put("face.png", &picture());
        put("cut.png", &picture()[..200]);
        put("mono.ttf", include_bytes!("../../assets/fonts/jetbrains-mono-bold.ttf"));
        put("cut.ttf", &include_bytes!("../../assets/fonts/jetbrains-mono-bold.ttf")[..5000]);
        put("broken.tmTheme", b"<plist>");
        LookFile::read(&folder.path().join("mine.toml"))
    }

    #[track_caller]
    fn refused(text: &str, place: &str, what: &str) {
        let error = read_as(text).err().unwrap_or_else(|| panic!("no error in {text}")).to_string();
        let (_, said) = error.split_once("mine.toml:").unwrap_or_else(|| panic!("{error}"));
        assert!(said.starts_with(place) && said.contains(what), "{text}\n{error}");
    }

    #[test]
    fn a_file_says_what_differs() {
        let look =
            read_as("[window]\nfill = \"#101010\"\nedge = { alpha = 0.5 }\n[code]\ntext = \"#ffffff\"\n").unwrap();
        let night = Look::built_in("night").unwrap();
        assert_eq!((look.window.fill, look.code.text), (Rgb(16, 16, 16), Rgb(255, 255, 255)));
        assert!((look.window.edge.alpha - 0.5).abs() < f32::EPSILON);
        assert_eq!(
            (look.window.edge.color, look.code.comment, look.title),
            (night.window.edge.color, night.code.comment, night.title)
        );
        assert_eq!((look.glows.len(), look.window.shadows.len()), (2, 2));
        assert!(read_as("").is_ok());
    }

    #[test]
    fn looks_extend_each_other_with_their_pictures() {
        let look = read_as("extends = \"house\"\nmuted = \"#505050\"\n").unwrap();
        assert_eq!(
            (look.title, look.muted, look.site.as_deref()),
            (Rgb(16, 16, 16), Rgb(80, 80, 80), Some("notes.example"))
        );
        assert!(look.assets.avatar.is_some());
        assert!(read_as("extends = \"house\"\navatar = \"\"\n").unwrap().assets.avatar.is_none());
        let error = read_as("extends = \"a\"\n").unwrap_err().to_string();
        assert!(error.ends_with("looks extend each other in a circle"), "{error}");
        refused("\nextends = \"papre\"", "2:11", "did you mean `paper`?");
    }

    #[test]
    fn mistakes_point_at_their_place() {
        refused("title = \"#ffffff\"\ngruond = \"#000000\"\n", "2:1", "no key `gruond`; did you mean `ground`?");
        refused("[window]\nfil = \"#000000\"\n", "2:1", "did you mean `fill`?");
        refused("[window]\nedge = { alfa = 1 }\n", "2:10", "did you mean `alpha`?");
        refused("title = \"white\"\n", "1:9", "`white` is not a colour");
        refused("[chip]\n\nalpha = 1.5\n", "3:9", "1.5 is not between 0 and 1");
        refused("[chip]\nalpha = nan\n", "2:9", "NaN is not between 0 and 1");
        refused("[chip]\nalpha = \"x\"\n", "2:9", "expected a number");
        refused(
            "[[glow]]\ncolor = \"#ffffff\"\nradius = [0, 1]\nat = [0, 0]\nreach = 1\n",
            "3:10",
            "both are to be between",
        );
        refused(
            "[[glow]]\ncolor = \"#ffffff\"\nradius = [9, 9]\nat = [0, 0]\nreach = inf\n",
            "5:9",
            "inf is not between",
        );
        refused("[[window.shadow]]\noffset = 1\nblur = 1e9\n", "3:8", "is not between 0 and 200");
        refused("[[glow]]\ncolor = \"#ffffff\"\n", "1:1", "missing field `radius`");
        refused("window = 3\n", "1:10", "expected a table");
        refused("title = \n", "1:", "");
        refused(
            &"[[window.shadow]]\noffset=1\nblur=1\nspread=1\ncolor=\"#000000\"\nalpha=1\n".repeat(9),
            "",
            "more than 8",
        );
        refused(&format!("site = \"{}\"", "x".repeat(101)), "1:8", "no more than 100 characters");
    }

    #[test]
    fn text_that_cannot_be_read_is_a_mistake() {
        refused("site = \"x\"\ntitle = \"#202020\"\n", "2:9", "title #202020 on ground #0d0f1a cannot be read");
        refused("ground = \"#f0f0f0\"\n", "1:10", "title #f4f5fb on ground #f0f0f0");
    }

    #[test]
    fn files_beside_a_look_are_checked() {
        let look = read_as("logo = \"face.png\"\ntheme = \"nord\"\n[faces]\ncode = \"mono.ttf\"\n").unwrap();
        assert!(look.assets.logo.is_some() && look.assets.theme.is_some() && look.assets.faces.all().count() == 1);
        refused("\navatar = \"nobody.png\"\n", "2:10", "nobody.png: cannot be read");
        refused("avatar = \"cut.png\"\n", "1:10", "cut.png is a damaged PNG");
        refused("avatar = \"mono.ttf\"\n", "1:10", "mono.ttf is neither a PNG nor a JPEG nor a WebP");
        refused("avatar = \"..\"\n", "1:10", "is not a file");
        refused("[faces]\ntitle = \"cut.ttf\"\n", "2:9", "cut.ttf ");
        refused("[faces]\nitalic = \"cut.ttf\"\n", "2:1", "the keys here are title, text, code");
        refused("theme = \"drakula\"\n", "1:9", "did you mean `Dracula`?");
        refused("theme = \"broken.tmTheme\"\n", "1:9", "is not a .tmTheme");
    }

    #[test]
    fn bytes_may_stand_in_the_look_itself() {
        let url = |data: &str| format!("avatar = \"data:image/png;base64,{data}\"");
        let data = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(picture());
        assert!(read_as(&url(&data)).unwrap().assets.avatar.is_some());
        let padded = BASE64_STANDARD_NO_PAD.encode(picture()) + "==";
        assert!(read_as(&url(&padded)).unwrap().assets.avatar.is_some());
        refused(&url("!!"), "1:10", "is not base64");
        refused(&url("AAAA"), "1:10", "the data: URL is neither a PNG");
        refused("avatar = \"data:image/png,x\"", "1:10", "is not in base64");
        refused("avatar = \"data:\"", "1:10", "no comma");
    }

    #[test]
    fn a_theme_brings_its_background_unless_the_look_has_a_fill() {
        let fill = |text: &str| {
            let mut look = read_as(text).unwrap();
            look.assets.theme.clone().unwrap().applied(&mut look);
            look.window.fill
        };
        assert_eq!(fill("theme = \"Nord\"\n"), Rgb(0x2e, 0x34, 0x40));
        assert_eq!(fill("theme = \"Nord\"\n[window]\nfill = \"#000000\"\n"), Rgb(0, 0, 0));
    }
}
