//! Null propagation: a failed field is null, and makes its parent null if it is non-null (GraphQL September 2025,
//! 6.4.4).
//!
//! async-graphql 7.2.1 (`resolver_utils/container.rs`) omits a failed field from its object, and returns null for an
//! object all of whose fields failed or were not selected. To report at
//! <https://github.com/async-graphql/async-graphql>. This module completes the response, using the paths of the errors
//! and the types of the schema.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, Selection, SelectionSet,
};
use async_graphql::registry::{MetaTypeName, Registry};
use async_graphql::{Name, PathSegment, Positioned, Response, ServerResult, Value};

use crate::limits::chosen;

/// The key of the field that the guard adds to selections whose fields may all be left out, so that their object is
/// present. No answer contains it.
pub(crate) const OBJECT_MARK: &str = "nyxcore__object";

/// The selection that completes a response.
pub(crate) struct Plan {
    set: SelectionSet,
    fragments: HashMap<Name, Positioned<FragmentDefinition>>,
    root: String,
    marked: bool,
}

impl Plan {
    /// The plan of a document's operation. `root` is its type; `marked`, whether [`OBJECT_MARK`] is selected anywhere.
    ///
    /// # Errors
    /// The document has no such operation.
    pub(crate) fn new(
        document: &ExecutableDocument,
        operation: Option<&str>,
        root: &str,
        marked: bool,
    ) -> ServerResult<Self> {
        Ok(Self {
            set: chosen(document, operation)?.node.selection_set.node.clone(),
            fragments: document.fragments.clone(),
            root: root.to_owned(),
            marked,
        })
    }

    /// Puts null in the place of every field that failed, and of its parents as far as they may not be null.
    pub(crate) fn complete(&self, registry: &Registry, response: &mut Response) {
        if !response.errors.is_empty() {
            let mut failures = Failures::default();
            for error in &response.errors {
                failures.add(&error.path);
            }
            let sets = Rc::new(vec![(self.root.as_str(), &self.set)]);
            let data = std::mem::take(&mut response.data);
            let mut completion = Completion {
                plan: self,
                registry,
                layouts: HashMap::new(),
            };
            response.data = completion
                .value(&self.root, &sets, data, &failures)
                .unwrap_or_default();
        }
        if self.marked {
            unmark(&mut response.data);
        }
    }
}

fn unmark(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.shift_remove(OBJECT_MARK);
            fields.values_mut().for_each(unmark);
        }
        Value::List(items) => items.iter_mut().for_each(unmark),
        _ => {}
    }
}

/// The paths of errors, as a tree.
#[derive(Default)]
struct Failures {
    here: bool,
    fields: BTreeMap<String, Failures>,
    items: BTreeMap<usize, Failures>,
}

impl Failures {
    fn add(&mut self, path: &[PathSegment]) {
        let mut at = self;
        for segment in path {
            at = match segment {
                PathSegment::Field(name) => at.fields.entry(name.clone()).or_default(),
                PathSegment::Index(index) => at.items.entry(*index).or_default(),
            };
        }
        at.here = true;
    }
}

/// A value is null where the schema does not allow it.
struct NonNull;

/// Selection sets that apply to one object, each with the type that it selects from.
type Sets<'p> = Rc<Vec<(&'p str, &'p SelectionSet)>>;

/// A field of an object: its type and its selection.
struct Member<'p> {
    qualified: &'p str,
    sets: Vec<(&'p str, &'p SelectionSet)>,
}

/// The fields of an object by their response keys, in the order of the document.
type Layout<'p> = IndexMap<&'p str, (&'p str, Sets<'p>)>;

struct Completion<'p> {
    plan: &'p Plan,
    registry: &'p Registry,
    /// The layout for each set of selections. The items of a list share one.
    layouts: HashMap<*const Vec<(&'p str, &'p SelectionSet)>, Rc<Layout<'p>>>,
}

