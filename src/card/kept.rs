//! What is kept of text that was shaped: the lines of short texts, which come again and again, and the measures of long ones,
//! which are asked for at each size that is tried. Both are bounded, and what is forgotten is shaped anew to the same.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::direction::Direction;
use super::font::FaceId;
use super::text::{Line, Style};

/// Bytes of a text whose line is kept, and how many lines are: names and operators come again and again, titles do not.
const MOST_BYTES: usize = 23;
const MOST_LINES: usize = 1024;
/// Long texts of which it is kept how far along each byte stands.
const MOST_MEASURES: usize = 32;

/// A text, and the bits of the style and the direction that it is set in.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(SmolStr, FaceId, [u32; 2], bool, Direction);

impl Key {
    /// The key of a text whose line is kept.
    pub(super) fn of(text: &str, style: Style, direction: Direction) -> Option<Self> {
        let sizes = [style.size.to_bits(), style.spacing.to_bits()];
        let key = || Self(SmolStr::new(text), style.face, sizes, style.ligatures, direction);
        (text.len() <= MOST_BYTES).then(key)
    }
}

/// Lines of short texts.
#[derive(Debug, Default)]
pub(super) struct Lines(FxHashMap<Key, Line>);

impl Lines {
    pub(super) fn get(&self, key: &Key) -> Option<Line> {
        self.0.get(key).cloned()
    }

    pub(super) fn keep(&mut self, key: Key, line: &Line) {
        if self.0.len() >= MOST_LINES {
            self.0.clear();
        }
        self.0.insert(key, line.clone());
    }
}

/// Long texts, and how far along each of their bytes stands.
#[derive(Debug, Default)]
pub(super) struct Measures(Vec<(SmolStr, Style, Arc<[f32]>)>);

impl Measures {
    pub(super) fn get(&self, text: &str, style: Style) -> Option<Arc<[f32]>> {
        let known = self.0.iter().find(|(known, of, _)| *of == style && *known == text);
        known.map(|(.., places)| Arc::clone(places))
    }

    pub(super) fn keep(&mut self, text: &str, style: Style, places: &Arc<[f32]>) {
        if self.0.len() >= MOST_MEASURES {
            self.0.clear();
        }
        self.0.push((SmolStr::new(text), style, Arc::clone(places)));
    }
}
