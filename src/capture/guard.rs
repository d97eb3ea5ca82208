//! The guard: all that a browser sends for a page goes through a [`Door`], a proxy of our own on loopback. In come the requests of a
//! page that strangers chose, out go those to public addresses and to what `--allow-host` names. It always holds that the address
//! that was checked is the one that is dialled, and that nothing reads more than [`Rules`] allow.
//!
//! A door can only guard what goes through it. [`BROWSER_FLAGS`] and [`BYPASS_LIST`] see to it that everything does, and
//! [`check_subject`] that nothing is opened that needs no network.

mod address;
mod allowed;
mod ask;
mod browser;
mod dial;
mod door;
mod forward;
mod meter;
mod name;
mod ours;
mod port;
mod refusal;
mod subject;
mod tunnel;

pub use address::is_public;
pub use allowed::{AllowedHost, AllowedHostError};
pub use ask::ask;
pub use browser::{BROWSER_FLAGS, BYPASS_LIST};
pub use door::Door;
pub use ours::OurPort;
pub use refusal::{REFUSED, Reason, Refusal};
pub use subject::{SubjectError, check_subject};

/// What may be reached besides public addresses, and how much may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The hosts that may be reached wherever they are.
    pub allow: Vec<AllowedHost>,
    /// The most that one connection to a server brings: one response, or all that go through one TLS tunnel.
    pub response_bytes: u64,
    /// The most that all connections of a door carry, in both directions.
    pub total_bytes: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { allow: Vec::new(), response_bytes: 32 << 20, total_bytes: 64 << 20 }
    }
}
