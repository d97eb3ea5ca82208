//! Pictures in true colour, for cards whose own pictures a palette cannot hold: a layer and what is drawn on it come in, three
//! bytes a pixel go out.

use super::indexed::{Indexed, fade_alpha};
use super::paint::{FadeAcross, Op, times};
use super::raster::{Pixels, Raster};

/// A picture of three bytes a pixel.
pub(super) struct Coloured {
    pub(super) width: usize,
    pub(super) pixels: Vec<[u8; 3]>,
}

impl Coloured {
    /// Rows of pixels.
    pub(super) fn height(&self) -> usize {
        self.pixels.len() / self.width.max(1)
    }

    /// The same picture without a palette.
    pub(super) fn of(picture: &Indexed) -> Self {
        let colour = |place: &u8| picture.palette.get(usize::from(*place)).copied().unwrap_or_default();
        Self { width: picture.width, pixels: picture.pixels().flatten().map(colour).collect() }
    }

    /// What is drawn on a layer.
    pub(super) fn paint(layer: &Indexed, ops: &[Op]) -> Self {
        let mut picture = Self::of(layer);
        for op in ops {
            match op {
                Op::Mask { left, top, times: down, raster, tone, fade } => {
                    let Pixels::Coverage(pixels, _) = &raster.pixels else { continue };
                    let colour = [tone.colour.0, tone.colour.1, tone.colour.2];
                    let rows = pixels.chunks(pixels.len().max(1)).cycle().take(*down).flatten();
                    let alphas = rows.map(|covered| times(tone.gamma[usize::from(*covered)], tone.alpha));
                    let over = alphas.map(|alpha| (colour.map(|channel| times(channel, alpha)), alpha));
                    picture.lay(over, raster, (*left, *top), *fade);
                }
                Op::Picture { left, top, raster, fade } => {
                    let Pixels::Colour(pixels, _) = &raster.pixels else { continue };
                    let over = pixels.iter().map(|&[r, g, b, alpha]| ([r, g, b], alpha));
                    picture.lay(over, raster, (*left, *top), *fade);
                }
                Op::FadeDown { left, top, right, bottom, colour } => {
                    for y in *top..*bottom {
                        let alpha = fade_alpha(y, *top, *bottom);
                        let over = [colour.0, colour.1, colour.2].map(|channel| times(channel, alpha));
                        (*left..*right).for_each(|x| picture.blend((x, y), over, alpha));
                    }
                }
            }
        }
        picture
    }

    /// Lays premultiplied colours with their alphas over the picture.
    fn lay(
        &mut self,
        over: impl Iterator<Item = ([u8; 3], u8)>,
        raster: &Raster,
        (left, top): (i32, i32),
        fade: Option<FadeAcross>,
    ) {
        for (at, (colour, alpha)) in over.enumerate() {
            let (x, y) = (left + (at % raster.width) as i32, top + (at / raster.width) as i32);
            let strength = fade.map_or(255, |fade| fade.strength(x as f32));
            self.blend((x, y), colour.map(|channel| times(channel, strength)), times(alpha, strength));
        }
    }

    fn blend(&mut self, (x, y): (i32, i32), over: [u8; 3], alpha: u8) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if alpha == 0 || x >= self.width {
            return;
        }
        let Some(pixel) = self.pixels.get_mut(y * self.width + x) else { return };
        for (under, over) in pixel.iter_mut().zip(over) {
            *under = over.saturating_add(times(*under, 255 - alpha));
        }
    }
}
