//! Colours: opaque sRGB, how they are written, mixed and weighed against each other. Eight bits a channel, always.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// An opaque sRGB colour, written `#rrggbb` in a look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl Rgb {
    /// Reads `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.is_ascii() {
            return None;
        }
        let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Self(channel(0)?, channel(2)?, channel(4)?))
    }

    /// The three channels as numbers from 0 to 255.
    pub(super) fn channels(self) -> [f32; 3] {
        [f32::from(self.0), f32::from(self.1), f32::from(self.2)]
    }

    /// This colour laid over `under` at `alpha` from 0 to 1, blended in sRGB as browsers do.
    pub(super) fn over(self, under: Self, alpha: f32) -> Self {
        let (top, base) = (self.channels(), under.channels());
        let mix = |i: usize| (top[i] * alpha + base[i] * (1.0 - alpha)).round() as u8;
        Self(mix(0), mix(1), mix(2))
    }

    /// Relative luminance, 0 to 1, as WCAG 2.2 defines it.
    pub(super) fn luminance(self) -> f32 {
        let [r, g, b] = self.channels().map(|c| linear(c / 255.0));
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Contrast ratio with another colour, 1 to 21, as WCAG 2.2 defines it.
    pub(super) fn contrast(self, other: Self) -> f32 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// This colour moved in lightness, hue kept, just far enough to stand at `ratio` against `ground`; as it is when it
    /// already does. Lightness is that of Oklab (Björn Ottosson, 2020); chroma gives way where sRGB ends.
    pub(super) fn legible_on(self, ground: Self, ratio: f32) -> Self {
        if self.contrast(ground) >= ratio {
            return self;
        }
        let [lightness, a, b] = to_oklab(self);
        let goal = if ground.luminance() < 0.18 { 1.0 } else { 0.0 };
        let (mut near, mut far) = (0.0_f32, 1.0_f32);
        for _ in 0..16 {
            let middle = f32::midpoint(near, far);
            let fade = 1.0 - middle * middle;
            let tried = from_oklab([lightness + (goal - lightness) * middle, a * fade, b * fade]);
            if tried.contrast(ground) >= ratio {
                far = middle;
            } else {
                near = middle;
            }
        }
        let fade = 1.0 - far * far;
        from_oklab([lightness + (goal - lightness) * far, a * fade, b * fade])
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not a colour such as #0d0f1a")))
    }
}

/// sRGB to linear light, IEC 61966-2-1.
fn linear(c: f32) -> f32 {
    if c <= 0.04045 { c / 12.92 } else { libm::powf((c + 0.055) / 1.055, 2.4) }
}

/// Linear light to sRGB, IEC 61966-2-1.
fn gamma(c: f32) -> f32 {
    if c <= 0.003_130_8 { c * 12.92 } else { 1.055 * libm::powf(c, 1.0 / 2.4) - 0.055 }
}

/// sRGB to Oklab: lightness 0 to 1, then the two hue axes.
#[allow(clippy::many_single_char_names, reason = "the names of the formula")]
fn to_oklab(colour: Rgb) -> [f32; 3] {
    let [r, g, b] = colour.channels().map(|c| linear(c / 255.0));
    let l = libm::cbrtf(0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b);
    let m = libm::cbrtf(0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b);
    let s = libm::cbrtf(0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b);
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// Oklab to the nearest sRGB colour by clamping each channel.
#[allow(clippy::many_single_char_names, reason = "the names of the formula")]
fn from_oklab([lightness, a, b]: [f32; 3]) -> Rgb {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    let channel = |c: f32| (gamma(c.clamp(0.0, 1.0)) * 255.0).round() as u8;
    Rgb(
        channel(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s),
        channel(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s),
        channel(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_hex() {
        assert_eq!(Rgb::parse("#0d0f1a"), Some(Rgb(13, 15, 26)));
        assert_eq!(Rgb(13, 15, 26).to_string(), "#0d0f1a");
        for wrong in ["0d0f1a", "#0d0f1", "#0d0f1g", "#é0f1", ""] {
            assert_eq!(Rgb::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn black_on_white_is_twenty_one() {
        assert!((Rgb(0, 0, 0).contrast(Rgb(255, 255, 255)) - 21.0).abs() < 0.01);
    }

    #[test]
    fn faint_colours_are_lifted_just_enough() {
        for (faint, ground) in [
            (Rgb(92, 99, 112), Rgb(23, 25, 38)),
            (Rgb(0x65, 0x7b, 0x83), Rgb(0, 43, 54)),
            (Rgb(0xb3, 0xb3, 0xb3), Rgb(255, 255, 255)),
            (Rgb(0, 0, 255), Rgb(0, 0, 0)),
        ] {
            let lifted = faint.legible_on(ground, 4.5);
            let ratio = lifted.contrast(ground);
            assert!((4.4..5.1).contains(&ratio), "{faint} became {lifted} at {ratio}");
        }
    }

    #[test]
    fn legible_colours_stay() {
        let green = Rgb(0x98, 0xc3, 0x79);
        assert_eq!(green.legible_on(Rgb(23, 25, 38), 4.5), green);
    }

    #[test]
    fn oklab_returns() {
        for colour in [Rgb(1, 2, 3), Rgb(200, 100, 50), Rgb(255, 255, 255), Rgb(0, 128, 255)] {
            assert_eq!(from_oklab(to_oklab(colour)), colour);
        }
    }
}
