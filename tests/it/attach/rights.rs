//! A role that owns tintype but not the table: each right that it lacks is named with the GRANT that gives it.

use crate::support::schema::{installed, refused, run, text};

const TABLE: &str =
    "CREATE TABLE posts (id int PRIMARY KEY, title text, body text, secret text, published boolean, image text)";

/// Makes role `keeper` the owner of tintype, with these rights on the host's table, and becomes it. Everything in one
/// transaction, so that no role is left behind.
fn keeper(grants: &[&str]) -> String {
    let grants: Vec<_> = grants.iter().map(|grant| format!("GRANT {grant} ON posts TO keeper;")).collect();
    let grants = grants.concat();
    format!(
        "BEGIN; CREATE ROLE keeper; {TABLE}; DROP SCHEMA tintype CASCADE;
         DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO keeper', current_database()); END $$;
         {grants} SET ROLE keeper; {}",
        tintype::install::up(&[])
    )
}

const READ: &str = "SELECT (id, title, body, image)";

/// Rights that are there, and how the lack of the next one reads.
const LACKS: &[(&[&str], &str, &str, &str)] = &[
    (
        &["SELECT"],
        "role keeper may not create triggers on public.posts",
        "GRANT TRIGGER ON public.posts TO keeper;",
        "posts",
    ),
    (
        &["SELECT", "TRIGGER"],
        "role keeper may not write column image of public.posts",
        "GRANT UPDATE (image) ON public.posts TO keeper;",
        "posts",
    ),
    (
        &["SELECT", "TRIGGER", "UPDATE (body)"],
        "role keeper may not write column image of public.posts",
        "GRANT UPDATE (image)",
        "posts",
    ),
    (
        &["TRIGGER", "UPDATE (image)"],
        "role keeper may not read column id of public.posts",
        "GRANT SELECT ON public.posts TO keeper;",
        "posts",
    ),
    (
        &["TRIGGER", "UPDATE (image)", "SELECT (id, title, image)"],
        "role keeper may not read column body of public.posts",
        "GRANT SELECT",
        "posts",
    ),
    (
        &["TRIGGER", "UPDATE (image)", "SELECT (id, title, body)"],
        "role keeper may not read column image of public.posts",
        "GRANT SELECT",
        "posts",
    ),
    (
        &["TRIGGER", "UPDATE (image)", READ],
        "the row filter (published) cannot be used on public.posts: permission denied",
        "",
        "posts', row_filter => 'published",
    ),
];

#[tokio::test]
async fn a_lacking_right_is_named_with_its_grant() {
    let (_test, client) = installed().await;
    for (grants, message, hint, call) in LACKS {
        let what = format!("{grants:?}");
        run(&client, &what, &keeper(grants)).await;
        let refusal = refused(&client, &what, &format!("SELECT tintype.attach('{call}')")).await;
        assert!(refusal.message.starts_with(message) && refusal.hint.contains(hint), "{what}: {refusal:?}");
        let state = if refusal.message.contains("filter") { "22023" } else { "42501" };
        assert_eq!(refusal.state, state, "{what}: {refusal:?}");
        run(&client, &what, "ROLLBACK").await;
    }
}

#[tokio::test]
async fn rights_on_the_columns_alone_are_enough_for_all_the_work() {
    let (_test, client) = installed().await;
    run(&client, "keeper", &keeper(&["TRIGGER", "UPDATE (image)", READ])).await;
    run(&client, "attach", "SELECT tintype.attach('posts')").await;
    run(&client, "the host writes", "RESET ROLE; INSERT INTO posts (id, body) VALUES (1, 'x'); SET ROLE keeper").await;
    super::publish_one(&client, "with rights on columns").await;
    assert_eq!(text(&client, "SELECT tintype.backfill('posts', rerender => true)").await, "1");
    run(&client, "sweep", "SELECT tintype.sweep(id, 10), tintype.sweep(id, 10) FROM tintype.source").await;
    run(&client, "no role stays", "ROLLBACK").await;
}

#[tokio::test]
async fn who_may_attach_but_owns_no_table_is_told_who_can_detach() {
    let (_test, client) = installed().await;
    run(&client, "keeper", &keeper(&["TRIGGER", "UPDATE (image)", READ])).await;
    run(&client, "attach", "SELECT tintype.attach('posts')").await;
    let refusal = refused(&client, "detach", "SELECT tintype.detach('posts')").await;
    assert_eq!(refusal.state, "42501", "{refusal:?}");
    assert_eq!(refusal.message, "role keeper does not own public.posts and may not drop its triggers");
    assert!(
        refusal
            .hint
            .contains("DROP TRIGGER tintype_erased ON public.posts; DROP TRIGGER tintype_insert ON public.posts; DROP TRIGGER tintype_update ON public.posts;"),
        "{refusal:?}"
    );
    run(&client, "no role stays", "ROLLBACK").await;
    run(&client, "keeper", &keeper(&["TRIGGER", "UPDATE (image)", READ])).await;
    run(&client, "attach", "SELECT tintype.attach('posts')").await;
    run(
        &client,
        "as told",
        "RESET ROLE; DROP TRIGGER tintype_erased ON posts; DROP TRIGGER tintype_insert ON posts; DROP TRIGGER tintype_update ON posts;
         SET ROLE keeper; SELECT tintype.detach('posts')",
    )
    .await;
    run(&client, "no role stays", "ROLLBACK").await;
}
