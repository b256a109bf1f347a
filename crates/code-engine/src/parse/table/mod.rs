//! One analyser for the languages on tree-sitter whose constructs are the usual ones. A language says in a table which
//! role each kind of node plays, and answers a few questions about its declarations; what a role means for complexity,
//! nesting, definitions and references is decided here, once.
//!
//! To add a language:
//!
//! 1. Write `parse/<language>.rs` with a `static TABLE: LazyLock<Table>` from [`Table::new`], whose function gives the
//!    [`Role`] of a kind of node (`named` tells `if` the token from a node of that name). What is left out is
//!    [`Role::Other`]: it is walked through and costs next to nothing.
//! 2. Implement [`Shape`]: what a function, a type, an import and a constant is called and who may use it. Every other
//!    question has an answer that fits most languages. [`Context`] has what the answers need: the text, the comment
//!    before a place, the scopes around it.
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

/// What a node is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing by itself; what is in it is looked at.
    #[default]
    Other,
    /// Neither it nor what is in it says anything.
    Pass,
    Comment,
    /// See [`Shape::import`]; what is in it is not looked at.
    Import,
    /// A function with a name: [`Shape::function`].
    Function,
    /// A function without one: [`Shape::closure_parameters`].
    Closure,
    /// As [`Role::Closure`], for a language that writes them everywhere: in a function its branches are that
    /// function's, one level deeper.
    Lambda,
    /// A type, module or namespace with what is in it: [`Shape::container`].
    Container,
    /// A constant or whatever else is declared by a name alone: [`Shape::constant`].
    Constant,
    /// Whatever only this language has: [`Shape::special`].
    Special,

    /// A conditional. One that follows the word of [`Role::Else`] continues the one before.
    If,
    /// The node around an `else` and what belongs to it, where the grammar has one.
    ElseClause,
    /// The word `else`.
    Else,
    /// `elif` and its like: a clause with a condition of its own.
    ElseIf,
    Loop,
    /// A choice among cases.
    Switch,
    /// A case that counts.
    Case,
    /// A condition beside the flow that counts for cyclomatic complexity alone: `#if`, the guard of a case.
    Condition,
    /// `try`: deeper, and no harder.
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
    /// `??`, `?:`: counts as a condition, and costs no understanding.
    Coalesce,
    /// `goto`, or a jump to a label: [`Shape::jumps`].
    Jump,

    /// A call: [`Shape::callee`].
    Call,
    /// A construction: [`Shape::callee`] is the type.
    New,
    /// Names with separators between them, of which the last is [`Shape::last_name`]: `a.b`, `a::b`, `a->b`.
    Chain,
    /// As [`Role::Chain`], where each `?` in it is a condition: `a?.b`.
    SafeChain,
    /// A name with type arguments.
    Generic,
    /// A name.
    Name,
    /// A name, or a chain of names, that can only be a type's.
    TypeName,
    /// Names that stand directly in it are declared there and refer to nothing; those that can only be types' do.
    Binds,
    /// As [`Role::Binds`], names of types too: type parameters.
    BindsAll,
    /// As [`Role::Binds`], for a name at its very beginning.
    BindsFirst,
    /// Names that stand directly in it are types.
    Types,
    /// Its field `type` is a type; what its field `name` names is declared there.
    Typed,
    /// Text that no parser has looked into: its words are names.
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
    /// The numbers of the fields `type` and `name`: asking by name looks through all of them each time.
    type_field: Option<NonZeroU16>,
    name_field: Option<NonZeroU16>,
}

