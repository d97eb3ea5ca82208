//! The attacking server. It is at an address of its own that the guard is told to allow, and serves each case's files.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::cases::File;

/// The server; it ends with the value.
pub(super) struct Outside {
    pub(super) port: u16,
    sites: Arc<Mutex<Sites>>,
    _task: JoinSet<()>,
}

/// By their folders.
type Sites = HashMap<String, Site>;

struct Site {
    files: Vec<File>,
    asked: bool,
}

impl Outside {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, sites, mut task) =
            (listener.local_addr().unwrap().port(), Arc::<Mutex<Sites>>::default(), JoinSet::new());
        task.spawn(accept(listener, Arc::clone(&sites)));
        Self { port, sites, _task: task }
    }

    /// Where a folder is.
    pub(super) fn address(&self, folder: &str) -> String {
        format!("http://127.0.0.1:{}/{folder}/", self.port)
    }

    /// Puts files into a folder.
    pub(super) fn put(&self, folder: &str, files: Vec<File>) {
        self.sites.lock().unwrap().insert(folder.to_owned(), Site { files, asked: false });
    }

    /// Whether a browser has asked for the page of a folder.
    pub(super) fn was_asked(&self, folder: &str) -> bool {
        self.sites.lock().unwrap()[folder].asked
    }
}

async fn accept(listener: TcpListener, sites: Arc<Mutex<Sites>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, Arc::clone(&sites)));
    }
}

async fn answer(mut stream: TcpStream, sites: Arc<Mutex<Sites>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && !String::from_utf8_lossy(&head).contains("\r\n\r\n") {
        if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
            return;
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let (folder, name) = path.split_once('/').unwrap_or((path, "?"));
    let found = {
        let mut sites = sites.lock().unwrap();
        sites.get_mut(folder).and_then(|site| {
            site.asked |= name.is_empty();
            site.files.iter().find(|file| file.name == name).cloned()
        })
    };
    let file = found.unwrap_or_else(|| File { status: "404".to_owned(), ..File::default() });
    let kind = format!("Content-Type: {}", kind_of(name));
    let kind = (!file.headers.iter().any(|header| header.starts_with("Content-Type:"))).then_some(kind);
    let headers: Vec<String> = file.headers.into_iter().chain(kind).collect();
    let (status, headers, body) = (file.status, headers.join("\r\n"), file.body);
    let answer = format!(
        "HTTP/1.1 {status} Answer\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await; // who asked may be gone
    let _ = stream.shutdown().await;
    // A body that nobody reads would reset the connection before the answer is read.
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// The media type of a path, by its ending.
pub(super) fn kind_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("mp4") => "video/mp4",
        Some("mp3") => "audio/mpeg",
        Some("vtt") => "text/vtt",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("bin" | "dat") => "application/octet-stream",
        _ => "text/html; charset=utf-8",
    }
}
