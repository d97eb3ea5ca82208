//! Palettes: the ground gets one of its own, dithered, once for a look; a finished card adds the colours of its text. What comes out
//! is a picture of one byte a pixel that weighs a quarter of its true colours and looks like them.

/// Colours of the ground; the others are for what stands on it.
pub(super) const GROUND_COLOURS: usize = 112;
/// How far an ordered dither reaches, in levels of a channel.
pub(super) const DITHER: f32 = 3.0;

/// A set of weighted colours that are to be represented by fewer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) colour: [f32; 3],
    pub(super) weight: f32,
}

/// At most `count` colours that represent the samples: boxes are split where they vary most, then each colour moves to the mean
/// of what is nearest to it. The order of the samples decides nothing but ties.
pub(super) fn represent(samples: &mut [Sample], count: usize, rounds: usize) -> Vec<[u8; 3]> {
    let mut colours = split(samples, count);
    for _ in 0..rounds {
        let mut search = Search::new(&colours);
        let mut sums = vec![([0.0_f32; 3], 0.0_f32); colours.len()];
        for sample in samples.iter() {
            let (sum, weight) = &mut sums[search.nearest(sample.colour).0];
            for (total, channel) in sum.iter_mut().zip(sample.colour) {
                *total += channel * sample.weight;
            }
            *weight += sample.weight;
        }
        for (colour, (sum, weight)) in colours.iter_mut().zip(sums) {
            if weight > 0.0 {
                *colour = sum.map(|total| total / weight);
            }
        }
    }
    let mut bytes: Vec<[u8; 3]> = colours.iter().map(|colour| colour.map(|channel| channel.round() as u8)).collect();
    bytes.sort_unstable();
    bytes.dedup();
    bytes
}

/// The means of the boxes that repeated splitting leaves.
fn split(samples: &mut [Sample], count: usize) -> Vec<[f32; 3]> {
    if samples.is_empty() || count == 0 {
        return Vec::new();
    }
    let mut boxes = vec![Spread::of(samples, 0)];
    while boxes.len() < count {
        let Some(at) = (0..boxes.len()).max_by(|a, b| boxes[*a].error.total_cmp(&boxes[*b].error)) else { break };
        let widest = boxes[at];
        if widest.error <= 0.0 {
            break;
        }
        let part = &mut samples[widest.start..widest.end];
        part.sort_unstable_by(|a, b| a.colour[widest.axis].total_cmp(&b.colour[widest.axis]));
        let middle = part
            .partition_point(|sample| sample.colour[widest.axis] < widest.mean[widest.axis])
            .clamp(1, part.len() - 1);
        let (left, right) = part.split_at(middle);
        boxes[at] = Spread::of(left, widest.start);
        boxes.push(Spread::of(right, widest.start + middle));
    }
    boxes.iter().map(|spread| spread.mean).collect()
}

/// A box of samples: where they stand, their mean, how much they err from it and along which axis most.
#[derive(Debug, Clone, Copy)]
struct Spread {
    start: usize,
    end: usize,
    mean: [f32; 3],
    error: f32,
    axis: usize,
}

impl Spread {
    fn of(samples: &[Sample], start: usize) -> Self {
        let (mut weight, mut sum, mut squares) = (0.0_f64, [0.0_f64; 3], [0.0_f64; 3]);
        for sample in samples {
            let share = f64::from(sample.weight);
            weight += share;
            for axis in 0..3 {
                let channel = f64::from(sample.colour[axis]);
                sum[axis] += channel * share;
                squares[axis] += channel * channel * share;
            }
        }
        let errors: [f64; 3] = std::array::from_fn(|axis| (squares[axis] - sum[axis] * sum[axis] / weight).max(0.0));
        let axis = (0..3).max_by(|a, b| errors[*a].total_cmp(&errors[*b])).unwrap_or(0);
        let error = if samples.len() < 2 || errors[axis] < 1e-3 { 0.0 } else { errors.iter().sum::<f64>() as f32 };
        Self { start, end: start + samples.len(), mean: sum.map(|total| (total / weight) as f32), error, axis }
    }
}

/// Colours to search, a channel at a time, as processors like it.
pub(super) struct Search {
    channels: [Vec<f32>; 3],
    distances: Vec<f32>,
}

