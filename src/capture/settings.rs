//! How the browser is kept, for all captures alike.

use std::{ffi::OsString, path::PathBuf, sync::Arc, time::Duration};

use super::block::BlockList;

/// How the browser is kept. Plain data.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The browser's program; where none is named, the usual names are looked for.
    pub browser: Option<PathBuf>,
    /// Where to look for them, as in the variable PATH.
    pub search_path: Option<OsString>,
    /// Where the browser's own folder is made, which goes with it.
    pub folder: PathBuf,
    /// Whether pages are kept in Chromium's sandbox.
    pub sandbox: bool,
    /// Niceness of the browser's processes.
    pub nice: i32,
    /// What is an advertisement or a tracker.
    pub block_list: Arc<BlockList>,
    /// How many tabs are opened before anybody needs them.
    pub ready: usize,
    /// How many captures at once.
    pub captures: usize,
    /// After how long without a capture the browser is stopped.
    pub idle: Duration,
    /// After how many captures the browser is replaced.
    pub recycle_captures: u32,
    /// Above how many bytes of memory the browser is replaced.
    pub recycle_memory: u64,
    /// How many captures at once of one host.
    pub host_captures: usize,
    /// How many captures a minute of one host; none is any number.
    pub host_per_minute: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            browser: None,
            search_path: None,
            folder: std::env::temp_dir(),
            sandbox: true,
            nice: 0,
            block_list: Arc::new(BlockList::small()),
            ready: 2,
            captures: 2,
            idle: Duration::from_secs(30),
            recycle_captures: 500,
            recycle_memory: 2 << 30,
            host_captures: 2,
            host_per_minute: None,
        }
    }
}
