//! Superseded pictures are deleted from the store where the owner asks for it, and never by a database that is not their owner.

use std::time::Duration;

use tintype::{
    db::Database,
    prune::{self, Standing, prune, standing},
    storage::{Storage, StorageSettings},
};
use tokio_postgres::Client;

use crate::support::{
    eventually,
    postgres::TestDatabase,
    s3::S3Server,
    schema::{database, text},
    worker::{LIMIT, Workplace, blog},
};

/// A blog with one published post whose picture was superseded: the store has both.
async fn superseded() -> (TestDatabase, Client, Workplace) {
    let (test, client) = blog().await;
    let workplace = Workplace::new(test.url());
    client.batch_execute("INSERT INTO posts (id, title, body) VALUES (1, 'Hello', 'first')").await.unwrap();
    assert_eq!(workplace.work().await, 0);
    client.batch_execute("UPDATE posts SET body = 'second'").await.unwrap();
    assert_eq!(workplace.work().await, 0);
    assert_eq!(workplace.pictures().len(), 2);
    (test, client, workplace)
}

async fn store(workplace: &Workplace) -> Storage {
    let url = workplace.store().display().to_string();
    Storage::open(&StorageSettings { url, ..StorageSettings::default() }).await.unwrap()
}

async fn shown(client: &Client) -> String {
    text(client, "SELECT object FROM tintype.image").await
}

#[tokio::test]
async fn nothing_is_deleted_unless_somebody_asks() {
    let (test, client, workplace) = superseded().await;
    assert_eq!(workplace.work().await, 0);
    assert_eq!(workplace.pictures().len(), 2);
    let (db, store) = (database(&test.url()).await, store(&workplace).await);
    assert_eq!(prune(&db, &store, Duration::from_secs(3600)).await.unwrap(), 0, "not before its time");
    assert_eq!(prune(&db, &store, Duration::ZERO).await.unwrap(), 1);
    assert_eq!(workplace.pictures(), [shown(&client).await]);
    assert_eq!(prune(&db, &store, Duration::ZERO).await.unwrap(), 0);
}

#[tokio::test]
async fn a_worker_deletes_what_was_superseded_and_what_belonged_to_deleted_rows() {
    let (_test, client, workplace) = superseded().await;
    client
        .batch_execute("INSERT INTO posts (id, title, body) VALUES (2, 'Bye', 'text'); DELETE FROM posts WHERE id = 2")
        .await
        .unwrap();
    let worker = workplace.start(&["--prune-after", "0s"]);
    eventually("the picture of old is gone", LIMIT, async || (workplace.pictures().len() == 1).then_some(())).await;
    assert_eq!(workplace.pictures(), [shown(&client).await]);
    client.batch_execute("DELETE FROM posts; SELECT tintype.prune(s, '', 10) FROM tintype.source s").await.unwrap();
    eventually("the deleted row's picture is gone", LIMIT, async || workplace.pictures().is_empty().then_some(()))
        .await;
    assert_eq!(worker.logged_with("no superseded picture is deleted").len(), 0);
}

#[tokio::test]
async fn a_picture_that_came_back_within_the_grace_stays() {
    let (test, client, workplace) = superseded().await;
    client.batch_execute("UPDATE posts SET body = 'first'").await.unwrap();
    assert_eq!(workplace.work().await, 0);
    assert_eq!(prune(&database(&test.url()).await, &store(&workplace).await, Duration::ZERO).await.unwrap(), 1);
    assert_eq!(workplace.pictures(), [shown(&client).await], "the second went, the first is shown again");
    client.batch_execute("UPDATE posts SET body = 'second'").await.unwrap();
    assert_eq!(workplace.work().await, 0);
    assert_eq!(workplace.pictures().len(), 2, "what was deleted is drawn and stored anew");
    assert!(workplace.pictures().contains(&shown(&client).await));
}

