//! Layers: a ground with its window, in the palette of its look, made once for each place of the window and kept.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use super::colour::Rgb;
use super::ground::{Frame, Grid, Ground};
use super::indexed::Indexed;
use super::layout::{HEIGHT, WIDTH, title, window};
use super::look::Look;
use super::paint::{Canvas, Rounded};
use super::palette::{Mixer, Sample, represent};
use super::plan;

/// Bytes of layers that are kept, each of a byte a pixel: 64 of the usual size. Windows of all heights and places are about as many.
const MOST_KEPT: usize = 48 << 20;

/// Colours of the ground; the others are for what stands on it.
const GROUND_COLOURS: usize = 96;
/// Rounds in which they are improved.
const ROUNDS: usize = 4;
/// The plain ground's place in the palette.
const PLAIN: u8 = 0;
/// Of so many cells across and down one is looked at for the ground's colours; around a window of fewer across, and each down.
const SPARSE: (usize, usize) = (8, 4);
const DENSE: usize = 4;
/// Shadows are dark and small: this far around a window samples are dense and weigh more than their area.
const SHADED: f32 = 48.0;
const SHADED_WEIGHT: f32 = 0.75;
/// Colours for the window, its edge and its dots.
const SHAPE_COLOURS: usize = 28;

/// The ground changes so slowly that this many pixels across and down share one colour, mixed of two by turns. Rows that are
/// equal cost a PNG next to nothing: with this it is less than half as large as with every pixel on its own.
const HELD: (usize, usize) = (2, 4);
/// The thresholds of neighbours across; from block to block down they change places.
const THRESHOLDS: [f32; 2] = [0.25, 0.75];

/// The three dots of the title bar.
const DOTS: [Rgb; 3] = [Rgb(0xff, 0x5f, 0x57), Rgb(0xfe, 0xbc, 0x2e), Rgb(0x28, 0xc8, 0x40)];

/// What lies under a card's text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scene {
    /// The ground and the accent at the edge.
    Title,
    /// The ground alone.
    Plain,
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

/// The layers of one look at one scale.
pub(super) struct Layers {
    look: Arc<Look>,
    scale: f32,
    kept: Mutex<Vec<Kept>>,
}

type Kept = (Scene, Arc<Indexed>);

fn bytes(kept: &[Kept]) -> usize {
    kept.iter().map(|(_, layer)| layer.rows.len()).sum()
}

impl Layers {
    pub(super) fn new(look: Arc<Look>, scale: f32) -> Self {
        Self { look, scale, kept: Mutex::new(Vec::new()) }
    }

    /// Does some work while the first layer of all is drawn beside it: what a process waits for that draws one card.
    pub(super) fn beside<T>(&self, scene: Option<Scene>, work: impl FnOnce() -> T) -> T {
        let Some(scene) = scene.filter(|_| self.kept().is_empty()) else { return work() };
        thread::scope(|scope| {
            // Where no thread can be had, the layer is drawn when it is wanted.
            let _ = thread::Builder::new().spawn_scoped(scope, || self.get(scene));
            work()
        })
    }

    /// The layer of a scene, drawn now if it is not kept.
    pub(super) fn get(&self, scene: Scene) -> Arc<Indexed> {
        if let Some(layer) = self.find(scene) {
            return layer;
        }
        let layer = Arc::new(self.draw(scene));
        let mut kept = self.kept();
        while !kept.is_empty() && bytes(&kept) + layer.rows.len() > MOST_KEPT {
            kept.remove(0);
        }
        kept.push((scene, Arc::clone(&layer)));
        layer
    }

    fn find(&self, scene: Scene) -> Option<Arc<Indexed>> {
        self.kept().iter().find(|(kept, _)| *kept == scene).map(|(_, layer)| Arc::clone(layer))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, scene: Scene) -> Indexed {
        let ground = self.dithered(scene);
        let Some(shape) = scene.window(self.look.padding) else { return ground };
        let mut canvas = Canvas { ops: Vec::new(), scale: self.scale };
        self.draw_window(&mut canvas, shape);
        let mut layer = Indexed::default();
        if let Some(palette) = plan::palette(&ground, &canvas.ops, SHAPE_COLOURS) {
            layer.paint(&ground, palette, &canvas.ops);
        }
        layer
    }

    /// The ground in its palette. Each scene has its own: a shadow on another part of a glow has other colours.
    fn dithered(&self, scene: Scene) -> Indexed {
        let (width, height) = self.size();
        let cells = self.cells(scene);
        let mut mixer = Mixer::new(self.ground_colours(scene, &cells));
        let (plain, hidden) = (self.look.ground.channels(), self.hidden(scene));
        let mut rows = vec![PLAIN; (width + 1) * height];
        for (block, rows) in rows.chunks_mut((width + 1) * cells.down).enumerate() {
            let (row, copies) = rows.split_at_mut(width + 1);
            for (at, (cell, colour)) in row[1..].chunks_mut(cells.across).zip(cells.row(block)).enumerate() {
                if near(*colour, plain) || hidden.holds(cells.place(at, block)) {
                    continue;
                }
                for (x, place) in cell.iter_mut().enumerate() {
                    *place = mixer.mix(*colour, THRESHOLDS[(at * cells.across + x + block) % 2]);
                }
            }
            copies.chunks_exact_mut(width + 1).for_each(|copy| copy.copy_from_slice(row));
        }
        Indexed { width, palette: mixer.palette(), rows }
    }

