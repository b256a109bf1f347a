//! The audit log: who performed which action on what, from where, when, and with what outcome.
//!
//! Changes by a caller or an operator are recorded in the transaction of the change, by
//! [`Scoped::commit`](crate::Scoped::commit). Refused and failed actions are recorded by [`audit_failed`], which folds
//! repetitions into one entry with a count. The use of system scopes is counted by purpose and recorded every minute
//! by [`system_uses_flush`]; system work that changes something adds entries of its own. Entries are never changed: on
//! PostgreSQL the serving role has no right to.

mod refusal;
mod system;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition, FromQueryResult};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::actor::{Acting, Actor, Origin, Step};
use crate::entity::audit_entry;
pub(crate) use crate::entity::audit_entry::{ActiveModel, Entity};
use crate::env::Env;
use crate::error::Result;
use crate::model::{ApiTokenId, AuditEntryId, Caller, Credential, SessionId, TenantId, UserId};
use crate::page::{Page, PageRequest};
use crate::policy::Action;
use crate::registration::{purpose::AUDIT_KEEP, resource::AUDIT_LOG};
use crate::registry::Registry;
use crate::repository;
use crate::repository::Repository;
use crate::root_list;
use crate::store::{Access, Scoped, Store};
use crate::text;

pub(crate) use refusal::Refusals;
pub use refusal::{
    REFUSAL_WINDOW, REFUSALS_IN_FULL, REFUSALS_IN_FULL_OF_CREDENTIAL, refusals_flush,
};
pub use system::{SystemEntry, system_entry_list, system_uses_flush};
pub(crate) use system::{SystemUses, system_entry};

/// The outcome of a successful action.
pub const OUTCOME_OK: &str = "OK";
/// The shortest retention of entries, whatever the operator sets: the database enforces it too.
pub const RETENTION_MIN: TimeDelta = TimeDelta::days(7);

/// The kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditActor {
    /// A user with a session.
    User,
    /// An API token.
    Token,
    /// An operator at the command line.
    Operator,
    /// The program, for a caller without a tenant, or for a push webhook.
    System,
}

impl AuditActor {
    /// The name in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Token => "TOKEN",
            Self::Operator => "OPERATOR",
            Self::System => "SYSTEM",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "USER" => Self::User,
            "TOKEN" => Self::Token,
            "OPERATOR" => Self::Operator,
            _ => Self::System,
        }
    }
}

/// An entry of a tenant's audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// The id; later entries have greater ids.
    pub id: AuditEntryId,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The kind of actor.
    pub actor: AuditActor,
    /// The user, also if a token acted.
    pub user_id: Option<UserId>,
    /// The token.
    pub token_id: Option<ApiTokenId>,
    /// The session.
    pub session_id: Option<SessionId>,
    /// The action: `project.create`, or a field of the API if the request failed before the policy.
    pub action: String,
    /// The kind of the object.
    pub subject_kind: Option<String>,
    /// The id of the object.
    pub subject_id: Option<Uuid>,
    /// The id in the form of the API, `project_01h...`, if this process knows the kind.
    pub subject: Option<String>,
    /// `OK`, or the code of the error.
    pub outcome: String,
    /// The client's address.
    pub address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// Further details, never a secret.
    pub detail: Option<Value>,
}

impl From<audit_entry::Model> for AuditEntry {
    fn from(row: audit_entry::Model) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor: AuditActor::parse(&row.actor),
            user_id: row.user_id,
            token_id: row.token_id,
            session_id: row.session_id,
            action: row.action,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            subject: None,
            outcome: row.outcome,
            address: row.address,
            request_id: row.request_id,
            detail: row.detail,
        }
    }
}

impl AuditEntry {
    /// The entry as one line of JSON Lines, without a line end.
    pub fn json_line(&self) -> String {
        json!({
            "id": self.id,
            "at": self.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "actor": self.actor.as_str(),
            "userId": self.user_id,
            "tokenId": self.token_id,
            "sessionId": self.session_id,
            "action": self.action,
            "subjectId": self.subject,
            "outcome": self.outcome,
            "address": self.address,
            "requestId": self.request_id,
            "detail": self.detail,
        })
        .to_string()
    }

