//! Where settings come from, which of them wins, and that no secret is ever said.

use std::{fs, path::Path};

use super::POSTS;
use crate::support::{
    program::{Ran, command, run as run_program},
    schema::{installed, run},
};

/// A name for the case, the flags, and the variables.
type Place<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)]);

/// Runs `tintype status` in `folder` with these variables.
async fn status(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = command(&[&["status"], arguments].concat());
    command.current_dir(folder).envs(variables.iter().copied());
    run_program(command).await
}

#[tokio::test]
async fn the_database_is_found_in_every_place_and_the_nearest_wins() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    let folder = tempfile::tempdir().unwrap();
    let (url, nowhere) = (test.url(), "postgres://ada@127.0.0.1:1/nowhere");
    let parsed = url::Url::parse(&url).unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, format!("{url}\n")).unwrap();
    let file = file.to_str().unwrap();
    let port = parsed.port().unwrap().to_string();
    let password = parsed.password().unwrap_or_default();
    let places: &[Place<'_>] = &[
        ("flag", &["--database-url", &url], &[("TINTYPE_DATABASE_URL", nowhere), ("DATABASE_URL", nowhere)]),
        ("own variable", &[], &[("TINTYPE_DATABASE_URL", &url), ("DATABASE_URL", nowhere)]),
        ("own file", &[], &[("TINTYPE_DATABASE_URL_FILE", file), ("DATABASE_URL", nowhere)]),
        ("everybody's variable", &[], &[("DATABASE_URL", &url), ("PGHOST", "127.0.0.9")]),
        ("everybody's file", &[], &[("DATABASE_URL_FILE", file)]),
        (
            "libpq's variables",
            &[],
            &[
                ("PGHOST", parsed.host_str().unwrap()),
                ("PGPORT", &port),
                ("PGDATABASE", &parsed.path()[1..]),
                ("PGUSER", parsed.username()),
                ("PGPASSWORD", password),
            ],
        ),
    ];
    for (what, arguments, variables) in places {
        let ran = status(folder.path(), arguments, variables).await;
        assert!(ran.done().contains("posts"), "{what}: {ran:?}");
    }
    let toml = folder.path().join("tintype.toml");
    fs::write(&toml, format!("connections = 2\ndatabase_url = \"{url}\"\n")).unwrap();
    assert!(status(folder.path(), &[], &[]).await.done().contains("posts"), "tintype.toml where one stands");
    let elsewhere = tempfile::tempdir().unwrap();
    let named = toml.to_str().unwrap();
    assert!(status(elsewhere.path(), &["--config", named], &[]).await.done().contains("posts"), "a file that is named");
    assert!(
        status(elsewhere.path(), &[], &[("TINTYPE_CONFIG", named)]).await.done().contains("posts"),
        "by a variable"
    );
    let ran = status(folder.path(), &[], &[("DATABASE_URL", nowhere)]).await;
    assert_eq!(ran.code, 1, "a variable wins over tintype.toml: {ran:?}");
}

/// A settings file, and the line and the words that name what is wrong with it.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "connections = 3\ndatabse_url = 'postgres://ada:sekret@127.0.0.1/blog'\n",
        "line 2",
        "unknown field `databse_url`",
    ),
    ("\n\nconcurrency = 'many'\n", "line 3", "invalid type"),
    ("database_url = 'postgres://ada:sekret@127.0.0.1/blog\nconnections = 1\n", "line 1", "string"),
    ("storage = 's3://b'\ndatabase_url postgres://ada:sekret@127.0.0.1/blog", "line 2", "expected"),
    ("storage = 's3://a'\nstorage = 's3://b'\n", "line 2", "duplicate key"),
];

