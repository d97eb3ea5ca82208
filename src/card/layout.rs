//! Where everything on a card stands. All figures of the design are here, in pixels of a 1200 × 630 picture; a scale multiplies
//! them when they are drawn.

use std::ops::RangeInclusive;

/// The picture.
pub(super) const WIDTH: f32 = 1200.0;
pub(super) const HEIGHT: f32 = 630.0;

/// The line with author and site.
pub(super) mod eyebrow {
    pub(in crate::card) const AVATAR: f32 = 40.0;
    /// The longest logo, which is as high as the avatar.
    pub(in crate::card) const LOGO: f32 = 320.0;
    pub(in crate::card) const LOGO_GAP: f32 = 28.0;
    pub(in crate::card) const INITIAL: f32 = 18.0;
    pub(in crate::card) const INITIAL_BASELINE: f32 = 27.0;
    pub(in crate::card) const GAP: f32 = 14.0;
    pub(in crate::card) const SIZE: f32 = 24.0;
    pub(in crate::card) const SPACING: f32 = -0.1;
    /// From the top of the avatar.
    pub(in crate::card) const BASELINE: f32 = 28.0;
    /// How strongly the dot between author and site shows.
    pub(in crate::card) const DOT: f32 = 0.45;
}

/// The code card.
pub(super) mod code {
    pub(in crate::card) const TOP: f32 = 52.0;
    pub(in crate::card) const TITLE_SIZE: f32 = 50.0;
    pub(in crate::card) const TITLE_PITCH: f32 = 57.0;
    pub(in crate::card) const TITLE_SPACING: f32 = -1.1;
    pub(in crate::card) const TITLE_LINES: usize = 2;
    pub(in crate::card) const TITLE_GAP: f32 = 22.0;
    /// From the top of a title's line to its baseline.
    pub(in crate::card) const TITLE_BASELINE: f32 = 46.0;
}

/// The window.
pub(super) mod window {
    pub(in crate::card) const GAP: f32 = 32.0;
    pub(in crate::card) const RADIUS: f32 = 18.0;
    pub(in crate::card) const BAR: f32 = 52.0;
    pub(in crate::card) const DOT: f32 = 13.0;
    pub(in crate::card) const DOT_TOP: f32 = 20.0;
    pub(in crate::card) const DOT_LEFT: f32 = 22.0;
    pub(in crate::card) const DOT_STEP: f32 = 23.0;
    pub(in crate::card) const NAME_SIZE: f32 = 19.0;
    pub(in crate::card) const NAME_LEFT: f32 = 107.0;
    pub(in crate::card) const NAME_BASELINE: f32 = 33.0;
    pub(in crate::card) const CHIP_SIZE: f32 = 17.0;
    pub(in crate::card) const CHIP_SPACING: f32 = 0.12;
    pub(in crate::card) const CHIP_RIGHT: f32 = 22.0;
    pub(in crate::card) const CHIP_TOP: f32 = 11.0;
    pub(in crate::card) const CHIP_HEIGHT: f32 = 31.0;
    pub(in crate::card) const CHIP_PADDING: f32 = 12.0;
    pub(in crate::card) const CHIP_RADIUS: f32 = 8.0;
    pub(in crate::card) const CHIP_BASELINE: f32 = 21.0;
    /// Between the code and the window's sides, the bar above it, and the end of the window.
    pub(in crate::card) const CODE_SIDE: f32 = 30.0;
    pub(in crate::card) const CODE_TOP: f32 = 6.0;
    pub(in crate::card) const CODE_BOTTOM: f32 = 26.0;
    /// Between line numbers and the code, in cells.
    pub(in crate::card) const NUMBER_GAP: usize = 2;
    /// A closed window ends above the band in which X writes the site's name.
    pub(in crate::card) const LOWEST: f32 = 574.0;
    /// A window that leaves at least this much room below it stands in the middle of it.
    pub(in crate::card) const LOOSE: f32 = 120.0;
    /// What fades out: the foot of a window that runs off the picture, and the end of a line that is too wide.
    pub(in crate::card) const FADE_DOWN: f32 = 120.0;
    pub(in crate::card) const FADE_ACROSS: f32 = 96.0;
}

