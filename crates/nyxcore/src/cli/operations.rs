//! The arguments of the commands for operators: backup, restore, and the check before a deployment.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `backup`.
#[derive(Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist. It is readable by its owner only
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Leave out the master key of the data directory; without it the secrets in the backup cannot be decrypted
    #[arg(long)]
    pub without_key: bool,
}

/// The arguments of `restore`.
#[derive(Args)]
pub struct RestoreArgs {
    /// The file that `nyxcore backup` wrote
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Grant the serving role what it needs (PostgreSQL)
    #[arg(long, value_name = "NAME")]
    pub app_role: Option<String>,
    /// Restore the database without the master key
    #[arg(long)]
    pub without_key: bool,
    /// Read the whole backup, compare it with its manifest and its checksums, print the manifest, and restore nothing
    #[arg(long, conflicts_with_all = ["app_role", "without_key"])]
    pub check: bool,
}

/// The arguments of `deploy-check`.
#[derive(Args)]
pub struct DeployCheckArgs {
    /// The running server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4600")]
    pub server: String,
    /// The work tree that is deployed from
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
}
