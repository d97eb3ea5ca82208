//! The browser as a child of our own: a program goes in, a running browser with the address of its line comes out. It always holds
//! that all its processes end and its folder goes when the [`Process`] does, however we end ourselves.

use std::{
    collections::VecDeque,
    io,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpgid};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    runtime::Handle,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    error::Trouble,
    guard::{BROWSER_FLAGS, OurPort},
    program::Program,
    settings::Settings,
};
use crate::{
    courtesy,
    user::{self, User},
};

/// Kills the browser and removes its folder once our end of its standard input closes.
const WARDEN: &str = include_str!("warden.sh");

/// How long a browser may take until it listens; a quiet machine needs less than a second.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long the end of a browser may take, with all its processes and files.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Lines of what the browser says that are kept, for the error of one that does not start.
const LAST_WORDS: usize = 12;

/// What Chromium is told besides its folder and what the guard wants. Nothing that asks, calls home or waits for a person; and
/// colours, letters and scroll bars that are the same on every machine.
const FLAGS: [&str; 34] = [
    "--headless",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--noerrdialogs",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-frame-rate-limit", // a picture waits for three frames: no time at all, and not 50 ms
    "--disable-gpu",
    "--disable-hang-monitor",
    "--disable-lcd-text",
    "--disable-notifications",
    "--disable-prompt-on-repost",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--deny-permission-prompts",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--mute-audio",
    "--password-store=basic",
    // The first three make a tab's first navigation quicker, RenderDocument most of all; the others call home.
    "--disable-features=BackForwardCache,ProactivelySwapBrowsingInstance,RenderDocument,DialMediaRouteProvider,MediaRouter,OptimizationHints,Translate",
];

/// A running browser.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// The number of its process group, which is that of its first process.
    group: Pid,
    warden: Child,
    /// The warden acts once this is closed.
    leash: Option<ChildStdin>,
    /// Where its line is.
    pub(super) address: String,
    /// Which no page reaches.
    port: Option<OurPort>,
    listener: JoinHandle<()>,
}

/// What was said last on a browser's standard error.
type LastWords = Arc<Mutex<VecDeque<String>>>;

