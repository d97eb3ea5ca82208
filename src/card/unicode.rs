//! What a renderer must know of characters: which leave no ink, which read from right to left, which are emoji, which are wide,
//! and what visible mark stands for one that could deceive a reader.

use std::borrow::Cow;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// Marks that one letter carries; polytonic Greek and phonetic scripts need three.
const MOST_STACKED: usize = 3;

/// Characters that only shape their neighbours: joiners, variation selectors, tags. A face need not have them.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// What stands for a character that cannot or must not be drawn as itself: controls, bidi controls, blank and unpaired ones.
/// Bidi controls reorder what a reader sees ("Trojan Source", CVE-2021-42574), so they are shown and not obeyed.
pub(super) fn mark_for(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{202a}' => "⟨LRE⟩",
        '\u{202b}' => "⟨RLE⟩",
        '\u{202c}' => "⟨PDF⟩",
        '\u{202d}' => "⟨LRO⟩",
        '\u{202e}' => "⟨RLO⟩",
        '\u{2066}' => "⟨LRI⟩",
        '\u{2067}' => "⟨RLI⟩",
        '\u{2068}' => "⟨FSI⟩",
        '\u{2069}' => "⟨PDI⟩",
        '\u{200e}' => "⟨LRM⟩",
        '\u{200f}' => "⟨RLM⟩",
        '\u{61c}' => "⟨ALM⟩",
        '\u{200b}' => "⟨ZWSP⟩",
        '\u{2060}' => "⟨WJ⟩",
        '\u{feff}' => "⟨BOM⟩",
        '\u{ad}' => "⟨SHY⟩",
        '\u{180e}'
        | '\u{206a}'..='\u{206f}'
        | '\u{2061}'..='\u{2064}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{3164}'
        | '\u{ffa0}' => "⟨?⟩",
        '\u{2028}' | '\u{2029}' => "⟨LS⟩",
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => "·",
        _ => return None,
    })
}

/// The first character of a grapheme, or of a run from right to left, that is shown as a mark, and the mark. Joiners and variation
/// selectors are among them where they do nothing but hide: two names that look the same may differ in one.
pub(super) fn first_mark(text: &str) -> Option<(Range<usize>, &'static str)> {
    let base = text.chars().find(|c| !is_joiner(*c));
    let joins = base.is_some_and(may_join);
    let drawn = is_emoji(text);
    let mut before = None;
    for (at, c) in text.char_indices() {
        let range = at..at + c.len_utf8();
        let stands = || before.is_some_and(|before| !is_joiner(before) || before == '\u{fe0f}');
        let goes_on = || text[range.end..].chars().next().is_some_and(|next| !is_joiner(next));
        let mark = match c {
            '\u{200c}' if !joins => Some("⟨ZWNJ⟩"),
            '\u{200d}' if !(joins || drawn && stands() && goes_on()) => Some("⟨ZWJ⟩"),
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
                if !stands() || base.is_some_and(is_without_variants) =>
            {
                (!drawn).then_some("⟨VS⟩")
            }
            '\u{e0020}'..='\u{e007f}' if !drawn => Some("⟨TAG⟩"),
            '\t' => None,
            _ => mark_for(c),
        };
        if let Some(mark) = mark {
            return Some((range, mark));
        }
        before = Some(c);
    }
    None
}

/// Whether joiners between letters of a character's script decide how they look: those from right to left, those of India and
/// South-East Asia, Mongolian.
fn may_join(c: char) -> bool {
    is_right_to_left(c) || is_tall(c.encode_utf8(&mut [0; 4]))
}

/// Letters and digits of which no variant exists that a selector could ask for, beside digits in a box.
fn is_without_variants(c: char) -> bool {
    !c.is_ascii_digit() && c < '\u{1000}' && (c.is_alphanumeric() || c == '_')
}

