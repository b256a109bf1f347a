//! Scala, parsed by tree-sitter. Each `case` counts as a branch, including the default case, as in lizard. An
//! `extension` or `given` is not a definition itself.

use std::borrow::Cow;
use std::sync::LazyLock;

use tree_sitter::Node;

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle};
use super::super::references::ReferenceKind;
use super::super::skip::Skip;
use super::modifiers::{self, Modifiers};
use super::syntax_tree::{children_count, range};
use super::table::{self, Above, Container, Context, Function, Role, Shape, Table, use_by_place};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(tree_sitter_scala::LANGUAGE.into(), role_of));

pub(super) fn analyze(text: &str) -> Result<FileFacts, Skip> {
    table::analyze(text, &TABLE, Scala { tested: false })
}

fn role_of(kind: &str, named: bool) -> Role {
    if !named {
        return match kind {
            "else" => Role::Else,
            _ => Role::Other,
        };
    }
    match kind {
        "comment" | "block_comment" => Role::Comment,
        "import_declaration" => Role::Import,
        "package_identifier" | "export_declaration" => Role::Pass,
        "function_definition" | "function_declaration" => Role::Function,
        "lambda_expression" => Role::Lambda,
        "class_definition" | "trait_definition" | "object_definition" | "enum_definition"
        | "package_object" | "given_definition" => Role::Container,
        "val_definition" | "var_definition" | "val_declaration" | "var_declaration"
        | "type_definition" => Role::Constant,
        "if_expression" => Role::If,
        "for_expression" | "while_expression" | "do_while_expression" => Role::Loop,
        "match_expression" => Role::Switch,
        "case_clause" => Role::Case,
        "guard" => Role::Condition,
        "try_expression" => Role::Try,
        "catch_clause" => Role::Catch,
        "infix_expression" => Role::Binary,
        "parenthesized_expression" => Role::Paren,
        "call_expression" => Role::Call,
        "instance_expression" => Role::New,
        "field_expression" | "stable_identifier" => Role::Chain,
        "generic_function" => Role::Generic,
        "identifier" => Role::Name,
        "type_identifier" | "generic_type" | "stable_type_identifier" => Role::TypeName,
        "parameter" | "class_parameter" | "binding" | "bindings" | "tuple_pattern"
        | "simple_enum_case" | "full_enum_case" | "name_and_type" => Role::Binds,
        "type_parameters" | "covariant_type_parameter" | "contravariant_type_parameter" => {
            Role::BindsAll
        }
        "enumerator" | "typed_pattern" | "capture_pattern" => Role::BindsFirst,
        _ => Role::Other,
    }
}

struct Scala {
    /// Whether the file imports a test framework where test cases are calls.
    tested: bool,
}

fn is_exported(cx: &Context<'_>, modifiers: &Modifiers<'_>) -> bool {
    let hidden = modifiers.has_stem("private") || modifiers.has_stem("protected");
    !hidden && cx.outside_exported() && !cx.in_function()
}

/// Counts the parameters of all parameter lists of a function.
fn parameter_count(node: Node<'_>) -> u32 {
    let mut cursor = node.walk();
    node.children_by_field_name("parameters", &mut cursor)
        .map(|list| match list.kind() {
            "identifier" | "wildcard" => 1,
            _ => children_count(list, |child| {
                matches!(child.kind(), "parameter" | "binding")
            }),
        })
        .sum()
}

