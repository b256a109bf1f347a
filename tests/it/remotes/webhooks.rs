//! GitHub webhooks over real sockets: authentication, started syncs, and exactly-once handling of pushes.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use nyxcore_gateway::{ConnectionLimits, Limits};
use nyxcore_projects::SourceId;
use nyxcore_runs::{
    FollowUp, RunContext, RunFailure, RunFilter, RunHandler, RunKind, RunStatus, Workers, run_list,
};
use nyxcore_sync::{
    SYNC_RUN, SyncTrigger, schedule_tick, source_schedule_set, sync_again, sync_latest,
    sync_settings_of,
};
use nyxcore_tenancy::audit::{AuditEntry, AuditFilter, audit_list};
use nyxcore_tenancy::{PageRequest, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::{ask, source_of, sql};
use crate::gateway_transport::client::{PATIENCE, Served, serve};
use crate::support::tenant;

/// GitHub's own example of the event, with the current branch and times.
const PUSH: &str = include_str!("github_push.json");
const URL: &str = "https://github.com/codertocat/hello-world";
const ENABLE: &str = "mutation ($input: EnableSourceWebhookInput!) { enableSourceWebhook(input: $input) { url secret source { webhookEnabled } } }";
const DISABLE: &str = "mutation ($input: DisableSourceWebhookInput!) { disableSourceWebhook(input: $input) { source { webhookEnabled } } }";

fn signature(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let bytes = mac.chain_update(body).finalize().into_bytes();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

/// A source with an enabled webhook, as GitHub sees it.
struct Hook<'s> {
    served: &'s Served,
    source: SourceId,
    path: String,
    secret: String,
}

impl<'s> Hook<'s> {
    async fn new(served: &'s Served) -> Self {
        Self::on(served, URL).await
    }

    /// A webhook for a source with that address.
    async fn on(served: &'s Served, url: &str) -> Self {
        let source = source_of(&served.store, served.tenant, url, None).await;
        let answer = ask(served, ENABLE, json!({"sourceId": source})).await;
        let made = &answer["data"]["enableSourceWebhook"];
        assert_eq!(made["source"]["webhookEnabled"], true, "{answer}");
        let secret = made["secret"].as_str().unwrap().to_owned();
        assert!(
            secret.starts_with("nyxwh_") && secret.len() == 70,
            "{secret}"
        );
        let path = made["url"].as_str().unwrap().to_owned();
        assert_eq!(
            path,
            format!("/api/v1/webhooks/github/{}/{source}", served.tenant)
        );
        Self {
            served,
            source,
            path,
            secret,
        }
    }

    /// Sends a delivery as GitHub does; returns the status and the response.
    async fn send(&self, event: &str, delivery: &str, body: &str) -> (u16, Value) {
        let signed = signature(&self.secret, body);
        post(
            self.served,
            &self.path,
            event,
            delivery,
            &signed,
            body.to_owned(),
        )
        .await
    }

    /// A push whose body differs each time.
    async fn push(&self, delivery: &str) -> Value {
        let body = PUSH.replace("Update README.md", delivery);
        self.send("push", delivery, &body).await.1
    }

    async fn pending(&self) -> bool {
        let scoped = self.served.store.read(self.served.tenant).await.unwrap();
        let settings = sync_settings_of(&scoped, &[self.source]).await.unwrap();
        settings[&self.source].next_trigger == Some(SyncTrigger::Webhook)
    }

    /// Waits until the tenant's syncs, newest first, have these statuses.
    async fn until(&self, statuses: &[RunStatus]) {
        let wait = async {
            while self.syncs().await != statuses {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    async fn syncs(&self) -> Vec<RunStatus> {
        let scoped = self.served.store.read(self.served.tenant).await.unwrap();
        let filter = RunFilter {
            kinds: vec![SYNC_RUN],
            ..RunFilter::default()
        };
        let page = run_list(&scoped, &filter, &PageRequest::first(50)).await;
        page.unwrap()
            .into_items()
            .into_iter()
            .map(|run| run.status)
            .collect()
    }
}

async fn post(
    served: &Served,
    path: &str,
    event: &str,
    delivery: &str,
    signature: &str,
    body: String,
) -> (u16, Value) {
    let request = served.client.post(served.url(path));
    let response = request
        .header("content-type", "application/json")
        .header("user-agent", "GitHub-Hookshot/044aadd")
        .header("x-github-event", event)
        .header("x-github-delivery", delivery)
        .header("x-hub-signature-256", signature)
        .body(body)
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

fn ignored(reason: &str) -> (u16, Value) {
    (202, json!({"outcome": "IGNORED", "reason": reason}))
}

/// A handler of syncs that end on request.
struct Patient(Arc<Semaphore>);

impl RunHandler for Patient {
    fn kind(&self) -> RunKind {
        SYNC_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            context.phase("prepare", None, None).await?;
            self.0.acquire().await.unwrap().forget();
            Ok(())
        }
        .boxed()
    }
}

on_both_databases! {
    async fn a_push_to_the_sources_branch_starts_a_sync_once(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let hook = Hook::new(&served).await;
        assert_eq!(hook.send("ping", "d0", r#"{"zen": "Keep it logically awesome."}"#).await, (200, json!({"outcome": "PONG"})));
        let tag = PUSH.replace("refs/heads/main", "refs/tags/v1");
        let other = PUSH.replace("refs/heads/main", "refs/heads/next");
        let gone = PUSH.replace("\"deleted\": false", "\"deleted\": true");
        let elsewhere = PUSH.replace("/Hello-World", "/Goodbye-World");
        for (event, body, reason) in [
            ("issues", "{}", "EVENT_NOT_USED"),
            ("push", &tag, "NOT_A_BRANCH"),
            ("push", &other, "OTHER_BRANCH"),
            ("push", &gone, "BRANCH_DELETED"),
            ("push", &elsewhere, "OTHER_REPOSITORY"),
        ] {
            assert_eq!(hook.send(event, reason, body).await, ignored(reason));
        }
        assert!(hook.syncs().await.is_empty());

        let (status, answer) = hook.send("push", "d1", PUSH).await;
        assert_eq!((status, &answer["outcome"]), (202, &json!("STARTED")), "{answer}");
        let scoped = served.store.read(served.tenant).await.unwrap();
        let sync = sync_latest(&scoped, hook.source).await.unwrap().unwrap();
        assert_eq!((sync.detail.trigger, &sync.run.started_by), (SyncTrigger::Webhook, &None));
        assert_eq!(answer["syncId"], sync.run.id.to_string());
        // The same delivery again, and with another id: the id is not signed.
        assert_eq!(hook.send("push", "d1", PUSH).await, ignored("REPLAY"));
        assert_eq!(hook.send("push", "d2", PUSH).await, ignored("REPLAY"));
        // Another push while that sync waits: the sync will include it.
        assert_eq!(hook.push("d3").await, json!({"outcome": "WAITING", "syncId": sync.run.id}));
        assert!(!hook.pending().await);
        assert_eq!(hook.syncs().await, [RunStatus::Queued]);

        // The audit log has the origin of the sync: no user of the tenant, but a network address.
        let log = audit_list(&scoped, &AuditFilter::default(), &PageRequest::first(50)).await.unwrap();
        let log: Vec<AuditEntry> = log.into_items();
        drop(scoped);
        let entry = log.iter().find(|entry| entry.action == "sync.start").unwrap();
        let line = entry.json_line();
        for part in ["\"actor\":\"SYSTEM\"", "\"address\":\"127.0.0.1\"", "\"delivery\":\"d1\"", "\"userId\":null"] {
            assert!(line.contains(part), "{part} {line}");
        }
        assert_eq!(entry.subject_id, Some(sync.run.id.0));
        assert!(!log.iter().any(|entry| entry.json_line().contains(&hook.secret)));

        // A valid signature with an invalid delivery gets an error message.
        for (delivery, body) in [("d4", "payload=%7B%7D"), ("d5", "{}"), ("", PUSH), (&"d".repeat(101), PUSH)] {
            assert_eq!(hook.send("push", delivery, body).await.0, 400, "{delivery}");
        }
        assert_eq!(hook.syncs().await.len(), 1);
    }

    async fn whoever_cannot_prove_it_gets_one_and_the_same_answer(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let hook = Hook::new(&served).await;
        let plain = source_of(&served.store, served.tenant, "https://github.com/a/b", None).await;
        let (rival, _) = tenant(&served.store, "rival").await;
        let theirs = source_of(&served.store, rival.id, URL, None).await;
        let good = signature(&hook.secret, PUSH);
        let path = |tenant: TenantId, source: SourceId| format!("/api/v1/webhooks/github/{tenant}/{source}");
        let nobody = TenantId(uuid::Uuid::from_u128(7));
        let mut answers = Vec::new();
        for (path, signature, body) in [
            (hook.path.clone(), signature("another secret", PUSH), PUSH),
            (hook.path.clone(), good.clone(), &PUSH.replace("README", "README2")),
            (hook.path.clone(), String::new(), PUSH),
            (hook.path.clone(), "sha256=".into(), PUSH),
            (hook.path.clone(), good.replace("sha256=", "sha1="), PUSH),
            (hook.path.clone(), good[..70].to_owned(), PUSH),
            (path(served.tenant, plain), good.clone(), PUSH),
            (path(served.tenant, plain), signature("nobody's", PUSH), PUSH),
            (path(rival.id, theirs), good.clone(), PUSH),
            (path(rival.id, hook.source), good.clone(), PUSH),
            (path(nobody, hook.source), good.clone(), PUSH),
            ("/api/v1/webhooks/github/tenant_x/source_y".into(), good.clone(), PUSH),
            ("/api/v1/webhooks/github/%ff/%00".into(), good.clone(), PUSH),
        ] {
            answers.push(post(&served, &path, "push", "d1", &signature, body.to_owned()).await);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 401), "{answers:?}");
        assert!(hook.syncs().await.is_empty());

        // With a new secret the old one becomes invalid; then the webhook is disabled.
        let answer = ask(&served, ENABLE, json!({"sourceId": hook.source})).await;
        let renewed = answer["data"]["enableSourceWebhook"]["secret"].as_str().unwrap().to_owned();
        assert_eq!(hook.send("ping", "d2", "{}").await, answers[0]);
        let signed = signature(&renewed, "{}");
        assert_eq!(post(&served, &hook.path, "ping", "d3", &signed, "{}".into()).await.0, 200);
        for _ in 0..2 {
            let answer = ask(&served, DISABLE, json!({"sourceId": hook.source})).await;
            assert_eq!(answer["data"]["disableSourceWebhook"]["source"]["webhookEnabled"], false, "{answer}");
        }
        assert_eq!(post(&served, &hook.path, "ping", "d4", &signed, "{}".into()).await, answers[0]);

        // A client with repeated invalid deliveries is soon refused, whatever it sends.
        let mut status = 401;
        for _ in 0..60 {
            status = post(&served, &hook.path, "ping", "d5", &good, "{}".into()).await.0;
        }
        assert_eq!(status, 429);
        let response = served.client.get(served.url(&hook.path)).send().await.unwrap();
        assert_eq!(response.status(), 405);
    }

    async fn bodies_may_be_as_large_as_githubs_and_no_larger(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let hook = Hook::new(&served).await;
        let large = PUSH.replace("Update README.md", &"x".repeat(3 << 20));
        assert_eq!(hook.send("push", "d1", &large).await.1["outcome"], "STARTED");
        let request = served.client.post(served.url(&hook.path)).body("x".repeat((25 << 20) + 1));
        // The server may have closed the connection before everything was sent.
        if let Ok(response) = request.send().await {
            assert_eq!(response.status(), 413);
        }
    }

    /// A sync that has fetched already misses new pushes: one more sync follows, however many pushes there were.
    async fn pushes_during_a_sync_are_one_more_sync_when_it_ends(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let hook = Hook::new(&served).await;
        assert_eq!(hook.push("d1").await["outcome"], "STARTED");
        let go = Arc::new(Semaphore::new(0));
        let again: FollowUp = Arc::new(|scoped, run| Box::pin(sync_again(scoped, run)));
        let workers = Workers::builder(&served.store)
            .handler(Patient(Arc::clone(&go)))
            .follow_up(SYNC_RUN, again)
            .start().unwrap();
        hook.until(&[RunStatus::Running]).await;
        for n in 2..6 {
            assert_eq!(hook.push(&format!("d{n}")).await["outcome"], "FOLLOWS");
        }
        assert!(hook.pending().await);
        // The scheduler checks meanwhile, and has to wait as well.
        sql(&db, "UPDATE sync_settings SET next_sync_at = webhook_since").await;
        assert_eq!(schedule_tick(&served.store).await.unwrap(), 0);
        assert!(hook.pending().await);
        go.add_permits(1);
        hook.until(&[RunStatus::Running, RunStatus::Succeeded]).await;
        assert!(!hook.pending().await);
        go.add_permits(5);
        hook.until(&[RunStatus::Succeeded; 2]).await;
        workers.shutdown().await;
        assert_eq!(schedule_tick(&served.store).await.unwrap(), 0);
        assert_eq!(hook.syncs().await.len(), 2);
    }

    /// If the sync fails, or its end and the push happen at the same time, the scheduler starts the additional sync. A
    /// schedule continues after it.
    async fn a_push_during_a_sync_that_fails_is_not_lost(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let hook = Hook::new(&served).await;
        let scoped = served.store.write(served.tenant).await.unwrap();
        source_schedule_set(&scoped, hook.source, Some(60)).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(hook.push("d1").await["outcome"], "STARTED");
        sql(&db, "UPDATE runs SET status = 'RUNNING', attempt = 1").await;
        assert_eq!(hook.push("d2").await["outcome"], "FOLLOWS");
        sql(&db, "UPDATE runs SET status = 'FAILED', error_code = 'TIMEOUT', error_message = 'x', finished_at = created_at").await;
        // A change of the schedule does not remove the requested sync.
        let scoped = served.store.write(served.tenant).await.unwrap();
        source_schedule_set(&scoped, hook.source, Some(120)).await.unwrap();
        scoped.commit().await.unwrap();
        assert!(hook.pending().await);
        assert_eq!(schedule_tick(&served.store).await.unwrap(), 1);
        assert_eq!(hook.syncs().await, [RunStatus::Queued, RunStatus::Failed]);
        assert!(!hook.pending().await);
        let scoped = served.store.read(served.tenant).await.unwrap();
        assert_eq!(sync_latest(&scoped, hook.source).await.unwrap().unwrap().detail.trigger, SyncTrigger::Webhook);
        let settings = sync_settings_of(&scoped, &[hook.source]).await.unwrap();
        assert_eq!(settings[&hook.source].next_trigger, Some(SyncTrigger::Schedule));
    }

    async fn silent_strangers_do_not_keep_deliveries_out(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let hook = Hook::new(&served).await;
        let mut strangers = Vec::new();
        for path in ["/api/v1/webhooks/github/a/b", &hook.path] {
            for _ in 0..20 {
                strangers.push(body_begin(&served, path, 9, b"{").await);
            }
        }
        assert_eq!(hook.send("ping", "d1", "{}").await.0, 200);
        drop(strangers);
    }

    async fn large_silent_bodies_do_not_keep_deliveries_out(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let hook = Hook::new(&served).await;
        let other = Hook::on(&served, "https://github.com/a/b").await;
        let part = vec![b' '; 400 * 1024];
        let mut strangers = Vec::new();
        for _ in 0..10 {
            strangers.push(body_begin(&served, &other.path, 20 << 20, &part).await);
        }
        assert_eq!(hook.send("ping", "d1", "{}").await.0, 200);
        let large = PUSH.replace("Update README.md", &"x".repeat(3 << 20));
        assert_eq!(hook.send("push", "d2", &large).await.1["outcome"], "STARTED");
        drop(strangers);
    }

    async fn equal_deliveries_at_once_are_never_busy(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let hook = Hook::new(&served).await;
        for (delivery, size) in [("d1", 10), ("d2", 300 * 1024)] {
            let body = PUSH.replace("Update README.md", &format!("{delivery}{}", "x".repeat(size)));
            let deliveries = (0..20).map(|_| hook.send("push", delivery, &body));
            let answers = futures::future::join_all(deliveries).await;
            assert!(answers.iter().all(|(status, _)| *status == 202), "{answers:?}");
            let replays = answers.iter().filter(|(_, answer)| answer["reason"] == "REPLAY").count();
            assert_eq!(replays, 19, "{answers:?}");
        }
    }

    async fn a_body_that_comes_too_slowly_counts_as_a_refusal(db: TestDatabase) {
        let connection = ConnectionLimits { body_idle: Duration::from_millis(300), ..ConnectionLimits::default() };
        let served = serve(&db, Limits { connection, ..Limits::default() }).await;
        let hook = Hook::new(&served).await;
        for path in [&hook.path, "/api/v1/webhooks/github/a/b"] {
            let slow = (0..30).map(|_| async {
                let mut stream = body_begin(&served, path, 9, b"{").await;
                let mut answer = Vec::new();
                let _reset = stream.read_to_end(&mut answer).await;
                String::from_utf8_lossy(&answer).into_owned()
            });
            for answer in futures::future::join_all(slow).await {
                assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("BODY_TIMEOUT"), "{answer}");
            }
        }
        assert_eq!(hook.send("ping", "d1", "{}").await.0, 429);
    }
}

/// A connection that has sent a request's headers and the start of its body.
async fn body_begin(served: &Served, path: &str, length: usize, begin: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(begin).await.unwrap();
    stream
}
