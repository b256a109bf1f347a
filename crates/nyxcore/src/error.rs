//! The errors of commands, with a stable code and a one-line message for each.

use std::path::PathBuf;

use nyxcore_code_engine::tree::TreeError;
use nyxcore_model_catalog::ModelError;
use nyxcore_sync::SourceError;
use nyxcore_sync::git::GitError;
use nyxcore_tenancy::RegistryError;

/// An error that stops a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Facts about models cannot be imported.
    #[error("{message}")]
    ModelFacts {
        /// The stable code.
        code: &'static str,
        /// The message.
        message: String,
    },
    /// The local model is missing, damaged or not in this build.
    #[error("{message}")]
    LocalModel {
        /// The stable code.
        code: &'static str,
        /// The message, and what to do.
        message: String,
    },
    /// The test of a model provider failed. The code is the provider's state, and the message is the provider's.
    #[error("{message}")]
    ProviderUnhealthy {
        /// The state, such as `INVALID_KEY`.
        code: &'static str,
        /// The message.
        message: String,
    },
    /// A run failed. Code and message are the run's.
    #[error("{message}")]
    Run {
        /// The run's code.
        code: String,
        /// The run's message.
        message: String,
    },
    /// The file that the output should go to cannot be written.
    #[error("{}: cannot be written: {reason}", .path.display())]
    OutputRefused {
        /// The file.
        path: PathBuf,
        /// The message of the system.
        reason: String,
    },
    /// There are findings, and the command line asks to fail on them.
    #[error("{0}")]
    Findings(String),
    /// A file that the command line names cannot be used.
    #[error("{}: {reason}", .path.display())]
    FileInvalid {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// No repository is at or around the path.
    #[error("{} is not in a git repository: name one, or `git init` and commit something", .0.display())]
    NotARepository(PathBuf),
    /// The person has an account and is in other tenants, or in none.
    #[error("{email} is not a member of {tenant}")]
    NotAMember {
        /// The person's address.
        email: String,
        /// The tenant's short name.
        tenant: String,
    },
    /// The named object does not exist. The message says which ones exist, or how to list them.
    #[error("{0}")]
    NotKnown(String),
    /// There is nothing at the path.
    #[error("{}: no such folder", .0.display())]
    NoSuchFolder(PathBuf),
    /// The data directory cannot be written.
    #[error(
        "the data directory {} is not writable: check its owner and mode, or choose another with --data-dir",
        .0.display()
    )]
    DataDirReadOnly(PathBuf),
    /// The folder cannot be used as the data directory.
    #[error("{} cannot be the data directory: {reason}; choose another with --data-dir", .path.display())]
    DataDirInvalid {
        /// The path.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Other accounts can read the data directory, and their access cannot be removed.
    #[error("others can read the data directory {} (mode {mode:o}): {remedy}", .path.display())]
    DataDirOpen {
        /// The path.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What to do.
        remedy: String,
    },
    /// The disk of the data directory is full.
    #[error("no space is left for the data directory {}: free some space and try again", .0.display())]
    DiskFull(PathBuf),
    /// A newer program has used the database.
    #[error(
        "the database was migrated by a newer version of nyxcore: use that version or a newer one"
    )]
    DatabaseNewer,
    /// A migration waited too long for a lock.
    #[error(
        "nothing was changed, because another session holds a lock that the migration needs: end its transaction (PostgreSQL \
         lists them in pg_stat_activity) and try again"
    )]
    MigrationLocked,
    /// The database lacks migrations that this program needs.
    #[error("the database schema is older than this program: run `nyxcore migrate` as its owner")]
    SchemaBehind,
    /// The database file is missing or empty, although there was a database.
    #[error(
        "the database {} {}, but beside it there {found}. If everything is in PostgreSQL, set NYXCORE_DATABASE_URL. \
         Otherwise restore the file from a backup. To start over on purpose, first move `mirrors`, `master.key` and `nyxcore.sqlite*` \
         out of the data directory, and keep the key: backups are encrypted with it",
        .file.display(),
        .state
    )]
    DatabaseMissing {
        /// The path of the file.
        file: PathBuf,
        /// The trace of the earlier database.
        found: &'static str,
        /// The state of the file: missing, or empty.
        state: &'static str,
    },
    /// A file that the command would create already exists.
    #[error("{} exists already: name another file", .0.display())]
    FileExists(PathBuf),
    /// A file is not a backup, or is damaged.
    #[error("{}: {reason}", .path.display())]
    BackupInvalid {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The backup needs a newer program.
    #[error("{}: {reason}: restore it with that version of nyxcore or a newer one", .path.display())]
    BackupNewer {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The target of a restore is not empty.
    #[error("nothing was restored, because the target is not empty: {0}")]
    RestoreTargetInUse(String),
    /// The role does not see every row, because of row-level security.
    #[error(
        "{0}, so that a backup by it would not be complete: as an administrator, CREATE ROLE nyxcore_backup LOGIN BYPASSRLS \
         PASSWORD '...'; GRANT pg_read_all_data TO nyxcore_backup; GRANT CONNECT ON DATABASE ... TO nyxcore_backup; and \
         set NYXCORE_BACKUP_URL to the URL of that role"
    )]
    BackupRights(String),
    /// SQLite finds the database damaged.
    #[error("the database is damaged, and nothing was written: {0}")]
    DatabaseBroken(String),
    /// A tool that the command needs is missing or too old.
    #[error("{0}")]
    ToolMissing(String),
    /// A tool that the command runs has failed.
    #[error("{tool} failed: {reason}")]
    ToolFailed {
        /// Its name.
        tool: &'static str,
        /// The output of the tool.
        reason: String,
    },
    /// A deployment would not ship every change.
    #[error("{0}")]
    NotDeployable(String),
    /// A server cannot be reached, or its answer is invalid.
    #[error("{server} cannot be asked: {reason}")]
    ServerUnreachable {
        /// Its URL.
        server: String,
        /// The reason.
        reason: String,
    },
    /// There has never been a database at this place.
    #[error(
        "there is no database at {}: name the server's data directory with --data-dir, or its NYXCORE_DATABASE_URL",
        .0.display()
    )]
    NoDatabase(PathBuf),
    /// The role could bypass row-level security, or give itself the right to.
    #[error("this database role cannot be used by the server: {0}")]
    RoleUnsafe(String),
    /// The role lacks the rights to migrate.
    #[error(
        "nothing was changed, because the database owner lacks privileges: {0}. Run the SQL as an administrator, or run `nyxcore setup postgres`"
    )]
    OwnerLacks(String),
    /// A step of the PostgreSQL setup failed.
    #[error("{step}: {reason}")]
    SetupRefused {
        /// The step.
        step: String,
        /// The reason.
        reason: String,
    },
    /// The database does not answer.
    #[error("the database cannot be reached: {0}")]
    DatabaseUnreachable(String),
    /// The database's server refuses the connection. A retry does not help.
    #[error("the database server refused the connection: {0}")]
    DatabaseRefused(String),
    /// The command is for PostgreSQL.
    #[error(
        "{0} requires PostgreSQL: set NYXCORE_DATABASE_URL (on SQLite, `nyxcore serve` runs the workers itself)"
    )]
    DatabaseUrlMissing(&'static str),
    /// Another process already listens on the address.
    #[error(
        "{0} is already in use: choose another address with --listen, such as --listen 127.0.0.1:0 for any free port"
    )]
    AddressInUse(String),
    /// The address cannot be listened on.
    #[error("cannot listen at {address}: {reason}; choose another address with --listen")]
    AddressInvalid {
        /// The address.
        address: String,
        /// The message of the system.
        reason: String,
    },
    /// A setting is wrong.
    #[error("{0}")]
    SettingInvalid(String),
    /// `doctor` found a problem.
    #[error("{0}")]
    Unhealthy(String),
    /// Another process is rotating the master key.
    #[error("another `nyxcore secrets rotate` is running: wait until it ends")]
    RotationUnderWay,
    /// No master key can decrypt some secrets.
    #[error(
        "{0} secrets cannot be decrypted: their master key is missing, or they were changed. Restore the key (`nyxcore secrets status` names it), or enter the secrets again"
    )]
    SecretsUnreadable(u64),
    /// The user pressed Ctrl-C before the work was done.
    #[error("interrupted: run the command again to continue")]
    Interrupted,
}

