//! The pill that counts the lines left out of a code: their number comes in, what is drawn and where code must make way comes out.

use super::colour::Rgb;
use super::font::face;
use super::layout::{MONO_ASCENT, MONO_DESCENT, WIDTH, pill};
use super::paint::Rounded;
use super::stage::Stage;
use super::text::Line;

/// Lines left out of a code: how many, and whether there are more that nobody has counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hidden {
    pub(super) lines: usize,
    pub(super) more: bool,
}

/// A pill in its place, in design pixels, and the colour on which it lies.
pub(super) struct Pill {
    line: Line,
    shape: Rounded,
    fill: Rgb,
}

impl Pill {
    /// The pill of a window that runs off the picture.
    pub(super) fn in_window(hidden: Hidden, stage: &mut Stage<'_>) -> Option<Self> {
        let right = WIDTH - stage.look.padding - pill::INSET;
        let fill = stage.look.window.fill;
        Self::new(hidden, ((right, pill::BOTTOM), fill), stage)
    }

    /// The pill for so many lines, where it ends at the right and below; none where every line is shown.
    pub(super) fn new(
        hidden: Hidden,
        ((right, bottom), fill): ((f32, f32), Rgb),
        stage: &mut Stage<'_>,
    ) -> Option<Self> {
        let text = match hidden {
            Hidden { lines: 0, .. } => return None,
            Hidden { more: true, .. } => "more lines".to_owned(),
            Hidden { lines: 1, .. } => "+1 line".to_owned(),
            Hidden { lines, .. } => format!("+{lines} lines"),
        };
        let style = stage.style(face::TEXT_SEMIBOLD, pill::SIZE, 0.0);
        let line = stage.setter.shape(stage.fonts, &text, style);
        let width = line.width / stage.scale() + 2.0 * pill::PADDING;
        let shape = Rounded {
            x: right - width,
            y: bottom - pill::HEIGHT,
            width,
            height: pill::HEIGHT,
            radius: pill::HEIGHT / 2.0,
        };
        Some(Self { line, shape, fill })
    }

    /// Whether a row of code with its baseline there, and of that size, stands beside the pill.
    pub(super) fn meets(&self, (baseline, size): (f32, f32)) -> bool {
        let (top, bottom) = (self.shape.y - pill::CLEAR, self.shape.y + self.shape.height + pill::CLEAR);
        baseline + MONO_DESCENT * size > top && baseline - MONO_ASCENT * size < bottom
    }

    /// Where code beside the pill has to end.
    pub(super) fn left(&self) -> f32 {
        self.shape.x - pill::GAP
    }

    pub(super) fn draw(&self, stage: &mut Stage<'_>) {
        let colours = stage.look.window.chip.clone();
        let ground = colours.ground.over(self.fill, colours.alpha * pill::STRENGTH);
        stage.canvas.fill(self.shape, ground, 1.0);
        let at = (self.shape.x + pill::PADDING, self.shape.y + pill::BASELINE);
        stage.text(&self.line, at, colours.text.into());
    }
}
