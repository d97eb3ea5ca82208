//! The text of a row goes in, a post comes out: what the row says wins over front matter, front matter over the text, and all
//! of it is plain text in one line each.

#[cfg(test)]
mod tests;

use jiff::civil::Date;

use crate::markdown::{self, Block, Document, Info, Origin, inline, one_line, shortened};

/// Titles and names are cut after this many characters.
const LONGEST: usize = 300;
/// More tags than this are left out.
const MOST_TAGS: usize = 20;

/// The columns of a row, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The title, which may hold inline Markdown or HTML.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// Where it is published.
    pub site: Option<String>,
    /// A date or timestamp.
    pub date: Option<String>,
    /// Tags, one each; [`tags`] splits the text of a column.
    pub tags: Vec<String>,
    /// Markdown or HTML.
    pub body: String,
}

/// What a card can show of a row. No text is empty or holds a line end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Post {
    /// The title.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// Where it is published.
    pub site: Option<String>,
    /// The day, as it is written in the row, without regard to time zones.
    pub date: Option<Date>,
    /// Tags, each once.
    pub tags: Vec<String>,
    /// The first words of the body.
    pub excerpt: Option<String>,
    /// The code blocks of the body.
    pub blocks: Vec<Block>,
}

impl Post {
    /// Reads the columns of a row.
    #[must_use]
    pub fn new(fields: Fields) -> Self {
        let Document { front_matter, heading, excerpt, blocks } = markdown::parse(&fields.body);
        let first = |texts: [Option<String>; 2], read: fn(&str) -> String| {
            texts.into_iter().flatten().map(|text| cleaned(&text, read)).find(|text| !text.is_empty())
        };
        let own_tags = unique(fields.tags);
        Self {
            title: first([fields.title, front_matter.title], inline)
                .or_else(|| heading.map(|text| shortened(&text, LONGEST))),
            author: first([fields.author, front_matter.author], one_line),
            site: first([fields.site, front_matter.site], one_line),
            date: [fields.date, front_matter.date].into_iter().flatten().find_map(|text| date(&text)),
            tags: if own_tags.is_empty() { unique(front_matter.tags) } else { own_tags },
            excerpt,
            blocks,
        }
    }

    /// A file of source code as a post of one block, named after the file.
    #[must_use]
    pub fn from_source(name: &str, text: &str) -> Self {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let language = markdown::language_of(file).or_else(|| interpreter(text));
        let code = markdown::readable(text).into_owned();
        let info = Info { language, file: Some(one_line(file)).filter(|file| !file.is_empty()), ..Info::default() };
        let cut = markdown::is_cut(text);
        Self { blocks: vec![Block { info, code, origin: Origin::Fenced, cut }], ..Self::default() }
    }
}

fn cleaned(text: &str, read: fn(&str) -> String) -> String {
    // Markup may be longer than what it shows, and hostile markup much longer.
    shortened(&read(markdown::prefix(text, LONGEST * 16)), LONGEST)
}

/// The program that a script's first line names.
fn interpreter(text: &str) -> Option<String> {
    let line = text.lines().next()?.strip_prefix("#!")?;
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let program = words.find(|word| *word != "env" && !word.starts_with('-') && !word.contains('='))?;
    let name = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let name = if name == "node" { "js" } else { name };
    (!name.is_empty()).then(|| name.to_owned())
}

/// The day of an ISO date or of a timestamp with or without a zone, or of a date as English writes it (`21 November 2026`).
#[must_use]
pub fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let day =
        text.get(..10).filter(|_| !text[10..].starts_with(|c: char| c.is_ascii_digit()) && !text.ends_with(" BC"));
    if let Some(date) = day.and_then(|day| day.replace('/', "-").parse().ok()) {
        return Some(date);
    }
    let words = one_line(&markdown::prefix(text, 64).replace([',', '.'], " "));
    let formats = ["%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y", "%a %d %b %Y", "%A %d %B %Y"];
    formats.iter().find_map(|format| Date::strptime(format, &words).ok())
}

/// The tags in the text of a column: `a, b`, a JSON array, or a Postgres array such as `{a,"b c"}`.
#[must_use]
pub fn tags(text: &str) -> Vec<String> {
    let text = text.trim();
    if let Ok(items) = serde_json::from_str::<Vec<serde_json::Value>>(text) {
        return unique(items.iter().filter_map(json_tag));
    }
    match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(array) => unique(array_elements(array)),
        None => unique(text.split([',', ';', '\n'])),
    }
}

fn json_tag(item: &serde_json::Value) -> Option<String> {
    match item {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Object(members) => members.get("name").and_then(json_tag),
        _ => None,
    }
}

/// The elements of a Postgres array literal; quoted ones may hold anything, an unquoted `NULL` is none.
fn array_elements(text: &str) -> Vec<String> {
    let mut elements = Vec::new();
    let (mut element, mut quoted, mut was_quoted) = (String::new(), false, false);
    let mut chars = text.chars();
    loop {
        match chars.next() {
            Some('\\') => element.extend(chars.next()),
            Some('"') => {
                quoted = !quoted;
                was_quoted = true;
            }
            Some(',') if quoted => element.push(','),
            Some(',') | None => {
                let done = std::mem::take(&mut element);
                if was_quoted || !done.eq_ignore_ascii_case("null") {
                    elements.push(done);
                }
                was_quoted = false;
                if chars.as_str().is_empty() {
                    return elements;
                }
            }
            Some(c) => element.push(c),
        }
    }
}

/// Tags in one line each, without the sign some write in front, each once in any case.
#[must_use]
pub fn unique(tags: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for tag in tags {
        let tag =
            shortened(&one_line(markdown::prefix(tag.as_ref().trim().trim_start_matches('#'), LONGEST * 4)), LONGEST);
        if !tag.is_empty() && !unique.iter().any(|known| known.to_lowercase() == tag.to_lowercase()) {
            unique.push(tag);
        }
        if unique.len() == MOST_TAGS {
            break;
        }
    }
    unique
}
