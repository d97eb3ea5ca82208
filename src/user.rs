//! The user that programs run as which refuse to run as root, or should not: who it is, and a folder that belongs to it.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use tempfile::TempDir;

/// The numbers of a user and of its group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// A new folder in `parent` that only its owner may enter. Where we are root it belongs to the first of `names` that this machine
/// knows, which is returned; else to ourselves. Root without any of them is an error of the kind `NotFound`.
pub(crate) fn folder(parent: &Path, names: &[&str]) -> io::Result<(TempDir, Option<User>)> {
    let only_owner = fs::Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().prefix("tintype-").permissions(only_owner).tempdir_in(parent)?;
    if fs::metadata(folder.path())?.uid() != 0 {
        return Ok((folder, None));
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = names.iter().find_map(|name| look_up(&passwd, name)).ok_or(io::ErrorKind::NotFound)?;
    chown(folder.path(), Some(user.uid), Some(user.gid))?;
    Ok((folder, Some(user)))
}

/// A user's numbers out of the text of /etc/passwd.
fn look_up(passwd: &str, name: &str) -> Option<User> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        found.then_some(User { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgresql:x:5:6::/:/bin/sh\npostgres:x:101:104:,,,:/:/bin/bash\n";
        let user = look_up(passwd, "postgres").unwrap();
        assert_eq!((user.uid, user.gid), (101, 104));
        assert!(look_up(passwd, "nobody").is_none());
    }
}
