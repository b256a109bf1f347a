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
use tikv_jemallocator::Jemalloc;

/// An answer is thousands of small allocations on all threads (docs/measurements.md).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// How long work in the background may delay the end of the program.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // Before the first thread is started: the umask belongs to the whole process.
    let user_mask = private_files::umask_close();
    // The HTTP client uses this TLS crypto provider, so that it and the database driver share one implementation. No
    // other one is installed yet.
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

/// Prints the error on one line.
fn failed(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!(
        "error[{}]: {}",
        error::code_of(error),
        error::message_of(error)
    );
    ExitCode::from(error::exit_status_of(error))
}
