//! Publishing: a picture that is stored becomes the URL in its row, and its job is done. Pictures that are ready at the same
//! time share one transaction. The row gets the URL only where it still says what was drawn (`sql/functions/44_publish.sql`).

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::Json;

use crate::{
    db::{Database, DbError, Queries},
    failpoint::{self, AFTER_PUBLISH, BEFORE_PUBLISH},
    ledger::Ledger,
    queue::Claim,
};

/// How many pictures one transaction publishes at most.
const BATCH: usize = 64;

/// What came of a publication; the words of `tintype.publish_one`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Ledger and row hold it.
    Published,
    /// The row shows a picture chosen by hand, which wins; the ledger holds ours.
    Kept,
    /// The row says something else by now and is due again.
    Changed,
    /// The row is deleted or filtered out.
    Gone,
    /// The row is filtered out, and its URL was taken out of it.
    Unpublished,
    /// Its object is being deleted from the store; the job is due again in a moment.
    Removed,
    /// The host holds the row; the lease is still ours.
    Locked,
    /// The host's table refused the write, with its reason.
    Refused(String),
    /// The lease is not ours any more.
    Lost,
}

impl Verdict {
    fn read(word: &str, detail: Option<String>) -> Result<Self, DbError> {
        Ok(match word {
            "published" => Self::Published,
            "kept" => Self::Kept,
            "changed" => Self::Changed,
            "gone" => Self::Gone,
            "unpublished" => Self::Unpublished,
            "removed" => Self::Removed,
            "locked" => Self::Locked,
            "refused" => Self::Refused(detail.unwrap_or_default()),
            "lost" => Self::Lost,
            other => return Err(DbError::unexpected(format!("the verdict `{other}`"))),
        })
    }
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    source: i32,
    key: &'a str,
    lease: i64,
    #[serde(flatten)]
    ledger: &'a Ledger,
}

struct Request {
    claim: Claim,
    ledger: Ledger,
    reply: oneshot::Sender<Result<Verdict, DbError>>,
}

impl Request {
    fn answer(self, verdict: Result<Verdict, DbError>) {
        let _ = self.reply.send(verdict); // a worker that drains no longer listens
    }
}

/// The desk where finished pictures are handed in. Cheap to clone; the task ends when the last one is dropped.
#[derive(Clone)]
pub struct Publisher {
    desk: mpsc::Sender<Request>,
}

impl Publisher {
    /// Opens the desk: the publisher, and the work to be spawned for it. `announce` notifies `tintype_image` as well.
    pub fn new(db: Database, announce: bool) -> (Self, impl Future<Output = ()>) {
        let (desk, mut requests) = mpsc::channel(BATCH);
        let serve = async move {
            let mut batch = Vec::with_capacity(BATCH);
            while requests.recv_many(&mut batch, BATCH).await > 0 {
                publish_batch(&db, announce, &mut batch).await;
            }
        };
        (Self { desk }, serve)
    }

    /// Publishes one picture, or the reason why there is none.
    pub async fn publish(&self, claim: Claim, ledger: Ledger) -> Result<Verdict, DbError> {
        let (reply, verdict) = oneshot::channel();
        let request = Request { claim, ledger, reply };
        self.desk.send(request).await.map_err(|_| closed())?;
        verdict.await.map_err(|_| closed())?
    }
}

/// The desk was closed under a request.
fn closed() -> DbError {
    DbError::ConnectionLost { reason: "the publisher has ended".to_owned() }
}

/// Publishes a batch in one transaction, or in several where the host's rows take long. Where a batch as a whole is refused, one at a
/// time, so that no row fails another.
async fn publish_batch(db: &Database, announce: bool, batch: &mut Vec<Request>) {
    while !batch.is_empty() {
        match send(db, announce, batch).await {
            Ok(verdicts) if !verdicts.is_empty() => {
                for request in std::mem::take(batch) {
                    match find(&verdicts, &request.claim) {
                        Some(verdict) => request.answer(Ok(verdict)),
                        None => batch.push(request), // the transaction had taken long enough
                    }
                }
            }
            Ok(_) => batch.drain(..).for_each(|request| request.answer(Err(closed()))),
            Err(error) if batch.len() > 1 && !error.is_transient() => {
                for request in batch.drain(..) {
                    let verdicts = send(db, announce, std::slice::from_ref(&request)).await;
                    let verdict = verdicts.and_then(|verdicts| find(&verdicts, &request.claim).ok_or_else(closed));
                    request.answer(verdict);
                }
            }
            Err(error) => {
                let reason = error.to_string();
                let mut first = Some(error);
                for request in batch.drain(..) {
                    let again = || DbError::ConnectionLost { reason: reason.clone() };
                    request.answer(Err(first.take().unwrap_or_else(again)));
                }
            }
        }
    }
}

type Verdicts = Vec<(i32, String, Verdict)>;

fn find(verdicts: &Verdicts, claim: &Claim) -> Option<Verdict> {
    let of_claim = verdicts.iter().find(|(source, key, _)| *source == claim.source && *key == claim.key);
    of_claim.map(|(_, _, verdict)| verdict.clone())
}

async fn send(db: &Database, announce: bool, batch: &[Request]) -> Result<Verdicts, DbError> {
    let lines: Vec<_> = batch
        .iter()
        .map(|r| Line { source: r.claim.source, key: &r.claim.key, lease: r.claim.lease, ledger: &r.ledger })
        .collect();
    let client = db.get().await?;
    failpoint::reach(BEFORE_PUBLISH);
    let rows = client
        .query("SELECT source, key, outcome, detail FROM tintype.publish($1, $2)", &[&Json(lines), &announce])
        .await?;
    failpoint::reach(AFTER_PUBLISH);
    rows.iter()
        .map(|row| Ok((row.get("source"), row.get("key"), Verdict::read(row.get("outcome"), row.get("detail"))?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_nobody_knows_is_an_error() {
        assert_eq!(Verdict::read("lost", None).unwrap(), Verdict::Lost);
        let error = Verdict::read("mislaid", None).unwrap_err();
        assert!(error.to_string().contains("`mislaid`") && error.hint().is_some(), "{error}");
    }
}
