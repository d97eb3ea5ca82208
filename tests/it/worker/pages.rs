//! Rows whose pictures are taken of pages: the application's own, behind a login, strangers', and templates in HTML.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode, Uri},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::sync::Notify;
use tokio_postgres::Client;

use super::ask;
use crate::support::{
    postgres::TestDatabase,
    worker::{Worker, Workplace, install, until},
};

const TABLE: &str = "CREATE TABLE posts (
    id bigint PRIMARY KEY, title text, slug text, colour text, og_image_url text, card text)";

/// An application on loopback: `/posts/SLUG?colour=…` is a page in one colour, `/locked/SLUG` wants a token, `/gone` and `/trouble` have
/// none, the latter until it was asked twice; `/held/SLUG` has none either, and says so when it is told to.
struct Application {
    address: String,
    troubles: Arc<AtomicU32>,
    held: Arc<Held>,
}

/// A request that was heard, and its answer that may go out.
#[derive(Default)]
struct Held {
    heard: Notify,
    answer: Notify,
}

impl Application {
    async fn start() -> Self {
        let troubles = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&troubles);
        let held = Arc::new(Held::default());
        let of_route = Arc::clone(&held);
        let router = Router::new()
            .route("/posts/{slug}", get(|Path(slug): Path<String>, uri: Uri| async move { page(&slug, uri.query()) }))
            .route("/locked/{slug}", get(locked))
            .route(
                "/held/{slug}",
                get(move || async move {
                    of_route.heard.notify_one();
                    of_route.answer.notified().await;
                    StatusCode::NOT_FOUND
                }),
            )
            .route(
                "/trouble/{slug}",
                get(move |Path(slug): Path<String>| async move {
                    match counter.fetch_add(1, Ordering::Relaxed) {
                        0 | 1 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                        _ => page(&slug, None),
                    }
                }),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, troubles, held }
    }
}

fn page(title: &str, colour: Option<&str>) -> Response {
    let colour = colour.and_then(|query| query.strip_prefix("colour=")).unwrap_or("teal");
    Html(format!("<title>{title}</title><body style='margin:0;background:{colour}'></body>")).into_response()
}

