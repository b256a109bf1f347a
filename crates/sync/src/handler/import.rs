//! The phase `import`: reads the contents that the tenant lacks, and nothing else.

use std::collections::{HashMap, HashSet};

use nyxcore_projects::{NewBlob, blob_contents, blobs_insert, blobs_missing};
use nyxcore_runs::RunFailure;

use super::plan::{Plan, Textless};
use super::{BATCH_BYTES_MAX, Failure, Job, batches};
use crate::git::{BlobContent, RepositoryReader};

/// The contents that were brought in, each with whether it is text.
pub(super) type Imported = HashMap<String, bool>;

impl Job<'_> {
    /// Stores the contents that the tenant does not have, in batches. Each batch that was stored stays, whatever happens after it.
    pub(super) async fn blobs_import(
        &self,
        reader: &RepositoryReader,
        plan: &Plan,
    ) -> Result<Imported, Failure> {
        let mut imported = Imported::new();
        let scoped = self.context.read().await?;
        let missing = blobs_missing(&scoped, &plan.blob_ids()).await?;
        drop(scoped);
        if missing.is_empty() {
            return Ok(imported);
        }
        let sizes = plan.blobs();
        let total = i64::try_from(missing.len()).unwrap_or(i64::MAX);
        let cancel = self.context.cancelled();
        let mut blobs = reader.blobs_read(missing, self.options.blob_bytes_max, cancel);
        let (mut batch, mut bytes, mut done) = (Vec::new(), 0, 0);
        while let Some(read) = blobs.blob_next().await {
            let (oid, content) = read?;
            let content = match content {
                // PostgreSQL keeps no NUL in a text, so that what has one is binary on both databases.
                BlobContent::Text(text) => Some(text).filter(|text| !text.contains('\0')),
                BlobContent::Binary
                | BlobContent::NotUtf8
                | BlobContent::LfsPointer
                | BlobContent::TooLarge { .. }
                | BlobContent::Missing => None,
            };
            let size = sizes.get(oid.as_str()).copied().unwrap_or_default();
            bytes += content.as_ref().map_or(0, |_| size);
            imported.insert(oid.clone(), content.is_some());
            batch.push(NewBlob { oid, size, content });
            done += 1;
            if batch.len() >= self.options.batch_files || bytes >= BATCH_BYTES_MAX {
                self.batch_write(std::mem::take(&mut batch)).await?;
                bytes = 0;
                self.context.progress(done, Some(total)).await?;
            }
        }
        if !batch.is_empty() {
            self.batch_write(batch).await?;
            self.context.progress(done, Some(total)).await?;
        }
        Ok(imported)
    }

    async fn batch_write(&self, batch: Vec<NewBlob>) -> Result<(), RunFailure> {
        let scoped = self.context.write().await?;
        blobs_insert(&scoped, batch).await?;
        Ok(scoped.commit().await?)
    }

    /// Counts the files without text. The database tells it of contents that an earlier attempt or another source brought in, so that the
    /// count does not depend on who did.
    pub(super) async fn skipped_count(
        &self,
        plan: &mut Plan,
        imported: &Imported,
    ) -> Result<(), RunFailure> {
        let blobs = plan.blobs().into_iter();
        let others: Vec<(&str, i64)> = blobs
            .filter(|(oid, _)| !imported.contains_key(*oid))
            .collect();
        let mut textless: HashSet<String> = imported
            .iter()
            .filter(|(_, text)| !**text)
            .map(|(oid, _)| oid.clone())
            .collect();
        if !others.is_empty() {
            let scoped = self.context.read().await?;
            for some in batches(&others, self.options.batch_files) {
                let oids: Vec<&str> = some.iter().map(|(oid, _)| *oid).collect();
                let texts = blob_contents(&scoped, &oids).await?;
                let without = oids.into_iter().filter(|oid| !texts.contains_key(*oid));
                textless.extend(without.map(str::to_owned));
            }
        }
        let greatest = i64::try_from(self.options.blob_bytes_max).unwrap_or(i64::MAX);
        let mut counts = Textless::default();
        for file in plan.written().filter(|file| textless.contains(&file.blob)) {
            if file.size > greatest {
                counts.too_large += 1;
            } else {
                counts.binary += 1;
            }
        }
        plan.textless = counts;
        Ok(())
    }
}
