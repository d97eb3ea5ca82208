//! HTML inside a body goes in, its headings, paragraphs and `<pre>` blocks come out. A body kept as HTML from end to end reads the
//! same way. This is no HTML parser: it walks over the tags once and never looks back.

use super::info::Info;
use super::plain::{Plain, one_line};
use super::{Block, Origin};

/// A tag longer than this is taken as text.
const LONGEST_TAG: usize = 2048;
/// Elements whose content is not for reading.
const UNREAD: &[&str] = &["script", "style", "template", "svg", "head", "button", "textarea"];
/// Elements that begin or end a run of text.
const BREAKING: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "iframe",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];
/// Elements whose text is no paragraph of the post.
const ASIDE: &[&str] = &[
    "caption",
    "dd",
    "dt",
    "figcaption",
    "footer",
    "h3",
    "h4",
    "h5",
    "h6",
    "iframe",
    "li",
    "nav",
    "summary",
    "td",
    "th",
];

/// One thing that HTML holds.
pub(super) enum Piece {
    /// The text of an `h1` or `h2`.
    Heading(String),
    /// A run of text between block elements.
    Paragraph(String),
    /// A list's item, a table's cell, a caption.
    Aside(String),
    /// A `<pre>` element.
    Code(Block),
}

/// A tag in a text.
struct Tag<'a> {
    name: String,
    closing: bool,
    attributes: &'a str,
    /// Where the text goes on, as an offset from the `<`.
    length: usize,
}

/// Reads the HTML that lies between two offsets of a text, and says where it ended: a `<pre>` that is open at `to` goes on to
/// its own end. `last_pre` is where the text's last `</pre` stands.
pub(super) fn read(text: &str, from: usize, to: usize, last_pre: Option<usize>) -> (Vec<Piece>, usize) {
    let mut pieces = Vec::new();
    let mut element = String::new();
    let (mut at, mut run) = (from, from);
    while let Some(found) = (at < to).then(|| text[at..to].find('<')).flatten() {
        let start = at + found;
        if text[start..].starts_with("<!--") {
            flush(&text[run..start], &element, &mut pieces);
            at = text[start..to].find("-->").map_or(to, |end| start + end + 3);
            run = at;
            continue;
        }
        let Some(tag) = tag(&text[start..]) else {
            at = start + 1;
            continue;
        };
        at = start + tag.length;
        let name = tag.name.as_str();
        let pre = name == "pre" && !tag.closing;
        if !pre && !UNREAD.contains(&name) && !BREAKING.contains(&name) {
            continue;
        }
        flush(&text[run..start], &element, &mut pieces);
        if pre {
            let end =
                last_pre.filter(|last| *last >= at).and_then(|_| closing(&text[at..], "</pre")).map(|end| at + end);
            let inside = &text[at..end.unwrap_or(to.max(at))];
            pieces.push(Piece::Code(code(tag.attributes, inside)));
            at = end.map_or(to, |end| end + text[end..].find('>').map_or(text.len() - end, |close| close + 1));
        } else if UNREAD.contains(&name) && !tag.closing {
            at = (at < to).then(|| closing(&text[at..to], &format!("</{name}"))).flatten().map_or(to, |end| at + end);
        }
        element = if tag.closing { String::new() } else { tag.name };
        run = at;
    }
    if run < to {
        flush(&text[run..to], &element, &mut pieces);
    }
    (pieces, at.max(to))
}

/// Where the text's last `</pre` stands.
pub(super) fn last_pre(text: &str) -> Option<usize> {
    text.as_bytes().windows(5).rposition(|window| window.eq_ignore_ascii_case(b"</pre"))
}

fn closing(text: &str, tag: &str) -> Option<usize> {
    text.as_bytes().windows(tag.len()).position(|window| window.eq_ignore_ascii_case(tag.as_bytes()))
}

fn flush(run: &str, element: &str, pieces: &mut Vec<Piece>) {
    let line = one_line(&plain(run));
    if line.is_empty() {
        return;
    }
    pieces.push(match element {
        "h1" | "h2" => Piece::Heading(line),
        "nav" | "footer" | "iframe" => return,
        element if ASIDE.contains(&element) => Piece::Aside(line),
        _ => Piece::Paragraph(line),
    });
}

