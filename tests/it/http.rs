//! What a worker shows over HTTP, asked of a real one.

mod access;
mod browser;
mod demand;
mod health;
mod pages;
mod refusals;
mod visitors;

use std::net::SocketAddr;

use tokio_postgres::Client;

use crate::support::{
    postgres::TestDatabase,
    web::address,
    worker::{Worker, Workplace, blog},
};

/// A blog whose worker shows what it does, with these arguments besides, and where it does.
async fn shown(arguments: &[&str]) -> (TestDatabase, Client, Workplace, Worker, SocketAddr) {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    let worker = workplace.start(&[&["--http", "127.0.0.1:0"], arguments].concat());
    let at = address(&worker).await;
    (database, client, workplace, worker, at)
}
