//! How large code is set and where its window stands: how many lines there are and how wide they are goes in, a [`CodeLayout`]
//! comes out. Either every line is shown, above the band in which X writes the site's name, and the window closes; or some
//! are hidden, the window runs off the picture, and they are counted.

use std::ops::RangeInclusive;

use super::layout::{HEIGHT, MONO_ASCENT, MONO_DESCENT, WIDTH, baseline, code, window};

/// Sizes of code, and the largest of a code of few lines, which would stand lost in a wide window.
const SIZES: RangeInclusive<u16> = 20..=34;
const LARGEST_OF_FEW: u16 = 46;
const FEW: usize = 3;
/// The largest size of a code with a line that fits at none: most of it need not be small for what is cut in any case.
const LARGEST_OF_CUT: u16 = 24;
/// Lines that would have to be smaller than this to fit in width are wrapped where that is asked for.
const WRAPPED: u16 = 26;
/// Below this, code shrinks only to save the last few lines, and only where it would not be much larger without them: as a
/// thumbnail 26 px with a pill is read more easily than 20 px without. A pill for one line is worth the most, as it takes more
/// room than the line.
const LEAST_FOR_HEIGHT: u16 = 22;
const MOST_SAVED: usize = 3;
const MOST_GIVEN: f32 = 4.0;
const MOST_GIVEN_FOR_ONE: f32 = 6.0;
/// The share of a size that a line takes, and the least it takes where more lines are to be let in at a small size: leading
/// is given up before size is.
const PITCH: f32 = 1.5;
const TIGHT_PITCH: f32 = 1.4;
const LARGEST_TIGHT: u16 = 24;
/// The share of a size that a cell takes.
const CELL: f32 = 0.6;
/// How far the middle of small letters stands above the baseline, in ems.
const MIDDLE: f32 = 0.27;

/// The window and the code in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CodeLayout {
    /// Top of the window.
    pub(super) top: f32,
    /// Height of the window; none when it runs off the picture.
    pub(super) height: Option<f32>,
    /// Size of the code.
    pub(super) size: f32,
    /// The distance from one line to the next.
    pub(super) pitch: f32,
    /// Lines, or rows where lines are wrapped, that are drawn.
    pub(super) shown: usize,
    /// Lines of the source that are not drawn whole; none in a closed window, some in an open one.
    pub(super) hidden: usize,
}

impl CodeLayout {
    /// The window under `top` for a code of `lines` lines in a room `width` wide; `columns` are the widths in cells of its first
    /// lines, as many as could be shown at all.
    pub(super) fn fit(top: f32, width: f32, lines: usize, columns: &[usize]) -> Self {
        let most = size_by_width((top, width), lines, columns);
        let open = Self::open(top, lines, (LEAST_FOR_HEIGHT.min(most), most));
        let closed = settings(most).find(|setting| setting.closes(top, lines));
        closed.filter(|setting| setting.is_worth(&open)).map_or(open, |setting| Self::closed(top, lines, setting))
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
        let mut all = |size: f32| {
            let rows = rows(cells_across(width, size));
            (rows.iter().sum::<usize>() + lines.saturating_sub(rows.len()), rows)
        };
        let (count, _) = all(f32::from(LEAST_FOR_HEIGHT));
        let size = open_size(top, count, (LEAST_FOR_HEIGHT, most));
        let (count, rows) = all(size);
        let open = Self::open_at(top, count, size);
        let ends = rows.iter().scan(0, |end, rows| {
            *end += rows;
            Some(*end)
        });
        let open = Self { hidden: lines - ends.take_while(|end| *end <= open.shown).count(), ..open };
        let closed = settings(most).take_while(|setting| setting.is_worth(&open)).find_map(|setting| {
            let (count, _) = all(setting.size);
            setting.closes(top, count).then(|| Self::closed(top, count, setting))
        });
        closed.unwrap_or(open)
    }

    fn closed(top: f32, lines: usize, setting: Setting) -> Self {
        let Setting { size, pitch } = setting;
        let code = window::BAR + window::CODE_TOP + lines.max(1) as f32 * pitch;
        let foot = (window::LOWEST - top - code).clamp(window::LEAST_BOTTOM, window::CODE_BOTTOM);
        let height = (code + foot).round();
        let free = window::FOOT - top - height;
        let top = if free >= window::LOOSE { (top + free * window::OPTICAL).floor() } else { top };
        Self { top, height: Some(height), size, pitch, shown: lines, hidden: 0 }
    }

    /// The window that runs off, with code of no more than the second size and no less than the first.
    fn open(top: f32, lines: usize, sizes: (u16, u16)) -> Self {
        Self::open_at(top, lines, open_size(top, lines, sizes))
    }

