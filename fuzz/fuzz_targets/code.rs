//! Bytes become code: the first chooses the language, the second how it is shown, the rest is the code.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tintype_fuzz::card::{Card, CodeCard, language_words};

/// A word for every language.
static WORDS: LazyLock<Vec<String>> =
    LazyLock::new(|| language_words().into_iter().filter_map(|(_, words)| words.into_iter().next()).collect());

fuzz_target!(init: tintype_fuzz::prepare(), |data: &[u8]| {
    let [language, shown, code @ ..] = data else { return };
    tintype_fuzz::hold(data, usize::from(shown & 1), || {
        Some(Card::Code(CodeCard {
            language: WORDS.get(usize::from(*language) % WORDS.len()).cloned(),
            code: String::from_utf8_lossy(code).into_owned(),
            wrap: shown & 2 != 0,
            line_numbers: (shown & 4 != 0).then_some(1),
            tab_width: (shown & 8 != 0).then_some(shown >> 4),
            highlights: if shown & 16 != 0 { vec![2..=3] } else { Vec::new() },
            added: if shown & 32 != 0 { vec![1..=1] } else { Vec::new() },
            removed: if shown & 64 != 0 { vec![4..=usize::MAX] } else { Vec::new() },
            ..CodeCard::default()
        }))
    });
});
