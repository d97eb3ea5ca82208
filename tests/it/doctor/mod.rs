//! `tintype doctor` and `tintype.doctor()`: a healthy set-up has nothing to mend, each thing that can break is found by name, and what is
//! said to mend it does.

mod broken;
mod outside;
mod roles;

use serde_json::Value;
use tintype::doctor::AREAS;
use tokio_postgres::Client;

use crate::support::{
    postgres::{connect, scratch},
    program::{Ran, command, run as run_program},
    s3::{BUCKET, S3Server},
    schema::{run, texts},
    worker::{POSTS, install},
};

/// What the doctor finds, as `code severity`, notes aside.
async fn found(client: &Client) -> Vec<String> {
    texts(client, "SELECT code || ' ' || severity FROM tintype.doctor('1 day') WHERE severity <> 'note'").await
}

/// One line of `--json`.
fn lines(ran: &Ran) -> Vec<Value> {
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    ran.stdout.lines().map(read).collect()
}

/// The findings of one code.
fn of<'a>(lines: &'a [Value], code: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["code"] == code).collect()
}

#[tokio::test]
async fn a_healthy_set_up_has_nothing_to_mend() {
    let cluster = tokio::task::spawn_blocking(|| scratch(&[])).await.unwrap();
    let url = cluster.url("postgres");
    let client = connect(&url).await;
    install(&client).await;
    run(&client, "a host", POSTS).await;
    run(&client, "a watched one", "SELECT tintype.attach('posts', row_filter => 'views >= 0')").await;
    run(
        &client,
        "a worker",
        &format!("INSERT INTO tintype.worker (name, version) VALUES ('box:1', '{}')", env!("CARGO_PKG_VERSION")),
    )
    .await;
    let server = S3Server::start().await;
    let settings = server.settings("");
    let keys = settings.credentials.unwrap();
    let place = format!("s3://{BUCKET}/og");
    let doctor = |more: &[&str]| {
        let mut doctor = command(&[&["doctor", "--storage", &place], more].concat());
        doctor.env("DATABASE_URL", &url).env("AWS_ENDPOINT_URL_S3", settings.endpoint_url.as_ref().unwrap());
        doctor
            .env("AWS_ACCESS_KEY_ID", &keys.id)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret)
            .env("PATH", "/usr/bin:/bin");
        doctor
    };
    let ran = run_program(doctor(&["--json"])).await;
    let all = lines(&ran);
    assert_eq!(ran.code, 0, "{ran:?}");
    // Fonts and browser are this machine's affair.
    for area in AREAS.into_iter().filter(|area| !["fonts", "browser"].contains(area)) {
        let [ok] = of(&all, area)[..] else { panic!("{area}: {all:?}") };
        assert_eq!(ok["severity"], "ok", "{ok}");
        assert!(ok["fix"].is_null() && ok["detail"].as_str().is_some_and(|words| !words.is_empty()), "{ok}");
    }
    let ran = run_program(doctor(&[])).await;
    assert!(
        ran.done().lines().all(|line| line.starts_with(['✓', '·', ' '])) && !ran.stdout.contains('\u{1b}'),
        "{ran:?}"
    );
    assert_eq!(ran.stderr, "all is well\n");
    // (The server keeps the folder that it makes of a key's parts.)
    let trials = server.root().join(BUCKET).join("og/tintype-doctor/check");
    let left: Vec<_> = std::fs::read_dir(trials).expect("a trial was made").flatten().collect();
    assert!(left.is_empty(), "the object of the trial is gone: {left:?}");
    run(&client, "it only looks", "BEGIN READ ONLY; SELECT * FROM tintype.doctor(); COMMIT").await;
}
