//! A look: ground, glows, text colours, window, shadows, chips, accent and code colours, read from one small TOML file.
//! Lengths are in pixels of a 1200 × 630 picture; a look that parses can be drawn.

use serde::Deserialize;

use super::colour::Rgb;

/// The looks that are built in: name and file.
const BUILT_IN: [(&str, &str); 2] = [
    ("night", include_str!("../../assets/looks/night.toml")),
    ("paper", include_str!("../../assets/looks/paper.toml")),
];

/// Everything about a card's colours.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    pub(super) ground: Rgb,
    pub(super) title: Rgb,
    pub(super) muted: Rgb,
    #[serde(rename = "glow", default)]
    pub(super) glows: Vec<Glow>,
    pub(super) window: Window,
    pub(super) chip: Chip,
    pub(super) band: Band,
    pub(super) accent: Accent,
    pub(super) code: CodeColours,
}

/// A radial gradient from its colour to nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Glow {
    pub(super) color: Rgb,
    /// Half axes of the ellipse.
    pub(super) radius: [f32; 2],
    /// Its centre, in shares of the picture.
    pub(super) at: [f32; 2],
    /// The share of the radius at which nothing is left.
    pub(super) reach: f32,
}

/// The window that holds the code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    pub(super) fill: Rgb,
    /// The file's name in the title bar, and the line numbers.
    pub(super) name: Rgb,
    pub(super) edge: Edge,
    #[serde(rename = "shadow", default)]
    pub(super) shadows: Vec<Shadow>,
}

/// The line along the inside of the window's border.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edge {
    pub(super) color: Rgb,
    pub(super) alpha: f32,
}

/// A shadow, with the meaning its figures have in CSS's `box-shadow`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shadow {
    pub(super) offset: f32,
    pub(super) blur: f32,
    pub(super) spread: f32,
    pub(super) color: Rgb,
    pub(super) alpha: f32,
}

/// The language's chip, the tags and the pill that counts the lines left out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chip {
    pub(super) text: Rgb,
    pub(super) ground: Rgb,
    pub(super) alpha: f32,
}

/// The bands behind lines that are stressed, added or removed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Band {
    pub(super) stressed: Rgb,
    pub(super) added: Rgb,
    pub(super) removed: Rgb,
}

/// The two ends of the title card's edge.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accent {
    pub(super) from: Rgb,
    pub(super) to: Rgb,
}

/// The code colours of a look, by the part a word plays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The look of that name, or none.
    pub(super) fn built_in(name: &str) -> Option<Self> {
        let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        toml::from_str(text).ok()
    }
}

/// The names of the looks that are built in.
pub(super) fn names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_look_parses_and_is_legible() {
        for name in names() {
            let text = BUILT_IN.iter().find(|(known, _)| *known == name).unwrap().1;
            let look: Look = toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(look.title.contrast(look.ground) > 7.0, "{name}: title");
            assert!(look.muted.contrast(look.ground) > 4.5, "{name}: muted");
        }
    }

    #[test]
    fn an_unknown_name_is_none() {
        assert!(Look::built_in("nigth").is_none());
    }

    #[test]
    fn a_misspelt_key_is_an_error() {
        let text = include_str!("../../assets/looks/night.toml").replacen("ground", "grund", 1);
        assert!(toml::from_str::<Look>(&text).is_err());
    }
}
