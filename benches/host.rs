//! What tintype's triggers cost a host: throughput, CPU, WAL and notifications of its writes, in pairs within one run, beside no trigger,
//! an empty one, and the one that tutorials show; and how long a write waits while tintype comes and goes. `cargo bench --bench host`;
//! `-- --long` takes more and longer rounds, `-- --only PART` runs one part and keeps the others' figures.

#[path = "host/load.rs"]
mod load;
#[path = "host/parts.rs"]
mod parts;
#[path = "report/mod.rs"]
mod report;
#[path = "host/stage.rs"]
mod stage;
#[path = "host/variant.rs"]
mod variant;

use parts::Effort;
use report::Report;
use stage::Stage;

const PARTS: [&str; 7] = ["clients-1", "clients-8", "clients-32", "cost", "bulk", "cycles", "stalls"];

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    // Under `cargo test --benches` everything runs once, as a proof that it runs.
    let effort = match (has("--bench"), has("--long")) {
        (false, _) => Effort::PROOF,
        (true, false) => Effort::SHORT,
        (true, true) => Effort::LONG,
    };
    let only = arguments.iter().skip_while(|argument| *argument != "--only").nth(1);
    if let Some(only) = only.filter(|only| !PARTS.contains(&only.as_str())) {
        eprintln!("there is no part {only}; the parts are {}", PARTS.join(", "));
        std::process::exit(2);
    }
    let stage = Stage::set().await;
    let mut report = Report::default();
    for part in PARTS.into_iter().filter(|part| only.is_none_or(|only| only == part)) {
        match part {
            "clients-1" => parts::throughput(&stage, 1, effort, &mut report).await,
            "clients-8" => parts::throughput(&stage, 8, effort, &mut report).await,
            "clients-32" => parts::throughput(&stage, 32, effort, &mut report).await,
            "cost" => parts::cost(&stage, effort, &mut report).await,
            "bulk" => parts::bulk(&stage, effort, &mut report).await,
            "cycles" => parts::cycles(&stage, effort, &mut report).await,
            _ => parts::stalls(&stage, effort, &mut report).await,
        }
    }
    report.keep_others("host");
    report.finish("host");
}
