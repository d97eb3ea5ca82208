//! What `deploy/` and the documents say of settings is true: each variable exists, and each file can be read by whom it is for.

#[cfg(target_os = "linux")] // namespaces
mod contained;
mod image;

use std::{collections::BTreeSet, fs, path::Path};

use clap::CommandFactory;
use saphyr_parser::Parser;
use tintype::cli::Cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files that speak of settings.
fn files() -> Vec<(String, String)> {
    let of = |folder: &str| fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        of("deploy").chain(of("docs")).chain(of("docs/guides")).filter(|path| path.is_file()).collect();
    paths.retain(|path| path.extension().is_none_or(|ending| ending != "png"));
    paths.extend(["README.md", "compose.yaml", "Dockerfile"].map(|name| root().join(name)));
    paths.iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

/// The variables that flags have, in all commands.
fn known(command: &clap::Command, into: &mut BTreeSet<String>) {
    into.extend(command.get_arguments().filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned())));
    command.get_subcommands().for_each(|sub| known(sub, into));
}

#[test]
fn every_variable_that_is_named_exists() {
    let mut known_ones = BTreeSet::new();
    known(&Cli::command(), &mut known_ones);
    assert!(known_ones.len() > 15, "{known_ones:?}");
    for (file, text) in files() {
        for word in text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')) {
            let Some(name) = word.strip_prefix("TINTYPE_").filter(|name| !name.is_empty()) else { continue };
            let exists = |name: &str| known_ones.contains(&format!("TINTYPE_{name}"));
            let is_secret = name.starts_with("SECRET_"); // whose name the user chooses
            let is_file = name.strip_suffix("_FILE").is_some_and(exists);
            assert!(exists(name) || is_secret || is_file, "{file}: {word} is no variable of tintype's");
        }
    }
}

#[test]
fn yaml_is_yaml_and_toml_is_toml() {
    let mut read = 0;
    for (file, text) in files() {
        let ending = Path::new(&file).extension().unwrap_or_default();
        if ending == "yaml" {
            for event in Parser::new_from_str(&text) {
                event.unwrap_or_else(|error| panic!("{file}: {error}"));
            }
            read += 1;
        } else if ending == "toml" {
            toml::from_str::<toml::Table>(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
            read += 1;
        }
    }
    assert!(read >= 6, "{read}");
}
