//! The figures of a look file: a value of TOML comes in, a number that can be drawn goes out, or an error that says which numbers
//! can. The bounds are far beyond what looks good, and keep memory and time of a picture within reason.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// Glows and shadows of one look.
const MOST: usize = 8;
/// Characters of a site's name.
const LONGEST: usize = 100;

fn within(value: f64, bounds: RangeInclusive<f32>) -> Option<f32> {
    let value = value as f32;
    bounds.contains(&value).then_some(value)
}

fn number<'de, D: Deserializer<'de>>(from: D, bounds: RangeInclusive<f32>) -> Result<f32, D::Error> {
    let value = f64::deserialize(from)?;
    within(value, bounds.clone())
        .ok_or_else(|| Error::custom(format!("{value} is not between {} and {}", bounds.start(), bounds.end())))
}

fn pair<'de, D: Deserializer<'de>>(from: D, bounds: RangeInclusive<f32>) -> Result<[f32; 2], D::Error> {
    let values = <[f64; 2]>::deserialize(from)?;
    match values.map(|value| within(value, bounds.clone())) {
        [Some(across), Some(down)] => Ok([across, down]),
        _ => Err(Error::custom(format!("both are to be between {} and {}", bounds.start(), bounds.end()))),
    }
}

/// How strongly something shows.
pub(super) fn alpha<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    number(from, 0.0..=1.0)
}

/// The share of a glow's radius at which nothing is left.
pub(super) fn reach<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    number(from, 0.01..=4.0)
}

/// The room at the picture's sides: within 40 pixels of an edge some networks crop.
pub(super) fn padding<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    number(from, 40.0..=240.0).map(f32::round)
}

/// Half axes of a glow.
pub(super) fn radii<'de, D: Deserializer<'de>>(from: D) -> Result<[f32; 2], D::Error> {
    pair(from, 1.0..=5000.0)
}

/// A place in shares of the picture, which may lie outside.
pub(super) fn place<'de, D: Deserializer<'de>>(from: D) -> Result<[f32; 2], D::Error> {
    pair(from, -5.0..=5.0)
}

/// How far a shadow falls.
pub(super) fn offset<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    number(from, -600.0..=600.0)
}

/// How soft a shadow is.
pub(super) fn blur<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    number(from, 0.0..=200.0)
}

/// How much larger than its window a shadow is.
pub(super) fn spread<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    number(from, -100.0..=100.0)
}

/// A list that is not too long to draw.
pub(super) fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let all = Vec::deserialize(from)?;
    if all.len() <= MOST { Ok(all) } else { Err(Error::custom(format!("there are more than {MOST}"))) }
}

/// A short text.
pub(super) fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    if text.chars().count() > LONGEST {
        return Err(Error::custom(format!("a site's name has no more than {LONGEST} characters")));
    }
    Ok(Some(text))
}
