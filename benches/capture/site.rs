//! A site of the bench's own on loopback: a light page, a heavy one, and what they name. Every answer may be kept, as on a site
//! that is well made; a context of its own has nothing kept.

use std::{
    future::{Ready, ready},
    net::SocketAddr,
    sync::LazyLock,
};

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The side of the portrait in pixels.
const SIDE: u32 = 144;

/// A site, until it is dropped.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    /// Opens it.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of loopback is free");
        let address = listener.local_addr().expect("a listener has an address");
        let html = "text/html; charset=utf-8";
        let router = Router::new()
            .route("/light", get(|| file(html, include_bytes!("pages/light.html"))))
            .route("/gradient", get(|| file(html, gradient().as_bytes())))
            .route("/heavy", get(|| file(html, include_bytes!("pages/heavy.html"))))
            .route("/card.css", get(|| file("text/css", include_bytes!("pages/card.css"))))
            .route(
                "/fonts/semibold.otf",
                get(|| file("font/otf", include_bytes!("../../assets/fonts/inter-semibold.otf"))),
            )
            .route(
                "/fonts/bold.otf",
                get(|| file("font/otf", include_bytes!("../../assets/fonts/inter-display-bold.otf"))),
            )
            .route("/portrait.png", get(|| file("image/png", &PORTRAIT)));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { address, task }
    }

    /// The address of a page.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The light page on a gradient, which is a large PNG where its flat ground is a small one.
fn gradient() -> &'static str {
    static PAGE: LazyLock<String> =
        LazyLock::new(|| include_str!("pages/light.html").replace("<body>", "<body class=gradient>"));
    &PAGE
}

/// The text of the template with a title that was not drawn before.
pub(crate) fn template(number: usize) -> String {
    include_str!("pages/template.html").replace("{{title}}", &format!("Number {number}: what a compiler is for"))
}

fn file(kind: &'static str, bytes: &'static [u8]) -> Ready<impl IntoResponse> {
    ready(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=3600")], bytes))
}

/// The face beside the author's name.
static PORTRAIT: LazyLock<Vec<u8>> = LazyLock::new(portrait);

/// Draws it, in a few flat colours.
fn portrait() -> Vec<u8> {
    let mut pixels = Vec::with_capacity((SIDE * SIDE * 3) as usize);
    for at in 0..SIDE * SIDE {
        let (x, y) = (f64::from(at % SIDE) - 72.0, f64::from(at / SIDE) - 72.0);
        let colour = if x.hypot(y - 8.0) < 40.0 {
            [0xf0, 0xc8, 0xa0]
        } else if x.hypot(y + 20.0) < 52.0 {
            [0x5a, 0x3a, 0x28]
        } else {
            [0x0a, (0x7d + at / SIDE / 4) as u8, 0x6c]
        };
        pixels.extend_from_slice(&colour);
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)).expect("memory takes a picture");
    bytes
}
