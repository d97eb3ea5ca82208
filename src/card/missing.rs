//! Characters that no face had go in, a sentence for people comes out: which they are, and what to install.

use std::fmt::Write;

use super::font::package_for;

/// Characters that are named; the rest are counted.
const NAMED: usize = 12;

/// What to say of characters that no font has; none where there are none.
#[must_use]
pub fn missing(characters: &[char]) -> Option<String> {
    if characters.is_empty() {
        return None;
    }
    let mut told = "no font has ".to_owned();
    for (at, c) in characters.iter().take(NAMED).enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        let _ = write!(told, "{separator}U+{:04X}", u32::from(*c));
        if !c.is_control() && !('\u{e000}'..='\u{f8ff}').contains(c) && *c < '\u{f0000}' {
            let _ = write!(told, " {c}");
        }
    }
    if characters.len() > NAMED {
        let _ = write!(told, " and {} more", characters.len() - NAMED);
    }
    let mut packages: Vec<&str> = characters.iter().filter_map(|c| package_for(*c)).collect();
    packages.sort_unstable();
    packages.dedup();
    if !packages.is_empty() {
        let _ = write!(told, " (on Debian: apt-get install {})", packages.join(" "));
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_named_and_counted() {
        assert_eq!(missing(&[]), None);
        assert_eq!(missing(&['\u{10fffd}', '\u{e123}']).as_deref(), Some("no font has U+10FFFD, U+E123"));
        let many: Vec<char> = ('\u{e000}'..='\u{e01f}').collect();
        assert!(missing(&many).is_some_and(|told| told.ends_with("U+E00B and 20 more")));
    }
}
