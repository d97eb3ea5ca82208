//! A throwaway Postgres of one's own, for `tintype demo` and for the tests: a fresh cluster in a temporary folder, on a free
//! port of 127.0.0.1 and a socket in that folder. It always goes when the process that started it goes, however it ends.

mod binaries;

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs, io,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_postgres::NoTls;

use crate::user::{self, User};

/// Stops the server and removes the folder once our end of its standard input closes.
const SUPERVISE: &str = include_str!("scratch/supervise.sh");

/// How long a server may take until it accepts connections; a quiet machine needs a tenth of a second.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A socket's path must fit into some hundred bytes, and the folder's name and the socket's come after the parent.
const LONGEST_PARENT: usize = 60;

/// What a database's name does not bring into a URL's path as it is.
const NOT_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Postgres takes a port that was free a moment ago; now and then somebody else was quicker.
const PORT_ATTEMPTS: usize = 5;

/// What a scratch server never needs, since it never has to survive a crash.
const SETTINGS: [(&str, &str); 9] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("listen_addresses", "127.0.0.1"),
    ("shared_buffers", "32MB"),
    ("max_connections", "200"),
    ("max_wal_size", "256MB"),
    ("logging_collector", "off"),
    ("log_min_messages", "warning"),
    ("log_line_prefix", "%m [%p] %d "),
];

/// What to start, and with which programs.
#[derive(Debug, Clone, Default)]
pub struct ScratchOptions {
    /// The folder of `initdb` and `postgres`; where it is given, no other is looked at.
    pub programs: Option<PathBuf>,
    /// Where to look for them first, as in the variable PATH.
    pub search_path: Option<OsString>,
    /// Further server settings, such as `("max_prepared_transactions", "10")`; they win over our own.
    pub settings: Vec<(String, String)>,
}

/// Why there is no scratch server.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// No `initdb` and `postgres` in the folder that was asked for, or in any of the usual places.
    #[error("found no Postgres server programs (initdb, postgres){}", in_folder(.programs.as_deref()))]
    NoServer {
        /// The folder that was asked for.
        programs: Option<PathBuf>,
    },
    /// We are root, which Postgres refuses to run as, and there is nobody else to run it as.
    #[error("Postgres does not run as root, and /etc/passwd knows neither `postgres` nor `nobody`")]
    NoUser,
    /// The temporary folder could not be made or written.
    #[error("cannot prepare the folder {path}")]
    Folder {
        /// What was being written.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// No port of 127.0.0.1 could be taken.
    #[error("found no free port on 127.0.0.1")]
    Port(#[source] io::Error),
    /// A program could not be started at all.
    #[error("cannot start {program}")]
    Program {
        /// The program.
        program: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed:\n{output}")]
    Initdb {
        /// What it printed.
        output: String,
    },
    /// The server stopped before it accepted a connection.
    #[error("the scratch server stopped while starting:\n{log}")]
    Stopped {
        /// The end of its log.
        log: String,
    },
    /// The server was not ready in time.
    #[error("the scratch server was not ready after {} s:\n{log}", START_LIMIT.as_secs())]
    NotReady {
        /// The end of its log.
        log: String,
    },
    /// A database could not be created on the running server.
    #[error("cannot create the database {name:?}")]
    CreateDatabase {
        /// The database's name.
        name: String,
        /// What the server said.
        source: tokio_postgres::Error,
    },
}

fn in_folder(programs: Option<&Path>) -> String {
    programs.map(|folder| format!(" in {}", folder.display())).unwrap_or_default()
}

impl ScratchError {
    /// What a person can do about it, with the command to type where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoServer { programs: Some(_) } => {
                Some("point TINTYPE_PG_BIN at the folder that holds `initdb`, such as /usr/lib/postgresql/17/bin")
            }
            Self::NoServer { programs: None } => Some(
                "install the server and try again; it does not have to run:\n  \
                 Debian, Ubuntu  sudo apt-get install postgresql\n  \
                 Fedora          sudo dnf install postgresql-server\n  \
                 Arch            sudo pacman -S postgresql\n  \
                 Alpine          sudo apk add postgresql\n  \
                 macOS           brew install postgresql@17\n\
                 or set TINTYPE_PG_BIN to the folder that holds `initdb`",
            ),
            Self::NoUser => Some("run the command as an ordinary user"),
            Self::Program { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("as root the server runs as another user, who must be able to reach its programs")
            }
            _ => None,
        }
    }
}

/// A running scratch server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    port: u16,
    supervisor: Child,
}

