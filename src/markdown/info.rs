//! The words after a code fence go in, what they ask for comes out: a language, a file name, lines to stress. There is no standard
//! for them, so this reads the habits of the tools people write for, and skips over what none of them means.

use std::ops::{Range, RangeInclusive};

/// Info strings are read up to this many bytes.
const LONGEST: usize = 1000;
/// A longer language name is no language.
const LONGEST_LANGUAGE: usize = 40;
/// A longer file name is no file name.
const LONGEST_FILE: usize = 200;
/// More ranges than this are left out.
const MOST_RANGES: usize = 100;
/// Lines past this number cannot be highlighted.
const LAST_LINE: usize = 100_000;

/// Attributes that list lines to stress.
const HIGHLIGHTS: [&str; 10] = [
    "hllines",
    "hl",
    "highlight",
    "highlights",
    "highlightlines",
    "mark",
    "marklines",
    "marked",
    "focus",
    "emphasizelines",
];
/// Words that ask for lines that go on in the next row.
const WRAPS: [&str; 7] = ["wrap", "wordwrap", "linewrap", "softwrap", "autowrap", "wraplines", "wraplonglines"];

/// What an info string asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// The language as written, such as `rust`, `c++` or `C#`.
    pub language: Option<String>,
    /// The file name or other heading of the window.
    pub file: Option<String>,
    /// Lines to stress, counted from 1, ordered, without overlap.
    pub highlights: Vec<RangeInclusive<usize>>,
    /// Whether line numbers are asked for.
    pub line_numbers: bool,
    /// The number of the first line, where the author says so.
    pub first_line: Option<usize>,
    /// Whether this block is the one to draw.
    pub cover: bool,
    /// Lines marked as added and as removed, like [`Info::highlights`].
    pub added: Vec<RangeInclusive<usize>>,
    /// See [`Info::added`].
    pub removed: Vec<RangeInclusive<usize>>,
    /// Whether lines that are too wide go on in the next row.
    pub wrap: bool,
    /// The columns of a tab, 1 to 8, where the author says so.
    pub tab_width: Option<u8>,
}

