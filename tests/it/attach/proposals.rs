//! What is proposed for the tables of applications that people write, against what their authors say of them.

use std::{fs, path::Path};

use tintype::source::{self, Request};
use toml::{Table, Value};

use crate::support::{
    program::tintype,
    schema::{database, installed, run},
};

/// Columns whose names say nothing to a stranger: they are left for a person to name.
const UNKNOWABLE: &[&str] = &["Author \"Pen\" Name", "preview_url"];

fn column(table: &Table, role: &str) -> Option<String> {
    table.get(role).and_then(Value::as_str).filter(|name| !UNKNOWABLE.contains(name)).map(str::to_owned)
}

#[tokio::test]
async fn applications_are_understood() {
    let apps = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/apps");
    let mut tables = 0;
    for app in fs::read_dir(apps).unwrap() {
        let folder = app.unwrap().path();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let (test, client) = installed().await;
        let tool = database(&test.url()).await.get().await.unwrap();
        run(&client, "schema", &read("schema.sql")).await;
        run(&client, "seed", &read("seed.sql")).await;
        let app: Table = read("app.toml").parse().unwrap();
        for table in app["table"].as_array().unwrap().iter().filter_map(Value::as_table) {
            let name = table["name"].as_str().unwrap();
            let what = format!("{} {name}", folder.display());
            let planned =
                source::plan(&tool, name, &Request::default()).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            let key: Vec<_> = table["key"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert_eq!(planned.key_columns, key, "{what}: key");
            for (role, proposed) in [
                ("body", planned.body_column),
                ("title", planned.title_column),
                ("author", planned.author_column),
                ("date", planned.date_column),
                ("tags", planned.tags_column),
                ("image", planned.image_column),
            ] {
                assert_eq!(proposed, column(table, role), "{what}: {role}");
            }
            let request = Request {
                row_filter: table.get("where").and_then(Value::as_str).map(str::to_owned),
                ..Request::default()
            };
            source::attach(&tool, name, &request).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            tables += 1;
        }
        run(&client, "the application's own statements go on", &read("edits.sql")).await;
    }
    assert!(tables >= 6, "{tables}");
}

#[tokio::test]
async fn a_body_alone_leaves_the_url_in_the_ledger() {
    let (test, client) = installed().await;
    let tool = database(&test.url()).await.get().await.unwrap();
    run(&client, "table", "CREATE TABLE posts (id int PRIMARY KEY, title text, body text, image text, tags text[])")
        .await;
    let plan = async |request: Request| source::plan(&tool, "posts", &request).await.unwrap();
    let some = |name: &str| Some(name.to_owned());
    let all = plan(Request::default()).await;
    assert_eq!((all.image_column, all.tags_column), (some("image"), some("tags")));
    let body = plan(Request { body: some("body"), ..Request::default() }).await;
    assert_eq!((body.image_column, body.title_column), (None, some("title")));
    let none = plan(Request { title: some(""), image: some(""), tags: some(""), ..Request::default() }).await;
    assert_eq!(
        (none.image_column, none.title_column, none.tags_column),
        (None, None, None),
        "an empty name means none"
    );
}

#[tokio::test]
async fn drafts_are_thought_of() {
    let (test, client) = installed().await;
    for (column, filter) in [
        ("published boolean", Some("published")),
        ("draft boolean NOT NULL DEFAULT true", Some("NOT draft")),
        ("published_at timestamptz", Some("published_at IS NOT NULL")),
        ("published_at timestamptz NOT NULL DEFAULT now()", None),
        ("published text", None),
    ] {
        run(
            &client,
            column,
            &format!("DROP TABLE IF EXISTS posts; CREATE TABLE posts (id int PRIMARY KEY, body text, {column})"),
        )
        .await;
        let ran = tintype(&test.url(), &["attach", "posts", "--body", "body"]).await;
        let hint = filter.map(|filter| format!("--where '{filter}' keeps drafts out"));
        assert_eq!(ran.stderr.contains("keeps drafts out"), hint.is_some(), "{column}: {ran:?}");
        assert!(ran.code == 0 && hint.is_none_or(|hint| ran.stderr.contains(&hint)), "{column}: {ran:?}");
        run(&client, "detach", "SELECT tintype.detach('posts')").await;
    }
}
