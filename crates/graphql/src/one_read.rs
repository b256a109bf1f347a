//! Predicts from a selection which reads it needs, before they begin.
//!
//! A query that needs one statement sends it alone, without a transaction around it. This is a guess. A wrong guess
//! costs round trips but never consistency, see [`Store::read_one_as`](nyxcore_tenancy::Store::read_one_as). The test
//! `isolation::statements` selects all leaves of every type in [`PLAIN`] and counts the statements.
//!
//! If only small columns of a list's nodes are selected, the large texts are not read from the database. The test
//! `isolation::columns` compares such lists with those that select every column.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Field, FragmentDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::registry::{MetaTypeName, Registry};
use async_graphql::{Context, Name, Positioned};

/// Types whose leaves are in the row of the object, except for those in [`LOADS`].
const PLAIN: &[&str] = &[
    "ActionPoint",
    "AuditEntry",
    "BlogPost",
    "CodePattern",
    "ConsolidationPattern",
    "GitConnection",
    "Insight",
    "MemoryEntry",
    "Node",
    "Note",
    "NoteVersion",
    "PageInfo",
    "Persona",
    "Project",
    "Run",
    "SourceFile",
];

/// The leaves of these types that need a statement or a request of their own.
const LOADS: &[(&str, &str)] = &[
    ("GitConnection", "branches"),
    ("Project", "stack"),
    ("SourceFile", "content"),
];

/// The leaves of these types that are large texts.
const TEXTS: &[(&str, &str)] = &[
    ("BlogPost", "body"),
    ("ConsolidationPattern", "description"),
    ("Insight", "detail"),
    ("Insight", "suggestion"),
    ("MemoryEntry", "content"),
    ("Note", "body"),
    ("Persona", "description"),
    ("Persona", "systemPrompt"),
    ("Project", "description"),
];

/// Whether the operation of the field is a query without another root field, and everything selected below is in the
/// rows of the field itself.
pub(crate) fn is_one_read(context: &Context<'_>) -> bool {
    let operation = &context.query_env.operation.node;
    let [only] = operation.selection_set.node.items.as_slice() else {
        return false;
    };
    let Selection::Field(field) = &only.node else {
        return false;
    };
    let walk = Walk::new(context, |parent, leaf| {
        PLAIN.contains(&parent) && !LOADS.contains(&(parent, leaf))
    });
    operation.ty == OperationType::Query && walk.has_plain_fields(&walk.registry.query_type, field)
}

/// Whether the list that the field returns can be read without its large texts: only other leaves of its nodes are
/// selected. `connection` is the name of the list's connection type.
pub(crate) fn omits_texts(context: &Context<'_>, connection: &str) -> bool {
    let walk = Walk::new(context, |parent, leaf| {
        PLAIN.contains(&parent) && !TEXTS.contains(&(parent, leaf)) || leaf == "totalCount"
    });
    walk.is_plain(connection, &context.item.node.selection_set.node)
}

/// A walk through a selection.
struct Walk<'c> {
    registry: &'c Registry,
    fragments: &'c HashMap<Name, Positioned<FragmentDefinition>>,
    /// Whether a leaf of a type may be selected.
    is_allowed: fn(&str, &str) -> bool,
}

impl<'c> Walk<'c> {
    fn new(context: &Context<'c>, is_allowed: fn(&str, &str) -> bool) -> Self {
        Self {
            registry: &context.schema_env.registry,
            fragments: &context.query_env.fragments,
            is_allowed,
        }
    }

    /// Whether all selected fields of a field's objects are allowed.
    fn has_plain_fields(&self, parent: &str, field: &Positioned<Field>) -> bool {
        let name = field.node.name.node.as_str();
        let of = self.registry.types.get(parent);
        let of = of.and_then(|parent| parent.field_by_name(name));
        of.is_some_and(|meta| {
            let below = MetaTypeName::concrete_typename(&meta.ty);
            self.is_plain(below, &field.node.selection_set.node)
        })
    }

    fn is_plain(&self, parent: &str, set: &SelectionSet) -> bool {
        set.items.iter().all(|item| match &item.node {
            Selection::Field(field) => self.is_plain_field(parent, field),
            Selection::InlineFragment(inline) => {
                let on = inline.node.type_condition.as_ref();
                let on = on.map_or(parent, |condition| condition.node.on.node.as_str());
                self.is_plain(on, &inline.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = self.fragments.get(&spread.node.fragment_name.node);
                fragment.is_some_and(|fragment| {
                    let on = fragment.node.type_condition.node.on.node.as_str();
                    self.is_plain(on, &fragment.node.selection_set.node)
                })
            }
        })
    }

    fn is_plain_field(&self, parent: &str, field: &Positioned<Field>) -> bool {
        let name = field.node.name.node.as_str();
        if name == "__typename" {
            return true;
        }
        if field.node.selection_set.node.items.is_empty() {
            return (self.is_allowed)(parent, name) || parent.ends_with("Edge");
        }
        let leads_to_rows = match name {
            "edges" | "nodes" | "pageInfo" => is_connection(parent),
            "node" => parent.ends_with("Edge"),
            _ => false,
        };
        leads_to_rows && self.has_plain_fields(parent, field)
    }
}

/// Whether a type is one of the schema's connections, by its name.
pub fn is_connection(name: &str) -> bool {
    name.ends_with("Connection") && name != "GitConnection"
}
