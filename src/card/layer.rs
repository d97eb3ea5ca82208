//! Layers: a ground with its window, in the pixels of a picture, made once for each place of the window and kept.

use std::sync::{Arc, Mutex, PoisonError};

use tiny_skia::Pixmap;

use super::colour::Rgb;
use super::ground::{Frame, Ground};
use super::layout::{HEIGHT, WIDTH, code, title, window};
use super::look::Look;
use super::paint::{Canvas, Rounded};

/// Layers kept; most posts share three places of the window.
const MOST_LAYERS: usize = 12;

/// The three dots of the title bar.
const DOTS: [Rgb; 3] = [Rgb(0xff, 0x5f, 0x57), Rgb(0xfe, 0xbc, 0x2e), Rgb(0x28, 0xc8, 0x40)];

/// What lies under a card's text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scene {
    /// The ground and the accent at the edge.
    Title,
    /// The ground and a window: its top, and its height unless it runs off the picture.
    Window { top: f32, height: Option<f32> },
}

impl Scene {
    /// The window, in design pixels; it ends below the picture when it runs off.
    fn window(self) -> Option<Rounded> {
        let Self::Window { top, height } = self else { return None };
        let height = height.unwrap_or(HEIGHT - top + 2.0 * window::RADIUS);
        Some(Rounded { x: code::SIDE, y: top, width: WIDTH - 2.0 * code::SIDE, height, radius: window::RADIUS })
    }
}

/// The layers of one look at one scale.
pub(super) struct Layers {
    look: Arc<Look>,
    scale: f32,
    kept: Mutex<Vec<(Scene, Arc<Pixmap>)>>,
}

impl Layers {
    pub(super) fn new(look: Arc<Look>, scale: f32) -> Self {
        Self { look, scale, kept: Mutex::new(Vec::new()) }
    }

    /// The layer of a scene, drawn now if it is not kept; none when a picture of that size cannot be had.
    pub(super) fn get(&self, scene: Scene) -> Option<Arc<Pixmap>> {
        if let Some(layer) = self.kept().iter().find(|(kept, _)| *kept == scene).map(|(_, layer)| Arc::clone(layer)) {
            return Some(layer);
        }
        let layer = Arc::new(self.draw(scene)?);
        let mut kept = self.kept();
        if kept.len() >= MOST_LAYERS {
            kept.remove(0);
        }
        kept.push((scene, Arc::clone(&layer)));
        Some(layer)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<(Scene, Arc<Pixmap>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, scene: Scene) -> Option<Pixmap> {
        let (width, height) = ((WIDTH * self.scale) as u32, (HEIGHT * self.scale) as u32);
        let mut pixmap = Pixmap::new(width, height)?;
        let shape = scene.window();
        let frame = shape.map(|shape| Frame {
            left: shape.x * self.scale,
            top: shape.y * self.scale,
            right: (shape.x + shape.width) * self.scale,
            bottom: (shape.y + shape.height) * self.scale,
            radius: shape.radius * self.scale,
        });
        let ground = Ground::new(&self.look, frame, (width as usize, height as usize), self.scale);
        let mut row = vec![[0.0; 3]; width as usize];
        for (y, target) in pixmap.data_mut().chunks_exact_mut(width as usize * 4).enumerate() {
            ground.row(y, &mut row);
            for (x, (pixel, target)) in row.iter().zip(target.as_chunks_mut::<4>().0).enumerate() {
                let dither = threshold(x, y);
                let [r, g, b] = pixel.map(|channel| (channel + dither) as u8);
                *target = [r, g, b, 255];
            }
        }
        let mut canvas = Canvas { pixmap, scale: self.scale };
        match shape {
            Some(shape) => self.draw_window(&mut canvas, shape),
            None => self.draw_accent(&mut canvas),
        }
        Some(canvas.pixmap)
    }

    fn draw_window(&self, canvas: &mut Canvas, shape: Rounded) {
        let style = &self.look.window;
        canvas.fill(shape, style.fill, 1.0);
        canvas.edge(shape, 1.0, style.edge.color, style.edge.alpha);
        let y = shape.y + window::DOT_TOP;
        for (at, colour) in DOTS.into_iter().enumerate() {
            let x = shape.x + window::DOT_LEFT + at as f32 * window::DOT_STEP;
            canvas.fill(
                Rounded { x, y, width: window::DOT, height: window::DOT, radius: window::DOT / 2.0 },
                colour,
                1.0,
            );
        }
    }

    fn draw_accent(&self, canvas: &mut Canvas) {
        let edge = Rounded { x: 0.0, y: 0.0, width: title::ACCENT, height: HEIGHT, radius: 0.0 };
        canvas.fill_gradient(edge, [(0.0, 0.0), (0.0, HEIGHT)], [self.look.accent.from, self.look.accent.to]);
    }
}

/// The threshold of a pixel in an ordered dither of 8 × 8 (Bayer 1973), between 0 and 1.
pub(super) fn threshold(x: usize, y: usize) -> f32 {
    let mut value = 0;
    for bit in 0..3 {
        let (x, y) = (x >> bit & 1, y >> bit & 1);
        value = value << 2 | (x ^ y) << 1 | y;
    }
    (value as f32 + 0.5) / 64.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_all_different() {
        let mut all: Vec<u32> = (0..64).map(|at| (threshold(at % 8, at / 8) * 128.0) as u32).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 64);
    }

    #[test]
    fn a_layer_is_drawn_once() {
        let layers = Layers::new(Arc::new(Look::built_in("paper").unwrap()), 1.0);
        let scene = Scene::Window { top: 203.0, height: Some(300.0) };
        let first = layers.get(scene).unwrap();
        assert!(Arc::ptr_eq(&first, &layers.get(scene).unwrap()));
        let pixel = first.pixel(600, 400).unwrap();
        assert_eq!((pixel.red(), pixel.green(), pixel.blue()), (255, 255, 255));
    }
}
