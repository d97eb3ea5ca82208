//! How quick captures are, how many there are a second and how much memory they take, beside Playwright and Puppeteer on the same
//! pages of a site on loopback, with the same Chromium. tintype runs as it does in production, its guard between the page and the
//! site. `make bench-capture` installs the peers first; `-- --only PART` runs one part and keeps the others' figures.

#[path = "arguments/mod.rs"]
mod arguments;
#[path = "capture/engine.rs"]
mod engine;
#[path = "capture/parts.rs"]
mod parts;
#[path = "capture/peer.rs"]
mod peer;
#[path = "report/mod.rs"]
mod report;
#[path = "capture/same.rs"]
mod same;
#[path = "capture/site.rs"]
mod site;
#[path = "capture/tree.rs"]
mod tree;

use arguments::Extent;
use report::Report;

const PARTS: [&str; 6] = ["light", "gradient", "heavy", "template", "rate", "memory"];

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Rounds in which the engines take turns.
    pub(crate) rounds: usize,
    /// Pictures in a row, one right after the other.
    pub(crate) turn: usize,
    /// Pictures of a turn in which several are taken at once.
    pub(crate) crowd: usize,
    /// Pictures before the clock runs.
    pub(crate) warm_up: usize,
}

impl Effort {
    const PROOF: Self = Self { rounds: 1, turn: 1, crowd: 4, warm_up: 1 };
    const REAL: Self = Self { rounds: 8, turn: 4, crowd: 24, warm_up: 6 };
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let (extent, wanted) = arguments::read(PARTS);
    let real = extent != Extent::Proof;
    let effort = if real { Effort::REAL } else { Effort::PROOF };
    if real && !peer::Peer::is_installed() {
        eprintln!("there is nobody to compare with; scripts/bench-capture installs them");
        std::process::exit(2);
    }
    let stage = parts::Stage::set().await;
    let mut report = Report::default();
    for part in wanted {
        eprintln!("{part}");
        match part {
            "light" => parts::fresh(&stage, effort, "light page", "/light", &mut report).await,
            "gradient" => parts::fresh(&stage, effort, "light page with a gradient", "/gradient", &mut report).await,
            "heavy" => parts::fresh(&stage, effort, "heavy page", "/heavy", &mut report).await,
            "template" => parts::template(&stage, effort, &mut report).await,
            "rate" => parts::rate(&stage, effort, &mut report).await,
            _ => parts::memory(&stage, effort, &mut report).await,
        }
    }
    report.keep_others("capture");
    report.finish("capture");
}
