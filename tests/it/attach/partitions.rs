//! Partitioned tables: written through the parent, into a partition, and from one partition into another.

use super::publish_one;
use crate::support::schema::{installed, refused, run, text};

const ENTRIES: &str = include_str!("../../../fixtures/apps/partitioned/schema.sql");

/// What is written, and the id of the row that it marks.
const WRITES: &[(&str, &str, &str)] = &[
    ("through the parent", "INSERT INTO entries (id, created_at, body_markdown) VALUES (1, '2026-02-01', 'x')", "1"),
    (
        "into a partition",
        "INSERT INTO entries_2026q2 (id, created_at, body_markdown) VALUES (2, '2026-05-01', 'x')",
        "2",
    ),
    ("update through the parent", "UPDATE entries SET title = 'new' WHERE id = 2", "2"),
    ("update in the partition", "UPDATE entries_2026q1 SET body_markdown = 'new' WHERE id = 1", "1"),
    ("into another partition", "UPDATE entries SET created_at = '2026-08-01' WHERE id = 1", "1"),
    (
        "into a partition that is made later",
        "CREATE TABLE entries_2027 PARTITION OF entries FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
         INSERT INTO entries_2027 (id, created_at, body_markdown) VALUES (3, '2027-02-01', 'x')",
        "3",
    ),
    (
        "into a partition that was a table before",
        "CREATE TABLE entries_2028 (LIKE entries INCLUDING ALL);
         ALTER TABLE entries ATTACH PARTITION entries_2028 FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
         INSERT INTO entries_2028 (id, created_at, body_markdown) VALUES (4, '2028-02-01', 'x')",
        "4",
    ),
];

#[tokio::test]
async fn every_way_into_a_partition_is_watched() {
    let (_test, client) = installed().await;
    run(&client, "the application", ENTRIES).await;
    run(&client, "attach", "SELECT tintype.attach('entries', image => 'preview_url')").await;
    for (what, write, id) in WRITES {
        run(&client, what, write).await;
        let key = publish_one(&client, what).await;
        assert!(key.starts_with(&format!("{{{id},")), "{what}: {key}");
        let image = format!("SELECT preview_url LIKE 'https://%' FROM entries WHERE id = {id}");
        assert_eq!(text(&client, &image).await, "t", "{what}");
    }
    run(
        &client,
        "a view counter",
        "UPDATE entries SET view_count = view_count + 1; UPDATE entries_2026q2 SET view_count = 7",
    )
    .await;
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.change").await, "0");
    run(&client, "the partition leaves", "ALTER TABLE entries DETACH PARTITION entries_2026q2").await;
    run(&client, "its rows are nobody's", "UPDATE entries_2026q2 SET body_markdown = 'y'").await;
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.change").await, "0");
    run(&client, "detach", "SELECT tintype.detach('entries')").await;
    assert_eq!(text(&client, "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'tintype%'").await, "0");
}

#[tokio::test]
async fn a_partition_of_a_watched_table_is_not_watched_twice() {
    let (_test, client) = installed().await;
    run(&client, "the application", ENTRIES).await;
    run(&client, "attach", "SELECT tintype.attach('entries')").await;
    let refusal = refused(&client, "its partition", "SELECT tintype.attach('entries_2026q1')").await;
    assert_eq!(refusal.state, "42809", "{refusal:?}");
    assert_eq!(refusal.message, "public.entries_2026q1 is a partition of public.entries, which is attached");
    run(&client, "the other way round", "SELECT tintype.detach('entries'); SELECT tintype.attach('entries_2026q1')")
        .await;
    let refusal = refused(&client, "its parent", "SELECT tintype.attach('entries')").await;
    assert_eq!(refusal.state, "42809", "{refusal:?}");
    assert!(refusal.message.contains("entries_2026q1") && refusal.hint.contains("tintype detach"), "{refusal:?}");
}
