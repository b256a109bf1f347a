//! The form of a GraphQL request from POST, GET and WebSocket, and of the response.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use async_graphql::{Request, Response, ServerError, Value, Variables};
use axum::body::Bytes;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::problem::Problem;

/// The parameters of a request in JSON. `null` counts as absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Params {
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Variables,
    extensions: Option<HashMap<String, Value>>,
}

/// A struct that is deserialized from a JSON object only. A struct with serde's derived code also accepts an array and
/// takes its elements as the fields in their order.
pub(super) struct JsonObject<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for FieldsVisitor<T> {
            type Value = JsonObject<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(JsonObject)
            }
        }

        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

/// The parameters of a request in a query string: variables and extensions are JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddressParams {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

impl Params {
    /// Reads a body.
    pub(super) fn from_body(body: &Bytes) -> Result<Self, Problem> {
        let begin = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if begin == Some(&b'[') {
            return Err(Problem::new(
                axum::http::StatusCode::BAD_REQUEST,
                "BATCHING_NOT_SUPPORTED",
                "send one operation per request: batches are not supported",
            ));
        }
        let JsonObject(params) = serde_json::from_slice(body).map_err(|error| {
            Problem::bad_request(format!(
                "the body is not a GraphQL request in JSON: {error}"
            ))
        })?;
        Ok(params)
    }

    /// The request to execute.
    pub(super) fn request(self) -> Result<Request, Problem> {
        let query = self
            .query
            .ok_or_else(|| Problem::bad_request("the request needs a query"))?;
        let mut request = Request::new(query).variables(self.variables);
        request.operation_name = self.operation_name;
        request.extensions.0 = self.extensions.unwrap_or_default();
        Ok(request)
    }
}

impl AddressParams {
    /// The request to execute.
    pub(super) fn request(self) -> Result<Request, Problem> {
        Params {
            query: self.query,
            // A form sends an empty field for one that was not filled in.
            operation_name: self.operation_name.filter(|name| !name.is_empty()),
            variables: json_field("variables", self.variables)?.unwrap_or_default(),
            extensions: json_field("extensions", self.extensions)?,
        }
        .request()
    }
}

fn json_field<T: for<'de> Deserialize<'de>>(
    name: &str,
    text: Option<String>,
) -> Result<Option<T>, Problem> {
    text.filter(|text| !text.is_empty())
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Problem::bad_request(format!("{name} is not a JSON object: {error}")))
}

/// Whether the request failed before anything was executed. An error of a field has the field's path, one of the
/// request has none.
pub(super) fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[ServerError]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<&'a std::collections::BTreeMap<String, Value>>,
}

/// Writes an answer as JSON. An answer to a request that failed before it was executed has no `data`, as the GraphQL
/// specification requires.
pub(super) fn answer_json(response: &Response) -> String {
    json(&Answer {
        data: (!is_request_error(response)).then_some(&response.data),
        errors: &response.errors,
        extensions: Some(&response.extensions).filter(|extensions| !extensions.is_empty()),
    })
}

/// Serializes a value that always has a JSON form.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer has no JSON");
        r#"{"errors":[{"message":"something went wrong on the server","extensions":{"code":"INTERNAL"}}]}"#.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &'static str) -> Result<Request, String> {
        let params = Params::from_body(&Bytes::from_static(text.as_bytes()));
        params
            .and_then(Params::request)
            .map_err(|problem| problem.message().to_owned())
    }

    #[test]
    fn null_is_as_good_as_absent() {
        let request =
            body(r#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#)
                .unwrap();
        assert_eq!(
            (request.query.as_str(), request.operation_name),
            ("{a}", None)
        );
    }

    #[test]
    fn malformed_requests_are_refused_with_a_reason() {
        assert!(
            body(" [{\"query\":\"{a}\"}]")
                .unwrap_err()
                .contains("batches")
        );
        assert!(body("query=a").unwrap_err().contains("JSON"));
        assert!(body("{}").unwrap_err().contains("needs a query"));
        assert!(body(r#"{"query":{}}"#).unwrap_err().contains("JSON"));
        assert!(
            body(r#"{"query":"{a}","variables":[1]}"#)
                .unwrap_err()
                .contains("JSON")
        );
    }

    #[test]
    fn an_answer_to_what_was_not_executed_has_no_data() {
        let refused = Response::from_errors(vec![ServerError::new("no", None)]);
        assert_eq!(answer_json(&refused), r#"{"errors":[{"message":"no"}]}"#);
        let mut failed = Response::from_errors(vec![ServerError::new("no", None)]);
        failed.errors[0].path = vec![async_graphql::PathSegment::Field("a".into())];
        assert_eq!(
            answer_json(&failed),
            r#"{"data":null,"errors":[{"message":"no","path":["a"]}]}"#
        );
    }
}
