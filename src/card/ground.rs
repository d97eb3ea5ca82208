//! The ground: glows and the window's shadows, as numbers finer than a screen shows. It depends on the look and on the window's
//! place, never on a post.

use std::ops::Range;

use super::look::{Glow, Look, Shadow};

/// How many standard deviations of a blur are worth computing.
const REACH: f32 = 3.2;

/// The window's rectangle in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
    pub(super) radius: f32,
}

/// The pixels of a picture that are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Pixels across and down.
    pub(super) size: (usize, usize),
    /// Pixels from one column that is looked at to the next; each stands for as many.
    pub(super) step: usize,
    /// Multiplies the look's lengths.
    pub(super) scale: f32,
}

impl Grid {
    /// Columns that are looked at.
    pub(super) fn count(self) -> usize {
        self.size.0.div_ceil(self.step)
    }

    /// The middles of those columns.
    fn columns(self) -> impl Iterator<Item = f32> {
        (0..self.count()).map(move |at| (at as f32 + 0.5) * self.step as f32)
    }
}

/// A ground that is ready to be computed row by row.
pub(super) struct Ground {
    base: [f32; 3],
    glows: Vec<GlowTable>,
    shadows: Vec<ShadowTable>,
    accent: Accent,
}

/// The gradient down the left edge.
struct Accent {
    width: usize,
    height: f32,
    from: [f32; 3],
    to: [f32; 3],
}

/// A glow with what depends on the column alone.
struct GlowTable {
    colour: [f32; 3],
    across: Vec<f32>,
    centre: f32,
    radius: f32,
}

/// A shadow as the product of a ramp across and a ramp down, less what round corners leave out.
struct ShadowTable {
    colour: [f32; 3],
    alpha: f32,
    across: Vec<f32>,
    down: Vec<f32>,
    /// Where the columns are.
    columns: Vec<f32>,
    corner: Option<Corner>,
}

impl Ground {
    /// A ground that is looked at in some columns only. `accent` is the width of the gradient at the left edge.
    pub(super) fn new(look: &Look, frame: Option<Frame>, accent: f32, grid: Grid) -> Self {
        let glows = look.glows.iter().map(|glow| GlowTable::new(glow, grid)).collect();
        let shadows = match frame {
            Some(frame) => look.window.shadows.iter().map(|shadow| ShadowTable::new(shadow, frame, grid)).collect(),
            None => Vec::new(),
        };
        let (from, to) = (look.accent.from.channels(), look.accent.to.channels());
        let accent =
            Accent { width: (accent / grid.step as f32).ceil() as usize, height: grid.size.1 as f32, from, to };
        Self { base: look.ground.channels(), glows, shadows, accent }
    }

    /// Computes some columns of row `y`: each channel as a number from 0 to 255.
    pub(super) fn row(&self, y: usize, columns: Range<usize>, row: &mut [[f32; 3]]) {
        let part = &mut row[columns.clone()];
        part.fill(self.base);
        for glow in self.glows.iter().rev() {
            glow.light(y, columns.clone(), part);
        }
        for shadow in self.shadows.iter().rev() {
            shadow.darken(y, columns.clone(), part);
        }
        let mut accent = self.accent.from;
        blend(&mut accent, self.accent.to, (y as f32 + 0.5) / self.accent.height);
        part.iter_mut().take(self.accent.width.saturating_sub(columns.start)).for_each(|pixel| *pixel = accent);
    }
}

impl GlowTable {
    fn new(glow: &Glow, grid: Grid) -> Self {
        let (Grid { scale, .. }, (width, height)) = (grid, grid.size);
        let (centre, radius) = (glow.at[0] * width as f32, glow.radius[0] * glow.reach * scale);
        Self {
            colour: glow.color.channels(),
            across: grid.columns().map(|x| squared((x - centre) / radius)).collect(),
            centre: glow.at[1] * height as f32,
            radius: glow.radius[1] * glow.reach * scale,
        }
    }

    fn light(&self, y: usize, columns: Range<usize>, row: &mut [[f32; 3]]) {
        let down = squared((y as f32 + 0.5 - self.centre) / self.radius);
        if down >= 1.0 {
            return;
        }
        for (pixel, across) in row.iter_mut().zip(&self.across[columns]) {
            let squared = across + down;
            if squared < 1.0 {
                blend(pixel, self.colour, 1.0 - squared.sqrt());
            }
        }
    }
}

impl ShadowTable {
    fn new(shadow: &Shadow, frame: Frame, grid: Grid) -> Self {
        let scale = grid.scale;
        let deviation = (shadow.blur * scale / 2.0).max(0.01);
        let spread = shadow.spread * scale;
        let (left, right) = (frame.left - spread, frame.right + spread);
        let (top, bottom) = (frame.top - spread + shadow.offset * scale, frame.bottom + spread + shadow.offset * scale);
        let ramp = |at: f32, from: f32, to: f32| below((at - from) / deviation) - below((at - to) / deviation);
        let radius = (frame.radius + spread).max(0.0);
        Self {
            colour: shadow.color.channels(),
            alpha: shadow.alpha,
            across: grid.columns().map(|x| ramp(x, left, right)).collect(),
            down: (0..grid.size.1).map(|y| ramp(y as f32 + 0.5, top, bottom)).collect(),
            columns: grid.columns().collect(),
            corner: (radius >= 1.0).then(|| Corner::new([left, top, right, bottom], radius, deviation)),
        }
    }

