//! Decides whether a server's certificate will do: the chain to a trusted root, then the host's name, each only where
//! `sslmode` asks for it. The handshake's signature is always checked, since SCRAM's channel binding builds on it.

use std::time::Duration;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::ParsedCertificate,
};
use x509_cert::{
    Certificate,
    der::{Decode, Encode, asn1::AnyRef, oid::db::rfc4519::COMMON_NAME},
    ext::pkix::SubjectAltName,
};

/// The rules of one `sslmode`.
#[derive(Debug)]
pub(super) struct Verifier {
    /// The trusted certificates as they are, and as the ends of chains; `None` trusts every certificate.
    trusted: Option<(Vec<CertificateDer<'static>>, RootCertStore)>,
    check_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(
        trusted: Option<(Vec<CertificateDer<'static>>, RootCertStore)>,
        check_name: bool,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self { trusted, check_name, algorithms }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some((roots, store)) = &self.trusted {
            // A self-signed server certificate is often its own root file; a chain cannot start at its end.
            if roots.contains(end_entity) {
                check_validity(end_entity, now)?;
            } else {
                let certificate = ParsedCertificate::try_from(end_entity)?;
                verify_server_cert_signed_by_trust_anchor(
                    &certificate,
                    store,
                    intermediates,
                    now,
                    self.algorithms.all,
                )?;
            }
        }
        if self.check_name {
            check_name(end_entity, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    /// Over the bare key, because plain recipes with `openssl x509 -req` make certificates of version 1, which nothing else
    /// here can parse and which libpq accepts where it verifies none.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = parse(certificate)?.tbs_certificate.subject_public_key_info.to_der().map_err(|_| unreadable())?;
        let key = SubjectPublicKeyInfoDer::from(key);
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn unreadable() -> Error {
    CertificateError::BadEncoding.into()
}

fn parse(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| unreadable())
}

fn check_validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let validity = parse(certificate)?.tbs_certificate.validity;
    let seconds = Duration::from_secs(now.as_secs());
    if seconds < validity.not_before.to_unix_duration() {
        return Err(CertificateError::NotValidYet.into());
    }
    if seconds > validity.not_after.to_unix_duration() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

/// By the alternative names; by the common name only where the certificate has none of them, as libpq does
/// (<https://www.postgresql.org/docs/current/libpq-ssl.html>).
fn check_name(certificate: &CertificateDer<'_>, wanted: &ServerName<'_>) -> Result<(), Error> {
    let parsed = parse(certificate)?;
    let alternative = parsed.tbs_certificate.get::<SubjectAltName>().map_err(|_| unreadable())?;
    if alternative.is_some() {
        return verify_server_name(&ParsedCertificate::try_from(certificate)?, wanted);
    }
    let matches = common_name(&parsed).is_some_and(|name| name_matches(&name, &wanted.to_str()));
    if matches { Ok(()) } else { Err(CertificateError::NotValidForName.into()) }
}

fn common_name(certificate: &Certificate) -> Option<String> {
    let mut attributes = certificate.tbs_certificate.subject.0.iter().flat_map(|names| names.0.iter());
    let value = &attributes.find(|attribute| attribute.oid == COMMON_NAME)?.value;
    let text = AnyRef::from(value).value();
    std::str::from_utf8(text).ok().map(str::to_owned)
}

/// Ignores case; a `*` as the whole first label stands for one label.
fn name_matches(pattern: &str, host: &str) -> bool {
    let wildcard = pattern.strip_prefix("*.").zip(host.split_once('.'));
    pattern.eq_ignore_ascii_case(host) || wildcard.is_some_and(|(domain, (_, rest))| domain.eq_ignore_ascii_case(rest))
}

#[cfg(test)]
mod tests {
    use super::name_matches;

    #[test]
    fn a_star_stands_for_one_label() {
        for (pattern, host, expected) in [
            ("db.example.com", "DB.example.com", true),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "a.db.example.com", false),
            ("*.example.com", "example.com", false),
            ("db.example.com", "db.example.com.evil.example", false),
            ("192.0.2.1", "192.0.2.1", true),
        ] {
            assert_eq!(name_matches(pattern, host), expected, "{pattern} {host}");
        }
    }
}
