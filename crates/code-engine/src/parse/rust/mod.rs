//! Rust, parsed by tree-sitter. Macro arguments are tokens, not syntax: conditions in them are counted as in lizard,
//! but definitions in them are not found.
//!
//! Longer than 450 lines: the parser of one language is one file.

use std::sync::LazyLock;

use tree_sitter::{Language as Grammar, Node};

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::skip::Skip;
use super::Builder;
use super::builder::NewDefinition;
use super::mentions::MentionTable;
use super::modifiers::Modifiers;
use super::syntax_tree::{self as tree, NodeVisitor, children_count, field_text, range, text};

mod before;
mod names;

use before::{Before, documented_inside};

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| tree_sitter_rust::LANGUAGE.into());
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| tree::kind_table(&GRAMMAR, kind_of));
static MENTIONS: LazyLock<MentionTable> =
    LazyLock::new(|| MentionTable::new(&GRAMMAR, &names::MENTIONS));

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Comment,
    Attribute,
    Use,
    ExternCrate,
    Function,
    Signature,
    Struct,
    Enum,
    Trait,
    Type,
    Constant,
    Module,
    Impl,
    If,
    Guard,
    Loop,
    PlainLoop,
    Match,
    LetElse,
    Else,
    Jump,
    Closure,
    Operation,
    Logical,
    Question,
    Call,
    MacroWord,
    MacroTokens,
}

fn kind_of(kind: &str, named: bool) -> Kind {
    if !named {
        return match kind {
            "&&" | "||" => Kind::Logical,
            "?" => Kind::Question,
            "if" | "for" | "while" => Kind::MacroWord,
            _ => Kind::Other,
        };
    }
    match kind {
        "line_comment" | "block_comment" => Kind::Comment,
        "attribute_item" => Kind::Attribute,
        "use_declaration" => Kind::Use,
        "extern_crate_declaration" => Kind::ExternCrate,
        "function_item" => Kind::Function,
        "function_signature_item" => Kind::Signature,
        "struct_item" | "union_item" => Kind::Struct,
        "enum_item" => Kind::Enum,
        "trait_item" => Kind::Trait,
        "type_item" => Kind::Type,
        "const_item" | "static_item" => Kind::Constant,
        "mod_item" => Kind::Module,
        "impl_item" => Kind::Impl,
        "if_expression" => Kind::If,
        "match_pattern" => Kind::Guard,
        "for_expression" | "while_expression" => Kind::Loop,
        "loop_expression" => Kind::PlainLoop,
        "match_expression" => Kind::Match,
        "let_declaration" => Kind::LetElse,
        "else_clause" => Kind::Else,
        "break_expression" | "continue_expression" => Kind::Jump,
        "closure_expression" => Kind::Closure,
        "binary_expression" | "parenthesized_expression" | "let_chain" => Kind::Operation,
        "call_expression" => Kind::Call,
        "token_tree" => Kind::MacroTokens,
        _ => Kind::Other,
    }
}

pub(super) fn analyze(text: &str) -> Result<FileFacts, Skip> {
    let parsed = tree::parse(&GRAMMAR, text)?;
    let mut walk = Walk {
        builder: Builder::new(text),
        scopes: Vec::new(),
        before: Before::default(),
        attributes: Vec::new(),
        macro_depth: 0,
        test_ends: Vec::new(),
        impl_attributes: Vec::new(),
    };
    tree::errors_check(&parsed, &mut walk.builder)?;
    tree::walk_mentions(&parsed, &KINDS, &MENTIONS, &mut walk);
    Ok(walk.builder.finish())
}

struct Walk<'s> {
    builder: Builder<'s>,
    scopes: Vec<Scope>,
    /// The last comments and attributes.
    before: Before,
    /// The paths of those attributes.
    attributes: Vec<&'s str>,
    /// How many macro token trees are open.
    macro_depth: u32,
    /// The ends of the open test items.
    test_ends: Vec<u32>,
    /// The attributes of the open `impl` blocks.
    impl_attributes: Vec<Vec<&'s str>>,
}

impl<'s> AsMut<Builder<'s>> for Walk<'s> {
    fn as_mut(&mut self) -> &mut Builder<'s> {
        &mut self.builder
    }
}

/// An open trait, `impl` or module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Trait { exported: bool },
    Impl { of_trait: bool },
    Module,
    Function,
}

