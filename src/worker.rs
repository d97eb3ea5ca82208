//! The worker: while there is a free slot it folds marks and claims jobs; with nothing to do it lingers, then sleeps until the
//! bell rings; on a signal it stops claiming, finishes what it can, and gives the rest back.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info, warn};

use crate::{
    db::{Database, DbError, Queries},
    executor::{self, Outcome, Workshop},
    lease::Leases,
    listener::{self, Alarm, Pulse},
    maintenance::{self, Pacemaker, Rhythm},
    prune,
    queue::{self, Slots},
    sleep::{self, Sleep, Sleeper},
    trace,
    vitals::{Phase, Room, Vitals},
    watermark::Watermark,
};

/// How often an idle worker looks, and for how long, before it goes to sleep: under load nobody needs to notify it. A change that
/// comes meanwhile waits for the next look, half a pause on average; a look that finds nothing is cheap.
const LINGER_POLL: Duration = Duration::from_millis(10);
const LINGER: Duration = Duration::from_secs(2);

/// The longest pause between two looks while jobs run that take long, as pages do: it doubles with each look that finds nothing.
const BUSY_POLL: Duration = Duration::from_millis(100);

/// How often a worker whose slots are all taken calls for others.
const ROUSE: Duration = Duration::from_secs(1);

/// How often a sleeper tells that it is one.
const SNORE: Duration = Duration::from_secs(1);

/// How long a worker waits after the database failed it.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);

/// How long it goes on where the schema is gone, or a right, or its login: a person may be at it, and about to give it back.
const HOPE: Duration = Duration::from_secs(10);

/// How often trouble that goes on is told.
const REMINDER: Duration = Duration::from_secs(60);

/// How long marks are folded at a stretch before jobs are claimed: an edit behind a backfill's marks is a job soon, and slots do not
/// stay empty for long.
const FOLDING: Duration = Duration::from_millis(250);

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Host and process, for people.
    pub name: String,
    /// Jobs at once; more than are drawn at once, since most of a job is waiting for the store.
    pub slots: usize,
    /// How many of them may be for the browser, so that cards do not wait for pages.
    pub page_slots: usize,
    /// How long running jobs may go on after a signal.
    pub grace: Duration,
    /// Stop when nothing is due.
    pub exit_when_idle: bool,
    /// After how long superseded pictures are deleted from the store; `None`: never.
    pub prune_after: Option<Duration>,
    /// How long claims last, and how often they are prolonged.
    pub rhythm: Rhythm,
}

/// What a worker did in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pictures published.
    pub published: u64,
    /// Rows that call for no picture.
    pub skipped: u64,
    /// Rows whose content cannot have one, or whose table refused it.
    pub failed: u64,
    /// Attempts that were put off.
    pub postponed: u64,
}

/// Works until `stop`, or until there is nothing to do where the options say so; ends with an error where the database will not have it any
/// more, as it does not begin where that is so. Returns when nothing of it is left running.
pub async fn run(
    workshop: Workshop,
    options: &WorkerOptions,
    alarm: Arc<Alarm>,
    stop: CancellationToken,
) -> Result<Tally, DbError> {
    let db = workshop.db.clone();
    let id = maintenance::register(&db.get().await?, &options.name).await?;
    let leases = Arc::new(Leases::default());
    let vitals = Arc::clone(&workshop.vitals);
    let easels = workshop.engines.easels.available_permits(); // none is taken yet
    vitals.pace.settle(Room { slots: options.slots, easels, pages: options.page_slots });
    let pacemaker = Pacemaker::new(id, &options.name, options.rhythm, &leases, &vitals);
    let background = CancellationToken::new(); // outlives the signal: jobs that finish still need the heartbeat
    let mut helpers = JoinSet::new();
    helpers.spawn({
        let (db, alarm, stop) = (db.clone(), Arc::clone(&alarm), background.clone());
        async move { listener::listen(&db, &alarm, Pulse::default(), &stop).await }
    });
    helpers.spawn({
        let (db, alarm, stop) = (db.clone(), Arc::clone(&alarm), background.clone());
        async move { maintenance::keep(&db, &pacemaker, &alarm, &stop).await }
    });
    helpers.spawn({
        let (db, storage, after, stop) =
            (db.clone(), workshop.storage.clone(), options.prune_after, background.clone());
        async move { prune::keep(&db, &storage, after, &stop).await }
    });

    let mut floor = Floor {
        id,
        options,
        vitals,
        workshop: Arc::new(workshop),
        running: JoinSet::new(),
        page_slots: Arc::new(Semaphore::new(options.page_slots)),
        leases,
        watermark: Watermark::default(),
        tally: Tally::default(),
        roused: None,
        yielded: None,
        trouble: Trouble::default(),
        unrest: Trouble::default(),
    };
    let worked = floor.work(&db, &alarm, &stop).await;
    floor.drain().await;
    background.cancel();
    while helpers.join_next().await.is_some() {}
    worked?; // nobody is left to say goodbye to
    floor.leave(&db).await; // last, or a heartbeat would bring the worker's row back
    Ok(floor.tally)
}

