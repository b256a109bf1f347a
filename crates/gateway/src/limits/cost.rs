//! The cost of an operation before execution: one for each field, multiplied by the sizes of all enclosing lists. The
//! argument values are validated in the same pass.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::registry::{MetaField, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Positioned, ServerResult, Value, Variables};
use chrono::{DateTime, FixedOffset};
use nyxcore_graphql::error::error_with_code;
use nyxcore_graphql::is_connection;

use super::sizes::{FIELD_COSTS, LIST_SIZES, of_field};
use crate::times::{TIME_RANGE, time_is_storable};

/// Rows of a page where the query has no `first` or `last`. The resolvers use the same number.
const PAGE_DEFAULT: usize = 50;
/// The maximum rows of any list at once. Its resolver refuses a larger number, or reads it as this one.
const PAGE_MAX: usize = 500;
/// Rows of a list that has no entry in [`LIST_SIZES`]. A test fails on such a list.
const UNDECLARED: usize = 200;

/// Computes the cost of an operation.
pub(super) struct Counter<'d> {
    registry: &'d Registry,
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'d Variables,
    definitions: &'d [Positioned<VariableDefinition>],
    /// The cost of each fragment, for each size of the page that it selects from.
    counted: HashMap<(&'d str, usize), usize>,
}

impl<'d> Counter<'d> {
    /// A counter for an operation of a document.
    pub(super) fn new(
        registry: &'d Registry,
        fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
        operation: &'d OperationDefinition,
        variables: &'d Variables,
    ) -> Self {
        Self {
            registry,
            fragments,
            variables,
            definitions: &operation.variable_definitions,
            counted: HashMap::new(),
        }
    }

    /// The cost of a selection from a type. `page` is the number of rows where the type is a connection.
    ///
    /// # Errors
    /// `INVALID_INPUT` where an argument is a text with U+0000, or a time that a database cannot hold.
    pub(super) fn set(
        &mut self,
        parent: &'d str,
        set: &'d SelectionSet,
        page: usize,
    ) -> ServerResult<usize> {
        let mut total = 0_usize;
        for item in &set.items {
            let cost = match &item.node {
                Selection::Field(field) => self.field(parent, &field.node, page)?,
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |on| on.node.on.node.as_str());
                    self.set(parent, &inline.node.selection_set.node, page)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, page)?
                }
            };
            total = total.saturating_add(cost);
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &str, page: usize) -> ServerResult<usize> {
        // A fragment that does not exist costs nothing: the validation refuses it. Cycles were refused before.
        let Some((name, fragment)) = self.fragments.get_key_value(name) else {
            return Ok(0);
        };
        if let Some(cost) = self.counted.get(&(name.as_str(), page)) {
            return Ok(*cost);
        }
        let parent = fragment.node.type_condition.node.on.node.as_str();
        let cost = self.set(parent, &fragment.node.selection_set.node, page)?;
        self.counted.insert((name.as_str(), page), cost);
        Ok(cost)
    }

    fn field(&mut self, parent: &'d str, field: &'d Field, page: usize) -> ServerResult<usize> {
        let name = field.name.node.as_str();
        let meta = field_of(self.registry, parent, name);
        for (argument, value) in &field.arguments {
            let place = argument.node.as_str();
            let declared = meta
                .and_then(|meta| meta.args.get(place))
                .map(|of| of.ty.as_str());
            let Some(given) = self.argument(field, place) else {
                continue;
            };
            argument_check(self.registry, place, &given, declared).map_err(|mut error| {
                error.locations = vec![value.pos];
                error
            })?;
        }
        let inner = &field.selection_set.node;
        // Introspection fields. Another rule bounds their depth, and the schema bounds their number.
        if parent.starts_with("__") || name.starts_with("__") {
            let below = meta.map_or("__Type", |meta| MetaTypeName::concrete_typename(&meta.ty));
            return Ok(self.set(below, inner, 1)?.saturating_add(1));
        }
        let Some(meta) = meta else {
            // The validation refuses a field that does not exist.
            return Ok(1);
        };
        let below = MetaTypeName::concrete_typename(&meta.ty);
        let own = of_field(FIELD_COSTS, parent, name).unwrap_or(1);
        let rows = self.rows(parent, field, meta, page);
        let next_page = if is_connection(below) {
            self.asked(field, meta).unwrap_or(PAGE_DEFAULT)
        } else {
            1
        };
        let children = self.set(below, inner, next_page)?;
        let each = if rows.is_some() {
            children.max(1)
        } else {
            children
        };
        Ok(own.saturating_add(rows.unwrap_or(1).saturating_mul(each)))
    }

    /// How many rows a field has; `None` where it is not a list.
    fn rows(&self, parent: &str, field: &Field, meta: &MetaField, page: usize) -> Option<usize> {
        if !is_list(&meta.ty) {
            return None;
        }
        let name = field.name.node.as_str();
        if is_connection(parent) && matches!(name, "nodes" | "edges") {
            return Some(page);
        }
        if let Some(ids) = self.argument(field, "ids") {
            return Some(match ids {
                Value::List(ids) => ids.len(),
                _ => 1,
            });
        }
        let declared = of_field(LIST_SIZES, parent, name);
        Some(
            declared
                .or_else(|| self.asked(field, meta))
                .unwrap_or(UNDECLARED),
        )
    }

    /// The number of rows that `first` or `last` asks for, or its default.
    fn asked(&self, field: &Field, meta: &MetaField) -> Option<usize> {
        let number = |name| match self.argument(field, name) {
            Some(Value::Number(number)) => Some(number.as_i64().map_or(PAGE_MAX, |rows| {
                usize::try_from(rows).unwrap_or(0).min(PAGE_MAX)
            })),
            _ => None,
        };
        let default = || meta.args.get("first")?.default_value.as_ref()?.parse().ok();
        number("first").max(number("last")).or_else(default)
    }

    /// An argument's value with its variables replaced.
    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let value = field.get_argument(name)?.node.clone();
        value
            .into_const_with(|name| self.variable(&name).ok_or(()))
            .ok()
    }

    /// The value of a variable: the given value, or its default.
    fn variable(&self, name: &Name) -> Option<Value> {
        if let Some(given) = self.variables.get(name) {
            return Some(given.clone());
        }
        let definition = self
            .definitions
            .iter()
            .find(|definition| definition.node.name.node == *name)?;
        definition
            .node
            .default_value
            .as_ref()
            .map(|value| value.node.clone())
    }
}

