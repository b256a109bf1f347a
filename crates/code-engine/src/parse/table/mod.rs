//! One analyser for the tree-sitter languages with common constructs. A language maps each kind of node to a role, and
//! answers a few questions about its declarations. The meaning of a role for complexity, nesting, definitions and
//! references is implemented here, once.
//!
//! To add a language:
//!
//! 1. Write `parse/<language>.rs` with a `static TABLE: LazyLock<Table>` from [`Table::new`], whose function gives the
//!    [`Role`] of a kind of node (`named` distinguishes the token `if` from a node of that name). Other kinds are
//!    [`Role::Other`]: their children are walked, at little cost.
//! 2. Implement [`Shape`]: the names and the visibility of functions, types, imports and constants. The other methods
//!    have defaults that fit most languages. [`Context`] provides what the methods need: the text, the comment before
//!    a place, the enclosing scopes.
//! 3. List it in `parse/mod.rs` and in `Language::has_facts` under its cargo feature, and give it a fixture counted by
//!    hand.
//!
//! The tree is walked once, in the order of the source, without recursion.

mod context;
mod walk;

use std::borrow::Cow;
use std::num::NonZeroU16;

use tree_sitter::{Language as Grammar, Node, Tree};

use super::super::facts::{DefinitionKind, FileFacts};
use super::super::references::ReferenceKind;
use super::super::skip::Skip;
use super::errors_tolerated;
use super::syntax_tree::{self as tree, Errors, range};

pub(super) use context::{Context, Scope};

/// The role of a kind of node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// No meaning itself; its children are walked.
    #[default]
    Other,
    /// Neither the node nor its children have a meaning.
    Pass,
    Comment,
    /// See [`Shape::import`]; its children are not walked.
    Import,
    /// A function with a name: [`Shape::function`].
    Function,
    /// A function without a name: [`Shape::closure_parameters`].
    Closure,
    /// Like [`Role::Closure`], for a language where closures are frequent: in a function their branches count for that
    /// function, one level deeper.
    Lambda,
    /// A type, module or namespace with its content: [`Shape::container`].
    Container,
    /// A constant or another declaration that is only a name: [`Shape::constant`].
    Constant,
    /// A construct that only this language has: [`Shape::special`].
    Special,

    /// A conditional. After a [`Role::Else`] it continues the one before.
    If,
    /// The node that contains an `else` and its branch, if the grammar has one.
    ElseClause,
    /// The keyword `else`.
    Else,
    /// `elif` and similar: a clause with a condition of its own.
    ElseIf,
    Loop,
    /// A choice between cases.
    Switch,
    /// A case of a switch.
    Case,
    /// A condition outside of the control flow that counts only for cyclomatic complexity: `#if`, the guard of a case.
    Condition,
    /// `try`: nested deeper, but no more complex.
    Try,
    Catch,
    Ternary,
    /// An operation on two operands, logical or not.
    Binary,
    /// Parentheses around an expression.
    Paren,
    /// The operator in a [`Role::Binary`].
    And,
    Or,
    /// `??`, `?:`: counts as a condition, but adds no cognitive complexity.
    Coalesce,
    /// `goto`, or a jump to a label: [`Shape::jumps`].
    Jump,

    /// A call: [`Shape::callee`].
    Call,
    /// A construction: [`Shape::callee`] is the type.
    New,
    /// Names with separators, the last of which is [`Shape::last_name`]: `a.b`, `a::b`, `a->b`.
    Chain,
    /// As [`Role::Chain`], where each `?` in it is a condition: `a?.b`.
    SafeChain,
    /// A name with type arguments.
    Generic,
    /// A name.
    Name,
    /// A name, or a chain of names, that can only be a type's.
    TypeName,
    /// Its direct children of [`Role::Name`] are declared and not references; those of [`Role::TypeName`] are
    /// references.
    Binds,
    /// Like [`Role::Binds`], but including type names: type parameters.
    BindsAll,
    /// Like [`Role::Binds`], but only for a name at its beginning.
    BindsFirst,
    /// Its direct children are types.
    Types,
    /// Its field `type` is a type; its field `name` is declared.
    Typed,
    /// Unparsed text: its words are names.
    Words,
}

