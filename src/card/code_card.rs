//! The code card: a window of highlighted code under eyebrow and title.

use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;
use syntect::highlighting::Theme;

use super::CodeCard;
use super::code::{CodeLine, Coloured, Grid};
use super::code_layout::{CodeLayout, cells_across, code_width, most_lines};
use super::colour::Rgb;
use super::eyebrow::{draw_eyebrow, is_empty};
use super::font::{Region, face};
use super::highlight::{Span, cut, highlight, prefix};
use super::language::Language;
use super::layer::Scene;
use super::layout::{HEIGHT, TALL, WIDTH, code, eyebrow, window};
use super::look::Band;
use super::paint::{FadeAcross, Ink, Rounded};
use super::paragraph::{Breaker, Paragraph, clean};
use super::pill::Pill;
use super::stage::Stage;
use super::text::Style;
use super::theme::LEGIBLE;
use super::unicode::{is_tall, tamed};

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

/// What is known of a card's code before it is drawn.
struct Code {
    rows: Vec<Row>,
    language: Language,
    layout: CodeLayout,
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

/// Draws a code card onto a fresh stage.
pub(super) fn draw(card: &CodeCard, theme: (&Theme, Option<Rgb>), stage: &mut Stage<'_>) {
    let title =
        card.title.as_deref().map(clean).filter(|title| !title.is_empty()).map(|title| set_title(&title, stage));
    let title_lines = title.as_ref().map_or(0, |title| title.lines.len());
    let first = code::TOP + if is_empty(&card.eyebrow, stage) { 0.0 } else { eyebrow::AVATAR + code::TITLE_GAP };
    let top = match (title_lines, is_empty(&card.eyebrow, stage)) {
        (0, true) => code::TOP,
        (0, false) => code::TOP + eyebrow::AVATAR + window::GAP,
        (lines, _) => first + lines as f32 * code::TITLE_PITCH + window::GAP,
    };
    let code = read(card, theme, top, stage);
    stage.lay(scene(&code.layout));
    draw_eyebrow(&card.eyebrow, (stage.look.padding, code::TOP), stage);
    if let Some(title) = title {
        for (at, line) in title.lines.iter().enumerate() {
            let y = first + at as f32 * code::TITLE_PITCH + code::TITLE_BASELINE;
            let x = title.left(line, (stage.look.padding, WIDTH - stage.look.padding), stage.scale());
            stage.text(line, (x, y), stage.look.title.into());
        }
    }
    draw_bar(card, &code, stage);
    draw_bands(card, &code, stage);
    let pill = Pill::new(code.layout.hidden, stage);
    draw_code(card, &code, pill.as_ref(), stage);
    if code.layout.height.is_none() {
        let (x, width) = (stage.look.padding + 1.0, WIDTH - 2.0 * stage.look.padding - 2.0);
        stage.canvas.fade_down(x, HEIGHT - window::FADE_DOWN, width, window::FADE_DOWN, stage.look.window.fill);
    }
    if let Some(pill) = pill {
        pill.draw(stage);
    }
}

fn set_title(title: &str, stage: &mut Stage<'_>) -> Paragraph {
    let share = if is_tall(title) { TALL } else { 1.0 };
    let (size, spacing) = (code::TITLE_SIZE * share * stage.scale(), code::TITLE_SPACING * stage.scale());
    let style = Style { face: face::DISPLAY_SEMIBOLD, size, spacing, ligatures: true };
    let width = (WIDTH - 2.0 * stage.look.padding) * stage.scale();
    Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.balance(title, code::TITLE_LINES)
}

/// The scene under a code.
fn scene(layout: &CodeLayout) -> Scene {
    Scene::Window { top: layout.top, height: layout.height }
}

/// Looks at as much of the code as can be shown, and finds its place.
fn read(card: &CodeCard, theme: (&Theme, Option<Rgb>), top: f32, stage: &mut Stage<'_>) -> Code {
    let text = card.code.trim_end_matches(['\n', ' ', '\t', '\r']);
    let most = if card.wrap { MOST_WRAPPED } else { MOST_BEFORE };
    let first: Vec<_> =
        text.split('\n').take(most_lines()).map(|line| tamed(prefix(line.trim_end_matches('\r'), most))).collect();
    let first: Vec<&str> = first.iter().map(|line| if card.wrap { line } else { cut(line) }).collect();
    let count = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let gutter = card.line_numbers.map_or(0, |start| digits(start.saturating_add(first.len())) + window::NUMBER_GAP);
    let grid = Grid::new(Region::of(&first.concat()), card.tab_width, card.wrap, stage.look.window.warning);
    let room = code_width(stage.look.padding);
    if card.wrap {
        let language = Language::find(card.language.as_deref());
        let lines = highlighted(&first, &language, theme, grid, stage);
        let columns: Vec<usize> = lines.iter().map(|line| line.columns + gutter).collect();
        let mut wrapped = |cells: usize| wrapped(&lines, cells.saturating_sub(gutter), stage);
        let layout =
            CodeLayout::fit_rows((top, room), count, &columns, |cells| wrapped(cells).iter().map(Vec::len).collect());
        let rows = rows(wrapped(cells_across(room, layout.size)), layout.shown);
        return Code { rows, language, layout, gutter };
    }
    let columns: Vec<usize> =
        first.iter().map(|line| CodeLine::columns(stage.fonts, stage.setter, line, grid) + gutter).collect();
    let layout = CodeLayout::fit(top, room, count, &columns);
    let shown = &first[..layout.shown.min(first.len())];
    let layers = stage.layers;
    let (language, lines) = layers.beside(scene(&layout), || {
        let language = Language::find(card.language.as_deref());
        let lines = highlighted(shown, &language, theme, grid, stage);
        (language, lines)
    });
    let lines = lines.into_iter().map(|line| vec![line]).collect();
    Code { rows: rows(lines, layout.shown), layout, language, gutter }
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
fn wrapped(lines: &[CodeLine], cells: usize, stage: &mut Stage<'_>) -> Vec<Vec<CodeLine>> {
    let mut left = most_lines(); // rows past these are below the picture
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

fn draw_bar(card: &CodeCard, code: &Code, stage: &mut Stage<'_>) {
    let (left, top) = (stage.look.padding, code.layout.top);
    let mut right = WIDTH - stage.look.padding - window::CHIP_RIGHT;
    if let Some(name) = code.language.shown.as_deref().map(clean) {
        let style = stage.style(face::TEXT_SEMIBOLD, window::CHIP_SIZE, window::CHIP_SPACING);
        let line = stage.setter.shape(stage.fonts, &name, style);
        let width = line.width / stage.scale() + 2.0 * window::CHIP_PADDING;
        let chip = Rounded {
            x: (right - width).round(),
            y: top + window::CHIP_TOP,
            width: width.round(),
            height: window::CHIP_HEIGHT,
            radius: window::CHIP_RADIUS,
        };
        let colours = stage.look.window.chip.clone();
        stage.canvas.fill(chip, colours.ground, colours.alpha);
        stage.text(&line, (right - width + window::CHIP_PADDING, chip.y + window::CHIP_BASELINE), colours.text.into());
        right -= width + window::CHIP_PADDING;
    }
    if let Some(file) = card.file.as_deref().map(clean).filter(|file| !file.is_empty()) {
        let style = Style { ligatures: false, ..stage.style(face::CODE, window::NAME_SIZE, 0.0) };
        let width = (right - left - window::NAME_LEFT) * stage.scale();
        let line = Breaker { fonts: stage.fonts, setter: stage.setter, style, width }.single(&file);
        let colour = stage.look.window.name;
        stage.text(&line, (left + window::NAME_LEFT, top + window::NAME_BASELINE), colour.into());
    }
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
    let fill = stage.look.window.fill;
    for (at, row) in code.rows.iter().enumerate() {
        let Some(mark) = band(card, code, row, &stage.look.band) else { continue };
        let (top, next) = (code.layout.line_top(at).round(), code.layout.line_top(at + 1).round());
        let band = Rounded {
            x: stage.look.padding + 1.0,
            y: top,
            width: WIDTH - 2.0 * stage.look.padding - 2.0,
            height: next - top,
            radius: 0.0,
        };
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
    let left = (stage.look.padding + window::CODE_SIDE) * scale;
    let end = left + code_width(stage.look.padding) * scale;
    let fill = stage.look.window.fill;
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
    let end = stage.look.padding + window::CODE_SIDE + code_width(stage.look.padding);
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
    let colour = stage.look.window.name.over(stage.look.window.fill, 0.7);
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
