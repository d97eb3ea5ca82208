//! Whatever a text holds, a card comes out of it: soon, without a panic, and of the right size.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tintype::card::{Card, CodeCard, Eyebrow, Options, Renderer, TitleCard};

/// What a card may take of a processor in a debug build, however busy the machine; without the limits some of these texts take
/// minutes.
const SOON: Duration = Duration::from_secs(10);
/// The same for a card of no more than a window of code.
const SOONER: Duration = Duration::from_secs(2);

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

/// The processor time of this thread so far.
fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

fn draw(renderer: &Renderer, name: &str, card: &Card, soon: Duration) {
    let start = cpu();
    let image = renderer.render(card).unwrap_or_else(|error| panic!("{name}: {error}"));
    let took = cpu().saturating_sub(start);
    assert_eq!((image.width, image.height), (1200, 630), "{name}");
    assert!(image.bytes.len() < 300_000, "{name}: {} bytes", image.bytes.len());
    assert!(took < soon, "{name}: {took:?}");
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
            draw(&renderer, &format!("{name} in {language}"), &Card::Code(card), SOON);
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
        draw(&renderer, name, &Card::Title(card), SOON);
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
        draw(&renderer, language, &Card::Code(card), SOONER);
    }
}

/// What bounds the cost of code is counted in characters, not in seconds: where long lines have used the budget up, what opens
/// beyond the edge of the picture is not seen, and elsewhere it is.
#[test]
fn a_grammar_looks_at_so_many_characters_of_a_card() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    let picture = |lines: &[String]| {
        let card = CodeCard { language: Some("js".to_owned()), code: lines.join("\n"), ..CodeCard::default() };
        renderer.render(&Card::Code(card)).unwrap().bytes
    };
    let statement = "let name = 1; ";
    for (filling, is_seen) in [(statement.repeat(22), false), (statement.to_owned(), true)] {
        let mut lines = vec![filling; 10];
        lines[7] = statement.repeat(18);
        let without = picture(&lines);
        lines[7] += "/* a comment";
        assert_eq!(picture(&lines) != without, is_seen, "lines of {} characters", lines[0].len());
    }
}

#[test]
fn characters_of_no_font_are_named() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    let card = TitleCard { title: "a\u{10fffd}b".to_owned(), ..TitleCard::default() };
    assert_eq!(renderer.render(&Card::Title(card)).unwrap().missing, ['\u{10fffd}']);
}
