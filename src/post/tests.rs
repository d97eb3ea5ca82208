//! Which of three sources a field comes from, and how dates and tags are written.

use super::*;

#[test]
fn the_row_wins_over_front_matter_and_that_over_the_heading() {
    let body = "---\ntitle: Front\nauthor: Grace Hopper\nsite: front.example\ndate: 2026-01-02\ntags: [a]\n---\n# Heading\n\ntext";
    let from_body = Post::new(Fields { body: body.to_owned(), ..Fields::default() });
    assert_eq!(from_body.title.as_deref(), Some("Front"));
    assert_eq!(from_body.author.as_deref(), Some("Grace Hopper"));
    assert_eq!(from_body.site.as_deref(), Some("front.example"));
    assert_eq!(from_body.date, Some(jiff::civil::date(2026, 1, 2)));
    assert_eq!((from_body.tags, from_body.excerpt), (vec!["a".to_owned()], Some("text".into())));

    let row = Fields {
        title: Some(" <b>Row</b>\n title ".into()),
        author: Some("Ada\u{0} Lovelace".into()),
        site: Some("  ".into()),
        date: Some("2026-11-21 10:00:00+02".into()),
        tags: vec!["#b".to_owned(), "B".to_owned(), " ".to_owned()],
        body: body.to_owned(),
    };
    let post = Post::new(row);
    assert_eq!((post.title.as_deref(), post.author.as_deref()), (Some("Row title"), Some("Ada Lovelace")));
    assert_eq!(post.site.as_deref(), Some("front.example"), "an empty column gives way");
    assert_eq!((post.date, post.tags), (Some(jiff::civil::date(2026, 11, 21)), vec!["b".to_owned()]));

    let heading = Post::new(Fields {
        title: Some(String::new()),
        body: "## The *heading*\n\ntext".to_owned(),
        ..Fields::default()
    });
    assert_eq!(heading.title.as_deref(), Some("The heading"));
    assert_eq!(Post::new(Fields::default()), Post::default());
}

#[test]
fn dates_are_read_as_they_are_written() {
    let day = Some(jiff::civil::date(2026, 11, 21));
    let cases = [
        ("2026-11-21", day),
        (" 2026-11-21 ", day),
        ("2026/11/21", day),
        ("2026-11-21T23:30:00Z", day),
        ("2026-11-21T23:30:00.123456-08:00", day),
        ("2026-11-21 23:30:00", day),
        ("2026-11-21 00:30:00.5+14", day),
        ("21 November 2026", day),
        ("21 Nov 2026", day),
        ("November 21, 2026", day),
        ("Nov. 21, 2026", day),
        ("Sat, 21 Nov 2026", day),
        ("2026-13-21", None),
        ("2026-11-211", None),
        ("0044-03-15 BC", None),
        ("infinity", None),
        ("soon", None),
        ("", None),
        ("日本語の日付です", None),
    ];
    for (text, expected) in cases {
        assert_eq!(date(text), expected, "{text}");
    }
}

#[test]
fn tags_are_split_in_every_notation() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("a", &["a"]),
        ("a, b c,,A", &["a", "b c"]),
        ("#a; #b", &["a", "b"]),
        (r#"["a", "b c", 3, null, {"name": "d"}]"#, &["a", "b c", "3", "d"]),
        ("[]", &[]),
        ("{}", &[]),
        (r#"{a,"b c","d\"e","x,y",NULL,"null",}"#, &["a", "b c", "d\"e", "x,y", "null"]),
        (r#"{"never closed"#, &[r#"{"never closed"#]),
        ("{\"open}", &["open"]),
        ("[not json", &["[not json"]),
    ];
    for (text, expected) in cases {
        assert_eq!(&tags(text), expected, "{text}");
    }
    let many: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(tags(&many.join(",")).len(), MOST_TAGS);
}

#[test]
fn a_source_file_is_one_block_named_after_it() {
    let cases = [
        ("src/main.rs", "fn main() {}", Some("rs"), Some("main.rs")),
        ("C:\\code\\App.TSX", "1", Some("tsx"), Some("App.TSX")),
        ("Dockerfile", "FROM x", Some("dockerfile"), Some("Dockerfile")),
        ("bin/serve", "#!/usr/bin/env -S python3.12 -u\n1", Some("python"), Some("serve")),
        ("run", "#!/bin/bash\n1", Some("bash"), Some("run")),
        ("LICENSE", "text", None, Some("LICENSE")),
        ("", "text", None, None),
    ];
    for (name, text, language, file) in cases {
        let post = Post::from_source(name, text);
        let info = &post.blocks[0].info;
        assert_eq!((info.language.as_deref(), info.file.as_deref()), (language, file), "{name}");
        assert_eq!((post.blocks[0].code.as_str(), post.title), (text, None));
    }
}

#[test]
fn long_fields_are_cut() {
    let long = "word ".repeat(10_000);
    let fields = Fields {
        title: Some(long.clone()),
        author: Some(long.clone()),
        tags: vec![long.clone()],
        body: String::new(),
        ..Fields::default()
    };
    let post = Post::new(fields);
    for text in [&post.title.unwrap_or_default(), &post.author.unwrap_or_default(), &post.tags[0]] {
        assert!((200..=301).contains(&text.chars().count()) && text.ends_with('…'), "{text}");
    }
}
