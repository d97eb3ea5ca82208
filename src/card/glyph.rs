//! Glyphs: outlines fitted to the pixel grid as browsers do at one pixel a dot, turned into coverage, and colour bitmaps scaled
//! to size. Every raster is kept, so a warm renderer only blends.

use std::sync::{Arc, LazyLock};

use rustc_hash::FxHashMap as HashMap;
use skrifa::bitmap::{BitmapData, BitmapStrikes};
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, Engine, HintingInstance, HintingOptions, OutlinePen, SmoothMode, Target};
use skrifa::{GlyphId, MetadataProvider};
use swash::zeno::{Command, Mask, Vector};

use super::bitmap;
use super::colour::Rgb;
use super::font::{FaceId, Fonts};
use super::raster::Raster;

/// Rasters kept before the cache starts anew; a card needs about a hundred.
const MOST_RASTERS: usize = 8192;
/// The same in bytes, for those of large pictures.
const MOST_BYTES: usize = 24 * 1024 * 1024;
/// Half of a 64th of a pixel, browsers' unit of length: places that should lie on a half are rounded up.
const ROUNDING: f32 = 1.0 / 128.0;
/// Sub-pixel steps across, where glyphs are not fitted to whole pixels.
const STEPS: f32 = 4.0;

/// One glyph at one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    face: FaceId,
    glyph: u32,
    size: u32,
    step: u8,
}

/// Rasters and fitting programs, for one thread at a time.
pub(super) struct Glyphs {
    fitted: bool,
    rasters: HashMap<Key, Option<Arc<Raster>>>,
    /// What the rasters take.
    bytes: usize,
    hints: HashMap<(FaceId, u32), Option<HintingInstance>>,
}

impl Glyphs {
    /// `fitted`: whole-pixel places and vertical fitting, as browsers do on a screen of one pixel a dot.
    pub(super) fn new(fitted: bool) -> Self {
        Self { fitted, rasters: HashMap::default(), bytes: 0, hints: HashMap::default() }
    }

    /// Whether glyphs stand on whole pixels.
    pub(super) fn is_fitted(&self) -> bool {
        self.fitted
    }

    /// The raster of a glyph whose origin stands at `x`, and the whole pixel it is to be placed from.
    pub(super) fn raster(
        &mut self,
        fonts: &Fonts,
        face: FaceId,
        glyph: u32,
        size: f32,
        x: f32,
    ) -> (Option<Arc<Raster>>, i32) {
        let (column, step) = if self.fitted {
            ((x + 0.5 + ROUNDING).floor(), 0)
        } else {
            let steps = (x * STEPS + 0.5).floor();
            let column = (steps / STEPS).floor();
            (column, (steps - column * STEPS) as u8)
        };
        let key = Key { face, glyph, size: size.to_bits(), step };
        if self.rasters.len() > MOST_RASTERS || self.bytes > MOST_BYTES {
            self.rasters.clear();
            self.hints.clear();
            self.bytes = 0;
        }
        if let Some(known) = self.rasters.get(&key) {
            return (known.clone(), column as i32);
        }
        let raster = self.draw(fonts, &key, size).map(Arc::new);
        self.bytes += raster.as_ref().map_or(0, |raster| raster.bytes());
        self.rasters.insert(key, raster.clone());
        (raster, column as i32)
    }

    fn draw(&mut self, fonts: &Fonts, key: &Key, size: f32) -> Option<Raster> {
        let font = fonts.get(key.face)?.font()?;
        let glyph = GlyphId::new(key.glyph);
        if let Some(bitmap) = BitmapStrikes::new(&font).glyph_for_size(Size::unscaled(), glyph) {
            let BitmapData::Png(data) = bitmap.data else { return None };
            let place =
                bitmap::Strike { ppem: bitmap.ppem_y, left: bitmap.inner_bearing_x, top: bitmap.inner_bearing_y };
            return bitmap::scale(data, place, size);
        }
        let outlines = font.outline_glyphs();
        let outline = outlines.get(glyph)?;
        let mut pen = Pen { commands: Vec::new() };
        let hints = if self.fitted {
            self.hints
                .entry((key.face, key.size))
                .or_insert_with(|| {
                    let engine =
                        if outlines.prefer_interpreter() && font.table_data(skrifa::Tag::new(b"CFF ")).is_some() {
                            Engine::Interpreter
                        } else {
                            Engine::Auto(None)
                        };
                    let target = Target::Smooth {
                        mode: SmoothMode::Light,
                        symmetric_rendering: true,
                        preserve_linear_metrics: true,
                    };
                    let options = HintingOptions { engine, target };
                    HintingInstance::new(&outlines, Size::new(size), LocationRef::default(), options).ok()
                })
                .as_ref()
        } else {
            None
        };
        if hints.is_none_or(|instance| outline.draw(DrawSettings::hinted(instance, false), &mut pen).is_err()) {
            pen.commands.clear();
            outline.draw(DrawSettings::unhinted(Size::new(size), LocationRef::default()), &mut pen).ok()?;
        }
        let shift = f32::from(key.step) / STEPS;
        let (coverage, place) = Mask::new(&pen.commands[..]).offset((shift, 0.0)).render();
        if place.width == 0 || place.height == 0 {
            return None;
        }
        Some(Raster::coverage((place.left, -place.top), place.width as usize, coverage))
    }
}

