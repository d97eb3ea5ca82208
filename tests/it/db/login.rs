//! Each way in which a connection fails names its situation and what to do about it.

use std::time::{Duration, Instant};

use tintype::db::{Database, DbError, LibpqEnv};

use super::{ask, connect, settings};
use crate::support::postgres::{self, TestDatabase};

/// The text of the error and of its hint, for a look at both.
async fn failure(url: &str) -> (DbError, String) {
    let error = connect(url).await.expect_err(url);
    let shown = format!("{error}\n{}", error.hint().unwrap_or_default());
    (error, shown)
}

#[tokio::test]
async fn passwords_roles_and_databases_that_are_wrong() {
    let scratch = postgres::scratch(&[("password_encryption", "scram-sha-256")]);
    scratch.create_database("blog_production").await.unwrap();
    let admin = postgres::connect(&scratch.url("postgres")).await;
    admin
        .batch_execute(
            "CREATE ROLE ada LOGIN PASSWORD 'pass/word'; CREATE ROLE full_house LOGIN CONNECTION LIMIT 0;
             CREATE ROLE outsider LOGIN; REVOKE CONNECT ON DATABASE blog_production FROM PUBLIC;
             COPY (SELECT unnest(ARRAY['host all ada 127.0.0.1/32 scram-sha-256', 'host all grace 127.0.0.1/32 reject',
                 'local all all trust', 'host all all 127.0.0.1/32 trust'])) TO PROGRAM 'cat > pg_hba.conf';
             SELECT pg_reload_conf()",
        )
        .await
        .unwrap();
    let at = |login: &str, database: &str| format!("postgres://{login}@127.0.0.1:{}/{database}", scratch.port());

    // The server reads its new rules soon after it was told to.
    crate::support::eventually("the new pg_hba.conf", Duration::from_secs(10), async || {
        matches!(connect(&at("ada:wrong", "postgres")).await, Err(DbError::WrongPassword { .. })).then_some(())
    })
    .await;
    let (_, shown) = failure(&at("ada:wrong", "postgres")).await;
    assert!(shown.contains("refuses the password of `ada`") && !shown.contains("wrong"), "{shown}");
    let (error, shown) = failure(&at("ada", "postgres")).await;
    assert!(matches!(error, DbError::PasswordMissing { .. }) && shown.contains(".pgpass"), "{shown}");
    let env = LibpqEnv::from_lookup(|name| (name == "PGPASSWORD").then(|| "pass/word".to_owned()));
    let database = Database::connect(&settings(&at("ada", "postgres")), &env).await.unwrap();
    assert_eq!(ask(&database, "current_user").await, "ada");
    connect(&at("ada:pass%2Fword", "postgres")).await.unwrap();

    let (error, shown) = failure(&at("nobody_here", "postgres")).await;
    assert!(matches!(&error, DbError::NoSuchRole { user, .. } if user == "nobody_here"), "{shown}");
    let (error, shown) = failure(&at("grace", "postgres")).await;
    assert!(matches!(error, DbError::Refused { .. }) && shown.contains("pg_hba.conf rejects"), "{shown}");
    let (error, shown) = failure(&at("outsider", "blog_production")).await;
    assert!(matches!(error, DbError::Refused { .. }) && shown.contains("permission denied"), "{shown}");
    let (error, shown) = failure(&at("full_house", "postgres")).await;
    assert!(matches!(error, DbError::TooManyConnections { .. }) && error.is_transient(), "{shown}");
    let (error, shown) = failure(&at("postgres", "blog_producton")).await;
    assert!(
        matches!(error, DbError::NoSuchDatabase { .. }) && shown.ends_with("did you mean `blog_production`?"),
        "{shown}"
    );
    let (_, shown) = failure(&at("postgres", "wholly_different")).await;
    assert!(shown.ends_with("create it with `createdb wholly_different`, or name another in the URL"), "{shown}");
}

#[tokio::test]
async fn nobody_there() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (error, shown) = failure(&format!("postgres://ada@{free}/blog")).await;
    assert!(matches!(error, DbError::Unreachable { .. }) && error.is_transient());
    assert!(shown.starts_with(&format!("cannot reach Postgres at {free}: Connection refused\n")), "{shown}");
    let (_, shown) = failure("postgres:///blog?host=/nonexistent").await;
    assert!(shown.starts_with("cannot reach Postgres at /nonexistent/.s.PGSQL.5432: No such file"), "{shown}");
    let (error, shown) = failure("postgres://ada@db.invalid/blog").await;
    assert!(matches!(error, DbError::Unreachable { .. }), "{shown}");
}

#[tokio::test]
async fn somebody_there_who_says_nothing() {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    let url = format!("postgres://ada@{}/blog?connect_timeout=2", mute.local_addr().unwrap());
    let (error, shown) = failure(&url).await;
    assert!(matches!(error, DbError::Timeout { .. }) && error.is_transient(), "{shown}");
    assert!(started.elapsed() < Duration::from_secs(9), "{shown}");
}

#[tokio::test]
async fn the_first_server_that_answers_is_taken() {
    let test = TestDatabase::new().await;
    let url = url::Url::parse(&test.url()).unwrap();
    let (host, port, path) = (url.host_str().unwrap(), url.port().unwrap(), url.path());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let database = connect(&format!("postgresql://postgres@{free},{host}:{port}{path}")).await.unwrap();
    assert_eq!(ask(&database, "'/' || current_database()").await, path);
    let (_, shown) = failure(&format!("postgresql://postgres@{host}:{port},{free}/absent")).await;
    assert!(shown.contains("no database `absent`"), "a server that refuses is the last that is asked: {shown}");
}
