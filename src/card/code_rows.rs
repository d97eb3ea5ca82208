//! Rows of highlighted code in a room: a block and the place for it come in; bands, numbers, marks and letters go onto the stage.

use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;
use syntect::highlighting::Theme;

use super::CodeCard;
use super::code::{CodeLine, Coloured, Grid};
use super::code_box::Place;
use super::code_layout::{CodeLayout, cells_across};
use super::colour::Rgb;
use super::font::{Region, face};
use super::highlight::{Span, cut, highlight, prefix};
use super::language::Language;
use super::layout::window;
use super::look::Band;
use super::paint::{FadeAcross, Ink, Rounded};
use super::pill::Pill;
use super::stage::Stage;
use super::theme::LEGIBLE;
use super::unicode::tamed;

/// Strength of the bands behind stressed, added and removed lines.
const BAND: f32 = 0.15;
/// How much of their colour lines keep beside stressed ones.
const DIMMED: f32 = 0.62;

/// The box around a mark, in ems of the code, and how strong its ground and its edge are.
const MARK_HEIGHT: f32 = 1.22;
const MARK_ASCENT: f32 = 0.96;
const MARK_RADIUS: f32 = 5.0;
const MARK_GROUND: f32 = 0.14;
const MARK_EDGE: f32 = 0.55;

/// Characters of a wrapped line that are looked at; no card shows as many.
const MOST_WRAPPED: usize = 1200;
/// Characters of any other line that are looked at before piles of marks are taken off.
const MOST_BEFORE: usize = 6000;

/// The room for code, in design pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Where its lines begin, and how wide they may be.
    pub(super) left: f32,
    pub(super) width: f32,
    /// Where bands begin, and how wide they are.
    pub(super) band: (f32, f32),
    /// The colour on which it stands.
    pub(super) fill: Rgb,
}

/// What is known of a code before it is drawn.
pub(super) struct Code {
    rows: Vec<Row>,
    pub(super) language: Language,
    pub(super) layout: CodeLayout,
    room: Room,
    /// Cells to the left of the code for the line numbers.
    gutter: usize,
}

/// A row of the window: a line, or a part of one that is wrapped.
struct Row {
    line: CodeLine,
    /// The line it belongs to, counted from 0, and whether it is the line's first row.
    of: usize,
    first: bool,
    /// The line's first character.
    mark: Option<char>,
}

impl Code {
    /// Looks at as much of the code as can be shown, and finds its place.
    pub(super) fn read(
        card: &CodeCard,
        theme: (&Theme, Option<Rgb>),
        (place, room): (Place, Room),
        stage: &mut Stage<'_>,
    ) -> Self {
        let text = card.code.trim_end_matches(['\n', ' ', '\t', '\r']);
        let most = if card.wrap { MOST_WRAPPED } else { MOST_BEFORE };
        let first: Vec<_> = text
            .split('\n')
            .take(place.most_lines())
            .map(|line| tamed(prefix(line.trim_end_matches('\r'), most)))
            .collect();
        let first: Vec<&str> = first.iter().map(|line| if card.wrap { line } else { cut(line) }).collect();
        let count = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let gutter =
            card.line_numbers.map_or(0, |start| digits(start.saturating_add(first.len())) + window::NUMBER_GAP);
        let grid = Grid::new(Region::of(&first.concat()), card.tab_width, card.wrap, stage.look.window.warning);
        let width = room.width;
        if card.wrap {
            let language = Language::find(card.language.as_deref());
            let lines = highlighted(&first, &language, theme, grid, stage);
            let columns: Vec<usize> = lines.iter().map(|line| line.columns + gutter).collect();
            let most = place.most_lines();
            let mut wrapped = |cells: usize| wrapped(&lines, (cells.saturating_sub(gutter), most), stage);
            let layout = place.fit_rows(width, count, &columns, |cells| wrapped(cells).iter().map(Vec::len).collect());
            let rows = rows(wrapped(cells_across(width, layout.size)), layout.shown);
            return Self { rows, language, layout, room, gutter };
        }
        let columns: Vec<usize> =
            first.iter().map(|line| CodeLine::columns(stage.fonts, stage.setter, line, grid) + gutter).collect();
        let layout = place.fit(width, count, &columns);
        let shown = &first[..layout.shown.min(first.len())];
        let layers = stage.layers;
        let (language, lines) = layers.beside(place.scene(&layout), || {
            let language = Language::find(card.language.as_deref());
            let lines = highlighted(shown, &language, theme, grid, stage);
            (language, lines)
        });
        let lines = lines.into_iter().map(|line| vec![line]).collect();
        Self { rows: rows(lines, layout.shown), layout, language, room, gutter }
    }

