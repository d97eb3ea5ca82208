//! What a door refused, and why: the ledger of one door, in which its bytes are counted too.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// The header of an answer that is the door's own and no server's; its value is the reason. A server's header of this name is
/// dropped from plain responses; through a tunnel it cannot be seen, so that [`super::Door::refusals`] is what counts.
pub const REFUSED: &str = "x-tintype-refused";

/// How many refusals a door remembers; a page can ask for more.
const REMEMBERED: usize = 100;

/// Why something was refused or could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The host, or any of the addresses that its name has, is not of the public internet.
    NotPublic,
    /// The name means this machine or a private zone.
    LocalName,
    /// The address is this machine's own, and the port is not one of the web's, which the world sees anyway.
    OwnAddress,
    /// Browsers do not go to this port.
    BadPort,
    /// The request is none that a proxy serves.
    BadRequest,
    /// The response is larger than one may be.
    ResponseTooLarge,
    /// All together is more than a door carries.
    TotalTooLarge,
    /// The name does not exist.
    NoSuchName,
    /// Nobody says at the moment what address the name has.
    Unresolved,
    /// No address of the host answered.
    Unreachable,
    /// The server answered with something that is no HTTP.
    BadAnswer,
}

impl Reason {
    /// The reason in one word, as the header has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotPublic => "not-public",
            Self::LocalName => "local-name",
            Self::OwnAddress => "own-address",
            Self::BadPort => "bad-port",
            Self::BadRequest => "bad-request",
            Self::ResponseTooLarge => "response-too-large",
            Self::TotalTooLarge => "total-too-large",
            Self::NoSuchName => "no-such-name",
            Self::Unresolved => "unresolved",
            Self::Unreachable => "unreachable",
            Self::BadAnswer => "bad-answer",
        }
    }

    /// Whether the guard's rules refused it. The others are troubles of the network, which may pass.
    pub fn is_denial(self) -> bool {
        match self {
            Self::NotPublic
            | Self::LocalName
            | Self::OwnAddress
            | Self::BadPort
            | Self::BadRequest
            | Self::ResponseTooLarge
            | Self::TotalTooLarge => true,
            Self::NoSuchName | Self::Unresolved | Self::Unreachable | Self::BadAnswer => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that a door refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The host as it was asked for: in lower case, addresses in their usual form, those of version 6 in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({})", self.host, self.port, self.reason)
    }
}

/// What came and went through a door.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    refusals: Mutex<Vec<Refusal>>,
    asked: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Ledger {
    /// Notes a refusal once, however often the page tries.
    pub(super) fn refuse(&self, host: &str, port: u16, reason: Reason) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let known = refusals.iter().any(|known| known.host == host && known.port == port && known.reason == reason);
        if !known && refusals.len() < REMEMBERED {
            refusals.push(Refusal { host: host.to_owned(), port, reason });
        }
    }

    pub(super) fn refusals(&self) -> Vec<Refusal> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that somebody came.
    pub(super) fn ask(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// How often somebody came.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    pub(super) fn add_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// All bytes of both directions.
    pub(super) fn carried(&self) -> u64 {
        self.received().saturating_add(self.sent.load(Ordering::Relaxed))
    }
}
