//! The phase `import`: reads the contents that the tenant does not have yet.

use std::collections::{BTreeMap, HashMap};

use nyxcore_projects::{NewBlob, blobs_insert, blobs_missing, blobs_refill, blobs_with_text};
use nyxcore_runs::{Level, RunFailure};

use super::plan::{Plan, Textless};
use super::{BATCH_BYTES_MAX, Failure, Job, batches};
use crate::git::{BlobContent, Mirror, RepositoryReader};

/// The maximum length of a Git LFS pointer, in bytes: the specification's limit.
const LFS_POINTER_BYTES_MAX: i64 = 1024;

/// The imported contents, each with its kind.
pub(super) type ImportedBlobs = HashMap<String, StoredContent>;

/// The stored form of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoredContent {
    Text,
    Nothing,
    /// No text: the content is stored by Git LFS elsewhere.
    LfsPointer,
}

impl Job<'_> {
    /// Stores the contents that the tenant does not have, in batches. A stored batch stays, whatever happens after it.
    pub(super) async fn blobs_import(
        &self,
        mirror: &Mirror,
        reader: &RepositoryReader,
        plan: &mut Plan,
    ) -> Result<ImportedBlobs, Failure> {
        let mut imported = ImportedBlobs::new();
        let scoped = self.context.read().await?;
        let mut missing = blobs_missing(&scoped, &plan.blob_ids()).await?;
        drop(scoped);
        missing.extend(plan.refill.iter().cloned());
        if missing.is_empty() {
            return Ok(imported);
        }
        self.mirror_complete(mirror, reader, plan, &missing).await?;
        let sizes = plan.blobs();
        let size_of = |oid: &str| sizes.get(oid).copied().unwrap_or_default();
        let total = i64::try_from(missing.len()).unwrap_or(i64::MAX);
        // Files that are too large are not read.
        let read_bytes = |size: i64| if size > self.limit() { 0 } else { size };
        let bytes_total = missing.iter().map(|oid| read_bytes(size_of(oid))).sum();
        let cancel = self.context.cancelled();
        let mut blobs = reader.blobs_read(missing, self.options.blob_bytes_max, cancel);
        let (mut batch, mut bytes, mut done, mut bytes_done) = (Vec::new(), 0, 0, 0);
        while let Some(read) = blobs.blob_next().await {
            let (oid, content) = read?;
            let (content, kept) = match content {
                // PostgreSQL cannot store a NUL in a text, so a content with NUL is binary on both databases.
                BlobContent::Text(text) if !text.contains('\0') => {
                    (Some(text), StoredContent::Text)
                }
                BlobContent::LfsPointer => (None, StoredContent::LfsPointer),
                BlobContent::Text(_)
                | BlobContent::Binary
                | BlobContent::NotUtf8
                | BlobContent::TooLarge { .. }
                | BlobContent::Missing => (None, StoredContent::Nothing),
            };
            let size = size_of(&oid);
            bytes += content.as_ref().map_or(0, |_| size);
            imported.insert(oid.clone(), kept);
            batch.push(NewBlob { oid, size, content });
            done += 1;
            bytes_done += read_bytes(size);
            let is_last = done == total;
            if batch.len() >= self.options.batch_files || bytes >= BATCH_BYTES_MAX || is_last {
                self.batch_write(plan, std::mem::take(&mut batch)).await?;
                bytes = 0;
                let context = self.context;
                context
                    .progress_with_bytes(done, Some(total), Some(bytes_done), Some(bytes_total))
                    .await?;
            }
        }
        Ok(imported)
    }

    /// Fetches, in one request, the contents that the mirror lacks because the limit was smaller when it was filled.
    async fn mirror_complete(
        &self,
        mirror: &Mirror,
        reader: &RepositoryReader,
        plan: &mut Plan,
        missing: &[String],
    ) -> Result<(), Failure> {
        let wanted = self.options.blob_bytes_max.saturating_add(1);
        if mirror.blob_limit().is_none_or(|limit| limit >= wanted) {
            return Ok(());
        }
        let cancel = self.context.cancelled();
        let sizes = reader.blob_sizes(missing.to_vec(), cancel).await?;
        let absent: Vec<String> = missing
            .iter()
            .zip(sizes)
            .filter(|(_, size)| size.is_none())
            .map(|(oid, _)| oid.clone())
            .collect();
        if !absent.is_empty() {
            match self.blobs_fetch(mirror, &absent).await {
                Ok(()) => self.sizes_fill(reader, plan).await?,
                Err(failure) if failure.transient || self.context.cancelled().is_cancelled() => {
                    return Err(failure.into());
                }
                // Old servers send no content by its id: such files are stored without text.
                Err(failure) => {
                    let text = format!(
                        "{} files that were too large before could not be fetched: {}",
                        absent.len(),
                        failure.message
                    );
                    self.context.message(Level::Warning, text).await?;
                    return Ok(());
                }
            }
        }
        mirror.blob_limit_set(wanted)?;
        Ok(())
    }

    async fn batch_write(&self, plan: &Plan, mut batch: Vec<NewBlob>) -> Result<(), RunFailure> {
        // Sorted by key, so that two syncs that store the same contents do not deadlock.
        batch.sort_unstable_by(|a, b| a.oid.cmp(&b.oid));
        let scoped = self.context.write().await?;
        let (again, first) = batch
            .into_iter()
            .partition(|blob: &NewBlob| plan.refill.contains(&blob.oid));
        blobs_insert(&scoped, first).await?;
        blobs_refill(&scoped, again).await?;
        Ok(scoped.commit().await?)
    }

    /// Counts the files without text. Contents that an earlier attempt or another source imported are counted from the
    /// database, so that the count does not depend on who imported them.
    pub(super) async fn skipped_count(
        &self,
        reader: &RepositoryReader,
        plan: &mut Plan,
        imported: &ImportedBlobs,
    ) -> Result<(), Failure> {
        let mut without: HashMap<String, StoredContent> = imported
            .iter()
            .filter(|(_, kept)| **kept != StoredContent::Text)
            .map(|(oid, kept)| (oid.clone(), *kept))
            .collect();
        let blobs = plan.blobs();
        let others: Vec<(&str, i64)> = blobs
            .iter()
            .filter(|(oid, _)| !imported.contains_key(**oid))
            .map(|(oid, size)| (*oid, *size))
            .collect();
        if !others.is_empty() {
            let scoped = self.context.read().await?;
            for some in batches(&others, self.options.batch_files) {
                let oids: Vec<&str> = some.iter().map(|(oid, _)| *oid).collect();
                let texts = blobs_with_text(&scoped, &oids).await?;
                let silent = oids.into_iter().filter(|oid| !texts.contains(*oid));
                without.extend(silent.map(|oid| (oid.to_owned(), StoredContent::Nothing)));
            }
        }
        self.pointers_find(reader, &blobs, imported, &mut without)
            .await?;
        let limit = self.limit();
        let mut counts = Textless::default();
        for file in plan.written() {
            match without.get(&file.blob) {
                Some(StoredContent::LfsPointer) => counts.lfs += 1,
                Some(_) if file.size > limit => counts.too_large += 1,
                Some(_) => counts.binary += 1,
                None => {}
            }
        }
        plan.textless = counts;
        Ok(())
    }

    /// For stored contents without text no reason is recorded: those small enough to be a Git LFS pointer are
    /// inspected.
    async fn pointers_find(
        &self,
        reader: &RepositoryReader,
        blobs: &BTreeMap<&str, i64>,
        imported: &ImportedBlobs,
        without: &mut HashMap<String, StoredContent>,
    ) -> Result<(), Failure> {
        let small: Vec<String> = without
            .keys()
            .filter(|oid| !imported.contains_key(*oid))
            .filter(|oid| {
                blobs
                    .get(oid.as_str())
                    .is_some_and(|size| *size <= LFS_POINTER_BYTES_MAX)
            })
            .cloned()
            .collect();
        if small.is_empty() {
            return Ok(());
        }
        let cancel = self.context.cancelled();
        let mut contents = reader.blobs_read(small, self.options.blob_bytes_max, cancel);
        while let Some(read) = contents.blob_next().await {
            if let (oid, BlobContent::LfsPointer) = read? {
                without.insert(oid, StoredContent::LfsPointer);
            }
        }
        Ok(())
    }
}
