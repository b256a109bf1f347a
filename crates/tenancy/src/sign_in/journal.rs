//! Records sign-ins and sign-outs: in the system log, and in the audit log of each tenant of the user.

use sea_orm::Value;
use serde_json::json;
use uuid::Uuid;

use crate::actor::Origin;
use crate::audit::{AuditActor, OUTCOME_OK};
use crate::error::Result;
use crate::model::{SessionId, UserId};
use crate::store::SystemScope;

/// An event of a sign-in or an account.
pub(crate) struct Event {
    /// The action's name in the log.
    pub(crate) action: &'static str,
    /// The sign-in method: `password`, or the name of a provider.
    pub(crate) method: Option<String>,
    /// The user, if the account is known.
    pub(crate) user: Option<UserId>,
    /// The session.
    pub(crate) session: Option<SessionId>,
    /// `OK`, or the code of the refusal.
    pub(crate) outcome: &'static str,
}

impl Event {
    /// A completed action of a user on the account.
    pub(crate) fn done(action: &'static str, user: UserId, session: Option<SessionId>) -> Self {
        Self {
            action,
            method: None,
            user: Some(user),
            session,
            outcome: OUTCOME_OK,
        }
    }

    /// A sign-in that was refused.
    pub(crate) fn refused(method: &str, code: &'static str) -> Self {
        Self {
            action: "sign_in",
            method: Some(method.to_owned()),
            user: None,
            session: None,
            outcome: code,
        }
    }
}

/// Records an event in its own transaction. The same two statements run for known and unknown accounts, so that their
/// number reveals nothing.
pub(crate) async fn add(system: &SystemScope, event: Event, origin: &Origin) -> Result<()> {
    write(system, AuditActor::User, event, origin).await
}

/// As [`add`], for an action of an operator.
pub(crate) async fn add_by_operator(system: &SystemScope, event: Event) -> Result<()> {
    write(system, AuditActor::Operator, event, &Origin::default()).await
}

async fn write(
    system: &SystemScope,
    actor: AuditActor,
    event: Event,
    origin: &Origin,
) -> Result<()> {
    let detail = json!({"action": event.action, "method": event.method, "session": event.session});
    let subject = event.user.map(|user| user.0);
    system
        .record(event.outcome, subject, origin, Some(detail))
        .await?;
    let values: [Value; 11] = [
        event.user.map_or(Uuid::nil(), |user| user.0).into(),
        system.env().id().into(),
        system.env().now().into(),
        actor.as_str().into(),
        event.session.map(|session| session.0).into(),
        event.action.into(),
        event.outcome.into(),
        origin.address.map(|address| address.to_string()).into(),
        origin.request_id.clone().into(),
        event.method.map(|method| json!({"method": method})).into(),
        None::<Uuid>.into(),
    ];
    system
        .sql_execute(
            "INSERT INTO audit_entries (tenant_id, id, at, actor, user_id, token_id, session_id, action, outcome, address, request_id, detail)
             SELECT m.tenant_id, $2, $3, $4, m.user_id, $11, $5, $6, $7, $8, $9, $10 FROM memberships m WHERE m.user_id = $1",
            values,
        )
        .await
        .map(drop)
}