/// The pill that counts the lines left out.
pub(super) mod pill {
    /// From the window's right side.
    pub(in crate::card) const INSET: f32 = 26.0;
    pub(in crate::card) const BOTTOM: f32 = 608.0;
    pub(in crate::card) const HEIGHT: f32 = 38.0;
    pub(in crate::card) const PADDING: f32 = 14.0;
    pub(in crate::card) const SIZE: f32 = 18.0;
    pub(in crate::card) const BASELINE: f32 = 25.0;
    /// How much stronger than a chip's its ground is.
    pub(in crate::card) const STRENGTH: f32 = 1.06;
}

/// The title card.
pub(super) mod title {
    pub(in crate::card) const TOP: f32 = 64.0;
    /// Beyond the look's padding, for the accent at the edge.
    pub(in crate::card) const INDENT: f32 = 8.0;
    pub(in crate::card) const ACCENT: f32 = 10.0;
    pub(in crate::card) const GAP: f32 = 44.0;
    pub(in crate::card) const LARGEST: f32 = 82.0;
    /// A title of one line may be this large.
    pub(in crate::card) const LARGEST_OF_ONE: f32 = 104.0;
    pub(in crate::card) const SMALLEST: f32 = 56.0;
    /// Between the sizes that are tried.
    pub(in crate::card) const STEP: f32 = 2.0;
    pub(in crate::card) const PITCH: f32 = 1.06;
    /// Letter-spacing in ems: −2.4 at the largest size.
    pub(in crate::card) const SPACING: f32 = -2.4 / 82.0;
    pub(in crate::card) const LINES: usize = 3;
    pub(in crate::card) const EXCERPT_GAP: f32 = 28.0;
    pub(in crate::card) const EXCERPT_SIZE: f32 = 32.0;
    pub(in crate::card) const EXCERPT_PITCH: f32 = 45.44;
    pub(in crate::card) const EXCERPT_SPACING: f32 = -0.3;
    pub(in crate::card) const EXCERPT_WIDTH: f32 = 900.0;
    pub(in crate::card) const EXCERPT_LINES: usize = 2;
    pub(in crate::card) const TAG_TOP: f32 = 524.0;
    pub(in crate::card) const TAG_HEIGHT: f32 = 46.0;
    pub(in crate::card) const TAG_PADDING: f32 = 18.0;
    pub(in crate::card) const TAG_GAP: f32 = 12.0;
    pub(in crate::card) const TAG_SIZE: f32 = 22.0;
    pub(in crate::card) const TAG_BASELINE: f32 = 31.0;
    pub(in crate::card) const DATE_SIZE: f32 = 24.0;
    pub(in crate::card) const DATE_BASELINE: f32 = 555.0;
    /// Kept free above the tags.
    pub(in crate::card) const FOOT_GAP: f32 = 14.0;
}

/// The share of its size at which a title in tall letters is set, so that its lines do not touch.
pub(super) const TALL: f32 = 0.86;

/// Sizes of code, and the largest of a code of few lines, which would stand lost in a wide window.
const SIZES: RangeInclusive<u16> = 20..=34;
const LARGEST_OF_FEW: u16 = 46;
const FEW: usize = 3;
/// Lines that would have to be smaller than this to fit in width are wrapped where that is asked for.
const WRAPPED: u16 = 26;
/// Below this, code does not shrink to let every line in.
const LEAST_FOR_HEIGHT: u16 = 22;
/// The share of a size that a line and a cell take.
const PITCH: f32 = 1.5;
const CELL: f32 = 0.6;

/// How far the ascent of the faces reaches above, and the descent below the baseline, in ems.
pub(super) const INTER_ASCENT: f32 = 0.968_75;
pub(super) const INTER_DESCENT: f32 = 0.241_5;
const MONO_ASCENT: f32 = 1.02;
const MONO_DESCENT: f32 = 0.3;

/// The baseline of a line of text that is `pitch` high, from its top, as browsers place it.
pub(super) fn baseline(size: f32, pitch: f32, ascent: f32, descent: f32) -> f32 {
    let (above, below) = ((ascent * size).round(), (descent * size).round());
    (pitch - above - below) / 2.0 + above
}

/// The window and the code in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CodeLayout {
    /// Top of the window.
    pub(super) top: f32,
    /// Height of the window; none when it runs off the picture.
    pub(super) height: Option<f32>,
    /// Size of the code.
    pub(super) size: f32,
    /// Lines, or rows where lines are wrapped, of which something is shown.
    pub(super) shown: usize,
    /// Lines of the source that are not shown whole.
    pub(super) hidden: usize,
}

