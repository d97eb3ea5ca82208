//! Host applications of six kinds, each with its own habits: attached, backfilled, and edited as its framework edits.

use std::path::PathBuf;

use serde::Deserialize;
use tintype::{
    db::{ConnectSettings, Database, LibpqEnv},
    source::{self, Request},
};
use tokio_postgres::Client;

use crate::support::{
    postgres::TestDatabase,
    worker::{BASE, Workplace, install},
};

/// What `app.toml` says.
#[derive(Deserialize)]
struct App {
    framework: String,
    table: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    name: String,
    key: Vec<String>,
    body: String,
    image: String,
    title: Option<String>,
    author: Option<String>,
    date: Option<String>,
    tags: Option<String>,
    updated: String,
    #[serde(rename = "where")]
    row_filter: Option<String>,
}

impl Table {
    fn request(&self) -> Request {
        let or_none = |column: &Option<String>| Some(column.clone().unwrap_or_default());
        Request {
            body: Some(self.body.clone()),
            image: Some(self.image.clone()),
            title: or_none(&self.title),
            author: or_none(&self.author),
            date: or_none(&self.date),
            tags: or_none(&self.tags),
            key: Some(self.key.clone()),
            row_filter: self.row_filter.clone(),
            ..Request::default()
        }
    }
}

/// A row of a watched table beside its entry in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    table: String,
    key: String,
    wanted: bool,
    image: Option<String>,
    content: String,
    /// State, URL and content of the entry.
    entry: Option<(String, Option<String>, Option<String>)>,
    /// All columns but the one with the image, and those that the host's own triggers write.
    rest: String,
}

impl Row {
    /// Whether its picture was chosen by a person.
    fn is_by_hand(&self) -> bool {
        self.image.as_deref().is_some_and(|url| !url.is_empty() && !url.starts_with(BASE))
    }
}

/// A host application with tintype beside it.
struct Host {
    app: App,
    client: Client,
    workplace: Workplace,
    _database: TestDatabase,
}