    /// Draws bands and code; code beside a pill ends before it.
    pub(super) fn draw(&self, card: &CodeCard, pill: Option<&Pill>, stage: &mut Stage<'_>) {
        draw_bands(card, self, stage);
        draw_code(card, self, pill, stage);
    }
}

/// Lines in colour, on their cells.
fn highlighted(
    lines: &[&str],
    language: &Language,
    (theme, name): (&Theme, Option<Rgb>),
    grid: Grid,
    stage: &mut Stage<'_>,
) -> Vec<CodeLine> {
    let name = name.filter(|_| language.has_names);
    let mut spans = highlight(lines, language.grammar, (theme, &mut *stage.styles), name);
    for (line, spans) in lines.iter().zip(&mut spans) {
        if let Some(last) = spans.last_mut() {
            last.range.end = line.len(); // what a highlighter does not look at goes on in the last colour
        }
    }
    let placed = |(line, spans): (&&str, &Vec<Span>)| CodeLine::new(stage.fonts, stage.setter, (line, spans), grid);
    lines.iter().zip(&spans).map(placed).collect()
}

/// Each line in rows of so many cells.
fn wrapped(lines: &[CodeLine], (cells, most): (usize, usize), stage: &mut Stage<'_>) -> Vec<Vec<CodeLine>> {
    let mut left = most; // rows past these are below the room
    let wrap = |line: &CodeLine| {
        let rows = line.wrapped((stage.fonts, &mut *stage.setter), cells, left);
        left = left.saturating_sub(rows.len());
        rows
    };
    lines.iter().map(wrap).collect()
}

/// The rows of all lines, as many as are shown.
fn rows(lines: Vec<Vec<CodeLine>>, shown: usize) -> Vec<Row> {
    let rows = lines.into_iter().enumerate().flat_map(|(of, rows)| {
        let mark = rows.first().and_then(CodeLine::first);
        rows.into_iter().enumerate().map(move |(at, line)| Row { line, of, first: at == 0, mark })
    });
    rows.take(shown).collect()
}

/// The colour of the band behind a row, where there is one.
fn band(card: &CodeCard, code: &Code, row: &Row, colours: &Band) -> Option<Rgb> {
    let holds = |lines: &[RangeInclusive<usize>]| lines.iter().any(|lines| lines.contains(&(row.of + 1)));
    match row.mark {
        Some('+') if code.language.is_diff => Some(colours.added),
        Some('-') if code.language.is_diff => Some(colours.removed),
        _ if holds(&card.added) => Some(colours.added),
        _ if holds(&card.removed) => Some(colours.removed),
        _ if holds(&card.highlights) => Some(colours.stressed),
        _ => None,
    }
}

fn draw_bands(card: &CodeCard, code: &Code, stage: &mut Stage<'_>) {
    let Room { band: (x, width), fill, .. } = code.room;
    for (at, row) in code.rows.iter().enumerate() {
        let Some(mark) = band(card, code, row, &stage.look.band) else { continue };
        let (top, next) = (code.layout.line_top(at).round(), code.layout.line_top(at + 1).round());
        let band = Rounded { x, y: top, width, height: next - top, radius: 0.0 };
        stage.canvas.fill(band, mark.over(fill, BAND), 1.0);
        stage.canvas.fill(Rounded { width: 4.0, ..band }, mark, 1.0);
    }
}

