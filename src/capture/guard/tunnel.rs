//! CONNECT: bytes carried both ways, for TLS and for web sockets. What is in them is not looked at, only where they go and how many;
//! but where a capture wants no web sockets, the first that the browser says shows whether it is one.

use std::{fmt, sync::OnceLock};

use hyper::{Request, Uri, body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::{dial::Target, meter::Metered, name::Name};

/// A tunnel that was granted; it begins when the browser has got the answer.
pub(super) struct Tunnel {
    browser: OnUpgrade,
    target: Target,
    server: Metered,
}

/// Says of a host and a port whether no web socket goes there.
type Refused = dyn Fn(&str, u16) -> bool + Send + Sync;

/// Which web sockets are not let through; at first all are.
#[derive(Default)]
pub(super) struct Sockets(OnceLock<Box<Refused>>);

impl Sockets {
    pub(super) fn refuse(&self, refused: Box<Refused>) {
        let _ = self.0.set(refused); // a capture says it once
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sockets({})", if self.0.get().is_some() { "some" } else { "all" })
    }
}

impl Tunnel {
    pub(super) fn new(request: Request<Incoming>, target: Target, server: Metered) -> Self {
        Self { browser: hyper::upgrade::on(request), target, server }
    }
}

/// Where a CONNECT wants to go: a host and a port, no more.
pub(super) fn target(uri: &Uri) -> Option<Target> {
    let authority = uri.authority().filter(|authority| uri.scheme().is_none() && !authority.as_str().contains('@'))?;
    Some(Target { host: Name::parse(authority.host())?, port: authority.port_u16()? })
}

/// Carries bytes until both ends are done or one breaks.
pub(super) async fn carry(mut tunnel: Tunnel, sockets: &Sockets) {
    let Ok(browser) = tunnel.browser.await else { return };
    let mut browser = TokioIo::new(browser);
    if let Some(refused) = sockets.0.get() {
        let first = first_words(&mut browser).await;
        let Target { host, port } = &tunnel.target;
        if is_socket(&first) && refused(&host.to_string(), *port) {
            return;
        }
        if tunnel.server.write_all(&first).await.is_err() {
            return;
        }
    }
    // How it ends is seen by both ends.
    let _ = tokio::io::copy_bidirectional(&mut browser, &mut tunnel.server).await;
}

/// What a browser says first in a tunnel: the whole of a TLS record, or what comes at once.
async fn first_words(browser: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut first = Vec::with_capacity(4096);
    while browser.read_buf(&mut first).await.is_ok_and(|read| read > 0) {
        let whole = match first[..] {
            [TLS_HANDSHAKE, _, _, high, low, ..] => 5 + usize::from(u16::from_be_bytes([high, low])),
            [TLS_HANDSHAKE, ..] => continue,
            _ => return first,
        };
        if first.len() >= whole {
            return first;
        }
    }
    first
}

/// The kind of a TLS record with which a connection begins.
const TLS_HANDSHAKE: u8 = 22;

/// Whether it is a web socket: plain HTTP, which browsers say in a tunnel for nothing else; or a greeting in TLS that does not offer
/// HTTP/2, as browsers do for everything else.
fn is_socket(first: &[u8]) -> bool {
    match first {
        [TLS_HANDSHAKE, ..] => !first.windows(3).any(|window| window == b"\x02h2"),
        _ => first.starts_with(b"GET "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_web_socket_is_known_by_its_first_words() {
        let greeting = |protocols: &[u8]| [&[22, 3, 1, 0, protocols.len() as u8], protocols].concat();
        let web = greeting(b"\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1");
        let socket = greeting(b"\x00\x10\x00\x0b\x00\x09\x08http/1.1");
        for (words, is) in
            [(&web[..], false), (&socket[..], true), (b"GET /chat HTTP/1.1\r\n", true), (b"SSH-2.0", false)]
        {
            let (mut near, far) = tokio::io::duplex(7); // in pieces
            let said = words.to_vec();
            tokio::spawn(async move { near.write_all(&said).await });
            let mut far = far;
            let first = first_words(&mut far).await;
            assert!(words.starts_with(&first));
            assert_eq!(is_socket(&first), is, "{words:?}");
        }
    }
}
