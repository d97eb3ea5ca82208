//! Installing: again, at once, with few rights, beside a busy host, as a printed migration, and away without a trace.

mod catalog;
mod printed;

use tintype::error::Error;

use self::catalog::{dump, everything, of_tintype};
use crate::support::{
    postgres::{TestDatabase, connect},
    program::tintype,
    schema::{database, installed, refused, run, text, texts},
};

const POSTS: &str = "CREATE TABLE posts (id int PRIMARY KEY, title text, body text, image text);
    CREATE TABLE notes (id int PRIMARY KEY, body text) PARTITION BY HASH (id);
    CREATE TABLE notes_0 PARTITION OF notes FOR VALUES WITH (MODULUS 1, REMAINDER 0);";

#[tokio::test]
async fn twice_is_as_good_as_once() {
    let test = TestDatabase::new().await;
    let client = test.client().await;
    let first = tintype(&test.url(), &["install", "--json"]).await;
    assert!(
        first.done().contains(
            "\"applied\":[\"0001_tables\",\"0002_strict\",\"0003_store\",\"0004_due\",\"0005_pages\",\"0006_live\",\"0007_operate\",\"0008_build\",\"0009_pace\"]"
        ),
        "{first:?}"
    );
    let before = of_tintype(&client).await;
    run(&client, "a host", &format!("{POSTS} SELECT tintype.attach('posts'); INSERT INTO posts VALUES (1, 't', 'b')"))
        .await;
    let with_host = of_tintype(&client).await;
    let second = tintype(&test.url(), &["install", "--json"]).await;
    assert!(second.done().contains("\"applied\":[]"), "{second:?}");
    assert_eq!(of_tintype(&client).await, with_host);
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.change").await, "1", "what was marked stays");
    run(&client, "detach", "SELECT tintype.detach('posts')").await;
    assert_eq!(of_tintype(&client).await, before);
}

#[tokio::test]
async fn a_structure_without_its_rows_is_begun_anew() {
    let test = TestDatabase::new().await;
    let client = test.client().await;
    tintype(&test.url(), &["install"]).await.done();
    let of_a_new_one = of_tintype(&client).await;
    run(&client, "a host", &format!("{POSTS} SELECT tintype.attach('posts'), tintype.attach('notes')")).await;
    // As `pg_dump --schema-only` leaves it, which is what structure.sql is.
    let tables = "SELECT string_agg(format('DELETE FROM %s', oid::regclass), '; ') FROM pg_class
                   WHERE relnamespace = 'tintype'::regnamespace AND relkind = 'r'";
    run(&client, "no rows", &text(&client, tables).await).await;
    let refused = tintype(&test.url(), &["attach", "posts", "--yes"]).await;
    assert!(refused.hint().contains("tintype install"), "{refused:?}");
    let in_sql = crate::support::schema::refused(&client, "in SQL", "SELECT tintype.attach('posts')").await;
    assert!(in_sql.message.contains("without its rows") && in_sql.hint.starts_with("tintype install"), "{in_sql:?}");
    // As an older attach, which did not look, left it.
    run(&client, "attached", "INSERT INTO tintype.source (relation, name, key_columns, key_types) VALUES ('posts', 'posts', '{id}', '{integer}')").await;
    let lost = tintype(&test.url(), &["install"]).await;
    assert!(lost.code == 3 && lost.error().contains("without its rows"), "{lost:?}");
    let detach = lost.hint().split(" then ").next().unwrap();
    assert_eq!(detach, "SELECT tintype.detach('public.posts');");
    run(&client, "as the hint says", detach).await;
    let again = tintype(&test.url(), &["install", "--json"]).await;
    assert!(again.done().contains("\"0001_tables\""), "{again:?}");
    assert_eq!(of_tintype(&client).await, of_a_new_one);
    tintype(&test.url(), &["attach", "posts", "--yes"]).await.done();
    run(&client, "a row", "INSERT INTO posts VALUES (1, 't', 'b')").await;
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.change JOIN tintype.source s ON s.id = source").await, "1");
}

