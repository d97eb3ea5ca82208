//! Sessions have the settings that statements count on, the pool has its limit, and a listener hears and notices its end.

use std::time::Duration;

use tintype::db::{Database, DbError, LibpqEnv, Notification, Queries};

use super::{ask, connect, settings};
use crate::support::postgres::{self, TestDatabase};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn sessions_are_the_same_whatever_the_database_says() {
    let test = TestDatabase::new().await;
    let name = test.url().rsplit('/').next().unwrap().to_owned();
    test.client()
        .await
        .batch_execute(&format!(
            "ALTER DATABASE {name} SET search_path = public; ALTER DATABASE {name} SET timezone = 'Asia/Tokyo';
             ALTER DATABASE {name} SET datestyle = 'German'; ALTER DATABASE {name} SET statement_timeout = 1"
        ))
        .await
        .unwrap();
    let database = connect(&format!("{}?options=-c%20geqo_effort%3D7", test.url())).await.unwrap();
    for (setting, expected) in [
        ("search_path", "pg_catalog,pg_temp"),
        ("timezone", "UTC"),
        ("datestyle", "ISO, MDY"),
        ("intervalstyle", "postgres"),
        ("statement_timeout", "30s"),
        ("lock_timeout", "2s"),
        ("application_name", "tintype"),
        ("geqo_effort", "7"),
    ] {
        assert_eq!(ask(&database, &format!("current_setting('{setting}')")).await, expected, "{setting}");
    }
    assert!(!database.pooled());
    assert!(database.describe().starts_with(&format!("{name} on 127.0.0.1:")), "{}", database.describe());
}

#[tokio::test]
async fn a_socket_serves_as_well() {
    let scratch = postgres::scratch(&[]);
    let text = format!("host='{}' port={} user=postgres sslmode=require", scratch.folder().display(), scratch.port());
    let database = connect(&text).await.unwrap();
    assert_eq!(ask(&database, "inet_server_addr() IS NULL").await, "true");
}

#[tokio::test]
async fn a_used_up_pool_is_a_situation_of_its_own() {
    let test = TestDatabase::new().await;
    let mut settings = settings(&test.url());
    (settings.pool_size, settings.pool_timeout) = (1, Duration::from_millis(50));
    let database = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
    let taken = database.get().await.unwrap();
    let error = database.get().await.unwrap_err();
    assert_eq!(error.to_string(), "all 1 connections were in use for 50ms");
    assert!(error.is_transient());
    drop(taken);
    assert!(database.get().await.is_ok());
}

#[tokio::test]
async fn a_refused_statement_is_shown_in_full() {
    let test = TestDatabase::new().await;
    let database = connect(&test.url()).await.unwrap();
    let client = database.get().await.unwrap();
    let statement =
        "DO $$ BEGIN RAISE 'no ink' USING DETAIL = 'the well is dry', HINT = 'fill it', ERRCODE = 'TT001'; END $$";
    let error = client.batch_execute(statement).await.unwrap_err();
    let shown = error.to_string();
    assert_eq!(shown, "no ink (SQLSTATE TT001); the well is dry");
    assert_eq!(error.hint().as_deref(), Some("fill it"));
    assert_eq!(error.sql_state().unwrap().code(), "TT001");
    assert!(!error.is_transient());
    client.batch_execute("SET statement_timeout = 1").await.unwrap();
    let error = client.batch_execute("SELECT pg_sleep(5)").await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_listener_hears_and_notices_its_end() {
    let test = TestDatabase::new().await;
    let database = connect(&test.url()).await.unwrap();
    let mut bell = database.listen("odd \"bell").await.unwrap();
    bell.listen("other").await.unwrap();
    assert!(!bell.pooled());
    let client = database.get().await.unwrap();
    client.batch_execute("SELECT pg_notify('odd \"bell', ''), pg_notify('other', 'Ada')").await.unwrap();
    let heard = |channel: &str, payload: &str| Notification { channel: channel.into(), payload: payload.into() };
    assert_eq!(tokio::time::timeout(LIMIT, bell.next()).await.unwrap().unwrap(), heard("odd \"bell", ""));
    assert_eq!(tokio::time::timeout(LIMIT, bell.next()).await.unwrap().unwrap(), heard("other", "Ada"));
    bell.run("SELECT 1", LIMIT).await.unwrap();

    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT 1' AND pid <> pg_backend_pid()";
    client.batch_execute(end).await.unwrap();
    let error = tokio::time::timeout(LIMIT, bell.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, DbError::ConnectionLost { .. }) && error.is_transient(), "{error}");
    assert!(matches!(bell.run("SELECT 1", LIMIT).await, Err(DbError::ConnectionLost { .. })));
    assert!(matches!(bell.next().await, Err(DbError::ConnectionLost { .. })));
}

#[tokio::test]
async fn the_pool_gets_over_connections_that_died() {
    let test = TestDatabase::new().await;
    let database = connect(&test.url()).await.unwrap();
    let pid = ask(&database, "pg_backend_pid()").await;
    let client = test.client().await;
    client.batch_execute(&format!("SELECT pg_terminate_backend({pid})")).await.unwrap();
    crate::support::eventually("a new connection works", LIMIT, async || {
        let client = database.get().await.ok()?;
        client.query_one("SELECT 1", &[]).await.ok()
    })
    .await;
}
