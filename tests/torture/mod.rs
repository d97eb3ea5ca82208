//! The fault suite of the queue: editors edit two tables while workers draw, die, stand still and lose their database, their
//! network and their store; then the faults end, the queue runs empty, and everything is compared with what the rows say.
//!
//! A plan goes in, a [`Tally`] comes out. The same seed gives the same edits and the same faults in the same order; how they meet
//! in time is the machine's affair.

mod crew;
pub(crate) mod dice;
mod editors;
mod faults;
mod oracle;
mod stage;
mod tally;
mod witness;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dice::Dice;
use stage::Stage;
pub(crate) use tally::Tally;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What a run does.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Decides edits and faults.
    pub(crate) seed: u64,
    /// How long faults go on.
    pub(crate) time: Duration,
    /// Rows of each table at the beginning.
    pub(crate) rows: u64,
    /// Connections that edit.
    pub(crate) editors: u64,
    /// Seconds that a claim lasts.
    pub(crate) lease: u32,
    /// Whether pictures go to a folder; else to a bucket.
    pub(crate) folder: bool,
    /// How long the queue may take to run empty after the last fault.
    pub(crate) patience: Duration,
    /// After how long an operator says `retry`, which ends the waiting for another attempt.
    pub(crate) retry_after: Duration,
    /// The longest that a write of the host may take.
    pub(crate) stall: Duration,
}

/// Carries a plan out.
pub(crate) async fn run(plan: &Plan) -> Arc<Tally> {
    let tally = Arc::new(Tally::new(plan.seed));
    let stage = Arc::new(Stage::set(plan, &tally).await);
    let (workers, edits) = (CancellationToken::new(), CancellationToken::new());
    let crew = crew::Crew::hire(&stage, &tally);
    let tending = tokio::spawn(crew::tend(Arc::clone(&crew), workers.clone()));

    let mut editors = JoinSet::new();
    for number in 0..plan.editors {
        editors.spawn(editors::edit(Arc::clone(&stage), Arc::clone(&tally), number, edits.clone()));
    }
    let began = Instant::now();
    let mut dice = Dice::new(plan.seed, 1);
    faults::inject(&stage, &crew, &tally, &mut dice, began + plan.time).await;
    edits.cancel();
    while editors.join_next().await.is_some() {}

    crew.let_all_go_on();
    oracle::judge(&stage, &crew, &tally).await;
    workers.cancel();
    let _ = tending.await;
    crew.send_home().await;
    tally
}
