//! The audit log: who did what, on what, from where, when, and with what outcome.

use async_graphql::{Context, Enum, ID, Json, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_tenancy::audit::{AuditActor, AuditEntry, AuditFilter};
use nyxcore_tenancy::id_parse;

use super::ids::{global_id, id_of_option};
use super::viewer::UserNode;
use crate::error::ApiError;

/// What kind of actor did something.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "AuditActor", remote = "AuditActor")]
pub(crate) enum AuditActorName {
    /// A person with a session.
    User,
    /// An API token.
    Token,
    /// An operator at the command line.
    Operator,
    /// The server, for somebody who was in no tenant yet.
    System,
}

/// Something that was done, or tried.
pub(crate) struct AuditEntryNode(pub AuditEntry);

#[Object(name = "AuditEntry")]
impl AuditEntryNode {
    /// Its id.
    async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// What kind of actor it was.
    async fn actor(&self) -> AuditActorName {
        self.0.actor.into()
    }

    /// Which person, also behind a token, while that person belongs to the tenant.
    async fn user(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.user_id).await
    }

    /// The person's id, which stays when the person leaves.
    async fn user_id(&self) -> Option<ID> {
        self.0.user_id.map(global_id)
    }

    /// Which API token.
    async fn token_id(&self) -> Option<ID> {
        self.0.token_id.map(global_id)
    }

    /// What: `project.create`; the mutation's name where it was refused before it got as far.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// On what.
    async fn subject_id(&self) -> Option<ID> {
        self.0.subject.clone().map(ID)
    }

    /// `OK`, or the code of the error.
    async fn outcome(&self) -> &str {
        &self.0.outcome
    }

    /// From which network address.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// In which request, as the header X-Request-Id and the server's log have it.
    async fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// More about it.
    async fn detail(&self) -> Option<Json<serde_json::Value>> {
        self.0.detail.clone().map(Json)
    }
}

/// Which entries are wanted, in the terms of the API.
pub(crate) fn filter(
    user_id: Option<&ID>,
    action: Option<String>,
    subject_id: Option<&ID>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
) -> Result<AuditFilter> {
    let malformed = || ApiError {
        code: "INVALID_ID",
        message: "not a valid id".to_owned(),
    };
    let subject = subject_id
        .map(|id| id_parse(id).ok_or_else(malformed))
        .transpose()?;
    Ok(AuditFilter {
        user: id_of_option(user_id)?,
        action,
        subject: subject.map(|(_, uuid)| uuid),
        from,
        to,
    })
}
