//! The canvas: shapes and glyphs in design pixels come in, pixels change. The scale of the picture is applied here and nowhere
//! above.

use tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Paint, Path, PathBuilder, Pixmap, Point, Shader, SpreadMode,
    Transform,
};

use super::colour::Rgb;
use super::font::Fonts;
use super::glyph::{Glyphs, Pixels, correction_for};
use super::text::Placed;

/// How far the control points of a quarter circle stand from its ends, in radii.
const QUARTER: f32 = 0.552_284_8;

/// Where text thins out to the right: from the first place, whole, to the second, gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct FadeAcross {
    pub(super) from: f32,
    pub(super) to: f32,
}

/// A picture in the making.
pub(super) struct Canvas {
    pub(super) pixmap: Pixmap,
    pub(super) scale: f32,
}

/// A rectangle with round corners, in design pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rounded {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) radius: f32,
}

impl Rounded {
    /// Whether a point lies inside, corners taken as square.
    pub(super) fn holds(self, x: f32, y: f32) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
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

    fn add_to(self, path: &mut PathBuilder) {
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
        let mut path = PathBuilder::new();
        shape.add_to(&mut path);
        self.fill_path(path.finish(), Shader::SolidColor(solid(colour, alpha)), FillRule::Winding);
    }

    /// Draws a line of `width` along the inside of a shape's border.
    pub(super) fn edge(&mut self, shape: Rounded, width: f32, colour: Rgb, alpha: f32) {
        let mut path = PathBuilder::new();
        shape.add_to(&mut path);
        shape.inset(width).add_to(&mut path);
        self.fill_path(path.finish(), Shader::SolidColor(solid(colour, alpha)), FillRule::EvenOdd);
    }

    /// Fills a shape with a gradient from one of its points to another.
    pub(super) fn fill_gradient(&mut self, shape: Rounded, ends: [(f32, f32); 2], colours: [Rgb; 2]) {
        let mut path = PathBuilder::new();
        shape.add_to(&mut path);
        let stops =
            vec![GradientStop::new(0.0, solid(colours[0], 1.0)), GradientStop::new(1.0, solid(colours[1], 1.0))];
        let [from, to] = ends.map(|(x, y)| Point::from_xy(x, y));
        if let Some(shader) = LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity()) {
            self.fill_path(path.finish(), shader, FillRule::Winding);
        }
    }

    fn fill_path(&mut self, path: Option<Path>, shader: Shader<'_>, rule: FillRule) {
        let Some(path) = path else { return };
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        self.pixmap.fill_path(&path, &paint, rule, Transform::from_scale(self.scale, self.scale), None);
    }

    /// Lays a colour over a part of the picture, from nothing at its top to all at its bottom.
    pub(super) fn fade_down(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Rgb) {
        let [left, top, right, bottom] = [x, y, x + width, y + height].map(|place| (place * self.scale) as usize);
        let across = self.pixmap.width() as usize;
        let colour = [colour.0, colour.1, colour.2];
        let rows = self.pixmap.data_mut().chunks_exact_mut(across * 4).enumerate().take(bottom).skip(top);
        for (row, pixels) in rows {
            let alpha = (((row - top) as f32 + 0.5) / (bottom - top) as f32 * 255.0).round() as u8;
            for pixel in &mut pixels.as_chunks_mut::<4>().0[left.min(across)..right.min(across)] {
                if pixel[..3] != colour {
                    for (under, over) in pixel.iter_mut().zip(colour) {
                        *under = times(over, alpha).saturating_add(times(*under, 255 - alpha));
                    }
                }
            }
        }
    }

    /// Draws a line of glyphs that starts at `at`: pixels of the picture, the second a whole one, the baseline.
    pub(super) fn glyphs(&mut self, fonts: &Fonts, cache: &mut Glyphs, line: &[Placed], at: (f32, f32), ink: Ink) {
        let table = correction_for(ink.colour);
        for glyph in line {
            let (raster, column) = cache.raster(fonts, glyph.face, glyph.glyph, glyph.size, at.0 + glyph.x);
            let Some(raster) = raster else { continue };
            let left = column + raster.left;
            let top = (at.1 - glyph.y).round() as i32 - raster.top;
            match &raster.pixels {
                Pixels::Coverage(coverage) => {
                    let [r, g, b] = [ink.colour.0, ink.colour.1, ink.colour.2];
                    self.blend((left, top), raster.width, coverage, ink.fade, |&covered| {
                        let alpha = table[usize::from(covered)];
                        ([r, g, b].map(|c| times(c, alpha)), alpha)
                    });
                }
                Pixels::Colour(pixels) => {
                    self.blend((left, top), raster.width, pixels, ink.fade, |&[r, g, b, alpha]| ([r, g, b], alpha));
                }
            }
        }
    }

    /// Lays pixels, given as premultiplied colour and alpha, over the picture; what lies outside is left out.
    fn blend<T>(
        &mut self,
        (left, top): (i32, i32),
        across: usize,
        source: &[T],
        fade: Option<FadeAcross>,
        pixel: impl Fn(&T) -> ([u8; 3], u8),
    ) {
        let (width, height) = (self.pixmap.width() as i32, self.pixmap.height() as i32);
        let first = (-left).max(0) as usize;
        let last = (width - left).clamp(0, across as i32) as usize;
        if first >= last {
            return;
        }
        let data = self.pixmap.data_mut();
        for (row, source) in source.chunks_exact(across).enumerate() {
            let y = top + row as i32;
            if y < 0 || y >= height {
                continue;
            }
            let start = (y * width + left + first as i32) as usize * 4;
            let target = data[start..start + (last - first) * 4].as_chunks_mut::<4>().0;
            for (offset, (target, source)) in target.iter_mut().zip(&source[first..last]).enumerate() {
                let (mut colour, mut alpha) = pixel(source);
                if alpha == 0 {
                    continue;
                }
                if let Some(fade) = fade {
                    let strength = fade.strength((left + (first + offset) as i32) as f32);
                    colour = colour.map(|c| times(c, strength));
                    alpha = times(alpha, strength);
                }
                for (under, over) in target.iter_mut().zip(colour) {
                    *under = over.saturating_add(times(*under, 255 - alpha));
                }
            }
        }
    }
}

