//! Paragraphs: a text and a width come in, lines that fit go out: broken between words (or between characters where a script has
//! no spaces), evened out where two lines share a title, and ended with an ellipsis where the lines run out.

use unicode_segmentation::UnicodeSegmentation;

use super::direction::Direction;
use super::font::Fonts;
use super::text::{Line, Setter, Style};
use super::unicode;
use super::words::word_ends;

/// The longest text a paragraph looks at, in bytes; no card shows as much.
const MOST_BYTES: usize = 640;

/// The bytes of a word that are left out to end a cut line after the word before it.
const LONGEST_STUB: usize = 14;

/// Plain text made fit to set: one line, single spaces, marks for what cannot be drawn, cut to what a card could ever show.
pub(super) fn clean(text: &str) -> String {
    let text = &*unicode::tamed(text);
    let mut cut = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let mut out = String::with_capacity(cut);
    let mut space = false;
    for c in text[..cut].chars() {
        if c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}') {
            space = !out.is_empty();
            continue;
        }
        if matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}') || (c.is_control() && !c.is_whitespace()) {
            continue;
        }
        if space {
            out.push(' ');
            space = false;
        }
        match c {
            '\u{200e}' | '\u{200f}' | '\u{61c}' => {}
            _ => match unicode::mark_for(c) {
                Some(mark) => out.push_str(mark),
                None => out.push(c),
            },
        }
    }
    if cut < text.len() {
        out.push('…');
    }
    out
}

/// A text broken into lines.
pub(super) struct Paragraph {
    pub(super) lines: Vec<Line>,
    /// Whether the text had to be cut.
    pub(super) cut: bool,
    /// Which way all of its lines run.
    pub(super) direction: Direction,
}

impl Paragraph {
    /// Where a line starts between two sides, in design pixels: flush with the side on which its paragraph begins.
    pub(super) fn left(&self, line: &Line, (left, right): (f32, f32), scale: f32) -> f32 {
        match self.direction {
            Direction::LeftToRight => left,
            Direction::RightToLeft => (right - line.width / scale).round(),
        }
    }
}

/// The first step from `cut` to `fits` at which a paragraph is not cut, or the last: steps go from the largest size to the
/// smallest, and that of `cut` is known to be too large.
pub(super) fn largest_uncut(
    (mut cut, mut fits): (usize, usize),
    mut set: impl FnMut(usize) -> (Paragraph, f32),
) -> (Paragraph, f32) {
    while fits - cut > 1 {
        let middle = usize::midpoint(cut, fits);
        if set(middle).0.cut {
            cut = middle;
        } else {
            fits = middle;
        }
    }
    set(fits)
}

/// Sets texts into lines no wider than `width` pixels.
pub(super) struct Breaker<'a> {
    pub(super) fonts: &'a Fonts,
    pub(super) setter: &'a mut Setter,
    pub(super) style: Style,
    pub(super) width: f32,
}

impl Breaker<'_> {
    /// At most `most` lines, filled one after the other.
    pub(super) fn fill(&mut self, text: &str, most: usize, direction: Direction) -> Paragraph {
        let ruler = self.ruler(text);
        let pieces = ruler.pieces(self.width);
        let (ends, fits) = ruler.greedy(&pieces, most, self.width);
        self.finish(&ruler, &ends, !fits, direction)
    }

    /// At most `most` lines, of lengths as even as they can be.
    pub(super) fn balance(&mut self, text: &str, most: usize) -> Paragraph {
        let ruler = self.ruler(text);
        let pieces = ruler.pieces(self.width);
        let (mut ends, fits) = ruler.greedy(&pieces, most, self.width);
        if fits && ends.len() > 1 {
            ends = ruler.even(&pieces, ends.len(), self.width).unwrap_or(ends);
        }
        self.finish(&ruler, &ends, !fits, Direction::of(text))
    }

    /// One line, with an ellipsis when it is too long.
    pub(super) fn single(&mut self, text: &str) -> Line {
        let whole = self.setter.shape(self.fonts, text, self.style);
        if whole.width <= self.width { whole } else { self.ellipsis(text, self.style.direction(text)) }
    }

    fn ruler<'t>(&mut self, text: &'t str) -> Ruler<'t> {
        Ruler { text, places: self.setter.measure(self.fonts, text, self.style) }
    }

    fn finish(&mut self, ruler: &Ruler<'_>, ends: &[usize], cut: bool, direction: Direction) -> Paragraph {
        let mut lines = Vec::with_capacity(ends.len());
        let mut start = 0;
        for (at, &end) in ends.iter().enumerate() {
            let line = if cut && at + 1 == ends.len() {
                self.ellipsis(&ruler.text[start..], direction)
            } else {
                self.setter.shape_along(self.fonts, ruler.text[start..end].trim_end(), self.style, direction)
            };
            lines.push(line);
            start = end;
        }
        Paragraph { lines, cut, direction }
    }

    /// The longest beginning that fits with an ellipsis after it.
    fn ellipsis(&mut self, text: &str, direction: Direction) -> Line {
        let ruler = self.ruler(text);
        let room = self.width - self.setter.shape(self.fonts, "…", self.style).width;
        let cut = ruler.longest(0, text.len(), room);
        let word = if text[cut..].starts_with(' ') {
            None
        } else {
            text[..cut].rfind(' ').filter(|at| cut - at <= LONGEST_STUB)
        };
        let kept = text[..word.unwrap_or(cut)].trim_end_matches([' ', ',', '.', ';', ':', '—', '-']);
        self.setter.shape_along(self.fonts, &format!("{kept}…"), self.style, direction)
    }
}

