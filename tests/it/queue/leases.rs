//! Claims are prolonged by their worker's heartbeat, and by nothing else.

use super::{Queue, claim, draw, publish_one};

async fn extend(queue: &Queue, worker: i32) -> Vec<i64> {
    queue.ask(&format!("SELECT coalesce(array_agg(t ORDER BY t), '{{}}') FROM tintype.extend({worker}, 600) t")).await
}

async fn long(queue: &Queue) -> Vec<String> {
    let long = "SELECT coalesce(array_agg(key ORDER BY key), '{}') FROM tintype.job WHERE lease_until > now() + interval '5 minutes'";
    queue.ask(long).await
}

#[tokio::test]
async fn a_heartbeat_prolongs_its_workers_live_claims() {
    let queue = Queue::with_posts(4).await;
    let (mine, theirs) = (claim(&queue.client, 1, 2).await, claim(&queue.client, 2, 1).await);
    let mut tokens: Vec<i64> = mine.iter().map(|claim| claim.lease).collect();
    tokens.sort_unstable();
    assert_eq!(extend(&queue, 1).await, tokens);
    assert_eq!(long(&queue).await.len(), 2, "not the other worker's, nor what nobody has claimed");
    assert_eq!(extend(&queue, 2).await, [theirs[0].lease]);
    assert_eq!(extend(&queue, 3).await, Vec::<i64>::new());
}

#[tokio::test]
async fn what_ran_out_is_not_prolonged() {
    let queue = Queue::with_posts(1).await;
    let late = queue.claim_one().await;
    queue.expire().await;
    assert_eq!(extend(&queue, 1).await, Vec::<i64>::new(), "another may take it at any moment");
    let taken = claim(&queue.client, 2, 1).await.remove(0);
    assert_eq!(extend(&queue, 1).await, Vec::<i64>::new());
    assert_eq!(extend(&queue, 2).await, [taken.lease]);
    let picture = draw(&queue.client, &late).await;
    assert_eq!(publish_one(&queue.client, &picture).await, "lost", "and it is not the late one's to publish");
    let picture = draw(&queue.client, &taken).await;
    assert_eq!(publish_one(&queue.client, &picture).await, "published");
}

#[tokio::test]
async fn an_edit_never_waits_behind_a_backfill() {
    let queue = Queue::new().await;
    queue
        .run("SET session_replication_role = replica;
              INSERT INTO posts (id, body) SELECT n, 'Text' FROM generate_series(1, 3000) n; RESET session_replication_role")
        .await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.backfill('posts')").await, 3000);
    while super::fold(&queue.client).await > 0 {}
    assert_eq!(claim(&queue.client, 1, 16).await.len(), 16, "all slots are taken by the backfill");
    queue.run("UPDATE posts SET body = 'edited' WHERE id IN (2000, 2001); INSERT INTO posts (id, body) VALUES (4000, 'new')").await;
    while super::fold(&queue.client).await > 0 {}
    let next = async || claim(&queue.client, 1, 1).await.remove(0).key;
    let mut edits = [next().await, next().await, next().await];
    edits.sort();
    assert_eq!(edits, ["2000", "2001", "4000"], "the first slots that are free again are the edits'");
    assert!(next().await.parse::<i64>().unwrap() < 2000, "then the backfill goes on");
}

#[tokio::test]
async fn a_claim_that_its_worker_does_not_hold_runs_out() {
    let queue = Queue::with_posts(2).await;
    let claims = claim(&queue.client, 1, 2).await; // the answer that names the second is lost, say
    let held = claims[0].lease;
    let prolonged: Vec<i64> =
        queue.ask(&format!("SELECT array_agg(t) FROM tintype.extend(1, 600, '{{{held}}}') t")).await;
    assert_eq!(prolonged, [held]);
    assert_eq!(long(&queue).await, [claims[0].key.clone()]);
}
