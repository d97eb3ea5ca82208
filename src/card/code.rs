//! Code on a grid: a highlighted line becomes items on whole cells, and the items become glyphs. One character is one cell;
//! Chinese, Japanese, Korean and emoji are two; operators may join; text that runs from right to left stays in its place.

mod runs;
mod wrap;

use smol_str::SmolStr;

use super::colour::Rgb;
use super::direction::Direction;
use super::font::{FaceId, Fonts, Region, face};
use super::highlight::Span;
use super::text::{Line, MISSING, Placed, Setter, Style};
use super::unicode;
use runs::{operators, runs};

/// The cells a tab reaches for where nobody says otherwise.
const TAB: usize = 4;
/// Cells of a line that are looked at; no card shows as many, in one row or in all.
const MOST_CELLS: usize = 160;
const MOST_WRAPPED_CELLS: usize = 1200;
/// The size at which shapes are measured before the real size is known; cells are a share of it.
const MEASURE: f32 = 100.0;
/// A cell's width in ems of the code face.
const CELL: f32 = 0.6;

/// The part of a cell by which a letter of another face may be too wide for one; it is drawn smaller then.
const SQUEEZED: f32 = 0.35;

/// Wide characters are drawn this much larger, since two cells are wider than an em.
const WIDE: f32 = 1.08;

/// A piece of a line on its cells.
#[derive(Debug, Clone, PartialEq)]
struct Item {
    /// Its first byte in the line.
    start: usize,
    column: usize,
    cells: usize,
    text: SmolStr,
    colour: Rgb,
    /// The colour of each of its characters, where an operator is joined of parts in more than one.
    colours: Vec<Rgb>,
    face: FaceId,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One character of the code face.
    Plain,
    /// The same, a part of the mark of what cannot be seen.
    Mark,
    /// A joined operator, one colour a character.
    Joined,
    /// Shaped as a whole and centred in its cells: wide characters, emoji, other scripts.
    Shaped,
}

/// A line on its cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct CodeLine {
    items: Vec<Item>,
    /// Cells from the start to the last one with something in it.
    pub(super) columns: usize,
}

/// A glyph of a line of code with its colour.
pub(super) struct Coloured {
    pub(super) glyph: Placed,
    pub(super) colour: Rgb,
}

/// How the lines of one code are put on cells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    region: Region,
    tab: usize,
    most: usize,
    /// The colour of marks.
    mark: Rgb,
}

impl Grid {
    pub(super) fn new(region: Region, tab: Option<u8>, wrap: bool, mark: Rgb) -> Self {
        let tab = tab.map_or(TAB, usize::from).clamp(1, 8);
        Self { region, tab, most: if wrap { MOST_WRAPPED_CELLS } else { MOST_CELLS }, mark }
    }
}

impl CodeLine {
    /// Puts a line with its spans on cells.
    pub(super) fn new(fonts: &Fonts, setter: &mut Setter, (line, spans): (&str, &[Span]), grid: Grid) -> Self {
        let mut built = Self::default();
        let mut column = 0;
        for span in spans {
            let face = match (span.bold, span.italic) {
                (true, _) => face::CODE_BOLD,
                (false, true) => face::CODE_ITALIC,
                (false, false) => face::CODE,
            };
            for run in runs(&line[span.range.clone()], span.literal) {
                if column >= grid.most {
                    return built.joined(line, spans);
                }
                let run = span.range.start + run.start..span.range.start + run.end;
                if unicode::parts_words(line, &run) {
                    continue;
                }
                let pen = Pen { fonts, setter: &mut *setter, face, colour: span.colour, grid };
                column = built.add(pen, &line[run.clone()], run.start, column);
            }
        }
        built.joined(line, spans)
    }

