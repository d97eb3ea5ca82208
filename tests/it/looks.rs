//! Looks of one's own, from the command line to the row: by path, by name in a directory, for a table, for each row; and formats.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tintype::card::Looks;
use tintype::studio::{Studio, Style};
use tokio_postgres::Client;

use crate::support::{
    postgres::TestDatabase,
    program::{Ran, command, run as run_program, tintype},
    schema::{installed, run, text, texts},
    worker::Workplace,
};

const POSTS: &str = "CREATE TYPE card_look AS ENUM ('night', 'paper', 'mine');
    CREATE TABLE posts (id int PRIMARY KEY, title text, body text, look text, mood card_look, og_image_url text)";

/// A directory with the look `mine`, a broken one, and a theme.
fn directory() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("mine.toml", "extends = \"paper\"\nsite = \"notes.example\"\n[chip]\ntext = \"#101010\"\n");
    put("broken.toml", "title = \"#ffffff\"\n[chip]\nalpha = 2\n");
    put("dusk.tmTheme", include_str!("../../fixtures/looks/dusk.tmTheme"));
    folder
}

fn path(folder: &TempDir) -> &str {
    folder.path().to_str().unwrap()
}

/// A database with the table `posts`, not attached.
async fn blog() -> (TestDatabase, Client) {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    (test, client)
}

async fn in_folder(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = command(arguments);
    command.current_dir(folder);
    run_program(command).await
}

#[tokio::test]
async fn rows_name_their_looks_and_a_wrong_name_is_recorded() {
    let (test, client) = blog().await;
    let looks = directory();
    let attach = ["attach", "posts", "--looks", path(&looks), "--look", "mine", "--look-column", "look", "--yes"];
    assert_eq!(tintype(&test.url(), &attach).await.code, 0);
    run(
        &client,
        "rows",
        "INSERT INTO posts (id, title, look) VALUES (1, 'a', NULL), (2, 'b', ' '), (3, 'c', 'paper'), (4, 'd', ' mine '),
             (5, 'e', 'nigth'), (6, 'f', '../mine'), (7, 'g', repeat('x', 9000))",
    )
    .await;
    let workplace = Workplace::new(test.url());
    let worker = || workplace.start(&["--exit-when-idle", "--looks", path(&looks)]);
    assert_eq!(worker().exit().await.code(), Some(4));
    let states = "SELECT state FROM tintype.image ORDER BY key";
    assert_eq!(texts(&client, states).await, ["ready", "ready", "ready", "ready", "failed", "failed", "failed"]);
    let templates = "SELECT count(DISTINCT template) || ' ' || min(template) FROM tintype.image WHERE key IN";
    let mine = text(&client, &format!("{templates} ('1', '2', '4')")).await;
    assert!(mine.starts_with("1 ") && mine != text(&client, &format!("{templates} ('3')")).await, "{mine}");
    let reasons = texts(&client, "SELECT reason FROM tintype.image WHERE state = 'failed' ORDER BY key").await;
    let known = "The looks are night, paper, broken, mine";
    assert_eq!(reasons[0], format!("there is no look `nigth`; did you mean `night`? {known}"));
    assert!(reasons[1].starts_with("there is no look `../mine`;") && reasons[2].len() < 300, "{reasons:?}");
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.job").await, "0");

    let ran =
        tintype(&test.url(), &["preview", "posts", "6", "--looks", path(&looks), "-o", "/nonexistent/x.png"]).await;
    assert!(ran.code == 2 && ran.error().contains("no look `../mine`"), "a row names no path: {ran:?}");

    // The column is watched as those that are drawn.
    run(&client, "an edit", "UPDATE posts SET look = 'paper' WHERE id IN (1, 5)").await;
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.change").await, "2");
    fs::write(looks.path().join("nigth.toml"), "").unwrap();
    run(
        &client,
        "a name that exists by now",
        "UPDATE posts SET look = 'nigth' WHERE id = 6; DELETE FROM posts WHERE id = 7",
    )
    .await;
    run(&client, "again", "SELECT tintype.retry()").await;
    assert_eq!(worker().exit().await.code(), Some(0));
    assert_eq!(texts(&client, states).await, ["ready"; 6]);
}

