//! A database of its own for each test, on the cluster of `TINTYPE_TEST_DATABASE_URL` or else on a scratch one that this
//! process starts once. It is dropped with the value, also when the test fails.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tintype::scratch::{Scratch, ScratchOptions};
use tokio_postgres::{Client, NoTls};

use super::eventually;

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| match std::env::var("TINTYPE_TEST_DATABASE_URL") {
    Ok(url) => Cluster::Given(url),
    Err(_) => Cluster::Own(scratch(&[])),
});
static COUNT: AtomicU32 = AtomicU32::new(0);

enum Cluster {
    /// The URL of a superuser on a running cluster.
    Given(String),
    /// Started here; the pipe to its supervisor closes with this process.
    Own(Scratch),
}

impl Cluster {
    fn url(&self, database: &str) -> String {
        match self {
            Self::Own(scratch) => scratch.url(database),
            Self::Given(url) => {
                let mut url = url::Url::parse(url).expect("TINTYPE_TEST_DATABASE_URL is a URL");
                url.set_path(database);
                url.into()
            }
        }
    }
}

/// A cluster of the test's own, where a setting is needed that only a start can change. Blocks for about a second.
pub(crate) fn scratch(settings: &[(&str, &str)]) -> Scratch {
    let options = ScratchOptions {
        programs: std::env::var_os("TINTYPE_PG_BIN").map(Into::into),
        search_path: std::env::var_os("PATH"),
        settings: settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    Scratch::start(&options).unwrap_or_else(|error| panic!("{error}\n{}", error.hint().unwrap_or_default()))
}

/// Connects as the URL says, without TLS; the connection's task ends with the client.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection to the test's database");
    tokio::spawn(connection);
    client
}

/// An empty database for one test.
pub(crate) struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// Creates it; its name tells the process, so that what a killed run left behind is seen.
    pub(crate) async fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_micros();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{count}_{now}", std::process::id());
        let admin = tokio::task::spawn_blocking(|| CLUSTER.url("postgres")).await.expect("a cluster");
        connect(&admin).await.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a new database");
        Self { name }
    }

    /// A copy of another one, as a restored dump is: it waits until nobody is connected to the original.
    pub(crate) async fn copy_of(original: &Self) -> Self {
        let copy = Self { name: format!("{}_copy", original.name) };
        let admin = connect(&CLUSTER.url("postgres")).await;
        let statement = format!("CREATE DATABASE {} TEMPLATE {}", copy.name, original.name);
        eventually("nobody is connected to the original", Duration::from_secs(60), async || {
            admin.batch_execute(&statement).await.ok()
        })
        .await;
        copy
    }

    /// How the cluster's superuser reaches it.
    pub(crate) fn url(&self) -> String {
        CLUSTER.url(&self.name)
    }

    /// A new connection to it.
    pub(crate) async fn client(&self) -> Client {
        connect(&self.url()).await
    }
}

impl Drop for TestDatabase {
    /// On a thread of its own, because the test's runtime cannot be waited for from within.
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let work = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { connect(&CLUSTER.url("postgres")).await.batch_execute(&statement).await })?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        });
        let dropped = matches!(work.join(), Ok(Ok(())));
        assert!(dropped || std::thread::panicking(), "could not drop the database {}", self.name);
    }
}
