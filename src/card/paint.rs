//! The canvas: shapes and glyphs in design pixels come in, and are noted in the order in which they lie over each other, in pixels
//! of the picture. The scale of the picture is applied here and nowhere above.

use std::sync::{Arc, LazyLock};

use tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Mask, Paint, PathBuilder, Pixmap, Point, SpreadMode, Transform,
};

use super::colour::Rgb;
use super::font::Fonts;
use super::glyph::{Glyphs, correction_for};
use super::raster::{Pixels, Raster};
use super::text::Placed;

/// How far the control points of a quarter circle stand from its ends, in radii.
const QUARTER: f32 = 0.552_284_8;
/// The longest side of a shape in pixels of the picture.
const LONGEST: f32 = 8192.0;
/// A shape of more rows than this between its round ends is noted in parts.
const TALL: u32 = 64;
/// What lies farther than this from the picture's corner is not drawn.
const FARTHEST: i32 = 32_768;

/// Coverage as it is.
static PLAIN: LazyLock<[u8; 256]> = LazyLock::new(|| std::array::from_fn(|covered| covered as u8));

/// Where text thins out to the right: from the first place, whole, to the second, gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct FadeAcross {
    pub(super) from: f32,
    pub(super) to: f32,
}

/// The colour of a mask, how strong it is, and how coverage becomes alpha.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tone {
    pub(super) colour: Rgb,
    pub(super) alpha: u8,
    pub(super) gamma: &'static [u8; 256],
}

impl Tone {
    /// The tone of a shape.
    pub(super) fn flat(colour: Rgb, alpha: u8) -> Self {
        Self { colour, alpha, gamma: &PLAIN }
    }

    /// Whether this is the tone of a shape and not of text.
    pub(super) fn is_flat(self) -> bool {
        std::ptr::eq(self.gamma, LazyLock::force(&PLAIN))
    }
}

impl PartialEq for Tone {
    fn eq(&self, other: &Self) -> bool {
        (self.colour, self.alpha) == (other.colour, other.alpha) && std::ptr::eq(self.gamma, other.gamma)
    }
}

/// One thing that is drawn, in pixels of the picture.
#[derive(Debug)]
pub(super) enum Op {
    /// Coverage in one tone, its corner at `left` and `top`; laid `times` times, one below the other.
    Mask { left: i32, top: i32, times: usize, raster: Arc<Raster>, tone: Tone, fade: Option<FadeAcross> },
    /// A picture with colours of its own.
    Picture { left: i32, top: i32, raster: Arc<Raster>, fade: Option<FadeAcross> },
    /// A colour over an area, from nothing at its top to all at its bottom.
    FadeDown { left: i32, top: i32, right: i32, bottom: i32, colour: Rgb },
}

/// What is drawn, in its order.
#[derive(Debug)]
pub(super) struct Canvas {
    pub(super) ops: Vec<Op>,
    pub(super) scale: f32,
}

/// A rectangle with round corners, in design pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Rounded {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) radius: f32,
}

impl Rounded {
    /// Whether a point lies inside, corners taken as square.
    pub(super) fn holds(self, (x, y): (f32, f32)) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }

    /// The same shape drawn out by `by` on every side.
    pub(super) fn grown(self, by: f32) -> Self {
        Self { radius: self.radius + by, ..self.inset(-by) }
    }

    /// The same shape drawn in by `by` on every side.
    fn inset(self, by: f32) -> Self {
        Self {
            x: self.x + by,
            y: self.y + by,
            width: self.width - 2.0 * by,
            height: self.height - 2.0 * by,
            radius: (self.radius - by).max(0.0),
        }
    }

    pub(super) fn add_to(self, path: &mut PathBuilder) {
        let Self { x, y, width, height, radius } = self;
        let (r, k) =
            (radius.min(width / 2.0).min(height / 2.0), radius.min(width / 2.0).min(height / 2.0) * (1.0 - QUARTER));
        let (right, bottom) = (x + width, y + height);
        path.move_to(x + r, y);
        path.line_to(right - r, y);
        path.cubic_to(right - k, y, right, y + k, right, y + r);
        path.line_to(right, bottom - r);
        path.cubic_to(right, bottom - k, right - k, bottom, right - r, bottom);
        path.line_to(x + r, bottom);
        path.cubic_to(x + k, bottom, x, bottom - k, x, bottom - r);
        path.line_to(x, y + r);
        path.cubic_to(x, y + k, x + k, y, x + r, y);
        path.close();
    }
}

impl Canvas {
    /// Fills a shape with a colour at `alpha`, 0 to 1.
    pub(super) fn fill(&mut self, shape: Rounded, colour: Rgb, alpha: f32) {
        self.shape(shape, FillRule::Winding, |path| shape.add_to(path), colour, alpha);
    }

