//! Runs the evaluation: the index follows the history from commit to commit, and each question is asked at its commit.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nyxcore_model_catalog::LocalEmbedder;
use nyxcore_projects::ScanPath;
use nyxcore_retrieval::{
    KnowledgeKind, QuestionVector, SEARCH_LIMIT_MAX, SearchRequest, documents_publish,
    documents_withdraw, file_documents, search_with,
};
use nyxcore_sync::git::{BlobBytes, ChangeKind, GitError, RepositoryReader};
use nyxcore_tenancy::{Store, TenantId};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::baseline::Baseline;
use crate::cases::{Case, cases_of};
use crate::measure::{Measure, Ranks};
use crate::vectors::Vectors;

/// Files above this size are not read, as a sync does not.
const BLOB_BYTES_MAX: u64 = 1 << 20;
/// Commits that are read for each question that is wanted.
const COMMITS_PER_CASE: usize = 12;
/// Files that are published in one transaction.
const BATCH_FILES: usize = 200;

/// The request for an evaluation.
#[derive(Clone)]
pub struct EvaluationRequest {
    /// The git folder of the repository.
    pub git_dir: PathBuf,
    /// The newest commit, as hex.
    pub commit: String,
    /// How many questions are asked at the most.
    pub questions: usize,
    /// Embeds the documents and the questions, which are then asked with and without their vectors.
    pub embedder: Option<Arc<dyn LocalEmbedder>>,
}

/// One question and its rankings.
#[derive(Debug, Clone, Serialize)]
pub struct CaseReport {
    /// The commit, as hex.
    pub commit: String,
    /// The first line of its message.
    pub subject: String,
    /// The right files.
    pub answer: Vec<String>,
    /// The first ten files of the search.
    pub found: Vec<String>,
    /// The places of the right files.
    pub search: Ranks,
    /// Their places with vectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_with_vectors: Option<Ranks>,
    /// Their places in the ranking of plain BM25.
    pub baseline: Ranks,
}

/// The result of an evaluation.
#[derive(Debug, Clone, Serialize)]
pub struct EvaluationReport {
    /// The number of questions.
    pub questions: usize,
    /// The number of files at the last question.
    pub files: usize,
    /// The search by words.
    pub search: Measure,
    /// The search by words and vectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_with_vectors: Option<Measure>,
    /// Plain BM25 over unsplit text.
    pub baseline: Measure,
    /// The median time of a search by words, in milliseconds.
    pub search_ms: f64,
    /// Every question.
    pub cases: Vec<CaseReport>,
}

/// Why an evaluation failed.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] nyxcore_tenancy::Error),
    /// The embedder failed.
    #[error("{0}")]
    Embedder(String),
    /// The history has no commit that is a question.
    #[error(
        "the history has no commits to ask about: they change too many files, or add files only"
    )]
    NoQuestions,
}

/// Measures the search on the history of a repository. The tenant must have no documents of its own. The documents of
/// the repository are removed at the end; their vectors are removed later, as other unused vectors are. `told` is
/// called with the number of questions asked so far and the total.
///
/// # Errors
/// See [`EvaluationError`].
pub async fn evaluate(
    store: &Store,
    tenant: TenantId,
    request: &EvaluationRequest,
    cancel: &CancellationToken,
    mut told: impl FnMut(usize, usize),
) -> Result<EvaluationReport, EvaluationError> {
    let reader = RepositoryReader::repository_open(&request.git_dir)?;
    let looked_at = request.questions.saturating_mul(COMMITS_PER_CASE);
    let labels = reader
        .commit_labels(&request.commit, looked_at, cancel)
        .await?;
    let cases = cases_of(&labels, request.questions);
    if cases.is_empty() {
        return Err(EvaluationError::NoQuestions);
    }
    let mut index = HistoryIndex {
        store,
        tenant,
        reader: &reader,
        commit: None,
        files: HashSet::new(),
        baseline: Baseline::default(),
    };
    let vectors = request.embedder.clone().map(Vectors::new);
    let mut reports = Vec::with_capacity(cases.len());
    let mut times: Vec<Duration> = Vec::with_capacity(cases.len());
    let total = cases.len();
    for (n, case) in cases.into_iter().enumerate() {
        told(n, total);
        index.move_to(&case.parent, cancel).await?;
        let begun = Instant::now();
        let found = index.search(&case.question, None).await?;
        times.push(begun.elapsed());
        let near = match &vectors {
            None => None,
            Some(vectors) => {
                vectors.fill(store, tenant).await?;
                let question = vectors.question(&case.question).await?;
                Some(index.search(&case.question, Some(&question)).await?)
            }
        };
        reports.push(report(case, (&found, near.as_deref()), &index.baseline));
    }
    let files = index.files.len();
    index.clear().await?;
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok(EvaluationReport {
        questions: reports.len(),
        files,
        search: Measure::of(reports.iter().map(|report| &report.search)),
        search_with_vectors: vectors.map(|_| {
            let ranks = reports.iter();
            Measure::of(ranks.filter_map(|report| report.search_with_vectors.as_ref()))
        }),
        baseline: Measure::of(reports.iter().map(|report| &report.baseline)),
        search_ms: median.as_secs_f64() * 1000.0,
        cases: reports,
    })
}

