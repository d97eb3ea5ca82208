//! Which statements mark which rows, and that a mark stands or falls with its row.

use super::{ATTACH, POSTS, marked, posts};
use crate::support::schema::{installed, run, text};

/// A statement, and the keys that it marks, by spaces.
const STATEMENTS: &[(&str, &str, &str)] = &[
    ("insert", "INSERT INTO posts (id, body) VALUES (7, 'x')", "7"),
    ("insert of many", "INSERT INTO posts (id, body) SELECT i, 'x' FROM generate_series(4, 6) i", "4 5 6"),
    ("copy", "COPY posts (id, body) FROM PROGRAM 'printf \"8\\tx\\n9\\ty\\n\"'", "8 9"),
    ("body", "UPDATE posts SET body = 'new' WHERE id = 1", "1"),
    ("title", "UPDATE posts SET title = 'new' WHERE id = 1", "1"),
    ("title to NULL", "UPDATE posts SET title = NULL WHERE id = 1", "1"),
    ("author from NULL to empty", "UPDATE posts SET author = '' WHERE id = 1", "1"),
    ("the same values", "UPDATE posts SET body = body, title = title, author = NULL WHERE id = 1", ""),
    (
        "a save that names every column",
        "UPDATE posts SET title = title, body = body, views = 9, og_image_url = NULL",
        "",
    ),
    ("a view counter", "UPDATE posts SET views = views + 1", ""),
    ("the image column", "UPDATE posts SET og_image_url = 'https://cdn.example/1.png'", ""),
    ("a column that nobody watches", "UPDATE posts SET slug = 'x'", ""),
    ("a column of the row filter", "UPDATE posts SET published = false WHERE id = 2", "2"),
    ("the key", "UPDATE posts SET id = 30 WHERE id = 3", "30"),
    ("only rows that differ", "UPDATE posts SET body = 'Body of 2'", "1 3"),
    (
        "update from",
        "UPDATE posts p SET body = v.b FROM (VALUES (1, 'a'), (2, 'Body of 2')) v(i, b) WHERE p.id = v.i",
        "1",
    ),
    ("case alone", "UPDATE posts SET title = upper(title) WHERE id = 1", "1"),
    ("a trailing blank alone", "UPDATE posts SET body = body || ' ' WHERE id = 1", "1"),
    (
        "upsert that inserts",
        "INSERT INTO posts (id, body) VALUES (9, 'x') ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        "9",
    ),
    (
        "upsert that changes",
        "INSERT INTO posts (id, body) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        "1",
    ),
    (
        "upsert of the same",
        "INSERT INTO posts (id, body) VALUES (1, 'Body of 1') ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        "",
    ),
    ("upsert that does nothing", "INSERT INTO posts (id, body) VALUES (1, 'x') ON CONFLICT DO NOTHING", ""),
    ("delete", "DELETE FROM posts WHERE id = 1", ""),
    (
        "twice in one transaction",
        "UPDATE posts SET body = 'a' WHERE id = 1; UPDATE posts SET body = 'b' WHERE id = 1",
        "1 1",
    ),
    ("undone by a savepoint", "SAVEPOINT s; UPDATE posts SET body = 'a' WHERE id = 1; ROLLBACK TO s", ""),
];

#[tokio::test]
async fn what_marks_and_what_does_not() {
    let (_test, client) = installed().await;
    posts(&client).await;
    let merge = "MERGE INTO posts p USING (VALUES (1, 'new'), (2, 'Body of 2'), (9, 'born')) v(i, b) ON p.id = v.i
                 WHEN MATCHED THEN UPDATE SET body = v.b WHEN NOT MATCHED THEN INSERT (id, body) VALUES (v.i, v.b)";
    let version: u32 = text(&client, "SHOW server_version_num").await.parse().unwrap();
    let merge = [("merge", merge, "1 9")];
    let merge = if version >= 150_000 { &merge[..] } else { &[] };
    for (what, statement, expected) in STATEMENTS.iter().chain(merge) {
        run(&client, what, "BEGIN").await;
        run(&client, what, statement).await;
        assert_eq!(marked(&client).await.join(" "), *expected, "{what}: {statement}");
        run(&client, what, "ROLLBACK").await;
    }
}

