//! What every answer says to a browser: load nothing from elsewhere but the pictures of the store, run nothing that is not ours, and
//! let nobody frame it.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use crate::storage::Storage;

/// The headers that are the same for all answers.
const FIXED: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The policy for a store: its origin and no other is where pictures may come from.
pub(super) fn policy(storage: &Storage) -> HeaderValue {
    let pictures = origin(storage).map(|origin| format!(" {origin}")).unwrap_or_default();
    let text = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'{pictures}; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The origin of a bucket's pictures; those of a folder are served from here.
pub(super) fn origin(storage: &Storage) -> Option<String> {
    match storage {
        Storage::Folder(_) => None,
        Storage::S3(_) => {
            let origin = url::Url::parse(&storage.url("x")).ok()?.origin();
            origin.is_tuple().then(|| origin.ascii_serialization())
        }
    }
}

pub(super) async fn add(State(policy): State<HeaderValue>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
