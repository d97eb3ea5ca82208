//! One request over HTTP as anybody would make it: a request comes in, its answer and the beginning of the body go out. No
//! redirects, no cookies, no connection that is kept: for the few questions that tintype itself asks of the web.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, Uri,
    body::Bytes,
    client::conn::http1,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::trust;

/// Bytes of a body that are read at most.
const MOST: usize = 64 << 10;

/// Sends a request to the address in its URI, of the schemes http and https. A redirect is an answer like any other.
///
/// # Errors
/// When there is no answer within the limit, or one that is too large.
pub(crate) async fn send(request: Request<Bytes>, limit: Duration) -> io::Result<Response<Bytes>> {
    let late = || other(format!("no answer within {} s", limit.as_secs()));
    timeout(limit, exchange(request)).await.unwrap_or_else(|_| Err(late()))
}

async fn exchange(request: Request<Bytes>) -> io::Result<Response<Bytes>> {
    let uri = request.uri().clone();
    let host = uri.host().ok_or_else(|| other("the address has no host"))?.trim_matches(['[', ']']);
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(other("the address is neither http: nor https:")),
    };
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let plain = TcpStream::connect((host, port)).await?;
    if !secure {
        return ask(plain, request).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(other)?;
    ask(connector()?.connect(name, plain).await?, request).await
}

/// TLS that trusts what the system trusts, made once; anew only where that was nobody.
fn connector() -> io::Result<TlsConnector> {
    static READY: OnceLock<TlsConnector> = OnceLock::new();
    if let Some(ready) = READY.get() {
        return Ok(ready.clone());
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trust::authorities().iter().cloned());
    let of_nobody = roots.is_empty();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    Ok(if of_nobody { connector } else { READY.get_or_init(|| connector).clone() })
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut request: Request<Bytes>,
) -> io::Result<Response<Bytes>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(other)?;
    let uri = request.uri().clone();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let authority = authority.rsplit('@').next().unwrap_or_default();
    *request.uri_mut() = uri.path_and_query().map_or("/", |path| path.as_str()).parse::<Uri>().map_err(other)?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, HeaderValue::from_str(authority).map_err(other)?);
    let ours = HeaderValue::from_static(concat!("tintype/", env!("CARGO_PKG_VERSION")));
    headers.entry(header::USER_AGENT).or_insert(ours);
    let exchange = async {
        let answer = sender.send_request(request.map(Full::new)).await.map_err(other)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MOST).collect().await.map_err(io::Error::other)?;
        Ok(Response::from_parts(head, body.to_bytes()))
    };
    tokio::select! {
        biased;
        answer = exchange => answer,
        Err(error) = connection => Err(other(error)),
    }
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}
