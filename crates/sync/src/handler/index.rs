//! The phase `index`: the search index follows the files, which are visible before it. Existing documents are kept, so
//! the phase can be restarted at any time. While a batch is written, the next one is read.

use nyxcore_projects::{StoredFile, blob_contents, code_subject, file_all, files_by_path};
use nyxcore_retrieval::{
    Document, KnowledgeKind, PreparedDocuments, documents_prepare, documents_publish_prepared,
    documents_withdraw, file_documents,
};
use nyxcore_runs::RunFailure;

use super::{INDEX, Job, batches};

/// The changes of the index for a batch of files.
struct IndexBatch {
    documents: PreparedDocuments,
    /// Subjects of code and of documents that no longer belong to the files.
    gone: [(KnowledgeKind, Vec<String>); 2],
    files: usize,
}

/// The files whose documents in the index may be out of date.
pub(super) enum Scope {
    /// The files with these paths, each with its size in bytes.
    Only(Vec<(String, i64)>),
    /// All of them.
    All,
}

impl Scope {
    /// Whether no document in the index can be out of date.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Only(files) if files.is_empty())
    }
}

impl Job<'_> {
    /// Publishes the text of files in batches; the last one marks the phase as done. Deleted files have already left
    /// the index.
    pub(super) async fn index_update(
        &self,
        scope: Scope,
        done: &mut Vec<String>,
    ) -> Result<(), RunFailure> {
        let was_empty = scope.is_empty();
        let mut files = match scope {
            Scope::Only(files) => files,
            Scope::All => {
                let scoped = self.context.read().await?;
                let files = file_all(&scoped, self.source.id).await?;
                let sized = files.into_iter().map(|file| (file.path, file.size));
                sized.collect()
            }
        };
        done.push(INDEX.to_owned());
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        if was_empty {
            // `source_move` has marked the phase as done, in the transaction that wrote the files.
            let reason = "no text changed";
            return self.context.phase_skipped(INDEX, reason).await;
        }
        self.context
            .phase(INDEX, Some(count(files.len())), Some("files"))
            .await?;
        files.sort_unstable();
        let mut batches = batches(&files, self.options.batch_files);
        let mut published = 0;
        let mut next = match batches.next() {
            Some(batch) => Some(self.index_batch_read(batch).await?),
            None => None,
        };
        while let Some(batch) = next.take() {
            self.context.check()?;
            let following = async {
                match batches.next() {
                    Some(batch) => self.index_batch_read(batch).await.map(Some),
                    None => Ok(None),
                }
            };
            published += batch.files;
            let (written, read) = tokio::join!(self.index_batch_write(batch), following);
            written?;
            next = read?;
            self.context
                .progress(count(published), Some(count(files.len())))
                .await?;
        }
        let scoped = self.context.write().await?;
        self.phases_done_write(&scoped, done).await?;
        Ok(scoped.commit().await?)
    }

    /// Reads the texts of files, and tokenizes them on a blocking thread.
    async fn index_batch_read(&self, batch: &[(String, i64)]) -> Result<IndexBatch, RunFailure> {
        let paths: Vec<&str> = batch.iter().map(|(path, _)| path.as_str()).collect();
        let scoped = self.context.read().await?;
        let files = files_by_path(&scoped, self.source.id, Some(&paths)).await?;
        let blobs: Vec<&str> = files.values().map(|file| file.blob.as_str()).collect();
        let texts = blob_contents(&scoped, &blobs).await?;
        drop(scoped);
        let mut documents = Vec::new();
        let (mut no_code, mut no_document) = (Vec::new(), Vec::new());
        for &path in &paths {
            let subject = code_subject(self.source.id, path);
            let before = documents.len();
            if let Some(file) = files.get(path)
                && let Some(text) = texts.get(&file.blob)
            {
                self.documents_add(&mut documents, &subject, path, file, text);
            }
            // The file has no text any more (it became binary or empty), or its kind changed between code and document.
            let kind = documents.get(before).map(|one: &Document| one.kind);
            if kind != Some(KnowledgeKind::Code) {
                no_code.push(subject.clone());
            }
            if kind != Some(KnowledgeKind::Document) {
                no_document.push(subject);
            }
        }
        let documents = tokio::task::spawn_blocking(move || documents_prepare(documents)).await;
        let documents = documents.map_err(|error| {
            RunFailure::transient("INDEX_FAILED", format!("reading words failed: {error}"))
        })?;
        Ok(IndexBatch {
            documents,
            gone: [
                (KnowledgeKind::Code, no_code),
                (KnowledgeKind::Document, no_document),
            ],
            files: batch.len(),
        })
    }

    async fn index_batch_write(&self, batch: IndexBatch) -> Result<(), RunFailure> {
        let scoped = self.context.write().await?;
        for (kind, subjects) in &batch.gone {
            documents_withdraw(&scoped, *kind, subjects).await?;
        }
        documents_publish_prepared(&scoped, batch.documents).await?;
        Ok(scoped.commit().await?)
    }

    fn documents_add(
        &self,
        documents: &mut Vec<Document>,
        subject: &str,
        path: &str,
        file: &StoredFile,
        text: &str,
    ) {
        let stack = (self.options.language_of)(path).map(str::to_owned);
        documents.extend(
            file_documents(subject, path, text)
                .into_iter()
                .map(|one| Document {
                    subject_id: Some(file.id.0),
                    project_id: Some(self.source.project_id.0),
                    stack: stack.clone().filter(|_| one.kind == KnowledgeKind::Code),
                    ..one
                }),
        );
    }
}
