//! Visitors who are in nobody's way: one who does not read, and many who want a large picture.

use std::{fs::File, io::Write, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::shown;
use crate::support::{web::get, worker::LIMIT};

#[tokio::test]
async fn who_asks_and_never_reads_is_sent_away() {
    let (_database, _client, _workplace, _worker, at) = shown(&[]).await;
    let mut stream = TcpStream::connect(at).await.unwrap();
    let asking = async {
        // What is asked for fills both sides' buffers; from then on nothing is taken either, until the line is cut.
        while stream.write_all(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n").await.is_ok() {}
    };
    tokio::time::timeout(LIMIT, asking).await.expect("the line is cut");
    assert_eq!(get(at, "/healthz").await.status, 200);
}

#[tokio::test]
async fn a_large_picture_is_never_in_memory_as_a_whole() {
    const LENGTH: u64 = 64 * 1024 * 1024;
    let (_database, _client, workplace, worker, at) = shown(&[]).await;
    let name = "posts/1/0123456789abcdef0123456789abcdef.png";
    let file = workplace.store().join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut picture = File::create(&file).unwrap();
    picture.write_all(b"\x89PNG").unwrap();
    picture.set_len(LENGTH).unwrap();
    let before = worker.most_memory();
    let mut visitors = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(format!("GET /pictures/{name} HTTP/1.1\r\nHost: {at}\r\n\r\n").as_bytes()).await.unwrap();
        let mut start = [0; 12];
        let answer = tokio::time::timeout(Duration::from_secs(30), stream.read_exact(&mut start)).await;
        answer.expect("an answer in time").unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
        visitors.push(stream);
    }
    let grown = worker.most_memory() - before;
    assert!(grown < LENGTH, "{grown} bytes more for eight who look at {LENGTH}");
    let whole = get(at, &format!("/pictures/{name}")).await;
    assert_eq!(whole.header("content-length"), LENGTH.to_string());
    assert!(whole.body.len() as u64 == LENGTH && whole.body.starts_with(b"\x89PNG"));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(get(at, &format!("/pictures/{name}")).await.status, 404);
}
