//! Keys of every type survive the way from the row to the mark, to the job, and back to the row.

use super::{Queue, fold};

/// A table with these key columns and rows, attached; every row is marked, drawn, published, scanned and swept.
async fn travels(columns: &str, key: &str, rows: &[&str], settings: &str) {
    let case = format!("{columns} {settings}");
    let count = i64::try_from(rows.len()).unwrap();
    let queue = Queue::new().await;
    if columns.contains("citext") {
        queue.run("CREATE EXTENSION citext").await;
    }
    queue.run(&format!("CREATE TABLE keyed ({columns}, body text, og_image_url text, PRIMARY KEY ({key}))")).await;
    queue.run("SELECT tintype.attach('keyed')").await;
    let values: Vec<_> = rows.iter().map(|row| format!("({row}, 'a')")).collect();
    queue.run(&format!("{settings}; INSERT INTO keyed ({key}, body) VALUES {}; RESET ALL", values.join(", "))).await;
    queue.work().await;
    let drawn = "SELECT count(*) FROM keyed WHERE og_image_url IS NOT NULL";
    assert_eq!(queue.ask::<i64>(drawn).await, count, "{case}: rows found by the key of their mark");
    let entries = "SELECT count(*) FROM tintype.image WHERE state = 'ready'";
    assert_eq!(queue.ask::<i64>(entries).await, count, "{case}: entries in the ledger");
    queue.run("SET session_replication_role = replica; UPDATE keyed SET og_image_url = NULL; RESET session_replication_role").await;
    for _ in 0..=count {
        queue
            .run("SELECT tintype.sweep(s.id, 1) FROM tintype.source s WHERE s.name = 'keyed' AND s.pruned_to IS NULL")
            .await;
    }
    assert_eq!(fold(&queue.client).await, count, "{case}: the sweep walks over each row once, row by row");
    queue.work().await;
    assert_eq!(queue.ask::<i64>(drawn).await, count, "{case}: and what it marks is found");
    assert_eq!(queue.ask::<i64>(entries).await, count, "{case}: under the same keys");
    queue.run("UPDATE tintype.source SET pruned_to = '' WHERE name = 'keyed'").await;
    for _ in 0..=count {
        queue.run("SELECT tintype.sweep(s.id, 1) FROM tintype.source s WHERE s.name = 'keyed' AND s.pruned_to IS NOT NULL").await;
    }
    assert_eq!(queue.ask::<i64>(entries).await, count, "{case}: the pruning finds each row as well");
}

#[tokio::test]
async fn of_one_column() {
    for (columns, rows) in [
        ("id bigint", &["-9223372036854775808", "0", "9223372036854775807"][..]),
        ("id uuid", &["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"]),
        (
            "id text",
            &["''", "' '", "'a/b'", "'it''s'", "E'line\\nbreak'", "'{a,b}'", "'NULL'", "'\"'", "E'\\\\'", "'é'"],
        ),
        ("id varchar(20)", &["'ada'", "'grace hopper'"]),
        ("id char(8)", &["'ada'", "'hopper'", "'adalove'"]),
        ("id numeric(20,4)", &["-1.5000", "0", "'NaN'", "12345678901234.5678"]),
        ("id double precision", &["0.1", "'Infinity'", "1e-300"]),
        ("id boolean", &["true", "false"]),
        ("id date", &["'0044-03-15 BC'", "'2026-01-01'", "'infinity'"]),
        ("id bytea", &["''", "'\\x00ff'"]),
        ("id bit(4)", &["B'0000'", "B'1010'"]),
        ("id inet", &["'10.0.0.1'", "'10.0.0.0/8'", "'::1'"]),
        ("id \"char\"", &["'a'", "'b'"]),
        ("id interval", &["'1 day'", "'-1 month 2.5 s'"]),
    ] {
        travels(columns, "id", rows, "").await;
    }
}

#[tokio::test]
async fn of_times_to_the_microsecond_whatever_the_session_says() {
    let zoned = [
        "'2026-01-01 00:00:00.000001+00'",
        "'2026-01-01 00:00:00.000002+00'",
        "'0044-03-15 12:00:00+00 BC'",
        "'2026-10-25 02:30:00+02'",
        "'2026-10-25 02:30:00+01'",
        "'-infinity'",
    ];
    for settings in [
        "",
        "SET timezone = 'Europe/Berlin'; SET datestyle = 'German'",
        "SET timezone = 'Asia/Kolkata'; SET datestyle = 'SQL, DMY'",
    ] {
        travels("id timestamptz", "id", &zoned, settings).await;
        travels("id timestamp", "id", &["'2026-01-01 00:00:00.000001'", "'0044-03-15 BC'", "'infinity'"], settings)
            .await;
    }
}

#[tokio::test]
async fn of_several_columns() {
    travels(
        "a bigint, b text",
        "a, b",
        &["1, 'a,b'", "1, '{\"'", "1, ''", "2, 'NULL'", "2, E'\\\\ \"'", "10, 'a'"],
        "",
    )
    .await;
    travels(
        "a text, b timestamptz",
        "a, b",
        &["'x', '2026-01-01 00:00:00.000001+00'", "'x', '2026-01-01 00:00:00.000002+00'", "'y', '0044-03-15 BC'"],
        "SET timezone = 'Asia/Kolkata'",
    )
    .await;
    travels(
        "a char(4), b uuid, c integer",
        "a, b, c",
        &["'ab', '00000000-0000-0000-0000-000000000001', -1", "'abc', '00000000-0000-0000-0000-000000000001', 1"],
        "",
    )
    .await;
}

