//! Metrics as Prometheus reads them: what this process counted, and what the database says of the queue, asked with one statement.
//! Where the database is away, its figures are missing and the others are not.

use std::sync::{Arc, atomic::AtomicU64};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::prometheus_text::{CONTENT_TYPE, encode},
    metrics::gauge::Gauge,
    registry::Registry,
};

use super::Site;

pub(super) async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let mut text = String::new();
    let (counted, now) = (site.vitals.meters.registry(), now(&site).await);
    match encode(&mut text, &counted).and_then(|()| encode(&mut text, &now)) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What is true at this moment.
async fn now(site: &Site) -> Registry {
    let mut all = Registry::with_prefix("tintype");
    let mut add = |name: &str, help: &str, value: f64| {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(value);
        all.register(name, help, gauge);
    };
    let flag = |set: bool| if set { 1.0 } else { 0.0 };
    let load = site.reader.load().await;
    add("database_up", "Whether the database answered this scrape", flag(load.is_ok()));
    add("listen_connected", "Whether LISTEN hears the bell; else the worker polls", flag(site.alarm.connected()));
    add("draining", "Whether the worker was told to stop", flag(site.stop.is_cancelled()));
    if let Ok(load) = load {
        add("queue_depth", "Marks and jobs of all tables that are not paused", load.depth as f64);
        add("backfill_depth", "Those of them that a backfill made", load.backfill as f64);
        add("oldest_job_age_seconds", "Age of the oldest of them, 0 where there is none", load.oldest);
        add("workers", "Workers that gave a sign of life within a minute", load.workers as f64);
    }
    all
}
