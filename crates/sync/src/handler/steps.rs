//! The phases after `index`: the registered steps. The pending steps are stored with the sync, and updated in the
//! transaction of each step, so that a crash loses nothing.

use nyxcore_runs::{Level, RunFailure};
use nyxcore_tenancy::{ReadWrite, Repository, Scoped};
use sea_orm::ActiveValue::Set;

use super::{FINALIZE, INDEX, Job, SyncedChanges};
use crate::entity::sync;
use crate::repository::Syncs;
use crate::service::sync_skips;
use crate::step::{StepContext, SyncStep};

/// The reason of a skipped step if no file changed.
const NOTHING_NEW: &str = "the sync changed nothing";
/// The reason of skipped phases if the commit is stored already.
const UNCHANGED: &str = "nothing changed since the last sync";

impl Job<'_> {
    /// Handles an unchanged branch: records the check, and reads nothing.
    pub(super) async fn nothing_changed(&self, head: &str) -> Result<SyncedChanges, RunFailure> {
        let scoped = self.context.write().await?;
        let mut skipped = vec![
            ("scan", UNCHANGED),
            ("import", UNCHANGED),
            (FINALIZE, UNCHANGED),
            (INDEX, UNCHANGED),
        ];
        let mut done = vec![FINALIZE.to_owned(), INDEX.to_owned()];
        // Only up to the first pending step, so that the events have the order of the steps.
        for step in self
            .steps
            .iter()
            .take_while(|step| !self.is_due(step.as_ref(), false))
        {
            skipped.push((step.kind().as_str(), NOTHING_NEW));
            done.push(step.kind().as_str().to_owned());
        }
        self.source_stays(&scoped, head, &done).await?;
        self.context.phases_skipped_in(&scoped, &skipped).await?;
        scoped.commit().await?;
        Ok(SyncedChanges {
            news: false,
            paths: Some(Default::default()),
            done,
        })
    }

    /// Runs the pending steps. A failed step is a warning, and the next sync repeats it.
    pub(super) async fn steps_run(&self, brought: SyncedChanges) -> Result<(), RunFailure> {
        let mut done = brought.done;
        for step in self.steps {
            let name = step.kind().as_str();
            if done.iter().any(|phase| phase == name) {
                continue;
            }
            self.context.check()?;
            let is_due = self.is_due(step.as_ref(), brought.news);
            let asked = sync_skips(self.context.run(), step.kind());
            if !is_due || asked {
                let reason = if asked {
                    "left out, as asked"
                } else {
                    NOTHING_NEW
                };
                let scoped = self.context.write().await?;
                if !is_due {
                    done.push(name.to_owned());
                    self.phases_done_write(&scoped, &done).await?;
                }
                let skipped = [(name, reason)];
                self.context.phases_skipped_in(&scoped, &skipped).await?;
                scoped.commit().await?;
                continue;
            }
            self.context.phase(name, None, None).await?;
            // If the previous sync left the step pending, other paths than the changed ones may need it as well.
            let all = self.step_left_undone(name);
            let context = StepContext {
                run: self.context,
                source: &self.source,
                changed: brought.paths.as_ref().filter(|_| !all),
            };
            match step.run(context).await {
                Ok(last) => {
                    done.push(name.to_owned());
                    self.phases_done_write(&last.scoped, &done).await?;
                    if let Some(told) = last.told {
                        let told = self.context.message_in(&last.scoped, Level::Info, told);
                        told.await?;
                    }
                    last.scoped.commit().await?;
                }
                Err(failure) => {
                    // If the run was cancelled or lost, the sync ends here.
                    self.context.check()?;
                    drop(self.context.write().await?);
                    tracing::warn!(step = name, %failure, "a step of a sync failed");
                    let text = format!(
                        "{name} failed and is repeated by the next sync: {}",
                        failure.message
                    );
                    self.context.message(Level::Warning, text).await?;
                }
            }
        }
        Ok(())
    }

    fn is_due(&self, step: &dyn SyncStep, news: bool) -> bool {
        news || self.step_left_undone(step.kind().as_str())
    }

    /// Whether the previous sync ended without that step. False if there was none.
    fn step_left_undone(&self, name: &str) -> bool {
        !self.before.as_ref().is_some_and(|sync| sync.has_done(name))
    }

    pub(super) async fn phases_done_write(
        &self,
        scoped: &Scoped<ReadWrite>,
        done: &[String],
    ) -> Result<(), RunFailure> {
        let row = sync::ActiveModel {
            phases_done: Set(serde_json::json!(done)),
            ..Default::default()
        };
        Syncs::update(scoped, self.detail.run_id, row).await?;
        Ok(())
    }
}