async fn locked(Path(slug): Path<String>, told: HeaderMap) -> Response {
    match told.get("authorization").and_then(|value| value.to_str().ok()) {
        Some("Bearer open sesame") => page(&slug, Some("colour=gold")),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// A database with the table, attached with these arguments in SQL, and the application.
async fn attached(arguments: &str) -> (TestDatabase, Client, Workplace, Application) {
    let (test, application) = (TestDatabase::new().await, Application::start().await);
    let client = test.client().await;
    install(&client).await;
    let arguments = arguments.replace("APP", &application.address);
    client.batch_execute(&format!("{TABLE}; SELECT tintype.attach('posts', {arguments})")).await.expect("attached");
    let workplace = Workplace::new(test.url());
    (test, client, workplace, application)
}

fn start(workplace: &Workplace, application: &Application, arguments: &[&str]) -> Worker {
    workplace.start(&[&["--allow-host", &application.address], arguments].concat())
}

/// The colour in the middle of a row's picture, and its size.
async fn seen(client: &Client, workplace: &Workplace, id: i64) -> ([u8; 3], (u32, u32)) {
    let object: String = ask(client, &format!("SELECT object FROM tintype.image WHERE key = '{id}'")).await;
    let decoder =
        png::Decoder::new(std::io::BufReader::new(std::fs::File::open(workplace.store().join(object)).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let at = frame.line_size * (frame.height as usize / 2);
    let colour = match frame.color_type {
        png::ColorType::Indexed => {
            let palette = reader.info().palette.as_ref().unwrap();
            let place = usize::from(pixels[at] >> (8 - frame.bit_depth as usize)) * 3;
            [palette[place], palette[place + 1], palette[place + 2]]
        }
        _ => [pixels[at], pixels[at + 1], pixels[at + 2]],
    };
    (colour, (frame.width, frame.height))
}

const READY: &str = "SELECT count(*) = (SELECT count(*) FROM posts) FROM tintype.image WHERE state = 'ready'";

#[tokio::test]
async fn each_row_shows_its_own_page_and_an_edit_shows_the_page_as_it_is_then() {
    let (_test, client, workplace, application) = attached("url => 'http://APP/posts/{slug}?colour={colour}'").await;
    let _worker = start(&workplace, &application, &[]);
    client
        .batch_execute("INSERT INTO posts VALUES (1, 'One', 'first/post', 'red'), (2, 'Two', 'second', 'blue')")
        .await
        .unwrap();
    until(&client, "both are taken", READY).await;
    assert_eq!(seen(&client, &workplace, 1).await, ([255, 0, 0], (1200, 630)));
    assert_eq!(seen(&client, &workplace, 2).await, ([0, 0, 255], (1200, 630)));
    let told = "SELECT concat_ws(' | ', kind, alt, media_type, engine LIKE '%hromium%', p.og_image_url = i.url)
                  FROM tintype.image i JOIN posts p ON p.id = 1 WHERE i.key = '1'";
    assert_eq!(ask::<String>(&client, told).await, "page | first/post | image/png | t | t");
    let before: String = ask(&client, "SELECT og_image_url FROM posts WHERE id = 1").await;
    client.batch_execute("UPDATE posts SET colour = 'lime' WHERE id = 1").await.unwrap();
    until(&client, "it is taken again", &format!("SELECT og_image_url <> '{before}' FROM posts WHERE id = 1")).await;
    assert_eq!(seen(&client, &workplace, 1).await.0, [0, 255, 0]);
}

#[tokio::test]
async fn what_cannot_be_taken_is_on_record_and_holds_nobody_up() {
    let (_test, client, workplace, application) = attached("url => 'http://APP/{slug}'").await;
    client
        .batch_execute(
            "INSERT INTO posts (id, slug) VALUES (1, 'none'), (2, ''), (3, NULL);
             ALTER TABLE posts ADD COLUMN whole text;
             SELECT tintype.attach('posts', url => '{whole}');
             INSERT INTO posts (id, whole) VALUES (4, 'http://127.0.0.1:8089/'), (5, 'file:///etc/passwd')",
        )
        .await
        .unwrap();
    client
        .batch_execute(&format!("UPDATE posts SET whole = 'http://{}/none' WHERE id = 1", application.address))
        .await
        .unwrap();
    let code = start(&workplace, &application, &["--exit-when-idle"]).exit().await.code();
    assert_eq!(code, Some(4), "some failed");
    for (id, state, words) in [
        (1, "failed", "the server answered 404"),
        (2, "skipped", "column whole is empty"),
        (3, "skipped", "column whole is empty"),
        (4, "failed", "where 127.0.0.1 is your own, --allow-host 127.0.0.1:8089"),
        (5, "failed", "is no address of a page"),
    ] {
        let row = client
            .query_one(&format!("SELECT state, coalesce(reason, '') FROM tintype.image WHERE key = '{id}'"), &[])
            .await
            .unwrap_or_else(|error| panic!("{id}: {error}"));
        let (found, reason): (String, String) = (row.get(0), row.get(1));
        assert!(found == state && reason.contains(words), "{id}: {found}: {reason}");
    }
    assert_eq!(ask::<i64>(&client, "SELECT count(*) FROM tintype.job").await, 0);
}

#[tokio::test]
async fn a_server_with_trouble_is_asked_again() {
    let (_test, client, workplace, application) = attached("url => 'http://APP/trouble/{slug}'").await;
    client.batch_execute("INSERT INTO posts (id, slug) VALUES (1, 'x')").await.unwrap();
    let _worker = start(&workplace, &application, &[]);
    until(
        &client,
        "it had trouble",
        "SELECT count(*) = 1 FROM tintype.job WHERE last_error LIKE 'the server answered 503%'",
    )
    .await;
    until(&client, "it is taken", READY).await;
    assert_eq!(application.troubles.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_secret_of_the_worker_lets_it_in() {
    let (_test, client, workplace, application) =
        attached("url => 'http://APP/locked/{slug}', capture => '{\"auth\": [\"bearer=TOKEN\"], \"width\": 400, \"height\": 300}'").await;
    client.batch_execute("INSERT INTO posts (id, slug) VALUES (1, 'x')").await.unwrap();
    let code = start(&workplace, &application, &["--exit-when-idle"]).exit().await.code();
    assert_eq!(code, Some(4), "without it the job waits");
    assert!(ask::<String>(&client, "SELECT last_error FROM tintype.job").await.contains("there is no secret"));
    client.batch_execute("SELECT tintype.retry()").await.unwrap();
    let mut worker = workplace.start_with_secrets(
        &["--allow-host", &application.address, "--exit-when-idle"],
        &[("TINTYPE_SECRET_TOKEN", "open sesame")],
    );
    assert_eq!(worker.exit().await.code(), Some(0));
    assert_eq!(seen(&client, &workplace, 1).await, ([255, 215, 0], (400, 300)));
    let ledger: String = ask(&client, "SELECT i::text || s::text FROM tintype.image i, tintype.source s").await;
    assert!(!ledger.contains("sesame"), "{ledger}");
}

#[tokio::test]
async fn a_template_in_html_needs_no_server() {
    let (_test, client, workplace, application) = attached("html => 'note', data => '{colour,slug}'").await;
    std::fs::write(
        workplace.looks().join("note.html"),
        "<title>{{ title }}: {{ slug }}</title><body style='margin:0;background:{{ colour }}'><script>{{ title }}</script></body>",
    )
    .unwrap();
    client
        .batch_execute(
            "INSERT INTO posts (id, title, slug, colour) VALUES (1, 'Fish & *chips*', '</title><b>', 'navy')",
        )
        .await
        .unwrap();
    let looks = workplace.looks().display().to_string();
    let code = start(&workplace, &application, &["--looks", &looks, "--exit-when-idle"]).exit().await.code();
    let wrong: String =
        ask(&client, "SELECT concat((SELECT last_error FROM tintype.job), (SELECT reason FROM tintype.image))").await;
    assert_eq!((code, wrong.as_str()), (Some(0), ""));
    assert_eq!(seen(&client, &workplace, 1).await, ([0, 0, 128], (1200, 630)));
    assert_eq!(ask::<String>(&client, "SELECT alt FROM tintype.image").await, "Fish & chips: </title><b>", "escaped");
}

#[tokio::test]
async fn a_failure_is_recorded_against_what_was_tried_and_not_against_an_edit_of_that_moment() {
    let (_test, client, workplace, application) = attached("url => 'http://APP/{colour}/{slug}'").await;
    let _worker = start(&workplace, &application, &[]);
    client.batch_execute("INSERT INTO posts (id, colour, slug) VALUES (1, 'held', 'mended')").await.unwrap();
    application.held.heard.notified().await;
    client.batch_execute("UPDATE posts SET colour = 'posts'").await.unwrap();
    application.held.answer.notify_waiters();
    application.held.answer.notify_one();
    until(&client, "the mended address is taken", READY).await;
    assert_eq!(ask::<String>(&client, "SELECT alt FROM tintype.image").await, "mended");
}

/// Who waits too long for a turn of a host gives its place to the pages of others, and is taken when the host has a turn.
#[tokio::test]
async fn a_host_that_is_busy_costs_a_row_nothing_but_time() {
    let (_test, client, workplace, application) = attached("url => 'http://APP/{colour}/{slug}'").await;
    let _worker = start(&workplace, &application, &["--captures", "2", "--host-captures", "1"]);
    client.batch_execute("INSERT INTO posts (id, colour, slug) VALUES (1, 'held', 'first')").await.unwrap();
    application.held.heard.notified().await;
    client.batch_execute("INSERT INTO posts (id, colour, slug) VALUES (2, 'posts', 'second')").await.unwrap();
    let given_back = "SELECT count(*) = 1 FROM tintype.job
                       WHERE key = '2' AND lease IS NULL AND due_at > marked_at + interval '1 s' AND attempt = 0 AND last_error IS NULL";
    until(&client, "it is given back", given_back).await;
    application.held.answer.notify_waiters();
    application.held.answer.notify_one();
    until(&client, "it is taken", "SELECT count(*) = 1 FROM tintype.image WHERE key = '2' AND state = 'ready'").await;
    assert_eq!(ask::<String>(&client, "SELECT state FROM tintype.image WHERE key = '1'").await, "failed");
}
