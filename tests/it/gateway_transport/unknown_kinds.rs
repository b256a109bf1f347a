//! Runs of a kind without a type in the schema, such as those of an embedder or a newer release, break nothing.

use nyxcore_gateway::Limits;
use nyxcore_runs::RunId;
use nyxcore_sync::SYNC_RUN;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::client::{Served, code, run_queue, serve};
use crate::support::WORK;

/// A run of a kind without a type, and a sync.
async fn runs(served: &Served) -> (RunId, RunId) {
    let work = run_queue(served, WORK, "w").await;
    (work, run_queue(served, SYNC_RUN, "s").await)
}

async fn ask(served: &Served, query: &str) -> Value {
    let response = served.post(&json!({"query": query})).send().await.unwrap();
    response.json().await.unwrap()
}

on_both_databases! {
    async fn lists_leave_an_unknown_kind_out(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (_, sync) = runs(&served).await;
        let answer = ask(&served, "{ runs { nodes { id kind } totalCount } }").await;
        let nodes = json!([{"id": sync.to_string(), "kind": "SYNC"}]);
        assert_eq!(answer, json!({"data": {"runs": {"nodes": nodes, "totalCount": 1}}}));
    }

    async fn a_run_of_an_unknown_kind_is_not_there(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (work, sync) = runs(&served).await;
        let one = format!("run(id: \"{work}\") {{ id }} node(id: \"{work}\") {{ id }}");
        let query = format!("{{ {one} nodes(ids: [\"{work}\", \"{sync}\"]) {{ id }} }}");
        let nodes = json!([null, {"id": sync.to_string()}]);
        assert_eq!(ask(&served, &query).await, json!({"data": {"run": null, "node": null, "nodes": nodes}}));
        let cancel = format!("mutation {{ cancelRun(input: {{runId: \"{work}\"}}) {{ run {{ id }} }} }}");
        assert_eq!(code(&ask(&served, &cancel).await), "NOT_FOUND");
        let follow = format!("/api/v1/events/enrichments/{work}");
        assert_eq!(served.request("GET", &follow).send().await.unwrap().status(), 404);
    }
}