    fn darken(&self, y: usize, columns: Range<usize>, row: &mut [[f32; 3]]) {
        let down = self.down[y];
        if down < 1e-4 {
            return;
        }
        let corner = self.corner.as_ref().and_then(|corner| corner.row(y));
        let places = self.across[columns.clone()].iter().zip(&self.columns[columns]);
        for (pixel, (across, x)) in row.iter_mut().zip(places) {
            let missing = corner.as_ref().map_or(0.0, |corner| corner.missing(*x));
            let strength = (across * down - missing) * self.alpha;
            if strength > 1e-4 {
                blend(pixel, self.colour, strength);
            }
        }
    }
}

/// What a blurred box with a round corner lacks against one with a sharp corner, around that corner.
struct Corner {
    edges: [f32; 4],
    reach: f32,
    side: usize,
    missing: Vec<f32>,
}

struct CornerRow<'a> {
    corner: &'a Corner,
    missing: &'a [f32],
}

impl Corner {
    fn new(edges: [f32; 4], radius: f32, deviation: f32) -> Self {
        let reach = (REACH * deviation).ceil();
        let side = (2.0 * reach + radius).ceil() as usize + 1;
        let rows = radius.ceil() as usize;
        let mut missing = vec![0.0; side * side];
        for row in 0..rows {
            let height = radius - row as f32 - 0.5;
            let inset = radius - (radius * radius - height * height).max(0.0).sqrt();
            let across: Vec<f32> = (0..side)
                .map(|x| below((x as f32 - reach) / deviation) - below((x as f32 - reach - inset) / deviation))
                .collect();
            for (y, line) in missing.chunks_exact_mut(side).enumerate() {
                let from = y as f32 - reach - row as f32;
                let share = below(from / deviation) - below((from - 1.0) / deviation);
                for (sum, value) in line.iter_mut().zip(&across) {
                    *sum += share * value;
                }
            }
        }
        Self { edges, reach, side, missing }
    }

    /// The part of the table for row `y`, where a corner is near.
    fn row(&self, y: usize) -> Option<CornerRow<'_>> {
        let place = y as f32 + 0.5;
        let inward = (place - self.edges[1]).min(self.edges[3] - place);
        let at = self.index(inward)?;
        Some(CornerRow { corner: self, missing: &self.missing[at * self.side..][..self.side] })
    }

    fn index(&self, inward: f32) -> Option<usize> {
        let at = (inward + self.reach).round();
        (at >= 0.0 && (at as usize) < self.side).then_some(at as usize)
    }
}

impl CornerRow<'_> {
    fn missing(&self, x: f32) -> f32 {
        let inward = (x - self.corner.edges[0]).min(self.corner.edges[2] - x);
        self.corner.index(inward).map_or(0.0, |at| self.missing[at])
    }
}

fn squared(number: f32) -> f32 {
    number * number
}

fn blend(pixel: &mut [f32; 3], over: [f32; 3], alpha: f32) {
    for (under, over) in pixel.iter_mut().zip(over) {
        *under += (over - *under) * alpha;
    }
}

/// The share of a normal distribution that lies below `z` standard deviations. The error function is that of Abramowitz and
/// Stegun, 7.1.26, good to 1.5e-7.
fn below(z: f32) -> f32 {
    let x = z.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = ((((1.061_405_4 * t - 1.453_152_1) * t + 1.421_413_8) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    let tail = 0.5 * series * exponential(-x * x);
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// The exponential of a number from −80 to 0, from sums and products alone: the system's own differs between C libraries, and
/// the same card must give the same bytes with each of them.
fn exponential(x: f32) -> f32 {
    let x = f64::from(x.max(-80.0));
    let power = (x * std::f64::consts::LOG2_E).round();
    let rest = x - power * std::f64::consts::LN_2;
    let series = (1..=10).rev().fold(1.0, |sum, term| 1.0 + sum * rest / f64::from(term));
    let scale = f64::from_bits(((1023.0 + power) as u64) << 52);
    (series * scale) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { size: (1200, 630), step: 1, scale: 1.0 };

    fn night() -> Look {
        Look::built_in("night").unwrap()
    }

    #[test]
    fn the_normal_distribution_is_right() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_345), (-1.0, 0.158_655), (3.0, 0.998_65), (-6.0, 0.0)] {
            assert!((below(z) - share).abs() < 1e-5, "{z}");
        }
    }

    #[test]
    fn the_exponential_is_right() {
        for x in [0.0, -0.1, -0.7, -1.0, -5.5, -20.0, -70.0_f32] {
            assert!((exponential(x) / x.exp() - 1.0).abs() < 1e-5, "{x}");
        }
        assert!(exponential(-1e30) < 1e-30);
    }

    #[test]
    fn far_from_glows_and_shadows_the_ground_is_plain() {
        let ground = Ground::new(&night(), None, 0.0, GRID);
        let mut row = vec![[0.0; 3]; 1200];
        ground.row(500, 0..1200, &mut row);
        assert!(row[700].iter().zip(night().ground.channels()).all(|(a, b)| (a - b).abs() < 1e-3));
        ground.row(0, 0..1200, &mut row);
        assert!(row[1056][2] > 90.0, "the glow is bright at its centre: {:?}", row[1056]);
    }

    #[test]
    fn a_shadow_darkens_below_the_window_and_not_far_above() {
        let frame = Frame { left: 64.0, top: 300.0, right: 1136.0, bottom: 400.0, radius: 18.0 };
        let ground = Ground::new(&night(), Some(frame), 0.0, GRID);
        let plain = Ground::new(&night(), None, 0.0, GRID);
        let (mut with, mut without) = (vec![[0.0; 3]; 1200], vec![[0.0; 3]; 1200]);
        for (y, darker) in [(405, true), (100, false)] {
            ground.row(y, 0..1200, &mut with);
            plain.row(y, 0..1200, &mut without);
            assert_eq!(with[600][2] < without[600][2] - 3.0, darker, "row {y}");
        }
    }
}
