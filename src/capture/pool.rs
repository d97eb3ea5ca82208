//! The pool: who may capture now, and in which browser. It always holds that one browser at most takes captures in, that a slot is
//! free again when its capture ends in any way, and that a browser's death costs a capture a second try and nothing else.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::{OnceCell, Semaphore},
    time::{Instant, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::{
    browser::{Browser, Lease},
    error::{CaptureError, Trouble},
    heap,
    hosts::{Hosts, Turn},
    page::{self, Captured, Progress},
    program::Program,
    settings::Settings,
    shot::{Credentials, Shot, Subject},
};

/// How often a capture is tried in all where the browser dies under it.
const TRIES: usize = 3;

/// How long nobody starts a browser after the first that did not start; twice as long after each that follows, up to a minute.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long the end of all browsers may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(15);

/// The browser, for captures. Clones share it. It is started when it is needed first, and stopped when it is not needed for a while.
#[derive(Debug, Clone)]
pub struct Chrome {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    settings: Settings,
    program: OnceCell<Program>,
    hosts: Hosts,
    slots: Semaphore,
    /// The browser that takes captures in.
    current: Mutex<Option<Arc<Browser>>>,
    /// Held by who starts a browser.
    launching: tokio::sync::Mutex<Launches>,
    tasks: TaskTracker,
}

/// How the last launches went.
#[derive(Debug, Default)]
struct Launches {
    /// How many in a row brought no browser, or one that died before any capture came to an end.
    failed: u32,
    /// Until when none is tried, and what is said meanwhile.
    pause: Option<(Instant, Trouble)>,
}

impl Launches {
    /// Whether one may be tried.
    fn check(&self) -> Result<(), Trouble> {
        match &self.pause {
            Some((until, trouble)) if Instant::now() < *until => Err(trouble.clone()),
            _ => Ok(()),
        }
    }

    /// Takes in a failure. That a browser died once may be anybody's fault: the next is started at once.
    fn fail(&mut self, trouble: Trouble) -> Trouble {
        self.failed += 1;
        let pause = PAUSE * 2_u32.saturating_pow(self.failed - 1).min(60);
        let pause = if matches!(trouble, Trouble::BrowserDied) && self.failed == 1 { Duration::ZERO } else { pause };
        self.pause = Some((Instant::now() + pause.min(LONGEST_PAUSE), trouble.clone()));
        trouble
    }
}

impl Chrome {
    /// Makes a pool; nothing is started yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let slots = Semaphore::new(settings.captures.max(1));
        let hosts = Hosts::new(settings.host_captures, settings.host_per_minute);
        let (program, current, launching) = Default::default();
        Self { pool: Arc::new(Pool { settings, program, hosts, slots, current, launching, tasks: TaskTracker::new() }) }
    }

    /// The browser that is used.
    ///
    /// # Errors
    /// When there is none, or it is too old.
    pub async fn program(&self) -> Result<&Program, CaptureError> {
        Ok(self.pool.program().await?)
    }

    /// Takes a picture. It waits for a turn of the page's host and a free slot, and for a browser where none runs; from then on the shot's own limit holds. It may
    /// be dropped at any time.
    ///
    /// # Errors
    /// When there is no picture; [`Trouble::is_permanent`] says whether there may be one later.
    pub async fn capture(&self, shot: &Shot) -> Result<Captured, CaptureError> {
        if let Err(what) = shot.options.check() {
            return Err(Trouble::Options { what }.into());
        }
        if let Some((name, _)) =
            shot.credentials.headers.iter().find(|(name, value)| !Credentials::can_have(name, value))
        {
            let what =
                format!("header {name:?} cannot be set: its name is the browser's own, or there are line breaks in it");
            return Err(Trouble::Options { what }.into());
        }
        let host = match &shot.subject {
            Subject::Address(url) => url.host_str(),
            Subject::Html { .. } => None,
        };
        let _turn = match host {
            Some(host) => Some(self.pool.turn(host).await?),
            None => None,
        };
        let _slot = self.pool.slots.acquire().await.map_err(|_| Trouble::BrowserDied)?;
        let limit = shot.options.limit();
        let (mut left, mut tries) = (limit, TRIES);
        loop {
            let lease = self.pool.lease().await?;
            let started = Instant::now();
            let progress = Progress::default();
            let browser = Arc::clone(&lease.browser);
            let gone = browser.gone.clone();
            let taken = tokio::select! {
                taken = timeout_at(started + left, page::take(lease, shot, &progress)) => taken,
                () = gone.cancelled() => Ok(Err(Trouble::BrowserDied)),
            };
            if !matches!(taken, Ok(Err(Trouble::BrowserDied))) {
                browser.is_proven.store(true, Ordering::Relaxed);
            }
            let trouble = match taken {
                Ok(Ok(captured)) => return Ok(captured),
                Ok(Err(trouble)) => trouble,
                Err(_) => Trouble::Deadline { stage: progress.stage(), limit },
            };
            (left, tries) = (left.saturating_sub(started.elapsed()), tries - 1);
            let is_over = tries == 0 || left.is_zero() || self.pool.slots.is_closed();
            if !matches!(trouble, Trouble::BrowserDied) || is_over {
                let trouble = match trouble {
                    Trouble::BrowserDied if self.pool.slots.is_closed() => Trouble::BrowserDied,
                    Trouble::BrowserDied if left.is_zero() => Trouble::Deadline { stage: progress.stage(), limit },
                    Trouble::BrowserDied => Trouble::BrowserDiesAgain { tries: TRIES },
                    trouble => trouble,
                };
                return Err(CaptureError { trouble, seen: Box::new(progress.seen()) });
            }
            tracing::debug!(tries, "a capture begins anew");
        }
    }

    /// Ends the browser, and returns when nothing of it is left. Captures that still run fail.
    pub async fn close(&self) {
        self.pool.slots.close();
        let current = self.pool.current.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(browser) = current {
            browser.gone.cancel();
        }
        self.pool.tasks.close();
        if tokio::time::timeout(CLOSE_LIMIT, self.pool.tasks.wait()).await.is_err() {
            tracing::warn!("the browser has not ended in time");
        }
    }
}

