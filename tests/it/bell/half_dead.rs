//! Connections that look alive while nothing gets through: a listener notices, a statement gives up, and both come back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tintype::{
    db::{ConnectSettings, Database, DbError, LibpqEnv, Queries},
    listener::{self, Alarm, Pulse},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::{eventually, postgres::TestDatabase, proxy::Proxy, worker::LIMIT};

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
