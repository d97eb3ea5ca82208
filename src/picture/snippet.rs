//! The code of a block goes in, the lines worth showing come out: what every line is indented by, a licence at the top and blank
//! lines around are left away, and highlights and line numbers follow the lines they belong to.

use std::ops::{Range, RangeInclusive};

use super::notation::{self, Noted};
use crate::markdown::Info;

/// The columns of a tab where nobody says otherwise.
const TAB: usize = 4;
/// Marks around a comment.
#[rustfmt::skip]
const BLOCKS: &[(&str, &str)] = &[
    ("/*", "*/"),
    ("<!--", "-->"),
    ("(*", "*)"),
    ("{-", "-}"),
    ("--[[", "]]"),
    ("\"\"\"", "\"\"\""),
    ("'''", "'''"),
    ("=begin", "=end"),
    ("#|", "|#"),
    ("<#", "#>"),
    ("{#", "#}"),
    ("{{!--", "--}}"),
    ("<%--", "--%>"),
    ("#=", "=#"),
];
/// Marks in front of a comment that ends with its line.
const LINES: &[&str] = &["//", "#", "--", ";", "%", "'", "\"", "!", "REM "];

/// Code as it is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snippet {
    /// Lines with LF between them and none at the end; empty where there is nothing to show.
    pub(super) code: String,
    /// Which line of the block the first line was, counted from 1.
    pub(super) first_line: usize,
    /// The highlights that fall on shown lines, counted from 1 within [`Snippet::code`].
    pub(super) highlights: Vec<RangeInclusive<usize>>,
    /// The shown lines that are marked as added, and as removed.
    pub(super) added: Vec<RangeInclusive<usize>>,
    pub(super) removed: Vec<RangeInclusive<usize>>,
    /// How many lines the block has.
    pub(super) lines: usize,
}

/// Prepares the code of a block for drawing; `only` keeps these of its lines, a licence among them too.
pub(super) fn tidy(code: &str, info: &Info, only: Option<&RangeInclusive<usize>>) -> Snippet {
    let Noted { lines, highlights, added, removed } = notation::read(code);
    let cut = if only.is_some() { 0..0 } else { licence(&lines) };
    let asked = |at: usize| only.is_none_or(|only| only.contains(&(at + 1)));
    let shown: Vec<(usize, &str)> =
        (lines.iter().map(String::as_str).enumerate()).filter(|(at, _)| asked(*at) && !cut.contains(at)).collect();
    let blank = |(_, line): &(usize, &str)| line.is_empty();
    let start = shown.iter().position(|line| !blank(line)).unwrap_or(shown.len());
    let end = shown.iter().rposition(|line| !blank(line)).map_or(start, |last| last + 1);
    let shown = &shown[start..end];
    let tab = info.tab_width.map_or(TAB, usize::from);
    let margin = shown.iter().filter(|line| !blank(line)).map(|(_, line)| indentation(line, tab)).min().unwrap_or(0);
    let moved = |told: &[RangeInclusive<usize>], noted: &[usize]| {
        moved(shown, |line| told.iter().any(|range| range.contains(&line)) || noted.binary_search(&line).is_ok())
    };
    Snippet {
        code: shown.iter().map(|(_, line)| without_margin(line, margin, tab)).collect::<Vec<_>>().join("\n"),
        first_line: shown.last().map_or(1, |(at, _)| at + 2 - shown.len()),
        highlights: moved(&info.highlights, &highlights),
        added: moved(&info.added, &added),
        removed: moved(&info.removed, &removed),
        lines: lines.len(),
    }
}

/// The columns of white space that a line begins with.
fn indentation(line: &str, tab: usize) -> usize {
    let mut columns = 0;
    for c in line.chars() {
        match c {
            ' ' => columns += 1,
            '\t' => columns = (columns / tab + 1) * tab,
            _ => break,
        }
    }
    columns
}

/// A line without its first columns of white space. Where that would move tab stops, the white space left becomes spaces.
fn without_margin(line: &str, margin: usize, tab: usize) -> String {
    let columns = indentation(line, tab);
    let text = line.trim_start_matches([' ', '\t']);
    if !margin.is_multiple_of(tab) {
        return " ".repeat(columns.saturating_sub(margin)) + text;
    }
    let mut gone = 0;
    for (at, c) in line.char_indices() {
        if gone >= margin {
            return line[at..].to_owned();
        }
        gone = if c == '\t' { (gone / tab + 1) * tab } else { gone + 1 };
    }
    String::new()
}

/// The ranges, within what is shown, of the lines of the block that are wanted.
fn moved(shown: &[(usize, &str)], wanted: impl Fn(usize) -> bool) -> Vec<RangeInclusive<usize>> {
    let mut moved: Vec<RangeInclusive<usize>> = Vec::new();
    for (now, (before, _)) in (1..).zip(shown) {
        if !wanted(before + 1) {
            continue;
        }
        match moved.last_mut() {
            Some(last) if last.end() + 1 == now => *last = *last.start()..=now,
            _ => moved.push(now..=now),
        }
    }
    moved
}

/// How many lines at the top must stay above a licence for the code to be what it is.
fn preamble(lines: &[String]) -> usize {
    let stays = |line: &&String| line.starts_with("#!") && !line.starts_with("#![") || line.starts_with("<?");
    lines.iter().take_while(stays).count()
}

/// The lines near the top that are a licence, with the blank lines around it. Code that is nothing else keeps it.
fn licence(lines: &[String]) -> Range<usize> {
    let lead = preamble(lines);
    let lines = &lines[lead..];
    let mut cut = 0;
    loop {
        let start = cut + lines[cut..].iter().take_while(|line| line.is_empty()).count();
        let comment = comment(&lines[start..]);
        if comment == 0 || !is_licence(&lines[start..start + comment]) {
            break;
        }
        cut = start + comment;
    }
    if lines[cut..].iter().all(String::is_empty) { 0..0 } else { lead..lead + cut }
}

/// How many lines the comment takes that the text begins with.
fn comment(lines: &[String]) -> usize {
    let Some(first) = lines.first().map(|line| line.trim_start()) else { return 0 };
    if let Some((open, close)) = BLOCKS.iter().find(|(open, _)| first.starts_with(open)) {
        let ends = |(at, line): (usize, &String)| {
            if at == 0 { first[open.len()..].contains(close) } else { line.contains(close) }
        };
        return lines.iter().enumerate().position(|line| ends((line.0, line.1))).map_or(0, |last| last + 1);
    }
    LINES
        .iter()
        .find(|mark| first.starts_with(**mark))
        .map_or(0, |mark| lines.iter().take_while(|line| line.trim_start().starts_with(mark)).count())
}

/// Whether a comment is a licence. A short one that merely speaks of licences is about the code below it and stays.
fn is_licence(comment: &[String]) -> bool {
    let text = comment.join("\n").to_lowercase();
    let mentions = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let dated = || text.contains(|c: char| c.is_ascii_digit()) || mentions(&["(c)", "©", "rights reserved"]);
    mentions(&["spdx-", "licensed under", "licenced under"])
        || (text.contains("copyright") && dated())
        || (comment.len() > 2 && mentions(&["copyright", "license", "licence"]))
}
