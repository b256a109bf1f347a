//! The flags that override settings.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

/// The heading of the global options in the help.
const EVERYWHERE: &str = "Options of every command";

/// Options that may precede or follow the command.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct GlobalFlags {
    /// The directory of the SQLite file and the mirrors [env: NYXCORE_DATA_DIR] [default: ./nyxcore-data]
    #[arg(long, value_name = "DIR", global = true, help_heading = EVERYWHERE)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// A settings file [env: NYXCORE_CONFIG] [default: ./nyxcore.toml, if it exists]
    #[arg(
        long,
        value_name = "FILE",
        env = "NYXCORE_CONFIG",
        hide_env = true,
        global = true, help_heading = EVERYWHERE)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// The log filter, for the log on standard error: `warn`, `info`, `nyxcore_runs=debug` ... [env: NYXCORE_LOG]
    #[arg(long, value_name = "FILTER", global = true, help_heading = EVERYWHERE)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The log format, `text` or `json` [env: NYXCORE_LOG_FORMAT] [default: text]
    #[arg(long, value_name = "FORMAT", value_enum, hide_possible_values = true, global = true, help_heading = EVERYWHERE)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
}

/// Options of the serving commands.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct ServeFlags {
    /// The address to listen on [default: 127.0.0.1:4600]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Serve metrics for Prometheus at this address, at /metrics: 127.0.0.1:9464. An address of another machine's
    /// network requires NYXCORE_METRICS_TOKEN [env: NYXCORE_METRICS]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// Additional sources of repositories: `local` (paths on this machine), `private` (private addresses), or both
    #[arg(long, value_name = "KINDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_sources: Option<String>,
    /// Number of concurrent runs; 0 leaves all runs to `nyxcore worker` [default: 2]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<u16>,
    /// Maximum per kind of run, such as `sync=2,code_analysis=1`
    #[arg(long, value_name = "KIND=N,...")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_limits: Option<String>,
    /// Serve even with a database role that bypasses row-level security
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_privileged_role: bool,
}

/// The log formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}