impl Pool {
    async fn program(&self) -> Result<&Program, Trouble> {
        let find = || Program::find(self.settings.browser.as_deref(), self.settings.search_path.as_deref());
        Ok(self.program.get_or_try_init(find).await?)
    }

    /// A turn of a host, where there is one before the patience ends.
    async fn turn(&self, host: &str) -> Result<Turn, Trouble> {
        let turn = self.hosts.turn(host);
        let turn = match self.settings.patience {
            Some(patience) => tokio::time::timeout(patience, turn).await.unwrap_or_default(),
            None => turn.await,
        };
        turn.ok_or_else(|| Trouble::HostBusy { host: host.to_owned() })
    }

    /// The right to use the browser that takes captures in; one is started where there is none.
    async fn lease(self: &Arc<Self>) -> Result<Lease, Trouble> {
        if let Some(lease) = self.enter() {
            return Ok(lease);
        }
        // A start goes on where the caller is dropped, so that nothing half started is forgotten.
        let pool = Arc::clone(self);
        self.tasks.spawn(async move { pool.start().await }).await.unwrap_or(Err(Trouble::BrowserDied))
    }

    async fn start(&self) -> Result<Lease, Trouble> {
        let mut launches = self.launching.lock().await;
        if let Some(lease) = self.enter() {
            return Ok(lease);
        }
        let last = self.current.lock().unwrap_or_else(PoisonError::into_inner).take();
        match last {
            Some(last) if last.is_proven.load(Ordering::Relaxed) => *launches = Launches::default(),
            Some(last) if last.has_died.load(Ordering::Relaxed) => drop(launches.fail(Trouble::BrowserDied)),
            _ => {}
        }
        launches.check()?;
        heap::give_back();
        if self.slots.is_closed() {
            return Err(Trouble::BrowserDied);
        }
        let start = async { Browser::launch(self.program().await?, &self.settings, &self.tasks).await };
        let browser = start.await.map_err(|trouble| launches.fail(trouble))?;
        let lease = browser.enter().ok_or(Trouble::BrowserDied)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&browser));
        if self.slots.is_closed() {
            browser.gone.cancel();
        }
        Ok(lease)
    }

    fn enter(&self) -> Option<Lease> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.enter()
    }
}
