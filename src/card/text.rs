//! Lines of text: a string and a style come in, glyphs with places go out. Each grapheme's face is chosen here and parley shapes
//! what it is given; advances are whole pixels where glyphs stand on whole pixels, so that letters keep even gaps.

use std::collections::HashMap;

use parley::fontique::{Collection, CollectionOptions, FontInfoOverride};
use parley::style::{FontFamily, FontFamilyName, FontFeatures, FontStyle, FontWeight, StyleProperty};
use parley::{FontContext, Layout, LayoutContext, PositionedLayoutItem};
use unicode_segmentation::UnicodeSegmentation;

use super::font::{FaceId, Fonts, Region};
use super::glyph::Glyphs;
use super::unicode;

/// How a text is set. Lengths are in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    pub(super) face: FaceId,
    pub(super) size: f32,
    /// Added after every letter.
    pub(super) spacing: f32,
    /// Whether contextual alternates, JetBrains Mono's ligatures among them, are wanted.
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
}

/// A shaped line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    pub(super) glyphs: Vec<Placed>,
    pub(super) width: f32,
}

/// What one thread needs to set and draw text; kept between cards.
pub(super) struct Setter {
    pub(super) glyphs: Glyphs,
    fonts: FontContext,
    layouts: LayoutContext<()>,
    registered: HashMap<FaceId, Option<(String, FontWeight, FontStyle)>>,
    faces: HashMap<(u64, u32), FaceId>,
    /// Characters that no face had, in order of appearance.
    pub(super) missing: Vec<char>,
}

impl Setter {
    /// `fitted`: see [`Glyphs::new`].
    pub(super) fn new(fitted: bool) -> Self {
        let collection = Collection::new(CollectionOptions { shared: false, system_fonts: false });
        Self {
            glyphs: Glyphs::new(fitted),
            fonts: FontContext { collection, ..FontContext::default() },
            layouts: LayoutContext::new(),
            registered: HashMap::new(),
            faces: HashMap::new(),
            missing: Vec::new(),
        }
    }

    /// Shapes one line. Characters that deceive or cannot be drawn must have been replaced before.
    pub(super) fn shape(&mut self, fonts: &Fonts, text: &str, style: Style) -> Line {
        if text.is_empty() {
            return Line::default();
        }
        let layout = self.layout(fonts, text, style);
        self.place(fonts, &layout, style)
    }

    fn layout(&mut self, fonts: &Fonts, text: &str, style: Style) -> Layout<()> {
        let runs = self.runs(fonts, text, style.face);
        let families: Vec<_> = runs.iter().map(|(_, face)| self.family(fonts, *face)).collect();
        let features = if style.ligatures { "\"calt\" 1" } else { "\"calt\" 0, \"liga\" 0, \"clig\" 0" };
        let mut builder = self.layouts.ranged_builder(&mut self.fonts, text, 1.0, false);
        builder.push_default(StyleProperty::FontSize(style.size));
        builder.push_default(StyleProperty::LetterSpacing(style.spacing));
        if style.spacing != 0.0 || !style.ligatures {
            builder.push_default(StyleProperty::FontFeatures(FontFeatures::from(features)));
        }
        for ((range, _), family) in runs.iter().zip(&families) {
            if let Some((name, weight, slant)) = family {
                let named = FontFamily::Single(FontFamilyName::Named(name.as_str().into()));
                builder.push(StyleProperty::FontFamily(named), range.clone());
                builder.push(StyleProperty::FontWeight(*weight), range.clone());
                builder.push(StyleProperty::FontStyle(*slant), range.clone());
            }
        }
        let mut layout: Layout<()> = builder.build(text);
        layout.break_all_lines(None);
        layout
    }

    /// How far along the line each byte of the text stands, and last its whole width. Bytes within a grapheme share its start.
    pub(super) fn measure(&mut self, fonts: &Fonts, text: &str, style: Style) -> Vec<f32> {
        let mut advances = vec![0.0; text.len() + 1];
        let layout = self.layout(fonts, text, style);
        for line in layout.lines() {
            for run in line.runs() {
                let font = run.font();
                let face = self.faces.get(&(font.data.id(), font.index)).copied().unwrap_or(style.face);
                for cluster in run.clusters() {
                    let glyphs =
                        cluster.glyphs().map(|glyph| self.advance(fonts, face, (glyph.id, glyph.advance), style));
                    advances[cluster.text_range().start] += glyphs.sum::<f32>();
                }
            }
        }
        let mut total = 0.0;
        for advance in &mut advances {
            total += std::mem::replace(advance, total);
        }
        advances
    }

