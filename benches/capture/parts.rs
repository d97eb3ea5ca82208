//! What is measured. Within a round the engines take turns, each first once in a while; a ratio is of turns of one round. Between
//! turns everybody may finish what they do behind the clock, so that nobody's work is on another's.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::sleep;

use super::{
    Effort,
    engine::{Engine, Pictures},
    report::{Goal, Report, quantile},
    same::Pixels,
    site::{self, Site},
    tree,
};

/// Between turns.
const BREATH: Duration = Duration::from_millis(400);

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How many captures at once.
const AT_ONCE: [usize; 2] = [2, 4];

/// The engine whose figures the goals name.
const RIVAL: &str = "Playwright";

/// The most pixels of a hundred that may differ between two engines' pictures of a page: the edges of
/// letters, which stand a hair apart where one browser hints them and the other does not.
const MOST_DIFFERENT: f64 = 4.0;

/// The site, and a folder for what engines write.
pub(crate) struct Stage {
    site: Site,
    folder: TempDir,
}

/// An engine and what it did.
struct Player {
    name: &'static str,
    engine: Engine,
    /// The median of each round.
    rounds: Vec<f64>,
    /// All samples.
    samples: Vec<f64>,
    /// Milliseconds a picture of each round's row of pictures, with all that is done behind the clock.
    rows: Vec<f64>,
    last: Vec<u8>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let folder = tempfile::Builder::new().prefix("bench-capture-").tempdir().expect("there is room for a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("the folder is ours");
        Self { site: Site::open().await, folder }
    }

    async fn players(&self) -> Vec<Player> {
        let mut players = Vec::new();
        for name in Engine::names() {
            let engine = Engine::open(name, &self.site, self.folder.path()).await;
            players.push(Player {
                name,
                engine,
                rounds: Vec::new(),
                samples: Vec::new(),
                rows: Vec::new(),
                last: Vec::new(),
            });
        }
        players
    }
}

impl Player {
    fn note(&mut self, pictures: Pictures) {
        let Pictures { mut times, last, .. } = pictures;
        self.samples.extend_from_slice(&times);
        self.rounds.push(quantile(&mut times, 0.5));
        self.last = last;
    }
}

/// A warm picture of a page in a context of its own, by itself; then several, one right after the other.
pub(crate) async fn fresh(stage: &Stage, effort: Effort, group: &str, path: &str, report: &mut Report) {
    let (mut players, url) = (stage.players().await, stage.site.url(path));
    for player in &mut players {
        player.engine.fresh(&url, effort.warm_up, 1).await;
    }
    for round in 0..effort.rounds {
        for at in turns(round, players.len()) {
            sleep(BREATH).await;
            let pictures = players[at].engine.fresh(&url, 1, 1).await;
            players[at].note(pictures);
            sleep(BREATH).await;
            let row = players[at].engine.fresh(&url, effort.turn, 1).await;
            players[at].rows.push(row.all / effort.turn as f64);
        }
    }
    let goal = if group.starts_with("light") { Goal::AtMost(0.5) } else { Goal::None };
    tell_times(group, &players, goal, report);
    close(players).await;
}

/// A picture of an HTML template, the peers' in one page that they keep.
pub(crate) async fn template(stage: &Stage, effort: Effort, report: &mut Report) {
    let mut players = stage.players().await;
    let mut number = 0;
    let mut texts = |count: usize| -> Vec<String> {
        number += count;
        (number - count..number).map(site::template).collect()
    };
    for player in &mut players {
        player.engine.texts(texts(effort.warm_up)).await;
    }
    for round in 0..effort.rounds {
        let same = texts(effort.turn); // the same for all, or their pictures would differ
        for at in turns(round, players.len()) {
            sleep(BREATH).await;
            let pictures = players[at].engine.texts(same[..1].to_vec()).await;
            players[at].note(pictures);
            sleep(BREATH).await;
            let row = players[at].engine.texts(same.clone()).await;
            players[at].rows.push(row.all / effort.turn as f64);
        }
    }
    tell_times("HTML template", &players, Goal::AtMost(0.35), report);
    close(players).await;
}

/// Captures a second with several at once.
pub(crate) async fn rate(stage: &Stage, effort: Effort, report: &mut Report) {
    const GROUP: &str = "light page, several at once";
    let (mut players, url) = (stage.players().await, stage.site.url("/light"));
    let mut rates: Vec<Vec<Vec<f64>>> = vec![vec![Vec::new(); AT_ONCE.len()]; players.len()];
    for player in &mut players {
        player.engine.fresh(&url, effort.warm_up, 2).await;
    }
    for round in 0..effort.rounds.min(3) {
        for (way, at_once) in AT_ONCE.into_iter().enumerate() {
            for at in turns(round, players.len()) {
                sleep(BREATH).await;
                let pictures = players[at].engine.fresh(&url, effort.crowd, at_once).await;
                rates[at][way].push(effort.crowd as f64 / pictures.all * 1e3);
            }
        }
    }
    let median = |rates: &Vec<f64>| quantile(&mut rates.clone(), 0.5);
    let best =
        |ways: &[Vec<f64>]| ways.iter().max_by(|a, b| median(a).total_cmp(&median(b))).cloned().unwrap_or_default();
    let mine = best(&rates[0]);
    let rival = players.iter().position(|player| player.name == RIVAL);
    for (player, ways) in players.iter().zip(&rates) {
        let case = format!("{GROUP} · {}", player.name);
        for (at_once, way) in AT_ONCE.iter().zip(ways) {
            report.add_samples(&case, &format!("captures, {at_once} at once"), way, "/s", Goal::None);
        }
    }
    if let Some(rival) = rival {
        let ratios = ratios(&mine, &best(&rates[rival]));
        let metric = format!("captures a second, {RIVAL}'s best is 1");
        report.add_samples(&format!("{GROUP} · tintype"), &metric, &ratios, "", Goal::AtLeast(2.0));
    }
    close(players).await;
}

