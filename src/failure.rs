//! What can go wrong with one job, and what to do about it: a kind goes in, a directive comes out, in one function.

use std::time::Duration;

use crate::{
    capture::{CaptureError, Trouble},
    card::CardError,
    db::DbError,
    page::PageError,
    storage::StorageError,
};

/// Why a job did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database did not answer as it should.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The source cannot be read: a column was dropped, a right is missing.
    #[error("table {table} cannot be read: {error}")]
    Source {
        /// The source's name.
        table: String,
        /// What Postgres said.
        error: DbError,
    },
    /// The store did not take the picture.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The look or theme of the source does not exist, or a file of them cannot be used.
    #[error(transparent)]
    Look(CardError),
    /// The row asks for a look that does not exist.
    #[error("{0}")]
    RowLook(CardError),
    /// The row has no page, or its source cannot be followed.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The page could not be taken.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// This content could not be drawn.
    #[error("the picture could not be drawn: {0}")]
    Drawing(String),
    /// The picture took too long; or the machine stood still meanwhile, which looks the same.
    #[error("the picture could not be drawn: it took longer than {0:?}")]
    Slow(Duration),
    /// The job took longer than its lease allows.
    #[error("gave up after {0:?}")]
    Deadline(Duration),
    /// The host application held the row all the time.
    #[error("the row was locked by another transaction")]
    RowLocked,
}

impl Failure {
    /// The reason as it goes on record. Of a capture it says what can be done as well: whoever looks at the row later has no log.
    pub fn reason(&self) -> String {
        match (self, self.hint()) {
            (Self::Capture(error), Some(hint)) => format!("{error}; {hint}"),
            _ => self.to_string(),
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Source { table, error } => {
                Some(error.hint().unwrap_or_else(|| format!("tintype attach {table} with the columns that it has now")))
            }
            Self::Storage(error) => error.hint(),
            Self::Look(CardError::Look(_)) | Self::Page(PageError::Template { .. }) => {
                Some("mend the file; jobs wait for it".to_owned())
            }
            Self::Look(_) => Some("start the worker with the --looks that have it, or tintype attach again with a --look, --theme and --template that exist".to_owned()),
            Self::RowLook(_) => Some("change the row, or add the look and then: tintype retry".to_owned()),
            Self::Page(PageError::Options(_)) => {
                Some("tintype attach again with --capture options that exist".to_owned())
            }
            Self::Page(PageError::Auth(_)) => {
                Some("give the worker that secret, or attach again with another --auth".to_owned())
            }
            Self::Page(PageError::Empty(_) | PageError::Address(_)) => Some("change the row".to_owned()),
            Self::Capture(error) => error.trouble.hint(),
            Self::Drawing(_) | Self::Slow(_) | Self::Deadline(_) | Self::RowLocked => None,
        }
    }
}

/// What becomes of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Try again within this time, chosen at random; counts as an attempt.
    Retry(Duration),
    /// Try again within this time; nobody's fault that lies in the row, so it does not count.
    Snooze(Duration),
    /// Try again after this time and not sooner, because the service said when; does not count.
    Await(Duration),
    /// Try again after this time and not sooner, because the page's server said when; counts as an attempt.
    Heed(Duration),
    /// Nothing failed: others go first, and it comes again within this time. Nothing is recorded, and nobody is told.
    Yield(Duration),
    /// This content can never be drawn: record the reason, and wait for other content.
    Discard,
}

/// The longest wait between two attempts.
const CAP: Duration = Duration::from_secs(300);

/// How often a picture may take too long before its content is said to be at fault: a worker that was stopped or starved for a
/// while finds its clock run out as well.
const SLOW: i32 = 3;

/// How often a page is asked for whose server is away or says that it has trouble: for about half an hour.
const PATIENT: i32 = 12;

/// Decides what becomes of a job that failed for the `attempt + 1`th time. Delays double from 2 s up to five minutes.
pub fn directive(failure: &Failure, attempt: i32) -> Directive {
    let backoff = CAP.min(Duration::from_secs(2 << attempt.clamp(0, 10)));
    match failure {
        Failure::Database(_) | Failure::Deadline(_) => Directive::Retry(backoff),
        Failure::RowLocked => Directive::Snooze(Duration::from_secs(10)),
        Failure::Source { .. } | Failure::Look(_) => Directive::Snooze(Duration::from_secs(60)),
        Failure::Storage(error) => on_storage(error, backoff),
        Failure::Page(error) => on_page(error),
        Failure::Capture(error) => on_capture(&error.trouble, attempt, backoff),
        Failure::Slow(_) if attempt + 1 < SLOW => Directive::Retry(backoff),
        Failure::Drawing(_) | Failure::Slow(_) | Failure::RowLook(_) => Directive::Discard,
    }
}

