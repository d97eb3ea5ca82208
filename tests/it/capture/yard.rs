//! A browser of a test's own, in a folder of its own, so that what it leaves behind can be counted.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tintype::capture::{
    CaptureError, Captured, Chrome, Credentials, Options, Settings, Shot, Subject,
    guard::{AllowedHost, Rules, check_subject},
};

use super::site::Site;
use crate::support::eventually;

/// How long anything may take that has no limit of its own; the machine may be busy.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// A browser and its folder.
#[derive(Debug)]
pub(super) struct Yard {
    pub(super) chrome: Chrome,
    pub(super) rules: Arc<Rules>,
    folder: TempDir,
}

/// A process of the browser.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) id: Pid,
    group: i32,
    pub(super) command: String,
}

impl Yard {
    /// A browser that may reach a site.
    pub(super) fn open(site: &Site) -> Self {
        Self::with(site, |_| {})
    }

    /// The same with settings of its own.
    pub(super) fn with(site: &Site, change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::Builder::new().prefix("yard").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let mut settings = Settings {
            search_path: Some("/usr/local/bin:/usr/bin".into()),
            folder: folder.path().to_owned(),
            ..Settings::default()
        };
        change(&mut settings);
        let allow = vec![site.address.to_string().parse().unwrap()];
        Self { chrome: Chrome::new(settings), rules: Arc::new(Rules { allow, ..Rules::default() }), folder }
    }

    /// Lets pages reach more hosts.
    pub(super) fn allow(&mut self, hosts: &[&str]) {
        let mut rules = Rules::clone(&self.rules);
        rules.allow.extend(hosts.iter().map(|host| host.parse::<AllowedHost>().unwrap()));
        self.rules = Arc::new(rules);
    }

    /// Captures a page of the site.
    pub(super) async fn capture(&self, url: &str, change: impl FnOnce(&mut Options)) -> Result<Captured, CaptureError> {
        self.chrome.capture(&self.shot(url, change)).await
    }

    pub(super) fn shot(&self, url: &str, change: impl FnOnce(&mut Options)) -> Shot {
        let mut options = Options { deadline: LIMIT.as_secs_f64(), ..Options::default() };
        change(&mut options);
        let subject = Subject::Address(check_subject(url).unwrap());
        Shot { subject, options, rules: Arc::clone(&self.rules), credentials: Credentials::default() }
    }

    /// Captures the plain page, which must succeed.
    pub(super) async fn works(&self, site: &Site) {
        let captured = self.capture(&site.url("/"), |_| {}).await.unwrap();
        assert_eq!(captured.title, "A plain page");
    }

    /// All processes of its browsers, their first ones first.
    pub(super) fn processes(&self) -> Vec<Running> {
        let all = all_processes();
        let mark = self.folder.path().to_string_lossy().into_owned();
        let groups: Vec<i32> =
            all.iter().filter(|process| process.command.contains(&mark)).map(|process| process.group).collect();
        let mut ours: Vec<Running> = all.into_iter().filter(|process| groups.contains(&process.group)).collect();
        ours.sort_by_key(|process| (process.command.contains("--type="), process.id.as_raw_nonzero()));
        ours
    }

    /// The browser itself, once it runs.
    pub(super) async fn browser(&self) -> Running {
        let is_browser = |process: &Running| {
            process.command.contains("--user-data-dir=")
                && !process.command.contains("--type=")
                && !process.command.contains("/bin/sh")
        };
        eventually("a browser", LIMIT, async || self.processes().into_iter().find(is_browser)).await
    }

    /// The processes of its pages.
    pub(super) fn renderers(&self) -> Vec<Running> {
        let all = self.processes().into_iter();
        all.filter(|process| process.command.contains("--type=renderer")).collect()
    }

    /// Ends the browser; fails the test if anything is left of it.
    pub(super) async fn close(self) {
        let before = self.processes();
        self.chrome.close().await;
        let left = self.left(&before);
        assert!(left.is_empty(), "{left:?}");
    }

    /// Waits until nothing is left of a browser whose processes were these, and which nobody closed.
    pub(super) async fn is_clean(&self, before: &[Running]) {
        eventually("the end of the browser", LIMIT, async || self.left(before).is_empty().then_some(())).await;
    }

    /// What is left of a browser whose processes were these, the dead that we have not asked after among it.
    fn left(&self, before: &[Running]) -> Vec<String> {
        let groups: Vec<i32> = before.iter().map(|process| process.group).collect();
        let old = all_processes().into_iter().filter(|process| groups.contains(&process.group));
        let left = old.chain(self.processes()).map(|process| format!("{process:?}"));
        left.chain(self.folders()).collect()
    }

    /// Where its browsers have their folders.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folders of its browsers.
    pub(super) fn folders(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Running {
    pub(super) fn signal(&self, signal: Signal) {
        kill_process(self.id, signal).unwrap();
    }
}

/// All processes of this machine, the dead that we have not asked after among them.
fn all_processes() -> Vec<Running> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| process(&entry.path())).collect()
}

fn process(path: &Path) -> Option<Running> {
    let id = Pid::from_raw(path.file_name()?.to_str()?.parse().ok()?)?;
    let stat = fs::read_to_string(path.join("stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let (state, parent, group) = (fields.next()?, fields.next()?, fields.next()?.parse().ok()?);
    if state == "Z" && parent == "1" {
        return None; // the system's own first process is about to ask after it
    }
    let command = String::from_utf8_lossy(&fs::read(path.join("cmdline")).ok()?).replace('\0', " ");
    Some(Running { id, group, command })
}

/// The colour of a pixel of a PNG.
pub(super) fn pixel(captured: &Captured, x: u32, y: u32) -> [u8; 3] {
    pixels(captured)[(y * captured.image.width + x) as usize]
}

/// All pixels of a PNG.
pub(super) fn pixels(captured: &Captured) -> Vec<[u8; 3]> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(&captured.image.bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    assert_eq!((info.width, info.height), (captured.image.width, captured.image.height));
    pixels.as_chunks::<3>().0.to_vec()
}