impl Role {
    fn is_reference(self) -> bool {
        matches!(
            self,
            Role::Chain | Role::SafeChain | Role::Generic | Role::Name | Role::TypeName
        )
    }
}

/// A grammar and the roles of its kinds of nodes.
pub(super) struct Table {
    grammar: Grammar,
    roles: Vec<Role>,
    /// The ids of the fields `type` and `name`: access by name searches all fields each time.
    type_field: Option<NonZeroU16>,
    name_field: Option<NonZeroU16>,
}

impl Table {
    /// Calls `role_of` for every kind, with its name and whether the node is named.
    pub(super) fn new(grammar: Grammar, role_of: impl Fn(&str, bool) -> Role) -> Table {
        let roles = tree::kind_table(&grammar, |kind, named| match role_of(kind, named) {
            // A token has no children.
            Role::Other if !named => Role::Pass,
            role => role,
        });
        Table {
            type_field: grammar.field_id_for_name("type"),
            name_field: grammar.field_id_for_name("name"),
            grammar,
            roles,
        }
    }

    /// The id of a field, by which access is faster than by its name.
    pub(super) fn field(&self, name: &str) -> u16 {
        self.grammar.field_id_for_name(name).map_or(0, u16::from)
    }

    pub(super) fn grammar(&self) -> &Grammar {
        &self.grammar
    }

    pub(super) fn role(&self, node: Node<'_>) -> Role {
        self.roles
            .get(usize::from(node.kind_id()))
            .copied()
            .unwrap_or_default()
    }
}

/// An ancestor of the current node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Above<'t> {
    pub node: Node<'t>,
    pub role: Role,
}

/// A function as a language describes it.
#[derive(Debug)]
pub(super) struct Function<'s> {
    pub name: Cow<'s, str>,
    pub kind: DefinitionKind,
    /// The type that it belongs to, if it is defined outside of that type.
    pub parent: Option<Cow<'s, str>>,
    pub exported: bool,
    pub documented: bool,
    pub test: bool,
    pub dictated: bool,
    pub asynchronous: bool,
    /// Whether it is accessible to subclasses.
    pub inherited: bool,
    pub parameters: u32,
    /// Whether it has a body, so that it has metrics.
    pub body: bool,
}

/// A type, module or namespace as a language describes it.
#[derive(Debug)]
pub(super) struct Container<'s> {
    pub name: Cow<'s, str>,
    /// The kind of the definition. `None` for an extension of a type that is defined elsewhere. A container without a
    /// name is not a definition either.
    pub kind: Option<DefinitionKind>,
    pub exported: bool,
    pub documented: bool,
    /// Whether its content is tests or test helpers.
    pub test: bool,
    pub dictated: bool,
    /// Whether its members are accessible from outside unless they have a modifier.
    pub open: bool,
}

/// The specifics of a language. `above` contains the ancestors, innermost last.
pub(super) trait Shape {
    /// The function at `node`; `None` if it does not count as one.
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Function<'s>>;

    /// The type, module or namespace at `node`; `None` if it is not a definition.
    fn container<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Container<'s>>;

    /// Records the imports at `node`.
    fn import(&mut self, cx: &mut Context<'_>, node: Node<'_>);

