//! A host as a browser understands it, whatever way it was spelled: the URL standard's own parser reads it.

use std::{fmt, net::IpAddr};

use url::Host;

/// Endings of names that no public server has: this machine, neighbours found by multicast, private zones.
const LOCAL_ENDINGS: &[&str] = &["localhost", "local", "internal", "home.arpa"];

/// An address, or a name in lower case and ASCII without its final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Address(IpAddr),
    Domain(String),
}

impl Name {
    /// Reads a host: a name, an address of version 4 however written, one of version 6 in brackets.
    pub(super) fn parse(host: &str) -> Option<Self> {
        match Host::parse(host).ok()? {
            Host::Ipv4(address) => Some(Self::Address(address.into())),
            Host::Ipv6(address) => Some(Self::Address(address.into())),
            Host::Domain(domain) => {
                let domain = domain.strip_suffix('.').unwrap_or(&domain);
                (!domain.is_empty()).then(|| Self::Domain(domain.to_owned()))
            }
        }
    }

    /// Whether this is `localhost` or below it, which is this machine whatever a resolver says.
    pub(super) fn is_loopback(&self) -> bool {
        matches!(self, Self::Domain(domain) if ends_with(domain, "localhost"))
    }

    /// Whether no public server can have this name: one of a private zone, or one without a dot, which only means something here.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Address(_) => false,
            Self::Domain(domain) => {
                !domain.contains('.') || LOCAL_ENDINGS.iter().any(|ending| ends_with(domain, ending))
            }
        }
    }
}

fn ends_with(domain: &str, ending: &str) -> bool {
    domain.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Domain(domain) => f.write_str(domain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_loopback_is_the_same_address() {
        for spelled in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.1",
            "127.0.0.1.",
            "127。0。0。1",
            "①②⑦.0.0.1",
        ] {
            assert_eq!(Name::parse(spelled), Some(Name::Address([127, 0, 0, 1].into())), "{spelled}");
        }
        assert_eq!(Name::parse("[::FFFF:127.0.0.1]").unwrap().to_string(), "[::ffff:127.0.0.1]");
        for wrong in
            ["", ".", "a b", "::1", "[::1", "[fe80::1%25eth0]", "127.0.0.256", "0x100000000", "a/b", "a@b", "a:80"]
        {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_of_this_machine_and_of_private_zones_are_local() {
        for local in [
            "localhost",
            "LOCALHOST.",
            "a.b.localhost",
            "redis",
            "printer.local",
            "metadata.google.internal",
            "nas.home.arpa",
        ] {
            assert!(Name::parse(local).unwrap().is_local(), "{local}");
        }
        for public in ["example.com", "notlocalhost.com", "mylocal.net", "localhost.example.com", "8.8.8.8"] {
            assert!(!Name::parse(public).unwrap().is_local(), "{public}");
        }
        assert!(Name::parse("app.localhost").unwrap().is_loopback());
        assert!(!Name::parse("notlocalhost").unwrap().is_loopback());
    }
}
