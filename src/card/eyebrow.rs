//! The eyebrow: the avatar, which is the look's picture or the author's initial, then author and site, and the look's logo at the
//! other end.

use unicode_segmentation::UnicodeSegmentation;

use super::Eyebrow;
use super::colour::Rgb;
use super::direction::Direction;
use super::font::{Region, face};
use super::layout::{WIDTH, eyebrow};
use super::paint::Rounded;
use super::paragraph::{Breaker, clean};
use super::stage::Stage;

/// The avatar's warm gradient, from the top left to the bottom right, and the initial on it.
const WARM: [Rgb; 2] = [Rgb(0xff, 0xb8, 0x6c), Rgb(0xff, 0x5b, 0x8d)];
const INITIAL: Rgb = Rgb(0x1b, 0x12, 0x20);

/// Whether there is nothing to draw.
pub(super) fn is_empty(content: &Eyebrow, stage: &Stage<'_>) -> bool {
    let texts = [content.author.as_deref(), site(content, stage)];
    stage.pictures.avatar.is_none()
        && stage.pictures.logo.is_none()
        && texts.into_iter().flatten().all(|text| clean(text).is_empty())
}

/// The site's name: the post's or the source's, else the look's.
fn site<'a>(content: &'a Eyebrow, stage: &Stage<'a>) -> Option<&'a str> {
    content.site.as_deref().or(stage.look.site.as_deref())
}

/// Draws the eyebrow in its row between two sides, whose top is `top`, in design pixels: from the left, or under titles that run
/// from the right from there.
pub(super) fn draw_eyebrow(content: &Eyebrow, (edge, top): (f32, f32), direction: Direction, stage: &mut Stage<'_>) {
    let present = |text: Option<&str>| text.map(clean).filter(|text| !text.is_empty());
    let (author, site) = (present(content.author.as_deref()), present(site(content, stage)));
    let mut row = Row { left: edge, right: WIDTH - edge, direction };
    if let Some(logo) = stage.pictures.logo.clone() {
        let [width, height] = [logo.width, logo.height()].map(|pixels| pixels as f32 / stage.scale());
        let x = row.last(width, eyebrow::LOGO_GAP);
        stage.picture(&logo, (x, top + (eyebrow::AVATAR - height) / 2.0));
    }
    if author.is_some() || stage.pictures.avatar.is_some() {
        let x = row.first(eyebrow::AVATAR, eyebrow::GAP);
        draw_avatar(author.as_deref(), (x, top), stage);
    }
    let muted = stage.look.muted;
    let y = top + eyebrow::BASELINE;
    if let Some(author) = &author {
        let share = if site.is_some() { 0.6 } else { 1.0 };
        draw_part(author, (&mut row, y, share), (face::TEXT_SEMIBOLD, stage.look.title), stage);
    }
    let Some(site) = site else { return };
    if author.is_some() {
        let dot = muted.over(stage.look.ground, eyebrow::DOT);
        draw_part("·", (&mut row, y, 1.0), (face::TEXT_MEDIUM, dot), stage);
    }
    draw_part(&site, (&mut row, y, 1.0), (face::TEXT_MEDIUM, muted), stage);
}

/// What is left of a row, in design pixels.
struct Row {
    left: f32,
    right: f32,
    direction: Direction,
}

impl Row {
    /// Takes a part where the row begins, and a gap after it; gives the left end of the part.
    fn first(&mut self, width: f32, gap: f32) -> f32 {
        match self.direction {
            Direction::LeftToRight => self.take_left(width, gap),
            Direction::RightToLeft => self.take_right(width, gap),
        }
    }

    /// The same where the row ends.
    fn last(&mut self, width: f32, gap: f32) -> f32 {
        match self.direction {
            Direction::LeftToRight => self.take_right(width, gap),
            Direction::RightToLeft => self.take_left(width, gap),
        }
    }

    fn take_left(&mut self, width: f32, gap: f32) -> f32 {
        self.left += width + gap;
        self.left - width - gap
    }

    fn take_right(&mut self, width: f32, gap: f32) -> f32 {
        self.right -= width + gap;
        self.right + gap
    }
}

/// Draws one part in what is left of a row, cut to a share of it.
fn draw_part(text: &str, (row, y, share): (&mut Row, f32, f32), (face, colour): (u8, Rgb), stage: &mut Stage<'_>) {
    let style = stage.style(face, eyebrow::SIZE, eyebrow::SPACING);
    let width = (row.right - row.left) * share * stage.scale();
    let line = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.single(text);
    let x = row.first(line.width / stage.scale(), eyebrow::GAP);
    stage.text(&line, (x, y), colour.into());
}

fn draw_avatar(author: Option<&str>, (x, y): (f32, f32), stage: &mut Stage<'_>) {
    if let Some(avatar) = &stage.pictures.avatar {
        return stage.picture(avatar, (x, y));
    }
    let side = eyebrow::AVATAR;
    draw_initial(author, Rounded { x, y, width: side, height: side, radius: side / 2.0 }, stage);
}

/// Draws an author's initial on a warm gradient.
pub(super) fn draw_initial(author: Option<&str>, shape: Rounded, stage: &mut Stage<'_>) {
    let Rounded { x, y, width, height, .. } = shape;
    let draw = || stage.canvas.gradient(shape, [(x, y), (x + width, y + height)], WARM);
    let (kept, disc) = stage.pictures.disc.get_or_init(|| (shape, draw()));
    if let Some((disc, at)) = if *kept == shape { disc.clone() } else { draw() } {
        stage.canvas.picture(disc, at);
    }
    let is_letter = |grapheme: &&str| grapheme.chars().any(char::is_alphanumeric);
    let Some(initial) = author.and_then(|author| author.graphemes(true).find(is_letter)) else { return };
    // A capital that no face has says less than the letter as it was written.
    let capital = initial.to_uppercase();
    let can_be_drawn = stage.fonts.face_for(&capital, face::TEXT_SEMIBOLD, Region::of(&capital)).is_some();
    let initial = if can_be_drawn { capital } else { initial.to_owned() };
    let ratio = height / eyebrow::AVATAR;
    let style = stage.style(face::TEXT_SEMIBOLD, eyebrow::INITIAL * ratio, 0.0);
    let line = stage.setter.shape(stage.fonts, &initial, style);
    let left = x + (width - line.width / stage.scale()) / 2.0;
    stage.text(&line, (left, y + eyebrow::INITIAL_BASELINE * ratio), INITIAL.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_from_the_right_is_the_mirror_of_one_from_the_left() {
        let taken = |direction| {
            let mut row = Row { left: 100.0, right: 1100.0, direction };
            ([row.last(50.0, 8.0), row.first(40.0, 10.0), row.first(30.0, 10.0)], (row.left, row.right))
        };
        assert_eq!(taken(Direction::LeftToRight), ([1050.0, 100.0, 150.0], (190.0, 1042.0)));
        assert_eq!(taken(Direction::RightToLeft), ([100.0, 1060.0, 1020.0], (158.0, 1010.0)));
    }
}
