//! The door over real sockets: a client and servers of the tests' own, bytes as they are on the wire.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::*;

/// A server that takes any request's head, tells it, and answers with the same bytes each time.
struct Server {
    port: u16,
    heard: mpsc::UnboundedReceiver<String>,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let (answer, listener) = (answer.into(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let (port, (tell, heard)) = (listener.local_addr().unwrap().port(), mpsc::unbounded_channel());
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.unwrap_or(0) > 0 {}
                let _ = tell.send(String::from_utf8(request).unwrap());
                let _ = stream.write_all(&answer).await;
            }
        });
        Self { port, heard, _task: AbortOnDropHandle::new(task) }
    }

    fn saw_nothing(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }
}

fn allowing(ports: &[u16]) -> Rules {
    Rules { allow: ports.iter().map(|port| format!("127.0.0.1:{port}").parse().unwrap()).collect(), ..Rules::default() }
}

async fn open(rules: Rules) -> Door {
    Door::open(Arc::new(rules)).await.unwrap()
}

/// Sends a head, and reads until the door closes.
async fn ask(door: &Door, head: &str) -> String {
    let mut stream = TcpStream::connect(door.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap();
    read.unwrap();
    String::from_utf8(answer).unwrap()
}

async fn get(door: &Door, url: &str) -> String {
    ask(door, &format!("GET {url} HTTP/1.1\r\nHost: a.example\r\n\r\n")).await
}

fn reasons(door: &Door) -> Vec<Reason> {
    door.refusals().into_iter().map(|refusal| refusal.reason).collect()
}

#[tokio::test]
async fn a_plain_request_goes_on_without_what_is_meant_for_the_proxy() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\nX-Own: yes\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\
                  X-Tintype-Refused: not-public\r\n\r\nhi";
    let mut server = Server::answering(answer).await;
    let door = open(allowing(&[server.port])).await;
    let head = format!(
        "POST http://127.0.0.1:{}/a%20b?c=d HTTP/1.1\r\nHost: inner.example\r\nAccept: */*\r\nConnection: X-Secret, Keep-Alive\r\n\
         X-Secret: 1\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic YQ==\r\nUpgrade: h2c\r\nTE: trailers\r\n\
         Content-Length: 0\r\n\r\n",
        server.port
    );
    let answered = ask(&door, &head).await;
    let sent = server.heard.recv().await.unwrap();
    assert!(sent.starts_with("POST /a%20b?c=d HTTP/1.1\r\n"), "{sent}");
    assert!(
        sent.contains(&format!("Host: 127.0.0.1:{}\r\n", server.port)) && sent.contains("Accept: */*\r\n"),
        "{sent}"
    );
    let lower = sent.to_ascii_lowercase();
    for gone in ["secret", "proxy-", "upgrade", "te:", "inner.example", "via:", "forwarded"] {
        assert!(!lower.contains(gone), "{gone} in {sent}");
    }
    assert!(answered.starts_with("HTTP/1.1 200 OK\r\n") && answered.ends_with("\r\n\r\nhi"), "{answered}");
    let lower = answered.to_ascii_lowercase();
    assert!(lower.contains("x-own: yes") && !lower.contains("hop") && !lower.contains("keep-alive"), "{answered}");
    assert!(!lower.contains(REFUSED), "a server cannot pretend to be the door: {answered}");
    assert!(door.refusals().is_empty());
    assert_eq!(door.received(), answer.len() as u64);
}

