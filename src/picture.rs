//! A post goes in, the card that shows it best comes out, or the reason why there is none. The choice depends on the post and on
//! what the source asks for, and on nothing else.

mod lines;
mod notation;
mod snippet;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::card::{Card, CodeCard, Eyebrow, Room, TitleCard};
use crate::markdown::{Block, Info, Origin, one_line, shortened};
use crate::post::Post;
pub use lines::{UnknownLines, range, ranges};
use snippet::{Snippet, tidy};

/// The length of a text that stands in for a missing title, in characters.
const STAND_IN: usize = 90;
/// The longest text alternative in characters; some networks take no more than 420.
const ALT_TEXT: usize = 400;

/// Languages of sessions, listings and drawings, which are passed over while there is anything else.
#[rustfmt::skip]
const PASSED_OVER: &[&str] = &[
    // shells and consoles
    "sh", "shell", "bash", "zsh", "fish", "ksh", "csh", "tcsh", "nu", "nushell", "powershell", "pwsh", "ps1", "psm1", "bat",
    "batch", "cmd", "dos", "dosbatch", "winbatch", "console", "shellsession", "shell-session", "sh-session", "bash-session",
    "terminal", "term", "tty", "cli", "command", "commandline", "command-line", "session", "output", "out", "stdout", "stderr",
    "log", "logs", "iex", "irb", "pycon", "doscon", "ps1con", "psql",
    // changes
    "diff", "patch", "udiff",
    // text
    "text", "txt", "plain", "plaintext", "plain-text", "none", "nohighlight", "no-highlight", "raw", "tree", "ascii",
    // drawings
    "mermaid", "dot", "graphviz", "plantuml", "puml", "d2", "ditaa", "svgbob", "bob", "goat", "nomnoml", "wavedrom", "vega",
    "vega-lite", "vegalite", "pikchr", "diagram", "chart", "flowchart", "sequence", "erd", "bytefield", "excalidraw", "kroki",
];

/// Languages that are none, which a text alternative does not name.
const PLAIN: [&str; 6] = ["text", "txt", "plain", "plaintext", "none", "output"];

/// What a source wants drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Draw {
    /// Code where the post has any, else its title.
    #[default]
    Auto,
    /// Code, or no picture.
    Code,
    /// The title, even where there is code.
    Title,
}

/// A word that names no [`Draw`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not something to draw: use `auto`, `code` or `title`")]
pub struct UnknownDraw(String);

impl FromStr for Draw {
    type Err = UnknownDraw;

    fn from_str(text: &str) -> Result<Self, UnknownDraw> {
        match text.trim().to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "code" => Ok(Self::Code),
            "title" => Ok(Self::Title),
            _ => Err(UnknownDraw(text.to_owned())),
        }
    }
}

impl fmt::Display for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Code => "code",
            Self::Title => "title",
        })
    }
}

/// Why a post gets no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// Code was asked for, and the post has none.
    #[error("the post has no code block, and its source asks for code only")]
    NoCode,
    /// There is nothing to write on a card.
    #[error("the post has neither a title nor any text")]
    Empty,
    /// A block was asked for by number, and there are fewer.
    #[error("the post has no code block {asked}: it has {found}")]
    NoSuchBlock {
        /// The number asked for, from 1.
        asked: usize,
        /// How many code blocks hold something.
        found: usize,
    },
    /// Lines were asked for that the code does not have.
    #[error("the code has no line {asked}: it has {found}")]
    NoSuchLine {
        /// The last line that was asked for, from 1.
        asked: usize,
        /// How many lines the code has.
        found: usize,
    },
}

/// What a person wants of a post's code beyond what the post says itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// This block, by its number from 1 over the blocks that are not empty.
    pub block: Option<usize>,
    /// These lines of it alone; an open end is [`usize::MAX`].
    pub lines: Option<RangeInclusive<usize>>,
    /// Lines to stress in place of the block's own, counted within the whole block.
    pub highlights: Vec<RangeInclusive<usize>>,
    /// Numbers in front of the lines.
    pub line_numbers: bool,
    /// Lines that are too wide go on in the next row.
    pub wrap: bool,
    /// The columns of a tab.
    pub tab_width: Option<u8>,
    /// What there is room for. In a template the title is drawn where nothing else is asked for, with the code where both go in.
    pub room: Room,
}

