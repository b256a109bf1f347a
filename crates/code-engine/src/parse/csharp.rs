//! C#, parsed by tree-sitter. Namespaces are not definitions, like packages in Java. A property is a method if an
//! accessor has a body.

use std::borrow::Cow;
use std::sync::LazyLock;

use tree_sitter::Node;

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::references::ReferenceKind;
use super::super::skip::Skip;
use super::modifiers::{self, Modifiers};
use super::preprocessor::{Dialect, readable};
use super::syntax_tree::{self as tree, children_count, range};
use super::table::{self, Above, Container, Context, Function, Role, Shape, Table, use_by_place};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(tree_sitter_c_sharp::LANGUAGE.into(), role_of));

pub(super) fn analyze(text: &str) -> Result<FileFacts, Skip> {
    let read = readable(text, Dialect::CSharp);
    let tree = tree::parse(TABLE.grammar(), &read.text)?;
    let mut cx = Context::new(text, &TABLE);
    read.note(&mut cx);
    table::tree_analyze(&tree, cx, CSharp)
}

fn role_of(kind: &str, named: bool) -> Role {
    if !named {
        return match kind {
            "&&" => Role::And,
            "||" => Role::Or,
            "??" => Role::Coalesce,
            "else" => Role::Else,
            "case" => Role::Case,
            "#if" | "#elif" => Role::Condition,
            _ => Role::Other,
        };
    }
    match kind {
        "comment" => Role::Comment,
        "using_directive" => Role::Import,
        "file_scoped_namespace_declaration"
        | "extern_alias_directive"
        | "string_literal"
        | "character_literal" => Role::Pass,
        "method_declaration"
        | "constructor_declaration"
        | "destructor_declaration"
        | "operator_declaration"
        | "conversion_operator_declaration"
        | "local_function_statement"
        | "property_declaration"
        | "indexer_declaration"
        | "accessor_declaration" => Role::Function,
        "lambda_expression" | "anonymous_method_expression" => Role::Lambda,
        "class_declaration"
        | "record_declaration"
        | "struct_declaration"
        | "interface_declaration"
        | "enum_declaration"
        | "namespace_declaration" => Role::Container,
        "field_declaration" | "delegate_declaration" => Role::Constant,
        "if_statement" => Role::If,
        "for_statement" | "foreach_statement" | "while_statement" | "do_statement" => Role::Loop,
        "switch_statement" | "switch_expression" => Role::Switch,
        "switch_expression_arm" => Role::Case,
        "try_statement" => Role::Try,
        "catch_clause" => Role::Catch,
        "conditional_expression" => Role::Ternary,
        "binary_expression" => Role::Binary,
        "parenthesized_expression" => Role::Paren,
        "goto_statement" => Role::Jump,
        "invocation_expression" => Role::Call,
        "object_creation_expression" => Role::New,
        "member_access_expression"
        | "qualified_name"
        | "alias_qualified_name"
        | "member_binding_expression" => Role::Chain,
        "generic_name" => Role::Generic,
        "conditional_access_expression" => Role::SafeChain,
        "identifier" => Role::Name,
        "labeled_statement" | "parenthesized_variable_designation" | "tuple_pattern" => Role::Binds,
        "type_parameter" => Role::BindsAll,
        "variable_declarator" | "enum_member_declaration" => Role::BindsFirst,
        "base_list"
        | "type_argument_list"
        | "nullable_type"
        | "array_type"
        | "pointer_type"
        | "ref_type"
        | "scoped_type"
        | "type_parameter_constraint"
        | "attribute"
        | "explicit_interface_specifier" => Role::Types,
        "variable_declaration"
        | "parameter"
        | "cast_expression"
        | "declaration_pattern"
        | "declaration_expression"
        | "recursive_pattern"
        | "type_pattern"
        | "catch_declaration"
        | "typeof_expression"
        | "default_expression"
        | "sizeof_expression"
        | "array_creation_expression"
        | "event_declaration"
        | "var_pattern"
        | "tuple_element"
        | "from_clause"
        | "primary_constructor_base_type" => Role::Typed,
        _ => Role::Other,
    }
}

const TEST_ATTRIBUTES: &[&str] = &[
    "Fact",
    "Theory",
    "Test",
    "TestCase",
    "TestCaseSource",
    "TestMethod",
    "DataTestMethod",
    "Property",
];

struct CSharp;

