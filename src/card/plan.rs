//! The palette of a card: what is drawn, and the layer under it, come in; the layer's colours and the best ones for the rest go
//! out. Nothing is painted for it: every raster knows how many pixels it has of each level.

use super::colour::Rgb;
use super::indexed::Indexed;
use super::paint::{Op, Tone};
use super::palette::{Mixer, Sample, Search, between, channels, represent};
use super::raster::{LEVELS, Pixels, Raster};

/// The most colours of a palette.
const MOST: usize = 256;
/// Rounds in which a card's colours are improved.
const ROUNDS: usize = 1;
/// A mean squared error of pictures above which a card is better kept in true colour: 32 dB.
const WORST: f32 = 40.0;
/// How much more the colour itself counts than what lies between it and its ground.
const WHOLE: f32 = 8.0;
/// Tones on grounds that are told apart.
const MOST_RAMPS: usize = 160;
/// Pixels between those that are looked at under a shape.
const STRIDE: usize = 5;
/// Shapes of fewer pixels are not the ground of anything.
const SMALLEST: usize = 200;

/// A tone on a ground: its levels are mixtures of the two.
struct Ramp {
    tone: Tone,
    ground: Rgb,
    counts: [u32; LEVELS],
}

/// A shape that may be the ground of what is drawn later.
struct Shape {
    area: [i32; 4],
    colour: Rgb,
}

/// The palette with at most `most` colours besides the layer's own; none when the pictures need true colour.
pub(super) fn palette(layer: &Indexed, ops: &[Op], most: usize) -> Option<Vec<[u8; 3]>> {
    let mut plan = Plan { layer, ramps: Vec::new(), shapes: Vec::new(), last: 0, samples: Vec::new() };
    let mut pictures: Vec<&[Sample]> = Vec::new();
    for op in ops {
        match op {
            Op::Mask { left, top, times, raster, tone, .. } => plan.mask(raster, (*left, *top), *times, *tone),
            Op::Picture { raster, .. } => {
                if let Pixels::Colour(_, colours) = &raster.pixels {
                    plan.samples.extend(colours.iter().map(eased));
                    pictures.push(colours);
                }
            }
            Op::FadeDown { .. } => {}
        }
    }
    let mut samples = plan.samples();
    let mut palette = layer.palette.clone();
    palette.extend(represent(&mut samples, most.min(MOST - palette.len()), ROUNDS));
    (error(&palette, &pictures) <= WORST).then_some(palette)
}

/// Colours of a picture that is the ground of everything.
const GROUND_COLOURS: usize = 144;

/// An opaque picture as a ground, each pixel mixed of two colours where it needs to be; none when it needs true colour.
pub(super) fn ground(raster: &Raster) -> Option<Indexed> {
    const THRESHOLDS: [f32; 4] = [0.125, 0.625, 0.875, 0.375];
    let Pixels::Colour(pixels, colours) = &raster.pixels else { return None };
    let mut samples: Vec<Sample> = colours.iter().map(eased).collect();
    let palette = represent(&mut samples, GROUND_COLOURS, 2 * ROUNDS);
    if error(&palette, &[colours]) > WORST {
        return None;
    }
    let exact = palette.clone();
    let mut mixer = Mixer::new(palette);
    let mut rows = Vec::with_capacity(pixels.len() + raster.height());
    for (y, row) in pixels.chunks_exact(raster.width).enumerate() {
        rows.push(0);
        rows.extend(row.iter().enumerate().map(|(x, [r, g, b, _])| {
            let same = exact.binary_search(&[*r, *g, *b]).ok().map(|place| place as u8);
            let threshold = THRESHOLDS[x % 2 + y % 2 * 2];
            same.unwrap_or_else(|| mixer.mix([*r, *g, *b].map(f32::from), threshold))
        }));
    }
    Some(Indexed { width: raster.width, palette: exact, rows })
}

/// A picture's colour with a weight that grows slower than its area.
fn eased(sample: &Sample) -> Sample {
    Sample { weight: sample.weight.sqrt(), ..*sample }
}

