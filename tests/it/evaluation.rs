//! The evaluation of search on the history of a repository, on both databases, leaves no data behind.

use std::sync::Arc;

use nyxcore_evaluation::{EvaluationError, EvaluationReport, EvaluationRequest, evaluate};
use nyxcore_model_catalog::LocalEmbedder;
use nyxcore_retrieval::{SearchRequest, search};
use nyxcore_sync::git::testing::TestRepository;
use nyxcore_tests::{TestDatabase, on_both_databases};
use tokio_util::sync::CancellationToken;

use crate::embeddings::local::Subjects;
use crate::support::{store, tenant};

/// A repository whose second commit is about one of its two files, and whose third one updates a dependency.
fn repository(db: &TestDatabase) -> (TestRepository, String) {
    let mut repository = TestRepository::create(db.folder().join("repository"));
    repository.write("src/lease.rs", "fn renew_lease() {}\n");
    repository.write("src/page.rs", "fn read_page() {}\n");
    repository.commit("Begin with leases and pages");
    repository.write("src/lease.rs", "fn renew_lease() { early() }\n");
    repository.commit("Renew leases before they end");
    repository.write("src/page.rs", "fn read_page() { 2 }\n");
    let head = repository.commit("Bump the version of pages");
    (repository, head)
}

async fn measured(
    db: &TestDatabase,
    embedder: Option<Arc<dyn LocalEmbedder>>,
) -> Result<EvaluationReport, EvaluationError> {
    let store = store(db).await;
    let (tenant, _) = tenant(&store, "evaluation").await;
    let (repository, commit) = repository(db);
    let request = EvaluationRequest {
        git_dir: repository.path().join(".git"),
        commit,
        questions: 10,
        embedder,
    };
    let report = evaluate(
        &store,
        tenant.id,
        &request,
        &CancellationToken::new(),
        |_, _| (),
    )
    .await;
    let scoped = store.read(tenant.id).await.unwrap();
    let left = search(&scoped, &SearchRequest::new("lease page"))
        .await
        .unwrap();
    assert_eq!(left, []);
    report
}

on_both_databases! {
    async fn a_commit_is_a_question_and_its_files_the_answer(db: TestDatabase) {
        let report = measured(&db, None).await.unwrap();
        assert_eq!((report.questions, report.files), (1, 2));
        assert_eq!(report.cases[0].answer, ["src/lease.rs"]);
        assert_eq!(report.cases[0].found[0], "src/lease.rs");
        assert_eq!((report.search.acc_1, report.search.mrr), (1.0, 1.0));
        assert_eq!(report.search_with_vectors, None);
    }

    async fn a_question_is_asked_with_vectors_too(db: TestDatabase) {
        let report = measured(&db, Some(Arc::new(Subjects))).await.unwrap();
        let near = report.search_with_vectors.unwrap();
        assert_eq!((near.acc_1, near.mrr), (1.0, 1.0));
        assert_eq!(report.cases[0].search_with_vectors.as_ref().unwrap().places, [1]);
    }
}
