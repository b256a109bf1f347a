//! Selects the operation of a document, computes its cost, and prepares it for async-graphql.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
    OperationType, Selection, SelectionSet,
};
use async_graphql::registry::Registry;
use async_graphql::{Name, Pos, Positioned, ServerError, ServerResult, Variables};
use nyxcore_graphql::error::error_with_code;

use super::cost::Counter;
use super::introspection::depth_check;
use super::{Limits, within};
use crate::nulls::{OBJECT_MARK, Plan};

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// The operation that a request means.
///
/// # Errors
/// `OPERATION_RESOLUTION_FAILED` where no operation has that name, or there are several and the request names none.
pub(crate) fn chosen<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> ServerResult<&'d Positioned<OperationDefinition>> {
    let unclear = |message: String| error_with_code("OPERATION_RESOLUTION_FAILED", message);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Multiple(operations), None) if operations.len() > 1 => Err(unclear(
            "the document has several operations: name one in operationName".into(),
        )),
        (operations, name) => operations
            .iter()
            .find(|(given, _)| name.is_none() || given.map(Name::as_str) == name)
            .map(|(_, operation)| operation)
            .ok_or_else(|| {
                unclear(format!(
                    "the document has no operation named {:?}",
                    name.unwrap_or_default()
                ))
            }),
    }
}

/// The fields of the answer to an operation, as the declared sizes of lists foresee their number.
///
/// # Errors
/// `INTROSPECTION_TOO_DEEP`, `QUERY_TOO_COMPLEX`, `INVALID_INPUT`.
pub(super) fn cost(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    registry: &Registry,
    variables: &Variables,
    limits: &Limits,
) -> ServerResult<usize> {
    let set = &operation.selection_set.node;
    depth_check(&document.fragments, set)?;
    let root = root_type(registry, operation.ty);
    let mut counter = Counter::new(registry, &document.fragments, operation, variables);
    let cost = counter.set(root, set, 1)?;
    within(
        cost,
        limits.complexity,
        "QUERY_TOO_COMPLEX",
        "fields with the rows of its lists",
    )?;
    Ok(cost)
}

/// An operation in the form in which it is executed.
pub(super) struct ExecutableOperation {
    /// What async-graphql executes.
    pub document: ExecutableDocument,
    /// How its response is completed.
    pub plan: Plan,
}

/// Puts the operation of a document into the form in which it is executed.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED` where a subscription does not have exactly one root field; those of [`chosen`].
pub(super) fn executable(
    document: &ExecutableDocument,
    name: Option<&str>,
    registry: &Registry,
) -> ServerResult<ExecutableOperation> {
    let operation = &chosen(document, name)?.node;
    let root = root_type(registry, operation.ty);
    let subscribed = match operation.ty {
        OperationType::Subscription => {
            let set = &operation.selection_set.node;
            Some(subscription_root(&document.fragments, set)?)
        }
        _ => None,
    };
    let mut document = document.clone();
    let mut marked = false;
    for fragment in document.fragments.values_mut() {
        for item in &mut fragment.node.selection_set.node.items {
            marked |= mark_below(&mut item.node);
        }
    }
    let operation = chosen_mut(&mut document, name);
    if let Some(operation) = operation {
        let set = &mut operation.node.selection_set;
        if let Some(field) = subscribed {
            // async-graphql runs each direct root field and ignores root fields in fragments. So it gets exactly one
            // direct field.
            set.node
                .items
                .retain(|item| !matches!(item.node, Selection::Field(_)));
            set.node.items.insert(0, field);
            for item in &mut set.node.items {
                marked |= mark_below(&mut item.node);
            }
        } else {
            marked |= mark(set);
        }
    }
    let plan = Plan::new(&document, name, root, marked)?;
    Ok(ExecutableOperation { document, plan })
}

fn chosen_mut<'d>(
    document: &'d mut ExecutableDocument,
    name: Option<&str>,
) -> Option<&'d mut Positioned<OperationDefinition>> {
    match &mut document.operations {
        DocumentOperations::Single(operation) => Some(operation),
        DocumentOperations::Multiple(operations) => match name {
            Some(name) => operations.get_mut(name),
            None => operations.values_mut().next(),
        },
    }
}

