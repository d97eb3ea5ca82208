//! One browser and the cases that run in it: each has a server inside of its own, so that who reached it is never in doubt.

use std::{
    collections::VecDeque,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chromiumoxide::cdp::browser_protocol::{browser::BrowserContextId, target::CreateBrowserContextParams};
use futures_util::StreamExt;
use tintype::capture::guard::{BYPASS_LIST, Door, Rules};
use tokio::{sync::Mutex, time::timeout};

use super::{browser::Browser, cases::Case, inside::Inside, outside::Outside};
use crate::support::eventually;

/// How many cases run at once.
const AT_ONCE: usize = 8;

/// How many contexts stay open after their cases, so that what comes late still comes.
const LINGERING: usize = 16;

/// How long a case is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    limit: Duration,
    /// Whether it is run once more where it shows no sign: on a machine that is busy a tab at times does nothing at all.
    twice: bool,
}

impl Patience {
    /// For a case that must show a sign.
    pub(super) const SURE: Self = Self { limit: Duration::from_secs(8), twice: true };
    /// For a case that has nothing to show.
    pub(super) const UNSURE: Self = Self { limit: Duration::from_secs(1), twice: false };
}

/// How long a busy machine may take to open a page.
const OPENING: Duration = Duration::from_secs(30);

/// How pages get at the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As they like.
    Open,
    /// Through a door for each context.
    Guarded,
    /// The same, but for loopback, for which Chromium asks no proxy unless it is told to.
    LoopbackAround,
    /// By what the flags say alone.
    Doorless,
}

/// What came of one run.
pub(super) struct Run {
    pub(super) seen: Vec<String>,
    /// How long the first sign took: of the server inside, or of the door that refused.
    pub(super) took: Duration,
    /// What the door refused of the server inside.
    pub(super) refused: Vec<String>,
    /// The servers inside, still there to see what comes late.
    inside: Vec<Inside>,
}

/// What the cases share.
struct Stage {
    browser: Browser,
    outside: Outside,
    way: Way,
    lingering: Mutex<VecDeque<(BrowserContextId, Option<Door>)>>,
    folder: tempfile::TempDir,
}

/// Runs cases in one browser, each in a context of its own. `patience` is how long a case may take to show a sign.
pub(super) async fn perform(
    program: &Path,
    cases: &[Case],
    flags: &[&str],
    way: Way,
    patience: impl Fn(usize) -> Patience,
) -> Vec<Run> {
    let stage = Stage {
        browser: Browser::launch(program, flags).await,
        outside: Outside::open().await,
        way,
        lingering: Mutex::default(),
        folder: tempfile::tempdir().unwrap(),
    };
    let runs = cases.iter().enumerate().map(|(index, case)| {
        let (stage, patience) = (&stage, patience(index));
        async move {
            let mut run = stage.run(index, case, patience).await;
            if patience.twice && run.seen.is_empty() && run.refused.is_empty() {
                let first = std::mem::replace(&mut run, stage.run(index, case, patience).await);
                run.inside.extend(first.inside); // what comes late of the first counts too
            }
            (index, run)
        }
    });
    let mut runs: Vec<(usize, Run)> = futures_util::stream::iter(runs).buffer_unordered(AT_ONCE).collect().await;
    stage.browser.end().await;
    runs.sort_by_key(|(index, _)| *index);
    let latest = |(_, mut run): (usize, Run)| {
        run.seen = run.inside.iter().flat_map(Inside::seen).collect();
        run
    };
    runs.into_iter().map(latest).collect()
}

impl Stage {
    async fn run(&self, index: usize, case: &Case, patience: Patience) -> Run {
        let inside = Inside::open().await;
        let folder = index.to_string();
        let page = self.folder.path().join(format!("{index}.html"));
        let fill = |text: &str| {
            let text = inside.fill(text).replace("{out}", &self.outside.address(&folder));
            text.replace("{file}", &format!("file://{}", page.display()))
        };
        std::fs::write(&page, fill("<img src='http://{in}/a.png'>")).unwrap();
        self.outside.put(&folder, case.files.iter().map(|file| file.filled(fill)).collect());
        let (door, context) = self.context().await;
        let address = case.address.as_deref().map_or_else(|| self.outside.address(&folder), fill);
        self.browser.open(context.as_ref(), &address).await;
        if case.address.is_none() && self.way != Way::Doorless {
            // The patience is for what the page does, and begins when there is one.
            let what = format!("{}: the page is opened", case.name);
            eventually(&what, OPENING, async || self.outside.was_asked(&folder).then_some(())).await;
        }
        let started = Instant::now();
        let sign = async {
            tokio::select! {
                () = inside.reached() => {}
                () = refused(door.as_ref(), inside.port) => {}
            }
        };
        let _ = timeout(patience.limit, sign).await; // none is a sign too
        let took = started.elapsed();
        let refused = door.as_ref().map(|door| refusals(door, inside.port)).unwrap_or_default();
        self.leave(context, door).await;
        Run { seen: inside.seen(), took, refused, inside: vec![inside] }
    }

    async fn context(&self) -> (Option<Door>, Option<BrowserContextId>) {
        let mut context = CreateBrowserContextParams::default();
        match self.way {
            Way::Doorless => return (None, None),
            Way::Open => return (None, Some(self.browser.context(context).await)),
            Way::Guarded => context.proxy_bypass_list = Some(BYPASS_LIST.to_owned()),
            Way::LoopbackAround => {}
        }
        let allow = vec![format!("127.0.0.1:{}", self.outside.port).parse().unwrap()];
        let door = Door::open(Arc::new(Rules { allow, ..Rules::default() })).await.unwrap();
        context.proxy_server = Some(format!("http://{}", door.address()));
        (Some(door), Some(self.browser.context(context).await))
    }

    /// Lets a context linger, and closes the one that has lingered longest.
    async fn leave(&self, context: Option<BrowserContextId>, door: Option<Door>) {
        let Some(context) = context else { return };
        let oldest = {
            let mut lingering = self.lingering.lock().await;
            lingering.push_back((context, door));
            if lingering.len() > LINGERING { lingering.pop_front() } else { None }
        };
        if let Some((context, _door)) = oldest {
            self.browser.dispose(context).await;
        }
    }
}

fn refusals(door: &Door, port: u16) -> Vec<String> {
    door.refusals().into_iter().filter(|refusal| refusal.port == port).map(|refusal| refusal.to_string()).collect()
}

/// Returns when the door has refused something of that port.
async fn refused(door: Option<&Door>, port: u16) {
    while door.is_none_or(|door| refusals(door, port).is_empty()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