/// The memory of each engine while it takes two pictures at once; nobody else's browser runs meanwhile.
pub(crate) async fn memory(stage: &Stage, effort: Effort, report: &mut Report) {
    const GROUP: &str = "memory";
    let (names, url) = (Engine::names(), stage.site.url("/light"));
    let mut medians = vec![Vec::new(); names.len()];
    let mut extents = vec![Vec::new(); names.len()];
    let mut driver = Vec::new();
    for round in 0..effort.rounds.min(3) {
        for at in turns(round, names.len()) {
            let mut engine = Engine::open(names[at], &stage.site, stage.folder.path()).await;
            engine.fresh(&url, effort.warm_up, 2).await;
            let root = match &engine {
                Engine::Tintype(_) => None,
                Engine::Peer(peer) => Some(peer.id()),
            };
            let (mut samples, mut most) = (Vec::new(), 0);
            let look = async {
                loop {
                    let held = root.map_or_else(|| tree::below(std::process::id()), tree::with);
                    samples.push(held.megabytes);
                    most = most.max(held.processes);
                    if root.is_none() {
                        driver.push(tree::alone(std::process::id()).megabytes);
                    }
                    sleep(LOOK).await;
                }
            };
            tokio::select! {
                () = look => {}
                _ = engine.fresh(&url, effort.crowd, 2) => {}
            }
            medians[at].push(quantile(&mut samples, 0.5));
            extents[at].push(most as f64);
            engine.close().await;
        }
    }
    let driver = quantile(&mut driver, 0.5);
    // What this process holds is the site and the bench as well; none of it is left out, so that nothing can be hidden in it.
    medians[0].iter_mut().for_each(|held| *held += driver);
    for (at, name) in names.iter().enumerate() {
        let case = format!("{GROUP} · {name}");
        report.add_samples(&case, "browser and driver, PSS", &medians[at], "MB", Goal::None);
        report.add_samples(&case, "processes, most", &extents[at], "", Goal::None);
    }
    report.add(&format!("{GROUP} · tintype"), "of it the bench's own process, site and all", driver, "MB", Goal::None);
    if let Some(rival) = names.iter().position(|name| *name == RIVAL) {
        let ratios = ratios(&medians[0], &medians[rival]);
        report.add_samples(
            &format!("{GROUP} · tintype"),
            &format!("memory, {RIVAL}'s is 1"),
            &ratios,
            "",
            Goal::AtMost(1.0),
        );
    }
}

/// Who is when; another begins each round.
fn turns(round: usize, players: usize) -> impl Iterator<Item = usize> {
    (0..players).map(move |at| (at + round) % players)
}

fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

/// Puts times on record, with tintype's share of the rival's and what each peer takes for one of tintype's; and the pictures, which
/// must be of one size and show the same.
fn tell_times(group: &str, players: &[Player], goal: Goal, report: &mut Report) {
    let (ours, pixels) = (&players[0].rounds, Pixels::of(&players[0].last));
    assert!(pixels.colours() > 20, "{group}: tintype's picture is empty");
    for player in players {
        let case = format!("{group} · {}", player.name);
        keep(group, player.name, &player.last);
        report.add_samples(&case, "by itself", &player.samples, "ms", Goal::None);
        report.add_samples(&case, "in a row", &player.rows, "ms", Goal::None);
        if player.name != "tintype" {
            let times = ratios(&player.rounds, ours);
            report.add_samples(&case, "by itself, times tintype", &times, "×", Goal::None);
            let times = ratios(&player.rows, &players[0].rows);
            report.add_samples(&case, "in a row, times tintype", &times, "×", Goal::None);
            let different = Pixels::of(&player.last).differs(&pixels);
            let different = different.unwrap_or_else(|| panic!("{group}: {}'s picture has another size", player.name));
            let note = if different > MOST_DIFFERENT { ": NOT THE SAME PICTURE" } else { "" };
            eprintln!("{group}: {different:.2} % of {}'s pixels are not tintype's{note}", player.name);
        }
        report.add(&case, "its size", player.last.len() as f64 / 1e3, "KB", Goal::None);
        if player.name == RIVAL {
            let metric = format!("time, {RIVAL}'s is 1");
            report.add_samples(&format!("{group} · tintype"), &metric, &ratios(ours, &player.rounds), "", goal);
        }
    }
}

/// Keeps a picture, to be looked at.
fn keep(group: &str, name: &str, picture: &[u8]) {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench/capture");
    let file = folder.join(format!("{group}.{name}.png").replace([' ', ','], "-"));
    if let Err(error) = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, picture)) {
        eprintln!("{} cannot be written: {error}", file.display());
    }
}

async fn close(players: Vec<Player>) {
    for player in players {
        player.engine.close().await;
    }
}
