//! The inside: a server that nothing may reach. It listens at every address of the machine, of both versions, over TCP and UDP,
//! and notes the mere beginning of a connection. What it answers would let a page go on.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::Notify,
    task::JoinSet,
};

/// One server, for one run of one case. It ends with the value.
pub(super) struct Inside {
    pub(super) port: u16,
    notes: Arc<Notes>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<String>>,
    changed: Notify,
}

impl Notes {
    fn add(&self, what: String) {
        self.seen.lock().unwrap().push(what);
        self.changed.notify_one();
    }
}

impl Inside {
    pub(super) async fn open() -> Self {
        let (listener, socket) = both().await;
        let (port, notes, mut tasks) =
            (listener.local_addr().unwrap().port(), Arc::new(Notes::default()), JoinSet::new());
        tasks.spawn(accept(listener, Arc::clone(&notes)));
        tasks.spawn(receive(socket, Arc::clone(&notes)));
        Self { port, notes, _tasks: tasks }
    }

    /// A text of a case with where this server is.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{in}", &format!("127.0.0.1:{}", self.port)).replace("{port}", &self.port.to_string())
    }

    /// What it has seen until now.
    pub(super) fn seen(&self) -> Vec<String> {
        self.notes.seen.lock().unwrap().clone()
    }

    /// Returns when something has reached it.
    pub(super) async fn reached(&self) {
        while self.seen().is_empty() {
            self.notes.changed.notified().await;
        }
    }
}

/// A listener and a socket at the same port.
async fn both() -> (TcpListener, UdpSocket) {
    loop {
        let listener = TcpListener::bind("[::]:0").await.unwrap();
        if let Ok(socket) = UdpSocket::bind(("::", listener.local_addr().unwrap().port())).await {
            return (listener, socket);
        }
    }
}

async fn accept(listener: TcpListener, notes: Arc<Notes>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let to = stream.local_addr().unwrap();
        notes.add(format!("TCP to {}", plain(to)));
        connections.spawn(answer(stream, Arc::clone(&notes)));
    }
}

async fn receive(socket: UdpSocket, notes: Arc<Notes>) {
    let mut datagram = [0; 2048];
    while let Ok((size, _)) = socket.recv_from(&mut datagram).await {
        notes.add(format!("UDP, {size} bytes"));
    }
}

/// Notes the first line and answers with what its address asks for.
async fn answer(mut stream: TcpStream, notes: Arc<Notes>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
            return;
        }
        if head[0] == 0x16 {
            return notes.add("the beginning of TLS".to_owned());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().next().unwrap_or_default();
    notes.add(line.to_owned());
    let path = line.split(' ').nth(1).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: *\r\n\
         Access-Control-Allow-Headers: *\r\nConnection: close\r\n\r\n",
        super::outside::kind_of(path)
    );
    let _ = stream.write_all(answer.as_bytes()).await; // who asked may be gone
}

/// An address without the way in which a socket of both versions writes those of version 4.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
