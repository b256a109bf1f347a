//! Event streams for simple clients: `GET /api/v1/events/{kind}/{id}`, the log of one run as server-sent events.
//!
//! Each event has its number as `id`, its type as `event` and JSON as `data`. A client resumes with `Last-Event-ID`
//! (or `?after=`) and misses nothing. Reading starts nothing, and a disconnect has no effect.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use chrono::SecondsFormat;
use futures::StreamExt;
use futures::future::ready;
use nyxcore_code_analysis::CODE_ANALYSIS_RUN;
use nyxcore_embeddings::EMBEDDING_RUN;
use nyxcore_note_enrichment::NOTE_ENRICHMENT_RUN;
use nyxcore_runs::{EventBody, Run, RunEvent, RunId, RunKind, Runs, run_follow};
use nyxcore_sync::SYNC_RUN;
use nyxcore_tenancy::{Repository, Result as StoreResult, Store, TenantId, TypedId};
use serde_json::{Value, json};

use super::auth::RequestHead;
use super::problem::Problem;
use super::{Server, auth, sse};

/// Streams a run's events.
pub(super) async fn get(
    State(server): State<Server>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    open(&server, path.ok(), RequestHead::request(&request))
        .await
        .unwrap_or_else(Problem::plain)
}

async fn open(
    server: &Server,
    path: Option<Path<(String, String)>>,
    asked: RequestHead<'_>,
) -> Result<Response, Problem> {
    let shown = auth::request_authenticate(&server.gateway, asked).await?;
    let tenant = shown.acting.caller.tenant;
    let (kind, id) = path
        .and_then(|Path((kind, id))| Some((kind_read(&kind)?, RunId::parse(&id).ok()?)))
        .ok_or_else(missing)?;
    let after = cursor_read(asked.headers, asked.uri)?;
    let store = server.gateway.store();
    let run = run_get(store, tenant, id)
        .await
        .map_err(|error| Problem::store(&error))?
        .filter(|run| run.kind == kind)
        .ok_or_else(missing)?;
    if !run.status.is_active() && after >= run.event_count {
        // An `EventSource` reconnects whenever a stream ends, unless the status 204 says that there is no more.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let store = store.clone();
    let events = run_follow(&store, tenant, id, after)
        .scan((), |(), event| {
            let event = event
                .inspect_err(|error| tracing::warn!(?error, "a run's events could not be read"));
            ready(event.ok())
        })
        .then(move |event| {
            let store = store.clone();
            async move { frame(&store, tenant, &event).await }
        });
    sse::events(server, &shown, events)
}

fn missing() -> Problem {
    Problem::not_found("no such run")
}

fn kind_read(name: &str) -> Option<RunKind> {
    Some(match name {
        "code-analysis" => CODE_ANALYSIS_RUN,
        "syncs" => SYNC_RUN,
        "enrichments" => NOTE_ENRICHMENT_RUN,
        "embeddings" => EMBEDDING_RUN,
        _ => return None,
    })
}

/// The number of the last event that the client has seen. The header of a reconnecting client counts before the query
/// string of its first request.
fn cursor_read(headers: &HeaderMap, uri: &Uri) -> Result<i64, Problem> {
    let header = headers
        .get("last-event-id")
        .map(|id| id.to_str().unwrap_or("?"));
    let mut pairs = uri.query().unwrap_or_default().split('&');
    let after = pairs.find_map(|pair| pair.strip_prefix("after="));
    let Some(text) = header.or(after).filter(|text| !text.is_empty()) else {
        return Ok(0);
    };
    text.parse()
        .ok()
        .filter(|cursor| *cursor >= 0)
        .ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "INVALID_INPUT",
                "Last-Event-ID must be the id of an event of this stream: a number",
            )
        })
}

async fn run_get(store: &Store, tenant: TenantId, id: RunId) -> StoreResult<Option<Run>> {
    let scoped = store.read(tenant).await?;
    Runs::get(&scoped, id).await
}

async fn frame(store: &Store, tenant: TenantId, event: &RunEvent) -> Event {
    let (name, mut data) = body(&event.body);
    if let EventBody::Finished { .. } = event.body {
        // The reason of the failure is stored with the run, which does not change any more.
        let run = run_get(store, tenant, event.run_id).await.ok().flatten();
        data["error"] = json!(run.and_then(|run| run.error));
    }
    data["runId"] = json!(event.run_id);
    data["seq"] = json!(event.seq);
    data["at"] = json!(event.at.to_rfc3339_opts(SecondsFormat::Micros, true));
    Event::default()
        .id(event.seq.to_string())
        .event(name)
        .data(data.to_string())
}

fn body(body: &EventBody) -> (&'static str, Value) {
    match body {
        EventBody::PhaseStarted { phase } => ("phase_started", json!({ "phase": phase })),
        EventBody::Progressed { progress } => ("progressed", json!({ "progress": progress })),
        EventBody::Message { level, text } => ("message", json!({ "level": level, "text": text })),
        EventBody::PhaseSkipped { phase, reason } => {
            ("phase_skipped", json!({ "phase": phase, "reason": reason }))
        }
        EventBody::Text { stream, text } => ("text", json!({ "stream": stream, "text": text })),
        EventBody::Finished { status } => ("finished", json!({ "status": status })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn last_event_id_takes_precedence_over_the_query() {
        let mut headers = HeaderMap::new();
        let uri = Uri::from_static("/x?a=1&after=3");
        assert_eq!(cursor_read(&headers, &Uri::from_static("/x")).unwrap(), 0);
        assert_eq!(cursor_read(&headers, &uri).unwrap(), 3);
        headers.insert("last-event-id", HeaderValue::from_static("7"));
        assert_eq!(cursor_read(&headers, &uri).unwrap(), 7);
        for bad in ["-1", "x", "99999999999999999999"] {
            headers.insert("last-event-id", HeaderValue::from_static(bad));
            assert!(cursor_read(&headers, &uri).is_err(), "{bad}");
        }
    }
}
