//! One job from claim to publication, the place to start reading: a row is read, becomes a post, a picture, an object, and its
//! URL is published. A claim comes in, an [`Outcome`] goes out, and always one of them: a failure is settled here as well.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tracing::warn;

use crate::{
    card::{self, CardError, Image, Renderer},
    db::{Database, DbError},
    failpoint::{self, AFTER_CLAIM, AFTER_RENDER, AFTER_UPLOAD},
    failure::{Directive, Failure, directive},
    ledger::{Ledger, State},
    picture::{self, Draw, Skip, Wish},
    post::Post,
    publish::{Publisher, Verdict},
    queue::{self, Claim, Material},
    storage::{self, Storage},
    studio::{self, Studio},
};

/// How long a job may take. Its lease is prolonged as long as that.
const DEADLINE: Duration = Duration::from_secs(45);

/// How long one card may be on the easel; an ordinary one takes milliseconds.
const DRAWING: Duration = Duration::from_secs(20);

/// How often a publication knocks at a row that the host has locked, and how long it waits between two tries.
const LOCKED_TRIES: usize = 20;
const LOCKED_PAUSE: Duration = Duration::from_millis(100);

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
}

/// What every job needs: where rows come from, who draws, where pictures go.
pub struct Workshop {
    /// The application's database.
    pub db: Database,
    /// The renderers, one a look.
    pub studio: Arc<Studio>,
    /// Where pictures go.
    pub storage: Storage,
    /// Where finished ones are handed in.
    pub publisher: Publisher,
    /// How many cards are drawn at once.
    pub easels: Arc<Semaphore>,
}

/// Takes one claim to its end.
pub async fn execute(workshop: &Workshop, claim: Claim) -> Outcome {
    failpoint::reach(AFTER_CLAIM);
    let result = tokio::time::timeout(DEADLINE, perform(workshop, &claim)).await;
    match result.unwrap_or(Err(Failure::Deadline(DEADLINE))) {
        Ok(outcome) => outcome,
        Err(failure) => settle(workshop, claim, failure).await,
    }
}

