//! Mutations of a source's credential, webhook and schedule. Secrets are write-only, except that a new webhook secret
//! is shown once.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_projects::SourceId;
use nyxcore_sync::{
    SourceCredential, source_credential_remove, source_credential_set, source_schedule_set,
    source_webhook_disable, source_webhook_enable,
};
use nyxcore_tenancy::secret::secret_text;

use crate::context::operation;
use crate::error::ApiError;
use crate::schema::ids::id_of;
use crate::schema::source::SourceNode;

/// The user name if none is given. Hosts that require a specific one document it.
const USERNAME: &str = "git";

#[derive(Default)]
pub(crate) struct RemoteMutation;

#[Object]
impl RemoteMutation {
    /// Sets the credential with which a private repository is fetched. It replaces an existing credential, is stored
    /// encrypted and is never returned. It is bound to the scheme, host and port of the source's current address, and
    /// is deleted when they change.
    async fn set_source_credential(
        &self,
        context: &Context<'_>,
        input: SetSourceCredentialInput,
    ) -> Result<SetSourceCredentialPayload> {
        let op = operation(context);
        let id = id_of::<SourceId>(&input.source_id)?;
        let credential = match (input.token, input.ssh_key) {
            (Some(given), None) => SourceCredential::Token {
                username: given.username.unwrap_or_else(|| USERNAME.into()),
                token: secret_text(given.token),
            },
            (None, Some(given)) => SourceCredential::SshKey {
                private_key: secret_text(given.private_key),
                known_hosts: given.known_hosts,
            },
            _ => {
                return Err(ApiError::invalid("give either a token or an SSH key").into());
            }
        };
        let source = op
            .change(async |scoped| {
                source_credential_set(scoped, &op.services().keyring, id, credential).await
            })
            .await?;
        Ok(SetSourceCredentialPayload {
            source: SourceNode(source),
        })
    }

    /// Deletes the credential of a source. Has no effect if there is none.
    async fn remove_source_credential(
        &self,
        context: &Context<'_>,
        input: RemoveSourceCredentialInput,
    ) -> Result<RemoveSourceCredentialPayload> {
        let id = id_of::<SourceId>(&input.source_id)?;
        let source = operation(context)
            .change(async |scoped| source_credential_remove(scoped, id).await)
            .await?;
        Ok(RemoveSourceCredentialPayload {
            source: SourceNode(source),
        })
    }

    /// Enables the GitHub push webhook of a source. Each call creates a new secret and invalidates the previous one.
    async fn enable_source_webhook(
        &self,
        context: &Context<'_>,
        input: EnableSourceWebhookInput,
    ) -> Result<EnableSourceWebhookPayload> {
        let op = operation(context);
        let id = id_of::<SourceId>(&input.source_id)?;
        let (source, secret) = op
            .change(async |scoped| source_webhook_enable(scoped, &op.services().keyring, id).await)
            .await?;
        let (public_url, tenant) = (&op.services().public_url, op.caller().tenant);
        Ok(EnableSourceWebhookPayload {
            url: format!("{public_url}/api/v1/webhooks/github/{tenant}/{}", source.id),
            source: SourceNode(source),
            secret,
        })
    }

    /// Disables the push webhook of a source. Has no effect if it is already disabled.
    async fn disable_source_webhook(
        &self,
        context: &Context<'_>,
        input: DisableSourceWebhookInput,
    ) -> Result<DisableSourceWebhookPayload> {
        let id = id_of::<SourceId>(&input.source_id)?;
        let source = operation(context)
            .change(async |scoped| source_webhook_disable(scoped, id).await)
            .await?;
        Ok(DisableSourceWebhookPayload {
            source: SourceNode(source),
        })
    }

    /// Sets or removes the sync schedule of a source. Each start is shifted by up to a tenth of the interval. After
    /// failed syncs the interval grows, up to one day.
    async fn set_source_schedule(
        &self,
        context: &Context<'_>,
        input: SetSourceScheduleInput,
    ) -> Result<SetSourceSchedulePayload> {
        let id = id_of::<SourceId>(&input.source_id)?;
        let every = input.every_minutes.map(i64::from);
        let source = operation(context)
            .change(async |scoped| source_schedule_set(scoped, id, every).await)
            .await?;
        Ok(SetSourceSchedulePayload {
            source: SourceNode(source),
        })
    }
}

/// The credential to set: either a token or an SSH key.
#[derive(InputObject)]
struct SetSourceCredentialInput {
    /// The id of the source.
    source_id: ID,
    /// A token, for a source at `https://`.
    token: Option<TokenInput>,
    /// An SSH key, for a source at `ssh://`.
    ssh_key: Option<SshKeyInput>,
}

/// A token, or a user name with a password.
#[derive(InputObject)]
struct TokenInput {
    /// The user name. Defaults to `git`. GitHub and GitLab accept any user name with a token.
    username: Option<String>,
    /// The token or password: up to 8,192 printable ASCII characters without spaces.
    token: String,
}

/// A private key. We recommend a deploy key that is used for this source only.
#[derive(InputObject)]
struct SshKeyInput {
    /// The content of the private key file, without a passphrase, up to 16 KiB.
    private_key: String,
    /// Lines of a `known_hosts` file, as printed by `ssh-keyscan`. Only these host keys are trusted. If omitted, the
    /// host key is trusted on first use and remembered.
    known_hosts: Option<String>,
}

/// The changed source.
#[derive(SimpleObject)]
struct SetSourceCredentialPayload {
    /// The source.
    source: SourceNode,
}

/// The credential to delete.
#[derive(InputObject)]
struct RemoveSourceCredentialInput {
    /// The id of the source.
    source_id: ID,
}

/// The changed source.
#[derive(SimpleObject)]
struct RemoveSourceCredentialPayload {
    /// The source.
    source: SourceNode,
}

/// The source whose webhook to enable.
#[derive(InputObject)]
struct EnableSourceWebhookInput {
    /// The id of the source.
    source_id: ID,
}

/// The values to enter at GitHub under Settings, Webhooks, Add webhook. Choose the content type `application/json` and
/// the event `push`.
#[derive(SimpleObject)]
struct EnableSourceWebhookPayload {
    /// The source.
    source: SourceNode,
    /// The payload URL. It has no scheme and host if the server does not know its public address (`public_url`).
    url: String,
    /// The secret. It is not shown again.
    secret: String,
}

/// The source whose webhook to disable.
#[derive(InputObject)]
struct DisableSourceWebhookInput {
    /// The id of the source.
    source_id: ID,
}

/// The changed source.
#[derive(SimpleObject)]
struct DisableSourceWebhookPayload {
    /// The source.
    source: SourceNode,
}

/// The sync schedule of a source.
#[derive(InputObject)]
struct SetSourceScheduleInput {
    /// The id of the source.
    source_id: ID,
    /// The minutes between two syncs, 5 to 43,200 (30 days). Null removes the schedule.
    every_minutes: Option<i32>,
}

/// The changed source.
#[derive(SimpleObject)]
struct SetSourceSchedulePayload {
    /// The source.
    source: SourceNode,
}
