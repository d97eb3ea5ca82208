//! A test's database with tintype in it, and short ways to ask it something.

use tintype::db::{ConnectSettings, Database, LibpqEnv};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::postgres::TestDatabase;

/// An empty database with schema `tintype`, and a connection to it.
pub(crate) async fn installed() -> (TestDatabase, Client) {
    let test = TestDatabase::new().await;
    let client = test.client().await;
    client.batch_execute(&tintype::install::up(&[])).await.expect("tintype is installed");
    (test, client)
}

/// The database as the program itself connects to it.
pub(crate) async fn database(url: &str) -> Database {
    let settings = ConnectSettings { url: Some(url.to_owned()), ..ConnectSettings::default() };
    Database::connect(&settings, &LibpqEnv::default()).await.expect("a connection")
}

/// Runs statements that have to succeed; `what` names the case.
#[track_caller]
pub(crate) fn run<'a>(client: &'a Client, what: &'a str, sql: &'a str) -> impl Future<Output = ()> + 'a {
    let place = std::panic::Location::caller();
    async move {
        let done = client.batch_execute(sql).await;
        assert!(
            done.is_ok(),
            "{place}: {what}: {sql}: {:?}",
            done.err().and_then(|error| error.as_db_error().cloned())
        );
    }
}

/// The first column of all rows as text; NULL reads `NULL`.
#[track_caller]
pub(crate) fn texts<'a>(client: &'a Client, sql: &'a str) -> impl Future<Output = Vec<String>> + 'a {
    let place = std::panic::Location::caller();
    async move {
        let answer = client.simple_query(sql).await;
        let messages = answer.unwrap_or_else(|error| panic!("{place}: {sql}: {:?}", error.as_db_error().cloned()));
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
            _ => None,
        });
        rows.collect()
    }
}

/// The one value of one row as text.
#[track_caller]
pub(crate) fn text<'a>(client: &'a Client, sql: &'a str) -> impl Future<Output = String> + 'a {
    let all = texts(client, sql);
    async move { all.await.pop().unwrap_or_else(|| panic!("no row: {sql}")) }
}

/// How the server refused something.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The SQLSTATE.
    pub(crate) state: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do; empty where there is no hint.
    pub(crate) hint: String,
}

/// Runs statements that have to be refused.
pub(crate) async fn refused(client: &Client, what: &str, sql: &str) -> Refusal {
    let Err(error) = client.batch_execute(sql).await else { panic!("{what}: was not refused: {sql}") };
    let answer = error.as_db_error().unwrap_or_else(|| panic!("{what}: {error}"));
    Refusal {
        state: answer.code().code().to_owned(),
        message: answer.message().to_owned(),
        hint: answer.hint().unwrap_or_default().to_owned(),
    }
}
