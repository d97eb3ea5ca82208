//! Finds the server programs of an installed Postgres: the folder that holds both `initdb` and `postgres`.
//! Distributions keep them off the PATH, so the places where they do are looked through too, newest major first.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// Folders with one entry per installed major, and where the programs stand below that entry.
const PER_MAJOR: [(&str, &str, &str); 7] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/usr/libexec", "postgresql", ""),
];

/// The first folder that holds the server programs: the one asked for and no other, or else PATH, then the usual places.
pub(super) fn find(asked: Option<&Path>, search_path: Option<&OsStr>) -> Option<PathBuf> {
    if let Some(asked) = asked {
        return holds_server(asked).then(|| asked.to_owned());
    }
    let on_path = search_path.into_iter().flat_map(std::env::split_paths);
    let versioned = PER_MAJOR.iter().flat_map(|(parent, prefix, below)| majors(parent.as_ref(), prefix, below));
    on_path.chain(versioned).chain([PathBuf::from("/usr/local/pgsql/bin")]).find(|folder| holds_server(folder))
}

fn holds_server(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
}

/// The program folders below `parent`, highest major first; names without a number (`latest`) are left out.
fn majors(parent: &Path, prefix: &str, below: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let major = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((major, entry.path().join(below)))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("initdb"), "").unwrap();
        fs::write(folder.join("postgres"), "").unwrap();
    }

    #[test]
    fn a_folder_that_was_asked_for_has_no_substitute() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("on-path");
        install(&path);
        assert_eq!(find(Some(&root.path().join("absent")), Some(path.as_os_str())), None);
        assert_eq!(find(None, Some(path.as_os_str())), Some(path));
    }

    #[test]
    fn half_an_installation_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let (client, server) = (root.path().join("client"), root.path().join("server"));
        install(&server);
        fs::create_dir(&client).unwrap();
        fs::write(client.join("initdb"), "").unwrap();
        let path = std::env::join_paths([&client, &server]).unwrap();
        assert_eq!(find(None, Some(&path)), Some(server));
    }

    #[test]
    fn majors_are_compared_as_numbers() {
        let root = tempfile::tempdir().unwrap();
        for name in ["pg-9", "pg-18", "pg-latest", "other-19"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        let expected = ["pg-18", "pg-9"].map(|name| root.path().join(name).join("bin"));
        assert_eq!(majors(root.path(), "pg-", "bin"), expected);
    }
}
