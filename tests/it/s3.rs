//! Buckets over the wire: what is stored, how the world sees it, and what each failure is called.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::process::Command;

use tintype::storage::{Storage, StorageError, StorageSettings, object_path};

use crate::support::{
    s3::{BUCKET, Fault, S3Server, get},
    worker,
};

const PNG: &str = "image/png";

async fn open(settings: &StorageSettings) -> Storage {
    Storage::open(settings).await.unwrap()
}

async fn failure(settings: &StorageSettings) -> StorageError {
    let error = open(settings).await.put("posts/1/a.png", b"x".to_vec(), PNG).await.unwrap_err();
    assert!(
        error.to_string().contains("pictures") || error.to_string().contains("missing"),
        "it names the bucket: {error}"
    );
    error
}

#[tokio::test]
async fn an_object_is_stored_with_its_type_and_may_be_kept_for_ever() {
    let server = S3Server::start().await;
    let store = open(&server.settings("s3://pictures/og")).await;
    assert_eq!(server.requests(), 0, "opening sends nothing");
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for _ in 0..2 {
        let object = store.put("posts/42/abc.png", bytes.clone(), PNG).await.unwrap();
        assert_eq!(object.key, "og/posts/42/abc.png");
        assert_eq!(object.url, store.url("posts/42/abc.png"));
        let answer = get(&object.url).await;
        assert_eq!((answer.status, answer.body.len()), (200, bytes.len()));
        assert!(answer.body == bytes, "the bytes come back as they were");
        assert_eq!(answer.headers["content-type"], PNG);
        assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
    }
    assert_eq!(server.requests(), 4, "one request an object");
    assert!(server.root().join(BUCKET).join("og/posts/42/abc.png").exists());
}

#[tokio::test]
async fn awkward_keys_are_stored_and_fetched_by_their_urls() {
    let server = S3Server::start().await;
    let store = open(&server.settings("s3://pictures/a b+ä")).await;
    let long = "k".repeat(10_000);
    for key in ["1", "a b", "../../etc/passwd", "ä/ö?#&=+%20", "日本語", "A", "\u{202e}", "", &long] {
        let path = object_path("public.posts", key, "content", "template", "png");
        let object = store.put(&path, key.as_bytes().to_vec(), PNG).await.unwrap();
        assert_eq!(get(&object.url).await.body, key.as_bytes(), "{}", object.url);
    }
    // Paths that `object_path` never makes are encoded all the same.
    for path in ["a b.png", "ä+&=%41.png", "a?b#c.png", "日/本.png", "~'(x)!*.png"] {
        let object = store.put(path, path.as_bytes().to_vec(), PNG).await.unwrap();
        assert_eq!(get(&object.url).await.body, path.as_bytes(), "{}", object.url);
    }
}

#[tokio::test]
async fn a_check_writes_and_reads_back() {
    let server = S3Server::start().await;
    let object = open(&server.settings("s3://pictures")).await.check().await.unwrap();
    assert_eq!(get(&object.url).await.status, 200);
}

