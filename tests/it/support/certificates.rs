//! Certificates made for one test by the `openssl` program: authorities, and what they sign.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The files of one key and of what was signed for it.
pub(crate) struct Certificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificate {
    /// A path as it stands in a connection string.
    pub(crate) fn path(&self) -> String {
        self.certificate.display().to_string()
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().expect("the program openssl");
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn named(folder: &Path, name: &str) -> Certificate {
    Certificate { certificate: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) }
}

/// Signs itself and may sign others, as Postgres' manual makes one.
pub(crate) fn self_signed(folder: &Path, name: &str, common_name: &str) -> Certificate {
    let subject = format!("/CN={common_name}");
    let (certificate, key) = (format!("{name}.crt"), format!("{name}.key"));
    let kind = ["req", "-new", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    openssl(folder, &[&kind[..], &["-subj", &subject, "-keyout", &key, "-out", &certificate]].concat());
    named(folder, name)
}

/// Signed by an authority of the same folder; without extensions it is of version 1, as plain recipes make it.
pub(crate) fn signed(
    folder: &Path,
    name: &str,
    common_name: &str,
    extensions: Option<&str>,
    authority: &str,
) -> Certificate {
    let subject = format!("/CN={common_name}");
    let (request, certificate, key) = (format!("{name}.csr"), format!("{name}.crt"), format!("{name}.key"));
    let kind = ["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    openssl(folder, &[&kind[..], &["-subj", &subject, "-keyout", &key, "-out", &request]].concat());
    let (root, root_key) = (format!("{authority}.crt"), format!("{authority}.key"));
    let mut sign =
        vec!["x509", "-req", "-days", "2", "-in", &request, "-CA", &root, "-CAkey", &root_key, "-CAcreateserial"];
    sign.extend(["-out", &certificate]);
    let file = format!("{name}.ext");
    if let Some(extensions) = extensions {
        std::fs::write(folder.join(&file), extensions).expect("a file of extensions");
        sign.extend(["-extfile", &file]);
    }
    openssl(folder, &sign);
    named(folder, name)
}
