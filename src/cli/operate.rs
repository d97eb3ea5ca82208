//! The flags of the commands with which a set-up is run: `doctor`, `backfill`, `status`, `retry`, and what a packager wants.

use std::path::PathBuf;

use clap::Args;

use super::{BrowserFlags, LooksFlag, StorageFlags};

/// Flags of `doctor`. It changes nothing, but for one small object that it puts into the store and deletes again.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Where pictures go; where it is named, one small object is put there, read, fetched as anybody would, and deleted
    #[command(flatten)]
    pub storage: StorageFlags,
    /// Leave the store alone, also where one is named
    #[arg(long)]
    pub no_storage: bool,
    /// The age from which a transaction is long and a change waits for too long: 45s, 10m, 2h, 1d
    #[arg(long, value_name = "AGE", default_value = "10m")]
    pub patience: String,
    /// Where looks are found
    #[command(flatten)]
    pub looks: LooksFlag,
    /// How the browser is kept; it is started where a table's pictures are taken of pages
    #[command(flatten)]
    pub browser: BrowserFlags,
    /// One JSON object a finding
    #[arg(long)]
    pub json: bool,
}

/// Flags of `backfill`.
#[derive(Debug, Args)]
pub struct Backfill {
    /// The attached table
    pub table: String,
    /// Also draw again what has a picture, whatever it holds
    #[arg(long)]
    pub rerender: bool,
    /// Also draw again what would look different now: another content, look or template than it was drawn from; the worker sees which
    #[arg(long, conflicts_with = "rerender")]
    pub stale: bool,
    /// Only rows that meet this SQL condition
    #[arg(long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,
    /// Mark at most so many rows
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Mark at most so many rows a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// Go on where the last one stopped, killed or at its --limit, with what that was asked for
    #[arg(long, conflicts_with_all = ["rerender", "stale", "condition", "dry_run"])]
    pub resume: bool,
    /// Count, say how long the drawing would take, and mark nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Wait until a running worker has drawn them; exit code 4 when some failed
    #[arg(long)]
    pub wait: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// One JSON object a table
    #[arg(long)]
    pub json: bool,
}

/// Flags of `retry`.
#[derive(Debug, Args)]
pub struct Retry {
    /// Only this table
    pub table: Option<String>,
    /// Only this row
    #[arg(requires = "table")]
    pub key: Option<String>,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Flags of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Where the pages go; it is made where it is missing [default: the page of tintype itself, to stdout]
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
}
