//! Behind pgbouncer everything works, in transaction mode too: nothing of ours sticks to a session that the host's application
//! gets next, and the worker polls unless it is given another way to listen.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tintype::{
    db::{Database, DbError, LibpqEnv, Queries},
    scratch::Scratch,
};
use tokio_postgres::Client;

use super::{ask, connect, settings};
use crate::support::{
    eventually, postgres,
    program::{Ran, tintype},
    schema::text,
    worker::{LIMIT, POSTS, Workplace, until, until_asleep, until_drawn},
};

/// Connections that pgbouncer shares out: fewer than ask for one, and in session mode enough for a worker.
const SERVERS: usize = 3;

/// A running pgbouncer, ended with the value.
struct Bouncer {
    child: Child,
    url: String,
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// pgbouncer does not run as root, so it runs as whoever owns the scratch server's folder. `mode` is what it shares.
fn start(folder: &Path, target: &str, mode: &str, extra: &str) -> Bouncer {
    use std::os::unix::{fs::MetadataExt, process::CommandExt};
    let target = url::Url::parse(target).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n\
         unix_socket_dir =\npool_mode = {mode}\nmax_client_conn = 50\ndefault_pool_size = {SERVERS}\n{extra}\n\
         [databases]\nblog = host={} port={} user=postgres dbname={}\n",
        target.host_str().unwrap(),
        target.port().unwrap(),
        &target.path()[1..],
    );
    let path = folder.join(format!("pgbouncer-{mode}.ini"));
    fs::write(&path, settings).unwrap();
    let owner = fs::metadata(folder).unwrap();
    let mut command = Command::new("pgbouncer");
    command.env("PATH", "/usr/sbin:/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin");
    command.arg("-q").arg(&path).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let child = command.spawn().expect("pgbouncer; scripts/setup installs it");
    Bouncer { child, url: format!("postgres://postgres@127.0.0.1:{port}/blog") }
}

#[tokio::test]
async fn a_pooler_that_refuses_our_settings_is_noticed_and_left_clean() {
    check("").await;
}

#[tokio::test]
async fn a_pooler_that_forgets_our_settings_is_noticed_and_left_clean() {
    check("ignore_startup_parameters = options").await;
}

async fn check(extra: &str) {
    let (scratch, bouncer) = open("transaction", extra).await;
    let database = connect(&bouncer.url).await.unwrap();
    assert!(database.pooled() && !database.may_listen());
    assert_eq!(ask(&database, "current_setting('search_path')").await, "pg_catalog, pg_temp", "within our statements");
    let error = database.get().await.unwrap().query("SELECT tintype.nothing($1)", &[&1]).await.unwrap_err();
    assert!(error.to_string().contains("tintype"), "a failure is told as it is: {error}");
    let host = postgres::connect(&bouncer.url).await;
    let row =
        host.query_one("SELECT current_setting('search_path'), current_setting('lock_timeout')", &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("\"$user\", public", "0"));

    let mut direct = settings(&bouncer.url);
    direct.listen_url = Some(scratch.url("blog"));
    let database = Database::connect(&direct, &LibpqEnv::default()).await.unwrap();
    let mut bell = database.listen("tintype").await.unwrap();
    assert!(database.pooled() && database.may_listen());
    bell.prove(&database, LIMIT).await.unwrap();
    assert_eq!(ask(&database, "pg_notify('tintype', 'through')").await, "");
    let heard = tokio::time::timeout(LIMIT, bell.next()).await.unwrap().unwrap();
    assert_eq!(heard.payload, "through");
}

/// A server with an empty database `blog`, and a pgbouncer before it that answers.
async fn open(mode: &str, extra: &str) -> (Scratch, Bouncer) {
    let scratch = postgres::scratch(&[]);
    scratch.create_database("blog").await.unwrap();
    let bouncer = start(scratch.folder(), &scratch.url("blog"), mode, extra);
    eventually("pgbouncer answers", Duration::from_secs(20), async || connect(&bouncer.url).await.ok()).await;
    (scratch, bouncer)
}

/// The same with tintype and the table `posts`, all of it through the pooler, and a connection that leads to the server itself.
async fn blog(mode: &str) -> (Scratch, Bouncer, Client) {
    let (scratch, bouncer) = open(mode, "").await;
    let client = postgres::connect(&scratch.url("blog")).await;
    client.batch_execute(POSTS).await.unwrap();
    tintype(&bouncer.url, &["install"]).await.done();
    tintype(&bouncer.url, &["attach", "posts", "--yes"]).await.done();
    (scratch, bouncer, client)
}

