//! Photographs on a card: whether a picture is one, and the file of a card that holds one: what is drawn comes in, bytes of no more
//! than crawlers take go out, in true colours wherever they fit.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::CardError;
use super::coloured::Coloured;
use super::encode::{self, Writer};
use super::indexed::Indexed;
use super::paint::Op;
use super::palette::{Mixer, Search, channels, represent};
use super::plan;
use super::raster::{Pixels, Raster};

/// The most bytes of a picture; some networks show no larger one.
pub(super) const MOST_BYTES: usize = 300_000;
/// Colours from which a picture is no drawing any more; and from which it is none where most pixels differ from their neighbours, as
/// those of a photograph in greys do.
const MANY: usize = 256;
const SOME: usize = 64;
/// Pixels of a 1200 × 630 picture from which a photograph is worth true colours.
const SMALLEST: usize = 64 * 64;
/// The same from which a PNG of it would be too large.
const LARGE: usize = 40_000;
/// Colours to which a picture is brought down that is too large with more.
const FEWER: [usize; 6] = [128, 64, 32, 16, 8, 4];

/// How much of a card photographs take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Photographs {
    /// None that anybody would look at.
    #[default]
    None,
    /// So little that the card is a good PNG in true colours.
    Small,
    /// So much that only a JPEG holds it.
    Large,
}

impl Photographs {
    /// What so many pixels of a 1200 × 630 picture are.
    pub(super) fn of(pixels: usize) -> Self {
        match pixels {
            LARGE.. => Self::Large,
            SMALLEST.. => Self::Small,
            _ => Self::None,
        }
    }
}

/// Whether a picture has more colours than a drawing.
pub(super) fn is_photograph(pixels: &[[u8; 4]]) -> bool {
    let mut seen = BTreeSet::new();
    let (mut last, mut changes) = (None, 0);
    for pixel in pixels.iter().filter(|pixel| pixel[3] == 255) {
        if last == Some(pixel) {
            continue;
        }
        (last, changes) = (Some(pixel), changes + 1);
        seen.insert(*pixel);
        if seen.len() > MANY {
            return true;
        }
    }
    seen.len() > SOME && changes > pixels.len() / 2
}

/// A PNG of what is drawn on a layer: in true colours; else in a palette of which photographs are mixed; else in as few colours as
/// make it small enough.
pub(super) fn png(
    (layer, ops): (&Indexed, &[Op]),
    (picture, writer): (&mut Indexed, &mut Writer),
) -> Result<Vec<u8>, CardError> {
    let whole = Coloured::paint(layer, ops);
    let mut bytes = encode::coloured(&whole)?;
    if bytes.len() > MOST_BYTES && mixed((layer, ops), picture) {
        bytes = writer.indexed(picture)?;
    }
    for most in FEWER {
        if bytes.len() <= MOST_BYTES {
            break;
        }
        bytes = writer.indexed(&reduced(&whole, most))?;
    }
    Ok(bytes)
}

/// Paints what is drawn in a palette, photographs mixed of its colours; whether there is one that is good enough.
fn mixed((layer, ops): (&Indexed, &[Op]), picture: &mut Indexed) -> bool {
    let ground = match ops.first() {
        Some(Op::Picture { left: 0, top: 0, raster, fade: None }) if hides(raster, layer) => plan::ground(raster),
        _ => None,
    };
    let (layer, ops) = ground.as_ref().map_or((layer, ops), |ground| (ground, &ops[1..]));
    let Some(palette) = plan::palette(layer, ops, usize::MAX) else { return false };
    let mut mixer = Mixer::new(palette.clone());
    let ops: Vec<Op> = ops.iter().map(|op| dithered(op, &mut mixer)).collect();
    picture.paint(layer, palette, &ops);
    true
}

/// Whether a picture at the corner of a layer leaves nothing of it to be seen.
fn hides(raster: &Raster, layer: &Indexed) -> bool {
    let Pixels::Colour(pixels, _) = &raster.pixels else { return false };
    raster.width == layer.width && raster.height() == layer.height() && pixels.iter().all(|pixel| pixel[3] == 255)
}

