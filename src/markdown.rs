//! The body of a post goes in, what a card can show of it comes out: front matter, heading, excerpt, code blocks. Reading never
//! fails and its time is bounded: only the first [`LOOKED_AT`] bytes are looked at.

mod front_matter;
mod html;
mod info;
mod plain;
mod readable;
mod shortcode;
#[cfg(test)]
mod tests;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

pub use front_matter::FrontMatter;
pub use info::Info;
pub(crate) use info::language_of;
use plain::Plain;
pub(crate) use plain::{one_line, shortened};
use readable::shallow;
pub(crate) use readable::{is_cut, prefix, readable};

/// How much of a body is looked at, in bytes. A block that runs past it is cut after its last whole line.
pub const LOOKED_AT: usize = 256 * 1024;
/// The length of an excerpt, in characters.
const EXCERPT: usize = 300;
/// What stands between the items of a list, the cells of a table, and the like where an excerpt is made of them.
const ASIDE: &str = " · ";
/// More of them than this are left out.
const MOST_ASIDES: usize = 30;

/// What a card can show of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The metadata above the text.
    pub front_matter: FrontMatter,
    /// The first heading of level 1 or 2 as plain text, if nothing else stands before it.
    pub heading: Option<String>,
    /// The first paragraph as plain text, cut at a word near 300 characters; without any paragraph the items of lists, the
    /// cells of tables and what images are said to show.
    pub excerpt: Option<String>,
    /// Every code block, in the order of the text, empty ones too.
    pub blocks: Vec<Block>,
}

/// A code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What its info string asks for.
    pub info: Info,
    /// The code as written, LF line ends.
    pub code: String,
    /// How it was marked as code.
    pub origin: Origin,
    /// What is looked at of the body ends within it: it has more lines, and nobody has counted them.
    pub cut: bool,
}

/// How a block was marked as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Between fences of backticks or tildes.
    Fenced,
    /// By indentation.
    Indented,
    /// By `<pre>`.
    Html,
}

/// Reads a body of Markdown or HTML.
#[must_use]
pub fn parse(body: &str) -> Document {
    let text = readable(body);
    let (front_matter, rest) = front_matter::split(&text);
    let rest = shortcode::fenced(rest);
    let rest = shallow(&rest);
    let mut reader = Reader::new(&rest);
    reader.read();
    let Reader { heading, excerpt, nested_excerpt, asides, mut blocks, .. } = reader;
    if let Some(last) = blocks.last_mut().filter(|_| is_cut(body)) {
        last.cut = ends_within(&rest, &last.code);
    }
    let asides = (!asides.is_empty()).then(|| asides.join(ASIDE));
    let excerpt = excerpt.or(nested_excerpt).or(asides).map(|text| shortened(&text, EXCERPT));
    Document { front_matter, heading, excerpt, blocks }
}

/// Whether a text ends with the last line of a code: neither a fence nor anything else stands behind it.
fn ends_within(text: &str, code: &str) -> bool {
    let last = |text: &str| text.trim_end().rsplit('\n').next().unwrap_or_default().trim().to_owned();
    let line = last(code);
    !line.is_empty() && last(text).ends_with(&line)
}

/// Inline Markdown or HTML, such as a title, as plain text in one line.
pub(crate) fn inline(text: &str) -> String {
    // A letter in front keeps `#`, `1.` or `-` from being read as the beginning of a block.
    const GUARD: &str = "x ";
    let line = format!("{GUARD}{}", one_line(text));
    let mut plain = Plain::default();
    let mut literal: Vec<&str> = Vec::new();
    for (event, range) in Parser::new_ext(&line, Options::ENABLE_STRIKETHROUGH).into_offset_iter() {
        let source = &line[range];
        match event {
            // Dunder names such as `__init__` are more common in titles than bold text marked with underscores.
            Event::Start(Tag::Strong) if source.starts_with("__") && !source.contains(' ') => {
                literal.push("__");
                plain.text("__");
            }
            Event::Start(Tag::Strong) => literal.push(""),
            Event::End(TagEnd::Strong) => plain.text(literal.pop().unwrap_or_default()),
            event => inline_event(&mut plain, event),
        }
    }
    one_line(plain.finish().strip_prefix(GUARD).unwrap_or_default())
}

