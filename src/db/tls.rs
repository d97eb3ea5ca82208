//! TLS as libpq understands it: `sslmode` and its companions go in, a rustls client configuration comes out. A root that was
//! named is always checked against; no mode falls back to less than it says.

mod verify;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::verify::Verifier;
use super::{DbError, libpq::LibpqEnv, parse::bad};
use crate::trust;

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted only where the server insists.
    Allow,
    /// Encrypted where the server can.
    Prefer,
    /// Always encrypted.
    Require,
    /// And the certificate leads to a trusted root.
    VerifyCa,
    /// And it was made for this host.
    VerifyFull,
}

impl SslMode {
    /// As libpq writes it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// Which roots are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// Any certificate passes.
    Unchecked,
    /// The certificates of a PEM file.
    File(PathBuf),
    /// Those that the system trusts.
    System,
}

/// What a connection string and its surroundings say about TLS.
#[derive(Debug, Clone)]
pub(super) struct TlsSettings {
    pub(super) mode: SslMode,
    roots: Roots,
    /// The client's own certificate chain and its key.
    identity: Option<(PathBuf, PathBuf)>,
    /// TLS from the first byte, without asking in Postgres' own protocol (`sslnegotiation=direct`).
    pub(super) direct: bool,
}

impl TlsSettings {
    /// Reads the keywords that `get` finds; `~/.postgresql` has the files that libpq looks for there.
    pub(super) fn resolve<'a>(get: impl Fn(&str) -> Option<&'a str>, env: &LibpqEnv) -> Result<Self, DbError> {
        let system = get("sslrootcert") == Some("system");
        let mode = match get("sslmode") {
            Some(mode) => parse_mode(mode)?,
            None if matches!(get("ssl"), Some("true" | "1")) => SslMode::Require,
            None if system => SslMode::VerifyFull,
            None => SslMode::Prefer,
        };
        if system && mode < SslMode::VerifyFull {
            return Err(bad(
                "`sslrootcert=system` needs `sslmode=verify-full`, since anybody can get such a certificate",
            ));
        }
        let roots = match get("sslrootcert") {
            Some("system") => Roots::System,
            Some(path) => Roots::File(path.into()),
            None => env.home_file("root.crt").map_or(Roots::Unchecked, Roots::File),
        };
        if mode >= SslMode::VerifyCa && roots == Roots::Unchecked {
            return Err(bad(
                "it asks for a verified certificate but names no roots: add `sslrootcert=system` for those of \
                            the system, or `sslrootcert=FILE`",
            ));
        }
        let direct = match get("sslnegotiation") {
            None | Some("postgres") => false,
            Some("direct") if mode >= SslMode::Require => true,
            Some("direct") => return Err(bad("`sslnegotiation=direct` needs `sslmode=require` or more")),
            Some(other) => return Err(bad(format!("`sslnegotiation` is {other}, expected postgres or direct"))),
        };
        let certificate = get("sslcert").map(PathBuf::from).or_else(|| env.home_file("postgresql.crt"));
        let key = get("sslkey").map(PathBuf::from).or_else(|| env.home_file("postgresql.key"));
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => return Err(bad("it has an `sslcert` without an `sslkey`")),
            (None, _) => None,
        };
        Ok(Self { mode, roots, identity, direct })
    }

    /// Whether a certificate has to lead to a trusted root.
    pub(super) fn is_verified(&self) -> bool {
        self.roots != Roots::Unchecked
    }

    /// Reads the files and makes the connector; without TLS (`disable`) none of them is touched.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, DbError> {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| bad(error.to_string()))?;
        let used = self.mode != SslMode::Disable;
        let trusted = if used { self.trusted()? } else { None };
        let verifier = Verifier::new(trusted, self.mode == SslMode::VerifyFull, algorithms);
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.identity {
            Some((certificate, key)) if used => {
                let (chain, key_file) = (certificates(certificate)?, key);
                let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| unusable(key_file, &error))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| unusable(key_file, &error))?
            }
            _ => builder.with_no_client_auth(),
        };
        if self.direct {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(MakeRustlsConnect::new(config))
    }

    /// The trusted certificates, both as they are and ready for building chains to them.
    fn trusted(&self) -> Result<Option<(Vec<CertificateDer<'static>>, RootCertStore)>, DbError> {
        let roots = match &self.roots {
            Roots::Unchecked => return Ok(None),
            Roots::File(path) => certificates(path)?,
            Roots::System => {
                let found = trust::authorities();
                if found.is_empty() {
                    return Err(bad("`sslrootcert=system`, but the system has no trusted certificates: install \
                                    ca-certificates"));
                }
                found.to_vec()
            }
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        Ok(Some((roots, store)))
    }
}

fn parse_mode(mode: &str) -> Result<SslMode, DbError> {
    Ok(match mode {
        "disable" => SslMode::Disable,
        "allow" => SslMode::Allow,
        "prefer" => SslMode::Prefer,
        // `no-verify` is what node-postgres calls it.
        "require" | "no-verify" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        other => {
            return Err(bad(format!(
                "`sslmode` is {other}, expected disable, allow, prefer, require, verify-ca or verify-full"
            )));
        }
    })
}

/// The certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, DbError> {
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(path, &error))?;
    if found.is_empty() { Err(unusable(path, &"it holds no certificate in PEM form")) } else { Ok(found) }
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> DbError {
    DbError::TlsFile { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(values: &[(&str, &'static str)]) -> Result<TlsSettings, DbError> {
        let get = |keyword: &str| values.iter().find(|(known, _)| *known == keyword).map(|(_, value)| *value);
        TlsSettings::resolve(get, &LibpqEnv::default())
    }

    #[test]
    fn modes_and_roots_mean_what_libpq_means() {
        let settings = resolve(&[]).unwrap();
        assert_eq!((settings.mode, settings.roots), (SslMode::Prefer, Roots::Unchecked));
        let settings = resolve(&[("sslrootcert", "system")]).unwrap();
        assert_eq!((settings.mode, settings.roots), (SslMode::VerifyFull, Roots::System));
        let settings = resolve(&[("sslmode", "require"), ("sslrootcert", "/ca.pem")]).unwrap();
        assert_eq!((settings.mode, settings.roots), (SslMode::Require, Roots::File("/ca.pem".into())));
        assert_eq!(resolve(&[("ssl", "true")]).unwrap().mode, SslMode::Require);
    }

    #[test]
    fn what_would_weaken_a_promise_is_refused() {
        for values in [
            &[("sslmode", "verify-full")][..],
            &[("sslmode", "require"), ("sslrootcert", "system")],
            &[("sslmode", "required")],
            &[("sslnegotiation", "direct")],
            &[("sslcert", "/own.crt")],
        ] {
            assert!(resolve(values).is_err(), "{values:?}");
        }
    }

    #[test]
    fn a_file_that_holds_no_certificate_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path: &'static str = file.path().display().to_string().leak();
        for path in [path, "/nonexistent/ca.pem"] {
            let settings = resolve(&[("sslmode", "verify-full"), ("sslrootcert", path)]).unwrap();
            let error = settings.connector().err().unwrap().to_string();
            assert!(error.contains(path), "{error}");
        }
        assert!(resolve(&[("sslmode", "disable"), ("sslrootcert", path)]).unwrap().connector().is_ok());
    }
}
