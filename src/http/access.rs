//! Who may see pages, and who may change something. With a token, everybody shows it first: a browser by the cookie that the login form
//! sets, a program in a header. Without one, this machine alone may look and nobody may change anything.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use super::{Site, page, secret::Secret};

/// The cookie, and how long it lets a browser in.
const COOKIE: &str = "tintype";
const SESSION: Duration = Duration::from_secs(7 * 24 * 3600);

/// Headers that proxies add. Who comes through one is not this machine. (nginx adds none unless it is told to, but speaks HTTP/1.0, as no
/// browser does; one that hides better cannot be told from a browser.)
const PROXIED: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Lets a request for a page or for a change through, or says what is missing.
pub(super) async fn check(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let (by_header, by_cookie) = match &site.token {
        None if request.method() != Method::GET && request.method() != Method::HEAD => {
            return page::message(
                StatusCode::FORBIDDEN,
                "This page is read-only",
                "Start the worker with TINTYPE_HTTP_TOKEN, and those who know it may retry rows here.",
            );
        }
        None if !is_at_home(headers) || request.version() == Version::HTTP_10 => {
            return page::message(
                StatusCode::MISDIRECTED_REQUEST,
                "This page is for its own machine",
                "Open it as http://127.0.0.1 or http://localhost, or start the worker with TINTYPE_HTTP_TOKEN.",
            );
        }
        None => return next.run(request).await,
        Some(token) => (bearer(headers).is_some_and(|text| token.is(text)), cookie(headers, token)),
    };
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if !by_header && !by_cookie {
        return if safe && accepts_html(headers) { to_login(&request) } else { unauthorised() };
    }
    // A browser says where a form stood; a program that sends the token itself need not.
    if !safe && !same_origin(headers, !by_header) {
        return page::message(
            StatusCode::FORBIDDEN,
            "This came from another site",
            "A change has to come from this page itself, under the address that the browser shows.",
        );
    }
    next.run(request).await
}

/// Whether a browser on this machine asks for this machine, and not for a name that somebody else chose for it.
fn is_at_home(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    let known = name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok();
    known && !PROXIED.iter().any(|name| headers.contains_key(*name))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// Whether a cookie was given out here, and not too long ago.
fn cookie(headers: &HeaderMap, token: &Secret) -> bool {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut ours =
        all.flat_map(|line| line.split(';')).filter_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    ours.any(|value| {
        value.split_once('.').is_some_and(|(until, signature)| {
            token.signed(&session(until), signature) && until.parse::<u64>().is_ok_and(|until| until > now())
        })
    })
}

fn session(until: &str) -> String {
    format!("session {until}")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// The header that lets a browser in; `secure` where it came over TLS.
pub(super) fn let_in(token: &Secret, secure: bool) -> String {
    let until = (now() + SESSION.as_secs()).to_string();
    let signature = token.sign(&session(&until));
    set_cookie(&format!("{until}.{signature}"), SESSION.as_secs(), secure)
}

/// The header that makes a browser forget.
pub(super) fn let_out(secure: bool) -> String {
    set_cookie("", 0, secure)
}

fn set_cookie(value: &str, seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{secure}")
}

/// Whether a request comes from a page of ours. `needed`: one that does not say where it comes from is refused.
pub(super) fn same_origin(headers: &HeaderMap, needed: bool) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin
            .strip_prefix("https://")
            .or(origin.strip_prefix("http://"))
            .is_some_and(|rest| rest.eq_ignore_ascii_case(host)),
        (None, _) => !needed,
        (Some(_), None) => false,
    }
}

/// Whether the browser came over TLS, as it says itself when it sends a form.
pub(super) fn over_tls(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn to_login(request: &Request) -> Response {
    let next = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    Redirect::to(&format!("/login?next={next}")).into_response()
}

fn unauthorised() -> Response {
    let headers = [(header::WWW_AUTHENTICATE, "Bearer realm=\"tintype\"")];
    (StatusCode::UNAUTHORIZED, headers, "Authorization: Bearer TOKEN, as TINTYPE_HTTP_TOKEN has it\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn this_machine_by_its_own_names() {
        for (host, home) in [
            ("127.0.0.1:4600", true),
            ("localhost:4600", true),
            ("LOCALHOST", true),
            ("[::1]:4600", true),
            ("[::1]", true),
            ("rebound.example:4600", false),
            ("localhost.rebound.example", false),
            ("", false),
        ] {
            assert_eq!(is_at_home(&headers(&[("host", host)])), home, "{host}");
        }
        for proxied in PROXIED {
            assert!(!is_at_home(&headers(&[("host", "127.0.0.1"), (proxied, "192.0.2.1")])), "{proxied}");
        }
    }

    #[test]
    fn a_cookie_is_ours_and_not_too_old() {
        let (token, other) = (Secret::new("a token".to_owned()), Secret::new("another".to_owned()));
        let given = let_in(&token, true);
        assert!(given.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{given}");
        let value = given.split_once(';').unwrap().0;
        assert!(cookie(&headers(&[("cookie", value)]), &token));
        assert!(cookie(&headers(&[("cookie", &format!("theme=x; {value}; y=z"))]), &token));
        assert!(!cookie(&headers(&[("cookie", value)]), &other));
        let old = format!("{COOKIE}={}.{}", now() - 1, token.sign(&session(&(now() - 1).to_string())));
        assert!(!cookie(&headers(&[("cookie", &old)]), &token), "its time is over");
        let longer = value.replacen("tintype=1", "tintype=9", 1);
        assert!(!cookie(&headers(&[("cookie", &longer)]), &token), "somebody made it last longer");
        assert!(!cookie(&headers(&[]), &token));
    }

    #[test]
    fn changes_come_from_our_own_pages() {
        let from = |lines| same_origin(&headers(lines), true);
        assert!(from(&[("origin", "http://127.0.0.1:4600"), ("host", "127.0.0.1:4600")]));
        assert!(from(&[("origin", "https://tintype.example"), ("host", "tintype.example")]));
        assert!(!from(&[("origin", "https://evil.example"), ("host", "tintype.example")]));
        assert!(!from(&[("origin", "http://tintype.example.evil.example"), ("host", "tintype.example")]));
        assert!(!from(&[("origin", "null"), ("host", "tintype.example")]));
        assert!(!from(&[("host", "tintype.example")]), "who does not say where it comes from");
        assert!(same_origin(&headers(&[("host", "tintype.example")]), false));
    }
}
