//! docs/REFERENCE.md is made of what it describes: the flags, the settings, and the SQL files. Where it is out of date the test leaves the
//! right one in target/REFERENCE.md: look at it, and copy it over.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use clap::{Arg, ArgAction, Command, CommandFactory};
use tintype::{cli::Cli, config, doctor};

/// What people call themselves; everything else in the schema is for the worker and for these.
const PUBLIC: [&str; 17] = [
    "attach",
    "detach",
    "plan",
    "backfill",
    "backfill_step",
    "backfill_in_steps",
    "pace",
    "retry",
    "pause",
    "resume",
    "image",
    "doctor",
    "grant_reader",
    "grants_to_make",
    "adopt",
    "find_table",
    "worker_roles",
];

const EXITS: [(u8, &str); 5] = [
    (0, "done"),
    (1, "failed: nobody answers, a file cannot be read, nothing was drawn"),
    (2, "wrong usage: a flag, a table or a column that is not there"),
    (
        3,
        "configuration: a setting is missing or cannot be used, the schema is not of this version, or `doctor` found something",
    ),
    (4, "partly done: some rows have no picture"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "&lt;")
}

/// A flag as it is typed.
fn typed(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let takes = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let mut value: String = if takes { names.join(" ") } else { String::new() };
    if takes && value.is_empty() {
        value = arg.get_id().as_str().to_uppercase();
    }
    let Some(long) = arg.get_long() else {
        return if arg.is_required_set() { format!("`{value}`") } else { format!("`[{value}]`") };
    };
    let short = arg.get_short().map_or(String::new(), |short| format!("-{short}, "));
    let optional = arg.get_num_args().is_some_and(|range| range.min_values() == 0 && takes);
    match (takes, optional) {
        (false, _) => format!("`{short}--{long}`"),
        (true, true) => format!("`{short}--{long}[={value}]`"),
        (true, false) => format!("`{short}--{long} {value}`"),
    }
}

/// What a flag means, with its words and its default.
fn meaning(arg: &Arg) -> String {
    let mut help = cell(&arg.get_help().map(ToString::to_string).unwrap_or_default());
    let words: Vec<_> = arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if !words.is_empty() && matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
        let _ = write!(help, ": {}", words.join(", "));
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if matches!(arg.get_action(), ArgAction::Set) && !defaults.is_empty() {
        let _ = write!(help, " (default: `{}`)", defaults.join(","));
    }
    help
}

fn flags(out: &mut String, args: &[&Arg]) {
    if args.is_empty() {
        return;
    }
    out.push_str("| | | variable |\n|---|---|---|\n");
    for arg in args {
        let variable = arg.get_env().map_or(String::new(), |name| format!("`{}`", name.to_string_lossy()));
        let _ = writeln!(out, "| {} | {} | {variable} |", typed(arg), meaning(arg));
    }
    out.push('\n');
}

fn commands(out: &mut String) {
    let mut cli = Cli::command();
    cli.build();
    let shared = |arg: &&Arg| arg.get_help_heading() == Some("Every command");
    let own = |command: &Command, wanted: bool| -> Vec<Arg> {
        let args = command.get_arguments().filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
        args.filter(|arg| shared(arg) == wanted).cloned().collect()
    };
    out.push_str("## Commands\n\nEvery command takes these as well:\n\n");
    flags(out, &own(&cli, true).iter().collect::<Vec<_>>());
    for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
        let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
        let paragraphs: Vec<_> =
            about.split("\n\n").map(|text| format!("{}.", cell(text.trim_end_matches('.')))).collect();
        let _ = writeln!(out, "### tintype {}\n\n{}\n", command.get_name(), paragraphs.join(" "));
        flags(out, &own(command, false).iter().collect::<Vec<_>>());
    }
}