impl Shape for Scala {
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        _above: &[Above<'_>],
    ) -> Option<Function<'s>> {
        let name = node.child_by_field_name("name")?;
        cx.mark_done(name);
        let written = cx.text(name).trim_matches('`');
        let modifiers = Modifiers::of(&cx.builder, node);
        // In an instance of a type class, the class dictates the names.
        let given = cx
            .scope()
            .is_some_and(|scope| scope.kind == Some(DefinitionKind::Type));
        Some(Function {
            name: Cow::Borrowed(written),
            kind: if cx.in_type() {
                DefinitionKind::Method
            } else {
                DefinitionKind::Function
            },
            parent: None,
            exported: is_exported(cx, &modifiers),
            documented: cx.documented(range(node).0),
            test: modifiers.is_annotated(&["Test"]),
            dictated: given
                || modifiers.has("override")
                || matches!(
                    written,
                    "main" | "apply" | "unapply" | "unapplySeq" | "this"
                ),
            asynchronous: false,
            inherited: modifiers.has_stem("protected"),
            parameters: parameter_count(node),
            body: node.child_by_field_name("body").is_some(),
        })
    }

    fn container<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        _above: &[Above<'_>],
    ) -> Option<Container<'s>> {
        let kind = match node.kind() {
            "trait_definition" => Some(DefinitionKind::Trait),
            "enum_definition" => Some(DefinitionKind::Enum),
            "package_object" => Some(DefinitionKind::Module),
            "given_definition" => None,
            _ => Some(DefinitionKind::Class),
        };
        let name = node.child_by_field_name("name");
        if let Some(name) = name {
            cx.mark_done(name);
        }
        if kind.is_some() && name.is_none() {
            return None;
        }
        Some(Container {
            name: Cow::Borrowed(name.map_or("", |name| cx.text(name))),
            kind,
            exported: is_exported(cx, &Modifiers::of(&cx.builder, node)),
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
        let written = cx.text(node);
        let written = written.strip_prefix("import").unwrap_or(written);
        let mut depth = 0i32;
        let parts = written.split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            self.tested |= [
                "org.scalatest",
                "munit",
                "org.specs2",
                "weaver",
                "zio.test",
                "utest",
            ]
            .iter()
            .any(|framework| part.starts_with(framework));
            let (path, style) = match part.split_once('{') {
                Some((path, _)) => (path.trim_end().trim_end_matches('.'), ImportStyle::Names),
                None => match [".*", "._", ".given"]
                    .iter()
                    .find_map(|end| part.strip_suffix(end))
                {
                    Some(path) => (path, ImportStyle::Wildcard),
                    None => (
                        part.split(" as ").next().unwrap_or(part).trim(),
                        ImportStyle::Names,
                    ),
                },
            };
            cx.builder.import(path, range(node).0, style);
        }
    }

    fn constant(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) {
        let exported = is_exported(cx, &Modifiers::of(&cx.builder, node));
        let documented = cx.documented(range(node).0);
        if node.kind() == "type_definition" {
            if let Some(name) = node.child_by_field_name("name") {
                cx.mark_done(name);
                let kind = DefinitionKind::Type;
                cx.define(kind, cx.text(name), node, exported, documented);
            }
            return;
        }
        let Some(name) = node
            .child_by_field_name("pattern")
            .or_else(|| node.child_by_field_name("name"))
            .filter(|name| name.kind() == "identifier")
        else {
            return;
        };
        cx.mark_done(name);
        // A value in an object exists once; a value in a class is a field.
        let owner = above.iter().rev().nth(1).map(|owner| owner.node.kind());
        let single = match above.last().map(|around| around.node.kind()) {
            Some("compilation_unit") => true,
            Some("template_body") => matches!(owner, Some("object_definition" | "package_object")),
            _ => false,
        };
        if node.kind() == "val_definition" && single {
            let kind = DefinitionKind::Constant;
            cx.define(kind, cx.text(name), node, exported, documented);
        }
    }

    fn closure_parameters(&self, _cx: &Context<'_>, node: Node<'_>) -> u32 {
        parameter_count(node)
    }

    fn catch(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let Some(cases) = node.named_child(0) else {
            return;
        };
        let mut cursor = cases.walk();
        let mut broad = false;
        let mut empty = true;
        for case in cases.named_children(&mut cursor) {
            let pattern = cx.field_text(case, "pattern");
            let caught = pattern.rsplit(':').next().unwrap_or(pattern).trim();
            broad |= matches!(caught, "Exception" | "Throwable" | "_")
                || caught.chars().all(|c| c.is_lowercase());
            empty &= case.child_by_field_name("body").is_none();
        }
        cx.caught(node, broad, empty);
    }

    fn word_operator(&self, cx: &Context<'_>, node: Node<'_>) -> Option<(Role, u32)> {
        let operator = node.child_by_field_name("operator")?;
        match cx.text(operator) {
            "&&" => Some((Role::And, range(operator).0)),
            "||" => Some((Role::Or, range(operator).0)),
            _ => None,
        }
    }

    /// In `test("name") { ... }` the call with the name is nested in the call with the block.
    fn called(&mut self, cx: &mut Context<'_>, node: Node<'_>, callee: Node<'_>) {
        if !self.tested {
            return;
        }
        let named = node
            .child_by_field_name("arguments")
            .and_then(|arguments| arguments.named_child(0))
            .is_some_and(|first| first.kind().contains("string"));
        if named && matches!(cx.text(callee), "test" | "it" | "property" | "scenario") {
            cx.builder.test_case(range(node).0);
        }
    }

    fn callee<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        node.child_by_field_name("function")
            .or_else(|| node.named_child(0))
    }

    fn last_name<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        node.child_by_field_name("field")
            .or_else(|| node.child_by_field_name("function"))
            .or_else(|| {
                let last = u32::try_from(node.named_child_count())
                    .ok()?
                    .checked_sub(1)?;
                node.named_child(last)
            })
    }

    fn generics_open(&self) -> char {
        '['
    }

    fn use_of(
        &self,
        cx: &Context<'_>,
        node: Node<'_>,
        role: Role,
        above: &[Above<'_>],
    ) -> Option<ReferenceKind> {
        let around = above.last()?;
        let is = |field: &str| around.node.child_by_field_name(field) == Some(node);
        match (role, around.role) {
            (Role::Name, Role::Lambda) if is("parameters") => None,
            // A lower-case pattern binds a name to the matched value.
            (Role::Name, Role::Case)
                if is("pattern") && cx.text(node).starts_with(char::is_lowercase) =>
            {
                None
            }
            _ => use_by_place(node, role, above),
        }
    }
}
