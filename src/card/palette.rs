//! Palettes: many colours come in, the few that represent them best go out; and the one of them, or the two to mix, that stand for
//! a colour.

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
        let search = Search::new(&colours);
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
        let middle = partition(part, |sample| sample.colour[widest.axis] < widest.mean[widest.axis]);
        let middle = middle.clamp(1, part.len() - 1);
        let (left, right) = part.split_at(middle);
        boxes[at] = Spread::of(left, widest.start);
        boxes.push(Spread::of(right, widest.start + middle));
    }
    boxes.iter().map(|spread| spread.mean).collect()
}

/// Brings the samples that are wanted to the front; how many there are.
fn partition(samples: &mut [Sample], wanted: impl Fn(&Sample) -> bool) -> usize {
    let mut front = 0;
    for at in 0..samples.len() {
        if wanted(&samples[at]) {
            samples.swap(front, at);
            front += 1;
        }
    }
    front
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

/// Colours to search, by their brightness: what differs more in it than the best so far is farther away in all.
pub(super) struct Search {
    colours: Vec<Known>,
}

#[derive(Clone, Copy)]
struct Known {
    /// How far along the grey axis the colour lies.
    grey: f32,
    colour: [f32; 3],
    place: usize,
}

impl Search {
    pub(super) fn new(colours: &[[f32; 3]]) -> Self {
        let known = |(place, colour): (usize, &[f32; 3])| Known { grey: grey(*colour), colour: *colour, place };
        let mut colours: Vec<Known> = colours.iter().enumerate().map(known).collect();
        colours.sort_by(|a, b| a.grey.total_cmp(&b.grey));
        Self { colours }
    }

    /// The place of the colour that is nearest, the first of several; and the square of its distance.
    pub(super) fn nearest(&self, wanted: [f32; 3]) -> (usize, f32) {
        let along = grey(wanted);
        let middle = self.colours.partition_point(|known| known.grey < along);
        let (below, above) = self.colours.split_at(middle);
        let mut best = (usize::MAX, f32::MAX);
        let mut look = |known: &Known| {
            let distance = square(known.colour, wanted);
            if distance < best.1 || distance <= best.1 && known.place < best.0 {
                best = (known.place, distance);
            }
            (known.grey - along) * (known.grey - along) <= best.1
        };
        below.iter().rev().all(&mut look);
        above.iter().all(&mut look);
        (best.0.min(self.colours.len().saturating_sub(1)), best.1)
    }
}

/// How far a colour lies along the axis from black to white, a little less than it is, so that rounding hides no neighbour.
fn grey(colour: [f32; 3]) -> f32 {
    colour.iter().sum::<f32>() * 0.577
}

/// Mixes colours of two of a palette, remembering which two for each small cube of colours.
pub(super) struct Mixer {
    palette: Vec<[u8; 3]>,
    colours: Vec<[f32; 3]>,
    search: Search,
    low: [f32; 3],
    steps: [f32; 3],
    /// The colours with which each mixes best are among those nearest to it.
    neighbours: Vec<Vec<u8>>,
    /// The two places of each cube in the halves of a number; 0 where they are not known.
    cells: Vec<u16>,
}

/// Cubes along each axis of a [`Mixer`].
const CUBES: usize = 64;
/// How far beyond the palette's outermost colours a mixer reaches.
const MARGIN: f32 = 4.0;
/// Colours that are tried for a mixture.
const TRIED: usize = 20;
/// How much the distance between two colours speaks against mixing them: what is far apart is seen as dots.
const COARSE: f32 = 0.06;

impl Mixer {
    /// `colours` are at most 256.
    pub(super) fn new(palette: Vec<[u8; 3]>) -> Self {
        let colours = channels(&palette);
        let bound = |axis: usize, pick: fn(f32, f32) -> f32| {
            colours.iter().map(|colour| colour[axis]).reduce(pick).unwrap_or(0.0)
        };
        let low = std::array::from_fn(|axis| bound(axis, f32::min) - MARGIN);
        let steps =
            std::array::from_fn(|axis| (CUBES - 1) as f32 / (bound(axis, f32::max) + MARGIN - low[axis]).max(1.0));
        let neighbours = colours.iter().map(|colour| neighbours(*colour, &colours)).collect();
        Self { search: Search::new(&colours), palette, colours, low, steps, neighbours, cells: vec![0; CUBES.pow(3)] }
    }

    /// The colours that it mixes.
    pub(super) fn palette(&self) -> Vec<[u8; 3]> {
        self.palette.clone()
    }

    /// The place of the colour that stands for `wanted` where the dither's threshold is `threshold`, 0 to 1.
    pub(super) fn mix(&mut self, wanted: [f32; 3], threshold: f32) -> u8 {
        let mut cell = 0;
        let mut middle = [0.0; 3];
        for axis in 0..3 {
            let along = ((wanted[axis] - self.low[axis]) * self.steps[axis]).clamp(0.0, (CUBES - 1) as f32) as usize;
            cell = cell * CUBES + along;
            middle[axis] = self.low[axis] + (along as f32 + 0.5) / self.steps[axis];
        }
        let [near, far] = if self.cells[cell] == 0 { self.pair(middle, cell) } else { self.cells[cell].to_le_bytes() };
        let (from, to) = (self.colours[usize::from(near)], self.colours[usize::from(far)]);
        if share(from, to, wanted) > threshold { far } else { near }
    }

    /// The nearest colour and the one with which it mixes best, for a whole cube.
    fn pair(&mut self, wanted: [f32; 3], cell: usize) -> [u8; 2] {
        let near = self.search.nearest(wanted).0;
        let from = self.colours[near];
        let cost = |at: &u8| {
            let to = self.colours[usize::from(*at)];
            square(between(from, to, share(from, to, wanted)), wanted) + COARSE * square(from, to)
        };
        let others = self.neighbours[near].iter().map(|at| (cost(at), *at));
        let far = others.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(near as u8, |(_, at)| at);
        self.cells[cell] = u16::from_le_bytes([near as u8, far]);
        [near as u8, far]
    }
}

/// The places of the other colours that are nearest to one.
fn neighbours(colour: [f32; 3], colours: &[[f32; 3]]) -> Vec<u8> {
    let mut others: Vec<(f32, u8)> = colours
        .iter()
        .zip(0..)
        .map(|(other, at)| (square(*other, colour), at))
        .filter(|(away, _)| *away > 0.0)
        .collect();
    others.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    others.into_iter().take(TRIED).map(|(_, at)| at).collect()
}

/// How far along the way from one colour to another the point nearest to `wanted` lies, 0 to 1.
fn share(from: [f32; 3], to: [f32; 3], wanted: [f32; 3]) -> f32 {
    let (mut along, mut length) = (0.0, 1e-6);
    for axis in 0..3 {
        let way = to[axis] - from[axis];
        along += (wanted[axis] - from[axis]) * way;
        length += way * way;
    }
    (along / length).clamp(0.0, 1.0)
}

/// The colour a share of the way from one to another.
pub(super) fn between(from: [f32; 3], to: [f32; 3], share: f32) -> [f32; 3] {
    std::array::from_fn(|axis| from[axis] + (to[axis] - from[axis]) * share)
}

/// A palette's colours as numbers.
pub(super) fn channels(palette: &[[u8; 3]]) -> Vec<[f32; 3]> {
    palette.iter().map(|colour| colour.map(f32::from)).collect()
}

/// The square of the distance of two colours.
fn square(a: [f32; 3], b: [f32; 3]) -> f32 {
    (0..3).map(|axis| (a[axis] - b[axis]) * (a[axis] - b[axis])).sum()
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
    fn a_mix_has_the_mean_that_was_wanted() {
        let mut mixer = Mixer::new(vec![[10, 10, 10], [20, 30, 10], [200, 0, 0]]);
        for (wanted, share) in
            [([10.0, 10.0, 10.0], 0), ([12.5, 15.0, 10.0], 4), ([15.0, 20.0, 10.0], 8), ([20.0, 30.0, 10.0], 16)]
        {
            let second = (0..16).filter(|at| mixer.mix(wanted, (*at as f32 + 0.5) / 16.0) == 1).count();
            assert!(second.abs_diff(share) <= 1, "{wanted:?}: {second} of 16");
        }
    }
}
