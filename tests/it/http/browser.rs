//! The live page in a real browser: it changes by itself, retries, keeps its own policy, and can be used by everybody.

use serde_json::json;

use super::shown;
use crate::support::{
    s3::S3Server,
    web::{address, get},
    window::Window,
    worker::{Workplace, blog, until, until_drawn},
};

const TOKEN: &str = "a token of the tests";

/// What a page says of itself that is hard to use.
const FAULTS: &str = include_str!("faults.js");

#[tokio::test]
async fn a_row_that_is_edited_shows_its_new_picture_without_a_reload() {
    let (_database, client, _workplace, _worker, at) = shown(&[]).await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'First')").await.unwrap();
    until_drawn(&client).await;
    let window = Window::open().await;
    window.go(&format!("http://{at}/")).await;
    let tile = "document.querySelector('.tile.ready img')";
    window.until(&format!("{tile}?.complete && {tile}.naturalWidth === 1200 && {tile}.alt === 'First'")).await;
    let first = window.run(&format!("window.same = true, {tile}.src")).await;

    client.batch_execute("UPDATE posts SET title = 'Second'").await.unwrap();
    window.until(&format!("{tile}?.alt === 'Second' && {tile}.src !== {first} && {tile}.naturalWidth === 1200")).await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (2, 'Another')").await.unwrap();
    window.until("document.querySelectorAll('.tile.ready').length === 2 && document.querySelector('.tile img').alt === 'Another'").await;
    assert_eq!(window.run("window.same").await, json!(true), "no reload");
    assert_eq!(window.faults().await, json!([]));

    window.go(&format!("http://{at}/row/posts/1")).await;
    window.run("window.same = true").await;
    client.batch_execute("UPDATE posts SET title = 'Third' WHERE id = 1").await.unwrap();
    window.until("document.querySelector('.whole figcaption').textContent === 'Third' && window.same").await;
    assert_eq!(window.faults().await, json!([]));
}

/// One without a picture changes at once, one with a picture when it can be painted; neither stands there twice.
#[tokio::test]
async fn a_row_has_one_tile_whatever_becomes_of_it() {
    let (_database, client, _workplace, _worker, at) = shown(&[]).await;
    client
        .batch_execute(
            "INSERT INTO tintype.job (source, key, due_at, attempt, last_error)
             SELECT id, k::text, now() + interval '1 h', 1, 'the store was away' FROM tintype.source, generate_series(1, 3) k",
        )
        .await
        .unwrap();
    let window = Window::open().await;
    window.go(&format!("http://{at}/")).await;
    window.until("document.querySelectorAll('.tile.pending').length === 3").await;
    client
        .batch_execute("UPDATE tintype.job SET lease = 1, lease_until = now() + interval '1 h' WHERE key = '2'")
        .await
        .unwrap();
    window.until("document.querySelector('.tile.processing') !== null").await;
    assert_eq!(window.run("document.querySelectorAll('.tile').length").await, json!(3));
    client.batch_execute("UPDATE tintype.job SET marked_at = now() + interval '1 s' WHERE key = '1'").await.unwrap();
    window.until("document.querySelector('.tile b').textContent === '1'").await;
    let keys = "[...document.querySelectorAll('.tile b')].map(key => key.textContent).sort().join()";
    assert_eq!(window.run(keys).await, json!("1,2,3"));
    assert_eq!(window.faults().await, json!([]));

    client.batch_execute("UPDATE tintype.job SET due_at = now() - interval '1 h' WHERE key = '2'").await.unwrap();
    window.go(&format!("http://{at}/failures")).await;
    window.until("document.querySelector('#passing ~ .cause time[data-due]')?.textContent === 'now'").await;
}

#[tokio::test]
async fn who_has_the_token_retries_a_row() {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    client.batch_execute("ALTER TABLE posts ADD CONSTRAINT no_url CHECK (og_image_url IS NULL)").await.unwrap();
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One'), (2, 'Two')").await.unwrap();
    let worker = workplace.start(&["--http", "127.0.0.1:0", "--http-token", TOKEN]);
    let at = address(&worker).await;
    until(&client, "both have failed", "SELECT count(*) = 2 FROM tintype.image WHERE state = 'failed'").await;
    client.batch_execute("ALTER TABLE posts DROP CONSTRAINT no_url").await.unwrap();

    let window = Window::open().await;
    window.go(&format!("http://{at}/row/posts/1")).await;
    assert_eq!(window.run("document.querySelector('h1').textContent").await, json!("Log in"));
    window.run("document.querySelector('#token').value = 'not the token at all', document.querySelector('main button').click()").await;
    window.until("document.querySelector('#wrong') !== null").await;
    window
        .run(&format!(
            "document.querySelector('#token').value = '{TOKEN}', document.querySelector('main button').click()"
        ))
        .await;
    window.until("document.querySelector('.head .chip.failed') !== null").await;
    assert_eq!(window.run("document.cookie").await, json!(""), "no script sees the session");
    window.run("document.querySelector('form[action$=retry] button').click()").await;
    window.until("document.querySelector('.head .chip.ready') !== null && document.querySelector('.whole img')?.naturalWidth === 1200").await;
    assert_eq!(window.faults().await, json!([]));

    window.go(&format!("http://{at}/failures")).await;
    assert_eq!(window.run("document.querySelector('.cause button').textContent").await, json!("Retry it"));
    window.run("document.querySelector('.cause button').click()").await;
    until(&client, "it has its picture", "SELECT count(*) = 2 FROM tintype.image WHERE state = 'ready'").await;
    assert_eq!(window.faults().await, json!([]));
    window.run("document.querySelector('form[action=\"/logout\"] button').click()").await;
    window.until("document.querySelector('h1')?.textContent === 'Log in'").await;
}

