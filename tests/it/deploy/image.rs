//! The Dockerfile agrees with what it packs, as far as can be seen without a builder; `make check-image` builds and runs it.

use std::{collections::BTreeSet, fs, path::Path};

use super::root;

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).expect(name)
}

/// The text of each literal between double quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// Every file of Rust below a folder.
fn sources(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn the_fonts_of_the_image_are_those_of_the_table() {
    let dockerfile = read("Dockerfile");
    let pattern = r#"grep -o '"[A-Z][A-Za-z0-9-]*\.tt[cf]"' /tmp/font_files.rs"#;
    assert!(dockerfile.contains(pattern), "the files are found as this test finds them: {pattern}");
    let table = read("src/card/font_files.rs");
    let is_file = |name: &&str| [".ttf", ".ttc", ".otf"].iter().any(|ending| name.ends_with(ending));
    let wanted: BTreeSet<&str> = quoted(&table).filter(is_file).filter(|name| !name.contains('/')).collect();
    assert!(wanted.len() > 50, "{wanted:?}");
    for name in wanted {
        let stem = name.strip_suffix(".ttf").or_else(|| name.strip_suffix(".ttc"));
        let found = stem.is_some_and(|stem| {
            stem.starts_with(|c: char| c.is_ascii_uppercase())
                && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        });
        assert!(found, "the Dockerfile does not find {name}");
    }
}

#[test]
fn what_is_built_into_the_program_reaches_the_builder() {
    let ignored = read(".dockerignore");
    let sent: BTreeSet<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().next() == Some("*") && sent.contains("src"), "{ignored}");
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut seen = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for call in ["include_str!(", "include_bytes!(", "include_dir!("] {
            for rest in text.split(call).skip(1) {
                let Some(path) = quoted(rest.split(')').next().unwrap_or_default()).next() else { continue };
                let path = path.strip_prefix("$CARGO_MANIFEST_DIR/").map_or_else(
                    || file.with_file_name(path).canonicalize().unwrap_or_else(|error| panic!("{path}: {error}")),
                    |path| root().join(path),
                );
                let inside = path.strip_prefix(root().canonicalize().unwrap()).unwrap();
                let reached = sent.iter().any(|name| inside.starts_with(name));
                assert!(reached, "{}: {} is not sent to the builder", file.display(), inside.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn the_manifest_without_its_targets_is_one_that_cargo_can_build() {
    assert!(read("Dockerfile").contains(r"sed -i '/^\[\[/,/^$/d' Cargo.toml"), "the targets are cut out as below");
    let manifest = read("Cargo.toml");
    let mut inside = false;
    let mut kept = String::new();
    for line in manifest.lines() {
        inside |= line.starts_with("[[");
        if !inside {
            kept.extend([line, "\n"]);
        }
        inside &= !line.is_empty();
    }
    let whole: toml::Table = toml::from_str(&manifest).unwrap();
    let kept: toml::Table = toml::from_str(&kept).unwrap();
    let targets = ["bench", "bin", "example", "test"];
    for (name, value) in &whole {
        assert_eq!(kept.get(name), (!targets.contains(&name.as_str())).then_some(value), "{name}");
    }
}

#[test]
fn the_compiler_of_the_image_is_new_enough() {
    let dockerfile = read("Dockerfile");
    let tag = dockerfile.lines().find_map(|line| line.strip_prefix("FROM rust:")).unwrap();
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    let number = |text: &str| text.split(['.', '-']).take(2).map(|part| part.parse().unwrap()).collect::<Vec<u32>>();
    let oldest = manifest["package"]["rust-version"].as_str().unwrap();
    assert!(number(tag) >= number(oldest), "{tag} builds what wants {oldest}");
    let debians: BTreeSet<&str> =
        dockerfile.lines().filter_map(|line| line.strip_prefix("FROM debian:")?.split(' ').next()).collect();
    let release = debians.iter().next().unwrap().trim_end_matches("-slim");
    assert!(
        debians.len() == 1 && tag.contains(release),
        "a program runs on the Debian that it was built on: {tag}, {debians:?}"
    );
}
