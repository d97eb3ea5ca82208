//! Promise 3 under interleavings: whenever a worker commits a URL to a row, it is the picture of what the row says then. A
//! deferred trigger checks each commit; schedules come from a seed, which a failure names. Afterwards every row has its picture
//! and the queue is empty (promise 7).

use serde_json::Value;
use tokio_postgres::Client;

use super::{Claim, Queue, ask, claim, draw, fold, publish, publish_one};
use crate::support::postgres::TestDatabase;
use crate::torture::suite::dice::Dice;

/// What the interleaved writers touch.
const ROWS: u64 = 4;

/// Fails a worker's commit whose URL does not belong to the row's content.
const GUARD: &str = "
    CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE shown record;
    BEGIN
        SELECT p.og_image_url AS url, r.content INTO shown
          FROM posts p, tintype.source s, tintype.read_row(s, p.id::text) r WHERE p.id = NEW.id;
        IF current_setting('application_name') = 'tintype' AND strpos(shown.url, shown.content) = 0 THEN
            RAISE 'post % shows % but says %', NEW.id, shown.url, shown.content;
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER guard AFTER UPDATE ON posts DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (OLD.og_image_url IS DISTINCT FROM NEW.og_image_url) EXECUTE FUNCTION guard()";

/// A post and one of few texts, so that contents come back.
fn post(dice: &mut Dice) -> (u64, String) {
    (dice.below(ROWS) + 1, format!("text {}", dice.below(3)))
}

async fn guarded() -> Queue {
    let queue = Queue::with_posts(ROWS.cast_signed()).await;
    queue.run(GUARD).await;
    queue
}

async fn worker(database: &TestDatabase) -> Client {
    let client = database.client().await;
    client.batch_execute("SET application_name = 'tintype'").await.unwrap();
    client
}

#[tokio::test]
async fn the_guard_can_fail() {
    let queue = guarded().await;
    let error = worker(&queue.database).await.batch_execute("UPDATE posts SET og_image_url = 'x'").await.unwrap_err();
    assert!(error.as_db_error().is_some_and(|error| error.message().contains("shows x but says")), "{error:?}");
}

/// What a worker holds between two of its steps.
enum Hand {
    Empty,
    Claimed(Claim),
    Drawn(Value),
}

/// Hosts and workers that take turns by the dice, with pauses of any length between reading and writing.
struct Schedule {
    queue: Queue,
    dice: Dice,
    host: Client,
    slow_host: Client,
    /// The post that the slow host's open transaction holds.
    held: Option<u64>,
    /// Posts as they were loaded some time ago: id, body, URL.
    loaded: Vec<(i64, Option<String>, Option<String>)>,
    workers: Vec<(Client, Hand)>,
}

impl Schedule {
    async fn new(seed: u64) -> Self {
        let queue = guarded().await;
        let mut workers = Vec::new();
        for _ in 0..3 {
            workers.push((worker(&queue.database).await, Hand::Empty));
        }
        let (host, slow_host) = (queue.database.client().await, queue.database.client().await);
        Self { queue, dice: Dice::new(seed, 0), host, slow_host, held: None, loaded: Vec::new(), workers }
    }

    async fn step(&mut self) {
        match self.dice.below(16) {
            0 | 1 => self.edit().await,
            2 => self.slow_edit().await,
            3 => self.save_all_columns().await,
            4 => self.delete_or_insert().await,
            5 | 6 => drop(fold(&self.queue.client).await),
            7 if self.dice.below(3) == 0 => {
                self.queue.run("UPDATE tintype.job SET lease_until = now() - interval '1 s', deaths = 0 WHERE lease IS NOT NULL").await;
            }
            _ => self.work().await,
        }
    }

    async fn edit(&mut self) {
        let (id, text) = post(&mut self.dice);
        if self.held != Some(id) {
            self.host.execute("UPDATE posts SET body = $2 WHERE id = $1", &[&id.cast_signed(), &text]).await.unwrap();
        }
    }

    /// Opens a transaction with an edit, or ends the open one.
    async fn slow_edit(&mut self) {
        if self.held.take().is_some() {
            let end = if self.dice.below(3) == 0 { "ROLLBACK" } else { "COMMIT" };
            self.slow_host.batch_execute(end).await.unwrap();
            return;
        }
        let (id, text) = post(&mut self.dice);
        let edit = format!("BEGIN; UPDATE posts SET body = '{text}' WHERE id = {id}");
        self.slow_host.batch_execute(&edit).await.unwrap();
        self.held = Some(id);
    }

    /// Loads a post, or saves one that was loaded before, with all its columns.
    async fn save_all_columns(&mut self) {
        if self.loaded.len() < 3 {
            let id = (self.dice.below(ROWS) + 1).cast_signed();
            if let Some(row) =
                self.host.query_opt("SELECT id, body, og_image_url FROM posts WHERE id = $1", &[&id]).await.unwrap()
            {
                self.loaded.push((row.get(0), row.get(1), row.get(2)));
            }
            return;
        }
        let (id, body, url) = self.loaded.remove(0);
        if self.held != Some(id.cast_unsigned()) {
            let save = "UPDATE posts SET body = $2, og_image_url = $3 WHERE id = $1";
            self.host.execute(save, &[&id, &body, &url]).await.unwrap();
        }
    }

