//! The stage: what every part of a card needs to draw itself: the canvas, the look, the faces and the setter of this thread.

use std::sync::{Arc, OnceLock};

use super::font::{FaceId, Fonts};
use super::format::Format;
use super::highlight::Styles;
use super::indexed::Indexed;
use super::layer::{Layers, Scene};
use super::layout::eyebrow;
use super::look::{Assets, Look};
use super::paint::{Canvas, Ink, Rounded};
use super::photograph::Photographs;
use super::raster::Raster;
use super::text::{Line, Setter, Style};

/// A card in the making.
pub(super) struct Stage<'a> {
    pub(super) canvas: Canvas,
    pub(super) look: &'a Look,
    pub(super) fonts: &'a Fonts,
    pub(super) setter: &'a mut Setter,
    /// The styles of the card's theme that are known.
    pub(super) styles: &'a mut Styles,
    pub(super) layers: &'a Layers,
    pub(super) pictures: &'a Pictures,
    /// The layer that was laid last.
    pub(super) layer: Option<Arc<Indexed>>,
    /// The format that is asked for, where one is.
    pub(super) format: Option<Format>,
    /// What there is of photographs; known before anything is drawn.
    pub(super) photographs: Photographs,
    /// Whether the picture is painted without a palette; known as early.
    pub(super) true_colours: bool,
}

/// A raster, and the place of its corner in pixels of the picture.
type Disc = (Arc<Raster>, (i32, i32));

/// The look's pictures, in pixels of the card's picture.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    pub(super) avatar: Option<Arc<Raster>>,
    pub(super) logo: Option<Arc<Raster>>,
    /// The first shape that an initial was drawn on, with its pixels: later ones are the same.
    pub(super) disc: OnceLock<(Rounded, Option<Disc>)>,
}

impl Pictures {
    /// Scales what the look's files hold to the size at which it is drawn.
    pub(super) fn new(assets: &Assets, scale: u8) -> Self {
        let pixels = |length: f32| (length * f32::from(scale)) as usize;
        Self {
            avatar: assets.avatar.as_ref().map(|avatar| avatar.round(pixels(eyebrow::AVATAR)).raster()),
            logo: assets.logo.as_ref().map(|logo| logo.fitted(pixels(eyebrow::AVATAR), pixels(eyebrow::LOGO)).raster()),
            disc: OnceLock::new(),
        }
    }
}

impl Stage<'_> {
    /// The format of the finished picture.
    pub(super) fn format(&self) -> Format {
        let own = if self.photographs == Photographs::Large { Format::Jpeg } else { Format::Png };
        self.format.unwrap_or(own)
    }

    /// Pixels of the picture in a design pixel.
    pub(super) fn scale(&self) -> f32 {
        self.canvas.scale
    }

    /// Lays the scene under everything; what was drawn before is gone.
    pub(super) fn lay(&mut self, scene: Scene) {
        self.canvas.ops.clear();
        self.layer = Some(self.layers.get(scene));
    }

    /// A text style from design pixels.
    pub(super) fn style(&self, face: FaceId, size: f32, spacing: f32) -> Style {
        Style { face, size: size * self.scale(), spacing: spacing * self.scale(), ligatures: true }
    }

    /// Draws a line of text from `at`, in design pixels: where it starts, and its baseline.
    pub(super) fn text(&mut self, line: &Line, at: (f32, f32), ink: Ink) {
        let at = (at.0 * self.scale(), (at.1 * self.scale()).round());
        self.canvas.glyphs(self.fonts, &mut self.setter.glyphs, &line.glyphs, at, ink);
    }

    /// Lays a picture over what is drawn, its corner at `at`, in design pixels.
    pub(super) fn picture(&mut self, picture: &Arc<Raster>, at: (f32, f32)) {
        let place = |place: f32| (place * self.canvas.scale).round() as i32;
        self.canvas.picture(Arc::clone(picture), (place(at.0), place(at.1)));
    }
}
