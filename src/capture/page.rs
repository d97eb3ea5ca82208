//! One capture: an empty tab and what is asked for come in, a picture goes out. Read [`steps`]: it is one capture from its start to
//! its end.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chromiumoxide::cdp::browser_protocol::{
    browser::GetVersionParams,
    page::{FrameId, NavigateParams, SetDocumentContentParams},
};
use tokio::{sync::watch, time::timeout};
use url::Url;

use super::{
    browser::{Browser, Lease},
    error::{Seen, Trouble},
    intercept::Intercept,
    kept::{Kept, Window},
    network,
    picture::{Taken, picture},
    prepare::{can_wait, prepare},
    script::{Undone, World},
    shot::{Shot, Subject, WaitUntil},
    tab::Tab,
    watch::{View, watch},
};
use crate::card::Image;

/// How often a page may go elsewhere by itself before its picture is taken.
const MOVES: usize = 10;

/// How long something that was told already may be on its way within this process.
const NEWS: Duration = Duration::from_millis(200);

/// How long nothing is loaded in a page that is idle.
const QUIET: Duration = Duration::from_millis(500);

/// How long a browser may take to show that it lives.
const ALIVE: Duration = Duration::from_secs(2);

/// How long emptying a page may take.
const EMPTYING: Duration = Duration::from_secs(5);

/// A picture of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The picture.
    pub image: Image,
    /// The page's title, which describes the picture to who cannot see it.
    pub title: String,
    /// What was seen of the page.
    pub seen: Seen,
    /// The height in CSS pixels of what is in the picture only in part, because it would be too high.
    pub cut_from: Option<u32>,
}

/// How far a capture is, for who has to say why it did not end.
#[derive(Debug, Default)]
pub(super) struct Progress {
    now: Mutex<(&'static str, Option<watch::Receiver<View>>)>,
}

impl Progress {
    fn at(&self, stage: &'static str) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).0 = stage;
    }

    fn watch(&self, view: watch::Receiver<View>) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(view);
    }

    /// What is being done.
    pub(super) fn stage(&self) -> &'static str {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// What was seen of the page so far.
    pub(super) fn seen(&self) -> Seen {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.1.as_ref().map(|view| view.borrow().seen.clone()).unwrap_or_default()
    }
}

/// A tab, and what it tells.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) tab: Tab,
    view: watch::Receiver<View>,
    /// How many texts were written into it; each page of an address has its own.
    pub(super) texts: u32,
}

impl Page {
    /// A page that was kept for such a window, or an empty one.
    async fn open(lease: Lease, shot: &Shot, window: Option<&Window>) -> Result<Self, Trouble> {
        let browser = Arc::clone(&lease.browser);
        if let Some(mut page) = window.and_then(|window| browser.kept.take(window))
            && page.tab.lives().await
        {
            page.tab.lend(lease);
            return Ok(page);
        }
        let mut tab = Tab::take(lease, &shot.rules).await?;
        let Some(events) = tab.events.take() else { return Err(Trouble::BrowserDied) };
        let frame = tab.target.inner().clone();
        let intercept = Intercept::of(shot, &browser.block_list, frame.clone());
        if let Some(intercept) = &intercept {
            Intercept::begin(&browser.wire, &tab.session);
            if let Some(refused) = intercept.sockets() {
                tab.door.refuse_sockets(refused);
            }
        }
        let view = watch(&browser, frame, intercept, events);
        Ok(Self { tab, view, texts: 0 })
    }

    /// Empties it and keeps it, in the background, unless something may be left in it.
    fn keep(mut self, window: Window) {
        let browser = Arc::clone(self.tab.browser());
        self.texts += 1;
        if browser.most_ready == 0 || !Kept::wants(&self) {
            return;
        }
        let tasks = browser.tasks.clone();
        drop(tasks.spawn(async move {
            if matches!(timeout(EMPTYING, self.empty()).await, Ok(Ok(()))) && Kept::wants(&self) {
                self.tab.rest();
                drop(browser.kept.keep(window, self));
            }
            if browser.gone.is_cancelled() {
                browser.kept.clear(); // which was done before this one came
            }
        }));
    }

