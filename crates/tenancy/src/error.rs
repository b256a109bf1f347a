//! The errors of the store, with a stable code for each.

use sea_orm::{DbErr, RuntimeErr, SqlErr};
use sqlx::sqlite::SqliteError;

use crate::registry::RegistryError;

/// An error of the store or the directory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The row does not exist, or belongs to another tenant: the caller cannot distinguish them.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A row with the same unique key exists.
    #[error("{0} already exists")]
    Conflict(&'static str),
    /// The input breaks a rule, which the text names.
    #[error("{0}")]
    Invalid(String),
    /// A cursor belongs to another list.
    #[error("the cursor does not belong to this list")]
    InvalidCursor,
    /// The caller's role does not allow this.
    #[error("your role does not allow this: it needs {0}")]
    Forbidden(&'static str),
    /// The caller is an API token whose role does not allow this. The user's role, or another token, may allow it.
    #[error(
        "this token's role is {role}; this needs {needed}: use a token of that role, or sign in"
    )]
    TokenForbidden {
        /// The token's role, at most the user's.
        role: &'static str,
        /// The role that is needed.
        needed: &'static str,
    },
    /// The caller is an API token, and this action needs a session: it concerns the user's account.
    #[error("API tokens may not do this: sign in to use a session")]
    SessionNeeded,
    /// The sign-in failed: an unknown account or a wrong password. The caller cannot distinguish them.
    #[error("{0}")]
    SignInRefused(&'static str),
    /// Too many failed attempts: the next is accepted after this number of seconds.
    #[error("too many attempts: try again in {0} s")]
    Throttled(i64),
    /// Sign-up is closed: accounts are created by an operator or an invitation.
    #[error("sign-up is closed: ask for an invitation")]
    SignUpClosed,
    /// The invitation is forged, expired, revoked, used or for another address: the caller cannot distinguish them.
    #[error("this invitation is invalid or has expired; ask for a new one")]
    InvitationInvalid,
    /// The tenant would be left without an owner.
    #[error("a tenant must have an owner: make another member an owner first")]
    LastOwner,
    /// A service changed something for a caller without checking the policy: a bug, refused.
    #[error("the policy was not checked")]
    PolicyNotAsked,
    /// A hand-written statement is not bound to its tenant: a bug, refused.
    #[error("the statement is not bound to its tenant")]
    NotBound,
    /// The process uses a name that was not registered: a bug, refused.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No available master key decrypts this secret, or the secret was changed or moved.
    #[error("the secret cannot be decrypted: its master key is missing, or the secret was changed")]
    SecretUnreadable,
    /// The master key cannot be used. The text is for the operator, never for a client.
    #[error("the server's master key cannot be used: see the server's log")]
    MasterKey(String),
    /// The data directory or database refuses writes.
    #[error("the database is read-only: check the permissions of its file and folder")]
    ReadOnly,
    /// The database's disk is full.
    #[error("no space is left for the database: free some space and try again")]
    DiskFull,
    /// The rows that one client operation reads are larger than its limit.
    #[error("the rows of this request hold more than 32 MiB: ask for fewer of them at once")]
    ReadTooLarge,
    /// Another writer or a lock held the database for too long, a statement took too long, or no connection was free.
    #[error("the database is busy: try again")]
    Busy,
    /// The database cannot be reached, or its connection was lost, for example by a restart. A pending commit may have
    /// succeeded.
    #[error("the database cannot be reached: try again later")]
    Unreachable(#[source] DbErr),
    /// The server's role can bypass row-level security.
    #[error(
        "the database role {0:?} is a superuser or has BYPASSRLS, so row-level security would not apply: use a plain role, or allow it explicitly"
    )]
    UnsafeRole(String),
    /// Any other database error. The text is for the log, never for a client.
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
            Self::Forbidden(_) | Self::TokenForbidden { .. } | Self::SessionNeeded => "FORBIDDEN",
            Self::SignInRefused(_) => "SIGN_IN_REFUSED",
            Self::Throttled(_) => "TOO_MANY_ATTEMPTS",
            Self::SignUpClosed => "SIGN_UP_CLOSED",
            Self::InvitationInvalid => "INVITATION_INVALID",
            Self::LastOwner => "LAST_OWNER",
            Self::SecretUnreadable => "SECRET_UNREADABLE",
            Self::MasterKey(_) => "MASTER_KEY_UNUSABLE",
            Self::ReadOnly => "DATABASE_READ_ONLY",
            Self::DiskFull => "DISK_FULL",
            Self::ReadTooLarge => "ANSWER_TOO_LARGE",
            Self::Busy => "DATABASE_BUSY",
            Self::Unreachable(_) => "DATABASE_UNREACHABLE",
            Self::UnsafeRole(_) => "DATABASE_ROLE_UNSAFE",
            Self::PolicyNotAsked | Self::NotBound | Self::Registry(_) | Self::Database(_) => {
                "INTERNAL"
            }
        }
    }

    /// Whether the same call may succeed a moment later: the database is busy or cannot be reached.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Unreachable(_))
    }

    /// The server's error, if it sent one: its code (on PostgreSQL the SQLSTATE) and its message. For an operator,
    /// never for a client.
    pub fn server_answer(&self) -> Option<(String, String)> {
        let (Self::Database(error) | Self::Unreachable(error)) = self else {
            return None;
        };
        let Some(sqlx::Error::Database(error)) = sqlx_error(error) else {
            return None;
        };
        let code = error.code()?.into_owned();
        Some((code, error.message().to_owned()))
    }

    /// Turns a unique-key violation into [`Error::Conflict`] with the name of the existing object.
    pub fn conflict_as(self, what: &'static str) -> Self {
        match self {
            Self::Conflict(_) => Self::Conflict(what),
            other => other,
        }
    }

    /// Turns a reference to a missing row into [`Error::NotFound`] with the kind of the row: the prefix of its ids.
    /// The database has checked the reference, so the row need not be read before. A failed statement ends a
    /// transaction of PostgreSQL.
    pub fn reference_as(self, prefix: &'static str) -> Self {
        match self {
            Self::NotFound(REFERENCED_ROW) => Self::NotFound(prefix),
            other => other,
        }
    }
}

