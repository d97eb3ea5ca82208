//! What hangs on the host's table: nothing, the smallest trigger there is, tintype in each of its states, and the trigger of a tutorial.

use super::{server::Worker, stage::Stage};

/// One of the things that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// No trigger.
    Nothing,
    /// No trigger once more: how much two runs of the same differ.
    Again,
    /// A trigger that does nothing, where tintype has its own: the floor.
    Empty,
    /// tintype, and nobody at work.
    Alone,
    /// tintype, attached with `strict`, and nobody at work.
    Strict,
    /// A worker that is awake, folds and claims, and draws nothing.
    Awake,
    /// A worker that draws: it shares the machine with the host.
    Drawing,
    /// Somebody sleeps all the time, so that the bell rings with each change. In truth a worker wakes and takes it down.
    Asleep,
    /// A job table and a notification with each write.
    Tutorial,
}

impl Variant {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "no trigger",
            Self::Again => "no trigger, again (noise)",
            Self::Empty => "an empty trigger (floor)",
            Self::Alone => "tintype, no worker",
            Self::Strict => "tintype, strict, no worker",
            Self::Awake => "tintype, worker awake",
            Self::Drawing => "tintype, worker drawing",
            Self::Asleep => "tintype, asleep for ever",
            Self::Tutorial => "a tutorial's trigger",
        }
    }

    /// Puts it on the table, and starts a worker where it has one.
    pub(crate) async fn enter(self, stage: &Stage) -> Option<Worker> {
        match self {
            Self::Nothing | Self::Again => {}
            Self::Empty => stage.blog.run(&like_tintypes("bench.empty()")).await,
            Self::Tutorial => stage.blog.run(&like_tintypes("bench.tutorial()")).await,
            Self::Strict => stage.blog.run("SELECT tintype.attach('posts', strict => true)").await,
            Self::Alone | Self::Asleep | Self::Awake | Self::Drawing => {
                stage.blog.run("SELECT tintype.attach('posts')").await;
            }
        }
        match self {
            Self::Asleep => stage.blog.run("SELECT tintype.set_bell(3600)").await,
            Self::Awake => stage.blog.run("UPDATE tintype.source SET paused = true").await,
            _ => {}
        }
        match self {
            Self::Awake | Self::Drawing => Some(stage.work().await),
            _ => None,
        }
    }

    /// Takes everything away again.
    pub(crate) async fn leave(self, stage: &Stage, worker: Option<Worker>) {
        if let Some(worker) = worker {
            worker.stop().await;
        }
        match self {
            Self::Nothing | Self::Again => {}
            Self::Empty | Self::Tutorial => {
                stage
                    .blog
                    .run("DROP TRIGGER other_insert ON posts; DROP TRIGGER other_update ON posts; TRUNCATE bench.job")
                    .await;
            }
            Self::Alone | Self::Strict | Self::Asleep | Self::Awake | Self::Drawing => {
                stage.blog.run("SELECT tintype.set_bell(0), tintype.detach('posts')").await;
                stage.blog.run("TRUNCATE tintype.change, tintype.job, tintype.image").await;
            }
        }
    }
}

/// Triggers that fire where tintype's do.
fn like_tintypes(function: &str) -> String {
    let differs: Vec<String> = ["title", "body", "author"]
        .iter()
        .map(|column| format!("OLD.{column} COLLATE \"C\" IS DISTINCT FROM NEW.{column} COLLATE \"C\""))
        .collect();
    format!(
        "CREATE TRIGGER other_insert AFTER INSERT ON posts FOR EACH ROW EXECUTE FUNCTION {function};
         CREATE TRIGGER other_update AFTER UPDATE OF id, title, body, author, published_at ON posts
             FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id OR {} OR OLD.published_at IS DISTINCT FROM NEW.published_at)
             EXECUTE FUNCTION {function};",
        differs.join(" OR ")
    )
}
