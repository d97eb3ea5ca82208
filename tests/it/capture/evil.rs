//! What pages and people do to a browser. Each costs its own capture and nothing else: the next one succeeds, and in the end no
//! process and no folder is left.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tintype::capture::{CaptureError, Subject, Trouble, WaitUntil};

use super::{
    site::Site,
    yard::{LIMIT, Yard},
};
use crate::support::eventually;

/// Captures a page that cannot become a picture, then one that can.
async fn fails(path: &str, seconds: f64) -> CaptureError {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    yard.works(&site).await;
    let browser = yard.browser().await.id;
    let started = Instant::now();
    let error = yard.capture(&site.url(path), |options| options.deadline = seconds).await.unwrap_err();
    let most = Duration::from_secs_f64(seconds) + Duration::from_secs(2);
    assert!(started.elapsed() < most, "{error} after {:?}", started.elapsed());
    yard.works(&site).await;
    assert_eq!(yard.browser().await.id, browser, "one page costs nobody else the browser: {error}");
    yard.close().await;
    error
}

#[tokio::test]
async fn an_endless_script() {
    let error = fails("/endless", 2.0).await;
    assert!(matches!(error.trouble, Trouble::Deadline { .. }), "{error}");
    assert_eq!(error.seen.status, Some(200));
}

#[tokio::test]
async fn a_part_that_never_comes() {
    let error = fails("/stalled", 2.0).await;
    assert!(matches!(error.trouble, Trouble::Deadline { stage: "loading the page", .. }), "{error}");
}

#[tokio::test]
async fn a_page_that_never_answers() {
    let error = fails("/never", 1.0).await;
    assert!(matches!(error.trouble, Trouble::Deadline { stage: "loading the page", .. }), "{error}");
    assert!(error.seen.requested.unwrap().ends_with("/never"));
}

#[tokio::test]
async fn a_download_an_empty_answer_and_a_loop() {
    let error = fails("/download", 20.0).await;
    assert!(matches!(error.trouble, Trouble::NoPage { .. }), "{error}");
    let error = fails("/empty", 20.0).await;
    assert!(matches!(error.trouble, Trouble::NoPage { .. }), "{error}");
    let error = fails("/loop", 20.0).await;
    assert!(error.trouble.is_permanent() && error.to_string().contains("TOO_MANY_REDIRECTS"), "{error}");
}

#[tokio::test]
async fn a_page_that_takes_all_memory() {
    let error = fails("/memory", 25.0).await;
    assert!(matches!(error.trouble, Trouble::PageCrashed), "{error}");
}

#[tokio::test]
async fn a_font_that_never_comes() {
    let error = fails("/fonts", 2.0).await;
    assert!(matches!(error.trouble, Trouble::Deadline { .. }), "{error}");
}

#[tokio::test]
async fn a_page_that_crashes() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let url = site.url("/stalled");
    let capture = yard.capture(&url, |_| {});
    let kill = async {
        eventually("the page being there", LIMIT, async || (site.asked("/never") > 0).then_some(())).await;
        for renderer in yard.renderers() {
            renderer.signal(Signal::KILL);
        }
    };
    let (error, ()) = tokio::join!(capture, kill);
    assert!(matches!(error.as_ref().unwrap_err().trouble, Trouble::PageCrashed), "{error:?}");
    yard.works(&site).await;
    yard.close().await;
}

#[tokio::test]
async fn a_frozen_page() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let url = site.url("/stalled");
    let capture = yard.capture(&url, |options| options.deadline = 3.0);
    let freeze = async {
        eventually("the page being there", LIMIT, async || (site.asked("/never") > 0).then_some(())).await;
        for renderer in yard.renderers() {
            renderer.signal(Signal::STOP);
        }
    };
    let (error, ()) = tokio::join!(capture, freeze);
    assert!(matches!(error.as_ref().unwrap_err().trouble, Trouble::Deadline { .. }), "{error:?}");
    yard.works(&site).await;
    yard.close().await;
}

#[tokio::test]
async fn dialogs_are_dismissed() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    assert_eq!(yard.capture(&site.url("/alert"), |_| {}).await.unwrap().title, "After all");
    assert_eq!(yard.capture(&site.url("/leave"), |_| {}).await.unwrap().title, "Stay");
    yard.close().await;
}

