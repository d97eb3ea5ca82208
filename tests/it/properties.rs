//! What holds for any text whatever: a post is read, a card is drawn, its picture is sound and the same wherever it is drawn, and
//! its alternative says something. `PROPTEST_CASES=5000` tries longer.

use std::io::Cursor;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use jiff::civil::Date;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tintype::card::{Card, CodeCard, Eyebrow, Options, Renderer, TitleCard, language_name, language_words};
use tintype::markdown::{Info, parse};
use tintype::picture::{Draw, Skip, alt_text, choose, range, ranges};
use tintype::post::{Fields, Post, tags};

const LOOKS: [&str; 2] = ["night", "paper"];

/// Renderers that stay, so that most cards are drawn after many others; and others that draw the same again.
static RENDERERS: LazyLock<[[Renderer; 2]; 2]> = LazyLock::new(|| [LOOKS.map(renderer), LOOKS.map(renderer)]);

fn renderer(look: &str) -> Renderer {
    Renderer::new(&Options { look: look.to_owned(), ..Options::default() }).unwrap()
}

/// Cases a property is tried with, unless `PROPTEST_CASES` says otherwise.
fn cases(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() }
}

/// What means something to Markdown, to an info string, to a grammar, or to whoever sets type.
#[rustfmt::skip]
const PIECES: [&str; 72] = [
    "```", "```rust\n", "~~~", "\n", "\r\n", "\n\n", "    ", "\t", "# ", "> ", "- ", "1. ", "---\n", "title: ", "tags: [a, b]\n", "| a |\n|---|\n",
    "<pre><code>", "</code></pre>", "<!--", "-->", "<b>", "&amp;", "&#x202e;", "![](", "](", "[", "]", "**", "__init__", "`", "{1,3-5}", "{99999999999999999999}",
    "title=\"", "cover", "hl_lines=\"1 2\"", "startline=18446744073709551615", "tabsize=0", "// [!code ++]", "highlight-next-line",
    "\"", "'", "/*", "*/", "//", "#{", "${", "<<~A", "\\", "(", "{", "=>", "!=", "|>", "::", "fn main() {", "let x = 1;", " ",
    "\0", "\u{1b}[31m", "\u{301}", "\u{200d}", "\u{fe0f}", "\u{202e}", "\u{2066}", "\u{2028}", "👩‍💻", "🇯🇵", "漢字", "한", "עברית", "العربية", "\u{10ffff}",
];

/// Any text, most of it made of pieces that mean something.
fn text() -> impl Strategy<Value = String> {
    let pieces = vec(
        prop_oneof![4 => select(&PIECES[..]).prop_map(str::to_owned), 1 => "\\PC{0,12}", 1 => any::<char>().prop_map(String::from)],
        0..24,
    );
    prop_oneof![
        6 => pieces.prop_map(|pieces| pieces.concat()),
        2 => any::<String>(),
        1 => (select(&PIECES[..]), 1_usize..400).prop_map(|(piece, times)| piece.repeat(times)),
        1 => vec(any::<char>(), 0..200).prop_map(|characters| characters.into_iter().collect()),
    ]
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    proptest::option::weighted(0.7, text())
}

/// The name of a language, or any text in its place.
fn language() -> impl Strategy<Value = Option<String>> {
    let words: Vec<String> = language_words().into_iter().flat_map(|(_, words)| words).collect();
    proptest::option::weighted(0.9, prop_oneof![5 => select(words), 1 => text()])
}

fn lines() -> impl Strategy<Value = Vec<RangeInclusive<usize>>> {
    let end = || prop_oneof![4 => 0_usize..30, 1 => any::<usize>(), 1 => Just(usize::MAX)];
    vec((end(), end()).prop_map(|(start, end)| start..=end), 0..4)
}

fn eyebrow() -> impl Strategy<Value = Eyebrow> {
    (some_text(), some_text()).prop_map(|(author, site)| Eyebrow { author, site })
}

fn code_card() -> impl Strategy<Value = CodeCard> {
    let marked = (lines(), lines(), lines());
    let shown = (proptest::option::of(any::<usize>()), any::<[bool; 2]>(), proptest::option::of(any::<u8>()));
    (eyebrow(), some_text(), some_text(), language(), text(), marked, shown).prop_map(
        |(
            eyebrow,
            title,
            file,
            language,
            code,
            (highlights, added, removed),
            (line_numbers, [wrap, cut], tab_width),
        )| {
            CodeCard {
                eyebrow,
                title,
                file,
                language,
                code,
                cut,
                highlights,
                added,
                removed,
                line_numbers,
                wrap,
                tab_width,
            }
        },
    )
}

fn title_card() -> impl Strategy<Value = TitleCard> {
    (eyebrow(), text(), some_text(), vec(text(), 0..6), some_text()).prop_map(
        |(eyebrow, title, excerpt, tags, date)| TitleCard {
            eyebrow,
            title,
            excerpt,
            tags,
            date,
            cover: None,
            code: None,
        },
    )
}

fn card() -> impl Strategy<Value = Card> {
    prop_oneof![3 => code_card().prop_map(Card::Code), 1 => title_card().prop_map(Card::Title)]
}

fn fields() -> impl Strategy<Value = Fields> {
    (some_text(), some_text(), some_text(), some_text(), vec(text(), 0..4), text())
        .prop_map(|(title, author, site, date, tags, body)| Fields { title, author, site, date, tags, body })
}

