//! What `--allow-host` names: a host, or a host and a port. It opens exactly that: no other spelling's target, no name below it.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use super::name::Name;

/// A host, or a host and port, that may be reached though it is not public: `localhost:4000`, `app.internal`, `[::1]:3000`, `10.0.0.5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    host: Name,
    port: Option<u16>,
}

/// Why something names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} names no host; give a host or a host and its port, such as localhost:4000, app.internal or [::1]:3000"
)]
pub struct AllowedHostError {
    given: String,
}

impl AllowedHost {
    /// Whether this opens `port` of `host`.
    pub(super) fn opens(&self, host: &Name, port: u16) -> bool {
        self.host == *host && self.port.is_none_or(|own| own == port)
    }

    /// Whether it names this very port, which then may be one that browsers shun.
    pub(super) fn names_port(&self, host: &Name, port: u16) -> bool {
        self.host == *host && self.port == Some(port)
    }
}

impl FromStr for AllowedHost {
    type Err = AllowedHostError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        read(given.trim()).ok_or_else(|| AllowedHostError { given: given.to_owned() })
    }
}

fn read(given: &str) -> Option<AllowedHost> {
    if let Ok(address) = given.parse::<Ipv6Addr>() {
        return Some(AllowedHost { host: Name::Address(address.into()), port: None });
    }
    let (host, port) = match given.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (given, None),
    };
    let port = match port {
        None => None,
        // A sign, which Rust would read, is no port.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port != 0)?)
        }
        Some(_) => return None,
    };
    // The URL standard lets a name hold an asterisk; whoever writes one expects more than it would open.
    let host = Some(host).filter(|host| !host.contains(['*', '%'])).and_then(Name::parse)?;
    Some(AllowedHost { host, port })
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => self.host.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_with_or_without_its_port() {
        for (given, shown) in [
            ("localhost:4000", "localhost:4000"),
            (" App.Internal. ", "app.internal"),
            ("[::1]:3000", "[::1]:3000"),
            ("[::1]", "[::1]"),
            ("::1", "[::1]"),
            ("10.0.0.5", "10.0.0.5"),
            ("127.1:80", "127.0.0.1:80"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(given.parse::<AllowedHost>().unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            ":80",
            "localhost:",
            "localhost:0",
            "localhost:+80",
            "localhost:65536",
            "http://localhost:4000",
            "*.internal",
            "a/b",
            "a@b:80",
        ] {
            let error = wrong.parse::<AllowedHost>().unwrap_err();
            assert!(error.to_string().contains("such as localhost:4000"), "{wrong}: {error}");
        }
    }

    #[test]
    fn exactly_what_is_named_is_opened() {
        let opens = |allowed: &str, host: &str, port| {
            allowed.parse::<AllowedHost>().unwrap().opens(&Name::parse(host).unwrap(), port)
        };
        assert!(opens("localhost:4000", "LOCALHOST.", 4000));
        assert!(opens("app.internal", "app.internal", 8443));
        assert!(opens("127.0.0.1:4000", "0x7f.1", 4000), "another spelling of the same address");
        for (allowed, host, port) in [
            ("localhost:4000", "localhost", 4001),
            ("localhost:4000", "127.0.0.1", 4000),
            ("localhost:4000", "a.localhost", 4000),
            ("127.0.0.1:4000", "localhost", 4000),
            ("127.0.0.1", "[::ffff:127.0.0.1]", 80),
            ("app.internal", "evil.app.internal", 80),
            ("app.internal", "app.internal.evil.example", 80),
        ] {
            assert!(!opens(allowed, host, port), "{allowed} opens {host}:{port}");
        }
    }
}
