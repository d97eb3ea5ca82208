//! What an error of tokio-postgres keeps to itself: the step that failed, the innermost reason, all of it as text.

use std::{error::Error as _, io};

use rustls::CertificateError;

/// The step of a connection that failed.
pub(super) enum Failed {
    Connect,
    Tls,
    Password,
    Other,
}

/// tokio-postgres keeps the kind of an error to itself; its own text is the only sign of it.
pub(super) fn what_failed(error: &tokio_postgres::Error) -> Failed {
    match error.to_string().as_str() {
        "error connecting to server" => Failed::Connect,
        "error performing TLS handshake" => Failed::Tls,
        "invalid configuration" if cause(error) == "password missing" => Failed::Password,
        _ => Failed::Other,
    }
}

/// Whether the TLS handshake failed, for whatever reason.
pub(in crate::db) fn is_tls(error: &tokio_postgres::Error) -> bool {
    matches!(what_failed(error), Failed::Tls)
}

/// The innermost reason, without the number of an operating system's error.
pub(super) fn cause(error: &tokio_postgres::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// What is wrong with the server's certificate, where that is what ended the handshake.
pub(super) fn certificate_problem(error: &tokio_postgres::Error) -> Option<String> {
    let inner = error.source()?.downcast_ref::<io::Error>()?.get_ref()?;
    let rustls::Error::InvalidCertificate(problem) = inner.downcast_ref::<rustls::Error>()? else { return None };
    Some(match problem {
        CertificateError::UnknownIssuer => "it was signed by an authority that is not trusted".to_owned(),
        CertificateError::Other(other) if other.to_string().contains("UnsupportedCertVersion") => {
            "it is of X.509 version 1; only version 3 can be verified (sign it with a subjectAltName)".to_owned()
        }
        problem => problem.to_string(),
    })
}

/// Message, code and detail of the server, or the whole chain of any other error. What tintype's own functions raise is
/// worded for people and needs no code.
pub(super) fn in_full(error: &tokio_postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        let ours =
            answer.where_().is_some_and(|place| place.contains("function tintype.") && place.contains("at RAISE"));
        let code = if ours { String::new() } else { format!(" (SQLSTATE {})", answer.code().code()) };
        let detail = answer.detail().map(|detail| format!("; {detail}")).unwrap_or_default();
        return format!("{}{code}{detail}", answer.message());
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
