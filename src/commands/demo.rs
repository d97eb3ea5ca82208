//! `tintype demo`: the whole road in one command. A throwaway Postgres (or the database that is named), a blog, the posts that
//! tintype was built with, the triggers, a worker, and a page that shows the pictures as they come.

mod posts;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use include_dir::{Dir, include_dir};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::posts::{Entry, entries};
use super::{
    Context,
    run::{NO_NEW_JOBS, exhibits, listen, stop_on_signal, workshop},
    terminal::{print, print_json, say},
};
use crate::{
    cli::{Demo, HttpFlags},
    config,
    db::{ConnectSettings, Database, DbError, LibpqEnv, Queries},
    drawing::Engines,
    error::Error,
    http, install,
    listener::Alarm,
    maintenance::Rhythm,
    markdown,
    scratch::{Scratch, ScratchOptions},
    source::{self, Request},
    storage::{Storage, StorageSettings},
    worker::{self, Tally, WorkerOptions},
};

static POSTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/posts");

/// How often the table of posts is looked at.
const LOOK: Duration = Duration::from_millis(50);

pub(super) async fn demo(context: &Context, flags: &Demo) -> Result<(), Error> {
    let stop = stop_on_signal(NO_NEW_JOBS);
    let stage = Stage::set(context, flags).await?;
    let outcome = play(context, &stage, flags, &stop).await;
    let struck = stage.strike(flags).await; // whatever has happened on it
    let tally = outcome?;
    struck?;
    if tally.failed > 0 { Err(Error::PartlyDone { failed: tally.failed, postponed: 0 }) } else { Ok(()) }
}

/// The demo itself: what its worker did.
async fn play(context: &Context, stage: &Stage, flags: &Demo, stop: &CancellationToken) -> Result<Tally, Error> {
    stage.build().await?;
    let (worker, address) = stage.open(context, flags, stop).await?;
    let watched = match write_posts(&stage.db).await {
        Ok(()) => watch(stage, flags, &address, stop).await,
        Err(error) => Err(error),
    };
    stop.cancel();
    let tally = worker.await.map_err(|error| Error::Panicked(error.to_string()))??;
    watched.map(|()| tally)
}

/// The database and the folder of one demo.
struct Stage {
    db: Database,
    /// For people: what psql would take.
    url: Option<String>,
    scratch: Option<Scratch>,
    installed_before: bool,
    pictures: TempDir,
}

impl Stage {
    /// Finds or starts the database, and a folder for the pictures.
    async fn set(context: &Context, flags: &Demo) -> Result<Self, Error> {
        let pictures =
            TempDir::with_prefix("tintype-demo-").map_err(|error| Error::File { path: std::env::temp_dir(), error })?;
        let (db, scratch, url) = if context.global.database_url.is_some() {
            (context.database().await?, None, None)
        } else {
            say("starting a throwaway Postgres …");
            let options = ScratchOptions {
                programs: flags.pg_bin.clone(),
                search_path: config::program_path(),
                ..Default::default()
            };
            let scratch = tokio::task::spawn_blocking(move || Scratch::start(&options))
                .await
                .map_err(|error| Error::Panicked(error.to_string()))??;
            let url = scratch.url("postgres");
            let settings = ConnectSettings { url: Some(url.clone()), ..ConnectSettings::default() };
            let db = Database::connect(&settings, &LibpqEnv::from_lookup(|_| None)).await?;
            (db, Some(scratch), Some(url))
        };
        let client = db.get().await?;
        let installed_before = !install::applied(&client).await?.is_empty();
        if installed_before && !source::all(&client).await?.is_empty() {
            return Err(Error::Usage {
                what: "tintype is at work in this database, and the demo's worker would draw for it".to_owned(),
                hint: "leave out --database-url and TINTYPE_DATABASE_URL, and the demo starts a throwaway Postgres of its own".to_owned(),
            });
        }
        drop(client);
        Ok(Self { db, url, scratch, installed_before, pictures })
    }

    /// Makes the blog, installs tintype, and attaches the one to the other.
    async fn build(&self) -> Result<(), Error> {
        let client = self.db.get().await?;
        client.batch_execute(include_str!("demo/blog.sql")).await?;
        install::install(&self.db).await?;
        let request = Request { site: Some("notes.example".to_owned()), ..Request::default() };
        source::attach(&client, "tintype_demo.posts", &request).await?;
        Ok(())
    }

