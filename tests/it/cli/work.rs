//! Commands at work: what they count, what they print as JSON, and how they stand to a worker that runs or does not.

use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use super::POSTS;
use crate::support::{
    eventually,
    postgres::TestDatabase,
    program::{Ran, command, run as run_program, tintype},
    schema::{installed, run, text},
};

pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// A command line whose host has this name.
pub(super) fn on_host(url: &str, host: &str, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("DATABASE_URL", url).env("HOSTNAME", host);
    command
}

/// A worker that stores in a folder; it ends with the value.
fn worker(url: &str, folder: &tempfile::TempDir) -> Child {
    let storage = folder.path().to_str().unwrap();
    let arguments = ["run", "--storage", storage, "--public-base-url", "https://cdn.example/og", "--log", "error"];
    on_host(url, "box", &arguments).spawn().expect("the worker starts")
}

pub(super) fn json(ran: &Ran) -> Vec<Value> {
    ran.done()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[tokio::test]
async fn status_of_nothing_and_of_something() {
    let (test, client) = installed().await;
    let empty = tintype(&test.url(), &["status"]).await;
    assert_eq!((empty.done(), empty.stderr.as_str()), ("", "no table is attached\nnext: tintype attach TABLE\n"));
    assert!(json(&tintype(&test.url(), &["status", "--json"]).await).is_empty());
    run(&client, "a host", POSTS).await;
    run(&client, "more", "CREATE TABLE notes (id int PRIMARY KEY, body text); SELECT tintype.attach('notes'), tintype.pause('notes'); INSERT INTO notes VALUES (1, 'x')").await;
    let full = tintype(&test.url(), &["status"]).await;
    let lines: Vec<Vec<&str>> = full.done().lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        lines[0],
        ["source", "state", "ready", "skipped", "failed", "pending", "processing", "retrying", "oldest"]
    );
    assert_eq!(lines[1][..7], ["notes", "paused", "0", "0", "0", "1", "0"], "{full:?}");
    assert_eq!(lines[2][..7], ["posts", "watching", "0", "0", "0", "0", "0"], "{full:?}");
    assert_eq!(full.stderr, "no worker is running: tintype run\n");
    assert!(!full.stdout.contains('\u{1b}'));
    let objects = json(&tintype(&test.url(), &["status", "--json"]).await);
    assert_eq!(objects.len(), 2);
    assert_eq!(
        (&objects[0]["source"], &objects[0]["pending"], &objects[0]["workers"]),
        (&"notes".into(), &1.into(), &0.into())
    );
}

