//! The stage: a Postgres of the run's own that can be killed and started again, a proxy and a pgbouncer before it, an S3 server
//! behind another proxy, a folder for pictures, and the host's tables with a witness on them.

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tintype::scratch::Scratch;
use tokio_postgres::Client;

use super::{Plan, Tally, editors};
use crate::support::{
    postgres,
    proxy::Proxy,
    s3::{BUCKET, S3Server},
    worker::install,
};

/// Where the world is told to find the pictures.
pub(crate) const BASE: &str = "https://cdn.example/og";

/// Connections that pgbouncer shares out.
const SERVERS: usize = 4;

/// The running stage.
pub(crate) struct Stage {
    pub(crate) plan: Plan,
    pub(crate) line: Proxy,
    pub(crate) store_line: Proxy,
    pub(crate) s3: S3Server,
    pub(crate) folder: tempfile::TempDir,
    scratch: Scratch,
    /// The server after a restart; the first one is the scratch cluster's own.
    server: Mutex<Option<Child>>,
    bouncer: Mutex<Option<Child>>,
    bouncer_port: u16,
}

impl Stage {
    /// Starts everything and fills the tables.
    pub(crate) async fn set(plan: &Plan, tally: &Tally) -> Self {
        let scratch = tokio::task::spawn_blocking(|| postgres::scratch(&[("max_locks_per_transaction", "128")]));
        let scratch = scratch.await.expect("a cluster");
        scratch.create_database("blog").await.expect("a database");
        let url = scratch.url("blog");
        let client = postgres::connect(&url).await;
        install(&client).await;
        client.batch_execute(include_str!("tables.sql")).await.expect("the host's tables");
        client.batch_execute(&editors::first_rows(plan.rows)).await.expect("the first rows");
        let s3 = S3Server::start().await;
        let store_line = Proxy::before(&s3.settings("").endpoint_url.expect("an endpoint")).await;
        let line = Proxy::before(&url).await;
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("store")).expect("a folder for pictures");
        let (server, bouncer) = (Mutex::default(), Mutex::default());
        let stage =
            Self { plan: plan.clone(), line, store_line, s3, folder, scratch, server, bouncer, bouncer_port: port };
        stage.point_pictures_to("store");
        stage.start_bouncer();
        tally.add("rows at the beginning", plan.rows * 2);
        stage
    }

    /// The database, straight.
    pub(crate) fn url(&self) -> String {
        self.scratch.url("blog")
    }

    /// The database, through pgbouncer in transaction mode.
    pub(crate) fn pooled_url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/blog", self.bouncer_port)
    }

    /// Connects as soon as the database lets us, under a name that the witness sees.
    pub(crate) async fn connect(&self, name: &str) -> Client {
        let url = format!("{}?application_name={name}", self.url());
        loop {
            if let Ok((client, connection)) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await {
                tokio::spawn(connection);
                return client;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The folder that the store's objects stand in, by their whole keys.
    pub(crate) fn objects(&self) -> PathBuf {
        if self.plan.folder { self.folder.path().join("store") } else { self.s3.root().join(BUCKET) }
    }

    /// Has the name that workers know lead to another folder, at once.
    pub(crate) fn point_pictures_to(&self, place: &str) {
        let fresh = self.folder.path().join("fresh");
        let made = std::os::unix::fs::symlink(self.folder.path().join(place), &fresh);
        made.and_then(|()| fs::rename(&fresh, self.pictures())).expect("a link to a folder");
    }

    /// The name under which workers know the folder for pictures.
    pub(crate) fn pictures(&self) -> PathBuf {
        self.folder.path().join("pictures")
    }

    /// What the server logged.
    pub(crate) fn server_log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.scratch.log()).unwrap_or_default()).into_owned()
    }

    fn postmaster(&self) -> String {
        let lock = fs::read_to_string(self.scratch.folder().join("data/postmaster.pid")).unwrap_or_default();
        lock.lines().next().unwrap_or_default().to_owned()
    }

    /// Ends the server by a signal, `KILL` or `QUIT` (which is an immediate shutdown), and starts it again. Blocks.
    pub(crate) fn restart_database(&self, signal: &str) {
        let (postmaster, data) = (self.postmaster(), self.scratch.folder().join("data"));
        let program = fs::read_link(format!("/proc/{postmaster}/exe")).expect("the server's program");
        send(signal, &postmaster);
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut child) = server.take() {
            let _ = child.wait();
        }
        let limit = Instant::now() + Duration::from_secs(60);
        while Path::new(&format!("/proc/{postmaster}")).exists() {
            assert!(Instant::now() < limit, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        while !fs::read_to_string(data.join("postmaster.pid"))
            .is_ok_and(|lock| lock.contains("ready") && lock.lines().next() != Some(postmaster.as_str()))
        {
            assert!(Instant::now() < limit, "the server does not start:\n{}", self.server_log());
            let ended = server.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if ended {
                *server = Some(self.start_server(&program, &data)); // again while processes of the dead one still live
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn start_server(&self, program: &Path, data: &Path) -> Child {
        let log = fs::OpenOptions::new().append(true).open(self.scratch.log()).expect("the server's log");
        let mut command = Command::new(program);
        command.arg("-D").arg(data).current_dir(self.scratch.folder());
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "UTC");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("its log")).stderr(log);
        self.as_owner(&mut command).spawn().expect("the server starts")
    }

    /// Neither Postgres nor pgbouncer runs as root: they run as whoever owns the server's folder.
    fn as_owner<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let owner = fs::metadata(self.scratch.folder()).expect("the server's folder");
        if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            command.uid(owner.uid()).gid(owner.gid());
        }
        command.process_group(0)
    }

    /// Starts pgbouncer in transaction mode, in the place of one that runs.
    pub(crate) fn start_bouncer(&self) {
        let settings = format!(
            "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\nauth_type = any\nunix_socket_dir =\npool_mode = transaction\n\
             max_client_conn = 100\ndefault_pool_size = {SERVERS}\nserver_login_retry = 1\n\
             [databases]\nblog = host=127.0.0.1 port={} user=postgres dbname=blog\n",
            self.bouncer_port,
            self.scratch.port()
        );
        let path = self.scratch.folder().join("pgbouncer.ini");
        fs::write(&path, settings).expect("the settings of pgbouncer");
        let mut command = Command::new("pgbouncer");
        command.env("PATH", "/usr/sbin:/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin").arg("-q").arg(&path);
        command.current_dir(self.scratch.folder()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut bouncer = self.bouncer.lock().unwrap_or_else(PoisonError::into_inner);
        end(bouncer.take());
        *bouncer = Some(self.as_owner(&mut command).spawn().expect("pgbouncer; scripts/setup installs it"));
    }
}

impl Drop for Stage {
    /// Ends what the stage started itself; the scratch cluster's folder goes with its value.
    fn drop(&mut self) {
        end(self.bouncer.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(mut child) = self.server.lock().unwrap_or_else(PoisonError::into_inner).take() {
            send("INT", &child.id().to_string());
            let _ = child.wait();
        }
    }
}

fn end(child: Option<Child>) {
    if let Some(mut child) = child {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Sends a signal by its name.
pub(crate) fn send(signal: &str, process: &str) {
    let _ = Command::new("kill").args(["-s", signal, process]).stderr(Stdio::null()).status();
}
