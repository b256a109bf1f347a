//! The nearest documents are those that a comparison with every vector finds, whatever was added and removed before.

use nyxcore_retrieval::vector::{
    PassageVector, QuestionVector, VectorBatch, VectorModel, documents_unembedded,
    vector_model_complete, vectors_save,
};
use nyxcore_retrieval::{KnowledgeKind, SearchRequest, search_with};
use nyxcore_tenancy::{Backend, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::{document, publish};
use crate::support::{store, tenant};

const DIMENSIONS: usize = 24;
/// Vectors of passages are around this many directions.
const DIRECTIONS: u64 = 5;

fn model() -> VectorModel {
    VectorModel {
        model: "test/model".into(),
        dimensions: DIMENSIONS as u32,
    }
}

/// A vector that belongs to a number: near one of the directions.
fn vector(number: u64) -> Vec<f32> {
    let part = |seed: u64, at: usize| {
        // The finalizer of SplitMix64.
        let mut mixed = (seed * 1_000 + at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    (0..DIMENSIONS)
        .map(|at| part(number % DIRECTIONS + 900, at) + 0.6 * part(number + 5_000, at))
        .collect()
}

fn similarity(one: &[f32], other: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    product(one, other) / (product(one, one) * product(other, other)).sqrt()
}

/// Publishes a note for each number, and stores its vector.
async fn add(store: &Store, tenant: TenantId, numbers: std::ops::Range<u64>) {
    let notes = numbers.map(|number| {
        document(
            KnowledgeKind::Note,
            &number.to_string(),
            &format!("note{number}"),
        )
    });
    publish(store, tenant, notes.collect()).await;
    let scoped = store.write(tenant).await.unwrap();
    let (name, dimensions) = (model().model, Some(model().dimensions));
    let documents = documents_unembedded(&scoped, (&name, dimensions), None, 10_000)
        .await
        .unwrap();
    let passages = documents.iter().flat_map(|document| &document.passages);
    let vectors = passages.map(|passage| {
        let number = passage
            .text
            .trim()
            .trim_start_matches("note")
            .parse()
            .unwrap();
        PassageVector {
            hash: passage.hash.clone(),
            vector: vector(number),
        }
    });
    let batch = VectorBatch {
        vectors: vectors.collect(),
        documents,
    };
    vectors_save(&scoped, &model(), batch).await.unwrap();
    vector_model_complete(&scoped, &model()).await.unwrap();
    scoped.commit().await.unwrap();
}

/// The nearest notes to the vector of a number, nearest first.
async fn nearest(store: &Store, tenant: TenantId, number: u64) -> Vec<u64> {
    let question = QuestionVector {
        model: model(),
        vector: vector(number).into(),
    };
    let request = SearchRequest {
        kinds: vec![KnowledgeKind::Note],
        limit: 100,
        ..SearchRequest::new("unknown")
    };
    let scoped = store.read(tenant).await.unwrap();
    let hits = search_with(&scoped, &request, Some(&question))
        .await
        .unwrap();
    hits.iter()
        .map(|hit| hit.subject.parse().unwrap())
        .collect()
}

/// The same by a comparison with all of them. A question of another direction is near nothing else.
fn expected(numbers: impl Iterator<Item = u64>, number: u64) -> Vec<u64> {
    let asked = vector(number);
    let mut all: Vec<(u64, f32)> = numbers
        .map(|one| (one, similarity(&vector(one), &asked)))
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let least = (all[0].1 * 0.7).max(0.25);
    all.into_iter()
        .filter(|one| one.1 >= least)
        .take(40)
        .map(|one| one.0)
        .collect()
}

/// Compares two results. pgvector's index is approximate: there the number and the first three must be the same.
fn compare(db: &TestDatabase, found: &[u64], expected: &[u64]) {
    let most = match db.backend() {
        Backend::Postgres => 3,
        _ => expected.len(),
    };
    assert_eq!(found.len(), expected.len());
    assert!(
        found.iter().zip(expected).take(most).all(|(a, b)| a == b),
        "{found:?} {expected:?}"
    );
}

on_both_databases! {
    async fn the_nearest_are_those_of_a_full_comparison(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        add(&store, acme.id, 0..300).await;
        add(&store, other.id, 300..320).await;
        for number in [1_000, 1_001, 1_002] {
            compare(&db, &nearest(&store, acme.id, number).await, &expected(0..300, number));
            compare(&db, &nearest(&store, other.id, number).await, &expected(300..320, number));
        }
        // What is added is found by the next question.
        for more in [300..301, 301..1_700] {
            add(&store, acme.id, more.clone()).await;
            compare(&db, &nearest(&store, acme.id, 1_000).await, &expected(0..more.end, 1_000));
        }
        // The rows of the newest ones are removed, and others get their row numbers.
        let scoped = store.write(acme.id).await.unwrap();
        let newest = "DELETE FROM search_vectors WHERE tenant_id = $1 AND content_hash IN (
            SELECT p.content_hash FROM search_passages p JOIN search_documents d ON d.tenant_id = p.tenant_id AND d.id = p.document_id
            WHERE p.tenant_id = $1 AND CAST(d.subject AS bigint) >= 1600)";
        assert_eq!(scoped.sql_execute(newest, []).await.unwrap(), 100);
        let withdrawn: Vec<String> = (1_600..1_700).map(|number| number.to_string()).collect();
        nyxcore_retrieval::documents_withdraw(&scoped, KnowledgeKind::Note, &withdrawn).await.unwrap();
        scoped.commit().await.unwrap();
        compare(&db, &nearest(&store, acme.id, 1_000).await, &expected(0..1_600, 1_000));
        add(&store, acme.id, 2_000..2_100).await;
        let numbers = || (0..1_600).chain(2_000..2_100);
        for number in [1_000, 1_003, 2_050] {
            compare(&db, &nearest(&store, acme.id, number).await, &expected(numbers(), number));
        }
    }
}
