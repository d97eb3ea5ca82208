//! A secret and what is done with one: messages are signed with it, and signatures compared in a time that tells nothing.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A text that is neither printed nor logged.
#[derive(Clone)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// HMAC-SHA256 of a message, in hexadecimal digits.
    pub(super) fn sign(&self, message: &str) -> String {
        format!("{:x}", mac(&self.0, message).finalize().into_bytes())
    }

    /// Whether a message was signed with this secret.
    pub(super) fn signed(&self, message: &str, signature: &str) -> bool {
        from_hex(signature).is_some_and(|signature| mac(&self.0, message).verify_slice(&signature).is_ok())
    }

    /// Whether a text is this secret.
    pub(super) fn is(&self, text: &str) -> bool {
        let own = mac(&self.0, "is").finalize().into_bytes();
        mac(text, "is").verify_slice(&own).is_ok()
    }
}

fn mac(key: &str, message: &str) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key.as_bytes()).unwrap_or_else(|_| Hmac::new(&<_>::default()));
    mac.update(message.as_bytes());
    mac
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (text.len() == 64 && text.is_ascii()).then(|| (0..64).step_by(2).map(digit).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_known_again() {
        let (ours, other) = (Secret::new("key".to_owned()), Secret::new("kez".to_owned()));
        let signature = ours.sign("The quick brown fox jumps over the lazy dog");
        assert_eq!(
            signature, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
            "as others compute it"
        );
        assert!(ours.signed("The quick brown fox jumps over the lazy dog", &signature));
        assert!(!ours.signed("the quick brown fox jumps over the lazy dog", &signature));
        assert!(!other.signed("The quick brown fox jumps over the lazy dog", &signature));
        for broken in ["", "00", "é", &signature[1..], &format!("{signature}00"), &"g".repeat(64)] {
            assert!(!ours.signed("The quick brown fox jumps over the lazy dog", broken), "{broken}");
        }
        assert!(ours.is("key") && !ours.is("kez") && !ours.is(""));
        assert_eq!(format!("{ours:?}"), "Secret");
    }
}