impl<'s> Walk<'s> {
    /// Whether the item's visibility is `pub` without a restriction.
    fn is_pub(&self, item: Node<'_>) -> bool {
        Modifiers::of(&self.builder, item).has("pub")
    }

    fn define(
        &mut self,
        item: Node<'_>,
        kind: DefinitionKind,
        exported: bool,
        dictated: bool,
        before: Before,
    ) -> usize {
        let name = field_text(&self.builder, item, "name");
        let name = name.strip_prefix("r#").unwrap_or(name);
        let (start, end) = range(item);
        let test = before.is_test || before.only_in_tests;
        let documented = before.documented;
        let definition = self.builder.define(NewDefinition {
            kind,
            name,
            start,
            end,
            exported,
            documented,
            test,
            dictated,
        });
        let attributes = self.attributes_take(before);
        self.builder.decorate(definition, attributes);
        // An attribute of an `impl` applies to each of its methods: `#[Object]`, `#[pymethods]`.
        if let Some(Scope::Impl { of_trait: false }) = self.scopes.last() {
            let around = self.impl_attributes.last().into_iter().flatten().copied();
            self.builder.decorate(definition, around);
        }
        definition
    }

    /// Takes the attributes of the item after `before`.
    fn attributes_take(&mut self, before: Before) -> Vec<&'s str> {
        let attributes = std::mem::take(&mut self.attributes);
        if before.is_there() {
            attributes
        } else {
            Vec::new()
        }
    }

    /// Records an attribute: its path, and the paths in its strings (`#[serde(with = "hex::serde")]`), which a macro
    /// turns into code.
    fn attribute(&mut self, item: Node<'_>) {
        let (start, _) = range(item);
        if !self.before.reaches(&self.builder, start) {
            self.attributes.clear();
        }
        self.before.read(&self.builder, item);
        let Some((path, is_documentation)) = before::path(&self.builder, item) else {
            return;
        };
        self.attributes.push(path);
        if !is_documentation {
            names::quoted(&mut self.builder, item);
        }
    }

    fn function(&mut self, item: Node<'_>, before: Before) {
        let scope = self.scopes.last().copied();
        let (kind, exported, dictated) = match scope {
            Some(Scope::Trait { exported }) => (DefinitionKind::Method, exported, false),
            Some(Scope::Impl { of_trait }) => (
                DefinitionKind::Method,
                !of_trait && self.is_pub(item),
                of_trait,
            ),
            Some(Scope::Function) => (DefinitionKind::Function, false, false),
            Some(Scope::Module) | None => (DefinitionKind::Function, self.is_pub(item), false),
        };
        let dictated =
            dictated || (scope.is_none() && field_text(&self.builder, item, "name") == "main");
        if before.is_test {
            self.builder.test_case(range(item).0);
        }
        let definition = self.define(item, kind, exported, dictated, before);
        if Modifiers::of(&self.builder, item).has("async") {
            self.builder.asynchronous(definition);
        }
        if item.child_by_field_name("body").is_some() {
            let parameters = item.child_by_field_name("parameters").map_or(0, |list| {
                children_count(list, |child| {
                    !matches!(
                        child.kind(),
                        "line_comment" | "block_comment" | "attribute_item"
                    )
                })
            });
            let (start, end) = range(item);
            self.builder
                .function_open(Some(definition), parameters, start, end);
            self.builder.container_open(None);
        }
    }

    fn impl_open(&mut self, item: Node<'_>) {
        let of_trait = item.child_by_field_name("trait").is_some();
        let name = field_text(&self.builder, item, "type");
        let name = name
            .split('<')
            .next()
            .unwrap_or(name)
            .rsplit("::")
            .next()
            .unwrap_or(name)
            .trim();
        self.scopes.push(Scope::Impl { of_trait });
        self.builder.container_open(Some(name.to_owned()));
    }

    fn test_open(&mut self, item: Node<'_>, before: Before) {
        if before.is_test || before.only_in_tests {
            self.test_ends.push(range(item).1);
            self.builder.test_open();
        }
    }

    fn test_close(&mut self, item: Node<'_>) {
        if self.test_ends.last() == Some(&range(item).1) {
            self.test_ends.pop();
            self.builder.test_close();
        }
    }

    fn unwrapped(&mut self, call: Node<'_>) {
        if self.builder.in_test() || !self.builder.in_function() {
            return;
        }
        let called = call
            .child_by_field_name("function")
            .filter(|called| called.kind() == "field_expression");
        let Some(name) = called.and_then(|called| called.child_by_field_name("field")) else {
            return;
        };
        if matches!(text(&self.builder, name), "unwrap" | "expect") {
            self.builder.sign(Sign::ErrorUnwrapped, range(name).0);
        }
    }
}