#[tokio::test]
async fn a_table_whose_column_is_gone_is_broken_at_once() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    run(&client, "its image column goes", "ALTER TABLE posts DROP COLUMN image CASCADE").await;
    let told = tintype(&test.url(), &["status"]).await;
    assert_eq!(told.done().lines().nth(1).unwrap().split_whitespace().nth(1), Some("broken"), "{told:?}");
    assert!(
        told.stderr.starts_with(
            "posts: last error: column image is not there any more\nposts is broken: tintype doctor says what mends it\n"
        ),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_row_that_has_not_failed_is_not_tried_again_in_silence() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    run(
        &client,
        "rows in every state",
        "DELETE FROM tintype.change; INSERT INTO tintype.job (source, key) VALUES (1, '1');
         INSERT INTO tintype.image (source, key, state, reason, url) VALUES (1, '2', 'ready', NULL, 'https://cdn.example/2.png'), (1, '3', 'skipped', 'no text', NULL)",
    )
    .await;
    for (key, code, words) in [
        ("1", 0, "row 1 of posts has not failed: it waits for its turn"),
        (
            "2",
            0,
            "row 2 of posts has not failed: its picture is https://cdn.example/2.png; tintype backfill posts --rerender --where 'id = 2' draws it again",
        ),
        ("3", 0, "row 3 of posts has not failed: it calls for no picture (no text)"),
        ("4", 0, "row 4 of posts has not failed: nobody has asked for its picture yet"),
        ("99", 2, "error: posts has no row with the key 99\n  hint: the key is (id); "),
        ("x", 2, "error: posts has no row with the key x\n"),
    ] {
        let ran = tintype(&test.url(), &["retry", "posts", key]).await;
        assert!(ran.code == code && ran.stderr.starts_with(words), "{key}: {ran:?}");
    }
    run(
        &client,
        "keys of other kinds",
        r#"CREATE TABLE years ("theYear" text PRIMARY KEY, body text); INSERT INTO years VALUES ('1843', 'x');
        CREATE TABLE pairs (a int, b text, body text, PRIMARY KEY (a, b)); INSERT INTO pairs VALUES (1, 'it''s', 'x');
        SELECT tintype.attach('years'); SELECT tintype.attach('pairs')"#,
    )
    .await;
    for (table, key, condition) in [
        ("years", "1843", r#"--where '"theYear" = $$1843$$' draws"#),
        ("pairs", "{1,it's}", r"--where 'a = 1 AND b = $$it'\''s$$' draws"),
    ] {
        let ran = tintype(&test.url(), &["retry", table, key]).await;
        assert!(ran.code == 0 && ran.stderr.contains(condition), "{key}: {ran:?}");
    }
    let ran = tintype(&test.url(), &["retry", "posts"]).await;
    assert_eq!(ran.stderr, "nothing of posts has failed, and nothing waits for another attempt\n", "{ran:?}");
}

#[tokio::test]
async fn a_pause_is_of_one_table() {
    let (_test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    run(&client, "another", "CREATE TABLE notes (id int PRIMARY KEY, body text); SELECT tintype.attach('notes')").await;
    run(&client, "marks", "INSERT INTO notes VALUES (1, 'x'); UPDATE posts SET body = 'x' WHERE id < 3").await;
    for (call, states, depth) in [
        ("pause('notes')", "notes paused, posts watching", "2"),
        ("pause('posts')", "notes paused, posts paused", "0"),
        ("resume('notes')", "notes watching, posts paused", "1"),
        ("resume('posts')", "notes watching, posts watching", "3"),
    ] {
        run(&client, call, &format!("SELECT tintype.{call}")).await;
        let now =
            text(&client, "SELECT string_agg(source || ' ' || state, ', ' ORDER BY source) FROM tintype.status").await;
        assert_eq!(now, states, "{call}");
        assert_eq!(text(&client, "SELECT depth FROM tintype.queue_depth").await, depth, "{call}");
    }
}

#[tokio::test]
async fn backfill_counts_and_marks() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    run(&client, "two have a picture", "UPDATE posts SET image = 'https://cdn.example/' || id WHERE id > 3").await;
    let cases: &[(&[&str], i64)] = &[
        (&[], 3),
        (&["--rerender"], 5),
        (&["--where", "id >= 2"], 2),
        (&["--where", "id >= 2", "--rerender"], 4),
        (&["--where", "title LIKE 'Post %' AND false"], 0),
    ];
    for (flags, expected) in cases {
        for dry in [true, false] {
            let mut arguments = [&["backfill", "posts", "--json"], *flags].concat();
            if dry {
                arguments.push("--dry-run");
            }
            let outcome = json(&tintype(&test.url(), &arguments).await).remove(0);
            let told = (&outcome["scanned"], &outcome["marked"], &outcome["dry_run"]);
            assert_eq!(told, (&5.into(), &(*expected).into(), &dry.into()), "{arguments:?}");
            let marked =
                text(&client, "WITH gone AS (DELETE FROM tintype.change RETURNING 1) SELECT count(*) FROM gone").await;
            assert_eq!(marked, if dry { "0".to_owned() } else { expected.to_string() }, "{arguments:?}");
        }
    }
    let words = tintype(&test.url(), &["backfill", "posts", "--dry-run"]).await;
    assert_eq!(
        (words.done(), words.stderr.as_str()),
        ("", "3 of 5 rows of posts would be drawn; how long that takes is unknown until a worker has drawn some\n")
    );
    let words = tintype(&test.url(), &["backfill", "posts"]).await;
    assert!(
        words.stderr.starts_with("marked 3 rows of posts; 2 others needed nothing\nnext: tintype run"),
        "{words:?}"
    );
    for (what, sql, time) in [
        (
            "one that idles",
            "INSERT INTO tintype.worker (name, version, card_pace) VALUES ('a', '0', 20)",
            "in about 15 s",
        ),
        ("one that drew none yet", "INSERT INTO tintype.worker (name, version) VALUES ('b', '0')", "in about 8 s"),
        (
            "nobody, and one that was",
            "DELETE FROM tintype.worker WHERE name = 'b'; SELECT tintype.say_goodbye(id, 5, NULL) FROM tintype.worker",
            "in about 60 s once a worker runs",
        ),
    ] {
        run(&client, what, sql).await;
        let words = tintype(&test.url(), &["backfill", "posts", "--dry-run", "--rerender"]).await;
        assert_eq!(words.stderr, format!("5 of 5 rows of posts would be drawn, {time}\n"), "{what}");
    }
    let words = tintype(&test.url(), &["backfill", "posts", "--dry-run", "--stale"]).await;
    assert_eq!(
        words.stderr,
        "5 of 5 rows of posts would be looked at again, in about 60 s once a worker runs, where all of them differ\n"
    );
}

#[tokio::test]
async fn a_backfill_of_what_cannot_be_walked_says_why() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    for dry in [&[][..], &["--dry-run"]] {
        for (condition, complaint, hint) in [
            ("idd < 3", "column \"idd\" does not exist", "Perhaps you meant to reference the column \"id\"."),
            ("id < 'x'", "invalid input syntax for type integer: \"x\"", "Write an SQL condition"),
            ("id <", "syntax error at or near \")\"", "Write an SQL condition"),
        ] {
            let ran = tintype(&test.url(), &[&["backfill", "posts", "--where", condition], dry].concat()).await;
            super::well_said(condition, &ran, 2);
            let error = format!("the condition ({condition}) cannot be used on public.posts: {complaint}");
            assert!(ran.error() == error && ran.hint().starts_with(hint), "{ran:?}");
        }
    }
    run(&client, "a column goes", "ALTER TABLE posts RENAME body TO words").await;
    for flags in [&[][..], &["--dry-run"], &["--stale"], &["--where", "id < 3"]] {
        let ran = tintype(&test.url(), &[&["backfill", "posts"], flags].concat()).await;
        super::well_said("a table that is broken", &ran, 2);
        assert_eq!(
            (ran.error(), ran.hint()),
            (
                "posts is broken: column body, its body, is not there any more (renamed to words?)",
                "tintype attach posts --body words --yes"
            ),
            "{flags:?}"
        );
    }
    tintype(&test.url(), &["attach", "posts", "--body", "words", "--yes"]).await.done();
    tintype(&test.url(), &["backfill", "posts"]).await.done();
}

