//! `tintype install` and `tintype uninstall`.

use serde_json::json;

use super::{
    Context,
    terminal::{confirm, print, print_json, say},
};
use crate::{
    cli::{self, Install, Uninstall},
    db::Database,
    error::Error,
    install,
    migration::{self, Format},
    roles::{self, Roles},
    source,
};

pub(super) async fn install(context: &Context, flags: &Install) -> Result<(), Error> {
    let roles = flags.roles.as_deref().map(Roles::new).transpose()?;
    if flags.print_sql {
        print_sql(flags.format.into(), roles.as_ref());
        return Ok(());
    }
    let db = context.database().await?;
    let applied = install::install_for(&db, roles.as_ref()).await.inspect_err(print_remedy)?;
    if flags.json {
        print_json(&json!({ "applied": applied, "version": env!("CARGO_PKG_VERSION") }));
    } else if applied.is_empty() {
        say("tintype was installed already; its functions are those of this version now");
    } else {
        say(&format!("installed schema tintype ({})", applied.join(", ")));
    }
    if let Some(roles) = roles.as_ref().filter(|_| !flags.json) {
        say_roles(&db, roles).await?;
    }
    if !flags.json && source::all(&db.get().await?).await?.is_empty() {
        say("next: tintype attach TABLE");
    }
    Ok(())
}

/// Prints a migration that brings any database to this version: an empty one, one with an earlier version, or again this one.
fn print_sql(format: Format, roles: Option<&Roles>) {
    let roles = roles.map(|roles| format!("\n{}{}", roles.create_sql(), roles.hand_over_sql())).unwrap_or_default();
    print(migration::wrap(format, &(install::up_from_anywhere() + &roles), install::down()).trim_end());
}

/// The SQL with which an administrator can do what this role may not.
fn print_remedy(error: &Error) {
    if let Error::RolesDenied { sql, .. } | Error::RolesStay { sql, .. } = error {
        print(sql.trim_end());
    }
}

/// Says what the roles are for, and what is left for others to grant.
async fn say_roles(db: &Database, roles: &Roles) -> Result<(), Error> {
    for grants in roles::grants_to_make(db).await? {
        say(&format!("as the table's owner: {grants}"));
    }
    say(&format!("let the worker log in as a member: GRANT {} TO …, or ALTER ROLE … LOGIN", roles.worker()));
    say(&format!("who attaches tables is a member of {} and of the role that owns them", roles.installer()));
    Ok(())
}

pub(super) async fn uninstall(context: &Context, flags: &Uninstall) -> Result<(), Error> {
    let db = context.database().await?;
    let client = db.get().await?;
    let wanted = flags.roles.as_ref().map(Option::as_deref);
    if install::applied(&client).await?.is_empty() {
        drop(client);
        return match wanted {
            Some(prefix) => drop_roles(&db, &Roles::new(prefix.unwrap_or("tintype"))?).await,
            None => Err(Error::NotInstalled),
        };
    }
    let here = roles::of_schema(&client).await?;
    let dropped = match wanted {
        Some(Some(prefix)) => Some(Roles::new(prefix)?),
        Some(None) => here.clone(),
        None => None,
    };
    let tables: Vec<_> = source::all(&client).await?.into_iter().map(|source| source.name).collect();
    drop(client);
    let tables = if tables.is_empty() { "no attached table".to_owned() } else { tables.join(", ") };
    confirm(
        &format!("Remove schema tintype and its triggers ({tables})? URLs in rows and stored pictures stay."),
        flags.yes,
    )?;
    install::uninstall(&db).await?;
    say("removed schema tintype and its triggers; URLs in rows and stored pictures stay");
    match (dropped, here) {
        (Some(roles), _) => drop_roles(&db, &roles).await,
        (None, Some(roles)) => {
            say(&format!("its roles stay; where no other database uses them: {}", roles.drop_statements()));
            Ok(())
        }
        (None, None) => Ok(()),
    }
}

async fn drop_roles(db: &Database, roles: &Roles) -> Result<(), Error> {
    roles::drop(db, roles).await.inspect_err(print_remedy)?;
    say("dropped its roles");
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
