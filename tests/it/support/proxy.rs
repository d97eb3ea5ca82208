//! A TCP proxy of a test's own, for the faults that networks have: connections that are cut, and connections that look alive while
//! nothing gets through any more.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// They get through.
    Clear,
    /// They are taken and vanish.
    Swallowed,
    /// Their connections are closed, and new ones too.
    Cut,
    /// They get there; when an answer begins, its connection is closed.
    Unanswered,
}

/// A proxy before one server; it ends with the value.
pub(crate) struct Proxy {
    port: u16,
    weather: watch::Sender<Weather>,
    task: AbortHandle,
}

impl Proxy {
    /// Stands before the server of a URL such as `postgres://postgres@127.0.0.1:5432/blog`.
    pub(crate) async fn before(url: &str) -> Self {
        let url = url::Url::parse(url).unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (weather, forecast) = watch::channel(Weather::Clear);
        let task = tokio::spawn(serve(listener, Arc::from(target), forecast)).abort_handle();
        Self { port, weather, task }
    }

    /// The same URL, through the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// Lets bytes through; what was swallowed stays lost with its connection.
    pub(crate) fn clear(&self) {
        self.weather.send_replace(Weather::Clear);
    }

    /// Takes all bytes from now on, and gives none back; connections stay open.
    pub(crate) fn swallow(&self) {
        self.weather.send_replace(Weather::Swallowed);
    }

    /// Lets everything through to the server, and closes a connection when its answer begins.
    pub(crate) fn cut_answers(&self) {
        self.weather.send_replace(Weather::Unanswered);
    }

    /// Closes all connections, and takes no new ones.
    pub(crate) fn cut(&self) {
        self.weather.send_replace(Weather::Cut);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, target: Arc<str>, weather: watch::Receiver<Weather>) {
    let mut links = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let (target, mut weather) = (Arc::clone(&target), weather.clone());
        links.spawn(async move {
            if *weather.borrow_and_update() == Weather::Cut {
                return;
            }
            let Ok(far) = TcpStream::connect(&*target).await else { return };
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            let there = carry(near_in, far_out, weather.clone(), false);
            let back = carry(far_in, near_out, weather.clone(), true);
            tokio::select! {
                () = there => {}
                () = back => {}
                _ = weather.wait_for(|now| *now == Weather::Cut) => {}
            }
        });
    }
}

/// Carries bytes until an end closes; once one was swallowed, none of this connection comes through again.
async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    weather: watch::Receiver<Weather>,
    answers: bool,
) {
    let (mut buffer, mut broken) = ([0; 16_384], false);
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if answers && *weather.borrow() == Weather::Unanswered {
            return;
        }
        broken = broken || *weather.borrow() == Weather::Swallowed;
        if !broken && to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