/// Whether a module of that name holds tests, rather than test helpers.
fn is_name_of_tests(name: &str) -> bool {
    matches!(name, "test" | "tests")
        || name.ends_with("_test")
        || name.ends_with("_tests")
        || name.starts_with("test_")
}

/// Whether a `use` is re-exported: its visibility is wider than `pub(self)`.
fn is_passed_on(item: Node<'_>) -> bool {
    let mut cursor = item.walk();
    let visibility = item
        .named_children(&mut cursor)
        .find(|child| child.kind() == "visibility_modifier");
    visibility
        .is_some_and(|visibility| children_count(visibility, |child| child.kind() == "self") == 0)
}

fn is_else_if(parent: Option<Node<'_>>) -> bool {
    parent.is_some_and(|parent| parent.kind() == "else_clause")
}

/// Counts the arms of a match.
fn arm_count(node: Node<'_>) -> u32 {
    node.child_by_field_name("body").map_or(0, |body| {
        children_count(body, |child| child.kind() == "match_arm")
    })
}

impl NodeVisitor for Walk<'_> {
    type Kind = Kind;

    fn enter(&mut self, kind: Kind, node: Node<'_>, parent: Option<Node<'_>>) -> bool {
        let (start, end) = range(node);
        match kind {
            Kind::Comment => {
                self.builder.comment(start, end);
                self.before.read(&self.builder, node);
            }
            Kind::Attribute => self.attribute(node),
            Kind::Use => {
                // A `use` with `pub` or `pub(crate)` counts as a re-export.
                let exported = is_passed_on(node);
                names::imports(&mut self.builder, node, exported);
                return false;
            }
            Kind::ExternCrate => {
                let style = match self.is_pub(node) {
                    true => ImportStyle::ReExport,
                    false => ImportStyle::Module,
                };
                let name = field_text(&self.builder, node, "name");
                self.builder.import(name, start, style);
                return false;
            }
            Kind::Function => {
                let before = self.before.of(&self.builder, start);
                self.test_open(node, before);
                self.function(node, before);
                self.scopes.push(Scope::Function);
            }
            Kind::Signature => {
                let before = self.before.of(&self.builder, start);
                self.function(node, before);
                return false;
            }
            Kind::Struct | Kind::Enum | Kind::Type => {
                let before = self.before.of(&self.builder, start);
                // In an `impl` of a trait, the trait dictates the name of an associated type.
                let dictated = matches!(self.scopes.last(), Some(Scope::Impl { of_trait: true }));
                let shape = match kind {
                    Kind::Struct => DefinitionKind::Struct,
                    Kind::Enum => DefinitionKind::Enum,
                    _ => DefinitionKind::Type,
                };
                let exported = self.is_pub(node) && !self.builder.in_function();
                self.define(node, shape, exported, dictated, before);
            }
            Kind::Constant => {
                let before = self.before.of(&self.builder, start);
                let dictated = matches!(self.scopes.last(), Some(Scope::Impl { of_trait: true }))
                    || field_text(&self.builder, node, "name") == "_";
                let exported = self.is_pub(node) && !self.builder.in_function();
                if !self.builder.in_function() {
                    self.define(node, DefinitionKind::Constant, exported, dictated, before);
                }
            }
            Kind::Trait => {
                let before = self.before.of(&self.builder, start);
                let exported = self.is_pub(node);
                self.define(node, DefinitionKind::Trait, exported, false, before);
                self.builder
                    .container_open(Some(field_text(&self.builder, node, "name").to_owned()));
                self.scopes.push(Scope::Trait { exported });
            }
            Kind::Module => {
                let mut before = self.before.of(&self.builder, start);
                let body = node.child_by_field_name("body");
                before.documented |= documented_inside(&self.builder, body);
                let name = field_text(&self.builder, node, "name");
                if before.only_in_tests && body.is_some() {
                    self.builder.sign(Sign::TestModuleInline, start);
                } else if before.only_in_tests && is_name_of_tests(name) {
                    self.builder.sign(Sign::TestModuleElsewhere, start);
                }
                self.test_open(node, before);
                if body.is_some() {
                    let exported = self.is_pub(node);
                    self.define(node, DefinitionKind::Module, exported, false, before);
                }
                self.builder
                    .container_open(Some(field_text(&self.builder, node, "name").to_owned()));
                self.scopes.push(Scope::Module);
            }
            Kind::Impl => {
                let before = self.before.of(&self.builder, start);
                self.test_open(node, before);
                let attributes = self.attributes_take(before);
                self.impl_attributes.push(attributes);
                self.impl_open(node);
            }
            Kind::If => {
                self.builder.branch(1);
                if !is_else_if(parent) {
                    self.builder.flow();
                    self.builder.nest();
                }
            }
            // The pattern of an arm, with an `if` condition.
            Kind::Guard => self
                .builder
                .branch(usize::from(node.child_by_field_name("condition").is_some())),
            Kind::Else => self.builder.flow_flat(),
            Kind::Jump => {
                let labelled = node
                    .named_child(0)
                    .is_some_and(|label| label.kind() == "label");
                if labelled {
                    self.builder.flow_flat();
                }
            }
            Kind::Closure => self.builder.flow_nest(),
            Kind::Loop => {
                self.builder.branch(1);
                self.builder.flow();
                self.builder.nest();
            }
            Kind::PlainLoop => {
                self.builder.flow();
                self.builder.nest();
            }
            Kind::Match => {
                self.builder.flow();
                self.builder
                    .branch(arm_count(node).saturating_sub(1) as usize);
                self.builder.nest();
            }
            Kind::LetElse => {
                if node.child_by_field_name("alternative").is_some() {
                    self.builder.branch(1);
                    self.builder.flow();
                }
            }
            // The `||` of a closure without parameters is not an operator.
            Kind::Logical => {
                let operator = self.macro_depth > 0
                    || parent.is_some_and(|parent| {
                        matches!(parent.kind(), "binary_expression" | "let_chain")
                    });
                if operator {
                    self.builder.branch(1);
                    if let Some(operator) = tree::logical_operator(node.kind()) {
                        self.builder.logical(operator, start);
                    }
                }
            }
            Kind::Question => {
                let operator = self.macro_depth > 0
                    || parent.is_some_and(|parent| parent.kind() == "try_expression");
                if operator {
                    self.builder.branch(1);
                    if !self.builder.in_test() && self.builder.in_function() {
                        self.builder.sign(Sign::ErrorPropagated, start);
                    }
                }
            }
            Kind::Call => self.unwrapped(node),
            Kind::MacroWord if self.macro_depth > 0 => {
                self.builder.branch(1);
                self.builder.flow();
            }
            Kind::MacroWord | Kind::Operation | Kind::Other => {}
            Kind::MacroTokens => self.macro_depth += 1,
        }
        true
    }

    fn leave(&mut self, kind: Kind, node: Node<'_>, parent: Option<Node<'_>>) {
        match kind {
            Kind::Function => {
                self.scopes.pop();
                if node.child_by_field_name("body").is_some() {
                    self.builder.container_close();
                    self.builder.function_close();
                }
                self.test_close(node);
            }
            Kind::Trait => {
                self.scopes.pop();
                self.builder.container_close();
            }
            Kind::Module | Kind::Impl => {
                if kind == Kind::Impl {
                    self.impl_attributes.pop();
                }
                self.scopes.pop();
                self.builder.container_close();
                self.test_close(node);
            }
            Kind::If if !is_else_if(parent) => self.builder.unnest(),
            Kind::Loop | Kind::PlainLoop | Kind::Match => self.builder.unnest(),
            Kind::MacroTokens => {
                self.macro_depth = self.macro_depth.saturating_sub(1);
                if self.macro_depth == 0 {
                    let (start, end) = range(node);
                    self.builder.logical_end(start, end);
                }
            }
            Kind::Closure => self.builder.flow_unnest(),
            Kind::Operation => tree::logical_leave(&mut self.builder, node, parent),
            _ => {}
        }
    }
}
