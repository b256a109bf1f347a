//! Kotlin, parsed by tree-sitter. Members of a companion object belong to the class. An accessor with a body is a
//! method named after its property. Each entry of a `when` counts as a branch, as in lizard.

use std::borrow::Cow;
use std::sync::LazyLock;

use tree_sitter::Node;

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::references::ReferenceKind;
use super::super::skip::Skip;
use super::modifiers::{self, JUNIT_TESTS, Modifiers};
use super::syntax_tree::{children_count, range};
use super::table::{self, Above, Container, Context, Function, Role, Shape, Table, use_by_place};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(tree_sitter_kotlin_ng::LANGUAGE.into(), role_of));

pub(super) fn analyze(text: &str) -> Result<FileFacts, Skip> {
    table::analyze(text, &TABLE, Kotlin { kotest: false })
}

fn role_of(kind: &str, named: bool) -> Role {
    if !named {
        return match kind {
            "&&" => Role::And,
            "||" => Role::Or,
            "?:" => Role::Coalesce,
            "else" => Role::Else,
            _ => Role::Other,
        };
    }
    match kind {
        "line_comment" | "block_comment" => Role::Comment,
        "import" => Role::Import,
        "package_header" => Role::Pass,
        "function_declaration" | "secondary_constructor" | "getter" | "setter" => Role::Function,
        "lambda_literal" | "anonymous_function" => Role::Lambda,
        "class_declaration" | "object_declaration" | "companion_object" | "object_literal" => {
            Role::Container
        }
        "property_declaration" | "type_alias" => Role::Constant,
        "if_expression" => Role::If,
        "for_statement" | "while_statement" | "do_while_statement" => Role::Loop,
        "when_expression" => Role::Switch,
        "try_expression" => Role::Try,
        "catch_block" => Role::Catch,
        "binary_expression" => Role::Binary,
        "parenthesized_expression" => Role::Paren,
        "labeled_expression" => Role::Jump,
        "call_expression" => Role::Call,
        "navigation_expression" => Role::Chain,
        "user_type" => Role::TypeName,
        "identifier" => Role::Name,
        "variable_declaration"
        | "parameter"
        | "enum_entry"
        | "lambda_parameters"
        | "multi_variable_declaration" => Role::Binds,
        "type_parameter" => Role::BindsAll,
        "class_parameter" => Role::Special,
        _ => Role::Other,
    }
}

struct Kotlin {
    /// Whether the file imports kotest, where test cases are calls.
    kotest: bool,
}

fn child_of_kind<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| child.kind() == kind)
}

