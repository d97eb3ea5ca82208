//! Why a page could not be loaded: the browser's word and what the guard noted come in, a [`Trouble`] goes out.

use url::Url;

use super::{error::Trouble, guard::Refusal, watch::View};

/// The browser's words for what will be the same at the next try.
const FINAL: [&str; 12] = [
    "net::ERR_TOO_MANY_REDIRECTS",
    "net::ERR_UNSAFE_REDIRECT",
    "net::ERR_UNSAFE_PORT",
    "net::ERR_INVALID_URL",
    "net::ERR_INVALID_REDIRECT",
    "net::ERR_INVALID_RESPONSE",
    "net::ERR_UNKNOWN_URL_SCHEME",
    "net::ERR_DISALLOWED_URL_SCHEME",
    "net::ERR_BLOCKED_BY_RESPONSE",
    "net::ERR_BLOCKED_BY_CLIENT",
    "net::ERR_RESPONSE_HEADERS_TOO_BIG",
    "net::ERR_CONTENT_DECODING_FAILED",
];

/// Why a navigation failed.
pub(super) fn failed(what: &str, url: &Url, view: &View, refusals: &[Refusal]) -> Trouble {
    if let Some(trouble) = refused(url, view, refusals) {
        return trouble;
    }
    match view.seen.status {
        Some(status) if status >= 400 => return Trouble::Status { status, retry_after: view.retry_after },
        Some(204 | 205) => return Trouble::NoPage { what: "the answer is empty" },
        _ => {}
    }
    match what {
        "net::ERR_ABORTED" if !view.download => Trouble::NoPage { what: "nothing came" },
        _ if view.download => Trouble::NoPage { what: "a download came" },
        what if FINAL.contains(&what) || is_mistrust(what) => Trouble::Refused { what: what.to_owned() },
        what => Trouble::Unreachable { what: what.to_owned() },
    }
}

/// Whether it is a certificate that nobody will trust tomorrow either. One that has run out may be renewed within the hour.
fn is_mistrust(what: &str) -> bool {
    what.starts_with("net::ERR_CERT_") && what != "net::ERR_CERT_DATE_INVALID"
}

/// Why the document that came is none to take a picture of.
pub(super) fn bad_document(url: &Url, view: &View, refusals: &[Refusal]) -> Option<Trouble> {
    if view.refused {
        return refused(url, view, refusals).or(Some(Trouble::Unreachable { what: "refused by the proxy".to_owned() }));
    }
    match view.seen.status {
        Some(status) if status >= 400 => Some(Trouble::Status { status, retry_after: view.retry_after }),
        _ => None,
    }
}

/// What the guard has against the document's own host. What it refused to the page's other parts is the page's affair.
fn refused(url: &Url, view: &View, refusals: &[Refusal]) -> Option<Trouble> {
    let last = view.seen.requested.as_deref().and_then(|url| Url::parse(url).ok());
    let url = last.as_ref().unwrap_or(url);
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let refusal = refusals.iter().rev().find(|refusal| refusal.host == host && refusal.port == port)?;
    Some(refusal.clone().into())
}
