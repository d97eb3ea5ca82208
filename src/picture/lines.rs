//! Lines as a person writes them go in (`10-30`, `10-`, `-30`, `10`), ranges come out.

use std::ops::RangeInclusive;

/// A text that names no lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no lines: write 10-30, 10-, -30 or 10")]
pub struct UnknownLines(String);

/// One range, counted from 1; an open end is [`usize::MAX`].
pub fn range(text: &str) -> Result<RangeInclusive<usize>, UnknownLines> {
    let unknown = || UnknownLines(text.to_owned());
    let line = |digits: &str| digits.trim().parse::<usize>().ok().filter(|line| *line > 0).ok_or_else(unknown);
    let (first, last) = match text.split_once(['-', '–', ':']) {
        None => (line(text)?, line(text)?),
        Some((first, "")) => (line(first)?, usize::MAX),
        Some(("", last)) => (1, line(last)?),
        Some((first, last)) => (line(first)?, line(last)?),
    };
    if first > last { Err(unknown()) } else { Ok(first..=last) }
}

/// Several ranges, by commas.
pub fn ranges(text: &str) -> Result<Vec<RangeInclusive<usize>>, UnknownLines> {
    text.split(',').map(|part| range(part.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_named_in_four_ways() {
        assert_eq!(range("10-30"), Ok(10..=30));
        assert_eq!(range("10-"), Ok(10..=usize::MAX));
        assert_eq!(range("-30"), Ok(1..=30));
        assert_eq!(range("10"), Ok(10..=10));
        assert_eq!(ranges("3, 5-7"), Ok(vec![3..=3, 5..=7]));
        for wrong in ["", "-", "0", "3-1", "a", "1-2-3", "0-2", "1,,2", "99999999999999999999999"] {
            assert!(ranges(wrong).is_err(), "{wrong}");
        }
    }
}
