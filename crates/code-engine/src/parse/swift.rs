//! Swift, parsed by tree-sitter.
//!
//! Code in a closure counts for the enclosing function, one level deeper for cognitive complexity. A closure outside
//! of functions is an unnamed function. A computed property is a method with its name, including all accessors.

use std::borrow::Cow;
use std::sync::LazyLock;

use tree_sitter::Node;

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::references::ReferenceKind;
use super::super::skip::Skip;
use super::modifiers::{self, Modifiers};
use super::syntax_tree::{children_count, range};
use super::table::{self, Above, Container, Context, Function, Role, Shape, Table};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(tree_sitter_swift::LANGUAGE.into(), role_of));
fn role_of(kind: &str, named: bool) -> Role {
    if !named {
        return match kind {
            "&&" => Role::And,
            "||" => Role::Or,
            "case" => Role::Special,
            _ => Role::Other,
        };
    }
    match kind {
        "comment" | "multiline_comment" => Role::Comment,
        "line_str_text"
        | "multi_line_str_text"
        | "str_escaped_char"
        | "integer_literal"
        | "real_literal"
        | "boolean_literal"
        | "nil_literal"
        | "self_expression"
        | "wildcard_pattern"
        | "visibility_modifier"
        | "member_modifier"
        | "property_modifier"
        | "mutation_modifier"
        | "ownership_modifier"
        | "bang"
        | "try_operator"
        | "value_binding_pattern"
        | "throws"
        | "availability_condition"
        | "directive"
        | "statement_label"
        | "value_argument_label" => Role::Pass,
        "import_declaration" => Role::Import,
        "class_declaration" | "protocol_declaration" => Role::Container,
        "function_declaration"
        | "protocol_function_declaration"
        | "init_declaration"
        | "deinit_declaration"
        | "subscript_declaration"
        | "computed_property" => Role::Function,
        "property_declaration" | "typealias_declaration" => Role::Constant,
        "if_statement" => Role::If,
        "else" => Role::Else,
        "for_statement" | "while_statement" | "repeat_while_statement" => Role::Loop,
        "switch_statement" => Role::Switch,
        "switch_entry" => Role::Case,
        "do_statement" => Role::Try,
        "catch_block" => Role::Catch,
        "ternary_expression" => Role::Ternary,
        "conjunction_expression" | "disjunction_expression" => Role::Binary,
        "tuple_expression" => Role::Paren,
        "control_transfer_statement" => Role::Jump,
        "lambda_literal" => Role::Lambda,
        // The observers of a property have no name.
        "didset_clause" | "willset_clause" => Role::Closure,
        "call_expression" | "constructor_expression" | "macro_invocation" => Role::Call,
        "navigation_expression" => Role::Chain,
        "simple_identifier" => Role::Name,
        "user_type" => Role::TypeName,
        "capture_list_item"
        | "enum_entry"
        | "enum_type_parameters"
        | "lambda_parameter"
        | "parameter"
        | "pattern" => Role::Binds,
        "guard_statement" => Role::Special,
        _ => Role::Other,
    }
}

pub(super) fn analyze(text: &str) -> Result<FileFacts, Skip> {
    table::analyze(text, &TABLE, Swift)
}

struct Swift;

/// Whether a declaration is exported: without a modifier the enclosing scope decides.
fn is_exported(cx: &Context<'_>, modifiers: &Modifiers<'_>) -> bool {
    let implied = cx.scope().is_some_and(|scope| scope.open);
    cx.outside_exported()
        && (modifiers.has_any(&["public", "open"])
            || implied && !modifiers.has_any(&["private", "fileprivate", "internal"]))
}

/// A type's name without its arguments: `Array` of `Swift.Array<Int>`.
fn bare_name(written: &str) -> &str {
    let plain = written.split('<').next().unwrap_or(written).trim();
    plain.rsplit('.').next().unwrap_or(plain)
}

/// The first name that a property binds.
fn property_name<'s>(cx: &Context<'s>, property: Node<'_>) -> &'s str {
    let name = property.child_by_field_name("name");
    name.and_then(|pattern| pattern.child_by_field_name("bound_identifier"))
        .map_or("", |name| cx.text(name))
}

