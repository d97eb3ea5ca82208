//! What is served, where, and to whom: an address and two secrets come in, checked settings go out. Pages of rows are for this machine
//! alone unless there is a token; that is decided here, before anything listens.

use std::net::{SocketAddr, ToSocketAddrs};

use super::secret::Secret;

/// The shortest secret in characters: what is guessed at is on a network.
const SHORTEST: usize = 16;

/// Why there is nothing to serve.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is none.
    #[error("`{address}` is not an address to serve on: {reason}")]
    Address {
        /// What was asked for.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Others than this machine would see rows, without being asked who they are.
    #[error("--http {address} would show rows and their pictures to everybody who reaches it")]
    Exposed {
        /// What was asked for.
        address: String,
    },
    /// A secret that can be guessed.
    #[error("{name} has fewer than {SHORTEST} characters")]
    Short {
        /// The setting.
        name: &'static str,
    },
}

impl HttpError {
    /// What a person can do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Address { .. } => "--http 127.0.0.1:4600, or another HOST:PORT".to_owned(),
            Self::Exposed { .. } => {
                "TINTYPE_HTTP_TOKEN=$(openssl rand -hex 32) lets those in who know it; --http-probes serves health and metrics alone".to_owned()
            }
            Self::Short { name } => format!("{name}=$(openssl rand -hex 32)"),
        }
    }
}

/// What is served.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where: the first that can be listened on.
    pub addresses: Vec<SocketAddr>,
    /// What lets visitors change something, and, where others than this machine can come, see anything.
    pub token: Option<Secret>,
    /// What cards on demand are signed with; none are drawn without it.
    pub card_secret: Option<Secret>,
    /// Health and metrics alone.
    pub probes: bool,
}

impl Settings {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// Where it cannot be, or should not.
    pub fn new(
        address: &str,
        token: Option<String>,
        card_secret: Option<String>,
        probes: bool,
    ) -> Result<Self, HttpError> {
        let addresses = addresses(address)?;
        let [token, card_secret] = [
            secret("TINTYPE_HTTP_TOKEN", token.filter(|_| !probes))?,
            secret("TINTYPE_CARD_SECRET", card_secret.filter(|_| !probes))?,
        ];
        let settings = Self { addresses, token, card_secret, probes };
        if settings.token.is_none() && !probes && !settings.is_local() {
            return Err(HttpError::Exposed { address: address.to_owned() });
        }
        Ok(settings)
    }

    /// Whether nobody but this machine can come.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.addresses.iter().all(|address| address.ip().to_canonical().is_loopback())
    }
}

/// `HOST:PORT`, or a port of this machine alone.
fn addresses(text: &str) -> Result<Vec<SocketAddr>, HttpError> {
    let text = text.trim();
    let bad = |reason: String| HttpError::Address { address: text.to_owned(), reason };
    let whole =
        if text.bytes().all(|byte| byte.is_ascii_digit()) { format!("127.0.0.1:{text}") } else { text.to_owned() };
    if whole.starts_with(':') {
        return Err(bad("it names no host".to_owned()));
    }
    let found: Vec<_> = whole.to_socket_addrs().map_err(|error| bad(error.to_string()))?.collect();
    if found.is_empty() { Err(bad("its host has no address".to_owned())) } else { Ok(found) }
}

fn secret(name: &'static str, text: Option<String>) -> Result<Option<Secret>, HttpError> {
    match text.map(|text| text.trim().to_owned()) {
        Some(text) if text.chars().count() < SHORTEST => Err(HttpError::Short { name }),
        text => Ok(text.map(Secret::new)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "a token of the tests";

    #[test]
    fn only_this_machine_comes_without_a_token() {
        for local in ["4600", "127.0.0.1:4600", "[::1]:4600", "127.9.9.9:80", "[::ffff:127.0.0.1]:80"] {
            assert!(Settings::new(local, None, None, false).is_ok_and(|settings| settings.is_local()), "{local}");
        }
        for wide in ["0.0.0.0:4600", "[::]:4600", "192.0.2.1:4600", "[::ffff:192.0.2.1]:80"] {
            let error = Settings::new(wide, None, None, false).unwrap_err();
            assert!(matches!(error, HttpError::Exposed { .. }), "{wide}: {error}");
            assert!(Settings::new(wide, Some(TOKEN.to_owned()), None, false).is_ok(), "{wide}");
            let probes = Settings::new(wide, Some(TOKEN.to_owned()), None, true).unwrap();
            assert!(probes.probes && probes.token.is_none(), "{wide}");
        }
    }

    #[test]
    fn what_is_no_address_or_no_secret() {
        for wrong in ["", ":4600", "4600000", "127.0.0.1", "127.0.0.1:http", "http://127.0.0.1:4600"] {
            let error = Settings::new(wrong, None, None, false).unwrap_err();
            assert!(matches!(error, HttpError::Address { .. }), "{wrong}: {error}");
        }
        let error = Settings::new("4600", Some("short".to_owned()), None, false).unwrap_err();
        assert_eq!(error.to_string(), "TINTYPE_HTTP_TOKEN has fewer than 16 characters");
        let error = Settings::new("4600", None, Some("short".to_owned()), false).unwrap_err();
        assert_eq!(error.hint(), "TINTYPE_CARD_SECRET=$(openssl rand -hex 32)");
    }
}