impl Search {
    pub(super) fn new(colours: &[[f32; 3]]) -> Self {
        let channel = |axis: usize| colours.iter().map(|colour| colour[axis]).collect();
        Self { channels: [channel(0), channel(1), channel(2)], distances: vec![0.0; colours.len()] }
    }

    /// The place of the colour that is nearest, the first of several; and the square of its distance.
    pub(super) fn nearest(&mut self, wanted: [f32; 3]) -> (usize, f32) {
        let [reds, greens, blues] = &self.channels;
        for (((distance, r), g), b) in self.distances.iter_mut().zip(reds).zip(greens).zip(blues) {
            let (r, g, b) = (r - wanted[0], g - wanted[1], b - wanted[2]);
            *distance = r * r + g * g + b * b;
        }
        let least = self.distances.iter().copied().fold(f32::MAX, f32::min);
        (self.distances.iter().position(|distance| *distance <= least).unwrap_or(0), least)
    }
}

/// Finds nearest colours, remembering the answer for each small cube of colours.
pub(super) struct Finder {
    search: Search,
    low: [f32; 3],
    steps: [f32; 3],
    cells: Vec<u8>,
    known: Vec<bool>,
}

/// Cubes along each axis of a [`Finder`].
const CUBES: usize = 64;

impl Finder {
    /// `colours` are at most 256.
    pub(super) fn new(colours: &[[u8; 3]]) -> Self {
        let colours: Vec<[f32; 3]> = colours.iter().map(|colour| colour.map(f32::from)).collect();
        let bound = |axis: usize, pick: fn(f32, f32) -> f32| {
            colours.iter().map(|colour| colour[axis]).reduce(pick).unwrap_or(0.0)
        };
        let low = std::array::from_fn(|axis| bound(axis, f32::min) - DITHER);
        let steps =
            std::array::from_fn(|axis| (CUBES - 1) as f32 / (bound(axis, f32::max) + DITHER - low[axis]).max(1.0));
        Self {
            search: Search::new(&colours),
            low,
            steps,
            cells: vec![0; CUBES.pow(3)],
            known: vec![false; CUBES.pow(3)],
        }
    }

    /// The place of the colour nearest to the cube in which `wanted` lies.
    pub(super) fn find(&mut self, wanted: [f32; 3]) -> u8 {
        let mut cell = 0;
        let mut middle = [0.0; 3];
        for axis in 0..3 {
            let along = ((wanted[axis] - self.low[axis]) * self.steps[axis]).clamp(0.0, (CUBES - 1) as f32) as usize;
            cell = cell * CUBES + along;
            middle[axis] = self.low[axis] + (along as f32 + 0.5) / self.steps[axis];
        }
        if !self.known[cell] {
            self.cells[cell] = self.search.nearest(middle).0 as u8;
            self.known[cell] = true;
        }
        self.cells[cell]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(colours: &[[f32; 3]]) -> Vec<Sample> {
        colours.iter().map(|colour| Sample { colour: *colour, weight: 1.0 }).collect()
    }

    #[test]
    fn few_colours_are_kept_as_they_are() {
        let colours = [[0.0, 0.0, 0.0], [255.0, 0.0, 0.0], [1.0, 2.0, 3.0], [9.0, 9.0, 200.0]];
        assert_eq!(represent(&mut samples(&colours), 8, 2), [[0, 0, 0], [1, 2, 3], [9, 9, 200], [255, 0, 0]]);
    }

    #[test]
    fn a_ramp_is_spread_evenly() {
        let ramp: Vec<[f32; 3]> = (0..=255).map(|v| [v as f32; 3]).collect();
        let colours = represent(&mut samples(&ramp), 16, 4);
        assert_eq!(colours.len(), 16);
        assert!(colours.windows(2).all(|pair| (12..=20).contains(&(pair[1][0] - pair[0][0]))), "{colours:?}");
    }

    #[test]
    fn nothing_is_represented_by_nothing() {
        assert!(represent(&mut [], 8, 1).is_empty());
    }

    #[test]
    fn the_finder_agrees_with_the_search() {
        let colours = [[10, 10, 10], [40, 20, 60], [12, 70, 90]];
        let mut finder = Finder::new(&colours);
        for (at, colour) in colours.iter().enumerate() {
            assert_eq!(usize::from(finder.find(colour.map(f32::from))), at);
        }
    }
}
