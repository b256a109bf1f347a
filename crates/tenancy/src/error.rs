//! What can go wrong at the store, with a stable code for each.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// An error of the store or the directory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The row is not there, or it is another tenant's: the caller cannot tell which.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A row with the same unique key exists.
    #[error("{0} already exists")]
    Conflict(&'static str),
    /// The input breaks a rule; the text says which.
    #[error("{0}")]
    Invalid(String),
    /// A cursor is of another list.
    #[error("not a cursor of this list")]
    InvalidCursor,
    /// The caller's role does not allow this.
    #[error("your role does not allow this: it needs {0}")]
    Forbidden(&'static str),
    /// What was shown at sign-in is wrong: an unknown account, a wrong password. The caller cannot tell which.
    #[error("{0}")]
    SignInRefused(&'static str),
    /// Too many attempts failed: the next is looked at after so many seconds.
    #[error("too many failed attempts: try again in {0} s")]
    Throttled(i64),
    /// Nobody makes an account here by themselves: an operator or an invitation does.
    #[error("signing up is closed here: ask for an invitation")]
    SignUpClosed,
    /// The invitation is forged, expired, revoked or used, or is for somebody else: the caller cannot tell which.
    #[error("this invitation is not good: ask for another")]
    InvitationInvalid,
    /// The tenant would be left without an owner.
    #[error("a tenant always has an owner: make somebody else one first")]
    LastOwner,
    /// A service changed something for a caller without asking the policy: a defect, refused.
    #[error("the policy was not asked")]
    PolicyNotAsked,
    /// No master key that there is opens this secret, or it was changed or moved.
    #[error(
        "the secret cannot be read: the master key it was sealed with is gone, or it was changed"
    )]
    SecretUnreadable,
    /// The master key cannot be used. The text is for the operator, never for a client.
    #[error("the server's master key cannot be used: its log says why")]
    MasterKey(String),
    /// The data directory or database refuses writes.
    #[error("the database is read-only: check the permissions of its file and folder")]
    ReadOnly,
    /// There is no room left for the database.
    #[error("no space left for the database: free some and try again")]
    DiskFull,
    /// Another writer held the database for too long, or no connection was free.
    #[error("the database is busy: try again")]
    Busy,
    /// The server's role could see past row-level security.
    #[error(
        "the database role {0:?} is a superuser or has BYPASSRLS, so row-level security would not bind it: serve with a plain role, or allow it explicitly"
    )]
    UnsafeRole(String),
    /// Anything else the database said. The text is for the log, never for a client.
    #[error("the database failed")]
    Database(#[source] DbErr),
}

/// The result of a call to the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The stable code that clients may rely on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NOT_FOUND",
            Self::Conflict(_) => "CONFLICT",
            Self::Invalid(_) => "INVALID_INPUT",
            Self::InvalidCursor => "INVALID_CURSOR",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::SignInRefused(_) => "SIGN_IN_REFUSED",
            Self::Throttled(_) => "TOO_MANY_ATTEMPTS",
            Self::SignUpClosed => "SIGN_UP_CLOSED",
            Self::InvitationInvalid => "INVITATION_INVALID",
            Self::LastOwner => "LAST_OWNER",
            Self::SecretUnreadable => "SECRET_UNREADABLE",
            Self::MasterKey(_) => "MASTER_KEY_UNUSABLE",
            Self::ReadOnly => "DATABASE_READ_ONLY",
            Self::DiskFull => "DISK_FULL",
            Self::Busy => "DATABASE_BUSY",
            Self::UnsafeRole(_) => "DATABASE_ROLE_UNSAFE",
            Self::PolicyNotAsked | Self::Database(_) => "INTERNAL",
        }
    }

    /// Turns a unique-key violation into [`Error::Conflict`] with a word for what exists already.
    pub fn conflict_as(self, what: &'static str) -> Self {
        match self {
            Self::Conflict(_) => Self::Conflict(what),
            other => other,
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => return Self::Conflict("it"),
            // A reference to a row that is not there, or not in this tenant.
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
                return Self::NotFound("referenced row");
            }
            _ => {}
        }
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Busy;
        }
        match sqlite_primary_code(&error) {
            Some(5 | 6) => Self::Busy,
            Some(8 | 14) => Self::ReadOnly,
            Some(13) => Self::DiskFull,
            _ => Self::Database(error),
        }
    }
}

/// The primary result code of an SQLite error (<https://www.sqlite.org/rescode.html>: the low byte of the extended one).
fn sqlite_primary_code(error: &DbErr) -> Option<u32> {
    let (DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(error) = runtime else {
        return None;
    };
    let error = error.as_database_error()?;
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    error.code()?.parse::<u32>().ok().map(|code| code & 0xff)
}
