//! A worker that logs in as the worker's role does all of its work, for a host that has no right in schema tintype.

use super::Team;
use crate::support::{
    program::tintype,
    schema::{refused, run, text},
    worker::{BASE, until, until_asleep},
};

/// The URL of a row.
fn url_of(id: i64) -> String {
    format!("SELECT og_image_url FROM blog.posts WHERE id = {id}")
}

#[tokio::test]
async fn a_row_gets_its_picture_whatever_happens_to_it() {
    let team = Team::attached().await;
    let (app, worker, place) = (team.client("app").await, team.client("worker").await, team.workplace());

    run(&app, "insert", "INSERT INTO blog.posts (id, title, body) VALUES (1, 'One', 'x'), (2, 'Two', 'x')").await;
    assert_eq!(place.work().await, 0);
    let first = text(&app, &url_of(1)).await;
    assert!(first.starts_with(BASE), "{first}");

    run(&app, "edit", "UPDATE blog.posts SET title = 'One more' WHERE id = 1").await;
    assert_eq!(place.work().await, 0);
    let second = text(&app, &url_of(1)).await;
    assert!(second.starts_with(BASE) && second != first, "{second}");

    team.unseen("INSERT INTO blog.posts (id, title) VALUES (3, 'Restored')").await;
    tintype(&team.url("worker"), &["backfill", "blog.posts"]).await.done();
    assert_eq!(place.work().await, 0);
    assert!(text(&app, &url_of(3)).await.starts_with(BASE), "backfill");

    team.unseen("UPDATE blog.posts SET og_image_url = NULL WHERE id = 2").await;
    assert_eq!(text(&worker, "SELECT tintype.sweep(id, 100) FROM tintype.source").await, "1");
    assert_eq!(place.work().await, 0);
    assert!(text(&app, &url_of(2)).await.starts_with(BASE), "the sweep");
    run(&app, "delete", "DELETE FROM blog.posts WHERE id = 2").await;
    run(&worker, "prune", "SELECT tintype.sweep(id, 100) FROM tintype.source").await;
    assert_eq!(text(&worker, "SELECT count(*) FROM tintype.image WHERE key = '2'").await, "0", "the sweep forgets it");
    team.leave().await;
}

#[tokio::test]
async fn what_failed_is_parked_and_tried_again() {
    let team = Team::attached().await;
    let (app, worker, place) = (team.client("app").await, team.client("worker").await, team.workplace());
    run(&app, "insert", "INSERT INTO blog.posts (id, title) VALUES (1, 'Deadly')").await;
    run(&worker, "three deaths", "SELECT tintype.fold(10); SELECT tintype.claim(1, 1, 60); UPDATE tintype.job SET deaths = 2, lease_until = now() - interval '1 second'").await;
    assert_eq!(text(&worker, "SELECT tintype.park()").await, "1");
    assert_eq!(text(&worker, "SELECT failed FROM tintype.status").await, "1");
    tintype(&team.url("worker"), &["retry", "blog.posts"]).await.done();
    assert_eq!(place.work().await, 0);
    assert!(text(&app, &url_of(1)).await.starts_with(BASE));
    run(&worker, "claimed", "SELECT tintype.backfill('blog.posts', rerender => true); SELECT tintype.fold(10)").await;
    assert_eq!(text(&worker, "SELECT count(*) FROM tintype.claim(7, 1, 60)").await, "1");
    assert_eq!(text(&worker, "SELECT tintype.release(7)").await, "1", "given back");
    assert_eq!(place.work().await, 0);
    team.leave().await;
}

#[tokio::test]
async fn the_installer_pauses_and_the_worker_waits_and_is_woken() {
    let team = Team::attached().await;
    let (app, worker, installer) =
        (team.client("app").await, team.client("worker").await, team.client("installer").await);
    let place = team.workplace();
    let mut running = place.start(&["--announce"]);
    until_asleep(&team.admin).await;
    run(&installer, "pause", "SELECT tintype.pause('blog.posts')").await;
    let refusal = refused(&worker, "the worker pauses", "SELECT tintype.pause('blog.posts')").await;
    assert_eq!(refusal.state, "42501", "{refusal:?}");
    run(&app, "insert", "INSERT INTO blog.posts (id, title) VALUES (1, 'Later')").await;
    until(&team.admin, "the mark is folded", "SELECT NOT EXISTS (SELECT FROM tintype.change)").await;
    assert_eq!(text(&app, &url_of(1)).await, "NULL", "paused");
    run(&installer, "resume", "SELECT tintype.resume('blog.posts')").await;
    until(&team.admin, "it is drawn", "SELECT og_image_url IS NOT NULL FROM blog.posts").await;
    tintype(&team.url("worker"), &["healthcheck"]).await.done();
    let status = tintype(&team.url("worker"), &["status", "--json"]).await;
    assert!(status.done().contains("\"ready\":1"), "{status:?}");
    running.signal("TERM").await;
    assert!(running.exit().await.success());
    assert_eq!(team.ask("SELECT count(*) FROM tintype.worker").await, "0", "it signed off");
    team.leave().await;
}

#[tokio::test]
async fn without_an_image_column_nothing_of_the_table_may_be_written() {
    let team = Team::installed().await;
    let attach = ["attach", "blog.posts", "--title", "title", "--body", "body", "--yes"];
    tintype(&team.url("installer"), &attach).await.done();
    let (app, worker, place) = (team.client("app").await, team.client("worker").await, team.workplace());
    run(&app, "insert", "INSERT INTO blog.posts (id, title) VALUES (1, 'One')").await;
    assert_eq!(place.work().await, 0);
    assert!(text(&worker, "SELECT url FROM tintype.image('blog.posts', 1)").await.starts_with(BASE));
    let refusal = refused(&worker, "the image", "UPDATE blog.posts SET og_image_url = 'x'").await;
    assert_eq!(refusal.state, "42501", "{refusal:?}");
    team.leave().await;
}
