//! Pictures a second from a backlog, beside what the renderer alone draws of the same posts in the same round.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use tintype::{
    card::{Options, Renderer},
    picture::{Draw, Wish, choose_as},
    post::{Fields, Post},
};

use super::{
    Effort, posts,
    report::{Goal, Report},
    s3::{BUCKET, S3Server},
    stage::{Blog, Stage, WORKER},
};

/// Pictures after which a worker is warm.
const WARM: usize = 100;

/// What one backlog gave.
struct Run {
    /// Pictures a second.
    rate: f64,
    /// Milliseconds of CPU a picture, of the worker and of its connections' server processes.
    worker: f64,
    server: f64,
}

/// Rounds of three: the renderer, a folder, a bucket.
pub(crate) async fn measure(stage: &Stage, effort: Effort, report: &mut Report) {
    let blog = stage.blog("throughput", "").await;
    let bucket = S3Server::start().await;
    let settings = bucket.settings(&format!("s3://{BUCKET}/og"));
    let renderer = Renderer::new(&Options::default()).expect("the look is built in");
    alone(&renderer, WARM);
    let (mut alones, mut folders, mut buckets) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        alones.push(alone(&renderer, effort.backlog));
        folders.push(backlog(&blog, effort.backlog, None).await);
        buckets.push(backlog(&blog, effort.backlog, Some(&settings)).await);
    }
    let group = format!("{} posts, two cores", effort.backlog);
    let case = format!("{group} · renderer alone");
    report.add_samples(&case, "pictures a second", &each(&alones, |run| run.rate), "", Goal::None);
    report.add_samples(&case, "CPU a picture", &each(&alones, |run| run.worker), "ms", Goal::None);
    for (name, runs) in [("worker, folder", &folders), ("worker, S3", &buckets)] {
        let case = format!("{group} · {name}");
        let ratios: Vec<f64> = runs.iter().zip(&alones).map(|(mine, alone)| mine.rate / alone.rate).collect();
        report.add_samples(&case, "pictures a second", &each(runs, |run| run.rate), "", Goal::None);
        report.add_samples(&case, "against the renderer", &ratios, "×", Goal::AtLeast(0.85));
        report.add_samples(&case, "CPU a picture", &each(runs, |run| run.worker), "ms", Goal::None);
        report.add_samples(&case, "CPU of Postgres a picture", &each(runs, |run| run.server), "ms", Goal::None);
    }
}

fn each(runs: &[Run], of: impl Fn(&Run) -> f64) -> Vec<f64> {
    runs.iter().map(of).collect()
}

/// Two threads that draw, and nothing else.
fn alone(renderer: &Renderer, count: usize) -> Run {
    let (next, begun, cpu) = (AtomicUsize::new(0), Instant::now(), own_cpu());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < count) {
                    let fields = Fields {
                        title: Some(posts::title(at)),
                        author: Some("Ada Lovelace".to_owned()),
                        body: posts::body(at),
                        ..Fields::default()
                    };
                    let card = choose_as(&Post::new(fields), Draw::Auto, &Wish::default()).expect("a card");
                    renderer.render(&card).expect("a picture");
                }
            });
        }
    });
    let count = count as f64;
    Run { rate: count / begun.elapsed().as_secs_f64(), worker: (own_cpu() - cpu) * 1e3 / count, server: 0.0 }
}

fn own_cpu() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// A worker that finds a backlog. The clock runs from when it is warm to the last picture.
async fn backlog(blog: &Blog, count: usize, storage: Option<&tintype::storage::StorageSettings>) -> Run {
    blog.db.run("TRUNCATE posts RESTART IDENTITY; TRUNCATE tintype.change, tintype.job, tintype.image").await;
    let (titles, bodies): (Vec<_>, Vec<_>) = (0..count).map(|at| (posts::title(at), posts::body(at))).unzip();
    let insert = "INSERT INTO posts (title, body) SELECT * FROM unnest($1::text[], $2::text[])";
    blog.db.client.execute(insert, &[&titles, &bodies]).await.expect("a backlog");
    blog.db.run("CHECKPOINT").await;
    let worker = blog.work(&[], storage).await;
    blog.db.until("the worker is warm", &format!("SELECT (count(*) >= {WARM})::integer FROM tintype.image")).await;
    let (begun, first) = (Instant::now(), blog.db.number("SELECT count(*) FROM tintype.image").await);
    let (own, server) = (worker.cpu(), blog.cpu_of_role(WORKER).await);
    blog.until_done().await;
    let seconds = begun.elapsed().as_secs_f64();
    let (own, server) = (worker.cpu() - own, blog.cpu_of_role(WORKER).await - server);
    let drawn = blog.db.number("SELECT count(*) FROM tintype.image WHERE state = 'ready'").await - first;
    assert!(drawn + first >= count as f64, "{drawn} of {count} pictures");
    worker.stop().await;
    Run { rate: drawn / seconds, worker: own * 1e3 / drawn, server: server * 1e3 / drawn }
}
