//! What may be opened at all. A door sees only what needs the network; a `file:` needs none.

use url::Url;

/// Why an address is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It is no URL.
    #[error("{0:?} is no address of a page: {1}")]
    Unreadable(String, url::ParseError),
    /// Its scheme is not of the web: `file:`, `chrome:`, `view-source:`, `data:` and all others.
    #[error("{0}: addresses are not opened, only http: and https:")]
    Scheme(String),
}

/// Reads the address of a page that is to be opened; only `http:` and `https:` are.
pub fn check_subject(address: &str) -> Result<Url, SubjectError> {
    let url = Url::parse(address).map_err(|error| SubjectError::Unreadable(address.to_owned(), error))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(SubjectError::Scheme(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_is_opened() {
        for web in [
            "http://example.com",
            "HTTPS://example.com/a?b#c",
            " https://example.com ",
            "http://user:secret@example.com",
        ] {
            assert!(check_subject(web).is_ok(), "{web}");
        }
        for other in [
            "file:///etc/passwd",
            "FILE:///etc/passwd",
            "\tfi\nle:///etc/passwd",
            "chrome://version",
            "chrome-extension://a/b",
            "devtools://devtools/bundled/inspector.html",
            "view-source:http://example.com",
            "data:text/html,hello",
            "blob:http://example.com/1",
            "filesystem:http://example.com/temporary/a",
            "javascript:alert(1)",
            "about:blank",
            "ftp://example.com",
            "ws://example.com",
            "isolated-app://a",
        ] {
            assert!(matches!(check_subject(other), Err(SubjectError::Scheme(_))), "{other}");
        }
        for wrong in ["", "example.com", "/a", "http://", "http://a b/"] {
            assert!(matches!(check_subject(wrong), Err(SubjectError::Unreadable(..))), "{wrong}");
        }
    }
}
