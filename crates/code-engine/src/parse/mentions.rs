//! Collects references by name for all languages on tree-sitter. A language defines in a [`MentionSpec`] which nodes
//! are names, chains of names and calls. [`walk_mentions`](super::syntax_tree::walk_mentions) records them in the same
//! walk.

use std::borrow::Cow;

use tree_sitter::{Language as Grammar, Node, TreeCursor};

use super::super::references::{ReferenceKind, path_of};
use super::Builder;
use super::syntax_tree::range;

/// The position of a child in its node: the name of a field, [`FIRST`] for the first child, or [`UNNAMED`] for children
/// without a field.
pub(super) type Place = &'static str;

/// The first child of a node, for grammars without fields.
pub(super) const FIRST: Place = "^";

/// The children of a node without a field.
pub(super) const UNNAMED: Place = "";

/// The kinds of nodes of a grammar that matter for references. The walk passes through all other kinds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MentionSpec {
    /// Leaves that name something: `identifier`.
    pub names: &'static [&'static str],
    /// Leaves that name a type: `type_identifier`.
    pub types: &'static [&'static str],
    /// Leaves that begin a path but are not names: `self`, `this`, `super`.
    pub anchors: &'static [&'static str],
    /// Links of a chain, with the position of the part before the last name: `("field_expression", "value")`. The
    /// outermost link is recorded with its whole path; inner links are not recorded.
    pub chains: &'static [(&'static str, Place)],
    /// Links of a chain that is a type.
    pub type_chains: &'static [(&'static str, Place)],
    /// Calls that store the callee in two parts, with the positions of both:
    /// `("method_invocation", "object", "name")`.
    pub call_chains: &'static [(&'static str, Place, Place)],
    /// Calls, constructions and macro invocations, with the position of the name: `("call_expression", "function")`.
    pub calls: &'static [(&'static str, Place)],
    /// Nodes that may be between a call and its name and begin with that name: type arguments.
    pub wrappers: &'static [&'static str],
    /// Positions whose names are defined or bound there, so they are not references.
    pub bindings: &'static [(&'static str, Place)],
    /// The positions of `bindings` and `patterns` whose names are variables that may be called, so that they hide the
    /// functions of other files. Those of a `parameter` are bound in the whole function.
    pub variables: &'static [(&'static str, Place)],
    /// Positions of patterns: a name there is bound, unless it begins with a capital, so that it is a variant or
    /// constant.
    pub patterns: &'static [(&'static str, Place)],
    /// Lists whose names are bound if the list is in a position of `bindings`: Go's `a, b := f()`.
    pub lists: &'static [&'static str],
    /// Positions where a name is a type, in grammars with one kind of leaf for both.
    pub type_places: &'static [(&'static str, Place)],
    /// Nodes whose children are unparsed tokens: the arguments of a Rust macro. Paths and calls in them are recognised
    /// by the text.
    pub tokens: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Role {
    #[default]
    Other,
    Name,
    Type,
    Anchor,
    Chain,
    TypeChain,
    CallChain,
    Wrapper,
    List,
    Tokens,
}

impl Role {
    /// Whether a path may begin with it.
    fn begins_path(self) -> bool {
        matches!(self, Role::Name | Role::Type | Role::Anchor)
    }

    fn is_link(self) -> bool {
        matches!(self, Role::Chain | Role::TypeChain)
    }
}

/// A set of positions as bits. Children without a field and the first child have a bit too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Places(u128);

impl Places {
    const FIRST: Places = Places(1);
    const UNNAMED: Places = Places(2);

    fn field(id: u16) -> Places {
        Places(1u128.checked_shl(u32::from(id) + 2).unwrap_or(0))
    }

    fn of(grammar: &Grammar, place: Place) -> Places {
        match place {
            FIRST => Places::FIRST,
            UNNAMED => Places::UNNAMED,
            name => grammar
                .field_id_for_name(name)
                .map_or(Places(0), |id| Places::field(id.into())),
        }
    }

    fn meet(self, other: Places) -> bool {
        self.0 & other.0 != 0
    }

