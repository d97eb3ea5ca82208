//! Text in a slot: what a post says and the slot's setting come in, lines go onto the stage: as large as they fit, evened out, cut
//! with an ellipsis where even the smallest size is too large.

use super::super::TitleCard;
use super::super::direction::Direction;
use super::super::layout::{INTER_ASCENT, INTER_DESCENT, TALL, baseline};
use super::super::paint::Rounded;
use super::super::paragraph::{Breaker, Paragraph, clean, largest_uncut};
use super::super::stage::Stage;
use super::super::unicode::is_tall;
use super::slot::{Field, Piece, Setting, Side};

/// Between the sizes that are tried.
const STEP: f32 = 1.0;
/// The share of a size by which the last line's own room may stand out below a slot.
const SLACK: f32 = 0.2;

/// The text of a slot for a post; empty where it has none of the fields.
pub(super) fn text(pieces: &[Piece], card: &TitleCard, site: Option<&str>) -> String {
    let mut text = String::new();
    let (mut between, mut any, mut last, mut seen) = (None, false, false, false);
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => between = Some(literal),
            Piece::Field(field) => {
                let value = value(*field, card, site);
                last = !value.is_empty();
                if last {
                    let joins = any || !seen;
                    text.extend(between.take().filter(|_| joins).map(String::as_str));
                    text.push_str(&value);
                    any = true;
                }
                (between, seen) = (None, true);
            }
        }
    }
    let alone = pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)));
    if last || alone {
        text.extend(between.map(String::as_str));
    }
    clean(&text)
}

/// What a post says in a field.
pub(super) fn value(field: Field, card: &TitleCard, site: Option<&str>) -> String {
    let said = match field {
        Field::Title => Some(card.title.as_str()),
        Field::Author => card.eyebrow.author.as_deref(),
        Field::Site => card.eyebrow.site.as_deref().or(site),
        Field::Date => card.date.as_deref(),
        Field::Tag => card.tags.first().map(String::as_str),
        Field::Tags => return clean(&card.tags.join(", ")),
        Field::Excerpt => card.excerpt.as_deref(),
        Field::Code | Field::Cover | Field::Avatar | Field::Logo => None,
    };
    clean(said.unwrap_or_default())
}

/// Draws a text into its slot.
pub(super) fn draw(text: &str, area: Rounded, setting: &Setting, stage: &mut Stage<'_>) {
    let (paragraph, size) = fitted(text, area, setting, stage);
    let pitch = size * setting.line_height;
    let free = area.height - pitch * paragraph.lines.len() as f32;
    let top = area.y
        + match setting.valign {
            Side::Start => 0.0,
            Side::Middle => free / 2.0,
            Side::End => free,
        };
    let first = baseline(size, pitch, INTER_ASCENT, INTER_DESCENT);
    let colour = setting.colour.unwrap_or_else(|title| if title { stage.look.title } else { stage.look.muted });
    for (at, line) in paragraph.lines.iter().enumerate() {
        let (left, right) = (area.x, area.x + area.width);
        let free = area.width - line.width / stage.scale();
        let x = match (setting.align, paragraph.direction) {
            (Side::Start, _) => paragraph.left(line, (left, right), stage.scale()),
            (Side::Middle, _) => (left + free / 2.0).round(),
            (Side::End, Direction::LeftToRight) => (left + free).round(),
            (Side::End, Direction::RightToLeft) => left,
        };
        stage.text(line, (x, (top + at as f32 * pitch + first).floor()), colour.into());
    }
}

/// The text at the largest size at which nothing has to be cut; else at the smallest.
fn fitted(text: &str, area: Rounded, setting: &Setting, stage: &mut Stage<'_>) -> (Paragraph, f32) {
    let share = if is_tall(text) { TALL } else { 1.0 };
    let width = area.width * stage.scale();
    let mut set = |step: usize| {
        let size = (setting.largest - step as f32 * STEP).max(setting.smallest);
        let room = (area.height + SLACK * size) / (size * setting.line_height);
        let most = (room as usize).clamp(1, setting.lines);
        let style = stage.style(setting.face, size * share, setting.spacing * size * share);
        let mut breaker = Breaker { fonts: stage.fonts, setter: stage.setter, style, width };
        let paragraph =
            if setting.balanced { breaker.balance(text, most) } else { breaker.fill(text, most, Direction::of(text)) };
        (paragraph, size)
    };
    let largest = set(0);
    let steps = ((setting.largest - setting.smallest) / STEP).ceil() as usize;
    if !largest.0.cut || steps == 0 {
        return largest;
    }
    largest_uncut((0, steps), set)
}

#[cfg(test)]
mod tests {
    use super::super::super::Eyebrow;
    use super::*;

    #[test]
    fn what_stands_between_two_fields_needs_both() {
        let card = |author: &str, date: Option<&str>| TitleCard {
            eyebrow: Eyebrow { author: (!author.is_empty()).then(|| author.to_owned()), site: None },
            date: date.map(str::to_owned),
            ..TitleCard::default()
        };
        let literal = |text: &str| Piece::Literal(text.to_owned());
        let byline =
            [literal("by "), Piece::Field(Field::Author), literal(" · "), Piece::Field(Field::Date), literal(".")];
        let said = |author, date| text(&byline, &card(author, date), None);
        assert_eq!(said("Ada", Some("1 May")), "by Ada · 1 May.");
        assert_eq!(said("Ada", None), "by Ada");
        assert_eq!(said("", Some("1 May")), "1 May.");
        assert_eq!(said("", None), "");
        assert_eq!(text(&[literal("Notes")], &card("", None), None), "Notes");
    }
}
