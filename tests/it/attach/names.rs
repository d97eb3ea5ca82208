//! Names that people give: whatever Postgres takes as a schema, a table or a column, tintype takes too.

use tintype::source::{self, Request};

use super::publish_one;
use crate::support::{
    program::tintype,
    schema::{database, installed, run, text},
};

const NAMES: &[&str] = &[
    "Capitals",
    "two words",
    " spaces around ",
    "it's",
    "\"quoted\"",
    "back\\slash",
    "per%cent %s %1$I",
    "dol$lar $1",
    "$mark$",
    "$sql$ $fn$ $$",
    "semi;colon -- comment",
    "/* comment",
    "select",
    "user",
    "New",
    "old",
    "tintype",
    "source",
    "x",
    "key",
    "dot.ted",
    "{brace,comma}",
    "naïve Ωμέγα 投稿 \u{1f600}",
    "tab\tand\nnewline",
    "sixty-two bytes of a name, no letter of which may be cut off..",
];

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[tokio::test]
async fn any_name_serves_for_schema_table_and_columns() {
    let (test, client) = installed().await;
    let tool = database(&test.url()).await.get().await.unwrap();
    for name in NAMES {
        let schema = quoted(&format!("{name}s"));
        let table = format!("{schema}.{}", quoted(&format!("{name}t")));
        let column = |suffix: &str| format!("{name}{suffix}");
        let [key, body, title, image, flag] = ["k", "b", "t", "i", "f"].map(|suffix| quoted(&column(suffix)));
        let ddl = format!(
            "CREATE SCHEMA {schema};
             CREATE TABLE {table} ({key} text PRIMARY KEY, {body} text, {title} text, {image} text, {flag} boolean DEFAULT true)"
        );
        run(&client, name, &ddl).await;
        let request = Request {
            body: Some(column("b")),
            title: Some(column("t")),
            image: Some(column("i")),
            row_filter: Some(flag.clone()),
            ..Request::default()
        };
        let attached = source::attach(&tool, &table, &request).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(attached.key_columns, [column("k")], "{name}");
        run(&client, name, &format!("INSERT INTO {table} ({key}, {body}) VALUES ('a', 'x')")).await;
        assert_eq!(publish_one(&client, name).await, "a");
        let written = format!("SELECT {image} LIKE 'https://%' FROM {table}");
        assert_eq!(text(&client, &written).await, "t", "{name}");
        run(&client, name, &format!("UPDATE {table} SET {image} = NULL")).await;
        run(&client, name, "SELECT tintype.sweep(id, 10) FROM tintype.source").await;
        assert_eq!(
            text(&client, "DELETE FROM tintype.change RETURNING key").await,
            "a",
            "{name}: the sweep finds the lost URL"
        );
        run(&client, name, &format!("UPDATE {table} SET {flag} = false")).await;
        assert_eq!(
            text(&client, "DELETE FROM tintype.change RETURNING key").await,
            "a",
            "{name}: the row filter's column is watched"
        );
        run(&client, name, "SELECT tintype.refresh_markers()").await;
        source::detach(&tool, &table).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        run(&client, name, &format!("DROP SCHEMA {schema} CASCADE")).await;
    }
}

/// The very names, in the key too, where they stand inside of the trigger function's text.
#[tokio::test]
async fn any_name_serves_for_a_key_of_two_columns() {
    let (_test, client) = installed().await;
    for name in NAMES {
        let (key, other) = (quoted(name), quoted(&format!("{name}2")));
        run(
            &client,
            name,
            &format!(
                "CREATE TABLE t ({key} int, {other} int, \"the body\" text, body text, PRIMARY KEY ({key}, {other}))"
            ),
        )
        .await;
        run(&client, name, "SELECT tintype.attach('t', body => 'the body')").await;
        run(&client, name, "INSERT INTO t VALUES (1, 2, 'x')").await;
        assert_eq!(publish_one(&client, name).await, "{1,2}", "{name}");
        run(&client, name, "SELECT tintype.detach('t'); DROP TABLE t").await;
    }
}

/// What a person types, and the table that is meant.
#[tokio::test]
async fn a_table_is_found_as_psql_or_the_catalog_writes_it() {
    let (_test, client) = installed().await;
    run(
        &client,
        "tables",
        "CREATE TABLE posts (id int PRIMARY KEY, body text); CREATE TABLE \"Posts\" (id int PRIMARY KEY, body text);
         CREATE SCHEMA blog; CREATE TABLE blog.posts (id int PRIMARY KEY, body text); CREATE TABLE blog.notes (id int PRIMARY KEY, body text);
         CREATE SCHEMA \"My Blog\"; CREATE TABLE \"My Blog\".\"Big Posts\" (id int PRIMARY KEY, body text);
         CREATE SCHEMA shop; CREATE TABLE shop.items (id int PRIMARY KEY, body text); CREATE SCHEMA bar; CREATE TABLE bar.items (id int PRIMARY KEY, body text)",
    )
    .await;
    for (typed, meant) in [
        ("posts", "public.posts"),
        ("POSTS", "public.posts"),
        ("public.posts", "public.posts"),
        ("\"Posts\"", "public.\"Posts\""),
        ("blog.posts", "blog.posts"),
        ("notes", "blog.notes"),
        ("\"My Blog\".\"Big Posts\"", "\"My Blog\".\"Big Posts\""),
        ("My Blog.Big Posts", "\"My Blog\".\"Big Posts\""),
        ("\"Big Posts\"", "\"My Blog\".\"Big Posts\""),
        ("shop.items", "shop.items"),
    ] {
        let found = client
            .query_one(
                "SELECT tintype.find_table($1)::text FROM set_config('search_path', 'pg_catalog', false)",
                &[&typed],
            )
            .await;
        assert_eq!(found.unwrap_or_else(|error| panic!("{typed}: {error}")).get::<_, String>(0), meant, "{typed}");
    }
}

#[tokio::test]
async fn names_survive_the_shell() {
    let (test, client) = installed().await;
    run(
        &client,
        "table",
        "CREATE SCHEMA \"a b\"; CREATE TABLE \"a b\".\"It's $1 \"\"x\"\"\" (id int PRIMARY KEY, \"Body %s\" text)",
    )
    .await;
    let table = "\"a b\".\"It's $1 \"\"x\"\"\"";
    let attach = tintype(&test.url(), &["attach", table, "--body", "Body %s", "--json"]).await;
    let source: serde_json::Value = serde_json::from_str(attach.done()).unwrap();
    assert_eq!((&source["relation"], &source["name"]), (&table.into(), &"a b.It's $1 \"x\"".into()));
    run(&client, "insert", &format!("INSERT INTO {table} VALUES (1, 'x')")).await;
    assert_eq!(publish_one(&client, table).await, "1");
    tintype(&test.url(), &["backfill", table, "--rerender"]).await.done();
    tintype(&test.url(), &["detach", table]).await.done();
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.source").await, "0");
}
