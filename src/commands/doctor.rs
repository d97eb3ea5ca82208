//! `tintype doctor`: everything that could be wrong, looked at once. Reads; the one thing that it writes is an object of its own in
//! the store, which it deletes again.

use std::{
    cmp::Reverse,
    io::{self, IsTerminal},
};

use super::{
    Context, pages,
    terminal::{print, print_json, say},
};
use crate::{
    cli::Doctor,
    config::{self, Config},
    doctor::{self, Finding, Severity},
    error::Error,
    storage::Storage,
};

/// How wide the column of areas is.
const AREA: usize = 11;

pub(super) async fn doctor(context: &Context, flags: &Doctor) -> Result<(), Error> {
    let patience = format!("{} seconds", config::age(&flags.patience, "--patience")?.as_secs());
    let config = &context.config;
    let mut findings = Vec::new();
    let mut sources = Vec::new();
    if let Some(db) = told(context.database().await, "connection.failed", &mut findings) {
        let examined = doctor::database::examine(&db, &patience).await.map_err(Error::from);
        if let Some((seen, attached)) = told(examined, "connection.failed", &mut findings) {
            findings.extend(seen);
            sources = attached;
        }
    }
    findings.push(doctor::machine::fonts());
    if let Some(looks) = told(config.looks(&flags.looks), "looks.settings", &mut findings) {
        findings.extend(doctor::machine::looks(&looks, &sources));
    }
    let gallery = config.looks(&flags.looks).and_then(|looks| pages::gallery(context, &looks, &flags.browser));
    if let Some(gallery) = told(gallery, "pages.settings", &mut findings) {
        findings.extend(doctor::pages::examine(&gallery, &sources).await);
    }
    if let Some(settings) = told(config.browser(&flags.browser), "browser.settings", &mut findings) {
        findings.extend(doctor::machine::browser(settings, &sources).await);
    }
    if !flags.no_storage {
        store(config, flags, &mut findings).await;
    }
    let place = |finding: &Finding| doctor::AREAS.iter().position(|area| *area == finding.area());
    findings.sort_by_key(|finding| (place(finding), Reverse(finding.severity)));
    for finding in &findings {
        if flags.json {
            print_json(finding);
        } else {
            show(finding);
        }
    }
    verdict(&findings)
}

/// What came of a step; its failure is a finding like any other, and the rest is looked at all the same.
fn told<T>(result: Result<T, Error>, code: &str, findings: &mut Vec<Finding>) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let finding = Finding::new(Severity::Error, code, "settings", error.to_string());
    findings.push(match error.hint() {
        Some(hint) => finding.mend(hint),
        None => finding,
    });
    None
}

async fn store(config: &Config, flags: &Doctor, findings: &mut Vec<Finding>) {
    let settings = match config.storage(&flags.storage) {
        Err(Error::Config { what, hint }) => {
            findings.push(Finding::new(Severity::Note, "storage.unnamed", "this machine", what).mend(hint));
            return;
        }
        settings => told(settings, "storage.settings", findings),
    };
    let Some(settings) = settings else { return };
    let opened = Storage::open(&settings).await.map_err(Error::from);
    if let Some(storage) = told(opened, "storage.settings", findings) {
        findings.extend(doctor::store::examine(&storage).await);
    }
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