impl Swift {
    /// Describes a computed property: `var total: Int { ... }`.
    fn computed<'s>(&mut self, cx: &mut Context<'s>, above: &[Above<'_>]) -> Option<Function<'s>> {
        let property = above
            .last()
            .filter(|around| around.node.kind() == "property_declaration")?
            .node;
        if cx.in_function() {
            return None;
        }
        cx.builder
            .sign(Sign::Accessor, modifiers::start_of(property));
        let modifiers = Modifiers::of(&cx.builder, property);
        Some(Function {
            name: Cow::Borrowed(property_name(cx, property)),
            kind: if cx.scope().is_some() {
                DefinitionKind::Method
            } else {
                DefinitionKind::Function
            },
            parent: None,
            exported: is_exported(cx, &modifiers),
            documented: cx.documented(range(property).0),
            test: false,
            dictated: modifiers.has("override"),
            asynchronous: false,
            inherited: false,
            parameters: 0,
            body: true,
        })
    }
}

impl Shape for Swift {
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Function<'s>> {
        let (name, special) = match node.kind() {
            "computed_property" => return self.computed(cx, above),
            "init_declaration" => ("init", true),
            "deinit_declaration" => ("deinit", true),
            "subscript_declaration" => ("subscript", true),
            _ => (cx.field_text(node, "name"), false),
        };
        let modifiers = Modifiers::of(&cx.builder, node);
        let method = !cx.in_function() && cx.scope().is_some();
        let parameters = children_count(node, |one| one.kind() == "parameter");
        let case = modifiers.is_annotated(&["Test"])
            || method && cx.builder.in_test() && name.starts_with("test") && parameters == 0;
        let hook = method
            && cx.builder.in_test()
            && matches!(
                name,
                "setUp" | "setUpWithError" | "tearDown" | "tearDownWithError"
            );
        let operator = !name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '`'));
        let mut cursor = node.walk();
        let asynchronous = node.children(&mut cursor).any(|one| one.kind() == "async");
        let mut cursor = node.walk();
        let body = node.child_by_field_name("body").is_some()
            || node
                .named_children(&mut cursor)
                .any(|one| one.kind() == "computed_property");
        Some(Function {
            name: Cow::Borrowed(name),
            kind: if method {
                DefinitionKind::Method
            } else {
                DefinitionKind::Function
            },
            parent: None,
            exported: !cx.in_function() && is_exported(cx, &modifiers),
            documented: cx.documented(range(node).0),
            test: case,
            dictated: special || operator || hook || modifiers.has("override"),
            asynchronous,
            inherited: false,
            parameters,
            body,
        })
    }

    fn container<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        _above: &[Above<'_>],
    ) -> Option<Container<'s>> {
        let kind = match cx.field_text(node, "declaration_kind") {
            "class" | "actor" => Some(DefinitionKind::Class),
            "struct" => Some(DefinitionKind::Struct),
            "enum" => Some(DefinitionKind::Enum),
            "protocol" => Some(DefinitionKind::Interface),
            _ => None,
        };
        let modifiers = Modifiers::of(&cx.builder, node);
        let mut cursor = node.walk();
        let tested = node
            .named_children(&mut cursor)
            .any(|one| one.kind() == "inheritance_specifier" && cx.text(one).ends_with("TestCase"));
        let extension = kind.is_none();
        let private = modifiers.has_any(&["private", "fileprivate"]);
        Some(Container {
            name: Cow::Borrowed(bare_name(cx.field_text(node, "name"))),
            kind,
            // The visibility of an extension's members is given at each member, or at the extension for all of them.
            exported: if extension {
                !private && cx.outside_exported()
            } else {
                is_exported(cx, &modifiers)
            },
            documented: cx.documented(range(node).0),
            test: tested || modifiers.is_annotated(&["Suite"]),
            dictated: false,
            open: match kind {
                Some(DefinitionKind::Interface) => true,
                Some(_) => false,
                None => modifiers.has("public"),
            },
        })
    }

    fn import(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let mut cursor = node.walk();
        let Some(path) = node
            .named_children(&mut cursor)
            .find(|one| one.kind() == "identifier")
        else {
            return;
        };
        let mut cursor = node.walk();
        // `import class UIKit.UIView` imports one name.
        let one = node.children(&mut cursor).any(|one| {
            matches!(
                one.kind(),
                "class" | "enum" | "func" | "let" | "protocol" | "struct" | "typealias" | "var"
            )
        });
        let style = if one {
            ImportStyle::Names
        } else {
            ImportStyle::Module
        };
        cx.builder.import(cx.text(path), range(node).0, style);
    }

    /// Handles a `let` of the file, a `static let` and a type alias.
    fn constant(&mut self, cx: &mut Context<'_>, node: Node<'_>, _above: &[Above<'_>]) {
        if cx.in_function() || cx.builder.in_function() {
            return;
        }
        let modifiers = Modifiers::of(&cx.builder, node);
        let documented = cx.documented(range(node).0);
        let exported = is_exported(cx, &modifiers);
        if node.kind() == "typealias_declaration" {
            let name = cx.field_text(node, "name");
            cx.define(DefinitionKind::Type, name, node, exported, documented);
            return;
        }
        let mut cursor = node.walk();
        let fixed = node.named_children(&mut cursor).any(|one| {
            one.kind() == "value_binding_pattern" && cx.field_text(one, "mutability") == "let"
        });
        let name = property_name(cx, node);
        if fixed
            && !name.is_empty()
            && (cx.scope().is_none() || modifiers.has_any(&["static", "class"]))
        {
            cx.define(DefinitionKind::Constant, name, node, exported, documented);
        }
    }

    fn special(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) -> bool {
        if node.is_named() {
            // A `guard`: its `else` is not a second branch.
            cx.builder.branch(1);
            cx.builder.flow();
            cx.builder.nest();
            return true;
        }
        // In `if case`, `guard case` and `for case`, lizard counts the keyword.
        let counts = above
            .last()
            .is_some_and(|around| matches!(around.role, Role::If | Role::Loop | Role::Special));
        cx.builder.branch(usize::from(counts));
        false
    }

    fn special_end(&mut self, cx: &mut Context<'_>, _node: Node<'_>) {
        cx.builder.unnest();
    }

    fn case_counts(&self, _cx: &Context<'_>, node: Node<'_>) -> bool {
        node.named_child(0)
            .is_none_or(|first| first.kind() != "default_keyword")
    }

    fn catch(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let caught = cx.field_text(node, "error");
        let broad =
            !caught.contains([' ', '.']) || caught.starts_with("let ") && !caught.contains(" as ");
        let mut cursor = node.walk();
        let empty = !node
            .named_children(&mut cursor)
            .any(|one| matches!(one.kind(), "statements" | "comment" | "multiline_comment"));
        cx.caught(node, broad, empty);
    }

    /// Whether a `break` or `continue` has a label.
    fn jumps(&self, _cx: &Context<'_>, node: Node<'_>) -> bool {
        let word = node.child(0).map_or("", |word| word.kind());
        matches!(word, "break" | "continue") && node.named_child_count() > 0
    }

    fn start_of(&self, node: Node<'_>, above: &[Above<'_>]) -> u32 {
        let declared = match above.last() {
            Some(around) if node.kind() == "computed_property" => around.node,
            _ => node,
        };
        modifiers::start_of(declared)
    }

    fn is_doc(&self, comment: &str) -> bool {
        comment.starts_with("///") || comment.starts_with("/**") && comment.len() > 4
    }

    fn callee<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        let callee = node.named_child(0)?;
        let arguments = node
            .named_child(1)
            .and_then(|suffix| suffix.child(0))
            .and_then(|list| list.child(0));
        // In this grammar `a[1]` is a call.
        if arguments.is_some_and(|open| open.kind() == "[") {
            return None;
        }
        // In `.red(1)` the type is implicit.
        (callee.kind() == "prefix_expression")
            .then(|| callee.child_by_field_name("target"))
            .flatten()
            .or(Some(callee))
    }

    fn last_name<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        node.child_by_field_name("suffix")?
            .child_by_field_name("suffix")
    }

    fn use_of(
        &self,
        cx: &Context<'_>,
        node: Node<'_>,
        role: Role,
        above: &[Above<'_>],
    ) -> Option<ReferenceKind> {
        let around = above.last()?;
        match around.role {
            // A discarded value.
            _ if node.end_byte() - node.start_byte() == 1 && cx.text(node) == "_" => None,
            // In a pattern, `.some` refers to a case.
            Role::Binds if role == Role::Name => cx
                .builder
                .text
                .get(..node.start_byte())
                .is_some_and(|before| before.ends_with('.'))
                .then_some(ReferenceKind::Name),
            Role::Function if role == Role::Name => (around.node.child_by_field_name("name")
                != Some(node))
            .then_some(ReferenceKind::Name),
            // The label of a jump.
            Role::Jump if self.jumps(cx, around.node) => None,
            Role::If | Role::Loop | Role::Special if role == Role::Name => {
                let before = cx.builder.text.get(..node.start_byte()).unwrap_or("");
                let before = before.trim_end();
                let bound = before.ends_with("let") || before.ends_with("var");
                (!bound).then_some(ReferenceKind::Name)
            }
            _ if role == Role::TypeName => Some(ReferenceKind::Type),
            _ => Some(ReferenceKind::Name),
        }
    }
}