impl Wish {
    /// The info string of a block with this wish on top.
    fn over(&self, info: &Info) -> Info {
        let mut info = info.clone();
        if !self.highlights.is_empty() {
            info.highlights.clone_from(&self.highlights);
        }
        info.line_numbers |= self.line_numbers;
        info.wrap |= self.wrap;
        info.tab_width = self.tab_width.or(info.tab_width);
        info
    }

    /// Whether the block has every line that is asked for.
    fn check(&self, found: usize) -> Result<(), Skip> {
        match self.lines.iter().chain(&self.highlights).find(|asked| last(asked) > found) {
            Some(asked) => Err(Skip::NoSuchLine { asked: last(asked), found }),
            None => Ok(()),
        }
    }
}

/// The last line that is asked for; the first, where the end is open.
#[must_use]
pub fn last(asked: &RangeInclusive<usize>) -> usize {
    if *asked.end() == usize::MAX { *asked.start() } else { *asked.end() }
}

/// Chooses the card of a post. `block` asks for one block by its number, counted from 1 over the blocks that are not empty, and
/// then code is drawn whatever `draw` says.
pub fn choose(post: &Post, draw: Draw, block: Option<usize>) -> Result<Card, Skip> {
    choose_as(post, draw, &Wish { block, ..Wish::default() })
}

/// Chooses the card of a post as somebody wishes; a block or lines asked for are drawn whatever `draw` says.
pub fn choose_as(post: &Post, draw: Draw, wish: &Wish) -> Result<Card, Skip> {
    let candidates: Vec<(&Block, Snippet)> = post
        .blocks
        .iter()
        .map(|block| (block, tidy(&block.code, &block.info, None)))
        .filter(|(_, snippet)| !snippet.code.is_empty())
        .collect();
    let chosen = match wish.block {
        Some(asked) => {
            let found = candidates.len();
            Some(asked.checked_sub(1).and_then(|at| candidates.get(at)).ok_or(Skip::NoSuchBlock { asked, found })?)
        }
        None => preferred(&candidates),
    };
    let draw = match draw {
        _ if wish.block.is_some() || wish.lines.is_some() => Draw::Code,
        Draw::Auto if wish.room == Room::Titles => Draw::Title,
        draw => draw,
    };
    let code = chosen.filter(|_| draw != Draw::Title);
    let code = code.map(|(block, whole)| code_card(post, block, whole, wish)).transpose()?;
    match (draw, code) {
        (_, Some(code)) if wish.room == Room::Both => Ok(with_code(post, code)),
        (_, Some(code)) => Ok(Card::Code(code)),
        (Draw::Code, None) => Err(Skip::NoCode),
        (Draw::Auto | Draw::Title, None) => title_card(post).map(Card::Title).ok_or(Skip::Empty),
    }
}

/// The block marked as cover; else the first of two lines or more in a language to read; else the first.
fn preferred<'a, 'b>(candidates: &'a [(&'b Block, Snippet)]) -> Option<&'a (&'b Block, Snippet)> {
    let is_cover = |(block, _): &&(&Block, Snippet)| block.info.cover;
    let is_code = |(block, snippet): &&(&Block, Snippet)| {
        block.origin != Origin::Indented
            && snippet.code.contains('\n')
            && !block.info.language.as_deref().is_some_and(is_passed_over)
    };
    candidates.iter().find(is_cover).or_else(|| candidates.iter().find(is_code)).or_else(|| candidates.first())
}

fn is_passed_over(language: &str) -> bool {
    let language = language.to_ascii_lowercase();
    PASSED_OVER.contains(&language.as_str()) || language.starts_with("diff-")
}

