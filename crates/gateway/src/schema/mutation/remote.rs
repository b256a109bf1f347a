//! What a source's remote is asked with, and when it is asked. Secrets go in and never come out, but for that of a webhook, once.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_projects::SourceId;
use nyxcore_sync::{
    SourceCredential, source_credential_remove, source_credential_set, source_schedule_set,
    source_webhook_disable, source_webhook_enable,
};

use crate::context::operation;
use crate::error::ApiError;
use crate::schema::ids::id_of;
use crate::schema::source::SourceNode;

/// The user name where none is given: hosts that want a particular one say so.
const USERNAME: &str = "git";

#[derive(Default)]
pub(crate) struct RemoteMutation;

#[Object]
impl RemoteMutation {
    /// Keeps what a private repository is fetched with, sealed, in the place of what was there. Nothing gives it back. It is for the scheme,
    /// host and port that the source has now: with another address it is forgotten.
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
                token: given.token,
            },
            (None, Some(given)) => SourceCredential::SshKey {
                private_key: given.private_key,
                known_hosts: given.known_hosts,
            },
            _ => {
                return Err(ApiError::invalid("give either a token or an SSH key").into());
            }
        };
        let source = op
            .change(async |scoped| {
                source_credential_set(scoped, op.gateway().keyring(), id, credential).await
            })
            .await?;
        Ok(SetSourceCredentialPayload {
            source: SourceNode(source),
        })
    }

    /// Forgets what a source is fetched with. Twice is once.
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

    /// Listens to pushes that GitHub tells of. Each call makes another secret, and the one before is good no more.
    async fn enable_source_webhook(
        &self,
        context: &Context<'_>,
        input: EnableSourceWebhookInput,
    ) -> Result<EnableSourceWebhookPayload> {
        let op = operation(context);
        let id = id_of::<SourceId>(&input.source_id)?;
        let (source, secret) = op
            .change(async |scoped| source_webhook_enable(scoped, op.gateway().keyring(), id).await)
            .await?;
        let (public_url, tenant) = (op.gateway().public_url(), op.caller().tenant);
        Ok(EnableSourceWebhookPayload {
            url: format!("{public_url}/api/v1/webhooks/github/{tenant}/{}", source.id),
            source: SourceNode(source),
            secret,
        })
    }

    /// Listens to pushes no more. Twice is once.
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

    /// Syncs a source every so often, or no more. Each time is moved by up to a tenth; a source whose syncs fail is asked less and less often, down
    /// to once a day.
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

/// What to fetch a source with: either a token or an SSH key.
#[derive(InputObject)]
struct SetSourceCredentialInput {
    /// Which.
    source_id: ID,
    /// For a source at `https://`.
    token: Option<TokenInput>,
    /// For a source at `ssh://`.
    ssh_key: Option<SshKeyInput>,
}

/// A token, or a user name with a password.
#[derive(InputObject)]
struct TokenInput {
    /// The user name; `git` where it is not given. GitHub and GitLab take any with a token.
    username: Option<String>,
    /// The token or password: up to 8,192 printable ASCII characters without spaces.
    token: String,
}

/// A private key, best made for this source alone (a deploy key).
#[derive(InputObject)]
struct SshKeyInput {
    /// The text of the private key's file, without a passphrase, up to 16 KiB.
    private_key: String,
    /// Lines of a `known_hosts` file, as `ssh-keyscan` prints them; only these host keys are trusted then. Without them a host is trusted at first
    /// sight, and its key remembered.
    known_hosts: Option<String>,
}

/// The source, whose credential is kept now.
#[derive(SimpleObject)]
struct SetSourceCredentialPayload {
    /// The source.
    source: SourceNode,
}

/// The credential to forget.
#[derive(InputObject)]
struct RemoveSourceCredentialInput {
    /// Whose.
    source_id: ID,
}

/// The source, which has no credential now.
#[derive(SimpleObject)]
struct RemoveSourceCredentialPayload {
    /// The source.
    source: SourceNode,
}

/// The source whose pushes to listen to.
#[derive(InputObject)]
struct EnableSourceWebhookInput {
    /// Which.
    source_id: ID,
}

/// What to enter at GitHub: Settings, Webhooks, Add webhook, with the content type `application/json` and the event `push`.
#[derive(SimpleObject)]
struct EnableSourceWebhookPayload {
    /// The source.
    source: SourceNode,
    /// The payload URL; without scheme and host where the server does not know its public address (`public_url`).
    url: String,
    /// The secret. It is not shown again.
    secret: String,
}

/// The source whose pushes are no longer listened to.
#[derive(InputObject)]
struct DisableSourceWebhookInput {
    /// Which.
    source_id: ID,
}

/// The source, which has no webhook now.
#[derive(SimpleObject)]
struct DisableSourceWebhookPayload {
    /// The source.
    source: SourceNode,
}

/// When to sync a source.
#[derive(InputObject)]
struct SetSourceScheduleInput {
    /// Which.
    source_id: ID,
    /// Minutes between two syncs, 5 to 43,200 (30 days); null ends the schedule.
    every_minutes: Option<i32>,
}

/// The source with its schedule.
#[derive(SimpleObject)]
struct SetSourceSchedulePayload {
    /// The source.
    source: SourceNode,
}
