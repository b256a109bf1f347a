//! The phase `finalize`, second part: updates the search index with the text of the files. Existing chunks are kept,
//! so the phase can be restarted at any time.

use nyxcore_projects::{StoredFile, blob_contents, code_subject, file_all, files_by_path};
use nyxcore_retrieval::{
    ChunkLimits, Document, KnowledgeKind, chunk_lines, documents_publish, documents_withdraw,
};
use nyxcore_runs::RunFailure;

use super::{FINALIZE, Job, batches};

/// Which files the index may be behind with.
pub(super) enum Scope {
    /// The files with these paths, each with its size in bytes.
    Only(Vec<(String, i64)>),
    /// All of them.
    All,
}

impl Scope {
    /// Whether the index is known to hold all of it.
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
        done.push(FINALIZE.to_owned());
        if files.is_empty() && !was_empty {
            let scoped = self.context.write().await?;
            self.phases_done_write(&scoped, done).await?;
            scoped.commit().await?;
        }
        files.sort_unstable();
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut published = 0;
        for batch in batches(&files, self.options.batch_files) {
            published += batch.len();
            let is_last = published == files.len();
            let paths: Vec<&str> = batch.iter().map(|(path, _)| path.as_str()).collect();
            self.batch_publish(&paths, is_last.then_some(done.as_slice()))
                .await?;
            self.context
                .progress(count(published), Some(count(files.len())))
                .await?;
        }
        Ok(())
    }

    async fn batch_publish(
        &self,
        paths: &[&str],
        done: Option<&[String]>,
    ) -> Result<(), RunFailure> {
        let scoped = self.context.read().await?;
        let files = files_by_path(&scoped, self.source.id, Some(paths)).await?;
        let blobs: Vec<&str> = files.values().map(|file| file.blob.as_str()).collect();
        let texts = blob_contents(&scoped, &blobs).await?;
        drop(scoped);
        let mut documents = Vec::new();
        let mut silent = Vec::new();
        for &path in paths {
            let subject = code_subject(self.source.id, path);
            let before = documents.len();
            if let Some(file) = files.get(path)
                && let Some(text) = texts.get(&file.blob)
            {
                self.chunks_add(&mut documents, &subject, path, file, text);
            }
            if documents.len() == before {
                silent.push(subject);
            }
        }
        let scoped = self.context.write().await?;
        // A file whose text is gone: it became binary, or empty.
        documents_withdraw(&scoped, KnowledgeKind::Code, &silent).await?;
        documents_publish(&scoped, documents).await?;
        if let Some(done) = done {
            self.phases_done_write(&scoped, done).await?;
        }
        Ok(scoped.commit().await?)
    }

    fn chunks_add(
        &self,
        documents: &mut Vec<Document>,
        subject: &str,
        path: &str,
        file: &StoredFile,
        text: &str,
    ) {
        let line = |n: usize| i64::try_from(n).ok();
        let chunks = chunk_lines(text, ChunkLimits::default());
        let worth_reading = chunks
            .into_iter()
            .filter(|chunk| !chunk.text.trim().is_empty());
        documents.extend(worth_reading.map(|chunk| Document {
            kind: KnowledgeKind::Code,
            subject: subject.to_owned(),
            subject_id: Some(file.id.0),
            project_id: Some(self.source.project_id.0),
            title: path.to_owned(),
            body: chunk.text.to_owned(),
            path: Some(path.to_owned()),
            source_id: None,
            start_line: line(chunk.start_line),
            end_line: line(chunk.end_line),
            stack: (self.options.language_of)(path).map(str::to_owned),
        }));
    }
}
