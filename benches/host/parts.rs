//! The parts of the bench. Variants take turns within a round, ratios are taken within a round, medians over the rounds.

use std::{process::Stdio, time::Duration};

use super::{
    arguments::Extent,
    load::{self, Amount, Outcome, Write, after},
    report::{Goal, Report, quantile},
    stage::Stage,
    variant::Variant,
};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    seconds: u32,
    times: u32,
}

impl Effort {
    const PROOF: Self = Self { rounds: 1, seconds: 1, times: 50 };
    const SHORT: Self = Self { rounds: 3, seconds: 1, times: 3000 };
    const LONG: Self = Self { rounds: 5, seconds: 1, times: 6000 };

    pub(crate) fn of(extent: Extent) -> Self {
        match extent {
            Extent::Proof => Self::PROOF,
            Extent::Short => Self::SHORT,
            Extent::Long => Self::LONG,
        }
    }
}

/// A variant, a write, and what each round gave.
type Samples = Vec<(Variant, Write, Vec<Outcome>)>;

/// Every variant with every write, a round after the other.
async fn rounds(
    stage: &Stage,
    variants: &[Variant],
    writes: &[Write],
    rounds: usize,
    clients: u32,
    amount: impl Fn(Write) -> Amount,
) -> Samples {
    let pairs = variants.iter().flat_map(|&variant| writes.iter().map(move |&write| (variant, write, Vec::new())));
    let mut samples: Samples = pairs.collect();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}, {clients} clients", round + 1);
        // Each round begins with another, because the table's pages fill while it lasts.
        for &variant in variants.iter().cycle().skip(round).take(variants.len()) {
            let worker = variant.enter(stage).await;
            for &write in writes {
                let outcome = load::run(stage, write, clients, amount(write)).await;
                let found = samples.iter_mut().find(|(v, w, _)| *v == variant && *w == write);
                found.expect("it is in the list").2.push(outcome);
            }
            variant.leave(stage, worker).await;
        }
        stage.blog.run("DELETE FROM posts WHERE id > 100200").await;
        stage.blog.run("VACUUM posts").await;
        stage.blog.run("CHECKPOINT").await;
    }
    samples
}

/// The figures of one variant and write, each set against another variant's of the same round.
fn against(
    samples: &Samples,
    (variant, other): (Variant, Variant),
    write: Write,
    of: impl Fn(Outcome, Outcome) -> f64,
) -> Vec<f64> {
    let find =
        |variant| samples.iter().find(|(v, w, _)| *v == variant && *w == write).map_or(&[][..], |(_, _, found)| found);
    find(variant).iter().zip(find(other)).map(|(&mine, &its)| of(mine, its)).collect()
}