#[tokio::test]
async fn what_is_refused_is_never_connected_to() {
    let (mut inner, mut named) = (Server::answering("HTTP/1.1 200 OK\r\n\r\n").await, Server::answering("").await);
    let door = open(allowing(&[named.port])).await;
    for host in [
        "127.0.0.1",
        "localhost",
        "0x7f.1",
        "2130706433",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::]",
        "a.localhost",
        "127.0.0.1.",
    ] {
        let url = format!("http://{host}:{}/", inner.port);
        let answered = get(&door, &url).await;
        assert!(answered.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{url}: {answered}");
        let expected = if host.ends_with("localhost") { "local-name" } else { "not-public" };
        assert!(answered.contains(&format!("x-tintype-refused: {expected}\r\n")), "{url}: {answered}");
        assert!(answered.contains("cache-control: no-store\r\n"), "{answered}");
        let answered = ask(&door, &format!("CONNECT {host}:{} HTTP/1.1\r\n\r\n", inner.port)).await;
        assert!(answered.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answered}");
    }
    let refusal = Refusal { host: "127.0.0.1".to_owned(), port: inner.port, reason: Reason::NotPublic };
    assert_eq!(door.refusals().iter().filter(|known| **known == refusal).count(), 1, "{:?}", door.refusals());
    assert!(inner.saw_nothing() && named.saw_nothing());
    assert_eq!(door.received(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_dialled_where_it_was_checked() {
    let mut inner = Server::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let questions = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&questions);
    // The first answer is of a block that was given back in 2006: public by its number, and nowhere.
    let resolver = Resolver::Given(Box::new(move |_| {
        let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        vec![if first { "3ffe::1".parse::<IpAddr>().unwrap() } else { [127, 0, 0, 1].into() }]
    }));
    let door = Door::open_with(Arc::new(Rules::default()), resolver).await.unwrap();
    let answered = get(&door, &format!("http://rebind.example:{}/", inner.port)).await;
    assert!(answered.starts_with("HTTP/1.1 502 "), "{answered}");
    assert_eq!(questions.load(Ordering::SeqCst), 1, "a name is resolved once");
    let answered = get(&door, &format!("http://rebind.example:{}/", inner.port)).await;
    assert!(answered.starts_with("HTTP/1.1 403 "), "{answered}");
    assert_eq!(reasons(&door), [Reason::Unreachable, Reason::NotPublic]);
    assert!(inner.saw_nothing());
}

#[tokio::test]
async fn a_tunnel_carries_both_ways_until_both_ends_are_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let door = open(allowing(&[port])).await;
    let mut near = TcpStream::connect(door.address()).await.unwrap();
    near.write_all(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert!(near.read_buf(&mut head).await.unwrap() > 0);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&head));
    near.write_all(b"there").await.unwrap();
    near.shutdown().await.unwrap();
    let mut there = String::new();
    far.read_to_string(&mut there).await.unwrap();
    assert_eq!(there, "there");
    far.write_all(b"and back").await.unwrap();
    drop(far);
    let mut back = String::new();
    near.read_to_string(&mut back).await.unwrap();
    assert_eq!(back, "and back");
    assert_eq!(door.received(), 8);
}

#[tokio::test]
async fn what_is_no_request_for_a_proxy_is_refused() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let (door, port) = (open(allowing(&[server.port])).await, server.port);
    for line in [
        "GET / ".to_owned(),
        format!("GET https://127.0.0.1:{port}/ "),
        format!("GET ftp://127.0.0.1:{port}/ "),
        format!("GET http://a.example@127.0.0.1:{port}/ "),
        format!("CONNECT a.example@127.0.0.1:{port} "),
        "CONNECT 127.0.0.1 ".to_owned(),
        "OPTIONS * ".to_owned(),
    ] {
        let answered = ask(&door, &format!("{line}HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")).await;
        assert!(
            answered.starts_with("HTTP/1.1 403 ") && answered.contains("x-tintype-refused: bad-request"),
            "{line}: {answered}"
        );
    }
    let answered = ask(&door, "what is this\r\n\r\n").await;
    assert!(answered.starts_with("HTTP/1.1 400 "), "{answered}");
    assert!(server.saw_nothing());
}

