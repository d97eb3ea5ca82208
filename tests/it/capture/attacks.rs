//! Attacks on the guard, each run twice in a real browser: without it, where the server inside must be reached, so that the attack
//! is one; and with it, where that server must see nothing, over TCP or UDP, not so much as a connection.

mod browser;
mod cases;
mod engine;
mod inside;
mod outside;
mod stage;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;
use tintype::capture::guard::BROWSER_FLAGS;

use self::{
    browser::programs,
    cases::Case,
    stage::{Patience, Run, Way, perform},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attacks_reach_the_inside_without_the_guard_and_nothing_with_it() {
    let (program, cases) = (programs().remove(0), cases::read());
    let started = Instant::now();
    // Whoever is unguarded can also be told what a name server of the attacker's would say.
    let names = "--host-resolver-rules=MAP inside.example 127.0.0.1, MAP inside 127.0.0.1";
    let patience = |sure| if sure { Patience::SURE } else { Patience::UNSURE };
    let without = perform(&program, &cases, &[names], Way::Open, |index| patience(cases[index].works)).await;
    // What used TCP must ask the door; of what used UDP nothing is to be seen.
    let asks = |index: usize| without[index].seen.first().is_some_and(|first| first.starts_with("TCP"));
    let with = perform(&program, &cases, BROWSER_FLAGS, Way::Guarded, |index| patience(asks(index))).await;
    let table = table(&cases, &without, &with);
    println!("{table}\n{} cases in {:?}", cases.len(), started.elapsed());
    write(&cases, &without, &with, started.elapsed());

    let names = |wrong: &dyn Fn(usize) -> bool| -> Vec<&str> {
        (0..cases.len()).filter(|index| wrong(*index)).map(|index| cases[index].name.as_str()).collect()
    };
    let nothing: [&str; 0] = [];
    assert_eq!(names(&|index| !with[index].seen.is_empty()), nothing, "these got through the guard");
    assert_eq!(names(&|index| cases[index].works && without[index].seen.is_empty()), nothing, "these are no attacks");
    assert_eq!(
        names(&|index| !cases[index].works && !without[index].seen.is_empty()),
        nothing,
        "these are attacks after all"
    );
    assert_eq!(names(&|index| asks(index) && with[index].refused.is_empty()), nothing, "these did not even try");
    assert!(cases.iter().filter(|case| case.works).count() >= 60);
}

/// Without any of its parts the guard does not hold, and this suite sees it. So it is in the headless shell and in the whole browser,
/// which has other names for the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_of_the_guard_is_needed_in_each_browser() {
    let nothing: [&str; 0] = [];
    let over_http = ["loopback", "image", "socket", "shared worker that fetches"];
    let over_udp = ["STUN", "TURN", "a peer, over UDP"];
    let webrtc: Vec<&str> = BROWSER_FLAGS.iter().copied().filter(|flag| !flag.contains("webrtc")).collect();
    for program in programs() {
        let reached = async |names: &[&'static str], flags: &[&str], way, patience| -> Vec<&'static str> {
            reached(&program, names, flags, way, patience).await
        };
        let around = reached(&over_http, BROWSER_FLAGS, Way::LoopbackAround, Patience::SURE).await;
        assert_eq!(around, over_http, "{}, without the list of what goes around a proxy", program.display());
        let around = reached(&over_udp, &webrtc, Way::Guarded, Patience::SURE).await;
        assert_eq!(around, over_udp, "{}, without the policy for WebRTC", program.display());
        let all = [&over_http[..], &over_udp].concat();
        let through = reached(&all, BROWSER_FLAGS, Way::Guarded, Patience::UNSURE).await;
        assert_eq!(through, nothing, "{}, with the guard", program.display());
    }
}

/// What is in no context with a door, such as the browser's own business, reaches nothing at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_door_nothing_is_reached() {
    let nothing: [&str; 0] = [];
    let names =
        ["loopback", "another loopback address", "version 6", "localhost", "https", "a page in its own address"];
    for program in programs() {
        assert_eq!(reached(&program, &names, BROWSER_FLAGS, Way::Doorless, Patience::UNSURE).await, nothing);
    }
}

/// Where no proxy is asked at all, names and addresses other than that of the doors lead nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_wall_holds_by_itself() {
    let nothing: [&str; 0] = [];
    let flags: Vec<&str> = BROWSER_FLAGS.iter().copied().filter(|flag| flag.contains("resolver")).collect();
    assert_eq!(flags.len(), 1);
    let names = [
        "another loopback address",
        "version 6",
        "mapped",
        "localhost",
        "below localhost",
        "socket to a name",
        "image at version 6",
    ];
    for program in programs() {
        assert_eq!(reached(&program, &names, &flags, Way::Open, Patience::UNSURE).await, nothing);
    }
}

/// Those of the named cases that reach the inside.
async fn reached(
    program: &Path,
    names: &[&'static str],
    flags: &[&str],
    way: Way,
    patience: Patience,
) -> Vec<&'static str> {
    let all = cases::read();
    let find = |name: &&str| all.iter().find(|case| case.name == *name).cloned().unwrap();
    let cases: Vec<Case> = names.iter().map(find).collect();
    let runs = perform(program, &cases, flags, way, |_| patience).await;
    names.iter().zip(runs).filter(|(_, run)| !run.seen.is_empty()).map(|(name, _)| *name).collect()
}

fn table(cases: &[Case], without: &[Run], with: &[Run]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(["case", "without", "with"]);
    for ((case, without), with) in cases.iter().zip(without).zip(with) {
        table.add_row([case.name.as_str(), &outcome(without), &outcome(with)]);
    }
    table.to_string()
}

fn outcome(run: &Run) -> String {
    let what = match (run.seen.as_slice(), run.refused.first()) {
        ([], None) => "nothing".to_owned(),
        ([], Some(refusal)) => refusal.clone(),
        (seen, _) => seen.join(", "),
    };
    format!("{what} [{} ms]", run.took.as_millis())
}

/// Keeps the figures for who wants to look.
fn write(cases: &[Case], without: &[Run], with: &[Run], took: Duration) {
    let rows: Vec<_> = (cases.iter().zip(without).zip(with))
        .map(|((case, without), with)| {
            let run =
                |run: &Run| json!({ "seen": run.seen, "refused": run.refused, "ms": run.took.as_millis() as u64 });
            json!({ "case": case.name, "works": case.works, "without": run(without), "with": run(with) })
        })
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let text = json!({ "seconds": took.as_secs_f64(), "cases": rows });
    std::fs::write(folder.join("attacks.json"), serde_json::to_string_pretty(&text).unwrap()).unwrap();
}
