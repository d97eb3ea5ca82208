//! The faces: seven embedded ones or a look's own in their place, and fallbacks for other scripts, opened from well-known paths when a character asks for
//! them and never by scanning the machine. A face, once opened, stays for the life of the process' renderer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use parley::fontique::Blob;
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::raw::TableProvider;
use skrifa::{FontRef, GlyphId};

use super::font_files::{DIRECTORIES, EMBEDDED, FALLBACKS, Fallback};
use super::own_faces::Own;
use super::unicode;

/// A face, by its place in the list: the embedded ones first, or the look's own in their place; then each fallback's regular and
/// its bold file; then the embedded ones once more, for characters that the look's own do not have.
pub(super) type FaceId = u8;

/// The embedded faces, in the order of [`EMBEDDED`].
pub(super) mod face {
    use super::FaceId;

    pub(in crate::card) const TEXT_MEDIUM: FaceId = 0;
    pub(in crate::card) const TEXT_SEMIBOLD: FaceId = 1;
    pub(in crate::card) const DISPLAY_SEMIBOLD: FaceId = 2;
    pub(in crate::card) const DISPLAY_BOLD: FaceId = 3;
    pub(in crate::card) const CODE: FaceId = 4;
    pub(in crate::card) const CODE_BOLD: FaceId = 5;
    pub(in crate::card) const CODE_ITALIC: FaceId = 6;

    /// Whether every letter of the face takes one cell.
    pub(in crate::card) fn is_code(face: FaceId) -> bool {
        matches!(face, CODE | CODE_BOLD | CODE_ITALIC)
    }
}

/// The place of the first embedded face's second appearance.
const ORIGINALS: usize = EMBEDDED.len() + 2 * FALLBACKS.len();
const _: () = assert!(ORIGINALS + EMBEDDED.len() <= FaceId::MAX as usize);

/// An opened font file.
pub(super) struct Face {
    pub(super) blob: Blob<u8>,
    pub(super) index: u32,
}

impl Face {
    /// The parsed face, or none when the file is damaged.
    pub(super) fn font(&self) -> Option<FontRef<'_>> {
        FontRef::from_index(self.blob.as_ref(), self.index).ok()
    }

    /// A glyph's advance in ems.
    pub(super) fn advance(&self, glyph: u32) -> Option<f32> {
        let font = self.font()?;
        let units = f32::from(font.head().ok()?.units_per_em());
        let metrics = GlyphMetrics::new(&font, Size::unscaled(), LocationRef::default());
        Some(metrics.advance_width(GlyphId::new(glyph))? / units)
    }

    /// The glyph of a character, or none.
    pub(super) fn glyph(&self, character: char) -> Option<GlyphId> {
        Charmap::new(&self.font()?).map(character).filter(|glyph| glyph.to_u32() != 0)
    }
}

/// All faces, opened as they are needed.
pub(super) struct Fonts {
    slots: Vec<OnceLock<Option<Face>>>,
    own: Own,
    /// The files that were read, as faces of one collection share theirs.
    files: Mutex<HashMap<&'static str, Data>>,
}

pub(super) type Data = Arc<dyn AsRef<[u8]> + Send + Sync>;

impl Fonts {
    /// The embedded faces.
    #[cfg(test)]
    pub(super) fn new() -> Self {
        Self::with(Own::default())
    }

    /// The embedded faces, with a look's own in place of some of them.
    pub(super) fn with(own: Own) -> Self {
        let count = ORIGINALS + EMBEDDED.len();
        Self { slots: (0..count).map(|_| OnceLock::new()).collect(), own, files: Mutex::new(HashMap::new()) }
    }

    /// The face, opened now if it was not yet; none when the machine does not have it.
    pub(super) fn get(&self, id: FaceId) -> Option<&Face> {
        self.slots.get(usize::from(id))?.get_or_init(|| self.open(id)).as_ref()
    }

    fn open(&self, id: FaceId) -> Option<Face> {
        if let Some(data) = self.own.get(id) {
            return Some(Face { blob: Blob::new(Arc::clone(data)), index: 0 });
        }
        let id = usize::from(id);
        if let Some((_, data)) = EMBEDDED.get(id).or_else(|| EMBEDDED.get(id.checked_sub(ORIGINALS)?)) {
            return Some(Face { blob: Blob::new(Arc::new(*data)), index: 0 });
        }
        let fallback = FALLBACKS.get((id - EMBEDDED.len()) / 2)?;
        let file = if (id - EMBEDDED.len()) % 2 == 1 { fallback.bold } else { fallback.regular };
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let data = if let Some(data) = files.get(file) {
            Arc::clone(data)
        } else {
            let data: Data = Arc::new(std::fs::read(locate(file)?).ok()?);
            files.insert(file, Arc::clone(&data));
            data
        };
        let face = Face { blob: Blob::new(data), index: fallback.index };
        face.font()?;
        Some(face)
    }

