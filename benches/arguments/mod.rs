//! What a bench is asked for: how much of it (`--long`), and which of its parts (`--only PART`).

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything once, as a proof that it runs: what `cargo test --benches` wants.
    Proof,
    /// Enough for figures.
    Short,
    /// More and longer.
    Long,
}

/// The command line. A part that does not exist ends the process, with the names of those that do and exit code 2.
pub(crate) fn read<const N: usize>(parts: [&'static str; N]) -> (Extent, Vec<&'static str>) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let extent = match (has("--bench"), has("--long")) {
        (false, _) => Extent::Proof,
        (true, false) => Extent::Short,
        (true, true) => Extent::Long,
    };
    let only = arguments.iter().skip_while(|argument| *argument != "--only").nth(1);
    if let Some(only) = only.filter(|only| !parts.contains(&only.as_str())) {
        eprintln!("there is no part {only}; the parts are {}", parts.join(", "));
        std::process::exit(2);
    }
    (extent, parts.into_iter().filter(|part| only.is_none_or(|only| only == part)).collect())
}
