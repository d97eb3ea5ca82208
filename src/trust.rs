//! The authorities that this system trusts. They are read once in the life of a process: that takes some milliseconds, and none of them
//! changes while it runs. A system that has none is asked again.

use std::sync::OnceLock;

use rustls::pki_types::CertificateDer;

static FOUND: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();

/// Their certificates; none where the package `ca-certificates` is missing.
pub(crate) fn authorities() -> &'static [CertificateDer<'static>] {
    if let Some(found) = FOUND.get() {
        return found;
    }
    let read = rustls_native_certs::load_native_certs().certs;
    if read.is_empty() { &[] } else { FOUND.get_or_init(|| read) }
}
