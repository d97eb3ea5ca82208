//! The flags, and nothing but flags: what a person may type, with the environment variable and the default of each.
//! `config.rs` turns them into settings.

#![allow(clippy::doc_markdown, clippy::struct_excessive_bools, rustdoc::bare_urls)] // the comments are what --help prints, and flags are flags

mod capture;
mod columns;
mod operate;
mod pause;
mod serve;
mod style;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use capture::{BrowserFlags, Capture, PageFormat, PoolFlags, ResourceKind, WaitUntil};
pub use columns::{Columns, Pages, SourceDraw};
pub use operate::{Backfill, Completions, Doctor, Man, Retry, Status};
pub use pause::{Pause, Resume};
pub use serve::{HttpFlags, StorageFlags};
pub use style::{LooksFlag, PictureFormat, Style};

use crate::courtesy;

/// Social images made beside your Postgres: every row gets its picture.
#[derive(Debug, Parser)]
#[command(name = "tintype", version, max_term_width = 110, arg_required_else_help = true)]
pub struct Cli {
    /// Settings that every command shares.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Settings that every command shares.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The application's database; without it DATABASE_URL, then PGHOST, PGUSER, PGDATABASE …
    #[arg(
        long,
        global = true,
        help_heading = "Every command",
        value_name = "URL",
        env = "TINTYPE_DATABASE_URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,
    /// Another way to the same database for LISTEN, where the first goes through a pooler
    #[arg(
        long,
        global = true,
        help_heading = "Every command",
        value_name = "URL",
        env = "TINTYPE_LISTEN_URL",
        hide_env_values = true
    )]
    pub listen_url: Option<String>,
    /// Connections of the pool; one more listens [default: 3]
    #[arg(
        long,
        global = true,
        help_heading = "Every command",
        value_name = "N",
        env = "TINTYPE_CONNECTIONS",
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub connections: Option<u16>,
    /// A file with settings [default: tintype.toml, where there is one]
    #[arg(long, global = true, help_heading = "Every command", value_name = "FILE", env = "TINTYPE_CONFIG")]
    pub config: Option<PathBuf>,
    /// What is logged to stderr: error, warn, info, debug, or a tracing filter
    /// [default: info for run, warn for everything else]
    #[arg(long, global = true, help_heading = "Every command", value_name = "LEVEL", env = "TINTYPE_LOG")]
    pub log: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole thing on a throwaway Postgres: posts in, pictures out
    Demo(Demo),
    /// A post or a source file to a picture, without a database
    Render(Render),
    /// A page to a picture through Chromium, without a database
    Capture(Box<Capture>),
    /// One row of a table to a picture, without installing anything
    Preview(Preview),
    /// Put schema `tintype` into the database, again and again without harm
    Install(Install),
    /// Watch a table
    Attach(Attach),
    /// Stop watching a table
    Detach(Detach),
    /// Stop drawing for a table
    Pause(Pause),
    /// Go on drawing for a table
    Resume(Resume),
    /// The worker: draw what changes
    Run(Run),
    /// Mark old rows, so that they get their pictures too
    Backfill(Backfill),
    /// What is made, what is to do, and how it goes
    Status(Status),
    /// What is wrong here, or soon will be, and what mends it
    ///
    /// Changes nothing. Where a store is named, one small object is put there, read back, fetched as anybody would, and deleted;
    /// --no-storage leaves that out. Exit code 3 where something was found
    Doctor(Box<Doctor>),
    /// Try again what failed
    Retry(Retry),
    /// Take schema `tintype` and its triggers out of the database
    Uninstall(Uninstall),
    /// Whether the database answers and a worker is alive; for containers
    Healthcheck,
    /// Print completions for a shell: source <(tintype completions bash)
    #[command(hide = true)]
    Completions(Completions),
    /// Print the manual page, or write one for each command into a directory
    #[command(hide = true)]
    Man(Man),
}

/// Flags of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Stop when every picture is there
    #[arg(long)]
    pub exit: bool,
    /// Leave the throwaway database and the pictures behind
    #[arg(long)]
    pub keep: bool,
    /// Where the pictures are served
    #[arg(long, value_name = "ADDR", env = "TINTYPE_HTTP", default_value = "127.0.0.1:4600")]
    pub http: String,
    /// Folder with the server's programs initdb and postgres [default: searched for]
    #[arg(long, value_name = "DIR", env = "TINTYPE_PG_BIN")]
    pub pg_bin: Option<PathBuf>,
    /// One JSON object a row instead of the table
    #[arg(long)]
    pub json: bool,
}

