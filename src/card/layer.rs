//! Layers: a ground with its window, in the pixels of a picture, made once for each place of the window and kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tiny_skia::Pixmap;

use super::colour::Rgb;
use super::ground::{Frame, Ground};
use super::layout::{HEIGHT, WIDTH, title, window};
use super::look::Look;
use super::paint::{Canvas, Rounded};
use super::palette::{GROUND_COLOURS, Mixer, Sample, Search, represent};

/// Layers kept; most posts share three places of the window.
const MOST_LAYERS: usize = 12;

/// Rounds in which a layer's colours are improved.
const ROUNDS: usize = 4;
/// The plain ground's place in the palette.
const PLAIN: u8 = 0;
/// Pixels between those that are looked at for the ground's colours.
const SAMPLE_STRIDE: usize = 15;
/// The scenes that are looked at for them, and how much each weighs.
const SAMPLED: [(Scene, f32); 4] = [
    (Scene::Title, 1.0),
    (Scene::Window { top: 203.0, height: None }, 1.0),
    (Scene::Window { top: 203.0, height: Some(339.0) }, 1.0),
    (Scene::Window { top: 260.0, height: Some(200.0) }, 0.5),
];
/// Shadows are dark and small: this far around a window samples weigh as many times more.
const SHADED: f32 = 48.0;
const SHADED_WEIGHT: f32 = 4.0;
/// Colours for the window, its edge and its dots, or for the accent.
const SHAPE_COLOURS: usize = 24;

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
    /// The window, in design pixels, `side` from the picture's sides; it ends below the picture when it runs off.
    fn window(self, side: f32) -> Option<Rounded> {
        let Self::Window { top, height } = self else { return None };
        let height = height.unwrap_or(HEIGHT - top + 2.0 * window::RADIUS);
        Some(Rounded { x: side, y: top, width: WIDTH - 2.0 * side, height, radius: window::RADIUS })
    }
}

/// A layer's pixels, in true colour and in the palette of its look.
pub(super) struct Layer {
    pub(super) pixmap: Pixmap,
    pub(super) indices: Vec<u8>,
    pub(super) palette: Vec<[u8; 3]>,
}

/// The layers of one look at one scale.
pub(super) struct Layers {
    look: Arc<Look>,
    scale: f32,
    /// The colours of the ground under any window.
    colours: OnceLock<Vec<[u8; 3]>>,
    kept: Mutex<Vec<(Scene, Arc<Layer>)>>,
}

impl Layers {
    pub(super) fn new(look: Arc<Look>, scale: f32) -> Self {
        Self { look, scale, colours: OnceLock::new(), kept: Mutex::new(Vec::new()) }
    }