fn settings(out: &mut String) {
    out.push_str("## Settings\n\nA flag, then its variable, then the usual names, then `tintype.toml` (or the file that `--config` names). A variable that holds a\nsecret may name a file in its place: `DATABASE_URL_FILE`. `TINTYPE_SECRET_NAME` is what `attach --auth` calls `NAME`.\n\n");
    out.push_str("| in tintype.toml | flag | variables | |\n|---|---|---|---|\n");
    for (name, flag, variables, what) in config::SETTINGS {
        let code = |list: &str| {
            list.split(", ").filter(|one| !one.is_empty()).map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(out, "| `{name}` | {} | {} | {what} |", code(flag), code(variables));
    }
    out.push_str("\nThe store's keys, region and endpoint are found where the AWS tools look for them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,\n`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL_S3` and so on; the keys also in files, `AWS_SECRET_ACCESS_KEY_FILE`. `NO_COLOR` is heeded.\n\n");
}

/// A function, a view or a table as its file has it.
struct Item {
    name: String,
    /// Arguments and result, on one line.
    head: String,
    /// The comment above it.
    words: String,
}

/// What the SQL files define with `start`, each with the comment that stands right above it.
fn items(folder: &str, start: &str) -> Vec<Item> {
    let mut files: Vec<_> = fs::read_dir(root().join(folder)).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut items = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let mut words: Vec<&str> = Vec::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(comment) = line.strip_prefix("--") {
                words.push(comment.trim());
                continue;
            }
            if let Some(rest) = line.strip_prefix(start) {
                let mut head = rest.to_owned();
                while !["LANGUAGE", " AS", "WITH (", ");"].iter().any(|end| head.contains(end))
                    && (start.contains("FUNCTION") || start.contains("PROCEDURE"))
                {
                    let space = if head.ends_with('(') { "" } else { " " };
                    let _ = write!(head, "{space}{}", lines.next().unwrap().trim());
                }
                let head = head
                    .split(" LANGUAGE")
                    .next()
                    .unwrap()
                    .split(" AS ")
                    .next()
                    .unwrap()
                    .trim_end_matches(" AS")
                    .to_owned();
                let name = head.split(['(', ' ']).next().unwrap().to_owned();
                items.push(Item { name, head, words: words.join(" ") });
            }
            if !line.starts_with("DROP FUNCTION IF EXISTS") {
                words.clear();
            }
        }
    }
    items
}

/// Functions and procedures.
fn routines() -> Vec<Item> {
    let kinds = ["CREATE OR REPLACE FUNCTION tintype.", "CREATE OR REPLACE PROCEDURE tintype."];
    kinds.iter().flat_map(|start| items("sql/functions", start)).collect()
}

/// What has come to be in a column since the migration that made it, which says what it was for then.
const SINCE: [(&str, &str, &str); 2] = [
    ("image", "kind", "code, title, or page"),
    (
        "image",
        "engine",
        "native, or the browser by its name, version and file: `Chromium 156.0.8078.108 (/usr/bin/chromium)`",
    ),
];

/// The columns of every table, with the comments beside them, as the migrations leave it.
fn columns() -> BTreeMap<String, Vec<(String, String)>> {
    let mut files: Vec<_> =
        fs::read_dir(root().join("sql/migrations")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let mut table: Option<String> = None;
        for line in text.lines() {
            let added = line.strip_prefix("ALTER TABLE tintype.").and_then(|rest| rest.split_once(" ADD COLUMN "));
            if let Some((name, column)) = added {
                tables.entry(name.to_owned()).or_default().push(column_of(column));
            } else if let Some(rest) = line.strip_prefix("CREATE TABLE tintype.") {
                table = rest.split(' ').next().map(str::to_owned);
            } else if line.starts_with(')') {
                table = None;
            } else if let Some(name) =
                table.as_ref().filter(|_| line.starts_with("    ") && !line.trim().starts_with("PRIMARY KEY"))
            {
                tables.entry(name.clone()).or_default().push(column_of(line.trim()));
            }
        }
    }
    tables
}

fn column_of(line: &str) -> (String, String) {
    let (definition, comment) = line.split_once("--").unwrap_or((line, ""));
    (definition.split_whitespace().next().unwrap().to_owned(), comment.trim().to_owned())
}

