//! Making the roles: with and without the right to, in SQL, again, for tables that were attached before, and away.

use super::Team;
use crate::support::{
    program::{command, run as run_program, tintype},
    schema::{refused, run, texts},
};

/// Every right on every object of the schema, and its owner, with the database's name taken out of the roles' names.
async fn rights(team: &Team) -> Vec<String> {
    let sql = "
        SELECT format('%s %s %s', c.relname, pg_get_userbyid(c.relowner), (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(c.relacl) a)) AS line
          FROM pg_class c WHERE c.relnamespace = 'tintype'::regnamespace AND c.relkind IN ('r', 'v', 'S')
        UNION ALL
        SELECT format('%s.%s %s', a.attrelid::regclass, a.attname, a.attacl) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'tintype'::regnamespace AND a.attacl IS NOT NULL
        UNION ALL
        SELECT format('%s %s %s', p.oid::regprocedure, pg_get_userbyid(p.proowner), (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(p.proacl) a))
          FROM pg_proc p WHERE p.pronamespace = 'tintype'::regnamespace
        UNION ALL
        SELECT format('%s %s %s', n.nspname, pg_get_userbyid(n.nspowner), n.nspacl) FROM pg_namespace n WHERE n.nspname = 'tintype'
        ORDER BY line";
    texts(&team.admin, sql).await.iter().map(|line| line.replace(&team.prefix, "PREFIX")).collect()
}

#[tokio::test]
async fn printed_or_done_again_or_step_by_step_the_rights_are_the_same() {
    let done = Team::installed().await;
    let expected = rights(&done).await;
    assert!(expected.iter().all(|line| line.contains("PREFIX_owner") || line.contains('.')), "{expected:#?}");
    let url = done.test.url();
    tintype(&url, &["install"]).await.done();
    assert_eq!(rights(&done).await, expected, "again without --roles");
    tintype(&done.url("installer"), &["install", "--roles", &done.prefix]).await.done();
    assert_eq!(rights(&done).await, expected, "again by the installer, who may not create roles");
    done.leave().await;

    let printed = Team::assemble().await;
    let sql = run_program(command(&["install", "--print-sql", "--roles", &printed.prefix])).await;
    printed.admin(sql.done()).await;
    assert_eq!(rights(&printed).await, expected, "printed");
    printed.leave().await;

    let later = Team::assemble().await;
    tintype(&later.test.url(), &["install"]).await.done();
    tintype(&later.test.url(), &["attach", "blog.posts", "--yes"]).await.done();
    let ran = tintype(&later.test.url(), &["install", "--roles", &later.prefix]).await;
    assert!(ran.code == 0 && !ran.stderr.contains("as the table's owner"), "{ran:?}");
    later.log_in().await;
    run(&later.client("worker").await, "what was attached", "SELECT title FROM blog.posts").await;
    run(&later.client("app").await, "the host", "INSERT INTO blog.posts (id, title) VALUES (1, 'One')").await;
    assert_eq!(later.workplace().work().await, 0);
    tintype(&later.test.url(), &["detach", "blog.posts"]).await.done();
    assert_eq!(rights(&later).await, expected, "in a second step");
    later.leave().await;
}

#[tokio::test]
async fn who_may_not_create_roles_is_given_the_sql_for_an_administrator() {
    let team = Team::assemble().await;
    let (database, stranger) = (&team.prefix, team.role("stranger"));
    team.admin(&format!("GRANT CREATE ON DATABASE {database} TO {stranger}")).await;
    let install = ["install", "--roles", database];
    let ran = tintype(&team.url("stranger"), &install).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(ran.error(), format!("role {stranger} may not create the roles, or may not join them"), "{ran:?}");
    assert_eq!(
        ran.hint(),
        format!("have an administrator run the SQL that was printed, then as {stranger} this again")
    );
    assert_eq!(team.ask("SELECT to_regnamespace('tintype') IS NULL").await, "t", "nothing was done");
    team.admin(&ran.stdout).await;
    tintype(&team.url("stranger"), &install).await.done();
    let owners = "SELECT DISTINCT pg_get_userbyid(c.relowner)::text FROM pg_class c WHERE c.relnamespace = 'tintype'::regnamespace
                  UNION SELECT pg_get_userbyid(p.proowner)::text FROM pg_proc p WHERE p.pronamespace = 'tintype'::regnamespace";
    assert_eq!(texts(&team.admin, owners).await, [team.role("owner")]);
    tintype(&team.url("stranger"), &["install"]).await.done();
    let gone = tintype(&team.url("stranger"), &["uninstall", "--yes", "--roles"]).await;
    assert_eq!(gone.code, 3, "the schema goes, the roles are not its to drop: {gone:?}");
    assert!(gone.error().starts_with("the roles stay: "), "{gone:?}");
    assert_eq!(team.ask("SELECT to_regnamespace('tintype') IS NULL").await, "t");
    team.admin(&gone.stdout).await;
    team.leave().await;
}

