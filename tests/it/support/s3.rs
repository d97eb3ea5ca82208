//! An S3 server of a test's own: files of a temporary folder behind s3s, which checks signatures, on a port of 127.0.0.1. Faults can
//! be switched on, and every object can be read without credentials, as the world reads a public bucket.

use std::collections::HashMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tintype::storage::{AccessKey, StorageSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

const ID: &str = "tintype";
const SECRET: &str = "a secret of the tests";
/// The bucket that exists.
pub(crate) const BUCKET: &str = "pictures";

/// What the server does instead of its work.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The S3 error code.
    pub(crate) code: &'static str,
    /// A header to send along.
    pub(crate) header: Option<(&'static str, &'static str)>,
}

/// A running server; it stops when this is dropped.
pub(crate) struct S3Server {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

struct Shared {
    service: S3Service,
    root: tempfile::TempDir,
    fault: Mutex<Option<Fault>>,
    held: watch::Sender<bool>,
    requests: AtomicUsize,
}

impl S3Server {
    /// Starts a server with one empty bucket, [`BUCKET`].
    pub(crate) async fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ID, SECRET));
        builder.set_access(ReadableByAll);
        let (fault, held) = (Mutex::new(None), watch::Sender::new(false));
        let shared = Arc::new(Shared { service: builder.build(), root, fault, held, requests: AtomicUsize::new(0) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared, task }
    }

    /// Settings for a place such as `s3://pictures/prefix`, with keys that the server accepts.
    pub(crate) fn settings(&self, url: &str) -> StorageSettings {
        StorageSettings {
            url: url.to_owned(),
            endpoint_url: Some(format!("http://{}", self.address)),
            credentials: Some(AccessKey { id: ID.to_owned(), secret: SECRET.to_owned(), session_token: None }),
            ..StorageSettings::default()
        }
    }

    /// Answers every request with a fault from now on, or none.
    pub(crate) fn fail(&self, fault: Option<Fault>) {
        *self.shared.fault.lock().unwrap() = fault;
    }

    /// Lets every request wait from now on, or go on.
    pub(crate) fn hold(&self, held: bool) {
        self.shared.held.send_replace(held);
    }

    /// How many requests have come in.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// The folder that holds the buckets.
    pub(crate) fn root(&self) -> &Path {
        self.shared.root.path()
    }

    /// Stops listening and gives the port back.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Lets everyone read and nobody write without a signature.
struct ReadableByAll;

impl S3Access for ReadableByAll {
    // Written out as `async_trait` would write it.
    fn check<'s, 'c, 'x, 'f>(
        &'s self,
        context: &'c mut S3AccessContext<'x>,
    ) -> Pin<Box<dyn Future<Output = s3s::S3Result<()>> + Send + 'f>>
    where
        's: 'f,
        'c: 'f,
        'x: 'f,
        Self: 'f,
    {
        let allowed = context.credentials().is_some() || context.method() == Method::GET;
        Box::pin(
            async move { if allowed { Ok(()) } else { Err(s3s::s3_error!(AccessDenied, "signature is required")) } },
        )
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let _ = shared.held.subscribe().wait_for(|held| !held).await;
    let fault = shared.fault.lock().unwrap().clone();
    if let Some(fault) = fault {
        return refusal(fault.status, fault.code, fault.header);
    }
    // s3s-fs would create the folder of a bucket that does not exist.
    let bucket = request.uri().path().split('/').nth(1).unwrap_or_default().to_owned();
    if !shared.root.path().join(&bucket).is_dir() {
        return refusal(404, "NoSuchBucket", None);
    }
    match shared.service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(axum::body::Body::new),
        Err(error) => refusal(500, &format!("{error:?}"), None),
    }
}

fn refusal(status: u16, code: &str, header: Option<(&str, &str)>) -> Response {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test asked</Message></Error>");
    let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    response.header("content-type", "application/xml").body(body.into()).unwrap()
}

/// What a plain HTTP GET got.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// By lower-case name.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Fetches an `http://` URL without credentials, as it is written.
pub(crate) async fn get(url: &str) -> Answer {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.0\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    Answer { status, headers: headers.collect(), body: bytes[split + 4..].to_vec() }
}