/// Whether one of the attributes has one of these names, with or without the suffix `Attribute`.
fn has_attribute(modifiers: &Modifiers<'_>, names: &[&str]) -> bool {
    modifiers
        .annotations()
        .any(|name| names.contains(&name.strip_suffix("Attribute").unwrap_or(name)))
}

fn is_exported(cx: &Context<'_>, modifiers: &Modifiers<'_>) -> bool {
    let implied = cx.scope().is_some_and(|scope| scope.open)
        && !modifiers.has("private")
        && !modifiers.has("protected");
    cx.outside_exported() && !cx.in_function() && (modifiers.has("public") || implied)
}

fn parameter_count(node: Node<'_>) -> u32 {
    node.child_by_field_name("parameters").map_or(0, |list| {
        if list.kind() == "implicit_parameter" {
            return 1;
        }
        // A `params` parameter has no node of its own in the list.
        let open = u32::from(list.child_by_field_name("type").is_some());
        open + children_count(list, |child| child.kind() == "parameter")
    })
}

impl Shape for CSharp {
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Function<'s>> {
        let kind = node.kind();
        let modifiers = Modifiers::of(&cx.builder, node);
        let own_name = node
            .child_by_field_name("name")
            .filter(|name| name.is_named());
        let returned = node
            .child_by_field_name("returns")
            .or_else(|| node.child_by_field_name("type"));
        if let Some(name) = own_name {
            cx.mark_done(name);
        }
        if let Some(returned) = returned {
            cx.mark(returned, ReferenceKind::Type);
        }
        let mut declared = node;
        let name = match kind {
            "accessor_declaration" => {
                declared = above.iter().rev().nth(1)?.node;
                let name = cx.field_text(declared, "name");
                Cow::Borrowed(if name.is_empty() { "this" } else { name })
            }
            "indexer_declaration" => Cow::Borrowed("this"),
            "destructor_declaration" => Cow::Owned(format!("~{}", cx.field_text(node, "name"))),
            "operator_declaration" => {
                Cow::Owned(format!("operator {}", cx.field_text(node, "operator")))
            }
            "conversion_operator_declaration" => {
                Cow::Owned(format!("operator {}", cx.field_text(node, "type")))
            }
            _ => Cow::Borrowed(cx.text(own_name?)),
        };
        let is_arrow = |field: &str| {
            node.child_by_field_name(field)
                .is_some_and(|value| value.kind() == "arrow_expression_clause")
        };
        let body = match kind {
            "property_declaration" | "indexer_declaration" => is_arrow("value"),
            _ => node.child_by_field_name("body").is_some(),
        };
        let is_property = matches!(
            kind,
            "property_declaration" | "indexer_declaration" | "accessor_declaration"
        );
        if is_property && !body {
            return None;
        }
        if is_property {
            cx.builder.sign(Sign::Accessor, modifiers::start_of(node));
        }
        let outer = if declared == node {
            modifiers
        } else {
            Modifiers::of(&cx.builder, declared)
        };
        let local = cx.in_function();
        let test = has_attribute(&outer, TEST_ATTRIBUTES);
        let dictated = !matches!(
            kind,
            "method_declaration"
                | "local_function_statement"
                | "property_declaration"
                | "accessor_declaration"
        ) || outer.has("override")
            || name == "Main"
            || children_count(declared, |child| {
                child.kind() == "explicit_interface_specifier"
            }) > 0;
        Some(Function {
            kind: if local {
                DefinitionKind::Function
            } else {
                DefinitionKind::Method
            },
            name,
            parent: None,
            exported: is_exported(cx, &outer),
            documented: cx.documented(range(declared).0),
            test,
            dictated,
            asynchronous: outer.has("async"),
            inherited: outer.has("protected"),
            parameters: parameter_count(declared),
            body,
        })
    }

    fn container<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        _above: &[Above<'_>],
    ) -> Option<Container<'s>> {
        let name = node.child_by_field_name("name")?;
        cx.mark_done(name);
        let kind = match node.kind() {
            "namespace_declaration" => return None,
            "struct_declaration" => DefinitionKind::Struct,
            "interface_declaration" => DefinitionKind::Interface,
            "enum_declaration" => DefinitionKind::Enum,
            _ => DefinitionKind::Class,
        };
        let modifiers = Modifiers::of(&cx.builder, node);
        let test = has_attribute(&modifiers, &["TestFixture", "TestClass"]);
        Some(Container {
            name: Cow::Borrowed(cx.text(name)),
            kind: Some(kind),
            exported: is_exported(cx, &modifiers),
            documented: cx.documented(range(node).0),
            test,
            dictated: false,
            open: kind == DefinitionKind::Interface,
        })
    }

    fn start_of(&self, node: Node<'_>, _above: &[Above<'_>]) -> u32 {
        modifiers::start_of(node)
    }

    fn import(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let written = cx.text(node).trim_end_matches(';').trim();
        let written = written.strip_prefix("global ").unwrap_or(written).trim();
        let path = written.strip_prefix("using").unwrap_or(written).trim();
        let (path, style) = match (path.strip_prefix("static "), path.split_once('=')) {
            (Some(path), _) => (path.trim(), ImportStyle::Wildcard),
            (None, Some((_, path))) => (path.trim(), ImportStyle::Names),
            (None, None) => (path, ImportStyle::Module),
        };
        let path = path.split('<').next().unwrap_or(path);
        cx.builder.import(path, range(node).0, style);
    }

    fn constant(&mut self, cx: &mut Context<'_>, node: Node<'_>, _above: &[Above<'_>]) {
        let modifiers = Modifiers::of(&cx.builder, node);
        let exported = is_exported(cx, &modifiers);
        let documented = cx.documented(range(node).0);
        if node.kind() == "delegate_declaration" {
            if let Some(name) = node.child_by_field_name("name") {
                cx.mark_done(name);
                cx.define(
                    DefinitionKind::Type,
                    cx.text(name),
                    node,
                    exported,
                    documented,
                );
            }
            if let Some(returned) = node.child_by_field_name("type") {
                cx.mark(returned, ReferenceKind::Type);
            }
            return;
        }
        let constant =
            modifiers.has("const") || (modifiers.has("static") && modifiers.has("readonly"));
        if !constant {
            return;
        }
        let mut cursor = node.walk();
        let declaration = node
            .named_children(&mut cursor)
            .find(|child| child.kind() == "variable_declaration");
        let Some(declaration) = declaration else {
            return;
        };
        let mut cursor = declaration.walk();
        for declarator in declaration.named_children(&mut cursor) {
            if let Some(name) = declarator.child_by_field_name("name") {
                cx.define(
                    DefinitionKind::Constant,
                    cx.text(name),
                    node,
                    exported,
                    documented,
                );
            }
        }
    }

    fn closure_parameters(&self, _cx: &Context<'_>, node: Node<'_>) -> u32 {
        parameter_count(node)
    }

    fn catch(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let mut cursor = node.walk();
        let declaration = node
            .named_children(&mut cursor)
            .find(|child| child.kind() == "catch_declaration");
        let broad = declaration.is_none_or(|declaration| {
            matches!(
                cx.field_text(declaration, "type"),
                "Exception" | "System.Exception"
            )
        });
        let empty = node
            .child_by_field_name("body")
            .is_some_and(|body| body.named_child_count() == 0);
        cx.caught(node, broad, empty);
    }

    /// Whether an arm counts as a case: the default arm does not, as in a `switch`.
    fn case_counts(&self, _cx: &Context<'_>, node: Node<'_>) -> bool {
        node.named_child(0)
            .is_none_or(|pattern| pattern.kind() != "discard")
    }

    fn is_doc(&self, comment: &str) -> bool {
        (comment.starts_with("///") && !comment.starts_with("////"))
            || (comment.starts_with("/**") && comment.len() > 4)
    }

    fn last_name<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        match node.kind() {
            "generic_name" => node.named_child(0),
            "conditional_access_expression" => {
                let last = u32::try_from(node.named_child_count())
                    .ok()?
                    .checked_sub(1)?;
                node.named_child(last)
                    .filter(|last| last.kind() != "element_binding_expression")
            }
            _ => node.child_by_field_name("name"),
        }
    }

    fn use_of(
        &self,
        _cx: &Context<'_>,
        node: Node<'_>,
        role: Role,
        above: &[Above<'_>],
    ) -> Option<ReferenceKind> {
        let around = above.last()?;
        match around.role {
            Role::Jump => None,
            Role::Loop if around.node.child_by_field_name("left") == Some(node) => None,
            Role::Loop if around.node.child_by_field_name("type") == Some(node) => {
                Some(ReferenceKind::Type)
            }
            _ => use_by_place(node, role, above),
        }
    }
}