    /// Which face draws which bytes; neighbours of one face together.
    fn runs(&mut self, fonts: &Fonts, text: &str, wanted: FaceId) -> Vec<(std::ops::Range<usize>, FaceId)> {
        let region = Region::of(text);
        let mut runs: Vec<(std::ops::Range<usize>, FaceId)> = Vec::new();
        for (start, grapheme) in text.grapheme_indices(true) {
            let end = start + grapheme.len();
            let face = self.face(fonts, grapheme, wanted, region);
            match runs.last_mut() {
                Some((range, last)) if *last == face => range.end = end,
                _ => runs.push((start..end, face)),
            }
        }
        runs
    }

    /// The face of a grapheme; a character that none has is noted and left to the wanted face's empty box.
    pub(super) fn face(&mut self, fonts: &Fonts, grapheme: &str, wanted: FaceId, region: Region) -> FaceId {
        if grapheme.is_ascii() {
            return wanted;
        }
        fonts.face_for(grapheme, wanted, region).unwrap_or_else(|| {
            for c in grapheme
                .chars()
                .filter(|c| !unicode::is_joiner(*c) && !fonts.covers(wanted, c.encode_utf8(&mut [0; 4])))
            {
                if !self.missing.contains(&c) {
                    self.missing.push(c);
                }
            }
            wanted
        })
    }

    /// The name, weight and slant under which parley knows a face, told to it now if need be.
    fn family(&mut self, fonts: &Fonts, id: FaceId) -> Option<(String, FontWeight, FontStyle)> {
        if let Some(known) = self.registered.get(&id) {
            return known.clone();
        }
        let family = fonts.get(id).and_then(|face| {
            self.faces.insert((face.blob.id(), face.index), id);
            let own = format!("card face {id}");
            let collection = skrifa::raw::FileRef::new(face.blob.as_ref()).ok()?;
            let named = FontInfoOverride { family_name: Some(&own), ..FontInfoOverride::default() };
            let single = matches!(collection, skrifa::raw::FileRef::Font(_));
            let families = self.fonts.collection.register_fonts(face.blob.clone(), single.then_some(named));
            families.iter().find_map(|(family, infos)| {
                let info = infos.iter().find(|info| info.index() == face.index)?;
                let name = self.fonts.collection.family_name(*family)?.to_owned();
                Some((name, info.weight(), info.style()))
            })
        });
        self.registered.insert(id, family.clone());
        family
    }

    fn place(&mut self, fonts: &Fonts, layout: &Layout<()>, style: Style) -> Line {
        let mut line = Line::default();
        let Some(first) = layout.lines().next() else { return line };
        for item in first.items() {
            let PositionedLayoutItem::GlyphRun(run) = item else { continue };
            let font = run.run().font();
            let face = self.faces.get(&(font.data.id(), font.index)).copied().unwrap_or(style.face);
            for glyph in run.glyphs() {
                let (x, y) = (line.width + glyph.x, glyph.y);
                line.glyphs.push(Placed { face, glyph: glyph.id, size: style.size, x, y });
                line.width += self.advance(fonts, face, (glyph.id, glyph.advance), style);
            }
        }
        line
    }

    /// How far a glyph moves the pen, given what parley says: where glyphs stand on whole pixels, its own advance and what
    /// kerning adds are each a whole number of them, as in a browser; spacing between letters is not.
    fn advance(&self, fonts: &Fonts, face: FaceId, (glyph, shaped): (u32, f32), style: Style) -> f32 {
        if !self.glyphs.is_fitted() {
            return shaped;
        }
        let natural = fonts.get(face).and_then(|face| face.advance(glyph)).unwrap_or(0.0) * style.size;
        let added = shaped - natural;
        let spacing = if added.abs() < 1e-3 { 0.0 } else { style.spacing };
        natural.round() + (added - spacing).round() + spacing
    }
}

#[cfg(test)]
mod tests {
    use super::super::font::face;
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
    fn arrows_of_code_are_drawn_as_one() {
        let (mut setter, fonts) = (Setter::new(true), Fonts::new());
        let code = Style { face: face::CODE, size: 30.0, spacing: 0.0, ligatures: true };
        let joined = setter.shape(&fonts, "=>", code);
        let apart = setter.shape(&fonts, "=>", Style { ligatures: false, ..code });
        assert_eq!(joined.glyphs.len(), 2);
        assert_ne!(joined.glyphs[1].glyph, apart.glyphs[1].glyph);
    }
}
