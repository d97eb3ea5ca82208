//! Pruning: objects that no row shows any more are deleted from the store after a grace period, where the owner asks for it. The
//! garbage is noted in the database (`sql/functions/45_garbage.sql`); whose store it is, in both: the installation's id stands in
//! an object that the first worker writes. Where the two disagree, nothing is deleted.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{
    db::{Database, DbError, Queries},
    failure::Failure,
    storage::Storage,
};

/// The object that says whose store it is.
const MARKER: &str = ".tintype-instance";

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(10);

/// Objects that one round deletes at most, and how many at a time.
const CHUNK: i32 = 100;
const AT_ONCE: usize = 4;

/// How long one round may go on deleting; well below the ten minutes after which others take over what was condemned.
const LIMIT: Duration = Duration::from_secs(120);

/// Whose store it is, as far as this database can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// This installation's.
    Ours,
    /// Not certainly this installation's: why, and what to type.
    Doubtful {
        /// What speaks against it.
        why: String,
        /// What an owner who knows better can do.
        hint: &'static str,
    },
}

/// Marks the store as this installation's where nobody has, and then, where `after` is given, deletes what has been garbage for
/// longer, until `stop`. Trouble is told once for each kind of it.
pub async fn keep(db: &Database, storage: &Storage, after: Option<Duration>, stop: &CancellationToken) {
    let Some(after) = after else {
        tokio::select! {
            standing = standing(db, storage) => if let Err(error) = standing {
                debug!(%error, "the store could not be marked as this installation's");
            },
            () = stop.cancelled() => {}
        }
        return;
    };
    let mut told = None;
    loop {
        let done = tokio::select! {
            done = round(db, storage, after) => done,
            () = stop.cancelled() => return, // what is condemned and not buried comes again
        };
        let trouble = match done {
            Ok(Ok(0)) => None,
            Ok(Ok(deleted)) => {
                info!(deleted, "deleted superseded pictures from the store");
                None
            }
            Ok(Err((why, hint))) => Some((why, Some(hint.to_owned()))),
            Err(error) => Some((error.to_string(), error.hint())),
        };
        if trouble.is_some() && trouble != told {
            let (why, hint) = trouble.clone().unwrap_or_default();
            warn!(why, hint, "no superseded picture is deleted from the store");
        }
        told = trouble;
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// One round: how many objects were deleted, or why none may be.
async fn round(
    db: &Database,
    storage: &Storage,
    after: Duration,
) -> Result<Result<usize, (String, &'static str)>, Failure> {
    if let Standing::Doubtful { why, hint } = standing(db, storage).await? {
        return Ok(Err((why, hint)));
    }
    prune(db, storage, after).await.map(Ok)
}

/// Whose store it is. A store without a mark is marked as ours, and so is one that was ours before `tintype.adopt()`.
pub async fn standing(db: &Database, storage: &Storage) -> Result<Standing, Failure> {
    let client = db.get().await?;
    let row =
        client.query_one("SELECT id::text, former::text, place = tintype.place() FROM tintype.instance", &[]).await?;
    drop(client);
    let (id, former, here): (String, Option<String>, bool) = (row.get(0), row.get(1), row.get(2));
    if !here {
        return Ok(Standing::Doubtful {
            why: "this database was restored from another's dump or moved, and the store may be the other's".to_owned(),
            hint: "if the other is gone for good: SELECT tintype.adopt(); else give this one a --storage of its own",
        });
    }
    let mark = storage.find(MARKER).await?.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    match mark {
        Some(mark) if mark == id => Ok(Standing::Ours),
        Some(mark) if Some(&mark) != former.as_ref() => Ok(Standing::Doubtful {
            why: format!("the store belongs to tintype installation {mark}, this one is {id}"),
            hint: "give this one a --storage of its own; or delete .tintype-instance from the store, if the other is gone for good",
        }),
        _ => {
            storage.put(MARKER, format!("{id}\n").into_bytes(), "text/plain").await?;
            Ok(Standing::Ours)
        }
    }
}

/// Deletes a chunk of what has been garbage for longer than `after`; returns how many objects.
pub async fn prune(db: &Database, storage: &Storage, after: Duration) -> Result<usize, Failure> {
    let rows = db
        .get()
        .await?
        .query(
            "SELECT tintype.condemn(make_interval(secs => $1), $2, $3)",
            &[&after.as_secs_f64(), &storage.prefix(), &CHUNK],
        )
        .await?;
    let objects: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if objects.is_empty() {
        return Ok(0);
    }
    let (mut deleted, mut trouble) = (Vec::new(), None);
    let deleting = async {
        let mut results = stream::iter(objects)
            .map(|object| {
                let storage = storage.clone();
                async move { (storage.delete(&object).await, object) }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((result, object)) = results.next().await {
            match result {
                Ok(()) => deleted.push(object),
                Err(error) => trouble = Some(error),
            }
        }
    };
    if tokio::time::timeout(LIMIT, deleting).await.is_err() {
        debug!("the store is slow to delete; the rest comes later");
    }
    bury(db, &deleted).await?;
    trouble.map_or(Ok(deleted.len()), |error| Err(error.into()))
}

async fn bury(db: &Database, deleted: &Vec<String>) -> Result<(), DbError> {
    db.get().await?.execute("SELECT tintype.bury($1)", &[deleted]).await
}
