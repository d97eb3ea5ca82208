//! The title card: a large title with an excerpt, tags and a date, for posts without code.

use super::TitleCard;
use super::direction::Direction;
use super::eyebrow::{draw_eyebrow, is_empty};
use super::font::face;
use super::layer::Scene;
use super::layout::{INTER_ASCENT, INTER_DESCENT, TALL, WIDTH, baseline, eyebrow, title};
use super::paint::Rounded;
use super::paragraph::{Breaker, Paragraph, clean};
use super::stage::Stage;
use super::text::Line;
use super::unicode::is_tall;

/// Tags that are looked at, and the bytes of the longest that is drawn.
const MOST_TAGS: usize = 99;
const LONGEST_TAG: usize = 80;

/// Draws a title card onto a fresh stage.
pub(super) fn draw(card: &TitleCard, stage: &mut Stage<'_>) {
    stage.lay(Scene::Title);
    draw_eyebrow(&card.eyebrow, (side(stage), title::TOP), stage);
    let mut top = title::TOP + if is_empty(&card.eyebrow, stage) { 0.0 } else { eyebrow::AVATAR + title::GAP };
    let text = clean(&card.title);
    let mut direction = Direction::default();
    if !text.is_empty() {
        let (paragraph, size) = set_title(&text, stage);
        let pitch = size * title::PITCH;
        let first = baseline(size, pitch, INTER_ASCENT, INTER_DESCENT);
        for (at, line) in paragraph.lines.iter().enumerate() {
            let y = (top + at as f32 * pitch + first).floor();
            let x = paragraph.left(line, (side(stage), WIDTH - side(stage)), stage.scale());
            stage.text(line, (x, y), stage.look.title.into());
        }
        direction = paragraph.direction;
        top += paragraph.lines.len() as f32 * pitch + title::EXCERPT_GAP;
    }
    let has_foot = card.date.is_some() || !card.tags.is_empty();
    if let Some(excerpt) = card.excerpt.as_deref().map(clean).filter(|excerpt| !excerpt.is_empty()) {
        let floor = if has_foot { title::TAG_TOP - title::FOOT_GAP } else { title::TAG_TOP + title::TAG_HEIGHT };
        draw_excerpt(&excerpt, direction.under(&excerpt), (top, floor), stage);
    }
    let date = draw_date(card, stage);
    draw_tags(&card.tags, WIDTH - side(stage) - date, stage);
}

/// Where text begins.
fn side(stage: &Stage<'_>) -> f32 {
    stage.look.padding + title::INDENT
}

/// The title at the largest size at which it takes no more than its lines; one of a single line may be larger.
fn set_title(text: &str, stage: &mut Stage<'_>) -> (Paragraph, f32) {
    let width = (WIDTH - 2.0 * side(stage)) * stage.scale();
    let share = if is_tall(text) { TALL } else { 1.0 };
    let mut set = |step: u16| {
        let size = (title::LARGEST_OF_ONE - f32::from(step) * title::STEP).max(title::SMALLEST);
        let style = stage.style(face::DISPLAY_BOLD, size * share, title::SPACING * size * share);
        let paragraph = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.balance(text, title::LINES);
        (paragraph, size)
    };
    let larger = ((title::LARGEST_OF_ONE - title::LARGEST) / title::STEP) as u16;
    let largest = set(larger);
    if largest.0.lines.len() == 1 {
        let single = (0..larger).map(&mut set).find(|(paragraph, _)| paragraph.lines.len() == 1);
        return single.unwrap_or(largest);
    }
    if !largest.0.cut {
        return largest;
    }
    let (mut cut, mut fits) = (larger, larger + ((title::LARGEST - title::SMALLEST) / title::STEP).ceil() as u16);
    while fits - cut > 1 {
        let middle = u16::midpoint(cut, fits);
        if set(middle).0.cut {
            cut = middle;
        } else {
            fits = middle;
        }
    }
    set(fits)
}

