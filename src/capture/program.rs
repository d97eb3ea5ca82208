//! The browser's program: where it is, what it is, and whether it is new enough.

use std::{
    ffi::OsStr,
    fmt,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::timeout};

/// The names under which browsers are installed, the best first: the headless shell is quicker than the whole browser, takes half
/// the memory, and paints tabs that nobody looks at.
const NAMES: [&str; 9] = [
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "headless_shell",
    "Google Chrome", // on macOS
];

/// Where they are if not on the search path.
const ELSEWHERE: [&str; 4] =
    ["/usr/bin", "/usr/lib/chromium", "/opt/google/chrome", "/Applications/Google Chrome.app/Contents/MacOS"];

/// The oldest that is used. Before it a context could not be given a proxy of its own in every way that we need.
const OLDEST: u32 = 120;

/// How long a program may take to say its version.
const VERSION_LIMIT: Duration = Duration::from_secs(20);

/// A browser that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// As it calls itself, such as `Chromium 156.0.8078.108`.
    pub version: String,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.path.display())
    }
}

/// Why there is no browser.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// None is installed under any of the usual names.
    #[error("found no browser: none of {} is on the search path", NAMES.join(", "))]
    NotFound,
    /// The one that was named cannot be started.
    #[error("{path} does not start: {what}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        what: String,
    },
    /// It does not say its version as browsers do.
    #[error("{path} is no browser that we know: asked for its version, it says `{said}`")]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What it said.
        said: String,
    },
    /// It is too old.
    #[error("{program} is too old: {OLDEST} is the oldest that is used")]
    TooOld {
        /// The browser.
        program: Program,
    },
}

impl ProgramError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound => {
                "install one, the headless shell is the quickest:\n  \
                 Debian, Ubuntu  sudo apt-get install chromium-headless-shell (or chromium)\n  \
                 Fedora          sudo dnf install chromium-headless\n  \
                 Alpine          sudo apk add chromium\n  \
                 macOS           brew install --cask chromium\n\
                 or --browser PATH, or TINTYPE_BROWSER"
            }
            Self::Unusable { .. } | Self::Unknown { .. } => {
                "--browser or TINTYPE_BROWSER names the program of Chromium, Chrome or chromium-headless-shell"
            }
            Self::TooOld { .. } => "update it, or name another with --browser or TINTYPE_BROWSER",
        }
    }
}

impl Program {
    /// Finds the browser: the one that is named, else the first of the usual names on the search path.
    pub async fn find(named: Option<&Path>, search_path: Option<&OsStr>) -> Result<Self, ProgramError> {
        let path = match named {
            Some(path) if path.components().count() == 1 => on_path(path, search_path).unwrap_or_else(|| path.into()),
            Some(path) => path.to_owned(),
            None => {
                NAMES.iter().find_map(|name| on_path(Path::new(name), search_path)).ok_or(ProgramError::NotFound)?
            }
        };
        let unusable = |what: String| ProgramError::Unusable { path: path.clone(), what };
        let mut command = Command::new(&path);
        command.arg("--version").env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", "/nonexistent");
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let output = timeout(VERSION_LIMIT, command.output())
            .await
            .map_err(|_| unusable("it did not say its version in time".to_owned()))?
            .map_err(|error| unusable(error.to_string()))?;
        Self::judge(path, &String::from_utf8_lossy(&output.stdout))
    }

    /// Whether what a program says of itself is the version of a browser that we can use.
    fn judge(path: PathBuf, said: &str) -> Result<Self, ProgramError> {
        let version = said.split(" built on").next().unwrap_or_default().trim().to_owned();
        let number = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let major = number.and_then(|number| number.split('.').next()).and_then(|major| major.parse::<u32>().ok());
        let known = version.contains("Chrom");
        match major {
            Some(major) if known && major < OLDEST => Err(ProgramError::TooOld { program: Self { path, version } }),
            Some(_) if known => Ok(Self { path, version }),
            _ => Err(ProgramError::Unknown { path, said: said.trim().chars().take(100).collect() }),
        }
    }
}

/// The program of a name on the search path, and then where browsers are besides.
fn on_path(name: &Path, search_path: Option<&OsStr>) -> Option<PathBuf> {
    let folders = search_path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    let found = folders.into_iter().chain(ELSEWHERE.map(PathBuf::from)).map(|folder| folder.join(name));
    found.into_iter().find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(said: &str) -> Result<String, String> {
        let judged = Program::judge("/usr/bin/chromium".into(), said);
        judged.map(|program| program.version).map_err(|error| error.to_string())
    }

    #[test]
    fn versions_are_read_as_browsers_say_them() {
        let debian = "Chromium 156.0.8078.108 built on Debian GNU/Linux 12 (bookworm)\n";
        assert_eq!(judged(debian).unwrap(), "Chromium 156.0.8078.108");
        assert_eq!(judged("Google Chrome 141.0.7390.54 \n").unwrap(), "Google Chrome 141.0.7390.54");
        assert_eq!(judged("Google Chrome for Testing 120.0.1.2").unwrap(), "Google Chrome for Testing 120.0.1.2");
    }

    #[test]
    fn what_is_too_old_or_no_browser_is_refused() {
        let old = "Chromium 119.0.6045.199 (/usr/bin/chromium) is too old: 120 is the oldest that is used";
        assert_eq!(judged("Chromium 119.0.6045.199").unwrap_err(), old);
        for other in ["", "Mozilla Firefox 144.0", "bash 5.2", "Chromium"] {
            assert!(judged(other).unwrap_err().contains("is no browser that we know"), "{other}");
        }
    }
}
