//! Keeps a source in step with its git repository: mirror, diff, import.
//!
//! [`sync_start`] queues a sync, and [`SyncHandler`] executes it in four phases: `prepare` fetches into the mirror,
//! `scan` compares the commit with the stored files, `import` reads the contents that the tenant does not have, and
//! `finalize` moves the source to the commit and updates the search index. Then the registered [steps](SyncStep)
//! follow. The cost is proportional to the change: without a change nothing is read or imported. Another worker
//! continues a killed sync, with the same result.
//!
//! ```
//! use futures::TryStreamExt;
//! use nyxcore_projects::{NewProject, NewSource, file_all, project_create};
//! use nyxcore_runs::{Workers, run_follow};
//! use nyxcore_sync::git::SourcePolicy;
//! use nyxcore_sync::{SyncHandler, SyncOptions, SyncTrigger, source_add, sync_start};
//!
//! # nyxcore_tests::example!(|store, tenant| [
//! #     nyxcore_runs::registration(), nyxcore_projects::registration(), nyxcore_sync::registration()];
//! # let folder = tempfile::tempdir()?;
//! # let (repository, data_dir) = (folder.path().join("atlas"), folder.path().join("data"));
//! # std::fs::create_dir(&repository)?;
//! # std::fs::write(repository.join("main.rs"), "fn main() {}\n")?;
//! # let git = |arguments: &[&str]| {
//! #     let mut git = std::process::Command::new("git");
//! #     git.current_dir(&repository).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
//! #     git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(arguments);
//! #     git.status().is_ok_and(|status| status.success())
//! # };
//! # assert!(git(&["init", "--quiet"]) && git(&["add", "."]) && git(&["commit", "--quiet", "-m", "First"]));
//! // `repository` is a folder with a git repository, which the operator allows. The program says what a language is.
//! let policy = SourcePolicy { allow_local: true, ..SourcePolicy::default() };
//! let options = SyncOptions::new(&data_dir, policy.clone(), |path| path.ends_with(".rs").then_some("rust"));
//! let workers = Workers::builder(&store).handler(SyncHandler::new(options)).start()?;
//!
//! let scoped = store.write(tenant.id).await?;
//! let project_id = project_create(&scoped, NewProject { name: "Atlas".into(), ..NewProject::default() }).await?.id;
//! let url = repository.to_string_lossy().into_owned();
//! let new = NewSource { project_id, url, branch: None, scan_path: String::new() };
//! let source = source_add(&scoped, &policy, new).await?;
//! let (start, _) = sync_start(&scoped, source.id, SyncTrigger::Manual, None).await?;
//! scoped.commit().await?;
//!
//! let _events: Vec<_> = run_follow(&store, tenant.id, start.run().id, 0).try_collect().await?;
//! workers.shutdown().await;
//! let files = file_all(&store.read(tenant.id).await?, source.id).await?;
//! assert_eq!((files[0].path.as_str(), files[0].language.as_deref()), ("main.rs", Some("rust")));
//! # );
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
