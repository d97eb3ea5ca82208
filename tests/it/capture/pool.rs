//! The pool: one browser for all, as long as it is needed.

use std::{
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use rustix::process::getpriority_process;
use tintype::capture::{Settings, Trouble};

use super::{
    site::Site,
    yard::{LIMIT, Yard, pixel},
};
use crate::support::eventually;

const WHITE: [u8; 3] = [255, 255, 255];

#[tokio::test]
async fn a_page_becomes_a_picture_and_nothing_is_left() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    assert!(yard.folders().is_empty(), "nothing is started before it is needed");
    let captured = yard.capture(&site.url("/"), |_| {}).await.unwrap();
    assert_eq!((captured.image.width, captured.image.height), (1200, 630));
    assert_eq!((captured.image.media_type, captured.title.as_str()), ("image/png", "A plain page"));
    assert_eq!((pixel(&captured, 99, 99), pixel(&captured, 100, 99)), ([255, 0, 0], WHITE));
    assert_eq!((captured.seen.status, captured.seen.final_url), (Some(200), Some(site.url("/"))));
    let first = yard.browser().await;
    yard.works(&site).await;
    assert_eq!(yard.browser().await.id, first.id);
    yard.close().await;
}

#[tokio::test]
async fn an_idle_browser_is_stopped_and_started_again() {
    let site = Site::open(&[]).await;
    let yard = Yard::with(&site, |settings| settings.idle = Duration::from_millis(300));
    yard.works(&site).await;
    let before = yard.processes();
    yard.is_clean(&before).await;
    yard.works(&site).await;
    yard.close().await;
}

#[tokio::test]
async fn a_browser_is_replaced_after_so_many_captures() {
    let site = Site::open(&[]).await;
    let yard = Yard::with(&site, |settings| settings.recycle_captures = 2);
    yard.works(&site).await;
    let first = yard.browser().await;
    yard.works(&site).await;
    yard.works(&site).await;
    let gone = async || yard.processes().iter().all(|process| process.id != first.id).then_some(());
    eventually("the end of the first browser", LIMIT, gone).await;
    yard.close().await;
}

#[tokio::test]
async fn a_browser_that_is_too_large_is_replaced() {
    let site = Site::open(&[]).await;
    let yard = Yard::with(&site, |settings| (settings.recycle_memory, settings.idle) = (1, 10 * LIMIT));
    yard.works(&site).await;
    let first = yard.processes();
    yard.is_clean(&first).await;
    yard.works(&site).await;
    yard.close().await;
}

#[tokio::test]
async fn all_processes_of_a_browser_have_the_niceness_that_is_wanted() {
    let site = Site::open(&[]).await;
    let yard = Yard::with(&site, |settings| settings.nice = 7);
    yard.works(&site).await;
    let browsers = yard.processes().into_iter().filter(|process| !process.command.contains("warden"));
    let niceness: Vec<i32> = browsers.map(|process| getpriority_process(Some(process.id)).unwrap()).collect();
    assert!(niceness.len() > 2 && niceness.iter().all(|nice| *nice == 7), "{niceness:?}");
    assert_eq!(getpriority_process(None).unwrap(), 0, "ours is as it was");
    yard.close().await;
}

#[tokio::test]
async fn a_capture_that_the_end_cuts_off_starts_no_browser() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    yard.works(&site).await;
    let url = site.url("/never");
    let close = async {
        eventually("the page is asked for", LIMIT, async || (site.asked("/never") > 0).then_some(())).await;
        yard.chrome.close().await;
    };
    let (captured, ()) = tokio::join!(yard.capture(&url, |_| {}), close);
    let trouble = captured.unwrap_err().trouble;
    assert!(matches!(trouble, Trouble::BrowserDied), "{trouble}");
    yard.close().await; // finds nothing
}

#[tokio::test]
async fn a_browser_that_does_not_start_is_not_started_again_and_again() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site); // for its folder
    let (program, starts) = (yard.folder().join("chromium"), yard.folder().join("starts"));
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo Chromium 156.0.1.1 && exit\necho start >> {}\nexit 7\n",
        starts.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let chrome = Yard::with(&site, |settings| settings.browser = Some(program));
    let count = || std::fs::read_to_string(&starts).unwrap_or_default().lines().count();
    let url = site.url("/");
    let began = Instant::now();
    let fails = async || chrome.capture(&url, |_| {}).await.unwrap_err().trouble;
    for _ in 0..20 {
        let trouble = fails().await;
        assert!(matches!(&trouble, Trouble::Start { what, .. } if what.contains("exit status: 7")), "{trouble}");
    }
    let most = 1 + usize::try_from(began.elapsed().as_secs()).unwrap();
    assert!((1..=most).contains(&count()), "{} starts in {:?}", count(), began.elapsed());
    let again = async || {
        fails().await;
        (count() > most).then_some(())
    };
    eventually("another try", LIMIT, again).await;
    chrome.close().await;
}

