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
    trace::{self, Tracing},
};
use tracing_subscriber::{EnvFilter, Layer, fmt, prelude::*};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
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
    let works = matches!(cli.command, Command::Run(_));
    let level = cli.global.log.as_deref().unwrap_or(if works { "info" } else { "warn" });
    let tracing = {
        let _runtime = runtime.enter();
        log(level, works)?
    };
    let result = runtime.block_on(commands::dispatch(cli));
    if let Some(tracing) = tracing {
        tracing.close();
    }
    runtime.shutdown_background(); // a drawing thread that is still at it must not hold up the exit
    result
}

/// Logs to stderr: for people on a terminal, one JSON object a line elsewhere. The jobs of a worker have traces besides, unless there
/// is neither a collector for them nor anybody who would look for their ids in the log.
fn log(level: &str, works: bool) -> Result<Option<Tracing>, Error> {
    let directives = if level.contains(['=', ',']) { level.to_owned() } else { format!("warn,tintype={level}") };
    let filter = EnvFilter::try_new(directives).map_err(|error| Error::Usage {
        what: format!("--log {level}: {error}"),
        hint: "one of: error, warn, info, debug, trace".to_owned(),
    })?;
    let terminal = io::stderr().is_terminal();
    let tracing = if works && (trace::has_collector() || !terminal) { Some(Tracing::new()?) } else { None };
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines = if terminal {
        lines.with_ansi(!config::no_color()).compact().with_filter(filter).boxed()
    } else {
        lines.json().flatten_event(true).with_filter(filter).boxed()
    };
    tracing_subscriber::registry().with(lines).with(tracing.as_ref().map(Tracing::layer)).init();
    Ok(tracing)
}
