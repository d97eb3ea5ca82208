//! Places for code: a window that grows and runs off the picture, as `code_layout.rs` has it, or a box of a given height, as
//! templates have them. How many lines there are and how wide comes in, a [`CodeLayout`] comes out.

use super::code_layout::{CodeLayout, cell, cells_across, first_top, most_lines};
use super::layer::Scene;
use super::layout::window;

/// The share of a size that a line takes, and how much of the last line's may stand out below.
const PITCH: f32 = 1.5;
const SLACK: f32 = 0.3;
/// The largest size of a code with a line that fits at none.
const LARGEST_OF_CUT: f32 = 24.0;
/// How far the middle of small letters lies below the top of a line, in sizes.
const MIDDLE: f32 = 0.85;

/// Where code may stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// In a window under this height, which closes below its last line or runs off the picture.
    Under(f32),
    /// In a box.
    Box(CodeBox),
}

/// A box of a given height.
#[derive(Debug, Clone, Copy)]
pub(super) struct CodeBox {
    /// Where the first line begins, where the last one ends, and where the box does.
    pub(super) top: f32,
    pub(super) bottom: f32,
    pub(super) end: f32,
    /// The smallest and the largest size.
    pub(super) sizes: (f32, f32),
    /// How much fades out at its end, where lines are left out.
    pub(super) fade: f32,
}

impl Place {
    /// The most lines that could be shown of any code.
    pub(super) fn most_lines(&self) -> usize {
        match self {
            Self::Under(_) => most_lines(),
            Self::Box(area) => area.seen(area.sizes.0, false).max(1) + 1,
        }
    }

    /// What lies under a code that is laid out here; none where others have laid it.
    pub(super) fn scene(&self, layout: &CodeLayout) -> Option<Scene> {
        matches!(self, Self::Under(_)).then_some(Scene::Window { top: layout.top, height: layout.height })
    }

    /// The place of a code of `lines` lines; `columns` are the widths in cells of its first ones.
    pub(super) fn fit(&self, width: f32, lines: usize, columns: &[usize]) -> CodeLayout {
        match self {
            Self::Under(top) => CodeLayout::fit(*top, width, lines, columns),
            Self::Box(area) => area.fit(width, lines, columns),
        }
    }

    /// The same where lines are wrapped into as many rows as `rows` says for so many cells.
    pub(super) fn fit_rows(
        &self,
        width: f32,
        lines: usize,
        columns: &[usize],
        rows: impl FnMut(usize) -> Vec<usize>,
    ) -> CodeLayout {
        match self {
            Self::Under(top) => CodeLayout::fit_rows((*top, width), lines, columns, rows),
            Self::Box(area) => area.fit_rows(width, lines, rows),
        }
    }
}

impl CodeBox {
    /// The largest size at which every line is shown whole; else the largest at which those that are seen fit across.
    fn fit(&self, width: f32, lines: usize, columns: &[usize]) -> CodeLayout {
        let across = cells_across(width, self.sizes.0);
        let widest = |seen: usize| columns.iter().take(seen).copied().filter(|columns| *columns <= across).max();
        let fits = |size: f32, seen: usize| widest(seen).unwrap_or(0) as f32 * cell(size) <= width;
        let all = self.sizes().find(|size| self.seen(*size, false) >= lines && fits(*size, lines));
        let cut = |seen: usize| columns.iter().take(seen).any(|columns| *columns > across);
        if let Some(size) = all {
            let size = if cut(lines) { size.min(LARGEST_OF_CUT).max(self.sizes.0) } else { size };
            return self.layout(size, (lines, 0));
        }
        let size = self.sizes().find(|size| fits(*size, self.seen(*size, true))).unwrap_or(self.sizes.0);
        let size = if cut(self.seen(size, true)) { size.min(LARGEST_OF_CUT).max(self.sizes.0) } else { size };
        let shown = self.seen(size, true).min(lines.saturating_sub(1));
        self.layout(size, (shown, lines - shown))
    }

