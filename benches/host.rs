//! What tintype's triggers cost a host: throughput, CPU, WAL and notifications of its writes, in pairs within one run, beside no trigger,
//! an empty one, and the one that tutorials show; and how long a write waits while tintype comes and goes. `cargo bench --bench host`;
//! `-- --long` takes more and longer rounds, `-- --only PART` runs one part and keeps the others' figures.

#[path = "arguments/mod.rs"]
mod arguments;
#[path = "host/load.rs"]
mod load;
#[path = "host/parts.rs"]
mod parts;
#[path = "report/mod.rs"]
mod report;
#[path = "server/mod.rs"]
mod server;
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
    let (extent, wanted) = arguments::read(PARTS);
    let effort = Effort::of(extent);
    let stage = Stage::set().await;
    let mut report = Report::default();
    for part in wanted {
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
