//! The workers: three processes of `tintype run` on three roads to the database, started again whenever they die, woken up some
//! time after they were stopped. The second runs under another name, as another version would.

use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::{
    Stage, Tally,
    stage::{BASE, send},
};

/// How many workers there are.
pub(crate) const WORKERS: usize = 3;

/// One process, dead or alive.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    /// What the witness sees as `application_name`.
    pub(crate) app: String,
    /// Its process.
    pub(crate) pid: u32,
    /// When it was seen to be dead by a signal KILL, with the name of the process that took its place.
    pub(crate) killed: Option<(SystemTime, String)>,
}

struct Post {
    child: Option<Child>,
    app: String,
    generation: u32,
    stopped: Option<Instant>,
    /// What the next process gets as its failpoint.
    next: String,
    not_before: Instant,
}

/// All workers.
pub(crate) struct Crew {
    stage: Arc<Stage>,
    tally: Arc<Tally>,
    posts: Mutex<Vec<Post>>,
    lives: Mutex<Vec<Life>>,
}

impl Crew {
    /// Starts them.
    pub(crate) fn hire(stage: &Arc<Stage>, tally: &Arc<Tally>) -> Arc<Self> {
        let post = |number| Post {
            child: None,
            app: format!("torture-w{number}-0"),
            generation: 0,
            stopped: None,
            next: String::new(),
            not_before: Instant::now(),
        };
        let posts = Mutex::new((0..WORKERS).map(post).collect());
        let crew = Self { stage: Arc::clone(stage), tally: Arc::clone(tally), posts, lives: Mutex::default() };
        let other = crew.other_name();
        fs::copy(env!("CARGO_BIN_EXE_tintype"), other).expect("a copy of the program");
        Arc::new(crew)
    }

    fn other_name(&self) -> PathBuf {
        self.stage.folder.path().join("tintype-other")
    }

    /// Kills one as `kill -9` does; the next process at its post gets this failpoint.
    pub(crate) fn kill(&self, number: usize, next: String) {
        let mut posts = self.posts();
        posts[number].next = next;
        if let Some(pid) = posts[number].child.as_ref().and_then(Child::id) {
            send("KILL", &pid.to_string());
        }
    }

    /// Stops one; it is let go on when its leases have run out.
    pub(crate) fn stop(&self, number: usize) {
        if let Some(pid) = self.posts()[number].child.as_ref().and_then(Child::id) {
            send("STOP", &pid.to_string());
        }
    }

    /// What the witness calls the process at a post.
    pub(crate) fn app(&self, number: usize) -> String {
        self.posts()[number].app.clone()
    }

    /// Everyone that ever lived.
    pub(crate) fn lives(&self) -> Vec<Life> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Wakes up who is stopped.
    pub(crate) fn let_all_go_on(&self) {
        for post in self.posts().iter_mut() {
            post.next.clear();
            if let Some(pid) = post.child.as_ref().and_then(Child::id) {
                send("CONT", &pid.to_string());
            }
        }
    }

    /// Asks all to stop, and waits.
    pub(crate) async fn send_home(&self) {
        self.let_all_go_on();
        let children: Vec<Child> = self.posts().iter_mut().filter_map(|post| post.child.take()).collect();
        for mut child in children {
            if let Some(pid) = child.id() {
                send("TERM", &pid.to_string());
            }
            if tokio::time::timeout(Duration::from_secs(30), child.wait()).await.is_err() {
                self.tally.violation("a worker does not stop on TERM".to_owned());
            }
        }
    }

