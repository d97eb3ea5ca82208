//! Plain HTTP: one request in absolute form, sent on to its server by a connection of its own, and the response back.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Request, Response, StatusCode, Uri,
    body::{Body as _, Bytes, Frame, Incoming, SizeHint},
    client::conn::http1,
    header::{self, HeaderName, HeaderValue},
    http::uri::{PathAndQuery, Scheme},
};
use hyper_util::rt::TokioIo;
use tokio_util::task::AbortOnDropHandle;

use super::{REFUSED, Reason, dial::Target, door::Body, meter::Metered, name::Name};

/// What concerns one connection and not the message; besides these, what `Connection` names.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Where a plain request wants to go: `http://` and a host; without a port, 80.
pub(super) fn target(uri: &Uri) -> Option<Target> {
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let plain = uri.scheme() == Some(&Scheme::HTTP);
    let port = authority.port_u16().or_else(|| authority.port().is_none().then_some(80))?;
    plain.then(|| Name::parse(authority.host()).map(|host| Target { host, port }))?
}

/// Sends the request, and returns what comes of it as soon as its head is there.
pub(super) async fn forward(
    mut request: Request<Incoming>,
    target: &Target,
    stream: Metered,
    largest: u64,
) -> Result<Response<Body>, Reason> {
    readdress(&mut request, target).ok_or(Reason::BadRequest)?;
    let (mut sender, connection) = http1::Builder::new()
        .preserve_header_case(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Reason::BadAnswer)?;
    let connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let mut response = sender.send_request(request).await.map_err(|_| Reason::BadAnswer)?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Reason::BadAnswer);
    }
    if response.body().size_hint().lower() > largest {
        return Err(Reason::ResponseTooLarge);
    }
    drop_hop_by_hop(response.headers_mut());
    response.headers_mut().remove(REFUSED);
    Ok(response.map(|incoming| Arriving { incoming, _connection: connection }.boxed()))
}

/// From the form for proxies to that for servers. `Host` is what was checked, whatever the browser wrote.
fn readdress(request: &mut Request<Incoming>, target: &Target) -> Option<()> {
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    let host = match target.port {
        80 => target.host.to_string(),
        port => format!("{}:{port}", target.host),
    };
    let headers = request.headers_mut();
    drop_hop_by_hop(headers);
    headers.insert(header::HOST, HeaderValue::try_from(host).ok()?);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Some(())
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH); // it counts for nothing beside the other
    }
    for name in &named {
        headers.remove(name.as_str());
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// A response's body, and the task that reads it, which ends with it.
struct Arriving {
    incoming: Incoming,
    _connection: AbortOnDropHandle<hyper::Result<()>>,
}

impl hyper::body::Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
