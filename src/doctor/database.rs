//! The database as this process meets it: how the way there is protected, whether a pooler stands in it, whether LISTEN hears,
//! whether both clocks agree, and whether the schema is of this version; then what the database says of itself.

use std::time::Duration;

use super::{Finding, Severity, well};
use crate::{
    db::{Database, DbError, Encryption, Queries},
    install,
    listener::CHANNEL,
    source::{self, Source},
};

/// How long a notification to ourselves may take.
const HEARING: Duration = Duration::from_secs(5);

/// How far two clocks may be apart before it matters: the store's signatures bear a quarter of an hour, people less.
const CLOCKS: f64 = 30.0;

/// The oldest Postgres that this works with, and the newest that it was tried with.
const SUPPORTED: std::ops::RangeInclusive<i32> = 14..=18;

/// What the database says of itself, area by area, where it has nothing to complain of.
const AREAS: [(&str, &str); 6] = [
    ("tables", "columns, keys and row filters are what they were"),
    ("triggers", "all there, switched on, and of this version"),
    ("rights", "those who work may read and write what they need"),
    ("host", "no trigger of your own gets in the way of a URL, or takes it for an edit"),
    ("work", "nothing has failed, and nothing waits for long"),
    ("horizon", "no old transaction keeps dead rows"),
];

/// All of it. The attached tables come back as well, for those who look further; `patience` is an interval, such as `10 minutes`.
pub async fn examine(db: &Database, patience: &str) -> Result<(Vec<Finding>, Vec<Source>), DbError> {
    let client = db.get().await?;
    let mut findings = connection(db, &client).await?;
    findings.extend(listening(db).await);
    findings.extend(clocks(&client).await?);
    let version: String = client.query_one("SELECT current_setting('server_version')", &[]).await?.get(0);
    findings.extend(supported(&version));
    let mut sources = Vec::new();
    let schema = schema(&client).await?;
    if schema.iter().any(Finding::counts) {
        findings.extend(schema);
        return Ok((findings, sources));
    }
    findings.extend(schema);
    let rows = client
        .query("SELECT code, severity, subject, detail, fix FROM tintype.doctor($1::text::interval)", &[&patience])
        .await?;
    for row in rows {
        let severity = match row.get("severity") {
            "note" => Severity::Note,
            "warning" => Severity::Warning,
            _ => Severity::Error,
        };
        let finding =
            Finding::new(severity, row.get("code"), row.get::<_, String>("subject"), row.get::<_, String>("detail"));
        findings.push(Finding { fix: row.get("fix"), ..finding });
    }
    findings.extend(other_versions(&client).await?);
    sources.extend(source::all(&client).await?);
    well(&mut findings, "server", "Postgres", format!("PostgreSQL {version}"));
    for (area, words) in AREAS {
        well(&mut findings, area, &db.describe(), words);
    }
    Ok((findings, sources))
}

/// How the way to the server is protected, and whether a pooler stands in it.
async fn connection(db: &Database, client: &impl Queries) -> Result<Vec<Finding>, DbError> {
    let row = client.query_opt("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).await?;
    let (encrypted, protocol) =
        row.map_or((false, None), |row| (row.get::<_, bool>("ssl"), row.get::<_, Option<String>>("version")));
    let (way, place) = (db.encryption(), db.describe());
    let seen = match (encrypted, protocol) {
        (true, Some(protocol)) => format!("encrypted ({protocol})"),
        (true, None) => "encrypted".to_owned(),
        (false, _) => "not encrypted".to_owned(),
    };
    let words = format!("{seen}; {}", way.words());
    let mut findings = Vec::new();
    if db.pooled() {
        findings.push(Finding::new(
            Severity::Note,
            "connection.pooler",
            &place,
            format!(
                "a pooler in transaction mode stands in the way; between it and the server the connection is {seen}"
            ),
        ));
    } else {
        findings.extend(exposed(&way, encrypted, &place, &words));
    }
    well(&mut findings, "connection", &place, words);
    Ok(findings)
}

/// A way over a network on which somebody could read or stand in between.
fn exposed(way: &Encryption, encrypted: bool, place: &str, words: &str) -> Option<Finding> {
    if way.local || (encrypted && way.verified) {
        return None;
    }
    let (severity, code) =
        if encrypted { (Severity::Note, "connection.unverified") } else { (Severity::Warning, "connection.plain") };
    let fix = if encrypted { "sslmode=verify-full sslrootcert=system" } else { "sslmode=require" };
    Some(
        Finding::new(severity, code, place, words)
            .mend(format!("{fix}   # in the database's URL: ?{}", fix.replace(' ', "&"))),
    )
}

/// A NOTIFY to ourselves.
async fn listening(db: &Database) -> Option<Finding> {
    let fix = "--listen-url postgres://…   # TINTYPE_LISTEN_URL: the server's own address, past the pooler";
    let deaf = |what: String| Finding::new(Severity::Warning, "listen.deaf", db.describe(), what).mend(fix);
    if !db.may_listen() {
        return Some(deaf("LISTEN hears nothing through this pooler: workers look for work once a second".to_owned()));
    }
    let heard = async {
        let mut line = db.listen(CHANNEL).await?;
        let began = std::time::Instant::now();
        line.prove(db, HEARING).await?;
        Ok::<_, DbError>(began.elapsed())
    };
    Some(match heard.await {
        Ok(after) => Finding::new(
            Severity::Ok,
            "listen",
            db.describe(),
            format!("a notification to itself came back, all in {} ms", after.as_millis()),
        ),
        Err(error) => deaf(format!("{error}: workers look for work once a second")),
    })
}

/// This machine's clock beside the database's.
async fn clocks(client: &impl Queries) -> Result<Option<Finding>, DbError> {
    let before = now();
    let row = client.query_one("SELECT date_part('epoch', clock_timestamp())", &[]).await?;
    Ok(Some(clock(row.get(0), before, now())))
}

fn now() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1000.0
}