/// One pass over the events of a body.
struct Reader<'a> {
    text: &'a str,
    last_pre: Option<usize>,
    /// Quotes, lists and tables that are open.
    depth: usize,
    /// Events that begin before this offset lie inside HTML that was read already.
    skip_until: usize,
    /// Whether something other than a heading has been seen.
    content: bool,
    heading: Option<String>,
    excerpt: Option<String>,
    nested_excerpt: Option<String>,
    /// What stands in for an excerpt.
    asides: Vec<String>,
    blocks: Vec<Block>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            last_pre: html::last_pre(text),
            depth: 0,
            skip_until: 0,
            content: false,
            heading: None,
            excerpt: None,
            nested_excerpt: None,
            asides: Vec::new(),
            blocks: Vec::new(),
        }
    }

    fn read(&mut self) {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_HEADING_ATTRIBUTES
            | Options::ENABLE_GFM;
        let mut events = Parser::new_ext(self.text, options).into_offset_iter();
        let mut item: Option<Plain<'_>> = None;
        while let Some((event, range)) = events.next() {
            let skipped = range.start < self.skip_until;
            if matches!(event, Event::Start(Tag::Item | Tag::List(_)) | Event::End(TagEnd::Item)) {
                self.aside(item.take().map(|item| one_line(&item.finish())).unwrap_or_default());
            }
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let code = collected(&mut events, TagEnd::CodeBlock);
                    if !skipped {
                        self.code_block(kind, code);
                    }
                }
                Event::Start(Tag::HtmlBlock) => {
                    let html = collected(&mut events, TagEnd::HtmlBlock);
                    if !skipped {
                        self.html_block(&html, range);
                    }
                }
                Event::Start(Tag::Paragraph) if !skipped => {
                    let (text, images) = inline_text(&mut events, TagEnd::Paragraph);
                    self.paragraph(text);
                    self.aside(images);
                }
                Event::Start(Tag::Heading { level, .. }) if !skipped => {
                    let (text, _) = inline_text(&mut events, TagEnd::Heading(level));
                    self.heading(level, text);
                }
                Event::Start(Tag::TableCell) if !skipped => {
                    let (text, _) = inline_text(&mut events, TagEnd::TableCell);
                    self.aside(text);
                }
                // The words of a tight list stand in no paragraph.
                Event::Start(Tag::Item) if !skipped => item = Some(Plain::default()),
                Event::Text(_) | Event::Code(_) | Event::SoftBreak | Event::InlineHtml(_) if !skipped => {
                    if let Some(item) = &mut item {
                        inline_event(item, event);
                    }
                }
                Event::Start(tag) if is_container(&tag) => {
                    self.content |= !skipped;
                    self.depth += 1;
                }
                Event::End(end) if is_container_end(end) => self.depth -= 1,
                _ => {}
            }
        }
    }

    fn code_block(&mut self, kind: CodeBlockKind<'_>, code: String) {
        let (info, origin) = match kind {
            CodeBlockKind::Indented => (Info::default(), Origin::Indented),
            CodeBlockKind::Fenced(info) => (Info::parse(&info), Origin::Fenced),
        };
        self.content = true;
        self.blocks.push(Block { info, code, origin, cut: false });
    }

    /// At the top of the text HTML is read from the text itself, since Markdown ends some of it at a blank line inside `<pre>`.
    fn html_block(&mut self, html: &str, range: std::ops::Range<usize>) {
        let pieces = if self.depth == 0 {
            let (pieces, end) = html::read(self.text, range.start, range.end, self.last_pre);
            self.skip_until = end;
            pieces
        } else {
            html::read(html, 0, html.len(), html::last_pre(html)).0
        };
        for piece in pieces {
            match piece {
                html::Piece::Heading(text) => self.heading(HeadingLevel::H1, text),
                html::Piece::Paragraph(text) => self.paragraph(text),
                html::Piece::Aside(text) => self.aside(text),
                html::Piece::Code(block) => {
                    self.content = true;
                    self.blocks.push(block);
                }
            }
        }
    }

    fn paragraph(&mut self, text: String) {
        if text.is_empty() || is_directive(&text) {
            return;
        }
        self.content = true;
        let place = if self.depth == 0 { &mut self.excerpt } else { &mut self.nested_excerpt };
        place.get_or_insert(text);
    }

    fn aside(&mut self, text: String) {
        if !text.is_empty() && self.asides.len() < MOST_ASIDES && !is_directive(&text) {
            self.asides.push(text);
        }
    }

    fn heading(&mut self, level: HeadingLevel, text: String) {
        if text.is_empty() {
            return;
        }
        if level > HeadingLevel::H2 {
            self.aside(text.clone());
        }
        if !self.content && level <= HeadingLevel::H2 {
            self.heading.get_or_insert(text);
        }
        self.content = true;
    }
}

fn is_container(tag: &Tag<'_>) -> bool {
    matches!(tag, Tag::BlockQuote(_) | Tag::List(_) | Tag::Table(_) | Tag::FootnoteDefinition(_))
}

fn is_container_end(end: TagEnd) -> bool {
    matches!(end, TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Table | TagEnd::FootnoteDefinition)
}

/// Lines that site generators act on and nobody reads: imports of MDX, shortcodes, containers, a table of contents.
fn is_directive(text: &str) -> bool {
    let import = text.starts_with("import ") && (text.contains(" from ") || text.ends_with(['"', '\'', ';']));
    import
        || ["export const ", "export default ", "{%", "{{", ":::", "[toc]", "[TOC]", "[[toc]]"]
            .iter()
            .any(|mark| text.starts_with(mark))
}

/// The text up to the end of a code or HTML block.
fn collected<'a>(events: &mut impl Iterator<Item = (Event<'a>, std::ops::Range<usize>)>, end: TagEnd) -> String {
    let mut text = String::new();
    for (event, _) in events {
        match event {
            Event::Text(part) | Event::Html(part) => text.push_str(&part),
            Event::End(tag) if tag == end => break,
            _ => {}
        }
    }
    text
}

/// The plain text up to the end of a paragraph, heading or cell, and what its images are said to show.
fn inline_text<'a>(
    events: &mut impl Iterator<Item = (Event<'a>, std::ops::Range<usize>)>,
    end: TagEnd,
) -> (String, String) {
    let (mut plain, mut shown) = (Plain::default(), Plain::default());
    let mut images = 0_usize;
    for (event, _) in events {
        match event {
            Event::End(tag) if tag == end => break,
            Event::Start(Tag::Image { .. }) => images += 1,
            Event::End(TagEnd::Image) => {
                images -= 1;
                shown.text(" ");
            }
            event if images == 0 => inline_event(&mut plain, event),
            event => inline_event(&mut shown, event),
        }
    }
    (one_line(&plain.finish()), one_line(&shown.finish()))
}

fn inline_event<'a>(plain: &mut Plain<'a>, event: Event<'a>) {
    match event {
        Event::Text(text) | Event::Code(text) => plain.text(text),
        Event::InlineHtml(tag) | Event::Html(tag) => plain.tag(tag),
        Event::SoftBreak | Event::HardBreak => plain.text("\n"),
        _ => {}
    }
}
