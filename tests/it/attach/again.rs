//! Attached again with other columns, tried without doing it, detached, dropped, made anew, renamed.

use super::publish_one;
use crate::support::{
    program::tintype,
    schema::{installed, run, text, texts},
};

const POSTS: &str = "CREATE TABLE posts (id int PRIMARY KEY, slug text NOT NULL UNIQUE, title text, body text, intro text, views int DEFAULT 0, image text, og_image_url text)";

/// Everything that attach could have touched.
const STATE: &str = "
    SELECT to_jsonb(s)::text FROM tintype.source s
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'tintype'::regnamespace
    UNION ALL SELECT last_value || ' ' || is_called FROM tintype.source_id_seq
    ORDER BY 1";

#[tokio::test]
async fn attach_again_is_an_edit() {
    let (_test, client) = installed().await;
    run(&client, "table", POSTS).await;
    let marks = async |write: &str| {
        run(&client, write, write).await;
        texts(&client, "DELETE FROM tintype.change RETURNING key").await.len()
    };
    run(&client, "attach", "SELECT tintype.attach('posts', image => 'image')").await;
    assert_eq!(marks("INSERT INTO posts (id, slug, body) VALUES (1, 'one', 'x')").await, 1);
    assert_eq!(marks("UPDATE posts SET intro = 'a'").await, 0);
    run(
        &client,
        "other columns",
        "SELECT tintype.attach('posts', body => 'intro', title => '', image => 'og_image_url', draw => 'code')",
    )
    .await;
    assert_eq!(
        text(&client, "SELECT (body_column, title_column, image_column, draw, count(*) OVER ()) FROM tintype.source")
            .await,
        "(intro,,og_image_url,code,1)"
    );
    assert_eq!(marks("UPDATE posts SET intro = 'b'").await, 1);
    assert_eq!(marks("UPDATE posts SET body = 'b', title = 'b'").await, 0, "no longer watched");
    assert_eq!(marks("UPDATE posts SET og_image_url = 'https://cdn.example/1.png'").await, 0, "the new image column");
    run(&client, "a row filter", "SELECT tintype.attach('posts', row_filter => 'views > 10')").await;
    assert_eq!(marks("UPDATE posts SET views = 11").await, 1);
    assert_eq!(
        texts(&client, "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1").await,
        ["tintype_erased", "tintype_insert", "tintype_update"]
    );
    run(&client, "mark", "UPDATE posts SET body = 'c', image = NULL, og_image_url = NULL").await;
    assert_eq!(publish_one(&client, "under the old key").await, "1");
    run(&client, "another key", "SELECT tintype.attach('posts', key => '{slug}')").await;
    assert_eq!(
        text(&client, "SELECT count(*) FROM tintype.image").await,
        "0",
        "what was noted under the old key is forgotten"
    );
    run(&client, "mark", "UPDATE posts SET body = 'd', image = NULL, og_image_url = NULL").await;
    assert_eq!(publish_one(&client, "under the new key").await, "one");
    run(&client, "detach", "SELECT tintype.detach('posts')").await;
    assert_eq!(marks("UPDATE posts SET body = 'e'").await, 0);
    let left = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal UNION ALL SELECT count(*) FROM tintype.image
                UNION ALL SELECT count(*) FROM pg_proc WHERE proname LIKE 'mark\\_%'";
    assert_eq!(texts(&client, left).await, ["0", "0", "0"]);
    assert_eq!(
        text(&client, "SELECT og_image_url LIKE 'https://%' OR image LIKE 'https://%' FROM posts").await,
        "t",
        "URLs in rows stay"
    );
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_prints_sql_that_runs() {
    let (test, client) = installed().await;
    run(&client, "table", POSTS).await;
    for round in ["not attached yet", "attached", "beside another"] {
        let before = texts(&client, STATE).await;
        let dry = tintype(&test.url(), &["attach", "posts", "--dry-run", "--where", "views < 5"]).await;
        let printed = dry.done().to_owned();
        assert_eq!(texts(&client, STATE).await, before, "{round}");
        assert!(dry.stderr.contains("body    body") && dry.stderr.contains("where   views < 5"), "{round}: {dry:?}");
        run(&client, round, &format!("BEGIN; {printed}; INSERT INTO posts (id, slug, body) VALUES (5, 'five', 'x')"))
            .await;
        assert_eq!(
            texts(&client, "SELECT key FROM tintype.change").await,
            ["5"],
            "{round}: what it prints is what works"
        );
        run(&client, round, "ROLLBACK").await;
        let next = match round {
            "not attached yet" => "SELECT tintype.attach('posts')",
            "attached" => {
                "SELECT tintype.detach('posts'); CREATE TABLE notes (id int PRIMARY KEY, body text); SELECT tintype.attach('notes')"
            }
            _ => "",
        };
        run(&client, round, next).await;
    }
    let dry = tintype(&test.url(), &["attach", "posts", "--dry-run"]).await;
    let taken = text(&client, "SELECT 'mark_' || id || '()' FROM tintype.source WHERE name = 'notes'").await;
    assert!(!dry.done().contains(&taken), "it does not print another table's function: {dry:?}");
}

#[tokio::test]
async fn a_dropped_table_is_detached_by_its_name() {
    let (test, client) = installed().await;
    run(
        &client,
        "tables",
        "CREATE SCHEMA \"My Blog\"; CREATE TABLE \"My Blog\".\"Posts\" (id int PRIMARY KEY, body text)",
    )
    .await;
    run(&client, "attach", "SELECT tintype.attach('\"My Blog\".\"Posts\"'); DROP TABLE \"My Blog\".\"Posts\"").await;
    assert_eq!(text(&client, "SELECT state FROM tintype.status").await, "table dropped");
    let wrong = tintype(&test.url(), &["detach", "Post"]).await;
    assert_eq!(wrong.code, 2, "{wrong:?}");
    tintype(&test.url(), &["detach", "My Blog.Posts"]).await.done();
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.source").await, "0");
    assert_eq!(text(&client, "SELECT count(*) FROM pg_proc WHERE proname LIKE 'mark\\_%'").await, "0");
}

#[tokio::test]
async fn a_table_made_anew_or_renamed_takes_its_name_along() {
    let (_test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(&client, "attach", "SELECT tintype.attach('posts')").await;
    run(&client, "made anew", &format!("DROP TABLE posts; {POSTS}; SELECT tintype.attach('posts')")).await;
    assert_eq!(texts(&client, "SELECT name FROM tintype.source").await, ["posts"], "the dropped table is forgotten");
    run(&client, "replaced", &format!("ALTER TABLE posts RENAME TO posts_old; ALTER TABLE posts_old RENAME CONSTRAINT posts_pkey TO old_pkey; ALTER INDEX posts_slug_key RENAME TO old_slug; {POSTS}; SELECT tintype.attach('posts')")).await;
    let names = "SELECT name || ' ' || relation FROM tintype.source ORDER BY 1";
    assert_eq!(
        texts(&client, names).await,
        ["posts posts", "posts_old posts_old"],
        "both are watched, each under its name"
    );
    run(&client, "write", "INSERT INTO posts (id, slug, body) VALUES (1, 'one', 'x')").await;
    assert_eq!(publish_one(&client, "the new one").await, "1");
    run(&client, "write", "INSERT INTO posts_old (id, slug, body) VALUES (2, 'two', 'x')").await;
    assert_eq!(publish_one_of(&client).await, ["2"]);
}

/// The marked keys of all sources.
async fn publish_one_of(client: &tokio_postgres::Client) -> Vec<String> {
    texts(
        client,
        "SELECT c.key FROM tintype.change c JOIN tintype.source s ON s.id = c.source WHERE s.name = 'posts_old'",
    )
    .await
}

#[tokio::test]
async fn an_upgrade_refreshes_the_trigger_functions_even_beside_a_dropped_table() {
    let (_test, client) = installed().await;
    run(
        &client,
        "tables",
        "CREATE TABLE gone (id int PRIMARY KEY, body text); CREATE TABLE posts (id int PRIMARY KEY, body text)",
    )
    .await;
    run(&client, "attach", "SELECT tintype.attach('gone'), tintype.attach('posts'); DROP TABLE gone").await;
    run(
        &client,
        "an older function",
        "CREATE OR REPLACE FUNCTION tintype.mark_2() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    )
    .await;
    run(&client, "upgrade", &tintype::install::up(&[1, 2, 3, 4, 5, 6, 7, 8, 9])).await;
    run(&client, "write", "INSERT INTO posts VALUES (1, 'x')").await;
    assert_eq!(texts(&client, "SELECT key FROM tintype.change").await, ["1"]);
}

#[tokio::test]
async fn a_picture_that_came_along_with_another_key_is_replaced_and_one_from_elsewhere_stays() {
    let (_test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(&client, "attach", "SELECT tintype.attach('posts')").await;
    run(&client, "write", "INSERT INTO posts (id, slug, body) VALUES (1, 'one', 'x')").await;
    publish_one(&client, "its first key").await;
    let own =
        "SELECT og_image_url LIKE 'https://cdn.example/' || md5(id::text) || '/%' FROM posts ORDER BY id DESC LIMIT 1";
    run(&client, "another key", "UPDATE posts SET id = 7 WHERE id = 1").await;
    assert_eq!(publish_one(&client, "its second key").await, "7");
    assert_eq!(text(&client, own).await, "t", "a row that got another key");
    let copied = "INSERT INTO posts (id, slug, body, og_image_url) SELECT 8, 'two', 'y', og_image_url FROM posts";
    run(&client, "a row copied with all its columns", copied).await;
    assert_eq!(publish_one(&client, "the copy").await, "8");
    assert_eq!(text(&client, own).await, "t", "a row that was copied");
    run(
        &client,
        "by hand",
        "UPDATE posts SET body = 'z', og_image_url = 'https://photos.example/sea.png' WHERE id = 8",
    )
    .await;
    run(&client, "fold", "SELECT tintype.fold(10)").await;
    let publish = "SELECT p.outcome FROM tintype.claim(1, 10, 60) j, tintype.source s, tintype.read_row(s, j.key) r,
        tintype.publish(jsonb_build_array(jsonb_build_object('source', s.id, 'key', j.key, 'lease', j.lease, 'state', 'ready', 'content', r.content,
            'template', 't', 'url', 'https://cdn.example/8/1.png', 'object', '8/1.png', 'in_row', false, 'updated_at', now()))) p";
    assert_eq!(text(&client, publish).await, "kept", "what was chosen by hand stays");
}

#[tokio::test]
async fn the_strict_mode_stays_until_it_is_ended() {
    let (test, client) = installed().await;
    run(&client, "table", POSTS).await;
    for (arguments, strict) in [
        (&["attach", "posts", "--yes"][..], "f"),
        (&["attach", "posts", "--yes", "--strict"], "t"),
        (&["attach", "posts", "--yes", "--draw", "code"], "t"),
        (&["attach", "posts", "--yes", "--strict=false"], "f"),
    ] {
        tintype(&test.url(), arguments).await.done();
        assert_eq!(text(&client, "SELECT strict FROM tintype.source").await, strict, "{arguments:?}");
        let guarded = "SELECT NOT prosrc LIKE '%EXCEPTION WHEN OTHERS%' FROM pg_proc WHERE proname LIKE 'mark\\_%'";
        assert_eq!(text(&client, guarded).await, strict, "{arguments:?}");
    }
    let dry = tintype(&test.url(), &["attach", "posts", "--strict", "--dry-run"]).await;
    assert!(!dry.done().contains("EXCEPTION") && dry.stderr.contains("strict  a write fails"), "{dry:?}");
}

#[tokio::test]
async fn what_waits_for_its_picture_waits_under_its_new_key() {
    let (_test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(&client, "by slug", "SELECT tintype.attach('posts', key => '{slug}', image => 'image')").await;
    run(
        &client,
        "rows",
        "INSERT INTO posts (id, slug, body) VALUES (1, 'one', 'x'), (2, 'two', 'x'), (3, 'three', 'x')",
    )
    .await;
    run(&client, "fold", "SELECT tintype.fold(2)").await; // two jobs, and a mark
    run(&client, "by id", "SELECT tintype.attach('posts', key => '{id}', image => 'image')").await;
    assert_eq!(texts(&client, "SELECT key FROM tintype.change ORDER BY 1").await, ["1", "2", "3"]);
    assert_eq!(texts(&client, "SELECT key FROM tintype.job").await, Vec::<String>::new());
    run(&client, "drop the column of the old key", "SELECT tintype.attach('posts', key => '{slug}', image => 'image')")
        .await;
    run(&client, "no slug", "SELECT tintype.detach('posts'); ALTER TABLE posts DROP COLUMN slug; SELECT tintype.attach('posts', image => 'image')").await;
    assert_eq!(texts(&client, "SELECT key FROM tintype.job").await, Vec::<String>::new());
}

#[tokio::test]
async fn another_image_column_gets_the_urls_and_the_old_one_is_the_hosts() {
    let (_test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(
        &client,
        "attach",
        "SELECT tintype.attach('posts', image => 'image'); INSERT INTO posts (id, slug, body) VALUES (1, 'one', 'x')",
    )
    .await;
    assert_eq!(publish_one(&client, "into the first column").await, "1");
    let state = "SELECT in_row || ' ' || (p.image = i.url) || ' ' || (p.og_image_url IS NOT DISTINCT FROM i.url) FROM posts p, tintype.image i";
    assert_eq!(text(&client, state).await, "true true false");
    let sweep = "UPDATE tintype.source SET swept_to = NULL, pruned_to = NULL; SELECT tintype.sweep(1, 10)";
    let marks = "SELECT count(*) FROM tintype.change";

    run(&client, "no column", "SELECT tintype.attach('posts', image => '')").await;
    assert_eq!(text(&client, state).await, "false true false", "it stands in no column of ours");
    run(&client, "a sweep", sweep).await;
    assert_eq!(text(&client, marks).await, "0", "and is to stand in none");
    run(&client, "the other", "SELECT tintype.attach('posts', image => 'og_image_url')").await;
    assert_eq!(text(&client, state).await, "false true false");
    assert_eq!(texts(&client, "SELECT name FROM tintype.due_sweeps()").await, ["posts"], "at once");
    run(&client, "a sweep", sweep).await;
    assert_eq!(publish_one(&client, "into the other column").await, "1");
    assert_eq!(text(&client, state).await, "true true true");
    run(&client, "a sweep", sweep).await;
    assert_eq!(text(&client, marks).await, "0", "nothing is left to do");
}

#[tokio::test]
async fn without_an_image_column_nothing_watches_it() {
    let (_test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(&client, "with", "SELECT tintype.attach('posts', image => 'image')").await;
    run(&client, "without", "SELECT tintype.attach('posts', image => '')").await;
    let triggers = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1";
    assert_eq!(texts(&client, triggers).await, ["tintype_insert", "tintype_update"]);
}

#[tokio::test]
async fn another_filter_is_looked_after_at_once() {
    let (_test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(&client, "attach", "SELECT tintype.attach('posts', image => 'image')").await;
    assert_eq!(texts(&client, "SELECT name FROM tintype.due_sweeps()").await, Vec::<String>::new());
    run(&client, "the same", "SELECT tintype.attach('posts', image => 'image')").await;
    assert_eq!(texts(&client, "SELECT name FROM tintype.due_sweeps()").await, Vec::<String>::new());
    let filtered = "SELECT tintype.attach('posts', image => 'image', row_filter => 'views > 10', unpublish => true)";
    run(&client, "a filter", filtered).await;
    assert_eq!(texts(&client, "SELECT name FROM tintype.due_sweeps()").await, ["posts"]);
}

#[tokio::test]
async fn what_no_trigger_saw_is_swept_for_at_once() {
    let (test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(&client, "attach", "SELECT tintype.attach('posts', image => 'image')").await;
    let due = "SELECT name FROM tintype.due_sweeps()";
    for (gone, edit) in [
        ("DROP TRIGGER tintype_update ON posts", "UPDATE posts SET body = 'y'"),
        ("DROP TRIGGER tintype_erased ON posts", "UPDATE posts SET image = NULL"),
        ("ALTER TABLE posts DISABLE TRIGGER tintype_update", "UPDATE posts SET body = 'z'"),
        ("ALTER TABLE posts ENABLE REPLICA TRIGGER tintype_update", "UPDATE posts SET body = 'a'"),
    ] {
        run(&client, "a row with its picture", "DELETE FROM posts; DELETE FROM tintype.image; DELETE FROM tintype.change; DELETE FROM tintype.job; INSERT INTO posts (id, slug, body) VALUES (1, 'one', 'x')").await;
        assert_eq!(publish_one(&client, gone).await, "1");
        run(&client, gone, &format!("{gone}; {edit}; UPDATE tintype.source SET swept_at = now()")).await;
        assert_eq!(texts(&client, "SELECT key FROM tintype.change").await, Vec::<String>::new(), "{gone}");
        let again = tintype(&test.url(), &["attach", "posts", "--yes"]).await;
        assert!(again.code == 0 && again.stderr.contains("a trigger was missing or switched off"), "{gone}: {again:?}");
        assert_eq!(texts(&client, due).await, ["posts"], "{gone}");
        run(&client, gone, "SELECT tintype.sweep(1, 10)").await;
        assert_eq!(texts(&client, "SELECT key FROM tintype.change").await, ["1"], "{gone}: what it missed");
        run(&client, "to its end", "SELECT tintype.sweep(1, 10)").await;
        let fires = "SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger WHERE tgname LIKE 'tintype%'";
        assert_eq!(text(&client, fires).await, "O", "{gone}: all are on again");
    }
    let again = tintype(&test.url(), &["attach", "posts", "--yes"]).await;
    assert!(again.code == 0 && !again.stderr.contains("a trigger was missing"), "{again:?}");
    assert_eq!(texts(&client, due).await, Vec::<String>::new(), "nothing was missed");
}

#[tokio::test]
async fn a_trigger_that_fires_in_replicas_goes_on_doing_so() {
    let (_test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(&client, "attach", "SELECT tintype.attach('posts')").await;
    run(&client, "a subscriber", "ALTER TABLE posts ENABLE ALWAYS TRIGGER tintype_update").await;
    run(&client, "again", "SELECT tintype.attach('posts', draw => 'code')").await;
    let fires = "SELECT tgname || ' ' || tgenabled::text FROM pg_trigger WHERE tgname LIKE 'tintype%' ORDER BY 1";
    assert_eq!(texts(&client, fires).await, ["tintype_erased O", "tintype_insert O", "tintype_update A"]);
}

#[tokio::test]
async fn a_pause_without_triggers_lets_a_migration_through() {
    let (test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(
        &client,
        "attach",
        "SELECT tintype.attach('posts', image => 'image', row_filter => 'views < 10', look => 'paper')",
    )
    .await;
    run(&client, "row", "INSERT INTO posts (id, slug, body) VALUES (1, 'one', 'x')").await;
    let before = text(&client, "SELECT to_jsonb(s) - 'swept_at' - 'paused' FROM tintype.source s").await;
    let migrate = "ALTER TABLE posts ALTER COLUMN body TYPE varchar(500)";
    assert!(client.batch_execute(migrate).await.is_err(), "a watched column");
    let paused = tintype(&test.url(), &["pause", "posts", "--triggers"]).await;
    assert!(paused.code == 0 && paused.stderr.contains("next: tintype resume posts"), "{paused:?}");
    run(&client, "migrate", migrate).await;
    run(&client, "an edit that nobody marks", "UPDATE posts SET body = 'y'").await;
    let resumed = tintype(&test.url(), &["resume", "posts"]).await;
    assert!(resumed.code == 0 && resumed.stderr.contains("tintype backfill posts"), "{resumed:?}");
    assert_eq!(text(&client, "SELECT to_jsonb(s) - 'swept_at' - 'paused' FROM tintype.source s").await, before);
    assert_eq!(texts(&client, "SELECT name FROM tintype.due_sweeps()").await, ["posts"], "which finds the edit");
    run(&client, "an edit", "DELETE FROM tintype.change; UPDATE posts SET body = 'z'").await;
    assert_eq!(texts(&client, "SELECT key FROM tintype.change").await, ["1"], "marked again");
    let again = tintype(&test.url(), &["resume", "posts"]).await;
    assert!(again.code == 0 && !again.stderr.contains("backfill"), "{again:?}");
}

#[tokio::test]
async fn a_table_that_is_not_the_same_any_more_is_not_resumed() {
    let (test, client) = installed().await;
    run(&client, "table", POSTS).await;
    run(
        &client,
        "attach",
        "SELECT tintype.attach('posts', image => 'image'), tintype.pause('posts', triggers => true)",
    )
    .await;
    run(&client, "rename", "ALTER TABLE posts RENAME body TO words").await;
    let refused = tintype(&test.url(), &["resume", "posts"]).await;
    assert!(
        refused.code == 2 && refused.stderr.contains("body") && refused.stderr.contains("hint: tintype attach posts"),
        "{refused:?}"
    );
    run(
        &client,
        "another key",
        "ALTER TABLE posts RENAME words TO body; ALTER TABLE posts ALTER COLUMN id TYPE bigint",
    )
    .await;
    let refused = tintype(&test.url(), &["resume", "posts"]).await;
    assert!(refused.code == 2 && refused.stderr.contains("key of posts"), "{refused:?}");
}