#[tokio::test]
async fn a_listening_url_is_proved_before_it_is_believed() {
    let (scratch, transactions) = open("transaction", "").await;
    let sessions = start(scratch.folder(), &scratch.url("blog"), "session", "");
    eventually("pgbouncer answers", Duration::from_secs(20), async || connect(&sessions.url).await.ok()).await;
    scratch.create_database("other").await.unwrap();
    for (case, url, hears) in [
        ("the server", scratch.url("blog"), true),
        ("a pool of sessions", sessions.url.clone(), true),
        ("a pool of transactions", transactions.url.clone(), false),
        ("another database", scratch.url("other"), false),
    ] {
        let mut both = settings(&transactions.url);
        both.listen_url = Some(url);
        let database = Database::connect(&both, &LibpqEnv::default()).await.unwrap();
        let mut bell = database.listen("tintype").await.unwrap();
        let proved = bell.prove(&database, Duration::from_secs(if hears { 10 } else { 1 })).await;
        match (hears, proved) {
            (true, proved) => proved.unwrap_or_else(|error| panic!("{case}: {error}")),
            (false, Err(DbError::Deaf { .. })) => {}
            (false, other) => panic!("{case}: {other:?}"),
        }
    }
    let listeners = connect(&transactions.url).await.unwrap();
    assert_eq!(
        ask(&listeners, "(SELECT count(*) FROM pg_listening_channels())").await,
        "0",
        "nothing sticks to a session"
    );
}

#[tokio::test]
async fn every_command_works_through_a_pooler() {
    let (_scratch, bouncer, client) = blog("transaction").await;
    let workplace = Workplace::new(bouncer.url.clone());
    client
        .batch_execute(
            "INSERT INTO posts (id, title, body) SELECT n, 'Post ' || n, 'Text' FROM generate_series(1, 40) n",
        )
        .await
        .unwrap();
    let doctor = tintype(&bouncer.url, &["doctor", "--no-storage", "--json"]).await;
    for told in [
        "\"code\":\"connection.pooler\",\"severity\":\"note\"",
        "\"code\":\"listen.deaf\",\"severity\":\"warning\"",
        "\"code\":\"tables\",\"severity\":\"ok\"",
    ] {
        assert!(doctor.stdout.contains(told), "{told}: {doctor:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("one.png").display().to_string();
    for arguments in [
        &["preview", "posts", "7", "-o", &picture][..],
        &["install"],
        &["install", "--print-sql"],
        &["attach", "posts", "--site", "blog.example", "--yes"],
        &["backfill", "posts"],
        &["backfill", "posts", "--rerender", "--where", "id < 5", "--dry-run"],
        &["status", "--json"],
        &["retry", "posts", "7"],
        &["retry"],
    ] {
        let Ran { code, stderr, .. } = tintype(&bouncer.url, arguments).await;
        assert_eq!(code, 0, "{arguments:?}: {stderr}");
    }
    assert_eq!(workplace.work().await, 0);
    until_drawn(&client).await;
    for arguments in [&["detach", "posts"][..], &["uninstall", "--yes"]] {
        tintype(&bouncer.url, arguments).await.done();
    }
    let host = postgres::connect(&bouncer.url).await;
    let left = "SELECT (SELECT count(*) FROM pg_prepared_statements) + (SELECT count(*) FROM pg_listening_channels())
        + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')
        + (SELECT count(*) FROM pg_settings WHERE source = 'session' AND name IN ('search_path', 'lock_timeout', 'TimeZone'))";
    assert_eq!(text(&host, left).await, "0", "nothing of ours is left in a session");
}

#[tokio::test]
async fn a_worker_behind_a_pooler_polls_and_never_rings() {
    let (_scratch, bouncer, client) = blog("transaction").await;
    let workplace = Workplace::new(bouncer.url.clone());
    let worker = workplace.start(&["--log", "debug"]);
    until(&client, "it is there", "SELECT count(*) = 1 FROM tintype.worker").await;
    client.batch_execute("INSERT INTO posts (id, body) VALUES (1, 'Text')").await.unwrap();
    until_drawn(&client).await;
    eventually("it no longer lingers", LIMIT, async || (!worker.logged("asleep").is_empty()).then_some(())).await;
    client.batch_execute("UPDATE posts SET body = 'other'").await.unwrap();
    let written = Instant::now();
    until_drawn(&client).await;
    assert!(written.elapsed() < Duration::from_secs(3), "within a poll: {:?}", written.elapsed());
    let rung = "SELECT coalesce(pg_sequence_last_value('tintype.bell'), 0)";
    assert_eq!(client.query_one(rung, &[]).await.unwrap().get::<_, i64>(0), 0, "the bell was never set");
    let told = worker.logged_with("a pooler stands before the database");
    assert_eq!(told.len(), 1, "one line says so: {told:?}");
}

#[tokio::test]
async fn a_second_url_lets_a_worker_behind_a_pooler_listen() {
    let (scratch, bouncer, client) = blog("transaction").await;
    let workplace = Workplace::new(bouncer.url.clone());
    let worker = workplace.start(&["--listen-url", &scratch.url("blog")]);
    until_asleep(&client).await;
    assert_eq!(worker.logged("listening").len(), 1);
    client.batch_execute("INSERT INTO posts (id, body) VALUES (1, 'Text')").await.unwrap();
    let written = Instant::now();
    until_drawn(&client).await;
    assert!(written.elapsed() < Duration::from_secs(3), "not with the next poll: {:?}", written.elapsed());
}