/// What the database's time says between two looks at ours.
fn clock(there: f64, before: f64, after: f64) -> Finding {
    let apart = if there < before { before - there } else { (there - after).max(0.0) };
    if apart <= CLOCKS {
        return Finding::new(Severity::Ok, "clock", "this machine", "its clock and the database's agree");
    }
    let direction = if there < before { "ahead of" } else { "behind" };
    let words = format!(
        "its clock is {apart:.0} s {direction} the database's; leases go by the database's, but a store refuses signatures that are too far off"
    );
    Finding::new(Severity::Warning, "clock.apart", "this machine", words).mend("timedatectl set-ntp true")
}

fn supported(version: &str) -> Option<Finding> {
    let major = version.split(|c: char| !c.is_ascii_digit()).next()?.parse::<i32>().ok()?;
    let subject = format!("PostgreSQL {version}");
    if major < *SUPPORTED.start() {
        let words = format!("it is older than PostgreSQL {}, the oldest that tintype works with", SUPPORTED.start());
        return Some(Finding::new(Severity::Error, "server.version", subject, words).mend("upgrade the server"));
    }
    let words = format!("it is newer than PostgreSQL {}, the newest that tintype was tried with", SUPPORTED.end());
    (major > *SUPPORTED.end()).then(|| Finding::new(Severity::Note, "server.version", subject, words))
}

/// Whether the schema is there, readable, and of this version.
async fn schema(client: &impl Queries) -> Result<Vec<Finding>, DbError> {
    let found = |code, words: String| Finding::new(Severity::Error, code, "schema tintype", words);
    let applied = match install::applied(client).await {
        Err(error @ DbError::Denied { .. }) => {
            let denied = found("schema.denied", error.to_string());
            return Ok(vec![Finding { fix: error.hint(), ..denied }]);
        }
        applied => applied?,
    };
    let (missing, unknown) = install::difference(&applied);
    if applied.is_empty() {
        return Ok(vec![
            found("schema.missing", "tintype is not installed in this database".to_owned()).mend("tintype install"),
        ]);
    }
    if !unknown.is_empty() {
        let words = format!("it is newer than this program: migrations {unknown:?} are not known here");
        return Ok(vec![
            found("schema.ahead", words).mend("use the tintype that brought it: SELECT version FROM tintype.instance"),
        ]);
    }
    if !missing.is_empty() {
        let words = format!("it is older than this program: {} not applied", missing.join(", "));
        return Ok(vec![found("schema.behind", words).mend("tintype install")]);
    }
    let last = applied.last().copied().unwrap_or_default();
    Ok(vec![Finding::new(
        Severity::Ok,
        "schema",
        "schema tintype",
        format!("installed, at migration {last}, as this program wants it"),
    )])
}

/// Workers of another version than this program.
async fn other_versions(client: &impl Queries) -> Result<Option<Finding>, DbError> {
    let row = client
        .query_one(
            "SELECT string_agg(format('%s (%s)', name, version), ', ' ORDER BY name) FROM tintype.worker
              WHERE version <> $1 AND seen_at > now() - interval '1 minute'",
            &[&env!("CARGO_PKG_VERSION")],
        )
        .await?;
    let words = row.get::<_, Option<String>>(0);
    Ok(words.map(|words| {
        let words = format!("workers of another version than this program ({}): {words}", env!("CARGO_PKG_VERSION"));
        Finding::new(Severity::Warning, "work.other_version", "workers", words)
            .mend("replace the older ones, then: tintype install")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_apart_are_told_with_their_direction() {
        assert_eq!(clock(100.0, 99.0, 101.0).severity, Severity::Ok);
        assert_eq!(clock(70.0, 99.0, 101.0).severity, Severity::Ok);
        assert!(clock(40.0, 99.0, 101.0).detail.starts_with("its clock is 59 s ahead of"));
        assert!(clock(200.0, 99.0, 101.0).detail.starts_with("its clock is 99 s behind"));
    }

    #[test]
    fn versions_outside_are_told() {
        assert_eq!(supported("13.14").map(|finding| finding.severity), Some(Severity::Error));
        assert_eq!(supported("15.18 (Debian 15.18-0+deb12u1)"), None);
        assert_eq!(supported("19devel").map(|finding| finding.severity), Some(Severity::Note));
    }

    #[test]
    fn a_way_is_exposed_where_others_can_read_it() {
        let way = |local, verified| Encryption { mode: "prefer", local, verified };
        let code = |way: &Encryption, encrypted| exposed(way, encrypted, "blog", "words").map(|finding| finding.code);
        assert_eq!(code(&way(true, false), false), None);
        assert_eq!(code(&way(false, true), true), None);
        assert_eq!(code(&way(false, true), false).as_deref(), Some("connection.plain"));
        assert_eq!(code(&way(false, false), true).as_deref(), Some("connection.unverified"));
    }
}
