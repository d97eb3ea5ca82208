//! Who may see and change what: tokens, cookies, where a request comes from, and files that are not pictures.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::shown;
use crate::support::{
    web::{Answer, address, ask, get},
    worker::{Workplace, blog, until, until_drawn},
};

const TOKEN: &str = "a token of the tests";
const BEARER: &str = "Authorization: Bearer a token of the tests";

/// Logs in as the form does, and returns the header with the cookie.
async fn log_in(at: SocketAddr) -> String {
    let origin = format!("Origin: http://{at}");
    let answer = ask(at, "POST", "/login", &[&origin], "token=a+token+of+the+tests&next=%2Ffailures").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/failures"), "{answer:?}");
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(TOKEN), "{cookie}");
    format!("Cookie: {}", cookie.split_once(';').unwrap().0)
}

#[tokio::test]
async fn without_a_token_this_machine_looks_and_changes_nothing() {
    let (_database, client, _workplace, _worker, at) = shown(&[]).await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One')").await.unwrap();
    until_drawn(&client).await;
    for path in ["/", "/failures", "/row/posts/1"] {
        let answer = get(at, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"),
            "{answer:?}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let rebound = ask(at, "GET", path, &["Host: rebound.example"], "").await;
        assert_eq!(rebound.status, 421, "{path}: a name that somebody else chose");
        let proxied = ask(at, "GET", path, &["X-Forwarded-For: 192.0.2.1"], "").await;
        assert_eq!(proxied.status, 421, "{path}: somebody from elsewhere");
    }
    let origin = format!("Origin: http://{at}");
    for (path, headers) in [
        ("/row/posts/1/retry", &[origin.as_str()][..]),
        ("/failures/retry", &[&origin]),
        ("/row/posts/1/retry", &[BEARER]),
    ] {
        let answer = ask(at, "POST", path, headers, "cause=x").await;
        assert!(answer.status == 403 && answer.text().contains("read-only"), "{answer:?}");
    }
    assert_eq!(get(at, "/nothing/here").await.status, 404);
}

#[tokio::test]
async fn with_a_token_nothing_is_shown_or_changed_without_it() {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    client.batch_execute("ALTER TABLE posts ADD CHECK (og_image_url IS NULL)").await.unwrap();
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One')").await.unwrap();
    let worker = workplace.start(&["--http", "0.0.0.0:0", "--http-token", TOKEN]);
    let at = SocketAddr::from(([127, 0, 0, 1], address(&worker).await.port()));
    until(&client, "it has failed", "SELECT count(*) = 1 FROM tintype.image WHERE state = 'failed'").await;
    for path in ["/healthz", "/readyz", "/metrics", "/login"] {
        assert_eq!(get(at, path).await.status, 200, "{path} is for everybody");
    }
    let wrong = "Authorization: Bearer not the token at all";
    for path in ["/", "/events", "/failures", "/row/posts/1"] {
        assert_eq!(get(at, path).await.status, 401, "{path}");
        assert_eq!(ask(at, "GET", path, &[wrong], "").await.status, 401, "{path}");
        assert_eq!(ask(at, "GET", path, &["Cookie: tintype=9999999999.00"], "").await.status, 401, "{path}");
        let sent: Answer = ask(at, "GET", path, &["Accept: text/html"], "").await;
        assert!(sent.status == 303 && sent.header("location").starts_with("/login?next=%2F"), "{sent:?}");
    }
    assert_eq!(ask(at, "GET", "/failures", &[BEARER], "").await.status, 200);

    let cookie = log_in(at).await;
    assert_eq!(ask(at, "GET", "/failures", &[&cookie], "").await.status, 200);
    let (own, evil) = (format!("Origin: http://{at}"), "Origin: https://evil.example");
    let marks = async || client.query_one("SELECT count(*) FROM tintype.change", &[]).await.unwrap().get::<_, i64>(0);
    client.batch_execute("SELECT tintype.pause('posts')").await.unwrap();
    for headers in [
        &[][..],
        &[cookie.as_str()],
        &[&cookie, evil],
        &[&cookie, "Origin: null"],
        &[BEARER, evil],
        &[&own],
        &[wrong, &own],
    ] {
        let answer = ask(at, "POST", "/row/posts/1/retry", headers, "x=y").await;
        assert!([401, 403].contains(&answer.status), "{headers:?}: {answer:?}");
    }
    assert_eq!(marks().await, 0);
    let untouched = "SELECT content IS NOT NULL FROM tintype.image";
    until(&client, "nothing was asked for", untouched).await;
    for headers in [&[cookie.as_str(), own.as_str()][..], &[BEARER], &[BEARER, &own]] {
        let answer = ask(at, "POST", "/row/posts/1/retry", headers, "x=y").await;
        assert_eq!((answer.status, answer.header("location")), (303, "/row/posts/1"), "{headers:?}: {answer:?}");
    }
    until(&client, "it is asked for again", "SELECT content IS NULL FROM tintype.image").await;

    for (origin, next, status, location) in [
        (own.as_str(), "%2F%2Fevil.example", 303, "/"),
        (&own, "https%3A%2F%2Fevil.example", 303, "/"),
        (&own, "%2F%5Cevil.example", 303, "/"),
        (&own, "%2F%09%2Fevil.example", 303, "/"),
        (evil, "%2F", 403, ""),
    ] {
        let answer = ask(at, "POST", "/login", &[origin], &format!("token=a+token+of+the+tests&next={next}")).await;
        assert_eq!((answer.status, answer.header("location")), (status, location), "{next}");
    }
    let refused = ask(at, "POST", "/login", &[&own], "token=wrong&next=%2F").await;
    assert!(refused.status == 403 && refused.header("set-cookie").is_empty(), "{refused:?}");
    let long = format!("token={}", "x".repeat(10_000));
    assert_eq!(ask(at, "POST", "/login", &[&own], &long).await.status, 413);
}

#[tokio::test]
async fn probes_alone_where_no_more_is_wanted() {
    let (database, _client) = blog().await;
    let workplace = Workplace::new(database.url());
    let worker = workplace.start(&["--http", "0.0.0.0:0", "--http-probes"]);
    let at = SocketAddr::from(([127, 0, 0, 1], address(&worker).await.port()));
    for path in ["/healthz", "/metrics"] {
        assert_eq!(get(at, path).await.status, 200, "{path}");
    }
    for path in ["/", "/login", "/events", "/pictures/posts/1/x.png", "/i/posts/1.png", "/card.png"] {
        assert_eq!(get(at, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn pictures_of_the_folder_and_nothing_else() {
    let (_database, client, workplace, _worker, at) = shown(&[]).await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One')").await.unwrap();
    until_drawn(&client).await;
    let picture = workplace.pictures().remove(0);
    let answer = get(at, &format!("/pictures/{picture}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"));
    assert!(answer.body.starts_with(b"\x89PNG") && answer.header("cache-control").contains("immutable"));

    let store = workplace.store();
    std::fs::write(store.parent().unwrap().join("secret.png"), "secret").unwrap();
    std::fs::write(store.join(".hidden.png"), "secret").unwrap();
    std::fs::write(store.join("note.txt"), "secret").unwrap();
    std::fs::create_dir(store.join("folder.png")).unwrap();
    std::os::unix::fs::symlink(store.parent().unwrap().join("secret.png"), store.join("link.png")).unwrap();
    std::os::unix::fs::symlink(store.parent().unwrap(), store.join("up")).unwrap();
    for path in [
        "../secret.png",
        "%2e%2e/secret.png",
        "..%2fsecret.png",
        "%2e%2e%2fsecret.png",
        "posts/../../secret.png",
        "posts/%2e%2e/%2e%2e/secret.png",
        "..%5csecret.png",
        "%2Fetc%2Fpasswd.png",
        "/etc/hostname.png",
        "link.png",
        "up/secret.png",
        ".hidden.png",
        "note.txt",
        "tintype-check.txt",
        ".tintype-instance",
        "nothing.png",
        "nul%00.png",
        "",
    ] {
        let answer = get(at, &format!("/pictures/{path}")).await;
        assert!(!answer.text().contains("secret\0") && !answer.body.starts_with(b"secret"), "{path}: {answer:?}");
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
    }
    assert!(get(at, "/pictures/folder.png").await.status >= 400);
}

/// Sends these bytes, and hears what comes until the other side closes.
async fn exchange(at: SocketAddr, sent: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let closed = tokio::time::timeout(std::time::Duration::from_secs(30), stream.read_to_end(&mut heard)).await;
    assert!(closed.is_ok(), "{sent:?}: the line is still open");
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn a_proxy_that_hides_badly_and_a_form_that_never_comes_get_nothing() {
    let (_database, _client, _workplace, _worker, at) = shown(&[]).await;
    let old = exchange(at, "GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 421"), "as nginx asks where nobody told it otherwise: {old}");
    let healthy = exchange(at, "GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(healthy.starts_with("HTTP/1.0 200"), "{healthy}");
    let form = "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n";
    let silent = exchange(at, form).await;
    assert!(silent.starts_with("HTTP/1.1 408"), "{silent}");
}
