//! The code of a block goes in, its lines without the comments that only speak to a highlighter come out, and what these asked for:
//! `// [!code highlight]`, `# [!code ++]`, `// highlight-next-line`, `// highlight-start` and `-end`, as several generators read them.

/// Lines of code, and which of them are marked, counted from 1 and ordered.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) lines: Vec<String>,
    pub(super) highlights: Vec<usize>,
    pub(super) added: Vec<usize>,
    pub(super) removed: Vec<usize>,
}

/// What a note marks lines as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Highlight,
    Added,
    Removed,
}

/// What a note in a comment asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    /// This line and those after it, so many; the following ones where the comment has a line of its own.
    Lines(Mark, usize),
    Next,
    Start,
    End,
}

/// How comments begin, and what may end them.
const OPENERS: [&str; 10] = ["{/*", "<!--", "//", "/*", "#", "--", ";", "%", "\"", "'"];
const CLOSERS: [&str; 3] = ["*/}", "*/", "-->"];
/// Lines that one note may mark.
const MOST_LINES: usize = 10_000;

/// Reads the notes of a code. Trailing blanks go as well.
pub(super) fn read(code: &str) -> Noted {
    let mut noted = Noted::default();
    let (mut inside, mut pending): (bool, Vec<(Mark, usize)>) = (false, Vec::new());
    for line in code.lines() {
        let found = note(line);
        let kept = found.map_or(line, |(before, _)| before).trim_end();
        let alone = found.is_some() && kept.trim_start().is_empty();
        match found.map(|(_, note)| note) {
            Some(Note::Lines(mark, count)) => pending.push((mark, count)),
            Some(Note::Next) => pending.push((Mark::Highlight, 1)),
            Some(Note::Start) => inside = true,
            Some(Note::End) => inside = false,
            None => {}
        }
        if alone {
            continue;
        }
        noted.lines.push(kept.to_owned());
        let number = noted.lines.len();
        let marked = |wanted| pending.iter().any(|(mark, _)| *mark == wanted);
        let lists = [
            (inside || marked(Mark::Highlight), &mut noted.highlights),
            (marked(Mark::Added), &mut noted.added),
            (marked(Mark::Removed), &mut noted.removed),
        ];
        for (_, list) in lists.into_iter().filter(|(wanted, _)| *wanted) {
            list.push(number);
        }
        for (_, count) in &mut pending {
            *count -= 1;
        }
        pending.retain(|(_, count)| *count > 0);
    }
    noted
}

/// The part of a line before a comment that is nothing but a note, and the note.
fn note(line: &str) -> Option<(&str, Note)> {
    let at = ["[!code ", "highlight-"].iter().find_map(|mark| line.rfind(mark))?;
    let mut words = line[at..].trim_end();
    for closer in CLOSERS {
        words = words.strip_suffix(closer).unwrap_or(words).trim_end();
    }
    let note = match words {
        "highlight-next-line" => Note::Next,
        "highlight-line" => Note::Lines(Mark::Highlight, 1),
        "highlight-start" => Note::Start,
        "highlight-end" => Note::End,
        _ => {
            let inside = words.strip_prefix("[!code ")?.strip_suffix(']')?.trim();
            let (name, count) = inside.split_once(':').unwrap_or((inside, "1"));
            let mark = match name {
                "highlight" | "hl" | "focus" | "error" | "warning" => Mark::Highlight,
                "++" | "add" => Mark::Added,
                "--" | "remove" | "del" => Mark::Removed,
                _ => return None,
            };
            Note::Lines(mark, count.parse().ok().filter(|count| (1..=MOST_LINES).contains(count))?)
        }
    };
    let before = line[..at].trim_end();
    let opener = OPENERS.iter().find(|opener| before.ends_with(**opener))?;
    Some((&before[..before.len() - opener.len()], note))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Marked = (&'static str, &'static [usize], &'static [usize], &'static [usize]);

    #[test]
    fn notes_leave_the_code_and_mark_its_lines() {
        let cases: &[(&str, Marked)] = &[
            ("a // [!code highlight]\nb", ("a\nb", &[1], &[], &[])),
            ("a # [!code ++]\nb # [!code --]", ("a\nb", &[], &[1], &[2])),
            ("// [!code highlight:2]\na\nb\nc", ("a\nb\nc", &[1, 2], &[], &[])),
            ("a\n  // highlight-next-line\n  b\nc", ("a\n  b\nc", &[2], &[], &[])),
            ("a\n# highlight-start\nb\nc\n# highlight-end\nd", ("a\nb\nc\nd", &[2, 3], &[], &[])),
            ("<b/> {/* [!code hl] */}\n<c/> <!-- [!code focus] -->", ("<b/>\n<c/>", &[1, 2], &[], &[])),
            (
                "a highlight-start\n// [!code dance]\n[!code ++]",
                ("a highlight-start\n// [!code dance]\n[!code ++]", &[], &[], &[]),
            ),
            (
                "a // [!code highlight:0]\nb // [!code highlight:x]",
                ("a // [!code highlight:0]\nb // [!code highlight:x]", &[], &[], &[]),
            ),
        ];
        for (code, (lines, highlights, added, removed)) in cases {
            let noted = read(code);
            let marks = (&noted.highlights[..], &noted.added[..], &noted.removed[..]);
            assert_eq!((noted.lines.join("\n").as_str(), marks), (*lines, (*highlights, *added, *removed)), "{code}");
        }
    }
}
