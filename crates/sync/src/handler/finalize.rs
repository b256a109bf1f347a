//! The phase `finalize`: moves the source to the commit, atomically.

use std::sync::Arc;

use nyxcore_projects::{
    HistoryRetention, Source, SourceCommit, SourceFileList, blobs_collect, blobs_missing,
    churn_add, churn_reset, files_apply, source_history_keep, source_synced,
};
use nyxcore_runs::{Level, RunFailure};
use nyxcore_tenancy::{ChildList, Error, ReadWrite, Repository, Scoped};
use sea_orm::ActiveValue::Set;

use super::plan::Plan;
use super::{FINALIZE, INDEX, Job};
use crate::entity::sync;
use crate::model::SyncDetail;
use crate::repository::Syncs;

/// The result of the attempt to move the source.
pub(super) enum MoveOutcome {
    /// It moved.
    Done,
    /// Nothing was written: another source's change has deleted contents that this sync had found in the database.
    ContentGone,
}

impl Job<'_> {
    /// Writes files, history, head commit and the counts of the sync, in one transaction. `complete` says that the
    /// index needs no change.
    pub(super) async fn source_move(
        &self,
        plan: &Plan,
        complete: bool,
    ) -> Result<MoveOutcome, RunFailure> {
        self.context.phase(FINALIZE, None, Some("files")).await?;
        self.skipped_tell(plan).await?;
        let scoped = self.context.write().await?;
        // The lock comes first: from here on no other transaction can change the source.
        self.source_lock(&scoped, &plan.to).await?;
        if !blobs_missing(&scoped, &plan.blob_ids()).await?.is_empty() {
            return Ok(MoveOutcome::ContentGone);
        }
        match files_apply(&scoped, self.source.id, plan.changes.clone()).await {
            // On PostgreSQL a content may be deleted between the check and the insert.
            Err(Error::NotFound(_)) => return Ok(MoveOutcome::ContentGone),
            applied => applied?,
        }
        blobs_collect(&scoped, &plan.replaced).await?;
        self.churn_write(&scoped, plan).await?;
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (added, updated, renamed) = (
            count(plan.changes.added.len()),
            count(plan.changes.updated.len()),
            count(plan.changes.renamed.len()),
        );
        let files = SourceFileList::default()
            .count(&scoped, self.source.id)
            .await?;
        let files = i64::try_from(files).unwrap_or(i64::MAX);
        let skipped = plan.left_out.total() + plan.textless.total();
        let row = sync::ActiveModel {
            files_added: Set(added),
            files_updated: Set(updated),
            files_deleted: Set(count(plan.changes.deleted.len())),
            files_renamed: Set(renamed),
            files_unchanged: Set(files - added - updated - renamed),
            files_skipped: Set(i64::try_from(skipped).unwrap_or(i64::MAX)),
            ..self.moved_row(&plan.to, complete)
        };
        Syncs::update(&scoped, self.detail.run_id, row).await?;
        scoped.commit().await?;
        Ok(MoveOutcome::Done)
    }

    /// The commit is unchanged: records only that it was checked, and that these phases are done.
    pub(super) async fn source_stays(
        &self,
        scoped: &Scoped<ReadWrite>,
        head: &str,
        done: &[String],
    ) -> Result<(), RunFailure> {
        self.source_lock(scoped, head).await?;
        let row = sync::ActiveModel {
            // The same number as after the sync that changed the files: a count would cost more with each file.
            files_unchanged: Set(self.before.as_ref().map_or(0, SyncDetail::files)),
            phases_done: Set(serde_json::json!(done)),
            ..self.moved_row(head, true)
        };
        Syncs::update(scoped, self.detail.run_id, row).await?;
        Ok(())
    }

    async fn source_lock(&self, scoped: &Scoped<ReadWrite>, to: &str) -> Result<(), RunFailure> {
        let now = scoped.env().now();
        let source = source_synced(scoped, self.source.id, to, now).await?;
        if looks_at(&source) == looks_at(&self.source) {
            return Ok(());
        }
        Err(RunFailure::transient(
            "SOURCE_CHANGED",
            "the source was changed during the sync",
        ))
    }

    fn moved_row(&self, to: &str, complete: bool) -> sync::ActiveModel {
        let done: &[&str] = if complete {
            &[FINALIZE, INDEX]
        } else {
            &[FINALIZE]
        };
        sync::ActiveModel {
            from_commit: Set(self.source.head_commit.clone()),
            to_commit: Set(Some(to.to_owned())),
            blob_bytes_max: Set(self.limit()),
            phases_done: Set(serde_json::json!(done)),
            ..Default::default()
        }
    }

    /// Reports the skipped entries: all in one sentence, and by name those that users could not find themselves.
    async fn skipped_tell(&self, plan: &Plan) -> Result<(), RunFailure> {
        if let Some(text) = skipped_text(plan) {
            self.context.message(Level::Info, text).await?;
        }
        let names = &plan.non_utf8_names;
        if names.is_empty() {
            return Ok(());
        }
        let all = plan.left_out.non_utf8_paths;
        let told = names.len() as u64;
        let more = if all > told {
            format!(" and {} more", all - told)
        } else {
            String::new()
        };
        let text = format!(
            "skipped, because their names are not UTF-8: {}{more}",
            names.join(", ")
        );
        self.context.message(Level::Warning, text).await
    }

    async fn churn_write(&self, scoped: &Scoped<ReadWrite>, plan: &Plan) -> Result<(), Error> {
        let Some(churn) = &plan.churn else {
            return Ok(());
        };
        if !churn.incremental {
            churn_reset(scoped, self.source.id).await?;
        }
        let counts: Vec<(&str, i64)> = churn
            .paths
            .iter()
            .map(|path| (path.path.as_str(), i64::from(path.commits)))
            .collect();
        churn_add(scoped, self.source.id, &counts).await?;
        let commits: Vec<SourceCommit> = churn
            .changes
            .iter()
            .map(|change| SourceCommit {
                author: Arc::clone(&change.author),
                committed_at: change.committed_at,
                paths: change.paths.clone(),
            })
            .collect();
        let kept = match churn.incremental {
            true => HistoryRetention::Since(churn.oldest_seconds),
            false => HistoryRetention::Nothing,
        };
        source_history_keep(scoped, self.source.id, &commits, kept).await
    }
}

