//! Highlighting: lines and a grammar come in, coloured spans go out. Hostile text costs bounded time: a card has a budget of
//! characters that are looked at, the regular expressions have limits, and past a deadline the rest is plain.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use syntect::highlighting::{FontStyle, Highlighter, Theme};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference};

use super::colour::Rgb;
use super::language::Language;

/// Characters of a line that are looked at; no card shows as many.
const MOST_CHARACTERS: usize = 300;
/// What the lines of a card may cost together, from the top down, over what is looked at in any case. A line costs the cube of
/// its characters, as the worst grammars look ahead from every character and go back on the way: this lets four lines be as
/// long as can be, or seventeen have 190 characters.
const BUDGET: usize = 104_000_000;
/// Characters of each line that are looked at whatever the lines above it took: more than stand side by side on a card.
const LEAST_CHARACTERS: usize = 100;
/// When the rest of a code becomes plain. The limits below keep the worst code that is known far below it, so that no clock
/// decides what a card looks like, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// Stacks of scopes whose styles are remembered, and the scopes in all of them, two megabytes at most; a language needs some
/// hundreds of stacks of ten scopes.
const MOST_STYLES: usize = 8192;
const MOST_SCOPES_KEPT: usize = 65_536;
/// Scopes of a stack that its style is made of, the innermost; brackets without end stack up thousands.
const MOST_SCOPES: usize = 64;

/// A stretch of a line in one colour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    /// Its bytes in the line.
    pub(super) range: Range<usize>,
    pub(super) colour: Rgb,
    pub(super) bold: bool,
    pub(super) italic: bool,
    /// Whether this is text to be read literally: a string, a regular expression, a comment.
    pub(super) literal: bool,
}

/// The part of a line that is looked at.
pub(super) fn cut(line: &str) -> &str {
    prefix(line, MOST_CHARACTERS)
}

/// At most so many characters of a line.
pub(super) fn prefix(line: &str, characters: usize) -> &str {
    line.char_indices().nth(characters).map_or(line, |(end, _)| &line[..end])
}

/// How many characters of each line are looked at.
fn reaches(lines: &[&str]) -> Vec<usize> {
    let mut left = BUDGET;
    let reach = |line: &&str| {
        let characters = line.chars().take(MOST_CHARACTERS).count();
        let reach =
            (LEAST_CHARACTERS..=characters).rev().find(|reach| cost(*reach) <= left).unwrap_or(LEAST_CHARACTERS);
        left -= cost(reach);
        reach
    };
    lines.iter().map(reach).collect()
}

/// What a line costs of which so many characters are looked at.
fn cost(characters: usize) -> usize {
    characters.pow(3).saturating_sub(LEAST_CHARACTERS.pow(3))
}

/// Words that are newer than a grammar: its name, the word, and a scope that is coloured as the word should be.
const NEWER_WORDS: [(&str, &str, &str); 5] = [
    ("Rust", "async", "keyword.control"),
    ("Rust", "await", "keyword.control"),
    ("Rust", "dyn", "keyword.control"),
    ("Rust", "self", "variable.language"),
    ("Python", "self", "variable.language"),
];

/// The spans of each line; a line without a grammar is one span in the theme's plain colour. `name` colours words that a
/// grammar leaves plain.
pub(super) fn highlight(
    lines: &[&str],
    grammar: Option<&SyntaxReference>,
    (theme, styles): (&Theme, &mut Styles),
    name: Option<Rgb>,
) -> Vec<Vec<Span>> {
    let plain = theme.settings.foreground.map_or(Rgb(128, 128, 128), |c| Rgb(c.r, c.g, c.b));
    let mut spans = Vec::with_capacity(lines.len());
    if let Some(grammar) = grammar {
        limit_retries();
        let coloured = catch_unwind(AssertUnwindSafe(|| {
            let mut painter = Painter::new(grammar, (theme, &mut *styles), plain, name.unwrap_or(plain));
            let until = Instant::now() + PATIENCE;
            let mut spans = Vec::with_capacity(lines.len());
            for (line, reach) in lines.iter().zip(reaches(lines)) {
                if Instant::now() > until {
                    break;
                }
                match painter.line(prefix(line, reach)) {
                    Some(line) => spans.push(line),
                    None => break,
                }
            }
            spans
        }));
        spans = coloured.unwrap_or_default();
    }
    for line in &lines[spans.len()..] {
        spans.push(vec![Span { range: 0..line.len(), colour: plain, bold: false, italic: false, literal: false }]);
    }
    spans
}

