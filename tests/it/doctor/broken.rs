//! A database broken in every way that the doctor knows, one at a time: found by its code, and mended by what is said to mend it.

use super::found;
use crate::support::{
    program::{command, run as run_program, tintype},
    schema::{run, text},
    worker::blog,
};

/// What breaks, and the code and severity by which it is found. Statements are taken back.
const BREAKAGES: &[(&str, &str)] = &[
    ("ALTER TABLE posts DISABLE TRIGGER tintype_insert", "triggers.disabled error"),
    ("ALTER TABLE posts ENABLE REPLICA TRIGGER tintype_update", "triggers.disabled error"),
    ("DROP TRIGGER tintype_update ON posts", "triggers.missing error"),
    ("DROP TRIGGER tintype_erased ON posts", "triggers.missing error"),
    ("DROP TRIGGER tintype_update ON posts; CREATE TRIGGER tintype_update AFTER UPDATE OF title ON posts FOR EACH ROW
      WHEN (OLD.title IS DISTINCT FROM NEW.title) EXECUTE FUNCTION tintype.mark_1()", "triggers.columns error"),
    ("DROP TRIGGER tintype_update ON posts; CREATE TRIGGER tintype_update AFTER UPDATE ON posts FOR EACH ROW
      WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION tintype.mark_1()", "triggers.columns error"),
    ("DROP TRIGGER tintype_update ON posts; CREATE TRIGGER tintype_update AFTER UPDATE OF id, title, body, og_image_url ON posts FOR EACH ROW
      EXECUTE FUNCTION tintype.mark_1()", "triggers.loop error"),
    ("CREATE OR REPLACE FUNCTION tintype.mark_1() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NULL; END'", "triggers.function error"),
    ("CREATE FUNCTION change_title() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.title = '' THEN NEW.title = 'Untitled'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER change_title BEFORE UPDATE OF views ON posts FOR EACH ROW EXECUTE FUNCTION change_title()", "triggers.rewrites warning"),
    ("CREATE FUNCTION change_title() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := NEW.title || now(); RETURN NEW; END $$;
      CREATE TRIGGER change_title BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION change_title()", "host.loop error"),
    ("ALTER TABLE posts ADD COLUMN updated_at timestamptz;
      CREATE FUNCTION bump() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$;
      CREATE TRIGGER bump BEFORE INSERT OR UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION bump()", "host.bumps warning"),
    ("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'published posts are never changed'; END $$;
      CREATE TRIGGER no AFTER UPDATE ON posts FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION no()", "host.refuses warning"),
    ("CREATE TABLE audit (id bigint);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NULL; END $$;
      CREATE TRIGGER note AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION note()", "host.search_path error"),
    ("ALTER TABLE posts RENAME COLUMN title TO headline", "tables.column error"),
    ("ALTER TABLE posts RENAME COLUMN og_image_url TO picture", "tables.column error"),
    ("ALTER TABLE posts DROP COLUMN og_image_url CASCADE", "tables.column error"),
    ("ALTER TABLE posts DROP COLUMN og_image_url CASCADE, ADD COLUMN cover text", "tables.column error"),
    ("ALTER TABLE posts ALTER COLUMN og_image_url SET DEFAULT '', ALTER COLUMN og_image_url SET NOT NULL", "tables.blank error"),
    ("ALTER TABLE posts DROP CONSTRAINT posts_pkey", "tables.key error"),
    ("UPDATE tintype.source SET row_filter = 'published'", "tables.filter error"),
    ("UPDATE tintype.source SET problem = 'permission denied'", "tables.problem error"),
    ("DROP TRIGGER tintype_insert ON posts; DROP TRIGGER tintype_update ON posts; DROP TRIGGER tintype_erased ON posts; ALTER TABLE posts ALTER id TYPE text", "tables.type error"),
    ("DROP TABLE posts", "tables.dropped error"),
    ("UPDATE tintype.source SET paused = true", "work.paused warning"),
    ("INSERT INTO posts VALUES (1, 'x')", "work.no_worker error"),
    ("DELETE FROM tintype.worker", "work.no_worker warning"),
    ("INSERT INTO tintype.worker (name, version) VALUES ('old:1', '0.0.1')", "work.versions warning"),
    ("INSERT INTO tintype.change (source, key, at) VALUES (1, 'x', now() - interval '2 days')", "work.waiting warning"),
    ("INSERT INTO tintype.image (source, key, state, reason) SELECT 1, i::text, 'failed', 'no page at attempt ' || i FROM generate_series(1, 3) i", "work.failed warning"),
    ("INSERT INTO tintype.job (source, key, last_error) VALUES (1, '1', 'the store is away')", "work.retrying warning"),
    ("INSERT INTO tintype.image (source, key, state, reason) VALUES (1, '1', 'ready', 'no font has U+E000')", "work.marks warning"),
    ("UPDATE tintype.instance SET place = 'elsewhere'", "work.place warning"),
    ("SELECT set_config('default_transaction_read_only', 'on', false)", "server.read_only error"),
];

/// A database in which nothing is found but that no worker is there, and then not even that.
async fn sound() -> (crate::support::postgres::TestDatabase, tokio_postgres::Client) {
    let (test, client) = blog().await;
    let version = env!("CARGO_PKG_VERSION");
    run(&client, "a worker", &format!("INSERT INTO tintype.worker (name, version) VALUES ('box:1', '{version}')"))
        .await;
    (test, client)
}

#[tokio::test]
async fn each_breakage_is_found_and_its_fix_mends_it() {
    let (test, client) = sound().await;
    let before = found(&client).await;
    let ours = |code: &String| !code.starts_with("server.") && !code.starts_with("horizon."); // other tests share the cluster
    assert_eq!(before.into_iter().filter(ours).collect::<Vec<_>>(), Vec::<String>::new());
    for (sql, wanted) in BREAKAGES {
        run(&client, wanted, "BEGIN").await;
        run(
            &client,
            wanted,
            &match *wanted {
                "work.no_worker error" => format!("DELETE FROM tintype.worker; {sql}"),
                _ => (*sql).to_owned(),
            },
        )
        .await;
        let now = found(&client).await;
        assert!(now.iter().any(|code| code == wanted), "{wanted}: {sql}: {now:?}");
        let (code, _) = wanted.split_once(' ').unwrap();
        let fix = text(
            &client,
            &format!("SELECT fix FROM tintype.doctor('1 day') WHERE code = '{code}' AND severity <> 'note'"),
        )
        .await;
        let statement = ["ALTER TABLE", "ALTER FUNCTION", "CREATE OR REPLACE", "SELECT tintype."]
            .iter()
            .any(|start| fix.starts_with(start));
        if statement {
            run(&client, wanted, &fix).await;
            let then = found(&client).await;
            assert!(!then.iter().any(|code| code == wanted), "{wanted}: {fix} did not mend it: {then:?}");
        }
        run(&client, wanted, "ROLLBACK; RESET default_transaction_read_only").await;
    }
    drop(client);
    drop(test);
}

#[tokio::test]
async fn commands_that_mend_do() {
    for (sql, wanted) in BREAKAGES.iter().filter(|(sql, wanted)| {
        [
            "triggers.missing",
            "triggers.columns",
            "triggers.loop",
            "triggers.function",
            "triggers.rewrites",
            "tables.column",
            "tables.blank",
            "tables.dropped",
        ]
        .iter()
        .any(|code| wanted.starts_with(code))
            && !sql.contains("OLD.*")
            && !sql.ends_with("og_image_url CASCADE") // which SQL mends
    }) {
        let (test, client) = sound().await;
        run(&client, wanted, sql).await;
        let (code, _) = wanted.split_once(' ').unwrap();
        let fix = text(&client, &format!("SELECT fix FROM tintype.doctor('1 day') WHERE code = '{code}'")).await;
        let programs = std::path::Path::new(env!("CARGO_BIN_EXE_tintype")).parent().unwrap();
        let mut shell = tokio::process::Command::new("/bin/sh");
        shell.args(["-euc", &fix]).env_clear().env("DATABASE_URL", test.url()).env("PATH", programs).current_dir("/");
        shell
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        run_program(shell).await.done();
        let then = found(&client).await;
        assert!(!then.iter().any(|code| code == wanted), "{wanted}: {fix} did not mend it: {then:?}");
    }
}

#[tokio::test]
async fn a_renamed_column_of_an_address_is_renamed_in_the_address() {
    let (test, client) = sound().await;
    run(
        &client,
        "pages",
        "CREATE TABLE sites (id int PRIMARY KEY, slug text, screenshot_url text);
        SELECT tintype.attach('sites', url => 'https://app.example/{id}/{slug}?s={slug}'); ALTER TABLE sites RENAME slug TO short_name",
    )
    .await;
    let told = "SELECT fix FROM tintype.doctor('1 day') WHERE code = 'tables.column'";
    let fix = text(&client, told).await;
    assert_eq!(fix, "tintype attach sites --url 'https://app.example/{id}/{short_name}?s={short_name}' --yes");
    let arguments = ["attach", "sites", "--url", "https://app.example/{id}/{short_name}?s={short_name}", "--yes"];
    tintype(&test.url(), &arguments).await.done();
    let then = found(&client).await;
    assert!(!then.iter().any(|code| code.starts_with('t')), "{then:?}");
}

#[tokio::test]
async fn what_a_lost_column_takes_along_is_not_told_twice() {
    let (_test, client) = sound().await;
    run(&client, "without its image column", "ALTER TABLE posts DROP COLUMN og_image_url CASCADE").await;
    let ours = "SELECT code || ': ' || fix FROM tintype.doctor('1 day') WHERE severity = 'error' AND code LIKE 't%'";
    let told = crate::support::schema::texts(&client, ours).await;
    assert_eq!(told, ["tables.column: ALTER TABLE public.posts ADD COLUMN og_image_url text;"]);
}

#[tokio::test]
async fn a_partition_whose_trigger_is_off() {
    let (_test, client) = sound().await;
    run(
        &client,
        "partitions",
        "CREATE TABLE events (id int, at date, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        SELECT tintype.attach('events'); ALTER TABLE events_new DISABLE TRIGGER tintype_insert",
    )
    .await;
    let fix = text(&client, "SELECT fix FROM tintype.doctor() WHERE code = 'triggers.disabled'").await;
    assert_eq!(fix, "ALTER TABLE public.events_new ENABLE TRIGGER tintype_insert;");
}

#[tokio::test]
async fn what_does_not_fire_for_us_is_no_finding() {
    let (_test, client) = sound().await;
    run(&client, "triggers of the host's", "ALTER TABLE posts ADD COLUMN updated_at timestamptz;
        CREATE FUNCTION bump() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
        CREATE TRIGGER listed BEFORE UPDATE OF title ON posts FOR EACH ROW EXECUTE FUNCTION bump();
        CREATE TRIGGER conditional BEFORE UPDATE ON posts FOR EACH ROW WHEN (OLD.body IS DISTINCT FROM NEW.body) EXECUTE FUNCTION bump();
        CREATE TRIGGER inserts BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION bump();
        CREATE TRIGGER off BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION bump(); ALTER TABLE posts DISABLE TRIGGER off;
        CREATE TABLE audit (id bigint);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            -- INSERT INTO audit, but with its schema
            INSERT INTO public.audit SELECT NEW.id WHERE OLD.title IS DISTINCT FROM NEW.title AND extract(year FROM now()) > 2000; RETURN NULL; END $$;
        CREATE TRIGGER note AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION note()").await;
    let host = crate::support::schema::texts(
        &client,
        "SELECT code || ' ' || detail FROM tintype.doctor() WHERE code LIKE 'host.%'",
    )
    .await;
    assert!(host.len() == 1 && host[0].starts_with("host.fires its trigger note (AFTER UPDATE"), "{host:?}");
}

#[tokio::test]
async fn old_transactions_are_named_with_their_process() {
    let (test, client) = sound().await;
    let other = test.client().await;
    run(&other, "a long one", "SET application_name = 'reports'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        .await;
    let pid = text(&other, "SELECT pg_backend_pid()").await;
    let mut doctor = command(&["doctor", "--no-storage", "--json", "--patience", "0s"]);
    doctor.env("DATABASE_URL", test.url());
    let ran = run_program(doctor).await;
    let told = super::lines(&ran);
    let subject = format!("process {pid} (reports, postgres, ");
    let long = told.iter().find(|line| line["subject"].as_str().is_some_and(|words| words.starts_with(&subject)));
    let long = long.unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!(
        (&long["code"], long["fix"].as_str()),
        (&"horizon.transaction".into(), Some(&*format!("SELECT pg_terminate_backend({pid});"))),
        "{long}"
    );
    assert_eq!(ran.code, 3);
    drop(client);
}
