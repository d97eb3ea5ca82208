//! Tags as chips in a row: as many as there is room for, and how many are left out.

use super::colour::Rgb;
use super::font::face;
use super::layout::title;
use super::paint::Rounded;
use super::paragraph::clean;
use super::stage::Stage;
use super::text::Line;

/// Tags that are looked at, and the bytes of the longest that is drawn.
const MOST_TAGS: usize = 99;
const LONGEST_TAG: usize = 80;

/// Where chips stand, and in which colours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The room that they have; its radius is theirs.
    pub(super) area: Rounded,
    pub(super) size: f32,
    pub(super) colour: Rgb,
    pub(super) ground: (Rgb, f32),
    /// Which share of the room that is left stands before them.
    pub(super) lead: f32,
}

/// Draws tags from the left, as many as fit, and how many are left out.
pub(super) fn draw_tags(tags: &[String], row: Row, stage: &mut Stage<'_>) {
    let style = stage.style(face::TEXT_SEMIBOLD, row.size, 0.0);
    let in_all = row.area.height / title::TAG_HEIGHT;
    let (padding, gap) = (title::TAG_PADDING * in_all, title::TAG_GAP * in_all);
    let (side, right) = (row.area.x, row.area.x + row.area.width);
    let mut chip = |text: &str| {
        let line = stage.setter.shape(stage.fonts, text, style);
        let width = line.width / stage.canvas.scale + 2.0 * padding;
        (line, width)
    };
    let tags: Vec<String> = tags.iter().take(MOST_TAGS).map(|tag| clean(tag)).filter(|tag| !tag.is_empty()).collect();
    let drawable: Vec<&String> = tags.iter().filter(|tag| tag.len() <= LONGEST_TAG).collect();
    let chips: Vec<(Line, f32)> = drawable.iter().map(|tag| chip(tag)).collect();
    let ends: Vec<f32> = chips
        .iter()
        .scan(side, |left, (_, width)| {
            let end = *left + width;
            *left = end + gap;
            Some(end)
        })
        .collect();
    let fitting = ends.iter().take_while(|end| **end <= right).count();
    // One tag fewer may be needed to have room for the count of those left out.
    let (kept, rest) = (0..=fitting)
        .rev()
        .map(|kept| (kept, (kept < tags.len()).then(|| chip(&format!("+{}", tags.len() - kept)))))
        .find(|(kept, rest)| {
            let left = if *kept == 0 { side } else { ends[*kept - 1] + gap };
            rest.as_ref().is_none_or(|(_, width)| left + width <= right)
        })
        .unwrap_or((0, None));
    let shown: Vec<&(Line, f32)> = chips.iter().take(kept).chain(&rest).collect();
    let taken: f32 = shown.iter().map(|(_, width)| width + gap).sum::<f32>() - gap;
    let mut left = side + ((row.area.width - taken).max(0.0) * row.lead).round();
    for (line, width) in shown {
        draw_tag(line, (left, *width, padding), row, stage);
        left += width + gap;
    }
}

fn draw_tag(line: &Line, (left, width, padding): (f32, f32, f32), row: Row, stage: &mut Stage<'_>) {
    let chip = Rounded { x: left, width, ..row.area };
    stage.canvas.fill(chip, row.ground.0, row.ground.1);
    // A capital stands in the middle of a chip.
    let baseline =
        title::TAG_BASELINE + (row.area.height - title::TAG_HEIGHT) / 2.0 + (row.size - title::TAG_SIZE) * 0.364;
    stage.text(line, (left + padding, row.area.y + baseline), row.colour.into());
}