impl Table {
    /// Asks `role_of` for the role of every kind: its name, and whether it is a node with a name.
    pub(super) fn new(grammar: Grammar, role_of: impl Fn(&str, bool) -> Role) -> Table {
        let roles = tree::kind_table(&grammar, |kind, named| match role_of(kind, named) {
            // Nothing is in a token.
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

    /// The number of a field, by which it is found faster than by its name.
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

/// A node around the one that is looked at.
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
    /// The type that it belongs to, where it does not stand in that type.
    pub parent: Option<Cow<'s, str>>,
    pub exported: bool,
    pub documented: bool,
    pub test: bool,
    pub dictated: bool,
    pub asynchronous: bool,
    /// Whether types that are derived from its own may use it.
    pub inherited: bool,
    pub parameters: u32,
    /// Whether it has a body, so that it is measured.
    pub body: bool,
}

/// A type, module or namespace as a language describes it.
#[derive(Debug)]
pub(super) struct Container<'s> {
    pub name: Cow<'s, str>,
    /// `None` for one that is no definition by itself: what extends a type that is defined elsewhere. Nor is one
    /// without a name.
    pub kind: Option<DefinitionKind>,
    pub exported: bool,
    pub documented: bool,
    /// Whether all in it are tests or what tests need.
    pub test: bool,
    pub dictated: bool,
    /// Whether what stands in it may be used from outside unless it says otherwise.
    pub open: bool,
}

/// What is peculiar to a language. `above` holds the nodes around, innermost last.
pub(super) trait Shape {
    /// The function at `node`; `None` where it is none that counts.
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Function<'s>>;

    /// The type, module or namespace at `node`; `None` where it is only mentioned.
    fn container<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Container<'s>>;

    /// Reports what is imported at `node`.
    fn import(&mut self, cx: &mut Context<'_>, node: Node<'_>);

    /// Reports what is declared at `node`, if it counts.
    fn constant(&mut self, _cx: &mut Context<'_>, _node: Node<'_>, _above: &[Above<'_>]) {}

    /// Does what only this language needs; says whether to go into the node.
    fn special(&mut self, _cx: &mut Context<'_>, _node: Node<'_>, _above: &[Above<'_>]) -> bool {
        true
    }

    /// Called on the way up from a [`Role::Special`] that was gone into.
    fn special_end(&mut self, _cx: &mut Context<'_>, _node: Node<'_>) {}

    /// The number of parameters of a function without a name.
    fn closure_parameters(&self, _cx: &Context<'_>, _node: Node<'_>) -> u32 {
        0
    }

    /// What a catch clause shows of how errors are handled.
    fn catch(&mut self, _cx: &mut Context<'_>, _node: Node<'_>) {}

    /// Whether a [`Role::Jump`] goes to a label.
    fn jumps(&self, _cx: &Context<'_>, _node: Node<'_>) -> bool {
        true
    }

    /// How many more ways through a [`Role::Switch`] there are, where not each [`Role::Case`] is one.
    fn switch_branches(&self, _node: Node<'_>) -> usize {
        0
    }

    /// Whether a [`Role::Case`] is one more way.
    fn case_counts(&self, _cx: &Context<'_>, _node: Node<'_>) -> bool {
        true
    }

    /// The operator of a [`Role::Binary`] that is written as a name; not asked where it has a token of its own.
    fn word_operator(&self, _cx: &Context<'_>, _node: Node<'_>) -> Option<(Role, u32)> {
        None
    }

    /// Whether so many errors leave a result that is no guesswork.
    fn tolerates(&self, errors: Errors, text: &str) -> bool {
        errors.count <= errors_tolerated(text)
    }

    /// Where a function or type begins: behind its attributes, where the grammar counts them to it.
    fn start_of(&self, node: Node<'_>, _above: &[Above<'_>]) -> u32 {
        range(node).0
    }

    /// Called when the function at `node` was defined.
    fn defined(&mut self, _cx: &Context<'_>, _node: Node<'_>, _definition: usize) {}

    /// Whether an `if` right after `else` continues the conditional, and is none of its own.
    fn else_may_continue(&self) -> bool {
        true
    }

    /// Whether a comment documents what follows it.
    fn is_doc(&self, comment: &str) -> bool {
        comment.starts_with("/**") && comment.len() > 4
    }

    /// Called for each [`Role::Call`], with what is called: for what this language does by calls, such as test cases.
    fn called(&mut self, _cx: &mut Context<'_>, _node: Node<'_>, _callee: Node<'_>) {}

    /// What is called or constructed at `node`.
    fn callee<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        node.child_by_field_name("function")
            .or_else(|| node.child_by_field_name("type"))
    }

    /// The last name of a chain, or the name before type arguments.
    fn last_name<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        node.child_by_field_name("name")
            .or_else(|| node.child_by_field_name("field"))
    }

    /// Words that are no names in [`Role::Words`].
    fn keywords(&self) -> &'static [&'static str] {
        &[]
    }

    /// What opens type arguments.
    fn generics_open(&self) -> char {
        '<'
    }

    /// How a name is used; `None` where it is declared. Not asked for what is called or constructed, nor for types in
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

/// How a name is used, told by its role and the role of the node it stands in.
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

/// As [`analyze`], for a tree that was parsed already, and a context that was prepared.
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