/// A text and how far along a line each of its bytes stands.
struct Ruler<'t> {
    text: &'t str,
    places: Vec<f32>,
}

impl Ruler<'_> {
    /// The width of a stretch without the blanks at its end.
    fn width(&self, start: usize, end: usize) -> f32 {
        let end = start + self.text[start..end].trim_end().len();
        self.places[end] - self.places[start]
    }

    /// Where the text may be broken: the byte at which each unbreakable piece ends, blanks after it included.
    fn pieces(&self, width: f32) -> Vec<usize> {
        let mut ends = Vec::new();
        let words = word_ends(self.text);
        let graphemes: Vec<(usize, &str)> = self.text.grapheme_indices(true).collect();
        for pair in graphemes.windows(2) {
            let (left, (at, right)) = (pair[0].1, pair[1]);
            let after_blank = left == " " && right != " ";
            let between_wide = (unicode::is_wide(left) || unicode::is_wide(right))
                && left != " "
                && right != " "
                && !may_not_start(right)
                && !may_not_end(left);
            let after_word = words.binary_search(&at).is_ok();
            if after_blank || after_word || between_wide || (left == "-" && right.chars().all(char::is_alphabetic)) {
                ends.push(at);
            }
        }
        ends.push(self.text.len());
        self.split_long(&ends, width)
    }

    /// Pieces wider than a line are broken anywhere.
    fn split_long(&self, ends: &[usize], width: f32) -> Vec<usize> {
        let mut out = Vec::with_capacity(ends.len());
        let mut start = 0;
        for &end in ends {
            while self.width(start, end) > width {
                start = self.longest(start, end, width);
                out.push(start);
            }
            if start < end {
                out.push(end);
                start = end;
            }
        }
        out
    }

    /// Fills at most `most` lines up to `width`; gives where each ends, and whether everything fitted.
    fn greedy(&self, pieces: &[usize], most: usize, width: f32) -> (Vec<usize>, bool) {
        let (mut ends, mut start, mut last, mut fits) = (Vec::new(), 0, 0, true);
        for &end in pieces {
            if last > start && self.width(start, end) > width {
                ends.push(last);
                start = last;
                if ends.len() == most {
                    return (ends, false);
                }
            }
            fits &= self.width(start, end) <= width;
            last = end;
        }
        ends.push(last);
        (ends, fits)
    }

    /// Breaks the text into `count` lines no wider than `width` whose widths differ as little as they can: the sum of their
    /// squares is the least. None where it cannot be broken so.
    fn even(&self, pieces: &[usize], count: usize, width: f32) -> Option<Vec<usize>> {
        // For each piece, the cheapest way to end a line with it, and with which piece the line before ended.
        let mut rows: Vec<Vec<Option<(f32, usize)>>> = Vec::with_capacity(count);
        for line in 0..count {
            let before = |last: usize| match (line, last) {
                (0, 0) => Some(0.0),
                (0, _) | (_, 0) => None,
                _ => rows[line - 1][last - 1].map(|(cost, _)| cost),
            };
            let row = (0..pieces.len()).map(|at| {
                let mut best: Option<(f32, usize)> = None;
                for last in (0..=at).rev() {
                    let start = if last == 0 { 0 } else { pieces[last - 1] };
                    let long = self.width(start, pieces[at]);
                    if long > width && last < at {
                        break;
                    }
                    let Some(cost) = before(last).map(|cost| cost + long * long) else { continue };
                    if best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, last));
                    }
                }
                best
            });
            let row = row.collect();
            rows.push(row);
        }
        let (mut ends, mut at) = (Vec::with_capacity(count), pieces.len());
        for row in rows.iter().rev() {
            let (_, last) = row[at.checked_sub(1)?]?;
            ends.push(pieces[at - 1]);
            at = last;
        }
        ends.reverse();
        Some(ends)
    }

    /// Where the longest stretch from `start` that fits into `room` ends: after one grapheme at least.
    fn longest(&self, start: usize, end: usize, room: f32) -> usize {
        let ends = self.text[start..end].grapheme_indices(true).map(|(at, grapheme)| start + at + grapheme.len());
        let mut longest = None;
        for at in ends {
            if longest.is_some() && self.places[at] - self.places[start] > room {
                break;
            }
            longest = Some(at);
        }
        longest.unwrap_or(end)
    }
}

