//! One living browser: a program goes in, a browser that captures may use comes out. A task keeps it: it notices when the browser
//! dies or does not answer any more, ends it when nobody has used it for a while or it has served its time, and tidies up.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chromiumoxide::cdp::browser_protocol::browser::GetVersionParams;
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    block::BlockList, error::Trouble, kept::Kept, memory, process::Process, program::Program, settings::Settings,
    tab::Ready, wire::Wire,
};

/// How often a browser is asked whether it lives, and how long it may take to answer. A machine that is busy with other things
/// makes it slow; one that is stopped never answers.
const BEAT: Duration = Duration::from_secs(1);
const BEAT_LIMIT: Duration = Duration::from_secs(5);

/// How often its memory is looked at.
const MEMORY_EVERY: Duration = Duration::from_secs(5);

/// A browser that captures share.
#[derive(Debug)]
pub(super) struct Browser {
    /// The line to it.
    pub(super) wire: Wire,
    /// Its version, such as `156.0.8078.108`.
    pub(super) version: String,
    /// What it calls itself to servers.
    pub(super) user_agent: String,
    /// Cancelled when it is dead, or about to be.
    pub(super) gone: CancellationToken,
    /// What works for it in the background, and for its tabs.
    pub(super) tasks: TaskTracker,
    /// What is an advertisement or a tracker.
    pub(super) block_list: Arc<BlockList>,
    /// Tabs that wait for captures, and how many there are at most.
    pub(super) ready: Ready,
    pub(super) most_ready: usize,
    /// Pages that wait for the next text.
    pub(super) kept: Kept,
    /// Whether a capture came to its end in it, and whether it ended by itself.
    pub(super) is_proven: AtomicBool,
    pub(super) has_died: AtomicBool,
    usage: Mutex<Usage>,
    most_captures: u32,
}

/// Who uses a browser.
#[derive(Debug)]
struct Usage {
    users: usize,
    captures: u32,
    idle_since: Instant,
    /// Nobody comes in any more.
    closed: bool,
}

/// The right to use a browser; it does not end of old age meanwhile.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) browser: Arc<Browser>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut usage = self.browser.usage();
        usage.users -= 1;
        usage.idle_since = Instant::now();
    }
}

impl Browser {
    /// Starts a browser and a task that keeps it.
    pub(super) async fn launch(
        program: &Program,
        settings: &Settings,
        tasks: &TaskTracker,
    ) -> Result<Arc<Self>, Trouble> {
        let (mut process, pipes) = Process::start(program, settings).await?;
        let (wire, line) = Wire::over(pipes.from, pipes.to);
        let told = match process.first(wire.call(None, GetVersionParams::default())).await {
            Ok(told) => told,
            Err(what) => {
                process.end().await;
                return Err(Trouble::Start { program: program.to_string(), what });
            }
        };
        let version = told.product.rsplit('/').next().unwrap_or_default().to_owned();
        let usage = Usage { users: 0, captures: 0, idle_since: Instant::now(), closed: false };
        let browser = Arc::new(Self {
            wire,
            version,
            user_agent: told.user_agent,
            gone: CancellationToken::new(),
            tasks: tasks.clone(),
            block_list: Arc::clone(&settings.block_list),
            ready: Ready::default(),
            most_ready: settings.ready,
            kept: Kept::default(),
            is_proven: AtomicBool::default(),
            has_died: AtomicBool::default(),
            usage: Mutex::new(usage),
            most_captures: settings.recycle_captures,
        });
        tracing::debug!(%program, group = process.group().as_raw_nonzero(), "a browser has started");
        tasks.spawn(keep(Arc::clone(&browser), process, line, settings.clone()));
        Ok(browser)
    }

    /// Lets a capture in, unless the browser is ending.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Lease> {
        let mut usage = self.usage();
        usage.closed |= self.gone.is_cancelled() || usage.captures >= self.most_captures;
        if usage.closed {
            return None;
        }
        usage.users += 1;
        usage.captures += 1;
        drop(usage);
        Some(Lease { browser: Arc::clone(self) })
    }

    /// Lets nobody in any more; the browser ends once the last one has left.
    pub(super) fn retire(&self) {
        self.usage().closed = true;
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody is in, and nobody will be or was for so long. From then on nobody comes in.
    fn is_over(&self, idle: Duration) -> bool {
        let mut usage = self.usage();
        let over = usage.users == 0 && (usage.closed || usage.idle_since.elapsed() >= idle);
        usage.closed |= over;
        over
    }
}

/// Keeps a browser until it ends or has to, then sees to it that nothing of it is left.
#[allow(clippy::needless_pass_by_value)] // a task owns what it keeps
async fn keep(browser: Arc<Browser>, mut process: Process, line: JoinHandle<()>, settings: Settings) {
    let group = process.group();
    let why = tokio::select! {
        () = process.ended() => died(&browser, "it ended by itself"),
        _ = line => died(&browser, "its line broke"),
        () = heart(&browser.wire) => died(&browser, "it did not answer"),
        () = rest(&browser, settings.idle) => "nobody needs it",
        () = memory::above(group, settings.recycle_memory, MEMORY_EVERY, || browser.retire()) => "it is too large",
        () = browser.gone.cancelled() => "it was told to",
    };
    browser.retire();
    browser.gone.cancel();
    browser.ready.clear();
    browser.kept.clear();
    tracing::debug!(group = group.as_raw_nonzero(), why, "a browser ends");
    process.end().await;
}

fn died(browser: &Browser, why: &'static str) -> &'static str {
    browser.has_died.store(true, Ordering::Relaxed);
    why
}

/// Returns when the browser does not answer.
async fn heart(wire: &Wire) {
    loop {
        sleep(BEAT).await;
        if wire.call_within(BEAT_LIMIT, None, GetVersionParams::default()).await.is_err() {
            return;
        }
    }
}

/// Returns when nobody needs the browser.
async fn rest(browser: &Browser, idle: Duration) {
    let step = (idle / 8).clamp(Duration::from_millis(5), Duration::from_millis(250));
    while !browser.is_over(idle) {
        sleep(step).await;
    }
}