#[tokio::test]
async fn a_restored_dump_deletes_nothing_until_it_is_adopted() {
    let (original, client, workplace) = superseded().await;
    drop(client);
    let copy = TestDatabase::copy_of(&original).await;
    let store = store(&workplace).await;
    let db = database(&copy.url()).await;
    let Standing::Doubtful { why, hint } = standing(&db, &store).await.unwrap() else { panic!("it is not ours") };
    assert!(why.contains("restored") && hint.contains("tintype.adopt()"), "{why}: {hint}");
    let second = Workplace::new(copy.url());
    let worker = second.start_with_store(&workplace.store(), &["--prune-after", "0s"]);
    let warning = "no superseded picture is deleted from the store";
    eventually("it says why not", LIMIT, async || (!worker.logged(warning).is_empty()).then_some(())).await;
    assert!(worker.logged(warning)[0]["hint"].as_str().is_some_and(|hint| hint.contains("tintype.adopt()")));
    assert_eq!(workplace.pictures().len(), 2);
    drop(worker);

    copy.client().await.batch_execute("SELECT tintype.adopt()").await.unwrap();
    assert_eq!(standing(&db, &store).await.unwrap(), Standing::Ours, "the mark in the store follows");
    assert_eq!(prune(&db, &store, Duration::ZERO).await.unwrap(), 1);
    let original = database(&original.url()).await;
    let Standing::Doubtful { why, .. } = standing(&original, &store).await.unwrap() else {
        panic!("it was given away")
    };
    assert!(why.contains("belongs to"), "{why}");
}

#[tokio::test]
async fn a_store_that_another_installation_marked_is_left_alone() {
    let (_first, _client, workplace) = superseded().await;
    let (other, _client) = blog().await;
    let (db, store) = (database(&other.url()).await, store(&workplace).await);
    let Standing::Doubtful { why, hint } = standing(&db, &store).await.unwrap() else { panic!("it is not ours") };
    assert!(why.contains("belongs to") && hint.contains("--storage"), "{why}: {hint}");
}

async fn bucket(server: &S3Server, db: &Database) -> Storage {
    let store = Storage::open(&server.settings("s3://pictures/og")).await.unwrap();
    assert_eq!(standing(db, &store).await.unwrap(), Standing::Ours, "an unmarked store is marked");
    store
}

#[tokio::test]
async fn a_bucket_is_pruned_as_a_folder_is() {
    let server = S3Server::start().await;
    let (test, client) = blog().await;
    let db = database(&test.url()).await;
    let store = bucket(&server, &db).await;
    assert_eq!(store.find(".tintype-instance").await.unwrap().map(|id| id.len()), Some(37));
    assert_eq!(store.find("posts/1/none.png").await.unwrap(), None);
    let object = store.put("posts/1/old.png", b"old".to_vec(), "image/png").await.unwrap();
    let other = store.put("posts/1/shown.png", b"shown".to_vec(), "image/png").await.unwrap();
    client
        .batch_execute(&format!(
            "SELECT tintype.discard('{}', 1, '1'), tintype.discard('elsewhere/old.png', 1, '1'), tintype.discard('og/never.png', 1, '1')",
            object.key
        ))
        .await
        .unwrap();
    assert_eq!(prune(&db, &store, Duration::ZERO).await.unwrap(), 2, "what is not there counts as deleted");
    assert_eq!(store.find("posts/1/old.png").await.unwrap(), None);
    assert!(store.find("posts/1/shown.png").await.unwrap().is_some(), "{}", other.key);
    assert!(store.delete("elsewhere/old.png").await.is_err(), "outside of the prefix");
}

#[tokio::test]
async fn a_store_that_refuses_keeps_what_it_has_for_later() {
    let server = S3Server::start().await;
    let (test, client) = blog().await;
    let db = database(&test.url()).await;
    let store = bucket(&server, &db).await;
    let object = store.put("posts/1/old.png", b"old".to_vec(), "image/png").await.unwrap();
    client.batch_execute(&format!("SELECT tintype.discard('{}', 1, '1')", object.key)).await.unwrap();
    server.fail(Some(crate::support::s3::Fault { status: 403, code: "AccessDenied", header: None }));
    let refused = prune::prune(&db, &store, Duration::ZERO).await.unwrap_err();
    assert!(refused.hint().is_some_and(|hint| hint.contains("s3:DeleteObject")), "{refused}");
    server.fail(None);
    assert!(store.find("posts/1/old.png").await.unwrap().is_some());
    client.batch_execute("UPDATE tintype.garbage SET condemned_at = now() - interval '11 minutes'").await.unwrap();
    assert_eq!(prune(&db, &store, Duration::ZERO).await.unwrap(), 1);
}