/// The result of a command. The error is a chain: context for a person first, and the cause with the code last.
pub type Result<T, E = anyhow::Error> = std::result::Result<T, E>;

impl Error {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::DataDirReadOnly(_) => "DATA_DIR_READ_ONLY",
            Self::ModelFacts { code, .. }
            | Self::LocalModel { code, .. }
            | Self::ProviderUnhealthy { code, .. } => code,
            Self::Run { code, .. } => code,
            Self::OutputRefused { .. } => "OUTPUT_REFUSED",
            Self::Findings(_) => "FINDINGS",
            Self::FileInvalid { .. } => "FILE_INVALID",
            Self::NotARepository(_) => "NOT_A_REPOSITORY",
            Self::NotAMember { .. } | Self::NotKnown(_) => "NOT_FOUND",
            Self::NoSuchFolder(_) => "PATH_NOT_FOUND",
            Self::DataDirInvalid { .. } => "DATA_DIR_INVALID",
            Self::DataDirOpen { .. } => "DATA_DIR_OPEN",
            Self::DiskFull(_) => "DISK_FULL",
            Self::DatabaseNewer => "DATABASE_NEWER",
            Self::MigrationLocked => "DATABASE_BUSY",
            Self::SchemaBehind => "SCHEMA_BEHIND",
            Self::DatabaseUnreachable(_) => "DATABASE_UNREACHABLE",
            Self::DatabaseRefused(_) => "DATABASE_REFUSED",
            Self::DatabaseUrlMissing(_) => "DATABASE_URL_MISSING",
            Self::DatabaseMissing { .. } => "DATABASE_MISSING",
            Self::NoDatabase(_) => "DATABASE_NOT_FOUND",
            Self::FileExists(_) => "FILE_EXISTS",
            Self::BackupInvalid { .. } => "BACKUP_INVALID",
            Self::BackupNewer { .. } => "BACKUP_NEWER",
            Self::RestoreTargetInUse(_) => "DATABASE_NOT_EMPTY",
            Self::DatabaseBroken(_) => "DATABASE_BROKEN",
            Self::ToolMissing(_) => "PROGRAM_MISSING",
            Self::ToolFailed { .. } => "PROGRAM_FAILED",
            Self::NotDeployable(_) => "NOT_DEPLOYABLE",
            Self::ServerUnreachable { .. } => "SERVER_UNREACHABLE",
            Self::RoleUnsafe(_) => "DATABASE_ROLE_UNSAFE",
            Self::OwnerLacks(_) | Self::BackupRights(_) => "DATABASE_RIGHTS_MISSING",
            Self::SetupRefused { .. } => "SETUP_REFUSED",
            Self::AddressInUse(_) => "ADDRESS_IN_USE",
            Self::AddressInvalid { .. } => "ADDRESS_INVALID",
            Self::SettingInvalid(_) => "SETTING_INVALID",
            Self::Unhealthy(_) => "UNHEALTHY",
            Self::RotationUnderWay => "ROTATION_UNDER_WAY",
            Self::SecretsUnreadable(_) => "SECRET_UNREADABLE",
            Self::Interrupted => "INTERRUPTED",
        }
    }
}

