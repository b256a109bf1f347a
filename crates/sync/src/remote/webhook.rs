//! GitHub push webhooks: verifies the signature, then starts a sync as any caller does.

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use nyxcore_projects::{Source, SourceId, Sources};
use nyxcore_runs::RunId;
use nyxcore_tenancy::secret::{Keyring, Secret, secret_get, secret_put, secret_remove};
use nyxcore_tenancy::{
    Action, Error, Origin, ReadWrite, Repository, Result, Scoped, Store, TenantId, TypedId,
};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;
use sha2::Sha256;
use uuid::Uuid;

use super::push::Push;
use super::schedule::{another_ask, another_needed};
use super::settings::settings_change;
use crate::entity::{sync_settings, webhook_delivery};
use crate::git::url_origin;
use crate::model::SyncTrigger;
use crate::registration::SOURCE_SECRET;
use crate::service::sync_start;

/// The kind of these secrets in the secret store; their name is the source's id.
pub(super) const KIND: &str = "source_webhook";
/// The largest accepted body, in bytes: the largest that GitHub sends.
pub const WEBHOOK_BODY_MAX: usize = 25 * 1024 * 1024;
/// How long a delivery is remembered. GitHub redelivers for up to 3 days.
const REMEMBERED: TimeDelta = TimeDelta::days(30);
/// The longest accepted delivery id; GitHub's are UUIDs.
const DELIVERY_MAX: usize = 100;
/// The prefix of the signature in its header.
const SCHEME: &str = "sha256=";

/// The address of a webhook, and the signature of its deliveries. An unknown address also has a signature, which never
/// matches.
pub struct WebhookAddress {
    tenant: TenantId,
    source: SourceId,
    exists: bool,
    /// The signature of the part of the body that was read.
    signature: Hmac<Sha256>,
}

impl WebhookAddress {
    /// Looks up an address by its tenant and source. The steps are the same whether the webhook exists or not: one read
    /// of the secret.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn find(
        store: &Store,
        keyring: &Keyring,
        tenant: Option<TenantId>,
        source: Option<SourceId>,
    ) -> Result<Self> {
        let tenant = tenant.unwrap_or(TenantId(Uuid::nil()));
        let source = source.unwrap_or(SourceId(Uuid::nil()));
        let scoped = store.read_for_unproven(tenant).await?;
        let secret = match secret_get(&scoped, keyring, KIND, &source.to_string()).await {
            Err(Error::SecretUnreadable) => {
                tracing::error!(%source, "the secret of a webhook cannot be read: enable the webhook again");
                None
            }
            secret => secret?,
        };
        drop(scoped);
        let exists = secret.is_some();
        let secret = secret.unwrap_or_else(|| Secret::new("nobody's"));
        // HMAC accepts keys of any length.
        let signature = Hmac::new_from_slice(secret.expose())
            .map_err(|_| Error::Invalid("the secret of a webhook is not a valid key".into()))?;
        Ok(Self {
            tenant,
            source,
            exists,
            signature,
        })
    }

    /// Whether the webhook exists. The sender must not learn it: only the stored data may depend on it.
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// Reads the next part of a body.
    pub fn body_read(&mut self, part: &[u8]) {
        self.signature.update(part);
    }

    /// The tenant and source of the delivery, if its signature is valid. The comparison takes constant time.
    fn proven(self, signature: &str) -> Option<(TenantId, SourceId)> {
        let signed = self
            .signature
            .verify_slice(&signature_parse(signature))
            .is_ok();
        (signed && self.exists).then_some((self.tenant, self.source))
    }
}

/// A received delivery.
#[derive(Debug)]
pub struct WebhookDelivery<'a> {
    /// `X-GitHub-Event`.
    pub event: &'a str,
    /// `X-GitHub-Delivery`.
    pub delivery: &'a str,
    /// `X-Hub-Signature-256`.
    pub signature: &'a str,
    /// The body, with the same bytes that [`WebhookAddress::body_read`] has read.
    pub body: &'a [u8],
    /// The sender's origin, for the audit log.
    pub origin: Origin,
}

/// The result of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// It was a ping.
    Pong,
    /// A sync was queued.
    Started(RunId),
    /// A sync waits already, and will include the push.
    Waiting(RunId),
    /// A sync is running that may miss the push: one more sync follows it.
    Follows(RunId),
    /// It does not affect the source. The reason is one of a few stable words.
    Ignored(&'static str),
}

