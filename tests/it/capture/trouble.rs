//! What went wrong, and whether trying again can help.

use std::time::Duration;

use tintype::capture::Trouble;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{
    site::Site,
    yard::{LIMIT, Yard},
};
use crate::support::eventually;

#[tokio::test]
async fn a_status_is_permanent_or_not() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    for (path, status, permanent) in [
        ("/status/404", 404, true),
        ("/bare/404", 404, true),
        ("/status/403", 403, true),
        ("/status/408", 408, false),
        ("/status/429", 429, false),
        ("/status/500", 500, false),
        ("/bare/503", 503, false),
    ] {
        let error = yard.capture(&site.url(path), |_| {}).await.unwrap_err();
        assert!(matches!(error.trouble, Trouble::Status { status: said, .. } if said == status), "{path}: {error}");
        assert_eq!(error.trouble.is_permanent(), permanent, "{path}");
        assert_eq!(error.seen.status, Some(status), "{path}");
    }
    yard.close().await;
}

#[tokio::test]
async fn the_guard_s_refusal_is_told_and_is_permanent() {
    let (site, other) = (Site::open(&[]).await, Site::open(&[]).await);
    let yard = Yard::open(&other);
    let error = yard.capture(&site.url("/"), |_| {}).await.unwrap_err();
    assert!(matches!(error.trouble, Trouble::Blocked { .. }), "{error}");
    assert!(error.trouble.is_permanent() && error.trouble.hint().unwrap().contains("--allow-host 127.0.0.1:"));
    assert_eq!(site.asked("/"), 0);
    let gone = Site::open(&[]).await;
    let (address, yard_of_gone) = (gone.url("/"), Yard::open(&gone));
    drop(gone);
    let error = yard_of_gone.capture(&address, |_| {}).await.unwrap_err();
    assert!(matches!(error.trouble, Trouble::Unreachable { .. }) && !error.trouble.is_permanent(), "{error}");
    yard.close().await;
    yard_of_gone.close().await;
}

#[tokio::test]
async fn a_server_says_when_to_ask_again() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let error = yard.capture(&site.url("/later"), |_| {}).await.unwrap_err();
    let seven = Some(Duration::from_secs(7));
    assert!(matches!(error.trouble, Trouble::Status { status: 503, retry_after } if retry_after == seven), "{error:?}");
    assert!(!error.trouble.is_permanent());
    yard.close().await;
}

#[tokio::test]
async fn a_line_that_is_cut_is_for_now() {
    let site = Site::open(&[]).await;
    let mut yard = Yard::open(&site);
    for says in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9000\r\n\r\n<title>Half",
        b"nonsense\r\n\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 16]).await; // what is left unread makes it a reset
                let _ = stream.write_all(says).await;
            }
        });
        yard.allow(&[&address.to_string()]);
        let error = yard.capture(&format!("http://{address}/"), |_| {}).await.unwrap_err();
        assert!(matches!(error.trouble, Trouble::Unreachable { .. }) && !error.trouble.is_permanent(), "{error}");
        server.abort();
    }
    yard.close().await;
}

/// It is steered over pipes: who may reach every port of this machine, or is another user of it, finds no line to it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_browser_listens_nowhere() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    yard.works(&site).await;
    assert_eq!(ports(yard.processes().iter().map(|process| process.id)), Vec::<u16>::new());
    assert!(!ports([rustix::process::getpid()]).is_empty(), "the site is found, and the doors");
    yard.close().await;
}

/// The doors of another process are no secret of ours, and no proxy for a page.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn another_s_door_is_no_way_for_a_page() {
    let site = Site::open(&[]).await;
    let (mut yard, theirs) = (Yard::open(&site), Yard::open(&site));
    yard.allow(&["127.0.0.1"]);
    let host = site.address.to_string();
    let mut command =
        crate::support::program::command(&["capture", &site.url("/stalled"), "--allow-host", &host, "-o", "/dev/null"]);
    command.env("PATH", "/usr/bin:/bin").env("TMPDIR", theirs.folder()).kill_on_drop(true);
    let mut other = command.spawn().unwrap();
    eventually("their page being there", LIMIT, async || (site.asked("/never") > 0).then_some(())).await;
    let process = rustix::process::Pid::from_raw(other.id().unwrap().cast_signed()).unwrap();
    let doors = ports([process]);
    assert!(!doors.is_empty());
    for door in doors {
        for address in [format!("http://127.0.0.1:{door}/"), format!("http://127.0.0.1:{door}/{}", site.url("/"))] {
            let error = yard.capture(&address, |_| {}).await.unwrap_err();
            assert!(matches!(error.trouble, Trouble::Status { status: 403, .. }), "{address}: {error}");
        }
    }
    assert_eq!(site.asked("/"), 0, "nothing came through");
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    other.wait().await.unwrap();
    assert!(theirs.folders().is_empty() && theirs.processes().is_empty(), "nothing is left when it has ended");
    yard.close().await;
}