    fn add(&mut self, other: Places) {
        self.0 |= other.0;
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    role: Role,
    /// The position of the object of a chain.
    object: Places,
    object_field: Option<u16>,
    /// The field with the last name of a call chain.
    name_field: Option<u16>,
    callee: Places,
    bound: Places,
    pattern: Places,
    typed: Places,
    /// The positions of variables.
    variable: Places,
    /// Whether they are parameters.
    parameter: bool,
}

static OTHER: Entry = Entry {
    role: Role::Other,
    object: Places(0),
    object_field: None,
    name_field: None,
    callee: Places(0),
    bound: Places(0),
    pattern: Places(0),
    typed: Places(0),
    variable: Places(0),
    parameter: false,
};

/// A [`MentionSpec`], indexed by tree-sitter's ids of the grammar's kinds.
#[derive(Debug)]
pub(super) struct MentionTable {
    entries: Vec<Entry>,
}

impl MentionTable {
    pub(super) fn new(grammar: &Grammar, spec: &MentionSpec) -> MentionTable {
        let entries = (0..grammar.node_kind_count())
            .map(|id| {
                let id = u16::try_from(id).unwrap_or(u16::MAX);
                let kind = grammar.node_kind_for_id(id).unwrap_or("");
                if grammar.node_kind_is_named(id) || spec.anchors.contains(&kind) {
                    entry_of(grammar, spec, kind)
                } else {
                    Entry::default()
                }
            })
            .collect();
        MentionTable { entries }
    }

    fn entry(&self, node: Node<'_>) -> &Entry {
        self.entries
            .get(usize::from(node.kind_id()))
            .unwrap_or(&OTHER)
    }
}

fn entry_of(grammar: &Grammar, spec: &MentionSpec, kind: &str) -> Entry {
    let mut entry = Entry::default();
    let field = |place: Place| grammar.field_id_for_name(place).map(u16::from);
    for (kinds, role) in [
        (spec.names, Role::Name),
        (spec.types, Role::Type),
        (spec.anchors, Role::Anchor),
        (spec.wrappers, Role::Wrapper),
        (spec.lists, Role::List),
        (spec.tokens, Role::Tokens),
    ] {
        if kinds.contains(&kind) {
            entry.role = role;
        }
    }
    for (links, role) in [
        (spec.chains, Role::Chain),
        (spec.type_chains, Role::TypeChain),
    ] {
        for (_, place) in links.iter().filter(|(link, _)| *link == kind) {
            entry.role = role;
            entry.object = Places::of(grammar, place);
            entry.object_field = field(place);
        }
    }
    for (_, object, name) in spec.call_chains.iter().filter(|(link, ..)| *link == kind) {
        entry.role = Role::CallChain;
        entry.object = Places::of(grammar, object);
        entry.object_field = field(object);
        entry.name_field = field(name);
    }
    entry.parameter = kind.contains("parameter");
    for (places, into) in [
        (spec.calls, &mut entry.callee),
        (spec.bindings, &mut entry.bound),
        (spec.patterns, &mut entry.pattern),
        (spec.variables, &mut entry.variable),
        (spec.type_places, &mut entry.typed),
    ] {
        for (_, place) in places.iter().filter(|(holder, _)| *holder == kind) {
            into.add(Places::of(grammar, place));
        }
    }
    entry
}

/// The state of the walk between nodes.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    /// The start of the called name.
    callee: Option<u32>,
    /// The end of the open list of bound names.
    list_end: u32,
}

impl Mentions {
    /// Visits a node on the way down. Returns whether to go into it.
    pub(super) fn enter(
        &mut self,
        table: &MentionTable,
        builder: &mut Builder<'_>,
        cursor: &TreeCursor<'_>,
        node: Node<'_>,
        parent: Option<Node<'_>>,
    ) -> bool {
        let entry = table.entry(node);
        if matches!(entry.role, Role::Other | Role::Tokens) {
            return true;
        }
        let outer = parent.map_or(&OTHER, |parent| table.entry(parent));
        let (start, end) = range(node);
        let mut place = cursor
            .field_id()
            .map_or(Places::UNNAMED, |id| Places::field(id.into()));
        if parent.is_some_and(|parent| range(parent).0 == start) {
            place.add(Places::FIRST);
        }
        if outer.callee.meet(place) {
            self.callee = Some(start);
        }
        let bound = outer.bound.meet(place);
        match entry.role {
            Role::Other | Role::Tokens | Role::Wrapper => true,
            Role::Anchor if outer.role != Role::Tokens => true,
            Role::List => {
                if bound {
                    self.list_end = end;
                }
                true
            }
            Role::Name | Role::Type | Role::Anchor => {
                let is_listed = outer.role == Role::List && start < self.list_end;
                if is_listed || outer.variable.meet(place) {
                    let name = builder.slice(start, end);
                    if bound || is_listed || !name.starts_with(char::is_uppercase) {
                        builder.bind(name, start, outer.parameter);
                    }
                }
                let hidden = bound
                    || is_listed
                    || outer.role.is_link()
                    || (outer.role == Role::CallChain && is_piece(outer, place));
                if hidden {
                    return true;
                }
                if outer.role == Role::Tokens {
                    token_mention(builder, start, end);
                    return true;
                }
                let written = builder.slice(start, end);
                if outer.pattern.meet(place) && !written.starts_with(char::is_uppercase) {
                    return true;
                }
                let typed = entry.role == Role::Type || outer.typed.meet(place);
                let kind = self.kind(start, typed);
                builder.reference(kind, Cow::Borrowed(written), start);
                true
            }
            Role::Chain | Role::TypeChain => {
                let is_inside = (outer.role.is_link() || outer.role == Role::CallChain)
                    && outer.object.meet(place);
                if is_inside {
                    return true;
                }
                if bound {
                    return false;
                }
                let typed = entry.role == Role::TypeChain || outer.typed.meet(place);
                let kind = self.kind(start, typed);
                !path_mention(table, builder, node, end, kind)
            }
            Role::CallChain => {
                let last = entry
                    .name_field
                    .and_then(|field| node.child_by_field_id(field));
                if let Some(last) = last {
                    path_mention(table, builder, node, range(last).1, ReferenceKind::Call);
                }
                true
            }
        }
    }