    /// The columns that a line takes, whatever its colours.
    pub(super) fn columns(fonts: &Fonts, setter: &mut Setter, line: &str, grid: Grid) -> usize {
        if line.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
            let text = line.trim_end_matches([' ', '\t']);
            let step =
                |column: usize, byte| if byte == b'\t' { (column / grid.tab + 1) * grid.tab } else { column + 1 };
            return text.bytes().take(grid.most).fold(0, step);
        }
        let range = 0..line.len();
        let plain = Span { range, colour: Rgb(0, 0, 0), bold: false, italic: false, literal: false };
        Self::new(fonts, setter, (line, &[plain]), grid).columns
    }

    /// The character in the first cell.
    pub(super) fn first(&self) -> Option<char> {
        self.items.first().filter(|item| item.column == 0)?.text.chars().next()
    }

    /// Where marks stand: the first cell, and how many cells.
    pub(super) fn marks(&self) -> Vec<(usize, usize)> {
        let mut marks: Vec<(usize, usize)> = Vec::new();
        let mut last = None;
        for item in self.items.iter().filter(|item| item.kind == Kind::Mark) {
            match marks.last_mut() {
                Some((column, cells)) if last == Some(item.start) && *column + *cells == item.column => *cells += 1,
                _ => marks.push((item.column, item.cells)),
            }
            last = Some(item.start);
        }
        marks
    }

    /// Adds one grapheme, or one run from right to left, whose first byte is `start`, with marks for what hides in it; gives the
    /// column after it.
    fn add(&mut self, mut pen: Pen<'_>, text: &str, mut start: usize, mut column: usize) -> usize {
        if let [b' '..=b'~'] = text.as_bytes() {
            return self.place(&mut pen, text, start, column);
        }
        let (mut rest, face, grid) = (text, pen.face, pen.grid);
        while let Some((hidden, mark)) = unicode::first_mark(rest).filter(|_| column < grid.most) {
            column = self.place(&mut pen, &rest[..hidden.start], start, column);
            for c in mark.chars() {
                let (start, text) = (start + hidden.start, SmolStr::new(c.encode_utf8(&mut [0; 4])));
                let (colour, colours) = (grid.mark, Vec::new());
                self.push(Item { start, column, cells: 1, text, colour, colours, face, kind: Kind::Mark });
                column += 1;
            }
            start += hidden.end;
            rest = &rest[hidden.end..];
        }
        self.place(&mut pen, rest, start, column)
    }

    /// Adds one grapheme or run in which nothing hides.
    fn place(&mut self, pen: &mut Pen<'_>, text: &str, start: usize, column: usize) -> usize {
        let Pen { fonts, face, colour, grid, .. } = *pen;
        let setter = &mut *pen.setter;
        match text {
            "" => return column,
            "\t" => return (column / grid.tab + 1) * grid.tab,
            " " => return column + 1,
            _ => {}
        }
        let item = |column, cells, text: &str, kind| {
            let text = SmolStr::new(text);
            Item { start, column, cells, text, colour, colours: Vec::new(), face, kind }
        };
        if let [b'!'..=b'~'] = text.as_bytes() {
            self.push(item(column, 1, text, Kind::Plain));
            return column + 1;
        }
        let tamed = unicode::tamed(text);
        let turned = text.chars().any(unicode::is_right_to_left);
        let known = if turned { None } else { setter.face(fonts, text, face, grid.region) };
        let text = if known.is_none() && !turned { MISSING } else { &*tamed };
        let alone = text.chars().nth(1).is_none();
        let (cells, kind) = if unicode::is_wide(text) {
            (2, Kind::Shaped)
        } else if alone && (known == Some(face) || text == MISSING) {
            (1, Kind::Plain)
        } else {
            (cells(fonts, setter, text, face), Kind::Shaped)
        };
        self.push(item(column, cells, text, kind));
        column + cells
    }

    fn push(&mut self, item: Item) {
        self.columns = self.columns.max(item.column + item.cells);
        self.items.push(item);
    }

    /// Joins operators, across the borders of spans, where no character of them is to be read literally.
    fn joined(mut self, line: &str, spans: &[Span]) -> Self {
        let literal = |at: usize| spans.iter().find(|span| span.range.contains(&at)).is_some_and(|span| span.literal);
        for range in operators(line).into_iter().rev() {
            if range.clone().any(literal) {
                continue;
            }
            let first = self.items.partition_point(|item| item.start < range.start);
            let Some(parts) = self.items.get(first..first + range.len()) else { continue };
            if parts.iter().zip(range.clone()).any(|(item, at)| item.start != at || item.kind != Kind::Plain) {
                continue;
            }
            let colours = parts.iter().map(|item| item.colour).collect();
            let joined = Item {
                cells: range.len(),
                text: SmolStr::new(&line[range.clone()]),
                colours,
                kind: Kind::Joined,
                ..parts[0].clone()
            };
            self.items.splice(first..first + range.len(), [joined]);
        }
        self
    }

    /// The line's glyphs at a size, in pixels of the picture; `cell` is the width of one cell.
    pub(super) fn glyphs(&self, fonts: &Fonts, setter: &mut Setter, size: f32, cell: f32) -> Vec<Coloured> {
        let mut out = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let x = item.column as f32 * cell;
            match item.kind {
                Kind::Plain | Kind::Mark => {
                    let glyph = item.text.chars().next().map_or(0, |c| setter.glyph(fonts, item.face, c));
                    out.push(Coloured {
                        glyph: Placed { face: item.face, glyph, size, x, y: 0.0, byte: item.start },
                        colour: item.colour,
                    });
                }
                Kind::Joined => {
                    let style = Style { face: item.face, size, spacing: 0.0, ligatures: true };
                    let line = setter.shape(fonts, &item.text, style);
                    for (at, glyph) in line.glyphs.into_iter().enumerate() {
                        let colour = item.colours.get(at).copied().unwrap_or(item.colour);
                        out.push(Coloured { glyph: Placed { x: x + at as f32 * cell, ..glyph }, colour });
                    }
                }
                Kind::Shaped => item.shaped(fonts, setter, size, cell, &mut out),
            }
        }
        out
    }
}

