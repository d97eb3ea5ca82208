//! What the pages show, and how little they ask for it.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
};

use super::shown;
use crate::support::{
    eventually,
    postgres::TestDatabase,
    program::command,
    web::{address, ask, get},
    worker::{LIMIT, Workplace, blog, until, until_drawn},
};

#[tokio::test]
async fn a_row_tells_all_that_is_known_of_it() {
    let (_database, client, _workplace, _worker, at) = shown(&[]).await;
    client
        .batch_execute(
            "INSERT INTO posts (id, title, body) VALUES (1, 'A <b>\"bold\"</b> & <script>alert(1)</script>', 'Words')",
        )
        .await
        .unwrap();
    until_drawn(&client).await;
    let ledger = client.query_one("SELECT url, content, template, bytes::text FROM tintype.image", &[]).await.unwrap();
    let text = get(at, "/row/posts/1").await.text();
    for column in 0..4 {
        let told: &str = ledger.get(column);
        assert!(text.replace("&#x2f;", "/").contains(told), "{told} in {text}");
    }
    for told in [
        "og:image:width",
        "twitter:card",
        "native",
        "1200 × 630",
        "In the row",
        "yes, in og_image_url",
        "&lt;script&gt;alert(1)",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
    assert!(!text.contains("<script>alert"), "{text}");
    for missing in ["/row/posts/2", "/row/other/1", "/row/posts/%FF"] {
        assert!([400, 404].contains(&get(at, missing).await.status), "{missing}");
    }
}

#[tokio::test]
async fn a_path_is_no_address_for_those_who_show_links() {
    const WORDS: &str = "Those who show links want a whole address";
    for (base, told) in [("/og", true), ("https://cdn.example/og", false)] {
        let (_database, client, _workplace, _worker, at) = shown(&["--public-base-url", base]).await;
        client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One')").await.unwrap();
        until_drawn(&client).await;
        let text = get(at, "/row/posts/1").await.text();
        assert_eq!(text.contains(WORDS), told, "{base}: {text}");
    }
}

#[tokio::test]
async fn who_retries_what_cannot_be_is_told() {
    let (_database, client, _workplace, _worker, at) = shown(&["--http-token", "a token of the tests"]).await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One')").await.unwrap();
    until_drawn(&client).await;
    let bearer = "Authorization: Bearer a token of the tests";
    for (path, status, words) in [
        ("/row/posts/2/retry", 404, "Nothing is known of this row"),
        ("/row/others/1/retry", 404, "Nothing is known of this row"),
        ("/row/posts/1/retry", 409, "There is nothing to retry"),
    ] {
        let answer = ask(at, "POST", path, &[bearer], "").await;
        assert!(answer.status == status && answer.text().contains(words), "{path}: {answer:?}");
    }
    let answer = ask(at, "POST", "/failures/retry", &[bearer], "cause=nothing").await;
    assert!(answer.status == 409 && answer.text().contains("There is nothing to retry"), "{answer:?}");
    client
        .batch_execute(
            "INSERT INTO tintype.job (source, key, due_at, attempt, last_error)
             SELECT id, '7', now() + interval '1 h', 1, 'gave up' FROM tintype.source",
        )
        .await
        .unwrap();
    assert_eq!(ask(at, "POST", "/row/posts/7/retry", &[bearer], "").await.status, 303);
}

#[tokio::test]
async fn rows_are_found_by_key_text_state_and_error() {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    client
        .batch_execute("ALTER TABLE posts ADD CONSTRAINT short CHECK (id <> 3 OR og_image_url IS NULL)")
        .await
        .unwrap();
    let worker = workplace.start(&["--http", "127.0.0.1:0"]);
    let at = address(&worker).await;
    client
        .batch_execute(
            "INSERT INTO posts (id, title) VALUES (1, 'Violets'), (2, NULL), (3, 'Roses'), (44, '100% of_it')",
        )
        .await
        .unwrap();
    until(&client, "all are settled", "SELECT count(*) = 4 FROM tintype.image").await;
    // A title that only the table knows: its picture is not drawn yet.
    client
        .batch_execute("SELECT tintype.pause('posts'); INSERT INTO posts (id, title) VALUES (5, 'Tulips_too')")
        .await
        .unwrap();
    until(&client, "it waits", "SELECT count(*) = 1 FROM tintype.job").await;
    for (query, keys) in [
        ("q=violets", &["1"][..]),
        ("q=44", &["44"]),
        ("q=4", &[]),
        ("q=100%25", &["44"]),
        ("q=%25", &["44"]),
        ("q=constraint+%22short%22", &["3"]),
        ("state=skipped", &["2"]),
        ("state=failed", &["3"]),
        ("q=roses&state=ready", &[]),
        ("source=posts&state=failed", &["3"]),
        ("source=others", &[]),
        ("q=%00%27%3B--", &[]),
        ("q=tulips", &["5"]),
        ("q=LIPS_T", &["5"]),
        ("q=tulips%25", &[]),
        ("q=tulips&state=ready", &[]),
        ("q=tulips&source=others", &[]),
    ] {
        let text = get(at, &format!("/?{query}")).await.text();
        let found: Vec<&str> = text
            .split("</span>posts<b>")
            .skip(1)
            .filter_map(|rest| rest.split_once("</b>"))
            .map(|(key, _)| key)
            .collect();
        assert_eq!(found, keys, "{query}");
        assert!(!text.contains("too many titles"), "{query}");
    }
    // Who holds the table keeps titles from being read; what ledger and queue know is shown all the same.
    let held = database.client().await;
    held.batch_execute("BEGIN; LOCK TABLE posts IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let text = get(at, "/?q=violets").await.text();
    assert!(text.contains("too many titles") && text.contains("</span>posts<b>1</b>"), "{text}");
}

#[tokio::test]
async fn failures_are_grouped_by_their_cause() {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    client.batch_execute("ALTER TABLE posts ADD CONSTRAINT mine CHECK (og_image_url IS NULL)").await.unwrap();
    let worker = workplace.start(&["--http", "127.0.0.1:0", "--http-token", "a token of the tests"]);
    let at = address(&worker).await;
    client
        .batch_execute(
            "INSERT INTO posts (id, title) SELECT i, 'Post ' || i FROM generate_series(1, 7) i;
             INSERT INTO tintype.job (source, key, due_at, attempt, last_error)
             SELECT id, k::text, now() + interval '1 h', 1, 'gave up after ' || k || ' s' FROM tintype.source, generate_series(80, 81) k",
        )
        .await
        .unwrap();
    until(&client, "all have failed", "SELECT count(*) = 7 FROM tintype.image WHERE state = 'failed'").await;
    let bearer = "Authorization: Bearer a token of the tests";
    let text = ask(at, "GET", "/failures", &[bearer], "").await.text();
    let (lasting, passing) = text.split_once("For now").unwrap();
    assert!(lasting.contains("Retry all 7") && lasting.contains("and 2 more"), "{text}");
    assert!(passing.contains("Retry all 2") && passing.contains("gave up after 8"), "{text}");
    assert_eq!(text.matches("class=\"cause\"").count(), 2, "{text}");
    client.batch_execute("ALTER TABLE posts DROP CONSTRAINT mine").await.unwrap();
    let cause: String =
        client.query_one("SELECT cause FROM tintype.failures() WHERE permanent", &[]).await.unwrap().get(0);
    let form: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("cause", &cause).finish();
    assert_eq!(ask(at, "POST", "/failures/retry", &[bearer], &form).await.status, 303);
    until(&client, "all have their pictures", "SELECT count(*) = 7 FROM tintype.image WHERE state = 'ready'").await;
    until(&client, "the others wait as before", "SELECT count(*) = 2 FROM tintype.job WHERE last_error IS NOT NULL")
        .await;
}

#[tokio::test]
async fn visitors_take_one_connection_and_leave_the_worker_its_own() {
    let (database, client, _workplace, _worker, at) = shown(&[]).await;
    // Pages wait for the ledger; the worker's own work does not need it now.
    let held = database.client().await;
    held.batch_execute("BEGIN; LOCK TABLE tintype.image IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let mut visitors = JoinSet::new();
    for _ in 0..40 {
        visitors.spawn(async move { get(at, "/?state=ready").await.status });
    }
    let waiting =
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(&client, "a page waits", waiting).await;
    let most = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(client.query_one(most, &[]).await.unwrap().get::<_, i64>(0), 1, "one at a time");
    assert_eq!(get(at, "/healthz").await.status, 200);
    while let Some(status) = visitors.join_next().await {
        assert_eq!(status.unwrap(), 503, "nobody waits for ever");
    }
    held.batch_execute("ROLLBACK").await.unwrap();
    eventually("pages come again", LIMIT, async || (get(at, "/").await.status == 200).then_some(())).await;
}

#[tokio::test]
async fn so_many_viewers_and_no_more() {
    let (_database, _client, _workplace, _worker, at) = shown(&[]).await;
    let mut viewers = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(format!("GET /events HTTP/1.1\r\nHost: {at}\r\n\r\n").as_bytes()).await.unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
        viewers.push(stream);
    }
    let refused = get(at, "/events").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "30"));
    assert_eq!(get(at, "/").await.status, 200);
    drop(viewers.pop());
    eventually("a place is free again", LIMIT, async || {
        let mut stream = TcpStream::connect(at).await.ok()?;
        stream.write_all(format!("GET /events HTTP/1.1\r\nHost: {at}\r\n\r\n").as_bytes()).await.ok()?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.ok()?;
        (&start == b"HTTP/1.1 200").then_some(())
    })
    .await;
}

