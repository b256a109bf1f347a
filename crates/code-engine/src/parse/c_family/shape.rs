//! The specifics of C and C++: nested declarators, access labels, and test cases written as macros.
//!
//! Longer than 450 lines: the shapes of two languages share their declarators.

use std::borrow::Cow;

use tree_sitter::Node;

use super::super::super::facts::{DefinitionKind, ImportStyle};
use super::super::super::references::ReferenceKind;
use super::super::syntax_tree::{Errors, children_count, range};
use super::super::table::{Above, Container, Context, Function, Role, Shape, use_by_place};

pub(super) fn role_of(kind: &str, named: bool) -> Role {
    if !named {
        return match kind {
            "&&" | "and" => Role::And,
            "||" | "or" => Role::Or,
            "else" => Role::Else,
            "case" => Role::Case,
            "#if" | "#ifdef" | "#elif" => Role::Condition,
            _ => Role::Other,
        };
    }
    match kind {
        "comment" => Role::Comment,
        "preproc_include" => Role::Import,
        "function_definition" => Role::Function,
        "lambda_expression" => Role::Lambda,
        "struct_specifier"
        | "union_specifier"
        | "enum_specifier"
        | "class_specifier"
        | "namespace_definition" => Role::Container,
        "declaration"
        | "type_definition"
        | "alias_declaration"
        | "concept_definition"
        | "preproc_def"
        | "preproc_function_def" => Role::Constant,
        "access_specifier" => Role::Special,
        "if_statement" => Role::If,
        "else_clause" => Role::ElseClause,
        "for_statement" | "for_range_loop" | "while_statement" | "do_statement" => Role::Loop,
        "switch_statement" => Role::Switch,
        "try_statement" | "seh_try_statement" => Role::Try,
        "catch_clause" | "seh_except_clause" => Role::Catch,
        "conditional_expression" => Role::Ternary,
        "binary_expression" => Role::Binary,
        "parenthesized_expression" => Role::Paren,
        "goto_statement" => Role::Jump,
        "call_expression" => Role::Call,
        "new_expression" => Role::New,
        "field_expression" | "qualified_identifier" => Role::Chain,
        "template_function" | "template_method" => Role::Generic,
        "identifier" => Role::Name,
        "type_identifier" | "template_type" => Role::TypeName,
        "function_declarator"
        | "pointer_declarator"
        | "reference_declarator"
        | "parenthesized_declarator"
        | "parameter_declaration"
        | "parameter_list"
        | "optional_parameter_declaration"
        | "variadic_parameter_declaration"
        | "variadic_declarator"
        | "structured_binding_declarator"
        | "preproc_params" => Role::Binds,
        "type_parameter_declaration"
        | "optional_type_parameter_declaration"
        | "variadic_type_parameter_declaration" => Role::BindsAll,
        "init_declarator" | "array_declarator" | "enumerator" | "attributed_declarator" => {
            Role::BindsFirst
        }
        "preproc_arg" => Role::Words,
        "preproc_call" | "string_literal" | "char_literal" | "raw_string_literal" => Role::Pass,
        _ => Role::Other,
    }
}

pub(super) struct CFamily {
    cplusplus: bool,
}

/// The macros that begin a test case, with the index of its name among their arguments.
const TEST_MACROS: &[(&str, usize)] = &[
    ("TEST", 1),
    ("TEST_F", 1),
    ("TEST_P", 1),
    ("TYPED_TEST", 1),
    ("TYPED_TEST_P", 1),
    ("BOOST_AUTO_TEST_CASE", 0),
    ("BOOST_FIXTURE_TEST_CASE", 0),
    ("START_TEST", 0),
];

/// Keywords, which error recovery may take for the name of a function.
const KEYWORDS: &[&str] = &[
    "if",
    "else",
    "for",
    "while",
    "do",
    "switch",
    "case",
    "break",
    "return",
    "sizeof",
    "defined",
    "catch",
    "const",
    "static",
    "struct",
    "union",
    "enum",
    "int",
    "char",
    "long",
    "short",
    "void",
    "unsigned",
    "signed",
    "float",
    "double",
    "inline",
    "__VA_ARGS__",
    "__FILE__",
    "__LINE__",
    "__func__",
];

impl CFamily {
    pub(super) fn new(cplusplus: bool) -> CFamily {
        CFamily { cplusplus }
    }
}

/// The declared name of a declarator, and the parameters if it declares a function.
struct Declarator<'t> {
    name: Node<'t>,
    parameters: Option<Node<'t>>,
}