/// Every text that a card is made of, and what stands for a bidi control.
fn texts(card: &Card) -> String {
    let (eyebrow, own) = match card {
        Card::Code(card) => {
            let CodeCard { eyebrow, title, file, language, code, .. } = card;
            (eyebrow, vec![title.clone(), file.clone(), language.clone(), Some(code.clone())])
        }
        Card::Title(TitleCard { eyebrow, title, excerpt, tags, date, .. }) => {
            (eyebrow, vec![Some(title.clone()), excerpt.clone(), Some(tags.concat()), date.clone()])
        }
    };
    [own, vec![eyebrow.author.clone(), eyebrow.site.clone()]]
        .concat()
        .into_iter()
        .flatten()
        .chain(["⟨⟩".to_owned()])
        .collect()
}

/// Width and height of a PNG whose every pixel can be read.
fn decoded(bytes: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    (frame.width, frame.height)
}

/// Draws a card twice, by two renderers in two threads at once, and holds the picture to all that is promised of one.
fn sound(card: &Card, look: usize) -> Result<(), TestCaseError> {
    let [first, second] = &*RENDERERS;
    let (image, again) = std::thread::scope(|scope| {
        let again = scope.spawn(|| second[look].render(card));
        (first[look].render(card), again.join())
    });
    let image = image.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!((image.width, image.height, image.media_type), (1200, 630, "image/png"));
    prop_assert_eq!(decoded(&image.bytes), (1200, 630));
    prop_assert!(image.bytes.len() < 300_000, "{} bytes", image.bytes.len());
    prop_assert!(again.is_ok_and(|again| again.is_ok_and(|again| again == image)), "drawn again it is another picture");
    let texts = texts(card);
    let unheard = image.missing.iter().filter(|c| !texts.contains(**c)).collect::<Vec<_>>();
    prop_assert!(unheard.is_empty(), "missing, but not in the text: {unheard:?}");
    Ok(())
}

/// Holds a text alternative to what is promised of one.
fn told(alt: &str) -> Result<(), TestCaseError> {
    prop_assert!(!alt.trim().is_empty(), "it says nothing");
    prop_assert!(alt.chars().count() <= 400, "{} characters", alt.chars().count());
    Ok(())
}

/// An author whose initial has a capital that fewer fonts have than the letter itself.
#[test]
fn an_initial_without_a_capital_is_drawn_as_it_is_written() {
    for author in ["\u{105b3}", "\u{105b3} Lovelace", "ŉ", "ßeta", "ǰ"] {
        let eyebrow = Eyebrow { author: Some(author.to_owned()), site: None };
        let card = Card::Title(TitleCard { eyebrow, title: "A title".to_owned(), ..TitleCard::default() });
        sound(&card, 0).unwrap();
    }
}

proptest! {
    #![proptest_config(cases(120))]

    /// Cards as a program may make them, of texts that no post would hold.
    #[test]
    fn any_card_is_drawn(card in card(), look in 0_usize..2) {
        sound(&card, look)?;
    }
}

proptest! {
    #![proptest_config(cases(100))]

    /// Rows as a table may hold them, all the way.
    #[test]
    fn any_row_is_drawn_or_skipped_for_a_reason(fields in fields(), look in 0_usize..2, draw in select(&[Draw::Auto, Draw::Code, Draw::Title][..])) {
        match choose(&Post::new(fields), draw, None) {
            Ok(card) => {
                told(&alt_text(&card, language_name))?;
                sound(&card, look)?;
            }
            Err(skip) => prop_assert!(matches!((&skip, draw), (Skip::NoCode, Draw::Code) | (Skip::Empty, Draw::Auto | Draw::Title)), "{skip:?}"),
        }
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn any_info_string_is_read(text in text()) {
        let info = Info::parse(&text);
        prop_assert!(info.tab_width.is_none_or(|width| (1..=8).contains(&width)));
        for ranges in [&info.highlights, &info.added, &info.removed] {
            prop_assert!(ranges.iter().all(|range| *range.start() >= 1 && range.start() <= range.end()), "{ranges:?}");
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end() < pair[1].start()), "{ranges:?}");
        }
        let _ = (range(&text), ranges(&text));
    }

    #[test]
    fn any_bytes_are_read_as_markdown(bytes in vec(any::<u8>(), 0..400), text in text()) {
        for body in [String::from_utf8_lossy(&bytes).into_owned(), text] {
            let document = parse(&body);
            prop_assert!(document.excerpt.is_none_or(|excerpt| excerpt.chars().count() <= 300));
            prop_assert!(document.blocks.iter().all(|block| !block.code.contains('\r')));
        }
    }

    #[test]
    fn any_source_file_is_read(name in text(), code in text()) {
        if let Ok(card) = choose(&Post::from_source(&name, &code), Draw::Auto, None) {
            told(&alt_text(&card, language_name))?;
        }
    }

    #[test]
    fn posts_are_plain_text_in_one_line(fields in fields()) {
        let post = Post::new(fields);
        let Post { title, author, site, tags: own, date, .. } = &post;
        for text in [title, author, site].into_iter().flatten().chain(own) {
            prop_assert!(!text.trim().is_empty() && !text.contains(['\n', '\r']), "{text:?}");
        }
        prop_assert!(date.is_none_or(|date| date >= Date::MIN));
        prop_assert!(own.iter().all(|tag| tags(tag).len() <= 20));
    }
}