/// Why a delivery is refused.
#[derive(Debug)]
pub enum WebhookRefusal {
    /// No such source, no webhook, or a wrong signature: the sender cannot distinguish them.
    Unproven,
    /// The signature is valid, but GitHub does not send such a delivery.
    Malformed(&'static str),
    /// The store failed.
    Store(Error),
}

impl From<Error> for WebhookRefusal {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Enables the webhook with a new secret, which is returned only here. A previous secret becomes invalid.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a path on the server, which has no webhooks.
pub async fn source_webhook_enable(
    scoped: &Scoped<ReadWrite>,
    keyring: &Keyring,
    source: SourceId,
) -> Result<(Source, String)> {
    scoped.permit(Action::Update, SOURCE_SECRET, source.uuid())?;
    scoped.audit_detail(serde_json::json!({"webhook": true}));
    let source = Sources::require(scoped, source).await?;
    if url_origin(&source.url).is_none() {
        return Err(Error::Invalid(
            "a source that is a path on the server cannot receive webhooks".into(),
        ));
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| {
        Error::Invalid("the server's random number generator failed: try again".into())
    })?;
    let secret = format!("nyxwh_{}", hex::encode(bytes));
    let name = source.id.to_string();
    secret_put(scoped, keyring, KIND, &name, &Secret::new(secret.clone())).await?;
    let row = sync_settings::ActiveModel {
        webhook_since: Set(Some(scoped.env().now())),
        ..Default::default()
    };
    settings_change(scoped, source.id, row).await?;
    Ok((source, secret))
}

/// Disables the webhook. Has no effect if it is already disabled.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn source_webhook_disable(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
) -> Result<Source> {
    scoped.permit(Action::Delete, SOURCE_SECRET, source.uuid())?;
    scoped.audit_detail(serde_json::json!({"webhook": false}));
    let source = Sources::require(scoped, source).await?;
    secret_remove(scoped, KIND, &source.id.to_string()).await?;
    let row = sync_settings::ActiveModel {
        webhook_since: Set(None),
        ..Default::default()
    };
    settings_change(scoped, source.id, row).await?;
    Ok(source)
}

/// Receives a delivery from GitHub. A known delivery is ignored, even under a different id.
///
/// # Errors
/// See [`WebhookRefusal`].
pub async fn webhook_receive(
    store: &Store,
    address: WebhookAddress,
    delivery: &WebhookDelivery<'_>,
) -> Result<WebhookOutcome, WebhookRefusal> {
    let proven = address.proven(delivery.signature);
    let (tenant, source) = proven.ok_or(WebhookRefusal::Unproven)?;
    match delivery.event {
        "ping" => return Ok(WebhookOutcome::Pong),
        "push" => {}
        _ => return Ok(WebhookOutcome::Ignored("EVENT_NOT_USED")),
    }
    let named = (1..=DELIVERY_MAX).contains(&delivery.delivery.len())
        && delivery.delivery.bytes().all(|b| b.is_ascii_graphic());
    if !named {
        return Err(WebhookRefusal::Malformed(
            "the header X-GitHub-Delivery is missing or too long",
        ));
    }
    let push: Push = serde_json::from_slice(delivery.body).map_err(|_| {
        WebhookRefusal::Malformed(
            "the body is not a GitHub push event: choose the content type application/json",
        )
    })?;
    let scoped = store
        .write_as_remote(tenant, delivery.origin.clone())
        .await?;
    let source = match Sources::get(&scoped, source).await? {
        Some(source) => source,
        None => return Err(WebhookRefusal::Unproven),
    };
    if let Some(reason) = push.ignored(&source) {
        return Ok(WebhookOutcome::Ignored(reason));
    }
    if !is_new(&scoped, &source, delivery).await? {
        return Ok(WebhookOutcome::Ignored("REPLAY"));
    }
    let (start, sync) = sync_start(&scoped, source.id, SyncTrigger::Webhook, None).await?;
    scoped.audit_detail(serde_json::json!({"trigger": "WEBHOOK", "delivery": delivery.delivery}));
    let id = start.run().id;
    let outcome = if start.is_started() {
        WebhookOutcome::Started(id)
    } else if another_needed(&sync.run) {
        another_ask(&scoped, source.id, scoped.env().now()).await?;
        WebhookOutcome::Follows(id)
    } else {
        WebhookOutcome::Waiting(id)
    };
    scoped.commit().await?;
    Ok(outcome)
}

/// The bytes of `sha256=<64 hex digits>`; a malformed signature matches nothing.
fn signature_parse(header: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    let digits = header.strip_prefix(SCHEME).unwrap_or_default();
    match hex::decode_to_slice(digits, &mut bytes) {
        Ok(()) => bytes,
        Err(_) => [0; 32],
    }
}

/// Whether neither the delivery's id nor its signature was seen before. The id itself is not signed: anyone who has one
/// delivery could send it again with another id.
async fn is_new(
    scoped: &Scoped<ReadWrite>,
    source: &Source,
    delivery: &WebhookDelivery<'_>,
) -> Result<bool> {
    let now = scoped.env().now();
    let old = webhook_delivery::Column::ReceivedAt.lt(now - REMEMBERED);
    scoped.delete::<webhook_delivery::Entity>(old).await?;
    let added = scoped
        .sql_execute(
            "INSERT INTO webhook_deliveries (tenant_id, source_id, delivery, received_at)
             VALUES ($1, $2, $3, $5), ($1, $2, $4, $5) ON CONFLICT DO NOTHING",
            [
                source.id.0.into(),
                delivery.delivery.into(),
                delivery.signature.to_ascii_lowercase().into(),
                now.into(),
            ],
        )
        .await?;
    Ok(added == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation ("Validating webhook deliveries", testing the webhook payload validation).
    #[test]
    fn a_signature_is_the_one_that_github_documents() {
        let given = signature_parse(
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        );
        let verify = |secret: &str, body: &str| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.chain_update(body).verify_slice(&given).is_ok()
        };
        assert!(verify("It's a Secret to Everybody", "Hello, World!"));
        assert!(!verify("It's a Secret to Everybody", "Hello, World"));
        assert!(!verify("It's a Secret to everybody", "Hello, World!"));
    }

    #[test]
    fn what_is_no_signature_is_none() {
        for text in [
            "",
            "sha256=",
            "sha256=00",
            "sha1=757107ea",
            &format!("sha256={}", "zz".repeat(32)),
            &format!("sha256={}", "+1".repeat(32)),
            &"é".repeat(36),
        ] {
            assert_eq!(signature_parse(text), [0; 32], "{text}");
        }
    }
}
