//! What nobody may do but who is meant to: each refusal by name, and the catalog as a whole.

use super::Team;
use crate::support::{
    program::tintype,
    schema::{installed, refused, run, text, texts},
};

/// Statements that the worker's role must be refused.
const FORBIDDEN: &[&str] = &[
    "SELECT secret FROM blog.posts",
    "SELECT views FROM blog.posts",
    "SELECT * FROM blog.posts",
    "SELECT p FROM blog.posts p",
    "SELECT id FROM blog.users",
    "UPDATE blog.posts SET title = 'x'",
    "UPDATE blog.posts SET body = 'x'",
    "UPDATE blog.posts SET published = false",
    "INSERT INTO blog.posts (id) VALUES (9)",
    "DELETE FROM blog.posts",
    "TRUNCATE blog.posts",
    "ALTER TABLE blog.posts DISABLE TRIGGER ALL",
    "DROP TRIGGER tintype_update ON blog.posts",
    "CREATE TABLE blog.mine ()",
    "CREATE TABLE tintype.mine ()",
    "CREATE FUNCTION tintype.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SELECT tintype.attach('blog.posts')",
    "SELECT tintype.plan('blog.posts')",
    "SELECT tintype.detach('blog.posts')",
    "SELECT tintype.resume('blog.posts')",
    "SELECT tintype.refresh_markers()",
    "SELECT tintype.secure()",
    "UPDATE tintype.source SET row_filter = 'true'",
    "UPDATE tintype.source SET paused = true",
    "INSERT INTO tintype.source (relation, name, key_columns, key_types) VALUES ('blog.users', 'users', '{id}', '{bigint}')",
    "DELETE FROM tintype.source",
    "UPDATE tintype.change SET key = 'x'",
    "INSERT INTO tintype.migration VALUES (999, 'x')",
    "TRUNCATE tintype.image",
    "DROP SCHEMA tintype CASCADE",
    "CREATE TEMP TABLE mine (id int); CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION tintype.mark_1()",
];

#[tokio::test]
async fn the_worker_is_refused_everything_else() {
    let team = Team::attached().await;
    let worker = team.client("worker").await;
    for sql in FORBIDDEN {
        let refusal = refused(&worker, "the worker", sql).await;
        assert_eq!(refusal.state, "42501", "{sql}: {refusal:?}");
    }
    team.leave().await;
}

/// What the live page of a worker asks.
const PAGE: &str = "SELECT count(*) FROM tintype.wall(); SELECT count(*) FROM tintype.search('x', NULL, NULL); SELECT * FROM tintype.load();
    SELECT count(*) FROM tintype.failures(); SELECT count(*) FROM tintype.entry; SELECT tintype.retry_cause('x');
    SELECT tintype.retry('blog.posts', '1'); SELECT r.* FROM tintype.source s, tintype.read_row(s, '1') r";

#[tokio::test]
async fn the_worker_may_do_what_its_page_does_and_a_stranger_may_not() {
    let team = Team::attached().await;
    run(&team.client("worker").await, "the page", PAGE).await;
    let stranger = team.client("stranger").await;
    for sql in PAGE.split(';') {
        assert_eq!(refused(&stranger, "a stranger", sql).await.state, "42501", "{sql}");
    }
    team.leave().await;
}

/// The rights that a role was given on a table, its columns apart.
fn rights_of(role: &str) -> String {
    format!(
        "SELECT coalesce(string_agg(a.attname || ' ' || lower(e.privilege_type), ', ' ORDER BY a.attname, e.privilege_type), 'none')
           FROM pg_attribute a, aclexplode(a.attacl) e WHERE a.attrelid = 'blog.posts'::regclass AND e.grantee = '{role}'::regrole"
    )
}

#[tokio::test]
async fn the_worker_has_rights_on_what_is_attached_while_it_is() {
    let team = Team::installed().await;
    let (rights, url) = (rights_of(&team.role("worker")), team.url("installer"));
    let dry = tintype(&url, &["attach", "blog.posts", "--dry-run"]).await;
    let (schema, table) = (
        "GRANT USAGE ON SCHEMA blog TO ",
        "GRANT SELECT (body, id, og_image_url, title), UPDATE (og_image_url) ON blog.posts TO ",
    );
    assert!(dry.done().contains(schema) && dry.stdout.contains(table), "{dry:?}");
    assert_eq!(team.ask(&rights).await, "none");
    for (arguments, expected) in [
        (
            &["--where", "published AND secret IS DISTINCT FROM 'x'"][..],
            "body select, id select, og_image_url select, og_image_url update, published select, secret select, title select",
        ),
        (
            &["--where", "published AND 'secret' <> 'views'"],
            "body select, id select, og_image_url select, og_image_url update, published select, title select",
        ),
        (&["--body", ""], "id select, og_image_url select, og_image_url update, published select, title select"),
    ] {
        tintype(&url, &[&["attach", "blog.posts", "--yes"], arguments].concat()).await.done();
        assert_eq!(team.ask(&rights).await, expected, "{arguments:?}");
    }
    let whole = format!(
        "SELECT has_table_privilege('{0}', 'blog.posts', 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')",
        team.role("worker")
    );
    assert_eq!(team.ask(&whole).await, "f", "nothing on the table as a whole");
    let schema = format!("SELECT has_schema_privilege('{}', 'blog', 'USAGE')", team.role("worker"));
    assert_eq!(team.ask(&schema).await, "t");
    tintype(&url, &["detach", "blog.posts"]).await.done();
    assert_eq!(team.ask(&rights).await, "none");
    assert_eq!(team.ask(&schema).await, "f");
    team.leave().await;
}

