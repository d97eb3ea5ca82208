//! The proxy itself: it listens on loopback and answers each connection's request, by [`super::tunnel`] or [`super::forward`], or
//! with a refusal. All its connections live in one task, which ends with the [`Door`].

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    OurPort, REFUSED, Reason, Refusal, Rules,
    dial::{Resolver, Target, dial},
    forward,
    meter::Metered,
    refusal::Ledger,
    tunnel::{self, Sockets, Tunnel},
};

/// How many connections a door serves at once; others wait. Chromium opens fewer to one proxy.
const CONNECTIONS: usize = 256;

/// How long a request's head may take; the other end is a browser on this machine.
const HEAD: Duration = Duration::from_secs(10);

/// How long to wait where no connection can be taken, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// What an answer consists of.
pub(super) type Body = BoxBody<Bytes, hyper::Error>;

/// A proxy on loopback for one browser context: opened before the context, closed (all its connections cut) when dropped.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    sockets: Arc<Sockets>,
    /// Other pages do not come in here.
    _port: OurPort,
    _task: AbortOnDropHandle<()>,
}

impl Door {
    /// Opens a door at a free port of 127.0.0.1.
    pub async fn open(rules: Arc<Rules>) -> io::Result<Self> {
        Self::open_with(rules, Resolver::system()).await
    }

    pub(super) async fn open_with(rules: Arc<Rules>, resolver: Resolver) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, ledger) = (listener.local_addr()?, Arc::new(Ledger::default()));
        let sockets = Arc::<Sockets>::default();
        let keeper = Keeper { rules, resolver, ledger: Arc::clone(&ledger), sockets: Arc::clone(&sockets) };
        let task = AbortOnDropHandle::new(tokio::spawn(keep(listener, Arc::new(keeper))));
        Ok(Self { address, ledger, sockets, _port: OurPort::close(address.port()), _task: task })
    }

    /// Where the door listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was refused or could not be had, each once.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.ledger.refusals()
    }

    /// From now on lets no web socket through to a host and port for which `refused` is true.
    pub fn refuse_sockets(&self, refused: impl Fn(&str, u16) -> bool + Send + Sync + 'static) {
        self.sockets.refuse(Box::new(refused));
    }

    /// Whether nobody has ever asked for anything here.
    pub fn is_untouched(&self) -> bool {
        self.ledger.asked() == 0
    }

    /// How many bytes servers have sent.
    pub fn received(&self) -> u64 {
        self.ledger.received()
    }
}

/// What every connection of a door needs.
pub(super) struct Keeper {
    rules: Arc<Rules>,
    resolver: Resolver,
    ledger: Arc<Ledger>,
    sockets: Arc<Sockets>,
}

async fn keep(listener: TcpListener, keeper: Arc<Keeper>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&keeper)));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// One connection: one request and its answer, or a tunnel to its end.
async fn serve(stream: TcpStream, keeper: Arc<Keeper>) {
    keeper.ledger.ask();
    let opened = Mutex::new(None);
    let service = service_fn(|request| keeper.answer(request, &opened));
    let mut server = http1::Builder::new();
    server.keep_alive(false).preserve_header_case(true).timer(TokioTimer::new()).header_read_timeout(HEAD);
    if server.serve_connection(TokioIo::new(stream), service).with_upgrades().await.is_ok() {
        let tunnel = opened.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(tunnel) = tunnel {
            tunnel::carry(tunnel, &keeper.sockets).await;
        }
    }
}

impl Keeper {
    async fn answer(
        &self,
        request: Request<Incoming>,
        opened: &Mutex<Option<Tunnel>>,
    ) -> Result<Response<Body>, Infallible> {
        let target = if request.method() == Method::CONNECT {
            tunnel::target(request.uri())
        } else {
            forward::target(request.uri())
        };
        let Some(target) = target else {
            return Ok(self.refuse(request.uri().host().unwrap_or_default(), 0, Reason::BadRequest));
        };
        let answered = match self.connect(&target).await {
            Ok(stream) if request.method() == Method::CONNECT => {
                *opened.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(Tunnel::new(request, target.clone(), stream));
                Ok(Response::new(empty()))
            }
            Ok(stream) => forward::forward(request, &target, stream, self.rules.response_bytes).await,
            Err(reason) => Err(reason),
        };
        Ok(answered.unwrap_or_else(|reason| self.refuse(&target.host.to_string(), target.port, reason)))
    }

    async fn connect(&self, target: &Target) -> Result<Metered, Reason> {
        if self.ledger.carried() >= self.rules.total_bytes {
            return Err(Reason::TotalTooLarge);
        }
        let stream = dial(target, &self.rules, &self.resolver).await?;
        Ok(Metered::new(stream, target.clone(), Arc::clone(&self.ledger), &self.rules))
    }

    /// Notes a refusal and answers with it. No cache may keep it: the rules of the next capture may be others. What a person could
    /// read in a picture is the same for each reason, since why a name was refused says something about the inside.
    fn refuse(&self, host: &str, port: u16, reason: Reason) -> Response<Body> {
        self.ledger.refuse(host, port, reason);
        let mut response = Response::new(full("tintype did not let this through.\n".to_owned()));
        *response.status_mut() = if reason.is_denial() { StatusCode::FORBIDDEN } else { StatusCode::BAD_GATEWAY };
        let headers = response.headers_mut();
        headers.insert(REFUSED, HeaderValue::from_static(reason.as_str()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}

fn empty() -> Body {
    full(String::new())
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {}).boxed()
}

#[cfg(test)]
mod tests;