#[tokio::test]
async fn at_once_they_take_turns() {
    let test = TestDatabase::new().await;
    let url = test.url();
    let install = async || tintype(&url, &["install"]).await;
    let (a, b, c) = tokio::join!(install(), install(), install());
    for ran in [a, b, c] {
        ran.done();
    }
    let client = test.client().await;
    assert_eq!(
        texts(&client, "SELECT number FROM tintype.migration").await,
        ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
    );
    let (_other, alone) = installed().await;
    assert_eq!(of_tintype(&client).await, of_tintype(&alone).await);
}

#[tokio::test]
async fn the_schema_is_the_one_in_the_repository() {
    let (_test, client) = installed().await;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let expected = std::fs::read_to_string(root.join("tests/it/schema.txt")).unwrap_or_default();
    let found = of_tintype(&client).await.join("\n") + "\n";
    if found == expected {
        return;
    }
    let beside = root.join("target/schema.txt");
    std::fs::write(&beside, &found).expect("target can be written");
    let differs: Vec<_> = found.lines().filter(|line| !expected.lines().any(|other| other == *line)).collect();
    panic!(
        "the schema is not that of tests/it/schema.txt; it is in {}, new are:\n{}",
        beside.display(),
        differs.join("\n")
    );
}

#[tokio::test]
async fn the_right_to_create_is_enough() {
    let test = TestDatabase::new().await;
    let admin = test.client().await;
    let mut url = url::Url::parse(&test.url()).unwrap();
    let role = format!("owner_of_{}", &url.path()[1..]);
    run(
        &admin,
        "role",
        &format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'pass word'; GRANT CREATE ON DATABASE {} TO {role}",
            &url.path()[1..]
        ),
    )
    .await;
    url.set_username(&role).unwrap();
    url.set_password(Some("pass word")).unwrap();
    let ran = tintype(url.as_str(), &["install"]).await;
    ran.done();
    let own = connect(url.as_str()).await;
    run(&own, "its own table", "CREATE SCHEMA app; CREATE TABLE app.posts (id int PRIMARY KEY, body text)").await;
    tintype(url.as_str(), &["attach", "app.posts", "--body", "body"]).await.done();
    run(&own, "write", "INSERT INTO app.posts VALUES (1, 'x')").await;
    tintype(url.as_str(), &["backfill", "app.posts", "--rerender"]).await.done();
    tintype(url.as_str(), &["status"]).await.done();
    tintype(url.as_str(), &["install"]).await.done();
    tintype(url.as_str(), &["uninstall", "--yes"]).await.done();
    drop(own);

    run(&admin, "not even that", &format!("REVOKE CREATE ON DATABASE {} FROM {role}", &url.path()[1..])).await;
    let ran = tintype(url.as_str(), &["install"]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error().contains("permission denied for database"), "{ran:?}");
    run(&admin, "no role stays", &format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_busy_host_is_not_waited_for() {
    let (test, client) = installed().await;
    run(&client, "a host", &format!("{POSTS} SELECT tintype.attach('posts')")).await;
    let host = test.client().await;
    run(
        &host,
        "a transaction with a mark and a lock on the table",
        "BEGIN; INSERT INTO posts VALUES (1, 't', 'b'); LOCK TABLE posts",
    )
    .await;
    let started = std::time::Instant::now();
    tintype(&test.url(), &["install"]).await.done();
    assert!(started.elapsed().as_secs_f64() < 1.5, "{:?}", started.elapsed());
    run(&host, "it goes on", "INSERT INTO posts VALUES (2, 't', 'b'); COMMIT").await;
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.change").await, "2");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let (test, client) = installed().await;
    run(&client, "a newer one", "INSERT INTO tintype.migration VALUES (999, '0999_later'); CREATE OR REPLACE FUNCTION tintype.ring() RETURNS void LANGUAGE sql AS 'SELECT 999'").await;
    let before = of_tintype(&client).await;
    let error = tintype::install::install(&database(&test.url()).await).await.unwrap_err();
    assert!(matches!(error, Error::SchemaAhead { have: 999, .. }), "{error}");
    assert_eq!(of_tintype(&client).await, before);
}

#[tokio::test]
async fn another_build_and_a_migration_left_out_are_told() {
    let (test, client) = installed().await;
    let ran = tintype(&test.url(), &["status"]).await;
    assert!(ran.code == 0 && !ran.stderr.contains("another build"), "{ran:?}");
    run(&client, "an older build", "UPDATE tintype.instance SET version = '0.0.9', functions = 'x'").await;
    let ran = tintype(&test.url(), &["status"]).await;
    assert!(ran.code == 0 && ran.stderr.contains("are those of another build"), "it goes on: {ran:?}");
    assert!(ran.stderr.contains("0.0.9") && ran.stderr.contains("tintype install brings them to this one"), "{ran:?}");
    run(&client, "one in the middle", "DELETE FROM tintype.migration WHERE number = 3").await;
    let ran = tintype(&test.url(), &["status"]).await;
    assert_eq!(ran.error(), "schema tintype is at migration 9 and lacks 0003_store, which this program needs");
    assert!(ran.code == 3 && ran.hint().contains("tintype install"), "{ran:?}");
}

#[tokio::test]
async fn uninstalled_the_database_is_what_it_was() {
    let test = TestDatabase::new().await;
    let client = test.client().await;
    run(&client, "a host", POSTS).await;
    let (before, dumped) = (everything(&client).await, dump(&test.url(), &client).await);
    tintype(&test.url(), &["install"]).await.done();
    run(&client, "work", "SELECT tintype.attach('posts'), tintype.attach('notes'); INSERT INTO posts VALUES (1, 't', 'b', 'https://cdn.example/1.png');
        INSERT INTO notes VALUES (1, 'x'); SELECT tintype.fold(10); CREATE TABLE gone (id int PRIMARY KEY, body text); SELECT tintype.attach('gone'); DROP TABLE gone").await;
    assert_ne!(everything(&client).await, before);
    let asked = tintype(&test.url(), &["uninstall"]).await;
    assert_eq!((asked.code, asked.hint()), (2, "say --yes to go ahead"), "{asked:?}");
    tintype(&test.url(), &["uninstall", "--yes"]).await.done();
    assert_eq!(everything(&client).await, before);
    assert_eq!(dump(&test.url(), &client).await, dumped);
    assert_eq!(text(&client, "SELECT image FROM posts").await, "https://cdn.example/1.png", "URLs in rows stay");
    let again = tintype(&test.url(), &["uninstall", "--yes"]).await;
    assert_eq!((again.code, again.error()), (3, "tintype is not installed in this database"), "{again:?}");
}

#[tokio::test]
async fn what_stands_on_tintype_stops_the_uninstall() {
    let (test, client) = installed().await;
    run(&client, "a host", &format!("{POSTS} SELECT tintype.attach('posts')")).await;
    for (what, make, drop) in [
        ("a view on a table", "CREATE VIEW mine AS SELECT url FROM tintype.image", "DROP VIEW mine"),
        ("a view on a view", "CREATE VIEW mine AS SELECT depth FROM tintype.queue_depth", "DROP VIEW mine"),
        (
            "a view on a function",
            "CREATE VIEW mine AS SELECT * FROM tintype.image('posts', 1::bigint)",
            "DROP VIEW mine",
        ),
        ("a column's default", "CREATE TABLE mine (n bigint DEFAULT nextval('tintype.lease'))", "DROP TABLE mine"),
    ] {
        run(&client, what, make).await;
        let before = everything(&client).await;
        let ran = tintype(&test.url(), &["uninstall", "--yes"]).await;
        assert_eq!(ran.code, 1, "{what}: {ran:?}");
        assert!(
            ran.error().contains("something of yours stands on schema tintype") && ran.error().contains("mine"),
            "{what}: {ran:?}"
        );
        assert!(ran.hint().starts_with("Drop or change it first."), "{what}: {ran:?}");
        assert_eq!(everything(&client).await, before, "{what}: nothing has changed");
        run(&client, what, drop).await;
    }
    run(&client, "write", "INSERT INTO posts VALUES (1, 't', 'b')").await;
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.change").await, "1", "it works as before");
    let refusal = refused(&client, "no cascade", "DROP SCHEMA tintype").await;
    assert_eq!(refusal.state, "2BP01");
    tintype(&test.url(), &["uninstall", "--yes"]).await.done();
}

/// What a database had after `0001_tables`: functions with fewer arguments, fewer columns and tables.
const AFTER_THE_FIRST: &str = "
    DROP FUNCTION tintype.wall, tintype.search, tintype.search_titles; DROP VIEW tintype.entry, tintype.status; DROP INDEX tintype.image_updated, tintype.image_failed;
    DELETE FROM tintype.migration WHERE number > 1;
    ALTER TABLE tintype.source DROP COLUMN strict, DROP COLUMN unpublish;
    ALTER TABLE tintype.image DROP COLUMN outside;
    DROP INDEX tintype.image_object; DROP TABLE tintype.garbage; DROP TABLE tintype.instance;
    ALTER TABLE tintype.worker DROP COLUMN card_pace, DROP COLUMN page_pace;
    ALTER TABLE tintype.source DROP COLUMN status_column; DROP TABLE tintype.backfill_run;
    ALTER TABLE tintype.source DROP COLUMN url, DROP COLUMN html, DROP COLUMN data_columns, DROP COLUMN capture;
    ALTER TABLE tintype.source DROP CONSTRAINT source_draw_check;
    ALTER TABLE tintype.source ADD CONSTRAINT source_draw_check CHECK (draw IN ('auto', 'code', 'title'));
    DROP INDEX tintype.job_due; CREATE INDEX job_due ON tintype.job (priority, due_at);
    DROP FUNCTION tintype.attach; DROP FUNCTION tintype.plan;
    CREATE FUNCTION tintype.attach(relation regclass, body text DEFAULT NULL, image text DEFAULT NULL, title text DEFAULT NULL,
        author text DEFAULT NULL, date text DEFAULT NULL, tags text DEFAULT NULL, key text[] DEFAULT NULL, row_filter text DEFAULT NULL,
        draw text DEFAULT 'auto', look text DEFAULT 'night', theme text DEFAULT NULL, site text DEFAULT NULL,
        look_column text DEFAULT NULL, template text DEFAULT NULL) RETURNS tintype.source LANGUAGE sql AS 'SELECT NULL::tintype.source';
    CREATE FUNCTION tintype.plan(relation regclass, body text DEFAULT NULL, image text DEFAULT NULL, title text DEFAULT NULL,
        author text DEFAULT NULL, date text DEFAULT NULL, tags text DEFAULT NULL, key text[] DEFAULT NULL, row_filter text DEFAULT NULL,
        draw text DEFAULT 'auto', look text DEFAULT 'night', theme text DEFAULT NULL, site text DEFAULT NULL,
        look_column text DEFAULT NULL, template text DEFAULT NULL) RETURNS tintype.source LANGUAGE sql AS 'SELECT NULL::tintype.source';";

#[tokio::test]
async fn an_older_schema_becomes_this_one() {
    let (test, client) = installed().await;
    run(&client, "a host", &format!("{POSTS} SELECT tintype.attach('posts')")).await;
    let now = of_tintype(&client).await;
    run(&client, "as it was", AFTER_THE_FIRST).await;
    assert_ne!(of_tintype(&client).await, now);
    let ran = tintype(&test.url(), &["install", "--json"]).await;
    assert!(
        ran.done().contains(
            "\"applied\":[\"0002_strict\",\"0003_store\",\"0004_due\",\"0005_pages\",\"0006_live\",\"0007_operate\",\"0008_build\",\"0009_pace\"]"
        ),
        "{ran:?}"
    );
    assert_eq!(of_tintype(&client).await, now);
    assert_eq!(text(&client, "SELECT strict FROM tintype.source").await, "f", "what is attached stays as it was");
    run(&client, "one attach, not two", "SELECT tintype.attach('posts')").await;
}
