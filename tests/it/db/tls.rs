//! Each `sslmode` against a server with TLS, with rules that want or forbid it, and with the certificates people make.

use std::{fs, path::Path, time::Duration};

use tintype::{db::DbError, scratch::Scratch};

use super::{ask, connect};
use crate::support::{
    certificates::{self, Certificate},
    eventually, postgres,
};

const RULES: &str = "hostssl all tls_only all trust\nhostnossl all plain_only all trust\nhostssl all grace all cert\n\
    host all tls_only all reject\nhost all plain_only all reject\nhost all grace all reject\n\
    host all all all trust\nlocal all all trust\n";

/// Hands the server a file of its own, through the server itself, so that it belongs to the right user.
async fn give(scratch: &Scratch, name: &str, text: &str) {
    let client = postgres::connect(&scratch.url("postgres")).await;
    let lines = text.replace('\'', "''");
    let program = format!("umask 077; cat > {name}");
    let copy = format!("COPY (SELECT unnest(string_to_array('{}', E'\\n'))) TO PROGRAM '{program}'", lines.trim_end());
    client.batch_execute(&copy).await.unwrap();
}

/// Makes the server show this certificate, and waits until it does.
async fn show(scratch: &Scratch, name: &str, certificate: &Certificate) {
    give(scratch, &format!("{name}.crt"), &fs::read_to_string(&certificate.certificate).unwrap()).await;
    give(scratch, &format!("{name}.key"), &fs::read_to_string(&certificate.key).unwrap()).await;
    let client = postgres::connect(&scratch.url("postgres")).await;
    for (setting, value) in [("ssl_cert_file", format!("{name}.crt")), ("ssl_key_file", format!("{name}.key"))] {
        client.batch_execute(&format!("ALTER SYSTEM SET {setting} = '{value}'")).await.unwrap();
    }
    client.batch_execute("ALTER SYSTEM SET ssl = on").await.unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    eventually("the server shows its new certificate", Duration::from_secs(10), async || {
        let client = postgres::connect(&scratch.url("postgres")).await;
        let row = client.query_one("SELECT current_setting('ssl_cert_file')", &[]).await.unwrap();
        (row.get::<_, &str>(0) == format!("{name}.crt")).then_some(())
    })
    .await;
}

/// `tls`, `plain`, or the name of the error's situation.
async fn outcome(scratch: &Scratch, host: &str, user: &str, parameters: &str) -> String {
    let port = scratch.port();
    let url = format!("postgres://{user}@{host}:{port}/postgres?hostaddr=127.0.0.1&{parameters}");
    match connect(&url).await {
        Ok(database) => {
            let encrypted = ask(&database, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await;
            if encrypted == "true" { "tls".into() } else { "plain".into() }
        }
        Err(DbError::CertificateInvalid { reason, .. }) => format!("certificate: {reason}"),
        Err(DbError::TlsRequired { .. }) => "tls required".into(),
        Err(DbError::TlsRefused { .. }) => "tls refused".into(),
        Err(DbError::Refused { .. }) => "refused".into(),
        Err(error) => format!("{error:?}"),
    }
}

fn temporary(folder: &Path) -> (Certificate, Certificate) {
    (
        certificates::self_signed(folder, "authority", "Authority"),
        certificates::self_signed(folder, "stranger", "Stranger"),
    )
}

#[tokio::test]
async fn every_sslmode_means_what_libpq_means() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, stranger) = temporary(folder.path());
    let (authority, stranger) = (authority.path(), stranger.path());
    let extensions = Some("subjectAltName=DNS:db.example.com");
    let server = certificates::signed(folder.path(), "server", "ignored.example.com", extensions, "authority");
    let scratch = postgres::scratch(&[]);
    for mode in ["disable", "allow", "prefer"] {
        assert_eq!(
            outcome(&scratch, "db.example.com", "postgres", &format!("sslmode={mode}")).await,
            "plain",
            "{mode}"
        );
    }
    assert_eq!(outcome(&scratch, "db.example.com", "postgres", "sslmode=require").await, "tls refused");

    show(&scratch, "server", &server).await;
    let (right, other) = ("db.example.com", "ignored.example.com");
    let untrusted = "certificate: it was signed by an authority that is not trusted";
    for (mode, root, host, expected) in [
        ("disable", "", right, "plain"),
        ("allow", "", right, "plain"),
        ("prefer", "", right, "tls"),
        ("require", "", other, "tls"),
        ("require", &*authority, other, "tls"),
        ("require", &*stranger, right, untrusted),
        ("prefer", &*stranger, right, "plain"),
        ("verify-ca", &*authority, other, "tls"),
        ("verify-ca", &*stranger, right, untrusted),
        ("verify-full", &*authority, right, "tls"),
        ("verify-full", &*stranger, right, untrusted),
    ] {
        let parameters = format!("sslmode={mode}&sslrootcert={root}");
        assert_eq!(outcome(&scratch, host, "postgres", &parameters).await, expected, "{mode} {root} {host}");
    }
    let shown = outcome(&scratch, other, "postgres", &format!("sslmode=verify-full&sslrootcert={authority}")).await;
    assert!(shown.starts_with("certificate:") && shown.contains("db.example.com"), "{shown}");
}

