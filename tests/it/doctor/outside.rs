//! What only the process sees: the way to the database, the schema's version, the store, looks, and the browser.

use super::{lines, of};
use crate::support::{
    postgres::TestDatabase,
    program::{Ran, command, run as run_program, tintype},
    s3::{BUCKET, S3Server},
    schema::{installed, run},
};

async fn doctor(url: &str, arguments: &[&str]) -> Ran {
    let mut command = command(&[&["doctor", "--json"], arguments].concat());
    command.env("DATABASE_URL", url).env("PATH", "/usr/bin:/bin");
    run_program(command).await
}

#[tokio::test]
async fn no_database_no_schema_and_another_version() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = doctor(&format!("postgres://ada@{free}/blog"), &["--no-storage"]).await;
    let all = lines(&ran);
    assert!(
        ran.code == 3 && of(&all, "connection.failed")[0]["detail"].as_str().unwrap().contains("cannot reach Postgres"),
        "{ran:?}"
    );
    assert!(
        !of(&all, "fonts").is_empty() || !of(&all, "fonts.absent").is_empty(),
        "the rest is looked at all the same: {ran:?}"
    );

    let test = TestDatabase::new().await;
    let ran = doctor(&test.url(), &["--no-storage"]).await;
    assert_eq!(
        (ran.code, of(&lines(&ran), "schema.missing")[0]["fix"].as_str()),
        (3, Some("tintype install")),
        "{ran:?}"
    );

    let (test, client) = installed().await;
    for (sql, code, words) in [
        ("DELETE FROM tintype.migration WHERE number = 3", "schema.behind", "0003_store"),
        ("INSERT INTO tintype.migration VALUES (999, '0999_later')", "schema.ahead", "999"),
    ] {
        run(&client, code, sql).await;
        let ran = doctor(&test.url(), &["--no-storage"]).await;
        let all = lines(&ran);
        assert!(ran.code == 3 && of(&all, code)[0]["detail"].as_str().unwrap().contains(words), "{code}: {ran:?}");
    }
}