/// Flags of `render`.
#[derive(Debug, Args)]
pub struct Render {
    /// A Markdown post, a source file, or - for stdin: Markdown, or source code with --language or --file
    #[arg(value_name = "POST", required_unless_present_any = ["list_looks", "list_themes", "list_templates", "list_languages"])]
    pub post: Option<PathBuf>,
    /// Where the picture goes; - for stdout [default: the post's name, with the format's ending]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The format [default: as --output ends, else png, and jpeg for a card with a photograph]
    #[arg(long, value_enum)]
    pub format: Option<PictureFormat>,
    /// How it looks
    #[command(flatten)]
    pub style: Style,
    /// Pixels a point: 1 is 1200 × 630
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub scale: u8,
    /// The title, in place of the post's own
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// The author, in place of the post's own
    #[arg(long, value_name = "TEXT")]
    pub author: Option<String>,
    /// The site's name
    #[arg(long, value_name = "TEXT", env = "TINTYPE_SITE")]
    pub site: Option<String>,
    /// The date on a title's card or in a template, in place of the post's own: 2026-11-21
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,
    /// A tag on a title's card or in a template, again for each, in place of the post's own
    #[arg(long = "tag", value_name = "TEXT")]
    pub tags: Vec<String>,
    /// A PNG, JPEG or WebP file for the template's place for a cover
    #[arg(long, value_name = "FILE", requires = "template")]
    pub cover: Option<PathBuf>,
    /// Draw the Nth code block
    #[arg(long, value_name = "N")]
    pub block: Option<usize>,
    /// Read POST as source code in this language, whatever its name says
    #[arg(long, value_name = "NAME")]
    pub language: Option<String>,
    /// The file's name in the window's bar; what comes from stdin is source code under this name
    #[arg(long, value_name = "NAME")]
    pub file: Option<String>,
    /// Draw only these lines of the code: 10-30, 10-, -30 or 10
    #[arg(long, value_name = "LINES", allow_hyphen_values = true)]
    pub lines: Option<String>,
    /// Number the lines, from the real number of the first one that is drawn
    #[arg(long)]
    pub line_numbers: bool,
    /// Stress these lines, such as 3,5-7
    #[arg(long, value_name = "LINES", allow_hyphen_values = true)]
    pub highlight: Option<String>,
    /// Lines that are too wide go on in the next row
    #[arg(long)]
    pub wrap: bool,
    /// The columns of a tab [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8))]
    pub tab_width: Option<u8>,
    /// What to draw
    #[arg(long, value_enum, default_value_t = Draw::Auto)]
    pub draw: Draw,
    /// Print what was drawn as JSON
    #[arg(long)]
    pub json: bool,
    /// Print the names of the looks
    #[arg(long)]
    pub list_looks: bool,
    /// Print the names of the syntax themes
    #[arg(long)]
    pub list_themes: bool,
    /// Print the names of the templates
    #[arg(long)]
    pub list_templates: bool,
    /// Print the languages, with the words that mean each
    #[arg(long)]
    pub list_languages: bool,
}

/// What to draw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Draw {
    /// Code where there is some, else the title
    #[default]
    Auto,
    /// Code, or nothing
    Code,
    /// The title, always
    Title,
}

/// Flags of `preview`.
#[derive(Debug, Args)]
pub struct Preview {
    /// The table, as psql would take it
    pub table: String,
    /// The row's key; {a,b} where it has several columns
    #[arg(value_name = "KEY")]
    pub row: String,
    /// Which columns, where the table is not attached
    #[command(flatten)]
    pub columns: Columns,
    /// How the browser is kept, for pages
    #[command(flatten)]
    pub browser: BrowserFlags,
    /// Where the picture goes; - for stdout
    #[arg(short, long, value_name = "FILE", default_value = "preview.png")]
    pub output: PathBuf,
    /// The format [default: as --output ends, else png, and jpeg for a card with a photograph]
    #[arg(long, value_enum)]
    pub format: Option<PictureFormat>,
    /// Print what was drawn as JSON
    #[arg(long)]
    pub json: bool,
}

