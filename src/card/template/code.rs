//! Code in a slot: a block and the slot's setting come in, highlighted rows go onto the stage, as large as they fit; lines that
//! are left out are counted in a pill.

use syntect::highlighting::Theme;

use super::super::CodeCard;
use super::super::code_box::{CodeBox, Place};
use super::super::code_rows::{Code, Room};
use super::super::colour::Rgb;
use super::super::layout::{pill, window};
use super::super::paint::Rounded;
use super::super::pill::{Hidden, Pill};
use super::super::stage::Stage;
use super::slot::{Block, Ground};

/// The share of a slot's height that fades out at most.
const MOST_FADED: f32 = 0.3;
/// The share of the padding at the sides that stands above and below.
const ABOVE: f32 = 0.8;
/// The least room for code, in pixels of a 1200 × 630 picture.
const LEAST: f32 = 24.0;

/// Draws a block into its slot.
pub(super) fn draw(card: &CodeCard, area: Rounded, block: &Block, theme: (&Theme, Option<Rgb>), stage: &mut Stage<'_>) {
    let (fill, alpha) = match block.ground {
        Ground::Window => (stage.look.window.fill, 1.0),
        Ground::Own(colour, alpha) => (colour, alpha),
        Ground::Art => (stage.look.window.fill, 0.0),
    };
    let usual = if alpha > 0.0 { window::CODE_SIDE.max(area.radius) } else { 0.0 };
    let side = block.padding.unwrap_or(usual).min((area.width - LEAST).max(0.0) / 2.0);
    let above = (side * ABOVE).min((area.height - LEAST).max(0.0) / 2.0);
    if alpha > 0.0 {
        stage.canvas.fill(area, fill, alpha);
    }
    let end = area.y + area.height;
    let fade = if alpha >= 1.0 { window::FADE_DOWN.min(area.height * MOST_FADED) } else { 0.0 };
    let place = CodeBox { top: area.y + above, bottom: end - above, end, sizes: (block.smallest, block.largest), fade };
    let room = Room { left: area.x + side, width: area.width - 2.0 * side, band: (area.x, area.width), fill };
    let code = Code::read(card, theme, (Place::Box(place), room), stage);
    let inset = side.max(area.radius / 2.0).min(pill::INSET);
    let corner = (area.x + area.width - inset, end - above.min(pill::INSET) / 2.0);
    let pill = Pill::new(Hidden { lines: code.layout.hidden, more: card.cut }, (corner, fill), stage);
    code.draw(card, pill.as_ref(), stage);
    if let Some(pill) = pill {
        if fade > 0.0 {
            let (x, width) = (area.x + area.radius, area.width - 2.0 * area.radius);
            stage.canvas.fade_down(x, end - fade, width, fade, fill);
        }
        pill.draw(stage);
    }
}
