//! Tables whose pictures are taken of pages: what is watched for them, what is kept, and what a later attach leaves as it is.

use crate::support::{
    program::tintype,
    schema::{installed, run, text, texts},
};

const TABLES: &str = "
    CREATE TABLE posts (id int PRIMARY KEY, slug text, body text, views int DEFAULT 0, og_image_url text);
    CREATE TABLE sites (id int PRIMARY KEY, url text, screenshot_url text, note int);";

#[tokio::test]
async fn the_columns_of_an_address_are_watched_and_read() {
    let (test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    let attach = ["attach", "posts", "--url", "https://app.example/{slug}/card?v={id}", "--data", "views", "--yes"];
    tintype(&test.url(), &attach).await.done();
    assert_eq!(text(&client, "SELECT draw FROM tintype.source").await, "page", "an address says so");
    assert_eq!(text(&client, "SELECT data_columns FROM tintype.source").await, "{views,slug,id}");
    run(&client, "rows", "INSERT INTO posts VALUES (1, 'one', 'x')").await;
    run(&client, "forget", "DELETE FROM tintype.change").await;
    for (change, marks) in [("slug = 'two'", "1"), ("views = 2", "2"), ("og_image_url = 'https://cdn.example/1'", "2")]
    {
        run(&client, change, &format!("UPDATE posts SET {change}")).await;
        assert_eq!(text(&client, "SELECT count(*) FROM tintype.change").await, marks, "{change}");
    }
    let read = "SELECT r.data FROM tintype.source s, tintype.read_row(s, '1') r";
    assert_eq!(text(&client, read).await, "{2,two,1}");
}

#[tokio::test]
async fn attached_again_the_page_stays_as_it_was() {
    let (test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    let kept = "SELECT concat_ws(' ', draw, url, data_columns, capture) FROM tintype.source";
    for (what, arguments, expected) in [
        (
            "at first",
            &["--url", "{url}", "--image", "screenshot_url", "--capture", "width=800", "--capture", "hide=.banner"][..],
            r#"page {url} {url} {"hide": [".banner"], "width": 800}"#,
        ),
        ("again", &[], r#"page {url} {url} {"hide": [".banner"], "width": 800}"#),
        (
            "with a way in",
            &["--capture", "full-page=true", "--auth", "bearer=APP"],
            r#"page {url} {url} {"auth": ["bearer=APP"], "full_page": true}"#,
        ),
        ("other columns", &["--data", "note"], r#"page {url} {note,url} {"auth": ["bearer=APP"], "full_page": true}"#),
        (
            "elsewhere",
            &["--url", "https://app.example/{id}", "--capture", ""],
            "page https://app.example/{id} {note,id} {}",
        ),
    ] {
        let all = [&["attach", "sites", "--yes"], arguments].concat();
        tintype(&test.url(), &all).await.done();
        assert_eq!(texts(&client, kept).await, [expected], "{what}");
    }
}

#[tokio::test]
async fn options_that_do_not_exist_are_told_before_a_worker_meets_them() {
    let (test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    for (flags, words) in [
        (["--capture", "widht=800"], "unknown field `widht`"),
        (["--capture", "width"], "there is no = in `width`"),
        (["--capture", "width=0"], "each side is 1 to 10000"),
        (["--auth", "token=APP"], "`token=APP` is no way in"),
    ] {
        let ran = tintype(&test.url(), &[&["attach", "sites", "--url", "{url}", "--yes"], &flags[..]].concat()).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
    }
}
