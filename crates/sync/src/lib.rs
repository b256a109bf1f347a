//! Keeps a source in step with its git repository: mirror, diff, import.
//!
//! [`sync_start`] queues a sync, and [`SyncHandler`] executes it in four phases: `prepare` fetches into the mirror,
//! `scan` compares the commit with the stored files, `import` reads the contents that the tenant does not have, and
//! `finalize` moves the source to the commit and updates the search index. Then the registered [steps](SyncStep)
//! follow. The cost is proportional to the change: without a change nothing is read or imported. Another worker
//! continues a killed sync, with the same result.
//!
//! ```
//! use std::path::Path;
//!
//! use nyxcore_projects::SourceId;
//! use nyxcore_runs::{Start, Workers};
//! use nyxcore_sync::git::SourcePolicy;
//! use nyxcore_sync::{SyncHandler, SyncOptions, SyncTrigger, sync_start};
//! use nyxcore_tenancy::{Result, Store, TenantId};
//!
//! fn language_of(path: &str) -> Option<&'static str> {
//!     path.ends_with(".rs").then_some("rust")
//! }
//!
//! async fn sync(store: &Store, data_dir: &Path, tenant: TenantId, source: SourceId) -> Result<Start> {
//!     let options = SyncOptions::new(data_dir, SourcePolicy::default(), language_of);
//!     let workers = Workers::builder(store).handler(SyncHandler::new(options)).start()?;
//!     let scoped = store.write(tenant).await?;
//!     let (start, sync) = sync_start(&scoped, source, SyncTrigger::Manual, None).await?;
//!     scoped.commit().await?;
//!     assert_eq!(sync.run.id, start.run().id);
//!     workers.shutdown().await;
//!     Ok(start)
//! }
//! ```

pub mod connection;
mod entity;
mod error;
pub mod git;
mod handler;
mod mirrors;
mod model;
mod options;
mod registration;
mod remote;
mod repository;
mod service;
mod source;
mod step;

pub use handler::SyncHandler;
pub use mirrors::{MirrorSweepError, mirrors_sweep};
pub use model::{SourceStatus, Sync, SyncDetail, SyncStepKind, SyncTrigger};
pub use options::{FETCH_BYTES_MAX, SyncOptions, mirror_remove};
pub use registration::{GIT_CONNECTION, SOURCE_SECRET, SYNC, SYNC_RUN, registration};
pub use remote::{
    OwnCredential, SCHEDULE_MINUTES, SourceCredential, SourceCredentialKind, SourceSchedule,
    SyncSettings, TOPIC_SOURCE_GONE, WEBHOOK_BODY_MAX, WebhookAddress, WebhookDelivery,
    WebhookOutcome, WebhookRefusal, schedule_tick, source_credential_remove, source_credential_set,
    source_schedule_set, source_webhook_disable, source_webhook_enable, sync_again,
    sync_settings_of, webhook_receive,
};
pub use repository::{
    SourceSyncs, Syncs, sync_details, sync_get, sync_latest, sync_latest_of_projects,
    sync_latest_of_sources,
};
pub use service::{source_status, sync_start, sync_start_without, sync_subject, sync_swept};
pub use source::{SourceError, project_delete, source_add, source_remove, source_update};
pub use step::{StepContext, StepDone, SyncStep};