impl Item {
    fn shaped(&self, fonts: &Fonts, setter: &mut Setter, size: f32, cell: f32, out: &mut Vec<Coloured>) {
        let room = self.cells as f32 * cell;
        let style = |size| Style { face: self.face, size, spacing: 0.0, ligatures: true };
        let emoji = unicode::is_emoji(&self.text);
        let larger = if self.cells == 2 && unicode::is_wide(&self.text) && !emoji { WIDE } else { 1.0 };
        let mut line = shaped(fonts, setter, &self.text, style((size * larger).round()));
        if line.width > room && (emoji || self.cells == 1) {
            line = shaped(fonts, setter, &self.text, style((size * room / line.width).floor()));
        }
        let x = self.column as f32 * cell + ((room - line.width) / 2.0).max(0.0);
        out.extend(
            line.glyphs
                .into_iter()
                .map(|glyph| Coloured { glyph: Placed { x: x + glyph.x, ..glyph }, colour: self.colour }),
        );
    }
}

/// The cells that a shaped text takes.
fn cells(fonts: &Fonts, setter: &mut Setter, text: &str, face: FaceId) -> usize {
    cells_of(shaped(fonts, setter, text, measured(face)).width)
}

/// The cells that a text takes which is so wide at [`MEASURE`].
fn cells_of(width: f32) -> usize {
    let width = width / MEASURE / CELL;
    if width <= 1.0 + SQUEEZED { 1 } else { ((width - 0.1).ceil() as usize).max(1) }
}

/// A piece of code that needs shaping. One that runs from right to left does so as a whole, whatever it begins with.
fn shaped(fonts: &Fonts, setter: &mut Setter, text: &str, style: Style) -> Line {
    let turned = text.chars().any(unicode::is_right_to_left);
    let direction = if turned { Direction::RightToLeft } else { Direction::LeftToRight };
    setter.shape_along(fonts, text, style, direction)
}

