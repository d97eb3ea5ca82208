//! Bodies made to be slow, and the proof that none is.

use std::time::{Duration, Instant};

use crate::markdown::{LOOKED_AT, parse};

/// Short texts that are slow to parse when repeated often enough, each in some parser.
const UNITS: &[&str] = &[
    "`",
    "` ",
    "[",
    "![",
    "[a](",
    "<",
    "<a ",
    "<div>",
    "<pre>",
    "<div><pre>\n\n",
    "<!--",
    "<?",
    "*",
    "*a **a ",
    "_a __a ",
    "~a ~~a ",
    ">",
    "> ",
    "- ",
    "1. ",
    "&amp",
    "&",
    "|a",
    "|a|b|\n|-|-|\n",
    "\\",
    "```\n",
    "~~~\n\n",
    "[^a]: ",
    "[^a]",
    "[a]: b\n",
    "\n",
    " ",
    "\t",
    "\r",
    "\0",
    "# a\n",
    "a\n=\n",
    "<pre><code class=\"language-x\">a</code></pre>\n",
    "<a b=\"<a b='",
    "a\u{301}",
    "👩‍👩‍👧",
    "- [ ] ",
    "[*",
    "</pre",
    "<![CDATA[",
    "<!A ",
    "    a\n\n",
    "> - ",
    "\n```rust title=\"",
    "{",
    "<http://a",
    "[a][b]",
    "{% highlight a %}\n",
    "{{< highlight a >}}",
    "endhighlight ",
    "{% endhighlight %}",
    "\n{% highlight a \"b\" %}\n{% endhighlight",
    "[]",
    "a]((",
];

/// Openings of a hundred thousand quotes and lists, and lines that go on with their paragraph.
const NESTED: &[&str] = &[">", "- ", "> - ", "1. "];
const LAZY: &[&str] = &["b\n", "\n", "> b\n", "    b\n", "|b\n", "<b\n", "b\n\n"];

fn bodies() -> Vec<(String, String)> {
    let of_unit = |unit: &&str| (format!("{unit:?}"), unit.repeat(LOOKED_AT * 2 / unit.len()));
    let nested = |(open, line): (&str, &str)| {
        (
            format!("{open:?} then {line:?}"),
            open.repeat(100_000 / open.len()) + "a\n" + &line.repeat(150_000 / line.len()),
        )
    };
    let steps = (0..350).map(|level| "  ".repeat(level) + &"- ".repeat(64)).collect::<Vec<_>>().join("\n") + "\n";
    let yaml = |text: String| format!("---\n{text}\n---\n");
    let toml = |text: String| format!("+++\n{text}\n+++\n");
    let shaped = [
        ("20 MB", "word `code` *more*\n\n```rust\nfn a() {}\n```\n\n".repeat(450_000)),
        ("steps", steps + &"b\n".repeat(20_000)),
        ("info", format!("```{}\na\n```\n", "{1-9".repeat(60_000))),
        ("yaml lists", yaml(format!("a: {}", "[".repeat(60_000)))),
        ("yaml maps", yaml(format!("a: {}", "{a: ".repeat(15_000)))),
        ("yaml keys", yaml("a: b: c\n".repeat(8_000))),
        ("yaml indents", yaml((0..300).map(|level| " ".repeat(level) + "a:").collect::<Vec<_>>().join("\n"))),
        ("toml lists", toml(format!("a = {}", "[".repeat(60_000)))),
        ("toml keys", toml("a = = \n".repeat(9_000))),
        ("toml dots", toml(format!("{} = 1", "a.".repeat(30_000)))),
    ];
    let nested = NESTED.iter().flat_map(|open| LAZY.iter().map(|line| (*open, *line))).map(nested);
    UNITS.iter().map(of_unit).chain(nested).chain(shaped.map(|(name, body)| (name.to_owned(), body))).collect()
}

#[test]
fn no_body_takes_long() {
    for (name, body) in bodies() {
        let start = Instant::now();
        let document = parse(&body);
        let took = start.elapsed();
        eprintln!("{took:>10.1?}  {name}: {} bytes, {} blocks", body.len(), document.blocks.len());
        assert!(took < Duration::from_secs(2), "{name} took {took:?}");
    }
}
