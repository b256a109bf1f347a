//! What can stop a command, with a stable code for each and one line for a person.

use std::io;
use std::path::PathBuf;

use nyxcore_code_engine::tree::TreeError;
use nyxcore_sync::git::GitError;

/// What stops a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store or the directory refused.
    #[error("{}", store_message(.0))]
    Store(nyxcore_tenancy::Error),
    /// The git layer refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The folder cannot be analysed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A run failed; the words are its own.
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
        /// What the system says.
        reason: String,
    },
    /// No repository is at or around the path.
    #[error("{} is not in a git repository: name one, or `git init` and commit something", .0.display())]
    NotARepository(PathBuf),
    /// There is nothing at the path.
    #[error("{}: there is no such folder", .0.display())]
    NoSuchFolder(PathBuf),
    /// The data directory cannot be written.
    #[error(
        "the data directory {} cannot be written: check its owner and mode, or choose another with --data-dir",
        .0.display()
    )]
    DataDirReadOnly(PathBuf),
    /// The data directory cannot be one.
    #[error("{} cannot be the data directory: {reason}; choose another with --data-dir", .path.display())]
    DataDirInvalid {
        /// Where it should be.
        path: PathBuf,
        /// What is in the way.
        reason: String,
    },
    /// Others can read the data directory, and it cannot be closed to them.
    #[error("others can read the data directory {} (mode {mode:o}): {remedy}", .path.display())]
    DataDirOpen {
        /// Where it is.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What to do.
        remedy: String,
    },
    /// There is no room in the data directory.
    #[error("no space is left for the data directory {}: make room and try again", .0.display())]
    DiskFull(PathBuf),
    /// A newer program has used the database.
    #[error("the database was migrated by a newer nyxcore: use that version or a newer one")]
    DatabaseNewer,
    /// The database lacks migrations that this program needs.
    #[error("the database's schema is behind this program: run `nyxcore migrate` as its owner")]
    SchemaBehind,
    /// There was a database, and its file is gone or empty.
    #[error(
        "the database {} {}, but beside it there {found}, so there was one. If everything is in PostgreSQL, set NYXCORE_DATABASE_URL. \
         Else restore the file from a backup. To begin anew on purpose, move `mirrors`, `master.key` and `nyxcore.sqlite*` out of the \
         data directory first, and keep the key: backups are sealed with it",
        .file.display(),
        .state
    )]
    DatabaseMissing {
        /// Where it should be.
        file: PathBuf,
        /// What shows it.
        found: &'static str,
        /// What is wrong with it: it is missing, or empty.
        state: &'static str,
    },
    /// The role could see past row-level security, or give itself the right to.
    #[error("this database role must not serve: {0}")]
    RoleUnsafe(String),
    /// The role cannot migrate.
    #[error(
        "nothing was changed, because the database's owner lacks rights: {0}. As an administrator run the SQL, or `nyxcore setup postgres`"
    )]
    OwnerLacks(String),
    /// A step of setting PostgreSQL up was refused.
    #[error("{step}: {reason}")]
    SetupRefused {
        /// What was to be done.
        step: String,
        /// Why it was not.
        reason: String,
    },
    /// The database does not answer.
    #[error("the database cannot be reached: {0}")]
    DatabaseUnreachable(String),
    /// The command is for PostgreSQL.
    #[error(
        "{0} works on PostgreSQL: set NYXCORE_DATABASE_URL (on SQLite `nyxcore serve` has the workers in it)"
    )]
    DatabaseUrlMissing(&'static str),
    /// Somebody else listens there.
    #[error(
        "{0} is in use already: choose another address with --listen, such as --listen 127.0.0.1:0 for any free port"
    )]
    AddressInUse(String),
    /// It cannot be listened at.
    #[error("cannot listen at {address}: {reason}; choose another address with --listen")]
    AddressInvalid {
        /// The address.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// A setting is wrong.
    #[error("{0}")]
    SettingInvalid(String),
    /// `doctor` found something.
    #[error("{0}")]
    Unhealthy(String),
    /// Another process moves secrets to another master key.
    #[error("another `nyxcore secrets rotate` is under way: let it end")]
    RotationUnderWay,
    /// Secrets that no master key opens.
    #[error(
        "{0} secrets cannot be read: they were sealed with a master key that is gone, or changed. Put the key back (`nyxcore secrets status` names it), or enter them anew"
    )]
    SecretsUnreadable(u64),
    /// Somebody pressed Ctrl-C before the work was done.
    #[error("interrupted: run the command again and it goes on where it stopped")]
    Interrupted,
    /// The system refused.
    #[error("{operation} failed: {reason}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// What the system says.
        reason: String,
    },
}

/// The result of a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Store(nyxcore_tenancy::Error::ReadOnly) | Self::DataDirReadOnly(_) => {
                "DATA_DIR_READ_ONLY"
            }
            Self::Store(nyxcore_tenancy::Error::Database(_)) => "DATABASE_FAILED",
            Self::Store(error) => error.code(),
            Self::Git(error) => error.code(),
            Self::Tree(error) => error.code(),
            Self::Run { code, .. } => code,
            Self::OutputRefused { .. } => "OUTPUT_REFUSED",
            Self::NotARepository(_) => "NOT_A_REPOSITORY",
            Self::NoSuchFolder(_) => "PATH_NOT_FOUND",
            Self::DataDirInvalid { .. } => "DATA_DIR_INVALID",
            Self::DataDirOpen { .. } => "DATA_DIR_OPEN",
            Self::DiskFull(_) => "DISK_FULL",
            Self::DatabaseNewer => "DATABASE_NEWER",
            Self::SchemaBehind => "SCHEMA_BEHIND",
            Self::DatabaseUnreachable(_) => "DATABASE_UNREACHABLE",
            Self::DatabaseUrlMissing(_) => "DATABASE_URL_MISSING",
            Self::DatabaseMissing { .. } => "DATABASE_MISSING",
            Self::RoleUnsafe(_) => "DATABASE_ROLE_UNSAFE",
            Self::OwnerLacks(_) => "DATABASE_RIGHTS_MISSING",
            Self::SetupRefused { .. } => "SETUP_REFUSED",
            Self::AddressInUse(_) => "ADDRESS_IN_USE",
            Self::AddressInvalid { .. } => "ADDRESS_INVALID",
            Self::SettingInvalid(_) => "SETTING_INVALID",
            Self::Unhealthy(_) => "UNHEALTHY",
            Self::RotationUnderWay => "ROTATION_UNDER_WAY",
            Self::SecretsUnreadable(_) => "SECRET_UNREADABLE",
            Self::Interrupted => "INTERRUPTED",
            Self::Io { .. } => "IO_ERROR",
        }
    }

    /// The program's exit status. 2 is for a command line that cannot be read, and is clap's; 130 is the shells' for Ctrl-C.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Interrupted => 130,
            _ => 1,
        }
    }

    /// An error of the system.
    pub fn io(operation: &'static str, error: &io::Error) -> Self {
        Self::Io {
            operation,
            reason: error.to_string(),
        }
    }
}

impl From<nyxcore_tenancy::Error> for Error {
    fn from(error: nyxcore_tenancy::Error) -> Self {
        Self::Store(error)
    }
}

/// An operator at a terminal is told what the database said; a client of the server never is.
fn store_message(error: &nyxcore_tenancy::Error) -> String {
    match error {
        nyxcore_tenancy::Error::Database(source) => format!("{error}: {source}"),
        nyxcore_tenancy::Error::MasterKey(reason) => reason.clone(),
        _ => error.to_string(),
    }
}
