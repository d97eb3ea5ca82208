//! The subcommands, a file each. They wire: read settings, call the library, print. Data goes to stdout, words to stderr.

mod attach;
mod backfill;
mod capture;
mod demo;
mod doctor;
mod healthcheck;
mod install;
mod manual;
mod pages;
mod pause;
mod preview;
mod render;
mod retry;
mod run;
mod status;
mod terminal;

use crate::{
    cli::{Cli, Command, Global},
    config::Config,
    db::Database,
    error::Error,
};

/// Does what the command line asks for.
pub async fn dispatch(cli: Cli) -> Result<(), Error> {
    match &cli.command {
        Command::Completions(flags) => {
            manual::completions(flags);
            return Ok(());
        }
        Command::Man(flags) => return manual::man(flags), // neither asks for settings
        _ => {}
    }
    let config = Config::load(&cli.global)?;
    let context = Context { config, global: cli.global };
    match cli.command {
        Command::Demo(flags) => demo::demo(&context, &flags).await,
        Command::Render(flags) => render::render(&context, &flags),
        Command::Capture(flags) => capture::capture(&context, &flags).await,
        Command::Preview(flags) => preview::preview(&context, &flags).await,
        Command::Install(flags) => install::install(&context, &flags).await,
        Command::Uninstall(flags) => install::uninstall(&context, &flags).await,
        Command::Attach(flags) => attach::attach(&context, &flags).await,
        Command::Detach(flags) => attach::detach(&context, &flags).await,
        Command::Pause(flags) => pause::pause(&context, &flags).await,
        Command::Resume(flags) => pause::resume(&context, &flags).await,
        Command::Run(flags) => run::run(&context, &flags).await,
        Command::Backfill(flags) => backfill::backfill(&context, &flags).await,
        Command::Status(flags) => status::status(&context, &flags).await,
        Command::Doctor(flags) => doctor::doctor(&context, &flags).await,
        Command::Retry(flags) => retry::retry(&context, &flags).await,
        Command::Healthcheck => healthcheck::healthcheck(&context).await,
        Command::Completions(_) | Command::Man(_) => Ok(()), // answered above
    }
}

/// What every command may ask: the settings, and the shared flags.
struct Context {
    config: Config,
    global: Global,
}

impl Context {
    /// Connects to the application's database.
    async fn database(&self) -> Result<Database, Error> {
        let (settings, env) = self.config.connection(&self.global)?;
        Ok(Database::connect(&settings, &env).await?)
    }

    /// The same, and makes sure that this version of tintype is installed there.
    async fn installed(&self) -> Result<Database, Error> {
        let db = self.database().await?;
        crate::install::require(&db.get().await?).await?;
        Ok(db)
    }
}
