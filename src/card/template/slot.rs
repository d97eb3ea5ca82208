//! Slots: an element of a template's file that is marked as a place for data comes in, what is put there and how it is set go out.
//! A mark is the element's id, so that it survives every drawing program's export; settings are `data-` attributes, or words
//! after the mark where a program knows nothing but names: `tintype:title size=72 lines=3`.

mod fill;
#[cfg(test)]
mod tests;

use roxmltree::Node;

use super::super::colour::Rgb;
use super::super::font::{FaceId, face};
use super::super::layout::title;
use super::super::look_error::nearest;
use super::super::paint::Rounded;
use fill::{colour, fill, property};

/// What every mark begins with, before a colon or a hyphen.
const MARK: &str = "tintype";
/// The namespace of Inkscape's labels, which may stand for ids.
const INKSCAPE: &str = "http://www.inkscape.org/namespaces/inkscape";
/// The settings that there are.
#[rustfmt::skip]
const SETTINGS: [&str; 13] = [
    "text", "face", "size", "min-size", "lines", "line-height", "spacing", "align", "valign", "wrap", "fit", "colour", "padding",
];
/// The bounds of sizes, in pixels of a 1200 × 630 picture.
const SIZES: (f32, f32) = (8.0, 300.0);
/// The smallest and the largest size of code where nothing is said.
const CODE_SIZES: (f32, f32) = (18.0, 34.0);

/// Something that a post may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Title,
    Author,
    Site,
    Date,
    Tag,
    Tags,
    Excerpt,
    Code,
    Cover,
    Avatar,
    Logo,
}

const FIELDS: [(&str, Field); 11] = [
    ("title", Field::Title),
    ("author", Field::Author),
    ("site", Field::Site),
    ("date", Field::Date),
    ("tag", Field::Tag),
    ("tags", Field::Tags),
    ("excerpt", Field::Excerpt),
    ("code", Field::Code),
    ("cover", Field::Cover),
    ("avatar", Field::Avatar),
    ("logo", Field::Logo),
];

impl Field {
    /// The field's place in a set of them.
    pub(super) fn bit(self) -> u16 {
        1 << self as u16
    }

    fn named(name: &str) -> Result<Self, String> {
        let known = FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
        known.ok_or_else(|| unknown("field", name, FIELDS.iter().map(|(known, _)| *known)))
    }
}

/// What an element's mark asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// It is drawn only where the post has the field, or has it not.
    Condition(Field, bool),
    /// It is a place for data.
    Slot(Content),
}

/// What is put into a slot.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Text(Vec<Piece>, Setting),
    /// The tags as chips as high as the slot, and the size of their text.
    Tags(Chips),
    /// The post's code.
    Code(Block),
    /// A picture, and whether it fills the slot or stands whole in it.
    Picture(Field, Fit),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    Field(Field),
}

/// How a text is set; lengths in pixels of a 1200 × 630 picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub(super) face: FaceId,
    pub(super) largest: f32,
    pub(super) smallest: f32,
    pub(super) lines: usize,
    /// In sizes, as is the letter-spacing.
    pub(super) line_height: f32,
    pub(super) spacing: f32,
    pub(super) align: Side,
    pub(super) valign: Side,
    /// Whether lines are evened out.
    pub(super) balanced: bool,
    /// None where the look's own holds: whether that of titles.
    pub(super) colour: Result<Rgb, bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chips {
    pub(super) size: f32,
    pub(super) align: Side,
    pub(super) ground: Option<(Rgb, f32)>,
    pub(super) colour: Option<Rgb>,
}

/// How code is set; lengths in pixels of a 1200 × 630 picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    pub(super) largest: f32,
    pub(super) smallest: f32,
    /// Between the slot's sides and the code; none where the look's own holds.
    pub(super) padding: Option<f32>,
    pub(super) ground: Ground,
}

/// What code stands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ground {
    /// The fill of the look's window.
    Window,
    /// A colour, and how strong it is.
    Own(Rgb, f32),
    /// What lies under the slot.
    Art,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Cover,
    Contain,
}

/// A place for data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    pub(super) area: Rounded,
    pub(super) content: Content,
}

impl Slot {
    /// Whether it is for a picture that is not among the fields.
    pub(super) fn is_empty(&self, fields: u16) -> bool {
        matches!(self.content, Content::Picture(field, _) if fields & field.bit() == 0)
    }
}