fn last_child(node: Node<'_>) -> Option<Node<'_>> {
    let last = u32::try_from(node.named_child_count())
        .ok()?
        .checked_sub(1)?;
    node.named_child(last)
}

fn is_exported(cx: &Context<'_>, modifiers: &Modifiers<'_>) -> bool {
    !modifiers.has_any(&["private", "internal", "protected"])
        && cx.outside_exported()
        && !cx.in_function()
}

/// The parameters of a function.
fn parameter_count(node: Node<'_>) -> u32 {
    child_of_kind(node, "function_value_parameters").map_or(0, |list| {
        children_count(list, |child| child.kind() == "parameter")
    })
}

impl Shape for Kotlin {
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Function<'s>> {
        let kind = node.kind();
        let modifiers = Modifiers::of(&cx.builder, node);
        let body = child_of_kind(node, "function_body").or_else(|| child_of_kind(node, "block"));
        let mut declared = node;
        let name = match kind {
            "secondary_constructor" => "constructor",
            "getter" | "setter" => {
                body?;
                declared = above.last()?.node;
                let variable = child_of_kind(declared, "variable_declaration")?;
                let name = cx.text(child_of_kind(variable, "identifier")?);
                cx.builder.sign(Sign::Accessor, modifiers::start_of(node));
                name
            }
            _ => {
                let name = node.child_by_field_name("name")?;
                cx.mark_done(name);
                cx.text(name).trim_matches('`')
            }
        };
        let test = modifiers.is_annotated(JUNIT_TESTS);
        let asynchronous = modifiers.has("suspend");
        let outer = if declared == node {
            modifiers
        } else {
            Modifiers::of(&cx.builder, declared)
        };
        Some(Function {
            name: Cow::Borrowed(name),
            kind: if cx.in_type() {
                DefinitionKind::Method
            } else {
                DefinitionKind::Function
            },
            parent: None,
            exported: is_exported(cx, &outer),
            documented: cx.documented(range(declared).0),
            test,
            dictated: kind == "secondary_constructor"
                || outer.has_any(&["override", "operator"])
                || (name == "main" && !cx.in_type()),
            asynchronous,
            inherited: outer.has("protected"),
            parameters: if kind == "setter" {
                1
            } else {
                parameter_count(node)
            },
            body: body.is_some(),
        })
    }

    fn container<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        _above: &[Above<'_>],
    ) -> Option<Container<'s>> {
        let kind = match node.kind() {
            "companion_object" => {
                if let Some(name) = node.child_by_field_name("name") {
                    cx.mark_done(name);
                }
                return None;
            }
            "object_literal" => {
                return Some(Container {
                    name: Cow::Borrowed(""),
                    kind: None,
                    exported: false,
                    documented: false,
                    test: false,
                    dictated: false,
                    open: true,
                });
            }
            "object_declaration" => DefinitionKind::Class,
            _ => {
                let mut cursor = node.walk();
                let interface = node
                    .children(&mut cursor)
                    .any(|child| child.kind() == "interface");
                if interface {
                    DefinitionKind::Interface
                } else if child_of_kind(node, "enum_class_body").is_some() {
                    DefinitionKind::Enum
                } else {
                    DefinitionKind::Class
                }
            }
        };
        let name = node.child_by_field_name("name")?;
        cx.mark_done(name);
        let modifiers = Modifiers::of(&cx.builder, node);
        Some(Container {
            name: Cow::Borrowed(cx.text(name)),
            kind: Some(kind),
            exported: is_exported(cx, &modifiers),
            documented: cx.documented(range(node).0),
            test: false,
            dictated: false,
            open: true,
        })
    }

    fn start_of(&self, node: Node<'_>, _above: &[Above<'_>]) -> u32 {
        modifiers::start_of(node)
    }

    fn import(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let written = cx.text(node).trim();
        let path = written.strip_prefix("import").unwrap_or(written).trim();
        let (path, alias) = path.split_once(" as ").unwrap_or((path, ""));
        let path = path.trim();
        self.kotest |= path.starts_with("io.kotest.");
        let (path, style) = match path.strip_suffix(".*") {
            Some(package) => (package, ImportStyle::Wildcard),
            None => (path, ImportStyle::Names),
        };
        cx.builder.import(path, range(node).0, style);
        cx.builder.import_alias(alias.trim());
    }

    fn constant(&mut self, cx: &mut Context<'_>, node: Node<'_>, _above: &[Above<'_>]) {
        let modifiers = Modifiers::of(&cx.builder, node);
        let exported = is_exported(cx, &modifiers);
        let documented = cx.documented(range(node).0);
        if node.kind() == "type_alias" {
            if let Some(name) = node.child_by_field_name("type") {
                cx.mark_done(name);
                cx.define(
                    DefinitionKind::Type,
                    cx.text(name),
                    node,
                    exported,
                    documented,
                );
            }
            return;
        }
        if !modifiers.has("const") {
            return;
        }
        let name = child_of_kind(node, "variable_declaration")
            .and_then(|variable| child_of_kind(variable, "identifier"));
        if let Some(name) = name {
            let kind = DefinitionKind::Constant;
            cx.define(kind, cx.text(name), node, exported, documented);
        }
    }

    /// A parameter of a class: its name is declared, its default value is not.
    fn special(&mut self, cx: &mut Context<'_>, node: Node<'_>, _above: &[Above<'_>]) -> bool {
        if let Some(name) = child_of_kind(node, "identifier") {
            cx.mark_done(name);
        }
        true
    }

    fn closure_parameters(&self, _cx: &Context<'_>, node: Node<'_>) -> u32 {
        match child_of_kind(node, "lambda_parameters") {
            Some(list) => {
                children_count(list, |child| child.kind().ends_with("variable_declaration"))
            }
            None => parameter_count(node),
        }
    }

    fn catch(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let caught = child_of_kind(node, "user_type").map_or("", |caught| cx.text(caught));
        let broad = matches!(caught.rsplit('.').next(), Some("Exception" | "Throwable"));
        let empty = child_of_kind(node, "block").is_some_and(|body| body.named_child_count() == 0);
        cx.caught(node, broad, empty);
    }

    /// Whether a jump has a label: `break@outer` and `continue@outer`. Other nodes with a label are not jumps.
    fn jumps(&self, cx: &Context<'_>, node: Node<'_>) -> bool {
        node.named_child(0)
            .is_some_and(|label| matches!(cx.text(label), "break@" | "continue@"))
    }

    fn switch_branches(&self, node: Node<'_>) -> usize {
        children_count(node, |child| child.kind() == "when_entry").saturating_sub(1) as usize
    }

    fn called(&mut self, cx: &mut Context<'_>, node: Node<'_>, callee: Node<'_>) {
        if !self.kotest {
            return;
        }
        // In `test("name") { ... }` the call with the name is nested in the call with the block.
        let Some(arguments) = child_of_kind(node, "value_arguments") else {
            return;
        };
        let named = arguments
            .named_child(0)
            .and_then(|argument| argument.named_child(0))
            .is_some_and(|first| first.kind() == "string_literal");
        let word = cx.text(callee);
        if named
            && matches!(
                word,
                "test" | "it" | "should" | "expect" | "then" | "scenario"
            )
        {
            cx.builder.test_case(range(node).0);
        }
    }

    fn callee<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        node.named_child(0)
    }

    fn last_name<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        last_child(node)
    }

    fn use_of(
        &self,
        _cx: &Context<'_>,
        node: Node<'_>,
        role: Role,
        above: &[Above<'_>],
    ) -> Option<ReferenceKind> {
        match above.last().map_or(Role::Other, |around| around.role) {
            Role::Jump | Role::Catch | Role::Function if role == Role::Name => None,
            _ => use_by_place(node, role, above),
        }
    }
}