fn fixture(name: &str, file: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fixtures/apps", name, file].iter().collect();
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The statements of `edits.sql` with their labels: each begins below a line `-- label: what it is`.
fn edits(name: &str) -> Vec<(String, String)> {
    let mut edits: Vec<(String, String)> = Vec::new();
    for line in fixture(name, "edits.sql").lines() {
        let label = line.strip_prefix("-- ").and_then(|rest| rest.split_once(": ")).map(|(label, _)| label);
        match label.filter(|label| label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')) {
            Some(label) => edits.push((label.to_owned(), String::new())),
            None => {
                if let Some((_, statement)) = edits.last_mut() {
                    *statement += line;
                    *statement += "\n";
                }
            }
        }
    }
    edits
}

impl Host {
    async fn new(name: &str) -> Self {
        let database = TestDatabase::new().await;
        let client = database.client().await;
        client.batch_execute(&fixture(name, "schema.sql")).await.expect("the schema");
        client.batch_execute(&fixture(name, "seed.sql")).await.expect("the first rows");
        install(&client).await;
        let app: App = toml::from_str(&fixture(name, "app.toml")).expect("app.toml");
        let settings = ConnectSettings { url: Some(database.url()), ..ConnectSettings::default() };
        let connection = Database::connect(&settings, &LibpqEnv::default()).await.unwrap().get().await.unwrap();
        for table in &app.table {
            source::attach(&connection, &table.name, &table.request()).await.expect(&table.name);
        }
        drop(connection);
        Self { app, client, workplace: Workplace::new(database.url()), _database: database }
    }

    async fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for table in &self.app.table {
            let source = "SELECT id, relation::text, tintype.key_sql(s, 'x') FROM tintype.source s WHERE relation = $1::text::regclass";
            let source = self.client.query_one(source, &[&table.name]).await.expect("an attached table");
            let (id, relation, key): (i32, String, String) = (source.get(0), source.get(1), source.get(2));
            let mut others = vec![table.image.as_str()];
            if self.app.framework == "rails" {
                others.extend([table.updated.as_str(), table.body.as_str()]);
            }
            let statement = format!(
                "SELECT k.key, r.wanted, r.current_image, r.content, i.state, i.url, i.content, k.rest
                   FROM (SELECT {key} AS key, (to_jsonb(x) - $1::text[])::text AS rest FROM {relation} x) k
                   JOIN tintype.source s ON s.id = {id} CROSS JOIN LATERAL tintype.read_row(s, k.key) r
                   LEFT JOIN tintype.image i ON i.source = s.id AND i.key = k.key ORDER BY k.key"
            );
            for row in self.client.query(&statement, &[&others]).await.expect("rows") {
                rows.push(Row {
                    table: table.name.clone(),
                    key: row.get(0),
                    wanted: row.get(1),
                    image: row.get(2),
                    content: row.get(3),
                    entry: row.get::<_, Option<String>>(4).map(|state| (state, row.get(5), row.get(6))),
                    rest: row.get(7),
                });
            }
        }
        rows
    }

    async fn waiting(&self) -> i64 {
        let count = "SELECT (SELECT count(*) FROM tintype.change) + (SELECT count(*) FROM tintype.job)";
        self.client.query_one(count, &[]).await.unwrap().get(0)
    }

    /// Runs the worker until nothing is due; then every row is as it should be, and nothing but images has changed.
    async fn drawn(&self, case: &str) -> Vec<Row> {
        let before = self.rows().await;
        assert_eq!(self.workplace.work().await, 0, "{case}: exit code");
        assert_eq!(self.waiting().await, 0, "{case}: nothing waits");
        let after = self.rows().await;
        for (row, old) in after.iter().zip(&before) {
            assert_eq!((&row.key, &row.rest), (&old.key, &old.rest), "{case}: {} but for its image", row.table);
            if !row.wanted || row.is_by_hand() {
                assert_eq!(row.image, old.image, "{case}: {} {} is none of ours", row.table, row.key);
                continue;
            }
            let (state, url, content) = row.entry.as_ref().unwrap_or_else(|| panic!("{case}: no entry for {row:?}"));
            assert_eq!(content.as_ref(), Some(&row.content), "{case}: drawn from what {} {} says", row.table, row.key);
            assert_eq!(state, "ready", "{case}: {row:?}");
            assert!(url.as_deref().is_some_and(|url| url.starts_with(BASE)), "{case}: {row:?}");
            assert_eq!(url, &row.image, "{case}: {} {} shows it", row.table, row.key);
        }
        after
    }

    async fn sweep(&self) {
        let step = "SELECT tintype.sweep(id, 500) FROM tintype.source";
        self.client.batch_execute(&format!("{step}; {step}")).await.expect("a sweep");
    }

    async fn edit(&self, label: &str, statement: &str) {
        let (before, pictures) = (self.rows().await, self.workplace.pictures());
        assert_eq!(self.waiting().await, 0, "before {label}");
        self.client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{label}: {error:?}"));
        let marks = self.waiting().await;
        let word = label.split('-').next().unwrap_or(label);
        match word {
            "counter" | "blanks" => assert_eq!(marks, 0, "{label}: marks nothing"),
            "unchanged" if label == word => assert_eq!(marks, 0, "{label}: marks nothing"),
            "edit" | "insert" | "title" | "publish" | "rekey" | "move" | "direct" => {
                assert!(marks > 0, "{label}: marks");
            }
            _ => {}
        }
        let after = self.drawn(label).await;
        let fresh =
            after.iter().filter(|row| row.image.is_some() && !before.iter().any(|old| old.image == row.image)).count();
        match word {
            "counter" | "blanks" | "unchanged" | "delete" => {
                assert_eq!(self.workplace.pictures(), pictures, "{label}: draws nothing");
            }
            "edit" | "insert" | "publish" | "title" | "direct" => assert_eq!(fresh, 1, "{label}: one new URL"),
            _ => {}
        }
    }
}

/// A host application's whole life beside tintype.
async fn lives(name: &str) {
    let host = Host::new(name).await;
    for table in &host.app.table {
        let backfill = format!("SELECT tintype.backfill('{}')", table.name.replace('\'', "''"));
        host.client.batch_execute(&backfill).await.expect("a backfill");
    }
    let rows = host.drawn("backfill").await;
    assert!(rows.iter().any(|row| row.wanted), "there is something to draw");
    for (label, statement) in edits(name) {
        host.edit(&label, &statement).await;
    }
    host.sweep().await;
    let rows = host.drawn("at the end").await;
    let entries = host.client.query("SELECT FROM tintype.image", &[]).await.unwrap().len();
    let known = rows.iter().filter(|row| row.entry.is_some()).count();
    assert_eq!(entries, known, "the ledger forgets rows that are gone");
}

#[tokio::test]
async fn django() {
    lives("django").await;
}

#[tokio::test]
async fn ecto() {
    lives("ecto").await;
}

#[tokio::test]
async fn partitioned() {
    lives("partitioned").await;
}

#[tokio::test]
async fn prisma() {
    lives("prisma").await;
}

#[tokio::test]
async fn rails() {
    lives("rails").await;
}

#[tokio::test]
async fn tenants() {
    lives("tenants").await;
}
