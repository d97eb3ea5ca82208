//! Faults: what machines, networks, stores and operators do to a queue, one after another, in an order that the seed decides.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use super::{
    Dice, Stage, Tally,
    crew::{Crew, WORKERS},
    stage::send,
};
use crate::support::{proxy::Proxy, s3::Fault as Answer};

/// What can go wrong; the name is what it is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    KillWorker,
    KillWhilePublishing,
    KillWithClaims,
    StopWorker,
    KillDatabase,
    ImmediateShutdown,
    CrashOfABackend,
    TerminateListeners,
    TerminateBackends,
    CutConnections,
    BlackHole,
    RestartPgbouncer,
    StoreForbids,
    StoreHasNoBucket,
    StoreFails,
    StoreSlowsDown,
    StoreIsSilent,
    StoreResets,
    StoreAnswersAreCut,
    FolderIsGone,
    FolderIsFull,
    InstallAgain,
    AttachAndDetach,
}

use Fault::{
    AttachAndDetach, BlackHole, CrashOfABackend, CutConnections, FolderIsFull, FolderIsGone, ImmediateShutdown,
    InstallAgain, KillDatabase, KillWhilePublishing, KillWithClaims, KillWorker, RestartPgbouncer, StopWorker,
    StoreAnswersAreCut, StoreFails, StoreForbids, StoreHasNoBucket, StoreIsSilent, StoreResets, StoreSlowsDown,
    TerminateBackends, TerminateListeners,
};

const ALL: [Fault; 24] = [
    KillWorker,
    KillWorker,
    KillWhilePublishing,
    KillWithClaims,
    StopWorker,
    KillDatabase,
    ImmediateShutdown,
    CrashOfABackend,
    TerminateListeners,
    TerminateBackends,
    CutConnections,
    BlackHole,
    RestartPgbouncer,
    StoreForbids,
    StoreHasNoBucket,
    StoreFails,
    StoreSlowsDown,
    StoreIsSilent,
    StoreResets,
    StoreAnswersAreCut,
    FolderIsGone,
    FolderIsFull,
    InstallAgain,
    AttachAndDetach,
];

/// Where a worker can be asked to die or stand still.
const POINTS: [&str; 5] = ["after-claim", "after-render", "after-upload", "before-publish", "after-publish"];

impl Fault {
    fn possible(self, folder: bool) -> bool {
        match self {
            StoreForbids | StoreHasNoBucket | StoreFails | StoreSlowsDown | StoreIsSilent | StoreResets
            | StoreAnswersAreCut => !folder,
            FolderIsGone | FolderIsFull => folder,
            _ => true,
        }
    }
}

/// Faults until `end`, every kind once before any comes again; none is left when this returns, but for workers that stand still.
pub(crate) async fn inject(stage: &Stage, crew: &Crew, tally: &Tally, dice: &mut Dice, end: Instant) {
    tokio::time::sleep(Duration::from_millis(800)).await; // some pictures first
    let mut left: Vec<Fault> = Vec::new();
    while Instant::now() < end {
        if left.is_empty() {
            left = ALL.into_iter().filter(|fault| fault.possible(stage.plan.folder)).collect();
            dice.shuffle(&mut left);
        }
        let Some(fault) = left.pop() else { break };
        tally.count(&format!("fault {fault:?}"));
        happen(fault, stage, crew, tally, dice).await;
        tokio::time::sleep(Duration::from_millis(dice.between(50, 500))).await;
    }
}

async fn happen(fault: Fault, stage: &Stage, crew: &Crew, tally: &Tally, dice: &mut Dice) {
    let number = dice.below(WORKERS as u64) as usize;
    match fault {
        KillWorker => crew.kill(number, failpoint(dice, tally)),
        KillWhilePublishing => {
            wait_for(stage, "query LIKE '%tintype.publish(%' AND state = 'active'", &crew.app(number)).await;
            crew.kill(number, failpoint(dice, tally));
        }
        KillWithClaims => {
            wait_for(stage, "EXISTS (SELECT FROM tintype.job WHERE lease_until > now())", &crew.app(number)).await;
            crew.kill(number, failpoint(dice, tally));
        }
        StopWorker => crew.stop(number),
        KillDatabase => restart(stage, tally, "KILL"),
        ImmediateShutdown => restart(stage, tally, "QUIT"),
        CrashOfABackend => crash_a_backend(stage, tally).await,
        TerminateListeners => terminate(stage, "query ILIKE 'LISTEN%'").await,
        TerminateBackends => terminate(stage, "true").await,
        CutConnections | BlackHole => {
            match fault {
                BlackHole => stage.line.swallow(),
                _ => stage.line.cut(),
            }
            pause(dice, 200, 1_500).await;
            end_silence(stage, &stage.line).await;
        }
        RestartPgbouncer => stage.start_bouncer(),
        StoreIsSilent | StoreResets | StoreAnswersAreCut => {
            match fault {
                StoreIsSilent => stage.store_line.swallow(),
                StoreResets => stage.store_line.cut(),
                _ => stage.store_line.cut_answers(),
            }
            pause(dice, 300, 1_500).await;
            end_silence(stage, &stage.store_line).await;
        }
        StoreForbids => refuse(stage, dice, 403, "AccessDenied", None).await,
        StoreHasNoBucket => refuse(stage, dice, 404, "NoSuchBucket", None).await,
        StoreFails => refuse(stage, dice, 500, "InternalError", None).await,
        StoreSlowsDown => refuse(stage, dice, 503, "SlowDown", Some(("retry-after", "1"))).await,
        FolderIsGone => folder_is_gone(stage, dice).await,
        FolderIsFull => folder_is_full(stage, tally, dice).await,
        InstallAgain => program(stage, tally, &["install"]).await,
        AttachAndDetach => {
            program(stage, tally, &["detach", "pages"]).await;
            pause(dice, 0, 300).await;
            program(stage, tally, &["attach", "pages", "--yes"]).await;
        }
    }
}

