//! The bell: no sleeper misses a mark. First the handshake as a model, in every interleaving; then the real one, in a race with
//! real writers.

mod half_dead;
mod model;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tintype::{
    db::{ConnectSettings, Database, LibpqEnv},
    listener::{self, Alarm, Pulse},
    queue,
    sleep::{self, Sleep},
};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::model::{Part, Whim, explore};
use crate::support::{
    eventually,
    postgres::TestDatabase,
    worker::{LIMIT, blog, until_asleep},
};

/// A wake-up that takes longer came by the fallback poll, which is half a minute away.
const PROMPT: Duration = Duration::from_secs(1);

/// Hosts, sleepers, and what a sleeper may do by itself.
const HOUSES: [(usize, usize, Whim); 6] = [
    (1, 1, Whim::None),
    (2, 1, Whim::None),
    (2, 1, Whim::Wake),
    (1, 2, Whim::None),
    (1, 2, Whim::Wake),
    (1, 2, Whim::Leave),
];

#[test]
fn no_interleaving_leaves_a_mark_unseen() {
    for (hosts, sleepers, whim) in HOUSES {
        let worlds = explore(hosts, sleepers, whim, None)
            .unwrap_or_else(|stuck| panic!("{hosts} hosts, {sleepers} sleepers, {whim:?}: {stuck:#?}"));
        assert!(worlds > 30, "{hosts} hosts, {sleepers} sleepers, {whim:?}: only {worlds} worlds were reached");
    }
}

#[test]
fn every_part_of_the_handshake_is_needed() {
    for part in [Part::WaitingForMarksInFlight, Part::SecondLook, Part::RouseOnLeaving, Part::NewBellAfterARing] {
        let missed = HOUSES.iter().any(|&(hosts, sleepers, whim)| explore(hosts, sleepers, whim, Some(part)).is_err());
        assert!(missed, "without {part:?} a mark is missed");
    }
}

/// A worker that only sleeps, and takes marks when it wakes.
struct Sleeper {
    db: Database,
    alarm: Arc<Alarm>,
    _listening: DropGuard,
}

impl Sleeper {
    async fn new(database: &TestDatabase) -> Self {
        let settings = ConnectSettings { url: Some(database.url()), ..ConnectSettings::default() };
        let db = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
        let (alarm, stop) = (Arc::new(Alarm::default()), CancellationToken::new());
        let task = (db.clone(), Arc::clone(&alarm), stop.clone());
        tokio::spawn(async move { listener::listen(&task.0, &task.1, Pulse::default(), &task.2).await });
        eventually("it listens", LIMIT, async || alarm.connected().then_some(())).await;
        Self { db, alarm, _listening: stop.drop_guard() }
    }

    /// Sleeps until there is work, takes the bell down, and takes all marks there are.
    async fn sleep_and_fold(&self) -> u64 {
        let woken = timeout(LIMIT, sleep::until_work(&self.db, &self.alarm, &sleep::Sleeper::new(1, "test")))
            .await
            .expect("the mark of a writer");
        assert_eq!(woken.unwrap(), Sleep::Work);
        sleep::wake(&self.db, &self.alarm).await.unwrap();
        self.fold().await
    }

    async fn fold(&self) -> u64 {
        let client = self.db.get().await.unwrap();
        let mut taken = 0;
        loop {
            match queue::fold(&client, 0).await.unwrap() {
                0 => break taken,
                marks => taken += marks,
            }
        }
    }
}

/// Four writers at the isolation `level`: each line that comes in is a round, in which the first `n` of them commit one mark.
async fn writers(database: &TestDatabase, level: &'static str) -> Vec<mpsc::Sender<u32>> {
    let mut doors = Vec::new();
    for writer in 1..=4_i64 {
        let client = database.client().await;
        let (door, mut rounds) = mpsc::channel::<u32>(1);
        tokio::spawn(async move {
            while let Some(round) = rounds.recv().await {
                // The pauses put the insert and the commit now before, now within, now after the sleeper's handshake.
                let pause = |salt: u32| f64::from((round * 7 + salt * 13) % 11) / 1500.0;
                let (before, within) =
                    (pause(u32::try_from(writer).unwrap()), pause(u32::try_from(writer).unwrap() + 5));
                let write = format!(
                    "BEGIN ISOLATION LEVEL {level}; SELECT count(*), pg_sleep({before}) FROM tintype.change;
                     UPDATE posts SET body = 'round {round}' WHERE id = {writer}; SELECT pg_sleep({within}); COMMIT"
                );
                client.batch_execute(&write).await.expect("a write");
            }
        });
        doors.push(door);
    }
    doors
}

