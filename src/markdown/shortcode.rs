//! A body with the code shortcodes of site generators goes in, the same body with fenced blocks in their place comes out: Hugo's
//! `{{< highlight go "hl_lines=3" >}}` and Jekyll's `{% highlight ruby linenos %}`. One pass over the lines, whatever they hold.

use std::borrow::Cow;
use std::fmt::Write;

/// How a shortcode begins, ends, and is closed.
struct Kind {
    open: &'static str,
    end: &'static str,
    close: &'static str,
    slash: &'static str,
    close_word: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind { open: "{{<", end: ">}}", close: "{{<", slash: "/", close_word: "highlight" },
    Kind { open: "{{%", end: "%}}", close: "{{%", slash: "/", close_word: "highlight" },
    Kind { open: "{%", end: "%}", close: "{%", slash: "", close_word: "endhighlight" },
];
/// Options of a shortcode are read up to this many bytes.
const LONGEST_OPTIONS: usize = 600;
/// A fence is longer than any run of backticks in its code, up to here.
const LONGEST_FENCE: usize = 100;

/// A shortcode that opens on a line.
struct Opened<'a> {
    kind: &'static Kind,
    options: &'a str,
    /// Bytes from the start of the line to the code.
    length: usize,
}

/// The text with its code shortcodes as fenced blocks. What is never closed stays as it is, and so does what stands in a fence.
pub(super) fn fenced(text: &str) -> Cow<'_, str> {
    if !text.contains("highlight") {
        return Cow::Borrowed(text);
    }
    // Where each kind is closed for the last time: nothing after it needs a search.
    let last =
        KINDS.each_ref().map(|kind| text.rmatch_indices(kind.close_word).find_map(|(at, _)| closed(text, at, kind)));
    let mut out = String::new();
    let (mut copied, mut at, mut fence) = (0, 0, None);
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
        let line = &text[at..end];
        fence = fence_after(fence, line);
        let opened = if fence.is_none() { opened(line) } else { None };
        let closing = opened.as_ref().and_then(|opened| {
            let from = at + opened.length;
            let known = KINDS.iter().zip(&last).find(|(kind, _)| std::ptr::eq(*kind, opened.kind));
            known.and_then(|(_, last)| last.as_ref()).filter(|last| last.start >= from)?;
            text[from..]
                .match_indices(opened.kind.close_word)
                .find_map(|(word, _)| closed(text, from + word, opened.kind).filter(|range| range.start >= from))
        });
        let (Some(opened), Some(closing)) = (opened, closing) else {
            at = end;
            continue;
        };
        out.push_str(&text[copied..at]);
        let margin = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        write_block(&mut out, margin, opened.options, &text[at + opened.length..closing.start]);
        copied = closing.end;
        at = text[copied..].find('\n').map_or(text.len(), |end| copied + end + 1);
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The fence that is open after a line, by its mark and length.
fn fence_after(open: Option<(u8, usize)>, line: &str) -> Option<(u8, usize)> {
    let text = line.trim_start_matches([' ', '\t', '>']);
    let mark = text.bytes().next().filter(|mark| matches!(mark, b'`' | b'~'));
    let length = mark.map_or(0, |mark| text.bytes().take_while(|byte| *byte == mark).count());
    match open {
        Some((own, least)) => {
            let closes = mark == Some(own) && length >= least && text[length..].trim().is_empty();
            (!closes).then_some((own, least))
        }
        None => mark
            .filter(|mark| length >= 3 && !(*mark == b'`' && text[length..].contains('`')))
            .map(|mark| (mark, length)),
    }
}

/// The shortcode a line begins with.
fn opened(line: &str) -> Option<Opened<'_>> {
    let text = line.trim_start();
    let kind = KINDS.iter().find(|kind| text.starts_with(kind.open))?;
    let inside = text[kind.open.len()..].trim_start_matches(['-', ' ', '\t']);
    let options = inside.strip_prefix("highlight").filter(|rest| rest.starts_with([' ', '\t']))?;
    let end = options.find(kind.end)?;
    let length = line.len() - options.len() + end + kind.end.len();
    Some(Opened { kind, options: super::prefix(options[..end].trim_end_matches('-').trim(), LONGEST_OPTIONS), length })
}

/// The closing shortcode around a word, if that is what the word stands in.
fn closed(text: &str, word: usize, kind: &Kind) -> Option<std::ops::Range<usize>> {
    let blanks = [' ', '\t', '-'];
    let before = text[..word].trim_end_matches(blanks).strip_suffix(kind.slash)?.trim_end_matches(blanks);
    let start = before.strip_suffix(kind.close)?.len();
    let after = text[word + kind.close_word.len()..].trim_start_matches(blanks);
    after.starts_with(kind.end).then(|| start..text.len() - after.len() + kind.end.len())
}

fn write_block(out: &mut String, margin: &str, options: &str, code: &str) {
    let mut fence = 3;
    for line in code.lines() {
        let run = line.trim_start().bytes().take_while(|byte| *byte == b'`').count();
        fence = fence.max(run + 1).min(LONGEST_FENCE);
    }
    let fence = "`".repeat(fence);
    let code = code.strip_prefix("\r\n").or_else(|| code.strip_prefix('\n')).unwrap_or(code);
    let code = code.trim_end_matches([' ', '\t']);
    let newline = if code.is_empty() || code.ends_with('\n') { "" } else { "\n" };
    let _ = writeln!(out, "{margin}{fence}{}", info(options));
    let _ = write!(out, "{code}{newline}{margin}{fence}");
}

/// Options as the words after a fence: Hugo keeps several in one pair of quotes, by commas.
fn info(options: &str) -> String {
    let (language, rest) = options.split_once(char::is_whitespace).unwrap_or((options, ""));
    let rest = rest.trim();
    let mut info = language.trim_matches('"').replace('`', "");
    let whole = rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|rest| !rest.contains('"'));
    match whole {
        None => info.extend([" ", rest]),
        Some(list) => {
            for option in list.split(',') {
                match option.split_once('=') {
                    Some((key, value)) => info.extend([" ", key.trim(), "=\"", value.trim(), "\""]),
                    None => info.extend([" ", option.trim()]),
                }
            }
        }
    }
    info.replace(['`', '\n', '\r'], "")
}