impl Info {
    /// Reads an info string. Nothing in it is an error.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut info = Self::default();
        for (at, token) in tokens(super::prefix(text, LONGEST)).into_iter().enumerate() {
            info.token(token, at == 0);
        }
        for ranges in [&mut info.highlights, &mut info.added, &mut info.removed] {
            *ranges = merged(std::mem::take(ranges));
        }
        info
    }

    fn token(&mut self, token: &str, first: bool) {
        if let Some(inside) = token.strip_prefix('{') {
            self.braces(inside.strip_suffix('}').unwrap_or(inside), first);
        } else if let Some(label) = token.strip_prefix('[') {
            self.set_file(label.strip_suffix(']').unwrap_or(label));
        } else if token.starts_with('"') {
            self.set_file(token);
        } else if let Some((key, value)) = token.split_once('=') {
            self.attribute(key, value);
        } else if first {
            self.first_word(token);
        } else if !self.flag(token) && is_file_name(token) {
            self.set_file(token);
        }
    }

    /// `{1,3-5}` lists lines; anything else in braces is attributes, as in `{.haskell #id}` or `{python}`.
    fn braces(&mut self, inside: &str, first: bool) {
        if is_line_list(inside) {
            self.highlights.extend(ranges(inside));
            return;
        }
        for (at, token) in tokens(inside).into_iter().enumerate() {
            if let Some((key, value)) = token.split_once('=') {
                self.attribute(key, value);
            } else if let Some(class) = token.strip_prefix('.') {
                if !self.flag(class) && self.language.is_none() {
                    self.set_language(class);
                }
            } else if let Some((key, _)) = token.split_once(':') {
                self.flag(key);
            } else if !self.flag(token) && first && at == 0 && !token.starts_with('#') {
                self.set_language(token);
            }
        }
    }

    /// The first bare word: a language, `language:file`, or a file name alone.
    fn first_word(&mut self, word: &str) {
        let word = ["language-", "lang-", "text/x-", "application/"]
            .into_iter()
            .find_map(|prefix| word.strip_prefix(prefix))
            .unwrap_or(word);
        if self.flag(word) {
            return;
        }
        match word.split_once(':') {
            Some((language, rest)) if !language.is_empty() => {
                self.first_word(language);
                if !self.flag(rest.split('=').next().unwrap_or(rest)) && is_file_name(rest) {
                    self.set_file(rest);
                }
            }
            _ if matches!(word, "ignore" | "no_run" | "should_panic" | "compile_fail") => self.set_language("rust"),
            _ if word.contains('/') || (is_file_name(word) && !word.starts_with('.')) => {
                let language = language_of(word).unwrap_or_default();
                self.set_language(&language);
                if language != word {
                    self.set_file(word);
                }
            }
            _ => self.set_language(word.trim_start_matches('.')),
        }
    }

    fn attribute(&mut self, key: &str, value: &str) {
        let value = value.trim_matches(['"', '\'', '{', '}']).trim();
        let off = matches!(value.to_ascii_lowercase().as_str(), "false" | "no" | "off" | "0" | "none");
        let (language, key) = key.split_once(':').map_or((None, key), |(language, key)| (Some(language), key));
        if let (Some(language), None) = (language, &self.language) {
            self.set_language(language);
        }
        match normal(key).as_str() {
            "title" | "file" | "filename" | "name" | "path" | "filepath" | "caption" => self.set_file(value),
            "language" | "lang" => self.set_language(value),
            key if HIGHLIGHTS.contains(&key) => self.highlights.extend(listed(value)),
            "ins" | "insert" | "add" | "added" => self.added.extend(listed(value)),
            "del" | "delete" | "rem" | "remove" | "removed" => self.removed.extend(listed(value)),
            "tab" | "tabs" | "tabwidth" | "tabsize" | "tabstop" => {
                self.tab_width = value.parse().ok().filter(|width| (1..=8).contains(width)).or(self.tab_width);
            }
            "codeoverflow" | "overflow" => self.wrap = value.eq_ignore_ascii_case("wrap"),
            key if WRAPS.contains(&key) => self.wrap = !off,
            "nowrap" => self.wrap = off,
            "linenos" | "linenumbers" | "showlinenumbers" | "numberlines" => {
                self.line_numbers = !off;
                self.set_first_line(value);
            }
            "linenums" | "linenostart" | "startline" | "startlinenumber" | "startfrom" | "start" | "firstline" => {
                self.line_numbers |= key.eq_ignore_ascii_case("linenums");
                self.set_first_line(value);
            }
            "cover" => self.cover = !off,
            _ => {}
        }
    }

    /// Takes a word that asks for something by itself; false where it does not.
    fn flag(&mut self, word: &str) -> bool {
        match normal(word).as_str() {
            "cover" => self.cover = true,
            word if WRAPS.contains(&word) => self.wrap = true,
            "nowrap" => self.wrap = false,
            "showlinenumbers" | "linenos" | "linenumbers" | "numberlines" | "linenums" => self.line_numbers = true,
            "nolinenumbers" | "nolinenos" => self.line_numbers = false,
            _ => return false,
        }
        true
    }

    fn set_language(&mut self, text: &str) {
        let fits = text.len() <= LONGEST_LANGUAGE && text.chars().any(char::is_alphanumeric);
        if fits && !text.chars().any(is_unprintable) {
            self.language = Some(text.to_owned());
        }
    }

    fn set_file(&mut self, text: &str) {
        let text = text.trim_matches(['"', '\'']).trim();
        if self.file.is_none() && !text.is_empty() && text.len() <= LONGEST_FILE && !text.chars().any(is_unprintable) {
            self.file = Some(text.to_owned());
        }
    }

    fn set_first_line(&mut self, text: &str) {
        if let Some(line) = text.parse().ok().filter(|line| (2..=LAST_LINE).contains(line)) {
            self.first_line = Some(line);
        }
    }
}

/// The language that a file's name tells: its extension, or what a well-known name without one stands for.
pub(crate) fn language_of(file: &str) -> Option<String> {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let language = match name.to_ascii_lowercase().as_str() {
        "gemfile" | "rakefile" | "vagrantfile" | "brewfile" | "podfile" | "fastfile" => "ruby",
        "dockerfile" | "containerfile" => "dockerfile",
        "makefile" | "gnumakefile" => "makefile",
        "cmakelists.txt" => "cmake",
        "jenkinsfile" => "groovy",
        "justfile" => "just",
        "caddyfile" | "procfile" => return None,
        ".bashrc" | ".bash_profile" | ".profile" | ".zshrc" | ".env" => "sh",
        lower => {
            let (stem, extension) = lower.rsplit_once('.')?;
            return (!stem.is_empty() && is_extension(extension)).then(|| extension.to_owned());
        }
    };
    Some(language.to_owned())
}

