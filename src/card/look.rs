//! A look: ground, glows, text colours, window, shadows, chips, accent, code colours, and what a site adds of its own (its name,
//! an avatar, a logo, faces, a syntax theme), read from one small TOML file. Lengths are in pixels of a 1200 × 630 picture; a look
//! that parses can be drawn.

use std::sync::Arc;

use serde::Deserialize;

use super::colour::Rgb;
use super::figure;
use super::own_faces::Own;
use super::picture_file::Picture;
use super::theme::Choice;

/// The looks that are built in: name and file.
const BUILT_IN: [(&str, &str); 2] = [
    ("night", include_str!("../../assets/looks/night.toml")),
    ("paper", include_str!("../../assets/looks/paper.toml")),
];
/// The look that others extend where they do not say so.
pub(super) const BASE: &str = BUILT_IN[0].0;

/// What a window's text needs against it, WCAG 2.2 level AA: large text, and text of any size.
const LARGE: f32 = 3.0;
const ANY: f32 = 4.5;
/// Luminance below which a ground is dark.
const DARK: f32 = 0.18;
/// The inner edge of a window that is not the look's own, on a dark fill and on a light one.
const EDGES: [Rgb; 2] = [Rgb(255, 255, 255), Rgb(0x14, 0x14, 0x28)];

/// Everything about a card besides what it says. Keys that a file leaves out are zero here: only what was merged over a built-in
/// look is whole.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Look {
    /// The look that this one changes; nothing once it is merged.
    extends: Option<String>,
    pub(super) ground: Rgb,
    pub(super) title: Rgb,
    pub(super) muted: Rgb,
    /// Between the picture's sides and what stands on it; a title card has [`super::layout::title::INDENT`] more.
    #[serde(deserialize_with = "figure::padding")]
    pub(super) padding: f32,
    /// The site's name, where neither source nor post has one.
    #[serde(deserialize_with = "figure::words")]
    pub(super) site: Option<String>,
    /// A file or a `data:` URL, and what was read from it; an empty text is none.
    avatar: Option<String>,
    logo: Option<String>,
    /// The name or the file of a syntax theme in place of [`Look::code`].
    theme: Option<String>,
    faces: Faces,
    #[serde(rename = "glow", deserialize_with = "figure::few")]
    pub(super) glows: Vec<Glow>,
    pub(super) window: Window,
    pub(super) chip: Chip,
    pub(super) band: Band,
    pub(super) accent: Accent,
    pub(super) code: CodeColours,
    /// What was read from the files that the look names.
    #[serde(skip)]
    pub(super) assets: Assets,
}

/// What a look's other files hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Assets {
    pub(super) avatar: Option<Arc<Picture>>,
    pub(super) logo: Option<Arc<Picture>>,
    /// The look's own syntax theme, and whether it brings its background along.
    pub(super) theme: Option<Arc<Choice>>,
    pub(super) faces: Own,
}

/// Font files in place of the embedded ones.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Faces {
    title: Option<String>,
    text: Option<String>,
    code: Option<String>,
}

/// A radial gradient from its colour to nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Glow {
    pub(super) color: Rgb,
    /// Half axes of the ellipse.
    #[serde(deserialize_with = "figure::radii")]
    pub(super) radius: [f32; 2],
    /// Its centre, in shares of the picture.
    #[serde(deserialize_with = "figure::place")]
    pub(super) at: [f32; 2],
    /// The share of the radius at which nothing is left.
    #[serde(deserialize_with = "figure::reach")]
    pub(super) reach: f32,
}

/// The window that holds the code.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Window {
    pub(super) fill: Rgb,
    /// The file's name in the title bar, and the line numbers.
    pub(super) name: Rgb,
    /// The marks of characters that deceive or cannot be seen.
    pub(super) warning: Rgb,
    pub(super) edge: Edge,
    #[serde(rename = "shadow", deserialize_with = "figure::few")]
    pub(super) shadows: Vec<Shadow>,
    /// The look's chip as it stands in this window.
    #[serde(skip)]
    pub(super) chip: Chip,
}

/// The line along the inside of the window's border.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Edge {
    pub(super) color: Rgb,
    #[serde(deserialize_with = "figure::alpha")]
    pub(super) alpha: f32,
}

/// A shadow, with the meaning its figures have in CSS's `box-shadow`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shadow {
    #[serde(deserialize_with = "figure::offset")]
    pub(super) offset: f32,
    #[serde(deserialize_with = "figure::blur")]
    pub(super) blur: f32,
    #[serde(deserialize_with = "figure::spread")]
    pub(super) spread: f32,
    pub(super) color: Rgb,
    #[serde(deserialize_with = "figure::alpha")]
    pub(super) alpha: f32,
}

/// The language's chip, the tags and the pill that counts the lines left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Chip {
    pub(super) text: Rgb,
    pub(super) ground: Rgb,
    #[serde(deserialize_with = "figure::alpha")]
    pub(super) alpha: f32,
}

