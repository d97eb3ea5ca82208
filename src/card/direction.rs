//! Which way a paragraph runs: its text goes in, the direction of its first letter comes out, as Unicode's rules P2 and P3 say.

use super::unicode::is_right_to_left;

/// The direction of a paragraph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    #[default]
    LeftToRight,
    RightToLeft,
}

impl Direction {
    /// The direction of a text by itself. Digits, emoji and punctuation have none.
    pub(super) fn of(text: &str) -> Self {
        match text.chars().find(|c| c.is_alphabetic()) {
            Some(first) if is_right_to_left(first) => Self::RightToLeft,
            _ => Self::LeftToRight,
        }
    }

    /// The direction of a text that stands under one of this direction: a paragraph of an Arabic post that begins with a Latin
    /// name still runs from right to left.
    pub(super) fn under(self, text: &str) -> Self {
        let turned = text.chars().any(|c| c.is_alphabetic() && is_right_to_left(c));
        if self == Self::RightToLeft && turned { self } else { Self::of(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_letter_decides() {
        for text in ["שלום world", "12. مرحبا Rust", "🎉 «عنوان»"] {
            assert_eq!(Direction::of(text), Direction::RightToLeft, "{text}");
        }
        for text in ["", "123", "Rust مرحبا", "日本語 العربية", "(a) שלום"] {
            assert_eq!(Direction::of(text), Direction::LeftToRight, "{text}");
        }
        assert_eq!(Direction::RightToLeft.under("React תומך"), Direction::RightToLeft);
        assert_eq!(Direction::RightToLeft.under("React"), Direction::LeftToRight);
    }
}