/// The mark of an element, without the word that makes it one; none where it has none.
pub(super) fn mark(node: Node<'_, '_>) -> Option<String> {
    let names = [node.attribute("id"), node.attribute((INKSCAPE, "label")), node.attribute("data-name")];
    names.into_iter().flatten().find_map(|name| {
        let name = unescaped(name.trim());
        let rest = name.strip_prefix(MARK)?;
        rest.strip_prefix([':', '-']).map(str::to_owned)
    })
}

/// An id as it was typed: Illustrator writes `:` as `_x3A_`.
fn unescaped(id: &str) -> String {
    ["3A", "2D", "3D", "20"].iter().fold(id.to_owned(), |id, code| {
        let character = char::from(u8::from_str_radix(code, 16).unwrap_or(b'_'));
        id.replace(&format!("_x{code}_"), character.encode_utf8(&mut [0; 4]))
    })
}

/// Reads a mark; `scale` turns lengths of the file into those of the picture.
pub(super) fn read(mark: &str, node: Node<'_, '_>, scale: f32) -> Result<Mark, String> {
    let mut words = mark.split_whitespace();
    let name = without_number(words.next().unwrap_or_default());
    if let Some(field) = name.strip_prefix("if-") {
        return Ok(Mark::Condition(Field::named(field)?, true));
    }
    if let Some(field) = name.strip_prefix("unless-") {
        return Ok(Mark::Condition(Field::named(field)?, false));
    }
    let settings = Settings::read(words, node)?;
    let content = match name {
        "text" => {
            let text =
                settings.get("text").ok_or("this slot needs data-text, such as data-text=\"{author} · {date}\"")?;
            Content::Text(pieces(text)?, settings.text(Field::Author, node, scale)?)
        }
        _ => match Field::named(name)? {
            Field::Tags => Content::Tags(settings.chips(node, scale)?),
            Field::Code => Content::Code(settings.block(node, scale)?),
            field @ (Field::Cover | Field::Avatar | Field::Logo) => {
                let whole = if field == Field::Logo { "contain" } else { "cover" };
                let fit = settings.one_of("fit", whole, &[("cover", Fit::Cover), ("contain", Fit::Contain)])?;
                Content::Picture(field, fit)
            }
            field => {
                let text = settings.get("text").map_or_else(|| Ok(vec![Piece::Field(field)]), pieces)?;
                Content::Text(text, settings.text(field, node, scale)?)
            }
        },
    };
    Ok(Mark::Slot(content))
}

/// A name without the number by which programs tell copies apart: `title_2`.
fn without_number(name: &str) -> &str {
    match name.rsplit_once(['_', '-']) {
        Some((before, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => before,
        _ => name,
    }
}

/// The parts of `{author} · {date}`.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or("a { without its }")?;
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.to_owned()));
        }
        let field = Field::named(name.trim())?;
        match field {
            Field::Cover | Field::Avatar | Field::Logo => {
                return Err(format!("{{{name}}} is a picture and no text"));
            }
            Field::Code => return Err("{code} stands in a rectangle of its own: tintype:code".to_owned()),
            _ => {}
        }
        pieces.push(Piece::Field(field));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    Ok(pieces)
}

/// The settings of one slot.
struct Settings(Vec<(String, String)>);

