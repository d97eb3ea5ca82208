//! The SQL protocol of the queue, called as the worker calls it: marks, jobs, claims, publications, scans.

mod claim;
mod filter;
mod fold;
mod garbage;
mod interleaved;
mod keys;
mod leases;
mod operate;
mod park;
mod publish;
mod scan;
mod status;
mod sweep;
mod verdicts;
mod watermark;

use serde_json::{Value, json};
use tokio_postgres::{
    Client,
    types::{FromSqlOwned, Json},
};

use crate::support::{
    postgres::TestDatabase,
    worker::{BASE, blog},
};

/// A blog whose queue the test works at by hand.
struct Queue {
    database: TestDatabase,
    client: Client,
}

impl Queue {
    async fn new() -> Self {
        let (database, client) = blog().await;
        Self { database, client }
    }

    /// A blog with these posts, their marks folded.
    async fn with_posts(count: i64) -> Self {
        let queue = Self::new().await;
        queue
            .run(&format!(
                "INSERT INTO posts (id, title, body) SELECT n, 'Post ' || n, 'Text ' || n FROM generate_series(1, {count}) n"
            ))
            .await;
        while fold(&queue.client).await > 0 {}
        queue
    }

    /// A blog with one post, its job claimed by worker 1 and its picture drawn.
    async fn drawn() -> (Self, Claim, Value) {
        let queue = Self::with_posts(1).await;
        let claim = queue.claim_one().await;
        let picture = draw(&queue.client, &claim).await;
        (queue, claim, picture)
    }

    /// The same, published; the URL comes along.
    async fn published() -> (Self, String) {
        let (queue, _, picture) = Self::drawn().await;
        assert_eq!(publish_one(&queue.client, &picture).await, "published");
        (queue, url(&picture))
    }

    async fn run(&self, statements: &str) {
        self.client.batch_execute(statements).await.expect(statements);
    }

    async fn ask<T: FromSqlOwned>(&self, statement: &str) -> T {
        ask(&self.client, statement).await
    }

    /// Folds, and claims the only job there is.
    async fn claim_one(&self) -> Claim {
        fold(&self.client).await;
        let mut claims = claim(&self.client, 1, 10).await;
        assert_eq!(claims.len(), 1, "one job is due");
        claims.remove(0)
    }

    /// Folds, claims, draws and publishes until nothing is due.
    async fn work(&self) {
        while fold(&self.client).await > 0 {}
        loop {
            let claims = claim(&self.client, 9, 100).await;
            if claims.is_empty() {
                return;
            }
            for claim in claims {
                let picture = draw(&self.client, &claim).await;
                publish_one(&self.client, &picture).await;
            }
            while fold(&self.client).await > 0 {}
        }
    }

    async fn post_url(&self, id: i64) -> Option<String> {
        self.ask(&format!("SELECT og_image_url FROM posts WHERE id = {id}")).await
    }

    /// Lets every lease run out.
    async fn expire(&self) {
        self.run("UPDATE tintype.job SET lease_until = now() - interval '1 second' WHERE lease IS NOT NULL").await;
    }

    /// Jobs and marks that are left.
    async fn left(&self) -> i64 {
        self.ask("SELECT (SELECT count(*) FROM tintype.job) + (SELECT count(*) FROM tintype.change)").await
    }
}

/// A claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    source: i32,
    key: String,
    lease: i64,
    attempt: i32,
    deaths: i16,
}

/// The first column of the one row that a statement gives.
async fn ask<T: FromSqlOwned>(client: &Client, statement: &str) -> T {
    client.query_one(statement, &[]).await.expect(statement).get(0)
}

async fn fold(client: &Client) -> i64 {
    ask(client, "SELECT tintype.fold(1000)").await
}

async fn claim(client: &Client, worker: i32, slots: i32) -> Vec<Claim> {
    let statement = "SELECT source, key, lease, attempt, deaths FROM tintype.claim($1, $2, 60)";
    let rows = client.query(statement, &[&worker, &slots]).await.expect("a claim");
    let read = |row: &tokio_postgres::Row| Claim {
        source: row.get(0),
        key: row.get(1),
        lease: row.get(2),
        attempt: row.get(3),
        deaths: row.get(4),
    };
    rows.iter().map(read).collect()
}

/// The fingerprint of a row as it is now; `None` where it is gone or not wanted.
async fn fingerprint(client: &Client, source: i32, key: &str) -> Option<String> {
    let statement = "SELECT r.content FROM tintype.source s, tintype.read_row(s, $2) r WHERE s.id = $1 AND r.wanted";
    client.query_opt(statement, &[&source, &key]).await.expect("a read row").map(|row| row.get(0))
}

/// What a worker publishes for the row as it reads now; for a row that is gone, the empty entry that the worker sends.
async fn draw(client: &Client, claim: &Claim) -> Value {
    let Claim { source, key, lease, .. } = claim;
    match fingerprint(client, *source, key).await {
        Some(content) => ready(claim, &content),
        None => json!({ "source": source, "key": key, "lease": lease, "state": "" }),
    }
}

/// The ledger's entry of a picture with this content.
fn ready(claim: &Claim, content: &str) -> Value {
    let Claim { source, key, lease, .. } = claim;
    let object = format!("posts/{key}/{content}.png");
    json!({
        "source": source, "key": key, "lease": lease, "state": "ready", "content": content, "template": "t",
        "url": format!("{BASE}/{object}"), "object": object, "width": 1200, "height": 630, "bytes": 3,
        "media_type": "image/png", "kind": "title", "engine": "native", "alt": "a post",
    })
}

/// The entry of a row that calls for no picture.
fn without_picture(picture: &Value, state: &str, reason: &str) -> Value {
    let mut entry = picture.clone();
    for field in ["url", "object", "width", "height", "bytes", "media_type", "kind", "engine", "alt"] {
        entry[field] = Value::Null;
    }
    entry["state"] = state.into();
    entry["reason"] = reason.into();
    entry
}

fn url(picture: &Value) -> String {
    picture["url"].as_str().expect("a URL").to_owned()
}

/// Publishes a batch: key, outcome and detail of each.
async fn publish(client: &Client, batch: &[Value]) -> Vec<(String, String, Option<String>)> {
    let rows = client
        .query("SELECT key, outcome, detail FROM tintype.publish($1, false)", &[&Json(batch)])
        .await
        .expect("a publication");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

async fn publish_one(client: &Client, picture: &Value) -> String {
    publish(client, std::slice::from_ref(picture)).await.remove(0).1
}
