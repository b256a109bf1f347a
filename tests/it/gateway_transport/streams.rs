//! Event streams: GraphQL over SSE, the plain streams for simple clients, and the end of both.

use nyxcore_gateway::Limits;
use nyxcore_runs::{RunId, RunStatus, Runs, run_cancel};
use nyxcore_sync::SYNC_RUN;
use nyxcore_tenancy::{Repository, TypedId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};
use std::time::Duration;

use super::VIEWER;
use super::client::{
    Frame, Served, code, run_begin, run_queue, serve, tasks_at_rest, tasks_fall_to,
};
use crate::support::store;

fn subscription(run: RunId, after: i64) -> Value {
    json!({
        "query": "subscription($run: ID!, $after: Int) { runEvents(runId: $run, after: $after) { seq } }",
        "variables": {"run": run.to_string(), "after": after},
    })
}

fn seqs(frames: &[Frame]) -> Vec<i64> {
    frames.iter().map(Frame::seq).collect()
}

on_both_databases! {
    async fn a_subscription_comes_as_next_events_and_a_complete(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (run, workers, gate) = run_begin(&served, "a").await;
        // urql's header: JSON for queries, a stream for subscriptions.
        let accept = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
        let mut frames = served.stream(served.post(&subscription(run, 0)).header("accept", accept)).await;
        let first = frames.next().await.unwrap();
        assert_eq!(first.event.as_deref(), Some("next"));
        assert_eq!(first.json(), json!({"data": {"runEvents": {"seq": 1}}}));
        gate.add_permits(1);
        let rest = frames.rest().await;
        workers.shutdown().await;
        let seen: Vec<i64> = rest[..rest.len() - 1].iter().map(|f| f.json()["data"]["runEvents"]["seq"].as_i64().unwrap()).collect();
        assert_eq!(seen, (2..2 + seen.len() as i64).collect::<Vec<_>>());
        assert!(!seen.is_empty());
        assert_eq!(rest.last().unwrap(), &Frame { event: Some("complete".into()), data: Some("\n".into()), ..Frame::default() });
        let after = served.stream(served.post(&subscription(run, 1)).header("accept", "text/event-stream")).await.rest().await;
        assert_eq!(after, rest);
    }

    async fn queries_and_errors_can_be_streamed(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let ask = async |query: &str| {
            let request = served.post(&json!({"query": query})).header("accept", "text/event-stream");
            let frames = served.stream(request).await.rest().await;
            assert_eq!(frames.iter().map(|f| f.event.as_deref().unwrap()).collect::<Vec<_>>(), ["next", "complete"]);
            frames[0].json()
        };
        assert_eq!(ask(VIEWER).await["data"]["viewer"]["role"], "OWNER");
        assert_eq!(code(&ask("{ nothing }").await), "GRAPHQL_VALIDATION_FAILED");
        let foreign = RunId(served.store.env().id());
        let missing = ask(&format!("subscription {{ runEvents(runId: \"{foreign}\") {{ seq }} }}")).await;
        assert_eq!(code(&missing), "NOT_FOUND");
        let by_get = format!("/graphql?query=mutation%7BdeleteNote(input%3A%7BnoteId%3A%22{foreign}%22%7D)%7BdeletedId%7D%7D");
        let response = served.request("GET", &by_get).header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 405);
    }

    async fn a_stream_replays_follows_and_resumes_exactly_once(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (run, workers, gate) = run_begin(&served, "a").await;
        let mut frames = served.stream(served.events(run)).await;
        let first = frames.next().await.unwrap();
        assert_eq!((first.seq(), first.event.as_deref()), (1, Some("phase_started")));
        let body = first.json();
        assert_eq!((&body["phase"], &body["runId"], &body["seq"]), (&json!("count"), &json!(run.to_string()), &json!(1)));
        assert!(body["at"].as_str().unwrap().ends_with('Z'), "{body}");
        drop(frames);
        let resumed = served.stream(served.events(run).header("last-event-id", "1")).await;
        gate.add_permits(1);
        let rest = resumed.rest().await;
        workers.shutdown().await;
        let last = rest.last().unwrap();
        assert_eq!((last.event.as_deref(), &last.json()["status"], &last.json()["error"]), (Some("finished"), &json!("SUCCEEDED"), &Value::Null));
        assert_eq!(seqs(&rest), (2..=last.seq()).collect::<Vec<_>>());
        let whole = served.stream(served.events(run)).await.rest().await;
        assert_eq!((&whole[0], &whole[1..]), (&first, rest.as_slice()));
        // An EventSource that reconnects after the end is told not to reconnect again.
        let seen_all = served.events(run).header("last-event-id", last.seq().to_string()).send().await.unwrap();
        assert_eq!(seen_all.status(), 204);
        let nonsense = served.events(run).header("last-event-id", "first").send().await.unwrap();
        assert_eq!(nonsense.status(), 400);
    }

    async fn streams_of_unknown_runs_are_not_found(db: TestDatabase) {
        let store = store(&db).await;
        let acme = Served::start(&store, "acme", Limits::default()).await;
        let other = Served::start(&store, "other", Limits::default()).await;
        let (theirs, workers, gate) = run_begin(&other, "a").await;
        gate.add_permits(1);
        let unknown = RunId::from_uuid(store.env().id());
        let sync = run_queue(&acme, SYNC_RUN, "s").await;
        for path in [
            format!("enrichments/{theirs}"), format!("enrichments/{unknown}"), format!("enrichments/{sync}"), "enrichments/run_x".into(),
            "enrichments/%FF".into(), format!("nonsense/{sync}"), format!("enrichments/{}", sync.to_string().replace("run", "note")),
        ] {
            let response = acme.request("GET", &format!("/api/v1/events/{path}")).send().await.unwrap();
            assert_eq!(response.status(), 404, "{path}");
            assert_eq!(response.json::<Value>().await.unwrap(), json!({"code": "NOT_FOUND", "message": "no such run"}), "{path}");
        }
        // The sync is found by its own id, and reading it did not start it.
        let scoped = store.write(acme.tenant).await.unwrap();
        assert_eq!(run_cancel(&scoped, sync).await.unwrap().status, RunStatus::Cancelled);
        scoped.commit().await.unwrap();
        let frames = acme.stream(acme.request("GET", &format!("/api/v1/events/syncs/{sync}"))).await.rest().await;
        assert_eq!((frames.len(), &frames[0].json()["status"]), (1, &json!("CANCELLED")));
        workers.shutdown().await;
    }

    async fn disconnected_clients_leak_nothing_and_the_run_continues(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (run, workers, gate) = run_begin(&served, "a").await;
        // The run has begun, and its stream works.
        served.stream(served.events(run)).await.next().await.unwrap();
        let alive = tasks_at_rest().await;
        let mut streams = Vec::new();
        let mut sockets = Vec::new();
        for _ in 0..10 {
            let mut plain = served.stream(served.events(run)).await;
            plain.next().await.unwrap();
            let mut graphql = served.stream(served.post(&subscription(run, 0)).header("accept", "text/event-stream")).await;
            graphql.next().await.unwrap();
            let mut socket = served.socket_open().await;
            socket.say(json!({"type": "subscribe", "id": "1", "payload": subscription(run, 0)})).await;
            assert_eq!(socket.hear().await.unwrap()["payload"]["data"]["runEvents"]["seq"], 1);
            streams.extend([plain, graphql]);
            sockets.push(socket);
        }
        let open = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        assert!(open >= alive + 30, "{open} tasks, {alive} before");
        drop((streams, sockets));
        tasks_fall_to(alive).await;
        gate.add_permits(1);
        let rest = served.stream(served.events(run)).await.rest().await;
        assert_eq!(rest.last().unwrap().json()["status"], "SUCCEEDED");
        let scoped = served.store.read(served.tenant).await.unwrap();
        assert_eq!(Runs::require(&scoped, run).await.unwrap().attempt, 1);
        workers.shutdown().await;
    }

    async fn a_revoked_token_ends_every_open_stream(db: TestDatabase) {
        // The stream must end by the signal of the revocation: the periodic recheck would be too late.
        let limits = Limits { token_recheck: Duration::from_secs(3600), ..Limits::default() };
        let mut served = serve(&db, limits).await;
        let (run, workers, gate) = run_begin(&served, "a").await;
        let token = served.token_make(None).await;
        served.token = token.1.clone();
        let mut plain = served.stream(served.events(run)).await;
        let mut graphql = served.stream(served.post(&subscription(run, 0)).header("accept", "text/event-stream")).await;
        let mut socket = served.socket_open().await;
        socket.say(json!({"type": "subscribe", "id": "1", "payload": subscription(run, 0)})).await;
        plain.next().await.unwrap();
        graphql.next().await.unwrap();
        socket.hear().await.unwrap();
        served.token_revoke(&token).await;
        // The run continues: no event ends these streams, and no `complete` says that it is over.
        assert_eq!(plain.rest().await, []);
        assert_eq!(graphql.rest().await, []);
        assert_eq!(socket.hear().await.unwrap_err().0, 4403);
        gate.add_permits(1);
        workers.shutdown().await;
    }

    async fn a_server_that_ends_ends_its_open_streams_and_does_not_hang(db: TestDatabase) {
        let mut served = serve(&db, Limits::default()).await;
        let (run, workers, gate) = run_begin(&served, "a").await;
        let mut plain = served.stream(served.events(run)).await;
        let mut graphql = served.stream(served.post(&subscription(run, 0)).header("accept", "text/event-stream")).await;
        let mut socket = served.socket_open().await;
        plain.next().await.unwrap();
        graphql.next().await.unwrap();
        served.end();
        assert_eq!(plain.rest().await, []);
        assert_eq!(graphql.rest().await, []);
        assert_eq!(socket.hear().await.unwrap_err().0, 1001);
        drop(socket);
        // Well before the grace period of ten seconds, which is for hanging requests.
        tokio::time::timeout(Duration::from_secs(5), &mut served.task).await.unwrap().unwrap().unwrap();
        gate.add_permits(1);
        workers.shutdown().await;
    }

    async fn a_quiet_stream_shows_signs_of_life(db: TestDatabase) {
        let served = serve(&db, Limits { keepalive: Duration::from_millis(20), ..Limits::default() }).await;
        let (run, workers, gate) = run_begin(&served, "a").await;
        let mut plain = served.stream(served.events(run)).await;
        plain.next().await.unwrap();
        assert!(plain.next_or_comment().await.unwrap().comment);
        let query = json!({"query": "subscription { tenantActivity { seq } }"});
        let mut graphql = served.stream(served.post(&query).header("accept", "text/event-stream")).await;
        assert!(graphql.next_or_comment().await.unwrap().comment);
        gate.add_permits(1);
        assert_eq!(plain.rest().await.last().unwrap().event.as_deref(), Some("finished"));
        workers.shutdown().await;
    }
}
