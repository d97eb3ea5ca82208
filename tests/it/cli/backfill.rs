//! Backfills from the command line: killed and gone on with, at a rate, up to a limit, of what is stale.

use std::time::Duration;

use super::{
    POSTS,
    work::{LIMIT, json, on_host},
};
use crate::support::{
    eventually,
    program::tintype,
    schema::{installed, run, text},
};

/// Five hundred posts from before tintype came.
async fn many(client: &tokio_postgres::Client) {
    run(
        client,
        "a host",
        "CREATE TABLE posts (id int PRIMARY KEY, title text, body text, image text);
        INSERT INTO posts SELECT i, 'Post ' || i, 'Body of ' || i FROM generate_series(1, 500) i;
        SELECT tintype.attach('posts')",
    )
    .await;
}

#[tokio::test]
async fn a_backfill_that_is_killed_goes_on_where_it_stood() {
    let (test, client) = installed().await;
    many(&client).await;
    let marks = "SELECT count(*) FROM tintype.change";
    let mut slow = on_host(&test.url(), "box", &["backfill", "posts", "--rate", "100"]);
    let mut child = slow.spawn().unwrap();
    eventually("some are marked", LIMIT, async || (text(&client, marks).await != "0").then_some(())).await;
    child.kill().await.unwrap();
    let done: i32 = text(&client, "SELECT marked FROM tintype.backfill_run").await.parse().unwrap();
    assert!(done > 0 && done < 500, "{done}");
    let again = tintype(&test.url(), &["backfill", "posts", "--dry-run"]).await;
    assert!(again.stderr.starts_with("500 of 500 rows of posts would be drawn; "), "{again:?}");
    let ran = tintype(&test.url(), &["backfill", "posts", "--resume", "--json"]).await;
    let told = json(&ran).remove(0);
    assert_eq!((&told["marked"], &told["resumed_after"]), (&(500 - done).into(), &done.to_string().into()), "{ran:?}");
    assert_eq!(
        text(&client, "SELECT count(*) || ' ' || count(DISTINCT key) FROM tintype.change").await,
        "500 500",
        "no row twice"
    );
    let over = tintype(&test.url(), &["backfill", "posts", "--resume"]).await;
    super::well_said("nothing to go on with", &over, 2);
}

#[tokio::test]
async fn a_rate_and_a_limit_hold() {
    let (test, client) = installed().await;
    many(&client).await;
    let began = std::time::Instant::now();
    let ran = tintype(&test.url(), &["backfill", "posts", "--rate", "40", "--limit", "60", "--json"]).await;
    let told = json(&ran).remove(0);
    assert_eq!((&told["scanned"], &told["marked"]), (&60.into(), &60.into()), "{ran:?}");
    assert!(began.elapsed() > Duration::from_millis(1_200), "60 rows at 40 a second: {:?}", began.elapsed());
    let ran = tintype(&test.url(), &["backfill", "posts", "--resume", "--limit", "50"]).await;
    assert_eq!(
        ran.stderr,
        "marked 50 rows of posts, as many as --limit asked for; --resume goes on from there\nnext: tintype run draws them; tintype status shows how far it is\n"
    );
    assert_eq!(text(&client, "SELECT max(key::int) FROM tintype.change").await, "110");
    let ran = tintype(&test.url(), &["backfill", "posts", "--rerender", "--limit", "1"]).await;
    assert!(
        ran.stderr.starts_with("note: an earlier backfill stopped after 110 rows, at key 110; this one begins anew"),
        "{ran:?}"
    );
    for wrong in [&["--resume", "--stale"][..], &["--rerender", "--stale"], &["--rate", "0"]] {
        let ran = tintype(&test.url(), &[&["backfill", "posts"], wrong].concat()).await;
        assert_eq!(ran.code, 2, "{wrong:?}: {ran:?}");
    }
}

#[tokio::test]
async fn stale_draws_what_differs_and_nothing_else() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    let folder = tempfile::tempdir().unwrap();
    let storage = folder.path().to_str().unwrap();
    let work = async || {
        tintype(
            &test.url(),
            &[
                "run",
                "--exit-when-idle",
                "--storage",
                storage,
                "--public-base-url",
                "https://cdn.example",
                "--log",
                "error",
            ],
        )
        .await
        .done();
    };
    tintype(&test.url(), &["backfill", "posts"]).await.done();
    work().await;
    let drawn = "SELECT string_agg(key || ' ' || rendered_at, ', ' ORDER BY key) FROM tintype.image";
    let before = text(&client, drawn).await;
    let dry = json(&tintype(&test.url(), &["backfill", "posts", "--rerender", "--dry-run", "--json"]).await).remove(0);
    assert!(dry["seconds"].as_u64().is_some(), "there is a pace by now: {dry}");
    tintype(&test.url(), &["backfill", "posts", "--stale"]).await.done();
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.change").await, "5", "the worker looks at all of them");
    work().await;
    assert_eq!(text(&client, drawn).await, before, "nothing is drawn");
    run(&client, "another look", "SELECT tintype.attach('posts', look => 'paper')").await;
    run(&client, "behind the triggers' backs", "SET session_replication_role = replica; UPDATE posts SET body = 'x' WHERE id = 2; RESET session_replication_role").await;
    tintype(&test.url(), &["backfill", "posts", "--stale", "--where", "id <= 3"]).await.done();
    work().await;
    let anew = format!(
        "SELECT string_agg(key, ' ' ORDER BY key) FROM tintype.image WHERE position(key || ' ' || rendered_at IN '{before}') = 0"
    );
    assert_eq!(text(&client, &anew).await, "1 2 3");
}