/// A colour as it stands beside stressed lines: fainter, but no less legible than it has to be.
fn dimmed(colour: Rgb, fill: Rgb) -> Rgb {
    colour.over(fill, DIMMED).legible_on(fill, colour.contrast(fill).min(LEGIBLE))
}

fn draw_code(card: &CodeCard, code: &Code, pill: Option<&Pill>, stage: &mut Stage<'_>) {
    let scale = stage.scale();
    let (size, cell) = (code.layout.size * scale, code.layout.cell() * scale);
    let Room { left, width, fill, .. } = code.room;
    let (left, end) = (left * scale, (left + width) * scale);
    let mut faint = FxHashMap::default();
    for (at, row @ Row { line, of, first, .. }) in code.rows.iter().enumerate() {
        let y = code.layout.line_baseline(at) * scale;
        let dim = !card.highlights.is_empty() && band(card, code, row, &stage.look.band).is_none();
        let row = (code.layout.line_baseline(at), code.layout.size);
        let end = pill.filter(|pill| pill.meets(row)).map_or(end, |pill| end.min(pill.left() * scale));
        let wide = (line.columns + code.gutter) as f32 * cell > end - left;
        let fade = wide.then_some(FadeAcross { from: end - window::FADE_ACROSS * scale, to: end });
        if let Some(start) = card.line_numbers.filter(|_| *first) {
            draw_number(start.saturating_add(*of), code, (left, y), stage);
        }
        let start = left + code.gutter as f32 * cell;
        draw_marks(line, code, (start / scale, at), stage);
        for Coloured { glyph, colour } in line.glyphs(stage.fonts, stage.setter, size, cell) {
            if start + glyph.x > end {
                break;
            }
            let colour = if dim { *faint.entry(colour).or_insert_with(|| dimmed(colour, fill)) } else { colour };
            stage.canvas.glyphs(stage.fonts, &mut stage.setter.glyphs, &[glyph], (start, y), Ink { colour, fade });
        }
    }
}

/// Boxes around the marks in a row, so that nobody takes them for a part of the program.
fn draw_marks(line: &CodeLine, code: &Code, (start, row): (f32, usize), stage: &mut Stage<'_>) {
    let (size, cell) = (code.layout.size, code.layout.cell());
    let end = code.room.left + code.room.width;
    for (column, cells) in line.marks() {
        let (x, width) = (start + column as f32 * cell, cells as f32 * cell);
        if x + width > end {
            continue;
        }
        let height = (size * MARK_HEIGHT).round();
        let y = code.layout.line_baseline(row) - (size * MARK_ASCENT).round();
        let shape = Rounded { x: x + 1.0, y, width: width - 2.0, height, radius: MARK_RADIUS };
        stage.canvas.fill(shape, stage.look.window.warning, MARK_GROUND);
        stage.canvas.edge(shape, 1.0, stage.look.window.warning, MARK_EDGE);
    }
}

fn draw_number(number: usize, code: &Code, at: (f32, f32), stage: &mut Stage<'_>) {
    let text = number.to_string();
    let cell = code.layout.cell() * stage.scale();
    let column = (code.gutter - window::NUMBER_GAP).saturating_sub(text.len());
    let style = stage.style(face::CODE, code.layout.size, 0.0);
    let line = stage.setter.shape(stage.fonts, &text, style);
    let colour = stage.look.window.name.over(code.room.fill, 0.7);
    stage.canvas.glyphs(
        stage.fonts,
        &mut stage.setter.glyphs,
        &line.glyphs,
        (at.0 + column as f32 * cell, at.1),
        colour.into(),
    );
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
