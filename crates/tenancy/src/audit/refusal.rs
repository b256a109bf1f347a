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
/// Refusals of any kind that are written one by one, for each credential and window. A rule of this project: a caller
/// who tries every mutation once is written down in full.
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
    /// The last of those that were not written, and how many there are.
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
    /// Counts a refusal, and returns the entries to write for it: its own unless it is folded, and those of a window of
    /// the same credential that has passed.
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

    /// Takes the entries of the windows that have passed, or of all of them, by tenant.
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

/// The last refusal of those that were folded, with how many they are and since when they were counted.
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

/// Writes the entries of refusals that were counted and not written one by one: those whose window has passed, and all
/// of them at the end of the program. Called every minute and at the end.
///
/// # Errors
/// The database refuses; the entries of that tenant are then lost, and were counted only.
pub async fn refusals_flush(store: &Store, all: bool) -> Result<()> {
    let mut result = Ok(());
    for (tenant, entries) in store.refusals().take(store.env(), all) {
        let write = async {
            let scoped = store.write(tenant).await?;
            scoped.insert_all(entries).await?;
            scoped.commit().await
        };
        // One tenant's failure keeps no other tenant's entries back.
        result = result.and(write.await);
    }
    result
}