    /// Draws a line of `width` along the inside of a shape's border.
    pub(super) fn edge(&mut self, shape: Rounded, width: f32, colour: Rgb, alpha: f32) {
        let ring = |path: &mut PathBuilder| {
            shape.add_to(path);
            shape.inset(width).add_to(path);
        };
        self.shape(shape, FillRule::EvenOdd, ring, colour, alpha);
    }

    /// A shape filled with a gradient from one of its points to another, and where its corner lies; none where it has no pixels.
    pub(super) fn gradient(
        &self,
        shape: Rounded,
        ends: [(f32, f32); 2],
        colours: [Rgb; 2],
    ) -> Option<(Arc<Raster>, (i32, i32))> {
        let (left, top, width, height) = self.bounds(shape)?;
        let mut path = PathBuilder::new();
        shape.add_to(&mut path);
        let stops = colours.iter().zip([0.0, 1.0]).map(|(colour, at)| GradientStop::new(at, solid(*colour))).collect();
        let [from, to] = ends.map(|(x, y)| Point::from_xy(x, y));
        let shader = LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity())?;
        let mut pixmap = Pixmap::new(width, height)?;
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        pixmap.fill_path(&path.finish()?, &paint, FillRule::Winding, self.placed(left, top), None);
        let raster = Raster::coloured((0, 0), width as usize, pixmap.data().as_chunks::<4>().0.to_vec());
        Some((Arc::new(raster), (left, top)))
    }

    /// Lays a colour over a part of the picture, from nothing at its top to all at its bottom.
    pub(super) fn fade_down(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Rgb) {
        let [left, top, right, bottom] = [x, y, x + width, y + height].map(|place| (place * self.scale) as i32);
        self.ops.push(Op::FadeDown { left, top, right, bottom, colour });
    }

    /// Lays a picture over what is drawn, its corner at `at` in pixels of the picture.
    pub(super) fn picture(&mut self, raster: Arc<Raster>, (left, top): (i32, i32)) {
        self.ops.push(Op::Picture { left, top, raster, fade: None });
    }

    /// Draws a line of glyphs that starts at `at`: pixels of the picture, the second a whole one, the baseline.
    pub(super) fn glyphs(&mut self, fonts: &Fonts, cache: &mut Glyphs, line: &[Placed], at: (f32, f32), ink: Ink) {
        let tone = Tone { colour: ink.colour, alpha: 255, gamma: correction_for(ink.colour) };
        for glyph in line {
            let (raster, column) = cache.raster(fonts, glyph.face, glyph.glyph, glyph.size, at.0 + glyph.x);
            let Some(raster) = raster else { continue };
            let left = column.saturating_add(raster.left);
            let top = ((at.1 - glyph.y).round() as i32).saturating_sub(raster.top);
            if !(-FARTHEST..FARTHEST).contains(&left) || !(-FARTHEST..FARTHEST).contains(&top) {
                continue;
            }
            let fade = ink.fade;
            self.ops.push(match raster.pixels {
                Pixels::Coverage(..) => Op::Mask { left, top, times: 1, raster, tone, fade },
                Pixels::Colour(..) => Op::Picture { left, top, raster, fade },
            });
        }
    }

    /// Notes a shape. One that is tall is noted in three: its round ends, and one row that stands for all between them.
    fn shape(&mut self, shape: Rounded, rule: FillRule, add: impl Fn(&mut PathBuilder), colour: Rgb, alpha: f32) {
        let Some((left, top, width, height)) = self.bounds(shape) else { return };
        let mut path = PathBuilder::new();
        add(&mut path);
        let Some(path) = path.finish() else { return };
        let tone = Tone::flat(colour, (alpha.clamp(0.0, 1.0) * 255.0).round() as u8);
        let end = ((shape.radius + 2.0) * self.scale).ceil() as u32;
        let parts = if height > 2 * end + TALL {
            vec![(0, end, 1), (end, 1, height - 2 * end), (height - end, end, 1)]
        } else {
            vec![(0, height, 1)]
        };
        for (below, height, times) in parts {
            let Some(mut mask) = Mask::new(width, height) else { return };
            let top = top + below as i32;
            mask.fill_path(&path, rule, true, self.placed(left, top));
            let raster = Arc::new(Raster::coverage((0, 0), width as usize, mask.take()));
            self.ops.push(Op::Mask { left, top, times: times as usize, raster, tone, fade: None });
        }
    }

    /// The whole pixels that a shape touches: left, top, width and height; none when there are none.
    fn bounds(&self, shape: Rounded) -> Option<(i32, i32, u32, u32)> {
        let [left, top] = [shape.x, shape.y].map(|place| (place * self.scale).floor());
        let right = ((shape.x + shape.width) * self.scale).ceil();
        let bottom = ((shape.y + shape.height) * self.scale).ceil();
        let (width, height) = (right - left, bottom - top);
        let drawn = (1.0..LONGEST).contains(&width) && (1.0..LONGEST).contains(&height);
        drawn.then_some((left as i32, top as i32, width as u32, height as u32))
    }

    /// From design pixels to the pixels of a raster with its corner at `left` and `top`.
    fn placed(&self, left: i32, top: i32) -> Transform {
        Transform::from_scale(self.scale, self.scale).post_translate(-left as f32, -top as f32)
    }
}

