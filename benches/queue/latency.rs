//! From the host's COMMIT to the URL in the row: with a worker that lingers after work, and with one that sleeps.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream::poll_fn};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, NoTls, Statement};

use super::{
    Effort, posts,
    report::{Goal, Report, quantile},
    stage::{Blog, Stage},
};

/// Hears of each picture when its URL is committed.
struct Ear {
    told: mpsc::UnboundedReceiver<(String, Instant)>,
    _client: Client,
}

impl Ear {
    async fn on(blog: &Blog) -> Self {
        let (client, mut connection) = tokio_postgres::connect(&blog.db.url, NoTls).await.expect("a connection");
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut messages = poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(sent) = message {
                    let _ = tell.send((sent.payload().to_owned(), Instant::now()));
                }
            }
        });
        client.batch_execute("LISTEN tintype_image").await.expect("it listens");
        Self { told, _client: client }
    }

    /// When the picture of a row was announced.
    async fn picture(&mut self, key: i64) -> Instant {
        let wanted = serde_json::json!(key.to_string());
        loop {
            let told = tokio::time::timeout(Duration::from_secs(60), self.told.recv()).await;
            let (payload, at) = told.expect("a picture within a minute").expect("the connection is open");
            let payload: serde_json::Value = serde_json::from_str(&payload).expect("it is JSON");
            if payload["key"] == wanted {
                assert!(payload["url"].is_string(), "{payload}");
                return at;
            }
        }
    }
}

/// The host: writes a post, and waits for its picture.
pub(crate) struct Writer<'a> {
    blog: &'a Blog,
    insert: Statement,
    ear: Ear,
}

impl<'a> Writer<'a> {
    pub(crate) async fn on(blog: &'a Blog) -> Self {
        let insert = blog.db.client.prepare("INSERT INTO posts (title, body) VALUES ($1, $2) RETURNING id").await;
        Self { blog, insert: insert.expect("a statement"), ear: Ear::on(blog).await }
    }

    /// Milliseconds from the commit of one post to its URL.
    pub(crate) async fn post(&mut self, at: usize) -> f64 {
        let row = self.blog.db.client.query_one(&self.insert, &[&posts::title(at), &posts::body(at)]).await;
        let committed = Instant::now();
        let seen = self.ear.picture(row.expect("a post").get(0)).await;
        seen.saturating_duration_since(committed).as_secs_f64() * 1e3
    }
}

/// Numbers that fill the space between 0 and 1 evenly, always the same ones.
fn share(at: usize) -> f64 {
    (at as f64 * 0.618_034).fract()
}

/// The next post comes while the worker lingers: at any moment of the second and a half after the last picture.
pub(crate) async fn lingering(stage: &Stage, effort: Effort, report: &mut Report) {
    let blog = stage.blog("linger", "").await;
    let worker = blog.work(&["--announce"], None).await;
    let mut writer = Writer::on(&blog).await;
    let mut times = Vec::new();
    for at in 0..effort.samples + posts::LANGUAGES {
        tokio::time::sleep(Duration::from_secs_f64(0.02 + 1.48 * share(at))).await;
        times.push(writer.post(at).await);
    }
    add(report, "lingering worker", &times[posts::LANGUAGES..], 15.0);
    worker.stop().await;
}

/// The next post comes when the worker sleeps.
pub(crate) async fn asleep(stage: &Stage, effort: Effort, report: &mut Report) {
    let blog = stage.blog("wake", "").await;
    let worker = blog.work(&["--announce"], None).await;
    let mut writer = Writer::on(&blog).await;
    for at in 0..posts::LANGUAGES {
        writer.post(at).await;
    }
    let mut times = Vec::new();
    for at in 0..effort.samples {
        blog.until_asleep().await;
        tokio::time::sleep(Duration::from_secs_f64(0.05 + 0.3 * share(at))).await;
        times.push(writer.post(at).await);
    }
    add(report, "from sleep", &times, 40.0);
    worker.stop().await;
}

/// The first pictures of each language are not among the times: a worker is warm after them.
fn add(report: &mut Report, name: &str, times: &[f64], goal: f64) {
    let case = format!("commit to URL, folder, {name} · {} samples", times.len());
    let middle = report.add_samples(&case, "median", times, "ms", Goal::AtMost(goal));
    let mut times = times.to_vec();
    report.add(&case, "p95", quantile(&mut times, 0.95), "ms", Goal::None);
    let last = quantile(&mut times, 0.99);
    report.add(&case, "p99", last, "ms", Goal::None);
    report.add(&case, "p99 against median", last / middle, "×", Goal::AtMost(4.0));
}