async fn perform(workshop: &Workshop, claim: &Claim) -> Result<Outcome, Failure> {
    let Some(material) = read(workshop, claim).await?.filter(|material| material.wanted) else {
        return publish(workshop, claim, Ledger::default()).await; // finds for itself that the row is gone
    };
    let material = Arc::new(material);
    let (renderer, template) = dress(workshop, &material).await?;
    if let Some(ledger) = already_drawn(&material, &template) {
        let outcome = publish(workshop, claim, ledger).await?;
        return Ok(if matches!(outcome, Outcome::Published(_)) { Outcome::Unchanged } else { outcome });
    }
    let mut ledger =
        Ledger { content: Some(material.content.clone()), template: Some(template.clone()), ..Ledger::default() };
    match draw(workshop, renderer, &material).await? {
        Ok((image, kind, alt)) => {
            failpoint::reach(AFTER_RENDER);
            let (source, content) = (&material.source_name, &material.content);
            let path = storage::object_path(source, &claim.key, content, &template, image.extension);
            ledger = ready(ledger, &image, kind, alt);
            if let Some(reason) = &ledger.reason {
                warn!(
                    row = format!("{}/{}", claim.source, claim.key),
                    reason, "drawn with marks in place of characters"
                );
            }
            let object = workshop.storage.put(&path, image.bytes, image.media_type).await?;
            failpoint::reach(AFTER_UPLOAD);
            (ledger.url, ledger.object) = (Some(object.url), Some(object.key));
        }
        Err(skip) => {
            ledger.state = Some(State::Skipped);
            ledger.reason = Some(skip.to_string());
        }
    }
    publish(workshop, claim, ledger).await
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

type Drawn = (Image, &'static str, String);

/// The renderer of a row's style, and the fingerprint of all that decides its picture besides its content. One that is not made yet
/// reads files and draws art: on a thread for such work.
async fn dress(workshop: &Workshop, material: &Arc<Material>) -> Result<(Arc<Renderer>, String), Failure> {
    let renderer = if let Some(ready) = workshop.studio.ready(material.style()) {
        ready
    } else {
        let (studio, row) = (Arc::clone(&workshop.studio), Arc::clone(material));
        let making = tokio::task::spawn_blocking(move || studio.renderer(row.style()));
        let made = making.await.map_err(|panic| Failure::Drawing(panic.to_string()))?;
        made.map_err(|error| look_failure(material, error))?
    };
    let template = studio::fingerprint(&renderer, material.style());
    Ok((renderer, template))
}

/// Row → post → card → image, on a thread for such work. A panic is this row's failure and nobody else's.
async fn draw(
    workshop: &Workshop,
    renderer: Arc<Renderer>,
    material: &Material,
) -> Result<Result<Drawn, Skip>, Failure> {
    let fields = material.fields();
    let draw = material.draw.parse::<Draw>().unwrap_or_default();
    let easels = Arc::clone(&workshop.easels);
    let easel = easels.acquire_owned().await.map_err(|closed| Failure::Drawing(closed.to_string()))?;
    let drawing = tokio::task::spawn_blocking(move || {
        let _easel = easel; // given back when the thread is free again, however long anybody waited for it
        let wish = Wish { room: renderer.room(), ..Wish::default() };
        let card = match picture::choose_as(&Post::new(fields), draw, &wish) {
            Ok(card) => card,
            Err(skip) => return Ok(Err(skip)),
        };
        let image = renderer.render(&card).map_err(|error| Failure::Drawing(error.to_string()))?;
        Ok(Ok((image, picture::kind(&card), picture::alt_text(&card, card::language_name))))
    });
    match tokio::time::timeout(DRAWING, drawing).await {
        Ok(drawn) => drawn.unwrap_or_else(|panic| Err(Failure::Drawing(panic.to_string()))),
        Err(_) => Err(Failure::Slow(DRAWING)),
    }
}

/// A look that only a row asks for is that row's affair; everything else about looks is for a person to mend.
fn look_failure(material: &Material, error: CardError) -> Failure {
    match error {
        CardError::UnknownLook { .. } if material.row_look.is_some() => Failure::RowLook(error),
        error => Failure::Look(error),
    }
}

fn ready(ledger: Ledger, image: &Image, kind: &str, alt: String) -> Ledger {
    Ledger {
        state: Some(State::Ready),
        reason: card::missing(&image.missing),
        width: Some(image.width),
        height: Some(image.height),
        bytes: Some(image.bytes.len()),
        media_type: Some(image.media_type.to_owned()),
        kind: Some(kind.to_owned()),
        engine: Some("native".to_owned()),
        alt: Some(alt),
        rendered_at: Some(jiff::Timestamp::now().to_string()),
        ..ledger
    }
}

/// Hands the entry in, again and again while the host holds the row.
async fn publish(workshop: &Workshop, claim: &Claim, ledger: Ledger) -> Result<Outcome, Failure> {
    for _ in 0..LOCKED_TRIES {
        let verdict = workshop.publisher.publish(claim.clone(), ledger.clone()).await?;
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
async fn settle(workshop: &Workshop, claim: Claim, failure: Failure) -> Outcome {
    let (delay, charge) = match directive(&failure, claim.attempt) {
        Directive::Retry(delay) => (Duration::ZERO..=delay, true),
        Directive::Snooze(delay) => (Duration::ZERO..=delay, false),
        Directive::Await(delay) => (delay..=delay + delay / 4, false),
        Directive::Discard => return discard(workshop, claim, failure).await,
    };
    let reason = failure.to_string();
    let put_back = async {
        let client = workshop.db.get().await?;
        queue::retry_later(&client, &claim, &delay, charge, &reason).await
    };
    match put_back.await {
        Ok(()) => Outcome::Postponed(failure),
        Err(error) => Outcome::Postponed(Failure::Database(error)),
    }
}

async fn discard(workshop: &Workshop, claim: Claim, failure: Failure) -> Outcome {
    let record = async {
        let Some(material) = read(workshop, &claim).await? else { return Ok(Outcome::Gone) };
        let material = Arc::new(material);
        let template = dress(workshop, &material).await.ok().map(|(_, template)| template); // none where there is no such look
        let ledger = Ledger {
            state: Some(State::Failed),
            reason: Some(failure.to_string()),
            content: Some(material.content.clone()),
            template,
            ..Ledger::default()
        };
        publish(workshop, &claim, ledger).await
    };
    record.await.unwrap_or_else(Outcome::Postponed)
}