#[tokio::test]
async fn everybody_can_use_it() {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    client.batch_execute("ALTER TABLE posts ADD CHECK (id <> 3 OR og_image_url IS NULL)").await.unwrap();
    client
        .batch_execute(
            "INSERT INTO posts (id, title, body) VALUES (1, 'One', E'Words.\n```rust\nfn main() {}' || repeat(' // long', 40) || E'\n```'), (2, NULL, NULL), (3, 'Refused', 'x');
             INSERT INTO tintype.job (source, key, priority, due_at, attempt, last_error)
             SELECT id, '7', 10, now() + interval '1 h', 2, 'bucket `cards` cannot be reached: connection refused' FROM tintype.source",
        )
        .await
        .unwrap();
    let worker = workplace.start(&["--http", "127.0.0.1:0", "--http-token", TOKEN]);
    let at = address(&worker).await;
    until(&client, "all are settled", "SELECT count(*) = 3 FROM tintype.image").await;
    let window = Window::open().await;
    window.go(&format!("http://{at}/login")).await;
    for (scheme, width) in [("light", 1300), ("dark", 1300), ("light", 390), ("dark", 390)] {
        window.dress(scheme, width).await;
        for path in [
            "/login",
            "/",
            "/?q=no+such+row",
            "/failures",
            "/row/posts/1",
            "/row/posts/2",
            "/row/posts/3",
            "/row/posts/7",
            "/row/posts/8",
        ] {
            window.go(&format!("http://{at}{path}")).await;
            if window.run("location.pathname === '/login' && location.search !== ''").await == json!(true) {
                window.run(&format!("document.querySelector('#token').value = '{TOKEN}', document.querySelector('main button').click()")).await;
                window.until("location.pathname !== '/login' && document.readyState === 'complete'").await;
            }
            assert_eq!(window.run(FAULTS).await, json!([]), "{path}, {scheme}, {width} pixels wide");
            assert_eq!(window.faults().await, json!([]), "{path}, {scheme}, {width} pixels wide");
        }
    }
}

#[tokio::test]
async fn pictures_of_a_bucket_come_from_its_origin_and_no_other() {
    let (database, client) = blog().await;
    let server = S3Server::start().await;
    let place = server.settings("s3://pictures");
    let (endpoint, keys) = (place.endpoint_url.unwrap(), place.credentials.unwrap());
    let base = format!("{endpoint}/pictures");
    let workplace = Workplace::new(database.url());
    let worker = workplace.start_with_secrets(
        &["--http", "127.0.0.1:0"],
        &[
            ("TINTYPE_STORAGE", "s3://pictures"),
            ("TINTYPE_PUBLIC_BASE_URL", &base),
            ("AWS_ENDPOINT_URL_S3", &endpoint),
            ("AWS_ACCESS_KEY_ID", &keys.id),
            ("AWS_SECRET_ACCESS_KEY", &keys.secret),
        ],
    );
    let at = address(&worker).await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One')").await.unwrap();
    until_drawn(&client).await;
    let window = Window::open().await;
    window.go(&format!("http://{at}/")).await;
    let tile = "document.querySelector('.tile.ready img')";
    window.until(&format!("{tile}?.naturalWidth === 1200 && {tile}.src.startsWith('{base}/')")).await;
    assert_eq!(window.faults().await, json!([]));
    window.run("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/x.png' })), 0").await;
    window.until("faults.some(fault => fault.startsWith('img-src'))").await;
    window
        .run("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.evil = 1' })), 0")
        .await;
    window.until("faults.some(fault => fault.startsWith('script-src')) && window.evil === undefined").await;
    let picture = get(at, "/i/posts/1.png").await;
    assert!(picture.status == 307 && picture.header("location").starts_with(&base), "{picture:?}");
    assert_eq!(get(at, "/pictures/posts/1/x.png").await.status, 404, "a bucket's pictures are not served here");
}
