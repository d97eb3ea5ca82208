//! `tintype pause` and `tintype resume`.

use super::{Context, terminal::say};
use crate::{
    cli::{Pause, Resume},
    error::Error,
    install::patiently,
    source,
};

pub(super) async fn pause(context: &Context, flags: &Pause) -> Result<(), Error> {
    let db = context.installed().await?;
    let client = db.get().await?;
    patiently(async || source::pause(&client, &flags.table, flags.triggers).await).await?;
    let marked = if flags.triggers { "its changes are not marked" } else { "its changes are marked and wait" };
    say(&format!("{} is paused; {marked}", flags.table));
    say(&format!("next: tintype resume {}", flags.table));
    Ok(())
}

pub(super) async fn resume(context: &Context, flags: &Resume) -> Result<(), Error> {
    let db = context.installed().await?;
    let client = db.get().await?;
    let without = patiently(async || source::resume(&client, &flags.table).await).await?;
    say(&format!("{} goes on", flags.table));
    if without {
        say("what was edited without triggers is found by the sweep, which begins now");
        say(&format!("next: tintype backfill {}   (for rows that are new since then)", flags.table));
    }
    Ok(())
}