/// The style of a stack of scopes in one theme.
#[derive(Debug, Clone, Copy)]
struct Style {
    colour: Rgb,
    font: FontStyle,
    literal: bool,
}

/// Which style a stack of scopes has in one theme; kept from card to card.
#[derive(Debug, Default)]
pub(super) struct Styles {
    known: FxHashMap<Vec<Scope>, Style>,
    /// The scopes of all stacks that are known.
    scopes: usize,
}

impl Styles {
    fn of(&mut self, scopes: &[Scope], theme: &Theme, plain: Rgb) -> Style {
        let scopes = &scopes[scopes.len().saturating_sub(MOST_SCOPES)..];
        if let Some(known) = self.known.get(scopes) {
            return *known;
        }
        let style = Highlighter::new(theme).style_for_stack(scopes);
        let front = style.foreground;
        let colour = if front.a == 255 { Rgb(front.r, front.g, front.b) } else { plain };
        let is = |prefixes: &[Scope; 3], scope: &Scope| prefixes.iter().any(|prefix| prefix.is_prefix_of(*scope));
        let [literal, embedded] = &*LITERAL;
        let deciding = scopes.iter().skip(1).rev().find(|scope| is(literal, scope) || is(embedded, scope));
        let literal = deciding.is_some_and(|scope| is(literal, scope));
        let result = Style { colour, font: style.font_style, literal };
        if self.known.len() >= MOST_STYLES || self.scopes + scopes.len() > MOST_SCOPES_KEPT {
            self.known.clear();
            self.scopes = 0;
        }
        self.scopes += scopes.len();
        self.known.insert(scopes.to_vec(), result);
        result
    }
}

/// Scopes of text that is to be read literally, and of what may be embedded in it.
static LITERAL: LazyLock<[[Scope; 3]; 2]> = LazyLock::new(|| {
    [["string", "comment", "constant.character"], ["meta.interpolation", "source", "meta.template.expression"]]
        .map(|names| names.map(|name| Scope::new(name).unwrap_or_default()))
});

/// Parses line after line.
struct Painter<'a> {
    state: ParseState,
    stack: ScopeStack,
    theme: &'a Theme,
    styles: &'a mut Styles,
    plain: Rgb,
    name: Rgb,
    newer: Vec<(&'static str, Rgb)>,
}

impl<'a> Painter<'a> {
    fn new(grammar: &SyntaxReference, (theme, styles): (&'a Theme, &'a mut Styles), plain: Rgb, name: Rgb) -> Self {
        let newer = NEWER_WORDS
            .iter()
            .filter(|(language, ..)| *language == grammar.name)
            .filter_map(|(_, word, scope)| Some((*word, styles.of(&[Scope::new(scope).ok()?], theme, plain).colour)));
        let newer = newer.collect();
        Self { state: ParseState::new(grammar), stack: ScopeStack::new(), theme, styles, plain, name, newer }
    }

    fn line(&mut self, line: &str) -> Option<Vec<Span>> {
        let ended = format!("{line}\n");
        let operations = self.state.parse_line(&ended, Language::grammars()).ok()?;
        let mut spans: Vec<Span> = Vec::new();
        let mut start = 0;
        for (at, operation) in operations {
            self.push(&mut spans, line, start..at.min(line.len()));
            start = at.min(line.len());
            self.stack.apply(&operation).ok()?;
        }
        self.push(&mut spans, line, start..line.len());
        Some(spans)
    }

    /// Adds a stretch under the current scopes; names are told from the rest where the grammar does not tell them.
    fn push(&mut self, spans: &mut Vec<Span>, line: &str, range: Range<usize>) {
        let Style { colour, font, literal } = self.styles.of(self.stack.as_slice(), self.theme, self.plain);
        let mut add = |range: Range<usize>, colour: Rgb| {
            let (bold, italic) = (font.contains(FontStyle::BOLD), font.contains(FontStyle::ITALIC));
            match spans.last_mut() {
                Some(last)
                    if (last.colour, last.bold, last.italic, last.literal) == (colour, bold, italic, literal) =>
                {
                    last.range.end = range.end;
                }
                _ if range.is_empty() => {}
                _ => spans.push(Span { range, colour, bold, italic, literal }),
            }
        };
        if literal {
            return add(range, colour);
        }
        let mut start = range.start;
        while start < range.end {
            let rest = &line[start..range.end];
            let is_word = rest.starts_with(in_word);
            let length = rest.find(|c| in_word(c) != is_word).unwrap_or(rest.len());
            let newer = self.newer.iter().find(|(word, _)| *word == &rest[..length]).map(|(_, colour)| *colour);
            let named = if colour == self.plain && is_word { self.name } else { colour };
            add(start..start + length, newer.unwrap_or(named));
            start += length;
        }
    }
}