/// The text of HTML: tags that dress it dropped, entities decoded.
pub(crate) fn plain(html: &str) -> String {
    let mut plain = Plain::default();
    let (mut at, mut run) = (0, 0);
    while let Some(found) = html[at..].find('<') {
        let start = at + found;
        let length = if html[start..].starts_with("<!--") {
            html[start..].find("-->").map(|end| end + 3)
        } else {
            tag(&html[start..]).map(|tag| tag.length)
        };
        at = start + 1;
        if let Some(length) = length {
            at = start + length;
            plain.text(html_escape::decode_html_entities(&html[run..start]));
            plain.tag(&html[start..at]);
            run = at;
        } else if html[start..].starts_with("<!--") {
            break;
        }
    }
    plain.text(html_escape::decode_html_entities(&html[run..]));
    plain.finish()
}

/// The tag that a text begins with.
fn tag(text: &str) -> Option<Tag<'_>> {
    let rest = text.strip_prefix('<')?;
    let closing = rest.starts_with('/');
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let name_length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
    let mut quote = None;
    for (at, b) in rest.bytes().enumerate().skip(name_length).take(LONGEST_TAG) {
        match (quote, b) {
            (Some(open), _) => quote = (b != open).then_some(open),
            (None, b'"' | b'\'') => quote = Some(b),
            (None, b'<') => return None,
            (None, b'>') => {
                let length = text.len() - rest.len() + at + 1;
                let attributes = &rest[name_length..at];
                return Some(Tag { name: rest[..name_length].to_ascii_lowercase(), closing, attributes, length });
            }
            (None, _) => {}
        }
    }
    None
}

/// What stands inside `<pre>`: the language is told by its own attributes, or by those of the `<code>` right inside.
fn code(attributes: &str, inside: &str) -> Block {
    let trimmed = inside.trim_start();
    let inner = tag(trimmed).filter(|tag| tag.name == "code" && !tag.closing).map_or("", |tag| tag.attributes);
    let mut info = Info { language: language(inner).or_else(|| language(attributes)), ..Info::default() };
    info.file =
        [inner, attributes].into_iter().find_map(|from| attribute(from, &["data-title", "data-file", "data-filename"]));
    let classes =
        [inner, attributes].into_iter().filter_map(|from| attribute(from, &["class"])).collect::<Vec<_>>().join(" ");
    info.cover = classes.split_whitespace().any(|class| class == "cover");
    info.line_numbers =
        classes.split_whitespace().any(|class| matches!(class, "line-numbers" | "linenums" | "numberLines"));
    Block { info, code: plain(inside), origin: Origin::Html, cut: false }
}

/// The language that attributes tell, as the usual highlighters and editors write it.
fn language(attributes: &str) -> Option<String> {
    let named = attribute(attributes, &["data-language", "data-lang", "language", "lang"]);
    let class = attribute(attributes, &["class"]).unwrap_or_default();
    let prefixed = || {
        let prefixes = ["language-", "lang-", "highlight-source-", "brush:", "highlight-"];
        class.split_whitespace().find_map(|word| prefixes.iter().find_map(|prefix| word.strip_prefix(prefix)))
    };
    let after = |marker: &str| class.split_whitespace().skip_while(|word| *word != marker).nth(1);
    let word = prefixed().filter(|word| !word.is_empty()).or_else(|| after("brush:")).or_else(|| after("sourceCode"));
    let text = word.map(str::to_owned).or(named)?;
    Info::parse(text.trim_end_matches(';')).language
}

/// The value of the first of these attributes that there is, entities decoded.
fn attribute(attributes: &str, names: &[&str]) -> Option<String> {
    let mut rest = attributes.trim_start_matches([' ', '\t', '\n', '/']);
    while !rest.is_empty() {
        let name_end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name_end);
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=').map(str::trim_start) {
            None => ("", after),
            Some(quoted) if quoted.starts_with(['"', '\'']) => {
                let (quote, inner) = quoted.split_at(1);
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            Some(bare) => bare.split_at(bare.find(char::is_whitespace).unwrap_or(bare.len())),
        };
        if names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)) && !value.is_empty() {
            return Some(html_escape::decode_html_entities(value).into_owned());
        }
        rest = after.trim_start();
    }
    None
}
