//! The storage of vectors: little-endian bytes on both databases, pgvector's column if the extension is installed, and
//! the column of insights.

use std::sync::atomic::Ordering::SeqCst;

use nyxcore_knowledge::{InsightType, NewInsight, insight_create, insight_embeddings_copy};
use nyxcore_migrations::vectors;
use nyxcore_retrieval::{KnowledgeKind, SearchRequest, search_with};
use nyxcore_runs::RunStatus;
use nyxcore_tenancy::Backend;
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::world::{Desk, SMALL};
use crate::support;

#[derive(FromQueryResult)]
struct Count {
    number: i64,
}

impl Desk {
    async fn count(&self, sql: &'static str) -> i64 {
        let scoped = self.models.store.read(self.tenant.id).await.unwrap();
        let rows: Vec<Count> = scoped.sql_all(sql, []).await.unwrap();
        rows[0].number
    }
}

const BYTES: &str = "SELECT count(*) AS number FROM search_vectors v WHERE v.tenant_id = $1 AND length(v.vector) = 16";
const INDEXED: &str = "SELECT count(*) AS number FROM search_vectors v WHERE v.tenant_id = $1 AND v.embedding IS NOT NULL";
const INSIGHTS: &str = "SELECT count(*) AS number FROM workflow_insights i WHERE i.tenant_id = $1 AND i.embedding IS NOT NULL";

on_both_databases! {
    async fn a_search_without_the_extension_finds_the_same(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        desk.publish("both", "Both", "A lease with an invoice.").await;
        desk.publish("invoice", "Invoices", "An invoice is sent.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.count(BYTES).await, 3);
        let found = desk.titles("prolong").await;
        assert_eq!(found, ["Leases", "Both"]);
        if db.backend() == Backend::Postgres {
            // The tests' server has the extension: so far the function was used.
            assert_eq!(desk.count(INDEXED).await, 3);
            let superuser = db.superuser_connection().await.unwrap();
            let dropped = "ALTER TABLE search_vectors DROP COLUMN embedding";
            superuser.execute_unprepared(dropped).await.unwrap();
            assert_eq!(desk.titles("prolong").await, found);
            // Vectors that are created without the extension are indexed by the next run after it is back.
            desk.publish("late", "Late", "Another lease.").await;
            assert_eq!(desk.run().await.status, RunStatus::Succeeded);
            vectors::prepare(&superuser).await.unwrap();
            assert_eq!(desk.titles("prolong").await.len(), 3);
            assert_eq!(desk.run().await.status, RunStatus::Succeeded);
            assert_eq!(desk.count(INDEXED).await, 4);
            assert_eq!(desk.titles("prolong").await.len(), 3);
        }
    }

    async fn vectors_are_filtered_as_words_are(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        let home = desk.models.project("home").await;
        let away = support::project(&desk.models.store, desk.tenant.id, "away").await;
        let scoped = desk.models.write().await;
        let insight = |project, title: &str| NewInsight {
            project_id: Some(project),
            insight_type: InsightType::Pattern,
            severity: None,
            category: None,
            title: title.to_owned(),
            detail: "A lease is renewed.".into(),
            suggestion: None,
            paired_with: None,
            created_by: None,
        };
        insight_create(&scoped, insight(home, "Kitchen")).await.unwrap();
        insight_create(&scoped, insight(away, "Garden")).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        let meaning = desk.meaning("prolong").await;
        let find = async |request: SearchRequest| -> Vec<String> {
            let scoped = desk.models.read().await;
            let hits = search_with(&scoped, &request, meaning.vector.as_ref()).await.unwrap();
            hits.into_iter().map(|hit| hit.title).collect()
        };
        let request = || SearchRequest::new("prolong");
        assert_eq!(find(SearchRequest { project_id: Some(home.0), ..request() }).await, ["Kitchen"]);
        assert_eq!(find(SearchRequest { kinds: vec![KnowledgeKind::Note], ..request() }).await, [""; 0]);
        assert_eq!(find(request()).await.len(), 2);
    }

    async fn insights_have_the_vectors_of_their_column(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.script.length.store(1_536, SeqCst);
        let scoped = desk.models.write().await;
        let insight = NewInsight {
            project_id: None,
            insight_type: InsightType::Pattern,
            severity: None,
            category: None,
            title: "Leases".into(),
            detail: "A lease is renewed.".into(),
            suggestion: None,
            paired_with: None,
            created_by: None,
        };
        insight_create(&scoped, insight).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.vectors().await, [(SMALL.to_owned(), 1_536, true)]);
        for changed in [1, 0] {
            let scoped = desk.models.write().await;
            assert_eq!(insight_embeddings_copy(&scoped).await.unwrap(), changed);
            scoped.commit().await.unwrap();
            assert_eq!(desk.count(INSIGHTS).await, 1);
        }
        assert_eq!(desk.titles("prolong").await, ["Leases"]);
    }
}
