//! What packagers ask for, and a status column from the flag to the row.

use crate::support::{
    program::tintype,
    schema::{installed, run, text},
};

#[tokio::test]
async fn completions_and_manual_pages_know_every_command() {
    let nobody = "postgres://ada@127.0.0.1:1/blog"; // neither asks a database
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = tintype(nobody, &["completions", shell]).await;
        for command in super::COMMANDS {
            assert!(script.done().contains(command), "{shell}: {command}");
        }
    }
    let wrong = tintype(nobody, &["completions", "csh"]).await;
    assert_eq!(wrong.code, 2, "{wrong:?}");
    let page = tintype(nobody, &["man"]).await;
    assert!(page.done().starts_with(".ie") && page.stdout.contains(".TH tintype 1"), "{page:?}");
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("share/man/man1");
    tintype(nobody, &["man", place.to_str().unwrap()]).await.done();
    for command in super::COMMANDS {
        let page = std::fs::read_to_string(place.join(format!("tintype-{command}.1"))).unwrap();
        assert!(page.contains(command), "{command}");
    }
}

#[tokio::test]
async fn a_status_column_from_the_flag_to_the_row() {
    let (test, client) = installed().await;
    run(
        &client,
        "a host",
        "CREATE TABLE posts (id int PRIMARY KEY, title text, status text NOT NULL DEFAULT 'pending', image text)",
    )
    .await;
    let planned = tintype(&test.url(), &["attach", "posts", "--status-column", "status", "--dry-run"]).await;
    assert!(
        planned.stderr.contains("status  status: processing, then ready")
            && !planned.stdout.contains("OF id, title, status"),
        "{planned:?}"
    );
    let wrong = tintype(&test.url(), &["attach", "posts", "--status-column", "state", "--yes"]).await;
    super::well_said("no such column", &wrong, 2);
    assert!(wrong.hint().contains("Did you mean status?"), "{wrong:?}");
    tintype(&test.url(), &["attach", "posts", "--status-column", "status", "--yes"]).await.done();
    tintype(&test.url(), &["attach", "posts", "--site", "blog.example", "--yes"]).await.done();
    run(&client, "seen words", "CREATE TABLE words (word text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.words VALUES (NEW.status); RETURN NULL; END $$;
        CREATE TRIGGER note AFTER UPDATE OF status ON posts FOR EACH ROW EXECUTE FUNCTION note();
        INSERT INTO posts (id, title) VALUES (1, 'One'), (2, '')").await;
    let folder = tempfile::tempdir().unwrap();
    let storage = folder.path().to_str().unwrap();
    tintype(
        &test.url(),
        &["run", "--exit-when-idle", "--storage", storage, "--public-base-url", "/og", "--log", "error"],
    )
    .await
    .done();
    let now = "SELECT string_agg(id || ' ' || status, ', ' ORDER BY id) FROM posts";
    assert_eq!(text(&client, now).await, "1 ready, 2 skipped");
    let words = "SELECT string_agg(word, ' ' ORDER BY word) FROM words";
    assert_eq!(text(&client, words).await, "processing processing ready skipped");
    tintype(&test.url(), &["attach", "posts", "--status-column", "", "--yes"]).await.done();
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.source WHERE status_column IS NULL").await, "1");
}
