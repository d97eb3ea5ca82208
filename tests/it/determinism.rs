//! The same post gives the same bytes: in another process, folder, language and time zone, after other cards, and on any number of
//! threads; and what a renderer keeps for the next card stays small.

use std::path::{Path, PathBuf};
use std::process::Command;

use tintype::card::{Card, Options, Renderer};
use tintype::picture::{Draw, choose};
use tintype::post::{Fields, Post};

/// What a whole test process may hold in a debug build after everything was drawn by two threads, in MB.
const MOST_MEMORY: u64 = 300;

fn posts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let entries = ["posts", "gallery"].map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let mut files: Vec<PathBuf> = entries.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn cards() -> Vec<Card> {
    let card = |path: &PathBuf| {
        let body = std::fs::read_to_string(path).unwrap();
        choose(&Post::new(Fields { body, ..Fields::default() }), Draw::Auto, None).unwrap()
    };
    posts().iter().map(card).collect()
}

fn renderer(look: &str) -> Renderer {
    Renderer::new(&Options { look: look.to_owned(), ..Options::default() }).unwrap()
}

/// Draws a post in a process of its own.
fn rendered(post: &Path, flags: &[&str], environment: &[(&str, &str)], folder: &Path) -> Vec<u8> {
    let output = folder.join("card.png");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tintype"));
    command.arg("render").arg(post).arg("-o").arg(&output).args(flags).current_dir(folder);
    command.env_clear().envs(environment.iter().copied());
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}: {}", post.display(), String::from_utf8_lossy(&ran.stderr));
    std::fs::read(output).unwrap()
}

#[test]
fn two_processes_draw_the_same_bytes() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let home = other.path().to_str().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for (post, flags) in [
        ("posts/07-rust-typestate.md", &[][..]),
        ("gallery/15-diff.md", &["--look", "paper"]),
        ("gallery/16-japanese.md", &["--scale", "2"]),
        ("gallery/18-emoji.md", &["--wrap"]),
        ("gallery/20-hebrew-pair.md", &["--line-numbers"]),
        ("gallery/22-title-short.md", &["--draw", "title"]),
    ] {
        let post = root.join(post);
        let plain = rendered(&post, flags, &[("HOME", "/nonexistent"), ("LC_ALL", "C"), ("TZ", "UTC")], one.path());
        let abroad = [("HOME", home), ("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8"), ("TZ", "Pacific/Kiritimati")];
        let again = rendered(&post, flags, &abroad, other.path());
        assert!(plain == again, "{}: {} and {} bytes", post.display(), plain.len(), again.len());
    }
}

#[test]
fn bytes_do_not_depend_on_what_was_drawn_before() {
    let cards = cards();
    for look in ["night", "paper"] {
        let forth = renderer(look);
        let forth: Vec<_> = cards.iter().map(|card| forth.render(card).unwrap()).collect();
        let back = renderer(look);
        let mut back: Vec<_> = cards.iter().rev().map(|card| back.render(card).unwrap()).collect();
        back.reverse();
        for ((post, forth), back) in posts().iter().zip(forth).zip(back) {
            assert!(forth == back, "{} in {look}", post.display());
        }
    }
}

#[test]
fn bytes_do_not_depend_on_threads_and_memory_stays_small() {
    let cards = cards();
    for look in ["night", "paper"] {
        let (alone, shared) = (renderer(look), renderer(look));
        let alone: Vec<_> = cards.iter().map(|card| alone.render(card).unwrap()).collect();
        let all = || cards.iter().map(|card| shared.render(card).unwrap()).collect::<Vec<_>>();
        let [first, second] =
            std::thread::scope(|scope| [scope.spawn(all), scope.spawn(all)].map(|t| t.join().unwrap()));
        for (at, post) in posts().iter().enumerate() {
            assert!(alone[at] == first[at] && alone[at] == second[at], "{} in {look}", post.display());
        }
    }
    // Under `cargo test` all tests share one process, and what others hold would be counted here.
    let alone = std::env::var_os("NEXTEST").is_some();
    if let Some(peak) = peak_memory().filter(|_| alone) {
        assert!(peak < MOST_MEMORY, "{peak} MB");
    }
}

/// The most that this process ever held, in MB; known on Linux only.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