    /// The face that draws a grapheme: `wanted` if it can, else the first fallback that has every visible character.
    pub(super) fn face_for(&self, grapheme: &str, wanted: FaceId, region: Region) -> Option<FaceId> {
        let emoji = unicode::is_emoji(grapheme);
        if !emoji && self.covers(wanted, grapheme) {
            return Some(wanted);
        }
        let original = ORIGINALS as FaceId + wanted;
        if !emoji && self.own.get(wanted).is_some() && self.covers(original, grapheme) {
            return Some(original);
        }
        let bold =
            matches!(wanted, face::TEXT_SEMIBOLD | face::DISPLAY_SEMIBOLD | face::DISPLAY_BOLD | face::CODE_BOLD);
        // Where Unicode's default is text, colour is the last resort.
        let serving = |colour: bool| {
            let candidates = FALLBACKS.iter().enumerate().filter(move |(_, fallback)| fallback.emoji == colour);
            candidates.filter(|(_, fallback)| fallback.serves(grapheme, emoji, region))
        };
        let candidates = serving(false).chain(serving(true));
        let mut embedded = if emoji { None } else { Some(if bold { face::CODE_BOLD } else { face::CODE }) };
        for (at, fallback) in candidates {
            // Its marks take cells of their own, so it draws no letters with marks.
            if fallback.is_mono() && (!face::is_code(wanted) || grapheme.chars().nth(1).is_some()) {
                continue;
            }
            // What the embedded faces have looks the same on every machine, so it goes before faces for any character.
            let own = if fallback.ranges.is_empty() { embedded.take() } else { None };
            for id in own.into_iter().chain([fallback_id(at, bold), fallback_id(at, !bold)]) {
                if self.covers(id, grapheme) {
                    return Some(id);
                }
            }
        }
        self.covers(wanted, grapheme).then_some(wanted)
    }

    /// Whether the face has a glyph for every character of the grapheme that leaves ink.
    pub(super) fn covers(&self, id: FaceId, grapheme: &str) -> bool {
        let Some(face) = self.get(id) else { return false };
        let Some(font) = face.font() else { return false };
        let charmap = Charmap::new(&font);
        grapheme
            .chars()
            .filter(|c| !unicode::is_joiner(*c))
            .all(|c| charmap.map(c).is_some_and(|glyph| glyph.to_u32() != 0))
    }

    /// Whether the face's script needs no shaping: one character is one glyph, and neighbours do not matter.
    pub(super) fn is_plain(id: FaceId) -> bool {
        let at = usize::from(id).checked_sub(EMBEDDED.len()).map(|at| at / 2);
        at.and_then(|at| FALLBACKS.get(at)).is_some_and(|fallback| fallback.region.is_some())
    }

    /// Whether letters of the face may be moved apart, and each onto whole pixels: not those that join their neighbours.
    pub(super) fn is_spaced(id: FaceId) -> bool {
        usize::from(id) < EMBEDDED.len() || Self::is_plain(id)
    }

    /// The files that decide how text looks: the embedded data, and which fallbacks this machine has.
    pub(super) fn inventory() -> &'static [(String, u64)] {
        // Looked up once: a process that has drawn with one set of files goes on with it.
        static INVENTORY: LazyLock<Vec<(String, u64)>> = LazyLock::new(inventory);
        &INVENTORY
    }
}

fn inventory() -> Vec<(String, u64)> {
    let embedded = EMBEDDED.iter().map(|(name, data)| ((*name).to_owned(), data.len() as u64));
    let files = FALLBACKS.iter().flat_map(|fallback| [fallback.regular, fallback.bold]).filter_map(|file| {
        let path = locate(file)?;
        Some((file.to_owned(), path.metadata().ok()?.len()))
    });
    embedded.chain(files).collect()
}

/// Which form of the shared Chinese, Japanese and Korean characters a text wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Region {
    Chinese,
    Japanese,
    Korean,
}

impl Region {
    /// Kana make a text Japanese and Hangul make it Korean; without either the characters take their Chinese forms.
    pub(super) fn of(text: &str) -> Self {
        for c in text.chars() {
            match c {
                '\u{3040}'..='\u{30ff}' => return Self::Japanese,
                '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => return Self::Korean,
                _ => {}
            }
        }
        Self::Chinese
    }
}

impl Fallback {
    /// Whether every letter of the face takes one cell, so that it suits code alone.
    fn is_mono(&self) -> bool {
        self.regular.contains("Mono-") || self.regular.contains("Mono.")
    }

    /// The script that this face draws, out of its file's name: `Old Persian` of NotoSansOldPersian-Regular.ttf.
    fn script(&self) -> String {
        match self.region {
            _ if self.emoji => return "emoji".to_owned(),
            Some(_) => return "Chinese, Japanese and Korean".to_owned(),
            None => {}
        }
        let stem = self.regular.split('-').next().unwrap_or_default();
        let stem =
            ["NotoSans", "NotoSerif", "Noto"].iter().find_map(|family| stem.strip_prefix(family)).unwrap_or(stem);
        let mut name = String::new();
        for (at, c) in stem.char_indices() {
            if c.is_uppercase() && stem[..at].ends_with(char::is_lowercase) {
                name.push(' ');
            }
            name.push(c);
        }
        name
    }

