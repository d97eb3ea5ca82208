//! The host's write never fails because of tintype, and what was not marked is found by the sweep.

use super::{marked, posts};
use crate::support::schema::{installed, run, text};

/// What breaks, and how it is mended later.
const BREAKS: &[(&str, &str, &str)] = &[
    (
        "the table has another name",
        "ALTER TABLE tintype.change RENAME TO elsewhere",
        "ALTER TABLE tintype.elsewhere RENAME TO change",
    ),
    (
        "a column is gone",
        "ALTER TABLE tintype.change DROP COLUMN key",
        "ALTER TABLE tintype.change ADD COLUMN key text NOT NULL",
    ),
    (
        "a condition refuses every mark",
        "ALTER TABLE tintype.change ADD CONSTRAINT never CHECK (false) NOT VALID",
        "ALTER TABLE tintype.change DROP CONSTRAINT never",
    ),
    (
        "its numbers are used up",
        "SELECT setval('tintype.change_id_seq', 9223372036854775807)",
        "SELECT setval('tintype.change_id_seq', 1000)",
    ),
    (
        "a trigger on the marks fails",
        "CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END';
         CREATE TRIGGER boom BEFORE INSERT ON tintype.change FOR EACH ROW EXECUTE FUNCTION boom()",
        "DROP TRIGGER boom ON tintype.change; DROP FUNCTION boom()",
    ),
    ("the bell is gone", "ALTER SEQUENCE tintype.bell RENAME TO gong", "ALTER SEQUENCE tintype.gong RENAME TO bell"),
    (
        "the owner has lost its right",
        "REVOKE ALL ON tintype.change FROM CURRENT_USER; CREATE ROLE nobody_at_all;
         ALTER FUNCTION tintype.mark_1() OWNER TO nobody_at_all",
        "ALTER FUNCTION tintype.mark_1() OWNER TO CURRENT_USER; DROP ROLE nobody_at_all; GRANT ALL ON tintype.change TO CURRENT_USER",
    ),
];

/// One whole sweep of the one source.
const SWEEP: &str = "SELECT tintype.sweep(s.id, 100), tintype.sweep(s.id, 100) FROM tintype.source s";

#[tokio::test]
async fn a_broken_tintype_costs_the_host_nothing_and_the_sweep_finds_the_rows() {
    let (_test, client) = installed().await;
    posts(&client).await;
    run(&client, "backfill", "SELECT tintype.backfill('posts')").await;
    marked(&client).await;
    let drawn = "INSERT INTO tintype.image AS i (source, key, state, content)
                 SELECT s.id, p.id::text, 'ready', r.content FROM tintype.source s, posts p, tintype.read_row(s, p.id::text) r
                 ON CONFLICT (source, key) DO UPDATE SET content = excluded.content";
    for (number, (what, break_it, mend_it)) in BREAKS.iter().enumerate() {
        run(&client, what, drawn).await;
        run(&client, what, SWEEP).await;
        assert!(marked(&client).await.is_empty(), "{what}: all is drawn");
        let born = 10 + number;
        // In a transaction, because that is where a swallowed error could do harm; undone at the end is only the role.
        run(&client, what, &format!("BEGIN; {break_it}")).await;
        run(&client, what, &format!("INSERT INTO posts (id, body) VALUES ({born}, 'x')")).await;
        run(&client, what, &format!("UPDATE posts SET body = '{what}' WHERE id = 1")).await;
        run(&client, what, &format!("{mend_it}; COMMIT")).await;
        let stored = format!("SELECT count(*) FROM posts WHERE id = {born} OR (id = 1 AND body = '{what}')");
        assert_eq!(text(&client, &stored).await, "2", "{what}: the host's writes stand");
        assert!(marked(&client).await.is_empty(), "{what}: nothing could be marked");
        run(&client, what, SWEEP).await;
        assert_eq!(marked(&client).await, ["1".to_owned(), born.to_string()], "{what}: the sweep finds both");
    }
}

#[tokio::test]
async fn rows_loaded_past_the_triggers_are_found() {
    let (_test, client) = installed().await;
    posts(&client).await;
    run(&client, "backfill", "SELECT tintype.backfill('posts')").await;
    marked(&client).await;
    let restore = "SET session_replication_role = replica; INSERT INTO posts (id, body) VALUES (77, 'restored');
                   RESET session_replication_role; INSERT INTO tintype.image (source, key, state, content)
                   SELECT s.id, p.id::text, 'ready', r.content FROM tintype.source s, posts p, tintype.read_row(s, p.id::text) r
                    WHERE p.id < 77";
    run(&client, "restore", restore).await;
    assert!(marked(&client).await.is_empty());
    run(&client, "sweep", SWEEP).await;
    assert_eq!(marked(&client).await, ["77"]);
}

#[tokio::test]
async fn a_refused_host_write_leaves_no_mark() {
    let (_test, client) = installed().await;
    posts(&client).await;
    let twice = "INSERT INTO posts (id, body) VALUES (8, 'x'), (1, 'a key that is taken')";
    assert!(client.batch_execute(twice).await.is_err());
    assert!(marked(&client).await.is_empty());
}
