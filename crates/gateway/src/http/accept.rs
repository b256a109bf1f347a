//! Content negotiation: chooses a response type of `/graphql` by the `Accept` header.

use axum::http::{HeaderMap, header};

/// A media type of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: its status reflects whether the request was valid.
    GraphqlResponse,
    /// `application/json`: whatever the document, the status is 200.
    Json,
    /// `text/event-stream`.
    EventStream,
    /// `text/html`: a browser.
    Html,
}

impl Media {
    fn name(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json",
            Self::Json => "application/json",
            Self::EventStream => "text/event-stream",
            Self::Html => "text/html",
        }
    }
}

/// A parsed `Accept` header.
#[derive(Debug)]
pub(super) struct Accepts(Vec<(String, f32)>);

impl Accepts {
    /// Reads the header. A client that sends none accepts everything.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter();
        let mut ranges: Vec<(String, f32)> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(range_read)
            .collect();
        if ranges.is_empty() {
            ranges.push(("*/*".into(), 1.0));
        }
        Self(ranges)
    }

    /// The quality of a media type and how exactly the header names it. `None` where it is not accepted.
    fn weight(&self, media: Media) -> Option<(f32, u8)> {
        let name = media.name();
        let (kind, _) = name.split_once('/')?;
        let exactness = |range: &str| match range.strip_suffix("/*") {
            _ if range == name => Some(2),
            Some(of) if of == kind => Some(1),
            Some("*") => Some(0),
            _ => None,
        };
        // The most exact range decides, as RFC 9110 says: `*/*, text/html;q=0` does not accept HTML.
        self.0
            .iter()
            .filter_map(|(range, q)| Some((*q, exactness(range)?)))
            .max_by_key(|(_, exact)| *exact)
            .filter(|(q, _)| *q > 0.0)
    }

    /// Whether the header names a media type itself. A client that accepts `*/*` gets neither a stream nor a page.
    pub(super) fn names(&self, media: Media) -> bool {
        self.weight(media).is_some_and(|(_, exact)| exact == 2)
    }

    /// The JSON media type with the higher quality. A client that accepts `*/*` gets `application/json`, as the
    /// specification requires.
    pub(super) fn json(&self) -> Option<Media> {
        let response = self.weight(Media::GraphqlResponse);
        let json = self.weight(Media::Json);
        match (response, json) {
            (None, None) => None,
            (Some(_), None) => Some(Media::GraphqlResponse),
            (Some((more, 2)), Some((less, _))) if more >= less => Some(Media::GraphqlResponse),
            _ => Some(Media::Json),
        }
    }

    /// Whether the client prefers HTML to every other media type, as a browser does for a page that its user opens.
    pub(super) fn prefers_html(&self) -> bool {
        let html = self.weight(Media::Html).filter(|(_, exact)| *exact == 2);
        let others = [Media::GraphqlResponse, Media::Json, Media::EventStream];
        html.is_some_and(|(q, _)| {
            others
                .iter()
                .filter_map(|&o| self.weight(o))
                .all(|(other, _)| other <= q)
        })
    }
}

fn range_read(text: &str) -> Option<(String, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts
        .next()
        .filter(|range| range.contains('/'))?
        .to_ascii_lowercase();
    let q = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map_or(Some(1.0), |(_, q)| q.trim().parse::<f32>().ok())?;
    (0.0..=1.0).contains(&q).then_some((range, q))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn accepts(text: &'static str) -> Accepts {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(text));
        Accepts::read(&headers)
    }

    #[test]
    fn who_takes_anything_or_says_nothing_gets_plain_json() {
        assert_eq!(Accepts::read(&HeaderMap::new()).json(), Some(Media::Json));
        for anything in ["*/*", "application/*", "text/html, */*;q=0.5", "nonsense"] {
            assert_eq!(accepts(anything).json(), Some(Media::Json), "{anything}");
        }
    }

    #[test]
    fn the_form_that_is_wanted_more_is_given() {
        let both = "application/graphql-response+json, application/json;q=0.9";
        assert_eq!(accepts(both).json(), Some(Media::GraphqlResponse));
        let other = "application/graphql-response+json;q=0.5, application/json";
        assert_eq!(accepts(other).json(), Some(Media::Json));
        assert_eq!(
            accepts("APPLICATION/GRAPHQL-RESPONSE+JSON; charset=utf-8").json(),
            Some(Media::GraphqlResponse)
        );
        assert_eq!(accepts("text/html").json(), None);
        assert_eq!(
            accepts("*/*, application/json;q=0, application/graphql-response+json;q=0").json(),
            None
        );
    }

    #[test]
    fn a_stream_is_given_only_to_who_names_it() {
        assert!(accepts("text/event-stream").names(Media::EventStream));
        assert!(!accepts("text/*, */*").names(Media::EventStream));
        assert!(!accepts("text/event-stream;q=0").names(Media::EventStream));
    }

    #[test]
    fn a_browser_is_told_from_a_program() {
        assert!(
            accepts("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
                .prefers_html()
        );
        assert!(!accepts("*/*").prefers_html());
        assert!(!accepts("application/json, text/html;q=0.1").prefers_html());
    }
}