/// Whether a field's type is a list.
pub(super) fn is_list(qualified: &str) -> bool {
    qualified.starts_with('[')
}

/// A declared field of a type. The query root declares `__schema` and `__type` too.
pub(super) fn field_of<'d>(
    registry: &'d Registry,
    parent: &str,
    name: &str,
) -> Option<&'d MetaField> {
    registry.types.get(parent)?.field_by_name(name)
}

/// Checks a value, and all values in it, at a place such as `input.name`. `qualified` is its type where the schema has
/// the argument.
fn argument_check(
    registry: &Registry,
    place: &str,
    value: &Value,
    qualified: Option<&str>,
) -> ServerResult<()> {
    let of = qualified.map(MetaTypeName::concrete_typename);
    match value {
        Value::String(text) => text_check(place, text, of),
        Value::List(items) => items
            .iter()
            .try_for_each(|value| argument_check(registry, place, value, of)),
        Value::Object(fields) => {
            let declared = of.and_then(|name| match registry.types.get(name)? {
                MetaType::InputObject { input_fields, .. } => Some(input_fields),
                _ => None,
            });
            fields.iter().try_for_each(|(name, value)| {
                text_check(place, name, None)?;
                let field = declared.and_then(|fields| fields.get(name.as_str()));
                argument_check(
                    registry,
                    &format!("{place}.{name}"),
                    value,
                    field.map(|field| field.ty.as_str()),
                )
            })
        }
        _ => Ok(()),
    }
}

fn text_check(place: &str, text: &str, of: Option<&str>) -> ServerResult<()> {
    let invalid = |what: &str| {
        Err(error_with_code(
            "INVALID_INPUT",
            format!("`{place}` {what}"),
        ))
    };
    if text.contains('\0') {
        return invalid("contains the character U+0000, which is not allowed");
    }
    match (of, text.parse::<DateTime<FixedOffset>>()) {
        (Some("DateTime"), Ok(time)) if !time_is_storable(time.to_utc()) => invalid(TIME_RANGE),
        // The validation refuses a text that is not a time.
        _ => Ok(()),
    }
}
