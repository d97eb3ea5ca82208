//! Pictures of one byte a pixel: a layer and what is drawn on it come in, the places of a palette go out. Nothing is ever painted
//! in true colour: for each colour of text there is a table that says which place of the palette comes of a place under it and
//! a level of coverage.

use super::colour::Rgb;
use super::paint::{FadeAcross, Op, Tone, times};
use super::palette::{Search, between, channels};
use super::raster::{LEVELS, Pixels, Raster, level};

/// Bits of a channel by which the colours of pictures are looked up.
const BITS: u32 = 6;
/// A place that is not known yet.
const UNKNOWN: u16 = u16::MAX;
/// Pixels that are compared at once.
const BLOCK: usize = 64;

/// A picture of at most 256 colours.
#[derive(Debug, Clone, Default)]
pub(super) struct Indexed {
    /// Pixels across.
    pub(super) width: usize,
    pub(super) palette: Vec<[u8; 3]>,
    /// Row after row, each with a leading zero, as a PNG wants them.
    pub(super) rows: Vec<u8>,
}

impl Indexed {
    /// Rows of pixels.
    pub(super) fn height(&self) -> usize {
        self.rows.len() / (self.width + 1)
    }

    /// The colour of a pixel; of the nearest one where there is none.
    pub(super) fn colour(&self, at: (i32, i32)) -> Rgb {
        let (right, bottom) = (self.width.saturating_sub(1), self.height().saturating_sub(1));
        let (column, row) = (at.0.clamp(0, right as i32) as usize, at.1.clamp(0, bottom as i32) as usize);
        let place = self.rows.get(row * (self.width + 1) + 1 + column).copied().unwrap_or_default();
        let [r, g, b] = self.palette.get(usize::from(place)).copied().unwrap_or_default();
        Rgb(r, g, b)
    }

    /// The rows of pixels, without the zeros.
    pub(super) fn pixels(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.chunks_exact(self.width + 1).map(|row| &row[1..])
    }

    /// Becomes what is drawn on a layer in a palette that begins with the layer's own.
    pub(super) fn paint(&mut self, layer: &Self, palette: Vec<[u8; 3]>, ops: &[Op]) {
        self.width = layer.width;
        self.rows.clone_from(&layer.rows);
        self.palette = palette;
        let mut painter = Painter::new(&self.palette);
        let mut target = Target { width: self.width, rows: &mut self.rows };
        for op in ops {
            match op {
                Op::Mask { left, top, times, raster, tone, fade } => {
                    let height = raster.height() as i32;
                    for top in (0..*times as i32).map(|at| top + at * height) {
                        painter.mask(&mut target, raster, (*left, top), *tone, *fade);
                    }
                }
                Op::Picture { left, top, raster, fade } => painter.picture(&mut target, raster, (*left, *top), *fade),
                Op::FadeDown { left, top, right, bottom, colour } => {
                    painter.fade_down(&mut target, [*left, *top, *right, *bottom], *colour);
                }
            }
        }
    }
}

/// The pixels that are painted.
struct Target<'a> {
    width: usize,
    rows: &'a mut [u8],
}

impl Target<'_> {
    /// The part of a row between two columns, both clamped to the picture; none outside of it.
    fn row(&mut self, y: i32, left: i32, right: i32) -> Option<&mut [u8]> {
        let y = usize::try_from(y).ok()?;
        let (left, right) = (left.max(0) as usize, (right.max(0) as usize).min(self.width));
        if left >= right {
            return None;
        }
        let start = y * (self.width + 1) + 1;
        self.rows.get_mut(start + left..start + right)
    }
}

/// What becomes of the palette's places under one tone.
struct Table {
    tone: Tone,
    /// The level of each coverage.
    levels: [u8; 256],
    /// The place that comes of a place and a level.
    places: Box<Places>,
}

type Places = [[u16; LEVELS]; 256];

/// A table in use, with what it takes to complete it.
struct Open<'a> {
    tone: Tone,
    levels: &'a [u8; 256],
    places: &'a mut Places,
    colours: &'a [[f32; 3]],
    search: &'a Search,
}

impl Open<'_> {
    /// The place that comes of a place under the tone at a level.
    #[inline]
    fn place(&mut self, under: u8, level: u8) -> u8 {
        let place = self.places[usize::from(under)][usize::from(level) % LEVELS];
        if place == UNKNOWN { self.mixed(under, level) } else { place as u8 }
    }

    /// The same where it is asked for the first time.
    #[cold]
    fn mixed(&mut self, under: u8, level: u8) -> u8 {
        let (base, over) = (self.colours[usize::from(under)], self.tone.colour.channels());
        let share = f32::from(level) / (LEVELS - 1) as f32 * f32::from(self.tone.alpha) / 255.0;
        let place = self.search.nearest(between(base, over, share)).0 as u8;
        self.places[usize::from(under)][usize::from(level) % LEVELS] = u16::from(place);
        place
    }
}

