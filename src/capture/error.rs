//! What can go wrong with a capture, a variant a situation, and whether trying again can help.

use std::{fmt, time::Duration};

use url::Url;

use super::{
    guard::{Reason, Refusal},
    program::ProgramError,
    wire::WireError,
};

/// Why there is no picture, and what was seen of the page until then.
#[derive(Debug, Clone, thiserror::Error)]
pub struct CaptureError {
    /// The situation.
    pub trouble: Trouble,
    /// What was seen of the page.
    pub seen: Box<Seen>,
}

/// What was seen of a page, whether or not there is a picture of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The address of the document in the end, behind all redirects.
    pub final_url: Option<String>,
    /// The address that was asked for last, whether or not it answered.
    pub requested: Option<String>,
    /// The status with which the document was answered.
    pub status: Option<u16>,
    /// The last error on the page's console.
    pub console: Option<String>,
}

/// A situation in which there is no picture.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// There is no browser that could be started.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The browser does not start.
    #[error("{program} does not start: {what}")]
    Start {
        /// The browser.
        program: String,
        /// Why, with the last that it said.
        what: String,
    },
    /// What is asked for cannot be.
    #[error("{what}")]
    Options {
        /// What is wrong with it.
        what: String,
    },
    /// The browser died, was killed, or does not answer any more.
    #[error("the browser died")]
    BrowserDied,
    /// So did the next and the one after it, each while it had this page.
    #[error("the browser died each of {tries} times")]
    BrowserDiesAgain {
        /// How often it was tried.
        tries: usize,
    },
    /// The page floods its console.
    #[error("the page says more on its console than can be taken in")]
    Flood,
    /// As many pages of the host are captured as may be.
    #[error("as many pages of {host} are being captured as may be at once, or within a minute")]
    HostBusy {
        /// The host.
        host: String,
    },
    /// Whoever wanted the picture does not want it any more.
    #[error("stopped")]
    Stopped,
    /// The page's own process died, or ran out of memory.
    #[error("the page crashed")]
    PageCrashed,
    /// The page closed itself, as `window.close()` does.
    #[error("the page closed itself")]
    PageClosed,
    /// The time was over.
    #[error("{} s were over while {stage}", limit.as_secs_f32())]
    Deadline {
        /// What was being done.
        stage: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The address is none of a page.
    #[error("{url} is no page's address: {what}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// The server, or a name, or a line to it is missing at the moment.
    #[error("{what}")]
    Unreachable {
        /// What the browser calls it, such as `net::ERR_CONNECTION_RESET`.
        what: String,
    },
    /// The host's name does not exist.
    #[error("there is no host {host}")]
    NoSuchHost {
        /// The host.
        host: String,
    },
    /// The server answered with a status that is an error.
    #[error("the server answered {status}")]
    Status {
        /// The status.
        status: u16,
        /// When to ask again, where it said.
        retry_after: Option<Duration>,
    },
    /// What came is no page: a download, or nothing at all.
    #[error("{what}, not a page")]
    NoPage {
        /// What it is.
        what: &'static str,
    },
    /// The guard refused the page's address, or all that it brings.
    #[error("refused {host}:{port}: {reason}")]
    Blocked {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// Why.
        reason: Reason,
    },
    /// Redirects without an end, a certificate nobody trusts, an answer that no browser understands: it will be the same tomorrow.
    #[error("{what}")]
    Refused {
        /// What the browser calls it.
        what: String,
    },
    /// A selector that has to match does not.
    #[error("nothing on the page matches `{selector}`, {purpose}")]
    NoElement {
        /// The selector.
        selector: String,
        /// What it was for.
        purpose: &'static str,
    },
    /// A selector is none.
    #[error("`{selector}` is no CSS selector")]
    BadSelector {
        /// The selector.
        selector: String,
    },
    /// What is to be seen has no size, or more than a picture can have.
    #[error("{what}")]
    Size {
        /// What is wrong with it.
        what: String,
    },
    /// The browser refused a command, or answered in a way we do not understand.
    #[error("the browser: {what}")]
    Protocol {
        /// What it said.
        what: String,
    },
    /// The picture could not be written.
    #[error("the picture could not be encoded: {0}")]
    Encoding(String),
}

