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
    tintype(&test.url(), &["attach", "posts", "--data", "", "--yes"]).await.done();
    assert_eq!(
        text(&client, "SELECT data_columns FROM tintype.source").await,
        "{slug,id}",
        "'' takes back what was named"
    );
}

#[tokio::test]
async fn what_is_named_is_taken_back_by_an_empty_name() {
    let (test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    let named = ["attach", "posts", "--key", "id", "--theme", "Nord", "--site", "Ada", "--yes"];
    tintype(&test.url(), &named).await.done();
    let told = "SELECT concat_ws(' ', theme, site, key_columns) FROM tintype.source";
    assert_eq!(text(&client, told).await, "Nord Ada {id}");
    tintype(&test.url(), &["attach", "posts", "--key", "", "--theme", "", "--site", "", "--yes"]).await.done();
    assert_eq!(text(&client, told).await, "{id}", "the key is the primary key then");
}

#[tokio::test]
async fn attached_again_the_page_stays_as_it_was() {
    let (test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    let kept = "SELECT concat_ws(' ', draw, url, data_columns, capture) FROM tintype.source";
    for (what, arguments, expected) in [
        (
            "at first",
            &[
                "--url",
                "https://app.example/{url}",
                "--image",
                "screenshot_url",
                "--capture",
                "width=800",
                "--capture",
                "hide=.banner",
            ][..],
            r#"page https://app.example/{url} {url} {"hide": [".banner"], "width": 800}"#,
        ),
        ("again", &[], r#"page https://app.example/{url} {url} {"hide": [".banner"], "width": 800}"#),
        (
            "with a way in",
            &["--capture", "full-page=true", "--auth", "bearer=APP"],
            r#"page https://app.example/{url} {url} {"auth": ["bearer=APP"], "full_page": true}"#,
        ),
        (
            "other columns",
            &["--data", "note"],
            r#"page https://app.example/{url} {note,url} {"auth": ["bearer=APP"], "full_page": true}"#,
        ),
        (
            "elsewhere",
            &["--url", "https://app.example/{id}", "--capture", ""],
            r#"page https://app.example/{id} {note,id} {"auth": ["bearer=APP"]}"#,
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

#[tokio::test]
async fn templates_and_time_zones_that_no_row_could_use_are_refused() {
    let (test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    let looks = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("good", "<h1>{{ title }}</h1>{% if tags %}{{ tags|join }}{% endif %}<p>{{ views }}"),
        ("open", "<h1>{{ title </h1>"),
        ("mistyped", "<h1>{{ title }}</h1>\n<p>{{ autor }}"),
    ] {
        std::fs::write(looks.path().join(format!("{name}.html")), text).unwrap();
    }
    let looks = looks.path().to_str().unwrap();
    let attach = |flags: &[&str]| {
        let all = [&["attach", "posts", "--data", "views", "--looks", looks, "--yes"], flags].concat();
        let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
        let url = test.url();
        async move { tintype(&url, &all.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    for (flags, words) in [
        (&["--html", "nope"][..], "template nope.html: there is none"),
        (&["--html", "open"], "template open.html: line 1"),
        (&["--html", "mistyped"], "template mistyped.html: line 2"),
        (&["--html", "mistyped", "--dry-run"], "template mistyped.html: line 2"),
        (&["--html", "good", "--capture", "time-zone=Europe/Berlln"], "Did you mean Europe/Berlin?"),
    ] {
        let ran = attach(flags).await;
        assert!(ran.code == 2 && ran.stderr.contains(words), "{flags:?}: {ran:?}");
    }
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.source").await, "0", "and nothing was attached");
    attach(&["--html", "good", "--capture", "time-zone=Europe/Berlin"]).await.done();
}

#[tokio::test]
async fn ways_in_and_options_do_not_drop_each_other() {
    let (test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    let kept = "SELECT capture FROM tintype.source";
    for (arguments, expected) in [
        (&["--url", "https://app.example/{slug}", "--auth", "bearer=APP"][..], r#"{"auth": ["bearer=APP"]}"#),
        (
            &["--capture", "clip=0,10,600,300"],
            r#"{"auth": ["bearer=APP"], "clip": {"x": 0.0, "y": 10.0, "width": 600.0, "height": 300.0}}"#,
        ),
        (
            &["--capture", "width=900", "--capture", "block-type=image"],
            r#"{"auth": ["bearer=APP"], "width": 900, "block_types": ["image"]}"#,
        ),
        (&["--auth", "basic=APP"], r#"{"auth": ["basic=APP"], "width": 900, "block_types": ["image"]}"#),
        (&["--capture", ""], r#"{"auth": ["basic=APP"]}"#),
        (&["--capture", "width=900"], r#"{"auth": ["basic=APP"], "width": 900}"#),
        (&["--capture", "", "--auth", "bearer=APP"], r#"{"auth": ["bearer=APP"]}"#),
        (&["--auth", ""], "{}"),
    ] {
        let arguments = [&["attach", "posts", "--yes"], arguments].concat();
        tintype(&test.url(), &arguments).await.done();
        assert_eq!(text(&client, kept).await, expected, "{arguments:?}");
    }
    let pdf = tintype(&test.url(), &["attach", "posts", "--yes", "--capture", "format=pdf"]).await;
    assert!(pdf.stderr.contains("no site shows a PDF"), "{}", pdf.stderr);
}

#[tokio::test]
async fn a_row_that_names_the_host_gets_no_secret() {
    let (test, client) = installed().await;
    run(&client, "tables", TABLES).await;
    let attach = ["attach", "sites", "--url", "{url}", "--auth", "bearer=APP", "--yes"];
    let refused = tintype(&test.url(), &attach).await;
    assert!(refused.stderr.contains("would get the secret of --auth"), "{}", refused.stderr);
}
