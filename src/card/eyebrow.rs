//! The eyebrow: the avatar, which is the look's picture or the author's initial, then author and site, and the look's logo at the
//! other end.

use unicode_segmentation::UnicodeSegmentation;

use super::Eyebrow;
use super::colour::Rgb;
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

/// Draws the eyebrow with the avatar's corner at `at`, in design pixels.
pub(super) fn draw_eyebrow(content: &Eyebrow, at: (f32, f32), stage: &mut Stage<'_>) {
    let present = |text: Option<&str>| text.map(clean).filter(|text| !text.is_empty());
    let (author, site) = (present(content.author.as_deref()), present(site(content, stage)));
    let (mut x, y) = (at.0, at.1 + eyebrow::BASELINE);
    let right = draw_logo(at.1, WIDTH - at.0, stage);
    if author.is_some() || stage.pictures.avatar.is_some() {
        draw_avatar(author.as_deref(), at, stage);
        x += eyebrow::AVATAR + eyebrow::GAP;
    }
    if let Some(author) = &author {
        let share = if site.is_some() { 0.6 } else { 1.0 };
        x = draw_part(author, (x, y), (right - x) * share, (face::TEXT_SEMIBOLD, stage.look.title), stage);
    }
    let Some(site) = site else { return };
    let muted = stage.look.muted;
    if author.is_some() {
        let dot = muted.over(stage.look.ground, eyebrow::DOT);
        x = draw_part("·", (x + eyebrow::GAP, y), right - x, (face::TEXT_MEDIUM, dot), stage) + eyebrow::GAP;
    }
    draw_part(&site, (x, y), right - x, (face::TEXT_MEDIUM, muted), stage);
}

/// Draws the look's logo so that it ends at `right`, in the middle of the eyebrow's height; gives where the room for text ends.
fn draw_logo(top: f32, right: f32, stage: &mut Stage<'_>) -> f32 {
    let Some(logo) = &stage.pictures.logo else { return right };
    let length = |pixels: usize| pixels as f32 / stage.scale();
    let left = right - length(logo.width);
    stage.picture(logo, (left, top + (eyebrow::AVATAR - length(logo.height())) / 2.0));
    left - eyebrow::LOGO_GAP
}

/// Draws one part, cut to `room`; gives where it ends.
fn draw_part(text: &str, at: (f32, f32), room: f32, (face, colour): (u8, Rgb), stage: &mut Stage<'_>) -> f32 {
    let style = stage.style(face, eyebrow::SIZE, eyebrow::SPACING);
    let width = room * stage.scale();
    let line = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.single(text);
    stage.text(&line, at, colour.into());
    at.0 + line.width / stage.scale()
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
