//! The integration tests, in one binary: real Postgres (a database a test), real Chromium, a real S3 endpoint.
//! `scripts/with-postgres cargo nextest run` gives all of them one cluster; without it each process starts its own.

mod apps;
mod attach;
mod bell;
mod capture;
mod cli;
mod db;
mod deploy;
mod determinism;
mod doctor;
mod documents;
mod golden;
mod hostile;
mod http;
mod install;
mod looks;
mod properties;
mod prune;
mod queue;
mod robust;
mod roles;
mod s3;
mod scratch;
mod support;
mod templates;
mod torture;
mod trigger;
mod worker;
