//! The doctor: what is wrong with a set-up, or soon will be, and what mends it. The database speaks for itself (`tintype.doctor()` in
//! `sql/functions`); the rooms below add what only a process can see. Findings come out. Nothing is changed, but for one small
//! object that is put into the store and deleted again, where a store is to be looked at.

pub mod database;
pub mod machine;
pub mod pages;
pub mod store;

use serde::{Deserialize, Serialize};

/// What is looked at, in the order in which it is told.
pub const AREAS: [&str; 16] = [
    "connection",
    "listen",
    "clock",
    "server",
    "schema",
    "tables",
    "triggers",
    "rights",
    "host",
    "work",
    "horizon",
    "storage",
    "fonts",
    "looks",
    "pages",
    "browser",
];

/// How bad a finding is, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It was looked at, and is well.
    Ok,
    /// Worth knowing.
    Note,
    /// It works, and somebody should know.
    Warning,
    /// Pictures are not made, or not all of them.
    Error,
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name, for scripts: the area, a dot, what it is.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it was seen: a table, a role, a server.
    pub subject: String,
    /// What was seen.
    pub detail: String,
    /// What mends it, to be copied.
    pub fix: Option<String>,
}

impl Finding {
    /// A finding with nothing to do about it yet.
    #[must_use]
    pub fn new(severity: Severity, code: &str, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), severity, subject: subject.into(), detail: detail.into(), fix: None }
    }

    /// The same with what mends it.
    #[must_use]
    pub fn mend(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// The first word of its code.
    #[must_use]
    pub fn area(&self) -> &str {
        self.code.split('.').next().unwrap_or_default()
    }

    /// Whether somebody has to do something.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.severity >= Severity::Warning
    }
}

/// Adds that an area is well, where nothing that counts was found in it.
pub fn well(findings: &mut Vec<Finding>, area: &str, subject: &str, words: impl Into<String>) {
    if !findings.iter().any(|finding| finding.area() == area && finding.counts()) {
        findings.push(Finding::new(Severity::Ok, area, subject, words));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_well_unless_something_counts() {
        let mut findings = vec![
            Finding::new(Severity::Note, "work.workers", "blog", "one"),
            Finding::new(Severity::Warning, "host.bumps", "posts", "updated_at"),
        ];
        well(&mut findings, "work", "blog", "goes");
        well(&mut findings, "host", "blog", "goes");
        let of = |area: &str| findings.iter().filter(|finding| finding.code == area).count();
        assert_eq!((of("work"), of("host")), (1, 0));
    }
}
