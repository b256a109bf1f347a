//! The commands, one module each.

mod analyze;
mod ask;
mod audit;
mod backup;
mod check;
mod deploy_check;
mod doctor;
mod eval;
mod first_start;
mod knowledge;
mod mcp;
mod migrate;
mod models;
mod quickstart;
mod secrets;
mod serve;
mod setup;
mod tenant;
mod user;

use serde::Serialize;

use crate::cli::{Cli, Command, SetupCommand};
use crate::error::Result;
use crate::output;
use crate::private_files::UserMask;
use crate::progress::Screen;
use crate::settings::{DefaultFile, GlobalFlags, Settings};
use crate::telemetry;

/// The default log filter of a server: that it listens, its requests, and its errors.
const LOG_SERVER: &str = "info";
/// The default log filter of a command for a person.
const LOG_COMMAND: &str = "warn";

/// The flags of a command that changes no setting.
#[derive(Serialize)]
struct NoFlags {}

/// Runs the command of the command line.
///
/// # Errors
/// The error of the command.
pub async fn run(cli: Cli, user_mask: UserMask) -> Result<()> {
    let screen = Screen::new();
    let global = &cli.global;
    match cli.command {
        Command::Schema => output::write(&nyxcore_gateway::schema_sdl()),
        Command::Analyze(args) => {
            let file = DefaultFile::Ignore;
            settings(global, NoFlags {}, file, LOG_COMMAND, &screen)?;
            analyze::run(args, user_mask, &screen).await
        }
        Command::Check(args) => {
            let file = DefaultFile::Ignore;
            settings(global, NoFlags {}, file, LOG_COMMAND, &screen)?;
            check::run(args, &screen).await
        }
        Command::Quickstart(args) => {
            let file = DefaultFile::Ignore;
            let settings = settings(global, &args.serve, file, LOG_COMMAND, &screen)?;
            quickstart::run(settings, args, &screen).await
        }
        Command::Serve(flags) => {
            let settings = settings(global, flags, DefaultFile::Read, LOG_SERVER, &screen)?;
            serve::serve(settings).await
        }
        Command::Worker(args) => {
            let flags = crate::settings::ServeFlags {
                listen: None,
                metrics: args.metrics,
                allow_sources: args.allow_sources,
                workers: args.workers,
                worker_limits: args.worker_limits,
                allow_privileged_role: args.allow_privileged_role,
            };
            let settings = settings(global, flags, DefaultFile::Read, LOG_SERVER, &screen)?;
            serve::work(settings).await
        }
        Command::Migrate(args) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            migrate::run(&settings, args).await
        }
        Command::Backup(args) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            backup::backup(&settings, args, &screen).await
        }
        Command::Restore(args) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            backup::restore(&settings, args, &screen).await
        }
        Command::DeployCheck(args) => {
            let file = DefaultFile::Ignore;
            settings(global, NoFlags {}, file, LOG_COMMAND, &screen)?;
            deploy_check::run(args).await
        }
        Command::Setup(SetupCommand::Postgres(args)) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            setup::postgres(&settings, args, &screen).await
        }
        Command::Eval(args) => {
            let settings = settings(
                global,
                NoFlags {},
                DefaultFile::Ignore,
                LOG_COMMAND,
                &screen,
            )?;
            eval::run(settings, args, &screen).await
        }
        Command::Mcp(args) => {
            // An agent starts it in a repository, whose files must not change settings.
            let file = DefaultFile::Ignore;
            let settings = settings(global, NoFlags {}, file, LOG_COMMAND, &screen)?;
            mcp::run(settings, args).await
        }
        Command::Tenant(command) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            tenant::tenant(settings, command).await
        }
        Command::Token(command) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            tenant::token(settings, command).await
        }
        Command::Knowledge(command) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            knowledge::run(settings, command, &screen).await
        }
        Command::Audit(command) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            audit::run(settings, command).await
        }

        Command::Secrets(command) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            secrets::run(settings, command, &screen).await
        }

        Command::Models(command) => {
            let flags = crate::settings::ServeFlags {
                allow_sources: command.allow_sources(),
                ..Default::default()
            };
            let settings = settings(global, flags, DefaultFile::Read, LOG_COMMAND, &screen)?;
            models::run(settings, command, &screen).await
        }

        Command::Ask(args) => {
            let flags = crate::settings::ServeFlags {
                allow_sources: args.allow_sources.clone(),
                ..Default::default()
            };
            let settings = settings(global, flags, DefaultFile::Read, LOG_COMMAND, &screen)?;
            ask::run(settings, args, &screen).await
        }

        Command::User(command) => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            user::run(settings, command).await
        }
        Command::Doctor => {
            let settings = settings(global, NoFlags {}, DefaultFile::Read, LOG_COMMAND, &screen)?;
            doctor::run(&settings).await
        }
    }
}

/// Reads the settings and starts the log.
fn settings(
    global: &GlobalFlags,
    flags: impl Serialize,
    file: DefaultFile,
    log: &str,
    screen: &Screen,
) -> Result<Settings> {
    let settings = Settings::load(global, flags, file)?;
    telemetry::start(&settings, log, log == LOG_SERVER, screen.bars())?;
    Ok(settings)
}
