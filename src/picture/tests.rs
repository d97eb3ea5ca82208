//! Which card a post gets, and which lines of its code.

use super::*;
use crate::post::Fields;

fn post(body: &str) -> Post {
    Post::new(Fields { body: body.to_owned(), ..Fields::default() })
}

/// What a body gets under a source's wish: `code LANGUAGE: first line`, `title: TITLE`, or the reason for none.
fn chosen(body: &str, draw: Draw) -> String {
    match choose(&post(body), draw, None) {
        Ok(Card::Code(card)) => {
            format!("code {}: {}", card.language.unwrap_or_default(), card.code.lines().next().unwrap_or_default())
        }
        Ok(Card::Title(card)) => format!("title: {}", card.title),
        Err(skip) => skip.to_string(),
    }
}

#[test]
fn the_block_that_shows_the_post_best_is_chosen() {
    let cases = [
        ("```rust\na\nb\n```\n```js cover\nc\n```", "code js: c"),
        ("```rust\na\nb\n```\n```js cover\n\n```", "code rust: a"),
        ("```sh\nnpm i x\nnpm t\n```\n```js\none\n```\n```js\na\nb\n```", "code js: a"),
        ("```diff\n-a\n+b\n```\n```py\na\nb\n```", "code py: a"),
        ("```diff-js\n-a\n+b\n```\n```py\na\nb\n```", "code py: a"),
        ("```mermaid\na\nb\n```\n```Text\na\nb\n```\n```c\na\nb\n```", "code c: a"),
        ("```\na\nb\n```\n```c\nc\nd\n```", "code : a"),
        ("    indented\n    code\n\n```c\nc\nd\n```", "code c: c"),
        ("text\n\n    indented\n    code\n", "code : indented"),
        ("```\n\n```\n```sh\none\n```\n```js\ntwo\n```", "code sh: one"),
        ("```console\n$ a\nb\n```", "code console: $ a"),
        ("```rust\n// SPDX-License-Identifier: MIT\n\nfn a() {}\n```\n```c\na\nb\n```", "code c: a"),
        ("<p>x</p><pre><code class=\"language-go\">a\nb</code></pre>", "code go: a"),
        ("# Title\n\ntext", "title: Title"),
        ("# Title", "title: Title"),
        ("only text", "title: only text"),
        ("```rust\n   \n```", "the post has neither a title nor any text"),
        ("", "the post has neither a title nor any text"),
    ];
    for (body, expected) in cases {
        assert_eq!(chosen(body, Draw::Auto), expected, "{body}");
    }
}

#[test]
fn a_source_may_ask_for_code_or_titles_only() {
    let body = "# Title\n\n```rust\na\nb\n```";
    assert_eq!(chosen(body, Draw::Code), "code rust: a");
    assert_eq!(chosen(body, Draw::Title), "title: Title");
    assert_eq!(chosen("# Title\n\ntext", Draw::Code), Skip::NoCode.to_string());
    assert_eq!(chosen("```rust\na\nb\n```", Draw::Title), Skip::Empty.to_string());
}

#[test]
fn a_block_may_be_asked_for_by_number() {
    let post = post("```sh\na\n```\n\n```c\n\n```\n\n```js\nb\n```");
    let code = |block| choose(&post, Draw::Title, Some(block)).map(|card| alt_text(&card, str::to_owned));
    assert_eq!(code(1), Ok("sh code: a".to_owned()));
    assert_eq!(code(2), Ok("js code: b".to_owned()));
    assert_eq!(code(3), Err(Skip::NoSuchBlock { asked: 3, found: 2 }));
    assert_eq!(code(0), Err(Skip::NoSuchBlock { asked: 0, found: 2 }));
}

