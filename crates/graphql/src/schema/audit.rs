//! The audit log: who performed which action on what, from where, when, and with what outcome.

use async_graphql::{Context, ID, Json, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_tenancy::audit::{AuditActor, AuditEntry, AuditFilter};
use nyxcore_tenancy::id_parse;

use super::ids::{global_id, id_of_option};
use super::mirror::mirror;
use super::viewer::UserNode;
use crate::error::ApiError;

mirror! {
    /// The kind of actor that performed an action.
    pub(crate) enum AuditActorName = "AuditActor" {
        /// A user with a session.
        User,
        /// An API token.
        Token,
        /// An operator at the command line.
        Operator,
        /// The server itself, for a caller who was not in a tenant yet.
        System,
    }
}

/// An action that was performed or attempted.
pub(crate) struct AuditEntryNode(pub AuditEntry);

#[Object(name = "AuditEntry")]
impl AuditEntryNode {
    /// The id of the entry.
    async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The time of the action.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// The kind of actor.
    async fn actor(&self) -> AuditActorName {
        self.0.actor.into()
    }

    /// The user who acted, directly or through an API token. Null when the user no longer belongs to the tenant.
    async fn user(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.user_id).await
    }

    /// The id of the user. It remains after the user leaves the tenant.
    async fn user_id(&self) -> Option<ID> {
        self.0.user_id.map(global_id)
    }

    /// The id of the API token that was used.
    async fn token_id(&self) -> Option<ID> {
        self.0.token_id.map(global_id)
    }

    /// The name of the action, such as `project.create`. The name of the mutation if it was refused before the action
    /// began.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// The id of the object that was acted on.
    async fn subject_id(&self) -> Option<ID> {
        self.0.subject.clone().map(ID)
    }

    /// `OK`, or the error code.
    async fn outcome(&self) -> &str {
        &self.0.outcome
    }

    /// The network address of the client.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The id of the request, as in the header X-Request-Id and in the server's log.
    async fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Additional details.
    async fn detail(&self) -> Option<Json<serde_json::Value>> {
        self.0.detail.clone().map(Json)
    }
}

/// The filter of the entries, in the terms of the API.
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