/// What [`Error::NotFound`] names where the database found no row for a reference.
const REFERENCED_ROW: &str = "referenced row";

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => return Self::Conflict("it"),
            // A reference to a row that does not exist in this tenant.
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
                return Self::NotFound(REFERENCED_ROW);
            }
            _ => {}
        }
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Busy;
        }
        match sqlx_error(&error).map(Kind::of) {
            Some(Kind::Busy) => Self::Busy,
            Some(Kind::Unreachable) => Self::Unreachable(error),
            Some(Kind::ReadOnly) => Self::ReadOnly,
            Some(Kind::DiskFull) => Self::DiskFull,
            Some(Kind::Invalid(rule)) => Self::Invalid(rule.into()),
            Some(Kind::Other) | None => Self::Database(error),
        }
    }
}

/// The meaning of a driver error for the caller.
enum Kind {
    Busy,
    Unreachable,
    ReadOnly,
    DiskFull,
    Invalid(&'static str),
    Other,
}

impl Kind {
    fn of(error: &sqlx::Error) -> Self {
        use sqlx::Error as Driver;
        match error {
            Driver::Io(_) | Driver::PoolClosed | Driver::WorkerCrashed => Self::Unreachable,
            Driver::PoolTimedOut => Self::Busy,
            Driver::Database(error) => match error.code() {
                Some(code) if error.try_downcast_ref::<SqliteError>().is_some() => {
                    Self::of_sqlite(&code)
                }
                Some(code) => Self::of_postgres(&code),
                None => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// By the primary result code (<https://www.sqlite.org/rescode.html>: the low byte of the extended one).
    fn of_sqlite(code: &str) -> Self {
        match code.parse::<u32>().map(|code| code & 0xff) {
            Ok(5 | 6) => Self::Busy,
            Ok(8 | 14) => Self::ReadOnly,
            Ok(13) => Self::DiskFull,
            _ => Self::Other,
        }
    }

    /// By the SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
    fn of_postgres(code: &str) -> Self {
        match code {
            // A lock or statement timeout, a deadlock, a serialization failure, or out of memory.
            "55P03" | "57014" | "40P01" | "40001" | "53200" => Self::Busy,
            // The server is shutting down, crashed, starting, or out of connections.
            "57P01" | "57P02" | "57P03" | "57P05" | "53300" => Self::Unreachable,
            "25006" => Self::ReadOnly,
            "53100" => Self::DiskFull,
            "22021" | "22P05" => Self::Invalid(
                "the text contains a character that the database does not accept, such as U+0000",
            ),
            "22008" | "22007" => Self::Invalid("a time is outside the range of the database"),
            "22003" => Self::Invalid("a number is outside the range of the database"),
            "54000" | "22001" => Self::Invalid("a value is longer than the database accepts"),
            _ if code.starts_with("08") => Self::Unreachable,
            _ => Self::Other,
        }
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}
