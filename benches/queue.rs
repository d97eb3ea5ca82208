//! How quick, how cheap and how steady the queue is: commit to URL, pictures a second, claims and folds with a million jobs waiting, an old
//! transaction that holds the horizon, a backfill of a large table, and what a sleeping worker costs. The Postgres is its own and durable, the worker a process.
//! `cargo bench --bench queue`; `-- --long` measures longer, `-- --only PART` runs one part and keeps the others' figures.

#[path = "arguments/mod.rs"]
mod arguments;
#[path = "queue/backfill.rs"]
mod backfill;
#[path = "queue/claim.rs"]
mod claim;
#[path = "queue/idle.rs"]
mod idle;
#[path = "queue/latency.rs"]
mod latency;
#[path = "queue/pinned.rs"]
mod pinned;
#[path = "queue/posts.rs"]
mod posts;
#[path = "report/mod.rs"]
mod report;
#[allow(dead_code, unreachable_pub, reason = "the tests need more of it")]
#[path = "../tests/it/support/s3.rs"]
mod s3;
#[path = "server/mod.rs"]
mod server;
#[path = "queue/stage.rs"]
mod stage;
#[path = "queue/throughput.rs"]
mod throughput;

use std::time::Duration;

use arguments::Extent;
use report::Report;
use stage::Stage;

const PARTS: [&str; 8] = ["linger", "wake", "throughput", "claim", "fold", "pinned", "backfill", "idle"];

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Commits whose pictures are waited for.
    pub(crate) samples: usize,
    /// Posts in a backlog.
    pub(crate) backlog: usize,
    /// Rounds in which things are set beside each other.
    pub(crate) rounds: usize,
    /// Claims of each claimer in a round.
    pub(crate) claims: usize,
    /// Jobs waiting.
    pub(crate) waiting: [usize; 3],
    /// How long the host writes with a pinned horizon, and as long without.
    pub(crate) pinned: Duration,
    /// Rows of a table that is backfilled.
    pub(crate) old_rows: usize,
    /// How long a worker sleeps.
    pub(crate) idle: Duration,
}

impl Effort {
    const PROOF: Self = Self {
        samples: 2,
        backlog: 300,
        rounds: 1,
        claims: 2,
        waiting: [0, 100, 1_000],
        pinned: Duration::from_secs(2),
        old_rows: 2_000,
        idle: Duration::from_secs(2),
    };
    const SHORT: Self = Self {
        samples: 50,
        backlog: 2_000,
        rounds: 3,
        claims: 40,
        waiting: [0, 10_000, 1_000_000],
        pinned: Duration::from_secs(60),
        old_rows: 1_000_000,
        idle: Duration::from_secs(60),
    };
    const LONG: Self = Self { samples: 200, rounds: 5, claims: 100, pinned: Duration::from_secs(600), ..Self::SHORT };

    fn of(extent: Extent) -> Self {
        match extent {
            Extent::Proof => Self::PROOF,
            Extent::Short => Self::SHORT,
            Extent::Long => Self::LONG,
        }
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let (extent, wanted) = arguments::read(PARTS);
    let effort = Effort::of(extent);
    let stage = Stage::set();
    let mut report = Report::default();
    for part in wanted {
        eprintln!("{part}");
        match part {
            "linger" => latency::lingering(&stage, effort, &mut report).await,
            "wake" => latency::asleep(&stage, effort, &mut report).await,
            "throughput" => throughput::measure(&stage, effort, &mut report).await,
            "claim" => claim::claims(&stage, effort, &mut report).await,
            "fold" => claim::folds(&stage, effort, &mut report).await,
            "pinned" => pinned::measure(&stage, effort, &mut report).await,
            "backfill" => backfill::measure(&stage, effort, &mut report).await,
            _ => idle::measure(&stage, effort, &mut report).await,
        }
    }
    report.keep_others("queue");
    report.finish("queue");
}