#[tokio::test]
async fn rules_that_want_or_forbid_tls() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, _) = temporary(folder.path());
    let server = certificates::signed(folder.path(), "server", "db.example.com", None, "authority");
    let client =
        certificates::signed(folder.path(), "client", "grace", Some("extendedKeyUsage=clientAuth"), "authority");
    let scratch = postgres::scratch(&[]);
    let admin = postgres::connect(&scratch.url("postgres")).await;
    for role in ["tls_only", "plain_only", "grace"] {
        admin.batch_execute(&format!("CREATE ROLE {role} LOGIN")).await.unwrap();
    }
    give(&scratch, "root.crt", &fs::read_to_string(&authority.certificate).unwrap()).await;
    admin.batch_execute("ALTER SYSTEM SET ssl_ca_file = 'root.crt'").await.unwrap();
    give(&scratch, "pg_hba.conf", RULES).await;
    show(&scratch, "server", &server).await;
    let own = format!("sslmode=require&sslcert={}&sslkey={}", client.path(), client.key.display());
    for (user, parameters, expected) in [
        ("tls_only", "sslmode=allow", "tls"),
        ("tls_only", "sslmode=prefer", "tls"),
        ("plain_only", "sslmode=prefer", "plain"),
        ("plain_only", "sslmode=require", "refused"),
        ("grace", "sslmode=require", "refused"),
        ("grace", &own, "tls"),
    ] {
        assert_eq!(outcome(&scratch, "db.example.com", user, parameters).await, expected, "{user} {parameters}");
    }
    give(&scratch, "pg_hba.conf", "hostssl all tls_only all trust\nhost all postgres all trust\n").await;
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    eventually("only TLS is let in", Duration::from_secs(10), async || {
        (outcome(&scratch, "db.example.com", "tls_only", "sslmode=disable").await == "tls required").then_some(())
    })
    .await;
}

#[tokio::test]
async fn certificates_as_plain_recipes_make_them() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, stranger) = temporary(folder.path());
    let scratch = postgres::scratch(&[]);

    // Signed by itself, with a common name only, and given as its own root.
    let own = certificates::self_signed(folder.path(), "own", "db.example.com");
    show(&scratch, "own", &own).await;
    let full = format!("sslmode=verify-full&sslrootcert={}", own.path());
    assert_eq!(outcome(&scratch, "db.example.com", "postgres", &full).await, "tls");
    assert!(outcome(&scratch, "other.example.com", "postgres", &full).await.starts_with("certificate:"));
    let wrong = format!("sslmode=verify-ca&sslrootcert={}", stranger.path());
    assert!(outcome(&scratch, "db.example.com", "postgres", &wrong).await.starts_with("certificate:"));

    // Of version 1, which libpq takes where it checks no chain.
    let old = certificates::signed(folder.path(), "old", "db.example.com", None, "authority");
    show(&scratch, "old", &old).await;
    assert_eq!(outcome(&scratch, "db.example.com", "postgres", "sslmode=require").await, "tls");
    let checked = format!("sslmode=verify-full&sslrootcert={}", authority.path());
    let shown = outcome(&scratch, "db.example.com", "postgres", &checked).await;
    assert!(shown == "tls" || shown.contains("version 1"), "newer openssl writes version 3: {shown}");
}
