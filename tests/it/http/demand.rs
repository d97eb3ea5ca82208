//! Pictures on demand: found where they are stored, drawn once for all who ask, never more than there is room for, and signed cards.

use hmac::{Hmac, Mac};
use tokio::task::JoinSet;

use super::shown;
use crate::support::{
    eventually,
    web::{address, ask, get},
    worker::{LIMIT, Workplace, blog, until, until_drawn},
};

const SECRET: &str = "a secret of the tests";

fn sign(canonical: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(canonical.as_bytes());
    format!("{canonical}&sig={:x}", mac.finalize().into_bytes())
}

#[tokio::test]
async fn a_rows_picture_is_found_or_drawn() {
    let (database, client) = blog().await;
    client.batch_execute("SELECT tintype.attach('posts', row_filter => 'views < 9')").await.unwrap();
    let workplace = Workplace::new(database.url());
    let worker = workplace.start(&["--http", "127.0.0.1:0"]);
    let at = address(&worker).await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One')").await.unwrap();
    until_drawn(&client).await;
    let stored = get(at, "/i/posts/1.png").await;
    assert_eq!(stored.status, 307, "{stored:?}");
    let picture = get(at, stored.header("location")).await;
    assert_eq!(picture.header("content-type"), "image/png");

    client.batch_execute("SELECT tintype.pause('posts')").await.unwrap();
    client
        .batch_execute("INSERT INTO posts (id, title, views) VALUES (2, 'Two', 0), (3, 'Three', 10), (4, NULL, 0)")
        .await
        .unwrap();
    let drawn = get(at, "/i/posts/2.png").await;
    assert_eq!((drawn.status, drawn.header("content-type")), (200, "image/png"), "{drawn:?}");
    assert!(drawn.body.starts_with(b"\x89PNG") && drawn.header("cache-control") == "public, max-age=60");
    let tag = format!("If-None-Match: {}", drawn.header("etag"));
    let again = ask(at, "GET", "/i/posts/2.png", &[&tag], "").await;
    assert_eq!((again.status, again.body.len()), (304, 0), "{again:?}");
    client.batch_execute("UPDATE posts SET title = 'Two and a half' WHERE id = 2").await.unwrap();
    let other = ask(at, "GET", "/i/posts/2.png", &[&tag], "").await;
    assert!(other.status == 200 && other.header("etag") != drawn.header("etag"), "what has changed is drawn anew");
    for (path, words) in [
        ("/i/posts/3.png", "no such row"),
        ("/i/posts/4.png", "neither a title nor any text"),
        ("/i/posts/5.png", "no such row"),
        ("/i/posts/x.png", "no such row"),
        ("/i/others/1.png", "no such table"),
        ("/i/posts/2.gif", "ends in .png"),
    ] {
        let answer = get(at, path).await;
        assert!(answer.status == 404 && answer.text().contains(words), "{path}: {answer:?}");
    }
}

/// The ledger hears of it with the next sweep; nobody is shown the picture until then.
#[tokio::test]
async fn a_row_that_was_deleted_or_taken_back_is_not_found() {
    let (database, client) = blog().await;
    client.batch_execute("SELECT tintype.attach('posts', row_filter => 'views < 9')").await.unwrap();
    let workplace = Workplace::new(database.url());
    let worker = workplace.start(&["--http", "127.0.0.1:0"]);
    let at = address(&worker).await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One'), (2, 'Two'), (3, 'Three')").await.unwrap();
    until(&client, "all are drawn", "SELECT count(*) = 3 FROM tintype.image WHERE state = 'ready'").await;
    client
        .batch_execute(
            "SELECT tintype.pause('posts'); DELETE FROM posts WHERE id = 1; UPDATE posts SET views = 10 WHERE id = 2",
        )
        .await
        .unwrap();
    for (key, status, words) in [("1", 404, "is deleted"), ("2", 404, "leaves this row out"), ("3", 307, "og:image")] {
        let picture = get(at, &format!("/i/posts/{key}.png")).await;
        assert_eq!(picture.status, status, "{key}: {picture:?}");
        let text = get(at, &format!("/row/posts/{key}")).await.text();
        assert!(text.contains(words), "{key}: {text}");
    }
    client.batch_execute("DROP TABLE posts").await.unwrap();
    assert_eq!(get(at, "/i/posts/3.png").await.status, 404);
}

