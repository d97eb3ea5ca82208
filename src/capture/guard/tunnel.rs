//! CONNECT: bytes carried both ways, for TLS and for web sockets. What is in them is not looked at, only where they go and how many.

use hyper::{Request, Uri, body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;

use super::{dial::Target, meter::Metered, name::Name};

/// A tunnel that was granted; it begins when the browser has got the answer.
pub(super) struct Tunnel {
    browser: OnUpgrade,
    server: Metered,
}

impl Tunnel {
    pub(super) fn new(request: Request<Incoming>, server: Metered) -> Self {
        Self { browser: hyper::upgrade::on(request), server }
    }
}

/// Where a CONNECT wants to go: a host and a port, no more.
pub(super) fn target(uri: &Uri) -> Option<Target> {
    let authority = uri.authority().filter(|authority| uri.scheme().is_none() && !authority.as_str().contains('@'))?;
    Some(Target { host: Name::parse(authority.host())?, port: authority.port_u16()? })
}

/// Carries bytes until both ends are done or one breaks.
pub(super) async fn carry(mut tunnel: Tunnel) {
    if let Ok(browser) = tunnel.browser.await {
        // How it ends is seen by both ends.
        let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(browser), &mut tunnel.server).await;
    }
}
