//! What `tintype install` does to a database: numbered migrations that were not applied yet, then all functions anew, in one
//! transaction that asks for short locks only. The same script is what `--print-sql` prints.

use std::{fmt::Write as _, time::Duration};

use include_dir::{Dir, include_dir};
use tracing::warn;

use crate::{
    db::{Database, DbError, Queries},
    error::Error,
    roles::{self, Roles},
    studio::half_digest,
};

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql/migrations");
static FUNCTIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql/functions");

/// What `tintype uninstall` runs.
const UNINSTALL: &str = include_str!("../sql/uninstall.sql");

/// How often a statement that waits for a lock of the host's is tried; each try waits 2 s at most.
const LOCK_TRIES: usize = 8;

/// The schema itself, and the record of what was applied to it.
const FOUNDATION: &str = "\
SET LOCAL lock_timeout = '2s';
-- Two that install at once take turns.
SELECT pg_advisory_xact_lock(hashtext('tintype'), hashtext('install'));
-- Everything of tintype's but the triggers lives in this schema; only its owner may look in.
DO $$ BEGIN
    IF to_regnamespace('tintype') IS NULL THEN
        CREATE SCHEMA tintype;
    END IF;
END $$;
CREATE TABLE IF NOT EXISTS tintype.migration (
    number       integer PRIMARY KEY,
    name         text NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT now()
);
";

/// One numbered file of `sql/migrations`.
#[derive(Debug, Clone, Copy)]
struct Migration {
    number: i32,
    name: &'static str,
    sql: &'static str,
}

/// Each file of a folder with its text, by name.
fn files(dir: &'static Dir<'static>) -> Vec<(&'static str, &'static str)> {
    let mut files: Vec<_> =
        dir.files().filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?))).collect();
    files.sort_unstable();
    files
}

fn migrations() -> Vec<Migration> {
    files(&MIGRATIONS)
        .into_iter()
        .filter_map(|(name, sql)| Some(Migration { number: name.split('_').next()?.parse().ok()?, name, sql }))
        .collect()
}

/// The statements that bring a database from the migrations in `applied` to this version.
pub fn up(applied: &[i32]) -> String {
    let mut script = FOUNDATION.to_owned();
    for migration in migrations().iter().filter(|migration| !applied.contains(&migration.number)) {
        let Migration { number, name, sql } = migration;
        let _ = write!(script, "\n{sql}\nINSERT INTO tintype.migration (number, name) VALUES ({number}, '{name}');\n");
    }
    script + &functions()
}

/// A digest of the text of all functions: it differs where the functions of two builds do, whatever their numbers say.
fn digest() -> String {
    let texts: Vec<&str> = files(&FUNCTIONS).into_iter().map(|(_, sql)| sql).collect();
    half_digest(&texts)
}

/// All functions as they are in this version, and what follows from them.
fn functions() -> String {
    let mut script: String = files(&FUNCTIONS).iter().flat_map(|(_, sql)| ["\n", sql]).collect();
    let (version, digest) = (env!("CARGO_PKG_VERSION"), digest());
    let _ = write!(
        script,
        "\n-- Whose functions these are.\nUPDATE tintype.instance SET version = '{version}', functions = '{digest}';\n"
    );
    script.push_str(
        "\n-- The trigger functions of attached tables follow this version; the hosts' tables are not locked for it.\n",
    );
    script.push_str("SELECT tintype.refresh_markers();\n");
    script.push_str("-- Nobody but who is meant to may call or read any of it.\nSELECT tintype.secure();\n");
    script
}

/// The same for any database, with this version's migrations or only some of them or none: what is printed.
pub fn up_from_anywhere() -> String {
    let newest = migrations().last().map_or(0, |migration| migration.number);
    let mut script = FOUNDATION.to_owned();
    let _ = write!(
        script,
        "-- A later version is left alone.\nDO $$ BEGIN\n    IF EXISTS (SELECT FROM tintype.migration m WHERE m.number > {newest}) THEN\n        \
         RAISE EXCEPTION 'a later version of tintype is installed here' USING HINT = 'Leave this migration out.';\n    END IF;\nEND $$;\n"
    );
    for Migration { number, name, sql } in migrations() {
        let _ = write!(
            script,
            "\nDO $migration$ BEGIN\nIF NOT EXISTS (SELECT FROM tintype.migration m WHERE m.number = {number}) THEN\n{sql}\n\
             INSERT INTO tintype.migration (number, name) VALUES ({number}, '{name}');\nEND IF;\nEND $migration$;\n"
        );
    }
    script + &functions()
}

/// The statements that take everything away again.
pub fn down() -> &'static str {
    UNINSTALL
}