    /// The Debian package that has this face.
    fn package(&self) -> &'static str {
        match self.regular {
            file if file.starts_with("NotoSansCJK") => "fonts-noto-cjk",
            file if file.starts_with("NotoColorEmoji") => "fonts-noto-color-emoji",
            file if file.starts_with("DejaVu") => "fonts-dejavu-core",
            _ => "fonts-noto-core",
        }
    }

    /// Whether this face is worth asking for a grapheme.
    fn serves(&self, grapheme: &str, emoji: bool, region: Region) -> bool {
        if self.emoji {
            return emoji || grapheme.chars().next().is_some_and(unicode::may_be_emoji);
        }
        !emoji
            && self.region.is_none_or(|own| own == region)
            && grapheme
                .chars()
                .next()
                .is_some_and(|c| self.ranges.is_empty() || self.ranges.iter().any(|r| r.contains(&c)))
    }
}

/// The Debian package whose font would draw a character, where this machine does not have that font.
pub(super) fn package_for(c: char) -> Option<&'static str> {
    let grapheme = c.to_string();
    let emoji = unicode::is_emoji(&grapheme) || ('\u{1f000}'..='\u{1faff}').contains(&c);
    let serves = |fallback: &&Fallback| {
        (if fallback.emoji { emoji } else { fallback.ranges.iter().any(|range| range.contains(&c)) })
            && locate(fallback.regular).is_none()
    };
    FALLBACKS.iter().find(serves).map(Fallback::package)
}

/// The scripts that no font of this machine draws, as the fonts' names call them, each with the Debian package that would.
pub(super) fn scripts_without_font() -> Vec<(String, &'static str)> {
    let mut absent: Vec<(String, &'static str)> = Vec::new();
    for fallback in FALLBACKS.iter().filter(|fallback| fallback.emoji || !fallback.ranges.is_empty()) {
        let name = fallback.script();
        if locate(fallback.regular).is_none() && !absent.iter().any(|(known, _)| *known == name) {
            absent.push((name, fallback.package()));
        }
    }
    absent
}

fn fallback_id(at: usize, bold: bool) -> FaceId {
    (EMBEDDED.len() + 2 * at + usize::from(bold)) as FaceId
}

fn locate(file: &str) -> Option<PathBuf> {
    DIRECTORIES.iter().map(|directory| Path::new(directory).join(file)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_faces_open_and_cover_what_cards_need() {
        let fonts = Fonts::new();
        for id in 0..EMBEDDED.len() as FaceId {
            assert!(fonts.covers(id, "Aé–…→Ωж"), "{}", EMBEDDED[usize::from(id)].0);
        }
        assert!(fonts.covers(face::CODE, "│├─"));
    }

    #[test]
    fn scripts_are_called_by_their_names() {
        let names: Vec<String> = FALLBACKS.iter().map(Fallback::script).collect();
        for name in ["Chinese, Japanese and Korean", "Arabic", "Old Persian", "NKo", "Tibetan", "emoji", "Music"] {
            assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
        }
    }

    #[test]
    fn plain_text_keeps_its_face() {
        let fonts = Fonts::new();
        assert_eq!(fonts.face_for("a", face::CODE, Region::Chinese), Some(face::CODE));
        assert_eq!(fonts.face_for("\u{e5}\u{302}", face::TEXT_MEDIUM, Region::Chinese), Some(face::TEXT_MEDIUM));
    }

    #[test]
    fn colour_is_for_what_is_emoji_by_default_or_asked_to_be() {
        let fonts = Fonts::new();
        let colour = |grapheme: &str| {
            let face = fonts.face_for(grapheme, face::CODE, Region::Chinese)?;
            FALLBACKS.get(usize::from(face).checked_sub(EMBEDDED.len())? / 2).map(|fallback| fallback.emoji)
        };
        for text in ["❤", "☎", "™", "©", "✈", "⚡\u{fe0e}"] {
            assert_ne!(colour(text), Some(true), "{text}");
        }
        for emoji in ["❤\u{fe0f}", "🚀", "⚡"] {
            assert_ne!(colour(emoji), Some(false), "{emoji}");
        }
    }

    #[test]
    fn characters_of_no_face_are_reported() {
        assert_eq!(Fonts::new().face_for("\u{10ffff}", face::CODE, Region::Chinese), None);
    }

    #[test]
    fn kana_make_a_text_japanese() {
        assert_eq!(Region::of("日本語とコード"), Region::Japanese);
        assert_eq!(Region::of("多语言标题"), Region::Chinese);
        assert_eq!(Region::of("한국어"), Region::Korean);
    }
}