/// The same with a photograph in colours of the mixer alone.
fn dithered(op: &Op, mixer: &mut Mixer) -> Op {
    /// In which order neighbours take the farther of two colours.
    const ORDER: [[u8; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];
    match op {
        Op::Mask { left, top, times, raster, tone, fade } => {
            Op::Mask { left: *left, top: *top, times: *times, raster: Arc::clone(raster), tone: *tone, fade: *fade }
        }
        Op::FadeDown { left, top, right, bottom, colour } => {
            Op::FadeDown { left: *left, top: *top, right: *right, bottom: *bottom, colour: *colour }
        }
        Op::Picture { left, top, raster, fade } => {
            let raster = match &raster.pixels {
                Pixels::Colour(pixels, _) if pixels.len() >= SMALLEST && is_photograph(pixels) => {
                    let palette = mixer.palette();
                    let mix = |(at, pixel): (usize, &[u8; 4])| {
                        let [r, g, b, alpha] = *pixel;
                        if alpha != 255 {
                            return *pixel;
                        }
                        let threshold = f32::from(ORDER[at / raster.width % 4][at % raster.width % 4]) + 0.5;
                        let place = mixer.mix([r, g, b].map(f32::from), threshold / 16.0);
                        let [r, g, b] = palette[usize::from(place)];
                        [r, g, b, 255]
                    };
                    let pixels = pixels.iter().enumerate().map(mix).collect();
                    Arc::new(Raster::coloured((raster.left, raster.top), raster.width, pixels))
                }
                _ => Arc::clone(raster),
            };
            Op::Picture { left: *left, top: *top, raster, fade: *fade }
        }
    }
}

/// A picture in at most so many colours.
fn reduced(picture: &Coloured, most: usize) -> Indexed {
    let pixels: Vec<[u8; 4]> = picture.pixels.iter().map(|&[r, g, b]| [r, g, b, 255]).collect();
    let raster = Raster::coloured((0, 0), picture.width, pixels);
    let Pixels::Colour(pixels, mut samples) = raster.pixels else { return Indexed::default() };
    let palette = represent(&mut samples, most, 2);
    let search = Search::new(&channels(&palette));
    let mut known = vec![None; 1 << 18];
    let mut place = |[r, g, b, _]: [u8; 4]| {
        let cube = usize::from(r >> 2) << 12 | usize::from(g >> 2) << 6 | usize::from(b >> 2);
        *known[cube].get_or_insert_with(|| search.nearest([r, g, b].map(f32::from)).0 as u8)
    };
    let mut rows = Vec::with_capacity(pixels.len() + picture.height());
    for row in pixels.chunks_exact(picture.width.max(1)) {
        rows.push(0);
        rows.extend(row.iter().map(|pixel| place(*pixel)));
    }
    Indexed { width: picture.width, palette, rows }
}

#[cfg(test)]
mod tests {
    use super::super::colour::Rgb;
    use super::*;

    /// Noise, which no compression makes small.
    fn noise(width: usize, height: usize) -> Arc<Raster> {
        let mut state = 1_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let pixels = (0..width * height).map(|_| [byte(), byte(), byte(), 255]).collect();
        Arc::new(Raster::coloured((0, 0), width, pixels))
    }

    #[test]
    fn a_drawing_is_no_photograph() {
        let drawing: Vec<[u8; 4]> = (0..100_000).map(|at| [(at / 3 % 200) as u8, 0, 0, 255]).collect();
        assert!(!is_photograph(&drawing));
        let Pixels::Colour(pixels, _) = &noise(64, 64).pixels else { unreachable!() };
        assert!(is_photograph(pixels));
        let greys: Vec<[u8; 4]> = pixels.iter().map(|&[grey, ..]| [grey, grey, grey, 255]).collect();
        assert!(is_photograph(&greys));
        assert_eq!([0, 4095, 4096, 40_000].map(Photographs::of).map(|some| some as u8), [0, 0, 1, 2]);
    }

    #[test]
    fn the_worst_photograph_is_small_enough() {
        let layer = Indexed { width: 1200, palette: vec![[9; 3]], rows: vec![0; 1201 * 630] };
        let ops = [Op::Picture { left: 0, top: 0, raster: noise(1200, 630), fade: None }];
        let bytes = png((&layer, &ops), (&mut Indexed::default(), &mut Writer::default())).unwrap();
        assert!(bytes.len() <= MOST_BYTES, "{} bytes", bytes.len());
    }

    #[test]
    fn a_mixed_photograph_has_the_mean_of_its_colours() {
        let ramp: Vec<[u8; 4]> =
            (0..128 * 128).map(|at| [(at % 128) as u8, (at / 128) as u8, (at / 256) as u8, 255]).collect();
        let mut layer = Indexed { width: 128, palette: vec![[0; 3]], rows: vec![0; 129 * 128] };
        layer.palette.extend((1..200).map(|grey| [grey; 3]));
        let raster = Arc::new(Raster::coloured((0, 0), 128, ramp.clone()));
        let ops = [Op::Picture { left: 0, top: 0, raster, fade: None }];
        let mut picture = Indexed::default();
        assert!(mixed((&layer, &ops), &mut picture));
        let mean = |pixel: &dyn Fn(i32, i32) -> Rgb| {
            let sum: u32 =
                (64..72).flat_map(|y| (32..40).map(move |x| (x, y))).map(|(x, y)| u32::from(pixel(x, y).0)).sum();
            f64::from(sum) / 64.0
        };
        let wanted = mean(&|x, y| Rgb(ramp[(y * 128 + x) as usize][0], 0, 0));
        let got = mean(&|x, y| picture.colour((x, y)));
        assert!((wanted - got).abs() < 3.0, "{wanted} became {got}");
    }
}
