//! The bytes of a picture go in, an object with a URL comes out. A store is a bucket or a folder; an object's path derives from
//! its content, so that storing it again changes nothing and no other content's picture is ever overwritten.

mod error;
mod folder;
mod path;
mod s3;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

pub use error::StorageError;
pub use folder::Folder;
pub use path::{digest_of, object_path};
pub use s3::Bucket;

/// The object that a trial run writes and reads.
const PROBE: &str = "tintype-check.txt";
const PROBE_TEXT: &[u8] = b"tintype can write here\n";

/// Where pictures are stored, and how the world reaches them.
#[derive(Debug, Clone, Default)]
pub struct StorageSettings {
    /// `s3://bucket/prefix`, the path of a folder, or a `file:` URL.
    pub url: String,
    /// What the world puts in front of an object's key, the prefix included, such as `https://cdn.example`; a path such as
    /// `/pictures` gives URLs without a host. Without it objects get the service's own URLs.
    pub public_base_url: Option<String>,
    /// An S3-compatible service other than AWS (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`).
    pub endpoint_url: Option<String>,
    /// Whether the bucket stands in the path of its URLs instead of the host; as a rule where an endpoint is given.
    pub path_style: Option<bool>,
    /// The bucket's region; else what the environment or the profile says, else `us-east-1`.
    pub region: Option<String>,
    /// Keys; else what the AWS tools would use.
    pub credentials: Option<AccessKey>,
}

/// An access key and its secret. The secret is not shown by `Debug`.
#[derive(Clone)]
pub struct AccessKey {
    /// The access key's id.
    pub id: String,
    /// The secret.
    pub secret: String,
    /// The token that belongs to temporary keys.
    pub session_token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Something stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its whole key in the bucket, or its path in the folder.
    pub key: String,
    /// Its URL.
    pub url: String,
}

/// A place for pictures.
#[derive(Debug, Clone)]
pub enum Storage {
    /// A folder on this machine.
    Folder(Folder),
    /// A bucket of an S3-compatible service.
    S3(Bucket),
}

impl Storage {
    /// Prepares a store. Nothing is written or sent yet.
    ///
    /// # Errors
    /// [`StorageError::BadUrl`] where the settings cannot be right; [`StorageError::Io`] without a current folder.
    pub async fn open(settings: &StorageSettings) -> Result<Self, StorageError> {
        let bad = |url: &str, reason| StorageError::BadUrl { url: url.to_owned(), reason };
        let mut settings = settings.clone();
        if let Some(base) = settings.public_base_url.take().map(|base| base.trim_end_matches('/').to_owned()) {
            let is_path = base.is_empty() || base.starts_with('/');
            let is_http = url::Url::parse(&base).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !is_path && !is_http {
                return Err(bad(&base, "a public address begins with https://, http:// or a slash"));
            }
            settings.public_base_url = Some(base);
        }
        let url = settings.url.trim().to_owned();
        if let Some(place) = url.strip_prefix("s3://") {
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            return Ok(Self::S3(Bucket::open(bucket, prefix, &settings).await?));
        }
        let root = match url::Url::parse(&url) {
            Ok(file) if file.scheme() == "file" => {
                file.to_file_path().map_err(|()| bad(&url, "a file: URL names a folder of this machine"))?
            }
            _ if url.contains("://") => return Err(bad(&url, "pictures are stored in s3:// or in a folder")),
            _ if url.is_empty() => return Err(bad(&url, "it is empty")),
            _ => PathBuf::from(&url),
        };
        Ok(Self::Folder(Folder::new(&root, settings.public_base_url)?))
    }

    /// Stores bytes under a path below the prefix. Doing it again is harmless.
    pub async fn put(&self, path: &str, bytes: Vec<u8>, media_type: &str) -> Result<Object, StorageError> {
        match self {
            Self::Folder(folder) => folder.put(path, bytes).await,
            Self::S3(bucket) => bucket.put(path, bytes, media_type).await,
        }
    }

    /// The bytes under a path below the prefix; `None` where there is no such object.
    pub async fn find(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        match self {
            Self::Folder(folder) => folder.find(path).await,
            Self::S3(bucket) => bucket.find(path).await,
        }
    }

    /// Deletes the object with this whole key, as [`Storage::put`] gave it. One that is not there any more counts as deleted.
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        let bad = || StorageError::BadPath { path: key.to_owned() };
        let path = key.strip_prefix(self.prefix()).ok_or_else(bad)?;
        match self {
            Self::Folder(folder) => folder.delete(path).await,
            Self::S3(bucket) => bucket.delete(path).await,
        }
    }

    /// What it is, in one word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::S3(_) => "s3",
        }
    }

    /// What the key of each of this store's objects begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        match self {
            Self::Folder(_) => "",
            Self::S3(bucket) => bucket.prefix(),
        }
    }

    /// The URL that [`Storage::put`] gives to a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        match self {
            Self::Folder(folder) => folder.url(path),
            Self::S3(bucket) => bucket.url(path),
        }
    }

    /// Stores a small text, to see whether that can be done.
    pub async fn probe(&self) -> Result<Object, StorageError> {
        self.put(PROBE, PROBE_TEXT.to_vec(), "text/plain").await
    }

    /// Stores that text and reads it back. It is left there, so that its URL can be tried from outside.
    pub async fn check(&self) -> Result<Object, StorageError> {
        let object = self.probe().await?;
        let read = match self {
            Self::Folder(folder) => folder.get(PROBE).await?,
            Self::S3(bucket) => bucket.get(PROBE).await?,
        };
        if read == PROBE_TEXT { Ok(object) } else { Err(StorageError::Altered { place: self.to_string() }) }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "folder `{}`", folder.root().display()),
            Self::S3(bucket) => write!(f, "bucket `{}`", bucket.name()),
        }
    }
}