fn root_type(registry: &Registry, kind: OperationType) -> &str {
    match kind {
        OperationType::Query => &registry.query_type,
        OperationType::Mutation => registry.mutation_type.as_deref().unwrap_or_default(),
        OperationType::Subscription => registry.subscription_type.as_deref().unwrap_or_default(),
    }
}

/// The one root field of a subscription, with the selections of all its occurrences (GraphQL September 2025, 5.2.4.1).
fn subscription_root(
    fragments: &Fragments,
    set: &SelectionSet,
) -> ServerResult<Positioned<Selection>> {
    let refused = |message: &str, pos: Pos| ServerError {
        locations: vec![pos],
        ..error_with_code("GRAPHQL_VALIDATION_FAILED", message)
    };
    let mut fields: IndexMap<Name, Positioned<Field>> = IndexMap::new();
    let mut sets = vec![set];
    let mut spread = Vec::new();
    while let Some(set) = sets.pop() {
        for item in &set.items {
            let conditional = item
                .node
                .directives()
                .iter()
                .map(|directive| directive.node.name.node.as_str());
            if conditional
                .into_iter()
                .any(|name| matches!(name, "skip" | "include"))
            {
                return Err(refused(
                    "@skip and @include are not allowed at the root of a subscription",
                    item.pos,
                ));
            }
            match &item.node {
                Selection::Field(field) if field.node.name.node.starts_with("__") => {
                    return Err(refused(
                        "a subscription cannot select introspection fields",
                        field.pos,
                    ));
                }
                Selection::Field(field) => match fields.get_mut(&field.node.response_key().node) {
                    Some(first) => {
                        let more = field.node.selection_set.node.items.iter().cloned();
                        first.node.selection_set.node.items.extend(more);
                    }
                    None => {
                        fields.insert(field.node.response_key().node.clone(), field.clone());
                    }
                },
                Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(fragment) => {
                    let name = &fragment.node.fragment_name.node;
                    if !spread.contains(&name) {
                        spread.push(name);
                        sets.extend(
                            fragments
                                .get(name)
                                .map(|fragment| &fragment.node.selection_set.node),
                        );
                    }
                }
            }
        }
    }
    let pos = fields.values().nth(1).map(|field| field.pos);
    match (fields.pop(), pos) {
        (Some((_, field)), None) => Ok(Positioned::new(Selection::Field(field.clone()), field.pos)),
        (_, pos) => Err(refused(
            "a subscription has exactly one root field",
            pos.unwrap_or_default(),
        )),
    }
}

/// Adds a field that is always present to every selection that may come out empty. async-graphql answers null for an
/// object of which no field was selected.
fn mark(set: &mut Positioned<SelectionSet>) -> bool {
    let always = set.node.items.iter().any(
        |item| matches!(&item.node, Selection::Field(field) if field.node.directives.is_empty()),
    );
    let mut marked = false;
    for item in &mut set.node.items {
        marked |= mark_below(&mut item.node);
    }
    if !always && !set.node.items.is_empty() {
        let pos = set.pos;
        let field = Field {
            alias: Some(Positioned::new(Name::new(OBJECT_MARK), pos)),
            name: Positioned::new(Name::new("__typename"), pos),
            arguments: Vec::new(),
            directives: Vec::new(),
            selection_set: Positioned::default(),
        };
        let field = Selection::Field(Positioned::new(field, pos));
        set.node.items.push(Positioned::new(field, pos));
        marked = true;
    }
    marked
}

fn mark_below(item: &mut Selection) -> bool {
    match item {
        Selection::Field(field) => mark(&mut field.node.selection_set),
        // The fields of a fragment are in the same object as those of the enclosing selection.
        Selection::InlineFragment(inline) => {
            let mut marked = false;
            for item in &mut inline.node.selection_set.node.items {
                marked |= mark_below(&mut item.node);
            }
            marked
        }
        Selection::FragmentSpread(_) => false,
    }
}