impl<'p> Completion<'p> {
    fn value(
        &mut self,
        qualified: &str,
        sets: &Sets<'p>,
        value: Value,
        failures: &Failures,
    ) -> Result<Value, NonNull> {
        match MetaTypeName::create(qualified) {
            MetaTypeName::NonNull(nullable) => match self.value(nullable, sets, value, failures)? {
                Value::Null => Err(NonNull),
                value => Ok(value),
            },
            _ if failures.here => Ok(Value::Null),
            MetaTypeName::List(item) => Ok(match value {
                Value::List(mut items) => {
                    let completed = failures.items.iter().try_for_each(|(index, failures)| {
                        let Some(place) = items.get_mut(*index) else {
                            return Ok(());
                        };
                        *place = self.value(item, sets, std::mem::take(place), failures)?;
                        Ok::<(), NonNull>(())
                    });
                    completed.map_or(Value::Null, |()| Value::List(items))
                }
                // A non-null item failed.
                _ => Value::Null,
            }),
            MetaTypeName::Named(_) => Ok(self.object(sets, value, failures).unwrap_or_default()),
        }
    }

    fn object(
        &mut self,
        sets: &Sets<'p>,
        value: Value,
        failures: &Failures,
    ) -> Result<Value, NonNull> {
        let layout = self.layout(sets);
        // async-graphql answers null for an object all of whose fields failed.
        let mut fields = match value {
            Value::Object(fields) => fields,
            _ => IndexMap::new(),
        };
        for (key, failures) in &failures.fields {
            let Some((qualified, sets)) = layout.get(key.as_str()) else {
                continue;
            };
            let value = fields.swap_remove(key.as_str()).unwrap_or_default();
            let value = self.value(qualified, sets, value, failures)?;
            fields.insert(Name::new(key), value);
        }
        fields.sort_by_cached_key(|name, _| layout.get_index_of(name.as_str()));
        Ok(Value::Object(fields))
    }

    fn layout(&mut self, sets: &Sets<'p>) -> Rc<Layout<'p>> {
        if let Some(layout) = self.layouts.get(&Rc::as_ptr(sets)) {
            return Rc::clone(layout);
        }
        let mut members = IndexMap::new();
        let mut spread = Vec::new();
        for (parent, set) in sets.iter() {
            self.collect(parent, set, &mut members, &mut spread);
        }
        let members = members.into_iter();
        let layout: Layout<'p> = members
            .map(|(key, of)| (key, (of.qualified, Rc::new(of.sets))))
            .collect();
        let layout = Rc::new(layout);
        self.layouts.insert(Rc::as_ptr(sets), Rc::clone(&layout));
        layout
    }

    /// Collects the fields of a selection, of any type: fields with the same key have the same shape (5.3.2).
    fn collect(
        &self,
        parent: &'p str,
        set: &'p SelectionSet,
        members: &mut IndexMap<&'p str, Member<'p>>,
        spread: &mut Vec<&'p str>,
    ) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let meta = self
                        .registry
                        .types
                        .get(parent)
                        .and_then(|of| of.field_by_name(&field.node.name.node));
                    // The only field without a declaration is `__typename`, which does not fail.
                    let qualified = meta.map_or("String!", |meta| meta.ty.as_str());
                    let key = field.node.response_key().node.as_str();
                    let member = members.entry(key).or_insert_with(|| Member {
                        qualified,
                        sets: Vec::new(),
                    });
                    let below = MetaTypeName::concrete_typename(qualified);
                    member.sets.push((below, &field.node.selection_set.node));
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |on| on.node.on.node.as_str());
                    self.collect(parent, &inline.node.selection_set.node, members, spread);
                }
                Selection::FragmentSpread(fragment) => {
                    let name = &fragment.node.fragment_name.node;
                    let found = self.plan.fragments.get_key_value(name.as_str());
                    if let Some((name, fragment)) = found
                        && !spread.contains(&name.as_str())
                    {
                        spread.push(name.as_str());
                        let parent = fragment.node.type_condition.node.on.node.as_str();
                        self.collect(parent, &fragment.node.selection_set.node, members, spread);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
