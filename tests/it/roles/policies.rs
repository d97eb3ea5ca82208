//! Row-level security: what it hides from the worker is not gone. Nothing of it is drawn, nothing of it is forgotten, and
//! somebody is told.

use super::Team;
use crate::support::{
    program::tintype,
    schema::{run, text, texts},
    worker::BASE,
};

/// A team whose table is secured, also against its owner; the application sees all of it.
async fn secured() -> Team {
    let team = Team::installed().await;
    team.admin(&format!(
        "ALTER TABLE blog.posts ENABLE ROW LEVEL SECURITY; ALTER TABLE blog.posts FORCE ROW LEVEL SECURITY;
         CREATE POLICY app ON blog.posts TO {} USING (true) WITH CHECK (true)",
        team.role("app")
    ))
    .await;
    team
}

const ATTACH: [&str; 3] = ["attach", "blog.posts", "--yes"];

impl Team {
    async fn policy(&self, clause: &str) {
        self.admin(&format!("CREATE POLICY tintype ON blog.posts {}", clause.replace('@', &self.role("worker")))).await;
    }

    /// Sweeps to the end, as the worker, and draws what that finds.
    async fn sweep(&self) {
        let worker = self.client("worker").await;
        let before = self.ask("SELECT swept_at FROM tintype.source").await;
        while self.ask("SELECT swept_at FROM tintype.source").await == before {
            run(&worker, "a step", "SELECT tintype.sweep(id, 100) FROM tintype.source").await;
        }
        assert_eq!(self.workplace().work().await, 0);
    }

    /// Key, state and whether there is a URL, of every entry.
    async fn ledger(&self) -> Vec<String> {
        texts(
            &self.admin,
            "SELECT concat_ws(' ', key, state, CASE WHEN url <> '' THEN 'url' END) FROM tintype.image ORDER BY key",
        )
        .await
    }
}

#[tokio::test]
async fn without_a_policy_nothing_is_seen_and_everybody_is_told() {
    let team = secured().await;
    let hint = format!("As its owner: CREATE POLICY tintype ON blog.posts TO {} USING (true);", team.role("worker"));
    let ran = tintype(&team.url("installer"), &ATTACH).await;
    ran.done();
    let words = format!("row-level security hides every row of blog.posts from role {}", team.role("worker"));
    assert!(ran.stderr.contains(&format!("warning: {words}")), "{ran:?}");
    assert_eq!(ran.hint(), hint, "{ran:?}");

    let (app, place) = (team.client("app").await, team.workplace());
    run(&app, "insert", "INSERT INTO blog.posts (id, title) VALUES (1, 'One')").await;
    let mut worker = place.start(&["--exit-when-idle"]);
    assert!(worker.exit().await.success());
    let told = worker.logged(&words);
    assert_eq!(told.len(), 1, "run tells it too");
    assert_eq!(told[0]["hint"], hint.as_str());
    assert_eq!(team.ledger().await, ["1 skipped"]);
    let reason = format!("row-level security hides this row from role {}, or it is deleted", team.role("worker"));
    assert_eq!(team.ask("SELECT reason FROM tintype.image").await, reason);
    team.sweep().await;
    assert_eq!(team.ask("SELECT state FROM tintype.status").await, "broken");
    assert_eq!(team.ask("SELECT last_error FROM tintype.status").await, words);

    let policy = hint.strip_prefix("As its owner: ").unwrap();
    run(&team.client("host").await, "as told", policy).await;
    team.sweep().await;
    team.sweep().await;
    assert_eq!(team.ledger().await, ["1 ready url"]);
    assert!(text(&app, "SELECT og_image_url FROM blog.posts").await.starts_with(BASE));
    assert_eq!(team.ask("SELECT state FROM tintype.status").await, "watching");
    let again = tintype(&team.url("installer"), &ATTACH).await;
    assert!(again.code == 0 && !again.stderr.contains("row-level"), "{again:?}");
    team.leave().await;
}