#[test]
fn a_card_carries_what_the_post_and_the_block_say() {
    let fields = Fields {
        title: Some("Numbers".to_owned()),
        author: Some("Ada Lovelace".to_owned()),
        site: Some("notes.example".to_owned()),
        date: Some("2026-11-01".to_owned()),
        tags: vec!["maths".to_owned()],
        body: "Text.\n\n```py title=\"n.py\" {5} linenos\n# Copyright (c) 2026 Ada Lovelace\n# All rights reserved.\n\n\tif a:\n\t\tb()\n```"
            .to_owned(),
    };
    let post = Post::new(fields);
    let eyebrow = Eyebrow { author: Some("Ada Lovelace".to_owned()), site: Some("notes.example".to_owned()) };
    let code = CodeCard {
        eyebrow: eyebrow.clone(),
        title: Some("Numbers".to_owned()),
        file: Some("n.py".to_owned()),
        language: Some("py".to_owned()),
        code: "if a:\n\tb()".to_owned(),
        highlights: std::iter::once(2..=2).collect(),
        line_numbers: Some(4),
        ..CodeCard::default()
    };
    assert_eq!(choose(&post, Draw::Auto, None), Ok(Card::Code(code)));
    let title = TitleCard {
        eyebrow,
        title: "Numbers".to_owned(),
        excerpt: Some("Text.".to_owned()),
        tags: vec!["maths".to_owned()],
        date: Some("1 Nov 2026".to_owned()),
        cover: None,
        code: None,
    };
    assert_eq!(choose(&post, Draw::Title, None), Ok(Card::Title(title)));
}

#[test]
fn code_is_tidied_before_it_is_drawn() {
    let cases = [
        ("a\n", "a"),
        ("\n\n  a\n    b\n\n", "a\n  b"),
        ("\ta\n    b\n", "a\nb"),
        ("  \ta\n  b\n", "  a\nb"),
        ("    a  \n\n\t\tb\t\n", "a\n\n\tb"),
        ("a\n  b", "a\n  b"),
        ("   \n\t\n", ""),
        ("", ""),
        ("// Copyright 2026 Ada Lovelace\n// Licensed under the MIT licence.\n\n\nfn a() {}", "fn a() {}"),
        ("/*\n * License: do what you like\n * really\n */\nint a;\n", "int a;"),
        ("# SPDX-License-Identifier: MIT\n# Copyright 2026 Grace Hopper\n\nimport a", "import a"),
        ("# Copyright 2026 Ada Lovelace\n\n# All parts of this licence\n# go on\n# for long\n\nimport a", "import a"),
        ("#!/bin/sh\n# SPDX-License-Identifier: MIT\n\necho", "#!/bin/sh\n\necho"),
        ("<?php\n/* Copyright (c) Ada Lovelace */\n\necho 1;", "<?php\n\necho 1;"),
        ("<!-- Copyright 2026 -->\n<p>a</p>", "<p>a</p>"),
        ("# check the license key\ncheck()", "# check the license key\ncheck()"),
        ("// shows the copyright line\nshow()", "// shows the copyright line\nshow()"),
        ("// Copyright 2026 Ada Lovelace", "// Copyright 2026 Ada Lovelace"),
        ("/* Copyright 2026, never closed\nint a;", "/* Copyright 2026, never closed\nint a;"),
        ("# plain comment\na", "# plain comment\na"),
    ];
    for (code, expected) in cases {
        assert_eq!(tidy(code, &Info::default(), None).code, expected, "{code}");
    }
}

#[test]
fn highlights_and_numbers_follow_their_lines() {
    let tidied = |code: &str, highlights: &[std::ops::RangeInclusive<usize>]| {
        let info = Info { highlights: highlights.to_vec(), ..Info::default() };
        let Snippet { first_line, highlights, .. } = tidy(code, &info, None);
        (first_line, highlights)
    };
    assert_eq!(tidied("\n\na\nb\nc\n", &[1..=3, 5..=99]), (3, vec![1..=1, 3..=3]));
    assert_eq!(tidied("a\nb\n", &[9..=100_000]), (1, vec![]));
    assert_eq!(tidied("#!/bin/sh\n# SPDX-License-Identifier: MIT\na\nb\n", &[1..=2, 4..=4]), (2, vec![1..=1, 3..=3]));
}

