//! The code card: a window of highlighted code under eyebrow and title.

use syntect::highlighting::Theme;

use super::CodeCard;
use super::code_box::Place;
use super::code_layout::code_width;
use super::code_rows::{Code, Room};
use super::colour::Rgb;
use super::eyebrow::{draw_eyebrow, is_empty};
use super::font::face;
use super::layer::Scene;
use super::layout::{HEIGHT, TALL, WIDTH, code, eyebrow, window};
use super::paint::Rounded;
use super::paragraph::{Breaker, Paragraph, clean};
use super::pill::{Hidden, Pill};
use super::stage::Stage;
use super::text::Style;
use super::unicode::is_tall;

/// Draws a code card onto a fresh stage.
pub(super) fn draw(card: &CodeCard, theme: (&Theme, Option<Rgb>), stage: &mut Stage<'_>) {
    let title =
        card.title.as_deref().map(clean).filter(|title| !title.is_empty()).map(|title| set_title(&title, stage));
    let title_lines = title.as_ref().map_or(0, |title| title.lines.len());
    let first = code::TOP + if is_empty(&card.eyebrow, stage) { 0.0 } else { eyebrow::AVATAR + code::TITLE_GAP };
    let top = match (title_lines, is_empty(&card.eyebrow, stage)) {
        (0, true) => code::TOP,
        (0, false) => code::TOP + eyebrow::AVATAR + window::GAP,
        (lines, _) => first + lines as f32 * code::TITLE_PITCH + window::GAP,
    };
    let padding = stage.look.padding;
    let room = Room {
        left: padding + window::CODE_SIDE,
        width: code_width(padding),
        band: (padding + 1.0, WIDTH - 2.0 * padding - 2.0),
        fill: stage.look.window.fill,
    };
    let code = Code::read(card, theme, (Place::Under(top), room), stage);
    stage.lay(Scene::Window { top: code.layout.top, height: code.layout.height });
    let direction = title.as_ref().map(|title| title.direction).unwrap_or_default();
    draw_eyebrow(&card.eyebrow, (stage.look.padding, code::TOP), direction, stage);
    if let Some(title) = title {
        for (at, line) in title.lines.iter().enumerate() {
            let y = first + at as f32 * code::TITLE_PITCH + code::TITLE_BASELINE;
            let x = title.left(line, (stage.look.padding, WIDTH - stage.look.padding), stage.scale());
            stage.text(line, (x, y), stage.look.title.into());
        }
    }
    draw_bar(card, &code, stage);
    let pill = Pill::in_window(Hidden { lines: code.layout.hidden, more: card.cut }, stage);
    code.draw(card, pill.as_ref(), stage);
    if code.layout.height.is_none() {
        let (x, width) = room.band;
        stage.canvas.fade_down(x, HEIGHT - window::FADE_DOWN, width, window::FADE_DOWN, room.fill);
    }
    if let Some(pill) = pill {
        pill.draw(stage);
    }
}

fn set_title(title: &str, stage: &mut Stage<'_>) -> Paragraph {
    let share = if is_tall(title) { TALL } else { 1.0 };
    let (size, spacing) = (code::TITLE_SIZE * share * stage.scale(), code::TITLE_SPACING * stage.scale());
    let style = Style { face: face::DISPLAY_SEMIBOLD, size, spacing, ligatures: true };
    let width = (WIDTH - 2.0 * stage.look.padding) * stage.scale();
    Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.balance(title, code::TITLE_LINES)
}

fn draw_bar(card: &CodeCard, code: &Code, stage: &mut Stage<'_>) {
    let (left, top) = (stage.look.padding, code.layout.top);
    let mut right = WIDTH - stage.look.padding - window::CHIP_RIGHT;
    if let Some(name) = code.language.shown.as_deref().map(clean) {
        let style = stage.style(face::TEXT_SEMIBOLD, window::CHIP_SIZE, window::CHIP_SPACING);
        let line = stage.setter.shape(stage.fonts, &name, style);
        let width = line.width / stage.scale() + 2.0 * window::CHIP_PADDING;
        let chip = Rounded {
            x: (right - width).round(),
            y: top + window::CHIP_TOP,
            width: width.round(),
            height: window::CHIP_HEIGHT,
            radius: window::CHIP_RADIUS,
        };
        let colours = stage.look.window.chip.clone();
        stage.canvas.fill(chip, colours.ground, colours.alpha);
        stage.text(&line, (right - width + window::CHIP_PADDING, chip.y + window::CHIP_BASELINE), colours.text.into());
        right -= width + window::CHIP_PADDING;
    }
    if let Some(file) = card.file.as_deref().map(clean).filter(|file| !file.is_empty()) {
        let style = Style { ligatures: false, ..stage.style(face::CODE, window::NAME_SIZE, 0.0) };
        let width = (right - left - window::NAME_LEFT) * stage.scale();
        let line = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.single(&file);
        let colour = stage.look.window.name;
        stage.text(&line, (left + window::NAME_LEFT, top + window::NAME_BASELINE), colour.into());
    }
}