/// The jobs under way, and what became of those before.
struct Floor<'a> {
    id: i32,
    options: &'a WorkerOptions,
    vitals: Arc<Vitals>,
    workshop: Arc<Workshop>,
    running: JoinSet<(Job, Outcome)>,
    page_slots: Arc<Semaphore>,
    leases: Arc<Leases>,
    watermark: Watermark,
    tally: Tally,
    roused: Option<Instant>,
    /// Until when a job that let others go first comes again.
    yielded: Option<Instant>,
    trouble: Trouble,
    unrest: Trouble,
}

/// Trouble with the database that goes on: what was told of it when, and since when it has been of a kind that does not pass.
#[derive(Default)]
struct Trouble {
    told: Option<(Instant, String)>,
    lasting: Option<Instant>,
}

impl Trouble {
    /// Tells of it once, and each minute while it goes on; returns for how long it has been of a kind that does not pass.
    fn tell(&mut self, error: &DbError, what: &str) -> Duration {
        let (now, words) = (Instant::now(), error.to_string());
        let is_known = |(at, known): &(Instant, String)| *known == words && at.elapsed() < REMINDER;
        if !self.told.as_ref().is_some_and(is_known) {
            warn!(%error, hint = error.hint(), "{what}");
            self.told = Some((now, words));
        }
        self.lasting = error.is_lasting().then(|| self.lasting.unwrap_or(now));
        self.lasting.map_or(Duration::ZERO, |since| now - since)
    }
}

/// What is told of a job when it ends.
struct Job {
    row: String,
    source: String,
    marked: std::time::Instant,
    trace: Option<String>,
}