/// The stable code of a command's error: that of the first cause that has one. Errors of the system are `IO_ERROR`.
pub fn code_of(error: &anyhow::Error) -> &str {
    error.chain().find_map(cause_code).unwrap_or("IO_ERROR")
}

fn cause_code<'e>(cause: &'e (dyn std::error::Error + 'static)) -> Option<&'e str> {
    use nyxcore_tenancy::Error as StoreError;
    if let Some(error) = cause.downcast_ref::<Error>() {
        return Some(error.code());
    }
    match cause.downcast_ref::<StoreError>() {
        Some(StoreError::ReadOnly) => return Some("DATA_DIR_READ_ONLY"),
        Some(StoreError::Database(_)) => return Some("DATABASE_FAILED"),
        Some(error) => return Some(error.code()),
        None => {}
    }
    let git = cause.downcast_ref::<GitError>().map(GitError::code);
    let source = cause.downcast_ref::<SourceError>().map(SourceError::code);
    let tree = cause.downcast_ref::<TreeError>().map(TreeError::code);
    let model = cause.downcast_ref::<ModelError>().map(ModelError::code);
    let registry = cause.downcast_ref::<RegistryError>().map(|_| "INTERNAL");
    git.or(source).or(tree).or(model).or(registry)
}

/// The error as one line for a person: the failed action and the reason. It contains the database's message, which an
/// operator at a terminal may see; a client of the server never gets it.
pub fn message_of(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let text = match cause.downcast_ref() {
            Some(nyxcore_tenancy::Error::MasterKey(reason)) => reason.clone(),
            _ => cause.to_string(),
        };
        // Many errors repeat their cause's text.
        if message.ends_with(&text) {
            continue;
        }
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(&text);
    }
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The program's exit status. Status 2 is clap's, for an invalid command line. Status 130 is the shells' convention for
/// Ctrl-C.
pub fn exit_status_of(error: &anyhow::Error) -> u8 {
    if is_interrupted(error) { 130 } else { 1 }
}

/// Whether the user pressed Ctrl-C.
pub fn is_interrupted(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Error::Interrupted))
}

#[cfg(test)]
mod tests {

    use anyhow::Context;

    use super::*;

    #[test]
    fn context_stands_before_the_cause() {
        let error = Err::<(), _>(std::io::Error::other("no such thing"));
        let error = error.context("reading the password failed").unwrap_err();
        assert_eq!(
            message_of(&error),
            "reading the password failed: no such thing"
        );
        assert_eq!((code_of(&error), exit_status_of(&error)), ("IO_ERROR", 1));
    }

    #[test]
    fn a_code_is_found_below_context() {
        let error = anyhow::Error::from(Error::Interrupted).context("syncing failed");
        assert_eq!(
            (code_of(&error), exit_status_of(&error)),
            ("INTERRUPTED", 130)
        );
        let error =
            anyhow::Error::from(nyxcore_tenancy::Error::ReadOnly).context("migrating failed");
        assert_eq!(code_of(&error), "DATA_DIR_READ_ONLY");
    }

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("the disk is full").context("writing failed: the disk is full");
        assert_eq!(message_of(&error), "writing failed: the disk is full");
    }
}