#[tokio::test]
async fn pictures_outlive_a_policy_that_goes() {
    let team = secured().await;
    team.policy("TO @ USING (true)").await;
    tintype(&team.url("installer"), &ATTACH).await.done();
    let (app, worker) = (team.client("app").await, team.client("worker").await);
    run(&app, "insert", "INSERT INTO blog.posts (id, title) VALUES (1, 'One'), (2, 'Two'), (3, 'Three')").await;
    assert_eq!(team.workplace().work().await, 0);
    let all = ["1 ready url", "2 ready url", "3 ready url"];
    assert_eq!(team.ledger().await, all);
    let urls = texts(&app, "SELECT og_image_url FROM blog.posts ORDER BY id").await;

    team.admin("DROP POLICY tintype ON blog.posts").await;
    assert_eq!(text(&worker, "SELECT count(*) FROM (SELECT id FROM blog.posts) seen").await, "0");
    run(&app, "edit what is hidden", "UPDATE blog.posts SET title = 'New' WHERE id = 1").await;
    assert_eq!(team.workplace().work().await, 0);
    assert_eq!(team.ledger().await, all, "an edit");
    let prune = "SELECT p.pruned FROM tintype.source s, tintype.prune(s, '', 100) p";
    assert_eq!(text(&worker, prune).await, "0");
    team.sweep().await;
    assert_eq!(team.ledger().await, all, "the sweep");
    assert_eq!(texts(&app, "SELECT og_image_url FROM blog.posts ORDER BY id").await, urls);

    team.policy("TO @ USING (true)").await;
    run(&app, "delete", "DELETE FROM blog.posts WHERE id = 2").await;
    team.sweep().await;
    team.sweep().await;
    assert_eq!(
        team.ledger().await,
        ["1 ready url", "3 ready url"],
        "a policy that hides nothing lets deleted rows be told"
    );
    assert_ne!(texts(&app, "SELECT og_image_url FROM blog.posts ORDER BY id").await[0], urls[0], "the edit is drawn");
    team.leave().await;
}

#[tokio::test]
async fn a_policy_for_some_rows_has_some_drawn_and_none_forgotten() {
    let team = secured().await;
    team.policy("TO @ USING (id < 10)").await;
    let ran = tintype(&team.url("installer"), &ATTACH).await;
    assert!(ran.code == 0 && ran.stderr.contains("warning: row-level security may hide rows of blog.posts"), "{ran:?}");
    let (app, worker) = (team.client("app").await, team.client("worker").await);
    run(&app, "insert", "INSERT INTO blog.posts (id, title) VALUES (1, 'One'), (2, 'Two'), (10, 'Ten')").await;
    assert_eq!(team.workplace().work().await, 0);
    assert_eq!(team.ledger().await, ["1 ready url", "10 skipped", "2 ready url"]);
    assert_eq!(texts(&worker, "SELECT id FROM blog.posts ORDER BY id").await, ["1", "2"]);
    run(&app, "out of sight", "UPDATE blog.posts SET id = 11 WHERE id = 2; DELETE FROM blog.posts WHERE id = 10").await;
    team.sweep().await;
    assert_eq!(team.ledger().await, ["1 ready url", "10 skipped", "11 skipped", "2 ready url"]);
    assert_eq!(team.ask("SELECT state FROM tintype.status").await, "watching", "it is meant so");
    team.leave().await;
}

#[tokio::test]
async fn a_narrowing_policy_hides_even_beside_one_for_all() {
    let team = secured().await;
    team.policy("TO @ USING (true)").await;
    team.admin("CREATE POLICY narrow ON blog.posts AS RESTRICTIVE USING (published)").await;
    tintype(&team.url("installer"), &ATTACH).await.done();
    let app = team.client("app").await;
    run(&app, "insert", "INSERT INTO blog.posts (id, title) VALUES (1, 'One')").await;
    assert_eq!(team.workplace().work().await, 0);
    team.unseen("UPDATE blog.posts SET published = false").await;
    team.sweep().await;
    assert_eq!(team.ledger().await, ["1 ready url"]);
    team.leave().await;
}

#[tokio::test]
async fn a_policy_to_read_alone_is_no_lock_of_the_host() {
    let team = secured().await;
    team.policy("FOR SELECT TO @ USING (true)").await;
    let ran = tintype(&team.url("installer"), &ATTACH).await;
    let words = format!("row-level security lets role {} write to no row of blog.posts", team.role("worker"));
    assert!(ran.code == 0 && ran.stderr.contains(&words), "{ran:?}");
    let app = team.client("app").await;
    run(&app, "insert", "INSERT INTO blog.posts (id, title) VALUES (1, 'One')").await;
    assert_eq!(team.workplace().work().await, 4);
    let reason = team.ask("SELECT last_error FROM tintype.job").await;
    assert!(
        reason.contains(&format!("lets role {} read this row of blog.posts and not write", team.role("worker"))),
        "{reason}"
    );
    team.admin(&format!(
        "CREATE POLICY tintype_write ON blog.posts FOR UPDATE TO {} USING (true)",
        team.role("worker")
    ))
    .await;
    tintype(&team.url("worker"), &["retry"]).await.done();
    assert_eq!(team.workplace().work().await, 0);
    assert_eq!(team.ledger().await, ["1 ready url"]);
    team.leave().await;
}