    /// Starts the page and the worker; returns the worker and the page's address.
    async fn open(
        &self,
        context: &Context,
        flags: &Demo,
        stop: &CancellationToken,
    ) -> Result<(JoinHandle<Result<Tally, DbError>>, String), Error> {
        let shown = HttpFlags { http: Some(flags.http.clone()), ..HttpFlags::default() };
        let Some(mut settings) = context.config.http(&shown)? else {
            return Err(Error::Nothing("no address".to_owned()));
        };
        let listener = if let Ok(listener) = listen(&settings).await {
            listener
        } else {
            settings.addresses = vec![SocketAddr::from(([127, 0, 0, 1], 0))]; // another demo runs
            listen(&settings).await?
        };
        let address = listener.local_addr().map_or(flags.http.clone(), |address| address.to_string());
        let storage = Storage::open(&StorageSettings {
            url: self.pictures.path().display().to_string(),
            public_base_url: Some(format!("http://{address}/pictures")),
            ..StorageSettings::default()
        })
        .await?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let options = WorkerOptions {
            name: config::worker_name(),
            slots: cores * 4,
            page_slots: 0,
            grace: Duration::from_secs(5),
            exit_when_idle: false,
            prune_after: None,
            rhythm: Rhythm::default(),
        };
        let (workshop, _desk) = workshop(&self.db, storage, Engines::of_cards(cores), false);
        let (stop, alarm) = (stop.clone(), Arc::new(Alarm::default()));
        let exhibits = exhibits(&workshop, &alarm, &stop);
        let worker = tokio::spawn(async move {
            let closing = CancellationToken::new();
            let page = tokio::spawn(http::serve(listener, settings, exhibits, closing.clone()));
            let tally = worker::run(workshop, &options, alarm, stop).await;
            closing.cancel();
            let _ = page.await;
            tally
        });
        Ok((worker, address))
    }

    /// Takes everything away again, or says where it is.
    async fn strike(self, flags: &Demo) -> Result<(), Error> {
        if flags.keep {
            say(&format!("pictures: {}", self.pictures.keep().display()));
            match (self.scratch, self.url) {
                (Some(scratch), Some(url)) => {
                    let folder = scratch.folder().to_owned();
                    scratch.keep().map_err(|error| Error::File { path: folder.clone(), error })?;
                    say(&format!("database: {url} (in {})", folder.display()));
                }
                _ => say("database: schemas tintype_demo and tintype stay where they are"),
            }
        } else if self.scratch.is_none() {
            let client = self.db.get().await?;
            client.batch_execute(include_str!("demo/strike.sql")).await?;
            let installed = !install::applied(&client).await?.is_empty();
            drop(client);
            if installed && !self.installed_before {
                install::uninstall(&self.db).await?;
            }
        }
        Ok(())
    }
}

/// Writes each post as the application would: one row, one transaction.
async fn write_posts(db: &Database) -> Result<(), Error> {
    let client = db.get().await?;
    let mut files: Vec<_> = POSTS.files().collect();
    files.sort_by_key(|file| file.path());
    for file in files {
        let body = String::from_utf8_lossy(file.contents());
        let head = markdown::parse(&body);
        let (title, front) = (head.front_matter.title.or(head.heading), head.front_matter.date);
        let slug = file.path().file_stem().unwrap_or_default().to_string_lossy();
        client
            .execute(
                "INSERT INTO tintype_demo.posts (slug, title, author, body, tags, published_on) VALUES ($1, $2, $3, $4, $5, $6::text::date)",
                &[&slug, &title, &head.front_matter.author, &body, &head.front_matter.tags, &front],
            )
            .await?;
    }
    Ok(())
}

/// Prints each row when its picture comes, until all are there (`--exit`) or a signal.
async fn watch(stage: &Stage, flags: &Demo, address: &str, stop: &CancellationToken) -> Result<(), Error> {
    say(&format!("posts and pictures: http://{address}/"));
    let began = tokio::time::Instant::now();
    let mut printed: HashMap<i64, Option<String>> = HashMap::new();
    let mut complete = false;
    while !stop.is_cancelled() {
        let posts = entries(&stage.db).await?;
        for post in posts.iter().filter(|post| post.updated_at.is_some()) {
            if printed.insert(post.id, post.updated_at.clone()).as_ref() != Some(&post.updated_at) {
                show(post, flags);
            }
        }
        if !complete && posts.iter().all(|post| post.updated_at.is_some()) {
            complete = true;
            summarise(&posts, began.elapsed());
            if flags.exit {
                return Ok(());
            }
            if let Some(url) = &stage.url {
                say(&format!(
                    "change a row and watch:\n  psql '{url}' -c \"UPDATE tintype_demo.posts SET title = 'Hello, Ada' WHERE id = 1\""
                ));
            }
            say("Ctrl-C ends the demo");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// One line: row → state → URL.
fn show(post: &Entry, flags: &Demo) {
    if flags.json {
        print_json(post);
        return;
    }
    let title: String = post.title.chars().take(44).collect();
    let outcome = post.url.as_deref().or(post.reason.as_deref()).unwrap_or_default();
    print(&format!("{:>3}  {title:<44}  {:<7}  {outcome}", post.id, post.state));
}

fn summarise(posts: &[Entry], elapsed: Duration) {
    let ready = posts.iter().filter(|post| post.state == "ready").count();
    let mut waits: Vec<f64> = posts.iter().filter_map(|post| post.milliseconds).collect();
    waits.sort_by(f64::total_cmp);
    let median = waits.get(waits.len() / 2).copied().unwrap_or_default();
    say(&format!(
        "{ready} of {} posts have their picture after {:.1} s; the median row waited {median:.0} ms",
        posts.len(),
        elapsed.as_secs_f64()
    ));
}
