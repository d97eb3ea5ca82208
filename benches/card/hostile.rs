//! The worst inputs that a person or the fuzzer has found: what a grammar, a font or a layout could choke on.

/// A name and a Markdown post for each.
pub(crate) fn posts() -> Vec<(&'static str, String)> {
    let fence = |language: &str, code: &str| format!("# Hostile\n\n```{language}\n{code}\n```\n");
    let lines = |unit: &str, across: usize, down: usize| vec![unit.repeat(across); down].join("\n");
    vec![
        ("js underscores", fence("js", &lines("_", 20_000, 12))),
        ("json digits", fence("json", &lines("1", 20_000, 12))),
        ("ts angles", fence("ts", &lines("<", 20_000, 12))),
        ("rust brackets", fence("rust", &lines("(", 300, 20))),
        ("html tags", fence("html", &lines("<a ", 100, 20))),
        ("php dollars", fence("php", &lines("$", 300, 20))),
        ("regex", fence("js", &lines("/(a+)+$", 40, 20))),
        ("ruby heredocs", fence("rb", &lines("<<~A ", 60, 20))),
        ("less words, bracket", fence("less", &lines(&format!("{}(", "a ".repeat(149)), 1, 20))),
        ("less blanks, x", fence("less", &lines(&format!("{}x", " ".repeat(299)), 1, 20))),
        ("scss blanks, x", fence("scss", &lines(&format!("{}x", " ".repeat(299)), 1, 20))),
        ("d calls", fence("d", &lines("(a", 150, 20))),
        ("systemverilog calls", fence("sv", &lines("(a", 150, 20))),
        ("matlab minus", fence("matlab", &lines("a-", 150, 20))),
        ("r members", fence("r", &lines("a.", 150, 20))),
        ("ts generics", fence("ts", &lines("<T>(", 75, 20))),
        ("typst backticks", fence("typ", &lines("`", 300, 20))),
        ("markdown tildes", format!("# Hostile\n\n``````markdown\n{}\n``````\n", lines("~", 300, 20))),
        ("command help", fence("cmd-help", &lines("a-", 150, 20))),
        ("decomposed letters", fence("json5", &lines("a\u{301}", 150, 20))),
        ("markdown emphasis", fence("markdown", &lines("*_`[", 75, 20))),
        ("2000 backticks", lines("`", 2_000, 40)),
        ("nested quotes", lines("> ", 400, 40)),
        ("nested lists", (0..400).flat_map(|depth| ["  ".repeat(depth), "- a\n".to_owned()]).collect()),
        ("combining marks", fence("", &format!("a{}", "\u{301}".repeat(20_000)))),
        ("emoji wall", fence("", &lines("👩‍👩‍👧‍👦", 80, 14))),
        ("han wall", fence("", &lines("漢字", 80, 14))),
        ("arabic wall", fence("", &lines("العربية ", 40, 14))),
        ("mixed scripts", fence("", &lines("aא漢ก🎉ひ한", 30, 14))),
        ("controls", fence("", &lines("\u{202e}\u{2066}\u{7f}\u{1b}[31m", 60, 14))),
        ("one long line", fence("rust", &"let x = 1; ".repeat(20_000))),
        ("long title", format!("# {}\n\ntext", "Wort".repeat(20_000))),
    ]
}
