//! Short posts with code, no two of them alike: what the host writes.

/// A fence, and code of which the first lines are taken.
const SNIPPETS: [(&str, &str); 8] = [
    ("elixir lib/tides/forecast.ex", include_str!("../card/snippets/tides.ex")),
    ("rust src/ledger.rs", include_str!("../card/snippets/ledger.rs")),
    ("ts cart.ts", include_str!("../card/snippets/cart.ts")),
    ("python kalman.py", include_str!("../card/snippets/kalman.py")),
    ("go pool.go", include_str!("../card/snippets/pool.go")),
    ("sql report.sql", include_str!("../card/snippets/report.sql")),
    ("html note.html", include_str!("../card/snippets/card.html")),
    ("json board.json", include_str!("../card/snippets/board.json")),
];

/// Lines of code in a post.
const LINES: usize = 12;

/// How many posts pass before a language comes again.
pub(crate) const LANGUAGES: usize = SNIPPETS.len();

/// The title of a post.
pub(crate) fn title(at: usize) -> String {
    format!("Note {at}: one statement for every post")
}

/// The body of a post.
pub(crate) fn body(at: usize) -> String {
    let (fence, code) = SNIPPETS[at % SNIPPETS.len()];
    let code: Vec<&str> = code.lines().take(LINES).collect();
    format!("Some words before the code of note {at}.\n\n```{fence}\n{}\n```\n", code.join("\n"))
}
