//! The stage: what every part of a card needs to draw itself: the canvas, the look, the faces and the setter of this thread.

use std::sync::Arc;

use super::CardError;
use super::font::{FaceId, Fonts};
use super::layer::{Layer, Layers, Scene};
use super::layout::eyebrow;
use super::look::{Assets, Look};
use super::paint::{Canvas, Ink};
use super::picture_file::Picture;
use super::text::{Line, Setter, Style};

/// A card in the making.
pub(super) struct Stage<'a> {
    pub(super) canvas: Canvas,
    pub(super) look: &'a Look,
    pub(super) fonts: &'a Fonts,
    pub(super) setter: &'a mut Setter,
    pub(super) layers: &'a Layers,
    pub(super) pictures: &'a Pictures,
    /// The layer that was laid last.
    pub(super) layer: Option<Arc<Layer>>,
}

/// The look's pictures, in pixels of the card's picture.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    pub(super) avatar: Option<Picture>,
    pub(super) logo: Option<Picture>,
}

impl Pictures {
    /// Scales what the look's files hold to the size at which it is drawn.
    pub(super) fn new(assets: &Assets, scale: u8) -> Self {
        let pixels = |length: f32| (length * f32::from(scale)) as usize;
        Self {
            avatar: assets.avatar.as_ref().map(|avatar| avatar.round(pixels(eyebrow::AVATAR))),
            logo: assets.logo.as_ref().map(|logo| logo.fitted(pixels(eyebrow::AVATAR), pixels(eyebrow::LOGO))),
        }
    }
}

impl Stage<'_> {
    /// Pixels of the picture in a design pixel.
    pub(super) fn scale(&self) -> f32 {
        self.canvas.scale
    }

    /// Lays the scene under everything; what was drawn before is gone.
    pub(super) fn lay(&mut self, scene: Scene) -> Result<(), CardError> {
        let layer = self.layers.get(scene).ok_or(CardError::TooLarge)?;
        self.canvas.pixmap = layer.pixmap.clone();
        self.layer = Some(layer);
        Ok(())
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
    pub(super) fn picture(&mut self, picture: &Picture, at: (f32, f32)) {
        let place = |place: f32| (place * self.canvas.scale).round() as usize;
        let (left, top) = (place(at.0), place(at.1));
        let across = self.canvas.pixmap.width() as usize;
        let rows = self.canvas.pixmap.data_mut().chunks_exact_mut(across * 4).skip(top);
        for (target, source) in rows.zip(picture.pixels.chunks_exact(picture.width)) {
            for (under, over) in target.as_chunks_mut::<4>().0.iter_mut().skip(left).zip(source) {
                let rest = 255 - u16::from(over[3]);
                for (under, over) in under.iter_mut().zip(over) {
                    *under = over.saturating_add(((u16::from(*under) * rest + 127) / 255) as u8);
                }
            }
        }
    }
}