#[tokio::test]
async fn what_is_drawn_on_demand_gives_way_as_it_is_told() {
    let (_database, client, _workplace, worker, at) = shown(&["--nice", "3"]).await;
    client
        .batch_execute("SELECT tintype.pause('posts'); INSERT INTO posts (id, title) VALUES (1, 'One')")
        .await
        .unwrap();
    assert_eq!(get(at, "/i/posts/1.png").await.status, 200);
    let threads = worker.niceness();
    assert!(threads.contains(&3) && threads.iter().all(|nice| [0, 3].contains(nice)), "{threads:?}");
}

#[tokio::test]
async fn who_asks_for_the_same_gets_the_same_and_too_many_wait() {
    let (database, client, _workplace, _worker, at) = shown(&[]).await;
    client.batch_execute("SELECT tintype.pause('posts')").await.unwrap();
    client
        .batch_execute("INSERT INTO posts (id, title) SELECT i, 'Post ' || i FROM generate_series(1, 40) i")
        .await
        .unwrap();
    // Whoever wants to read the table waits from now on, and so all who ask are there at once.
    let held = database.client().await;
    held.batch_execute("BEGIN; LOCK TABLE posts IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let mut same = JoinSet::new();
    for _ in 0..30 {
        same.spawn(async move { get(at, "/i/posts/1.png").await });
    }
    until(
        &client,
        "one reads the row",
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .await;
    let mut others = JoinSet::new();
    for id in 2..=40 {
        others.spawn(async move { get(at, &format!("/i/posts/{id}.png")).await });
    }
    let mut full = 0;
    while full < 24 {
        let answer = others.join_next().await.expect("an answer").unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (429, "2"), "{answer:?}");
        full += 1;
    }
    held.batch_execute("ROLLBACK").await.unwrap();
    // There are sixteen places, and thirty who asked for one picture took one. On a slow machine the lock outlasts their patience: 503.
    let mut came = std::collections::HashSet::new();
    while let Some(answer) = same.join_next().await {
        let answer = answer.unwrap();
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        came.insert((answer.status, answer.header("etag").to_owned()));
    }
    assert_eq!(came.len(), 1, "all got the same: {came:?}");
    while let Some(answer) = others.join_next().await {
        assert!([200, 503].contains(&answer.unwrap().status), "those that had a place");
    }
    eventually("there is room again", LIMIT, async || (get(at, "/i/posts/40.png").await.status == 200).then_some(()))
        .await;
}

#[tokio::test]
async fn a_card_is_drawn_for_who_can_sign_it() {
    let (_database, _client, _workplace, _worker, at) = shown(&["--card-secret", SECRET]).await;
    let card = async |query: &str, headers: &[&str]| ask(at, "GET", &format!("/card.png?{query}"), headers, "").await;
    let good = card(&sign("author=Ada%20Lovelace&look=paper&title=Hello%2C%20world"), &[]).await;
    assert_eq!((good.status, good.header("content-type")), (200, "image/png"), "{good:?}");
    assert!(good.body.starts_with(b"\x89PNG") && good.header("cache-control") == "public, max-age=86400");
    let tag = format!("If-None-Match: {}", good.header("etag"));
    assert_eq!(card(&sign("author=Ada%20Lovelace&look=paper&title=Hello%2C%20world"), &[&tag]).await.status, 304);

    let signed = sign("title=Hello");
    for (query, status) in [
        ("title=Hello".to_owned(), 403),
        ("title=Hello&sig=00".to_owned(), 403),
        (signed.replace("Hello", "Hallo"), 403),
        (format!("{signed}&look=paper"), 403),
        (signed.to_uppercase().replace("TITLE", "title").replace("SIG", "sig").replace("HELLO", "hello"), 403),
        (String::new(), 403),
        (sign("author=Ada"), 400),
        (sign("colour=red&title=Hello"), 400),
        (sign("title=Hello&title=World"), 400),
        (sign(&format!("title={}", "x".repeat(301))), 400),
        (sign("look=nigth&title=Hello"), 400),
        (sign("look=..%2F..%2Fhouse.toml&title=Hello"), 400),
        (sign(&format!("title={}", "x".repeat(5_000))), 414),
    ] {
        let answer = card(&query, &[]).await;
        assert_eq!(answer.status, status, "{query}: {answer:?}");
        assert!(!answer.body.starts_with(b"\x89PNG"));
    }
}

#[tokio::test]
async fn no_secret_no_cards() {
    let (_database, _client, _workplace, _worker, at) = shown(&[]).await;
    assert_eq!(get(at, &format!("/card.png?{}", sign("title=Hello"))).await.status, 404);
}
