//! What one request may cost, and the guard that refuses a document before it costs more.
//!
//! The guard reads a document in three steps, each bounded by the one before: its tokens, without building anything; its shape with all
//! fragments spread, each weighed once, so that fragments of fragments cannot multiply; and its complexity as the schema counts it.

mod connection;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest, NextValidation,
};
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, FragmentDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned, Request, ServerError, ServerResult, ValidationResult};

use crate::error::error_with_code;
pub use connection::{ConnectionLimits, WRITE_LEAST};

/// How deep brackets of any kind may nest in a document: async-graphql's parser goes no deeper than 64 and recurses on the way.
const BRACKETS: usize = 64;
/// How deep selection sets may nest with all fragments spread: async-graphql's own bound.
const NESTING: usize = 32;
/// How many selections a document may have with all fragments spread, whatever each is said to cost: it bounds the validation itself.
const SELECTIONS: usize = 20_000;

/// What one request, one connection and one wait may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Levels of fields, leaves included. 15 is what the introspection query of graphql-js needs.
    pub depth: usize,
    /// The sum of what the schema says that each field costs.
    pub complexity: usize,
    /// Aliases in a document, with all fragments spread.
    pub aliases: usize,
    /// Directives in a document, as written.
    pub directives: usize,
    /// Tokens in a document, as the GraphQL grammar counts them.
    pub tokens: usize,
    /// Bytes of a request's body, and of a WebSocket message.
    pub body_bytes: usize,
    /// Bytes of a request's address and headers together.
    pub header_bytes: usize,
    /// Operations that run at once on one WebSocket.
    pub operations_per_connection: usize,
    /// How long a WebSocket may take to say who it is.
    pub handshake: Duration,
    /// How often an open stream shows a sign of life. A WebSocket that gives none back for three times as long is closed, as is one that
    /// takes none.
    pub keepalive: Duration,
    /// How often an open stream's token is looked at again: a revoked one ends it within this time.
    pub token_recheck: Duration,
    /// How long a server that ends waits for the requests under way.
    pub shutdown_grace: Duration,
    /// What slow, idle and many clients may hold.
    pub connection: ConnectionLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 15,
            complexity: 2_000,
            aliases: 30,
            directives: 10,
            tokens: 2_000,
            body_bytes: 1024 * 1024,
            header_bytes: 32 * 1024,
            operations_per_connection: 50,
            handshake: Duration::from_secs(10),
            keepalive: Duration::from_secs(12),
            token_recheck: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(10),
            connection: ConnectionLimits::default(),
        }
    }
}

/// Refuses documents that cost too much, whichever way they come in.
pub(crate) struct QueryGuard(Arc<Limits>);

impl QueryGuard {
    /// A guard of these limits.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Arc::new(limits.clone()))
    }
}

impl ExtensionFactory for QueryGuard {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self(Arc::clone(&self.0)))
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for QueryGuard {
    async fn prepare_request(
        &self,
        context: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        document_check(&mut request, &self.0)?;
        next.run(context, request).await
    }

    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(context).await?;
        within(
            result.complexity,
            self.0.complexity,
            "QUERY_TOO_COMPLEX",
            "points of complexity",
        )?;
        Ok(result)
    }
}

/// Checks a request's document against every limit that needs no schema, and tells what its operation does. The parsed document stays with
/// the request.
///
/// # Errors
/// `QUERY_TOO_MANY_TOKENS`, `QUERY_TOO_DEEP`, `QUERY_TOO_COMPLEX`, `QUERY_TOO_MANY_ALIASES`, `QUERY_TOO_MANY_DIRECTIVES`; `GRAPHQL_PARSE_FAILED`;
/// `OPERATION_RESOLUTION_FAILED` where it is not clear which operation is meant.
pub(crate) fn document_check(
    request: &mut Request,
    limits: &Limits,
) -> ServerResult<OperationType> {
    source_check(&request.query, limits)?;
    let name = request.operation_name.clone();
    let document = request
        .parsed_query()
        .map_err(|error| coded("GRAPHQL_PARSE_FAILED", error))?;
    shape_check(document, limits)?;
    operation_type(document, name.as_deref())
}

fn operation_type(
    document: &ExecutableDocument,
    name: Option<&str>,
) -> ServerResult<OperationType> {
    let unclear = |message: String| error_with_code("OPERATION_RESOLUTION_FAILED", message);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation.node.ty),
        (DocumentOperations::Multiple(operations), None) if operations.len() > 1 => Err(unclear(
            "the document has several operations: name one in operationName".into(),
        )),
        (operations, name) => operations
            .iter()
            .find(|(given, _)| name.is_none() || given.map(Name::as_str) == name)
            .map(|(_, operation)| operation.node.ty)
            .ok_or_else(|| {
                unclear(format!(
                    "the document has no operation named {:?}",
                    name.unwrap_or_default()
                ))
            }),
    }
}

fn coded(code: &'static str, error: ServerError) -> ServerError {
    let mut with_code = error_with_code(code, error.message);
    with_code.locations = error.locations;
    with_code
}

fn within(count: usize, most: usize, code: &'static str, of_what: &str) -> ServerResult<()> {
    if count <= most {
        return Ok(());
    }
    Err(error_with_code(
        code,
        format!("the query has {count} {of_what}; the most is {most}"),
    ))
}

