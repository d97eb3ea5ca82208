//! A bucket of any S3-compatible service as a store: whole objects, immutable, each put once by its content.

use std::error::Error;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::path::{encoded, is_safe};
use super::{Object, StorageError, StorageSettings};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take with all its attempts.
const OPERATION: Duration = Duration::from_secs(30);
/// Attempts of one request. The queue has its own, longer patience.
const ATTEMPTS: u32 = 2;
/// The pause before the second attempt.
const PAUSE: Duration = Duration::from_millis(100);
/// An object's path names its content, so it may be kept for ever.
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";
/// Where AWS itself looks when nobody names a region. Other services ignore it.
const REGION: &str = "us-east-1";

/// What services say about keys that are wrong, as against keys that may not do something.
const BAD_KEY: &[&str] = &[
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "NotSignedUp",
];

/// A bucket, the prefix of its objects, and the address under which the world sees it.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
    prefix: String,
    /// Who is asked, for messages.
    endpoint: String,
    /// What comes before an object's key in its URL, without the slash between them.
    base_url: String,
}

impl Bucket {
    /// The bucket and prefix come from `s3://bucket/prefix`. Nothing is sent: credentials are looked for at the first request.
    pub(super) async fn open(name: &str, prefix: &str, settings: &StorageSettings) -> Result<Self, StorageError> {
        let bad = |reason| StorageError::BadUrl { url: settings.url.clone(), reason };
        if !(3..=63).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
            return Err(bad("the name of a bucket has 3 to 63 letters, digits, dots and dashes"));
        }
        let prefix = prefix.trim_matches('/');
        if !prefix.is_empty() && !is_safe(prefix) {
            return Err(bad("the prefix has an empty part or one of dots"));
        }
        let shared = shared_config(settings).await;
        Self::over(&shared, name, prefix, settings)
    }

    pub(super) fn over(
        shared: &SdkConfig,
        name: &str,
        prefix: &str,
        settings: &StorageSettings,
    ) -> Result<Self, StorageError> {
        let endpoint = settings.endpoint_url.as_deref().or(shared.endpoint_url()).map(|url| url.trim_end_matches('/'));
        let path_style = settings.path_style.unwrap_or(endpoint.is_some());
        let mut config = aws_sdk_s3::config::Builder::from(shared)
            .force_path_style(path_style)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        config.set_endpoint_url(endpoint.map(str::to_owned));
        let region = shared.region().map_or(REGION, Region::as_ref);
        let object_base = object_base(name, endpoint, region, path_style)?;
        Ok(Self {
            client: Client::from_conf(config.build()),
            name: name.to_owned(),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            endpoint: endpoint.map_or_else(|| aws_endpoint(region), str::to_owned),
            base_url: settings.public_base_url.clone().unwrap_or(object_base),
        })
    }

    /// The name of the bucket.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) async fn put(&self, path: &str, bytes: Vec<u8>, media_type: &str) -> Result<Object, StorageError> {
        let key = self.key(path)?;
        let request = self.client.put_object().bucket(&self.name).key(&key).body(ByteStream::from(bytes));
        let request = request.content_type(media_type).cache_control(CACHE_CONTROL);
        request.send().await.map_err(|error| self.failure(&error, "s3:PutObject"))?;
        Ok(Object { key, url: self.url(path) })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        let request = self.client.get_object().bucket(&self.name).key(self.key(path)?);
        let answer = request.send().await.map_err(|error| self.failure(&error, "s3:GetObject"))?;
        let bytes = answer.body.collect().await.map_err(|error| self.unreachable(&error))?;
        Ok(bytes.to_vec())
    }

    pub(super) async fn find(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        match self.get(path).await {
            Err(StorageError::Refused { status: 404, .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        let request = self.client.delete_object().bucket(&self.name).key(self.key(path)?);
        match request.send().await.map_err(|error| self.failure(&error, "s3:DeleteObject")) {
            Err(StorageError::Refused { status: 404, .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    /// What every key begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The public address, or the service's own where none is configured.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/{}", self.base_url, encoded(&format!("{}{path}", self.prefix)))
    }

    fn key(&self, path: &str) -> Result<String, StorageError> {
        let bad = || StorageError::BadPath { path: path.to_owned() };
        is_safe(path).then(|| format!("{}{path}", self.prefix)).ok_or_else(bad)
    }

    fn unreachable(&self, error: &(dyn Error + 'static)) -> StorageError {
        let (bucket, endpoint) = (self.name.clone(), self.endpoint.clone());
        // The innermost cause says what happened; what surrounds it only says that something did.
        let reason = causes(error).last().map(ToString::to_string).unwrap_or_default();
        StorageError::Unreachable { bucket, endpoint, reason }
    }

    /// What a failed request means.
    fn failure<E>(&self, error: &SdkError<E>, action: &'static str) -> StorageError
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let bucket = self.name.clone();
        let missing = causes(error).find(|error| error.is::<CredentialsError>());
        if let Some(missing) = missing {
            let reason = causes(missing).map(ToString::to_string).collect::<Vec<_>>().join(": ");
            return StorageError::NoCredentials { bucket, reason };
        }
        let Some(response) = error.raw_response() else {
            return match error {
                SdkError::TimeoutError(_) => {
                    let reason = format!("no answer within {} s", OPERATION.as_secs());
                    StorageError::Unreachable { bucket, endpoint: self.endpoint.clone(), reason }
                }
                SdkError::ConstructionFailure(_) => {
                    let message = causes(error).last().map(ToString::to_string).unwrap_or_default();
                    StorageError::Refused { bucket, status: 0, code: "InvalidRequest".to_owned(), message }
                }
                _ => self.unreachable(error),
            };
        };
        let status = response.status().as_u16();
        let code = error.code().unwrap_or_default().to_owned();
        let header = |name: &str| response.headers().get(name);
        match (status, code.as_str()) {
            (_, "NoSuchBucket") => StorageError::NoSuchBucket { bucket, endpoint: self.endpoint.clone() },
            (301 | 307, _) | (400, "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
                StorageError::WrongRegion { bucket, region: header("x-amz-bucket-region").map(str::to_owned) }
            }
            (401, _) => StorageError::BadCredentials { bucket, code },
            (_, key) if BAD_KEY.contains(&key) => StorageError::BadCredentials { bucket, code },
            (403, _) => StorageError::AccessDenied { bucket, action },
            (429 | 503, _) | (_, "SlowDown" | "TooManyRequests" | "RequestLimitExceeded") => {
                let seconds = header("retry-after").and_then(|text| text.trim().parse().ok());
                StorageError::SlowDown { bucket, retry_after: seconds.map(Duration::from_secs) }
            }
            _ => {
                let message = error.message().unwrap_or_default().to_owned();
                StorageError::Refused { bucket, status, code, message }
            }
        }
    }
}

/// An error, and what caused it, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// What the environment and the profile say, the settings winning.
async fn shared_config(settings: &StorageSettings) -> SdkConfig {
    let region = RegionProviderChain::first_try(settings.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::new(REGION));
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(OPERATION).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(PAUSE));
    if let Some(keys) = &settings.credentials {
        let token = keys.session_token.clone();
        loader = loader.credentials_provider(Credentials::new(&keys.id, &keys.secret, token, None, "tintype"));
    }
    loader.load().await
}

fn aws_endpoint(region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://s3.{region}.{domain}")
}

/// The service's own address of a bucket's objects. A name with dots has no certificate as a host, so it stands in the path.
fn object_base(bucket: &str, endpoint: Option<&str>, region: &str, path_style: bool) -> Result<String, StorageError> {
    let endpoint = endpoint.map_or_else(|| aws_endpoint(region), str::to_owned);
    let bad = |reason| StorageError::BadUrl { url: endpoint.clone(), reason };
    let (scheme, host) =
        endpoint.split_once("://").ok_or_else(|| bad("an endpoint begins with https:// or http://"))?;
    if !matches!(scheme, "http" | "https") {
        return Err(bad("an endpoint begins with https:// or http://"));
    }
    if url::Url::parse(&endpoint).is_err() {
        return Err(bad("it is not an address"));
    }
    let in_path = path_style || bucket.contains('.');
    Ok(if in_path { format!("{endpoint}/{bucket}") } else { format!("{scheme}://{bucket}.{host}") })
}
