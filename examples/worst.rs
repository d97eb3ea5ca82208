//! Looks for the code that costs the most: every language over many hostile generators, CPU milliseconds warm, the slowest first
//! on stdout as tab-separated values. `cargo run --profile quick --example worst [LANGUAGE...]`

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tintype::card::{Card, CodeCard, Options, Renderer, language_words};

/// What a line is made of, over and over.
const UNITS: &[&str] = &[
    "_",
    "1",
    "a",
    "A",
    "(",
    "[",
    "{",
    "<",
    ")",
    "]",
    "}",
    ">",
    "\"",
    "'",
    "`",
    "\\",
    "/",
    "/*",
    "//",
    "#",
    "$",
    "${",
    "#{",
    "{{",
    "{%",
    "<%",
    "<a ",
    "</",
    "<<A ",
    "<<~A ",
    "%q(",
    "@",
    ":",
    "::",
    ".",
    ",",
    ";",
    "-",
    "--",
    "=",
    "=>",
    "->",
    "|",
    "&",
    "*",
    "**",
    "~",
    "!",
    "?",
    " ",
    "\t",
    "a ",
    "a.",
    "a(",
    "a<",
    "a: ",
    "a=",
    "a, ",
    "1.",
    "0x",
    "\\\"",
    "é",
    "漢",
    "a\u{301}",
    "key: ",
    "- ",
    "> ",
    "if ",
    "A<B,",
    "[x](",
    "function(",
    "case when ",
    "SELECT a, ",
    "class A extends ",
    "(a) => ",
    "a ? b : ",
    "def f(a, ",
    "template<",
    "r\"",
    "<div a=",
    "*_`[",
    "/(a+)+$",
    "\"a\" + ",
    "let x = 1; ",
    "a b c(",
    "public static ",
    "x->y.",
    "[a,",
    "(a",
    "{a:",
    "@a(",
    "#[a",
    "async ",
    "a::b<",
    "<T>(",
    "0.0e",
    "$a[",
    "\\a{",
    "&a;",
    "*a",
    "_a_",
    "!a",
    "a-",
    "a_b ",
    "int *",
    "fn a(",
    "1 2 ",
    ":a ",
    "'a ",
    "`a",
];

/// Pseudo-random text over an alphabet, the same in every run.
fn random(seed: u32, alphabet: &str, length: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut state = seed;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            alphabet[(state >> 16) as usize % alphabet.len()]
        })
        .collect()
}

fn codes() -> Vec<(String, String)> {
    let across = |unit: &str| unit.repeat(300 / unit.chars().count() + 1);
    let down = |line: String| vec![line; 20].join("\n");
    let mut codes: Vec<(String, String)> = Vec::new();
    for unit in UNITS {
        codes.push((format!("{unit:?} x 300"), down(across(unit))));
    }
    for (name, alphabet) in [
        ("brackets", "()[]{}<>"),
        ("signs", "!#$%&*+-./:;<=>?@^_|~\\\"'`(){}[]"),
        ("signs and words", "aab c1_ ,.:;=<>(){}[]\"'/*-#$@"),
        ("words", "abcde fghij"),
        ("quotes", "\"'`\\ "),
        ("letters and blanks", "aA \t"),
        ("unicode", "aé漢ا🚀\u{301}\u{200d} "),
    ] {
        codes.push((format!("random {name}"), (0..20).map(|n| random(n, alphabet, 300) + "\n").collect()));
    }
    for unit in ["(", "{", "[", "<a>", "if x {", "begin", "\"", "/*", "<<A"] {
        codes.push((format!("{unit:?} a line deeper"), (0..40).map(|n| unit.repeat(n) + "\n").collect()));
    }
    codes.push(("blanks, then x".to_owned(), down(" ".repeat(299) + "x")));
    codes.push(("word, then (".to_owned(), down("a".repeat(299) + "(")));
    codes.push(("words, then (".to_owned(), down("a ".repeat(149) + "(")));
    // As long as the highlighter's budget lets every line be.
    for unit in ["<T>(", "A<B,", "a-", "a=", "*a", "(a", ":", "}", "'", "a ("] {
        codes.push((format!("{unit:?} x 190"), down(unit.repeat(190 / unit.len()))));
    }
    codes.push(("many short lines".to_owned(), "let x = 1;\n".repeat(60)));
    codes
}

fn timed(renderer: &Renderer, card: &Card) -> Duration {
    let start = clock_gettime(ClockId::ThreadCPUTime);
    renderer.render(card).expect("a card is drawn");
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime) - start).unwrap_or_default()
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let renderer = Renderer::new(&Options::default()).expect("the look is built in");
    let mut rows = Vec::new();
    let mut languages: Vec<(String, Option<String>)> =
        language_words().into_iter().map(|(name, words)| (name, words.into_iter().next())).collect();
    languages.push(("none".to_owned(), None));
    for (name, word) in languages.iter().filter(|(name, _)| asked.is_empty() || asked.contains(name)) {
        let mut worst = Duration::ZERO;
        for (generator, code) in codes() {
            let card = Card::Code(CodeCard { language: word.clone(), code, ..CodeCard::default() });
            let cold = timed(&renderer, &card);
            let mut warm = timed(&renderer, &card);
            // A busy machine makes a card slow now and then; hostile code is slow each time.
            for _ in 0..4 {
                if warm > Duration::from_millis(20) {
                    warm = warm.min(timed(&renderer, &card));
                }
            }
            worst = worst.max(warm);
            rows.push((warm, cold, name.clone(), generator));
        }
        eprintln!("{name}: {:.1} ms", worst.as_secs_f64() * 1e3);
    }
    rows.sort_by(|a, b| b.cmp(a));
    for (warm, cold, name, generator) in rows {
        println!("{:.2}\t{:.2}\t{name}\t{generator}", warm.as_secs_f64() * 1e3, cold.as_secs_f64() * 1e3);
    }
}