    fn open_at(top: f32, lines: usize, size: f32) -> Self {
        let setting = Setting { size, pitch: PITCH * size };
        // Where something fades, something is hidden.
        let shown = setting.seen(top).min(lines.saturating_sub(1));
        Self { top, height: None, size, pitch: setting.pitch, shown, hidden: lines - shown }
    }

    /// The width of a cell.
    pub(super) fn cell(&self) -> f32 {
        cell(self.size)
    }

    /// The top of a line.
    pub(super) fn line_top(&self, line: usize) -> f32 {
        first_top(self.top) + line as f32 * self.pitch
    }

    /// The baseline of a line, on a whole pixel.
    pub(super) fn line_baseline(&self, line: usize) -> f32 {
        Setting { size: self.size, pitch: self.pitch }.baseline(self.top, line)
    }
}

/// A size of code and the distance between its lines.
#[derive(Debug, Clone, Copy)]
struct Setting {
    size: f32,
    pitch: f32,
}

impl Setting {
    /// The baseline of a line in a window under `top`.
    fn baseline(self, top: f32, line: usize) -> f32 {
        let first = first_top(top) + baseline(self.size, self.pitch, MONO_ASCENT, MONO_DESCENT);
        (first + line as f32 * self.pitch).floor()
    }

    /// Whether all of the text stands above the band that is kept free.
    fn closes(self, top: f32, lines: usize) -> bool {
        self.baseline(top, lines.max(1) - 1) + MONO_DESCENT * self.size <= window::LOWEST_TEXT
    }

    /// The lines that are well seen in a window that runs off: what fades nearly away looks like dirt.
    fn seen(self, top: f32) -> usize {
        let lowest = HEIGHT - window::FADE_DOWN * window::LEAST_SEEN + MIDDLE * self.size;
        let mut lines = ((lowest - first_top(top)) / self.pitch).max(0.0) as usize + 1;
        while lines > 0 && self.baseline(top, lines - 1) > lowest {
            lines -= 1;
        }
        lines
    }

    /// Whether a window that closes at this size is better than an open one.
    fn is_worth(self, open: &CodeLayout) -> bool {
        let given = if open.hidden == 1 { MOST_GIVEN_FOR_ONE } else { MOST_GIVEN };
        let little = open.hidden <= MOST_SAVED && self.size + given >= open.size;
        self.size >= f32::from(LEAST_FOR_HEIGHT) || little
    }
}

/// What is tried to show every line, the best first.
fn settings(most: u16) -> impl Iterator<Item = Setting> {
    (*SIZES.start()..=most.max(*SIZES.start())).rev().flat_map(|size| {
        let tight = (size <= LARGEST_TIGHT).then(|| (TIGHT_PITCH * f32::from(size)).floor());
        let size = f32::from(size);
        [Some(PITCH * size), tight].into_iter().flatten().map(move |pitch| Setting { size, pitch })
    })
}

/// The room for code between the sides of a window that stands `side` from those of the picture.
pub(super) fn code_width(side: f32) -> f32 {
    WIDTH - 2.0 * side - 2.0 * window::CODE_SIDE
}

/// The most lines that could be shown of any code.
pub(super) fn most_lines() -> usize {
    let room = HEIGHT - first_top(code::TOP);
    (room / (TIGHT_PITCH * f32::from(*SIZES.start()))).ceil() as usize + 1
}

/// The cells that stand side by side at a size.
pub(super) fn cells_across(width: f32, size: f32) -> usize {
    (width / cell(size)) as usize
}

/// A cell is a whole number of pixels, so that columns line up and every letter looks the same.
pub(super) fn cell(size: f32) -> f32 {
    (CELL * size).round()
}

/// The top of the first line in a window under `top`.
pub(super) fn first_top(top: f32) -> f32 {
    top + window::BAR + window::CODE_TOP
}

/// The largest size at which the widest line that is shown fits. A line that fits at none fades out at any.
fn size_by_width((top, width): (f32, f32), lines: usize, columns: &[usize]) -> u16 {
    let largest = if lines <= FEW { LARGEST_OF_FEW } else { *SIZES.end() };
    let across = cells_across(width, f32::from(*SIZES.start()));
    let widest = |size: u16, within: usize| {
        let size = f32::from(size);
        let shown = Setting { size, pitch: PITCH * size }.seen(top).min(lines);
        columns.iter().take(shown).copied().filter(|columns| *columns <= within).max().unwrap_or(0)
    };
    let cut = widest(*SIZES.start(), usize::MAX) > across;
    let largest = if cut { LARGEST_OF_CUT } else { largest };
    let fits = |size: &u16| {
        let exact = f32::from(*size);
        widest(*size, across) as f32 * cell(exact).max(CELL * exact) <= width
    };
    (*SIZES.start()..=largest).rev().find(fits).unwrap_or(*SIZES.start())
}