#[tokio::test]
async fn the_right_to_create_roles_is_enough_to_make_and_drop_them() {
    let team = Team::assemble().await;
    let stranger = team.role("stranger");
    team.admin(&format!("GRANT CREATE ON DATABASE {} TO {stranger}; ALTER ROLE {stranger} CREATEROLE", team.prefix))
        .await;
    tintype(&team.url("stranger"), &["install", "--roles", &team.prefix]).await.done();
    let count = format!(
        "SELECT count(*) FROM pg_roles WHERE rolname IN ('{0}_owner', '{0}_installer', '{0}_worker')",
        team.prefix
    );
    assert_eq!(team.ask(&count).await, "3");
    let logins = format!(
        "SELECT count(*) FROM pg_roles WHERE rolname ~ '^{}_(owner|installer|worker)$' AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls)",
        team.prefix
    );
    assert_eq!(team.ask(&logins).await, "0");
    let stays = tintype(&team.url("stranger"), &["uninstall", "--yes"]).await;
    stays.done();
    assert!(stays.stderr.contains(&format!("DROP ROLE IF EXISTS {}_worker;", team.prefix)), "{stays:?}");
    assert_eq!(team.ask(&count).await, "3", "roles stay");
    tintype(&team.url("stranger"), &["install", "--roles", &team.prefix]).await.done();
    tintype(&team.url("stranger"), &["uninstall", "--yes", "--roles"]).await.done();
    assert_eq!(team.ask(&count).await, "0");
    let nothing = tintype(&team.url("stranger"), &["uninstall", "--yes"]).await;
    assert_eq!(nothing.code, 3, "{nothing:?}");
    team.leave().await;
}

#[tokio::test]
async fn roles_that_are_needed_elsewhere_stay() {
    let team = Team::installed().await;
    team.admin(&format!("GRANT SELECT ON blog.users TO {}", team.role("worker"))).await;
    let ran = tintype(&team.test.url(), &["uninstall", "--yes", "--roles"]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error().contains("blog.users"), "{ran:?}");
    team.admin(&format!("REVOKE SELECT ON blog.users FROM {}", team.role("worker"))).await;
    tintype(&team.test.url(), &["uninstall", "--yes", "--roles", &team.prefix]).await.done();
    assert_eq!(
        team.ask(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{}'", team.role("worker"))).await,
        "0"
    );
    team.leave().await;
}

#[tokio::test]
async fn the_installer_detaches_and_uninstalls() {
    let team = Team::attached().await;
    run(&team.client("app").await, "the host", "INSERT INTO blog.posts (id, title) VALUES (1, 'One')").await;
    tintype(&team.url("installer"), &["install"]).await.done();
    tintype(&team.url("installer"), &["uninstall", "--yes"]).await.done();
    let refusal = refused(&team.client("worker").await, "no rights are left", "SELECT title FROM blog.posts").await;
    assert_eq!(refusal.state, "42501", "{refusal:?}");
    team.leave().await;
}

#[tokio::test]
async fn a_prefix_that_cannot_be_is_refused() {
    let ran = run_program(command(&["install", "--print-sql", "--roles", "No Way"])).await;
    assert_eq!((ran.code, ran.error()), (2, "`No Way` cannot start the names of roles"), "{ran:?}");
}

#[test]
fn the_script_in_the_document_is_the_one_that_is_printed() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    assert!(
        read("docs/ROLES.md").contains(&read("sql/roles/create.sql")),
        "docs/ROLES.md shows another sql/roles/create.sql"
    );
}

#[tokio::test]
async fn a_role_that_is_somebody_else_s_is_not_taken_over() {
    let team = Team::assemble().await;
    let worker = format!("{}_worker", team.prefix);
    team.admin(&format!("CREATE ROLE {worker}; GRANT SELECT, INSERT ON blog.posts TO {worker}")).await;
    let ran = tintype(&team.test.url(), &["install", "--roles", &team.prefix]).await;
    assert!(
        ran.code == 1 && ran.stderr.contains("was not made for tintype") && ran.stderr.contains("--roles"),
        "{ran:?}"
    );
    team.admin(&format!("REVOKE ALL ON blog.posts FROM {worker}; COMMENT ON ROLE {worker} IS 'made for tintype'"))
        .await;
    tintype(&team.test.url(), &["install", "--roles", &team.prefix]).await.done();
    team.leave().await;
}

#[tokio::test]
async fn a_table_that_has_changed_does_not_hold_an_upgrade_up() {
    let team = Team::installed().await;
    tintype(&team.test.url(), &["attach", "blog.posts", "--yes"]).await.done();
    team.admin("ALTER TABLE blog.posts RENAME title TO headline").await;
    tintype(&team.test.url(), &["install"]).await.done();
    team.leave().await;
}
