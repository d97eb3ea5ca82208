//! Lines of text: a string and a style come in, glyphs with places go out. Each grapheme's face is chosen here and parley shapes
//! what it is given; advances are whole pixels where glyphs stand on whole pixels, so that letters keep even gaps.

use std::sync::Arc;

use parley::fontique::{Collection, CollectionOptions, FontInfoOverride};
use parley::style::{FontFamily, FontFamilyName, FontFeatures, FontStyle, FontWeight, StyleProperty};
use parley::{BaseDirection, FontContext, Layout, LayoutContext};
use rustc_hash::FxHashMap as HashMap;
use unicode_segmentation::UnicodeSegmentation;

use super::direction::Direction;
use super::font::{FaceId, Fonts, Region, face};
use super::glyph::Glyphs;
use super::kept::{Key, Lines, Measures};
use super::unicode;

/// Bytes of a text and the face that draws them.
type Run = (std::ops::Range<usize>, FaceId);

/// What stands in place of characters that no face has, however many there are side by side.
pub(super) const MISSING: &str = "\u{fffd}";

/// Missing characters that are named; more of them tell nobody anything.
const MOST_MISSING: usize = 64;

/// What turns off everything that joins or exchanges letters.
const UNJOINED: &str = "\"calt\" 0, \"liga\" 0, \"clig\" 0";

/// How a text is set. Lengths are in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    pub(super) face: FaceId,
    pub(super) size: f32,
    /// Added after every letter.
    pub(super) spacing: f32,
    /// Whether contextual alternates, the ligatures of the code face among them, are wanted.
    pub(super) ligatures: bool,
}

/// A glyph and the place of its origin, from the start of the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    pub(super) face: FaceId,
    pub(super) glyph: u32,
    pub(super) size: f32,
    pub(super) x: f32,
    pub(super) y: f32,
    /// The first byte of the text it stands for.
    pub(super) byte: usize,
}

/// A shaped line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    pub(super) glyphs: Vec<Placed>,
    pub(super) width: f32,
}

impl Style {
    /// The direction of a line by itself: code runs from left to right, everything else as its first letter does.
    pub(super) fn direction(&self, text: &str) -> Direction {
        if face::is_code(self.face) { Direction::LeftToRight } else { Direction::of(text) }
    }
}

/// What one thread needs to set and draw text; kept between cards.
pub(super) struct Setter {
    pub(super) glyphs: Glyphs,
    fonts: FontContext,
    layouts: LayoutContext<()>,
    families: HashMap<FaceId, Option<Family>>,
    faces: HashMap<u64, FaceId>,
    /// Which face draws a single character in place of the wanted one.
    chosen: HashMap<(char, FaceId, Region), Option<FaceId>>,
    /// The glyph of a character in a face.
    mapped: HashMap<(FaceId, char), u32>,
    /// Advances in ems.
    advances: HashMap<(FaceId, u32), f32>,
    lines: Lines,
    measures: Measures,
    /// Characters that no face had, in order of appearance.
    pub(super) missing: Vec<char>,
}

/// How parley knows a face.
#[derive(Debug, Clone)]
struct Family {
    name: String,
    weight: FontWeight,
    slant: FontStyle,
}

impl Setter {
    /// `fitted`: see [`Glyphs::new`].
    pub(super) fn new(fitted: bool) -> Self {
        let collection = Collection::new(CollectionOptions { shared: false, system_fonts: false });
        Self {
            glyphs: Glyphs::new(fitted),
            fonts: FontContext { collection, ..FontContext::default() },
            layouts: LayoutContext::new(),
            families: HashMap::default(),
            faces: HashMap::default(),
            chosen: HashMap::default(),
            mapped: HashMap::default(),
            advances: HashMap::default(),
            lines: Lines::default(),
            measures: Measures::default(),
            missing: Vec::new(),
        }
    }

    /// Sets one line. Characters that deceive or cannot be drawn must have been replaced before. Code runs from left to right,
    /// everything else as its first letter does.
    pub(super) fn shape(&mut self, fonts: &Fonts, text: &str, style: Style) -> Line {
        self.shape_along(fonts, text, style, style.direction(text))
    }