#[test]
fn a_tab_is_as_wide_as_the_author_says() {
    let tidied = |width| tidy("\ta\n  b\n", &Info { tab_width: width, ..Info::default() }, None).code;
    assert_eq!((tidied(None), tidied(Some(2)), tidied(Some(8))), ("  a\nb".into(), "a\nb".into(), "      a\nb".into()));
}

#[test]
fn lines_asked_for_are_drawn_with_their_own_numbers() {
    let source = Post::from_source("a.rs", "// SPDX-License-Identifier: MIT\n\nfn a() {\n    b();\n    c();\n}\n");
    let card = |wish: &Wish| match choose_as(&source, Draw::Title, wish) {
        Ok(Card::Code(card)) => format!("{:?} {:?} {:?}", card.code, card.line_numbers, card.highlights),
        other => format!("{other:?}"),
    };
    let lines = |text: &str| Wish { lines: Some(range(text).unwrap()), line_numbers: true, ..Wish::default() };
    assert_eq!(card(&lines("4-5")), "\"b();\\nc();\" Some(4) []");
    assert_eq!(card(&Wish { highlights: vec![5..=6], ..lines("4-") }), "\"    b();\\n    c();\\n}\" Some(4) [2..=3]");
    assert_eq!(card(&lines("-1")), "\"// SPDX-License-Identifier: MIT\" Some(1) []");
    assert_eq!(card(&lines("4-7")), "Err(NoSuchLine { asked: 7, found: 6 })");
    assert_eq!(card(&lines("9-")), "Err(NoSuchLine { asked: 9, found: 6 })");
    let wish = Wish { highlights: vec![3..=3, 12..=12], ..Wish::default() };
    assert_eq!(choose_as(&source, Draw::Code, &wish), Err(Skip::NoSuchLine { asked: 12, found: 6 }));
    assert_eq!(choose_as(&post("only text"), Draw::Auto, &lines("1")), Err(Skip::NoCode));
}

#[test]
fn pictures_are_described_in_words() {
    let name = |language: &str| if language == "ex" { "Elixir".to_owned() } else { language.to_owned() };
    let alt = |body: &str| choose(&post(body), Draw::Auto, None).map(|card| alt_text(&card, name)).unwrap_or_default();
    assert_eq!(alt("# Save a LiveView form\n\n```ex\na\nb\n```"), "Elixir code: Save a LiveView form");
    assert_eq!(alt("```ex lib/a.ex\na\nb\n```"), "Elixir code: lib/a.ex");
    assert_eq!(alt("```\n{\nfoo\n}\n```"), "Code: foo");
    assert_eq!(alt("```\n{\n}\n```"), "Code");
    assert_eq!(alt("# Title\n\n```text\na\n```"), "Code: Title");
    assert_eq!(alt("# Title\n\nText of it."), "Title. Text of it.");
    assert_eq!(alt("# Why?\n\nBecause."), "Why? Because.");
    assert_eq!(alt("# Title"), "Title");
    assert!(alt(&"word ".repeat(1000)).chars().count() <= 401);
}

#[test]
fn what_to_draw_is_written_as_it_is_read() {
    for draw in [Draw::Auto, Draw::Code, Draw::Title] {
        assert_eq!(draw.to_string().parse(), Ok(draw));
    }
    assert_eq!(
        "picture".parse::<Draw>().map_err(|error| error.to_string()).unwrap_err(),
        "`picture` is not something to draw: use `auto`, `code` or `title`"
    );
}

#[test]
fn a_page_without_a_title_has_its_rows() {
    assert_eq!(alt_text_of_page("A  page\n", Some("A row")), "A page");
    assert_eq!(alt_text_of_page(" \n", Some("A row")), "A row");
    assert_eq!(alt_text_of_page("", None), "");
}