#[tokio::test]
async fn a_response_is_refused_or_cut_off_where_it_is_too_large() {
    let body = "x".repeat(200_000);
    let sized = Server::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n{body}")).await;
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n{body}\r\n0\r\n\r\n");
    let chunked = Server::answering(chunked).await;
    let ports = [sized.port, chunked.port];
    let door = open(Rules { response_bytes: 150_000, ..allowing(&ports) }).await;
    let answered = get(&door, &format!("http://127.0.0.1:{}/", sized.port)).await;
    assert!(answered.contains("x-tintype-refused: response-too-large"), "{answered}");
    let answered = get(&door, &format!("http://127.0.0.1:{}/", chunked.port)).await;
    assert!(answered.starts_with("HTTP/1.1 200 ") && answered.len() < 160_000, "{} bytes", answered.len());
    assert!(!answered.ends_with("\r\n0\r\n\r\n"), "it does not look whole");
    assert_eq!(reasons(&door), [Reason::ResponseTooLarge, Reason::ResponseTooLarge]);

    let door = open(Rules { response_bytes: 250_000, ..allowing(&ports) }).await;
    for port in ports {
        let answered = get(&door, &format!("http://127.0.0.1:{port}/")).await;
        let (_, body) = answered.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.matches('x').count(), 200_000, "all of it");
    }
    assert!(door.refusals().is_empty());
}

#[tokio::test]
async fn a_response_of_two_lengths_has_that_of_its_chunks() {
    let two = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n";
    let server = Server::answering(two).await;
    let door = open(allowing(&[server.port])).await;
    let answered = get(&door, &format!("http://127.0.0.1:{}/", server.port)).await;
    assert!(!answered.to_ascii_lowercase().contains("content-length"), "{answered}");
    assert!(answered.ends_with("5\r\nwhole\r\n0\r\n\r\n"), "{answered}");
}

#[tokio::test]
async fn all_together_is_bounded_too() {
    let server =
        Server::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n{}", "x".repeat(50_000))).await;
    let door = open(Rules { total_bytes: 120_000, ..allowing(&[server.port]) }).await;
    let url = format!("http://127.0.0.1:{}/", server.port);
    let mut sizes = Vec::new();
    for _ in 0..4 {
        sizes.push(get(&door, &url).await.len());
    }
    assert!(sizes[0] > 50_000 && sizes[1] > 50_000 && sizes[2] < 50_000 && sizes[3] < 1000, "{sizes:?}");
    assert!(get(&door, &url).await.contains("x-tintype-refused: total-too-large"));
    assert_eq!(reasons(&door), [Reason::TotalTooLarge]);
}

#[tokio::test]
async fn a_door_that_is_dropped_cuts_its_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let door = open(allowing(&[port])).await;
    let mut tunnel = TcpStream::connect(door.address()).await.unwrap();
    tunnel.write_all(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
    let (mut tunnelled, _) = listener.accept().await.unwrap();
    let mut plain = TcpStream::connect(door.address()).await.unwrap();
    plain.write_all(format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
    let (mut forwarded, _) = listener.accept().await.unwrap();
    assert!(forwarded.read(&mut [0; 9]).await.unwrap() > 0);
    let address = door.address();
    drop(door);
    for end in [&mut tunnel, &mut tunnelled, &mut plain, &mut forwarded] {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), end.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a connection outlives its door");
    }
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn troubles_of_the_network_are_told_from_denials() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let strange = Server::answering("SSH-2.0-OpenSSH\r\n").await;
    let door = open(allowing(&[closed, strange.port])).await;
    let mute = Door::open_with(Arc::new(Rules::default()), Resolver::Given(Box::new(|_| Vec::new()))).await.unwrap();
    for (door, url, reason) in [
        (&door, format!("http://127.0.0.1:{closed}/"), Reason::Unreachable),
        (&door, format!("http://127.0.0.1:{}/", strange.port), Reason::BadAnswer),
        (&mute, "http://nowhere.example/".to_owned(), Reason::Unresolved),
    ] {
        let answered = get(door, &url).await;
        assert!(answered.starts_with("HTTP/1.1 502 "), "{answered}");
        assert!(answered.contains(&format!("x-tintype-refused: {reason}\r\n")), "{answered}");
        assert!(!reason.is_denial() && reasons(door).contains(&reason));
    }
}
