//! The throwaway server: it serves, takes settings, tells why it did not start, and never outlives its owner.

use std::{path::PathBuf, process::Command, time::Duration};

use tintype::scratch::{Scratch, ScratchError, ScratchOptions};

use crate::support::{
    eventually,
    postgres::{self, TestDatabase},
};

#[tokio::test]
async fn a_scratch_server_serves_and_leaves_nothing_behind() {
    let scratch = postgres::scratch(&[("max_prepared_transactions", "7"), ("cluster_name", "Ada's")]);
    let folder = scratch.folder().to_owned();
    scratch.create_database("odd \"name/é").await.unwrap();
    let client = postgres::connect(&scratch.url("odd \"name/é")).await;
    let row = client
        .query_one(
            "SELECT current_database(), current_setting('max_prepared_transactions'), current_setting('cluster_name')",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), ("odd \"name/é", "7", "Ada's"));
    let error = scratch.create_database("odd \"name/é").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot create the database \"odd \\\"name/é\"");
    drop(scratch);
    assert!(!folder.exists());
    eventually("the session ends with the server", Duration::from_secs(10), async || client.is_closed().then_some(()))
        .await;
}

#[test]
fn a_server_that_does_not_start_shows_its_log() {
    let options = ScratchOptions {
        programs: std::env::var_os("TINTYPE_PG_BIN").map(Into::into),
        search_path: std::env::var_os("PATH"),
        settings: vec![("no_such_setting".into(), "1".into())],
    };
    let Err(ScratchError::Stopped { log }) = Scratch::start(&options) else { panic!("it started") };
    assert!(log.contains("no_such_setting"), "{log}");
}

#[tokio::test]
async fn a_kept_server_outlives_its_owner() {
    let scratch = postgres::scratch(&[]);
    let url = scratch.url("postgres");
    let folder = scratch.keep().unwrap();
    let client = postgres::connect(&url).await;
    client.batch_execute("SELECT 1").await.unwrap();
    let pid = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    let stopped = Command::new("kill").args(["-INT", pid.lines().next().unwrap()]).status().unwrap();
    assert!(stopped.success());
    eventually("the supervisor notes the end", Duration::from_secs(10), async || {
        folder.join("exited").exists().then_some(())
    })
    .await;
    std::fs::remove_dir_all(folder).unwrap();
}

/// Not a test of its own: what [`a_killed_owner_takes_its_server_along`] starts and kills.
#[test]
#[ignore = "started by another test"]
fn own_a_server_until_killed() {
    let scratch = postgres::scratch(&[]);
    println!("folder={}", scratch.folder().display());
    std::io::Read::read(&mut std::io::stdin(), &mut [0]).unwrap();
    std::process::abort();
}

#[tokio::test]
async fn a_killed_owner_takes_its_server_along() {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let mut owner = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "scratch::own_a_server_until_killed", "--ignored", "--nocapture"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let folder = loop {
        let line = lines.next_line().await.unwrap().expect("the owner names its folder");
        if let Some((_, folder)) = line.split_once("folder=") {
            break PathBuf::from(folder);
        }
    };
    let lock = folder.join("data/postmaster.pid");
    assert!(lock.exists());
    owner.kill().await.unwrap();
    eventually("server and folder are gone", Duration::from_secs(20), async || (!folder.exists()).then_some(())).await;
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, other) = (TestDatabase::new().await, TestDatabase::new().await);
    let (client, open) = (one.client().await, other.client().await);
    client.batch_execute("CREATE TABLE post ()").await.unwrap();
    assert!(open.batch_execute("TABLE post").await.is_err());
    let gone = other.url();
    drop(other);
    let databases = client.query("SELECT datname::text FROM pg_database", &[]).await.unwrap();
    assert!(!databases.iter().any(|row| gone.ends_with(row.get::<_, &str>(0))));
    assert!(open.batch_execute("SELECT 1").await.is_err(), "dropped although a connection was open");
}
