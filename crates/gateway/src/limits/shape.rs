//! The second check of a document: its shape with all fragments expanded. Each fragment is measured once, so that
//! nested fragments cannot multiply the work.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, ServerResult};
use nyxcore_graphql::error::error_with_code;

use super::{Limits, within};

/// How deep selection sets may nest with all fragments expanded. This is async-graphql's own bound.
const NESTING: usize = 32;
/// How many selections a document may have with all fragments expanded, whatever the declared costs are. It bounds the
/// work of the validation.
const SELECTIONS: usize = 20_000;

/// The measures of a selection set with all its fragments expanded.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    depth: usize,
    nesting: usize,
    selections: usize,
    aliases: usize,
}

struct Scale<'d> {
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    /// The measures of each fragment. A fragment that is being measured has `None`: another visit means a cycle.
    weighed: HashMap<&'d str, Option<Weight>>,
    directives: usize,
}

pub(super) fn shape_check(document: &ExecutableDocument, limits: &Limits) -> ServerResult<()> {
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
    // The validation also walks fragments that nothing spreads, before it refuses them.
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
        // A fragment that does not exist weighs nothing: the validation refuses it.
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
