//! Captures of good and evil pages for a long time, the browser killed after every fiftieth and frozen now and then: nothing may be
//! lost, nothing may be late, and what is held at the end is what was held at the start. `cargo bench --bench soak`; `-- --captures
//! 5000` takes more, `--at-once`, `--look-every`, `--kill-every`, `--freeze-every`. Figures go to `target/bench/soak.json`; the exit
//! code is 1 where something was lost or late.

#[path = "soak/log.rs"]
mod log;
#[path = "soak/mix.rs"]
mod mix;
#[path = "report/mod.rs"]
mod report;
#[path = "../tests/it/capture/site.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod site;
#[path = "soak/state.rs"]
mod state;
#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod support;
#[path = "soak/tally.rs"]
mod tally;
#[path = "capture/tree.rs"]
#[allow(dead_code, reason = "the bench needs more of it")]
mod tree;
#[path = "../tests/it/capture/yard.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod yard;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use report::Report;
use rustix::process::Signal;
use site::Site;
use state::State;
use tally::Tally;
use yard::Yard;

/// How much is done.
#[derive(Debug, Clone, Copy)]
struct Plan {
    captures: usize,
    at_once: usize,
    /// After so many captures one looks at what is held.
    look_every: usize,
    /// After so many the browser is killed.
    kill_every: usize,
    /// And after so many others frozen.
    freeze_every: usize,
}

/// What all workers share.
struct Soak {
    plan: Plan,
    yard: Yard,
    site: Site,
    next: AtomicUsize,
    done: AtomicUsize,
    tally: Mutex<Tally>,
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |flag: &str| -> Option<usize> {
        arguments.iter().skip_while(|argument| *argument != flag).nth(1)?.parse().ok()
    };
    // Under `cargo test --benches` one round of all pages is enough, as a proof that it runs.
    let real = arguments.iter().any(|argument| argument == "--bench");
    let plan = Plan {
        captures: number("--captures").unwrap_or(if real { 2_000 } else { mix::ALL.len() }),
        at_once: number("--at-once").unwrap_or(3).max(1),
        look_every: number("--look-every").unwrap_or(if real { 50 } else { 20 }).max(1),
        kill_every: number("--kill-every").unwrap_or(if real { 50 } else { 20 }).max(1),
        freeze_every: number("--freeze-every").unwrap_or(170).max(1),
    };
    let log = log::listen();
    let site = Site::open(mix::PAGES).await;
    let yard = Yard::with(&site, |settings| {
        (settings.captures, settings.host_captures) = (plan.at_once, plan.at_once);
    });
    let soak = Soak {
        plan,
        yard,
        site,
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        tally: Mutex::new(Tally::default()),
    };
    let started = Instant::now();
    futures_util::future::join_all((0..plan.at_once).map(|_| soak.work())).await;
    let seconds = started.elapsed().as_secs_f64();
    let Soak { yard, tally, .. } = soak;
    let tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut report = Report::default();
    let harm = tally.tell(seconds, &mut report);
    log.tell(&mut report);
    yard.close().await; // fails where a process or a folder is left
    State::now(&[], 0).tell("in the end, the browser closed", &mut report);
    report.finish("soak");
    println!("{} captures in {seconds:.0} s, {harm} of them lost or late", plan.captures);
    std::process::exit(i32::from(harm > 0));
}

impl Soak {
    async fn work(&self) {
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            if number >= self.plan.captures {
                return;
            }
            let case = mix::case(number);
            let shot = case.shot(&self.yard, &self.site);
            let started = Instant::now();
            let captured = self.yard.chrome.capture(&shot).await;
            let took = started.elapsed();
            self.note(|tally| tally.judge(case, &captured, took, shot.options.limit()));
            self.harm(self.done.fetch_add(1, Ordering::SeqCst) + 1).await;
        }
    }

    /// Looks around, then does to the browser what is due after so many captures.
    async fn harm(&self, done: usize) {
        if done.is_multiple_of(self.plan.look_every) {
            self.yard.browser().await;
            let state = State::now(&self.yard.processes(), self.yard.folders().len());
            self.note(|tally| tally.states.push((done, state)));
            eprintln!("{done}: {state}");
        }
        if done.is_multiple_of(self.plan.kill_every) {
            self.yard.browser().await.signal(Signal::KILL);
            self.note(|tally| tally.kills += 1);
        } else if done.is_multiple_of(self.plan.freeze_every) {
            self.yard.browser().await.signal(Signal::STOP);
            self.note(|tally| tally.freezes += 1);
        }
    }

    fn note(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}