#[tokio::test]
async fn wrong_keys_are_told_from_missing_rights() {
    let server = S3Server::start().await;
    let mut settings = server.settings("s3://pictures");
    settings.credentials.as_mut().unwrap().secret = "another".to_owned();
    let error = failure(&settings).await;
    assert!(
        matches!(&error, StorageError::BadCredentials { code, .. } if code == "SignatureDoesNotMatch"),
        "{error:?}"
    );
    assert!(!server.root().join("pictures/posts").exists());

    settings.credentials.as_mut().unwrap().id = "nobody".to_owned();
    assert!(matches!(failure(&settings).await, StorageError::BadCredentials { .. }));

    server.fail(Some(Fault { status: 403, code: "AccessDenied", header: None }));
    let error = failure(&server.settings("s3://pictures")).await;
    assert!(matches!(error, StorageError::AccessDenied { action: "s3:PutObject", .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("s3:PutObject"));
}

#[tokio::test]
async fn a_missing_bucket_is_named() {
    let server = S3Server::start().await;
    let error = failure(&server.settings("s3://missing")).await;
    assert!(matches!(&error, StorageError::NoSuchBucket { bucket, .. } if bucket == "missing"), "{error:?}");
    assert!(error.hint().unwrap().contains("s3://missing"));
}

#[tokio::test]
async fn answers_are_told_apart() {
    let server = S3Server::start().await;
    let settings = server.settings("s3://pictures");
    let region = Some(("x-amz-bucket-region", "eu-central-1"));
    server.fail(Some(Fault { status: 301, code: "PermanentRedirect", header: region }));
    let error = failure(&settings).await;
    assert!(
        matches!(&error, StorageError::WrongRegion { region: Some(region), .. } if region == "eu-central-1"),
        "{error:?}"
    );
    assert_eq!(error.hint().unwrap(), "set AWS_REGION=eu-central-1");

    server.fail(Some(Fault { status: 400, code: "EntityTooLarge", header: None }));
    let error = failure(&settings).await;
    assert!(matches!(&error, StorageError::Refused { status: 400, code, .. } if code == "EntityTooLarge"), "{error:?}");
    assert!(error.to_string().contains("as the test asked"), "{error}");
}

#[tokio::test]
async fn a_busy_service_is_asked_twice_and_then_believed() {
    let server = S3Server::start().await;
    let settings = server.settings("s3://pictures");
    server.fail(Some(Fault { status: 503, code: "SlowDown", header: Some(("retry-after", "7")) }));
    let error = failure(&settings).await;
    let wanted = Some(Duration::from_secs(7));
    assert!(matches!(error, StorageError::SlowDown { retry_after, .. } if retry_after == wanted), "{error:?}");
    assert_eq!(server.requests(), 2);

    server.fail(Some(Fault { status: 503, code: "ServiceUnavailable", header: None }));
    assert!(matches!(failure(&settings).await, StorageError::SlowDown { retry_after: None, .. }));
    server.fail(Some(Fault { status: 500, code: "InternalError", header: None }));
    assert!(matches!(failure(&settings).await, StorageError::Refused { status: 500, .. }));

    server.fail(None);
    open(&settings).await.put("posts/1/a.png", b"x".to_vec(), PNG).await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_down_is_unreachable_at_once() {
    let server = S3Server::start().await;
    let settings = server.settings("s3://pictures");
    let endpoint = settings.endpoint_url.clone().unwrap();
    server.stop().await;
    let started = Instant::now();
    let error = failure(&settings).await;
    assert!(matches!(&error, StorageError::Unreachable { reason, .. } if reason.contains("refused")), "{error:?}");
    assert!(error.to_string().contains(&endpoint) && error.hint().is_some(), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

/// `tintype run` with this bucket until nothing is due: its exit code and what it said.
async fn work(server: &S3Server, database: &str, bucket: &str) -> (Option<i32>, String) {
    let settings = server.settings("s3://unused");
    let keys = settings.credentials.unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_tintype"))
        .args(["run", "--exit-when-idle", "--storage", bucket])
        .env("TINTYPE_DATABASE_URL", database)
        .env("AWS_ENDPOINT_URL_S3", settings.endpoint_url.unwrap())
        .env("AWS_ACCESS_KEY_ID", keys.id)
        .env("AWS_SECRET_ACCESS_KEY", keys.secret)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
}

#[tokio::test]
async fn a_row_gets_the_url_of_an_object_that_the_world_can_fetch() {
    let server = S3Server::start().await;
    let (test, client) = worker::blog().await;
    client.batch_execute("INSERT INTO posts (id, title, body) VALUES (7, 'Hello', 'A post.')").await.unwrap();
    let (code, said) = work(&server, &test.url(), "s3://pictures/og").await;
    assert_eq!(code, Some(0), "{said}");
    let url: String = client.query_one("SELECT og_image_url FROM posts", &[]).await.unwrap().get(0);
    let answer = get(&url).await;
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, PNG), "{url}");
    assert!(answer.body.starts_with(b"\x89PNG"), "{url}");
    let object: String = client.query_one("SELECT object FROM tintype.image('posts', 7)", &[]).await.unwrap().get(0);
    assert!(object.starts_with("og/posts/7/") && url.ends_with(&object), "{object} at {url}");
}

#[tokio::test]
async fn keys_may_be_in_files() {
    let server = S3Server::start().await;
    let (test, client) = worker::blog().await;
    client.batch_execute("INSERT INTO posts (id, title, body) VALUES (7, 'Hello', 'A post.')").await.unwrap();
    let settings = server.settings("s3://unused");
    let keys = settings.credentials.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, format!("{}\n", keys.secret)).unwrap();
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tintype"));
        command.args(["run", "--exit-when-idle", "--storage", "s3://pictures"]).stdin(Stdio::null());
        command.env("TINTYPE_DATABASE_URL", test.url()).env("AWS_SECRET_ACCESS_KEY_FILE", file.path());
        command.env("AWS_ENDPOINT_URL_S3", settings.endpoint_url.as_ref().unwrap()).env_remove("AWS_ACCESS_KEY_ID");
        command
    };
    let half = run().output().await.unwrap();
    let said = String::from_utf8_lossy(&half.stderr).into_owned();
    assert_eq!(half.status.code(), Some(3), "{said}");
    assert!(said.contains("AWS_ACCESS_KEY_ID is nowhere") && said.contains("hint: set AWS_ACCESS_KEY_ID"), "{said}");
    let whole = run().env("AWS_ACCESS_KEY_ID", keys.id).output().await.unwrap();
    assert_eq!(whole.status.code(), Some(0), "{}", String::from_utf8_lossy(&whole.stderr));
    let drawn: bool = client.query_one("SELECT og_image_url IS NOT NULL FROM posts", &[]).await.unwrap().get(0);
    assert!(drawn);
}

#[tokio::test]
async fn a_bucket_that_is_wrong_is_told_at_the_start_and_one_that_fails_keeps_its_jobs() {
    let server = S3Server::start().await;
    let (test, client) = worker::blog().await;
    client.batch_execute("INSERT INTO posts (id, title, body) VALUES (7, 'Hello', 'A post.')").await.unwrap();
    let (code, said) = work(&server, &test.url(), "s3://missing").await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("error: there is no bucket `missing`") && said.contains("hint: create it"), "{said}");

    server.fail(Some(Fault { status: 503, code: "SlowDown", header: None }));
    let (code, said) = work(&server, &test.url(), "s3://pictures").await;
    assert_eq!(code, Some(4), "{said}");
    let reason: String = client.query_one("SELECT last_error FROM tintype.job", &[]).await.unwrap().get(0);
    assert_eq!(reason, "bucket `pictures` asks to slow down");

    server.fail(None);
    client.batch_execute("SELECT tintype.retry()").await.unwrap();
    let (code, said) = work(&server, &test.url(), "s3://pictures").await;
    assert_eq!(code, Some(0), "{said}");
    let url: String = client.query_one("SELECT og_image_url FROM posts", &[]).await.unwrap().get(0);
    assert_eq!(get(&url).await.status, 200);
}

#[tokio::test]
async fn a_service_that_says_when_is_asked_no_sooner() {
    let server = S3Server::start().await;
    let (test, client) = worker::blog().await;
    client.batch_execute("INSERT INTO posts (id, title, body) VALUES (7, 'Hello', 'A post.')").await.unwrap();
    server.fail(Some(Fault { status: 503, code: "SlowDown", header: Some(("retry-after", "40")) }));
    let before: String = client.query_one("SELECT clock_timestamp()::text", &[]).await.unwrap().get(0);
    let (code, said) = work(&server, &test.url(), "s3://pictures").await;
    assert_eq!(code, Some(4), "{said}");
    let wait = "SELECT attempt, due_at BETWEEN $1::text::timestamptz + interval '40 s' AND clock_timestamp() + interval '50 s' FROM tintype.job";
    let row = client.query_one(wait, &[&before]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (0, true), "nobody's fault that lies in the row");
}
