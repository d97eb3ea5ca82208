//! What is wrong with a look, a theme or a file that one of them names: the file, the place in it, and what to write instead.

use std::fmt;
use std::path::{Path, PathBuf};

/// Likeness of two keys, 0 to 1, from which one is taken for the other misspelt.
const ALIKE: f64 = 0.75;
/// Characters of somebody else's text that an error repeats.
const LONGEST: usize = 60;

/// A file that cannot be used, and where in it the reason stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookError {
    file: PathBuf,
    /// Line and column, both from 1; none where the whole file is meant.
    place: Option<(usize, usize)>,
    what: String,
}

impl fmt::Display for LookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for LookError {}

impl LookError {
    /// A file that cannot be used as a whole.
    pub(super) fn whole(file: &Path, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: None, what: what.into() }
    }

    /// A mistake at byte `at` of the file's text.
    pub(super) fn at(file: &Path, text: &str, at: usize, what: impl Into<String>) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let place = (before.matches('\n').count() + 1, line.chars().count() + 1);
        Self { place: Some(place), ..Self::whole(file, what) }
    }

    /// What the TOML reader found wrong.
    pub(super) fn toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        Self::at(file, text, at, explained(error.message()))
    }
}

/// A name of somebody else's, cut to a length that fits into an error.
pub(super) fn shown(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// The known name that is most like the one that was given.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, f64)> {
    let wanted = shown(name).to_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&wanted, &known.to_lowercase());
    known.into_iter().map(|known| (known, likeness(known))).max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The reader's words, with the nearest key where one is misspelt, and without the names of Rust's types.
fn explained(message: &str) -> String {
    let message = message.replace('\n', ", ").replace("expected f64", "expected a number");
    if !message.starts_with("unknown field") {
        let (before, after) = message.split_once("expected struct ").unwrap_or((&message, ""));
        return if after.is_empty() { message } else { format!("{before}expected a table") };
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let wrong = shown(words.next().unwrap_or_default());
    let known: Vec<&str> = words.collect();
    match nearest(&wrong, known.iter().copied()) {
        Some((near, likeness)) if likeness >= ALIKE => format!("there is no key `{wrong}`; did you mean `{near}`?"),
        _ => format!("there is no key `{wrong}`; the keys here are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters_from_one() {
        let error = |at| LookError::at(Path::new("mine.toml"), "a\né = 1\n", at, "no").to_string();
        assert_eq!(error(0), "mine.toml:1:1: no");
        assert_eq!(error(2), "mine.toml:2:1: no");
        assert_eq!(error(5), "mine.toml:2:3: no");
        assert_eq!(error(9000), "mine.toml:3:1: no");
    }

    #[test]
    fn misspelt_keys_get_the_nearest_one_and_strange_ones_the_list() {
        let unknown = |key: &str| explained(&format!("unknown field `{key}`, expected one of `fill`, `name`, `edge`"));
        assert_eq!(unknown("fil"), "there is no key `fil`; did you mean `fill`?");
        assert_eq!(unknown("zebra"), "there is no key `zebra`; the keys here are fill, name, edge");
        assert_eq!(
            explained("invalid type: string \"x\", expected f64"),
            "invalid type: string \"x\", expected a number"
        );
        assert_eq!(
            explained("invalid type: integer `3`, expected struct Window"),
            "invalid type: integer `3`, expected a table"
        );
    }
}