#[tokio::test]
async fn nothing_of_one_capture_is_there_for_the_next() {
    const VISITED: &str = "<script>
        document.title = [document.cookie, localStorage.getItem('seen'), caches ? '' : ''].join('');
        document.cookie = 'seen=1'; localStorage.setItem('seen', '1');
    </script>";
    let site = Site::open(&[("/visited", VISITED)]).await;
    let yard = Yard::open(&site);
    for _ in 0..2 {
        let captured = yard.capture(&site.url("/visited"), |_| {}).await.unwrap();
        assert_eq!(captured.title, "");
    }
    yard.close().await;
}

#[tokio::test]
async fn no_more_captures_run_at_once_than_there_are_slots() {
    let site = Site::open(&[]).await;
    let yard = Yard::with(&site, |settings| (settings.captures, settings.host_captures) = (1, 9));
    let url = site.url("/stalled");
    let stalled = yard.capture(&url, |options| options.deadline = 1.5);
    let started = Instant::now();
    let url = site.url("/");
    let (stalled, next) = tokio::join!(biased; stalled, yard.capture(&url, |_| {}));
    assert!(matches!(stalled.unwrap_err().trouble, Trouble::Deadline { .. }));
    assert!(next.is_ok() && started.elapsed() >= Duration::from_millis(1500));
    yard.close().await;
}

#[tokio::test]
async fn a_capture_that_is_dropped_leaves_its_slot_and_no_context() {
    let site = Site::open(&[]).await;
    let yard = Yard::with(&site, |settings| settings.captures = 1);
    yard.works(&site).await;
    let (before, url) = (yard.renderers().len(), site.url("/stalled"));
    for _ in 0..3 {
        let capture = yard.capture(&url, |_| {});
        let asked = site.asked("/never");
        let asked = eventually("the page being there", LIMIT, async || (site.asked("/never") > asked).then_some(()));
        tokio::select! {
            _ = capture => panic!("it cannot end"),
            () = asked => {}
        }
    }
    yard.works(&site).await;
    eventually("the end of its pages", LIMIT, async || (yard.renderers().len() <= before).then_some(())).await;
    yard.close().await;
}

#[tokio::test]
async fn a_capture_that_is_dropped_while_its_browser_starts_leaves_nothing_behind() {
    let site = Site::open(&[]).await;
    let yard = Yard::with(&site, |settings| settings.idle = Duration::from_millis(300));
    let url = site.url("/");
    let drop_at_start = async || {
        tokio::select! {
            captured = yard.capture(&url, |_| {}) => panic!("it was quicker: {captured:?}"),
            _ = yard.browser() => {}
        }
        yard.processes()
    };
    let before = drop_at_start().await;
    yard.is_clean(&before).await;
    yard.works(&site).await;
    yard.is_clean(&yard.processes()).await;
    drop_at_start().await;
    yard.close().await; // while it still starts
    assert_eq!(site.asked("/"), 1, "of one that was not dropped");
}

/// `tintype capture` of a page that never is whole, once the page is there.
async fn stalled(site: &Site, yard: &Yard) -> tokio::process::Child {
    let host = site.address.to_string();
    let mut command =
        crate::support::program::command(&["capture", &site.url("/stalled"), "--allow-host", &host, "-o", "/dev/null"]);
    command.env("PATH", "/usr/bin:/bin").env("TMPDIR", yard.folder());
    let program = command.spawn().unwrap();
    eventually("the page being there", LIMIT, async || (site.asked("/never") > 0).then_some(())).await;
    program
}

#[tokio::test]
async fn a_capture_that_is_told_to_end_takes_its_browser_along() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site); // for its folder
    let program = stalled(&site, &yard).await;
    let process = rustix::process::Pid::from_raw(program.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    let ended = program.wait_with_output().await.unwrap();
    let words = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.code() == Some(1) && words.contains("error: stopped"), "{:?} {words}", ended.status);
    assert!(yard.folders().is_empty() && yard.processes().is_empty(), "nothing is left when it has ended");
}

#[tokio::test]
async fn a_browser_goes_with_the_process_that_needs_it_however_that_ends() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site); // for its folder
    let mut program = stalled(&site, &yard).await;
    let before = yard.processes();
    assert!(before.len() > 3, "{before:?}");
    program.start_kill().unwrap(); // SIGKILL
    program.wait().await.unwrap();
    yard.is_clean(&before).await;
}

#[tokio::test]
async fn a_browser_that_is_none_or_does_not_start_is_told() {
    let site = Site::open(&[]).await;
    for (program, error) in [
        ("/nonexistent/chromium", "/nonexistent/chromium does not start"),
        ("/bin/true", "/bin/true is no browser that we know"),
    ] {
        let named = |settings: &mut Settings| settings.browser = Some(program.into());
        let yard = Yard::with(&site, named);
        let trouble = yard.capture(&site.url("/"), |_| {}).await.unwrap_err().trouble;
        assert!(trouble.to_string().starts_with(error), "{trouble}");
        assert!(trouble.is_configuration() && !trouble.is_permanent() && trouble.hint().is_some());
        yard.close().await;
    }
}
