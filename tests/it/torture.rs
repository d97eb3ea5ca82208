//! The short form of the fault suite (`make torture` is the long one): as many faults as fit into ten seconds, in an order that
//! the seed decides, on some rows. Leases last three seconds here, so that a worker that stands still loses them.

#[path = "../torture/mod.rs"]
pub(crate) mod suite;

use std::time::Duration;

use suite::Plan;

/// A number that the environment may give.
fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seed is another one with each run, and is told.
fn seed() -> u64 {
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |now| now.as_secs());
    given("TINTYPE_TORTURE_SEED").unwrap_or_else(now)
}

async fn survive(folder: bool) {
    let plan = Plan {
        seed: seed(),
        time: Duration::from_secs(given("TINTYPE_TORTURE_SECONDS").unwrap_or(9)),
        rows: 60,
        editors: 3,
        lease: 3,
        folder,
        patience: Duration::from_secs(60),
        retry_after: Duration::from_secs(1),
        stall: Duration::from_secs(10),
    };
    let tally = suite::run(&plan).await;
    let book = tally.book();
    eprintln!("seed {}: {:#?}\nnot tried: {:?}", tally.seed, book.counts, book.skipped);
    for (what, (time, words)) in &book.longest {
        eprintln!("{what}: {time:.0?}, {words}");
    }
    for (what, times) in &book.samples {
        eprintln!("{what}: {times:.1?}");
    }
    assert!(
        book.violations.is_empty(),
        "TINTYPE_TORTURE_SEED={}: {} violations:\n{}",
        tally.seed,
        book.violations.len(),
        book.violations.join("\n")
    );
    assert!(book.counts["URLs written by workers"] > plan.rows, "{:?}", book.counts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_on_the_way_to_a_bucket() {
    survive(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_on_the_way_to_a_folder() {
    survive(true).await;
}