    /// Records the declaration at `node`, if it counts.
    fn constant(&mut self, _cx: &mut Context<'_>, _node: Node<'_>, _above: &[Above<'_>]) {}

    /// Handles a [`Role::Special`]. Returns whether to go into the node.
    fn special(&mut self, _cx: &mut Context<'_>, _node: Node<'_>, _above: &[Above<'_>]) -> bool {
        true
    }

    /// Called on the way up from a [`Role::Special`] whose children were walked.
    fn special_end(&mut self, _cx: &mut Context<'_>, _node: Node<'_>) {}

    /// The number of parameters of a function without a name.
    fn closure_parameters(&self, _cx: &Context<'_>, _node: Node<'_>) -> u32 {
        0
    }

    /// Records how a catch clause handles errors.
    fn catch(&mut self, _cx: &mut Context<'_>, _node: Node<'_>) {}

    /// Whether a [`Role::Jump`] goes to a label.
    fn jumps(&self, _cx: &Context<'_>, _node: Node<'_>) -> bool {
        true
    }

    /// The number of additional branches of a [`Role::Switch`], if they are not its [`Role::Case`]s.
    fn switch_branches(&self, _node: Node<'_>) -> usize {
        0
    }

    /// Whether a [`Role::Case`] is an additional branch.
    fn case_counts(&self, _cx: &Context<'_>, _node: Node<'_>) -> bool {
        true
    }

    /// The operator of a [`Role::Binary`] if it is a name. Not called if the operator is a token.
    fn word_operator(&self, _cx: &Context<'_>, _node: Node<'_>) -> Option<(Role, u32)> {
        None
    }

    /// Whether the result is still reliable with so many errors.
    fn tolerates(&self, errors: Errors, text: &str) -> bool {
        errors.count <= errors_tolerated(text)
    }

    /// The start of a function or type, after its attributes if the grammar includes them.
    fn start_of(&self, node: Node<'_>, _above: &[Above<'_>]) -> u32 {
        range(node).0
    }

    /// Called when the function at `node` was defined.
    fn defined(&mut self, _cx: &Context<'_>, _node: Node<'_>, _definition: usize) {}

    /// Whether an `if` right after `else` continues the conditional instead of beginning a nested one.
    fn else_may_continue(&self) -> bool {
        true
    }

    /// Whether a comment documents what follows it.
    fn is_doc(&self, comment: &str) -> bool {
        comment.starts_with("/**") && comment.len() > 4
    }

    /// Called for each [`Role::Call`] with its callee, for the constructs that a language expresses by calls, such as
    /// test cases.
    fn called(&mut self, _cx: &mut Context<'_>, _node: Node<'_>, _callee: Node<'_>) {}

    /// The callee or the constructed type at `node`.
    fn callee<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        node.child_by_field_name("function")
            .or_else(|| node.child_by_field_name("type"))
    }

    /// The last name of a chain, or the name before type arguments.
    fn last_name<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        node.child_by_field_name("name")
            .or_else(|| node.child_by_field_name("field"))
    }

    /// Words that are not names in [`Role::Words`].
    fn keywords(&self) -> &'static [&'static str] {
        &[]
    }

    /// The bracket that opens type arguments.
    fn generics_open(&self) -> char {
        '<'
    }

    /// How a name is used; `None` if it is declared. Not called for callees and constructed types, nor for types in
    /// [`Role::Typed`].
    fn use_of(
        &self,
        _cx: &Context<'_>,
        node: Node<'_>,
        role: Role,
        above: &[Above<'_>],
    ) -> Option<ReferenceKind> {
        use_by_place(node, role, above)
    }
}

/// How a name is used, by its role and the role of its parent.
pub(super) fn use_by_place(
    node: Node<'_>,
    role: Role,
    above: &[Above<'_>],
) -> Option<ReferenceKind> {
    let around = above.last();
    match (role, around.map_or(Role::Other, |around| around.role)) {
        (_, Role::BindsAll) | (Role::Name, Role::Binds) => None,
        (Role::Name, Role::BindsFirst)
            if around.is_some_and(|around| around.node.start_byte() == node.start_byte()) =>
        {
            None
        }
        (Role::TypeName, _) | (_, Role::Types) => Some(ReferenceKind::Type),
        _ => Some(ReferenceKind::Name),
    }
}

/// Analyses `text` by a table and a shape.
pub(super) fn analyze<S: Shape>(
    text: &str,
    table: &'static Table,
    shape: S,
) -> Result<FileFacts, Skip> {
    let parsed = tree::parse(&table.grammar, text)?;
    tree_analyze(&parsed, Context::new(text, table), shape)
}

/// Like [`analyze`], for a parsed tree and a prepared context.
pub(super) fn tree_analyze<S: Shape>(
    parsed: &Tree,
    mut cx: Context<'_>,
    mut shape: S,
) -> Result<FileFacts, Skip> {
    let errors = tree::errors(parsed);
    if parsed.root_node().is_error() || !shape.tolerates(errors, cx.builder.text) {
        return Err(Skip::DoesNotParse);
    }
    cx.builder.syntax_errors(errors.count);
    walk::walk(parsed, &mut cx, &mut shape);
    Ok(cx.finish())
}
