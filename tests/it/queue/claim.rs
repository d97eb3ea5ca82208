//! Claims: who gets which job, for how long, and how it is given back.

use std::collections::HashSet;

use super::{Queue, claim, draw, fold, publish_one};

#[tokio::test]
async fn no_job_is_handed_to_two_workers() {
    let queue = Queue::with_posts(500).await;
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 1..=4 {
        let client = queue.database.client().await;
        tasks.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claims = claim(&client, worker, 7).await;
                if claims.is_empty() {
                    return mine;
                }
                mine.extend(claims);
            }
        });
    }
    let mut claims: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    claims.extend(claim(&queue.client, 9, 500).await); // what a worker had locked in the last moment
    let keys: HashSet<_> = claims.iter().map(|claim| claim.key.clone()).collect();
    let tokens: HashSet<_> = claims.iter().map(|claim| claim.lease).collect();
    assert_eq!((claims.len(), keys.len(), tokens.len()), (500, 500, 500), "claims, rows, tokens");
}

#[tokio::test]
async fn an_edit_goes_before_a_backfill_and_age_decides_among_equals() {
    let queue = Queue::with_posts(4).await;
    queue.work().await;
    queue.run("SELECT tintype.backfill('posts', rerender => true, condition => 'id IN (1, 2)')").await;
    fold(&queue.client).await;
    for id in [4, 3] {
        queue.run(&format!("UPDATE posts SET body = 'edited' WHERE id = {id}")).await;
        fold(&queue.client).await;
    }
    let mut order = Vec::new();
    while let Some(claim) = claim(&queue.client, 1, 1).await.pop() {
        order.push(claim.key);
    }
    assert_eq!(order[..2], ["4", "3"], "edits first, the older first: {order:?}");
    assert_eq!(order.len(), 4);
}

#[tokio::test]
async fn slots_bound_a_claim() {
    let queue = Queue::with_posts(5).await;
    for (slots, taken) in [(0, 0), (2, 2), (10, 3), (10, 0)] {
        assert_eq!(claim(&queue.client, 1, slots).await.len(), taken, "{slots} slots");
    }
}

#[tokio::test]
async fn a_lease_protects_until_it_runs_out() {
    let queue = Queue::with_posts(1).await;
    let first = queue.claim_one().await;
    assert!(claim(&queue.client, 2, 1).await.is_empty(), "leased");
    queue.expire().await;
    let second = queue.claim_one().await;
    assert_ne!(first.lease, second.lease, "a fresh token");
    assert_eq!((first.deaths, second.deaths, second.attempt), (0, 1, 0), "a death is counted, an attempt is not");
    let stale = draw(&queue.client, &first).await;
    assert_eq!(publish_one(&queue.client, &stale).await, "lost", "the first worker comes back too late");
    assert_eq!(queue.post_url(1).await, None);
    let fresh = draw(&queue.client, &second).await;
    assert_eq!(publish_one(&queue.client, &fresh).await, "published");
}

#[tokio::test]
async fn an_expired_lease_that_nobody_took_still_publishes() {
    let (queue, _, picture) = Queue::drawn().await;
    queue.expire().await;
    assert_eq!(publish_one(&queue.client, &picture).await, "published");
    assert_eq!(queue.left().await, 0);
}

#[tokio::test]
async fn a_paused_table_is_marked_and_folded_but_not_claimed() {
    let queue = Queue::with_posts(2).await;
    queue.run("SELECT tintype.pause('posts')").await;
    assert!(claim(&queue.client, 1, 10).await.is_empty(), "paused");
    assert!(!queue.ask::<bool>("SELECT work FROM tintype.outlook()").await, "a worker may sleep");
    queue.run("INSERT INTO posts (id, body) VALUES (3, 'while paused')").await;
    assert_eq!(fold(&queue.client).await, 1, "changes go on being marked");
    assert_eq!(queue.ask::<i64>("SELECT depth FROM tintype.queue_depth").await, 0, "and call for no worker");
    queue.run("SELECT tintype.resume('posts')").await;
    assert_eq!(queue.ask::<i64>("SELECT depth FROM tintype.queue_depth").await, 3);
    assert_eq!(claim(&queue.client, 1, 10).await.len(), 3, "resumed");
}

#[tokio::test]
async fn a_worker_that_leaves_gives_back_its_own_jobs_uncharged() {
    let queue = Queue::with_posts(3).await;
    let given = claim(&queue.client, 1, 2).await;
    assert_eq!(claim(&queue.client, 2, 1).await.len(), 1);
    assert_eq!(queue.ask::<i64>("SELECT tintype.release(1)").await, 2);
    let again = claim(&queue.client, 3, 10).await;
    let mut keys: Vec<_> = again.iter().map(|claim| claim.key.clone()).collect();
    let mut expected: Vec<_> = given.iter().map(|claim| claim.key.clone()).collect();
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected, "those of worker 2 stay its own");
    assert!(again.iter().all(|claim| claim.deaths == 0 && claim.attempt == 0), "{again:?}");
}