    async fn delete_or_insert(&mut self) {
        let (id, text) = post(&mut self.dice);
        if self.held == Some(id) {
            return;
        }
        let statement = match self.dice.below(4) {
            0 => format!("DELETE FROM posts WHERE id = {id}"),
            _ => format!("INSERT INTO posts (id, title, body) VALUES ({id}, 'Post', '{text}') ON CONFLICT DO NOTHING"),
        };
        self.host.batch_execute(&statement).await.unwrap();
    }

    /// One step of one worker: claim, read, publish, or trouble.
    async fn work(&mut self) {
        let number = self.dice.below(3) as usize;
        let trouble = self.dice.below(20);
        let (client, hand) = &mut self.workers[number];
        let worker = i32::try_from(number).unwrap();
        *hand = match std::mem::replace(hand, Hand::Empty) {
            Hand::Empty => claim(client, worker, 1).await.pop().map_or(Hand::Empty, Hand::Claimed),
            Hand::Claimed(claim) if trouble == 0 => {
                let Claim { source, key, lease, .. } = claim;
                let put_back = format!("SELECT tintype.retry_later({source}, '{key}', {lease}, 0, true, 'trouble')");
                ask::<bool>(client, &put_back).await;
                Hand::Empty
            }
            Hand::Claimed(claim) => Hand::Drawn(draw(client, &claim).await),
            Hand::Drawn(_) if trouble == 1 => Hand::Empty, // it died
            Hand::Drawn(_) if trouble == 2 => {
                ask::<i64>(client, &format!("SELECT tintype.release({worker})")).await;
                Hand::Empty
            }
            Hand::Drawn(picture) => match publish_one(client, &picture).await.as_str() {
                "locked" => Hand::Drawn(picture),
                _ => Hand::Empty,
            },
        };
    }
}

/// Lets everything come to rest, and checks that nothing is missing and nothing is left.
async fn settled(queue: &Queue, case: &str) {
    queue.expire().await;
    queue.work().await;
    for _ in 0..2 {
        queue.run("SELECT tintype.sweep(1, 100)").await; // finds what a full save has erased
    }
    queue.work().await;
    assert_eq!(queue.left().await, 0, "{case}: marks and jobs");
    let wrong: i64 = queue
        .ask(
            "SELECT count(*) FROM posts p, tintype.source s, tintype.read_row(s, p.id::text) r
               WHERE p.og_image_url IS NULL OR strpos(p.og_image_url, r.content) = 0",
        )
        .await;
    assert_eq!(wrong, 0, "{case}: posts without the picture of their content");
    let strays: i64 =
        queue.ask("SELECT count(*) FROM tintype.image i FULL JOIN posts p ON p.id::text = i.key WHERE i.url IS DISTINCT FROM p.og_image_url").await;
    assert_eq!(strays, 0, "{case}: ledger and rows agree");
}

#[tokio::test]
async fn stale_reads_never_reach_a_row() {
    for seed in 1..=6 {
        let mut schedule = Schedule::new(seed).await;
        for _ in 0..350 {
            schedule.step().await;
        }
        if schedule.held.is_some() {
            schedule.slow_host.batch_execute("COMMIT").await.unwrap();
        }
        settled(&schedule.queue, &format!("seed {seed}")).await;
    }
}

#[tokio::test]
async fn workers_and_hosts_at_once_come_to_rest() {
    const EDITS: u64 = 120;
    let queue = guarded().await;
    let mut hosts = tokio::task::JoinSet::new();
    for seed in 1..=2 {
        let client = queue.database.client().await;
        hosts.spawn(async move {
            let mut dice = Dice::new(seed, 0);
            for _ in 0..EDITS {
                let (id, text) = post(&mut dice);
                client.execute("UPDATE posts SET body = $2 WHERE id = $1", &[&id.cast_signed(), &text]).await.unwrap();
            }
        });
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut workers = tokio::task::JoinSet::new();
    for number in 1..=3 {
        let (client, stopped) = (worker(&queue.database).await, stopped.clone());
        workers.spawn(async move {
            let mut published = 0;
            while !*stopped.borrow() {
                fold(&client).await;
                let mut batch = Vec::new();
                for claim in claim(&client, number, 2).await {
                    batch.push(draw(&client, &claim).await);
                }
                published +=
                    publish(&client, &batch).await.iter().filter(|(_, outcome, _)| outcome == "published").count();
            }
            published
        });
    }
    hosts.join_all().await;
    stop.send(true).unwrap();
    let published: usize = workers.join_all().await.into_iter().sum();
    assert!(published > 0, "the workers were at work");
    settled(&queue, "at once").await;
}