/// The bands behind lines that are stressed, added or removed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Band {
    pub(super) stressed: Rgb,
    pub(super) added: Rgb,
    pub(super) removed: Rgb,
}

/// The two ends of the title card's edge.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Accent {
    pub(super) from: Rgb,
    pub(super) to: Rgb,
}

/// The code colours of a look, by the part a word plays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CodeColours {
    pub(super) text: Rgb,
    pub(super) comment: Rgb,
    pub(super) keyword: Rgb,
    pub(super) name: Rgb,
    pub(super) function: Rgb,
    #[serde(rename = "type")]
    pub(super) type_name: Rgb,
    pub(super) string: Rgb,
    pub(super) symbol: Rgb,
    pub(super) escape: Rgb,
    pub(super) number: Rgb,
    /// What a language brings along: its own types, functions and constants.
    pub(super) builtin: Rgb,
    /// Comments that document, as Rust's `///` and Python's docstrings.
    pub(super) documentation: Rgb,
    pub(super) operator: Rgb,
    pub(super) tag: Rgb,
    pub(super) attribute: Rgb,
    pub(super) this: Rgb,
    /// Whether the name in a function's definition is bold.
    pub(super) bold_definitions: bool,
}

impl Look {
    /// The built-in look of that name, or none.
    pub(super) fn built_in(name: &str) -> Option<Self> {
        let look: Self = toml::from_str(text(name)?).ok()?;
        Some(look.finished())
    }

    /// The look of a whole table, and what its files hold.
    pub(super) fn merged(table: toml::Table, assets: Assets) -> Result<Self, toml::de::Error> {
        let mut look: Self = table.try_into()?;
        look.assets = assets;
        (look.avatar, look.logo) = (None, None); // what they named is read; a data: URL is long
        look.window.name = look.window.name.legible_on(look.window.fill, LARGE);
        look.window.warning = look.window.warning.legible_on(look.window.fill, ANY);
        let mut look = look.finished();
        look.window.chip = look.chip.legible_on(look.window.fill, LARGE);
        Ok(look)
    }

    fn finished(mut self) -> Self {
        self.window.chip = self.chip.clone();
        self
    }

    /// Gives the window the fill of another syntax theme, with name, edge and chips that can be read and seen on it.
    pub(super) fn refill(&mut self, fill: Rgb) {
        self.window.fill = fill;
        self.window.name = self.window.name.legible_on(fill, ANY);
        self.window.warning = self.window.warning.legible_on(fill, ANY);
        self.window.edge.color = EDGES[usize::from(fill.luminance() >= DARK)];
        self.window.chip = self.chip.legible_on(fill, ANY);
    }
}

impl Chip {
    /// The chip with text that can be read where the chip lies on `fill`.
    fn legible_on(&self, fill: Rgb, ratio: f32) -> Self {
        Self { text: self.text.legible_on(self.ground.over(fill, self.alpha), ratio), ..self.clone() }
    }
}

/// The file of a built-in look.
pub(super) fn text(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of the looks that are built in.
pub(super) fn names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(table: &toml::Table, before: &str) -> Vec<String> {
        let path = |key: &String| format!("{before}.{key}");
        let mut all = Vec::new();
        for (key, value) in table {
            match value.as_table() {
                Some(inner) => all.extend(keys(inner, &path(key))),
                None => all.push(path(key)),
            }
        }
        all
    }

    #[test]
    fn every_built_in_look_is_whole_and_legible() {
        let whole = |name| keys(&toml::from_str(text(name).unwrap()).unwrap(), "");
        for name in names() {
            let look: Look = toml::from_str(text(name).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(whole(name), whole(BASE), "{name}");
            assert!(look.title.contrast(look.ground) > 7.0, "{name}: title");
            assert!(look.muted.contrast(look.ground) > 4.5, "{name}: muted");
            assert!(look.window.name.contrast(look.window.fill) > LARGE, "{name}: name");
            assert!(look.window.warning.contrast(look.window.fill) > ANY, "{name}: warning");
        }
    }

    #[test]
    fn an_unknown_name_is_none() {
        assert!(Look::built_in("nigth").is_none());
    }

    #[test]
    fn a_window_of_another_colour_stays_legible() {
        for fill in [Rgb(255, 255, 255), Rgb(0x28, 0x2a, 0x36), Rgb(0xfd, 0xf6, 0xe3), Rgb(128, 128, 128)] {
            for name in names() {
                let mut look = Look::built_in(name).unwrap();
                look.refill(fill);
                let chip = look.window.chip.ground.over(fill, look.window.chip.alpha);
                assert!(look.window.name.contrast(fill) > 4.4, "{name} on {fill}: name");
                assert!(look.window.chip.text.contrast(chip) > 4.4, "{name} on {fill}: chip");
            }
        }
    }
}
