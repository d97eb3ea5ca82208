//! Languages: the name an author wrote in an info string becomes a grammar and the name a reader knows it by.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use syntect::parsing::{SyntaxReference, SyntaxSet};

/// Every grammar, unpacked once.
static GRAMMARS: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// The longest name of an unknown language that still makes a chip.
const LONGEST_NAME: usize = 18;

/// What authors write that is neither a grammar's name nor one of its file endings: written, grammar, shown.
const ALIASES: [(&str, &str, &str); 59] = [
    ("php", "PHP Source", "PHP"), // posts leave the `<?php` out
    ("c++", "C++", "C++"),
    ("cxx", "C++", "C++"),
    ("h", "C", "C"),
    ("c#", "C#", "C#"),
    ("csharp", "C#", "C#"),
    ("f#", "F#", "F#"),
    ("fsharp", "F#", "F#"),
    ("golang", "Go", "Go"),
    ("objc", "Objective-C", "Objective-C"),
    ("objectivec", "Objective-C", "Objective-C"),
    ("js", "JavaScript (Babel)", "JavaScript"),
    ("javascript", "JavaScript (Babel)", "JavaScript"),
    ("node", "JavaScript (Babel)", "JavaScript"),
    ("mjs", "JavaScript (Babel)", "JavaScript"),
    ("jsx", "JavaScript (Babel)", "JSX"),
    ("ts", "TypeScript", "TypeScript"),
    ("tsx", "TypeScriptReact", "TSX"),
    ("vue", "Vue Component", "Vue"),
    ("heex", "HTML (EEx)", "HEEx"),
    ("eex", "HTML (EEx)", "EEx"),
    ("leex", "HTML (EEx)", "LEEx"),
    ("iex", "Elixir", "IEx"),
    ("erb", "HTML (Rails)", "ERB"),
    ("html+erb", "HTML (Rails)", "ERB"),
    ("jinja", "HTML (Jinja2)", "Jinja"),
    ("jinja2", "HTML (Jinja2)", "Jinja"),
    ("django", "HTML (Jinja2)", "Django"),
    ("twig", "HTML (Twig)", "Twig"),
    ("sh", "Bourne Again Shell (bash)", "Shell"),
    ("shell", "Bourne Again Shell (bash)", "Shell"),
    ("console", "Bourne Again Shell (bash)", "Console"),
    ("shellsession", "Bourne Again Shell (bash)", "Console"),
    ("bash", "Bourne Again Shell (bash)", "Bash"),
    ("zsh", "Bourne Again Shell (bash)", "Zsh"),
    ("ps1", "PowerShell", "PowerShell"),
    ("pwsh", "PowerShell", "PowerShell"),
    ("bat", "Batch File", "Batch"),
    ("cmd", "Batch File", "Batch"),
    ("docker", "Dockerfile", "Dockerfile"),
    ("make", "Makefile", "Makefile"),
    ("yml", "YAML", "YAML"),
    ("jsonc", "JavaScript (Babel)", "JSON"),
    ("json5", "JavaScript (Babel)", "JSON5"),
    ("postgres", "SQL", "SQL"),
    ("postgresql", "SQL", "SQL"),
    ("psql", "SQL", "SQL"),
    ("plpgsql", "SQL", "PL/pgSQL"),
    ("mysql", "SQL", "SQL"),
    ("sqlite", "SQL", "SQL"),
    ("asm", "x86_64 Assembly", "Assembly"),
    ("nasm", "x86_64 Assembly", "Assembly"),
    ("protobuf", "Protocol Buffer", "Protobuf"),
    ("hcl", "Terraform", "HCL"),
    ("rustdoc", "Rust", "Rust"),
    ("python3", "Python", "Python"),
    ("py3", "Python", "Python"),
    ("svg", "XML", "SVG"),
    ("elisp", "Lisp", "Emacs Lisp"),
];

/// Grammars whose own name is not what a reader expects.
const SHOWN: [(&str, &str); 19] = [
    ("Bourne Again Shell (bash)", "Shell"),
    ("JavaScript (Babel)", "JavaScript"),
    ("TypeScriptReact", "TSX"),
    ("Vue Component", "Vue"),
    ("Protocol Buffer", "Protobuf"),
    ("Protocol Buffer (TEXT)", "Protobuf"),
    ("HTML (EEx)", "EEx"),
    ("HTML (Rails)", "ERB"),
    ("HTML (Jinja2)", "Jinja"),
    ("HTML (Twig)", "Twig"),
    ("Batch File", "Batch"),
    ("x86_64 Assembly", "Assembly"),
    ("ARM Assembly", "Assembly"),
    ("Graphviz (DOT)", "Graphviz"),
    ("GDScript (Godot Engine)", "GDScript"),
    ("Fortran (Modern)", "Fortran"),
    ("Fortran (Fixed Form)", "Fortran"),
    ("AsciiDoc (Asciidoctor)", "AsciiDoc"),
    ("Lean 4", "Lean"),
];