impl Process {
    /// Starts a browser, and waits until it listens.
    pub(super) async fn start(program: &Program, settings: &Settings) -> Result<Self, Trouble> {
        let failed = |what: String| Trouble::Start { program: program.to_string(), what };
        let (folder, user) = user::folder(&settings.folder, &["nobody"])
            .map_err(|error| failed(format!("no folder for its profile: {error}")))?;
        let folder = folder.keep(); // the warden removes it
        adopt_orphans();
        let mut warden = Command::new("/bin/sh");
        warden.args(["-c", WARDEN, "warden"]).arg(&folder).process_group(0).stdin(Stdio::piped());
        let mut warden = as_user(warden, user, Path::new("/"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(format!("/bin/sh: {error}")))?;
        let mut leash = warden.stdin.take();
        let mut child = browser(program, user, &folder, settings).map_err(|error| failed(error.to_string()))?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let (Some(group), Some(pipe)) = (group, &mut leash) else {
            return Err(failed("it ended at once".to_owned()));
        };
        let told = pipe.write_all(format!("{}\n", group.as_raw_nonzero()).as_bytes()).await;
        let (listener, words) = listen(&mut child);
        let mut process = Self { child, group, warden, leash, address: String::new(), port: None, listener };
        let started = match told {
            Ok(()) => process.wait_for_address(&folder, &words).await,
            Err(error) => Err(error.to_string()),
        };
        match started {
            Ok(address) => {
                process.port = address
                    .rsplit_once(':')
                    .and_then(|(_, rest)| rest.split('/').next()?.parse().ok())
                    .map(OurPort::close);
                process.address = address;
                Ok(process)
            }
            Err(what) => {
                process.end().await;
                Err(failed(what))
            }
        }
    }

    /// The browser writes the port into a file of its profile once it listens there.
    async fn wait_for_address(&mut self, folder: &Path, words: &LastWords) -> Result<String, String> {
        let file = folder.join("profile/DevToolsActivePort");
        let started = Instant::now();
        loop {
            let text = tokio::fs::read_to_string(&file).await.unwrap_or_default();
            if let Some((port, path)) = text.split_once('\n')
                && path.starts_with("/devtools/")
            {
                return Ok(format!("ws://127.0.0.1:{}{}", port.trim(), path.trim()));
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let _ = timeout(Duration::from_secs(1), &mut self.listener).await; // what it said is still on its way
                return Err(format!("it ended with {status}{}", said(words)));
            }
            if started.elapsed() > START_LIMIT {
                return Err(format!("it did not listen after {} s{}", START_LIMIT.as_secs(), said(words)));
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns when the browser has ended by itself, or by somebody else's hand.
    pub(super) async fn ended(&mut self) {
        if self.child.wait().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The number of its process group.
    pub(super) fn group(&self) -> Pid {
        self.group
    }

    /// Kills it with all its processes, and returns when nothing of it is left.
    pub(super) async fn end(mut self) {
        let _ = kill_process_group(self.group, Signal::KILL); // nobody there is what we want
        drop(self.leash.take());
        let gone = async {
            let _ = self.child.wait().await;
            reap(self.group).await;
            let _ = self.warden.wait().await;
        };
        if timeout(END_LIMIT, gone).await.is_err() {
            tracing::warn!(group = self.group.as_raw_nonzero(), "a browser's processes or its folder are still there");
        }
    }
}

/// Asks after the dead of a group until there is nobody left in it. Those whose parents died before them became our children where
/// the system lets us adopt them; else they are somebody else's, who asks.
async fn reap(group: Pid) {
    loop {
        while waitpgid(group, WaitOptions::NOHANG).is_ok_and(|dead| dead.is_some()) {}
        if test_kill_process_group(group).is_err() {
            return;
        }
        sleep(Duration::from_millis(2)).await;
    }
}

/// Makes orphans below us our own children, so that none stays a zombie where the first process of a container asks after nobody.
fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid())); // else init has them
}

impl Drop for Process {
    fn drop(&mut self) {
        self.listener.abort(); // the leash goes with us, and the warden does the rest
    }
}

/// Starts the browser's program.
fn browser(program: &Program, user: Option<User>, folder: &Path, settings: &Settings) -> io::Result<Child> {
    let mut command = as_user(Command::new(&program.path), user, folder);
    command.args(FLAGS).args(BROWSER_FLAGS);
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    if !settings.sandbox {
        command.arg("--no-sandbox");
    }
    command.arg("about:blank").process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    spawn(command, settings.nice)
}

/// Starts a command at a niceness: a child has that of the thread which starts it, and so has all that it starts.
fn spawn(mut command: Command, nice: i32) -> io::Result<Child> {
    let runtime = Handle::current();
    let starting = std::thread::Builder::new().spawn(move || {
        let _runtime = runtime.enter();
        courtesy::give_way(nice);
        command.spawn()
    })?;
    starting.join().unwrap_or_else(|_| Err(io::Error::other("the thread that starts it panicked")))
}

/// A command in an environment of its own, so that no secret of ours is in the browser and no file of its is outside the folder.
fn as_user(mut command: Command, user: Option<User>, folder: &Path) -> Command {
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C.UTF-8").current_dir(folder);
    for name in ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
        command.env(name, folder);
    }
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Listens to what the browser says, and keeps the last of it.
fn listen(child: &mut Child) -> (JoinHandle<()>, LastWords) {
    let words = LastWords::default();
    let (stderr, kept) = (child.stderr.take(), Arc::clone(&words));
    let listener = tokio::spawn(async move {
        let Some(stderr) = stderr else { return };
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back(String::from_utf8_lossy(&line).chars().take(500).collect());
            let surplus = kept.len().saturating_sub(LAST_WORDS);
            kept.drain(..surplus);
            line.clear();
        }
    });
    (listener, words)
}

fn said(words: &LastWords) -> String {
    let words = words.lock().unwrap_or_else(PoisonError::into_inner);
    let text: String = words.iter().map(String::as_str).collect();
    if text.trim().is_empty() { String::new() } else { format!(", and said:\n{}", text.trim_end()) }
}