fn sql(out: &mut String) {
    let functions = routines();
    out.push_str("## SQL\n\nThe command line does nothing that SQL cannot. Who may call what: [ROLES.md](ROLES.md).\n\n### Functions for you\n\n");
    for name in PUBLIC {
        let mut known = functions.iter().filter(|item| item.name == name).peekable();
        assert!(known.peek().is_some(), "there is no function tintype.{name} any more");
        let heads: Vec<_> = known.clone().map(|item| cell(&item.head)).collect();
        let words: Vec<_> = known.map(|item| item.words.clone()).filter(|words| !words.is_empty()).collect();
        let _ = writeln!(
            out,
            "```\ntintype.{}\n```\n\n{}\n",
            heads.join("\ntintype.").replace("&lt;", "<"),
            cell(&words.join(" "))
        );
    }
    out.push_str("### Views\n\n");
    for view in items("sql/functions", "CREATE OR REPLACE VIEW tintype.") {
        let _ = writeln!(out, "- `tintype.{}`: {}", view.name, cell(&view.words));
    }
    out.push_str("\n### Tables\n\n");
    let columns = columns();
    for table in items("sql/migrations", "CREATE TABLE tintype.") {
        let _ = writeln!(out, "`tintype.{}`: {}\n\n| column | |\n|---|---|", table.name, cell(&table.words));
        for (name, comment) in &columns[&table.name] {
            let since = SINCE.iter().find(|(of, column, _)| (*of, *column) == (&*table.name, &**name));
            let comment = since.map_or(&**comment, |(_, _, words)| words);
            let _ = writeln!(out, "| `{name}` | {} |", cell(comment));
        }
        out.push('\n');
    }
    out.push_str("### Functions of the worker's and of others\n\nNobody has to call them. They are told here so that a stack trace can be read.\n\n| function | |\n|---|---|\n");
    let mut inner: Vec<_> = functions.iter().filter(|item| !PUBLIC.contains(&&*item.name)).collect();
    inner.sort_by(|one, other| one.name.cmp(&other.name));
    for item in inner {
        let _ = writeln!(out, "| `{}` | {} |", item.name, cell(&item.words));
    }
    out.push('\n');
}

/// What the doctor may find: the codes as they stand in SQL and in Rust.
fn findings(out: &mut String) {
    let folder = |name: &str| root().join(name);
    let sql =
        ["61_doctor.sql", "62_doctor_tables.sql", "63_doctor_all.sql"].map(|file| folder("sql/functions").join(file));
    let rust = ["database.rs", "machine.rs", "store.rs"].map(|file| folder("src/doctor").join(file));
    let mut areas: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sql.into_iter().chain(rust).chain([folder("src/commands/doctor.rs")]) {
        let text = fs::read_to_string(file).unwrap();
        for word in text.split("#[cfg(test)]").next().unwrap().split(['\'', '"']) {
            let Some((area, what)) = word.split_once('.') else { continue };
            let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if doctor::AREAS.contains(&area) && plain(what) {
                areas.entry(area.to_owned()).or_default().insert(format!("`{word}`"));
            }
        }
    }
    out.push_str("## What the doctor may find\n\nThe `code` of `tintype doctor --json` and of `SELECT * FROM tintype.doctor()`. An area that is well has its bare name and the severity\n`ok`; `note` is worth knowing, `warning` and `error` make the exit code 3.\n\n");
    for (area, codes) in areas {
        let _ = writeln!(out, "- {area}: {}", codes.into_iter().collect::<Vec<_>>().join(", "));
    }
    out.push('\n');
}

/// The whole document.
fn document() -> String {
    let mut out = String::from(
        "# Reference\n\nEvery command and flag, every setting, and all of schema `tintype`. Made from the flags and the SQL files themselves: a test compares\nit and leaves the right one in target/REFERENCE.md.\n\n",
    );
    commands(&mut out);
    settings(&mut out);
    out.push_str("## Exit codes\n\n| | |\n|---|---|\n");
    for (code, words) in EXITS {
        let _ = writeln!(out, "| {code} | {words} |");
    }
    out.push_str(
        "\nAn error is one line on stderr, `error: …`, and under it, where something can be done, `hint: …`.\n\n",
    );
    findings(&mut out);
    sql(&mut out);
    out.trim_end().to_owned() + "\n"
}

#[test]
fn the_reference_says_what_there_is() {
    let made = document();
    let place = root().join("target/REFERENCE.md");
    fs::write(&place, &made).unwrap();
    let kept = fs::read_to_string(root().join("docs/REFERENCE.md")).unwrap_or_default();
    let line = made.lines().zip(kept.lines().chain(std::iter::repeat(""))).find(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "docs/REFERENCE.md is out of date; the right one is in {}: look at it, and copy it over. The first line that differs: {line:?}",
        place.display()
    );
}

#[test]
fn everything_that_is_said_has_words() {
    for line in document().lines().filter(|line| line.starts_with("| `--")) {
        let cells: Vec<_> = line.split(" | ").collect();
        assert!(cells.len() >= 2 && !cells[1].trim().is_empty(), "a flag without a word: {line}");
    }
    for item in routines() {
        let known = ["image", "resume"]; // described where the first of them stands
        assert!(
            !item.words.is_empty() || known.contains(&&*item.name),
            "tintype.{} has no comment right above it",
            item.name
        );
    }
}