/// Grammars in which a plain word is an argument or a value.
const WITHOUT_NAMES: [&str; 10] = [
    "source.diff",
    "source.shell.bash",
    "source.shell",
    "source.makefile",
    "source.dockerfile",
    "source.ini",
    "source.yaml",
    "source.toml",
    "source.dosbatch",
    "source.nginx",
];

/// A language of a code block.
#[derive(Debug, Clone, Default)]
pub(super) struct Language {
    /// The grammar; none when the name is unknown or the text is plain.
    pub(super) grammar: Option<&'static SyntaxReference>,
    /// What the chip says; none when there is nothing to say.
    pub(super) shown: Option<String>,
    /// Whether words that the grammar leaves plain are names, as in a programming language, and not prose or arguments.
    pub(super) has_names: bool,
    /// Whether lines are marked as added and removed.
    pub(super) is_diff: bool,
}

impl Language {
    /// The language an author's word means.
    pub(super) fn find(written: Option<&str>) -> Self {
        let Some(written) = written.map(str::trim).filter(|word| !word.is_empty()) else {
            return Self { ..Self::default() };
        };
        let word = written.trim_start_matches('.').to_lowercase();
        if let Some((_, grammar, shown)) = ALIASES.iter().find(|(alias, _, _)| *alias == word) {
            return Self::known(GRAMMARS.find_syntax_by_name(grammar), shown);
        }
        if matches!(word.as_str(), "text" | "txt" | "plain" | "plaintext" | "none" | "output") {
            return Self { ..Self::default() };
        }
        let short = word.len() <= 40;
        let found = short
            .then(|| GRAMMARS.find_syntax_by_extension(&word).or_else(|| GRAMMARS.find_syntax_by_token(&word)))
            .flatten();
        let Some(grammar) = found else {
            let drawable = written.chars().count() <= LONGEST_NAME && !written.chars().any(char::is_control);
            return Self { shown: drawable.then(|| written.to_owned()), ..Self::default() };
        };
        Self::known(Some(grammar), display(&grammar.name))
    }

    fn known(grammar: Option<&'static SyntaxReference>, shown: &str) -> Self {
        let scope = grammar.map(|grammar| grammar.scope.build_string()).unwrap_or_default();
        Self {
            grammar,
            shown: Some(shown.to_owned()),
            has_names: scope.starts_with("source.") && !WITHOUT_NAMES.contains(&scope.as_str()),
            is_diff: scope == "source.diff",
        }
    }

    /// All grammars, for parsing.
    pub(super) fn grammars() -> &'static SyntaxSet {
        &GRAMMARS
    }
}

fn display(grammar: &str) -> &str {
    SHOWN.iter().find(|(name, _)| *name == grammar).map_or(grammar, |(_, shown)| shown)
}

/// All languages, sorted: the name that chips show, and the words by which an author may call it.
pub(super) fn all() -> Vec<(String, Vec<String>)> {
    let mut all: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut add = |shown: &str, words: Vec<String>| {
        all.entry((shown.to_lowercase(), shown.to_owned())).or_default().extend(words);
    };
    for grammar in GRAMMARS.syntaxes().iter().filter(|grammar| !grammar.hidden && !grammar.file_extensions.is_empty()) {
        let means_it =
            |word: &&String| Language::find(Some(word)).grammar.is_some_and(|found| found.name == grammar.name);
        let words = grammar.file_extensions.iter().filter(means_it);
        add(display(&grammar.name), words.map(|word| word.trim_start_matches('.').to_lowercase()).collect());
    }
    for (alias, _, shown) in ALIASES {
        add(shown, vec![alias.to_owned()]);
    }
    all.into_iter().map(|((_, shown), words)| (shown, words.into_iter().collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alias_names_a_grammar_that_exists() {
        for (alias, grammar, _) in ALIASES {
            assert!(GRAMMARS.find_syntax_by_name(grammar).is_some(), "{alias}: {grammar}");
        }
        for (grammar, _) in SHOWN {
            assert!(GRAMMARS.find_syntax_by_name(grammar).is_some(), "{grammar}");
        }
    }

    #[test]
    fn languages_go_by_the_names_readers_know() {
        for (written, shown) in [
            ("c++", "C++"),
            ("rs", "Rust"),
            ("ts", "TypeScript"),
            ("ex", "Elixir"),
            ("C#", "C#"),
            ("heex", "HEEx"),
            ("Elixir", "Elixir"),
            ("sql", "SQL"),
            ("py", "Python"),
            ("toml", "TOML"),
        ] {
            let language = Language::find(Some(written));
            assert_eq!(language.shown.as_deref(), Some(shown), "{written}");
            assert!(language.grammar.is_some(), "{written}");
        }
    }

    #[test]
    fn unknown_languages_keep_their_name_and_plain_text_has_none() {
        assert_eq!(Language::find(Some("brainfog")).shown.as_deref(), Some("brainfog"));
        assert!(Language::find(Some("text")).shown.is_none());
        assert!(Language::find(Some(&"x".repeat(9000))).shown.is_none());
        assert!(Language::find(None).grammar.is_none());
    }

    #[test]
    fn diff_is_a_diff() {
        assert!(Language::find(Some("diff")).is_diff);
    }
}