    /// The ground before it is dithered.
    fn cells(&self, scene: Scene) -> Cells {
        let (width, height) = self.size();
        let (across, down) = (HELD.0 * self.scale as usize, HELD.1 * self.scale as usize);
        let (ground, count) = (self.ground(scene, across), width.div_ceil(across));
        let mut cells = Cells { across, down, count, colours: vec![[0.0; 3]; count * height.div_ceil(down)] };
        let hidden = self.hidden(scene);
        let inside = [hidden.x, hidden.x + hidden.width].map(|x| (x / across as f32).clamp(0.0, count as f32));
        for (block, row) in cells.colours.chunks_exact_mut(count).enumerate() {
            let y = (block * down + down / 2).min(height - 1);
            if hidden.holds((hidden.x, y as f32)) {
                ground.row(y, 0..inside[0].ceil() as usize, row);
                ground.row(y, inside[1].floor() as usize..count, row);
            } else {
                ground.row(y, 0..count, row);
            }
        }
        cells
    }

    fn size(&self) -> (usize, usize) {
        ((WIDTH * self.scale) as usize, (HEIGHT * self.scale) as usize)
    }

    /// What the window hides for sure, in pixels of the picture.
    fn hidden(&self, scene: Scene) -> Rounded {
        let window = scene.window(self.look.padding).map_or(Rounded::default(), |shape| shape.grown(-window::RADIUS));
        let [x, y, width, height] = [window.x, window.y, window.width, window.height].map(|length| length * self.scale);
        Rounded { x, y, width, height, radius: 0.0 }
    }

    /// The ground of a scene, to be looked at in every column that is a multiple of `step`.
    fn ground(&self, scene: Scene, step: usize) -> Ground {
        let frame = scene.window(self.look.padding).map(|shape| Frame {
            left: shape.x * self.scale,
            top: shape.y * self.scale,
            right: (shape.x + shape.width) * self.scale,
            bottom: (shape.y + shape.height) * self.scale,
            radius: shape.radius * self.scale,
        });
        let accent = if scene == Scene::Title { title::ACCENT * self.scale } else { 0.0 };
        Ground::new(&self.look, frame, accent, Grid { size: self.size(), step, scale: self.scale })
    }

    /// The colours that represent a scene's ground.
    fn ground_colours(&self, scene: Scene, cells: &Cells) -> Vec<[u8; 3]> {
        let plain = self.look.ground;
        let mut samples = self.samples(scene, cells);
        samples.retain(|sample| !near(sample.colour, plain.channels()));
        let mut colours = vec![[plain.0, plain.1, plain.2]];
        colours.extend(represent(&mut samples, GROUND_COLOURS - 1, ROUNDS));
        colours
    }

    /// Some of the cells: many around a window, few far from it.
    fn samples(&self, scene: Scene, cells: &Cells) -> Vec<Sample> {
        let scaled = |shape: Rounded, by: f32| {
            let Rounded { x, y, width, height, .. } = shape.grown(by);
            let [x, y, width, height] = [x, y, width, height].map(|length| length * self.scale);
            Rounded { x, y, width, height, radius: 0.0 }
        };
        let window = scene.window(self.look.padding).map(|shape| (scaled(shape, 0.0), scaled(shape, SHADED)));
        let mut samples = Vec::new();
        for block in 0..cells.colours.len() / cells.count {
            for (at, colour) in cells.row(block).iter().enumerate().step_by(DENSE) {
                let place = cells.place(at, block);
                let (hidden, shaded) =
                    window.map_or((false, false), |(inner, outer)| (inner.holds(place), outer.holds(place)));
                if !hidden && (shaded || at.is_multiple_of(SPARSE.0) && block.is_multiple_of(SPARSE.1)) {
                    samples.push(Sample { colour: *colour, weight: if shaded { SHADED_WEIGHT } else { 1.0 } });
                }
            }
        }
        samples
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
}

/// The ground's colours, finer than a screen shows: one for each cell of so many pixels across and down.
struct Cells {
    across: usize,
    down: usize,
    /// Cells in a row.
    count: usize,
    colours: Vec<[f32; 3]>,
}

impl Cells {
    fn row(&self, block: usize) -> &[[f32; 3]] {
        &self.colours[block * self.count..][..self.count]
    }

    /// Where a cell stands, in pixels of the picture.
    fn place(&self, at: usize, block: usize) -> (f32, f32) {
        ((at * self.across) as f32, (block * self.down + self.down / 2) as f32)
    }
}

/// Whether a colour cannot be told from the plain ground, which is not dithered.
fn near(colour: [f32; 3], plain: [f32; 3]) -> bool {
    colour.iter().zip(plain).all(|(a, b)| (a - b).abs() < 0.6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_drawn_once() {
        let layers = Layers::new(Arc::new(Look::built_in("paper").unwrap()), 1.0);
        let scene = Scene::Window { top: 203.0, height: Some(300.0) };
        let first = layers.get(scene);
        assert!(Arc::ptr_eq(&first, &layers.get(scene)));
        assert_eq!(first.colour((600, 400)), Rgb(255, 255, 255));
        assert_eq!((first.width, first.height()), (1200, 630));
    }

    #[test]
    fn the_accent_is_at_the_edge_of_titles_alone() {
        let layers = Layers::new(Arc::new(Look::built_in("night").unwrap()), 1.0);
        let bright = |scene| layers.get(scene).colour((4, 300)).luminance() > 0.1;
        assert!(bright(Scene::Title));
        assert!(!bright(Scene::Window { top: 203.0, height: None }));
    }
}