#[tokio::test]
async fn words_for_people_have_marks_and_fixes_under_them() {
    let (test, _client) = installed().await;
    let folder = tempfile::tempdir().unwrap();
    let ran = tintype(&test.url(), &["doctor", "--storage", folder.path().to_str().unwrap()]).await;
    assert_eq!((ran.code, ran.error()), (3, "found 1 error, 0 warnings"), "{ran:?}");
    assert!(
        ran.stdout.contains("\n✗ storage     folder `")
            && ran.stdout.contains("\n                --public-base-url https://…"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("✓ schema      schema tintype: installed") && !ran.stdout.contains('\u{1b}'),
        "{ran:?}"
    );
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().collect();
    assert!(left.is_empty(), "nothing stays of the trial: {left:?}");
}

#[tokio::test]
async fn stores_that_cannot_be_written_or_are_not_public() {
    let (test, _client) = installed().await;
    let server = S3Server::start().await;
    let settings = server.settings("");
    let (endpoint, keys) = (settings.endpoint_url.unwrap(), settings.credentials.unwrap());
    let doctor = |place: &str, base: String, secret: &str| {
        let mut doctor = command(&["doctor", "--json", "--storage", place, "--public-base-url", &base]);
        doctor.env("DATABASE_URL", test.url()).env("AWS_ENDPOINT_URL_S3", &endpoint);
        doctor.env("AWS_ACCESS_KEY_ID", &keys.id).env("AWS_SECRET_ACCESS_KEY", secret);
        run_program(doctor)
    };
    let place = format!("s3://{BUCKET}/og");
    let ran = doctor(&place, format!("{endpoint}/{BUCKET}"), &keys.secret).await;
    assert_eq!(of(&lines(&ran), "storage")[0]["severity"], "ok", "{ran:?}");
    let ran = doctor(&place, format!("{endpoint}/elsewhere"), &keys.secret).await;
    let all = lines(&ran);
    let public = &of(&all, "storage.public")[0];
    assert!(public["detail"].as_str().unwrap().contains("answers 404 to those without keys"), "{ran:?}");
    assert!(ran.code == 3 && public["fix"].as_str().unwrap().contains("\"arn:aws:s3:::pictures/"), "{ran:?}");
    let ran = doctor(&place, format!("{endpoint}/{BUCKET}"), "a wrong secret").await;
    assert!(ran.code == 3 && !of(&lines(&ran), "storage.put").is_empty(), "{ran:?}");
    let ran = doctor("ftp://pictures", "https://cdn.example".to_owned(), "").await;
    assert!(
        ran.code == 3 && !of(&lines(&ran), "storage.settings").is_empty() && !of(&lines(&ran), "tables").is_empty(),
        "{ran:?}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    let ran = doctor(file.path().to_str().unwrap(), "https://cdn.example".to_owned(), "").await;
    assert!(ran.code == 3 && !of(&lines(&ran), "storage.put").is_empty(), "{ran:?}");
}

#[tokio::test]
async fn what_pages_need_of_the_machine_that_takes_them() {
    let (test, client) = installed().await;
    run(
        &client,
        "hosts",
        "CREATE TABLE posts (id int PRIMARY KEY, slug text, og_image_url text);
        CREATE TABLE notes (id int PRIMARY KEY, title text, og_image_url text);
        SELECT tintype.attach('posts', url => 'http://localhost:4000/{slug}', capture => '{\"auth\": [\"bearer=APP\"]}');
        SELECT tintype.attach('notes', html => 'house')",
    )
    .await;
    let pages = |more: &[&str], secret: bool| {
        let mut doctor = command(&[&["doctor", "--json", "--no-storage", "--browser", "/bin/true"], more].concat());
        doctor.env("DATABASE_URL", test.url());
        if secret {
            doctor.env("TINTYPE_SECRET_APP", "s3cret");
        }
        run_program(doctor)
    };
    let ran = pages(&[], false).await;
    let all = lines(&ran);
    for (code, subject, words, fix) in [
        ("pages.template", "notes", "template house.html: there is none", "--looks DIR"),
        ("pages.secret", "posts", "there is no secret APP", "give it to the worker"),
        ("pages.host", "posts", "refused localhost:4000", "--allow-host localhost:4000"),
    ] {
        let [found] = of(&all, code)[..] else { panic!("{code}: {ran:?}") };
        assert_eq!((found["severity"].as_str(), found["subject"].as_str()), (Some("error"), Some(subject)), "{found}");
        let says = |field: &str, words: &str| found[field].as_str().is_some_and(|text| text.contains(words));
        assert!(says("detail", words) && says("fix", fix), "{found}");
    }
    let looks = tempfile::tempdir().unwrap();
    std::fs::write(looks.path().join("house.html"), "<h1>{{ title }}</h1>").unwrap();
    let ran = pages(&["--looks", looks.path().to_str().unwrap(), "--allow-host", "localhost:4000"], true).await;
    assert_eq!(of(&lines(&ran), "pages")[0]["severity"], "ok", "{ran:?}");
}

#[tokio::test]
async fn looks_and_browsers_that_tables_ask_for() {
    let (test, client) = installed().await;
    run(
        &client,
        "a host",
        "CREATE TABLE posts (id int PRIMARY KEY, body text); SELECT tintype.attach('posts', look => 'house');
        CREATE TABLE sites (id int PRIMARY KEY, url text, screenshot_url text);",
    )
    .await;
    let ran = doctor(&test.url(), &["--no-storage", "--browser", "/bin/true"]).await;
    let all = lines(&ran);
    assert!(of(&all, "looks.missing")[0]["detail"].as_str().unwrap().contains("there is no look `house`"), "{ran:?}");
    assert_eq!(of(&all, "browser.missing")[0]["severity"], "note", "no table needs one: {ran:?}");
    run(
        &client,
        "pages",
        "SELECT tintype.attach('sites', url => '{url}', image => 'screenshot_url', body => '', title => '')",
    )
    .await;
    let ran = doctor(&test.url(), &["--no-storage", "--browser", "/bin/true"]).await;
    let all = lines(&ran);
    let missing = &of(&all, "browser.missing")[0];
    assert_eq!((&missing["severity"], &missing["subject"]), (&"error".into(), &"sites".into()), "{ran:?}");
    let ran = doctor(&test.url(), &["--no-storage"]).await;
    let all = lines(&ran);
    assert!(of(&all, "browser")[0]["detail"].as_str().unwrap().contains("takes pages, in its sandbox"), "{ran:?}");
}
