//! A look's own faces: font files come in, data that stands for some of the embedded faces goes out. Whatever is wrong with a file
//! is found here, before any text is set in it.

use std::fmt;
use std::sync::Arc;

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, GlyphId, MetadataProvider};

use super::font::{Data, FaceId, face};

/// The largest file, in bytes: large enough for a face of many thousand glyphs.
pub(super) const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// The widths in ems that fit the cells of code.
const CELL_WIDTHS: std::ops::RangeInclusive<f32> = 0.45..=0.63;

/// What a face is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Title,
    Text,
    Code,
}

/// The faces that stand in place of embedded ones.
#[derive(Clone, Default)]
pub(super) struct Own {
    title: Option<Data>,
    text: Option<Data>,
    code: Option<Data>,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |data: &Option<Data>| data.as_ref().map_or(0, |data| data.as_ref().as_ref().len());
        write!(f, "Own({}, {}, {})", length(&self.title), length(&self.text), length(&self.code))
    }
}

impl Own {
    /// The face that stands for the embedded one.
    pub(super) fn get(&self, id: FaceId) -> Option<&Data> {
        match id {
            face::DISPLAY_SEMIBOLD | face::DISPLAY_BOLD => self.title.as_ref(),
            face::TEXT_MEDIUM | face::TEXT_SEMIBOLD => self.text.as_ref(),
            face::CODE | face::CODE_BOLD | face::CODE_ITALIC => self.code.as_ref(),
            _ => None,
        }
    }

    /// The data of all of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &[u8]> {
        [&self.title, &self.text, &self.code].into_iter().flatten().map(|data| data.as_ref().as_ref())
    }

    /// Puts a font file in the place of a part's faces; none puts the embedded ones back.
    ///
    /// # Errors
    /// What is wrong with the file, as the end of a sentence that begins with its name.
    pub(super) fn set(&mut self, part: Part, data: Option<Vec<u8>>) -> Result<(), String> {
        if let Some(data) = &data {
            check(data, part == Part::Code)?;
        }
        let place = match part {
            Part::Title => &mut self.title,
            Part::Text => &mut self.text,
            Part::Code => &mut self.code,
        };
        *place = data.map(|data| Arc::new(data) as Data);
        Ok(())
    }
}

fn check(data: &[u8], is_code: bool) -> Result<(), String> {
    if data.starts_with(b"wOF") {
        return Err("is a web font; a TrueType or OpenType file is needed".to_owned());
    }
    let font = FontRef::from_index(data, 0).map_err(|_| "is no TrueType or OpenType font, or is damaged")?;
    let charmap = font.charmap();
    let metrics = font.glyph_metrics(Size::new(1.0), LocationRef::default());
    let outlines = font.outline_glyphs();
    let width = |character: char| -> Option<f32> {
        let glyph = charmap.map(character).filter(|glyph| *glyph != GlyphId::NOTDEF)?;
        let settings = DrawSettings::unhinted(Size::new(16.0), LocationRef::default());
        outlines.get(glyph)?.draw(settings, &mut Nowhere).ok()?;
        metrics.advance_width(glyph)
    };
    let (Some(narrow), Some(wide)) = (width('i'), width('M')) else {
        return Err("has no Latin letters, or is damaged".to_owned());
    };
    if is_code && (narrow - wide).abs() > 0.01 {
        return Err("is no face for code: its letters are not all of one width".to_owned());
    }
    if is_code && !CELL_WIDTHS.contains(&wide) {
        return Err(format!(
            "is no face for code here: its letters are {wide:.2} em wide, and cells take {} to {}",
            CELL_WIDTHS.start(),
            CELL_WIDTHS.end()
        ));
    }
    Ok(())
}

/// Takes an outline and keeps nothing of it.
struct Nowhere;

impl OutlinePen for Nowhere {
    fn move_to(&mut self, _: f32, _: f32) {}
    fn line_to(&mut self, _: f32, _: f32) {}
    fn quad_to(&mut self, _: f32, _: f32, _: f32, _: f32) {}
    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, _: f32, _: f32) {}
    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONO: &[u8] = include_bytes!("../../assets/fonts/jetbrains-mono-bold.ttf");
    const INTER: &[u8] = include_bytes!("../../assets/fonts/inter-medium.otf");

    #[test]
    fn a_face_serves_its_part_and_no_other() {
        let mut own = Own::default();
        own.set(Part::Title, Some(MONO.to_vec())).unwrap();
        assert!(own.get(face::DISPLAY_BOLD).is_some() && own.get(face::TEXT_MEDIUM).is_none());
        own.set(Part::Title, None).unwrap();
        assert!(own.get(face::DISPLAY_BOLD).is_none());
    }

    #[test]
    fn code_wants_letters_of_one_width() {
        assert_eq!(Own::default().set(Part::Code, Some(MONO.to_vec())), Ok(()));
        assert!(Own::default().set(Part::Code, Some(INTER.to_vec())).unwrap_err().contains("not all of one width"));
    }

    #[test]
    fn damaged_files_are_refused() {
        for cut in [0, 3, 12, 200, MONO.len() / 2] {
            assert!(Own::default().set(Part::Text, Some(MONO[..cut].to_vec())).is_err(), "{cut}");
        }
        assert!(Own::default().set(Part::Text, Some(b"wOF2 and more".to_vec())).unwrap_err().contains("web font"));
    }
}
