//! Code colours: a look's own, or a bundled syntax theme by name, become one syntect theme whose colours can be read on the
//! window. Faint ones move in lightness until they stand at 4.5 : 1, unless a theme is asked for as it is.

use std::str::FromStr;

use syntect::highlighting::{Color, FontStyle, ScopeSelectors, StyleModifier, Theme, ThemeItem, ThemeSettings};
use two_face::theme::{EmbeddedLazyThemeSet, EmbeddedThemeName};

use super::colour::Rgb;
use super::look::CodeColours;

/// The contrast that text needs, WCAG 2.2 level AA.
const LEGIBLE: f32 = 4.5;
/// The suffix that keeps a theme's own colours, faint ones too.
const AS_IT_IS: &str = ":raw";

/// A bundled theme's name taken apart: which theme, and whether its colours are kept.
pub(super) fn parse(name: &str) -> Option<(EmbeddedThemeName, bool)> {
    let (wanted, raw) = name.strip_suffix(AS_IT_IS).map_or((name, false), |wanted| (wanted, true));
    let fold = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let found = usable().find(|theme| fold(theme.as_name()) == fold(wanted))?;
    Some((found, raw))
}

/// The names of the bundled themes.
pub(super) fn names() -> Vec<&'static str> {
    usable().map(EmbeddedThemeName::as_name).collect()
}

/// Themes made for terminals hold palette numbers instead of colours; they are of no use here.
fn usable() -> impl Iterator<Item = EmbeddedThemeName> {
    use EmbeddedThemeName::{Ansi, Base16, Base16_256};
    EmbeddedLazyThemeSet::theme_names().iter().copied().filter(|name| !matches!(name, Ansi | Base16 | Base16_256))
}

/// A bundled theme on a window of colour `fill`.
pub(super) fn bundled(name: EmbeddedThemeName, fill: Rgb, raw: bool) -> Theme {
    let mut theme = two_face::theme::extra().get(name).clone();
    if !raw {
        lift(&mut theme, fill);
    }
    theme
}

/// Which scopes have which of a look's colours. Where two selectors match, the more specific one decides.
fn roles(colours: &CodeColours) -> Vec<(&'static str, Rgb)> {
    vec![
        (
            "variable, entity.name, support.function, support.macro, variable.function, meta.mapping.key string, \
             support.type.property-name, constant.other.database-name, constant.other.table-name, \
             source.elixir entity.name.function, source.sql entity.name.function",
            colours.name,
        ),
        (
            "keyword, storage, support.type.exception.keyword, keyword.operator.word, keyword.operator.logical.python",
            colours.keyword,
        ),
        (
            "keyword.operator, punctuation.accessor, punctuation.separator.method, punctuation.definition.generic, \
             punctuation.separator.annotation.return, meta.function.return-type punctuation.separator, \
             storage.type.function.arrow, punctuation.section.arrow",
            colours.operator,
        ),
        (
            "entity.name.type, entity.name.class, entity.name.struct, entity.name.enum, entity.name.trait, entity.name.interface, \
             entity.name.module, entity.name.namespace, entity.name.impl, entity.other.inherited-class, meta.path entity.name",
            colours.type_name,
        ),
        (
            "support.type, support.class, support.function.builtin, storage.type.primitive, storage.type.numeric, \
             constant.language, support.constant, source.go storage.type, source.c storage.type, source.c++ storage.type, \
             source.java storage.type, source.cs storage.type",
            colours.builtin,
        ),
        (
            "storage.type.function, storage.type.class, storage.type.struct, storage.type.enum, storage.type.let",
            colours.keyword,
        ),
        ("variable.language", colours.this),
        ("constant.numeric, constant.other.color", colours.number),
        (
            "string, storage.type.string, punctuation.section.interpolation, punctuation.definition.template-expression",
            colours.string,
        ),
        ("constant.other.symbol, constant.other.keywords, constant.character.symbol", colours.symbol),
        ("constant.character.escape, constant.other.placeholder, string.regexp", colours.escape),
        ("entity.name.tag", colours.tag),
        (
            "entity.other.attribute-name, variable.annotation, meta.annotation, meta.attribute variable",
            colours.attribute,
        ),
        ("comment, comment punctuation", colours.comment),
        (
            "source.python comment.block.documentation, source.python comment.block.documentation punctuation, \
             source.rust comment.line.documentation, source.rust comment.line.documentation punctuation, \
             source.elixir comment.documentation",
            colours.documentation,
        ),
        ("markup.heading, markup.heading punctuation, markup.bold", colours.keyword),
        ("markup.raw, markup.inserted", colours.string),
        ("markup.deleted", colours.name),
        ("meta.diff.range, meta.diff.header", colours.function),
    ]
}

/// The theme that a look's own colours make.
pub(super) fn own(colours: &CodeColours, fill: Rgb) -> Theme {
    let mut scopes: Vec<ThemeItem> =
        roles(colours).into_iter().filter_map(|(selectors, colour)| item(selectors, colour, None)).collect();
    let style = if colours.bold_definitions { FontStyle::BOLD } else { FontStyle::empty() };
    scopes.extend(item("meta.function entity.name.function", colours.function, Some(style)));
    scopes.extend(item("source.elixir meta.function entity.name.function", colours.name, Some(FontStyle::empty())));
    let settings = ThemeSettings { foreground: Some(to_syntect(colours.text)), ..ThemeSettings::default() };
    let mut theme = Theme { name: None, author: None, settings, scopes };
    lift(&mut theme, fill);
    theme
}

fn item(selectors: &str, colour: Rgb, style: Option<FontStyle>) -> Option<ThemeItem> {
    let scope = ScopeSelectors::from_str(selectors).ok()?;
    let style = StyleModifier { foreground: Some(to_syntect(colour)), background: None, font_style: style };
    Some(ThemeItem { scope, style })
}

/// Makes every colour of the theme legible on the window.
fn lift(theme: &mut Theme, fill: Rgb) {
    let legible = |colour: Color| to_syntect(Rgb(colour.r, colour.g, colour.b).legible_on(fill, LEGIBLE));
    theme.settings.foreground = theme.settings.foreground.map(legible);
    for item in &mut theme.scopes {
        item.style.foreground = item.style.foreground.map(legible);
    }
}

fn to_syntect(Rgb(r, g, b): Rgb) -> Color {
    Color { r, g, b, a: 255 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_spelt() {
        for name in ["OneHalfDark", "onehalfdark", "One-Half Dark", "Solarized (dark)", "solarized-dark"] {
            assert!(parse(name).is_some(), "{name}");
        }
        assert!(parse("ansi").is_none());
        assert!(matches!(parse("Nord:raw"), Some((EmbeddedThemeName::Nord, true))));
    }

    #[test]
    fn every_bundled_theme_becomes_legible() {
        let fill = Rgb(23, 25, 38);
        for name in usable() {
            let theme = bundled(name, fill, false);
            for colour in theme.scopes.iter().filter_map(|item| item.style.foreground) {
                let ratio = Rgb(colour.r, colour.g, colour.b).contrast(fill);
                assert!(ratio > 4.4, "{}: {colour:?} at {ratio}", name.as_name());
            }
        }
    }

    #[test]
    fn raw_keeps_a_theme_s_own_colours() {
        let fill = Rgb(23, 25, 38);
        assert_ne!(
            bundled(EmbeddedThemeName::Nord, fill, true).scopes,
            bundled(EmbeddedThemeName::Nord, fill, false).scopes
        );
    }
}