/// A short run has no time for what waits until it gives a silent connection up: there it is cut.
async fn end_silence(stage: &Stage, line: &Proxy) {
    if stage.plan.time < Duration::from_secs(30) {
        line.cut();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    line.clear();
}

/// What the next process at a post dies of, or stands still at; nothing for some.
fn failpoint(dice: &mut Dice, tally: &Tally) -> String {
    let (point, count) = (dice.pick(&POINTS), dice.between(1, 25));
    let signal = if dice.percent(25) { "STOP" } else { "KILL" };
    if dice.percent(30) {
        return String::new();
    }
    tally.count(&format!("failpoint {point} {signal}"));
    format!("{point}:{count}:{signal}")
}

async fn pause(dice: &mut Dice, least: u64, most: u64) {
    tokio::time::sleep(Duration::from_millis(dice.between(least, most))).await;
}

/// Until a worker's connection is seen at something, or for a second.
async fn wait_for(stage: &Stage, condition: &str, app: &str) {
    let client = stage.connect("injector").await;
    let sql = format!("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '{app}' AND {condition})");
    let limit = Instant::now() + Duration::from_secs(1);
    while Instant::now() < limit {
        if client.query_one(&sql, &[]).await.is_ok_and(|row| row.get(0)) {
            return;
        }
    }
}

fn restart(stage: &Stage, tally: &Tally, signal: &str) {
    let began = SystemTime::now();
    tokio::task::block_in_place(|| stage.restart_database(signal));
    tally.restarted(began);
}

/// One dying backend has the server end all others and recover.
async fn crash_a_backend(stage: &Stage, tally: &Tally) {
    let client = stage.connect("injector").await;
    let sql =
        "SELECT pid::text FROM pg_stat_activity WHERE application_name LIKE 'torture-w%' ORDER BY random() LIMIT 1";
    if let Ok(Some(row)) = client.query_opt(sql, &[]).await {
        tally.restarted(SystemTime::now());
        send("KILL", &row.get::<_, String>(0));
    }
}

async fn terminate(stage: &Stage, whose: &str) {
    let client = stage.connect("injector").await;
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'torture-w%' AND {whose}"
    );
    let _ = client.batch_execute(&sql).await;
}

async fn refuse(
    stage: &Stage,
    dice: &mut Dice,
    status: u16,
    code: &'static str,
    header: Option<(&'static str, &'static str)>,
) {
    stage.s3.fail(Some(Answer { status, code, header }));
    pause(dice, 200, 1_200).await;
    stage.s3.fail(None);
}

/// Nothing stands where the folder was, and nothing can be put there, by root neither.
async fn folder_is_gone(stage: &Stage, dice: &mut Dice) {
    stage.point_pictures_to("nowhere/at/all");
    pause(dice, 300, 1_500).await;
    stage.point_pictures_to("store");
}

/// A full disk, where we may mount one.
async fn folder_is_full(stage: &Stage, tally: &Tally, dice: &mut Dice) {
    let full = stage.folder.path().join("full");
    fs::create_dir_all(&full).expect("a folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(&full).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        return tally.skip("a full disk: no right to mount one");
    }
    let _ = fs::write(full.join("ballast"), vec![0; 131_072]);
    stage.point_pictures_to("full");
    pause(dice, 300, 1_500).await;
    stage.point_pictures_to("store");
    let _ = Command::new("umount").arg("-l").arg(&full).status();
}

/// An operator's command. It may be refused, because the database is away or a lock was not to be had, and then changes nothing.
async fn program(stage: &Stage, tally: &Tally, arguments: &[&str]) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tintype"));
    command.args(arguments).env("TINTYPE_DATABASE_URL", stage.url()).kill_on_drop(true);
    let done = command.output().await.expect("the program tintype");
    let how = if done.status.success() { "done" } else { "refused" };
    tally.count(&format!("tintype {} {how}", arguments[0]));
}
