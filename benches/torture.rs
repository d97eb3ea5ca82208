//! The long form of the fault suite: editors edit, workers draw, and everything dies again and again for some minutes, into a
//! bucket and into a folder by turns; then each row, object and write is judged. `cargo bench --bench torture -- --minutes 20`;
//! `--seed N` repeats a plan, `--lease 60` has claims last as long as they do in production, `--rows`, `--editors`.
//! Figures go to `target/bench/torture.json`; the exit code is 1 where a promise was broken.

#[path = "report/mod.rs"]
mod report;
#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod support;
#[path = "../tests/torture/mod.rs"]
mod torture;

use std::time::Duration;

use report::{Goal, Report, quantile};
use torture::{Plan, Tally};

/// The longest round: then the store changes, and all is judged.
const ROUND: Duration = Duration::from_secs(5 * 60);

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |flag: &str| -> Option<f64> { arguments.iter().skip_while(|argument| *argument != flag).nth(1)?.parse().ok() };
    // Under `cargo test --benches` a moment is enough, as a proof that it runs.
    let real = arguments.iter().any(|argument| argument == "--bench");
    let minutes = number("--minutes").unwrap_or(if real { 10.0 } else { 0.1 });
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |now| now.as_secs());
    let seed = number("--seed").map_or(now, |seed| seed as u64);
    let mut left = Duration::from_secs_f64(minutes * 60.0);
    let rounds = (left.as_secs_f64() / ROUND.as_secs_f64()).ceil().max(2.0);
    let time = left.div_f64(rounds);
    let (mut report, mut violations, mut round) = (Report::default(), 0, 0);
    while left > Duration::from_millis(1) {
        let plan = Plan {
            seed: seed + round,
            time,
            rows: number("--rows").map_or(1_000, |rows| rows as u64),
            editors: number("--editors").map_or(4, |editors| editors as u64),
            lease: number("--lease").map_or(6, |lease| lease as u32),
            folder: round % 2 == 1,
            patience: Duration::from_secs(900),
            retry_after: Duration::from_secs(420), // the longest wait between two attempts is five minutes
            stall: Duration::from_secs(10),
        };
        println!(
            "round {round}: seed {}, {time:.0?} of faults, {}",
            plan.seed,
            if plan.folder { "folder" } else { "bucket" }
        );
        let tally = torture::run(&plan).await;
        violations += tell(&tally, if plan.folder { "folder" } else { "bucket" }, round, &mut report);
        left = left.saturating_sub(time);
        round += 1;
    }
    report.finish("torture");
    println!("seed {seed}: {violations} violations");
    std::process::exit(i32::from(violations > 0));
}

/// Puts one round on record; returns how many promises it saw broken.
fn tell(tally: &Tally, store: &str, round: u64, report: &mut Report) -> usize {
    let (book, case) = (tally.book(), format!("{store} · round {round}, seed {}", tally.seed));
    for (what, count) in &book.counts {
        let goal = if what == "URLs written by workers" { Goal::AtLeast(1.0) } else { Goal::None };
        report.add(&case, what, *count as f64, "", goal);
    }
    for (what, (time, words)) in &book.longest {
        println!("{what}: {time:.0?}, {words}");
        report.add(&case, what, time.as_secs_f64() * 1e3, "ms", Goal::None);
    }
    for (what, times) in &book.samples {
        let mut times: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
        report.add(&case, &format!("{what}, longest"), quantile(&mut times, 1.0), "s", Goal::None);
        report.add_samples(&case, &format!("{what}, median of {}", times.len()), &times, "s", Goal::None);
    }
    for skipped in &book.skipped {
        println!("not tried: {skipped}");
    }
    for violation in &book.violations {
        println!("VIOLATION, seed {}: {violation}", tally.seed);
    }
    report.add(&case, "violations", book.violations.len() as f64, "", Goal::AtMost(0.0));
    book.violations.len()
}
