//! Credentials, webhooks and schedules of sources, and the removal of mirrors.

mod credentials;
mod mirrors;
mod processes;
mod schedule;
mod webhooks;

use nyxcore_projects::{NewProject, NewSource, SourceId, project_create, source_add};
use nyxcore_tenancy::{Store, TenantId};
use nyxcore_tests::TestDatabase;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::gateway_transport::client::Served;

/// A source of a tenant, at an address.
async fn source_of(store: &Store, tenant: TenantId, url: &str, branch: Option<&str>) -> SourceId {
    let scoped = store.write(tenant).await.unwrap();
    let project = NewProject {
        name: "Atlas".into(),
        ..NewProject::default()
    };
    let project = project_create(&scoped, project).await.unwrap().id;
    let new = NewSource {
        project_id: project,
        url: url.into(),
        branch: branch.map(Into::into),
        scan_path: String::new(),
    };
    let source = source_add(&scoped, new).await.unwrap().id;
    scoped.commit().await.unwrap();
    source
}

/// Changes rows directly, which only tests do.
async fn sql(db: &TestDatabase, sql: &str) -> u64 {
    let raw = db.superuser_connection().await.unwrap();
    raw.execute_unprepared(sql).await.unwrap().rows_affected()
}

/// Sends an API request as the tenant's owner.
async fn ask(served: &Served, query: &str, input: Value) -> Value {
    let body = json!({"query": query, "variables": {"input": input}});
    let answer = served.post(&body).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}
