//! Where lines may end in scripts that are written without blanks between words: Thai, Lao, Khmer and Burmese, by dictionary.

use icu_segmenter::LineSegmenter;
use icu_segmenter::options::LineBreakOptions;

/// Whether a letter belongs to such a script.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e01}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17d3}' | '\u{17d7}' | '\u{17dc}'..='\u{17dd}')
}

/// The bytes between two words of these scripts, in order.
pub(super) fn word_ends(text: &str) -> Vec<usize> {
    if !text.chars().any(is_unspaced) {
        return Vec::new();
    }
    let segmenter = LineSegmenter::new_dictionary(LineBreakOptions::default());
    let between = |at: &usize| text[..*at].ends_with(is_unspaced) && text[*at..].starts_with(is_unspaced);
    segmenter.segment_str(text).filter(between).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_without_blanks_are_told_apart() {
        let text = "ภาษาไทย and ฐานข้อมูล";
        let ends: Vec<(&str, &str)> = word_ends(text).into_iter().map(|at| text.split_at(at)).collect();
        assert_eq!(ends, [("ภาษา", "ไทย and ฐานข้อมูล"), ("ภาษาไทย and ฐาน", "ข้อมูล")]);
        assert!(word_ends("日本語 and words").is_empty());
        for text in ["ຂ້ອຍຮັກເຈົ້າ", "ខ្ញុំស្រឡាញ់អ្នក", "မြန်မာဘာသာစကား"]
        {
            assert!(!word_ends(text).is_empty(), "{text}");
        }
    }
}
