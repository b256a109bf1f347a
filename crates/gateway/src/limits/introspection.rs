//! Limits the nesting of introspection lists to two, as in graphql-js' `MaxIntrospectionDepthRule`: each level
//! multiplies the response by the number of types. An operation may ask for `__schema` once: a second one under an
//! alias costs as much as the first and returns nothing new.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned, ServerResult};
use nyxcore_graphql::error::error_with_code;

/// The fields of a type that lead to other types by lists.
const LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];
/// The nesting that is refused, the same as in graphql-js.
const REFUSED_DEPTH: usize = 3;

/// Refuses `__schema` and `__type` with lists that nest too deep.
///
/// # Errors
/// `INTROSPECTION_TOO_DEEP`; `QUERY_TOO_COMPLEX` for a second `__schema`.
pub(super) fn depth_check(
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    root: &SelectionSet,
) -> ServerResult<()> {
    let mut walk = Walk {
        fragments,
        seen: HashSet::new(),
    };
    if walk.too_deep(root, false, 0) {
        return Err(error_with_code(
            "INTROSPECTION_TOO_DEEP",
            format!("the lists of types ({}) may nest twice", LISTS.join(", ")),
        ));
    }
    if descriptions(fragments, root, &mut HashMap::new()) > 1 {
        return Err(error_with_code(
            "QUERY_TOO_COMPLEX",
            "an operation selects __schema once",
        ));
    }
    Ok(())
}

/// How often a selection asks for `__schema`, which only the query root has. Each fragment is counted once.
fn descriptions<'d>(
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    set: &'d SelectionSet,
    counted: &mut HashMap<&'d str, usize>,
) -> usize {
    let items = set.items.iter();
    let counts = items.map(|item| match &item.node {
        Selection::Field(field) => usize::from(field.node.name.node == "__schema"),
        Selection::InlineFragment(inline) => {
            descriptions(fragments, &inline.node.selection_set.node, counted)
        }
        Selection::FragmentSpread(spread) => {
            let Some((name, fragment)) = fragments.get_key_value(&spread.node.fragment_name.node)
            else {
                return 0;
            };
            if let Some(count) = counted.get(name.as_str()) {
                return *count;
            }
            let count = descriptions(fragments, &fragment.node.selection_set.node, counted);
            counted.insert(name.as_str(), count);
            count
        }
    });
    counts.fold(0, usize::saturating_add)
}

struct Walk<'d> {
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    /// Each fragment is checked once for each depth at which it is spread.
    seen: HashSet<(&'d str, bool, usize)>,
}

impl<'d> Walk<'d> {
    fn too_deep(&mut self, set: &'d SelectionSet, introspects: bool, depth: usize) -> bool {
        set.items.iter().any(|item| match &item.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                let introspects = introspects || matches!(name, "__schema" | "__type");
                let depth = depth + usize::from(introspects && LISTS.contains(&name));
                depth >= REFUSED_DEPTH
                    || self.too_deep(&field.node.selection_set.node, introspects, depth)
            }
            Selection::InlineFragment(inline) => {
                self.too_deep(&inline.node.selection_set.node, introspects, depth)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = self
                    .fragments
                    .get_key_value(&spread.node.fragment_name.node);
                fragment.is_some_and(|(name, fragment)| {
                    self.seen.insert((name.as_str(), introspects, depth))
                        && self.too_deep(&fragment.node.selection_set.node, introspects, depth)
                })
            }
        })
    }
}
