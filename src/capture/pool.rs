//! The pool: who may capture now, and in which browser. It always holds that one browser at most takes captures in, that a slot is
//! free again when its capture ends in any way, and that a browser's death costs a capture a second try and nothing else.

use std::{
    sync::{Arc, Mutex, PoisonError},
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
    hosts::Hosts,
    page::{self, Captured, Progress},
    program::Program,
    settings::Settings,
    shot::{Shot, Subject},
};

/// How often a capture is tried in all where the browser dies under it.
const TRIES: usize = 3;

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
    launching: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
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
        let host = match &shot.subject {
            Subject::Address(url) => url.host_str(),
            Subject::Html { .. } => None,
        };
        let _turn = match host {
            Some(host) => self.pool.hosts.turn(host).await,
            None => None,
        };
        let _slot = self.pool.slots.acquire().await.map_err(|_| Trouble::BrowserDied)?;
        let limit = shot.options.limit();
        let (mut left, mut tries) = (limit, TRIES);
        loop {
            let lease = self.pool.lease().await?;
            let started = Instant::now();
            let progress = Progress::default();
            let gone = lease.browser.gone.clone();
            let taken = tokio::select! {
                taken = timeout_at(started + left, page::take(lease, shot, &progress)) => taken,
                () = gone.cancelled() => Ok(Err(Trouble::BrowserDied)),
            };
            let trouble = match taken {
                Ok(Ok(captured)) => return Ok(captured),
                Ok(Err(trouble)) => trouble,
                Err(_) => Trouble::Deadline { stage: progress.stage(), limit },
            };
            (left, tries) = (left.saturating_sub(started.elapsed()), tries - 1);
            if !matches!(trouble, Trouble::BrowserDied) || tries == 0 || left.is_zero() {
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

    /// The right to use the browser that takes captures in; one is started where there is none.
    async fn lease(&self) -> Result<Lease, Trouble> {
        if let Some(lease) = self.enter() {
            return Ok(lease);
        }
        let _turn = self.launching.lock().await;
        if let Some(lease) = self.enter() {
            return Ok(lease);
        }
        let browser = Browser::launch(self.program().await?, &self.settings, &self.tasks).await?;
        let lease = browser.enter().ok_or(Trouble::BrowserDied)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(browser);
        Ok(lease)
    }

    fn enter(&self) -> Option<Lease> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.enter()
    }
}