    /// The layer of a scene, drawn now if it is not kept; none when a picture of that size cannot be had.
    pub(super) fn get(&self, scene: Scene) -> Option<Arc<Layer>> {
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

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<(Scene, Arc<Layer>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, scene: Scene) -> Option<Layer> {
        let (width, height) = self.size();
        let pixmap = Pixmap::new(width as u32, height as u32)?;
        let mut palette = self.colours.get_or_init(|| self.ground_colours()).clone();
        let mut mixer = Mixer::new(&palette);
        let ground = self.ground(scene);
        let plain = self.look.ground.channels();
        let mut row = vec![[0.0; 3]; width];
        let mut canvas = Canvas { pixmap, scale: self.scale };
        let mut indices = vec![0; width * height];
        for (y, (target, indices)) in
            canvas.pixmap.data_mut().chunks_exact_mut(width * 4).zip(indices.chunks_exact_mut(width)).enumerate()
        {
            ground.row(y, &mut row);
            for (x, ((pixel, target), index)) in row.iter().zip(target.as_chunks_mut::<4>().0).zip(indices).enumerate()
            {
                *index = if near(*pixel, plain) { PLAIN } else { mixer.mix(*pixel, threshold(x, y)) };
                let [r, g, b] = palette[usize::from(*index)];
                *target = [r, g, b, 255];
            }
        }
        let ground = canvas.pixmap.clone();
        match scene.window(self.look.padding) {
            Some(shape) => self.draw_window(&mut canvas, shape),
            None => self.draw_accent(&mut canvas),
        }
        index_shapes(&canvas.pixmap, &ground, &mut indices, &mut palette);
        Some(Layer { pixmap: canvas.pixmap, indices, palette })
    }

    fn size(&self) -> (usize, usize) {
        ((WIDTH * self.scale) as usize, (HEIGHT * self.scale) as usize)
    }

    fn ground(&self, scene: Scene) -> Ground {
        let frame = scene.window(self.look.padding).map(|shape| Frame {
            left: shape.x * self.scale,
            top: shape.y * self.scale,
            right: (shape.x + shape.width) * self.scale,
            bottom: (shape.y + shape.height) * self.scale,
            radius: shape.radius * self.scale,
        });
        Ground::new(&self.look, frame, self.size(), self.scale)
    }

    /// The colours that represent the ground under a title, and around a window that is closed and one that runs off.
    fn ground_colours(&self) -> Vec<[u8; 3]> {
        let (width, height) = self.size();
        let mut row = vec![[0.0; 3]; width];
        let mut samples = Vec::new();
        let stride = SAMPLE_STRIDE * self.scale as usize;
        for (scene, weight) in SAMPLED {
            let (ground, window) = (self.ground(scene), scene.window(self.look.padding));
            for y in (0..height).step_by(stride) {
                ground.row(y, &mut row);
                for x in (0..width).step_by(stride) {
                    let at = (x as f32 / self.scale, y as f32 / self.scale);
                    if window.is_some_and(|shape| shape.holds(at)) {
                        continue;
                    }
                    let shaded = window.is_some_and(|shape| shape.grown(SHADED).holds(at));
                    let weight = if shaded { weight * SHADED_WEIGHT } else { weight };
                    samples.push(Sample { colour: row[x], weight });
                }
            }
        }
        let plain = self.look.ground;
        samples.retain(|sample| !near(sample.colour, plain.channels()));
        let mut colours = vec![[plain.0, plain.1, plain.2]];
        colours.extend(represent(&mut samples, GROUND_COLOURS - 1, ROUNDS));
        colours
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

/// Whether a colour cannot be told from the plain ground, which is not dithered.
fn near(colour: [f32; 3], plain: [f32; 3]) -> bool {
    colour.iter().zip(plain).all(|(a, b)| (a - b).abs() < 0.6)
}

/// Gives the pixels that shapes changed places of their own in the palette.
fn index_shapes(drawn: &Pixmap, ground: &Pixmap, indices: &mut [u8], palette: &mut Vec<[u8; 3]>) {
    let pairs = drawn.data().as_chunks::<4>().0.iter().zip(ground.data().as_chunks::<4>().0);
    let changed: Vec<(usize, [u8; 3])> = pairs
        .enumerate()
        .filter(|(_, (drawn, ground))| drawn != ground)
        .map(|(at, (&[r, g, b, _], _))| (at, [r, g, b]))
        .collect();
    let mut counts: HashMap<[u8; 3], u32> = HashMap::new();
    for (_, colour) in &changed {
        *counts.entry(*colour).or_default() += 1;
    }
    let mut samples: Vec<Sample> =
        counts.iter().map(|(colour, count)| Sample { colour: colour.map(f32::from), weight: *count as f32 }).collect();
    samples.sort_unstable_by(|a, b| a.colour.partial_cmp(&b.colour).unwrap_or(std::cmp::Ordering::Equal));
    palette.extend(represent(&mut samples, SHAPE_COLOURS, ROUNDS));
    let colours: Vec<[f32; 3]> = palette.iter().map(|colour| colour.map(f32::from)).collect();
    let mut search = Search::new(&colours);
    let places: HashMap<[u8; 3], u8> =
        counts.keys().map(|colour| (*colour, search.nearest(colour.map(f32::from)).0 as u8)).collect();
    for (at, colour) in changed {
        indices[at] = places[&colour];
    }
}

/// The threshold of a pixel in an ordered dither of 4 × 4 (Bayer 1973), between 0 and 1.
pub(super) fn threshold(x: usize, y: usize) -> f32 {
    let mut value = 0;
    for bit in 0..2 {
        let (x, y) = (x >> bit & 1, y >> bit & 1);
        value = value << 2 | (x ^ y) << 1 | y;
    }
    (value as f32 + 0.5) / 16.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_all_different() {
        let mut all: Vec<u32> = (0..16).map(|at| (threshold(at % 4, at / 4) * 32.0) as u32).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 16);
    }

    #[test]
    fn a_layer_is_drawn_once() {
        let layers = Layers::new(Arc::new(Look::built_in("paper").unwrap()), 1.0);
        let scene = Scene::Window { top: 203.0, height: Some(300.0) };
        let first = layers.get(scene).unwrap();
        assert!(Arc::ptr_eq(&first, &layers.get(scene).unwrap()));
        let pixel = first.pixmap.pixel(600, 400).unwrap();
        assert_eq!((pixel.red(), pixel.green(), pixel.blue()), (255, 255, 255));
    }
}