/// The form of a printed migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// SQL, with the way back in comments
    Plain,
    /// A module for Ecto
    Ecto,
    /// A class for Active Record
    Rails,
    /// A module for Django
    Django,
    /// migration.sql for Prisma, which knows no way back
    Prisma,
    /// SQL for sqlx: the way up, then the way down
    Sqlx,
    /// A file for dbmate
    Dbmate,
}

/// Flags of `install`.
#[derive(Debug, Args)]
pub struct Install {
    /// Print what would be done, as a migration, and do nothing
    #[arg(long)]
    pub print_sql: bool,
    /// The form of that migration
    #[arg(long, value_enum, default_value_t = Format::Plain, requires = "print_sql")]
    pub format: Format,
    /// Also make the roles PREFIX_owner, PREFIX_installer and PREFIX_worker, each with no more rights than it needs
    /// [default prefix: tintype]
    #[arg(long, value_name = "PREFIX", num_args = 0..=1, default_missing_value = "tintype")]
    pub roles: Option<String>,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `attach`.
#[derive(Debug, Args)]
pub struct Attach {
    /// The table, as psql would take it
    pub table: String,
    /// Which columns
    #[command(flatten)]
    pub columns: Columns,
    /// The column of your own that says pending, processing, ready, failed or skipped: text, or an enum of these; '' takes it back
    #[arg(long, value_name = "COLUMN")]
    pub status_column: Option<String>,
    /// Fail a write whose change cannot be marked, in place of leaving its row to the sweep; --strict=false ends it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub strict: Option<bool>,
    /// Print the plan and its statements, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Print the source as JSON; does not ask
    #[arg(long)]
    pub json: bool,
}

/// Flags of `detach`.
#[derive(Debug, Args)]
pub struct Detach {
    /// The table
    pub table: String,
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Where pictures go
    #[command(flatten)]
    pub storage: StorageFlags,
    /// Cards drawn at once [default: one a core]
    #[arg(long, value_name = "N", env = "TINTYPE_CONCURRENCY", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: Option<u16>,
    /// Niceness of the threads that draw cards and of the browser, so that a database on the same cores comes first; 0 for as everybody else
    #[arg(long, value_name = "N", env = "TINTYPE_NICE", default_value_t = courtesy::NICE, value_parser = clap::value_parser!(i32).range(0..=19))]
    pub nice: i32,
    /// Stop when nothing is due
    #[arg(long)]
    pub exit_when_idle: bool,
    /// Seconds that running jobs may take after SIGTERM
    #[arg(long, value_name = "SECONDS", env = "TINTYPE_GRACE", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub grace: u64,
    /// Pixels a point: 1 is 1200 × 630
    #[arg(long, value_name = "N", env = "TINTYPE_SCALE", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub scale: u8,
    /// The format of the pictures [default: png, and jpeg for a card with a photograph]
    #[arg(long, value_enum, env = "TINTYPE_FORMAT")]
    pub format: Option<PictureFormat>,
    /// Where looks are found
    #[command(flatten)]
    pub looks: LooksFlag,
    /// How the browser is kept
    #[command(flatten)]
    pub browser: BrowserFlags,
    /// How much it works
    #[command(flatten)]
    pub pool: PoolFlags,
    /// What it shows
    #[command(flatten)]
    pub http: HttpFlags,
    /// Notify channel tintype_image of each picture
    #[arg(long, env = "TINTYPE_ANNOUNCE")]
    pub announce: bool,
    /// Delete pictures from the store that no row has shown for this long: 30d, 12h, 45m [default: never]
    #[arg(long, value_name = "AGE", env = "TINTYPE_PRUNE_AFTER")]
    pub prune_after: Option<String>,
}

/// Flags of `uninstall`.
#[derive(Debug, Args)]
pub struct Uninstall {
    /// Also drop the roles of install --roles [default prefix: as they are called here, else tintype]
    #[arg(long, value_name = "PREFIX", num_args = 0..=1)]
    #[allow(clippy::option_option)] // not asked for, asked for, and asked for by name
    pub roles: Option<Option<String>>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