#[tokio::test]
async fn a_failure_waits_with_its_reason() {
    for (charge, attempts) in [(true, 1), (false, 0)] {
        let queue = Queue::with_posts(1).await;
        let first = queue.claim_one().await;
        let put_back =
            format!("SELECT tintype.retry_later({}, '1', {}, 60, {charge}, 'no ink')", first.source, first.lease);
        assert!(queue.ask::<bool>(&put_back).await);
        assert!(claim(&queue.client, 1, 1).await.is_empty(), "not due yet, charge {charge}");
        let state = queue.client.query_one("SELECT attempt, deaths, last_error, due_at > now() + interval '50 seconds', lease IS NULL FROM tintype.job", &[]).await.unwrap();
        assert_eq!((state.get(0), state.get(1), state.get(2)), (attempts, 0_i16, "no ink"), "charge {charge}");
        assert!(state.get::<_, bool>(3) && state.get::<_, bool>(4), "due in a minute, free");
        assert!(!queue.ask::<bool>(&put_back).await, "the lease is used up");
        queue.run("UPDATE posts SET body = 'other'").await;
        let second = queue.claim_one().await;
        assert_eq!(second.attempt, attempts, "an edit makes it due at once");
    }
}

#[tokio::test]
async fn an_edit_during_a_failing_attempt_makes_it_due_at_once() {
    let queue = Queue::with_posts(1).await;
    let first = queue.claim_one().await;
    queue.run("UPDATE posts SET body = 'other'").await;
    fold(&queue.client).await;
    queue.run(&format!("SELECT tintype.retry_later({}, '1', {}, 60, true, 'no ink')", first.source, first.lease)).await;
    assert_eq!(queue.claim_one().await.attempt, 1);
}

#[tokio::test]
async fn a_failure_under_an_old_lease_changes_nothing() {
    let queue = Queue::with_posts(1).await;
    let first = queue.claim_one().await;
    queue.expire().await;
    let second = queue.claim_one().await;
    let late = format!("SELECT tintype.retry_later({}, '1', {}, 60, true, 'late')", first.source, first.lease);
    assert!(!queue.ask::<bool>(&late).await);
    let picture = draw(&queue.client, &second).await;
    assert_eq!(publish_one(&queue.client, &picture).await, "published");
}

#[tokio::test]
async fn retry_tries_at_once_what_waits_or_failed() {
    let queue = Queue::with_posts(3).await;
    for claim in claim(&queue.client, 1, 3).await {
        match claim.key.as_str() {
            "1" => {
                queue
                    .run(&format!(
                        "SELECT tintype.retry_later({}, '1', {}, 600, true, 'away')",
                        claim.source, claim.lease
                    ))
                    .await;
            }
            "2" => {
                let picture = draw(&queue.client, &claim).await;
                publish_one(&queue.client, &super::without_picture(&picture, "failed", "no glyphs")).await;
            }
            _ => drop(publish_one(&queue.client, &draw(&queue.client, &claim).await).await),
        }
    }
    assert_eq!(queue.ask::<i64>("SELECT tintype.retry('posts', '3')").await, 0, "what is drawn needs no other try");
    assert_eq!(queue.ask::<i64>("SELECT tintype.retry('posts', '2')").await, 1, "one row");
    assert_eq!(queue.ask::<i64>("SELECT tintype.retry()").await, 2, "everywhere");
    fold(&queue.client).await;
    let mut keys: Vec<_> = claim(&queue.client, 1, 10).await.into_iter().map(|claim| claim.key).collect();
    keys.sort();
    assert_eq!(keys, ["1", "2"]);
    assert!(
        queue.ask::<bool>("SELECT content IS NULL FROM tintype.image WHERE key = '2'").await,
        "drawn whatever the ledger says"
    );
    let unknown = queue.client.query("SELECT tintype.retry('pg_class')", &[]).await.unwrap_err();
    assert!(unknown.as_db_error().is_some_and(|error| error.message().contains("is not attached")), "{unknown:?}");
}

#[tokio::test]
async fn a_worker_that_leaves_does_not_deadlock_with_a_fold() {
    let queue = Queue::new().await;
    for id in (100..200).rev() {
        queue.run(&format!("INSERT INTO posts (id, body) VALUES ({id}, '')")).await; // jobs lie in the table against key order
        fold(&queue.client).await;
    }
    let other = queue.database.client().await;
    for round in 0..15 {
        assert_eq!(claim(&queue.client, 1, 100).await.len(), 100, "round {round}");
        queue.run(&format!("UPDATE posts SET body = 'round {round}'")).await;
        let release = "SELECT tintype.release(1)";
        let (folded, released) = tokio::join!(fold(&queue.client), super::ask::<i64>(&other, release));
        assert_eq!((folded, released), (100, 100), "round {round}");
    }
}
