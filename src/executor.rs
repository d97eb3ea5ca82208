//! One job from claim to publication, the place to start reading: a row is read, becomes a post, a picture, an object, and its
//! URL is published. A claim comes in, an [`Outcome`] goes out, and always one of them: a failure is settled here as well.

use std::{
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::{Instrument, warn};

use crate::{
    card,
    db::{Database, DbError},
    drawing::{Drawn, Engine, Engines},
    failpoint::{self, AFTER_CLAIM, AFTER_RENDER, AFTER_UPLOAD},
    failure::{Directive, Failure, directive},
    ledger::{Ledger, State},
    publish::{Publisher, Verdict},
    queue::{self, Claim, Material},
    storage::{self, Storage},
    trace,
    vitals::{Vitals, engine},
};

/// How long each end of a job may take, before its picture is drawn and after. Its lease is prolonged as long as it lives.
const DEADLINE: Duration = Duration::from_secs(45);

/// How often a publication knocks at a row that the host has locked, and how long it waits between two tries.
const LOCKED_TRIES: usize = 20;
const LOCKED_PAUSE: Duration = Duration::from_millis(100);

/// How long a job waits whose failure could not be put on record.
const UNRECORDED: Duration = Duration::from_secs(60);

/// What came of a job.
#[derive(Debug)]
pub enum Outcome {
    /// The URL is in the row (or in `tintype.image` alone, where the source has no image column).
    Published(String),
    /// The row shows a picture chosen by hand; ours is in the ledger.
    Kept,
    /// The row calls for no picture, for this reason.
    Skipped(String),
    /// Nothing had changed: no picture was drawn, and a URL that had been lost was written back.
    Unchanged,
    /// The row changed while it was drawn; its job is due again.
    Changed,
    /// The row is deleted or filtered out.
    Gone,
    /// The row is filtered out, and its URL was taken out of it.
    Unpublished,
    /// Another worker owns the job by now.
    Lost,
    /// This content can never have a picture; the reason is in the ledger.
    Failed(String),
    /// The job waits for another attempt.
    Postponed(Failure),
    /// The job let others go first, and comes again within this time.
    Yielded(Duration),
}

impl Outcome {
    /// What went wrong, where the row has no picture for it.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Failed(reason) => Some(reason.clone()),
            Self::Postponed(failure) => Some(failure.to_string()),
            _ => None,
        }
    }

    /// In one word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Published(_) => "published",
            Self::Kept => "kept",
            Self::Skipped(_) => "skipped",
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Unpublished => "unpublished",
            Self::Lost => "lost",
            Self::Failed(_) => "failed",
            Self::Postponed(_) => "postponed",
            Self::Yielded(_) => "yielded",
        }
    }
}

/// What every job needs: where rows come from, who draws, where pictures go.
pub struct Workshop {
    /// The application's database.
    pub db: Database,
    /// Who draws.
    pub engines: Engines,
    /// Where pictures go.
    pub storage: Storage,
    /// Where finished ones are handed in.
    pub publisher: Publisher,
    /// Where it is noted how it goes.
    pub vitals: Arc<Vitals>,
}

/// Takes one claim to its end.
pub async fn execute(workshop: &Workshop, claim: Claim) -> Outcome {
    failpoint::reach(AFTER_CLAIM);
    let mut tried = Tried::default();
    match perform(workshop, &claim, &mut tried).await {
        Ok(outcome) => outcome,
        Err(failure) => settle(workshop, claim, failure, tried).await,
    }
}

/// The fingerprints of what is being drawn and of how, as far as they are known: what a failure is recorded against. The row may say
/// something else by then, which is another attempt's affair.
#[derive(Default)]
struct Tried {
    content: Option<String>,
    template: Option<String>,
}

async fn perform(workshop: &Workshop, claim: &Claim, tried: &mut Tried) -> Result<Outcome, Failure> {
    let began = Instant::now();
    let (material, engine, template) =
        match in_time(Box::pin(look(workshop, claim, tried).instrument(trace::part("read")))).await? {
            Look::Settled(outcome) => return Ok(outcome),
            Look::Draw(material, engine, template) => (material, engine, template),
        };
    if material.has_status {
        queue::say_processing(&workshop.db.get().await?, claim).await?;
    }
    let drawn = workshop.engines.draw(engine, &material).instrument(trace::part("draw")).await?;
    let time = drawn.as_ref().ok().map(|drawn| (drawn.steady, drawn.took));
    let outcome = in_time(Box::pin(hand_in(workshop, claim, &material, template, drawn))).await?;
    match time {
        Some((true, drawing)) => workshop.vitals.pace.card(drawing, began.elapsed()),
        Some((false, _)) => workshop.vitals.pace.page(began.elapsed()),
        None => {}
    }
    Ok(outcome)
}