    /// A new empty document, of which nothing was told yet.
    async fn empty(&mut self) -> Result<(), Trouble> {
        let (browser, frame) = (self.tab.browser(), self.tab.target.inner().clone());
        self.view = watch(browser, frame, None, browser.wire.listen(&self.tab.session));
        let loader = self.tab.call(NavigateParams::new("about:blank")).await?.loader_id;
        let loader = loader.ok_or(Trouble::PageCrashed)?;
        let there = |view: &View| view.loader == *loader.inner() && view.reached.contains("load");
        self.view.wait_for(there).await.map(drop).map_err(|_| Trouble::BrowserDied)
    }
}

/// Takes a picture.
pub(super) async fn take(lease: Lease, shot: &Shot, progress: &Progress) -> Result<Captured, Trouble> {
    progress.at("opening a tab");
    let window = Window::of(shot);
    let page = Page::open(lease, shot, window.as_ref()).await?;
    progress.watch(page.view.clone());
    let mut crash = page.view.clone();
    let captured = tokio::select! {
        captured = steps(&page, window.is_some(), shot, progress) => captured,
        Ok(view) = crash.wait_for(|view| view.crashed || view.closed || view.floods()) => Err(match &*view {
            View { crashed: true, .. } => Trouble::PageCrashed,
            View { closed: true, .. } => Trouble::PageClosed,
            _ => Trouble::Flood,
        }),
    };
    let captured = match captured {
        // A browser that is told to end closes its pages first.
        Err(Trouble::PageClosed) if !lives(page.tab.browser()).await => Err(Trouble::BrowserDied),
        captured => captured,
    };
    if page.texts == 0 {
        Tab::refill(page.tab.browser(), &shot.rules);
    }
    if let Some(window) = window
        && captured.is_ok()
    {
        page.keep(window);
    }
    captured
}

async fn lives(browser: &Browser) -> bool {
    browser.wire.call_within(ALIVE, None, GetVersionParams::default()).await.is_ok()
}

async fn steps(page: &Page, still: bool, shot: &Shot, progress: &Progress) -> Result<Captured, Trouble> {
    let (tab, options, mut view) = (&page.tab, &shot.options, page.view.clone());
    let address = match &shot.subject {
        Subject::Address(url) => Some(url),
        Subject::Html { .. } => None,
    };
    let prepared = async { if page.texts == 0 { prepare(tab, options, still).await } else { Ok(()) } };
    progress.at("loading the page");
    match &shot.subject {
        Subject::Address(url) if can_wait(options) => {
            tokio::try_join!(biased; prepared, open(tab, url, &mut view))?;
        }
        Subject::Address(url) => {
            prepared.await?;
            open(tab, url, &mut view).await?;
        }
        Subject::Html { html, base } => {
            prepared.await?;
            write(tab, html, base.as_ref(), &mut view).await?;
        }
    }
    for _ in 0..MOVES {
        progress.at("loading the page");
        let loader = match loaded(&mut view, shot).await? {
            Loaded::Whole(loader) => loader,
            Loaded::Cut(what) => {
                let Some(url) = address else { return Err(Trouble::Unreachable { what }) };
                return Err(network::failed(&what, url, &view.borrow(), &tab.door.refusals()));
            }
        };
        if let Some(url) = address
            && let Some(trouble) = network::bad_document(url, &view.borrow(), &tab.door.refusals())
        {
            return Err(trouble);
        }
        match finish(tab, shot, progress).await {
            Ok((title, taken)) => {
                let seen = view.borrow().seen.clone();
                return Ok(Captured { image: taken.image, title, seen, cut_from: taken.cut_from });
            }
            Err(Undone::Navigated) => drop(timeout(NEWS, view.wait_for(|view| view.loader != loader)).await),
            Err(Undone::Trouble(trouble)) => return Err(trouble),
        }
    }
    Err(Trouble::Refused { what: "the page goes from one address to the next, again and again".to_owned() })
}

