//! The command line: exit codes, one line that says what is wrong and one that says what to do, data apart from words.

mod backfill;
mod operate;
mod render;
mod settings;
mod work;

use crate::support::{
    postgres::TestDatabase,
    program::{command, run as run_program, tintype},
    schema::{installed, run, text},
};

const COMMANDS: &[&str] = &[
    "demo",
    "render",
    "preview",
    "install",
    "attach",
    "detach",
    "run",
    "backfill",
    "status",
    "doctor",
    "retry",
    "uninstall",
    "healthcheck",
];

const POSTS: &str = "CREATE TABLE posts (id int PRIMARY KEY, title text, body text, image text);
    INSERT INTO posts SELECT i, 'Post ' || i, 'Body of ' || i FROM generate_series(1, 5) i;
    SELECT tintype.attach('posts');";

/// The same database server, another database.
fn beside(url: &str, database: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_path(database);
    url.into()
}

/// Fails unless it is one `error:` line and one `hint:` line on stderr, and nothing on stdout.
#[track_caller]
fn well_said(what: &str, ran: &crate::support::program::Ran, code: i32) {
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(ran.code, code, "{what}: {ran:?}");
    assert_eq!(ran.stdout, "", "{what}: {ran:?}");
    assert!(lines.len() == 2 && lines[0].starts_with("error: ") && lines[1].starts_with("  hint: "), "{what}: {ran:?}");
}

#[tokio::test]
async fn nobody_there_and_nothing_there() {
    let test = TestDatabase::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let near = beside(&test.url(), &format!("{}x", test.url().rsplit('/').next().unwrap()));
    for (what, url, code, error, hint) in [
        (
            "no server",
            format!("postgres://ada@{free}/blog"),
            1,
            format!("cannot reach Postgres at {free}"),
            "pg_isready",
        ),
        (
            "no such database",
            beside(&test.url(), "wholly_different"),
            3,
            "has no database `wholly_different`".to_owned(),
            "createdb wholly_different",
        ),
        ("nearly its name", near, 3, "has no database".to_owned(), "did you mean `test_"),
        (
            "no URL at all",
            "nonsense".to_owned(),
            3,
            "the database URL cannot be used".to_owned(),
            "postgres://USER:PASSWORD@HOST",
        ),
        ("not installed", test.url(), 3, "tintype is not installed in this database".to_owned(), "tintype install"),
    ] {
        for arguments in [&["status"][..], &["attach", "posts"], &["healthcheck"], &["backfill", "posts"]] {
            let what = format!("{what}: {arguments:?}");
            let ran = tintype(&url, arguments).await;
            well_said(&what, &ran, code);
            assert!(ran.error().contains(&error) && ran.hint().contains(hint), "{what}: {ran:?}");
        }
    }
}