    /// Sets one line of a paragraph that runs in this direction.
    pub(super) fn shape_along(&mut self, fonts: &Fonts, text: &str, style: Style, direction: Direction) -> Line {
        let key = Key::of(text, style, direction);
        if let Some(known) = key.as_ref().and_then(|key| self.lines.get(key)) {
            return known;
        }
        let Some(runs) = self.runs(fonts, text, style.face) else {
            let (shown, bytes) = self.without_missing(fonts, text, style.face);
            let runs = self.runs(fonts, &shown, style.face).unwrap_or_else(|| vec![(0..shown.len(), style.face)]);
            let mut line = self.set(fonts, &shown, runs, style, direction);
            for glyph in &mut line.glyphs {
                glyph.byte = bytes[glyph.byte];
            }
            return line; // not kept: the next card has to hear of what is missing as well
        };
        let line = self.set(fonts, text, runs, style, direction);
        if let Some(key) = key {
            self.lines.keep(key, &line);
        }
        line
    }

    fn set(&mut self, fonts: &Fonts, text: &str, runs: Vec<Run>, style: Style, direction: Direction) -> Line {
        let mut line = Line::default();
        if text.chars().any(unicode::is_right_to_left) {
            self.shape_runs(fonts, (text, 0), &runs, (style, direction), &mut line);
            return line;
        }
        for (range, face) in runs {
            let part = &text[range.clone()];
            if !Fonts::is_plain(face) || part.graphemes(true).any(|grapheme| grapheme.chars().nth(1).is_some()) {
                let whole = [(0..part.len(), face)];
                self.shape_runs(fonts, (part, range.start), &whole, (style, Direction::LeftToRight), &mut line);
                continue;
            }
            for (at, character) in part.char_indices() {
                let glyph = self.glyph(fonts, face, character);
                let advance = self.natural(fonts, face, glyph) * style.size;
                let placed = Placed { face, glyph, size: style.size, x: line.width, y: 0.0, byte: range.start + at };
                line.glyphs.push(placed);
                line.width += self.advance(fonts, face, (glyph, advance + style.spacing), style);
            }
        }
        line
    }

    /// The text with one mark for each stretch that no face can draw, and the byte of the text that each byte of it stands for.
    fn without_missing(&mut self, fonts: &Fonts, text: &str, wanted: FaceId) -> (String, Vec<usize>) {
        let region = Region::of(text);
        let (mut shown, mut bytes, mut in_gap) = (String::with_capacity(text.len()), Vec::new(), false);
        for (start, grapheme) in text.grapheme_indices(true) {
            let missing = self.face(fonts, grapheme, wanted, region).is_none();
            let piece = if missing { MISSING } else { grapheme };
            if !(missing && in_gap) {
                shown.push_str(piece);
                bytes.extend((0..piece.len()).map(|at| if missing { start } else { start + at }));
            }
            in_gap = missing;
        }
        bytes.push(text.len());
        (shown, bytes)
    }

    /// How far along the line each byte of the text stands, and last its whole width. Bytes within a grapheme share its end.
    pub(super) fn measure(&mut self, fonts: &Fonts, text: &str, style: Style) -> Vec<f32> {
        let line = self.shape(fonts, text, style);
        let mut places = vec![0.0; text.len() + 1];
        let ends = line.glyphs.iter().skip(1).map(|glyph| glyph.x).chain([line.width]);
        for (glyph, end) in line.glyphs.iter().zip(ends) {
            places[glyph.byte] += end - glyph.x;
        }
        let mut total = 0.0;
        for place in &mut places {
            total += std::mem::replace(place, total);
        }
        places
    }

    /// The same for a text that is measured again and again, as for each size that is tried.
    pub(super) fn measure_again(&mut self, fonts: &Fonts, text: &str, style: Style) -> Arc<[f32]> {
        if let Some(known) = self.measures.get(text, style) {
            return known;
        }
        let places: Arc<[f32]> = self.measure(fonts, text, style).into();
        self.measures.keep(text, style, &places);
        places
    }

