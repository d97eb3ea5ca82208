//! The program under test, run as a person would run it, in an environment that holds nothing but its database.

use std::process::Stdio;

use tokio::process::Command;

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Data.
    pub(crate) stdout: String,
    /// Words.
    pub(crate) stderr: String,
}

impl Ran {
    /// The text behind `error: `, empty where there is none.
    pub(crate) fn error(&self) -> &str {
        self.line("error: ")
    }

    /// The text behind `hint: `, empty where there is none.
    pub(crate) fn hint(&self) -> &str {
        self.line("hint: ")
    }

    fn line(&self, start: &str) -> &str {
        self.stderr.lines().find_map(|line| line.trim_start().strip_prefix(start)).unwrap_or_default()
    }

    /// Fails the test unless the run did what it was asked for; gives its data.
    #[track_caller]
    pub(crate) fn done(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        &self.stdout
    }
}

/// A command line with a clean environment and an empty folder of its own to stand in.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tintype"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").current_dir("/").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command line to its end.
pub(crate) async fn run(mut command: Command) -> Ran {
    let output = command.output().await.expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    Ran { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// Runs `tintype` with `arguments` on the database at `url`.
pub(crate) async fn tintype(url: &str, arguments: &[&str]) -> Ran {
    let mut command = command(arguments);
    command.env("DATABASE_URL", url);
    run(command).await
}
