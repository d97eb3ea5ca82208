//! The browser as a child of our own: a program goes in, a running browser and the two pipes of its line come out, at which nobody else
//! can be; it listens at no port. It always holds that all its processes end and its folder goes when the [`Process`] does, however we
//! end ourselves.

use std::{
    collections::VecDeque,
    io,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpgid};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    runtime::Handle,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{error::Trouble, guard::BROWSER_FLAGS, program::Program, settings::Settings, wire::WireError};
use crate::{
    courtesy,
    user::{self, User},
};

/// Kills the browser and removes its folder once our end of its standard input closes.
const WARDEN: &str = include_str!("warden.sh");

/// Puts the pipes that we have as standard input and output to where a browser looks for them, and becomes the browser.
const HAND_OVER: &str = "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null";

/// How long a browser may take until it answers; a quiet machine needs less than a second.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long the end of a browser may take, with all its processes and files.
const END_LIMIT: Duration = Duration::from_secs(10);

/// How long is waited for the end, and the last words, of one that does not start.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// Lines of what the browser says that are kept, for the error of one that does not start; and the most bytes that are read as a line.
const LAST_WORDS: usize = 12;
const LINE: u64 = 4096;

/// What Chromium is told besides its folder and what the guard wants. Nothing that asks, calls home or waits for a person; and
/// colours, letters and scroll bars that are the same on every machine.
const FLAGS: [&str; 36] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--noerrdialogs",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-checker-imaging", // or a picture in the page is white while it is still decoded
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
    "--log-level=1", // not what pages say on their consoles
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
    listener: JoinHandle<()>,
    words: LastWords,
}

/// Both ends of a browser's line that are ours.
#[derive(Debug)]
pub(super) struct Pipes {
    /// What it hears.
    pub(super) to: ChildStdin,
    /// What it says.
    pub(super) from: ChildStdout,
}

/// What was said last on a browser's standard error.
type LastWords = Arc<Mutex<VecDeque<String>>>;

impl Process {
    /// Starts a browser.
    pub(super) async fn start(program: &Program, settings: &Settings) -> Result<(Self, Pipes), Trouble> {
        let failed = |what: String| Trouble::Start { program: program.to_string(), what };
        let (folder, user) = user::folder(&settings.folder, &["nobody"])
            .map_err(|error| failed(format!("no folder for its profile: {error}")))?;
        adopt_orphans();
        let mut warden = Command::new("/bin/sh");
        warden.args(["-c", WARDEN, "warden"]).arg(folder.path()).process_group(0).stdin(Stdio::piped());
        let mut warden = as_user(warden, user, Path::new("/"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(format!("/bin/sh: {error}")))?;
        let folder = folder.keep(); // from now on the warden removes it
        let mut leash = warden.stdin.take();
        let mut child = browser(program, user, &folder, settings).map_err(|error| failed(error.to_string()))?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let pipes = (child.stdin.take(), child.stdout.take());
        let (Some(group), Some(pipe), (Some(to), Some(from))) = (group, &mut leash, pipes) else {
            return Err(failed("it ended at once".to_owned()));
        };
        let told = pipe.write_all(format!("{}\n", group.as_raw_nonzero()).as_bytes()).await;
        let (listener, words) = listen(&mut child);
        let process = Self { child, group, warden, leash, listener, words };
        match told {
            Ok(()) => Ok((process, Pipes { to, from })),
            Err(error) => {
                process.end().await;
                Err(failed(error.to_string()))
            }
        }
    }

    /// The first answer of a browser that just started; or why there is none, with the last that it said.
    pub(super) async fn first<T>(&mut self, asking: impl Future<Output = Result<T, WireError>>) -> Result<T, String> {
        let what = match timeout(START_LIMIT, asking).await {
            Ok(Ok(answer)) => return Ok(answer),
            // The end of its line may be heard before its own.
            Ok(Err(error)) => match timeout(LAST_BREATH, self.child.wait()).await {
                Ok(Ok(status)) => format!("it ended with {status}"),
                _ => error.to_string(),
            },
            Err(_) => format!("it did not answer after {} s", START_LIMIT.as_secs()),
        };
        let _ = timeout(LAST_BREATH, &mut self.listener).await; // what it said is still on its way
        Err(format!("{what}{}", said(&self.words)))
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
    let mut command = as_user(Command::new("/bin/sh"), user, folder);
    command.args(["-c", HAND_OVER, "browser"]).arg(&program.path).args(FLAGS).args(BROWSER_FLAGS);
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    if !settings.sandbox {
        command.arg("--no-sandbox");
    }
    command.arg("about:blank").process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
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
        while (&mut reader).take(LINE).read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
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