    /// Has parley shape a text that starts at byte `start` of the line, and adds it to the line.
    fn shape_runs(
        &mut self,
        fonts: &Fonts,
        (text, start): (&str, usize),
        runs: &[Run],
        (style, direction): (Style, Direction),
        line: &mut Line,
    ) {
        let families: Vec<_> = runs.iter().map(|(_, face)| self.family(fonts, *face)).collect();
        let mut builder = self.layouts.ranged_builder(&mut self.fonts, text, 1.0, false);
        builder.push_default(StyleProperty::FontSize(style.size));
        builder.push_default(StyleProperty::LetterSpacing(style.spacing));
        builder.set_base_direction(match direction {
            Direction::LeftToRight => BaseDirection::Ltr,
            Direction::RightToLeft => BaseDirection::Rtl,
        });
        if !style.ligatures {
            builder.push_default(StyleProperty::FontFeatures(FontFeatures::from(UNJOINED)));
        }
        for ((range, face), family) in runs.iter().zip(&families) {
            if !Fonts::is_spaced(*face) {
                builder.push(StyleProperty::LetterSpacing(0.0), range.clone());
            }
            if let Some(Family { name, weight, slant }) = family {
                let named = FontFamily::Single(FontFamilyName::Named(name.as_str().into()));
                builder.push(StyleProperty::FontFamily(named), range.clone());
                builder.push(StyleProperty::FontWeight(*weight), range.clone());
                builder.push(StyleProperty::FontStyle(*slant), range.clone());
            }
        }
        let mut layout: Layout<()> = builder.build(text);
        layout.break_all_lines(None);
        for run in layout.lines().flat_map(|line| line.runs().collect::<Vec<_>>()) {
            let font = run.font();
            let face = self.faces.get(&font.data.id()).copied().unwrap_or(style.face);
            for cluster in run.visual_clusters() {
                for glyph in cluster.glyphs() {
                    let (x, y, byte) = (line.width + glyph.x, glyph.y, start + cluster.text_range().start);
                    line.glyphs.push(Placed { face, glyph: glyph.id, size: style.size, x, y, byte });
                    line.width += self.advance(fonts, face, (glyph.id, glyph.advance), style);
                }
            }
        }
    }

    /// Which face draws which bytes, neighbours of one face together; none where no face draws some of them.
    fn runs(&mut self, fonts: &Fonts, text: &str, wanted: FaceId) -> Option<Vec<Run>> {
        let region = Region::of(text);
        let mut runs: Vec<Run> = Vec::new();
        let mut whole = true;
        for (start, grapheme) in text.grapheme_indices(true) {
            let end = start + grapheme.len();
            let Some(face) = self.face(fonts, grapheme, wanted, region) else {
                whole = false;
                continue;
            };
            match runs.last_mut() {
                Some((range, last)) if *last == face => range.end = end,
                _ => runs.push((start..end, face)),
            }
        }
        whole.then_some(runs)
    }

    /// The face of a grapheme; none, and its characters are noted, where no face has it.
    pub(super) fn face(&mut self, fonts: &Fonts, grapheme: &str, wanted: FaceId, region: Region) -> Option<FaceId> {
        if grapheme.is_ascii() {
            return Some(wanted);
        }
        let mut chars = grapheme.chars();
        let found = match (chars.next(), chars.next()) {
            (Some(alone), None) => {
                *self.chosen.entry((alone, wanted, region)).or_insert_with(|| fonts.face_for(grapheme, wanted, region))
            }
            _ => fonts.face_for(grapheme, wanted, region),
        };
        if found.is_none() {
            self.note(fonts, grapheme, wanted, region);
        }
        found
    }

    /// Notes the characters of a grapheme that no face has; where there are faces for each but for no two together, those that the
    /// wanted one has not.
    fn note(&mut self, fonts: &Fonts, grapheme: &str, wanted: FaceId, region: Region) {
        let lacking = |has: &dyn Fn(&str) -> bool| -> Vec<char> {
            let unknown = |c: &char| !unicode::is_joiner(*c) && !has(c.encode_utf8(&mut [0; 4]));
            grapheme.chars().filter(unknown).collect()
        };
        let mut unknown = lacking(&|c| fonts.face_for(c, wanted, region).is_some());
        if unknown.is_empty() {
            unknown = lacking(&|c| fonts.covers(wanted, c));
        }
        for c in unknown {
            if self.missing.len() < MOST_MISSING && !self.missing.contains(&c) {
                self.missing.push(c);
            }
        }
    }