/// The parts of a source that determine its files.
fn looks_at(source: &Source) -> (&str, Option<&str>, &str) {
    (&source.url, source.branch.as_deref(), &source.scan_path)
}

/// "12 files skipped: 8 binary, 3 too large, 1 symbolic link"; `None` if nothing was skipped.
fn skipped_text(plan: &Plan) -> Option<String> {
    let reasons = [
        (plan.textless.binary, "binary", "binary"),
        (plan.textless.too_large, "too large", "too large"),
        (plan.textless.lfs, "in Git LFS", "in Git LFS"),
        (plan.left_out.symlinks, "symbolic link", "symbolic links"),
        (plan.left_out.submodules, "submodule", "submodules"),
        (
            plan.left_out.non_utf8_paths,
            "with a name that is not UTF-8",
            "with names that are not UTF-8",
        ),
        (
            plan.left_out.long_paths,
            "with a path that is too long",
            "with paths that are too long",
        ),
        (
            plan.left_out.unsafe_names,
            "with an unsafe name",
            "with unsafe names",
        ),
    ];
    let total: u64 = reasons.iter().map(|(count, ..)| count).sum();
    let parts: Vec<String> = reasons
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    let files = if total == 1 { "file" } else { "files" };
    (total > 0).then(|| format!("{total} {files} skipped: {}", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::SkippedEntries;
    use crate::handler::plan::Textless;

    fn text(left_out: SkippedEntries, binary: u64, too_large: u64) -> Option<String> {
        skipped_text(&Plan {
            left_out,
            textless: Textless {
                binary,
                too_large,
                lfs: 0,
            },
            ..Plan::default()
        })
    }

    #[test]
    fn what_was_skipped_is_told_in_one_sentence() {
        let links = SkippedEntries {
            symlinks: 1,
            ..SkippedEntries::default()
        };
        assert_eq!(
            text(links, 8, 3).as_deref(),
            Some("12 files skipped: 8 binary, 3 too large, 1 symbolic link")
        );
        assert_eq!(
            text(SkippedEntries::default(), 1, 0).as_deref(),
            Some("1 file skipped: 1 binary")
        );
        assert_eq!(text(SkippedEntries::default(), 0, 0), None);
    }
}