impl Trouble {
    /// Whether trying again brings the same, unless somebody changes the page or the settings.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Status { status, .. } => (400..500).contains(status) && !matches!(status, 408 | 425 | 429),
            Self::Options { .. }
            | Self::NoSuchHost { .. }
            | Self::NoPage { .. }
            | Self::PageClosed
            | Self::Blocked { .. }
            | Self::Refused { .. }
            | Self::NoElement { .. }
            | Self::BadSelector { .. }
            | Self::Size { .. }
            | Self::Address { .. } => true,
            Self::Program(_)
            | Self::Start { .. }
            | Self::BrowserDied
            | Self::BrowserDiesAgain { .. }
            | Self::Flood
            | Self::HostBusy { .. }
            | Self::Stopped
            | Self::PageCrashed
            | Self::Deadline { .. }
            | Self::Unreachable { .. }
            | Self::Protocol { .. }
            | Self::Encoding(_) => false,
        }
    }

    /// Whether the machine is at fault and not the page: no row should be charged for it.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Program(_) | Self::Start { .. })
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Program(error) => Some(error.hint().to_owned()),
            Self::Start { what, .. } if ["sandbox", "chroot"].iter().any(|word| what.contains(word)) => Some(
                "the sandbox needs user namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns; \
                 in a container, --security-opt seccomp=…) or the package chromium-sandbox; where every page is your own, --no-sandbox"
                    .to_owned(),
            ),
            Self::Blocked { host, port, reason } if reason.is_denial() => Some(format!(
                "only public addresses are reached; where {host} is your own, --allow-host {host}:{port}"
            )),
            Self::Status { status: 401 | 403, .. } => Some(
                "where the page wants to know who asks: --header 'Authorization: …' or 'Cookie: …' for tintype capture, \
                 --auth for an attached table (docs/PAGES.md)"
                    .to_owned(),
            ),
            Self::PageClosed => Some("take window.close() out of the page".to_owned()),
            Self::Deadline { .. } => Some("--deadline SECONDS gives more time".to_owned()),
            _ => None,
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trouble.fmt(f)?;
        if let Some(url) = self.seen.requested.as_ref().or(self.seen.final_url.as_ref()) {
            write!(f, " ({}", shown(url))?;
            if let Some(status) = self.seen.status {
                write!(f, ", status {status}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// An address for people: without what lets its holder in, and no longer than a line or two.
fn shown(address: &str) -> String {
    const LONGEST: usize = 300;
    const SECRETS: [&str; 12] = [
        "signature",
        "sig",
        "token",
        "secret",
        "password",
        "key",
        "credential",
        "auth",
        "jwt",
        "code",
        "session",
        "ticket",
    ];
    let mut shown = address.to_owned();
    if let Ok(mut url) = Url::parse(address) {
        let _ = (url.set_password(None), url.set_username("")); // an address that can have none has none
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.set_fragment(None); // which holds tokens at times
        let is_secret = |name: &str| {
            let name = name.to_ascii_lowercase();
            SECRETS.iter().any(|end| name.ends_with(end))
        };
        if pairs.iter().any(|(name, _)| is_secret(name)) {
            let mut query = url.query_pairs_mut();
            query.clear();
            for (name, value) in &pairs {
                query.append_pair(name, if is_secret(name) { "..." } else { value });
            }
        }
        shown = url.into();
    }
    if shown.chars().count() > LONGEST {
        shown = shown.chars().take(LONGEST).chain(['…']).collect();
    }
    shown
}

impl<T: Into<Trouble>> From<T> for CaptureError {
    fn from(trouble: T) -> Self {
        Self { trouble: trouble.into(), seen: Box::default() }
    }
}

impl From<WireError> for Trouble {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Gone => Self::BrowserDied,
            WireError::Refused { message, .. } if message.contains("Target crashed") => Self::PageCrashed,
            WireError::Refused { message, .. } if message.contains("Session with given id not found") => {
                Self::PageClosed
            }
            error @ (WireError::Refused { .. } | WireError::Unreadable { .. }) => {
                Self::Protocol { what: error.to_string() }
            }
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(Refusal { host, port, reason }: Refusal) -> Self {
        match reason {
            Reason::NoSuchName => Self::NoSuchHost { host },
            reason if reason.is_denial() => Self::Blocked { host, port, reason },
            reason => Self::Unreachable { what: format!("{host}:{port}: {reason}") },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_what_lets_its_holder_in() {
        let told = |url: &str| {
            let seen = Seen { requested: Some(url.to_owned()), ..Seen::default() };
            CaptureError { trouble: Trouble::BrowserDied, seen: Box::new(seen) }.to_string()
        };
        assert_eq!(
            told("https://ada:pw@app.example/a?draft=1&expires=1&signature=abc"),
            "the browser died (https://app.example/a?draft=1&expires=1&signature=...)"
        );
        assert_eq!(
            told("https://app.example/a?X-Amz-Signature=abc&api_key=abc&page=2#access_token=abc"),
            "the browser died (https://app.example/a?X-Amz-Signature=...&api_key=...&page=2)"
        );
        assert_eq!(told("https://app.example/a?q=%20x"), "the browser died (https://app.example/a?q=%20x)");
        assert!(told(&format!("https://app.example/{}", "ä".repeat(1_000_000))).len() < 1000);
    }

    #[test]
    fn what_will_be_the_same_again_is_permanent() {
        let host = || "a.example".to_owned();
        let status = |status| Trouble::Status { status, retry_after: None };
        let limit = Duration::from_secs(1);
        for permanent in [
            Trouble::NoSuchHost { host: host() },
            Trouble::Blocked { host: host(), port: 80, reason: Reason::NotPublic },
            Trouble::NoElement { selector: "a".to_owned(), purpose: "" },
            status(404),
            status(410),
        ] {
            assert!(permanent.is_permanent(), "{permanent}");
        }
        for passing in [
            Trouble::Unreachable { what: "net::ERR_CONNECTION_RESET".to_owned() },
            Trouble::Deadline { stage: "loading the page", limit },
            Trouble::BrowserDied,
            Trouble::PageCrashed,
            status(408),
            status(425),
            status(429),
            status(500),
            status(503),
        ] {
            assert!(!passing.is_permanent(), "{passing}");
        }
    }

    #[test]
    fn a_page_behind_a_login_says_how_to_get_in() {
        for (status, told) in [(401, true), (403, true), (404, false), (500, false)] {
            let hint = Trouble::Status { status, retry_after: None }.hint().unwrap_or_default();
            assert_eq!(hint.contains("--header") && hint.contains("--auth"), told, "{status}: {hint}");
        }
    }

    #[test]
    fn a_browser_that_may_not_build_its_sandbox_says_so_in_words_of_its_own() {
        for what in ["No usable sandbox!", "Check failed: sys_chroot(\"/proc/self/fdinfo/\") == 0"] {
            let trouble = Trouble::Start { program: "Chromium".to_owned(), what: what.to_owned() };
            assert!(trouble.hint().is_some_and(|hint| hint.contains("--no-sandbox")), "{what}");
        }
    }
}
