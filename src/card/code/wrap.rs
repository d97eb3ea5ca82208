//! A line that is too wide goes in, rows that fit come out: broken after a blank or a mark of punctuation where there is one, each
//! row after the first under a hanging indent.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use smol_str::SmolStr;

use super::super::font::Fonts;
use super::super::text::Setter;
use super::{CELL, CodeLine, Item, Kind, MEASURE, cells_of, measured};

/// Cells by which a row hangs below the line it goes on.
const HANG: usize = 2;
/// The first row keeps at least this share of its cells for what it says, and the others hang by this share at most.
const LEAST_SHARE: usize = 4;
const MOST_HANGING: usize = 3;

/// Items that are looked at to tell what begins a comment.
const MARK: usize = 4;

impl CodeLine {
    /// The line in rows of at most `width` cells; one row where it fits, and no more than `most`.
    pub(in crate::card) fn wrapped(
        &self,
        (fonts, setter): (&Fonts, &mut Setter),
        width: usize,
        most: usize,
    ) -> Vec<Self> {
        let width = width.max(8);
        if self.columns <= width || most == 0 {
            return vec![self.clone()];
        }
        let own = self.items.first().map_or(0, |item| item.column);
        let own = own.min(width - width / LEAST_SHARE);
        let hang = own.min(width / MOST_HANGING) + HANG;
        let mut rest: VecDeque<Item> = self.items.iter().cloned().collect();
        let mut runs = Runs { fonts, setter, known: Vec::new() };
        let mut rows = Vec::new();
        let mut indent = own;
        while let Some(origin) = rest.front().map(|item| item.column).filter(|_| rows.len() < most) {
            let room = width.saturating_sub(indent).max(1);
            split_long(&mut rest, origin + room, (width - hang, origin), &mut runs);
            let fitting = rest.iter().take_while(|item| item.column + item.cells <= origin + room).count().max(1);
            let end = if fitting == rest.len() { fitting } else { break_before(&rest, fitting) };
            let mut row = Self::default();
            for item in rest.drain(..end) {
                row.push(Item { column: item.column - origin + indent, ..item });
            }
            rows.push(row);
            indent = hang;
        }
        rows
    }
}

/// The runs of words of a line that had to be measured: each is measured once, whatever it is split into.
struct Runs<'a> {
    fonts: &'a Fonts,
    setter: &'a mut Setter,
    /// Their bytes in the line, and how far along each byte stands.
    known: Vec<(Range<usize>, Arc<[f32]>)>,
}

impl Runs<'_> {
    /// How far along its run each byte of an item stands, and last its end.
    fn places(&mut self, item: &Item) -> &[f32] {
        let (start, end) = (item.start, item.start + item.text.len());
        let at = self.known.iter().position(|(run, _)| run.contains(&start)).unwrap_or_else(|| {
            let places = self.setter.measure_again(self.fonts, &item.text, measured(item.face));
            self.known.push((start..end, places));
            self.known.len() - 1
        });
        let (run, places) = &self.known[at];
        &places[start - run.start..=end - run.start]
    }
}

/// Splits the run of words that reaches over the end of a row, where no row could hold all of it. Blanks join no letters, so a
/// part of a run is as wide as it is within the run.
fn split_long(rest: &mut VecDeque<Item>, end: usize, (most, origin): (usize, usize), runs: &mut Runs<'_>) {
    let Some(at) = rest.iter().position(|item| item.column + item.cells > end) else { return };
    let item = &rest[at];
    if item.kind != Kind::Shaped || item.cells <= most || (item.column >= end && item.column > origin) {
        return;
    }
    let places = runs.places(item);
    let room = (end - item.column) as f32 * CELL * MEASURE;
    let blanks = item.text.match_indices(' ').map(|(blank, _)| blank);
    let Some(blank) = blanks.take_while(|blank| places[*blank] - places[0] <= room).last() else { return };
    let (head, tail) = (SmolStr::new(&item.text[..blank]), SmolStr::new(&item.text[blank + 1..]));
    let head_cells = cells_of(places[blank] - places[0]).min(end - item.column);
    let tail_cells = cells_of(places[item.text.len()] - places[blank + 1]);
    let tail = Item {
        start: item.start + blank + 1,
        column: item.column + head_cells + 1,
        cells: tail_cells,
        text: tail,
        ..item.clone()
    };
    let shift = (tail.column + tail.cells).saturating_sub(item.column + item.cells);
    for later in rest.iter_mut().skip(at + 1) {
        later.column += shift;
    }
    rest[at].text = head;
    rest[at].cells = head_cells;
    rest.insert(at + 1, tail);
}

