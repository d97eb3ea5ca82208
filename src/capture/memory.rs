//! How much memory a browser takes with all its processes: what no other process shares with them.

use std::{fs, time::Duration};

use rustix::process::Pid;
use tokio::time::sleep;

/// Calls `too_large` each time the processes of a group hold more than so many bytes. Never returns.
pub(super) async fn above(group: Pid, most: u64, every: Duration, too_large: impl Fn()) {
    loop {
        sleep(every).await;
        let held = tokio::task::spawn_blocking(move || held(group)).await.unwrap_or_default();
        if held > most {
            too_large();
        }
    }
}

/// The bytes that the processes of a group hold for themselves; 0 where the system does not tell.
fn held(group: Pid) -> u64 {
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let Ok(processes) = fs::read_dir("/proc") else { return 0 };
    let pages = processes.flatten().filter_map(|process| {
        let path = process.path();
        let stat = fs::read_to_string(path.join("stat")).ok()?;
        // Behind the name, which may hold anything: state, parent, group.
        let its = stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse::<i32>().ok()?;
        if its != group.as_raw_nonzero().get() {
            return None;
        }
        let statm = fs::read_to_string(path.join("statm")).ok()?;
        let mut sizes = statm.split_whitespace().skip(1).map_while(|size| size.parse::<u64>().ok());
        let (resident, shared) = (sizes.next()?, sizes.next()?);
        Some(resident.saturating_sub(shared))
    });
    pages.sum::<u64>() * page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_of_a_group_is_found() {
        let own = rustix::process::getpgid(None).unwrap();
        assert!(held(own) > 100_000);
    }
}