impl FadeAcross {
    /// How much of a pixel in this column is left, 0 to 255.
    pub(super) fn strength(self, x: f32) -> u8 {
        (((self.to - x) / (self.to - self.from)).clamp(0.0, 1.0) * 255.0) as u8
    }

    /// A level that is thinned out as its column is.
    pub(super) fn level(self, level: u8, x: f32) -> u8 {
        times(level, self.strength(x))
    }
}

/// How a line of glyphs is coloured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    pub(super) colour: Rgb,
    pub(super) fade: Option<FadeAcross>,
}

impl From<Rgb> for Ink {
    fn from(colour: Rgb) -> Self {
        Self { colour, fade: None }
    }
}

/// The product of two numbers, one of them standing for 0 to 1.
pub(super) fn times(a: u8, b: u8) -> u8 {
    ((u16::from(a) * u16::from(b) + 127) / 255) as u8
}

fn solid(colour: Rgb) -> Color {
    Color::from_rgba8(colour.0, colour.1, colour.2, 255)
}

#[cfg(test)]
mod tests {
    use super::super::font::face;
    use super::super::indexed::Indexed;
    use super::super::text::{Setter, Style};
    use super::*;

    const WHITE: Rgb = Rgb(255, 255, 255);

    fn canvas() -> Canvas {
        Canvas { ops: Vec::new(), scale: 1.0 }
    }

    /// What a canvas looks like on black, 40 × 30, in levels of grey.
    fn painted(canvas: &Canvas) -> Indexed {
        let palette = (0..=255).map(|grey| [grey; 3]).collect();
        let mut painted = Indexed::default();
        painted.paint(&Indexed { width: 40, palette: vec![[0; 3]], rows: vec![0; 41 * 30] }, palette, &canvas.ops);
        painted
    }

    fn style(size: f32) -> Style {
        Style { face: face::CODE, size, spacing: 0.0, ligatures: true }
    }

    #[test]
    fn glyphs_may_stand_anywhere() {
        let (fonts, mut setter) = (Fonts::new(), Setter::new(true));
        let line = setter.shape(&fonts, "Wj", style(30.0));
        for at in [(-1e6, 5.0), (1e6, 5.0), (-10.0, 5.0), (35.0, 40.0), (3.0, -3.0), (3.0, 1e6), (-1e30, 1e30)] {
            let mut canvas = canvas();
            canvas.glyphs(&fonts, &mut setter.glyphs, &line.glyphs, at, Ink::from(WHITE));
            painted(&canvas);
        }
    }

    #[test]
    fn a_faded_glyph_is_gone_at_the_end() {
        let (fonts, mut setter) = (Fonts::new(), Setter::new(true));
        let line = setter.shape(&fonts, "EE", style(24.0));
        let mut canvas = canvas();
        let fade = Some(FadeAcross { from: 0.0, to: 14.0 });
        canvas.glyphs(&fonts, &mut setter.glyphs, &line.glyphs, (0.0, 25.0), Ink { colour: WHITE, fade });
        let painted = painted(&canvas);
        let lit = |x: i32| (0..30).filter(|y| painted.colour((x, *y)).0 > 0).count();
        assert!(lit(4) > 0);
        assert!((14..40).all(|x| lit(x) == 0));
    }

    #[test]
    fn an_edge_stays_inside_its_shape() {
        let mut canvas = canvas();
        let shape = Rounded { x: 5.0, y: 5.0, width: 20.0, height: 15.0, radius: 0.0 };
        canvas.edge(shape, 1.0, WHITE, 1.0);
        let painted = painted(&canvas);
        let red = |x, y| painted.colour((x, y)).0;
        assert_eq!((red(4, 10), red(5, 10), red(6, 10), red(24, 10), red(25, 10)), (0, 255, 0, 255, 0));
    }

    #[test]
    fn a_colour_fades_in_downwards() {
        let mut canvas = canvas();
        canvas.fade_down(10.0, 0.0, 20.0, 30.0, WHITE);
        let painted = painted(&canvas);
        let column: Vec<u8> = (0..30).map(|y| painted.colour((15, y)).0).collect();
        assert!(column.is_sorted() && column[0] < 20 && column[29] > 230, "{column:?}");
        assert_eq!(painted.colour((5, 29)), Rgb(0, 0, 0));
    }
}