    /// How parley knows a face; it is told now if need be.
    fn family(&mut self, fonts: &Fonts, id: FaceId) -> Option<Family> {
        if let Some(known) = self.families.get(&id) {
            return known.clone();
        }
        let family = fonts.get(id).and_then(|face| {
            self.faces.insert(face.blob.id(), id);
            let name = format!("card face {id}");
            let named = FontInfoOverride { family_name: Some(&name), ..FontInfoOverride::default() };
            let families = self.fonts.collection.register_fonts(face.blob.clone(), Some(named));
            let info = families.iter().flat_map(|(_, infos)| infos).find(|info| info.index() == face.index)?;
            Some(Family { name, weight: info.weight(), slant: info.style() })
        });
        self.families.insert(id, family.clone());
        family
    }

    /// The glyph of a character in a face, the empty box where it has none.
    pub(super) fn glyph(&mut self, fonts: &Fonts, face: FaceId, character: char) -> u32 {
        *self.mapped.entry((face, character)).or_insert_with(|| {
            fonts.get(face).and_then(|face| face.glyph(character)).map_or(0, skrifa::GlyphId::to_u32)
        })
    }

    /// A glyph's own advance in ems.
    fn natural(&mut self, fonts: &Fonts, face: FaceId, glyph: u32) -> f32 {
        *self
            .advances
            .entry((face, glyph))
            .or_insert_with(|| fonts.get(face).and_then(|face| face.advance(glyph)).unwrap_or(0.0))
    }

    /// How far a glyph moves the pen, given what parley says: where glyphs stand on whole pixels, its own advance and what
    /// kerning adds are each a whole number of them, as in a browser; spacing between letters is not.
    fn advance(&mut self, fonts: &Fonts, face: FaceId, (glyph, shaped): (u32, f32), style: Style) -> f32 {
        if !self.glyphs.is_fitted() || !Fonts::is_spaced(face) {
            return shaped;
        }
        let natural = self.natural(fonts, face, glyph) * style.size;
        let added = shaped - natural;
        let spacing = if added.abs() < 1e-3 { 0.0 } else { style.spacing };
        natural.round() + (added - spacing).round() + spacing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: Style = Style { face: face::DISPLAY_SEMIBOLD, size: 50.0, spacing: -1.1, ligatures: true };

    #[test]
    fn fitted_text_is_as_wide_as_in_a_browser() {
        let line = Setter::new(true).shape(&Fonts::new(), "Pictures for every post in one statement", TITLE);
        assert!((line.width - 839.0).abs() < 0.1, "{}", line.width);
        assert_eq!(line.glyphs.len(), 40);
    }

    #[test]
    fn free_text_keeps_its_own_advances() {
        let line = Setter::new(false).shape(&Fonts::new(), "Pictures for every post in one statement", TITLE);
        assert!((line.width - 841.6).abs() < 0.1, "{}", line.width);
    }

    #[test]
    fn a_missing_character_is_named_once() {
        let mut setter = Setter::new(true);
        setter.shape(&Fonts::new(), "a\u{10fffd}b\u{10fffd}", TITLE);
        assert_eq!(setter.missing, ['\u{10fffd}']);
    }

    #[test]
    fn missing_characters_side_by_side_are_one_mark() {
        let (mut setter, fonts) = (Setter::new(true), Fonts::new());
        let marked = setter.shape(&fonts, "a\u{10fffd}\u{10fffe}\u{10fffd}b", TITLE);
        assert_eq!(marked.glyphs.iter().map(|glyph| glyph.byte).collect::<Vec<_>>(), [0, 1, 13]);
        assert!(marked.glyphs.iter().all(|glyph| glyph.glyph != 0));
    }

    #[test]
    fn arrows_of_code_are_drawn_as_one() {
        let (mut setter, fonts) = (Setter::new(true), Fonts::new());
        let code = Style { face: face::CODE, size: 30.0, spacing: 0.0, ligatures: true };
        let joined = setter.shape(&fonts, "=>", code);
        let apart = setter.shape(&fonts, "=>", Style { ligatures: false, ..code });
        assert_eq!(joined.glyphs.len(), 2);
        assert_ne!(joined.glyphs[1].glyph, apart.glyphs[1].glyph);
    }
}