    /// The entry with its subject in the form of the API.
    fn with_subject(self, registry: &Registry) -> Self {
        let kind = self.subject_kind.as_deref().zip(self.subject_id);
        let subject = kind.and_then(|(kind, id)| registry.id_text(kind, id));
        Self { subject, ..self }
    }
}

repository! {
    /// The audit log of a tenant.
    AuditEntries: audit_entry => AuditEntry, Id = id: AuditEntryId
}

/// A filter of entries; `None` does not filter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Entries of this user.
    pub user: Option<UserId>,
    /// Entries of this action.
    pub action: Option<String>,
    /// Entries about this object.
    pub subject: Option<Uuid>,
    /// Entries from this time on.
    pub from: Option<DateTime<Utc>>,
    /// Entries before this time.
    pub to: Option<DateTime<Utc>>,
}

impl AuditFilter {
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for an action or a time that no entry can have.
    fn condition(&self) -> Result<Condition> {
        use audit_entry::Column;
        if let Some(action) = &self.action {
            text::filter("the action", action)?;
        }
        for at in self.from.iter().chain(&self.to) {
            text::time("the time", *at)?;
        }
        Ok(Condition::all()
            .add_option(self.user.map(|user| Column::UserId.eq(user)))
            .add_option(self.action.as_ref().map(|action| Column::Action.eq(action)))
            .add_option(self.subject.map(|subject| Column::SubjectId.eq(subject)))
            .add_option(self.from.map(|from| Column::At.gte(from)))
            .add_option(self.to.map(|to| Column::At.lt(to))))
    }
}

root_list! { AuditFilter => AuditEntry: audit_list, audit_count, |filter| filter }