/// Opens an address, and returns when its document is there, though nothing of what it names.
async fn open(tab: &Tab, url: &Url, view: &mut watch::Receiver<View>) -> Result<(), Trouble> {
    let answer = tab.call(NavigateParams::new(url.as_str())).await?;
    if answer.is_download == Some(true) {
        return Err(Trouble::NoPage { what: "a download came" });
    }
    if let Some(what) = answer.error_text {
        let told = view.wait_for(|view| view.seen.status.is_some() || view.refused || view.download);
        drop(timeout(NEWS, told).await.map(drop)); // what was told before the answer may still be on its way here
        return Err(network::failed(&what, url, &view.borrow(), &tab.door.refusals()));
    }
    let Some(loader) = answer.loader_id else { return Ok(()) };
    let there = view.wait_for(|view| view.loaders.contains(loader.inner()));
    there.await.map(drop).map_err(|_| Trouble::BrowserDied)
}

/// Writes a text into the empty page, and returns when what is told of the page is told of the text.
async fn write(tab: &Tab, html: &str, base: Option<&Url>, view: &mut watch::Receiver<View>) -> Result<(), Trouble> {
    let html = match base {
        Some(base) => format!("<base href=\"{}\">{html}", html_escape::encode_double_quoted_attribute(base.as_str())),
        None => html.to_owned(),
    };
    tab.call(SetDocumentContentParams::new(FrameId::new(tab.target.inner().clone()), html)).await?;
    let told = timeout(NEWS, view.wait_for(|view| view.written || view.closed));
    drop(told.await.map(drop)); // it was told before the answer
    Ok(())
}

/// How a document came.
enum Loaded {
    /// As far as it has to be; which one that was.
    Whole(String),
    /// Its line broke, in the browser's word.
    Cut(String),
}

/// Waits until the document is as far as it has to be.
async fn loaded(view: &mut watch::Receiver<View>, shot: &Shot) -> Result<Loaded, Trouble> {
    let event = match (shot.options.wait_until, &shot.subject) {
        (WaitUntil::Idle, Subject::Html { .. }) => {
            idle(view).await?;
            WaitUntil::Load.event()
        }
        (until, _) => until.event(),
    };
    let there = |view: &View| view.cut.is_some() || view.reached.contains(event);
    let view = view.wait_for(there).await.map_err(|_| Trouble::BrowserDied)?;
    Ok(view.cut.clone().map_or_else(|| Loaded::Whole(view.loader.clone()), Loaded::Cut))
}

/// Waits until a text has loaded nothing for a while. The browser tells that of pages that it opened, and of texts when it likes.
async fn idle(view: &mut watch::Receiver<View>) -> Result<(), Trouble> {
    let is_done = |view: &View| view.loading.is_empty() && view.reached.contains(WaitUntil::Load.event());
    loop {
        let asked = view.wait_for(is_done).await.map_err(|_| Trouble::BrowserDied)?.asked;
        let goes_on = timeout(QUIET, view.wait_for(|view| view.asked != asked || !is_done(view)));
        match goes_on.await {
            Err(_) => return Ok(()),
            Ok(Err(_)) => return Err(Trouble::BrowserDied),
            Ok(Ok(_)) => {}
        }
    }
}

/// Makes the document ready and takes its picture.
async fn finish(tab: &Tab, shot: &Shot, progress: &Progress) -> Result<(String, Taken), Undone> {
    progress.at("waiting for the page");
    let world = World::new(tab).await?;
    let found = world.run(tab, "ready", &shot.options).await?;
    progress.at("taking the picture");
    Ok((found.title, picture(tab, &world, &shot.options).await?))
}
