//! Connections that look alive while nothing gets through: a listener notices, a statement gives up, and both come back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tintype::{
    db::{ConnectSettings, Database, DbError, LibpqEnv, Queries},
    listener::{self, Alarm, Pulse},
    sleep::{self, Sleep, Sleeper},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::{
    eventually,
    postgres::TestDatabase,
    proxy::Proxy,
    worker::{LIMIT, blog, until_asleep},
};

/// Quicker than a worker's, so that the test does not wait.
const PULSE: Pulse = Pulse { every: Duration::from_millis(100), limit: Duration::from_millis(500) };

#[tokio::test]
async fn a_listener_whose_peer_vanished_is_noticed_and_replaced() {
    let test = TestDatabase::new().await;
    let proxy = Proxy::before(&test.url()).await;
    let settings = ConnectSettings {
        url: Some(test.url()),
        listen_url: Some(format!("{}?connect_timeout=2", proxy.url(&test.url()))),
        ..ConnectSettings::default()
    };
    let db = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
    let (alarm, stop) = (Arc::new(Alarm::default()), CancellationToken::new());
    let listening = tokio::spawn({
        let (db, alarm, stop) = (db.clone(), Arc::clone(&alarm), stop.clone());
        async move { listener::listen(&db, &alarm, PULSE, &stop).await }
    });
    let hears = async |wanted: bool, what: &str| {
        eventually(what, LIMIT, async || (alarm.connected() == wanted).then_some(())).await;
    };
    hears(true, "it listens").await;
    for (fault, strike) in [("swallowed", Proxy::swallow as fn(&Proxy)), ("cut", Proxy::cut)] {
        strike(&proxy);
        let struck = Instant::now();
        hears(false, fault).await;
        assert!(struck.elapsed() < Duration::from_secs(3), "{fault}: {:?}", struck.elapsed());
        proxy.clear();
        hears(true, "it listens again").await;
        timeout(LIMIT, alarm.rung()).await.expect("a new connection rings once, for what was missed");
        test.client().await.batch_execute("NOTIFY tintype").await.unwrap();
        timeout(LIMIT, alarm.rung()).await.expect("and it hears");
    }
    stop.cancel();
    listening.await.unwrap();
}

/// Asleep, nobody but the sleeper says anything: its own statement finds that the connection is dead, and no mark is missed.
#[tokio::test]
async fn a_sleeper_finds_out_that_it_hears_nothing() {
    let (test, client) = blog().await;
    let proxy = Proxy::before(&test.url()).await;
    let settings = ConnectSettings {
        url: Some(format!("{}?connect_timeout=2", proxy.url(&test.url()))),
        statement_timeout: Duration::from_secs(1),
        ..ConnectSettings::default()
    };
    let db = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
    let (alarm, stop) = (Arc::new(Alarm::default()), CancellationToken::new());
    let listening = tokio::spawn({
        let (db, alarm, stop) = (db.clone(), Arc::clone(&alarm), stop.clone());
        async move { listener::listen(&db, &alarm, Pulse::default(), &stop).await }
    });
    eventually("it listens", LIMIT, async || alarm.connected().then_some(())).await;
    let sleeping = tokio::spawn({
        let (db, alarm) = (db.clone(), Arc::clone(&alarm));
        async move {
            let sleeper = Sleeper { fallback: Duration::from_millis(300), ..Sleeper::new(1, "test") };
            loop {
                match sleep::until_work(&db, &alarm, &sleeper).await {
                    Ok(why) => return why,
                    Err(error) => assert!(error.is_transient(), "{error}"),
                }
            }
        }
    });
    until_asleep(&client).await;
    eventually("it dozes", LIMIT, async || alarm.dozing().then_some(())).await;
    let talkers = "SELECT count(DISTINCT pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%doze%' AND pid <> pg_backend_pid()";
    assert_eq!(client.query_one(talkers, &[]).await.unwrap().get::<_, i64>(0), 1, "over the connection that listens");
    proxy.swallow();
    eventually("it hears nothing, and knows it", LIMIT, async || (!alarm.connected()).then_some(())).await;
    client.batch_execute("INSERT INTO posts (id) VALUES (1)").await.unwrap();
    proxy.clear();
    assert_eq!(timeout(LIMIT, sleeping).await.expect("the mark").unwrap(), Sleep::Work);
    stop.cancel();
    listening.await.unwrap();
}

#[tokio::test]
async fn a_quiet_listener_stays_connected() {
    let test = TestDatabase::new().await;
    let settings = ConnectSettings { url: Some(test.url()), ..ConnectSettings::default() };
    let db = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
    let (alarm, stop) = (Arc::new(Alarm::default()), CancellationToken::new());
    let listening = tokio::spawn({
        let (db, alarm, stop) = (db.clone(), Arc::clone(&alarm), stop.clone());
        async move { listener::listen(&db, &alarm, PULSE, &stop).await }
    });
    eventually("it listens", LIMIT, async || alarm.connected().then_some(())).await;
    let client = test.client().await;
    let asked = "SELECT query = 'SELECT 1' AND state_change > $1::text::timestamptz FROM pg_stat_activity
        WHERE datname = current_database() AND query IN ('SELECT 1')";
    for _ in 0..3 {
        let now: String = client.query_one("SELECT clock_timestamp()::text", &[]).await.unwrap().get(0);
        eventually("it asks whether it lives", LIMIT, async || {
            client.query_opt(asked, &[&now]).await.unwrap().filter(|row| row.get(0)).map(drop)
        })
        .await;
        assert!(alarm.connected());
    }
    stop.cancel();
    listening.await.unwrap();
}

#[tokio::test]
async fn a_statement_that_is_never_answered_costs_its_connection_and_no_more() {
    let test = TestDatabase::new().await;
    let proxy = Proxy::before(&test.url()).await;
    let settings = ConnectSettings {
        url: Some(proxy.url(&test.url())),
        pool_size: 1,
        statement_timeout: Duration::from_millis(100),
        ..ConnectSettings::default()
    };
    let db = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
    proxy.swallow();
    let error =
        timeout(LIMIT, async { db.get().await?.query("SELECT 1", &[]).await }).await.expect("an end").unwrap_err();
    assert!(matches!(error, DbError::Timeout { .. }) && error.is_transient(), "{error}");
    proxy.clear();
    db.get().await.unwrap().query_one("SELECT 1", &[]).await.expect("a new connection");
}
