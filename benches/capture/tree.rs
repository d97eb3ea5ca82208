//! What a tree of processes holds.

use std::{collections::HashMap, fs};

/// Processes and their memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    /// How many.
    pub(crate) processes: usize,
    /// Megabytes, a page that n processes share counted to each by one nth of it (PSS).
    pub(crate) megabytes: f64,
}

/// A process with all below it.
pub(crate) fn with(root: u32) -> Held {
    let mut ids = descendants(root);
    ids.push(root);
    sum(&ids)
}

/// All below a process, without it.
pub(crate) fn below(root: u32) -> Held {
    sum(&descendants(root))
}

/// One process alone.
pub(crate) fn alone(id: u32) -> Held {
    sum(&[id])
}

fn sum(ids: &[u32]) -> Held {
    let kilobytes: f64 = ids.iter().filter_map(|id| share(*id)).sum();
    Held { processes: ids.len(), megabytes: kilobytes / 1024.0 }
}

fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // Behind the name, which may hold anything: state, parent. The dead that nobody has asked after hold nothing.
        let behind = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let mut fields = behind.split_whitespace();
        if fields.next() == Some("Z") {
            continue;
        }
        let parent = fields.next().and_then(|parent| parent.parse().ok());
        children.entry(parent.unwrap_or_default()).or_default().push(id);
    }
    let (mut found, mut at) = (children.remove(&root).unwrap_or_default(), 0);
    while let Some(id) = found.get(at) {
        found.extend(children.remove(id).unwrap_or_default());
        at += 1;
    }
    found
}

/// A process's share of memory in kilobytes; none where it has ended, or is not ours to look at.
fn share(id: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}
