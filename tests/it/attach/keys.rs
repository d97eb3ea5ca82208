//! Any primary key works: marked, found again, published, walked in order, by the host's own index.

use super::publish_one;
use crate::support::schema::{installed, run, text, texts};

/// The key's columns, and three rows of them in the order of the index.
const KEYS: &[(&str, &str, [&str; 3])] = &[
    ("bigint", "a bigint", ["-9223372036854775808", "7", "9223372036854775807"]),
    ("int", "a int", ["-1", "0", "2147483647"]),
    ("smallint", "a smallint", ["-1", "0", "32767"]),
    (
        "uuid",
        "a uuid",
        [
            "'00000000-0000-0000-0000-000000000001'",
            "'7f000000-0000-0000-0000-000000000000'",
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        ],
    ),
    ("text", "a text", ["''", "'Ωμέγα \u{1f600}'", "E'{a,\"b\\\\}\\n'' $1 %s NULL'"]),
    ("text that looks like nothing", "a text", ["' '", "'NULL'", "'null'"]),
    ("varchar", "a varchar(20)", ["'a'", "'b'", "'c '"]),
    ("char(n)", "a char(6)", ["'ab'", "'abc'", "'abcdef'"]),
    ("\"char\"", "a \"char\"", ["'a'", "'b'", "'c'"]),
    ("date", "a date", ["'-infinity'", "'2026-02-03'", "'2026-12-01'"]),
    ("timestamp", "a timestamp", ["'2026-02-03 04:05:06'", "'2026-02-03 04:05:06.000001'", "'infinity'"]),
    (
        "timestamptz",
        "a timestamptz",
        ["'0044-03-15 12:00+00 BC'", "'2026-03-29 02:30+01'", "'2026-10-25 02:30:00.123456+01'"],
    ),
    ("numeric", "a numeric", ["-1.50", "0.00001", "12345678901234567890.1234567890"]),
    ("numeric(10,2)", "a numeric(10,2)", ["1.00", "1.50", "99999999.99"]),
    ("float8", "a float8", ["-1e300", "0.1", "0.30000000000000004"]),
    ("boolean", "a boolean, b boolean", ["false, false", "false, true", "true, true"]),
    ("bytea", "a bytea", ["''", "'\\x00ff'", "'\\x5c'"]),
    ("interval", "a interval", ["'1 day'", "'1 mon'", "'1 year 2 mons 3 days 04:05:06.7'"]),
    ("inet", "a inet", ["'10.0.0.1'", "'10.0.0.0/8'", "'::1'"]),
    ("enum", "a \"Mood of day\"", ["'calm'", "'it''s, \"odd\"'", "'a wild one'"]),
    ("domain", "a slug", ["'a'", "'b'", "'c'"]),
    ("bigint and text", "a bigint, b text", ["1, ''", "1, 'a,b{}\"\\'", "2, 'NULL'"]),
    (
        "uuid and int",
        "a uuid, b int",
        [
            "'00000000-0000-0000-0000-000000000001', 2",
            "'00000000-0000-0000-0000-000000000001', 10",
            "'7f000000-0000-0000-0000-000000000000', 1",
        ],
    ),
    (
        "date, timestamptz, enum",
        "a date, b timestamptz, c \"Mood of day\"",
        [
            "'2026-02-03', '2026-02-03 12:00+02', 'calm'",
            "'2026-02-03', '2026-02-03 12:00+02', 'a wild one'",
            "'2026-03-02', '-infinity', 'calm'",
        ],
    ),
    (
        "char(n) and smallint and bytea",
        "a char(3), b smallint, c bytea",
        ["'x', 1, '\\x'", "'x', 2, '\\x00'", "'xy', 1, '\\x5c22'"],
    ),
];