struct Painter {
    colours: Vec<[f32; 3]>,
    search: Search,
    tables: Vec<Table>,
    /// The table that was used last.
    last: usize,
    /// The places of pictures' colours.
    pictures: Vec<u16>,
}

impl Painter {
    fn new(palette: &[[u8; 3]]) -> Self {
        let colours = channels(palette);
        Self { search: Search::new(&colours), colours, tables: Vec::new(), last: 0, pictures: Vec::new() }
    }

    /// The tone's table.
    fn choose(&mut self, tone: Tone) -> Open<'_> {
        if self.tables.get(self.last).is_none_or(|table| table.tone != tone) {
            let known = self.tables.iter().position(|table| table.tone == tone);
            self.last = known.unwrap_or_else(|| {
                let places = Box::new([[UNKNOWN; LEVELS]; 256]);
                self.tables.push(Table { tone, levels: tone.gamma.map(level), places });
                self.tables.len() - 1
            });
        }
        let Table { tone, levels, places } = &mut self.tables[self.last];
        Open { tone: *tone, levels, places, colours: &self.colours, search: &self.search }
    }

    fn mask(
        &mut self,
        target: &mut Target<'_>,
        raster: &Raster,
        (left, top): (i32, i32),
        tone: Tone,
        fade: Option<FadeAcross>,
    ) {
        let Pixels::Coverage(pixels, _) = &raster.pixels else { return };
        let mut table = self.choose(tone);
        let hides = tone.alpha == u8::MAX && fade.is_none();
        let first = (-left).max(0) as usize;
        for (y, source) in (top..).zip(pixels.chunks_exact(raster.width.max(1))) {
            let Some(row) = target.row(y, left, left + raster.width as i32) else { continue };
            if hides && source.iter().all(|covered| *covered == u8::MAX) {
                row.fill(table.place(0, LEVELS as u8 - 1));
                continue;
            }
            for (at, (pixel, covered)) in row.iter_mut().zip(&source[first..]).enumerate() {
                let mut level = table.levels[usize::from(*covered)];
                if level == 0 {
                    continue;
                }
                if let Some(fade) = fade {
                    level = fade.level(level, (left + (first + at) as i32) as f32);
                }
                *pixel = table.place(*pixel, level);
            }
        }
    }

    fn picture(&mut self, target: &mut Target<'_>, raster: &Raster, (left, top): (i32, i32), fade: Option<FadeAcross>) {
        let Pixels::Colour(pixels, _) = &raster.pixels else { return };
        let first = (-left).max(0) as usize;
        for (y, source) in (top..).zip(pixels.chunks_exact(raster.width.max(1))) {
            let Some(row) = target.row(y, left, left + raster.width as i32) else { continue };
            for (at, (pixel, over)) in row.iter_mut().zip(&source[first..]).enumerate() {
                let strength = fade.map_or(255, |fade| fade.strength((left + (first + at) as i32) as f32));
                let over = over.map(|channel| times(channel, strength));
                if over[3] == 0 {
                    continue;
                }
                let under = self.colours[usize::from(*pixel)];
                let rest = f32::from(255 - over[3]) / 255.0;
                *pixel = self.nearest(std::array::from_fn(|axis| f32::from(over[axis]) + under[axis] * rest));
            }
        }
    }

    /// The place that is nearest to a picture's colour.
    fn nearest(&mut self, colour: [f32; 3]) -> u8 {
        if self.pictures.is_empty() {
            self.pictures = vec![UNKNOWN; 1 << (3 * BITS)];
        }
        let step = (1 << (8 - BITS)) as f32;
        let cube = colour.map(|channel| (channel.clamp(0.0, 255.0) / step) as usize);
        let at = cube.iter().fold(0, |at, along| at << BITS | along);
        if self.pictures[at] == UNKNOWN {
            self.pictures[at] = self.search.nearest(cube.map(|along| (along as f32 + 0.5) * step)).0 as u16;
        }
        self.pictures[at] as u8
    }

    /// Lays a colour over an area, from nothing at its top to all at its bottom; what has the colour already is passed over.
    fn fade_down(&mut self, target: &mut Target<'_>, [left, top, right, bottom]: [i32; 4], colour: Rgb) {
        let same = [self.search.nearest(colour.channels()).0 as u8; BLOCK];
        let mut table = self.choose(Tone::flat(colour, 255));
        for y in top..bottom {
            let level = level(fade_alpha(y, top, bottom));
            let Some(row) = target.row(y, left, right) else { continue };
            for block in row.chunks_mut(BLOCK) {
                if *block == same[..block.len()] {
                    continue;
                }
                for pixel in block {
                    *pixel = table.place(*pixel, level);
                }
            }
        }
    }
}

/// How much of a fade's colour lies over a row.
pub(super) fn fade_alpha(y: i32, top: i32, bottom: i32) -> u8 {
    (((y - top) as f32 + 0.5) / (bottom - top) as f32 * 255.0).round() as u8
}