fn declared(declarator: Node<'_>) -> Option<Declarator<'_>> {
    let mut node = declarator;
    let mut parameters = None;
    // Each step goes one level down; the guard before the parser bounds the depth.
    loop {
        match node.kind() {
            "function_declarator" => {
                parameters = node.child_by_field_name("parameters");
                node = node.child_by_field_name("declarator")?;
            }
            "pointer_declarator" | "array_declarator" | "init_declarator" => {
                node = node.child_by_field_name("declarator")?;
            }
            "reference_declarator" | "parenthesized_declarator" | "attributed_declarator" => {
                let mut cursor = node.walk();
                let inner = node.named_children(&mut cursor).find(|child| {
                    child.kind().ends_with("declarator") || child.kind().ends_with("identifier")
                });
                node = inner?;
            }
            "operator_cast" => {
                let inner = node.child_by_field_name("declarator");
                parameters = inner.and_then(|inner| inner.child_by_field_name("parameters"));
                return Some(Declarator {
                    name: node,
                    parameters,
                });
            }
            _ => {
                return Some(Declarator {
                    name: node,
                    parameters,
                });
            }
        }
    }
}

/// Counts parameters; `(void)` has none.
fn parameter_count(cx: &Context<'_>, list: Node<'_>) -> u32 {
    if cx.text(list).trim_matches(['(', ')', ' ']) == "void" {
        return 0;
    }
    children_count(list, |child| {
        child.kind().contains("parameter") || child.kind() == "identifier"
    })
}

fn has_child(node: Node<'_>, is: impl Fn(Node<'_>) -> bool) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(is)
}

fn is_static(cx: &Context<'_>, node: Node<'_>) -> bool {
    has_child(node, |child| {
        child.kind() == "storage_class_specifier" && cx.text(child) == "static"
    })
}

/// The start of a declaration, including its template or its `typedef`.
fn beginning(node: Node<'_>, above: &[Above<'_>]) -> u32 {
    let outer = above
        .iter()
        .rev()
        .take_while(|around| {
            matches!(
                around.node.kind(),
                "template_declaration" | "type_definition" | "field_declaration" | "declaration"
            )
        })
        .last();
    range(outer.map_or(node, |around| around.node)).0
}

/// The last name of a chain without its type arguments, and the part before it.
fn split_name<'s>(written: &'s str) -> (Option<Cow<'s, str>>, &'s str) {
    let mut depth = 0i32;
    let bytes = written.as_bytes();
    let mut split = None;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' => depth += 1,
            b'>' => depth -= 1,
            b':' if depth <= 0 && bytes.get(at + 1) == Some(&b':') => split = Some(at),
            // After `operator`, no more scopes follow.
            b'o' if depth <= 0
                && written
                    .get(at..)
                    .is_some_and(|rest| rest.starts_with("operator")) =>
            {
                break;
            }
            _ => {}
        }
    }
    let Some(at) = split else {
        return (None, written);
    };
    let scope = written.get(..at).unwrap_or("");
    let scope = scope.rsplit("::").next().unwrap_or(scope);
    let scope = scope.split('<').next().unwrap_or(scope).trim();
    let parent = (!scope.is_empty()).then_some(Cow::Borrowed(scope));
    (parent, written.get(at + 2..).unwrap_or("").trim_start())
}

impl CFamily {
    /// The name of a test case, if the function is in fact a macro that begins one.
    fn test_case<'s>(
        cx: &mut Context<'s>,
        macro_name: &str,
        parameters: Option<Node<'_>>,
    ) -> Option<(Option<Cow<'s, str>>, Cow<'s, str>)> {
        let (_, place) = TEST_MACROS.iter().find(|(name, _)| *name == macro_name)?;
        let list = parameters?;
        let mut cursor = list.walk();
        let arguments: Vec<Node<'_>> = list
            .named_children(&mut cursor)
            .filter(|child| child.kind() != "comment")
            .take(2)
            .collect();
        let suite = (*place > 0).then(|| arguments.first().copied()).flatten();
        let name = arguments.get(*place).copied()?;
        // To the grammar the names are types of parameters. The suite's name may really be a type.
        cx.mark_done(name.child_by_field_name("type").unwrap_or(name));
        let suite = suite.map(|suite| Cow::Borrowed(cx.text(suite)));
        Some((suite, Cow::Borrowed(cx.text(name))))
    }
}

/// Whether the value of a macro is a statement: `do { … } while (0)`, `return -1;`, `{ … }`.
fn is_statement(value: &str) -> bool {
    let first = value.split(|c: char| !c.is_ascii_alphanumeric()).next();
    let is_text = value.contains(['"', '\'']);
    (value.contains(';') && !is_text)
        || matches!(
            first,
            Some("do" | "for" | "goto" | "if" | "return" | "while")
        )
}