async fn race(level: &'static str) {
    let (database, client) = blog().await;
    client.batch_execute("INSERT INTO posts (id, body) VALUES (1, ''), (2, ''), (3, ''), (4, '')").await.unwrap();
    let sleeper = Sleeper::new(&database).await;
    sleeper.fold().await;
    let doors = writers(&database, level).await;
    let mut sleeps = 0;
    for round in 0.. {
        let at_work = 1 + round as usize % doors.len();
        for door in &doors[..at_work] {
            door.send(round).await.unwrap();
        }
        let mut taken = 0;
        while taken < at_work as u64 {
            let began = Instant::now();
            taken += sleeper.sleep_and_fold().await;
            sleeps += 1;
            assert!(began.elapsed() < PROMPT, "{level}: sleep {sleeps} of round {round} took {:?}", began.elapsed());
        }
        if sleeps >= 120 {
            break;
        }
    }
}

#[tokio::test]
async fn a_sleeper_is_prompt_under_read_committed() {
    race("READ COMMITTED").await;
}

#[tokio::test]
async fn a_sleeper_is_prompt_under_repeatable_read() {
    race("REPEATABLE READ").await;
}

#[tokio::test]
async fn a_mark_that_read_the_bell_before_it_was_up_is_waited_for() {
    for end in ["COMMIT", "ROLLBACK; INSERT INTO posts (id) VALUES (2)"] {
        let (database, client) = blog().await;
        let sleeper = Sleeper::new(&database).await;
        let host = database.client().await;
        host.batch_execute("BEGIN; INSERT INTO posts (id) VALUES (1)").await.unwrap();
        let in_flight = "SELECT cardinality(tintype.marks_in_flight())";
        assert_eq!(client.query_one(in_flight, &[]).await.unwrap().get::<_, i32>(0), 1);
        let slept = tokio::spawn(async move { sleeper.sleep_and_fold().await });
        until_asleep(&client).await;
        assert!(!slept.is_finished(), "{end}: nothing is committed yet");
        host.batch_execute(end).await.unwrap();
        let woken = timeout(PROMPT, slept).await.unwrap_or_else(|_| panic!("{end}: it missed the mark"));
        assert_eq!(woken.unwrap(), 1, "{end}");
        assert_eq!(client.query_one(in_flight, &[]).await.unwrap().get::<_, i32>(0), 0);
    }
}

/// An open transaction of somebody else's must neither keep a sleeper up nor cost it a mark.
#[tokio::test]
async fn an_old_transaction_without_marks_is_not_waited_for() {
    let (database, client) = blog().await;
    let sleeper = Sleeper::new(&database).await;
    let idle = database.client().await;
    idle.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM tintype.change").await.unwrap();
    let slept = tokio::spawn(async move { sleeper.sleep_and_fold().await });
    until_asleep(&client).await;
    client.batch_execute("INSERT INTO posts (id) VALUES (1)").await.unwrap();
    assert_eq!(timeout(PROMPT, slept).await.expect("in time").unwrap(), 1);
    idle.batch_execute("COMMIT").await.unwrap();
}

#[tokio::test]
async fn the_bell_is_up_only_while_somebody_sleeps() {
    let (database, client) = blog().await;
    let sleeper = Sleeper::new(&database).await;
    let up = "SELECT coalesce(pg_sequence_last_value('tintype.bell') > extract(epoch FROM clock_timestamp()), false)";
    let is_up = async || client.query_one(up, &[]).await.unwrap().get::<_, bool>(0);
    assert!(!is_up().await, "before anybody has slept");
    let slept = tokio::spawn(async move {
        sleeper.sleep_and_fold().await;
        sleeper
    });
    until_asleep(&client).await;
    client.batch_execute("INSERT INTO posts (id) VALUES (1)").await.unwrap();
    let _sleeper = slept.await.unwrap();
    assert!(!is_up().await, "awake again");
}
