//! From true colour to a palette: the pixels of a finished card and of the layer under it come in, one byte a pixel goes out.
//! Pixels that the card left alone keep the layer's colour exactly; the rest share what places are left.

use super::layer::Layer;
use super::palette::{Sample, Search, represent};

/// Bits of a channel that tell buckets of colours apart.
const BITS: u32 = 6;
/// Pixels that are compared at once.
const BLOCK: usize = 64;
/// Rounds in which a card's colours are improved.
const ROUNDS: usize = 2;
/// A mean squared error above which a card is better kept in true colour: 34 dB over the pixels that it changed.
const WORST: f64 = 26.0;

/// A picture of one byte a pixel.
pub(super) struct Indexed {
    pub(super) palette: Vec<[u8; 3]>,
    pub(super) pixels: Vec<u8>,
}

/// Buckets of colours; kept between cards so that only those in use are cleared.
pub(super) struct Buckets {
    all: Vec<Bucket>,
    used: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Bucket {
    count: u32,
    sum: [u32; 3],
    place: u8,
}

impl Buckets {
    pub(super) fn new() -> Self {
        Self { all: vec![Bucket::default(); 1 << (3 * BITS)], used: Vec::new() }
    }

    /// The card in a palette, or none when it has more colours than a palette can hold well.
    pub(super) fn quantise(&mut self, pixels: &[[u8; 4]], layer: &Layer) -> Option<Indexed> {
        for at in self.used.drain(..) {
            self.all[at as usize] = Bucket::default();
        }
        let under = layer.pixmap.data().as_chunks::<4>().0;
        let mut changed = Vec::with_capacity(1 << 17);
        for (block, (pixels, under)) in pixels.chunks(BLOCK).zip(under.chunks(BLOCK)).enumerate() {
            if pixels == under {
                continue;
            }
            for (at, (pixel, _)) in pixels.iter().zip(under).enumerate().filter(|(_, (pixel, under))| pixel != under) {
                changed.push((block * BLOCK + at) as u32);
                self.count(*pixel);
            }
        }
        let mut palette = layer.palette.clone();
        palette.extend(represent(&mut self.samples(), 256 - palette.len(), ROUNDS));
        let error = self.assign(&palette);
        if error > WORST * changed.len() as f64 {
            return None;
        }
        let mut indexed = layer.indices.clone();
        for at in changed {
            indexed[at as usize] = self.all[bucket(pixels[at as usize])].place;
        }
        Some(Indexed { palette, pixels: indexed })
    }

    fn count(&mut self, pixel: [u8; 4]) {
        let at = bucket(pixel);
        let entry = &mut self.all[at];
        if entry.count == 0 {
            self.used.push(at as u32);
        }
        entry.count += 1;
        for (sum, channel) in entry.sum.iter_mut().zip(pixel) {
            *sum += u32::from(channel);
        }
    }

    fn samples(&self) -> Vec<Sample> {
        let sample = |at: &u32| {
            let entry = &self.all[*at as usize];
            // A colour's importance grows slower than its area, so that edges of letters keep their levels.
            Sample { colour: entry.mean(), weight: (entry.count as f32).sqrt() }
        };
        self.used.iter().map(sample).collect()
    }

    /// Gives each bucket its place in the palette; the sum of squared errors comes back.
    fn assign(&mut self, palette: &[[u8; 3]]) -> f64 {
        let colours: Vec<[f32; 3]> = palette.iter().map(|colour| colour.map(f32::from)).collect();
        let mut search = Search::new(&colours);
        let mut error = 0.0;
        for at in &self.used {
            let entry = &mut self.all[*at as usize];
            let (place, distance) = search.nearest(entry.mean());
            entry.place = place as u8;
            error += f64::from(distance / 3.0) * f64::from(entry.count);
        }
        error
    }
}

impl Bucket {
    fn mean(&self) -> [f32; 3] {
        self.sum.map(|sum| sum as f32 / self.count as f32)
    }
}

fn bucket([r, g, b, _]: [u8; 4]) -> usize {
    let high = |channel: u8| usize::from(channel >> (8 - BITS));
    (high(r) << BITS | high(g)) << BITS | high(b)
}
