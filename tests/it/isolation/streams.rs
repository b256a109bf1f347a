//! The matrix of subscriptions: each by WebSocket and by server-sent events, and the plain event stream of a run.

use nyxcore_sync::SYNC_RUN;
use std::time::Duration;

use nyxcore_runs::{NewRun, Priority, run_cancel, run_start};
use nyxcore_tenancy::Role;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::server::Server;
use super::team::{ROLES, Team};
use super::world::{Objects, nobodys};

/// The interval at which runs end until the subscription receives one: it is active only a moment after the request.
const A_MOMENT: Duration = Duration::from_millis(20);

fn run_events(id: &str) -> Value {
    json!({"query": format!("subscription {{ runEvents(runId: \"{id}\") {{ __typename runId seq }} }}")})
}

fn project_activity(id: &str) -> Value {
    json!({"query": format!("subscription {{ projectActivity(projectId: \"{id}\") {{ runId }} }}")})
}

on_both_databases! {
    async fn streams_carry_only_events_of_their_tenant(db: TestDatabase) {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        let other = Team::make(&server, "other").await;
        let (world, own) = (Objects::make(&server, &acme).await, Objects::make(&server, &other).await);
        let tenant_activity = json!({"query": "subscription { tenantActivity { runId } }"});

        // Every member of the tenant may follow its runs, by either transport.
        let watched = world.id("watched");
        for role in ROLES {
            let told = server.first_by_sse(acme.token(role), &run_events(watched)).await.unwrap();
            assert!(told.contains(watched), "{role:?}: {told}");
            let mut socket = server.socket(Some(acme.token(role))).await.unwrap();
            socket.say(&json!({"type": "subscribe", "id": "1", "payload": run_events(watched)})).await;
            let told = socket.hear().await.unwrap();
            assert_eq!(told["payload"]["data"]["runEvents"]["runId"], watched, "{role:?}");
            for live in [project_activity(world.id("project")), tenant_activity.clone()] {
                let mut socket = server.socket(Some(acme.token(role))).await.unwrap();
                assert_eq!(socket.subscribe(&live).await, None);
                let told = told_while_runs_end(&server, &acme, &world, &mut socket).await;
                assert!(told["payload"]["errors"].is_null(), "{told}");
                assert!(told["payload"]["data"].is_object(), "{told}");
            }
        }

        // The tenant's run, project and events are reported to another tenant like unknown ones.
        let token = other.token(Role::Owner);
        for (theirs, question) in [(watched, run_events as fn(&str) -> Value), (world.id("project"), project_activity)] {
            let mut told = Vec::new();
            for id in [theirs.to_owned(), nobodys(theirs)] {
                let mut socket = server.socket(Some(token)).await.unwrap();
                socket.say(&json!({"type": "subscribe", "id": "1", "payload": question(&id)})).await;
                let by_socket = socket.hear().await.unwrap().to_string().replace(&id, "<id>");
                let by_sse = server.first_by_sse(token, &question(&id)).await.unwrap_or_default().replace(&id, "<id>");
                assert!(by_socket.contains("NOT_FOUND") && !by_socket.contains("seq"), "{by_socket}");
                assert!(by_sse.contains("NOT_FOUND"), "{by_sse}");
                told.push((by_socket, by_sse));
            }
            assert_eq!(told[0], told[1]);
        }
        let mut told = Vec::new();
        for id in [watched.to_owned(), nobodys(watched)] {
            let answer = server.request(Some(token), &format!("/api/v1/events/syncs/{id}"), None).send().await.unwrap();
            let status = answer.status().as_u16();
            told.push((status, answer.text().await.unwrap().replace(&id, "<id>")));
        }
        assert_eq!((told[0].0, &told[0]), (404, &told[1]));

        // Events of one tenant do not reach the other, which receives its own events.
        let mut socket = server.socket(Some(token)).await.unwrap();
        assert_eq!(socket.subscribe(&tenant_activity).await, None);
        let mut foreign = Vec::new();
        let told = {
            let mut hearing = std::pin::pin!(socket.hear());
            loop {
                foreign.push(run_to_end(&server, &acme, &world).await);
                let own_run = run_to_end(&server, &other, &own).await;
                match tokio::time::timeout(A_MOMENT, &mut hearing).await {
                    Ok(told) => break told.unwrap(),
                    Err(_) => assert!(!foreign.contains(&own_run)),
                }
            }
        };
        let run = told["payload"]["data"]["tenantActivity"]["runId"].as_str().unwrap().to_owned();
        assert!(!foreign.contains(&run), "{told}");

        // Without a credential the connection is refused.
        assert_eq!(server.socket(None).await.err(), Some(4403));
        for (path, body) in [("/graphql", Some(&tenant_activity)), ("/api/v1/events/syncs/x", None)] {
            let request = server.request(None, path, body).header("accept", "text/event-stream");
            assert_eq!(request.send().await.unwrap().status(), 401, "{path}");
        }
    }
}

/// Cancels a run that no worker has: its end is an event.
async fn run_to_end(server: &Server, team: &Team, world: &Objects) -> String {
    let scoped = server.store.write(team.tenant.id).await.unwrap();
    let project = nyxcore_tenancy::id_parse(world.id("project")).unwrap().1;
    let new = NewRun {
        kind: SYNC_RUN,
        subject: scoped.env().id().to_string(),
        project_id: Some(project),
        started_by: None,
        input: Value::Null,
        quiet_period: None,
        max_attempts: 1,
        priority: Priority::Normal,
        not_before: None,
    };
    let run = run_start(&scoped, new).await.unwrap().run().id;
    run_cancel(&scoped, run).await.unwrap();
    scoped.commit().await.unwrap();
    run.to_string()
}

/// The first event of a subscription, while runs end.
async fn told_while_runs_end(
    server: &Server,
    team: &Team,
    world: &Objects,
    socket: &mut super::server::Socket,
) -> Value {
    let mut hearing = std::pin::pin!(socket.hear());
    loop {
        run_to_end(server, team, world).await;
        if let Ok(told) = tokio::time::timeout(A_MOMENT, &mut hearing).await {
            return told.unwrap();
        }
    }
}
