//! One capture: an empty tab and what is asked for come in, a picture goes out. Read [`steps`]: it is one capture from its start to
//! its end.

use std::sync::{Arc, Mutex, PoisonError};

use chromiumoxide::cdp::browser_protocol::page::{FrameId, NavigateParams, SetDocumentContentParams};
use tokio::sync::watch;
use url::Url;

use super::{
    browser::Lease,
    error::{Seen, Trouble},
    intercept::Intercept,
    network,
    picture::{Taken, picture},
    prepare::prepare,
    script::{Undone, World},
    shot::{Shot, Subject},
    tab::Tab,
    watch::{View, watch},
};
use crate::card::Image;

/// How often a page may go elsewhere by itself before its picture is taken.
const MOVES: usize = 10;

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

/// Takes a picture.
pub(super) async fn take(lease: Lease, shot: &Shot, progress: &Progress) -> Result<Captured, Trouble> {
    progress.at("opening a tab");
    let mut tab = Tab::open(lease, Arc::clone(&shot.rules)).await?;
    let (Some(browser), Some(events)) = (tab.browser().cloned(), tab.events.take()) else {
        return Err(Trouble::BrowserDied);
    };
    let frame = tab.target.inner().clone();
    let intercept = Intercept::of(shot, &browser.block_list, frame.clone());
    if intercept.is_some() {
        Intercept::begin(&browser.wire, &tab.session);
    }
    let view = watch(&browser, frame, intercept, events);
    progress.watch(view.clone());
    let mut crash = view.clone();
    tokio::select! {
        captured = steps(&tab, view, shot, progress) => captured,
        Ok(_) = crash.wait_for(|view| view.crashed) => Err(Trouble::PageCrashed),
    }
}

async fn steps(
    tab: &Tab,
    mut view: watch::Receiver<View>,
    shot: &Shot,
    progress: &Progress,
) -> Result<Captured, Trouble> {
    prepare(tab, &shot.options).await?;
    progress.at("loading the page");
    match &shot.subject {
        Subject::Address(url) => open(tab, url, &view).await?,
        Subject::Html { html, base } => write(tab, html, base.as_ref()).await?,
    }
    for _ in 0..MOVES {
        progress.at("loading the page");
        wait(&mut view, shot).await?;
        if let Subject::Address(url) = &shot.subject
            && let Some(trouble) = network::bad_document(url, &view.borrow(), &tab.door.refusals())
        {
            return Err(trouble);
        }
        match finish(tab, shot, progress).await {
            Ok((title, taken)) => {
                let seen = view.borrow().seen.clone();
                return Ok(Captured { image: taken.image, title, seen, cut_from: taken.cut_from });
            }
            Err(Undone::Navigated) => {}
            Err(Undone::Trouble(trouble)) => return Err(trouble),
        }
    }
    Err(Trouble::Refused { what: "the page goes from one address to the next, again and again".to_owned() })
}

/// Opens an address.
async fn open(tab: &Tab, url: &Url, view: &watch::Receiver<View>) -> Result<(), Trouble> {
    let answer = tab.call(NavigateParams::new(url.as_str())).await?;
    match answer.error_text {
        Some(what) => Err(network::failed(&what, url, &view.borrow(), &tab.door.refusals())),
        None => Ok(()),
    }
}

/// Writes a text into the empty page.
async fn write(tab: &Tab, html: &str, base: Option<&Url>) -> Result<(), Trouble> {
    let html = match base {
        Some(base) => format!("<base href=\"{}\">{html}", html_escape::encode_double_quoted_attribute(base.as_str())),
        None => html.to_owned(),
    };
    tab.call(SetDocumentContentParams::new(FrameId::new(tab.target.inner().clone()), html)).await?;
    Ok(())
}

/// Waits until the document is as far as it has to be.
async fn wait(view: &mut watch::Receiver<View>, shot: &Shot) -> Result<(), Trouble> {
    let event = shot.options.wait_until.event();
    view.wait_for(|view| view.reached.contains(event)).await.map(drop).map_err(|_| Trouble::BrowserDied)
}

/// Makes the document ready and takes its picture.
async fn finish(tab: &Tab, shot: &Shot, progress: &Progress) -> Result<(String, Taken), Undone> {
    progress.at("waiting for the page");
    let world = World::new(tab).await?;
    let found = world.run(tab, "ready", &shot.options).await?;
    progress.at("taking the picture");
    Ok((found.title, picture(tab, &world, &shot.options).await?))
}
