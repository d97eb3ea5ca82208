//! Connections against real servers: what a user sees when one fails, sessions, the pool, and listening.

mod login;
mod pooler;
mod session;
mod tls;

use tintype::db::{ConnectSettings, Database, DbError, LibpqEnv, Queries};

/// Connects by a connection string alone.
async fn connect(url: &str) -> Result<Database, DbError> {
    Database::connect(&settings(url), &LibpqEnv::default()).await
}

fn settings(url: &str) -> ConnectSettings {
    ConnectSettings { url: Some(url.to_owned()), ..ConnectSettings::default() }
}

/// One value of one row, as text.
async fn ask(database: &Database, expression: &str) -> String {
    let client = database.get().await.expect("a connection");
    client.query_one(&format!("SELECT ({expression})::text"), &[]).await.expect("a value").get(0)
}
