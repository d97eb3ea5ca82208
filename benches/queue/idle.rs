//! What a worker without work costs the database: in the two seconds in which it lingers, and in a minute of sleep. The server's log
//! tells every statement of the worker's role.

use std::time::Duration;

use super::{
    Effort, posts,
    report::{Goal, Report},
    server::Worker,
    stage::{Blog, Stage, WORKER},
};

/// What was taken up to a moment.
struct Toll {
    statements: f64,
    worker: f64,
    server: f64,
}

impl Toll {
    async fn now(stage: &Stage, blog: &Blog, worker: &Worker) -> Self {
        let log = stage.log();
        let said = [format!("{WORKER} LOG:  statement:"), format!("{WORKER} LOG:  execute ")];
        let statements = log.lines().filter(|line| said.iter().any(|start| line.starts_with(start))).count();
        Self { statements: statements as f64, worker: worker.cpu(), server: blog.cpu_of_role(WORKER).await }
    }
}

pub(crate) async fn measure(stage: &Stage, effort: Effort, report: &mut Report) {
    let blog = stage.blog("idle", "").await;
    blog.db.run(&format!("ALTER ROLE {WORKER} SET log_statement = 'all'")).await;
    let worker = blog.work(&[], None).await;
    blog.until_asleep().await;
    blog.db
        .client
        .execute("INSERT INTO posts (title, body) VALUES ($1, $2)", &[&posts::title(0), &posts::body(0)])
        .await
        .expect("a post");
    blog.db.until("it is drawn", "SELECT count(*) FROM tintype.image").await;
    let drawn = Toll::now(stage, &blog, &worker).await;
    blog.until_asleep().await;
    let asleep = Toll::now(stage, &blog, &worker).await;
    add(report, "two seconds of lingering", &drawn, &asleep, (Goal::None, Goal::None));
    // The first moments of sleep still look for marks in flight.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Toll::now(stage, &blog, &worker).await;
    tokio::time::sleep(effort.idle).await;
    let ended = Toll::now(stage, &blog, &worker).await;
    let name = format!("{} s of sleep", effort.idle.as_secs());
    let most = 3.0 * effort.idle.as_secs_f64() / 60.0;
    add(report, &name, &begun, &ended, (Goal::AtMost(most - 0.01), Goal::AtMost(10.0)));
    blog.db.run(&format!("ALTER ROLE {WORKER} RESET log_statement")).await;
    worker.stop().await;
}

fn add(report: &mut Report, name: &str, from: &Toll, to: &Toll, (few, little): (Goal, Goal)) {
    let case = format!("a worker without work · {name}");
    report.add(&case, "statements", to.statements - from.statements, "", few);
    report.add(&case, "CPU of the worker", (to.worker - from.worker) * 1e3, "ms", Goal::None);
    report.add(&case, "CPU of its connections", (to.server - from.server) * 1e3, "ms", Goal::None);
    report.add(&case, "CPU of both", (to.worker - from.worker + to.server - from.server) * 1e3, "ms", little);
}
