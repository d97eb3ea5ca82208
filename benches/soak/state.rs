//! What is held at a moment: by the browser, and by this process, in which the engine is.

use std::{fmt, fs};

use super::{
    report::{Goal, Report},
    tree,
    yard::Running,
};

/// What is held.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct State {
    /// The browser's processes.
    pub(crate) processes: usize,
    /// Folders of browsers.
    pub(crate) folders: usize,
    /// The browser's memory in megabytes (PSS).
    pub(crate) memory: f64,
    /// This process's.
    pub(crate) own_memory: f64,
    /// This process's open files, sockets among them.
    pub(crate) files: usize,
    /// Children of this process that died and were not asked after.
    pub(crate) zombies: usize,
}

impl State {
    pub(crate) fn now(processes: &[Running], folders: usize) -> Self {
        let ids = processes.iter().map(|process| process.id.as_raw_nonzero().get().cast_unsigned());
        Self {
            processes: processes.len(),
            folders,
            memory: ids.map(|id| tree::alone(id).megabytes).sum(),
            own_memory: tree::alone(std::process::id()).megabytes,
            files: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            zombies: zombies(),
        }
    }

    pub(crate) fn tell(&self, when: &str, report: &mut Report) {
        let case = format!("held · {when}");
        report.add(&case, "browser, PSS", self.memory, "MB", Goal::None);
        report.add(&case, "processes", self.processes as f64, "", Goal::None);
        report.add(&case, "folders", self.folders as f64, "", Goal::None);
        report.add(&case, "own process, PSS", self.own_memory, "MB", Goal::None);
        report.add(&case, "open files", self.files as f64, "", Goal::None);
        report.add(&case, "zombies", self.zombies as f64, "", Goal::None);
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processes, folders, memory, own_memory, files, zombies } = self;
        write!(
            f,
            "{processes} processes, {memory:.0} MB, {folders} folders; here {own_memory:.0} MB, {files} files, {zombies} zombies"
        )
    }
}

fn zombies() -> usize {
    let own = std::process::id().to_string();
    let stats = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let dead = stats.filter(|stat| {
        let mut fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default().split_whitespace();
        fields.next() == Some("Z") && fields.next() == Some(&own)
    });
    dead.count()
}
