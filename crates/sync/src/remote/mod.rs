//! Credentials, webhooks and schedules of sources, and their removal with the source.

mod credential;
mod push;
mod removal;
mod schedule;
mod settings;
mod webhook;

pub use credential::{
    SourceCredential, SourceCredentialKind, source_credential_remove, source_credential_set,
};
pub(crate) use credential::{source_access, source_url_changed};
pub use removal::TOPIC_SOURCE_GONE;
pub(crate) use removal::source_forget;
pub use schedule::{
    SCHEDULE_MINUTES, SourceSchedule, schedule_tick, source_schedule_set, sync_again,
};
pub use settings::{OwnCredential, SyncSettings, sync_settings_of};
pub(crate) use settings::{SettingsRows, settings_change, sync_settings_ensure};
pub use webhook::{
    WEBHOOK_BODY_MAX, WebhookAddress, WebhookDelivery, WebhookOutcome, WebhookRefusal,
    source_webhook_disable, source_webhook_enable, webhook_receive,
};
