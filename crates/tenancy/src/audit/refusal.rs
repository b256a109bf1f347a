//! Limits the entries of refused calls: the first few of a kind are recorded individually, the rest are counted and
//! recorded as one entry. Otherwise a caller that repeats a refused call would fill the log, which keeps entries for
//! days.
//!
//! Changes are not affected: their entries are recorded individually with their commit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use serde_json::json;

use super::ActiveModel;
use crate::env::Env;
use crate::error::Result;
use crate::model::{AuditEntryId, Credential, TenantId};
use crate::store::Store;

/// How long refusals are counted together. A rule of this project.
pub const REFUSAL_WINDOW: TimeDelta = TimeDelta::minutes(10);
/// Refusals of one action with one outcome that are recorded individually, for each credential and window. A rule of
/// this project: enough to see what was tried.
pub const REFUSALS_IN_FULL: u64 = 5;
/// Refusals of any kind that are recorded individually, for each credential and window. A rule of this project: a
/// caller who tries every mutation once is recorded in full.
pub const REFUSALS_IN_FULL_OF_CREDENTIAL: u64 = 100;

/// The refusals of the current windows. Held by the store.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<(TenantId, Credential), Window>>);

#[derive(Debug)]
struct Window {
    began_at: DateTime<Utc>,
    in_full: u64,
    kinds: HashMap<(String, String), Kind>,
}

#[derive(Debug, Default)]
struct Kind {
    in_full: u64,
    /// The last of the refusals that were only counted, and their number.
    folded: Option<(ActiveModel, u64)>,
}

impl Window {
    fn folded(&mut self) -> impl Iterator<Item = (DateTime<Utc>, ActiveModel, u64)> {
        let began_at = self.began_at;
        let kinds = self.kinds.values_mut();
        let folded = kinds.filter_map(|kind| kind.folded.take());
        folded.map(move |(entry, times)| (began_at, entry, times))
    }
}

impl Refusals {
    /// Counts a refusal, and returns the entries to write now: its own unless it is only counted, and those of an
    /// expired window of the same credential.
    pub(super) fn add(
        &self,
        env: &Env,
        who: (TenantId, Credential),
        entry: ActiveModel,
    ) -> Vec<ActiveModel> {
        let now = env.now();
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = Vec::new();
        let fresh = || Window {
            began_at: now,
            in_full: 0,
            kinds: HashMap::new(),
        };
        let window = windows.entry(who).or_insert_with(fresh);
        if now - window.began_at >= REFUSAL_WINDOW {
            let folded = window.folded();
            entries.extend(folded.map(|folded| folded_entry(env, folded)));
            *window = fresh();
        }
        let name = (text_of(&entry.action), text_of(&entry.outcome));
        let kind = window.kinds.entry(name).or_default();
        if kind.in_full < REFUSALS_IN_FULL && window.in_full < REFUSALS_IN_FULL_OF_CREDENTIAL {
            kind.in_full += 1;
            window.in_full += 1;
            entries.push(entry);
        } else {
            let times = kind.folded.take().map_or(0, |(_, times)| times);
            kind.folded = Some((entry, times + 1));
        }
        entries
    }

    /// Takes the entries of the expired windows, or of all windows, by tenant.
    fn take(&self, env: &Env, all: bool) -> HashMap<TenantId, Vec<ActiveModel>> {
        let now = env.now();
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries: HashMap<TenantId, Vec<ActiveModel>> = HashMap::new();
        windows.retain(|(tenant, _), window| {
            let has_passed = now - window.began_at >= REFUSAL_WINDOW;
            if has_passed || all {
                let folded = window.folded().map(|folded| folded_entry(env, folded));
                let folded: Vec<_> = folded.collect();
                if !folded.is_empty() {
                    entries.entry(*tenant).or_default().extend(folded);
                }
            }
            !has_passed
        });
        entries
    }
}

/// An entry for the counted refusals: the last one, with their number and the start of the window.
fn folded_entry(
    env: &Env,
    (began_at, mut entry, times): (DateTime<Utc>, ActiveModel, u64),
) -> ActiveModel {
    entry.id = Set(AuditEntryId(env.id()));
    entry.at = Set(env.now());
    entry.detail = Set(Some(json!({
        "refusals": times,
        "since": began_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    })));
    entry
}

fn text_of(value: &sea_orm::ActiveValue<String>) -> String {
    value.try_as_ref().cloned().unwrap_or_default()
}

/// Writes the entries of refusals that were only counted, for the expired windows, or with `all` for every window.
/// Called every minute, and with `all` at the end of the program.
///
/// # Errors
/// The database refuses. The entries of that tenant are then lost.
pub async fn refusals_flush(store: &Store, all: bool) -> Result<()> {
    let mut result = Ok(());
    for (tenant, entries) in store.refusals().take(store.env(), all) {
        let write = async {
            let scoped = store.write(tenant).await?;
            scoped.insert_all(entries).await?;
            scoped.commit().await
        };
        // A failure of one tenant does not prevent the entries of the others.
        result = result.and(write.await);
    }
    result
}
