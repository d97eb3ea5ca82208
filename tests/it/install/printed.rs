//! `install --print-sql`: run by hand or by a migration tool it does what `install` does, and back.

use super::catalog::{everything, of_tintype, sources};
use crate::support::{
    postgres::TestDatabase,
    program::{Ran, command, run as run_program, tintype},
    schema::{installed, run, text},
};

async fn printed(format: &str) -> String {
    let Ran { code, stdout, stderr } = run_program(command(&["install", "--print-sql", "--format", format])).await;
    assert_eq!((code, stderr.as_str()), (0, ""), "{format}");
    stdout
}

/// The lines between two marks, without `indent` in front of them.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start:?}"));
    rest.split_once(end).map_or(rest, |(part, _)| part)
}

/// The way up and the way down of a printed migration, as its tool would read them; Prisma knows no way down.
fn ways(format: &str, text: &str) -> (String, Option<String>) {
    let back = "-- The way back:\n";
    match format {
        "plain" => {
            let down = between(text, back, "\u{0}")
                .lines()
                .map(|line| line.strip_prefix("-- ").unwrap_or(line))
                .collect::<Vec<_>>();
            (text.split(back).next().unwrap_or_default().to_owned(), Some(down.join("\n")))
        }
        "prisma" => (text.to_owned(), None),
        "sqlx" => (
            between(text, "_tintype.up.sql\n", "\n-- ..._tintype.down.sql").to_owned(),
            Some(between(text, "_tintype.down.sql\n", "\u{0}").to_owned()),
        ),
        "dbmate" => (
            between(text, "-- migrate:up\n", "-- migrate:down").to_owned(),
            Some(between(text, "-- migrate:down\n", "\u{0}").to_owned()),
        ),
        "ecto" => (
            heredoc(text, "def up do", "~S\"\"\"\n", "\"\"\""),
            Some(heredoc(text, "def down do", "~S\"\"\"\n", "\"\"\"")),
        ),
        "rails" => (
            heredoc(text, "def up\n", "<<~'SQL'\n", "    SQL\n"),
            Some(heredoc(text, "def down\n", "<<~'SQL'\n", "    SQL\n")),
        ),
        "django" => {
            (heredoc(text, "sql=[", "r\"\"\"\n", "\"\"\""), Some(heredoc(text, "reverse_sql=[", "r\"\"\"\n", "\"\"\"")))
        }
        other => panic!("{other}"),
    }
}

/// What a heredoc holds: Ecto takes the end's indent off each line, Ruby the smallest one, Python none.
fn heredoc(text: &str, after: &str, start: &str, end: &str) -> String {
    let body = between(text.split_once(after).unwrap_or_else(|| panic!("no {after:?}")).1, start, end);
    let indent = if start.starts_with('r') {
        0
    } else {
        body.lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.len() - line.trim_start().len())
            .min()
            .unwrap_or(0)
    };
    body.lines().map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_format_goes_up_and_down_as_install_does() {
    let (_test, reference) = installed().await;
    let (schema, functions) = (of_tintype(&reference).await, sources(&reference).await);
    let test = TestDatabase::new().await;
    let client = test.client().await;
    let empty = everything(&client).await;
    for format in ["plain", "ecto", "rails", "django", "prisma", "sqlx", "dbmate"] {
        let (up, down) = ways(format, &printed(format).await);
        if format == "ecto" {
            client.execute(&up, &[]).await.expect("one statement, for a driver that prepares what it sends");
        } else {
            run(&client, format, &up).await;
        }
        assert_eq!(of_tintype(&client).await, schema, "{format}");
        assert_eq!(sources(&client).await, functions, "{format}");
        run(&client, format, "CREATE TABLE posts (id int PRIMARY KEY, body text); SELECT tintype.attach('posts')")
            .await;
        assert_eq!(down.is_none(), format == "prisma", "{format}");
        run(&client, format, down.as_deref().unwrap_or(tintype::install::down())).await;
        run(&client, format, "DROP TABLE posts").await;
        assert_eq!(everything(&client).await, empty, "{format}: the way back");
    }
}

#[tokio::test]
async fn a_migration_tool_s_transaction_may_be_around_it() {
    let test = TestDatabase::new().await;
    let client = test.client().await;
    let (up, _) = ways("dbmate", &printed("dbmate").await);
    run(&client, "begin", "BEGIN").await;
    run(&client, "up", &up).await;
    run(&client, "rollback", "ROLLBACK").await;
    assert_eq!(text(&client, "SELECT to_regnamespace('tintype') IS NULL").await, "t");
}

#[tokio::test]
async fn it_brings_any_database_to_this_version() {
    let (test, client) = installed().await;
    let before = of_tintype(&client).await;
    let named = tintype(&test.url(), &["install", "--print-sql"]).await;
    let sql = printed("plain").await;
    assert_eq!(named.done(), sql, "whatever database is named");
    run(&client, "one that has it", &sql).await;
    assert_eq!(of_tintype(&client).await, before);
    run(&client, "a later one", "INSERT INTO tintype.migration (number, name) VALUES (9999, 'later')").await;
    assert!(
        client
            .batch_execute(&sql)
            .await
            .is_err_and(|error| error.as_db_error().is_some_and(|e| e.message().contains("later version")))
    );
    let wrong = run_program(command(&["install", "--format", "rails"])).await;
    assert_eq!(wrong.code, 2, "a format without --print-sql: {wrong:?}");
}

#[tokio::test]
async fn nothing_is_printed_that_psql_would_take_for_its_own() {
    for format in ["plain", "sqlx", "dbmate", "prisma"] {
        let sql = printed(format).await;
        assert!(!sql.lines().any(|line| line.starts_with('\\')), "{format}");
    }
}
