//! A row that kills its workers is parked, and stays parked until it changes.

use super::{Queue, claim, draw, fold, publish_one};

/// A post whose worker has died three times.
async fn poisoned() -> Queue {
    let queue = Queue::with_posts(2).await;
    let good = claim(&queue.client, 2, 10).await.into_iter().find(|claim| claim.key == "2").unwrap();
    let picture = draw(&queue.client, &good).await;
    publish_one(&queue.client, &picture).await;
    queue.expire().await;
    for deaths in 1..=2 {
        assert_eq!(queue.claim_one().await.deaths, deaths, "it is handed on");
        queue.expire().await;
    }
    queue
}

#[tokio::test]
async fn the_third_death_is_the_last() {
    let queue = poisoned().await;
    assert!(claim(&queue.client, 1, 10).await.is_empty(), "nobody gets it a fourth time");
    assert_eq!(queue.ask::<i64>("SELECT tintype.park()").await, 1);
    assert_eq!(queue.left().await, 0);
    let reason = queue.ask::<String>("SELECT reason FROM tintype.image WHERE key = '1' AND state = 'failed'").await;
    assert_eq!(reason, "three workers died while drawing this row");
    assert_eq!(queue.ask::<i64>("SELECT failed FROM tintype.status").await, 1);
    assert_eq!(queue.ask::<i64>("SELECT tintype.park()").await, 0, "nothing else is parked");
}

#[tokio::test]
async fn a_worker_that_is_slow_but_alive_is_not_parked() {
    let queue = poisoned().await;
    queue.run("UPDATE tintype.job SET lease_until = now() + interval '10 seconds'").await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.park()").await, 0);
}

#[tokio::test]
async fn the_sweep_does_not_hand_poison_round_again() {
    let queue = poisoned().await;
    queue.run("SELECT tintype.park()").await;
    queue.run("SELECT tintype.sweep(1, 10); SELECT tintype.sweep(1, 10)").await;
    assert_eq!(queue.left().await, 0, "not tried again while it says the same");
    queue.run("UPDATE posts SET body = 'harmless' WHERE id = 1").await;
    queue.work().await;
    assert!(queue.post_url(1).await.is_some(), "an edit gives it another chance");
}

#[tokio::test]
async fn an_edit_meanwhile_gives_another_chance() {
    let queue = poisoned().await;
    queue.run("UPDATE posts SET body = 'harmless' WHERE id = 1").await;
    fold(&queue.client).await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.park()").await, 0, "it is not the content that killed");
    queue.work().await;
    assert!(queue.post_url(1).await.is_some());
}

#[tokio::test]
async fn a_person_can_try_it_again() {
    let queue = poisoned().await;
    queue.run("SELECT tintype.park()").await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.retry('posts', '1')").await, 1);
    assert_eq!(queue.claim_one().await.deaths, 0, "with a clean record");
}

#[tokio::test]
async fn a_deadly_row_convicts_itself_alone() {
    let queue = Queue::with_posts(6).await;
    queue.run("SELECT tintype.fold(100)").await;
    let claim = "SELECT count(*) FROM tintype.claim(1, 10, 60)";
    let die = "UPDATE tintype.job SET lease_until = now() - interval '1 s' WHERE lease IS NOT NULL";
    assert_eq!(queue.ask::<i64>(claim).await, 6, "nobody is under suspicion");
    for death in 1..=2 {
        queue.run(die).await;
        assert_eq!(queue.ask::<i64>(claim).await, 1, "after death {death} a suspect comes alone");
        assert_eq!(queue.ask::<i64>(claim).await, 0, "and no other beside it");
    }
    queue.run(die).await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.park()").await, 1);
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM tintype.job").await, 5, "those claimed beside it go on");
    queue.run("INSERT INTO posts (id, body) VALUES (100, 'new'); SELECT tintype.fold(100)").await;
    assert_eq!(queue.ask::<i64>(claim).await, 2, "one suspect, and the new row beside it");
}