#[tokio::test]
async fn a_wrong_settings_file_is_pointed_at_without_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tintype.toml");
    for (content, line, words) in WRONG {
        fs::write(&path, content).unwrap();
        let ran = status(folder.path(), &[], &[]).await;
        super::well_said(content, &ran, 3);
        assert!(ran.error().starts_with(&format!("tintype.toml, {line}: ")), "{content}: {ran:?}");
        assert!(
            ran.error().contains(words) && ran.hint().contains("known settings: database_url"),
            "{content}: {ran:?}"
        );
        assert!(!ran.stderr.contains("sekret"), "{content}: {ran:?}");
    }
}

#[tokio::test]
async fn files_that_are_not_there_are_named_with_their_setting() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, variables, setting) in [
        (&["--config", "/nonexistent/t.toml"][..], &[][..], "--config"),
        (&[], &[("TINTYPE_CONFIG", "/nonexistent/t.toml")], "TINTYPE_CONFIG"),
        (&[], &[("DATABASE_URL_FILE", "/nonexistent/url")], "DATABASE_URL_FILE"),
        (&[], &[("TINTYPE_DATABASE_URL_FILE", "/nonexistent/url")], "TINTYPE_DATABASE_URL_FILE"),
    ] {
        let ran = status(folder.path(), arguments, variables).await;
        super::well_said(setting, &ran, 3);
        assert!(ran.error().starts_with("/nonexistent/") && ran.hint().contains(setting), "{setting}: {ran:?}");
    }
}

#[tokio::test]
async fn a_password_is_never_said() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    let mut url = url::Url::parse(&test.url()).unwrap();
    if url.password().is_none() {
        url.set_password(Some("sekret")).unwrap(); // nobody asks for it
    }
    let secret = url.password().unwrap().to_owned();
    let closed = format!("postgres://ada:{secret}@127.0.0.1:1/blog");
    let nameless = format!("postgres://postgres:{secret}@{}:{}/absent", url.host_str().unwrap(), url.port().unwrap());
    let odd = format!("postgres://ada:{secret}@127.0.0.1:port/blog");
    let dsn = format!("host=127.0.0.1 port=1 user=ada password={secret} nonsense=1");
    for database in [url.as_str(), &closed, &nameless, &odd, &dsn] {
        for arguments in [
            &["status", "--log", "trace"][..],
            &["install", "--log", "tintype=trace,tokio_postgres=trace"],
            &["backfill", "posts", "--dry-run", "--log", "trace"],
            &["attach", "posts", "--dry-run", "--log", "trace"],
            &["healthcheck", "--log", "trace"],
            &["status", "--help"],
            &["run", "--exit-when-idle", "--log", "trace", "--storage", "/nonexistent"],
        ] {
            let mut command = command(arguments);
            command.env("TINTYPE_DATABASE_URL", database);
            let ran = run_program(command).await;
            assert!(!format!("{ran:?}").contains(&secret), "{arguments:?} on {database}: {ran:?}");
        }
    }
}

/// `script` of util-linux lends a terminal.
#[tokio::test]
async fn no_color_holds_on_a_terminal_too() {
    let script = Path::new("/usr/bin/script");
    if !script.exists() || cfg!(not(target_os = "linux")) {
        eprintln!("skipped: no util-linux script to lend a terminal");
        return;
    }
    let (test, _client) = installed().await;
    let folder = tempfile::tempdir().unwrap();
    let line = format!(
        "{} run --exit-when-idle --public-base-url /og --storage {}",
        env!("CARGO_BIN_EXE_tintype"),
        folder.path().display()
    );
    for (no_color, coloured) in [(None, true), (Some("1"), false), (Some(""), true)] {
        let mut command = tokio::process::Command::new(script);
        command.args(["-qec", &line, "/dev/null"]).env_clear().stdin(std::process::Stdio::null());
        command
            .env("DATABASE_URL", test.url())
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env("PATH", "/usr/bin:/bin");
        command.envs(no_color.map(|value| ("NO_COLOR", value)));
        let output = command.output().await.unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && shown.contains("started"), "{no_color:?}: {output:?}");
        assert_eq!(shown.contains("\u{1b}["), coloured, "{no_color:?}: {shown}");
    }
}
