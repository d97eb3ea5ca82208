//! A site on loopback whose pages the tests write: some good, most of them not.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use tokio::net::TcpListener;

/// A page with a red upper left corner of 100 × 100 on white.
pub(crate) const PLAIN: &str = "<!doctype html><title>A plain page</title>\
    <style>body { margin: 0 } #red { width: 100px; height: 100px; background: #f00 }</style><div id=red></div>";

/// A page whose font never comes.
const SLOW_FONTS: &str = "<title>Fonts</title><style>@font-face { font-family: Slow; src: url(/never) } p { font: 40px Slow }</style><p>Slow";

/// A site, until it is dropped.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    asked: Asked,
    task: tokio::task::JoinHandle<()>,
}

/// The heads of the last requests, in their order: path, and headers as `name: value`.
type Asked = Arc<Mutex<VecDeque<(String, Vec<String>)>>>;

/// How many are kept, so that what grows in a long run is not the site.
const HEADS: usize = 1000;

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    /// Opens it, with pages of the test's own besides.
    pub(crate) async fn open(pages: &[(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Asked::default();
        let mut router = Router::new()
            .route("/", get(Html(PLAIN)))
            .route("/never", get(never))
            .route("/blue.svg", get(blue))
            .route("/ads/blue.svg", get(blue))
            .route("/slow", get(slow))
            .route("/stalled", get(Html("<img src=/never>")))
            .route("/endless", get(Html("<title>Endless</title><script>for (;;) {}</script>")))
            .route("/alert", get(Html("<script>alert(1); confirm(2); prompt(3)</script><title>After all</title>")))
            .route("/leave", get(Html("<script>onbeforeunload = () => 'stay'</script><title>Stay</title>")))
            .route("/crash", get(Html("<script>location = 'chrome://crash'</script>")))
            .route(
                "/memory",
                get(Html("<script>setTimeout(() => 'a'.repeat(2 ** 28).split(''), 50)</script><img src=/never>")),
            )
            .route("/download", get(download))
            .route("/empty", get(StatusCode::NO_CONTENT))
            .route("/loop", get(Redirect::to("/loop")))
            .route("/to/{*address}", get(elsewhere))
            .route("/later", get(later))
            .route("/cookie", get(cookie))
            .route("/socket", get(StatusCode::NOT_FOUND))
            .route("/fonts", get(Html(SLOW_FONTS)))
            .route("/moved", get(Redirect::to("/")))
            .route("/status/{status}", get(status))
            .route("/bare/{status}", get(bare))
            .route("/away", get(Html("<script>setTimeout(() => location = '/', 50)</script>")));
        for (path, page) in pages {
            router = router.route(path, get(Html(*page)));
        }
        let noted = axum::middleware::from_fn_with_state(Arc::clone(&asked), note);
        let app = router.layer(noted).with_state(Arc::new(AtomicBool::new(false)));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { address, asked, task }
    }

    /// The address of a page.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How often a page was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == path).count()
    }

    /// The headers with which a page was asked for last.
    pub(crate) fn headers(&self, path: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().rev().find(|(asked, _)| asked == path).map(|(_, headers)| headers.clone()).unwrap_or_default()
    }
}

async fn note(State(asked): State<Asked>, request: Request, next: axum::middleware::Next) -> Response {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default())).collect();
    {
        let mut asked = asked.lock().unwrap();
        asked.push_back((request.uri().path().to_owned(), headers));
        let surplus = asked.len().saturating_sub(HEADS);
        asked.drain(..surplus);
    }
    next.run(request).await
}

async fn blue() -> Response {
    let picture =
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9' fill='blue'/></svg>";
    ([(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response()
}

async fn never() -> Response {
    tokio::time::sleep(Duration::from_secs(600)).await;
    StatusCode::OK.into_response()
}

/// The first answer comes late, so that there is time to do something meanwhile.
async fn slow(State(late): State<Arc<AtomicBool>>) -> Response {
    if !late.swap(true, Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    Html("<title>Slow</title>").into_response()
}

async fn elsewhere(axum::extract::Path(address): axum::extract::Path<String>) -> Redirect {
    Redirect::temporary(&format!("http://{address}"))
}

async fn later() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "7")], Html("Later")).into_response()
}

async fn cookie() -> Response {
    ([(header::SET_COOKIE, "seen=1"), (header::CACHE_CONTROL, "max-age=600")], blue().await).into_response()
}

async fn download() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, "attachment")];
    (headers, Body::from(vec![7; 100_000])).into_response()
}

async fn status(axum::extract::Path(status): axum::extract::Path<u16>) -> Response {
    (StatusCode::from_u16(status).unwrap(), Html("<title>An error</title>")).into_response()
}

async fn bare(axum::extract::Path(status): axum::extract::Path<u16>) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}
