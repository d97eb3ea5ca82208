//! Rasters: the pixels of one glyph, shape or small picture, with what a palette has to know of them.

use super::palette::Sample;

/// Steps of coverage, from nothing to all, that a picture in a palette tells apart.
pub(super) const LEVELS: usize = 16;

/// Bits of a channel that tell the colours of a picture apart.
const BITS: u32 = 5;
/// Pixels of a picture that is more than a glyph.
const MANY: usize = 1 << 16;

/// Pixels, placed from an origin: `left` to the right of it, `top` above it.
#[derive(Debug)]
pub(super) struct Raster {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: usize,
    pub(super) pixels: Pixels,
}

/// What a raster holds.
#[derive(Debug)]
pub(super) enum Pixels {
    /// Coverage, a byte a pixel, and how many pixels each level has.
    Coverage(Vec<u8>, [u32; LEVELS]),
    /// Colours with premultiplied alpha, and what colours there are: each once, with how many pixels it has.
    Colour(Vec<[u8; 4]>, Vec<Sample>),
}

impl Raster {
    /// A raster in one colour that is yet to be chosen.
    pub(super) fn coverage((left, top): (i32, i32), width: usize, pixels: Vec<u8>) -> Self {
        let mut levels = [0; LEVELS];
        for covered in &pixels {
            levels[usize::from(level(*covered))] += 1;
        }
        Self { left, top, width, pixels: Pixels::Coverage(pixels, levels) }
    }

    /// A raster with colours of its own.
    pub(super) fn coloured((left, top): (i32, i32), width: usize, pixels: Vec<[u8; 4]>) -> Self {
        let colours = colours(&pixels);
        Self { left, top, width, pixels: Pixels::Colour(pixels, colours) }
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        match &self.pixels {
            Pixels::Coverage(pixels, _) => pixels.len() + size_of::<Self>(),
            Pixels::Colour(pixels, colours) => size_of_val(pixels.as_slice()) + size_of_val(colours.as_slice()),
        }
    }

    /// Rows of pixels.
    pub(super) fn height(&self) -> usize {
        let count = match &self.pixels {
            Pixels::Coverage(pixels, _) => pixels.len(),
            Pixels::Colour(pixels, _) => pixels.len(),
        };
        count / self.width.max(1)
    }
}

/// The level of a coverage.
pub(super) fn level(covered: u8) -> u8 {
    ((usize::from(covered) * (LEVELS - 1) + 127) / 255) as u8
}

/// The colours of the pixels that hide what is under them, near ones together, in a fixed order.
fn colours(pixels: &[[u8; 4]]) -> Vec<Sample> {
    if pixels.len() > MANY {
        return counted(pixels);
    }
    let mut buckets: Vec<(u32, [u8; 4])> =
        pixels.iter().filter(|pixel| pixel[3] > 127).map(|pixel| (bucket(*pixel), *pixel)).collect();
    buckets.sort_unstable();
    let mean = |same: &[(u32, [u8; 4])]| {
        let mut sum = [0.0_f32; 3];
        for (_, pixel) in same {
            for (total, channel) in sum.iter_mut().zip(pixel) {
                *total += f32::from(*channel) * 255.0 / f32::from(pixel[3]);
            }
        }
        let weight = same.len() as f32;
        Sample { colour: sum.map(|total| (total / weight).min(255.0)), weight }
    };
    buckets.chunk_by(|a, b| a.0 == b.0).map(mean).collect()
}

/// The same for so many pixels that sorting them would take long.
fn counted(pixels: &[[u8; 4]]) -> Vec<Sample> {
    let mut sums = vec![[0_u64; 4]; 1 << (3 * BITS)];
    for pixel in pixels.iter().filter(|pixel| pixel[3] > 127) {
        let [r, g, b, count] = &mut sums[bucket(*pixel) as usize];
        let whole = |channel: u8| u64::from(channel) * 255 / u64::from(pixel[3]);
        *r += whole(pixel[0]);
        *g += whole(pixel[1]);
        *b += whole(pixel[2]);
        *count += 1;
    }
    let mean = |[r, g, b, count]: &[u64; 4]| {
        let weight = *count as f32;
        Sample { colour: [r, g, b].map(|total| *total as f32 / weight), weight }
    };
    sums.iter().filter(|sum| sum[3] > 0).map(mean).collect()
}

fn bucket([r, g, b, _]: [u8; 4]) -> u32 {
    let high = |channel: u8| u32::from(channel >> (8 - BITS));
    (high(r) << BITS | high(g)) << BITS | high(b)
}
