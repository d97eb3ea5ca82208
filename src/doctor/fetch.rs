//! One GET as anybody would make it: an address goes in, without keys or cookies; the status and the beginning of the body come out.

use std::{io, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Url;

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(15);

/// The most of a body that is read.
const MOST: usize = 64 << 10;

/// Fetches an address of the schemes http and https. A redirect is an answer like any other.
pub(super) async fn get(url: &str) -> io::Result<(u16, Vec<u8>)> {
    timeout(LIMIT, fetch(url)).await.unwrap_or_else(|_| Err(other(format!("no answer within {} s", LIMIT.as_secs()))))
}

async fn fetch(url: &str) -> io::Result<(u16, Vec<u8>)> {
    let url = Url::parse(url).map_err(other)?;
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(other("the address has no host"));
    };
    let plain = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    if url.scheme() == "http" {
        return ask(plain, &url).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(other)?;
    ask(connector()?.connect(name, plain).await?, &url).await
}

/// TLS that trusts what the system trusts.
fn connector() -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, url: &Url) -> io::Result<(u16, Vec<u8>)> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(other)?;
    let authority = url.authority().rsplit('@').next().unwrap_or_default().to_owned();
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let request = Request::get(target)
        .header(header::HOST, authority)
        .header(header::USER_AGENT, concat!("tintype/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(other)?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(other)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), MOST).collect().await.map_err(io::Error::other)?;
        Ok((status, body.to_bytes().to_vec()))
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
