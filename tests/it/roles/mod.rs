//! The roles of `install --roles`: a worker that may do its work and nothing else, an installer, an owner, and strangers.

mod cycle;
mod install;
mod policies;
mod rights;

use tokio_postgres::Client;

use crate::support::{
    postgres::{TestDatabase, connect},
    program::tintype,
    schema::run,
    worker::Workplace,
};

/// A blog whose table belongs to a role of its own and is written by another, and the roles of tintype, each with a login. The
/// names of all start with that of the database, since roles are shared by a whole cluster.
pub(crate) struct Team {
    test: TestDatabase,
    pub(crate) admin: Client,
    prefix: String,
}

/// The roles besides tintype's own.
const PEOPLE: [&str; 3] = ["host", "app", "stranger"];

impl Team {
    /// The people, the table, and no tintype yet.
    pub(crate) async fn assemble() -> Self {
        let test = TestDatabase::new().await;
        let admin = test.client().await;
        let prefix = url::Url::parse(&test.url()).unwrap().path()[1..].to_owned();
        let team = Self { test, admin, prefix };
        let people: Vec<_> =
            PEOPLE.iter().map(|one| format!("CREATE ROLE {} LOGIN PASSWORD 'pass word';", team.role(one))).collect();
        let people = people.concat();
        let (host, app) = (team.role("host"), team.role("app"));
        team.admin(&format!(
            "{people} CREATE SCHEMA blog AUTHORIZATION {host}; GRANT USAGE ON SCHEMA blog TO {app};
             SET ROLE {host};
             CREATE TABLE blog.posts (id bigint PRIMARY KEY, title text, body text, secret text, published boolean NOT NULL DEFAULT true,
                                      og_image_url text, views integer NOT NULL DEFAULT 0);
             CREATE TABLE blog.users (id bigint PRIMARY KEY, email text);
             GRANT SELECT, INSERT, UPDATE, DELETE ON blog.posts TO {app};
             RESET ROLE"
        ))
        .await;
        team
    }

    /// The same with tintype and its roles, by the cluster's superuser; the installer is a member of the table's owner.
    pub(crate) async fn installed() -> Self {
        let team = Self::assemble().await;
        tintype(&team.test.url(), &["install", "--roles", &team.prefix]).await.done();
        team.log_in().await;
        team.admin(&format!("GRANT {} TO {}", team.role("host"), team.role("installer"))).await;
        team
    }

    /// The same with the table attached by the installer.
    pub(crate) async fn attached() -> Self {
        let team = Self::installed().await;
        tintype(&team.url("installer"), &["attach", "blog.posts", "--where", "published", "--yes"]).await.done();
        team
    }

    /// Lets worker and installer log in.
    async fn log_in(&self) {
        for one in ["worker", "installer"] {
            self.admin(&format!("ALTER ROLE {} LOGIN PASSWORD 'pass word'", self.role(one))).await;
        }
    }

    pub(crate) fn role(&self, name: &str) -> String {
        format!("{}_{name}", self.prefix)
    }

    pub(crate) fn url(&self, name: &str) -> String {
        let mut url = url::Url::parse(&self.test.url()).unwrap();
        url.set_username(&self.role(name)).unwrap();
        url.set_password(Some("pass word")).unwrap();
        url.into()
    }

    /// A connection as one of them.
    async fn client(&self, name: &str) -> Client {
        connect(&self.url(name)).await
    }

    pub(crate) async fn admin(&self, sql: &str) {
        run(&self.admin, "the administrator", sql).await;
    }

    async fn ask(&self, sql: &str) -> String {
        crate::support::schema::text(&self.admin, sql).await
    }

    /// Where the worker's pictures go.
    fn workplace(&self) -> Workplace {
        Workplace::new(self.url("worker"))
    }

    /// Writes behind the triggers' backs.
    async fn unseen(&self, sql: &str) {
        self.admin(&format!("SET session_replication_role = replica; {sql}; RESET session_replication_role")).await;
    }

    /// Sends everybody home: roles outlive a test's database.
    pub(crate) async fn leave(self) {
        let all = PEOPLE.iter().chain(&["worker", "installer", "owner"]);
        let drops: Vec<_> = all
            .map(|one| {
                let role = self.role(one);
                format!(
                    "IF to_regrole('{role}') IS NOT NULL THEN DROP OWNED BY {role} CASCADE; DROP ROLE {role}; END IF; "
                )
            })
            .collect();
        self.admin(&format!("DO $$ BEGIN {} END $$", drops.concat())).await;
    }
}
