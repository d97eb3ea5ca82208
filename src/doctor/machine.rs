//! The machine that this runs on: fonts, looks, and the browser. What pages need of it is in [`super::pages`].

use std::{collections::BTreeSet, sync::Arc};

use super::{Finding, Severity, well};
use crate::{
    capture::{self, Chrome, Program, Shot, Subject, guard::Rules},
    card::{self, CardError, Looks},
    source::Source,
};

/// Scripts that are named; the rest are counted.
const NAMED: usize = 8;

/// Which scripts no font here can draw.
#[must_use]
pub fn fonts() -> Finding {
    let absent = card::scripts_without_font();
    if absent.is_empty() {
        return Finding::new(
            Severity::Ok,
            "fonts",
            "this machine",
            "every script that tintype knows a font for has one",
        );
    }
    let named: Vec<&str> = absent.iter().map(|(script, _)| script.as_str()).take(NAMED).collect();
    let more = absent.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let packages: BTreeSet<&str> = absent.iter().map(|(_, package)| *package).collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    let words = format!("no font draws {}{more}; Latin, Greek and Cyrillic are built in", named.join(", "));
    Finding::new(Severity::Note, "fonts.absent", "this machine", words)
        .mend(format!("apt-get install {}", packages.join(" ")))
}

/// Whether the looks, themes and templates that tables ask for are here.
#[must_use]
pub fn looks(looks: &Looks, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.page) {
        let options = card::Options {
            look: source.look.clone(),
            looks: looks.clone(),
            theme: source.theme.clone(),
            template: source.template.clone().filter(|name| !name.is_empty()),
            ..card::Options::default()
        };
        if let Err(error) = card::Renderer::new(&options) {
            let fix = match error {
                CardError::Look(_) => "mend the file: docs/LOOKS.md, docs/TEMPLATES.md",
                _ => "--looks DIR   # TINTYPE_LOOKS: the directory that has it",
            };
            findings.push(Finding::new(Severity::Error, "looks.missing", &source.name, error.to_string()).mend(fix));
        }
    }
    well(&mut findings, "looks", "this machine", "every look, theme and template that a table asks for is here");
    findings
}

/// The browser: which it is, and, where a table's pictures are taken of pages, whether it takes one in its sandbox.
pub async fn browser(settings: capture::Settings, sources: &[Source]) -> Vec<Finding> {
    let wanted = sources.iter().find(|source| source.page);
    let subject = wanted.map_or("this machine", |source| source.name.as_str());
    let severity = if wanted.is_some() { Severity::Error } else { Severity::Note };
    let program = match Program::find(settings.browser.as_deref(), settings.search_path.as_deref()).await {
        Ok(program) => program,
        Err(error) => {
            return vec![Finding::new(severity, "browser.missing", subject, error.to_string()).mend(error.hint())];
        }
    };
    if wanted.is_none() {
        let words = format!("{program}; no table's pictures are taken of pages, so it was not started");
        return vec![Finding::new(Severity::Ok, "browser", subject, words)];
    }
    let mut findings = Vec::new();
    if !settings.sandbox {
        let words =
            "pages are kept in no sandbox (--no-sandbox): a page that breaks out of the browser is in this machine";
        findings.push(
            Finding::new(Severity::Warning, "browser.sandbox", subject, words)
                .mend("leave --no-sandbox and TINTYPE_NO_SANDBOX out"),
        );
    }
    if let Err(error) = trial(settings).await {
        let finding = Finding::new(Severity::Error, "browser.broken", subject, format!("{program}: {error}"));
        findings.push(match error.trouble.hint() {
            Some(hint) => finding.mend(hint),
            None => finding,
        });
    }
    well(&mut findings, "browser", subject, format!("{program} takes pages, in its sandbox"));
    findings
}

/// One small page.
async fn trial(settings: capture::Settings) -> Result<(), capture::CaptureError> {
    let chrome = Chrome::new(settings);
    let shot = Shot {
        subject: Subject::Html { html: "<!doctype html><title>tintype</title><p>tintype</p>".to_owned(), base: None },
        options: capture::Options { width: 320, height: 200, ..capture::Options::default() },
        rules: Arc::new(Rules::default()),
        credentials: capture::Credentials::default(),
    };
    let taken = chrome.capture(&shot).await;
    chrome.close().await;
    taken.map(drop)
}