#[tokio::test]
async fn every_kind_of_key_goes_the_whole_way() {
    let (_test, client) = installed().await;
    run(
        &client,
        "types",
        "CREATE TYPE \"Mood of day\" AS ENUM ('calm', 'it''s, \"odd\"', 'a wild one'); CREATE DOMAIN slug AS text",
    )
    .await;
    for (what, columns, rows) in KEYS {
        let names: Vec<&str> = columns.split(", ").map(|column| &column[..1]).collect();
        let names = names.join(", ");
        run(
            &client,
            what,
            &format!(
                "CREATE TABLE t ({columns}, body text, image text, PRIMARY KEY ({names})); SELECT tintype.attach('t')"
            ),
        )
        .await;
        for row in rows {
            run(&client, what, &format!("INSERT INTO t ({names}, body) VALUES ({row}, 'x')")).await;
            let what = format!("{what}: {row}");
            let key = publish_one(&client, &what).await;
            let image = format!("SELECT image FROM t WHERE ({names}) = ({row})");
            assert!(text(&client, &image).await.starts_with("https://cdn.example/"), "{what}: {key}");
        }
        assert_eq!(text(&client, "SELECT count(DISTINCT image) FROM t").await, "3", "{what}: each row has its own");
        walk(&client, what).await;
        by_the_index(&client, what).await;
        run(&client, what, "DELETE FROM t WHERE image = (SELECT min(image) FROM t)").await;
        run(&client, what, "SELECT tintype.sweep(id, 10), tintype.sweep(id, 10) FROM tintype.source").await;
        assert_eq!(
            text(&client, "SELECT count(*) FROM tintype.image").await,
            "2",
            "{what}: what is deleted is forgotten"
        );
        run(&client, what, "SELECT tintype.detach('t'); DROP TABLE t").await;
    }
}

/// A row at a time, a scan comes by each row once and to an end.
async fn walk(client: &tokio_postgres::Client, what: &str) {
    let mut seen = Vec::new();
    let mut after = "NULL".to_owned();
    loop {
        let step =
            format!("SELECT quote_nullable(t.last_key) FROM tintype.source s, tintype.scan(s, 'all', {after}, 1) t");
        after = text(client, &step).await;
        if after == "NULL" {
            break;
        }
        assert!(!seen.contains(&after), "{what}: {after} for the second time");
        seen.push(after.clone());
    }
    assert_eq!(seen.len(), 3, "{what}: {seen:?}");
    let mut marked = texts(client, "DELETE FROM tintype.change RETURNING key").await;
    marked.sort();
    assert_eq!(marked, texts(client, "SELECT key FROM tintype.image ORDER BY key COLLATE \"C\"").await, "{what}");
}

/// The row is looked up by the host's index, not by reading the table.
async fn by_the_index(client: &tokio_postgres::Client, what: &str) {
    let query = "SELECT format('EXPLAIN SELECT 1 FROM t x WHERE %s', tintype.match_sql(s, 'x', quote_literal((SELECT min(key) FROM tintype.image))))
                   FROM tintype.source s";
    let explain = text(client, query).await;
    run(client, what, "SET enable_seqscan = off").await;
    let plan = texts(client, &explain).await.join("\n");
    run(client, what, "RESET enable_seqscan").await;
    assert!(plan.contains("Index Cond"), "{what}: {explain}\n{plan}");
}

#[tokio::test]
async fn a_unique_index_without_nulls_serves_where_there_is_no_primary_key() {
    let (_test, client) = installed().await;
    let table =
        "CREATE TABLE t (wide text NOT NULL, a int NOT NULL, b int NOT NULL, maybe int UNIQUE, body text, image text,
                                 UNIQUE (a, b), UNIQUE (wide));
                 CREATE UNIQUE INDEX ON t (b) WHERE a > 0; CREATE UNIQUE INDEX ON t (lower(body))";
    run(&client, "table", table).await;
    assert_eq!(text(&client, "SELECT key_columns FROM tintype.plan('t')").await, "{wide}", "the narrowest");
    run(&client, "attach", "SELECT tintype.attach('t', key => '{b,a}')").await;
    assert_eq!(text(&client, "SELECT key_columns FROM tintype.source").await, "{a,b}", "in the order of the index");
    run(&client, "insert", "INSERT INTO t (wide, a, b, body) VALUES ('w', 1, 2, 'x')").await;
    assert_eq!(publish_one(&client, "two columns").await, "{1,2}");
}

#[tokio::test]
async fn a_key_under_another_name_is_the_same_key_and_what_a_sweep_complained_of_is_over() {
    let (_test, client) = installed().await;
    run(
        &client,
        "a host",
        "CREATE TABLE posts (id int PRIMARY KEY, slug text, body text, og_image_url text); SELECT tintype.attach('posts'); INSERT INTO posts (id, slug, body) VALUES (1, 'one', 'x')",
    )
    .await;
    publish_one(&client, "its picture").await;
    run(&client, "renamed", "ALTER TABLE posts RENAME id TO pid; UPDATE tintype.source SET problem = 'column id'")
        .await;
    run(&client, "attached", "SELECT tintype.attach('posts', key => '{pid}')").await;
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.image WHERE key = '1' AND state = 'ready'").await, "1");
    let swept = "SELECT problem IS NULL AND swept_at = '-infinity' AND key_columns = '{pid}' FROM tintype.source";
    assert_eq!(text(&client, swept).await, "t");
}
