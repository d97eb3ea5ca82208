//! Whatever a text holds, a card comes out of it: soon, without a panic, and of the right size.

use std::time::{Duration, Instant};

use tintype::card::{Card, CodeCard, Eyebrow, Options, Renderer, TitleCard};

/// What a card may take in a debug build on the busiest of machines; without the limits some of these texts take minutes.
const SOON: Duration = Duration::from_secs(10);

fn texts() -> Vec<(&'static str, String)> {
    let every = |range: std::ops::Range<u32>| range.filter_map(char::from_u32).collect::<String>();
    vec![
        ("nothing", String::new()),
        ("blanks", " \t\n \r\n\u{a0}\u{3000}\n".to_owned()),
        ("controls", every(0..0xa0)),
        ("invisible", every(0x2000..0x2070)),
        ("lone marks", "\u{301}\u{20dd}\u{fe0f}\u{200d}\u{e0101}".repeat(20)),
        ("stacked marks", format!("a{}", "\u{301}\u{316}".repeat(5_000))),
        ("emoji", "🚀👩‍💻🇯🇵❤️1️⃣🏴󠁧󠁢󠁳󠁣󠁴󠁿".repeat(200)),
        ("joined without end", "👩\u{200d}".repeat(4_000)),
        ("half a flag", "🇯".repeat(33)),
        ("right to left", "שלום עולם مرحبا بالعالم abc 123 ".repeat(60)),
        (
            "many lines right to left",
            "שלום, עולם 12 مرحبا. \n".repeat(3)
                + &"שלום עולם مرحبا ".repeat(200)
                + "\n"
                + &("שלום ".repeat(400) + "\n").repeat(30),
        ),
        ("overrides", "\u{202e}evil\u{2066}\u{202d}".repeat(300)),
        ("scripts", "नमस्ते สวัสดี வணக்கம் ქართული አማርኛ 한국어 漢字".repeat(40)),
        ("private use", every(0xe000..0xe400)),
        ("beyond the planes", "\u{10ffff}\u{f0000}\u{2fa1d}\u{e0001}".repeat(50)),
        ("a long line", "x".repeat(100_000)),
        ("underscores", "_".repeat(20_000)),
        ("brackets", "<{[(".repeat(20_000)),
        ("slashes", "/* // \\ ".repeat(20_000)),
        ("quotes", "\"'`\"\"\"'''".repeat(9_000)),
        ("many lines", "let x = 1;\n".repeat(500_000)),
        ("wide lines", format!("{}\n", "日本".repeat(5_000)).repeat(100)),
        ("mathematics", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ∑∫√∞ ".repeat(60)),
    ]
}

fn draw(renderer: &Renderer, name: &str, card: &Card) {
    let start = Instant::now();
    let image = renderer.render(card).unwrap_or_else(|error| panic!("{name}: {error}"));
    let took = start.elapsed();
    assert_eq!((image.width, image.height), (1200, 630), "{name}");
    assert!(image.bytes.len() < 300_000, "{name}: {} bytes", image.bytes.len());
    assert!(took < SOON, "{name}: {took:?}");
}

#[test]
fn every_text_makes_a_code_card() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    for (name, text) in texts() {
        for language in ["rust", "js", "markdown", "html", "no such language"] {
            let card = CodeCard {
                eyebrow: Eyebrow { author: Some(text.clone()), site: Some(text.clone()) },
                title: Some(text.clone()),
                file: Some(text.clone()),
                language: Some(language.to_owned()),
                code: text.clone(),
                highlights: vec![0..=0, 3..=usize::MAX],
                line_numbers: Some(usize::MAX - 3),
                wrap: language == "text",
                ..CodeCard::default()
            };
            draw(&renderer, &format!("{name} in {language}"), &Card::Code(card));
        }
    }
}

#[test]
fn every_text_makes_a_title_card() {
    let renderer = Renderer::new(&Options { look: "paper".to_owned(), ..Options::default() }).unwrap();
    for (name, text) in texts() {
        let card = TitleCard {
            eyebrow: Eyebrow { author: None, site: Some(text.clone()) },
            title: text.clone(),
            excerpt: Some(text.clone()),
            tags: vec![text.clone(); 40],
            date: Some(text.clone()),
            cover: None,
            code: None,
        };
        draw(&renderer, name, &Card::Title(card));
    }
}

/// Code that once took a grammar seconds or hundreds of megabytes: brackets that stack up scopes, and lines that are looked at from
/// every character to the end.
#[test]
fn code_that_grammars_choke_on_makes_a_card() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    for (language, line) in [
        ("d", "(a".repeat(150)),
        ("d", "[x](".repeat(75)),
        ("sv", "@a(".repeat(100)),
        ("less", "a ".repeat(149) + "("),
        ("scss", " ".repeat(299) + "x"),
        ("matlab", "a-".repeat(150)),
        ("markdown", "~".repeat(300)),
        ("typ", "`".repeat(300)),
        ("help", "a-".repeat(150)),
        ("ts", "<T>(".repeat(75)),
    ] {
        let code = vec![line; 20].join("\n");
        let card = CodeCard { language: Some(language.to_owned()), code, ..CodeCard::default() };
        draw(&renderer, language, &Card::Code(card));
    }
}

#[test]
fn characters_of_no_font_are_named() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    let card = TitleCard { title: "a\u{10fffd}b".to_owned(), ..TitleCard::default() };
    assert_eq!(renderer.render(&Card::Title(card)).unwrap().missing, ['\u{10fffd}']);
}
