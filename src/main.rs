//! The binary: parse, dispatch, print the error and its hint, choose the exit code.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::Parser;
use tintype::{
    cli::{Cli, Command},
    commands, config,
    error::Error,
};
use tracing_subscriber::{EnvFilter, fmt};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let quiet = if matches!(cli.command, Command::Run(_)) { "info" } else { "warn" };
    match log(cli.global.log.as_deref().unwrap_or(quiet)).and_then(|()| run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("  hint: {hint}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let result = runtime.block_on(commands::dispatch(cli));
    runtime.shutdown_background(); // a drawing thread that is still at it must not hold up the exit
    result
}

/// Logs to stderr: for people on a terminal, one JSON object a line elsewhere.
fn log(level: &str) -> Result<(), Error> {
    let directives = if level.contains(['=', ',']) { level.to_owned() } else { format!("warn,tintype={level}") };
    let filter = EnvFilter::try_new(directives).map_err(|error| Error::Usage {
        what: format!("--log {level}: {error}"),
        hint: "one of: error, warn, info, debug, trace".to_owned(),
    })?;
    let terminal = io::stderr().is_terminal();
    let log = fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    if terminal {
        log.with_ansi(!config::no_color()).compact().init();
    } else {
        log.json().flatten_event(true).init();
    }
    Ok(())
}
