//! A body of any size and content goes in, the text that is worth parsing comes out: bounded in length and in nesting.

use std::borrow::Cow;

use super::LOOKED_AT;

/// Quotes and lists that a line may open, or go on with, by its markers. The parser looks at every open one for each line of a
/// paragraph, so that its time grows with the product of both.
const DEEPEST: usize = 64;

/// The first bytes of a text, not more than `length`, cut between characters.
pub(crate) fn prefix(text: &str, length: usize) -> &str {
    let end = (0..=length.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// Whether a body is longer than what is looked at of it.
pub(crate) fn is_cut(body: &str) -> bool {
    body.trim_start_matches('\u{feff}').len() > LOOKED_AT
}

/// The part of a body that is looked at, with LF line ends and without control characters and byte order mark.
pub(crate) fn readable(body: &str) -> Cow<'_, str> {
    let body = body.trim_start_matches('\u{feff}');
    let mut looked_at = prefix(body, LOOKED_AT);
    if is_cut(body)
        && let Some(end) = looked_at.rfind('\n')
    {
        looked_at = &looked_at[..=end];
    }
    let is_dropped = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !looked_at.contains(is_dropped) {
        return Cow::Borrowed(looked_at);
    }
    let unix = looked_at.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(unix.replace(is_dropped, ""))
}

/// The text with no line nested deeper than [`DEEPEST`]: further markers are dropped.
pub(super) fn shallow(text: &str) -> Cow<'_, str> {
    let excess = |line: &str| {
        let (mut markers, mut at, mut limit) = (0, 0, None);
        while let Some(length) = marker(&line[at..]) {
            if markers == DEEPEST {
                limit = Some(at);
            }
            markers += 1;
            at += length;
        }
        limit.map(|limit| limit..at)
    };
    if !text.lines().any(|line| excess(line).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let cut = excess(line).unwrap_or(0..0);
        kept.push_str(&line[..cut.start]);
        kept.push_str(&line[cut.end..]);
    }
    Cow::Owned(kept)
}

/// The length of the marker of a quote or list item that a text begins with, and of the white space before it.
fn marker(text: &str) -> Option<usize> {
    let rest = text.trim_start_matches([' ', '\t']);
    let before = text.len() - rest.len();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match rest.as_bytes().get(digits)? {
        b'>' if digits == 0 => return Some(before + 1),
        b'-' | b'+' | b'*' if digits == 0 => 1,
        b'.' | b')' if (1..=9).contains(&digits) => digits + 1,
        _ => return None,
    };
    matches!(rest.as_bytes().get(mark), None | Some(b' ' | b'\t' | b'\n')).then_some(before + mark)
}
