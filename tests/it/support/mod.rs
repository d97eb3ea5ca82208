//! What the integration tests share: a database a test, and waiting for a condition instead of sleeping.

pub(crate) mod certificates;
pub(crate) mod chromium;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod s3;
pub(crate) mod schema;
pub(crate) mod web;
pub(crate) mod window;
pub(crate) mod worker;

use std::time::{Duration, Instant};

/// Asks again and again until the answer is `Some`, and returns it; fails the test where that takes longer than `limit`.
pub(crate) async fn eventually<T, F>(what: &str, limit: Duration, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < limit, "still waiting after {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
