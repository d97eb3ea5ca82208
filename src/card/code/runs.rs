//! The text of a span goes in, the pieces that are set together come out: graphemes, and whole runs from right to left; and where
//! operators stand that may be joined.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::super::unicode::is_right_to_left;

/// Operators that may be drawn joined, the longer first.
const JOINED: [&str; 62] = [
    "<!--", "<==>", "<-->", "|||>", "<|||", "===", "!==", "=/=", "<=>", "<->", "-->", "<--", "==>", "<==", ">>=",
    "<<=", "<<<", ">>>", "...", "..=", "..<", "<~>", "~~>", "<~~", "<|>", "<+>", "<*>", "<$>", "||>", "<||", ":::",
    "&&&", "=>", "->", "<-", "|>", "<|", "!=", "==", "<=", ">=", "::", ":=", "=:", "<>", "&&", "||", "??", "?.", "?:",
    "++", "--", "..", "=~", "!~", "<<", ">>", "+=", "-=", "*=", "**", "/=",
];

/// A span in pieces: graphemes, and whole runs from right to left. Blanks belong to the run they stand in. In text to be read
/// literally, a string or a comment, so does what stands between its words without a direction of its own, and the brackets, the number and the full stop
/// right beside them.
pub(super) fn runs(text: &str, literal: bool) -> Vec<Range<usize>> {
    if text.is_ascii() {
        return (0..text.len()).map(|at| at..at + 1).collect();
    }
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut pending: Vec<Range<usize>> = Vec::new();
    let mut in_run = false;
    for (start, grapheme) in text.grapheme_indices(true) {
        let range = start..start + grapheme.len();
        let first = grapheme.chars().next().unwrap_or(' ');
        let turned = is_right_to_left(first);
        let attached = || pending.is_empty() && runs.last().is_some_and(|run| ends(text, run, &range));
        let goes_on = turned || (literal && in_run && (ends_number(text, &range) || attached()));
        if goes_on && in_run {
            if let Some(last) = runs.last_mut() {
                last.end = range.end;
            }
            pending.clear();
        } else if turned {
            runs.append(&mut pending);
            let opened = runs.pop_if(|last| literal && ["(", "[", "«"].contains(&&text[last.clone()]));
            runs.push(opened.map_or(range.start, |bracket| bracket.start)..range.end);
            in_run = true;
        } else if in_run && (grapheme == " " || (literal && is_neutral(first, text, &range))) {
            pending.push(range);
        } else {
            runs.append(&mut pending);
            runs.push(range);
            in_run = false;
        }
    }
    runs.append(&mut pending);
    runs
}

/// Whether a character has no direction of its own. A quotation mark ends a text, unless it stands within a word.
fn is_neutral(c: char, text: &str, range: &Range<usize>) -> bool {
    if matches!(c, '"' | '\'' | '`') {
        let beside = [text[..range.start].chars().next_back(), text[range.end..].chars().next()];
        return beside.into_iter().all(|c| c.is_some_and(is_right_to_left));
    }
    !c.is_alphabetic()
        && c != '\t'
        && super::super::unicode::mark_for(c).is_none()
        && !super::super::unicode::is_wide(c.encode_utf8(&mut [0; 4]))
}

/// Whether a mark right after a run belongs to it: it ends a sentence, or closes a bracket that the run opened.
fn ends(text: &str, run: &Range<usize>, range: &Range<usize>) -> bool {
    let run = &text[run.clone()];
    let closes = |open: char, close: char| run.matches(open).count() > run.matches(close).count();
    match text[range.clone()].chars().next() {
        Some('.' | '!' | '?' | '…') => !text[range.end..].starts_with(|c: char| c.is_alphanumeric() || c == '_'),
        Some(')') => closes('(', ')'),
        Some(']') => closes('[', ']'),
        Some('»') => closes('«', '»'),
        _ => false,
    }
}

/// Whether this is the last digit of a number that no letter follows.
fn ends_number(text: &str, range: &Range<usize>) -> bool {
    let is_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let next = text[range.end..].chars().next();
    is_digit(&text[range.clone()]) && next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
}

/// Where operators stand that may be joined.
pub(super) fn operators(line: &str) -> Vec<Range<usize>> {
    let is_operator = |byte: u8| b"!#$%&*+-./:;<=>?@^|~\\".contains(&byte);
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| is_operator(**byte)).count();
        let ruler = length > 4 && bytes[at..at + length].iter().all(|byte| *byte == bytes[at]);
        let mut within = if ruler { at + length } else { at };
        while within < at + length {
            let run = &line[within..at + length];
            match JOINED.iter().find(|operator| run.starts_with(**operator)) {
                Some(operator) => {
                    found.push(within..within + operator.len());
                    within += operator.len();
                }
                None => within += 1,
            }
        }
        at += length.max(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, literal: bool) -> Vec<&str> {
        runs(text, literal).into_iter().map(|range| &text[range]).filter(|piece| piece.len() > 1).collect()
    }

    #[test]
    fn a_run_from_right_to_left_is_one_piece() {
        assert_eq!(pieces("x = \"שלום עולם\", y", false), ["שלום עולם"]);
        assert_eq!(pieces("x = שלום, עולם", false), ["שלום", "עולם"]);
    }

    #[test]
    fn a_comment_keeps_what_stands_between_its_words() {
        assert_eq!(pieces("// מספר בין 1 ל־999, (באותיות).", true), ["מספר בין 1 ל־999, (באותיות)."]);
        assert_eq!(pieces("/* שורה 12 */", true), ["שורה 12"]);
        assert_eq!(pieces("// שורה 12px", true), ["שורה"]);
        assert_eq!(pieces("// (שלום). שם.rs!", true), ["(שלום). שם"]);
        assert_eq!(pieces("f(שלום)", false), ["שלום"]);
        assert_eq!(pieces("# שלום world עולם", true), ["שלום", "עולם"]);
        assert_eq!(pieces("# צה\"ל ו\"עוד\"", true), ["צה\"ל ו\"עוד"]);
    }

    #[test]
    fn strings_never_change_places() {
        assert_eq!(pieces("'א'||'ב', \"ג\"", true), ["א", "ב", "ג"]);
    }
}
