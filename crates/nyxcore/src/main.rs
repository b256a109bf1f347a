//! The `nyxcore` program: configuration, telemetry, command line and wiring. The functionality is in the crates below.

mod backup;
mod build_info;
mod cli;
mod commands;
mod data_dir;
mod database;
mod error;
mod git_tool;
mod housekeeping;
mod local_model;
mod master_key;
mod metrics_endpoint;
mod model_facts;
mod open_files;
mod otlp;
mod output;
mod private_files;
mod progress;
mod sealed;
mod settings;
mod summary;
mod sync_steps;
mod telemetry;
mod terminal_text;
mod wiring;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// How long work that nobody waits for any more may hold up the end of the program.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // Before the first thread: the mask is the whole process's.
    let user_mask = private_files::umask_close();
    // The HTTP client takes its TLS from here: one implementation for it and for the database driver. Nobody has set
    // another before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::from(error).context("starting failed")),
    };
    let outcome = runtime.block_on(commands::run(cli, user_mask));
    runtime.shutdown_timeout(LEAVE_WITHIN);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// One line, whatever is in it.
fn failed(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!(
        "error[{}]: {}",
        error::code_of(error),
        error::message_of(error)
    );
    ExitCode::from(error::exit_status_of(error))
}
