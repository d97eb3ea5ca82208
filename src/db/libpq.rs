//! What libpq's clients take from their surroundings when a connection string is silent: the `PG*` variables, the files below
//! the home directory, and the password file. Handed over as a value, so that nothing here reads the environment.

use std::{
    fmt, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// A keyword of a connection string and the variable that stands in for it.
const VARIABLES: [(&str, &str); 17] = [
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("dbname", "PGDATABASE"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("application_name", "PGAPPNAME"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("options", "PGOPTIONS"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("channel_binding", "PGCHANNELBINDING"),
];

/// The surroundings of a libpq client. The default knows nothing.
#[derive(Clone, Default)]
pub struct LibpqEnv {
    values: Vec<(&'static str, String)>,
    home: Option<PathBuf>,
}

impl LibpqEnv {
    /// Asks for each `PG*` variable and for `HOME`; empty ones count as absent.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let present = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let values = VARIABLES.iter().filter_map(|&(keyword, name)| Some((keyword, present(name)?))).collect();
        Self { values, home: present("HOME").map(PathBuf::from) }
    }

    /// What the variable of a connection string's keyword says.
    pub(super) fn get(&self, keyword: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == keyword).map(|(_, value)| value.as_str())
    }

    /// A file in `~/.postgresql`, where it exists.
    pub(super) fn home_file(&self, name: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(".postgresql").join(name)).filter(|path| path.exists())
    }

    /// The text of the password file: the one that is named, or `~/.pgpass`. As libpq does, one that others may read is
    /// passed over with a warning.
    pub(super) fn password_file(&self, named: Option<&str>) -> Option<String> {
        let path = named.map(PathBuf::from).or_else(|| Some(self.home.as_ref()?.join(".pgpass")))?;
        let mode = fs::metadata(&path).ok()?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "password file ignored: others may read it; chmod 600 it");
            return None;
        }
        fs::read_to_string(path).ok()
    }
}

impl fmt::Debug for LibpqEnv {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.values.iter().filter(|(keyword, _)| *keyword != "password");
        formatter.debug_map().entries(shown.map(|(keyword, value)| (keyword, value))).finish()
    }
}

/// The password that a password file holds for a connection. A socket in the default folder goes by the name `localhost`.
pub(super) fn password_for(file: &str, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let wanted = [host, &port.to_string(), database, user];
    file.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = split_escaped(line);
        let (password, pattern) = fields.split_last()?;
        let matches = pattern.len() == wanted.len()
            && pattern.iter().zip(wanted).all(|(pattern, wanted)| pattern == "*" || pattern == wanted);
        matches.then(|| password.clone())
    })
}

/// The five fields of a line, parted by colons; `\:` and `\\` stand for themselves.
fn split_escaped(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let field = fields.len() - 1;
        match character {
            ':' if field < 4 => fields.push(String::new()),
            '\\' => fields[field].extend(characters.next()),
            other => fields[field].push(other),
        }
    }
    fields
}

/// The folder where Debian's and most other builds put the server's socket.
pub(super) fn default_socket_folder() -> &'static Path {
    Path::new("/var/run/postgresql")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# of Ada\ndb.example.com:5432:blog:ada:first\n*:*:blog:gr\\:ace:sec\\:o:nd\nlocalhost:*:*:*:third\nbroken";

    #[test]
    fn the_first_matching_line_of_a_password_file_counts() {
        for (host, port, database, user, expected) in [
            ("db.example.com", 5432, "blog", "ada", Some("first")),
            ("db.example.com", 5433, "blog", "ada", None),
            ("anywhere", 1, "blog", "gr:ace", Some("sec:o:nd")),
            ("localhost", 9, "x", "y", Some("third")),
        ] {
            assert_eq!(password_for(FILE, host, port, database, user).as_deref(), expected, "{host}:{port}");
        }
    }

    #[test]
    fn a_password_file_that_others_may_read_is_passed_over() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".pgpass");
        fs::write(&path, FILE).unwrap();
        let env = LibpqEnv::from_lookup(|name| (name == "HOME").then(|| home.path().display().to_string()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(env.password_file(None), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(env.password_file(None).as_deref(), Some(FILE));
    }

    #[test]
    fn debug_shows_no_password() {
        let env = LibpqEnv::from_lookup(|name| Some(format!("value of {name}")));
        let shown = format!("{env:?}");
        assert!(shown.contains("value of PGHOST") && !shown.contains("PGPASSWORD"), "{shown}");
    }
}
