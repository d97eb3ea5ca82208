//! A row's source, key and content go in, the path of its picture comes out: safe in a URL and on any disk, the same for the same
//! content, and never that of another row or another content.

use sha2::{Digest, Sha256};

/// A part of a path is cut after this many characters.
const LONGEST: usize = 64;
/// Hexadecimal digits that set a part apart whose text had to be changed.
const SUFFIX: usize = 16;
/// Hexadecimal digits that name the content.
const NAME: usize = 32;

/// The path of a picture: `{source}/{key}/{fingerprint}.{extension}`.
///
/// `content` and `template` are the fingerprints of what is drawn and of how it is drawn. All four texts may hold anything. The
/// path holds only lower-case ASCII letters, digits, `-`, `_`, `.` and the two slashes, is at most 210 characters long, and depends
/// on nothing but the arguments.
#[must_use]
pub fn object_path(source: &str, key: &str, content: &str, template: &str, extension: &str) -> String {
    let fingerprint = digest(&[source, key, content, template]);
    format!("{}/{}/{}.{extension}", part(source), part(key), &fingerprint[..NAME])
}

/// A text as a part of a path. One that cannot stand as it is gets a suffix, so that no two texts share a part; one that already
/// looks as if it had such a suffix gets one as well.
fn part(text: &str) -> String {
    let is_plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
    let is_inner = |c: char| is_plain(c) || c == '.';
    let edges = text.starts_with(is_plain) && text.ends_with(is_plain);
    if edges && text.len() <= LONGEST && text.chars().all(is_inner) && !text.contains("..") && !has_suffix(text) {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars().flat_map(char::to_lowercase).take(LONGEST) {
        if is_plain(c) {
            kept.push(c);
        } else if !kept.is_empty() && !kept.ends_with('-') {
            kept.push('-');
        }
    }
    let kept = kept.trim_end_matches('-');
    let separator = if kept.is_empty() { "" } else { "-" };
    format!("{kept}{separator}{}", &digest(&[text])[..SUFFIX])
}

fn has_suffix(text: &str) -> bool {
    let tail = text.rsplit('-').next().unwrap_or(text);
    tail.len() == SUFFIX && tail.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// SHA-256 of a picture's bytes, in hexadecimal digits: part of the fingerprint where they do not follow from the row alone.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// SHA-256 over the texts, each preceded by its length, in hexadecimal digits.
fn digest(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    format!("{:x}", hash.finalize())
}

/// A path with everything percent-encoded that RFC 3986 does not call unreserved, slashes kept.
pub(super) fn encoded(path: &str) -> String {
    use std::fmt::Write;

    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Whether each part of a path is a name, so that it stays below the place it is joined to.
pub(super) fn is_safe(path: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    path.split('/').all(is_name)
}
