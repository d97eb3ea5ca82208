//! The roles of `install --roles`: an owner that holds everything, an installer that acts as the owner, and a worker that may do
//! what `run` does. A prefix comes in, SQL goes out; what each may do stands in `sql/functions/70_roles.sql`.

use tokio_postgres::error::SqlState;

use crate::{
    db::{Database, DbError, Queries},
    error::Error,
};

const CREATE: &str = include_str!("../sql/roles/create.sql");
const HAND_OVER: &str = include_str!("../sql/roles/hand_over.sql");
const DROP: &str = include_str!("../sql/roles/drop.sql");

/// The prefix that the files in `sql/roles` are written with.
const USUAL: &str = "tintype";

/// Bytes of a prefix; with the longest ending it is still a name.
const LONGEST: usize = 63 - "_installer".len();

/// Three roles by the start of their names: a plain identifier, so that the SQL reads as it would by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    prefix: String,
}

impl Roles {
    /// Errors where the prefix would have to be quoted.
    pub fn new(prefix: &str) -> Result<Self, Error> {
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        let fits = prefix.starts_with(plain)
            && prefix.len() <= LONGEST
            && !prefix.starts_with("pg_")
            && prefix.chars().all(|c| plain(c) || c.is_ascii_digit());
        if fits {
            return Ok(Self { prefix: prefix.to_owned() });
        }
        Err(Error::Usage {
            what: format!("`{prefix}` cannot start the names of roles"),
            hint: format!(
                "small letters, digits and _, {LONGEST} at most, and not pg_ in front, which Postgres keeps for itself"
            ),
        })
    }

    /// The worker's name.
    pub fn worker(&self) -> String {
        format!("{}_worker", self.prefix)
    }

    /// The installer's name.
    pub fn installer(&self) -> String {
        format!("{}_installer", self.prefix)
    }

    /// Makes the roles, those that are missing, for whoever runs it.
    pub fn create_sql(&self) -> String {
        self.named(CREATE)
    }

    /// The same for an administrator to run, so that `installing` can install.
    pub fn create_sql_for(&self, installing: &str) -> String {
        self.create_sql()
            .replace("pg_has_role(CURRENT_USER", &format!("pg_has_role('{}'", installing.replace('\'', "''")))
            .replace("TO CURRENT_USER", &format!("TO \"{}\"", installing.replace('"', "\"\"")))
    }

    /// Gives the schema to its owner and the worker its rights.
    pub fn hand_over_sql(&self) -> String {
        self.named(HAND_OVER)
    }

    /// Drops the roles.
    pub fn drop_sql(&self) -> String {
        self.named(DROP)
    }

    /// The same in one line, without the comment.
    pub fn drop_statements(&self) -> String {
        self.drop_sql().lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ")
    }

    fn named(&self, sql: &str) -> String {
        ["owner", "installer", "worker"].iter().fold(sql.to_owned(), |sql, role| {
            sql.replace(&format!("{USUAL}_{role}"), &format!("{}_{role}", self.prefix))
        })
    }
}

/// Makes the roles; where this role may not, the error holds what an administrator has to run.
pub async fn create(db: &Database, roles: &Roles) -> Result<(), Error> {
    let client = db.get().await?;
    let installing: String = client.query_one("SELECT current_user::text", &[]).await?.get(0);
    match client.batch_execute(&roles.create_sql()).await {
        Err(error) if denied(&error) => {
            Err(Error::RolesDenied { sql: roles.create_sql_for(&installing), role: installing })
        }
        done => Ok(done?),
    }
}

/// Drops the roles; all or none.
pub async fn drop(db: &Database, roles: &Roles) -> Result<(), Error> {
    match db.get().await?.batch_execute(&roles.drop_sql()).await {
        Err(error) if denied(&error) || error.sql_state() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
            Err(Error::RolesStay { sql: roles.drop_sql(), error })
        }
        done => Ok(done?),
    }
}

/// The prefix of the roles that hold schema `tintype` here, where `install --roles` made them.
pub async fn of_schema(client: &impl Queries) -> Result<Option<Roles>, Error> {
    let owner = client
        .query_opt(
            "SELECT pg_get_userbyid(n.nspowner)::text
               FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'worker', aclexplode(c.relacl) a
              WHERE n.nspname = 'tintype' AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner LIMIT 1",
            &[],
        )
        .await?;
    let prefix = owner.and_then(|row| row.get::<_, String>(0).strip_suffix("_owner").map(str::to_owned));
    Ok(prefix.and_then(|prefix| Roles::new(&prefix).ok()))
}

/// The GRANTs on attached tables that only their owners can make.
pub async fn grants_to_make(db: &Database) -> Result<Vec<String>, DbError> {
    let rows = db.get().await?.query("SELECT g FROM tintype.grants_to_make() g", &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn denied(error: &DbError) -> bool {
    error.sql_state() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
}

#[cfg(test)]
mod tests {
    use super::Roles;

    #[test]
    fn a_prefix_names_all_three() {
        let roles = Roles::new("acme2").unwrap();
        let sql = [roles.create_sql(), roles.hand_over_sql(), roles.drop_sql()].concat();
        assert!(!sql.contains("tintype_"), "{sql}");
        assert!(sql.contains("GRANT acme2_owner TO acme2_installer;"), "{sql}");
        let for_ada = roles.create_sql_for("ada's \"own\"");
        assert!(
            for_ada.contains("pg_has_role('ada''s \"own\"', ") && for_ada.contains("TO \"ada's \"\"own\"\"\";"),
            "{for_ada}"
        );
    }

    #[test]
    fn a_prefix_that_would_need_quotes_is_refused() {
        for prefix in ["", "2b", "Acme", "a-b", "a\"; DROP", "pg_x", &"a".repeat(54)] {
            assert!(Roles::new(prefix).is_err(), "{prefix}");
        }
        assert!(Roles::new(&"a".repeat(53)).is_ok());
    }
}
