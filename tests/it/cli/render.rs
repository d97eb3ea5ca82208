//! `tintype render`: what it takes for source code, which lines it draws, and what it says when they are not there.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::support::program::{Ran, command};

const SOURCE: &str = "fn one() {}\nfn two() {}\nfn three() {}\nfn four() {}\n";

/// Renders a text from stdin with these flags.
async fn render(text: &str, flags: &[&str]) -> (Ran, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let output: &[&str] = if flags.contains(&"-o") { &[] } else { &["-o", "card.png"] };
    let mut command = command(&[&["render", "-"], output, flags].concat());
    let mut child = command.current_dir(folder.path()).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran =
        Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
    (ran, std::fs::read(folder.path().join("card.png")).unwrap_or_default())
}

async fn told(text: &str, flags: &[&str]) -> Value {
    let (ran, picture) = render(text, &[flags, &["--json"]].concat()).await;
    assert!(picture.starts_with(b"\x89PNG"), "{ran:?}");
    serde_json::from_str(ran.done()).unwrap()
}

#[tokio::test]
async fn stdin_is_markdown_unless_a_flag_says_otherwise() {
    let markdown = "# Title\n\n```elixir\na\nb\n```\n";
    assert_eq!(told(markdown, &[]).await["alt"], "Elixir code: Title");
    assert_eq!(told(SOURCE, &["--language", "rs"]).await["alt"], "Rust code: fn one() {}");
    assert_eq!(told(SOURCE, &["--file", "src/a.rs"]).await["alt"], "Rust code: src/a.rs");
    assert_eq!(told(SOURCE, &["--file", "a.txt", "--language", "C++"]).await["alt"], "C++ code: a.txt");
    assert_eq!(told(markdown, &["--file", "post.md"]).await["alt"], "Elixir code: Title");
    assert_eq!(told(markdown, &["--language", "markdown"]).await["alt"], "Markdown code: # Title");
}

#[tokio::test]
async fn each_flag_changes_the_picture() {
    let rust = ["--language", "rust"];
    let (_, plain) = render(SOURCE, &rust).await;
    let mut seen = vec![plain];
    for flags in [
        &["--lines", "2-3"][..],
        &["--lines", "2-3", "--line-numbers"],
        &["--line-numbers"],
        &["--highlight", "1,3-4"],
        &["--file", "a.rs"],
    ] {
        let (ran, picture) = render(SOURCE, &[&rust, flags].concat()).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!seen.contains(&picture), "{flags:?}");
        seen.push(picture);
    }
    let wide = format!("\tx = [{}]\n\ty\n", "1, ".repeat(60));
    let (_, plain) = render(&wide, &["--language", "py"]).await;
    for flags in [&["--wrap"][..], &["--tab-width", "8", "--wrap"]] {
        assert_ne!(render(&wide, &[&["--language", "py"], flags].concat()).await.1, plain, "{flags:?}");
    }
}

#[tokio::test]
async fn lines_that_are_not_there_are_named() {
    for (flags, error, hint) in [
        (["--lines", "3-9"], "-: the code has no line 9: it has 4", "--lines 1-4 is all of it"),
        (["--lines", "7-"], "-: the code has no line 7: it has 4", "--lines 1-4 is all of it"),
        (["--highlight", "1,5"], "-: the code has no line 5: it has 4", "--highlight takes lines from 1 to 4"),
        (
            ["--lines", "b"],
            "--lines: `b` names no lines: write 10-30, 10-, -30 or 10",
            "lines count from 1, in the block or file before anything is left out",
        ),
    ] {
        let (ran, picture) = render(SOURCE, &[&["--language", "rust"], &flags[..]].concat()).await;
        assert_eq!((ran.code, ran.error(), ran.hint()), (2, error, hint), "{flags:?}");
        assert!(picture.is_empty(), "{flags:?}");
    }
}

#[tokio::test]
async fn characters_of_no_font_are_told() {
    let (ran, _) = render("# a\u{10fffd}b\n", &[]).await;
    assert!(ran.stderr.contains("warning: no font has U+10FFFD"), "{ran:?}");
    assert_eq!(told("# a\u{10fffd}b\n", &[]).await["missing"], serde_json::json!(["\u{10fffd}"]));
}

#[tokio::test]
async fn date_and_tags_are_taken_for_any_post() {
    let titled = ["--language", "rust", "--draw", "title", "--title", "Four lines"];
    let with = async |flags: &[&str]| render(SOURCE, &[&titled[..], flags].concat()).await;
    let (_, plain) = with(&[]).await;
    let (_, dated) = with(&["--date", "21 November 2026"]).await;
    assert_ne!(dated, plain);
    assert_eq!(with(&["--date", "2026-11-21T23:30:00Z"]).await.1, dated);
    let (_, tagged) = with(&["--tag", "#one", "--tag", "two"]).await;
    assert_ne!(tagged, plain);
    assert_eq!(with(&["--tag", "one", "--tag", "two", "--tag", "One"]).await.1, tagged);
    for text in [SOURCE, "# A title\n"] {
        let (ran, picture) = render(text, &["--date", "soon"]).await;
        assert_eq!((ran.code, ran.error()), (2, "--date: `soon` is no date"));
        assert!(ran.hint().contains("2026-11-21") && picture.is_empty(), "{ran:?}");
    }
}

#[tokio::test]
async fn the_end_of_the_file_s_name_is_a_format_that_there_is() {
    for (output, flags, code) in [
        ("x.gif", &[][..], 2),
        ("x.gif", &["--format", "png"], 0),
        ("x.avif", &[], 2),
        ("x", &[], 0),
        ("x.JPG", &[], 0),
    ] {
        let (ran, _) = render("# A title\n", &[&["-o", output][..], flags].concat()).await;
        assert_eq!(ran.code, code, "{output}: {ran:?}");
        if code == 2 {
            let ending = output.trim_start_matches("x.");
            let error = format!("{output}: `{ending}` is not a format of pictures: use `png`, `webp` or `jpeg`");
            assert_eq!((ran.error(), ran.hint()), (error.as_str(), "name it .png, .jpg or .webp, or say --format"));
        }
    }
}