#[tokio::test]
async fn waiting_without_a_worker_is_no_use() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    let ran = tintype(&test.url(), &["backfill", "posts", "--wait"]).await;
    super::well_said("no worker", &ran, 1);
    assert_eq!(ran.hint(), "start one with tintype run");
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.change").await, "5", "what is marked stays marked");
    run(&client, "nothing to wait for", "DELETE FROM tintype.change; UPDATE posts SET image = 'x'").await;
    tintype(&test.url(), &["backfill", "posts", "--wait"]).await.done();
}

#[tokio::test]
async fn a_worker_is_seen_waited_for_and_its_failures_are_told() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    run(&client, "a row that takes no URL", "ALTER TABLE posts ADD CHECK (id <> 3 OR image IS NULL)").await;
    let url = test.url();
    let healthy = async || run_program(on_host(&url, "box", &["healthcheck"])).await;
    let ran = healthy().await;
    super::well_said("no worker yet", &ran, 1);
    assert_eq!(ran.hint(), "start one with tintype run");

    let folder = tempfile::tempdir().unwrap();
    let mut child = worker(&url, &folder);
    eventually("the worker's heartbeat", LIMIT, async || (healthy().await.code == 0).then_some(())).await;
    let elsewhere = run_program(on_host(&url, "another", &["healthcheck"])).await;
    assert_eq!(elsewhere.code, 1, "the worker of another host is not this host's: {elsewhere:?}");

    let ran = tintype(&url, &["backfill", "posts", "--wait"]).await;
    let (drew, rest) = ran.stderr.split_once('\n').unwrap();
    let (reason, rest) = rest.split_once('\n').unwrap();
    assert_eq!(drew, "drew 4 of 5 rows of posts");
    assert!(
        reason.starts_with("       1  the host's table refused the URL: ") && reason.ends_with("(such as 3)"),
        "{reason}"
    );
    super::well_said("one row fails", &Ran { stderr: rest.to_owned(), ..ran }, 4);
    let drawn = "SELECT count(*) FROM posts WHERE image LIKE 'https://cdn.example/og/posts/%'";
    assert_eq!(text(&client, drawn).await, "4");
    let status = json(&tintype(&url, &["status", "--json"]).await).remove(0);
    assert_eq!((&status["ready"], &status["failed"], &status["workers"]), (&4.into(), &1.into(), &1.into()));

    for (arguments, marked) in [(&["retry", "posts", "1", "--json"][..], 0), (&["retry", "posts", "3", "--json"], 1)] {
        assert_eq!(json(&tintype(&url, arguments).await)[0]["marked"], marked, "{arguments:?}");
    }
    let idle = "SELECT depth = 0 AND (SELECT state = 'failed' AND content IS NOT NULL FROM tintype.image WHERE key = '3') FROM tintype.queue_depth";
    eventually("the retried row fails again", LIMIT, async || (text(&client, idle).await == "t").then_some(())).await;
    run(&client, "the table is mended", "ALTER TABLE posts DROP CONSTRAINT posts_check").await;
    let ran = tintype(&url, &["retry"]).await;
    assert_eq!((ran.done(), ran.stderr.as_str()), ("", "1 row will be tried again\n"));
    eventually("the row gets its picture", LIMIT, async || (text(&client, drawn).await == "5").then_some(())).await;

    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_run_until_idle_tells_of_failures_by_its_exit_code() {
    let (test, client) = installed().await;
    let folder = tempfile::tempdir().unwrap();
    let storage = folder.path().to_str().unwrap();
    let arguments =
        ["run", "--exit-when-idle", "--storage", storage, "--public-base-url", "https://cdn.example", "--log", "error"];
    let ran = tintype(&test.url(), &arguments).await;
    assert_eq!((ran.done(), ran.stderr.as_str()), ("", ""), "nothing to do");
    run(&client, "a host", &POSTS.replace("image text", "image text CHECK (id <> 3 OR image IS NULL)")).await;
    tintype(&test.url(), &["backfill", "posts"]).await.done();
    let ran = tintype(&test.url(), &arguments).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.error().starts_with("1 rows have no picture") && ran.hint().contains("tintype retry"), "{ran:?}");
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.worker").await, "0", "it takes its leave");
}