impl FadeAcross {
    fn strength(self, x: f32) -> u8 {
        (((self.to - x) / (self.to - self.from)).clamp(0.0, 1.0) * 255.0) as u8
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

/// The product of two numbers that stand for 0 to 1.
fn times(a: u8, b: u8) -> u8 {
    ((u16::from(a) * u16::from(b) + 127) / 255) as u8
}

fn solid(colour: Rgb, alpha: f32) -> Color {
    let [r, g, b] = colour.channels().map(|c| c / 255.0);
    Color::from_rgba(r, g, b, alpha.clamp(0.0, 1.0)).unwrap_or(Color::TRANSPARENT)
}

#[cfg(test)]
mod tests {
    use super::super::font::face;
    use super::super::text::{Setter, Style};
    use super::*;

    fn canvas() -> Canvas {
        let mut pixmap = Pixmap::new(40, 30).unwrap();
        pixmap.fill(Color::BLACK);
        Canvas { pixmap, scale: 1.0 }
    }

    #[test]
    fn glyphs_may_stand_anywhere() {
        let (fonts, mut setter) = (Fonts::new(), Setter::new(true));
        let line = setter.shape(&fonts, "Wj", Style { face: face::CODE, size: 30.0, spacing: 0.0, ligatures: true });
        for at in [(-1e6, 5.0), (1e6, 5.0), (-10.0, 5.0), (35.0, 40.0), (3.0, -3.0), (3.0, 1e6)] {
            canvas().glyphs(&fonts, &mut setter.glyphs, &line.glyphs, at, Ink::from(Rgb(255, 255, 255)));
        }
    }

    #[test]
    fn a_faded_glyph_is_gone_at_the_end() {
        let (fonts, mut setter) = (Fonts::new(), Setter::new(true));
        let line = setter.shape(&fonts, "EE", Style { face: face::CODE, size: 24.0, spacing: 0.0, ligatures: true });
        let mut canvas = canvas();
        let fade = Some(FadeAcross { from: 0.0, to: 14.0 });
        canvas.glyphs(&fonts, &mut setter.glyphs, &line.glyphs, (0.0, 25.0), Ink { colour: Rgb(255, 255, 255), fade });
        let lit = |x: u32| (0..30).filter(|y| canvas.pixmap.pixel(x, *y).unwrap().red() > 0).count();
        assert!(lit(4) > 0);
        assert!((14..40).all(|x| lit(x) == 0));
    }

    #[test]
    fn an_edge_stays_inside_its_shape() {
        let mut canvas = canvas();
        let shape = Rounded { x: 5.0, y: 5.0, width: 20.0, height: 15.0, radius: 0.0 };
        canvas.edge(shape, 1.0, Rgb(255, 255, 255), 1.0);
        let red = |x, y| canvas.pixmap.pixel(x, y).unwrap().red();
        assert_eq!((red(4, 10), red(5, 10), red(6, 10), red(24, 10), red(25, 10)), (0, 255, 0, 255, 0));
    }
}