/// Before which item a row ends that could hold `fitting` of them: after a blank, else after punctuation, if that leaves the row
/// half full, and wherever it must otherwise.
fn break_before(items: &VecDeque<Item>, fitting: usize) -> usize {
    let (first, last) = (items[0].column, items[fitting - 1].column);
    let full = |at: &usize| (items[*at].column - first) * 2 >= last - first;
    let blank = |at: &usize| items[*at].column > items[*at - 1].column + items[*at - 1].cells;
    // What begins a comment stays with its first word.
    let gap = |at: &usize| {
        let start = (1..*at).rev().find(blank).unwrap_or(0);
        let word: String = items.range(start..*at).take(MARK).map(|item| item.text.as_str()).collect();
        blank(at) && !(start > 0 && matches!(word.as_str(), "//" | "///" | "#" | "--" | "/*"))
    };
    let wide = |at: &usize| items[*at - 1].kind == Kind::Shaped && items[*at].kind == Kind::Shaped;
    let marks = |at: &usize| {
        items[*at - 1]
            .text
            .ends_with([',', ';', ':', ')', ']', '}', '(', '[', '{', '>', '|', '&', '/', '=', '+', '-', '.', '?'])
    };
    let latest = |wanted: &dyn Fn(&usize) -> bool| (1..=fitting).rev().find(|at| wanted(at));
    latest(&|at| gap(at) && full(at))
        .or_else(|| latest(&|at| (marks(at) || wide(at)) && full(at)))
        .or_else(|| latest(&gap))
        .unwrap_or(fitting)
}

#[cfg(test)]
mod tests {
    use super::super::super::colour::Rgb;
    use super::super::super::font::Region;
    use super::super::super::highlight::Span;
    use super::super::Grid;
    use super::*;

    /// The rows of a line: text with its blanks.
    fn rows(text: &str, width: usize) -> Vec<String> {
        let span = Span { range: 0..text.len(), colour: Rgb(1, 2, 3), bold: false, italic: false, literal: true };
        let (fonts, mut setter) = (Fonts::new(), Setter::new(true));
        let line =
            CodeLine::new(&fonts, &mut setter, (text, &[span]), Grid::new(Region::Chinese, None, true, Rgb(1, 2, 3)));
        let shown = |row: CodeLine| {
            assert!(row.columns <= width, "{row:?}");
            row.items.iter().fold(String::new(), |mut shown, item| {
                let used = shown.chars().count();
                shown.extend(std::iter::repeat_n(' ', item.column.saturating_sub(used)));
                shown + &item.text
            })
        };
        line.wrapped((&fonts, &mut setter), width, 99).into_iter().map(shown).collect()
    }

    #[test]
    fn rows_break_after_blanks_and_hang() {
        assert_eq!(rows("let a = one + two;", 40), ["let a = one + two;"]);
        assert_eq!(rows("  let a = one + two + three;", 16), ["  let a = one +", "    two + three;"]);
    }

    #[test]
    fn a_comment_keeps_its_mark() {
        assert_eq!(rows("let a = 1; // and why", 14), ["let a = 1;", "  // and why"]);
    }

    #[test]
    fn without_a_blank_they_break_after_punctuation_or_anywhere() {
        assert_eq!(rows("call(aaaaaa,bbbbbb,cccccc)", 16), ["call(aaaaaa,", "  bbbbbb,cccccc)"]);
        assert_eq!(rows("abcdefghijklmnopqrstuvwxyz", 10), ["abcdefghij", "  klmnopqr", "  stuvwxyz"]);
    }

    #[test]
    fn deep_indentation_leaves_room() {
        let rows = rows(&format!("{}{}", " ".repeat(30), "word ".repeat(6)), 40);
        assert_eq!(rows[1], format!("{}word word word word", " ".repeat(15)));
    }

    #[test]
    fn a_long_run_from_right_to_left_is_split_between_its_words() {
        let rows = rows(&"שלום עולם, ".repeat(12), 40);
        assert!(rows.len() > 2, "{rows:?}");
    }
}