#[tokio::test]
async fn who_may_not_give_rights_is_told_the_grant() {
    let team = Team::installed().await;
    let (host, installer) = (team.role("host"), team.role("installer"));
    team.admin(&format!("REVOKE {host} FROM {installer}; GRANT USAGE ON SCHEMA blog TO {installer}")).await;
    team.admin(&format!("GRANT TRIGGER, SELECT (id, published) ON blog.posts TO {installer}")).await;
    let attach = ["attach", "blog.posts", "--where", "published", "--yes"];
    let ran = tintype(&team.url("installer"), &attach).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error().contains("lacks rights that pictures of blog.posts take"), "{ran:?}");
    let told = ran.hint().split_once("As the owner: ").unwrap().1.split_once(" and then this again").unwrap().0;
    assert!(
        told.contains(&format!(
            "SELECT (body, id, og_image_url, published, title), UPDATE (og_image_url) ON blog.posts TO {};",
            team.role("worker")
        )),
        "{told}"
    );
    run(&team.client("host").await, "as told", told).await;
    tintype(&team.url("installer"), &attach).await.done();

    // A filter that looks something up needs a right that is nobody's to give but that table's owner's.
    let lookup = ["attach", "blog.posts", "--where", "id IN (SELECT u.id FROM blog.users u)", "--yes"];
    team.admin(&format!("GRANT {host} TO {installer}")).await;
    let ran = tintype(&team.url("installer"), &lookup).await;
    assert!(ran.hint().contains(&format!("GRANT SELECT (id) ON blog.users TO {};", team.role("worker"))), "{ran:?}");
    team.leave().await;
}

#[tokio::test]
async fn strangers_may_do_nothing_with_or_without_roles() {
    let team = Team::attached().await;
    let stranger = team.client("stranger").await;
    for sql in [
        "SELECT tintype.ring()",
        "SELECT tintype.fold(1)",
        "SELECT 1 FROM tintype.image",
        "SELECT nextval('tintype.lease')",
    ] {
        assert_eq!(refused(&stranger, "a stranger", sql).await.state, "42501", "{sql}");
    }
    // Let in to read one table, as the application may be, it can still call nothing, nor have the owner write marks for it.
    team.admin(&format!(
        "GRANT USAGE ON SCHEMA tintype TO {0}; GRANT SELECT ON tintype.image TO {0}",
        team.role("stranger")
    ))
    .await;
    run(&stranger, "what it was let in for", "SELECT url FROM tintype.image").await;
    for sql in [
        "SELECT tintype.ring()",
        "SELECT tintype.nearest('a', '{b}')",
        "CREATE TEMP TABLE mine (id int); CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION tintype.mark_1()",
    ] {
        assert_eq!(refused(&stranger, "a guest", sql).await.state, "42501", "{sql}");
    }
    team.leave().await;

    let (_test, client) = installed().await;
    run(&client, "a host", "CREATE TABLE posts (id int PRIMARY KEY, body text); SELECT tintype.attach('posts')").await;
    assert_eq!(texts(&client, OPEN).await, [""; 0], "open to everybody");
    assert_eq!(texts(&client, LOOSE).await, [""; 0], "without a search_path of their own");
    assert_eq!(texts(&client, BORROWED).await, ["tintype.mark_1()"], "with their owner's rights");
}

/// What PUBLIC may do in the schema, the schema itself included.
const OPEN: &str = "
    SELECT p.oid::regprocedure::text FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     WHERE p.pronamespace = 'tintype'::regnamespace AND a.grantee = 0
    UNION ALL SELECT c.oid::regclass::text FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'tintype'::regnamespace AND a.grantee = 0
    UNION ALL SELECT n.nspname FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'tintype' AND a.grantee = 0";

/// Functions that could be led to another schema's names; the triggers', `bytes`, `by_browser` and a procedure that commits, which may not
/// pin one, qualify every name instead.
const LOOSE: &str = "
    SELECT p.oid::regprocedure::text FROM pg_proc p
     WHERE p.pronamespace = 'tintype'::regnamespace AND p.proname !~ '^(mark_[0-9]+|bytes|by_browser|backfill_in_steps)$'
       AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)";

/// Functions that run with their owner's rights; `place` reads where the database stands and nothing of the host's.
const BORROWED: &str = "
    SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'tintype'::regnamespace AND p.prosecdef AND p.proname <> 'place'";

#[tokio::test]
async fn a_host_without_any_right_here_writes_as_ever() {
    let team = Team::attached().await;
    let app = team.client("app").await;
    let sees = format!("SELECT has_schema_privilege('{}', 'tintype', 'USAGE')", team.role("app"));
    assert_eq!(team.ask(&sees).await, "f");
    for (sql, marks) in [
        ("INSERT INTO blog.posts (id, title) VALUES (1, 'One'), (2, 'Two')", "2"),
        ("UPDATE blog.posts SET title = 'Three' WHERE id = 1", "3"),
        ("INSERT INTO blog.posts (id, title) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = 'upserted'", "4"),
        ("UPDATE blog.posts SET views = views + 1", "4"),
        ("DELETE FROM blog.posts WHERE id = 2", "4"),
    ] {
        run(&app, "the host", sql).await;
        assert_eq!(team.ask("SELECT count(*) FROM tintype.change").await, marks, "{sql}");
    }
    assert_eq!(text(&app, "SELECT count(*) FROM blog.posts").await, "1");
    team.leave().await;
}