fn draw_excerpt(excerpt: &str, direction: Direction, (top, floor): (f32, f32), stage: &mut Stage<'_>) {
    let lines = (((floor - top) / title::EXCERPT_PITCH).floor().max(0.0) as usize).min(title::EXCERPT_LINES);
    if lines == 0 {
        return;
    }
    let style = stage.style(face::TEXT_MEDIUM, title::EXCERPT_SIZE, title::EXCERPT_SPACING);
    let width = title::EXCERPT_WIDTH * stage.scale();
    let paragraph = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.fill(excerpt, lines, direction);
    let first = baseline(title::EXCERPT_SIZE, title::EXCERPT_PITCH, INTER_ASCENT, INTER_DESCENT);
    for (at, line) in paragraph.lines.iter().enumerate() {
        let y = (top + at as f32 * title::EXCERPT_PITCH + first).floor();
        let x = paragraph.left(line, (side(stage), WIDTH - side(stage)), stage.scale());
        stage.text(line, (x, y), stage.look.muted.into());
    }
}

/// Draws the date and gives the room it takes, with a gap.
fn draw_date(card: &TitleCard, stage: &mut Stage<'_>) -> f32 {
    let Some(date) = card.date.as_deref().map(clean).filter(|date| !date.is_empty()) else { return 0.0 };
    let style = stage.style(face::TEXT_MEDIUM, title::DATE_SIZE, 0.0);
    let width = WIDTH / 3.0 * stage.scale();
    let line = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.single(&date);
    let width = line.width / stage.scale();
    stage.text(&line, (WIDTH - side(stage) - width, title::DATE_BASELINE), stage.look.muted.into());
    width + 2.0 * title::TAG_GAP
}

/// Draws tags from the left, as many as end before `right`, and how many are left out.
fn draw_tags(tags: &[String], right: f32, stage: &mut Stage<'_>) {
    let style = stage.style(face::TEXT_SEMIBOLD, title::TAG_SIZE, 0.0);
    let side = side(stage);
    let mut chip = |text: &str| {
        let line = stage.setter.shape(stage.fonts, text, style);
        let width = line.width / stage.canvas.scale + 2.0 * title::TAG_PADDING;
        (line, width)
    };
    let tags: Vec<String> = tags.iter().take(MOST_TAGS).map(|tag| clean(tag)).filter(|tag| !tag.is_empty()).collect();
    let drawable: Vec<&String> = tags.iter().filter(|tag| tag.len() <= LONGEST_TAG).collect();
    let chips: Vec<(Line, f32)> = drawable.iter().map(|tag| chip(tag)).collect();
    let ends: Vec<f32> = chips
        .iter()
        .scan(side, |left, (_, width)| {
            let end = *left + width;
            *left = end + title::TAG_GAP;
            Some(end)
        })
        .collect();
    let fitting = ends.iter().take_while(|end| **end <= right).count();
    // One tag fewer may be needed to have room for the count of those left out.
    let (kept, rest) = (0..=fitting)
        .rev()
        .map(|kept| (kept, (kept < tags.len()).then(|| chip(&format!("+{}", tags.len() - kept)))))
        .find(|(kept, rest)| {
            let left = if *kept == 0 { side } else { ends[*kept - 1] + title::TAG_GAP };
            rest.as_ref().is_none_or(|(_, width)| left + width <= right)
        })
        .unwrap_or((0, None));
    let mut left = side;
    for (line, width) in chips.iter().take(kept).chain(&rest) {
        draw_tag(line, left, *width, stage);
        left += width + title::TAG_GAP;
    }
}

fn draw_tag(line: &Line, left: f32, width: f32, stage: &mut Stage<'_>) {
    let height = title::TAG_HEIGHT;
    let chip = Rounded { x: left, y: title::TAG_TOP, width, height, radius: height / 2.0 };
    let colours = stage.look.chip.clone();
    stage.canvas.fill(chip, colours.ground, colours.alpha);
    stage.text(line, (left + title::TAG_PADDING, title::TAG_TOP + title::TAG_BASELINE), colours.text.into());
}