/// Collects an outline, turning its upward axis down.
struct Pen {
    commands: Vec<Command>,
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.commands.push(Command::MoveTo(Vector::new(x, -y)));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.commands.push(Command::LineTo(Vector::new(x, -y)));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.commands.push(Command::QuadTo(Vector::new(cx, -cy), Vector::new(x, -y)));
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.commands.push(Command::CurveTo(Vector::new(cx0, -cy0), Vector::new(cx1, -cy1), Vector::new(x, -y)));
    }

    fn close(&mut self) {
        self.commands.push(Command::Close);
    }
}

/// Text contrast and gamma as Chromium sets them on Linux.
const CONTRAST: f32 = 0.2;
const GAMMA: f32 = 1.2;

/// Coverage corrected for the luminance of the text's colour, as Skia's mask gamma does: the blend is made as if in a space of
/// [`GAMMA`] against a ground of opposite luminance, and dark text gains [`CONTRAST`]. Eight levels of luminance.
static CORRECTION: LazyLock<[[u8; 256]; 8]> =
    LazyLock::new(|| std::array::from_fn(|level| correction(level as f32 / 7.0)));

/// A channel's share of luminance in the space of [`GAMMA`], before weights.
static CHANNEL: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|channel| libm::powf(channel as f32 / 255.0, GAMMA)));

/// The luminances at which one level ends and the next begins.
static BORDERS: LazyLock<[f32; 7]> =
    LazyLock::new(|| std::array::from_fn(|level| libm::powf(((level + 1) as f32 * 32.0 - 0.5) / 255.0, GAMMA)));

/// The table that corrects coverage for text of this colour.
pub(super) fn correction_for(Rgb(r, g, b): Rgb) -> &'static [u8; 256] {
    let [r, g, b] = [r, g, b].map(|channel| CHANNEL[usize::from(channel)]);
    let luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    &CORRECTION[BORDERS.partition_point(|border| *border <= luminance)]
}

fn correction(source: f32) -> [u8; 256] {
    let target = 1.0 - source;
    let (light, dark) = (libm::powf(source, GAMMA), libm::powf(target, GAMMA));
    let contrast = CONTRAST * dark;
    std::array::from_fn(|coverage| {
        let raw = coverage as f32 / 255.0;
        let alpha = raw + (1.0 - raw) * contrast * raw;
        if (target - source).abs() < 1.0 / 256.0 {
            return (alpha * 255.0).round() as u8;
        }
        let blended = libm::powf(light * alpha + dark * (1.0 - alpha), 1.0 / GAMMA);
        ((blended - target) / (source - target) * 255.0).round().clamp(0.0, 255.0) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::super::font::face;
    use super::super::raster::Pixels;
    use super::*;

    #[test]
    fn correction_keeps_the_ends() {
        for level in CORRECTION.iter() {
            assert_eq!((level[0], level[255]), (0, 255));
            assert!(level.is_sorted());
        }
    }

    #[test]
    fn lighter_text_has_a_higher_level() {
        let level =
            |grey| CORRECTION.iter().position(|table| std::ptr::eq(table, correction_for(Rgb(grey, grey, grey))));
        assert_eq!([0, 15, 16, 128, 255].map(level), [Some(0), Some(0), Some(0), Some(4), Some(7)]);
    }

    #[test]
    fn fitted_bars_are_sharp() {
        let (raster, column) = Glyphs::new(true).raster(&Fonts::new(), face::CODE, glyph('E'), 34.0, 10.4);
        let raster = raster.unwrap();
        let Pixels::Coverage(coverage, _) = &raster.pixels else { panic!("a colour glyph") };
        assert_eq!((column, coverage.len() / raster.width), (10, 25));
        assert_eq!(coverage[raster.width / 2], 255, "the top bar starts on a whole pixel");
    }

    #[test]
    fn a_space_has_no_raster() {
        assert!(Glyphs::new(true).raster(&Fonts::new(), face::CODE, glyph(' '), 34.0, 0.0).0.is_none());
    }

    fn glyph(character: char) -> u32 {
        Fonts::new().get(face::CODE).unwrap().glyph(character).unwrap().to_u32()
    }
}
