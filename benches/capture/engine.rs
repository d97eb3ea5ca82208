//! Who takes pictures: tintype in this process, or a peer in a Node process of its own. What is asked of each is the same, and its
//! clock stands where the picture is there; closing what the picture needed goes on beside it or before the next.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use tintype::capture::{
    Chrome, Credentials, Options, PageFormat, Settings, Shot, Subject,
    guard::{Rules, check_subject},
};

use super::{peer::Peer, site::Site};

/// How long a capture may take; a bench that hangs says so.
const DEADLINE: f64 = 60.0;

/// Who takes pictures.
pub(crate) enum Engine {
    Tintype(Tintype),
    Peer(Box<Peer>),
}

/// tintype's browser behind its guard.
pub(crate) struct Tintype {
    chrome: Chrome,
    rules: Arc<Rules>,
}

/// What was taken.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    /// Milliseconds of each.
    pub(crate) times: Vec<f64>,
    /// Milliseconds of all together.
    pub(crate) all: f64,
    /// The last picture.
    pub(crate) last: Vec<u8>,
}

impl Engine {
    /// All that are installed, tintype first.
    pub(crate) fn names() -> Vec<&'static str> {
        let peers = if Peer::is_installed() { &["Playwright", "Puppeteer", "Puppeteer, quick PNG"][..] } else { &[] };
        [&["tintype"], peers].concat()
    }

    /// Starts one that has no picture to take yet.
    pub(crate) async fn open(name: &str, site: &Site, folder: &Path) -> Self {
        let settings = Settings {
            search_path: std::env::var_os("PATH"),
            folder: folder.to_owned(),
            captures: 4,
            host_captures: 4, // the site is the bench's own
            ..Settings::default()
        };
        let chrome = Chrome::new(settings);
        if name == "tintype" {
            let allow = vec![site.address.to_string().parse().expect("an address can be allowed")];
            return Self::Tintype(Tintype { chrome, rules: Arc::new(Rules { allow, ..Rules::default() }) });
        }
        let program = chrome.program().await.expect("there is a browser");
        Self::Peer(Box::new(Peer::open(name, &program.path, folder).await))
    }

    /// Takes pictures of a page, each in a context of its own, so many at once.
    pub(crate) async fn fresh(&mut self, url: &str, count: usize, at_once: usize) -> Pictures {
        match self {
            Self::Tintype(tintype) => {
                let subject = Subject::Address(check_subject(url).expect("the site's address is one"));
                tintype.take(vec![subject; count], at_once).await
            }
            Self::Peer(peer) => peer.fresh(url, count, at_once).await,
        }
    }

    /// Takes pictures of texts, one after the other.
    pub(crate) async fn texts(&mut self, texts: Vec<String>) -> Pictures {
        match self {
            Self::Tintype(tintype) => {
                let subjects = texts.into_iter().map(|html| Subject::Html { html, base: None });
                tintype.take(subjects.collect(), 1).await
            }
            Self::Peer(peer) => peer.texts(texts).await,
        }
    }

    /// Ends it, with its browser.
    pub(crate) async fn close(self) {
        match self {
            Self::Tintype(tintype) => tintype.chrome.close().await,
            Self::Peer(peer) => peer.close().await,
        }
    }
}

impl Tintype {
    async fn take(&self, subjects: Vec<Subject>, at_once: usize) -> Pictures {
        let (started, next) = (Instant::now(), std::sync::atomic::AtomicUsize::new(0));
        let one = || async {
            let mut taken = Pictures::default();
            while let Some(subject) = subjects.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                let shot = self.shot(subject.clone());
                let started = Instant::now();
                let captured = self.chrome.capture(&shot).await.unwrap_or_else(|error| panic!("no picture: {error}"));
                taken.times.push(started.elapsed().as_secs_f64() * 1e3);
                taken.last = captured.image.bytes;
            }
            taken
        };
        let all = futures_util::future::join_all((0..at_once).map(|_| one())).await;
        let mut pictures = Pictures { all: started.elapsed().as_secs_f64() * 1e3, ..Pictures::default() };
        for taken in all {
            pictures.times.extend(taken.times);
            if !taken.last.is_empty() {
                pictures.last = taken.last;
            }
        }
        pictures
    }

    fn shot(&self, subject: Subject) -> Shot {
        let options = Options { format: Some(PageFormat::Png), deadline: DEADLINE, ..Options::default() };
        Shot { subject, options, rules: Arc::clone(&self.rules), credentials: Credentials::default() }
    }
}

/// Where the peers are installed.
pub(crate) fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/capture")
}