fn report(
    case: Case,
    (found, near): (&[String], Option<&[String]>),
    baseline: &Baseline,
) -> CaseReport {
    let limit = usize::try_from(SEARCH_LIMIT_MAX).unwrap_or(usize::MAX);
    let plain = baseline.search(&case.question, limit);
    CaseReport {
        subject: case.question.lines().next().unwrap_or_default().to_owned(),
        search: Ranks::of(found, &case.answer),
        search_with_vectors: near.map(|near| Ranks::of(near, &case.answer)),
        baseline: Ranks::of(&plain, &case.answer),
        found: found.iter().take(10).cloned().collect(),
        commit: case.commit,
        answer: case.answer,
    }
}

/// The search index and the baseline, with the files of one commit.
struct HistoryIndex<'a> {
    store: &'a Store,
    tenant: TenantId,
    reader: &'a RepositoryReader,
    commit: Option<String>,
    files: HashSet<String>,
    baseline: Baseline,
}

impl HistoryIndex<'_> {
    /// Publishes the files that differ between the commit of the index and `commit`.
    async fn move_to(
        &mut self,
        commit: &str,
        cancel: &CancellationToken,
    ) -> Result<(), EvaluationError> {
        let from = self.commit.as_deref();
        let diff = self
            .reader
            .tree_diff(from, commit, &ScanPath::default(), cancel)
            .await?;
        let blobs = self.reader.blob_reader();
        for batch in diff.changes.chunks(BATCH_FILES) {
            let mut documents = Vec::new();
            let mut gone = Vec::new();
            for change in batch {
                let text = match change.kind {
                    ChangeKind::Deleted => None,
                    _ => text_of(blobs.blob_bytes(&change.blob, BLOB_BYTES_MAX)?),
                };
                // A rename can turn a code file into a document, so a subject has one kind only.
                let Some(text) = text else {
                    gone.push(change.path.clone());
                    self.files.remove(&change.path);
                    self.baseline.file_remove(&change.path);
                    continue;
                };
                self.baseline.file_set(&change.path, &text);
                self.files.insert(change.path.clone());
                documents.extend(file_documents(&change.path, &change.path, &text));
            }
            let scoped = self.store.write(self.tenant).await?;
            for kind in [KnowledgeKind::Code, KnowledgeKind::Document] {
                documents_withdraw(&scoped, kind, &gone).await?;
            }
            documents_publish(&scoped, documents).await?;
            scoped.commit().await?;
        }
        self.commit = Some(commit.to_owned());
        Ok(())
    }

    /// The paths of the files, in the order of the search.
    async fn search(
        &self,
        question: &str,
        vector: Option<&QuestionVector>,
    ) -> Result<Vec<String>, EvaluationError> {
        let scoped = self.store.read(self.tenant).await?;
        let request = SearchRequest {
            limit: SEARCH_LIMIT_MAX,
            ..SearchRequest::new(question)
        };
        let hits = search_with(&scoped, &request, vector).await?;
        let mut seen = HashSet::new();
        let paths = hits.into_iter().filter_map(|hit| hit.path);
        Ok(paths.filter(|path| seen.insert(path.clone())).collect())
    }

    async fn clear(&self) -> Result<(), EvaluationError> {
        let subjects: Vec<String> = self.files.iter().cloned().collect();
        let scoped = self.store.write(self.tenant).await?;
        for kind in [KnowledgeKind::Code, KnowledgeKind::Document] {
            documents_withdraw(&scoped, kind, &subjects).await?;
        }
        Ok(scoped.commit().await?)
    }
}

/// The text of a blob; `None` for what is binary, or larger than a sync keeps.
fn text_of(bytes: BlobBytes) -> Option<String> {
    let BlobBytes::Bytes(bytes) = bytes else {
        return None;
    };
    if bytes.contains(&0) {
        return None;
    }
    String::from_utf8(bytes).ok()
}