/// Whether this is a zero-width space between two words of a script that writes none.
pub(super) fn parts_words(line: &str, range: &Range<usize>) -> bool {
    let parted = |c: Option<char>| {
        c.is_some_and(|c| matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'))
    };
    &line[range.clone()] == "\u{200b}"
        && parted(line[..range.start].chars().next_back())
        && parted(line[range.end..].chars().next())
}

/// Marks that stack above or below any letter.
fn is_stacking(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20df}' | '\u{20e1}' | '\u{20e4}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// A text whose letters carry no more than [`MOST_STACKED`] stacking marks each, so that none leaves its line.
pub(super) fn tamed(text: &str) -> Cow<'_, str> {
    let kept = || {
        text.chars().scan(0, |stacked, c| {
            *stacked = if is_stacking(c) { *stacked + 1 } else { 0 };
            Some((c, *stacked <= MOST_STACKED))
        })
    };
    if text.is_ascii() || kept().all(|(_, keeps)| keeps) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(kept().filter_map(|(c, keeps)| keeps.then_some(c)).collect())
}

/// Whether a text has letters that reach far above and below those of Latin: Arabic, the scripts of India and South-East Asia.
pub(super) fn is_tall(text: &str) -> bool {
    let tall = |c| {
        matches!(c, '\u{600}'..='\u{7bf}' | '\u{870}'..='\u{109f}' | '\u{1780}'..='\u{18af}' | '\u{1900}'..='\u{1cff}'
            | '\u{a800}'..='\u{aaff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{1e900}'..='\u{1e95f}')
    };
    text.chars().any(tall)
}

/// Scripts that run from right to left: Hebrew, Arabic and their neighbours.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Whether a grapheme asks for its colour form: by its nature, by a variation selector, as a flag or as a sequence.
pub(super) fn is_emoji(grapheme: &str) -> bool {
    let mut chars = grapheme.chars();
    let Some(first) = chars.next() else { return false };
    if first.is_ascii() {
        return grapheme.contains('\u{20e3}') && grapheme.contains('\u{fe0f}');
    }
    if grapheme.contains('\u{fe0e}') {
        return false;
    }
    is_emoji_by_default(first) || (may_be_emoji(first) && chars.any(|c| c == '\u{fe0f}' || c == '\u{200d}'))
}

/// `Emoji_Presentation` of Unicode 16.
fn is_emoji_by_default(c: char) -> bool {
    matches!(c,
        '\u{231a}'..='\u{231b}' | '\u{23e9}'..='\u{23ec}' | '\u{23f0}' | '\u{23f3}' | '\u{25fd}'..='\u{25fe}' | '\u{2614}'..='\u{2615}'
        | '\u{2648}'..='\u{2653}' | '\u{267f}' | '\u{2693}' | '\u{26a1}' | '\u{26aa}'..='\u{26ab}' | '\u{26bd}'..='\u{26be}'
        | '\u{26c4}'..='\u{26c5}' | '\u{26ce}' | '\u{26d4}' | '\u{26ea}' | '\u{26f2}'..='\u{26f3}' | '\u{26f5}' | '\u{26fa}' | '\u{26fd}'
        | '\u{2705}' | '\u{270a}'..='\u{270b}' | '\u{2728}' | '\u{274c}' | '\u{274e}' | '\u{2753}'..='\u{2755}' | '\u{2757}'
        | '\u{2795}'..='\u{2797}' | '\u{27b0}' | '\u{27bf}' | '\u{2b1b}'..='\u{2b1c}' | '\u{2b50}' | '\u{2b55}' | '\u{1f004}' | '\u{1f0cf}'
        | '\u{1f18e}' | '\u{1f191}'..='\u{1f19a}' | '\u{1f1e6}'..='\u{1f201}' | '\u{1f21a}' | '\u{1f22f}' | '\u{1f232}'..='\u{1f236}'
        | '\u{1f238}'..='\u{1f23a}' | '\u{1f250}'..='\u{1f251}' | '\u{1f300}'..='\u{1f320}' | '\u{1f32d}'..='\u{1f335}'
        | '\u{1f337}'..='\u{1f37c}' | '\u{1f37e}'..='\u{1f393}' | '\u{1f3a0}'..='\u{1f3ca}' | '\u{1f3cf}'..='\u{1f3d3}'
        | '\u{1f3e0}'..='\u{1f3f0}' | '\u{1f3f4}' | '\u{1f3f8}'..='\u{1f43e}' | '\u{1f440}' | '\u{1f442}'..='\u{1f4fc}'
        | '\u{1f4ff}'..='\u{1f53d}' | '\u{1f54b}'..='\u{1f54e}' | '\u{1f550}'..='\u{1f567}' | '\u{1f57a}' | '\u{1f595}'..='\u{1f596}'
        | '\u{1f5a4}' | '\u{1f5fb}'..='\u{1f64f}' | '\u{1f680}'..='\u{1f6c5}' | '\u{1f6cc}' | '\u{1f6d0}'..='\u{1f6d2}'
        | '\u{1f6d5}'..='\u{1f6d7}' | '\u{1f6dc}'..='\u{1f6df}' | '\u{1f6eb}'..='\u{1f6ec}' | '\u{1f6f4}'..='\u{1f6fc}'
        | '\u{1f7e0}'..='\u{1f7eb}' | '\u{1f7f0}' | '\u{1f90c}'..='\u{1f93a}' | '\u{1f93c}'..='\u{1f945}' | '\u{1f947}'..='\u{1f9ff}'
        | '\u{1fa70}'..='\u{1faff}')
}

