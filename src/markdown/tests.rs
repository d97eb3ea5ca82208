//! What bodies say, table by table.

mod hostile;

use super::*;

/// Every block of a body as `language|file|code`, a line each, with the letter of its origin in front.
fn blocks(body: &str) -> Vec<String> {
    let shown = |block: &Block| {
        let origin = match block.origin {
            Origin::Fenced => 'F',
            Origin::Indented => 'I',
            Origin::Html => 'H',
        };
        let info = &block.info;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{origin} {}|{}|{}", text(&info.language), text(&info.file), block.code)
    };
    parse(body).blocks.iter().map(shown).collect()
}

#[test]
fn blocks_are_found_however_they_are_marked() {
    let cases: &[(&str, &[&str])] = &[
        ("```rust\nfn a() {}\n```", &["F rust||fn a() {}\n"]),
        ("~~~ elixir\nIO.puts 1\n~~~", &["F elixir||IO.puts 1\n"]),
        ("````md\n```js\na\n```\n````", &["F md||```js\na\n```\n"]),
        ("```\nnever closed\n\nmore", &["F ||never closed\n\nmore"]),
        ("text\n\n    indented\n      more\n\n    end\n", &["I ||indented\n  more\n\nend\n"]),
        ("- item\n\n  ```py\n  x = 1\n  ```\n", &["F py||x = 1\n"]),
        ("1. item\n   ```py\n   x = 1\n     y\n   ```\n", &["F py||x = 1\n  y\n"]),
        ("> quote\n> ```py\n> x = 1\n> ```\n", &["F py||x = 1\n"]),
        ("> [!NOTE]\n> - ```c\n>   int a;\n>   ```\n", &["F c||int a;\n"]),
        ("```c\r\nint a;\r\nint b;\r\n```\r\n", &["F c||int a;\nint b;\n"]),
        ("\u{feff}```c\n\ta\0b\u{7}\n```", &["F c||\tab\n"]),
        ("```rust\n```\n```js\n1\n```", &["F rust||", "F js||1\n"]),
        ("a ```inline``` b", &[]),
        ("<pre>plain\ntext</pre>", &["H ||plain\ntext"]),
        (
            "<pre><code class=\"language-rust\">Vec&lt;T&gt; &amp;&amp; &quot;a&quot;</code></pre>",
            &["H rust||Vec<T> && \"a\""],
        ),
        ("<pre class='x' data-lang=go id=\"a\"><code>a</code></pre>", &["H go||a"]),
        ("<PRE><CODE CLASS='hljs language-ts'>a</CODE></PRE>", &["H ts||a"]),
        ("<pre><code id=\"x\" class=\"foo lang-js bar\" style=\"a>b\">a</code></pre>", &["H js||a"]),
        (
            "<pre><code class=\"language-js\"><span class=\"k\">let</span> <i>a</i>\n\n<span>b</span></code></pre>\n\nafter",
            &["H js||let a\n\nb"],
        ),
        (
            "<div><p>a</p>\n<pre lang=\"sql\">select 1\n\n    from a\n\nwhere</pre></div>\n\n```c\nx\n```",
            &["H sql||select 1\n\n    from a\n\nwhere", "F c||x\n"],
        ),
        ("<pre class=\"brush: php; toolbar: false\">echo</pre>", &["H php||echo"]),
        (
            "<div class=\"sourceCode\"><pre class=\"sourceCode haskell\"><code>main</code></pre></div>",
            &["H haskell||main"],
        ),
        ("<pre>a<br>b<br/>c</pre>", &["H ||a\nb\nc"]),
        ("<pre><code>Vec<String> a < b</code></pre>", &["H ||Vec<String> a < b"]),
        ("<pre>open\n\nmore", &["H ||open\n\nmore"]),
        ("<!-- <pre>no</pre> -->\n\n<script>\"<pre>no</pre>\"</script>", &[]),
        ("> <pre><code class=\"language-c\">int</code></pre>", &["H c||int"]),
        ("<p>a</p><pre>one</pre><p>b</p><pre>two</pre>", &["H ||one", "H ||two"]),
    ];
    for (body, expected) in cases {
        assert_eq!(&blocks(body), expected, "{body}");
    }
}

