//! The look's colours in a template: its text comes in, the same with colours in place of their names goes out.

use super::super::colour::Rgb;
use super::super::look::Look;

/// The file with the look's colours in place of `var(--NAME)` and `var(--NAME, …)`, each with as much white space behind it as was
/// longer, so that mistakes are found where they stand; or a name that is not known, and where it is.
pub(super) fn coloured(text: &str, look: &Look) -> Result<String, (usize, String)> {
    const OPEN: &str = "var(--";
    let colours: [(&str, Rgb); 8] = [
        ("ground", look.ground),
        ("title", look.title),
        ("muted", look.muted),
        ("window", look.window.fill),
        ("chip", look.chip.ground),
        ("chip-text", look.chip.text),
        ("accent-from", look.accent.from),
        ("accent-to", look.accent.to),
    ];
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(at) = text[done..].find(OPEN).map(|at| done + at) {
        out.push_str(&text[done..at]);
        let inner = &text[at + OPEN.len()..];
        let end = closing(inner).ok_or((at, "var( without its )".to_owned()))?;
        let name = inner[..end].split(',').next().unwrap_or_default().trim();
        let colour = colours.iter().find(|(known, _)| *known == name);
        let (_, colour) = colour.ok_or_else(|| {
            let known: Vec<&str> = colours.iter().map(|(known, _)| *known).collect();
            (at, format!("there is no colour `--{name}`; the look's colours are {}", known.join(", ")))
        })?;
        let colour = colour.to_string();
        done = at + OPEN.len() + end + 1;
        out.push_str(&colour);
        let rest = text[at..done].chars().skip(colour.len());
        out.extend(rest.map(|c| if c == '\n' { '\n' } else { ' ' }));
    }
    out.push_str(&text[done..]);
    Ok(out)
}

/// Where the parenthesis is closed that was opened right before the text.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        (open == 0).then_some(at)
    })
}