/// The mean squared error of pictures in a palette.
fn error(palette: &[[u8; 3]], pictures: &[&[Sample]]) -> f32 {
    if pictures.is_empty() {
        return 0.0;
    }
    let search = Search::new(&channels(palette));
    let (mut error, mut pixels) = (0.0, 1.0);
    for sample in pictures.iter().copied().flatten() {
        error += search.nearest(sample.colour).1 / 3.0 * sample.weight;
        pixels += sample.weight;
    }
    error / pixels
}

struct Plan<'a> {
    layer: &'a Indexed,
    ramps: Vec<Ramp>,
    shapes: Vec<Shape>,
    /// The ramp that was counted last.
    last: usize,
    samples: Vec<Sample>,
}

impl Plan<'_> {
    fn mask(&mut self, raster: &Raster, (left, top): (i32, i32), times: usize, tone: Tone) {
        let Pixels::Coverage(pixels, levels) = &raster.pixels else { return };
        let area = [left, top, left + raster.width as i32, top + (raster.height() * times) as i32];
        let middle = (i32::midpoint(area[0], area[2]), i32::midpoint(area[1], area[3]));
        let on_shape = self.shapes.iter().rev().find(|shape| shape.holds(middle)).map(|shape| shape.colour);
        let ground = on_shape.unwrap_or_else(|| self.layer.colour(middle));
        if tone.is_flat() && pixels.len() * times >= SMALLEST {
            if on_shape.is_none() {
                self.spread(area, tone);
            }
            self.shapes.push(Shape { area, colour: tone.colour.over(ground, f32::from(tone.alpha) / 255.0) });
        }
        self.count(tone, ground, &levels.map(|count| count * times as u32));
    }

    fn count(&mut self, tone: Tone, ground: Rgb, levels: &[u32; LEVELS]) {
        let same = |ramp: &Ramp| ramp.tone == tone && ramp.ground == ground;
        if !self.ramps.get(self.last).is_some_and(same) {
            let full = self.ramps.len() >= MOST_RAMPS;
            let found = self.ramps.iter().position(|ramp| same(ramp) || full && ramp.tone == tone);
            self.last = found.unwrap_or_else(|| {
                self.ramps.push(Ramp { tone, ground, counts: [0; LEVELS] });
                self.ramps.len() - 1
            });
        }
        for (sum, count) in self.ramps[self.last].counts.iter_mut().zip(levels) {
            *sum += count;
        }
    }

    /// Notes what colours a shape makes of a ground that changes under it.
    fn spread(&mut self, [left, top, right, bottom]: [i32; 4], tone: Tone) {
        let mut seen = [0_u32; MOST];
        let across = self.layer.width as i32;
        for row in self.layer.pixels().take(bottom.max(0) as usize).skip(top.max(0) as usize).step_by(STRIDE) {
            for place in row[left.clamp(0, across) as usize..right.clamp(0, across) as usize].iter().step_by(STRIDE) {
                seen[usize::from(*place)] += 1;
            }
        }
        for (place, count) in seen.iter().enumerate().filter(|(_, count)| **count > 0) {
            let [r, g, b] = self.layer.palette[place];
            let colour = tone.colour.over(Rgb(r, g, b), f32::from(tone.alpha) / 255.0).channels();
            self.samples.push(Sample { colour, weight: (*count as f32).sqrt() * STRIDE as f32 });
        }
    }

    /// All colours that are wanted. What a colour counts grows slower than its area, so that the edges of letters keep theirs.
    fn samples(self) -> Vec<Sample> {
        let mut samples = self.samples;
        for Ramp { tone, ground, counts } in self.ramps {
            let (over, base) = (tone.colour.channels(), ground.channels());
            for (level, count) in counts.iter().enumerate().skip(1).filter(|(_, count)| **count > 0) {
                let covered = (level * 255 / (LEVELS - 1)) as u8;
                let share = f32::from(tone.gamma[usize::from(covered)]) / 255.0 * f32::from(tone.alpha) / 255.0;
                let colour = between(base, over, share);
                let whole = if level == LEVELS - 1 { WHOLE } else { 1.0 };
                samples.push(Sample { colour, weight: (*count as f32).sqrt() * whole });
            }
        }
        samples
    }
}

impl Shape {
    fn holds(&self, (x, y): (i32, i32)) -> bool {
        let [left, top, right, bottom] = self.area;
        (left..right).contains(&x) && (top..bottom).contains(&y)
    }
}