    /// The largest size at which every row is shown; else as many as there are at the smallest.
    fn fit_rows(&self, width: f32, lines: usize, mut rows: impl FnMut(usize) -> Vec<usize>) -> CodeLayout {
        let mut at = |size: f32| {
            let rows = rows(cells_across(width, size));
            (rows.iter().sum::<usize>() + lines.saturating_sub(rows.len()), rows)
        };
        for size in self.sizes() {
            let (count, _) = at(size);
            if count <= self.seen(size, false) {
                return self.layout(size, (count, 0));
            }
        }
        let (count, rows) = at(self.sizes.0);
        let shown = self.seen(self.sizes.0, true).min(count.saturating_sub(1));
        let ends = rows.iter().scan(0, |end, rows| {
            *end += rows;
            Some(*end)
        });
        let whole = ends.take_while(|end| *end <= shown).count();
        self.layout(self.sizes.0, (shown, lines - whole))
    }

    fn layout(&self, size: f32, (shown, hidden): (usize, usize)) -> CodeLayout {
        let top = self.top - first_top(0.0);
        CodeLayout { top, height: Some(self.end - top), size, pitch: (PITCH * size).round(), shown, hidden }
    }

    /// What is tried, the largest first.
    fn sizes(&self) -> impl Iterator<Item = f32> {
        let (least, most) = self.sizes;
        let steps = (most - least).max(0.0).ceil() as usize;
        (0..=steps).map(move |step| (most - step as f32).max(least))
    }

    /// The lines that are seen at a size; where some are left out, without those that fade nearly away.
    fn seen(&self, size: f32, fades: bool) -> usize {
        let pitch = (PITCH * size).round().max(1.0);
        let whole = ((self.bottom - self.top + SLACK * size) / pitch).max(0.0) as usize;
        if !fades || self.fade <= 0.0 {
            return whole;
        }
        let lowest = self.end - window::LEAST_SEEN * self.fade - MIDDLE * size;
        (((lowest - self.top) / pitch).max(0.0) as usize + 1).min(whole + 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "these figures are whole numbers")]

    use super::*;

    fn area(height: f32) -> Place {
        Place::Box(CodeBox { top: 100.0, bottom: 80.0 + height, end: 100.0 + height, sizes: (20.0, 34.0), fade: 90.0 })
    }

    #[test]
    fn code_is_as_large_as_all_of_it_fits() {
        let layout = area(300.0).fit(600.0, 5, &[20, 25, 10, 3, 4]);
        assert_eq!((layout.size, layout.shown, layout.hidden, layout.line_top(0)), (34.0, 5, 0, 100.0));
        let layout = area(300.0).fit(600.0, 5, &[20, 45, 10, 3, 4]);
        assert_eq!((layout.size, layout.hidden), (22.0, 0));
    }

    #[test]
    fn what_does_not_fit_is_counted_and_stays_inside() {
        for height in [40.0, 90.0, 200.0, 400.0] {
            for lines in [1, 2, 3, 9, 30, 500] {
                let layout = area(height).fit(600.0, lines, &vec![30; lines.min(area(height).most_lines())]);
                assert_eq!(layout.shown + layout.hidden, lines, "{layout:?}");
                let last = layout.line_baseline(layout.shown.max(1) - 1);
                assert!(last <= 100.0 + height || layout.shown <= 1, "{height} {lines}: {layout:?}");
            }
        }
    }

    #[test]
    fn a_line_that_fits_at_no_size_does_not_make_the_rest_small() {
        assert_eq!(area(300.0).fit(600.0, 3, &[300, 1, 1]).size, 24.0);
    }

    #[test]
    fn wrapped_lines_are_counted_as_lines() {
        let layout = area(200.0).fit_rows(600.0, 40, &[300; 40], |cells| vec![300_usize.div_ceil(cells); 40]);
        assert!(layout.hidden >= 39 && layout.shown > 1, "{layout:?}");
        let layout = area(300.0).fit_rows(600.0, 2, &[60, 1], |cells| vec![60_usize.div_ceil(cells), 1]);
        assert_eq!((layout.size, layout.shown, layout.hidden), (34.0, 3, 0));
    }
}