/// Whether the value of a macro is a single name, and no literal.
fn is_other_name(value: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    value.chars().all(is_part)
        && !value.starts_with(|c: char| c.is_ascii_digit())
        && !matches!(value, "true" | "false" | "NULL" | "nullptr")
}

impl Shape for CFamily {
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Function<'s>> {
        let found = declared(node.child_by_field_name("declarator")?)?;
        let written = if found.name.kind() == "operator_cast" {
            // `operator bool() const`: the name ends where the parameters begin.
            let written = cx.text(found.name);
            written.split('(').next().unwrap_or(written).trim_end()
        } else {
            cx.text(found.name)
        };
        let (parent, name) = split_name(written);
        if KEYWORDS.contains(&name) || name.is_empty() || (cx.in_function() && !self.cplusplus) {
            return None;
        }
        cx.mark_done(found.name);
        let documented = cx.documented(beginning(node, above));
        let body = node.child_by_field_name("body").is_some()
            || has_child(node, |child| child.kind() == "try_statement");
        if let Some((suite, name)) = CFamily::test_case(cx, name, found.parameters) {
            return Some(Function {
                name,
                kind: DefinitionKind::Function,
                parent: suite,
                exported: false,
                documented,
                test: true,
                dictated: false,
                asynchronous: false,
                inherited: false,
                parameters: 0,
                body,
            });
        }
        // A type with arguments after a name is a specialisation of the same function.
        let name = if name.starts_with("operator") {
            Cow::Owned(name.split_whitespace().collect::<Vec<_>>().join(" "))
        } else {
            Cow::Borrowed(name.split('<').next().unwrap_or(name).trim_end())
        };
        let method = cx.in_type() || parent.is_some();
        let exported = if cx.in_type() {
            cx.scope().is_none_or(|scope| scope.open && scope.exported)
        } else {
            !is_static(cx, node) && cx.outside_exported() && !cx.in_function()
        };
        let special = name.starts_with('~')
            || name.starts_with("operator")
            || node.child_by_field_name("type").is_none() && method
            || name == "main";
        let overrides = node
            .child_by_field_name("declarator")
            .is_some_and(|declarator| {
                has_child(declarator, |child| child.kind() == "virtual_specifier")
            });
        let returns_nothing = cx.field_text(node, "type") == "void";
        Some(Function {
            test: !method && returns_nothing && name.starts_with("test_"),
            name,
            kind: if method {
                DefinitionKind::Method
            } else {
                DefinitionKind::Function
            },
            parent,
            exported,
            documented,
            dictated: special || overrides,
            asynchronous: false,
            inherited: false,
            parameters: found.parameters.map_or(0, |list| parameter_count(cx, list)),
            body,
        })
    }

    fn container<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Container<'s>> {
        node.child_by_field_name("body")?;
        let (kind, open) = match node.kind() {
            "namespace_definition" => (DefinitionKind::Module, true),
            "class_specifier" => (DefinitionKind::Class, false),
            "enum_specifier" => (DefinitionKind::Enum, true),
            _ => (DefinitionKind::Struct, true),
        };
        let module = kind == DefinitionKind::Module;
        let typedef = above
            .last()
            .filter(|around| matches!(around.node.kind(), "type_definition"));
        let name = match (node.child_by_field_name("name"), typedef) {
            (Some(name), _) => {
                cx.mark_done(name);
                let written = cx.text(name);
                written.split('<').next().unwrap_or(written).trim_end()
            }
            (None, Some(typedef)) => typedef
                .node
                .child_by_field_name("declarator")
                .and_then(declared)
                .map_or("", |found| cx.text(found.name)),
            (None, None) => "",
        };
        let exported = cx.outside_exported()
            && cx.scope().is_none_or(|scope| scope.open)
            && !(module && name.is_empty());
        Some(Container {
            kind: Some(kind),
            name: Cow::Borrowed(name),
            exported,
            documented: cx.documented(beginning(node, above)),
            test: false,
            dictated: false,
            open,
        })
    }

    fn import(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let path = cx.field_text(node, "path").trim_matches(['"', '<', '>']);
        cx.builder.import(path, range(node).0, ImportStyle::Module);
    }

    fn constant(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) {
        let (kind, exported) = match node.kind() {
            "preproc_def" => {
                // A macro without a value is a switch or an include guard. One whose value is a single name gives
                // another name to whatever that is: a function, a type, a constant. One of statements is code.
                let value = cx.field_text(node, "value").trim();
                if value.is_empty() || is_other_name(value) || is_statement(value) {
                    return;
                }
                (DefinitionKind::Constant, true)
            }
            "preproc_function_def" => (DefinitionKind::Function, true),
            "alias_declaration" | "concept_definition" => {
                (DefinitionKind::Type, cx.outside_exported())
            }
            "type_definition" => (DefinitionKind::Type, cx.outside_exported()),
            _ => {
                let constant = has_child(node, |child| {
                    child.kind() == "type_qualifier"
                        && matches!(cx.text(child), "const" | "constexpr")
                });
                let declared_only = has_child(node, |child| {
                    child.kind() == "storage_class_specifier" && cx.text(child) == "extern"
                });
                if !constant || declared_only || cx.in_function() {
                    return;
                }
                let exported = !is_static(cx, node) && cx.outside_exported();
                (DefinitionKind::Constant, exported)
            }
        };
        if cx.in_function() {
            return;
        }
        let exported = exported && cx.scope().is_none_or(|scope| scope.open);
        if let Some(name) = node.child_by_field_name("name") {
            let documented = cx.documented(beginning(node, above));
            cx.mark_done(name);
            cx.define(kind, cx.text(name), node, exported, documented);
            return;
        }
        let tag = node.child_by_field_name("type");
        let tag_body = tag.filter(|tag| tag.child_by_field_name("body").is_some());
        let tag_name = tag_body
            .and_then(|tag| tag.child_by_field_name("name"))
            .map(|name| cx.text(name));
        let mut cursor = node.walk();
        let mut names: Vec<Node<'_>> = node
            .children_by_field_name("declarator", &mut cursor)
            .filter_map(declared)
            .filter(|found| kind == DefinitionKind::Type || found.parameters.is_none())
            .map(|found| found.name)
            .collect();
        let documented = cx.documented(range(node).0);
        for (place, name) in names.iter().enumerate() {
            // A type whose only name is this one is defined at the type itself.
            let told = kind == DefinitionKind::Type
                && tag_body.is_some()
                && tag_name.map_or(place == 0, |tag| tag == cx.text(*name));
            if !told && matches!(name.kind(), "identifier" | "type_identifier") {
                cx.define(kind, cx.text(*name), node, exported, documented);
            }
        }
        names.reverse();
        for name in names {
            cx.mark_done(name);
        }
    }

    fn special(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) -> bool {
        let open = cx.text(node).starts_with("public");
        // Before a base class the same words set the visibility of the inheritance.
        let labels = above
            .last()
            .is_some_and(|around| around.node.kind() == "field_declaration_list");
        if labels && let Some(scope) = cx.scopes.last_mut() {
            scope.open = open;
        }
        false
    }

    fn closure_parameters(&self, cx: &Context<'_>, node: Node<'_>) -> u32 {
        node.child_by_field_name("declarator")
            .and_then(|declarator| declarator.child_by_field_name("parameters"))
            .map_or(0, |list| parameter_count(cx, list))
    }

    fn catch(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let Some(parameters) = node.child_by_field_name("parameters") else {
            return;
        };
        let written = cx.text(parameters);
        let broad = written.contains("...")
            || written
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == "exception");
        let empty = node
            .child_by_field_name("body")
            .is_some_and(|body| body.named_child_count() == 0);
        cx.caught(node, broad, empty);
    }

    /// A macro used as syntax is an error to the grammar, but a small one: what counts is the size of the text that the
    /// grammar could not parse.
    fn tolerates(&self, errors: Errors, text: &str) -> bool {
        errors.bytes <= text.len() / 5
    }

    /// Neither language has a syntax for documentation: any comment right before a declaration documents it.
    fn is_doc(&self, comment: &str) -> bool {
        comment
            .chars()
            .filter(|c| c.is_alphanumeric())
            .take(3)
            .count()
            == 3
    }

    fn callee<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        if node.kind() == "call_expression" {
            return node.child(0);
        }
        node.child_by_field_name("type")
    }

    fn keywords(&self) -> &'static [&'static str] {
        KEYWORDS
    }

    fn use_of(
        &self,
        cx: &Context<'_>,
        node: Node<'_>,
        role: Role,
        above: &[Above<'_>],
    ) -> Option<ReferenceKind> {
        if role == Role::Chain {
            // Field access is expensive, and most chains are of members.
            if !self.cplusplus || node.kind() != "qualified_identifier" {
                return Some(ReferenceKind::Name);
            }
            let mut name = self.last_name(node);
            while let Some(inner) = name
                .filter(|name| cx.table.role(*name) == Role::Chain)
                .and_then(|name| self.last_name(name))
            {
                name = Some(inner);
            }
            let is_type = name.is_some_and(|name| cx.table.role(name) == Role::TypeName);
            return Some(if is_type {
                ReferenceKind::Type
            } else {
                ReferenceKind::Name
            });
        }
        let around = above.last();
        if role == Role::Name && around.is_some_and(|around| around.role == Role::Constant) {
            return None;
        }
        use_by_place(node, role, above)
    }
}