impl CodeLayout {
    /// The window under `top` for a code of `lines` lines in a room `width` wide; `columns` are the widths in cells of its first
    /// lines, as many as could be shown at all.
    pub(super) fn fit(top: f32, width: f32, lines: usize, columns: &[usize]) -> Self {
        let by_width = size_by_width((top, width), lines, columns);
        let least = LEAST_FOR_HEIGHT.min(by_width);
        if let Some(size) = (least..=by_width).rev().find(|size| closes(top, lines, *size)) {
            return Self::closed(top, lines, f32::from(size));
        }
        let size = open_size(top, lines, (least, by_width));
        Self::open(top, lines, size)
    }

    /// The same where lines are wrapped: `rows` gives how many rows each of the first lines takes if a row holds so many cells,
    /// and rows stand where lines would.
    pub(super) fn fit_rows(
        (top, width): (f32, f32),
        lines: usize,
        columns: &[usize],
        mut rows: impl FnMut(usize) -> Vec<usize>,
    ) -> Self {
        let most = size_by_width((top, width), lines, columns).max(WRAPPED);
        let mut all = |size: u16| {
            let rows = rows(cells_across(width, f32::from(size)));
            (rows.iter().sum::<usize>() + lines.saturating_sub(rows.len()), rows)
        };
        for size in (LEAST_FOR_HEIGHT..=most).rev() {
            let (count, _) = all(size);
            if closes(top, count, size) {
                return Self::closed(top, count, f32::from(size));
            }
        }
        let (count, _) = all(LEAST_FOR_HEIGHT);
        let size = open_size(top, count, (LEAST_FOR_HEIGHT, most));
        let (count, rows) = all(size as u16);
        let layout = Self::open(top, count, size);
        let whole = count - layout.hidden;
        let ends = rows.iter().scan(0, |end, rows| {
            *end += rows;
            Some(*end)
        });
        Self { hidden: lines - ends.take_while(|end| *end <= whole).count(), ..layout }
    }

    fn closed(top: f32, lines: usize, size: f32) -> Self {
        let code = lines.max(1) as f32 * PITCH * size;
        let height = window::BAR + window::CODE_TOP + code + window::CODE_BOTTOM;
        let left = window::LOWEST - top - height;
        let top = if left >= window::LOOSE { (top + left / 2.0).floor() } else { top };
        Self { top, height: Some(height), size, shown: lines, hidden: 0 }
    }

    fn open(top: f32, lines: usize, size: f32) -> Self {
        let room = HEIGHT - top - window::BAR - window::CODE_TOP;
        let whole = (room / (PITCH * size)).floor() as usize;
        Self { top, height: None, size, shown: shown_lines(lines, room, size), hidden: lines.saturating_sub(whole) }
    }

    /// The width of a cell.
    pub(super) fn cell(&self) -> f32 {
        cell(self.size)
    }

    /// The distance from one line to the next.
    pub(super) fn pitch(&self) -> f32 {
        PITCH * self.size
    }

    /// The top of a line.
    pub(super) fn line_top(&self, line: usize) -> f32 {
        self.top + window::BAR + window::CODE_TOP + line as f32 * self.pitch()
    }

    /// The baseline of a line, on a whole pixel.
    pub(super) fn line_baseline(&self, line: usize) -> f32 {
        (self.line_top(line) + baseline(self.size, self.pitch(), MONO_ASCENT, MONO_DESCENT)).floor()
    }
}

/// The room for code between the sides of a window that stands `side` from those of the picture.
pub(super) fn code_width(side: f32) -> f32 {
    WIDTH - 2.0 * side - 2.0 * window::CODE_SIDE
}

/// The most lines that could be shown of any code.
pub(super) fn most_lines() -> usize {
    let room = HEIGHT - code::TOP - window::BAR;
    (room / (PITCH * f32::from(*SIZES.start()))).ceil() as usize + 1
}

/// A cell is a whole number of pixels, so that columns line up and every letter looks the same.
fn cell(size: f32) -> f32 {
    (CELL * size).round()
}

/// The cells that stand side by side at a size.
pub(super) fn cells_across(width: f32, size: f32) -> usize {
    (width / cell(size)) as usize
}

/// The room for lines in a window that runs off the picture, and in one that closes.
fn rooms(top: f32) -> (f32, f32) {
    let frame = window::BAR + window::CODE_TOP;
    (HEIGHT - top - frame, window::LOWEST - top - frame - window::CODE_BOTTOM)
}