/// Their operators are not in `pg_catalog`, and their order is none of text's: 'B' comes before 'a' there, and behind it here.
#[tokio::test]
async fn of_types_with_operators_of_their_own() {
    let rows = ["'B'", "'a'", "'C'", "'d'", "'E'", "'f'"];
    travels("id citext", "id", &rows, "").await;
    let rows = ["'B', 2", "'b', 10", "'a', 2", "'A', 10", "'C', 1", "'d', 1"];
    travels("a citext, b integer", "a, b", &rows, "").await;
    let queue = Queue::new().await;
    queue.run("CREATE EXTENSION citext; CREATE TABLE keyed (id citext PRIMARY KEY, body text, og_image_url text); SELECT tintype.attach('keyed');
               INSERT INTO keyed SELECT 'Row' || i, 'a' FROM generate_series(1, 1000) i; ANALYZE keyed; SET enable_seqscan = off").await;
    let found: String = queue
        .ask("SELECT tintype.match_sql(s, 'x', quote_literal('Row7')) FROM tintype.source s WHERE s.name = 'keyed'")
        .await;
    let plan: serde_json::Value = queue.ask(&format!("EXPLAIN (FORMAT json) SELECT FROM keyed x WHERE {found}")).await;
    assert!(plan.to_string().contains("\"Index Cond\":\"(id = 'Row7'::citext)\""), "{plan}");
    assert_eq!(queue.ask::<i64>(&format!("SELECT count(*) FROM keyed x WHERE {found}")).await, 1, "as the key has it");
    let other = found.replace("Row7", "rOW7");
    assert_eq!(queue.ask::<i64>(&format!("SELECT count(*) FROM keyed x WHERE {other}")).await, 0, "as it was once");
}

/// citext calls both keys equal; each row has one entry, under its key as it is now.
#[tokio::test]
async fn that_are_written_otherwise_leave_no_entry_behind() {
    let queue = Queue::new().await;
    queue.run("CREATE EXTENSION citext; CREATE TABLE keyed (id citext PRIMARY KEY, body text, og_image_url text); SELECT tintype.attach('keyed');
               INSERT INTO keyed VALUES ('row', 'a')").await;
    queue.work().await;
    queue.run("UPDATE keyed SET id = 'Row'").await;
    fold(&queue.client).await;
    queue.run("UPDATE keyed SET id = 'ROW', body = 'b'").await; // two jobs wait, one under a name that no row has
    queue.work().await;
    let shown = "SELECT string_agg(i.key, ' ') FROM tintype.image i JOIN keyed k ON k.og_image_url = i.url AND k.id::text = i.key";
    assert_eq!(queue.ask::<String>(shown).await, "ROW");
    for _ in 0..3 {
        queue.run("SELECT tintype.sweep(id, 10) FROM tintype.source WHERE name = 'keyed'").await;
    }
    assert_eq!(queue.ask::<String>("SELECT string_agg(key, ' ') FROM tintype.image").await, "ROW");
    assert_eq!(queue.left().await, 0, "nothing is drawn again");
}

#[tokio::test]
async fn of_types_of_the_hosts_own() {
    let queue = Queue::new().await;
    queue
        .run("CREATE SCHEMA \"my types\"; CREATE TYPE \"my types\".\"Mood\" AS ENUM ('so so', 'it''s fine');
              CREATE DOMAIN \"my types\".slug AS varchar(40) CHECK (value <> '');
              CREATE TABLE keyed (mood \"my types\".\"Mood\", slug \"my types\".slug, body text, og_image_url text, PRIMARY KEY (mood, slug));
              SELECT tintype.attach('keyed');
              INSERT INTO keyed VALUES ('so so', 'a', 'x'), ('it''s fine', 'b', 'y')")
        .await;
    queue.work().await;
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM keyed WHERE og_image_url IS NOT NULL").await, 2);
}

/// The worker, a person at psql, and the host's own sessions must agree on what a row says.
#[tokio::test]
async fn a_fingerprint_does_not_depend_on_the_session() {
    let queue = Queue::new().await;
    queue
        .run(
            "CREATE TABLE dated (id bigint PRIMARY KEY, body text, published_at timestamptz, og_image_url text);
              SELECT tintype.attach('dated');
              INSERT INTO dated VALUES (1, 'Déjà vu', '2026-10-25 02:30:00.000001+02')",
        )
        .await;
    let content = "SELECT r.content FROM tintype.source s, tintype.read_row(s, '1') r WHERE s.name = 'dated'";
    let expected: String = queue.ask(content).await;
    for settings in [
        "client_encoding = 'LATIN1'",
        "timezone = 'Asia/Kolkata'",
        "datestyle = 'German'",
        "intervalstyle = 'iso_8601'",
        "bytea_output = 'escape'",
    ] {
        queue.run(&format!("SET {settings}")).await;
        assert_eq!(queue.ask::<String>(content).await, expected, "{settings}");
        queue.run("RESET ALL").await;
    }
}
