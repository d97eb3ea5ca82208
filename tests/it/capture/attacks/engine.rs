//! The attacks as captures: pages full of frames, each an attack, go through tintype's own engine, which makes pictures of them.

use std::{fmt::Write as _, path::Path};

use tintype::capture::Options;

use super::{
    browser::programs,
    cases::{self, Case, File},
    inside::Inside,
    outside::Outside,
};
use crate::capture::{site::Site, yard::Yard};

/// How many attacks are in one page.
const FRAMES: usize = 32;

/// A page full of attacks, and the server inside of each.
struct Crowd {
    outside: Outside,
    attacks: Vec<(String, Inside)>,
}

/// Pages that move the page around them would end the others' attempts.
fn stays(case: &Case) -> bool {
    case.works && case.address.is_none() && !case.files.iter().any(|file| file.body.contains("top.location"))
}

impl Crowd {
    async fn gather(cases: &[Case]) -> Self {
        let (outside, mut attacks, mut frames) = (Outside::open().await, Vec::new(), String::new());
        for (index, case) in cases.iter().enumerate() {
            let (inside, folder) = (Inside::open().await, index.to_string());
            let address = outside.address(&folder);
            let fill = |text: &str| inside.fill(text).replace("{out}", &address);
            outside.put(&folder, case.files.iter().map(|file| file.filled(fill)).collect());
            let _ = write!(frames, "<iframe src='{address}'></iframe>"); // to a text it cannot fail
            attacks.push((case.name.clone(), inside));
        }
        let page =
            File { status: "200".to_owned(), body: format!("<title>A crowd</title>{frames}"), ..File::default() };
        outside.put("all", vec![page]);
        Self { outside, attacks }
    }

    fn reached(&self) -> Vec<&str> {
        self.attacks.iter().filter(|(_, inside)| !inside.seen().is_empty()).map(|(name, _)| name.as_str()).collect()
    }
}

/// Captures all crowds with the inside allowed or not, and tells which attacks reached it.
async fn capture(program: &Path, allowed: &[&str]) -> Vec<String> {
    let cases: Vec<Case> = cases::read().into_iter().filter(stays).collect();
    let site = Site::open(&[]).await;
    let mut yard = Yard::with(&site, |settings| settings.browser = Some(program.to_owned()));
    yard.allow(allowed);
    let mut crowds = Vec::new();
    for cases in cases.chunks(FRAMES) {
        let crowd = Crowd::gather(cases).await;
        yard.allow(&[&format!("127.0.0.1:{}", crowd.outside.port)]);
        crowds.push(crowd);
    }
    let captures = crowds.iter().map(async |crowd| {
        // Dozens of frames, most of which go wrong, take their time where other tests run.
        let patient = |options: &mut Options| (options.delay, options.deadline) = (1.0, 100.0);
        let captured = yard.capture(&crowd.outside.address("all"), patient).await.unwrap();
        assert_eq!(captured.title, "A crowd");
        let asked = (0..crowd.attacks.len()).all(|index| crowd.outside.was_asked(&index.to_string()));
        assert!(asked, "each attack was opened");
    });
    futures_util::future::join_all(captures).await;
    yard.chrome.close().await;
    crowds.iter().flat_map(Crowd::reached).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captures_of_attacks_reach_nothing_in_each_browser() {
    let nothing: [&str; 0] = [];
    for program in programs() {
        assert_eq!(capture(&program, &[]).await, nothing, "{}", program.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_captures_reach_what_is_allowed() {
    let reached = capture(&programs().remove(0), &["127.0.0.1", "localhost", "[::1]", "0.0.0.0"]).await;
    assert!(reached.len() >= 60, "{} attacks: {reached:?}", reached.len());
    let over_udp = ["STUN", "TURN", "a peer, over UDP", "transport over QUIC"];
    assert!(
        reached.iter().all(|name| !over_udp.contains(&name.as_str())),
        "no UDP even where a host is allowed: {reached:?}"
    );
}
