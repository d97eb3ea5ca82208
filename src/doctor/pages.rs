//! What the pages of tables need of the machine that takes them: templates, secrets, and hosts that may be reached. Findings come out.

use super::{Finding, Severity, well};
use crate::{
    capture::Trouble,
    page::{Gallery, PageError},
    source::Source,
};

/// Each table whose pictures are taken of pages; names are resolved, and nothing is opened.
pub async fn examine(gallery: &Gallery, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.page) {
        if let Some(name) = &source.html
            && let Err(error) = gallery.try_template(name, &source.data_columns)
        {
            let fix = format!(
                "--looks DIR   # TINTYPE_LOOKS: the directory that has {name}.html; or mend the file: docs/PAGES.md"
            );
            findings.push(error_of("pages.template", source, &error.to_string()).mend(fix));
        }
        if let Err(error) = gallery.try_secrets(&source.capture) {
            let finding = error_of("pages.secret", source, &error.to_string());
            findings.push(match &error {
                PageError::Auth(_) => finding.mend("give it to the worker, and to doctor: docs/PAGES.md"),
                _ => finding,
            });
        }
        if let Some(url) = &source.url
            && let Err(trouble) = gallery.try_host(url).await
        {
            findings.push(unreachable(source, &trouble));
        }
    }
    let words = "templates, secrets and hosts of all tables whose pictures are taken of pages are here";
    well(&mut findings, "pages", "this machine", words);
    findings
}

fn error_of(code: &str, source: &Source, words: &str) -> Finding {
    Finding::new(Severity::Error, code, &source.name, words)
}

/// A host that no worker would reach, or that is away at the moment.
fn unreachable(source: &Source, trouble: &Trouble) -> Finding {
    let finding = error_of("pages.host", source, &trouble.to_string());
    match trouble.hint() {
        Some(hint) => finding.mend(hint),
        None => Finding { severity: Severity::Warning, ..finding },
    }
}