/// The row's own address is the row's affair; options, secrets and templates are for a person to mend.
fn on_page(error: &PageError) -> Directive {
    match error {
        PageError::Empty(_) | PageError::Address(_) => Directive::Discard,
        PageError::Options(_) | PageError::Auth(_) | PageError::Template { .. } => {
            Directive::Snooze(Duration::from_secs(60))
        }
    }
}

/// What a page's server says is final stays as it is; what may be a bad day is tried for half an hour; a browser's death is nobody's
/// fault.
fn on_capture(trouble: &Trouble, attempt: i32, backoff: Duration) -> Directive {
    let patient = |tries: i32| if attempt + 1 < tries { Directive::Retry(backoff) } else { Directive::Discard };
    match trouble {
        Trouble::Program(_) | Trouble::Start { .. } => Directive::Snooze(Duration::from_secs(60)),
        Trouble::BrowserDied | Trouble::Stopped => Directive::Snooze(Duration::from_secs(10)),
        Trouble::HostBusy { .. } => Directive::Yield(Duration::from_secs(3)),
        Trouble::PageCrashed | Trouble::Flood | Trouble::Protocol { .. } | Trouble::Encoding(_) => patient(2),
        // Nobody's fault, unless it happens again and again.
        Trouble::Deadline { .. } | Trouble::BrowserDiesAgain { .. } => patient(SLOW),
        Trouble::Unreachable { .. } => patient(PATIENT),
        Trouble::Status { retry_after, .. } if !trouble.is_permanent() => match (patient(PATIENT), retry_after) {
            // Not sooner than the server says, nor than without its word: else its patience would be ours.
            (Directive::Retry(_), Some(when)) => Directive::Heed((*when).max(backoff).min(CAP)),
            (directive, _) => directive,
        },
        Trouble::Status { .. }
        | Trouble::Options { .. }
        | Trouble::Address { .. }
        | Trouble::NoSuchHost { .. }
        | Trouble::NoPage { .. }
        | Trouble::PageClosed
        | Trouble::Blocked { .. }
        | Trouble::Refused { .. }
        | Trouble::NoElement { .. }
        | Trouble::BadSelector { .. }
        | Trouble::Size { .. } => Directive::Discard,
    }
}

/// Credentials, buckets and addresses are for a person to mend; a store that is slow or away comes back by itself.
fn on_storage(error: &StorageError, backoff: Duration) -> Directive {
    match error {
        StorageError::SlowDown { retry_after: Some(when), .. } => Directive::Await((*when).min(CAP)),
        StorageError::SlowDown { retry_after: None, .. } => Directive::Snooze(Duration::from_secs(10)),
        StorageError::Unreachable { .. } | StorageError::Refused { .. } | StorageError::Altered { .. } => {
            Directive::Retry(backoff)
        }
        StorageError::Io { .. }
        | StorageError::BadUrl { .. }
        | StorageError::NoSuchBucket { .. }
        | StorageError::WrongRegion { .. }
        | StorageError::AccessDenied { .. }
        | StorageError::BadCredentials { .. }
        | StorageError::NoCredentials { .. } => Directive::Snooze(Duration::from_secs(60)),
        StorageError::BadPath { .. } => Directive::Discard,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_again_when_its_server_says_and_not_for_ever() {
        let says = |status, seconds: Option<u64>| {
            let retry_after = seconds.map(Duration::from_secs);
            Failure::Capture(CaptureError::from(Trouble::Status { status, retry_after }))
        };
        assert_eq!(directive(&says(503, Some(7)), 0), Directive::Heed(Duration::from_secs(7)));
        assert_eq!(directive(&says(503, Some(7)), 5), Directive::Heed(Duration::from_secs(64)));
        assert_eq!(directive(&says(429, Some(86_400)), 0), Directive::Heed(CAP));
        assert_eq!(directive(&says(503, None), 0), Directive::Retry(Duration::from_secs(2)));
        assert_eq!(directive(&says(503, Some(7)), PATIENT - 1), Directive::Discard);
        assert_eq!(directive(&says(404, Some(7)), 0), Directive::Discard);
    }

    #[test]
    fn a_picture_that_took_too_long_is_given_up_the_third_time() {
        let slow = Failure::Slow(Duration::from_secs(20));
        let verdicts = [0, 1, 2].map(|attempt| directive(&slow, attempt));
        let [first, second] = [2, 4].map(|most| Directive::Retry(Duration::from_secs(most)));
        assert_eq!(verdicts, [first, second, Directive::Discard]);
    }
}
