//! `tintype doctor`: everything that could be wrong, looked at once. Reads; the one thing that it writes is an object of its own in
//! the store, which it deletes again.

use std::io::{self, IsTerminal};

use super::{
    Context,
    terminal::{print, print_json, say},
};
use crate::{
    cli::Doctor,
    config::{self, Config},
    db::Database,
    doctor::{self, Finding, Severity},
    error::Error,
    source::Source,
    storage::Storage,
};

/// How wide the column of areas is.
const AREA: usize = 11;

pub(super) async fn doctor(context: &Context, flags: &Doctor) -> Result<(), Error> {
    let patience = config::age(&flags.patience, "--patience")?;
    let (mut findings, sources) = match context.database().await {
        Ok(db) => database(&db, &format!("{} seconds", patience.as_secs())).await?,
        Err(Error::Db(error)) => (vec![doctor::database::unreachable(&error)], Vec::new()),
        Err(error) => return Err(error),
    };
    findings.push(doctor::machine::fonts());
    findings.extend(doctor::machine::looks(&context.config.looks(&flags.looks)?, &sources));
    findings.extend(doctor::machine::browser(context.config.browser(&flags.browser)?, &sources).await);
    if !flags.no_storage {
        findings.extend(store(&context.config, flags).await?);
    }
    for finding in &findings {
        if flags.json {
            print_json(finding);
        } else {
            show(finding);
        }
    }
    verdict(&findings)
}

/// What the database and the way to it have to say. One that stops answering on the way is a finding as well.
async fn database(db: &Database, patience: &str) -> Result<(Vec<Finding>, Vec<Source>), Error> {
    Ok(doctor::database::examine(db, patience)
        .await
        .unwrap_or_else(|error| (vec![doctor::database::unreachable(&error)], Vec::new())))
}

async fn store(config: &Config, flags: &Doctor) -> Result<Vec<Finding>, Error> {
    let settings = match config.storage(&flags.storage) {
        Ok(settings) => settings,
        Err(Error::Config { what, hint }) => {
            return Ok(vec![Finding::new(Severity::Note, "storage.unnamed", "this machine", what).mend(hint)]);
        }
        Err(error) => return Err(error),
    };
    Ok(doctor::store::examine(&Storage::open(&settings).await?).await)
}

/// A line a finding, and under it what mends it.
fn show(finding: &Finding) {
    let (mark, colour) = match finding.severity {
        Severity::Ok => ("✓", "32"),
        Severity::Note => ("·", "2"),
        Severity::Warning => ("!", "33"),
        Severity::Error => ("✗", "31"),
    };
    let mark = if colourful() { format!("\u{1b}[{colour}m{mark}\u{1b}[0m") } else { mark.to_owned() };
    print(&format!("{mark} {:AREA$} {}: {}", finding.area(), finding.subject, finding.detail));
    for line in finding.fix.iter().flat_map(|fix| fix.lines()) {
        print(&format!("  {:AREA$}   {line}", ""));
    }
}

fn colourful() -> bool {
    io::stdout().is_terminal() && !config::no_color()
}

fn verdict(findings: &[Finding]) -> Result<(), Error> {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => {
            say("all is well");
            Ok(())
        }
        (errors, warnings) => Err(Error::Found { errors, warnings }),
    }
}