#[tokio::test]
async fn any_key_has_a_page() {
    let (database, client) = blog().await;
    client
        .batch_execute("CREATE TABLE notes (id text PRIMARY KEY, title text); SELECT tintype.attach('notes')")
        .await
        .unwrap();
    let workplace = Workplace::new(database.url());
    let worker = workplace.start(&["--http", "127.0.0.1:0"]);
    let at = address(&worker).await;
    let keys = ["a/b", "what?", "50%", "#1", "é ü", "<i>\"x\"</i>", "a\\b", "{1,2}", "%2F", " "];
    for key in keys {
        client.execute("INSERT INTO notes VALUES ($1, 'A note')", &[&key]).await.unwrap();
    }
    until(&client, "all have pictures", "SELECT count(*) = 10 FROM tintype.image WHERE state = 'ready'").await;
    let text = get(at, "/").await.text();
    let links: Vec<String> = text
        .split("<a href=\"")
        .filter_map(|rest| Some(rest.split_once('"')?.0.replace("&#x2f;", "/")))
        .filter(|link| link.starts_with("/row/notes/"))
        .collect();
    assert_eq!(links.len(), keys.len(), "{links:?}");
    for link in links {
        let page = get(at, &link).await;
        assert!(page.status == 200 && page.text().contains("A note"), "{link}: {page:?}");
        let picture = get(at, &format!("{}.png", link.replacen("/row/", "/i/", 1))).await;
        assert_eq!(picture.status, 307, "{link}");
        let shown = get(at, picture.header("location")).await;
        assert_eq!(shown.status, 200, "{link}");
    }
}

#[tokio::test]
async fn the_demo_shows_the_same_page() {
    let test = TestDatabase::new().await;
    let mut demo = command(&["demo", "--http", "127.0.0.1:0"]);
    let mut child = demo.env("TINTYPE_DATABASE_URL", test.url()).spawn().expect("the program starts");
    let mut words = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut at = None;
    while let Some(line) = words.next_line().await.unwrap() {
        at = at.or(line.strip_prefix("posts and pictures: http://").map(|rest| rest.trim_end_matches('/').to_owned()));
        if line == "Ctrl-C ends the demo" {
            break;
        }
    }
    let at: SocketAddr = at.expect("an address").parse().unwrap();
    let shown = eventually("the wall is full", LIMIT, async || {
        Some(get(at, "/").await.text()).filter(|text| text.matches("class=\"tile ready\"").count() == 48)
    })
    .await;
    let picture = shown.split("<img src=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#x2f;", "/");
    assert_eq!(get(at, &picture).await.header("content-type"), "image/png");
    let process = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    while words.next_line().await.unwrap().is_some() {}
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert!(tokio::net::TcpStream::connect(at).await.is_err());
}
