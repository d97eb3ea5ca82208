//! Attaching tables: every kind of key and name, what is proposed, what is refused and how, again, at once, and away.

mod again;
mod keys;
mod locks;
mod names;
mod pages;
mod partitions;
mod proposals;
mod refusals;
mod rights;

use tokio_postgres::Client;

use crate::support::schema::{run, text, texts};

/// Takes the one marked row of the one source through fold, claim, read and publication, as a worker would, and returns its key.
async fn publish_one(client: &Client, what: &str) -> String {
    // Without statistics the statement below looks dear enough to be compiled, which takes a third of a second.
    run(client, what, "SET jit = off; SELECT tintype.fold(100)").await;
    let claimed = texts(client, "SELECT key FROM tintype.claim(1, 10, 60)").await;
    assert_eq!(claimed.len(), 1, "{what}: {claimed:?}");
    let publish = "SELECT string_agg(p.outcome, ' ')
          FROM (SELECT jsonb_build_array(jsonb_build_object(
                    'source', j.source, 'key', j.key, 'lease', j.lease, 'state', 'ready', 'content', r.content, 'template', 't',
                    'url', 'https://cdn.example/' || o.path, 'object', o.path, 'in_row', false,
                    'updated_at', now())) AS batch
                  FROM tintype.job j JOIN tintype.source s ON s.id = j.source, tintype.read_row(s, j.key) r,
                       LATERAL (SELECT md5(j.key) || '/' || md5(r.content) || '.png' AS path) o) b,
               tintype.publish(b.batch) p";
    assert_eq!(text(client, publish).await, "published", "{what}: {claimed:?}");
    assert_eq!(text(client, "SELECT count(*) FROM tintype.job").await, "0", "{what}: the job is done");
    assert_eq!(
        text(client, "SELECT count(*) FROM tintype.change").await,
        "0",
        "{what}: to write the URL marks nothing"
    );
    claimed.into_iter().next().unwrap_or_default()
}
