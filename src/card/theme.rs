//! Code colours: a look's own, or a syntax theme that is bundled or read from a `.tmTheme` file, become one syntect theme whose
//! colours can be read on the window. Faint ones move in lightness until they stand at 4.5 : 1, unless a theme is asked for as it
//! is. A theme brings its background along as the window's fill.

use std::io::Cursor;
use std::str::FromStr;

use syntect::highlighting::{
    Color, FontStyle, ScopeSelectors, StyleModifier, Theme, ThemeItem, ThemeSet, ThemeSettings,
};
use two_face::theme::{EmbeddedLazyThemeSet, EmbeddedThemeName};

use super::colour::Rgb;
use super::look::{CodeColours, Look};

/// The contrast that text needs, WCAG 2.2 level AA.
pub(super) const LEGIBLE: f32 = 4.5;
/// The suffix that keeps a theme's own colours, faint ones too.
const AS_IT_IS: &str = ":raw";

/// The end of the name of a theme's file.
const FILE: &str = ".tmtheme";

/// A syntax theme other than a look's own colours.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    theme: Theme,
    /// Whether faint colours are kept.
    raw: bool,
    /// Whether the look's window keeps its fill.
    pub(super) keeps_fill: bool,
}

impl Choice {
    /// The bundled theme of that name, however it is spelt.
    pub(super) fn bundled(name: &str) -> Option<Self> {
        let (wanted, raw) = suffix(name);
        let fold =
            |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let found = usable().find(|theme| fold(theme.as_name()) == fold(wanted))?;
        Some(Self { theme: two_face::theme::extra().get(found).clone(), raw, keeps_fill: false })
    }

    /// The theme in the text of a file.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with its name.
    pub(super) fn read(text: &[u8], raw: bool) -> Result<Self, String> {
        let theme = ThemeSet::load_from_reader(&mut Cursor::new(text))
            .map_err(|error| format!("is not a .tmTheme that can be read: {error}"))?;
        if theme.scopes.is_empty() && theme.settings.foreground.is_none() {
            return Err("is a .tmTheme without a single colour".to_owned());
        }
        Ok(Self { theme, raw, keeps_fill: false })
    }

    /// The theme, after its background has become the fill of the look's window.
    pub(super) fn applied(&self, look: &mut Look) -> Theme {
        let ground = self.theme.settings.background.filter(|_| !self.keeps_fill);
        if let Some(Color { r, g, b, a }) = ground {
            look.refill(Rgb(r, g, b).over(look.window.fill, f32::from(a) / 255.0));
        }
        let mut theme = self.theme.clone();
        if !self.raw {
            lift(&mut theme, look.window.fill);
        }
        theme
    }
}

/// The theme of a look, after a background that it brings along has become the fill of the look's window.
pub(super) fn of(look: &mut Look) -> Theme {
    match look.assets.theme.clone() {
        Some(choice) => choice.applied(look),
        None => own(&look.code, look.window.fill),
    }
}

/// The same where the window has another fill.
pub(super) fn on(look: &mut Look, fill: Rgb) -> Theme {
    look.refill(fill);
    match look.assets.theme.clone() {
        Some(choice) => Choice { keeps_fill: true, ..(*choice).clone() }.applied(look),
        None => own(&look.code, fill),
    }
}

/// The name of a theme without the suffix that keeps its faint colours, and whether it was there.
fn suffix(name: &str) -> (&str, bool) {
    name.strip_suffix(AS_IT_IS).map_or((name, false), |wanted| (wanted, true))
}

/// The file that a theme's name stands for, where it is the name of a file, and whether its faint colours are kept.
pub(super) fn file(name: &str) -> Option<(&str, bool)> {
    let (wanted, raw) = suffix(name);
    wanted.to_ascii_lowercase().ends_with(FILE).then_some((wanted, raw))
}

/// The names of the bundled themes, sorted.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = usable().map(EmbeddedThemeName::as_name).collect();
    names.sort_by_key(|name| name.to_lowercase());
    names
}

/// Themes made for terminals hold palette numbers instead of colours; they are of no use here.
fn usable() -> impl Iterator<Item = EmbeddedThemeName> {
    use EmbeddedThemeName::{Ansi, Base16, Base16_256};
    EmbeddedLazyThemeSet::theme_names().iter().copied().filter(|name| !matches!(name, Ansi | Base16 | Base16_256))
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

    fn night() -> Look {
        Look::built_in("night").unwrap()
    }

    #[test]
    fn names_are_found_however_they_are_spelt() {
        for name in ["OneHalfDark", "onehalfdark", "One-Half Dark", "Solarized (dark)", "solarized-dark"] {
            assert!(Choice::bundled(name).is_some(), "{name}");
        }
        assert!(Choice::bundled("ansi").is_none());
        assert!(Choice::bundled("Nord:raw").is_some_and(|choice| choice.raw));
        assert_eq!(file("dir/Mine.tmTheme:raw"), Some(("dir/Mine.tmTheme", true)));
        assert_eq!(file("Nord"), None);
    }

    #[test]
    fn every_bundled_theme_becomes_legible_on_its_own_background() {
        for name in names() {
            let mut look = night();
            let theme = Choice::bundled(name).unwrap().applied(&mut look);
            if let Some(ground) = theme.settings.background {
                assert_eq!(look.window.fill, Rgb(ground.r, ground.g, ground.b), "{name}");
            }
            for colour in theme.scopes.iter().filter_map(|item| item.style.foreground) {
                let ratio = Rgb(colour.r, colour.g, colour.b).contrast(look.window.fill);
                assert!(ratio > 4.4, "{name}: {colour:?} at {ratio}");
            }
        }
    }

    #[test]
    fn raw_keeps_a_theme_s_own_colours() {
        let theme = |name| Choice::bundled(name).unwrap().applied(&mut night()).scopes;
        assert_ne!(theme("Nord:raw"), theme("Nord"));
    }

    #[test]
    fn a_broken_file_says_what_is_wrong() {
        for text in ["", "<plist><dict>", "not xml", "<plist version=\"1.0\"><dict></dict></plist>"] {
            assert!(Choice::read(text.as_bytes(), false).is_err(), "{text}");
        }
    }
}