    fn kind(&mut self, start: u32, typed: bool) -> ReferenceKind {
        if self.callee == Some(start) {
            self.callee = None;
            ReferenceKind::Call
        } else if typed {
            ReferenceKind::Type
        } else {
            ReferenceKind::Name
        }
    }
}

/// Whether a leaf is the object or the name of the surrounding call chain, which is recorded as a whole.
fn is_piece(outer: &Entry, place: Places) -> bool {
    outer.object.meet(place)
        || outer
            .name_field
            .is_some_and(|field| place.meet(Places::field(field)))
}

/// Records the path of a chain that ends at `end`. If the chain begins with an unnamed expression, the path is the
/// rest, with a `.` before it. Returns whether the chain contains no other references.
fn path_mention(
    table: &MentionTable,
    builder: &mut Builder<'_>,
    node: Node<'_>,
    end: u32,
    kind: ReferenceKind,
) -> bool {
    let start = range(node).0;
    let mut base = object_of(table.entry(node), node);
    while let Some(link) = base.filter(|base| table.entry(*base).role.is_link()) {
        base = object_of(table.entry(link), link);
    }
    let named = base.is_none_or(|base| table.entry(base).role.begins_path());
    let from = match base {
        Some(base) if !named => range(base).1,
        _ => start,
    };
    let written = builder.slice(from, end);
    if let Some(path) = path_of(written) {
        builder.reference(kind, path, start);
        return named;
    }
    // The chain contains a comment or type arguments: at least the last name is recorded.
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let last = written.rsplit(|c| !is_word(c)).next().unwrap_or("");
    if !last.is_empty() {
        builder.reference(kind, Cow::Owned(format!(".{last}")), start);
    }
    false
}

fn object_of<'t>(entry: &Entry, node: Node<'t>) -> Option<Node<'t>> {
    match entry.object_field {
        Some(field) => node.child_by_field_id(field),
        None if entry.object == Places::FIRST => node.named_child(0),
        None => None,
    }
}

/// Records a name among unparsed tokens, with the path that begins here, recognised by the characters around it.
fn token_mention(builder: &mut Builder<'_>, start: u32, end: u32) {
    let before = builder.text.get(..start as usize).unwrap_or("");
    let continues = before.ends_with("::") || (before.ends_with('.') && !before.ends_with(".."));
    let object = before.trim_end_matches([':', '.']);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    // A macro variable is not a name of this file: `$crate::double`.
    let is_variable = object.trim_end_matches(is_word).ends_with('$');
    if continues && object.ends_with(is_word) && !is_variable {
        return;
    }
    let from = if continues {
        object.len()
    } else {
        start as usize
    };
    let after = builder.text.get(end as usize..).unwrap_or("");
    let mut length = 0usize;
    loop {
        let rest = after.get(length..).unwrap_or("");
        let separator = if rest.starts_with("::") {
            2
        } else {
            usize::from(rest.starts_with('.'))
        };
        let name = rest.get(separator..).unwrap_or("");
        let word = name.find(|c| !is_word(c)).unwrap_or(name.len());
        if separator == 0 || word == 0 || name.starts_with(|c: char| c.is_ascii_digit()) {
            break;
        }
        length += separator + word;
    }
    let to = end + u32::try_from(length).unwrap_or(0);
    let kind = match builder.text.as_bytes().get(to as usize) {
        Some(b'(' | b'!') => ReferenceKind::Call,
        _ => ReferenceKind::Name,
    };
    let written = builder.slice(u32::try_from(from).unwrap_or(start), to);
    if let Some(path) = path_of(written)
        && !matches!(&*path, "self" | "super" | "crate")
    {
        builder.reference(kind, path, start);
    }
}