/// Characters that have a colour form when one is asked for.
pub(super) fn may_be_emoji(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{21aa}' | '\u{2300}'..='\u{23ff}'
        | '\u{24c2}' | '\u{25aa}'..='\u{25fe}' | '\u{2600}'..='\u{27bf}' | '\u{2934}'..='\u{2935}' | '\u{2b05}'..='\u{2b55}' | '\u{3030}'
        | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

/// Whether a grapheme takes two cells of a code grid.
pub(super) fn is_wide(grapheme: &str) -> bool {
    is_emoji(grapheme) || grapheme.chars().next().and_then(UnicodeWidthChar::width) == Some(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_told_from_text() {
        for emoji in ["🚀", "👩‍💻", "🇯🇵", "❤️", "1️⃣", "⚡"] {
            assert!(is_emoji(emoji), "{emoji}");
            assert!(is_wide(emoji), "{emoji}");
        }
        for text in ["a", "1", "❤", "→", "日", "⚡\u{fe0e}"] {
            assert!(!is_emoji(text), "{text}");
        }
    }

    #[test]
    fn wide_is_two_cells() {
        assert!(is_wide("日") && is_wide("ア") && is_wide("，"));
        assert!(!is_wide("é") && !is_wide("│") && !is_wide("ß") && !is_wide("שלום"));
    }

    #[test]
    fn piles_of_marks_are_cut_down() {
        assert_eq!(tamed("a\u{301}\u{316}\u{301}\u{316}\u{301}b"), "a\u{301}\u{316}\u{301}b");
        assert_eq!(tamed("ᾧ e\u{302}\u{301} שָׁ"), "ᾧ e\u{302}\u{301} שָׁ");
    }

    #[test]
    fn deceiving_characters_have_marks() {
        for c in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{7}', '\u{feff}'] {
            assert!(mark_for(c).is_some(), "{:x}", u32::from(c));
        }
        assert_eq!(mark_for('a'), None);
        let mark = |text| first_mark(text).map(|(_, mark)| mark);
        assert_eq!(
            (mark("x\u{200d}"), mark("\u{200c}"), mark("x\u{fe0f}")),
            (Some("⟨ZWJ⟩"), Some("⟨ZWNJ⟩"), Some("⟨VS⟩"))
        );
        assert_eq!((mark("🚀\u{200d}"), mark("x\u{e0041}")), (Some("⟨ZWJ⟩"), Some("⟨TAG⟩")));
        for plain in [
            "\t",
            "می\u{200c}خواهم",
            "क्\u{200d}",
            "👩\u{200d}💻",
            "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}\u{20e3}",
            "☎\u{fe0e}",
            "葛\u{e0100}",
            "🏴\u{e0067}\u{e007f}",
        ] {
            assert_eq!(mark(plain), None, "{plain:?}");
        }
        let thai = "ไทย\u{200b}คำ x\u{200b}y";
        let at = |nth: usize| thai.match_indices('\u{200b}').nth(nth).map(|(at, space)| at..at + space.len()).unwrap();
        assert!(parts_words(thai, &at(0)) && !parts_words(thai, &at(1)));
        assert_eq!(mark_for('\u{200d}'), None);
    }
}