#[tokio::test]
async fn what_run_refuses_before_it_starts() {
    let test = TestDatabase::new().await;
    for (arguments, code, error, hint) in [
        (&["run"][..], 3, "no storage is named", "--storage s3://bucket/prefix"),
        (
            &["run", "--storage", "/tmp", "--log", "tintype=loud"],
            2,
            "--log tintype=loud",
            "error, warn, info, debug, trace",
        ),
    ] {
        let ran = tintype(&test.url(), arguments).await;
        super::well_said(&format!("{arguments:?}"), &ran, code);
        assert!(ran.error().starts_with(error) && ran.hint().contains(hint), "{arguments:?}: {ran:?}");
    }
}

#[tokio::test]
async fn what_says_json_is_json() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("x.png");
    for arguments in [
        &["install", "--json"][..],
        &["attach", "posts", "--json"],
        &["attach", "posts", "--json", "--dry-run"],
        &["backfill", "posts", "--json"],
        &["backfill", "posts", "--json", "--dry-run"],
        &["status", "--json"],
        &["retry", "--json"],
        &["preview", "posts", "1", "--json", "-o", picture.to_str().unwrap()],
    ] {
        let ran = tintype(&test.url(), arguments).await;
        assert_eq!(json(&ran).len(), 1, "{arguments:?}");
        assert!(json(&ran)[0].is_object() && ran.stderr.is_empty(), "{arguments:?}: {ran:?}");
    }
    let dry =
        json(&tintype(&test.url(), &["attach", "posts", "--draw", "code", "--json", "--dry-run"]).await).remove(0);
    assert!(dry["sql"].as_str().unwrap().contains("CREATE OR REPLACE TRIGGER tintype_update"), "{dry}");
    assert_eq!((&dry["draw"], &dry["grants"]), (&"code".into(), &serde_json::json!([])));
}

#[tokio::test]
async fn status_counts_pictures_with_marks() {
    let (test, client) = installed().await;
    let table = "CREATE TABLE posts (id int PRIMARY KEY, title text, body text, og_image_url text)";
    run(&client, "a host", &format!("{table}; SELECT tintype.attach('posts')")).await;
    let rows = "INSERT INTO posts (id, title) VALUES (1, 'One'), (2, U&'\\+10FFFD'), (3, U&'\\+10FFFC')";
    run(&client, "rows", rows).await;
    let folder = tempfile::tempdir().unwrap();
    let storage = folder.path().to_str().unwrap();
    tintype(&test.url(), &["run", "--exit-when-idle", "--storage", storage, "--public-base-url", "/og"]).await.done();
    let status = json(&tintype(&test.url(), &["status", "--json"]).await).remove(0);
    assert_eq!((&status["ready"], &status["marked"]), (&3.into(), &2.into()));
    let ran = tintype(&test.url(), &["status"]).await;
    assert!(ran.stderr.contains("posts: 2 ready with marks for characters that no font has"), "{ran:?}");
}
