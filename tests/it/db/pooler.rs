//! Behind pgbouncer in transaction mode nothing of ours may stick to a session that the host's application gets next.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tintype::db::{Database, LibpqEnv};

use super::{ask, connect, settings};
use crate::support::{eventually, postgres};

/// A running pgbouncer, ended with the value.
struct Bouncer {
    child: Child,
    url: String,
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// pgbouncer does not run as root, so it runs as whoever owns the scratch server's folder.
fn start(folder: &Path, target: &str, extra: &str) -> Bouncer {
    use std::os::unix::{fs::MetadataExt, process::CommandExt};
    let target = url::Url::parse(target).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n\
         unix_socket_dir =\npool_mode = transaction\nmax_client_conn = 50\ndefault_pool_size = 2\n{extra}\n\
         [databases]\nblog = host={} port={} user=postgres dbname={}\n",
        target.host_str().unwrap(),
        target.port().unwrap(),
        &target.path()[1..],
    );
    let path = folder.join("pgbouncer.ini");
    fs::write(&path, settings).unwrap();
    let owner = fs::metadata(folder).unwrap();
    let mut command = Command::new("pgbouncer");
    command.env("PATH", "/usr/sbin:/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin");
    command.arg("-q").arg(&path).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let child = command.spawn().expect("pgbouncer; scripts/setup installs it");
    Bouncer { child, url: format!("postgres://postgres@127.0.0.1:{port}/blog") }
}

#[tokio::test]
async fn a_pooler_that_refuses_our_settings_is_noticed_and_left_clean() {
    check("").await;
}

#[tokio::test]
async fn a_pooler_that_forgets_our_settings_is_noticed_and_left_clean() {
    check("ignore_startup_parameters = options").await;
}

async fn check(extra: &str) {
    let scratch = postgres::scratch(&[]);
    scratch.create_database("blog").await.unwrap();
    let bouncer = start(scratch.folder(), &scratch.url("blog"), extra);
    let database =
        eventually("pgbouncer answers", Duration::from_secs(20), async || connect(&bouncer.url).await.ok()).await;
    assert!(database.pooled());
    let host = postgres::connect(&bouncer.url).await;
    let row =
        host.query_one("SELECT current_setting('search_path'), current_setting('lock_timeout')", &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("\"$user\", public", "0"));
    assert!(database.listen("tintype").await.unwrap().pooled());

    let mut direct = settings(&bouncer.url);
    direct.listen_url = Some(scratch.url("blog"));
    let database = Database::connect(&direct, &LibpqEnv::default()).await.unwrap();
    let mut bell = database.listen("tintype").await.unwrap();
    assert!(database.pooled() && !bell.pooled());
    assert_eq!(ask(&database, "pg_notify('tintype', 'through')").await, "");
    let heard = tokio::time::timeout(Duration::from_secs(10), bell.next()).await.unwrap().unwrap();
    assert_eq!(heard.payload, "through");
}