    fn posts(&self) -> MutexGuard<'_, Vec<Post>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, number: usize, post: &mut Post) {
        post.generation += 1;
        post.app = format!("torture-w{number}-{}", post.generation);
        let lease = format!("lease={}", self.stage.plan.lease);
        let failpoint = format!("{lease},{}", std::mem::take(&mut post.next));
        let folder = self.stage.folder.path();
        let log = fs::OpenOptions::new().append(true).create(true).open(folder.join(format!("worker{number}.log")));
        let program = if number == 1 { self.other_name() } else { PathBuf::from(env!("CARGO_BIN_EXE_tintype")) };
        let mut command = Command::new(program);
        command.args(["run", "--concurrency", "2", "--grace", "5", "--public-base-url", BASE]).current_dir(folder);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", "/nonexistent");
        command.env("PGAPPNAME", &post.app).env("TINTYPE_FAILPOINT", failpoint).env("TINTYPE_LOG", "debug");
        command.env("TINTYPE_DATABASE_URL", self.road(number));
        self.store(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.expect("a file for its log")).kill_on_drop(true);
        let child = command.spawn().expect("the program tintype");
        let life = Life { app: post.app.clone(), pid: child.id().unwrap_or_default(), killed: None };
        self.lives.lock().unwrap_or_else(PoisonError::into_inner).push(life);
        post.child = Some(child);
        post.stopped = None;
        self.tally.count("workers started");
    }

    /// The first goes straight, the second through a network with faults, the third through a pool of transactions.
    fn road(&self, number: usize) -> String {
        match number {
            0 => self.stage.url(),
            1 => self.stage.line.url(&self.stage.url()),
            _ => self.stage.pooled_url(),
        }
    }

    fn store(&self, command: &mut Command) {
        if self.stage.plan.folder {
            command.env("TINTYPE_STORAGE", self.stage.pictures());
            return;
        }
        let settings = self.stage.s3.settings("s3://pictures/og");
        let (endpoint, keys) = (settings.endpoint_url.expect("an endpoint"), settings.credentials.expect("keys"));
        let endpoint = self.stage.store_line.url(&endpoint);
        command.env("TINTYPE_STORAGE", settings.url).env("AWS_ENDPOINT_URL_S3", endpoint.trim_end_matches('/'));
        command.env("AWS_ACCESS_KEY_ID", keys.id).env("AWS_SECRET_ACCESS_KEY", keys.secret);
    }

    /// Looks after one post: a dead worker is replaced, one that has slept through its lease is woken up.
    fn look_after(&self, number: usize, posts: &mut [Post]) {
        let post = &mut posts[number];
        let Some(child) = &mut post.child else {
            if post.not_before <= Instant::now() {
                self.start(number, post);
            }
            return;
        };
        if let Ok(Some(status)) = child.try_wait() {
            post.child = None;
            post.not_before = Instant::now() + Duration::from_millis(if status.code().is_some() { 300 } else { 0 });
            self.bury(&post.app.clone(), number, post.generation, status);
            return;
        }
        let pid = child.id().unwrap_or_default();
        let stands = fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") T "));
        match post.stopped {
            None if stands => post.stopped = Some(Instant::now()),
            Some(since) if since.elapsed() > Duration::from_secs(u64::from(self.stage.plan.lease) + 2) => {
                send("CONT", &pid.to_string());
                self.tally.count("workers that stood still beyond their leases");
                post.stopped = None;
            }
            _ => {}
        }
    }

    fn bury(&self, app: &str, number: usize, generation: u32, status: std::process::ExitStatus) {
        use std::os::unix::process::ExitStatusExt;
        let what = match (status.signal(), status.code()) {
            (Some(9), _) => "workers killed",
            (Some(signal), _) => return self.tally.violation(format!("{app} died of signal {signal}")),
            (_, Some(101)) => return self.tally.violation(format!("{app} panicked")),
            _ => "workers that gave up at their start",
        };
        self.tally.count(what);
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(life) = lives.iter_mut().find(|life| life.app == app).filter(|_| status.signal() == Some(9)) {
            life.killed = Some((SystemTime::now(), format!("torture-w{number}-{}", generation + 1)));
        }
    }
}

/// Looks after all posts until `stop`.
pub(crate) async fn tend(crew: Arc<Crew>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        {
            let mut posts = crew.posts();
            for number in 0..WORKERS {
                crew.look_after(number, &mut posts);
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