fn measured(face: FaceId) -> Style {
    Style { face, size: MEASURE, spacing: 0.0, ligatures: true }
}

/// What [`CodeLine::add`] draws with.
struct Pen<'a> {
    fonts: &'a Fonts,
    setter: &'a mut Setter,
    face: FaceId,
    colour: Rgb,
    grid: Grid,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::Range;

    const GREY: Rgb = Rgb(128, 128, 128);

    fn line(text: &str, literal: Range<usize>) -> CodeLine {
        let span = |range: Range<usize>, literal| Span { range, colour: GREY, bold: false, italic: false, literal };
        let spans = [span(0..literal.start, false), span(literal.clone(), true), span(literal.end..text.len(), false)];
        CodeLine::new(
            &Fonts::new(),
            &mut Setter::new(true),
            (text, &spans),
            Grid::new(Region::Chinese, None, false, GREY),
        )
    }

    fn joined(line: &CodeLine) -> Vec<&str> {
        line.items.iter().filter(|item| item.kind == Kind::Joined).map(|item| item.text.as_str()).collect()
    }

    #[test]
    fn operators_join_outside_strings_only() {
        let text = "a => \"b => c\" |> d != e; x <= y";
        assert_eq!(joined(&line(text, 5..13)), ["=>", "|>", "!=", "<="]);
        assert_eq!(joined(&line("a======b", 0..0)), [""; 0]);
    }

    #[test]
    fn an_operator_over_a_token_border_stays_whole() {
        let span = |range: Range<usize>, colour| Span { range, colour, bold: false, italic: false, literal: false };
        let spans = [span(0..1, GREY), span(1..2, Rgb(1, 2, 3))];
        let line = CodeLine::new(
            &Fonts::new(),
            &mut Setter::new(true),
            ("=>", &spans),
            Grid::new(Region::Chinese, None, false, GREY),
        );
        assert_eq!(line.items.len(), 1);
        assert_eq!(line.items[0].colours, [GREY, Rgb(1, 2, 3)]);
    }

    #[test]
    fn columns_are_cells() {
        assert_eq!(line("abc", 0..0).columns, 3);
        assert_eq!(line("\tx", 0..0).columns, 5);
        assert_eq!(line("a日本b", 0..0).columns, 6);
        assert_eq!(line("🚀👩‍💻🇯🇵", 0..0).columns, 6);
        assert_eq!(line("e\u{301}x", 0..0).columns, 2);
        assert_eq!(line("", 0..0).columns, 0);
    }

    #[test]
    fn bidi_controls_are_seen() {
        let marked = line("a\u{202e}b", 0..0);
        let text: String = marked.items.iter().map(|item| item.text.as_str()).collect();
        assert_eq!(text, "a⟨RLO⟩b");
        assert_eq!((marked.columns, marked.marks()), (7, vec![(1, 5)]));
        assert_eq!(line("\u{2069}\u{2066}", 0..0).marks(), [(0, 5), (5, 5)]);
    }

    #[test]
    fn joiners_between_letters_are_seen() {
        let text = |code: &str| line(code, 0..0).items.iter().map(|item| item.text.as_str()).collect::<String>();
        assert_eq!(text("b\u{200d}c"), "b⟨ZWJ⟩c");
        assert_eq!(text("a\u{301}\u{200c}\u{200d}"), "a\u{301}⟨ZWNJ⟩⟨ZWJ⟩");
        assert_eq!(text("👩‍💻"), "👩‍💻");
        assert_eq!(line(" \u{200d}x", 0..0).marks(), [(1, 5)]);
    }

    #[test]
    fn an_endless_line_is_cut() {
        assert!(line(&"x".repeat(100_000), 0..0).columns <= MOST_CELLS + 1);
    }
}
