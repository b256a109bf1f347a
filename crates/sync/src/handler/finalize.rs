//! The phase `finalize`, first part: the source moves to the commit, all at once.

use nyxcore_projects::{
    Source, blobs_collect, blobs_missing, churn_add, churn_reset, file_count, files_apply,
    source_synced,
};
use nyxcore_runs::{Level, RunFailure};
use nyxcore_tenancy::{Error, ReadWrite, Repository, Scoped};
use sea_orm::ActiveValue::Set;

use super::Job;
use super::plan::Plan;
use crate::entity::sync;
use crate::repository::Syncs;

/// What became of the attempt to move the source.
pub(super) enum Moved {
    /// It moved.
    Done,
    /// Nothing was written: contents that were there are gone, because the last file that had them elsewhere is.
    ContentGone,
}

impl Job<'_> {
    /// Files, history, head commit and the counts of the sync, in one transaction.
    pub(super) async fn source_move(&self, plan: &Plan) -> Result<Moved, RunFailure> {
        self.context.phase("finalize", None, Some("files")).await?;
        if let Some(text) = skipped_text(plan) {
            self.context.message(Level::Info, text).await?;
        }
        let scoped = self.context.write().await?;
        // First, because it locks the source: it cannot be changed by others from here on.
        let now = scoped.env().now();
        let source = source_synced(&scoped, self.source.id, &plan.to, now).await?;
        if looks_at(&source) != looks_at(&self.source) {
            return Err(RunFailure::transient(
                "SOURCE_CHANGED",
                "the source was changed while it was synced",
            ));
        }
        if !blobs_missing(&scoped, &plan.blob_ids()).await?.is_empty() {
            return Ok(Moved::ContentGone);
        }
        match files_apply(&scoped, self.source.id, plan.changes.clone()).await {
            // On PostgreSQL a content may go between the look and the insert.
            Err(Error::NotFound(_)) => return Ok(Moved::ContentGone),
            applied => applied?,
        }
        blobs_collect(&scoped, &plan.replaced).await?;
        self.churn_write(&scoped, plan).await?;
        self.detail_write(&scoped, plan).await?;
        scoped.commit().await?;
        Ok(Moved::Done)
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
        churn_add(scoped, self.source.id, &counts).await
    }

    async fn detail_write(&self, scoped: &Scoped<ReadWrite>, plan: &Plan) -> Result<(), Error> {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (added, updated) = (
            count(plan.changes.added.len()),
            count(plan.changes.updated.len()),
        );
        let files = file_count(scoped, self.source.id, None).await?;
        let files = i64::try_from(files).unwrap_or(i64::MAX);
        let skipped = plan.left_out.total() + plan.textless.binary + plan.textless.too_large;
        let row = sync::ActiveModel {
            from_commit: Set(self.source.head_commit.clone()),
            to_commit: Set(Some(plan.to.clone())),
            files_added: Set(added),
            files_updated: Set(updated),
            files_deleted: Set(count(plan.changes.deleted.len())),
            files_unchanged: Set(files - added - updated),
            files_skipped: Set(i64::try_from(skipped).unwrap_or(i64::MAX)),
            ..Default::default()
        };
        Syncs::update(scoped, self.detail.run_id, row).await?;
        Ok(())
    }
}

/// What a source looks at: its files are of nothing else.
fn looks_at(source: &Source) -> (&str, Option<&str>, &str) {
    (&source.url, source.branch.as_deref(), &source.scan_path)
}

/// "12 files skipped: 8 binary, 3 too large, 1 symbolic link"; `None` where nothing was.
fn skipped_text(plan: &Plan) -> Option<String> {
    let reasons = [
        (plan.textless.binary, "binary", "binary"),
        (plan.textless.too_large, "too large", "too large"),
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
    use nyxcore_projects::FileChanges;

    use super::*;
    use crate::git::SkippedEntries;
    use crate::handler::plan::Textless;

    fn text(left_out: SkippedEntries, binary: u64, too_large: u64) -> Option<String> {
        skipped_text(&Plan {
            to: String::new(),
            changes: FileChanges::default(),
            replaced: Vec::new(),
            churn: None,
            left_out,
            textless: Textless { binary, too_large },
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
