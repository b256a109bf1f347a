//! The checks of a document before execution, and the documents that passed them.
//!
//! Clients send the same few documents with other variables. A document that passed is kept with its parsed form, so
//! that the next request with the same text is neither lexed nor parsed.

use std::any::TypeId;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::registry::Registry;
use async_graphql::{Request, ServerError, ServerResult, Variables};
use lru::LruCache;
use nyxcore_graphql::error::error_with_code;

use super::operation::{self, ExecutableOperation};
use super::{Limits, shape, source, strings};

/// The number of kept documents. An application has some dozens.
const KEPT_DOCUMENTS: NonZeroUsize = NonZeroUsize::new(64).unwrap();
/// The largest kept document in bytes. With its parsed forms, a document of short names takes 74 times its text: 128 of
/// 4 KB took 37 MB. So all kept ones take 10 MB at most.
const KEPT_BYTES: usize = 2 * 1024;

/// Checks documents against the limits, and keeps the last ones that passed.
pub(crate) struct Documents {
    limits: Arc<Limits>,
    kept: Mutex<LruCache<String, Arc<CheckedDocument>>>,
}

/// A document that is within the limits, and the operation of it that the request means.
pub(crate) struct CheckedDocument {
    /// The type of the operation.
    pub kind: OperationType,
    /// The name by which the request chose the operation.
    name: Option<String>,
    document: ExecutableDocument,
    executable: OnceLock<Arc<ExecutableOperation>>,
}

/// The checked document of a request.
struct DocumentMark(Arc<CheckedDocument>);

impl Documents {
    /// No documents yet.
    pub(crate) fn new(limits: &Arc<Limits>) -> Self {
        Self {
            limits: Arc::clone(limits),
            kept: Mutex::new(LruCache::new(KEPT_DOCUMENTS)),
        }
    }

    /// The limits that documents are checked against.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Checks a request's document against every limit that needs no schema. The parsed document stays with the
    /// request. A document that was checked is not checked again.
    ///
    /// # Errors
    /// `QUERY_TOO_MANY_TOKENS`, `QUERY_TOO_DEEP`, `QUERY_TOO_COMPLEX`, `QUERY_TOO_MANY_ALIASES`,
    /// `QUERY_TOO_MANY_DIRECTIVES`; `GRAPHQL_PARSE_FAILED`; `OPERATION_RESOLUTION_FAILED` where the request does not
    /// determine one operation.
    pub(crate) fn check(&self, request: &mut Request) -> ServerResult<Arc<CheckedDocument>> {
        let mark = request.data.get(&TypeId::of::<DocumentMark>());
        if let Some(DocumentMark(document)) = mark.and_then(|mark| mark.downcast_ref()) {
            return Ok(Arc::clone(document));
        }
        let document = match self.kept(request) {
            Some(document) => document,
            None => self.read(request)?,
        };
        request.data.insert(DocumentMark(Arc::clone(&document)));
        Ok(document)
    }

    fn kept(&self, request: &Request) -> Option<Arc<CheckedDocument>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let document = kept.get(&request.query)?;
        (document.name == request.operation_name).then(|| Arc::clone(document))
    }

    fn read(&self, request: &Request) -> ServerResult<Arc<CheckedDocument>> {
        let text = &request.query;
        source::source_check(text, &self.limits)?;
        let rewritten = strings::rewritten(text);
        let document = parse_query(rewritten.as_ref().unwrap_or(text)).map_err(|error| {
            let error = ServerError::from(error);
            ServerError {
                locations: error.locations,
                ..error_with_code("GRAPHQL_PARSE_FAILED", error.message)
            }
        })?;
        shape::shape_check(&document, &self.limits)?;
        let name = request.operation_name.clone();
        let kind = operation::chosen(&document, name.as_deref())?.node.ty;
        // The operations of a document with several would replace each other.
        let keeps = text.len() <= KEPT_BYTES && document.operations.iter().len() == 1;
        let document = Arc::new(CheckedDocument {
            kind,
            name,
            document,
            executable: OnceLock::new(),
        });
        if keeps {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.put(text.clone(), Arc::clone(&document));
        }
        Ok(document)
    }
}

impl CheckedDocument {
    /// The number of fields of the answer, as the declared sizes of lists foresee it.
    ///
    /// # Errors
    /// `INTROSPECTION_TOO_DEEP`, `QUERY_TOO_COMPLEX`, `INVALID_INPUT`.
    pub(super) fn cost(
        &self,
        registry: &Registry,
        variables: &Variables,
        limits: &Limits,
    ) -> ServerResult<usize> {
        let operation = &operation::chosen(&self.document, self.name.as_deref())?.node;
        operation::cost(&self.document, operation, registry, variables, limits)
    }

    /// The operation in the form in which it is executed.
    ///
    /// # Errors
    /// `GRAPHQL_VALIDATION_FAILED` where a subscription does not have exactly one root field.
    pub(super) fn executable(&self, registry: &Registry) -> ServerResult<Arc<ExecutableOperation>> {
        if let Some(executable) = self.executable.get() {
            return Ok(Arc::clone(executable));
        }
        let name = self.name.as_deref();
        let executable = Arc::new(operation::executable(&self.document, name, registry)?);
        Ok(Arc::clone(self.executable.get_or_init(|| executable)))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    use serde_json::json;

    use super::*;
    use crate::extension::GatewayExtension;

    struct Query;

    #[Object]
    impl Query {
        async fn numbers(&self, first: usize) -> Vec<usize> {
            (0..first).collect()
        }
    }

    #[test]
    fn a_text_is_parsed_once() {
        let documents = Documents::new(&Arc::default());
        let check = |text: &str, name: Option<&str>| {
            let mut request = Request::new(text);
            request.operation_name = name.map(Into::into);
            documents.check(&mut request).unwrap()
        };
        let first = check("query A{one}", None);
        assert!(Arc::ptr_eq(&first, &check("query A{one}", None)));
        assert!(!Arc::ptr_eq(&first, &check("query A {one}", None)));
        let named = check("query A{one}", Some("A"));
        assert!(!Arc::ptr_eq(&first, &named));
        assert!(Arc::ptr_eq(&named, &check("query A{one}", Some("A"))));
        let several = "query A{one} mutation B{one}";
        assert_eq!(check(several, Some("A")).kind, OperationType::Query);
        assert_eq!(check(several, Some("B")).kind, OperationType::Mutation);
    }

    #[tokio::test]
    async fn a_kept_document_is_costed_with_new_variables() {
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
            .extension(GatewayExtension::of_limits(&Limits {
                complexity: 400,
                ..Limits::default()
            }))
            .finish();
        let query = "query($n: Int!) { numbers(first: $n) }";
        let is_ok = async |first: usize| {
            let variables = Variables::from_json(json!({ "n": first }));
            let request = Request::new(query).variables(variables);
            schema.execute(request).await.is_ok()
        };
        assert!(is_ok(300).await);
        assert!(!is_ok(500).await);
        assert!(is_ok(300).await);
    }
}
