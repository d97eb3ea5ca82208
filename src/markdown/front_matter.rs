//! The metadata above a body goes in, the few fields a card can show come out. YAML stands between `---` lines, TOML between
//! `+++` lines; what cannot be read costs its own field and never the post.

use saphyr_parser::{Event, Parser};

/// Front matter longer than this many bytes is treated as part of the body.
const LONGEST: usize = 64 * 1024;
/// Nesting deeper than this is not followed: no field of a card lies there.
const DEEPEST: usize = 16;

/// What the metadata above a body says, as its author wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// `title`.
    pub title: Option<String>,
    /// `author` or `authors`; several names are joined with commas.
    pub author: Option<String>,
    /// `site`, or `site_name`.
    pub site: Option<String>,
    /// `date`, or one of the other names that site generators use for the day of publication.
    pub date: Option<String>,
    /// `tags`, else `keywords`, else `categories`, also under Zola's `taxonomies`.
    pub tags: Vec<String>,
}

/// Metadata of either syntax, reduced to what matters here.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// Splits a body into its front matter and what follows it. A body without any is returned whole.
pub(super) fn split(body: &str) -> (FrontMatter, &str) {
    for (fence, read) in [("---", yaml as fn(&str) -> Value), ("+++", toml)] {
        if let Some((metadata, rest)) = fenced(body, fence)
            && looks_like_metadata(metadata, fence)
        {
            return (fields(&read(metadata)), rest);
        }
    }
    (FrontMatter::default(), body)
}

/// The text between a fence on the first line and the next fence, and the text after it.
fn fenced<'a>(body: &'a str, fence: &str) -> Option<(&'a str, &'a str)> {
    let (first, inside) = body.split_once('\n')?;
    if first.trim_end() != fence {
        return None;
    }
    let mut end = 0;
    for line in inside.split_inclusive('\n') {
        if end > LONGEST {
            return None;
        }
        let text = line.trim_end();
        if text == fence || (fence == "---" && text == "...") {
            return Some((&inside[..end], &inside[end + line.len()..]));
        }
        end += line.len();
    }
    None
}

/// Whether the first line that says something is a key. A thematic break followed by prose is not front matter.
fn looks_like_metadata(text: &str, fence: &str) -> bool {
    let Some(first) = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')) else {
        return true;
    };
    let separator = if fence == "---" { ':' } else { '=' };
    let table = fence == "+++" && first.starts_with('[');
    table
        || first.split_once(separator).is_some_and(|(key, _)| {
            let key = key.trim().trim_matches(['"', '\'']);
            !key.is_empty() && key.len() <= 64 && key.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c))
        })
}

fn fields(value: &Value) -> FrontMatter {
    let text = |names: &[&str]| names.iter().find_map(|name| value.get(name)).and_then(Value::joined);
    let names = ["tags", "keywords", "categories"];
    let taxonomies = value.get("taxonomies");
    let tags = names
        .iter()
        .find_map(|name| value.get(name))
        .or_else(|| names.iter().find_map(|name| taxonomies.and_then(|inner| inner.get(name))));
    FrontMatter {
        title: text(&["title"]),
        author: text(&["author", "authors", "by"]),
        site: text(&["site", "site_name"]),
        date: text(&["date", "published", "published_at", "publishdate", "pubdate", "created", "created_at"]),
        tags: tags.map(Value::tags).unwrap_or_default(),
    }
}

impl Value {
    /// A member by its name in any case.
    fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => {
                members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            }
            Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The value as one text: a list joined with commas, a mapping by its `name`.
    fn joined(&self) -> Option<String> {
        let text = match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::List(items) => items.iter().filter_map(Self::joined).collect::<Vec<_>>().join(", "),
            Self::Map(_) => self.get("name").and_then(Self::joined).unwrap_or_default(),
        };
        (!text.is_empty()).then_some(text)
    }

    fn tags(&self) -> Vec<String> {
        match self {
            Self::Text(text) => {
                text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
            }
            Self::List(items) => items.iter().filter_map(Self::joined).collect(),
            Self::Map(members) => members.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// Reads YAML. Where the whole is not well formed (`title: Rust: a love story` is not), each top-level entry is read by itself,
/// and one that is still not well formed counts as the text after its colon.
fn yaml(text: &str) -> Value {
    if let Some(value @ Value::Map(_)) = yaml_document(text) {
        return value;
    }
    let mut members = Vec::new();
    for entry in entries(text) {
        if let Some(Value::Map(read)) = yaml_document(entry) {
            members.extend(read);
        } else if let Some((key, rest)) = entry.split_once(':') {
            members.push((key.trim().to_owned(), Value::Text(unquoted(rest).to_owned())));
        }
    }
    Value::Map(members)
}

/// Cuts YAML before each line that begins a top-level entry.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    let begins = |line: &str| {
        line.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"' || c == '\'') && line.contains(':')
    };
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if begins(line) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| &text[start..end])
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)))
        .unwrap_or(text)
}

/// One YAML document, or nothing where it is not well formed. Aliases stay empty, so that no document can grow.
fn yaml_document(text: &str) -> Option<Value> {
    let mut parser = Parser::new_from_str(text);
    loop {
        let (event, _) = parser.next_event()?.ok()?;
        if !matches!(event, Event::StreamStart | Event::DocumentStart(_)) {
            return yaml_value(&mut parser, event, 0);
        }
    }
}

fn yaml_value<'a>(
    parser: &mut Parser<'a, saphyr_parser::StrInput<'a>>,
    event: Event<'a>,
    depth: usize,
) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    match event {
        Event::Scalar(text, ..) => Some(Value::Text(text.into_owned())),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match parser.next_event()?.ok()?.0 {
                    Event::SequenceEnd => return Some(Value::List(items)),
                    event => items.push(yaml_value(parser, event, depth + 1)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut members = Vec::new();
            loop {
                let key = match parser.next_event()?.ok()?.0 {
                    Event::MappingEnd => return Some(Value::Map(members)),
                    event => yaml_value(parser, event, depth + 1)?,
                };
                let value = parser.next_event()?.ok()?.0;
                let value = yaml_value(parser, value, depth + 1)?;
                if let Value::Text(key) = key {
                    members.push((key, value));
                }
            }
        }
        _ => Some(Value::Text(String::new())),
    }
}

/// Reads TOML, entry by entry where the whole is not well formed.
fn toml(text: &str) -> Value {
    if let Ok(table) = text.parse::<toml::Table>() {
        return from_toml(toml::Value::Table(table));
    }
    let lines = text.lines().take_while(|line| !line.trim_start().starts_with('['));
    let read = lines.filter_map(|line| line.parse::<toml::Table>().ok());
    Value::Map(
        read.flatten().filter(|(_, value)| !value.is_table()).map(|(key, value)| (key, from_toml(value))).collect(),
    )
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::Text(text),
        toml::Value::Array(items) => Value::List(items.into_iter().map(from_toml).collect()),
        toml::Value::Table(members) => {
            Value::Map(members.into_iter().map(|(key, value)| (key, from_toml(value))).collect())
        }
        toml::Value::Datetime(date) => Value::Text(date.to_string()),
        toml::Value::Integer(number) => Value::Text(number.to_string()),
        toml::Value::Float(number) => Value::Text(number.to_string()),
        toml::Value::Boolean(truth) => Value::Text(truth.to_string()),
    }
}