#[tokio::test]
async fn a_schema_of_another_version() {
    let (test, client) = installed().await;
    run(&client, "newer", "INSERT INTO tintype.migration VALUES (999, '0999_later')").await;
    let commands: [&[&str]; 8] = [
        &["status"],
        &["attach", "posts"],
        &["detach", "posts"],
        &["backfill", "posts"],
        &["retry"],
        &["healthcheck"],
        &["install"],
        &["run", "--storage", "s3://nowhere"],
    ];
    for arguments in commands {
        let ran = tintype(&test.url(), arguments).await;
        well_said(&format!("{arguments:?}"), &ran, 3);
        assert!(ran.error().starts_with("schema tintype is at migration 999"), "{arguments:?}: {ran:?}");
        assert_eq!(
            ran.hint(),
            "use the tintype that brought it: SELECT version FROM tintype.instance",
            "{arguments:?}"
        );
    }
    run(&client, "older", "DELETE FROM tintype.migration; INSERT INTO tintype.migration VALUES (0, '0000_before')")
        .await;
    let ran = tintype(&test.url(), &["status"]).await;
    well_said("older", &ran, 3);
    assert!(
        ran.error().starts_with("schema tintype is at migration 0") && ran.hint().starts_with("tintype install"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn names_that_are_not_there() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    for arguments in [
        &["backfill", "post"][..],
        &["retry", "post"],
        &["detach", "post"],
        &["attach", "post"],
        &["preview", "post", "1", "-o", "/nonexistent/x.png"],
    ] {
        let ran = tintype(&test.url(), arguments).await;
        well_said(&format!("{arguments:?}"), &ran, 2);
        assert!(ran.error().starts_with("table post does not exist"), "{arguments:?}: {ran:?}");
        assert_eq!(ran.hint(), "Did you mean posts?", "{arguments:?}");
    }
    let ran = tintype(&test.url(), &["preview", "posts", "99", "-o", "/nonexistent/x.png"]).await;
    well_said("no such row", &ran, 2);
    assert_eq!((ran.error(), ran.hint()), ("posts has no row with the key 99", "the key is (id)"));
}

#[tokio::test]
async fn a_role_without_rights() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    let mut url = url::Url::parse(&test.url()).unwrap();
    let role = format!("outsider_of_{}", &url.path()[1..]);
    run(&client, "role", &format!("CREATE ROLE {role} LOGIN PASSWORD 'sekret'")).await;
    url.set_username(&role).unwrap();
    url.set_password(Some("sekret")).unwrap();
    let owner = text(&client, "SELECT current_user").await;
    for arguments in [
        &["status"][..],
        &["attach", "posts"],
        &["retry"],
        &["install"],
        &["uninstall", "--yes"],
        &["run", "--storage", "s3://nowhere"],
        &["preview", "posts", "1", "-o", "/nonexistent/x.png"],
    ] {
        let ran = tintype(url.as_str(), arguments).await;
        well_said(&format!("{arguments:?}"), &ran, 3);
        assert_eq!(ran.error(), format!("role {role} may not look into schema tintype"), "{arguments:?}");
        let hint = format!("tintype install --roles   # as {owner}; then: GRANT tintype_worker TO {role};");
        assert_eq!(ran.hint(), hint, "{arguments:?}");
    }
    run(&client, "tintype goes", &tintype::install::down().replace("COMMIT", "")).await;
    let ran = tintype(url.as_str(), &["install"]).await;
    assert!(ran.error().contains("permission denied for database"), "{ran:?}");
    assert!(ran.hint().starts_with("GRANT CREATE ON DATABASE test_"), "{ran:?}");
    run(&client, "no role stays", &format!("DROP ROLE {role}")).await;
}

/// Without the places where the width of the terminal breaks it.
fn in_one_line(help: &str) -> String {
    help.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn help_is_there_for_every_command() {
    let all = run_program(command(&["--help"])).await;
    for name in COMMANDS {
        assert!(all.done().contains(&format!("  {name} ")), "{name} is listed: {}", all.stdout);
        let ran = run_program(command(&[name, "--help"])).await;
        let help = in_one_line(ran.done());
        assert!(help.contains("[env: TINTYPE_DATABASE_URL]") && ran.stderr.is_empty(), "{name}: {ran:?}");
        assert!(help.contains(&format!("Usage: tintype {name}")), "{name}: {help}");
        assert!(!help.contains('\u{1b}'), "{name}: no colour off a terminal");
    }
    for (name, variables) in [
        (
            "run",
            &[
                "TINTYPE_STORAGE",
                "TINTYPE_PUBLIC_BASE_URL",
                "TINTYPE_CONCURRENCY",
                "TINTYPE_GRACE",
                "TINTYPE_ANNOUNCE",
                "TINTYPE_HTTP",
                "TINTYPE_HTTP_PROBES",
            ][..],
        ),
        ("attach", &["TINTYPE_LOOK", "TINTYPE_THEME", "TINTYPE_SITE"]),
        ("demo", &["TINTYPE_HTTP", "TINTYPE_PG_BIN"]),
    ] {
        let ran = run_program(command(&[name, "--help"])).await;
        let help = in_one_line(ran.done());
        for variable in variables {
            assert!(help.contains(&format!("[env: {variable}=")), "{name}: {variable}: {help}");
        }
    }
    let bare = run_program(command(&[])).await;
    assert_eq!(bare.code, 2, "{bare:?}");
    let typo = run_program(command(&["attch", "posts"])).await;
    assert!(typo.code == 2 && typo.stderr.contains("'attach'"), "{typo:?}");
}

#[tokio::test]
async fn a_look_or_theme_that_nobody_knows() {
    let (test, client) = installed().await;
    run(&client, "a host", POSTS).await;
    let looks = run_program(command(&["render", "--list-looks"])).await;
    if looks.done().trim().is_empty() {
        eprintln!("skipped: this build draws nothing");
        return;
    }
    for (flag, name) in [("--look", "nihgt"), ("--theme", "no such theme")] {
        let ran = tintype(&test.url(), &["attach", "posts", flag, name, "--yes"]).await;
        well_said(flag, &ran, 2);
        assert!(ran.error().contains(name), "{ran:?}");
    }
}
