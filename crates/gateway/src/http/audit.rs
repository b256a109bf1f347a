//! The export of the audit log: `GET /api/v1/audit`, one JSON object per line, newest first.

use std::collections::VecDeque;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::stream;
use nyxcore_tenancy::audit::{AuditFilter, audit_list};
use nyxcore_tenancy::{Acting, Cursor, Error, PageRequest, Store};

use super::Server;
use super::auth::{self, RequestHead};
use super::problem::Problem;
use crate::times::{TIME_RANGE, time_is_storable};

/// Entries that are read at once. Each page is read in a short transaction, so a slow client holds no transaction open.
const PAGE: u64 = 200;

/// Streams the log from `?from=` (inclusive) to `?to=` (exclusive), where these are given.
pub(super) async fn get(State(server): State<Server>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    open(&server, &parts).await.unwrap_or_else(Problem::plain)
}

async fn open(server: &Server, parts: &Parts) -> Result<Response, Problem> {
    let shown = auth::request_authenticate(&server.gateway, RequestHead::parts(parts)).await?;
    let query = parts.uri.query().unwrap_or_default();
    let filter = AuditFilter {
        from: time_read(query, "from")?,
        to: time_read(query, "to")?,
        ..AuditFilter::default()
    };
    let mut log = Log {
        store: server.gateway.store().clone(),
        acting: shown.acting,
        filter,
        after: None,
        more: true,
        lines: VecDeque::new(),
    };
    // The first page is read before the response begins, so that a caller without permission gets an error status.
    log.page_read().await.map_err(|error| refused(&error))?;
    let lines = stream::try_unfold(log, |mut log| async move {
        while log.lines.is_empty() && log.more {
            log.page_read().await?;
        }
        Ok::<_, Error>(log.lines.pop_front().map(|line| (line, log)))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"audit.jsonl\"",
        ),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

struct Log {
    store: Store,
    acting: Acting,
    filter: AuditFilter,
    after: Option<Cursor>,
    more: bool,
    lines: VecDeque<String>,
}

impl Log {
    async fn page_read(&mut self) -> Result<(), Error> {
        let request = PageRequest {
            after: self.after.take(),
            ..PageRequest::first(PAGE)
        };
        let scoped = self.store.read_as(&self.acting).await?;
        let page = audit_list(&scoped, &self.filter, &request).await?;
        self.more = page.has_next;
        self.after = page.items.last().map(|(cursor, _)| cursor.clone());
        let lines = page.items.iter().map(|(_, entry)| entry.json_line() + "\n");
        self.lines.extend(lines);
        Ok(())
    }
}

fn refused(error: &Error) -> Problem {
    match error {
        Error::Forbidden(_) | Error::TokenForbidden { .. } => {
            Problem::new(StatusCode::FORBIDDEN, error.code(), error.to_string())
        }
        error => Problem::store(error),
    }
}

/// Reads a time in the query string, in RFC 3339. A `+` may be unescaped.
fn time_read(query: &str, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let Some((_, text)) = pairs.find(|(key, _)| key == name) else {
        return Ok(None);
    };
    // An unescaped `+` was decoded as a space. A time contains no space.
    let text = text.replace(' ', "+");
    let invalid = |what: &str| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "INVALID_INPUT",
            format!("`{name}` {what}"),
        )
    };
    let time = DateTime::parse_from_rfc3339(&text)
        .map_err(|_| invalid("is a time as in 2026-01-31T12:00:00Z"))?
        .to_utc();
    if time_is_storable(time) {
        Ok(Some(time))
    } else {
        Err(invalid(TIME_RANGE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_and_without_escapes_and_nothing_else_is() {
        let read = |query| time_read(query, "from").map_err(|_| ());
        let noon = "2026-01-31T12:00:00Z".parse().ok();
        assert_eq!(read("to=x&from=2026-01-31T12:00:00Z"), Ok(noon));
        assert_eq!(read("from=2026-01-31T13%3A00%3a00%2B01:00"), Ok(noon));
        assert_eq!(read("to=x"), Ok(None));
        assert_eq!(read("from=yesterday"), Err(()));
    }
}
