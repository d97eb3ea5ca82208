//! A client for HTTP that hides nothing: one request, one connection, the answer as it came.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    eventually,
    worker::{LIMIT, Worker},
};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lines such as `content-type: text/html`, names in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value; empty where it has none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
            .unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Where a worker serves, once it does.
pub(crate) async fn address(worker: &Worker) -> SocketAddr {
    eventually("it serves", LIMIT, async || {
        Some(worker.logged("serving").first()?["address"].as_str()?.parse().expect("an address"))
    })
    .await
}

/// Asks for a page.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path, &[], "").await
}

/// Sends a request with further headers (a `Host` takes the place of the usual one) and a body.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|line| line.starts_with("Host:")) {
        head.extend(["Host: ", &address.to_string(), "\r\n"]);
    }
    for line in headers {
        head.extend([*line, "\r\n"]);
    }
    if !body.is_empty() {
        let length = body.len().to_string();
        head.extend(["Content-Length: ", &length, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"]);
    }
    let answer = tokio::time::timeout(Duration::from_secs(30), async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(bytes)
    });
    parse(&answer.await.expect("an answer in time").expect("an answer"))
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("the end of a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let lower = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header");
        format!("{}:{value}", name.to_lowercase())
    };
    let headers: Vec<_> = lines.map(lower).collect();
    assert!(!headers.iter().any(|line| line == "transfer-encoding: chunked"), "answers say how long they are");
    Answer { status: status.expect("a status"), headers, body: bytes[end + 4..].to_vec() }
}
