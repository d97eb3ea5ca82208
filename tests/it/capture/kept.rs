//! Pages that are kept for texts: the same pictures as fresh ones, sooner, and nothing of one text in the next.

use tintype::capture::{Captured, Credentials, Options, Shot, Subject};

use super::{
    site::Site,
    yard::{LIMIT, Yard},
};
use crate::support::eventually;

/// A text with a title, styles, and what moves the window.
fn text(title: &str) -> String {
    format!(
        "<!doctype html><title>{title}</title><style>body {{ margin: 0; background: linear-gradient(90deg, #123, #a{}c) }}
        h1 {{ color: #fff; font: 80px sans-serif }}</style><h1 id=here>{title}</h1>",
        title.len() % 10
    )
}

async fn take(yard: &Yard, html: &str, change: impl FnOnce(&mut Options)) -> Captured {
    let mut options = Options { deadline: LIMIT.as_secs_f64(), ..Options::default() };
    change(&mut options);
    let subject = Subject::Html { html: html.to_owned(), base: None };
    let shot = Shot { subject, options, rules: yard.rules.clone(), credentials: Credentials::default() };
    yard.chrome.capture(&shot).await.unwrap()
}

/// Takes texts until one is taken in a process in which another was, one after the other.
async fn is_kept(yard: &Yard, html: &str) -> bool {
    let seen = |yard: &Yard| yard.renderers().into_iter().map(|process| process.id).collect::<Vec<_>>();
    take(yard, html, |_| {}).await;
    let before = seen(yard);
    for _ in 0..8 {
        take(yard, html, |_| {}).await;
    }
    let after = seen(yard);
    // Fresh pages have processes of their own, none of which outlives eight captures.
    before.iter().filter(|process| after.contains(process)).count() > 1
}

#[tokio::test]
async fn a_kept_page_gives_the_same_pictures_as_a_fresh_one() {
    let site = Site::open(&[]).await;
    let (kept, fresh) = (Yard::open(&site), Yard::with(&site, |settings| settings.ready = 0));
    for title in ["First", "Second with more words", "First", "Third", "First"] {
        let (one, other) = (take(&kept, &text(title), |_| {}).await, take(&fresh, &text(title), |_| {}).await);
        assert_eq!((one.title.as_str(), one.image == other.image), (title, true), "{title}");
        assert_eq!(one.seen, other.seen);
    }
    assert!(is_kept(&kept, &text("Again")).await);
    kept.close().await;
    fresh.close().await;
}

#[tokio::test]
async fn nothing_of_one_text_is_in_the_next() {
    const LONG: &str = "<title>Long</title><style>:root { background: red }</style><dialog open>Open</dialog>
        <div style='height: 5000px'></div><p id=end tabindex=0 autofocus>End</p>";
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let plain = take(&yard, "<p>Plain</p>", |_| {}).await;
    for _ in 0..3 {
        take(&yard, LONG, |_| {}).await;
        take(&yard, LONG, |options| options.full_page = true).await;
        take(&yard, LONG, |options| options.css = Some("* { display: none }".to_owned())).await;
        let again = take(&yard, "<p>Plain</p>", |_| {}).await;
        assert_eq!((again.title.as_str(), again.image == plain.image), ("", true));
        assert_eq!(again.seen, plain.seen);
    }
    yard.close().await;
}

/// What a script or a server could leave behind needs a page that is kept; a text that holds either gets a fresh one.
#[tokio::test]
async fn a_text_with_scripts_or_parts_of_a_site_has_a_page_of_its_own() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let counts = "<script>window.name += 'x'; document.title = window.name</script>";
    for _ in 0..4 {
        assert_eq!(take(&yard, counts, |_| {}).await.title, "x");
    }
    let cookie = format!("<title>Cookie</title><img src='{}'>", site.url("/cookie"));
    for number in 1..=4 {
        take(&yard, &cookie, |_| {}).await;
        assert_eq!(site.asked("/cookie"), number, "nothing is kept for the next");
        assert!(!site.headers("/cookie").iter().any(|header| header.starts_with("cookie:")));
    }
    assert!(!is_kept(&yard, counts).await);
    assert!(!is_kept(&yard, &cookie).await);
    yard.close().await;
}

#[tokio::test]
async fn a_kept_page_that_dies_costs_nobody_a_picture() {
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    for _ in 0..3 {
        assert_eq!(take(&yard, &text("Alive"), |_| {}).await.title, "Alive");
    }
    for renderer in yard.renderers() {
        renderer.signal(rustix::process::Signal::KILL);
    }
    let gone = async || yard.renderers().is_empty().then_some(());
    eventually("the end of its pages", LIMIT, gone).await;
    assert_eq!(take(&yard, &text("Alive again"), |_| {}).await.title, "Alive again");
    yard.close().await;
}