#[test]
fn shortcodes_of_site_generators_are_blocks() {
    let cases: &[(&str, &[&str])] = &[
        ("{{< highlight go \"linenos=table,hl_lines=3 5-6\" >}}\na\n\nb\n{{< / highlight >}}\n", &["F go||a\n\nb\n"]),
        ("x\n\n{{% highlight go %}}\na\n{{% /highlight %}}\n\ny", &["F go||a\n"]),
        ("{% highlight ruby linenos %}\n```\na\n{% endhighlight %}\ntext", &["F ruby||```\na\n"]),
        ("{%- highlight ruby -%}\na\n{%- endhighlight -%}", &["F ruby||a\n"]),
        ("{{< highlight js >}}one{{< /highlight >}}", &["F js||one\n"]),
        ("- item\n\n  {% highlight py %}\n  a\n  {% endhighlight %}\n", &["F py||a\n"]),
        (
            "```text\n{% highlight ruby %}\na\n{% endhighlight %}\n```",
            &["F text||{% highlight ruby %}\na\n{% endhighlight %}\n"],
        ),
        ("{% highlight ruby %}\nnever closed", &[]),
        ("{% endhighlight %}\n{% highlight ruby %}\na", &[]),
        (
            "{% highlight c %}\na\n{% endhighlight %}\n{% highlight c %}\nb\n{% endhighlight %}",
            &["F c||a\n", "F c||b\n"],
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(&blocks(body), expected, "{body}");
    }
    let info = parse("{{< highlight go \"linenos=table,hl_lines=3 5-6,linenostart=9\" >}}\na\n{{< /highlight >}}")
        .blocks
        .remove(0)
        .info;
    assert_eq!((info.highlights, info.line_numbers, info.first_line), (vec![3..=3, 5..=6], true, Some(9)));
}

#[test]
fn info_strings_are_read_as_people_write_them() {
    let cases: &[(&str, &str)] = &[
        ("", "-"),
        ("rust", "rust"),
        ("  rust  ", "rust"),
        ("rust,ignore", "rust"),
        ("rust, no_run", "rust"),
        ("no_run", "rust"),
        ("rust cover", "rust cover"),
        ("rust,cover", "rust cover"),
        ("cover", "- cover"),
        ("{.rust .cover}", "rust cover"),
        ("elixir title=\"lib/x.ex\" {1,3-5}", "elixir file=lib/x.ex 1-1,3-5"),
        ("ts{1-3}", "ts 1-3"),
        ("ts {1-3} showLineNumbers", "ts 1-3 numbers"),
        ("js{1,3}{numberLines: true}", "js 1-1,3-3 numbers"),
        ("{.haskell #id}", "haskell"),
        ("{.haskell .numberLines startFrom=\"100\"}", "haskell numbers from=100"),
        ("{.python title=\"a b.py\" hl_lines=\"1 2\"}", "python file=a b.py 1-2"),
        ("{python}", "python"),
        ("{r, echo=FALSE}", "r"),
        ("{#id .c}", "c"),
        ("c++", "c++"),
        ("C#", "C#"),
        ("F#", "F#"),
        ("objective-c++", "objective-c++"),
        ("asp.net", "asp.net"),
        ("python title='a b.py'", "python file=a b.py"),
        ("py title=\"unclosed", "py file=unclosed"),
        ("js lib/app.js", "js file=lib/app.js"),
        ("js app.config.js", "js file=app.config.js"),
        ("js \"my app.js\"", "js file=my app.js"),
        ("docker Dockerfile", "docker file=Dockerfile"),
        ("ruby:app/models/post.rb", "ruby file=app/models/post.rb"),
        ("c++:main.cpp", "c++ file=main.cpp"),
        ("js:title=src/app.js", "js file=src/app.js"),
        ("ts:line-numbers {1}", "ts 1-1 numbers"),
        ("ts:line-numbers=7", "ts numbers from=7"),
        ("src/main.rs", "rs file=src/main.rs"),
        ("post.ex", "ex file=post.ex"),
        ("Dockerfile", "dockerfile file=Dockerfile"),
        ("dockerfile", "dockerfile"),
        ("makefile", "makefile"),
        ("ts [vite.config.ts]", "ts file=vite.config.ts"),
        ("yaml filename=compose.yml", "yaml file=compose.yml"),
        ("go linenos=table,hl_lines=8,linenostart=199", "go 8-8 numbers from=199"),
        ("go {linenos=false}", "go"),
        ("python hl_lines=\"2 3\" linenums=\"1\"", "python 2-3 numbers"),
        ("python linenos", "python numbers"),
        ("python line-numbers", "python numbers"),
        ("js highlight={1,4-5}", "js 1-1,4-5"),
        ("js /useState/ {2}", "js 2-2"),
        ("go {linenos=table,hl_lines=[8,\"15-17\"],linenostart=199}", "go 8-8,15-17 numbers from=199"),
        ("rust,linenos,hl_lines=3-4 8-9,linenostart=20", "rust 3-4,8-9 numbers from=20"),
        ("ruby linenos mark_lines=\"1 2\"", "ruby 1-2 numbers"),
        ("js mark={\"A\":3-5} ins={7} del={8,9} \"x\"", "js file=x 3-5 added=7-7 removed=8-9"),
        ("js mark=\"line 3\" ins=\"b4\"", "js"),
        ("js wrap", "js wrap"),
        ("js wrap=false", "js"),
        ("js wordWrap=true nowrap", "js"),
        ("{.js code-overflow=\"wrap\"}", "js wrap"),
        ("js:wrap", "js wrap"),
        ("go tab=2", "go tab=2"),
        ("go {tabWidth=8} tab_size=9", "go tab=8"),
        ("language-x", "x"),
        ("lang-rust", "rust"),
        (".rust", "rust"),
        ("klingon", "klingon"),
        ("日本語", "日本語"),
        ("application/json", "json"),
        ("{1-99999999999999999999999}", "- 1-100000"),
        ("rust {99999999999999999999999}", "rust 100000-100000"),
        ("rust {5-3,0,2,4-9}", "rust 2-9"),
        ("rust {0-2}", "rust 1-2"),
        ("rust {,,-}", "rust"),
        ("rust {", "rust"),
        ("rust }{ }}", "rust"),
        ("rust title=", "rust"),
        ("= == =a", "-"),
        ("???", "-"),
        ("\u{202e}tsur", "-"),
        ("rust title=\"\u{202e}gpj.exe\"", "rust"),
    ];
    for (text, expected) in cases {
        let info = Info::parse(text);
        let mut shown = vec![info.language.clone().unwrap_or_else(|| "-".to_owned())];
        shown.extend(info.file.iter().map(|file| format!("file={file}")));
        let ranges: Vec<_> = info.highlights.iter().map(|range| format!("{}-{}", range.start(), range.end())).collect();
        shown.extend((!ranges.is_empty()).then(|| ranges.join(",")));
        shown.extend(info.line_numbers.then(|| "numbers".to_owned()));
        shown.extend(info.cover.then(|| "cover".to_owned()));
        shown.extend(info.first_line.map(|line| format!("from={line}")));
        for (name, lines) in [("added", &info.added), ("removed", &info.removed)] {
            shown.extend(lines.iter().map(|range| format!("{name}={}-{}", range.start(), range.end())));
        }
        shown.extend(info.wrap.then(|| "wrap".to_owned()));
        shown.extend(info.tab_width.map(|width| format!("tab={width}")));
        assert_eq!(shown.join(" "), *expected, "{text}");
    }
    assert_eq!(Info::parse(&"a".repeat(5000)).language, None);
    assert!(Info::parse(&format!("rust {{{}}}", "1,9,".repeat(5000))).highlights.len() <= 2);
}

#[test]
fn headings_and_excerpts_are_plain_text() {
    let cases: &[(&str, Option<&str>, Option<&str>)] = &[
        ("", None, None),
        ("# Title\n\ntext", Some("Title"), Some("text")),
        ("## Using `Vec<T>` & *friends* {#id}\n\ntext", Some("Using Vec<T> & friends"), Some("text")),
        ("Title\n=====\n\ntext", Some("Title"), Some("text")),
        ("### Small\n\ntext", None, Some("text")),
        ("- one *a*\n- `two`\n  - three\n\n1. four", None, Some("one a · two · three · four")),
        ("|a|b|\n|-|-|\n|c *d*|", None, Some("a · b · c d")),
        ("![A diagram of the queue](a.png) ![and more](b.png)", None, Some("A diagram of the queue and more")),
        ("<ul><li>one</li><li>two</li></ul><table><tr><td>three</td></tr></table>", None, Some("one · two · three")),
        ("### Only this", None, Some("Only this")),
        ("text\n\n# Later", None, Some("text")),
        ("```c\na\n```\n\n# Later\n\ntext", None, Some("text")),
        (
            "<!-- note -->\n\n![badge](a.png)\n\n# Title\n\n![x](y) A [link](z), **bold**,\na `code` and <em>html</em>.",
            Some("Title"),
            Some("A link, bold, a code and html."),
        ),
        ("import A from './a'\n\n# Title\n\n{% note %}\n\ntext", Some("Title"), Some("text")),
        ("- list\n- list\n\npara", None, Some("para")),
        ("> quoted\n\npara", None, Some("para")),
        ("> quoted only", None, Some("quoted only")),
        ("|a|b|\n|-|-|\n|c|d|\n\npara", None, Some("para")),
        ("a &amp; b &lt; c\\* ~~gone~~[^1]\n\n[^1]: note", None, Some("a & b < c* gone")),
        ("<h1>A &amp; <b>B</b></h1>\n<p>First <em>words</em>.</p><p>More</p>", Some("A & B"), Some("First words.")),
        ("<div>Trix text<br>here<br><br></div><pre>code</pre>", None, Some("Trix text here")),
        ("<ul><li>a</li></ul><p>para</p>", None, Some("para")),
        ("<style>p {}</style><p>para</p>", None, Some("para")),
        ("日本語の\n文章。\na\n字 二", None, Some("日本語の文章。 a 字 二")),
    ];
    for (body, heading, excerpt) in cases {
        let document = parse(body);
        assert_eq!((document.heading.as_deref(), document.excerpt.as_deref()), (*heading, *excerpt), "{body}");
    }
}

#[test]
fn excerpts_are_cut_between_words() {
    let long = parse(&"word ".repeat(200)).excerpt.unwrap_or_default();
    assert!(long.ends_with("word…") && (290..=300).contains(&long.chars().count()), "{long}");
    let unbroken = parse(&"語".repeat(1000)).excerpt.unwrap_or_default();
    assert_eq!(unbroken.chars().count(), 300);
    assert_eq!(shortened("one two, three", 9), "one two…");
    assert_eq!(shortened("one", 9), "one");
    assert_eq!(shortened("nine more", 9), "nine more");
    let piled = "\u{301}".repeat(1000);
    assert_eq!(shortened(&format!("one a{piled}"), 9), "one…", "a letter keeps its marks, or goes");
    assert_eq!(shortened(&format!("a{piled}"), 9).chars().count(), 9);
}

#[test]
fn front_matter_is_read_in_both_syntaxes() {
    let full = ["A: b", "Ada Lovelace", "site", "2026-11-21", "a,b c"];
    let cases: &[(&str, [&str; 5])] = &[
        ("---\ntitle: \"A: b\"\nauthor: Ada Lovelace\nsite: site\ndate: 2026-11-21\ntags: [a, 'b c']\n---\nbody", full),
        (
            "---\r\ntitle: 'A: b'\r\nauthor:\r\n  name: Ada Lovelace\r\nsite: site # note\r\ndate: 2026-11-21\r\ntags:\r\n  - a\r\n  - b c\r\n---\r\nbody",
            full,
        ),
        (
            "\u{feff}---\nTitle: A: b\nauthor: Ada Lovelace\nsite: site\ndate: 2026-11-21\ntags:\n- a\n- b c\n...\nbody",
            full,
        ),
        (
            "---\n# comment\n\ntitle: >\n  A: b\nauthors: [Ada Lovelace]\nsite_name: site\npublished_at: 2026-11-21\ntags: a, b c\n---\nbody",
            full,
        ),
        (
            "+++\ntitle = \"A: b\"\nauthor = \"Ada Lovelace\"\nsite = 'site'\ndate = 2026-11-21\n[taxonomies]\ntags = [\"a\", \"b c\"]\n+++\nbody",
            full,
        ),
        (
            "+++\ntitle = \"A: b\"\noops = = 1\nauthor = \"Ada Lovelace\"\nsite = 'site'\ndate = 2026-11-21\ntags = [\"a\", \"b c\"]\n+++\nbody",
            full,
        ),
        (
            "---\nauthors:\n  - name: Ada Lovelace\n  - Grace Hopper\ncategories: x\n---\nbody",
            ["", "Ada Lovelace, Grace Hopper", "", "", "x"],
        ),
        ("---\ntitle: &a [*a, *a]\n---\nbody", ["", "", "", "", ""]),
        ("---\n---\nbody", ["", "", "", "", ""]),
        ("---\ntitle: @odd\ntags: []\n---\nbody", ["@odd", "", "", "", ""]),
    ];
    for (body, expected) in cases {
        let document = parse(body);
        let FrontMatter { title, author, site, date, tags } = document.front_matter;
        let read = [title, author, site, date].map(Option::unwrap_or_default);
        assert_eq!(
            (read, tags.join(",").as_str()),
            (std::array::from_fn(|at| expected[at].to_owned()), expected[4]),
            "{body}"
        );
        assert_eq!(document.excerpt.as_deref(), Some("body"), "{body}");
    }
}

#[test]
fn what_only_looks_like_front_matter_stays_in_the_body() {
    for body in [
        "---\n\nprose\n\n---\n\nmore",
        "---\ntitle: never closed\n\nprose",
        "text\n---\ntitle: a\n---\n",
        "+++\nprose\n+++\n",
    ] {
        assert_eq!(parse(body).front_matter, FrontMatter::default(), "{body}");
    }
}

#[test]
fn titles_lose_their_markup_and_nothing_else() {
    let cases = [
        ("Using <code>Vec&lt;T&gt;</code> & friends", "Using Vec<T> & friends"),
        ("Using `Vec<T>` and **bold** text", "Using Vec<T> and bold text"),
        ("Vec<T> or HashMap<String, Vec<u8>>", "Vec<T> or HashMap<String, Vec<u8>>"),
        ("The <code> element and <b>bold</b>", "The <code> element and bold"),
        ("# 1. Not a heading", "# 1. Not a heading"),
        ("1. One", "1. One"),
        ("    indented", "indented"),
        ("What __init__ does, __really now__", "What __init__ does, really now"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("*args and **kwargs", "*args and **kwargs"),
        ("the _best_ [link](http://a.example)", "the best link"),
        ("a\n\nb\tc\u{0}\u{202e}d", "a b cd"),
        ("C# & F#", "C# & F#"),
        ("&amp;&lt;b&gt;", "&<b>"),
        ("a < b && c > d", "a < b && c > d"),
        ("`<b>x</b>`", "<b>x</b>"),
        ("x", "x"),
        ("", ""),
        ("👩‍👩‍👧 family", "👩‍👩‍👧 family"),
    ];
    for (text, expected) in cases {
        assert_eq!(inline(text), expected, "{text}");
    }
}

#[test]
fn a_block_that_runs_past_the_bound_is_cut_after_a_line() {
    let body = format!("```c\n{}\n```\n", "int a;\n".repeat(LOOKED_AT / 7));
    let blocks = parse(&body).blocks;
    assert_eq!(blocks.len(), 1);
    assert!(blocks[0].code.len() < LOOKED_AT && blocks[0].code.ends_with("int a;\n"));
    assert!(blocks[0].cut, "nobody knows how many lines it has");
    for whole in ["```c\nint a;\n```\n".to_owned(), format!("```c\nint a;\n```\n{}", "Words.\n".repeat(LOOKED_AT / 6))]
    {
        assert!(parse(&whole).blocks.iter().all(|block| !block.cut));
    }
    let cut = parse(&("é".repeat(LOOKED_AT))).excerpt;
    assert!(cut.is_some());
}