/// The numbers of the migrations that this database has; none where tintype was never installed. A role that may not look gets told who
/// could let it in.
pub async fn applied(client: &impl Queries) -> Result<Vec<i32>, DbError> {
    let Some(door) = client.query_opt(include_str!("../sql/queries/way_in.sql"), &[]).await? else {
        return Ok(Vec::new());
    };
    if !door.get::<_, bool>("open") {
        let (role, worker) = (door.get("role"), door.get("worker"));
        return Err(DbError::Denied { role, owner: door.get("owner"), worker });
    }
    let rows = client.query("SELECT number FROM tintype.migration ORDER BY number", &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The migrations that a database with those `applied` lacks, by name, and the numbers of those that this version does not know.
pub fn difference(applied: &[i32]) -> (Vec<&'static str>, Vec<i32>) {
    let known = migrations();
    let missing = known.iter().filter(|known| !applied.contains(&known.number)).map(|known| known.name).collect();
    let unknown = applied.iter().filter(|number| !known.iter().any(|known| known.number == **number));
    (missing, unknown.copied().collect())
}

/// Errors unless this database has exactly the migrations that this version knows. Functions of another build with the same migrations are
/// worth a warning: an older worker may well go on beside a newer one, and somebody may have forgotten an `install`.
pub async fn require(client: &impl Queries) -> Result<(), Error> {
    let applied = applied(client).await?;
    refuse_newer(&applied)?;
    let (missing, _) = difference(&applied);
    match (applied.last(), missing.first()) {
        (None, _) => return Err(Error::NotInstalled),
        (Some(have), Some(lacks)) => return Err(Error::SchemaBehind { have: *have, lacks }),
        (Some(_), None) => {}
    }
    let own = digest();
    let row =
        client.query_opt("SELECT version FROM tintype.instance WHERE functions IS DISTINCT FROM $1", &[&own]).await?;
    if let Some(other) = row {
        let version = other.get::<_, Option<String>>(0).unwrap_or_default();
        warn!(
            installed = version,
            program = env!("CARGO_PKG_VERSION"),
            hint = "tintype install brings them to this one; where they are newer, use that program",
            "the functions in schema tintype are those of another build"
        );
    }
    Ok(())
}

/// Errors where the database has a migration that this version does not know, whose functions it would replace by older ones.
pub fn refuse_newer(applied: &[i32]) -> Result<(), Error> {
    match (applied.last(), migrations().last()) {
        (Some(have), Some(want)) if *have > want.number => Err(Error::SchemaAhead { have: *have, want: want.number }),
        _ => Ok(()),
    }
}

/// Installs or upgrades; returns the names of the migrations that were applied now.
pub async fn install(db: &Database) -> Result<Vec<&'static str>, Error> {
    install_for(db, None).await
}

/// The same, for roles that are made where they are missing.
pub async fn install_for(db: &Database, roles: Option<&Roles>) -> Result<Vec<&'static str>, Error> {
    let before = applied(&db.get().await?).await?;
    refuse_newer(&before)?;
    if before.is_empty() {
        refuse_unknown(&db.get().await?).await?;
    }
    if let Some(roles) = roles {
        roles::create(db, roles).await?;
    }
    let hand_over = roles.map(Roles::hand_over_sql).unwrap_or_default();
    patiently(async || {
        let mut client = db.get().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(FOUNDATION).await?;
        if is_structure_alone(&transaction).await? {
            transaction.batch_execute(UNINSTALL).await?;
            transaction.batch_execute(FOUNDATION).await?;
        }
        let script = up(&applied(&transaction).await?);
        transaction.batch_execute(&(script + &hand_over)).await?;
        transaction.commit().await
    })
    .await?;
    Ok(migrations().iter().filter(|m| !before.contains(&m.number)).map(|m| m.name).collect())
}

/// Whether this is what a dump of the structure alone brings back, as frameworks make one for new databases: everything but the rows. Of
/// which version it is nobody can say, and nothing is lost by beginning anew.
async fn is_structure_alone(client: &impl Queries) -> Result<bool, DbError> {
    let tables = "SELECT to_regclass('tintype.source') IS NOT NULL AND NOT EXISTS (SELECT FROM tintype.migration)";
    if !client.query_one(tables, &[]).await?.get::<_, bool>(0) {
        return Ok(false);
    }
    Ok(client.query_one("SELECT NOT EXISTS (SELECT FROM tintype.source)", &[]).await?.get(0))
}

/// Errors where the tables are those of a dump without rows and somebody has attached tables since, as older versions let them: nobody can say
/// of which version the schema is, and to begin anew would forget what is watched.
async fn refuse_unknown(client: &impl Queries) -> Result<(), Error> {
    let there = client.query_one("SELECT to_regclass('tintype.source') IS NOT NULL", &[]).await?;
    if !there.get::<_, bool>(0) {
        return Ok(());
    }
    let names = "SELECT string_agg(format('SELECT tintype.detach(%L);', s.relation), ' ' ORDER BY s.name) FROM tintype.source s";
    match client.query_one(names, &[]).await?.get::<_, Option<String>>(0) {
        None => Ok(()),
        Some(detach) => Err(Error::Config {
            what:
                "schema tintype came back without its rows, and tables were attached to it before it was installed anew"
                    .to_owned(),
            hint: format!("{detach} then tintype install, and tintype attach again"),
        }),
    }
}

/// Takes schema and triggers away.
pub async fn uninstall(db: &Database) -> Result<(), DbError> {
    patiently(async || {
        let mut client = db.get().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(UNINSTALL).await?;
        transaction.commit().await
    })
    .await
}

/// Runs `work` again while it fails for a lock that the host holds.
pub async fn patiently<T>(mut work: impl AsyncFnMut() -> Result<T, DbError>) -> Result<T, DbError> {
    for _ in 1..LOCK_TRIES {
        match work().await {
            Err(error) if error.is_lock_trouble() => tokio::time::sleep(Duration::from_millis(500)).await,
            done => return done,
        }
    }
    work().await
}
