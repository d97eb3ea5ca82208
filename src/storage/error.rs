//! What can go wrong with a store: one variant a situation, so that a retry policy can tell them apart, and a hint for a person.

use std::path::PathBuf;
use std::time::Duration;

/// Why an object was not stored.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The configured place, endpoint or public address cannot be one.
    #[error("`{url}` cannot be used: {reason}")]
    BadUrl {
        /// What was configured.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An object path leads out of the store.
    #[error("`{path}` is not the path of an object")]
    BadPath {
        /// The path.
        path: String,
    },
    /// The endpoint answers, and has no such bucket.
    #[error("there is no bucket `{bucket}` at {endpoint}")]
    NoSuchBucket {
        /// The bucket.
        bucket: String,
        /// Who was asked.
        endpoint: String,
    },
    /// The bucket lies in another region than the one that was asked.
    #[error("bucket `{bucket}` is not in the configured region")]
    WrongRegion {
        /// The bucket.
        bucket: String,
        /// Its region, where the answer tells.
        region: Option<String>,
    },
    /// The credentials are known, and may not do this.
    #[error("bucket `{bucket}` denies {action}")]
    AccessDenied {
        /// The bucket.
        bucket: String,
        /// The permission that is missing, such as `s3:PutObject`.
        action: &'static str,
    },
    /// The credentials are wrong or have expired.
    #[error("bucket `{bucket}` does not accept the credentials: {code}")]
    BadCredentials {
        /// The bucket.
        bucket: String,
        /// The service's word for it, such as `SignatureDoesNotMatch`.
        code: String,
    },
    /// No credentials were found, neither configured nor in the places where the AWS tools keep them.
    #[error("there are no credentials for bucket `{bucket}`: {reason}")]
    NoCredentials {
        /// The bucket.
        bucket: String,
        /// Where the search ended.
        reason: String,
    },
    /// The service wants fewer requests.
    #[error("bucket `{bucket}` asks to slow down")]
    SlowDown {
        /// The bucket.
        bucket: String,
        /// When it wants to be asked again, where it says.
        retry_after: Option<Duration>,
    },
    /// No answer: no connection, a broken one, or a deadline that passed.
    #[error("bucket `{bucket}` cannot be reached at {endpoint}: {reason}")]
    Unreachable {
        /// The bucket.
        bucket: String,
        /// Who was asked.
        endpoint: String,
        /// What happened.
        reason: String,
    },
    /// Any other answer that is not success.
    #[error("bucket `{bucket}` answered {status} {code}: {message}")]
    Refused {
        /// The bucket.
        bucket: String,
        /// The HTTP status, 0 where the request could not be formed and nothing was sent.
        status: u16,
        /// The service's word for it.
        code: String,
        /// The service's explanation.
        message: String,
    },
    /// A folder could not be written or read.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What was read back after a trial write differs from what was written.
    #[error("{place} returned something else than was stored")]
    Altered {
        /// The store.
        place: String,
    },
}

impl StorageError {
    /// Whether a person has to change a setting before it can work.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::BadUrl { .. }
            | Self::NoSuchBucket { .. }
            | Self::WrongRegion { .. }
            | Self::AccessDenied { .. }
            | Self::BadCredentials { .. }
            | Self::NoCredentials { .. }
            | Self::Io { .. } => true,
            Self::BadPath { .. }
            | Self::SlowDown { .. }
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Altered { .. } => false,
        }
    }

    /// What a person can try next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::BadUrl { .. } => "write `s3://bucket/prefix` or the path of a folder, and full `https://` addresses".into(),
            Self::NoSuchBucket { bucket, .. } => {
                format!("create it (`aws s3 mb s3://{bucket}`), or correct the bucket's name or the endpoint")
            }
            Self::WrongRegion { region: Some(region), .. } => format!("set AWS_REGION={region}"),
            Self::WrongRegion { region: None, .. } => "set AWS_REGION to the bucket's region".into(),
            Self::AccessDenied { bucket, action } => {
                format!("allow {action} on arn:aws:s3:::{bucket}/* to these credentials")
            }
            Self::BadCredentials { .. } => {
                "check the access key, the secret and the machine's clock; temporary credentials also need AWS_SESSION_TOKEN".into()
            }
            Self::NoCredentials { .. } => "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE".into(),
            Self::Unreachable { endpoint, .. } => format!("see whether {endpoint} answers from this machine (AWS_ENDPOINT_URL_S3)"),
            Self::Io { path, source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                format!("let the user that runs this write to {}", path.display())
            }
            Self::Io { path, source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                format!("make room on the disk of {}", path.display())
            }
            Self::Altered { .. } => "look for a proxy or cache between this machine and the store".into(),
            Self::BadPath { .. } | Self::SlowDown { .. } | Self::Refused { .. } | Self::Io { .. } => return None,
        };
        Some(hint)
    }
}
