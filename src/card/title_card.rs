//! The title card: a large title with an excerpt, tags and a date, for posts without code.

use super::eyebrow::{draw_eyebrow, is_empty};
use super::font::face;
use super::layer::Scene;
use super::layout::{INTER_ASCENT, INTER_DESCENT, WIDTH, baseline, eyebrow, title};
use super::paint::Rounded;
use super::paragraph::{Breaker, Paragraph, clean};
use super::stage::Stage;
use super::text::Line;
use super::{CardError, TitleCard};

/// Tags that are looked at, and the bytes of the longest that is drawn.
const MOST_TAGS: usize = 12;
const LONGEST_TAG: usize = 80;

/// Draws a title card onto a fresh stage.
pub(super) fn draw(card: &TitleCard, stage: &mut Stage<'_>) -> Result<(), CardError> {
    stage.lay(Scene::Title)?;
    draw_eyebrow(&card.eyebrow, (side(stage), title::TOP), stage);
    let mut top = title::TOP + if is_empty(&card.eyebrow, stage) { 0.0 } else { eyebrow::AVATAR + title::GAP };
    let text = clean(&card.title);
    if !text.is_empty() {
        let (paragraph, size) = set_title(&text, stage);
        let pitch = size * title::PITCH;
        let first = baseline(size, pitch, INTER_ASCENT, INTER_DESCENT);
        for (at, line) in paragraph.lines.iter().enumerate() {
            let y = (top + at as f32 * pitch + first).floor();
            stage.text(line, (side(stage), y), stage.look.title.into());
        }
        top += paragraph.lines.len() as f32 * pitch + title::EXCERPT_GAP;
    }
    let has_foot = card.date.is_some() || !card.tags.is_empty();
    if let Some(excerpt) = card.excerpt.as_deref().map(clean).filter(|excerpt| !excerpt.is_empty()) {
        let floor = if has_foot { title::TAG_TOP - title::FOOT_GAP } else { title::TAG_TOP + title::TAG_HEIGHT };
        draw_excerpt(&excerpt, top, floor, stage);
    }
    let date = draw_date(card, stage);
    draw_tags(&card.tags, WIDTH - side(stage) - date, stage);
    Ok(())
}

/// Where text begins.
fn side(stage: &Stage<'_>) -> f32 {
    stage.look.padding + title::INDENT
}

/// The title at the largest size at which it takes no more than its lines.
fn set_title(text: &str, stage: &mut Stage<'_>) -> (Paragraph, f32) {
    let width = (WIDTH - 2.0 * side(stage)) * stage.scale();
    let mut set = |step: u16| {
        let size = (title::LARGEST - f32::from(step) * title::STEP).max(title::SMALLEST);
        let style = stage.style(face::DISPLAY_BOLD, size, title::SPACING * size);
        let paragraph = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.balance(text, title::LINES);
        (paragraph, size)
    };
    let largest = set(0);
    if !largest.0.cut {
        return largest;
    }
    let (mut cut, mut fits) = (0, ((title::LARGEST - title::SMALLEST) / title::STEP).ceil() as u16);
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

fn draw_excerpt(excerpt: &str, top: f32, floor: f32, stage: &mut Stage<'_>) {
    let lines = (((floor - top) / title::EXCERPT_PITCH).floor().max(0.0) as usize).min(title::EXCERPT_LINES);
    if lines == 0 {
        return;
    }
    let style = stage.style(face::TEXT_MEDIUM, title::EXCERPT_SIZE, title::EXCERPT_SPACING);
    let width = title::EXCERPT_WIDTH * stage.scale();
    let paragraph = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.fill(excerpt, lines);
    let first = baseline(title::EXCERPT_SIZE, title::EXCERPT_PITCH, INTER_ASCENT, INTER_DESCENT);
    for (at, line) in paragraph.lines.iter().enumerate() {
        let y = (top + at as f32 * title::EXCERPT_PITCH + first).floor();
        stage.text(line, (side(stage), y), stage.look.muted.into());
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

/// Draws tags from the left, as many as end before `right`.
fn draw_tags(tags: &[String], right: f32, stage: &mut Stage<'_>) {
    let style = stage.style(face::TEXT_SEMIBOLD, title::TAG_SIZE, 0.0);
    let mut left = side(stage);
    for tag in
        tags.iter().take(MOST_TAGS).map(|tag| clean(tag)).filter(|tag| !tag.is_empty() && tag.len() <= LONGEST_TAG)
    {
        let line = stage.setter.shape(stage.fonts, &tag, style);
        let width = line.width / stage.scale() + 2.0 * title::TAG_PADDING;
        if left + width > right {
            break;
        }
        draw_tag(&line, left, width, stage);
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