#[tokio::test]
async fn a_page_goes_elsewhere_by_itself() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let captured = yard.capture(&site.url("/away"), |options| options.delay = 0.5).await.unwrap();
    assert_eq!((captured.title.as_str(), captured.seen.final_url), ("A plain page", Some(site.url("/"))));
    yard.close().await;
}

#[tokio::test]
async fn a_page_goes_on_before_all_of_it_is_there() {
    const ON: &str = "<img src=/never><script>setTimeout(() => location.replace('/'), 100)</script>";
    let site = Site::open(&[("/on", ON)]).await;
    let yard = Yard::open(&site);
    let captured = yard.capture(&site.url("/on"), |_| {}).await.unwrap();
    assert_eq!((captured.title.as_str(), captured.seen.final_url), ("A plain page", Some(site.url("/"))));
    yard.close().await;
}

/// Does something to the browser while it captures; the capture must succeed in another one.
async fn survives(signal: Signal) {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let url = site.url("/slow");
    let capture = yard.capture(&url, |_| {});
    let harm = async {
        eventually("the page being asked for", LIMIT, async || (site.asked("/slow") > 0).then_some(())).await;
        let before = yard.processes();
        yard.browser().await.signal(signal);
        before
    };
    let (captured, before) = tokio::join!(capture, harm);
    assert_eq!(captured.unwrap().title, "Slow");
    let gone = async || before.iter().all(|old| yard.processes().iter().all(|new| new.id != old.id)).then_some(());
    eventually("the end of the old browser", LIMIT, gone).await;
    assert_eq!(yard.folders().len(), 1);
    yard.works(&site).await;
    yard.close().await;
}

#[tokio::test]
async fn a_browser_that_is_killed() {
    survives(Signal::KILL).await;
}

#[tokio::test]
async fn a_browser_that_is_frozen() {
    survives(Signal::STOP).await;
}

/// What comes at once is not taken in before it is counted.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_page_that_says_too_much_at_once() {
    const SHOUT: &str = "<title>Shout</title><script>console.log('x'.repeat(2 ** 27))</script>";
    let most = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
    };
    let site = Site::open(&[("/shout", SHOUT)]).await;
    let yard = Yard::open(&site);
    yard.works(&site).await;
    let before = most();
    let error = yard.capture(&site.url("/shout"), |_| {}).await.unwrap_err();
    assert!(matches!(error.trouble, Trouble::Flood), "{error}");
    assert!(most() < before + 64, "{before} MB became {} MB", most());
    yard.works(&site).await;
    yard.close().await;
}

#[tokio::test]
async fn a_page_that_closes_itself() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    yard.works(&site).await;
    let browser = yard.browser().await.id;
    let mut shot = yard.shot(&site.url("/"), |options| options.wait_until = WaitUntil::Idle);
    for script in ["window.close()", "setTimeout(() => window.close(), 100)"] {
        shot.subject = Subject::Html { html: format!("<title>Gone</title><script>{script}</script>"), base: None };
        let started = Instant::now();
        let error = yard.chrome.capture(&shot).await.unwrap_err();
        assert!(matches!(error.trouble, Trouble::PageClosed) && error.trouble.is_permanent(), "{error}");
        assert!(started.elapsed() < LIMIT / 2, "{:?}", started.elapsed());
    }
    yard.works(&site).await;
    assert_eq!(yard.browser().await.id, browser);
    yard.close().await;
}

/// Its own capture ends, and the browser goes on for the others.
#[tokio::test]
async fn a_page_that_floods_its_console() {
    const FLOOD: &str =
        "<title>Flood</title><script>for (let i = 0; ; i += 1) console.log('x'.repeat(2 ** 20) + i)</script>";
    let site = Site::open(&[("/flood", FLOOD)]).await;
    let yard = Yard::open(&site);
    yard.works(&site).await;
    let browser = yard.browser().await.id;
    let error = yard.capture(&site.url("/flood"), |_| {}).await.unwrap_err();
    assert!(matches!(error.trouble, Trouble::Flood), "{error}");
    yard.works(&site).await;
    assert_eq!(yard.browser().await.id, browser);
    yard.close().await;
}