impl Settings {
    fn read<'a>(words: impl Iterator<Item = &'a str>, node: Node<'_, '_>) -> Result<Self, String> {
        let mut all = Vec::new();
        for word in words {
            let (key, value) =
                word.split_once('=').ok_or_else(|| format!("`{word}` is no setting: write key=value"))?;
            all.push((key.to_owned(), value.to_owned()));
        }
        for attribute in node.attributes() {
            if let Some(key) = attribute.name().strip_prefix("data-").filter(|key| *key != "name") {
                all.push((key.to_owned(), attribute.value().to_owned()));
            }
        }
        for (key, _) in &mut all {
            if key == "color" {
                "colour".clone_into(key);
            }
            if !SETTINGS.contains(&key.as_str()) {
                return Err(unknown("setting", key, SETTINGS));
            }
        }
        Ok(Self(all))
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.trim())
    }

    fn number(&self, key: &str, otherwise: f32, (least, most): (f32, f32)) -> Result<f32, String> {
        let Some(value) = self.get(key) else { return Ok(otherwise) };
        let number = value.trim_end_matches("px").parse::<f32>().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("{key} is to be a number between {least} and {most}, not `{value}`"))
    }

    fn one_of<T: Copy>(&self, key: &str, otherwise: &str, known: &[(&str, T)]) -> Result<T, String> {
        let value = self.get(key).unwrap_or(otherwise);
        let found = known.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice);
        found.ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            format!("{key} is one of {}, not `{value}`", names.join(", "))
        })
    }

    fn side(&self, key: &str, otherwise: &str) -> Result<Side, String> {
        let sides = [("start", Side::Start), ("middle", Side::Middle), ("end", Side::End)];
        let other = [("top", Side::Start), ("bottom", Side::End), ("left", Side::Start), ("right", Side::End)];
        let all: Vec<(&str, Side)> = sides.into_iter().chain(other).chain([("center", Side::Middle)]).collect();
        self.one_of(key, otherwise, &all)
    }

    fn text(&self, field: Field, node: Node<'_, '_>, scale: f32) -> Result<Setting, String> {
        let is_title = field == Field::Title;
        let faces = [
            ("title", face::DISPLAY_BOLD),
            ("heading", face::DISPLAY_SEMIBOLD),
            ("strong", face::TEXT_SEMIBOLD),
            ("text", face::TEXT_MEDIUM),
            ("code", face::CODE),
        ];
        let face = self.one_of("face", if is_title { "title" } else { "text" }, &faces)?;
        let display = face == face::DISPLAY_BOLD || face == face::DISPLAY_SEMIBOLD;
        let bounds = (SIZES.0 / scale, SIZES.1 / scale);
        let size = self.number("size", if is_title { 72.0 } else { 28.0 } / scale, bounds)?;
        let least = self.number("min-size", if is_title { size * 0.6 } else { size }, (bounds.0.min(size), size))?;
        let (fill, _) = fill(node, self.get("colour"))?;
        Ok(Setting {
            face,
            largest: size * scale,
            smallest: least * scale,
            lines: self.number("lines", 20.0, (1.0, 20.0))? as usize,
            line_height: self.number("line-height", if display { 1.08 } else { 1.4 }, (0.7, 3.0))?,
            spacing: self.number("spacing", if display { title::SPACING } else { -0.004 }, (-0.2, 1.0))?,
            align: self.side("align", "start")?,
            valign: self.side("valign", "start")?,
            balanced: self.one_of(
                "wrap",
                if display { "balance" } else { "fill" },
                &[("balance", true), ("fill", false)],
            )?,
            colour: fill.ok_or(is_title),
        })
    }

    fn block(&self, node: Node<'_, '_>, scale: f32) -> Result<Block, String> {
        let bounds = (SIZES.0 / scale, SIZES.1 / scale);
        let largest = self.number("size", CODE_SIZES.1 / scale, bounds)?;
        let smallest =
            self.number("min-size", (CODE_SIZES.0 / scale).min(largest), (bounds.0.min(largest), largest))?;
        let padding = match self.get("padding") {
            Some(_) => Some(self.number("padding", 0.0, (0.0, 200.0 / scale))? * scale),
            None => None,
        };
        let ground = match fill(node, None)? {
            (Some(colour), alpha) => Ground::Own(colour, alpha),
            (None, _) if property(node, "fill") == Some("none") => Ground::Art,
            (None, _) => Ground::Window,
        };
        Ok(Block { largest: largest * scale, smallest: smallest * scale, padding, ground })
    }

    fn chips(&self, node: Node<'_, '_>, scale: f32) -> Result<Chips, String> {
        let (ground, alpha) = fill(node, None)?;
        let colour = self.get("colour").map(colour).transpose()?.flatten();
        Ok(Chips {
            size: self.number("size", 22.0 / scale, (SIZES.0 / scale, 80.0 / scale))? * scale,
            align: self.side("align", "start")?,
            ground: ground.map(|ground| (ground, alpha)),
            colour,
        })
    }
}

fn unknown<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let near = nearest(name, known).map_or("title", |(near, _)| near);
    format!("there is no {kind} `{}`; did you mean `{near}`?", super::super::look_error::shown(name))
}
