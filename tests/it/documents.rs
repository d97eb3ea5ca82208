//! What the documents tell people to type is typed here, in a folder with nothing in it, and has to work.

mod live;
mod reference;

use std::{fs, path::Path};

use tokio::process::Command;

use crate::support::{
    program::run as run_program,
    schema::{installed, run},
};

/// What stands in the documents' blocks of shell, in their order.
fn typed(document: &str) -> String {
    let blocks = document.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```\n"));
    blocks.map(|(block, _)| block).collect()
}

/// A worker would not end, and nobody is there to answer.
fn answered(line: &str) -> String {
    let (command, comment) = line.split_once("  #").unwrap_or((line, ""));
    match command.split(' ').nth(1).filter(|_| command.starts_with("tintype ")) {
        Some("run") => format!("{command} --exit-when-idle"),
        Some("attach") => format!("{command} --yes"),
        _ if comment.is_empty() => line.to_owned(),
        _ => command.to_owned(),
    }
}

async fn follow(document: &str) {
    let (test, client) = installed().await;
    run(&client, "a host", "CREATE TABLE posts (id int PRIMARY KEY, title text, body text, og_image_url text)").await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("photo.jpg"), include_bytes!("../../fixtures/templates/ridges.jpg")).unwrap();
    let mut script: Vec<String> = typed(document).lines().map(answered).collect();
    if let Some((_, rest)) = document.split_once("```toml\n") {
        fs::write(folder.path().join("example.toml"), rest.split_once("```\n").unwrap().0).unwrap();
        script.push("tintype render post.md --look ./example.toml".to_owned());
    }
    assert!(script.iter().filter(|line| line.starts_with("tintype ")).count() >= 5, "{script:?}");
    let programs = Path::new(env!("CARGO_BIN_EXE_tintype")).parent().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.arg("-euc").arg(script.join("\n")).env_clear().env("DATABASE_URL", test.url()).current_dir(folder.path());
    shell.env("PATH", format!("{}:/usr/bin:/bin", programs.display())).kill_on_drop(true);
    shell.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    run_program(shell).await.done();
}

#[tokio::test]
async fn looks() {
    follow(include_str!("../../docs/LOOKS.md")).await;
}

#[tokio::test]
async fn templates() {
    follow(include_str!("../../docs/TEMPLATES.md")).await;
}

#[test]
fn the_example_in_the_documents_is_the_one_that_is_drawn() {
    let text = include_str!("../../docs/LOOKS.md");
    let (_, rest) = text.split_once("```toml\n").unwrap();
    let example = rest.split_once("```").unwrap().0;
    // The documents leave out the files that only this repository has.
    let own = |line: &str| ["avatar = ", "logo = ", "title = \"../"].iter().any(|start| line.starts_with(start));
    let wanted: String = include_str!("../../fixtures/looks/house.toml")
        .lines()
        .map(|line| if own(line) { format!("# {line}\n") } else { format!("{line}\n") })
        .collect();
    assert_eq!(
        example.replace("# title = \"title.ttf\"\n", "# title = \"../../assets/fonts/jetbrains-mono-bold.ttf\"\n"),
        wanted
    );
}