/// One page of a tenant's audit log, newest first.
///
/// # Errors
/// [`Error::Forbidden`](crate::Error::Forbidden) for a caller who may not read it;
/// [`Error::Invalid`](crate::Error::Invalid) for a filter that no entry can match.
pub async fn audit_list<A: Access>(
    scoped: &Scoped<A>,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<AuditEntry>> {
    scoped.permit(Action::Read, AUDIT_LOG, None)?;
    let page = AuditEntries::list(scoped, filter.condition()?, page).await?;
    Ok(page.map(|entry| entry.with_subject(scoped.registry())))
}

/// The total number of entries that [`audit_list`] lists.
///
/// # Errors
/// As [`audit_list`].
pub async fn audit_count<A: Access>(scoped: &Scoped<A>, filter: &AuditFilter) -> Result<u64> {
    scoped.permit(Action::Read, AUDIT_LOG, None)?;
    AuditEntries::count(scoped, filter.condition()?).await
}

/// Records what a caller tried, with the outcome. `attempted` names the action if the request failed before the policy
/// was checked. After [`REFUSALS_IN_FULL`] refusals of a kind within [`REFUSAL_WINDOW`] the rest are only counted, and
/// [`refusals_flush`] writes their number.
///
/// # Errors
/// The database refuses.
pub async fn audit_failed(
    store: &Store,
    acting: &Acting,
    attempted: &str,
    outcome: &str,
) -> Result<()> {
    let mut steps = acting.unfinished();
    let Caller {
        tenant, credential, ..
    } = acting.caller;
    let actor = Actor::Caller(acting.clone());
    let mut entry = entry(store.env(), tenant, &actor, outcome, steps.pop());
    if entry.subject_kind == Set(None) {
        entry.action = Set(attempted.to_owned());
    }
    let entries = store
        .refusals()
        .add(store.env(), (tenant, credential), entry);
    if entries.is_empty() {
        return Ok(());
    }
    let scoped = store.write(tenant).await?;
    scoped.insert_all(entries).await?;
    scoped.commit().await
}

/// The entries of the actions that one commit completes.
pub(crate) fn entries_done(
    env: &Env,
    tenant: TenantId,
    actor: &Actor,
    steps: Vec<Step>,
) -> Vec<audit_entry::ActiveModel> {
    steps
        .into_iter()
        .map(|step| entry(env, tenant, actor, OUTCOME_OK, Some(step)))
        .collect()
}

/// An entry in a tenant's log about an action of a system scope, for a user who may not have been in the tenant before.
pub(crate) fn entry_by_system(
    env: &Env,
    tenant: TenantId,
    user: Option<UserId>,
    origin: &Origin,
    step: Step,
) -> audit_entry::ActiveModel {
    let mut row = row(env, tenant, AuditActor::System, OUTCOME_OK, Some(step));
    row.user_id = Set(user);
    origin_set(&mut row, origin);
    row
}

fn entry(
    env: &Env,
    tenant: TenantId,
    actor: &Actor,
    outcome: &str,
    step: Option<Step>,
) -> audit_entry::ActiveModel {
    let acting = match actor {
        Actor::Caller(acting) => acting,
        Actor::Remote(origin, _) => {
            let mut row = row(env, tenant, AuditActor::System, outcome, step);
            origin_set(&mut row, origin);
            return row;
        }
        Actor::Operator(_) | Actor::Program => {
            return row(env, tenant, AuditActor::Operator, outcome, step);
        }
    };
    let (kind, token, session) = match acting.caller.credential {
        Credential::Token(token) => (AuditActor::Token, Some(token), None),
        Credential::Session(session) => (AuditActor::User, None, Some(session)),
    };
    let mut row = row(env, tenant, kind, outcome, step);
    row.user_id = Set(Some(acting.caller.user));
    row.token_id = Set(token);
    row.session_id = Set(session);
    origin_set(&mut row, &acting.origin);
    row
}

fn origin_set(row: &mut audit_entry::ActiveModel, origin: &Origin) {
    row.address = Set(origin.address.map(|address| address.to_string()));
    row.request_id = Set(origin.request_id.clone());
}

fn row(
    env: &Env,
    tenant: TenantId,
    actor: AuditActor,
    outcome: &str,
    step: Option<Step>,
) -> audit_entry::ActiveModel {
    let (action, kind, subject, detail) = match step {
        Some(step) => {
            let kind = step.resource.as_str();
            let action = format!("{kind}.{}", step.action.as_str());
            (action, Some(kind.to_owned()), step.subject, step.detail)
        }
        None => (String::new(), None, None, None),
    };
    audit_entry::ActiveModel {
        tenant_id: Set(tenant),
        id: Set(AuditEntryId(env.id())),
        at: Set(env.now()),
        actor: Set(actor.as_str().to_owned()),
        user_id: Set(None),
        token_id: Set(None),
        session_id: Set(None),
        action: Set(action),
        subject_kind: Set(kind),
        subject_id: Set(subject),
        outcome: Set(outcome.to_owned()),
        address: Set(None),
        request_id: Set(None),
        detail: Set(detail),
    }
}

/// Deletes entries older than the operator's retention, but none younger than [`RETENTION_MIN`], and returns their
/// number.
///
/// # Errors
/// The database refuses.
pub async fn audit_expire(store: &Store, keep: TimeDelta) -> Result<u64> {
    let before = store.env().now() - keep.max(RETENTION_MIN);
    let system = store.system(AUDIT_KEEP).await?;
    let gone = match system.backend() {
        sea_orm::DbBackend::Postgres => {
            #[derive(FromQueryResult)]
            struct ExpiredCount {
                gone: i64,
            }
            let rows: Vec<ExpiredCount> = system
                .sql_all("SELECT nyxcore_audit_expire($1) AS gone", [before.into()])
                .await?;
            rows.first().map_or(0, |row| row.gone.unsigned_abs())
        }
        _ => {
            let entries = "DELETE FROM audit_entries WHERE at < $1";
            let uses = "DELETE FROM system_entries WHERE at < $1";
            system.sql_execute(entries, [before.into()]).await?
                + system.sql_execute(uses, [before.into()]).await?
        }
    };
    system.commit().await?;
    Ok(gone)
}