/// The largest size at which the widest line that is shown fits.
fn size_by_width((top, width): (f32, f32), lines: usize, columns: &[usize]) -> u16 {
    let largest = if lines <= FEW { LARGEST_OF_FEW } else { *SIZES.end() };
    let fits = |size: &u16| {
        let shown = shown_lines(lines, rooms(top).0, f32::from(*size));
        let widest = columns.iter().take(shown).copied().max().unwrap_or(0);
        widest as f32 * cell(f32::from(*size)).max(CELL * f32::from(*size)) <= width
    };
    (*SIZES.start()..=largest).rev().find(fits).unwrap_or(*SIZES.start())
}

fn closes(top: f32, lines: usize, size: u16) -> bool {
    lines.max(1) as f32 * PITCH * f32::from(size) <= rooms(top).1
}

/// The size of code that cannot close.
fn open_size(top: f32, lines: usize, (least, most): (u16, u16)) -> f32 {
    let by_height = rooms(top).0 / (lines.max(1) as f32 * PITCH);
    f32::midpoint(f32::from(most), by_height).ceil().clamp(f32::from(least), f32::from(most))
}

fn shown_lines(lines: usize, room: f32, size: f32) -> usize {
    lines.min((room / (PITCH * size)).ceil() as usize)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "these figures are whole numbers")]

    use super::*;

    const WITH_TITLE: f32 = 203.0;
    const WITHOUT_TITLE: f32 = 124.0;
    const ROOM: f32 = 1012.0;

    #[test]
    fn a_short_statement_is_as_large_as_can_be() {
        let layout = CodeLayout::fit(WITH_TITLE, ROOM, 5, &[23, 18, 19, 25, 2]);
        assert_eq!((layout.size, layout.height, layout.top), (34.0, Some(339.0), 203.0));
        assert_eq!(layout.line_baseline(0), 299.0);
    }

    #[test]
    fn it_shrinks_to_close_above_the_foot() {
        let layout = CodeLayout::fit(260.0, ROOM, 5, &[23, 18, 19, 25, 2]);
        assert_eq!((layout.size, layout.height), (30.0, Some(309.0)));
    }

    #[test]
    fn what_cannot_close_runs_off_and_counts_the_rest() {
        let mut columns = vec![40; 14];
        columns[0] = 57;
        let titled = CodeLayout::fit(WITH_TITLE, ROOM, 14, &columns);
        assert_eq!((titled.size, titled.height, titled.hidden), (24.0, None, 4));
        let untitled = CodeLayout::fit(WITHOUT_TITLE, ROOM, 14, &columns);
        assert_eq!((untitled.size, untitled.height, untitled.hidden), (26.0, None, 3));
    }

    #[test]
    fn a_long_file_is_not_smaller_than_legible() {
        let layout = CodeLayout::fit(WITH_TITLE, ROOM, 500_000, &[60; 20]);
        assert_eq!(layout.size, 22.0);
        assert!(layout.shown < most_lines());
        assert_eq!(layout.hidden, 500_000 - 11);
    }

    #[test]
    fn a_wide_line_goes_to_the_smallest_size() {
        assert_eq!(CodeLayout::fit(WITH_TITLE, ROOM, 3, &[300, 1, 1]).size, 20.0);
    }

    #[test]
    fn few_lines_are_larger_and_four_are_not() {
        let size = |lines: usize, widest: usize| CodeLayout::fit(WITH_TITLE, ROOM, lines, &vec![widest; lines]).size;
        assert_eq!((size(1, 20), size(3, 36), size(1, 41), size(1, 45)), (46.0, 46.0, 40.0, 37.0));
        assert_eq!((size(4, 20), size(1, 51)), (34.0, 32.0));
    }

    #[test]
    fn wrapped_lines_stay_legible_and_are_counted_as_lines() {
        let rows = |cells: usize| vec![200_usize.div_ceil(cells), 1];
        let layout = CodeLayout::fit_rows((WITH_TITLE, ROOM), 2, &[200, 10], rows);
        assert_eq!((layout.size, layout.shown, layout.hidden), (26.0, 5, 0));
        let long = |cells: usize| vec![300_usize.div_ceil(cells); 10];
        let layout = CodeLayout::fit_rows((WITH_TITLE, ROOM), 12, &[300; 10], long);
        assert_eq!((layout.height, layout.hidden), (None, 10));
    }

    #[test]
    fn a_single_line_stands_in_the_middle() {
        let layout = CodeLayout::fit(WITH_TITLE, ROOM, 1, &[20]);
        let (above, below) = (layout.top - WITH_TITLE, window::LOWEST - layout.top - layout.height.unwrap());
        assert!((above - below).abs() <= 1.0);
    }
}