/// Counts tokens and the deepest bracket, so that the parser never sees a document that is too long or too deep for it.
fn source_check(source: &str, limits: &Limits) -> ServerResult<()> {
    let bytes = source.as_bytes();
    let (mut at, mut tokens, mut open) = (0, 0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let (length, is_token) = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => (1, false),
            _ if rest.starts_with(b"\xEF\xBB\xBF") => (3, false),
            b'#' => (run(rest, |b| b != b'\n' && b != b'\r'), false),
            b'"' => (string_length(rest), true),
            b'.' if rest.starts_with(b"...") => (3, true),
            b'-' | b'0'..=b'9' => (run(rest, is_number_part), true),
            _ if is_word(byte) => (run(rest, is_word), true),
            _ => (1, true),
        };
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        within(
            open,
            BRACKETS,
            "QUERY_TOO_DEEP",
            "brackets within each other",
        )?;
        tokens += usize::from(is_token);
        if tokens > limits.tokens {
            return Err(error_with_code(
                "QUERY_TOO_MANY_TOKENS",
                format!("the query has more than {} tokens", limits.tokens),
            ));
        }
        at += length;
    }
    Ok(())
}

fn run(rest: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    1 + rest[1..].iter().take_while(|&&b| belongs(b)).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_number_part(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'.' | b'+' | b'-')
}

/// The length of the string or block string at the beginning, up to the end where it is not closed: the parser will say so.
fn string_length(rest: &[u8]) -> usize {
    let quotes: &[u8] = if rest.starts_with(b"\"\"\"") {
        b"\"\"\""
    } else {
        b"\""
    };
    let mut at = quotes.len();
    while at < rest.len() {
        if rest[at..].starts_with(quotes) {
            return at + quotes.len();
        }
        if quotes.len() == 1 && rest[at] == b'\n' {
            return at;
        }
        at += match (rest[at], quotes.len()) {
            (b'\\', 1) => 2,
            (b'\\', _) if rest[at + 1..].starts_with(quotes) => 4,
            _ => 1,
        };
    }
    rest.len()
}

/// What a selection set weighs with all its fragments spread.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    depth: usize,
    nesting: usize,
    selections: usize,
    aliases: usize,
}

struct Scale<'d> {
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    /// A fragment that is being weighed has no weight yet: who meets it again is in a cycle.
    weighed: HashMap<&'d str, Option<Weight>>,
    directives: usize,
}

fn shape_check(document: &ExecutableDocument, limits: &Limits) -> ServerResult<()> {
    let mut scale = Scale {
        fragments: &document.fragments,
        weighed: HashMap::new(),
        directives: 0,
    };
    let mut total = Weight::default();
    for (_, operation) in document.operations.iter() {
        scale.directives += operation.node.directives.len();
        total = total.and(scale.set(&operation.node.selection_set.node)?);
    }
    // Fragments that nothing spreads are refused by the validation, which walks them first.
    for name in document.fragments.keys() {
        scale.fragment(name)?;
    }
    within(
        total.depth,
        limits.depth,
        "QUERY_TOO_DEEP",
        "levels of fields",
    )?;
    within(
        total.nesting,
        NESTING,
        "QUERY_TOO_DEEP",
        "levels of selections",
    )?;
    within(
        total.aliases,
        limits.aliases,
        "QUERY_TOO_MANY_ALIASES",
        "aliases",
    )?;
    within(
        scale.directives,
        limits.directives,
        "QUERY_TOO_MANY_DIRECTIVES",
        "directives",
    )?;
    within(
        total.selections,
        SELECTIONS,
        "QUERY_TOO_COMPLEX",
        "selections",
    )
}

impl<'d> Scale<'d> {
    fn set(&mut self, set: &'d SelectionSet) -> ServerResult<Weight> {
        let mut total = Weight::default();
        for item in &set.items {
            self.directives += item.node.directives().len();
            let weight = match &item.node {
                Selection::Field(field) => {
                    let inner = &field.node.selection_set.node;
                    let mut weight = if inner.items.is_empty() {
                        Weight::default()
                    } else {
                        self.set(inner)?.nested()
                    };
                    weight.depth += 1;
                    weight.aliases += usize::from(field.node.alias.is_some());
                    weight
                }
                Selection::InlineFragment(inline) => {
                    self.set(&inline.node.selection_set.node)?.nested()
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node)?.nested()
                }
            };
            total = total.and(Weight {
                selections: weight.selections.saturating_add(1),
                ..weight
            });
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &str) -> ServerResult<Weight> {
        // One that is not there weighs nothing: the validation will say so.
        let Some((name, fragment)) = self.fragments.get_key_value(name) else {
            return Ok(Weight::default());
        };
        match self.weighed.get(name.as_str()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => {
                return Err(error_with_code(
                    "GRAPHQL_VALIDATION_FAILED",
                    format!("the fragment {name:?} spreads itself", name = name.as_str()),
                ));
            }
            None => {}
        }
        self.weighed.insert(name.as_str(), None);
        self.directives += fragment.node.directives.len();
        let weight = self.set(&fragment.node.selection_set.node)?;
        self.weighed.insert(name.as_str(), Some(weight));
        Ok(weight)
    }
}

impl Weight {
    fn nested(self) -> Self {
        Self {
            nesting: self.nesting + 1,
            ..self
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
        }
    }
}

#[cfg(test)]
mod tests;