impl Floor<'_> {
    async fn work(&mut self, db: &Database, alarm: &Alarm, stop: &CancellationToken) -> Result<(), DbError> {
        let mut idle_since = Instant::now();
        let mut busy_pause = LINGER_POLL;
        while !stop.is_cancelled() {
            self.vitals.turn(Phase::Working);
            let pause = match self.take(db).await {
                Ok(true) => {
                    idle_since = Instant::now();
                    busy_pause = LINGER_POLL;
                    continue;
                }
                Ok(false) if self.running.is_empty() => LINGER_POLL,
                Ok(false) => {
                    busy_pause = BUSY_POLL.min(busy_pause * 2);
                    busy_pause
                }
                Err(error) => {
                    if self.trouble.tell(&error, "no look at the queue") >= HOPE {
                        return Err(error);
                    }
                    TROUBLE_PAUSE
                }
            };
            if self.running.is_empty() {
                if self.options.exit_when_idle && self.nothing_due(db).await {
                    return Ok(());
                }
                if self.options.exit_when_idle {
                    self.watermark.forget(); // something is due that it may have passed
                }
                if !self.options.exit_when_idle && idle_since.elapsed() >= LINGER {
                    self.sleep(db, alarm, stop).await;
                    self.watermark.forget();
                    idle_since = Instant::now();
                    continue;
                }
            } else {
                idle_since = Instant::now();
            }
            tokio::select! {
                Some(done) = self.running.join_next() => self.count(done),
                () = alarm.rung() => {}
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        Ok(())
    }

    /// Folds and claims; true where there was anything to take.
    async fn take(&mut self, db: &Database) -> Result<bool, DbError> {
        while let Some(done) = self.running.try_join_next() {
            self.count(done);
        }
        let free = self.options.slots - self.running.len();
        let pages = self.page_slots.available_permits();
        if free == 0 {
            return Ok(false);
        }
        let client = db.get().await?;
        let folded = self.fold(&client).await?;
        let lease = self.options.rhythm.lease;
        let until = Instant::now() + lease; // before the database's clock says so
        let claims = queue::claim(&client, self.id, Slots { all: free, pages }, lease).await?;
        drop(client);
        self.trouble = Trouble::default();
        let taken = folded > 0 || !claims.is_empty();
        let full = claims.len() == free || (pages > 0 && claims.iter().filter(|claim| claim.page).count() == pages);
        if full && self.roused.is_none_or(|last| last.elapsed() > ROUSE) {
            sleep::rouse_others(db, self.id).await?;
            self.roused = Some(Instant::now());
        }
        for claim in claims {
            let workshop = Arc::clone(&self.workshop);
            let lease = self.leases.hold(claim.lease, until);
            let page_slot = if claim.page { Arc::clone(&self.page_slots).try_acquire_owned().ok() } else { None };
            self.running.spawn(async move {
                let row = format!("{}/{}", claim.source_name, claim.key);
                let span = trace::job(&row, claim.attempt);
                let trace = trace::id(&span);
                let job = Job { row, source: claim.source_name.clone(), marked: claim.marked, trace };
                let work = Box::pin(executor::execute(&workshop, claim).instrument(span.clone()));
                let outcome = lease.over(work).await.unwrap_or(Outcome::Lost);
                trace::finish(&span, outcome.word(), outcome.trouble());
                drop(page_slot);
                (job, outcome)
            });
        }
        Ok(taken)
    }

    /// Folds until no mark is left, or for a while; returns how many marks became jobs.
    async fn fold(&mut self, client: &impl Queries) -> Result<u64, DbError> {
        let (began, mut total) = (Instant::now(), 0);
        loop {
            let folded = self.watermark.fold(client).await?;
            total += folded;
            if folded < u64::from(queue::FOLD_CHUNK.unsigned_abs()) || began.elapsed() > FOLDING {
                return Ok(total);
            }
        }
    }

    async fn nothing_due(&self, db: &Database) -> bool {
        if self.yielded.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let outlook = async { queue::outlook(&db.get().await?).await };
        matches!(outlook.await, Ok(outlook) if !outlook.work)
    }

    async fn sleep(&mut self, db: &Database, alarm: &Alarm, stop: &CancellationToken) {
        debug!("asleep");
        let sleeper = Sleeper { capacity: self.vitals.pace.capacity(), ..Sleeper::new(self.id, &self.options.name) };
        let slept = tokio::select! {
            slept = sleep::until_work(db, alarm, &sleeper) => slept,
            () = stop.cancelled() => Ok(Sleep::Interrupted),
            () = self.snore() => Ok(Sleep::Interrupted),
        };
        match slept {
            Ok(why) => {
                self.unrest = Trouble::default();
                debug!(?why, "awake");
            }
            Err(error) => {
                self.unrest.tell(&error, "no sleep: this worker looks for work itself");
                tokio::time::sleep(TROUBLE_PAUSE).await;
            }
        }
        if let Err(error) = sleep::wake(db, alarm).await {
            debug!(%error, "the bell stays up until its lease ends");
        }
    }

    /// Tells that a sleeper's turn still comes; never ends.
    async fn snore(&self) {
        loop {
            self.vitals.turn(Phase::Asleep);
            tokio::time::sleep(SNORE).await;
        }
    }

    /// Counts a finished job, and logs it: the one place where a job is logged.
    fn count(&mut self, done: Result<(Job, Outcome), tokio::task::JoinError>) {
        let (Job { row, source, marked, trace }, outcome) = match done {
            Ok(done) => done,
            Err(panic) => {
                self.tally.postponed += 1;
                return error!(error = %panic, "a job panicked; its lease will run out");
            }
        };
        self.vitals.meters.job(&source, outcome.word());
        self.vitals.news.notify_waiters();
        match outcome {
            Outcome::Published(url) => {
                self.tally.published += 1;
                self.vitals.waited(marked.elapsed());
                info!(row, trace_id = trace, url, "published");
            }
            Outcome::Skipped(reason) => {
                self.tally.skipped += 1;
                info!(row, trace_id = trace, reason, "skipped");
            }
            Outcome::Failed(reason) => {
                self.tally.failed += 1;
                warn!(row, trace_id = trace, reason, "failed");
            }
            Outcome::Postponed(failure) => {
                self.tally.postponed += 1;
                self.vitals.meters.retries.inc();
                warn!(row, trace_id = trace, reason = %failure, hint = failure.hint(), "postponed");
            }
            Outcome::Yielded(delay) => {
                let until = Instant::now() + delay;
                self.yielded = self.yielded.max(Some(until));
                debug!(row, trace_id = trace, "lets others go first: its host is busy");
            }
            Outcome::Kept => info!(row, trace_id = trace, "kept the picture that was chosen by hand"),
            Outcome::Unchanged => debug!(row, trace_id = trace, "unchanged"),
            Outcome::Changed => debug!(row, trace_id = trace, "changed meanwhile, due again"),
            Outcome::Gone => debug!(row, trace_id = trace, "gone"),
            Outcome::Unpublished => info!(row, trace_id = trace, "unpublished: the row filter leaves it out"),
            Outcome::Lost => warn!(row, trace_id = trace, "lost the lease"),
        }
    }

    /// Lets running jobs finish within the grace period.
    async fn drain(&mut self) {
        self.vitals.turn(Phase::Draining);
        let deadline = Instant::now() + self.options.grace;
        while let Ok(Some(done)) = tokio::time::timeout_at(deadline, self.running.join_next()).await {
            self.count(done);
        }
        self.running.shutdown().await;
    }

    /// Gives back what is not finished.
    async fn leave(&self, db: &Database) {
        let leave = async {
            let client = db.get().await?;
            let released = queue::release(&client, self.id).await?;
            maintenance::unregister(&client, self.id, self.vitals.pace.capacity()).await?;
            drop(client);
            sleep::rouse_others(db, self.id).await?;
            Ok::<_, DbError>(released)
        };
        match leave.await {
            Ok(0) => {}
            Ok(released) => info!(released, "gave unfinished jobs back"),
            Err(error) => warn!(%error, "could not give jobs back; their leases will run out"),
        }
    }
}