fn eyebrow(post: &Post) -> Eyebrow {
    Eyebrow { author: post.author.clone(), site: post.site.clone() }
}

fn code_card(post: &Post, block: &Block, whole: &Snippet, wish: &Wish) -> Result<CodeCard, Skip> {
    wish.check(whole.lines)?;
    let info = wish.over(&block.info);
    let snippet = tidy(&block.code, &info, wish.lines.as_ref());
    let numbered = info.line_numbers || info.first_line.is_some();
    Ok(CodeCard {
        eyebrow: eyebrow(post),
        title: post.title.clone(),
        file: info.file,
        language: info.language,
        code: snippet.code,
        cut: block.cut && wish.lines.is_none(),
        highlights: snippet.highlights,
        added: snippet.added,
        removed: snippet.removed,
        line_numbers: numbered.then(|| info.first_line.unwrap_or(1) + snippet.first_line - 1),
        wrap: info.wrap,
        tab_width: info.tab_width,
    })
}

/// A card with everything; it has no title where the post has none.
fn with_code(post: &Post, code: CodeCard) -> Card {
    let card = title_card(post).unwrap_or_else(|| titled(post, String::new(), None));
    Card::Title(TitleCard { code: Some(Box::new(code)), ..card })
}

/// A post without a title shows its first words as one.
fn title_card(post: &Post) -> Option<TitleCard> {
    let (title, excerpt) = match (&post.title, &post.excerpt) {
        (Some(title), excerpt) => (title.clone(), excerpt.clone()),
        (None, Some(excerpt)) => (shortened(excerpt, STAND_IN), None),
        (None, None) => return None,
    };
    Some(titled(post, title, excerpt))
}

fn titled(post: &Post, title: String, excerpt: Option<String>) -> TitleCard {
    TitleCard {
        eyebrow: eyebrow(post),
        title,
        excerpt,
        tags: post.tags.clone(),
        date: post.date.map(|date| date.strftime("%-d %b %Y").to_string()),
        cover: None,
        code: None,
    }
}

/// What a picture shows, for those who cannot see it: `Elixir code: Save a LiveView form`. `language_name` turns a language as it
/// was written into its proper name.
pub fn alt_text(card: &Card, language_name: impl Fn(&str) -> String) -> String {
    let text = match shown(card) {
        Ok(card) => {
            let language = card.language.as_deref().filter(|name| !PLAIN.contains(&name.to_ascii_lowercase().as_str()));
            let kind = language.map_or_else(|| "Code".to_owned(), |name| language_name(name) + " code");
            let first_line = || card.code.lines().find(|line| line.contains(char::is_alphanumeric)).map(str::trim);
            match card.title.as_deref().or(card.file.as_deref()).or_else(first_line) {
                Some(what) => format!("{kind}: {what}"),
                None => kind,
            }
        }
        Err(card) => match &card.excerpt {
            Some(excerpt) if card.title.ends_with(['.', '!', '?', '…']) => format!("{} {excerpt}", card.title),
            Some(excerpt) => format!("{}. {excerpt}", card.title),
            None => card.title.clone(),
        },
    };
    shortened(&text, ALT_TEXT)
}

/// The text alternative of a page: its title, which may be anything, in one line and as long as networks take; the row's where it has none.
#[must_use]
pub fn alt_text_of_page(title: &str, of_the_row: Option<&str>) -> String {
    let told = |title: &str| shortened(&one_line(title), ALT_TEXT);
    [Some(title), of_the_row].into_iter().flatten().map(told).find(|text| !text.is_empty()).unwrap_or_default()
}

/// The word for a card's kind in the ledger: `code` or `title`.
#[must_use]
pub fn kind(card: &Card) -> &'static str {
    if shown(card).is_ok() { "code" } else { "title" }
}

/// The code that a card shows, alone or in a template; else its title.
fn shown(card: &Card) -> Result<&CodeCard, &TitleCard> {
    match card {
        Card::Code(card) => Ok(card),
        Card::Title(card) => card.code.as_deref().ok_or(card),
    }
}