/// The size of code that cannot close: between the largest and that at which all of it would end with the picture.
fn open_size(top: f32, lines: usize, (least, most): (u16, u16)) -> f32 {
    let by_height = (HEIGHT - first_top(top)) / (lines.max(1) as f32 * PITCH);
    f32::midpoint(f32::from(most), by_height).ceil().clamp(f32::from(least), f32::from(most))
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
        let layout = CodeLayout::fit(260.0, ROOM, 6, &[23, 18, 19, 20, 25, 2]);
        assert_eq!((layout.size, layout.pitch, layout.height, layout.hidden), (28.0, 42.0, Some(330.0), 0));
    }

    #[test]
    fn leading_goes_before_size_and_size_before_the_last_lines() {
        let fit =
            |lines: usize| CodeLayout::fit(WITH_TITLE, ROOM, lines, &vec![if lines < 9 { 60 } else { 70 }; lines]);
        assert_eq!((fit(8).size, fit(8).pitch), (26.0, 39.0));
        assert_eq!((fit(9).size, fit(9).pitch), (24.0, 33.0));
        assert_eq!((fit(10).size, fit(10).pitch), (22.0, 30.0));
        assert_eq!((fit(11).size, fit(11).pitch, fit(11).hidden), (20.0, 28.0, 0));
        assert!(fit(12).hidden > 0);
    }

    #[test]
    fn a_window_closes_or_hides_something() {
        for top in [52.0, 124.0, 141.0, 198.0, WITH_TITLE, 260.0] {
            for (lines, columns) in (1..30).flat_map(|lines| [10, 40, 60, 84, 100].map(|columns| (lines, columns))) {
                let layout = CodeLayout::fit(top, ROOM, lines, &vec![columns; lines.min(most_lines())]);
                let last = layout.line_baseline(layout.shown.max(1) - 1);
                let Some(height) = layout.height else {
                    assert!(layout.hidden > 0 && layout.shown + layout.hidden == lines, "{layout:?}");
                    assert!(last <= HEIGHT, "{layout:?}");
                    continue;
                };
                assert_eq!((layout.hidden, layout.shown), (0, lines));
                assert!(last + MONO_DESCENT * layout.size <= window::LOWEST_TEXT, "{layout:?}");
                assert!(layout.top + height <= window::LOWEST && layout.top >= top, "{layout:?}");
                assert!(layout.line_top(lines) + window::LEAST_BOTTOM <= layout.top + height + 1.0, "{layout:?}");
            }
        }
    }

    #[test]
    fn what_cannot_close_runs_off_and_counts_the_rest() {
        let mut columns = vec![40; 14];
        columns[0] = 57;
        let titled = CodeLayout::fit(WITH_TITLE, ROOM, 14, &columns);
        assert_eq!((titled.size, titled.height, titled.shown, titled.hidden), (24.0, None, 10, 4));
        let untitled = CodeLayout::fit(WITHOUT_TITLE, ROOM, 14, &columns);
        assert_eq!((untitled.size, untitled.height, untitled.shown, untitled.hidden), (26.0, None, 11, 3));
    }

    #[test]
    fn a_long_file_is_not_smaller_than_legible() {
        let layout = CodeLayout::fit(WITH_TITLE, ROOM, 500_000, &[60; 20]);
        assert_eq!(layout.size, 22.0);
        assert!(layout.shown < most_lines());
        assert_eq!(layout.hidden, 500_000 - 10);
    }

    #[test]
    fn a_line_that_fits_at_no_size_does_not_make_the_rest_small() {
        assert_eq!(CodeLayout::fit(WITH_TITLE, ROOM, 3, &[300, 1, 1]).size, 24.0);
        assert_eq!(CodeLayout::fit(WITH_TITLE, ROOM, 3, &[300, 84, 1]).size, 20.0);
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
    fn a_short_window_stands_a_little_above_the_middle() {
        for lines in 1..=4 {
            let layout = CodeLayout::fit(WITH_TITLE, ROOM, lines, &[20, 36, 51, 20]);
            let (above, below) = (layout.top - WITH_TITLE, window::FOOT - layout.top - layout.height.unwrap());
            assert!(above > 20.0 && above < below && below < 1.3 * above, "{lines}: {above} {below}");
        }
    }
}