/// What a look at the row says.
enum Look {
    /// Nothing is to be drawn.
    Settled(Outcome),
    /// This is, by whom, and the fingerprint of how.
    Draw(Arc<Material>, Engine, String),
}

/// The first end of a job: what the row says, and whether that calls for a picture.
async fn look(workshop: &Workshop, claim: &Claim, tried: &mut Tried) -> Result<Look, Failure> {
    let Some(material) = read(workshop, claim).await?.filter(|material| material.wanted) else {
        // It finds for itself that the row is gone.
        return publish(workshop, claim, Ledger::default()).await.map(Look::Settled);
    };
    let material = Arc::new(material);
    tried.content = Some(material.content.clone());
    let (engine, template) = workshop.engines.choose(&material).await?;
    tried.template = Some(template.clone());
    let Some(ledger) = already_drawn(&material, &template) else { return Ok(Look::Draw(material, engine, template)) };
    let outcome = publish(workshop, claim, ledger).await?;
    Ok(Look::Settled(if matches!(outcome, Outcome::Published(_)) { Outcome::Unchanged } else { outcome }))
}

/// The other end: the picture goes into the store, its URL into the row.
async fn hand_in(
    workshop: &Workshop,
    claim: &Claim,
    material: &Material,
    template: String,
    drawn: Result<Drawn, String>,
) -> Result<Outcome, Failure> {
    let mut ledger =
        Ledger { content: Some(material.content.clone()), template: Some(template.clone()), ..Ledger::default() };
    match drawn {
        Ok(drawn) => {
            failpoint::reach(AFTER_RENDER);
            note(workshop, &drawn);
            let how = if drawn.steady { template } else { template + &storage::digest_of(&drawn.image.bytes) };
            let (source, extension) = (&material.source_name, drawn.image.extension);
            let path = storage::object_path(source, &claim.key, &material.content, &how, extension);
            ledger = ready(ledger, &drawn);
            if let Some(reason) = &ledger.reason {
                warn!(
                    row = format!("{}/{}", claim.source_name, claim.key),
                    reason, "drawn with marks in place of characters"
                );
            }
            let began = Instant::now();
            let put = workshop.storage.put(&path, drawn.image.bytes, drawn.image.media_type);
            let object = put.instrument(trace::part("upload")).await?;
            let upload = workshop.vitals.meters.upload.get_or_create_owned(&engine(workshop.storage.kind()));
            upload.observe(began.elapsed().as_secs_f64());
            failpoint::reach(AFTER_UPLOAD);
            (ledger.url, ledger.object) = (Some(object.url), Some(object.key));
        }
        Err(skip) => {
            ledger.state = Some(State::Skipped);
            ledger.reason = Some(skip);
        }
    }
    publish(workshop, claim, ledger).await
}

async fn in_time<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(DEADLINE, work).await.unwrap_or(Err(Failure::Deadline(DEADLINE)))
}

/// Reads the row on a connection that goes back before anything is drawn.
async fn read(workshop: &Workshop, claim: &Claim) -> Result<Option<Material>, Failure> {
    let client = workshop.db.get().await?;
    match queue::read(&client, claim).await {
        Err(error @ DbError::Query(_)) if !error.is_transient() => {
            let table = crate::source::name(&client, claim.source).await?;
            Err(Failure::Source { table, error })
        }
        other => Ok(other?),
    }
}

/// The ledger's entry, where content and template are those that it was made from. A row that the filter lets in again has its
/// old picture, which is kept on record for that.
fn already_drawn(material: &Material, template: &str) -> Option<Ledger> {
    let ledger = material.ledger.as_ref()?;
    let same = ledger.content.as_ref() == Some(&material.content) && ledger.template.as_deref() == Some(template);
    if ledger.outside {
        let ready = Ledger { state: Some(State::Ready), reason: None, ..ledger.clone() };
        return (same && ledger.url.is_some()).then_some(ready);
    }
    same.then(|| ledger.clone())
}

/// Notes what a picture took.
fn note(workshop: &Workshop, drawn: &Drawn) {
    let meters = &workshop.vitals.meters;
    let times = if drawn.steady { &meters.render } else { &meters.capture };
    times.get_or_create(&engine(&drawn.engine)).observe(drawn.took.as_secs_f64());
}