/// Whether a character belongs to a word rather than to what stands between words.
fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Bounds the backtracking of every regular expression of the process, once. Without it one line of ten thousand underscores
/// takes JavaScript's grammar seconds. Lower limits change the colours of real code: 800 in a match some configuration files and
/// R, 3,000 in a search some Lisp.
fn limit_retries() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: both functions only store a number in a global of the library, here before this process' first match.
        #[allow(unsafe_code, reason = "the library offers these limits through its C interface only")]
        unsafe {
            onig_sys::onig_set_retry_limit_in_match(1_000);
            onig_sys::onig_set_retry_limit_in_search(5_000);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::look::Look;
    use super::super::theme;
    use super::*;

    fn night() -> Theme {
        let look = Look::built_in("night").unwrap();
        theme::own(&look.code, look.window.fill)
    }

    fn spans(language: &str, code: &str) -> Vec<Vec<Span>> {
        let lines: Vec<&str> = code.lines().collect();
        highlight(&lines, Language::find(Some(language)).grammar, (&night(), &mut Styles::default()), None)
    }

    #[test]
    fn spans_cover_every_line() {
        let code = "fn main() {\n    println!(\"é {}\", 1); // end\n}";
        for (line, spans) in code.lines().zip(spans("rust", code)) {
            assert_eq!(spans.first().map_or(0, |span| span.range.start), 0);
            assert_eq!(spans.last().map_or(0, |span| span.range.end), line.len());
            assert!(spans.windows(2).all(|pair| pair[0].range.end == pair[1].range.start));
        }
    }

    #[test]
    fn strings_and_comments_are_literal_and_what_they_embed_is_not() {
        let line = &spans("ruby", "x = \"a != #{b != c}\" # d != e")[0];
        let literal = |text: &str, nth: usize| {
            let code = "x = \"a != #{b != c}\" # d != e";
            let at = code.match_indices(text).nth(nth).unwrap().0;
            line.iter().find(|span| span.range.contains(&at)).unwrap().literal
        };
        assert!(literal("!=", 0));
        assert!(!literal("!=", 1));
        assert!(literal("!=", 2));
    }

    #[test]
    fn ordinary_lines_are_looked_at_whole() {
        let code: Vec<String> = (0..17).map(|n| "x".repeat(if n % 4 == 0 { 40 } else { 190 })).collect();
        let lines: Vec<&str> = code.iter().map(String::as_str).collect();
        assert!(lines.iter().zip(reaches(&lines)).all(|(line, reach)| reach >= line.len()));
        let (long, short) = ("x".repeat(300), "x".repeat(90));
        let lines = [&*long, &short, &long, &short, &long, &short, &long, &short];
        assert!(lines.iter().zip(reaches(&lines)).all(|(line, reach)| reach >= line.len()));
    }

    #[test]
    fn long_lines_share_a_budget_from_the_top_and_none_goes_without() {
        let line = "é".repeat(300);
        let reaches = reaches(&vec![&*line; 40]);
        assert!(reaches.starts_with(&[300; 4]) && reaches.ends_with(&[LEAST_CHARACTERS; 30]), "{reaches:?}");
        assert!(reaches.iter().map(|reach| cost(*reach)).sum::<usize>() <= BUDGET, "{reaches:?}");
        assert!(reaches.is_sorted_by(|a, b| a >= b), "{reaches:?}");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (theme, mut styles) = (night(), Styles::default());
        let scopes: Vec<Scope> = (0..200).map(|n| Scope::new(&format!("a{n}")).unwrap()).collect();
        for start in 0..100 {
            for end in start..200 {
                styles.of(&scopes[start..end], &theme, Rgb(0, 0, 0));
            }
        }
        let kept: usize = styles.known.keys().map(Vec::len).sum();
        assert!(kept == styles.scopes && kept <= MOST_SCOPES_KEPT && styles.known.len() <= MOST_STYLES, "{kept}");
    }

    #[test]
    fn hostile_lines_end_soon() {
        let start = Instant::now();
        for (language, unit) in
            [("js", "_"), ("json", "1"), ("ts", "<"), ("markdown", "`"), ("rust", "("), ("php", "$"), ("html", "<a ")]
        {
            let line = unit.repeat(20_000);
            spans(language, &[line.as_str(); 12].join("\n"));
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    }
}
