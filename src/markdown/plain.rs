//! Inline markup goes in piece by piece, plain text comes out. Tags of HTML that only dress text are dropped; anything else in
//! angle brackets, such as the `<T>` of `Vec<T>`, is what the author meant and stays.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation;

/// Elements that are dropped where they are closed as well.
const DRESSING: &[&str] = &[
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "body",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "html",
    "i",
    "ins",
    "kbd",
    "label",
    "li",
    "main",
    "mark",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];
/// Elements without an end.
const VOID: &[&str] = &["br", "hr", "img", "input", "wbr"];

/// Text and tags on their way to plain text.
#[derive(Default)]
pub(crate) struct Plain<'a> {
    pieces: Vec<Piece<'a>>,
    opened: HashMap<String, usize>,
    closed: HashMap<String, usize>,
}

enum Piece<'a> {
    Text(std::borrow::Cow<'a, str>),
    Tag { name: String, raw: std::borrow::Cow<'a, str> },
}

impl<'a> Plain<'a> {
    /// Adds text as it is to be read.
    pub(crate) fn text(&mut self, text: impl Into<std::borrow::Cow<'a, str>>) {
        self.pieces.push(Piece::Text(text.into()));
    }

    /// Adds one tag, from `<` to `>`, or a comment.
    pub(crate) fn tag(&mut self, raw: impl Into<std::borrow::Cow<'a, str>>) {
        let raw = raw.into();
        if raw.starts_with("<!--") {
            return;
        }
        let closing = raw.starts_with("</");
        let name: String = raw.trim_start_matches(['<', '/']).chars().take_while(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        let counts = if closing { &mut self.closed } else { &mut self.opened };
        *counts.entry(name.clone()).or_default() += 1;
        self.pieces.push(Piece::Tag { name, raw });
    }

    /// The text, with `<br>` as a line end. An element that is never closed, or never opened, was meant literally.
    pub(crate) fn finish(self) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Tag { name, .. } if name == "br" => text.push('\n'),
                Piece::Tag { name, .. } if VOID.contains(&name.as_str()) => {}
                Piece::Tag { name, .. } if self.is_dressing(name) => {}
                Piece::Tag { raw, .. } => text.push_str(raw),
            }
        }
        text
    }

    fn is_dressing(&self, name: &str) -> bool {
        DRESSING.contains(&name) && self.opened.contains_key(name) && self.closed.contains_key(name)
    }
}

/// The text in one line: white space collapsed, control characters and the marks that turn text around removed. A line end
/// between two characters of a script that has no spaces disappears.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let (mut space, mut line_end) = (false, false);
    for c in text.chars() {
        if c.is_whitespace() {
            space = true;
            line_end |= c == '\n';
        } else if !is_invisible(c) {
            let joined = line_end && is_unspaced(c) && line.ends_with(is_unspaced);
            if space && !joined && !line.is_empty() {
                line.push(' ');
            }
            line.push(c);
            (space, line_end) = (false, false);
        }
    }
    line
}

/// Chinese and Japanese characters and their punctuation.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

/// Control characters, direction overrides and isolates, zero-width spaces and byte order marks; joiners are kept for emoji.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// At most `length` characters of a line, cut between words where there are any, with an ellipsis where it was cut. Letters keep
/// their marks, unless one with its marks is longer than all that is asked for.
pub(crate) fn shortened(line: &str, length: usize) -> String {
    if line.chars().nth(length).is_none() {
        return line.to_owned();
    }
    let (mut at_word, mut end, mut before) = (0, 0, 0);
    for (at, grapheme) in line.grapheme_indices(true) {
        if before >= length {
            break;
        }
        if grapheme.chars().all(char::is_whitespace) {
            at_word = at;
        }
        end = at;
        before += grapheme.chars().count();
    }
    let cut = match end {
        0 => line.char_indices().nth(length.saturating_sub(1)).map_or(0, |(at, _)| at),
        _ if at_word * 3 > end * 2 => at_word,
        _ => end,
    };
    format!("{}…", line[..cut].trim_end_matches([' ', ',', ';', ':', '.', '–', '—', '-']))
}
