//! Where everything on a card stands. All figures of the design are here, in pixels of a 1200 × 630 picture; a scale multiplies
//! them when they are drawn.

/// The picture.
pub(super) const WIDTH: f32 = 1200.0;
pub(super) const HEIGHT: f32 = 630.0;

/// The line with author and site.
pub(super) mod eyebrow {
    pub(in crate::card) const AVATAR: f32 = 40.0;
    /// The longest logo, which is as high as the avatar.
    pub(in crate::card) const LOGO: f32 = 320.0;
    pub(in crate::card) const LOGO_GAP: f32 = 28.0;
    pub(in crate::card) const INITIAL: f32 = 18.0;
    pub(in crate::card) const INITIAL_BASELINE: f32 = 27.0;
    pub(in crate::card) const GAP: f32 = 14.0;
    pub(in crate::card) const SIZE: f32 = 24.0;
    pub(in crate::card) const SPACING: f32 = -0.1;
    /// From the top of the avatar.
    pub(in crate::card) const BASELINE: f32 = 28.0;
    /// How strongly the dot between author and site shows.
    pub(in crate::card) const DOT: f32 = 0.75;
}

/// The code card.
pub(super) mod code {
    pub(in crate::card) const TOP: f32 = 52.0;
    pub(in crate::card) const TITLE_SIZE: f32 = 50.0;
    pub(in crate::card) const TITLE_PITCH: f32 = 57.0;
    pub(in crate::card) const TITLE_SPACING: f32 = -1.1;
    pub(in crate::card) const TITLE_LINES: usize = 2;
    pub(in crate::card) const TITLE_GAP: f32 = 22.0;
    /// From the top of a title's line to its baseline.
    pub(in crate::card) const TITLE_BASELINE: f32 = 46.0;
}

/// The window.
pub(super) mod window {
    pub(in crate::card) const GAP: f32 = 32.0;
    pub(in crate::card) const RADIUS: f32 = 18.0;
    pub(in crate::card) const BAR: f32 = 52.0;
    pub(in crate::card) const DOT: f32 = 13.0;
    pub(in crate::card) const DOT_TOP: f32 = 20.0;
    pub(in crate::card) const DOT_LEFT: f32 = 22.0;
    pub(in crate::card) const DOT_STEP: f32 = 23.0;
    pub(in crate::card) const NAME_SIZE: f32 = 19.0;
    pub(in crate::card) const NAME_LEFT: f32 = 107.0;
    pub(in crate::card) const NAME_BASELINE: f32 = 33.0;
    pub(in crate::card) const CHIP_SIZE: f32 = 17.0;
    pub(in crate::card) const CHIP_SPACING: f32 = 0.12;
    pub(in crate::card) const CHIP_RIGHT: f32 = 22.0;
    pub(in crate::card) const CHIP_TOP: f32 = 11.0;
    pub(in crate::card) const CHIP_HEIGHT: f32 = 31.0;
    pub(in crate::card) const CHIP_PADDING: f32 = 12.0;
    pub(in crate::card) const CHIP_RADIUS: f32 = 8.0;
    pub(in crate::card) const CHIP_BASELINE: f32 = 21.0;
    /// Between the code and the window's sides, the bar above it, and the end of the window.
    pub(in crate::card) const CODE_SIDE: f32 = 30.0;
    pub(in crate::card) const CODE_TOP: f32 = 6.0;
    pub(in crate::card) const CODE_BOTTOM: f32 = 26.0;
    /// Between line numbers and the code, in cells.
    pub(in crate::card) const NUMBER_GAP: usize = 2;
    /// Text of a window that closes ends above the band in which X writes the site's name; the window itself may reach into it,
    /// though not nearer to the edge than X crops, and gives up some of the room under its code first.
    pub(in crate::card) const LOWEST_TEXT: f32 = 574.0;
    pub(in crate::card) const LOWEST: f32 = 590.0;
    pub(in crate::card) const LEAST_BOTTOM: f32 = 12.0;
    /// A window that leaves at least this much room above the foot of the picture stands a little above the middle of it.
    pub(in crate::card) const LOOSE: f32 = 48.0;
    pub(in crate::card) const FOOT: f32 = 578.0;
    pub(in crate::card) const OPTICAL: f32 = 0.45;
    /// What fades out: the foot of a window that runs off the picture, and the end of a line that is too wide.
    pub(in crate::card) const FADE_DOWN: f32 = 120.0;
    /// How much is left of a row at least: what is fainter is not drawn.
    pub(in crate::card) const LEAST_SEEN: f32 = 0.2;
    pub(in crate::card) const FADE_ACROSS: f32 = 96.0;
}