/// The ports at which processes listen.
#[cfg(target_os = "linux")]
fn ports(processes: impl IntoIterator<Item = rustix::process::Pid>) -> Vec<u16> {
    let tables = ["tcp", "tcp6"].map(|table| std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines());
    let listening: Vec<(u16, &str)> = lines
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let port = u16::from_str_radix(fields.get(1)?.rsplit(':').next()?, 16).ok()?;
            (fields.get(3) == Some(&"0A")).then_some((port, *fields.get(9)?))
        })
        .collect();
    let (mut found, mut files) = (Vec::new(), 0);
    for process in processes {
        for file in std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten() {
            let Ok(target) = std::fs::read_link(file.path()) else { continue };
            let target = target.to_string_lossy().into_owned();
            let socket = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            found.extend(listening.iter().filter(|(_, inode)| socket == Some(*inode)).map(|(port, _)| *port));
            files += 1;
        }
    }
    assert!(files > 10, "{files} files were looked at");
    found
}

#[tokio::test]
async fn what_was_seen_is_told() {
    const LOUD: &str = "<script>console.error('first', 1); console.error('nothing here', {a: 2}.a)</script>";
    const THROWS: &str = "<body><script>throw new Error('broken')</script>";
    let site = Site::open(&[("/loud", LOUD), ("/throws", THROWS)]).await;
    let yard = Yard::open(&site);
    let captured = yard.capture(&site.url("/loud"), |_| {}).await.unwrap();
    assert_eq!(captured.seen.console.as_deref(), Some("nothing here 2"));
    let wish = |options: &mut tintype::capture::Options| options.expect_selector = Some("#right".to_owned());
    let error = yard.capture(&site.url("/throws"), wish).await.unwrap_err();
    assert!(error.seen.console.as_deref().unwrap_or_default().contains("broken"), "{error:?}");
    assert!(matches!(error.trouble, Trouble::NoElement { .. }) && error.trouble.is_permanent(), "{error}");
    let captured = yard.capture(&site.url("/moved"), |_| {}).await.unwrap();
    assert_eq!(captured.seen.final_url, Some(site.url("/")));
    yard.close().await;
}

#[tokio::test]
async fn a_selector_that_is_none_is_told() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let absent = yard.capture(&site.url("/"), |options| options.selector = Some("#blue".to_owned())).await.unwrap_err();
    assert!(matches!(absent.trouble, Trouble::NoElement { .. }) && absent.trouble.is_permanent(), "{absent}");
    let nowhere = |options: &mut tintype::capture::Options| options.time_zone = Some("Europe/Atlantis".into());
    let nowhere = yard.capture(&site.url("/"), nowhere).await.unwrap_err();
    assert!(nowhere.trouble.is_permanent(), "{nowhere}");
    assert_eq!(nowhere.to_string(), "the browser knows no time zone `Europe/Atlantis`");
    let wrong = yard.capture(&site.url("/"), |options| options.hide = vec!["a[".to_owned()]).await.unwrap_err();
    assert!(matches!(wrong.trouble, Trouble::BadSelector { .. }) && wrong.trouble.is_permanent(), "{wrong}");
    yard.close().await;
}

#[tokio::test]
async fn a_header_that_nobody_may_set_is_told_at_once() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    for (name, value) in [("Bad Name", "x"), ("Host", "a.example"), ("X-Key", "a\nb")] {
        let mut shot = yard.shot(&site.url("/"), |_| {});
        shot.credentials.headers = vec![(name.to_owned(), value.to_owned())];
        let trouble = yard.chrome.capture(&shot).await.unwrap_err().trouble;
        assert!(matches!(&trouble, Trouble::Options { what } if what.contains(name)), "{trouble}");
    }
    yard.close().await;
}
