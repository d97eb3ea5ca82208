//! The title card: a large title with an excerpt, tags and a date, for posts without code.

use super::TitleCard;
use super::direction::Direction;
use super::eyebrow::{draw_eyebrow, is_empty};
use super::font::face;
use super::layer::Scene;
use super::layout::{INTER_ASCENT, INTER_DESCENT, TALL, WIDTH, baseline, eyebrow, title};
use super::paint::Rounded;
use super::paragraph::{Breaker, Paragraph, clean, largest_uncut};
use super::stage::Stage;
use super::tags::{Row, draw_tags};
use super::unicode::is_tall;

/// Draws a title card onto a fresh stage.
pub(super) fn draw(card: &TitleCard, stage: &mut Stage<'_>) {
    stage.lay(Scene::Title);
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
    draw_eyebrow(&card.eyebrow, (side(stage), title::TOP), direction, stage);
    let has_foot = card.date.is_some() || !card.tags.is_empty();
    if let Some(excerpt) = card.excerpt.as_deref().map(clean).filter(|excerpt| !excerpt.is_empty()) {
        let floor = if has_foot { title::TAG_TOP - title::FOOT_GAP } else { title::TAG_TOP + title::TAG_HEIGHT };
        draw_excerpt(&excerpt, direction.under(&excerpt), (top, floor), stage);
    }
    let date = draw_date(card, stage);
    let (x, width) = (side(stage), WIDTH - 2.0 * side(stage) - date);
    let area = Rounded { x, y: title::TAG_TOP, width, height: title::TAG_HEIGHT, radius: title::TAG_HEIGHT / 2.0 };
    let chip = &stage.look.chip;
    let (colour, ground) = (chip.text, (chip.ground, chip.alpha));
    draw_tags(&card.tags, Row { area, size: title::TAG_SIZE, colour, ground, lead: 0.0 }, stage);
}

/// Where text begins.
fn side(stage: &Stage<'_>) -> f32 {
    stage.look.padding + title::INDENT
}

/// The title at the largest size at which it takes no more than its lines; one of a single line may be larger.
fn set_title(text: &str, stage: &mut Stage<'_>) -> (Paragraph, f32) {
    let width = (WIDTH - 2.0 * side(stage)) * stage.scale();
    let share = if is_tall(text) { TALL } else { 1.0 };
    let mut set = |step: usize| {
        let size = (title::LARGEST_OF_ONE - step as f32 * title::STEP).max(title::SMALLEST);
        let style = stage.style(face::DISPLAY_BOLD, size * share, title::SPACING * size * share);
        let paragraph = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.balance(text, title::LINES);
        (paragraph, size)
    };
    let larger = ((title::LARGEST_OF_ONE - title::LARGEST) / title::STEP) as usize;
    let largest = set(larger);
    if largest.0.lines.len() == 1 {
        let single = (0..larger).map(&mut set).find(|(paragraph, _)| paragraph.lines.len() == 1);
        return single.unwrap_or(largest);
    }
    if !largest.0.cut {
        return largest;
    }
    let smaller = ((title::LARGEST - title::SMALLEST) / title::STEP).ceil() as usize;
    largest_uncut((larger, larger + smaller), set)
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