/// Closing marks that East Asian setting keeps off the start of a line (after JIS X 4051).
fn may_not_start(grapheme: &str) -> bool {
    matches!(
        grapheme,
        "、" | "。"
            | "，"
            | "．"
            | "："
            | "；"
            | "！"
            | "？"
            | "）"
            | "」"
            | "』"
            | "】"
            | "〉"
            | "》"
            | "ー"
            | "々"
            | "ゃ"
            | "ゅ"
            | "ょ"
            | "っ"
            | "ャ"
            | "ュ"
            | "ョ"
            | "ッ"
            | ")"
            | ","
            | "."
            | "!"
            | "?"
    )
}

/// Opening marks that stay off the end of a line.
fn may_not_end(grapheme: &str) -> bool {
    matches!(grapheme, "（" | "「" | "『" | "【" | "〈" | "《" | "(")
}

#[cfg(test)]
mod tests {
    use super::super::font::face;
    use super::*;

    fn with<T>(width: f32, act: impl FnOnce(&mut Breaker<'_>) -> T) -> T {
        let (fonts, mut setter) = (Fonts::new(), Setter::new(true));
        let style = Style { face: face::DISPLAY_SEMIBOLD, size: 50.0, spacing: -1.1, ligatures: true };
        act(&mut Breaker { fonts: &fonts, setter: &mut setter, style, width })
    }

    #[test]
    fn two_lines_are_evened_out() {
        let text = "Why your queue table gets slower every hour that one analytics query stays open";
        let paragraph = with(1072.0, |breaker| breaker.balance(text, 2));
        let widths: Vec<f32> = paragraph.lines.iter().map(|line| line.width).collect();
        assert_eq!(widths.len(), 2);
        assert!((widths[0] - widths[1]).abs() < 60.0, "{widths:?}");
    }

    #[test]
    fn three_lines_are_evened_out_as_well() {
        let text = "What I learned from rewriting the same small parser in six languages over one very long winter";
        let paragraph = with(800.0, |breaker| breaker.balance(text, 3));
        assert_eq!(paragraph.lines.len(), 3);
        let widths: Vec<f32> = paragraph.lines.iter().map(|line| line.width).collect();
        assert!(widths.iter().all(|width| *width > 560.0), "{widths:?}");
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        let text = "word ".repeat(60);
        let paragraph = with(1072.0, |breaker| breaker.balance(text.trim(), 2));
        assert!(paragraph.cut);
        assert_eq!(paragraph.lines.len(), 2);
        assert!(paragraph.lines.iter().all(|line| line.width <= 1072.0));
    }

    #[test]
    fn one_endless_word_is_broken() {
        let paragraph = with(500.0, |breaker| breaker.fill(&"m".repeat(60), 3, Direction::LeftToRight));
        assert_eq!(paragraph.lines.len(), 3);
        assert!(paragraph.lines.iter().all(|line| line.width <= 500.0));
    }

    #[test]
    fn a_wide_glyph_in_a_narrow_line_ends() {
        let paragraph = with(3.0, |breaker| breaker.fill("mm mm", 2, Direction::LeftToRight));
        assert!(paragraph.lines.len() <= 2);
    }

    #[test]
    fn every_line_runs_as_its_paragraph_does() {
        let text = "日本語と한국어 and 中文 with some words 🎉 العربية עברית then more of them";
        let paragraph = with(600.0, |breaker| breaker.balance(text, 3));
        assert_eq!((paragraph.direction, paragraph.lines.len() > 1), (Direction::LeftToRight, true));
        assert_eq!(paragraph.left(&paragraph.lines[0], (64.0, 1136.0), 1.0).to_string(), "64");
        let (paragraph, missing) = with(900.0, |breaker| {
            let paragraph = breaker.balance("שלום world", 2);
            (paragraph, !breaker.setter.missing.is_empty())
        });
        let line = &paragraph.lines[0];
        assert!((paragraph.left(line, (64.0, 1136.0), 1.0) + line.width - 1136.0).abs() <= 0.5);
        assert!(
            missing || line.glyphs.last().map(|glyph| glyph.byte) == Some(0),
            "the first letter stands at the right"
        );
    }

    #[test]
    fn cleaning_folds_blanks_and_shows_bidi_controls() {
        assert_eq!(clean("  a\n\tb \u{202e}c\u{7}"), "a b ⟨RLO⟩c");
        assert!(clean(&"é".repeat(5000)).len() < 700);
    }
}