/// Throughput with durable commits, and what was notified meanwhile.
pub(crate) async fn throughput(stage: &Stage, clients: u32, effort: Effort, report: &mut Report) {
    use Variant::{Again, Alone, Asleep, Awake, Drawing, Empty, Nothing, Tutorial};
    let variants = [Nothing, Again, Empty, Alone, Awake, Drawing, Asleep, Tutorial];
    let writes = [Write::Views, Write::Insert, Write::Update];
    let samples = rounds(stage, &variants, &writes, effort.rounds, clients, |_| Amount::Seconds(effort.seconds)).await;
    let group =
        format!("{clients} {}, writes a second against no trigger", if clients == 1 { "client" } else { "clients" });
    let ratio = |variant, write| against(&samples, (variant, Nothing), write, |mine, its| mine.rate / its.rate);
    let noise = |write| quantile(&mut ratio(Again, write), 0.25);
    for variant in variants {
        let case = format!("{group} · {}", variant.name());
        for write in writes {
            if variant == Nothing {
                let rates = against(&samples, (Nothing, Nothing), write, |mine, _| mine.rate);
                report.add_samples(&case, &format!("{}, a second", write.name()), &rates, "", Goal::None);
                continue;
            }
            let below = quantile(&mut ratio(Empty, write), 0.5) - 0.08;
            let goal = match (variant, clients) {
                (Awake | Drawing, 8) if write.marks() => Goal::AtLeast(0.95),
                (Awake | Drawing, 32) if write.marks() => Goal::AtLeast(hundredths(below)),
                (Alone | Awake, 1) => Goal::AtLeast(hundredths(noise(write).min(0.98))),
                (Alone | Awake, _) if !write.marks() => Goal::AtLeast(hundredths(noise(write).min(0.98))),
                _ => Goal::None,
            };
            report.add_samples(&case, write.name(), &ratio(variant, write), "×", goal);
        }
        let mut heard: Vec<f64> = writes
            .iter()
            .filter(|write| write.marks())
            .flat_map(|&write| against(&samples, (variant, variant), write, |mine, _| mine.notifications))
            .collect();
        let goal = if matches!(variant, Awake | Drawing) { Goal::AtMost(0.0) } else { Goal::None };
        report.add(&case, "notifications per 1,000 commits", quantile(&mut heard, 1.0), "", goal);
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// CPU and WAL of one row, one client that waits for no flush.
pub(crate) async fn cost(stage: &Stage, effort: Effort, report: &mut Report) {
    use Variant::{Again, Alone, Asleep, Empty, Nothing, Strict, Tutorial};
    let variants = [Nothing, Again, Empty, Alone, Strict, Asleep, Tutorial];
    let samples = rounds(stage, &variants, &Write::SINGLE, effort.rounds, 1, |_| Amount::Times(effort.times)).await;
    for variant in variants {
        let case = format!("CPU of a write, µs, and more than with no trigger · {}", variant.name());
        for write in Write::SINGLE {
            let more = |other| against(&samples, (variant, other), write, |mine, its| mine.cpu - its.cpu);
            if variant == Nothing {
                let cpu = against(&samples, (variant, variant), write, |mine, _| mine.cpu);
                report.add_samples(&case, &format!("{}, in all", write.name()), &cpu, "", Goal::None);
                continue;
            }
            let noise = quantile(&mut against(&samples, (Again, Nothing), write, |mine, its| mine.cpu - its.cpu), 1.0);
            let goal = if matches!(variant, Alone | Strict) && !write.marks() {
                Goal::AtMost(hundredths(noise.max(1.0)))
            } else {
                Goal::None
            };
            report.add_samples(&case, write.name(), &more(Nothing), "", goal);
            if write.marks() && !matches!(variant, Again | Empty) {
                let goal = if matches!(variant, Alone | Strict) { Goal::AtMost(22.0) } else { Goal::None };
                report.add_samples(
                    &case,
                    &format!("{}, above the empty trigger", write.name()),
                    &more(Empty),
                    "",
                    goal,
                );
            }
        }
    }
    for variant in variants.into_iter().filter(|variant| !matches!(variant, Nothing | Again)) {
        let case = format!("WAL of a write, bytes more than with no trigger · {}", variant.name());
        for write in Write::SINGLE.into_iter().filter(|&write| write != Write::LongViews) {
            let more = against(&samples, (variant, Nothing), write, |mine, its| mine.wal - its.wal);
            let goal =
                if matches!(variant, Alone | Strict) && write.marks() { Goal::AtMost(150.0) } else { Goal::None };
            report.add_samples(&case, write.name(), &more, "", goal);
        }
    }
}

/// 10,000 rows in one statement.
pub(crate) async fn bulk(stage: &Stage, effort: Effort, report: &mut Report) {
    use Variant::{Again, Alone, Empty, Nothing, Strict, Tutorial};
    let variants = [Nothing, Again, Empty, Alone, Strict, Tutorial];
    let samples = rounds(stage, &variants, &Write::BULK, effort.rounds, 1, |_| Amount::Times(3)).await;
    for variant in variants {
        let case = format!("10,000 rows in one statement, CPU against no trigger · {}", variant.name());
        for write in Write::BULK {
            if variant == Nothing {
                let cpu = against(&samples, (variant, variant), write, |mine, _| mine.cpu / 1e3);
                report.add_samples(&case, &format!("{}, ms", write.name()), &cpu, "", Goal::None);
                continue;
            }
            let goal = match write {
                _ if variant != Alone => Goal::None,
                Write::BulkInsert | Write::Copy => Goal::AtMost(1.15),
                Write::BulkUpdate => Goal::AtMost(1.3),
                _ => Goal::None,
            };
            let ratio = against(&samples, (variant, Nothing), write, |mine, its| mine.cpu / its.cpu);
            report.add_samples(&case, write.name(), &ratio, "×", goal);
        }
    }
}

/// A host that is busy with other things, and whose few edits find the worker asleep each time: it is woken, draws, lingers and sleeps.
pub(crate) async fn cycles(stage: &Stage, effort: Effort, report: &mut Report) {
    let seconds = if effort.rounds == 1 { 4 } else { 12 };
    let (mut ratios, mut heard, mut noise) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds.min(4) {
        let alone = with_edits(stage, seconds).await.0;
        noise.push(with_edits(stage, seconds).await.0 / alone);
        let worker = Variant::Drawing.enter(stage).await;
        let (rate, notified) = with_edits(stage, seconds).await;
        Variant::Drawing.leave(stage, worker).await;
        ratios.push(rate / alone);
        heard.push(notified);
    }
    let group = "8 clients of view counters, an edit every 3 s";
    let goal = Goal::AtLeast(hundredths(quantile(&mut noise.clone(), 0.0).min(0.98)));
    report.add_samples(
        &format!("{group} · no trigger, again (noise)"),
        "writes a second against no trigger",
        &noise,
        "×",
        Goal::None,
    );
    report.add_samples(
        &format!("{group} · tintype, worker asleep and awake in turns"),
        "writes a second against no trigger",
        &ratios,
        "×",
        goal,
    );
    report.add_samples(
        &format!("{group} · tintype, worker asleep and awake in turns"),
        "notifications a minute",
        &heard,
        "",
        Goal::None,
    );
}

/// View counters a second beside an edit every three seconds, and the notifications of a minute.
async fn with_edits(stage: &Stage, seconds: u32) -> (f64, f64) {
    let before = stage.heard().await;
    let file = stage.folder.path().join("edit.sql");
    std::fs::write(&file, "\\set id random(1, 100000)\nUPDATE posts SET body = body || ' edited' WHERE id = :id;\n")
        .expect("a script");
    let mut edits = stage.pgbench();
    edits
        .args(["-c", "1", "-R", "0.33", "-T", &seconds.to_string(), "-f"])
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut edits = edits.spawn().expect("pgbench runs");
    let rate = load::run(stage, Write::Views, 8, Amount::Seconds(seconds)).await.rate;
    let _ = edits.wait().await;
    (rate, (stage.heard().await - before) as f64 * 60.0 / f64::from(seconds))
}

/// The longest that one of 8 clients waits for a body update while tintype is installed, attached and so on.
pub(crate) async fn stalls(stage: &Stage, effort: Effort, report: &mut Report) {
    let steps: [(&str, &[&str]); 6] = [
        ("nothing happens", &[]),
        ("install, again", &["install"]),
        ("attach", &["attach", "posts", "--yes"]),
        ("attach, again", &["attach", "posts", "--yes"]),
        ("detach", &["detach", "posts"]),
        ("uninstall", &["uninstall", "--yes"]),
    ];
    let mut waits = vec![Vec::new(); steps.len()];
    for _ in 0..effort.rounds {
        for ((what, arguments), waits) in steps.iter().zip(&mut waits) {
            if *what == "uninstall" {
                stage.tintype(&["attach", "posts", "--yes"]).await;
            }
            waits.push(stall(stage, arguments).await);
        }
        stage.tintype(&["install"]).await;
    }
    for ((what, _), waits) in steps.iter().zip(&mut waits) {
        let case = format!("8 clients, the longest wait of a write · {what}");
        report.add_samples(&case, "ms, median", waits, "", Goal::None);
        report.add(&case, "ms, worst", quantile(waits, 1.0), "", Goal::None);
    }
}

async fn stall(stage: &Stage, arguments: &[&str]) -> f64 {
    stage.blog.run("VACUUM posts").await;
    let file = stage.folder.path().join("stall.sql");
    std::fs::write(
        &file,
        "\\set id random(1, 100000)\nUPDATE posts SET body = :id || repeat(' words', 200) WHERE id = :id;\n",
    )
    .expect("a script");
    let mut load = stage.pgbench();
    load.args(["-c", "8", "-j", "2", "-T", "3", "-l", "--log-prefix=waits", "-f"]).arg(&file);
    let load = load.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pgbench runs");
    tokio::time::sleep(Duration::from_secs(1)).await; // into the middle of the load
    if !arguments.is_empty() {
        stage.tintype(arguments).await;
    }
    let output = load.wait_with_output().await.expect("pgbench ends");
    assert!(output.status.success() && after(&String::from_utf8_lossy(&output.stdout), "tps = ") > 0.0, "{output:?}");
    load::longest(stage)
}