/// The pill that counts the lines left out.
pub(super) mod pill {
    /// Between the pill and code beside it that fades out, and above it to code that does not.
    pub(in crate::card) const GAP: f32 = 18.0;
    pub(in crate::card) const CLEAR: f32 = 6.0;
    /// From the window's right side.
    pub(in crate::card) const INSET: f32 = 26.0;
    pub(in crate::card) const BOTTOM: f32 = 608.0;
    pub(in crate::card) const HEIGHT: f32 = 38.0;
    pub(in crate::card) const PADDING: f32 = 14.0;
    pub(in crate::card) const SIZE: f32 = 18.0;
    pub(in crate::card) const BASELINE: f32 = 25.0;
    /// How much stronger than a chip's its ground is.
    pub(in crate::card) const STRENGTH: f32 = 1.06;
}

/// The title card.
pub(super) mod title {
    pub(in crate::card) const TOP: f32 = 64.0;
    /// Beyond the look's padding, for the accent at the edge.
    pub(in crate::card) const INDENT: f32 = 8.0;
    pub(in crate::card) const ACCENT: f32 = 10.0;
    pub(in crate::card) const GAP: f32 = 44.0;
    pub(in crate::card) const LARGEST: f32 = 82.0;
    /// A title of one line may be this large.
    pub(in crate::card) const LARGEST_OF_ONE: f32 = 104.0;
    pub(in crate::card) const SMALLEST: f32 = 56.0;
    /// Between the sizes that are tried.
    pub(in crate::card) const STEP: f32 = 2.0;
    pub(in crate::card) const PITCH: f32 = 1.06;
    /// Letter-spacing in ems: −2.4 at the largest size.
    pub(in crate::card) const SPACING: f32 = -2.4 / 82.0;
    pub(in crate::card) const LINES: usize = 3;
    pub(in crate::card) const EXCERPT_GAP: f32 = 28.0;
    pub(in crate::card) const EXCERPT_SIZE: f32 = 32.0;
    pub(in crate::card) const EXCERPT_PITCH: f32 = 45.44;
    pub(in crate::card) const EXCERPT_SPACING: f32 = -0.3;
    pub(in crate::card) const EXCERPT_WIDTH: f32 = 900.0;
    pub(in crate::card) const EXCERPT_LINES: usize = 2;
    pub(in crate::card) const TAG_TOP: f32 = 524.0;
    pub(in crate::card) const TAG_HEIGHT: f32 = 46.0;
    pub(in crate::card) const TAG_PADDING: f32 = 18.0;
    pub(in crate::card) const TAG_GAP: f32 = 12.0;
    pub(in crate::card) const TAG_SIZE: f32 = 22.0;
    pub(in crate::card) const TAG_BASELINE: f32 = 31.0;
    pub(in crate::card) const DATE_SIZE: f32 = 24.0;
    pub(in crate::card) const DATE_BASELINE: f32 = 555.0;
    /// Kept free above the tags.
    pub(in crate::card) const FOOT_GAP: f32 = 14.0;
}

/// The share of its size at which a title in tall letters is set, so that its lines do not touch.
pub(super) const TALL: f32 = 0.86;

/// How far the ascent of the faces reaches above, and the descent below the baseline, in ems.
pub(super) const INTER_ASCENT: f32 = 0.968_75;
pub(super) const INTER_DESCENT: f32 = 0.241_5;
pub(super) const MONO_ASCENT: f32 = 1.02;
pub(super) const MONO_DESCENT: f32 = 0.3;

/// The baseline of a line of text that is `pitch` high, from its top, as browsers place it.
pub(super) fn baseline(size: f32, pitch: f32, ascent: f32, descent: f32) -> f32 {
    let (above, below) = ((ascent * size).round(), (descent * size).round());
    (pitch - above - below) / 2.0 + above
}
