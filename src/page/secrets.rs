//! What a page's own server is told so that it lets us in. A source names a secret; the worker's environment holds it. No secret is
//! in the database, in a message or in a picture's address.

use std::{
    collections::BTreeMap,
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use url::Url;

use crate::capture::Credentials;

/// How long a signed address is good for, in seconds.
const GOOD_FOR: u64 = 300;

/// Secrets by their names in upper case.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Out of names and values.
    #[must_use]
    pub fn new(all: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(all.into_iter().map(|(name, value)| (name.to_uppercase(), value)).collect())
    }

    fn get(&self, name: &str) -> Result<&str, AuthError> {
        let name = name.to_uppercase();
        self.0.get(&name).map(String::as_str).ok_or(AuthError::NoSecret { name })
    }

    /// Whether all that these ways in name is here.
    pub(super) fn have(&self, auth: &[String]) -> Result<(), AuthError> {
        auth.iter().try_for_each(|words| self.get(way(words)?.1).map(drop))
    }

    /// The address as it is asked for, and what is told besides, for the ways in that a source names.
    pub(super) fn open(&self, auth: &[String], mut url: Url) -> Result<(Url, Credentials), AuthError> {
        let (mut headers, mut cookies) = (Vec::new(), Vec::new());
        for words in auth {
            let (way, secret_name) = way(words)?;
            let secret = self.get(secret_name)?;
            let (header, value) = match way {
                Way::Bearer => ("Authorization", format!("Bearer {secret}")),
                Way::Basic => ("Authorization", format!("Basic {}", STANDARD.encode(secret))),
                Way::Header(name) => (name, secret.to_owned()),
                Way::Cookie(name) => ("Cookie", format!("{name}={secret}")),
                Way::Sign => {
                    sign(&mut url, secret, now() + GOOD_FOR);
                    continue;
                }
            };
            if !Credentials::can_have(header, &value) {
                return Err(AuthError::Header { name: header.to_owned(), secret: secret_name.to_owned() });
            }
            match way {
                Way::Cookie(_) => cookies.push(value),
                _ => headers.push((header.to_owned(), value)),
            }
        }
        if !cookies.is_empty() {
            headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        Ok((url, Credentials { headers }))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// What is wrong with a way in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It is none that is known.
    #[error("`{0}` is no way in: bearer=NAME, basic=NAME, header:X-Name=NAME, cookie:name=NAME or sign=NAME")]
    Unknown(String),
    /// The row would say who gets the secret.
    #[error(
        "no secret goes along where the row names the host, as `{template}` has it: write scheme and host into the address"
    )]
    AnyHost {
        /// The address of the source.
        template: String,
    },
    /// A header cannot have that value, or nobody may set it.
    #[error(
        "header {name} cannot be set to what secret {secret} holds: a line break or a letter beyond ASCII in it, or a name that is the browser's own"
    )]
    Header {
        /// The header.
        name: String,
        /// The secret's name.
        secret: String,
    },
    /// This worker has no such secret.
    #[error(
        "there is no secret {name}: the variable TINTYPE_SECRET_{name}, or a file that TINTYPE_SECRET_{name}_FILE names"
    )]
    NoSecret {
        /// Its name.
        name: String,
    },
}

enum Way<'a> {
    Bearer,
    Basic,
    Header(&'a str),
    Cookie(&'a str),
    Sign,
}

/// `bearer=NAME` and its kin, as a way and the name of a secret.
fn way(words: &str) -> Result<(Way<'_>, &str), AuthError> {
    let unknown = || AuthError::Unknown(words.to_owned());
    let (way, secret) = words.split_once('=').ok_or_else(unknown)?;
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !is_name(secret) {
        return Err(unknown());
    }
    let way = match way.split_once(':') {
        Some(("header", name)) if is_name(name) => Way::Header(name),
        Some(("cookie", name)) if is_name(name) => Way::Cookie(name),
        None if way == "bearer" => Way::Bearer,
        None if way == "basic" => Way::Basic,
        None if way == "sign" => Way::Sign,
        _ => return Err(unknown()),
    };
    Ok((way, secret))
}

/// Whether that is a way in at all.
pub(super) fn check(words: &str) -> Result<(), AuthError> {
    way(words).map(drop)
}

/// Signs an address: `expires` and `signature` go behind its query. The signature is HMAC-SHA256 over path and query as they are
/// sent, `expires` with them, in hexadecimal digits. `docs/PAGES.md` has the other side for several frameworks.
fn sign(url: &mut Url, secret: &str, expires: u64) {
    url.set_fragment(None);
    url.query_pairs_mut().append_pair("expires", &expires.to_string());
    let signed = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return };
    mac.update(signed.as_bytes());
    let signature = format!("{:x}", mac.finalize().into_bytes());
    url.query_pairs_mut().append_pair("signature", &signature);
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::new([("APP".to_owned(), "s3cret".to_owned()), ("LOGIN".to_owned(), "ada:engine".to_owned())])
    }

    fn page() -> Url {
        Url::parse("https://app.example/posts/1?draft=1").unwrap()
    }

    #[test]
    fn each_way_in_says_what_servers_expect() {
        for (words, name, value) in [
            ("bearer=app", "Authorization", "Bearer s3cret"),
            ("basic=LOGIN", "Authorization", "Basic YWRhOmVuZ2luZQ=="),
            ("header:X-Api-Key=APP", "X-Api-Key", "s3cret"),
            ("cookie:_session=APP", "Cookie", "_session=s3cret"),
        ] {
            let (url, told) = secrets().open(&[words.to_owned()], page()).unwrap();
            assert_eq!((url, told.headers), (page(), vec![(name.to_owned(), value.to_owned())]), "{words}");
        }
    }

    #[test]
    fn a_secret_is_refused_only_where_a_header_would_hold_it_as_it_is() {
        let odd = Secrets::new([("ODD".to_owned(), "ada:pass\u{df}wort\nand more".to_owned())]);
        for (words, fits) in [
            ("basic=ODD", true),
            ("sign=ODD", true),
            ("bearer=ODD", false),
            ("header:X-Key=ODD", false),
            ("cookie:s=ODD", false),
        ] {
            assert_eq!(odd.open(&[words.to_owned()], page()).is_ok(), fits, "{words}");
        }
    }

    /// The figure of Python's hmac module for the same key and text.
    #[test]
    fn a_signature_is_what_others_compute() {
        let mut url = page();
        sign(&mut url, "s3cret", 1_767_225_600);
        assert_eq!(
            url.as_str(),
            "https://app.example/posts/1?draft=1&expires=1767225600&signature=418e71cc5a75f97af5ac44dc7f9e94ce81e07e1cef24655f004df335ea5c1fb7"
        );
    }

    #[test]
    fn a_secret_that_is_missing_is_named_and_never_shown() {
        let error = secrets().open(&["bearer=OTHER".to_owned()], page()).unwrap_err();
        assert!(error.to_string().contains("TINTYPE_SECRET_OTHER"), "{error}");
        assert!(!format!("{:?}", secrets()).contains("s3cret"));
        for wrong in ["bearer", "bearer=", "bearer=a b", "header=APP", "header:=APP", "token=APP", "header:X Y=APP"] {
            assert_eq!(check(wrong), Err(AuthError::Unknown(wrong.to_owned())));
        }
    }
}