/// Whether a word has the shape of a file name: a path, a name with an extension, or a well-known name without one.
fn is_file_name(word: &str) -> bool {
    if word.len() < 2 || word.contains("://") || (word.starts_with('/') && word.ends_with('/')) {
        return false;
    }
    word.contains('/')
        || language_of(word).is_some()
        || matches!(word, "Caddyfile" | "Procfile")
        || (word.starts_with('.') && word[1..].starts_with(char::is_alphabetic))
}

fn is_extension(text: &str) -> bool {
    (1..=10).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '+')
        && !matches!(text, "net" | "x")
}

/// An attribute's name as tools spell it differently: `hl_lines`, `hlLines`, `hl-lines`.
fn normal(key: &str) -> String {
    key.to_ascii_lowercase().replace(['-', '_'], "")
}

/// Words, `key="quoted values"` and `{groups}`, separated by spaces or commas; `hl_lines=3-4 8-9` is one.
fn tokens(text: &str) -> Vec<&str> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in words(text) {
        let lists = |before: &Range<usize>| {
            let key = text[before.clone()].split_once('=').map(|(key, _)| normal(key));
            key.is_some_and(|key| HIGHLIGHTS.contains(&key.as_str()))
        };
        match joined.last_mut().filter(|before| is_line_list(&text[range.clone()]) && lists(before)) {
            Some(before) => before.end = range.end,
            None => joined.push(range),
        }
    }
    joined.into_iter().map(|range| &text[range]).collect()
}

fn words(text: &str) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let (mut start, mut quote, mut closing) = (0, None, None);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match (quote, closing) {
            (Some(open), _) => quote = (c != open).then_some(open),
            (None, Some(bracket)) if c == bracket => closing = None,
            (None, Some(_)) if c == '"' => quote = Some(c),
            (None, None) if (c == '"' && before.is_whitespace()) || (matches!(c, '"' | '\'') && before == '=') => {
                quote = Some(c);
            }
            (None, None) if matches!(c, '{' | '[') => {
                closing = Some(if c == '{' { '}' } else { ']' });
                if before != '=' {
                    tokens.push(start..at);
                    start = at;
                }
            }
            (None, None) if c.is_whitespace() || c == ',' => {
                tokens.push(start..at);
                start = at + c.len_utf8();
            }
            (None, _) => {}
        }
        before = c;
    }
    tokens.push(start..text.len());
    tokens.retain(|token| !token.is_empty());
    tokens
}

fn is_line_list(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || " ,;-–.".contains(c))
}

/// The lines an attribute lists; a label before them (`"A":3-5`) is left out, and words to be found in the code list none.
fn listed(value: &str) -> impl Iterator<Item = RangeInclusive<usize>> {
    let list = if value.contains('"') { value.rsplit_once(':').map_or(value, |(_, list)| list) } else { value };
    ranges(if list.contains(char::is_alphabetic) { "" } else { list })
}

/// Ranges such as `1`, `3-5` or `7..9`, separated by anything else.
fn ranges(text: &str) -> impl Iterator<Item = RangeInclusive<usize>> {
    let line = |digits: &str| {
        digits.bytes().fold(None, |line: Option<usize>, digit| {
            Some(line.unwrap_or(0).saturating_mul(10).saturating_add(usize::from(digit - b'0')).min(LAST_LINE))
        })
    };
    text.split(|c: char| !(c.is_ascii_digit() || "-–.".contains(c))).take(MOST_RANGES).filter_map(move |part| {
        let mut ends = part.split(['-', '–', '.']).filter_map(line);
        let first = ends.next()?;
        let last = ends.next().unwrap_or(first);
        let (first, last) = (first.min(last).max(1), first.max(last));
        (last > 0).then_some(first..=last)
    })
}

fn merged(mut ranges: Vec<RangeInclusive<usize>>) -> Vec<RangeInclusive<usize>> {
    ranges.sort_by_key(|range| *range.start());
    let mut merged: Vec<RangeInclusive<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if *range.start() <= last.end() + 1 => *last = *last.start()..=*last.end().max(range.end()),
            _ => merged.push(range),
        }
    }
    merged
}

/// Control characters, and the marks that turn or hide text around them.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
