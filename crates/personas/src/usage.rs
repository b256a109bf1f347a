//! Records the uses of personas: each run counts once.

use nyxcore_runs::RunId;
use nyxcore_tenancy::{Backend, ReadWrite, Result, Scoped};

use crate::model::{PersonaId, USE_XP};

/// A run that worked with a persona, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonaUse {
    /// The persona.
    pub persona: PersonaId,
    /// The run. It is one use of the persona, however often it is attempted.
    pub run: RunId,
    /// Whether the run succeeded.
    pub succeeded: bool,
}

macro_rules! use_insert {
    ($lock:literal) => {
        concat!(
            "INSERT INTO persona_uses (tenant_id, persona_id, run_id, succeeded, used_at)
             SELECT tenant_id, id, $3, $4, $5 FROM personas WHERE tenant_id = $1 AND id = $2 ",
            $lock,
            " ON CONFLICT (tenant_id, persona_id, run_id) DO NOTHING"
        )
    };
}

/// The persona's row is locked, so that nobody deletes it before the use is committed. Concurrent uses can share this
/// lock.
const USE_INSERT_ON_POSTGRES: &str = use_insert!("FOR KEY SHARE");
/// The transaction is already the only writer, so no lock is needed.
const USE_INSERT_ON_SQLITE: &str = use_insert!("");

/// One statement that increments: concurrent uses wait for the row, and no increment is lost.
const USE_COUNT: &str = "UPDATE personas SET xp = xp + $3, usage_count = usage_count + 1, success_count = success_count + $4
    WHERE tenant_id = $1 AND id = $2";

/// Counts a use of a persona: [`USE_XP`] points, one more use and, where it succeeded, one more success. A use that is
/// already recorded, or whose persona was deleted meanwhile, does not count. Returns whether it counted.
///
/// No permission is checked: a run records its own use, in the transaction with its result.
///
/// # Errors
/// [`Error::NotFound`](nyxcore_tenancy::Error::NotFound) for a run that the tenant does not have; the database fails.
pub async fn persona_use_record(scoped: &Scoped<ReadWrite>, done: PersonaUse) -> Result<bool> {
    let insert = match scoped.backend() {
        Backend::Postgres => USE_INSERT_ON_POSTGRES,
        _ => USE_INSERT_ON_SQLITE,
    };
    let values = [
        done.persona.into(),
        done.run.into(),
        done.succeeded.into(),
        scoped.env().now().into(),
    ];
    if scoped.sql_execute(insert, values).await? == 0 {
        return Ok(false);
    }
    let values = [
        done.persona.into(),
        USE_XP.into(),
        i64::from(done.succeeded).into(),
    ];
    scoped.sql_execute(USE_COUNT, values).await?;
    Ok(true)
}