#[tokio::test]
async fn attach_knows_the_looks_that_there_are() {
    let (test, client) = blog().await;
    let looks = directory();
    let named = |look: &'static str| ["attach", "posts", "--yes", "--looks", path(&looks), "--look", look];
    for (look, code, error) in [
        ("mien", 2, "there is no look `mien`; did you mean `mine`?"),
        ("broken", 3, "broken.toml:3:9: 2 is not between 0 and 1"),
        ("./mine.toml", 2, "./mine.toml is a path, and a worker finds looks, themes and templates by their names"),
    ] {
        let ran = tintype(&test.url(), &named(look)).await;
        assert!(ran.code == code && ran.error().contains(error) && !ran.hint().is_empty(), "{look}: {ran:?}");
    }
    let ran = tintype(&test.url(), &["attach", "posts", "--yes", "--look", "mine"]).await;
    assert!(ran.code == 2 && ran.hint().contains("--looks DIR"), "{ran:?}");
    for (column, error) in [("loook", "has no column loook for the look"), ("id", "cannot serve as the look")] {
        let ran = tintype(&test.url(), &["attach", "posts", "--yes", "--look-column", column]).await;
        assert!(ran.code == 2 && ran.error().contains(error), "{ran:?}");
    }
    let arguments = [&named("mine")[..], &["--theme", "dusk.tmTheme", "--look-column", "mood"]].concat();
    let ran = tintype(&test.url(), &arguments).await;
    assert!(ran.code == 0 && ran.stderr.contains("look mine or what column mood names"), "{ran:?}");
    assert_eq!(
        text(&client, "SELECT concat_ws(' ', look, look_column, theme) FROM tintype.source").await,
        "mine mood dusk.tmTheme"
    );
    // Attached again without naming it, the column stays; an empty name takes it away.
    tintype(&test.url(), &["attach", "posts", "--yes", "--site", "notes.example"]).await.done();
    assert_eq!(text(&client, "SELECT look_column FROM tintype.source").await, "mood");
    tintype(&test.url(), &["attach", "posts", "--yes", "--look-column", ""]).await.done();
    assert_eq!(text(&client, "SELECT look_column FROM tintype.source").await, "NULL");
}

#[tokio::test]
async fn a_worker_stores_the_format_that_it_is_asked_for() {
    let (test, client) = blog().await;
    run(&client, "attach", "SELECT tintype.attach('posts'); INSERT INTO posts (id, title) VALUES (1, 'One')").await;
    let workplace = Workplace::new(test.url());
    for (format, media_type, ending, magic) in
        [("webp", "image/webp", ".webp", &b"RIFF"[..]), ("jpeg", "image/jpeg", ".jpg", &[0xff, 0xd8, 0xff])]
    {
        let mut worker = workplace.start(&["--exit-when-idle", "--format", format]);
        assert_eq!(worker.exit().await.code(), Some(0));
        assert_eq!(text(&client, "SELECT media_type FROM tintype.image").await, media_type);
        assert!(text(&client, "SELECT og_image_url FROM posts").await.ends_with(ending));
        let object = text(&client, "SELECT object FROM tintype.image").await;
        assert!(fs::read(workplace.store().join(object)).unwrap().starts_with(magic));
        run(
            &client,
            "the format is part of the template",
            "INSERT INTO tintype.change (source, key) SELECT id, '1' FROM tintype.source",
        )
        .await;
    }
}

