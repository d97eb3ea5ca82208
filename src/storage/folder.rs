//! A folder as a store: a file appears under its name complete or not at all.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::path::{encoded, is_safe};
use super::{Object, StorageError};

/// A folder, and the address under which the world sees it.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    public_base_url: Option<String>,
}

impl Folder {
    pub(super) fn new(root: &Path, public_base_url: Option<String>) -> Result<Self, StorageError> {
        let root = std::path::absolute(root).map_err(io("find", root))?;
        Ok(Self { root, public_base_url })
    }

    /// Where the files lie, as an absolute path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(super) async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<Object, StorageError> {
        let file = self.file(path)?;
        let named = file.clone();
        let writing = in_background(&named, move || match write(&file, &bytes) {
            // Its folder was empty, and somebody who deletes took it away under our hands.
            Err(StorageError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                write(&file, &bytes)
            }
            done => done,
        });
        writing.await?;
        Ok(Object { key: path.to_owned(), url: self.url(path) })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        let file = self.file(path)?;
        in_background(&file.clone(), move || std::fs::read(&file).map_err(io("read", &file))).await
    }

    pub(super) async fn find(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        none_if_missing(self.get(path).await)
    }

    /// A picture's file and its length, for everybody: `None` for a path that names none, or that a link leads out of the folder.
    pub(crate) async fn picture(&self, path: &str) -> Result<Option<(File, u64)>, StorageError> {
        if !is_safe(path) || path.split('/').any(|part| part.starts_with('.')) {
            return Ok(None);
        }
        let (root, file) = (self.root.clone(), self.root.join(path));
        let named = file.clone();
        let opened = in_background(&named, move || {
            let real = std::fs::canonicalize(&file).map_err(io("read", &file))?;
            let inside = std::fs::canonicalize(&root).is_ok_and(|root| real.starts_with(root));
            if !inside || !real.is_file() {
                return Err(io("read", &file)(std::io::ErrorKind::NotFound.into()));
            }
            let picture = File::open(&real).map_err(io("read", &file))?;
            let length = picture.metadata().map_err(io("read", &file))?.len();
            Ok((picture, length))
        });
        none_if_missing(opened.await)
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        let file = self.file(path)?;
        let (root, named) = (self.root.clone(), file.clone());
        let deleting = in_background(&named, move || {
            std::fs::remove_file(&file).map_err(io("delete", &file))?;
            // What is empty now goes as well, up to the store itself; the first folder that holds something is the last that is tried.
            let above = file.ancestors().skip(1).take_while(|folder| *folder != root);
            let _ = above.map(std::fs::remove_dir).try_for_each(|removed| removed);
            Ok(())
        });
        none_if_missing(deleting.await).map(drop)
    }

    /// The public address, or a `file:` URL where there is none.
    pub(super) fn url(&self, path: &str) -> String {
        match &self.public_base_url {
            Some(base) => format!("{base}/{}", encoded(path)),
            None => format!("file://{}/{}", encoded(&self.root.to_string_lossy()), encoded(path)),
        }
    }

    fn file(&self, path: &str) -> Result<PathBuf, StorageError> {
        if is_safe(path) { Ok(self.root.join(path)) } else { Err(StorageError::BadPath { path: path.to_owned() }) }
    }
}

fn none_if_missing<T>(result: Result<T, StorageError>) -> Result<Option<T>, StorageError> {
    match result {
        Err(StorageError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

async fn in_background<T: Send + 'static>(
    file: &Path,
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let stopped = |error| io("finish work on", file)(std::io::Error::other(error));
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder).map_err(io("create", folder))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tintype-");
    // Another user's web server is to read it; what must not be read by all, the umask takes away.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut unnamed = builder.tempfile_in(folder).map_err(io("write to", folder))?;
    unnamed.write_all(bytes).map_err(io("write", file))?;
    unnamed.persist(file).map_err(|error| io("write", file)(error.error))?;
    Ok(())
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StorageError {
    let path = path.to_owned();
    move |source| StorageError::Io { action, path, source }
}