#[tokio::test]
async fn a_generated_body_follows_its_columns() {
    let (_test, client) = installed().await;
    let table = "CREATE TABLE notes (id int PRIMARY KEY, raw text, other int, body text GENERATED ALWAYS AS (upper(raw)) STORED);
                 INSERT INTO notes VALUES (1, 'a', 0); SELECT tintype.attach('notes')";
    run(&client, "setup", table).await;
    run(&client, "what it depends on", "UPDATE notes SET raw = 'b'").await;
    assert_eq!(marked(&client).await, ["1"]);
    run(&client, "something else", "UPDATE notes SET other = 1").await;
    assert!(marked(&client).await.is_empty());
}

/// A host's BEFORE trigger that makes the body from another column: the UPDATE does not name the body.
const REWRITE: &str = "
    CREATE FUNCTION rewrite() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.body := 'slug ' || coalesce(NEW.slug, ''); RETURN NEW; END $$;
    CREATE TRIGGER zz_rewrite BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION rewrite();";

#[tokio::test]
async fn a_body_that_the_host_rewrites_behind_another_column() {
    let (_test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(&client, "the host's trigger", REWRITE).await;
    run(&client, "attach", ATTACH).await;
    run(&client, "slug", "UPDATE posts SET slug = 'a' WHERE id = 1").await;
    assert_eq!(marked(&client).await, ["1"], "the body followed the slug");
    run(&client, "views", "UPDATE posts SET views = 1 WHERE id = 1").await;
    assert!(marked(&client).await.is_empty(), "the body stayed as it was");
    run(&client, "image", "UPDATE posts SET og_image_url = 'https://cdn.example/1.png' WHERE id = 1").await;
    assert!(marked(&client).await.is_empty(), "the body stayed as it was");
}

#[tokio::test]
async fn a_rewriting_trigger_that_came_later_is_seen_by_the_next_attach() {
    let (_test, client) = installed().await;
    posts(&client).await;
    run(&client, "the host's trigger", REWRITE).await;
    run(&client, "attach again", ATTACH).await;
    run(&client, "slug", "UPDATE posts SET slug = 'a' WHERE id = 1").await;
    assert_eq!(marked(&client).await, ["1"]);
}

#[tokio::test]
async fn a_mark_is_seen_when_its_row_is_and_not_before() {
    let (test, host) = installed().await;
    posts(&host).await;
    let other = test.client().await;
    let seen = "SELECT (SELECT count(*) FROM posts WHERE id = 4) || ' ' || (SELECT count(*) FROM tintype.change)";
    run(&host, "insert", "BEGIN; INSERT INTO posts (id, body) VALUES (4, 'x')").await;
    assert_eq!(text(&host, seen).await, "1 1");
    assert_eq!(text(&other, seen).await, "0 0", "before the commit");
    run(&host, "commit", "COMMIT").await;
    assert_eq!(text(&other, seen).await, "1 1", "after the commit");
    run(&host, "rollback", "BEGIN; UPDATE posts SET body = 'gone'; ROLLBACK").await;
    assert_eq!(text(&other, seen).await, "1 1", "a rollback leaves nothing");
}

#[tokio::test]
async fn repeatable_read_and_serializable_hosts_never_conflict_with_each_other_over_marks() {
    let (test, one) = installed().await;
    posts(&one).await;
    let two = test.client().await;
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let begin = format!("BEGIN ISOLATION LEVEL {level}; UPDATE posts SET body = '{level}' WHERE id = ");
        run(&one, level, &format!("{begin} 1")).await;
        run(&two, level, &format!("{begin} 2")).await;
        run(&one, level, "COMMIT").await;
        run(&two, level, "COMMIT").await;
        assert_eq!(marked(&one).await, ["1", "2"], "{level}");
    }
}