#[test]
fn a_change_of_any_file_of_a_look_is_another_template() {
    let folder = directory();
    let style = |look| Style { look, theme: None, template: None, draw: "auto", site: "" };
    let template =
        |look| Studio::new(Looks::new(Some(folder.path().to_owned())), 1, None).template(style(look)).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    put("avatar.img", include_bytes!("../../fixtures/looks/logo.png"));
    put("other.toml", b"extends = \"mine\"\navatar = \"avatar.img\"\n");
    let night = template("night");
    let mut seen = vec![template("other")];
    put("avatar.img", include_bytes!("../../fixtures/looks/avatar.jpg"));
    seen.push(template("other"));
    put("mine.toml", b"site = \"notes.example\"\n");
    seen.push(template("other"));
    put("other.toml", b"extends = \"mine\"\navatar = \"avatar.img\"\ntheme = \"dusk.tmTheme\"\n");
    seen.push(template("other"));
    put("dusk.tmTheme", include_str!("../../fixtures/looks/dusk.tmTheme").replace("#2a1f2d", "#2a1f2e").as_bytes());
    seen.push(template("other"));
    assert_eq!(seen.last(), Some(&template("other")), "the same files, the same template");
    for (at, one) in seen.iter().enumerate() {
        assert!(!seen[..at].contains(one), "change {at}");
    }
    assert_eq!(night, template("night"));
}

#[tokio::test]
async fn render_takes_paths_and_formats() {
    let looks = directory();
    fs::write(looks.path().join("post.md"), "# One\n\n```rust\nfn main() {}\nlet a = 1;\n```\n").unwrap();
    let folder = looks.path();
    for (arguments, file, magic) in [
        (&["--look", "./mine.toml", "--theme", "dusk.tmTheme"][..], "post.png", &b"\x89PNG"[..]),
        (&["--looks", ".", "--look", "mine", "-o", "x.webp"], "x.webp", b"RIFF"),
        (&["--format", "jpeg"], "post.jpg", &[0xff, 0xd8, 0xff]),
        (&["-o", "x.jpeg"], "x.jpeg", &[0xff, 0xd8, 0xff]),
    ] {
        let ran = in_folder(folder, &[&["render", "post.md", "--json"], arguments].concat()).await;
        let said: serde_json::Value = serde_json::from_str(ran.done()).unwrap();
        assert_eq!(said["output"], file);
        assert!(fs::read(folder.join(file)).unwrap().starts_with(magic), "{file}");
    }
    for (arguments, code, error) in [
        (&["-o", "x.png", "--format", "webp"][..], 2, "x.png would hold a picture in the format webp"),
        (&["--look", "./broken.toml"], 3, "./broken.toml:3:9: 2 is not between 0 and 1"),
        (&["--look", "./nobody.toml"], 3, "./nobody.toml: cannot be read"),
        (&["--theme", "./post.md.tmTheme"], 3, "post.md.tmTheme: cannot be read"),
        (&["--look", "nigth"], 2, "there is no look `nigth`; did you mean `night`? The looks are night, paper"),
        (&["--looks", "nowhere"], 3, "nowhere is not a directory"),
    ] {
        let ran = in_folder(folder, &[&["render", "post.md"], arguments].concat()).await;
        assert!(ran.code == code && ran.error().contains(error) && !ran.hint().is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[tokio::test]
async fn lists_hold_one_name_a_line_in_order() {
    let looks = directory();
    let list = async |arguments: &[&str]| {
        let ran = in_folder(looks.path(), &[&["render"], arguments].concat()).await;
        ran.done().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    fs::write(looks.path().join("tintype.toml"), "looks = \".\"\n").unwrap();
    assert_eq!(list(&["--list-looks"]).await, ["night", "paper", "broken", "mine", "tintype"]);
    for arguments in [["--list-themes"], ["--list-languages"]] {
        let lines = list(&arguments).await;
        let names: Vec<String> = lines.iter().map(|line| line.split("  ").next().unwrap().to_lowercase()).collect();
        assert!(names.is_sorted() && names.len() > 20, "{arguments:?}: {names:?}");
    }
    let languages = list(&["--list-languages"]).await;
    assert!(languages.iter().any(|line| line.starts_with("Elixir  ") && line.ends_with("ex, exs")), "{languages:?}");
    fs::write(looks.path().join("tintype.toml"), "format = \"gif\"\n").unwrap();
    let ran = in_folder(looks.path(), &["run", "--storage", "x"]).await;
    assert!(ran.code == 3 && ran.error().contains("`gif` is not a format"), "{ran:?}");
}