impl Scratch {
    /// Creates a cluster and starts it; returns once it accepts connections. Blocks for about a second.
    pub fn start(options: &ScratchOptions) -> Result<Self, ScratchError> {
        let programs = binaries::find(options.programs.as_deref(), options.search_path.as_deref())
            .ok_or_else(|| ScratchError::NoServer { programs: options.programs.clone() })?;
        let mut attempt = 1;
        loop {
            match Self::start_once(&programs, &options.settings) {
                Err(ScratchError::Stopped { log }) if attempt < PORT_ATTEMPTS && log.contains("already in use") => {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    fn start_once(programs: &Path, settings: &[(String, String)]) -> Result<Self, ScratchError> {
        let (folder, user) = prepare_folder()?;
        let data = folder.path().join("data");
        initdb(&programs.join("initdb"), &data, user)?;
        let port = free_port().map_err(ScratchError::Port)?;
        configure(&data, folder.path(), port, settings)?;
        let supervisor = as_user(Path::new("/bin/sh"), user, folder.path())
            .args(["-c", SUPERVISE, "supervise"])
            .arg(folder.path())
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| ScratchError::Program { program: "/bin/sh".into(), source })?;
        let scratch = Self { folder: folder.keep(), port, supervisor };
        scratch.wait_until_ready()?;
        Ok(scratch)
    }

    /// The server itself notes in its lock file when it begins to accept connections.
    fn wait_until_ready(&self) -> Result<(), ScratchError> {
        let started = Instant::now();
        loop {
            let lock = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if lock.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
                return Ok(());
            }
            if self.folder.join("exited").exists() {
                return Err(ScratchError::Stopped { log: self.log_end() });
            }
            if started.elapsed() > START_LIMIT {
                return Err(ScratchError::NotReady { log: self.log_end() });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn log_end(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// How its superuser reaches a database of this server over 127.0.0.1.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let database = utf8_percent_encode(database, NOT_IN_PATH);
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server's unix socket, which is also the one that goes with the server.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The server's log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Creates an empty database.
    pub async fn create_database(&self, name: &str) -> Result<(), ScratchError> {
        let failed = |source| ScratchError::CreateDatabase { name: name.to_owned(), source };
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls).await.map_err(failed)?;
        let statement = format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""));
        let work = async move { client.batch_execute(&statement).await };
        let (created, served) = futures_util::future::join(work, connection).await;
        created.and(served).map_err(failed)
    }

    /// Lets the server outlive this process; returns its folder. It stops by `pg_ctl stop -D FOLDER/data`.
    pub fn keep(mut self) -> io::Result<PathBuf> {
        if let Some(mut pipe) = self.supervisor.stdin.take() {
            io::Write::write_all(&mut pipe, b"keep\n")?;
        }
        Ok(self.folder.clone())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(pipe) = self.supervisor.stdin.take() {
            drop(pipe);
            // The supervisor's own status says nothing, and there is no one left to tell.
            let _ = self.supervisor.wait();
        }
    }
}

/// Makes the temporary folder, which belongs to the user that the server will run as; `None` is ourselves.
fn prepare_folder() -> Result<(tempfile::TempDir, Option<User>), ScratchError> {
    let inherited = std::env::temp_dir();
    let short = inherited.as_os_str().len() <= LONGEST_PARENT;
    let parent = if short { &inherited } else { Path::new("/tmp") };
    user::folder(parent, &["postgres", "nobody"]).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound if parent.exists() => ScratchError::NoUser,
        _ => ScratchError::Folder { path: parent.to_owned(), source },
    })
}

/// A command with an environment of its own, so that no `PG*` variable of ours reaches the server.
fn as_user(program: &Path, user: Option<User>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "UTC");
    command.current_dir(folder);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

fn initdb(program: &Path, data: &Path, user: Option<User>) -> Result<(), ScratchError> {
    let locale = if cfg!(target_os = "linux") { "--locale=C.UTF-8" } else { "--locale=C" };
    let parent = data.parent().unwrap_or(data);
    let output = as_user(program, user, parent)
        .args(["--no-sync", "--username=postgres", "--auth=trust", "--encoding=UTF8", locale, "-D"])
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| ScratchError::Program { program: program.to_owned(), source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(ScratchError::Initdb { output: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

/// Appends our settings to the server's own file, so that they also hold after a restart by hand.
fn configure(data: &Path, folder: &Path, port: u16, extra: &[(String, String)]) -> Result<(), ScratchError> {
    let path = data.join("postgresql.conf");
    let (port, socket) = (port.to_string(), folder.to_string_lossy());
    let own = SETTINGS.into_iter().chain([("port", &*port), ("unix_socket_directories", &*socket)]);
    let extra = extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let lines = own.chain(extra).fold(String::new(), |mut lines, (name, value)| {
        let _ = writeln!(lines, "{name} = '{}'", value.replace('\'', "''"));
        lines
    });
    let append = || io::Write::write_all(&mut fs::OpenOptions::new().append(true).open(&path)?, lines.as_bytes());
    append().map_err(|source| ScratchError::Folder { path: path.clone(), source })
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_server_is_named_with_what_to_do() {
        let options = ScratchOptions { programs: Some("/nonexistent".into()), ..ScratchOptions::default() };
        let error = Scratch::start(&options).unwrap_err();
        assert_eq!(error.to_string(), "found no Postgres server programs (initdb, postgres) in /nonexistent");
        assert!(error.hint().unwrap().contains("TINTYPE_PG_BIN"));
    }
}
