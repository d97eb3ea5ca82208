//! `tintype install` and `tintype uninstall`.

use serde_json::json;

use super::{
    Context,
    terminal::{confirm, print, print_json, say},
};
use crate::{
    cli::{self, Install, Uninstall},
    error::Error,
    install,
    migration::{self, Format},
    source,
};

pub(super) async fn install(context: &Context, flags: &Install) -> Result<(), Error> {
    if flags.print_sql {
        return print_sql(context, flags.format.into()).await;
    }
    let db = context.database().await?;
    let applied = install::install(&db).await?;
    if flags.json {
        print_json(&json!({ "applied": applied, "version": env!("CARGO_PKG_VERSION") }));
    } else if applied.is_empty() {
        say("tintype was installed already; its functions are those of this version now");
    } else {
        say(&format!("installed schema tintype ({})", applied.join(", ")));
    }
    if !flags.json && source::all(&db.get().await?).await?.is_empty() {
        say("next: tintype attach TABLE");
    }
    Ok(())
}

/// Prints what an install into this database would run; into an empty one where no database is named.
async fn print_sql(context: &Context, format: Format) -> Result<(), Error> {
    let applied = if context.config.names_database(&context.global)? {
        let db = context.database().await?;
        let applied = install::applied(&db.get().await?).await?;
        install::refuse_newer(&applied)?;
        applied
    } else {
        Vec::new()
    };
    print(migration::wrap(format, &install::up(&applied), install::down()).trim_end());
    Ok(())
}

pub(super) async fn uninstall(context: &Context, flags: &Uninstall) -> Result<(), Error> {
    let db = context.database().await?;
    let client = db.get().await?;
    if install::applied(&client).await?.is_empty() {
        return Err(Error::NotInstalled);
    }
    let tables: Vec<_> = source::all(&client).await?.into_iter().map(|source| source.name).collect();
    drop(client);
    let tables = if tables.is_empty() { "no attached table".to_owned() } else { tables.join(", ") };
    confirm(
        &format!("Remove schema tintype and its triggers ({tables})? URLs in rows and stored pictures stay."),
        flags.yes,
    )?;
    install::uninstall(&db).await?;
    say("removed schema tintype and its triggers; URLs in rows and stored pictures stay");
    Ok(())
}

impl From<cli::Format> for Format {
    fn from(flag: cli::Format) -> Self {
        match flag {
            cli::Format::Plain => Self::Plain,
            cli::Format::Ecto => Self::Ecto,
            cli::Format::Rails => Self::Rails,
            cli::Format::Django => Self::Django,
            cli::Format::Prisma => Self::Prisma,
            cli::Format::Sqlx => Self::Sqlx,
            cli::Format::Dbmate => Self::Dbmate,
        }
    }
}