fn ready(ledger: Ledger, drawn: &Drawn) -> Ledger {
    let image = &drawn.image;
    Ledger {
        state: Some(State::Ready),
        reason: card::missing(&image.missing),
        width: Some(image.width),
        height: Some(image.height),
        bytes: Some(image.bytes.len()),
        media_type: Some(image.media_type.to_owned()),
        kind: Some(drawn.kind.to_owned()),
        engine: Some(drawn.engine.clone()),
        alt: Some(drawn.alt.clone()),
        rendered_at: Some(jiff::Timestamp::now().to_string()),
        ..ledger
    }
}

/// Hands the entry in, again and again while the host holds the row.
async fn publish(workshop: &Workshop, claim: &Claim, ledger: Ledger) -> Result<Outcome, Failure> {
    for _ in 0..LOCKED_TRIES {
        let handed_in = workshop.publisher.publish(claim.clone(), ledger.clone());
        let verdict = handed_in.instrument(trace::part("publish")).await?;
        return Ok(match verdict {
            Verdict::Locked => {
                tokio::time::sleep(LOCKED_PAUSE).await;
                continue;
            }
            Verdict::Published => match (ledger.state, ledger.url, ledger.reason) {
                (Some(State::Skipped), _, reason) => Outcome::Skipped(reason.unwrap_or_default()),
                (Some(State::Failed), _, reason) => Outcome::Failed(reason.unwrap_or_default()),
                (Some(State::Ready) | None, url, _) => Outcome::Published(url.unwrap_or_default()),
            },
            Verdict::Kept => Outcome::Kept,
            Verdict::Changed | Verdict::Removed => Outcome::Changed,
            Verdict::Gone => Outcome::Gone,
            Verdict::Unpublished => Outcome::Unpublished,
            Verdict::Lost => Outcome::Lost,
            Verdict::Refused(reason) => Outcome::Failed(reason),
        });
    }
    Err(Failure::RowLocked)
}

/// Does with a failed job what its failure calls for. Where even that fails, the lease runs out and somebody takes it again.
async fn settle(workshop: &Workshop, claim: Claim, failure: Failure, tried: Tried) -> Outcome {
    let (delay, charge) = match directive(&failure, claim.attempt) {
        Directive::Retry(delay) => (Duration::ZERO..=delay, true),
        Directive::Snooze(delay) => (Duration::ZERO..=delay, false),
        Directive::Await(delay) => (delay..=delay + delay / 4, false),
        Directive::Heed(delay) => (delay..=delay + delay / 4, true),
        Directive::Yield(delay) => return give_way(workshop, &claim, delay).await,
        Directive::Discard => match discard(workshop, &claim, &failure, tried).await {
            Ok(outcome) => return outcome,
            Err(error) => return put_back(workshop, &claim, (LOCKED_PAUSE..=UNRECORDED, false), error).await,
        },
    };
    put_back(workshop, &claim, (delay, charge), failure).await
}

/// Gives a job back for a while, with the reason.
async fn put_back(
    workshop: &Workshop,
    claim: &Claim,
    (delay, charge): (RangeInclusive<Duration>, bool),
    failure: Failure,
) -> Outcome {
    let reason = failure.reason();
    let given_back = async {
        let client = workshop.db.get().await?;
        queue::retry_later(&client, claim, &delay, charge, Some(&reason)).await
    };
    match given_back.await {
        Ok(()) => Outcome::Postponed(failure),
        Err(error) => Outcome::Postponed(Failure::Database(error)),
    }
}

/// Gives a job back so that others go first.
async fn give_way(workshop: &Workshop, claim: &Claim, delay: Duration) -> Outcome {
    let given_back = async {
        let client = workshop.db.get().await?;
        queue::retry_later(&client, claim, &(Duration::ZERO..=delay), false, None).await
    };
    match given_back.await {
        Ok(()) => Outcome::Yielded(delay),
        Err(error) => Outcome::Postponed(Failure::Database(error)),
    }
}

/// Records that what was tried can never be drawn. Where the row says something else by now, that is tried next.
async fn discard(workshop: &Workshop, claim: &Claim, failure: &Failure, tried: Tried) -> Result<Outcome, Failure> {
    let ledger = Ledger {
        state: Some(State::Failed),
        reason: Some(failure.reason()),
        content: tried.content,
        template: tried.template,
        ..Ledger::default()
    };
    publish(workshop, claim, ledger).await
}
