//! PHP, parsed by tree-sitter.
//!
//! Text outside of `<?php ... ?>` is not code. A closure counts for the enclosing function, one level deeper for
//! cognitive complexity. A closure outside of functions is an unnamed function. Each arm of a `match` counts like a
//! case of a `switch`.
//!
//! Longer than 450 lines: the parser of one language is one file.

mod names;

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::LazyLock;

use tree_sitter::{Language as Grammar, Node};

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle};
use super::super::skip::Skip;
use super::modifiers::{self, Modifiers};
use super::syntax_tree::{children_count, kind_table, range};
use super::table::{self, Above, Container, Context, Function, Role, Shape, Table};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(tree_sitter_php::LANGUAGE_PHP.into(), role_of));
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let grammar: Grammar = tree_sitter_php::LANGUAGE_PHP.into();
    kind_table(&grammar, kind_of)
});

static FIELDS: LazyLock<Fields> = LazyLock::new(|| Fields {
    function: TABLE.field("function"),
    name: TABLE.field("name"),
    operator: TABLE.field("operator"),
});

/// The ids of the fields that are accessed most often.
struct Fields {
    function: u16,
    name: u16,
    operator: u16,
}

fn role_of(kind: &str, named: bool) -> Role {
    if !named {
        return match kind {
            "&&" | "and" => Role::And,
            "||" | "or" => Role::Or,
            "else" => Role::Else,
            _ => Role::Other,
        };
    }
    match kind {
        "comment" => Role::Comment,
        "variable_name"
        | "declare_directive"
        | "named_label_statement"
        | "namespace_name"
        | "string"
        | "string_content"
        | "escape_sequence"
        | "integer"
        | "float"
        | "boolean"
        | "null"
        | "visibility_modifier"
        | "static_modifier"
        | "final_modifier"
        | "abstract_modifier"
        | "readonly_modifier"
        | "primitive_type"
        | "relative_scope"
        | "php_tag"
        | "php_end_tag"
        | "nowdoc" => Role::Pass,
        "namespace_use_declaration" => Role::Import,
        "function_definition" | "method_declaration" => Role::Function,
        "class_declaration"
        | "interface_declaration"
        | "trait_declaration"
        | "enum_declaration"
        | "anonymous_class"
        | "namespace_definition" => Role::Container,
        "const_declaration" => Role::Constant,
        "if_statement" => Role::If,
        "else_clause" => Role::ElseClause,
        "else_if_clause" => Role::ElseIf,
        "for_statement" | "foreach_statement" | "while_statement" | "do_statement" => Role::Loop,
        "switch_statement" | "match_expression" => Role::Switch,
        "case_statement" | "match_conditional_expression" => Role::Case,
        "try_statement" => Role::Try,
        "catch_clause" => Role::Catch,
        "binary_expression" => Role::Binary,
        "parenthesized_expression" => Role::Paren,
        "goto_statement" | "break_statement" | "continue_statement" => Role::Jump,
        "anonymous_function" | "arrow_function" => Role::Lambda,
        "const_element" | "use_as_clause" => Role::BindsFirst,
        "base_clause"
        | "class_interface_clause"
        | "use_declaration"
        | "named_type"
        | "attribute" => Role::Types,
        _ if kind_of(kind, named) != Kind::Other => Role::Special,
        _ => Role::Other,
    }
}

/// The kinds of nodes that only this language has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Call,
    Conditional,
    Include,
    Member,
    MemberCall,
    Name,
    New,
    Page,
}

fn kind_of(kind: &str, named: bool) -> Kind {
    match kind {
        _ if !named => Kind::Other,
        "function_call_expression" => Kind::Call,
        "conditional_expression" => Kind::Conditional,
        "include_expression"
        | "include_once_expression"
        | "require_expression"
        | "require_once_expression" => Kind::Include,
        "member_access_expression"
        | "nullsafe_member_access_expression"
        | "class_constant_access_expression"
        | "scoped_property_access_expression" => Kind::Member,
        "member_call_expression" | "nullsafe_member_call_expression" | "scoped_call_expression" => {
            Kind::MemberCall
        }
        "name" | "qualified_name" | "relative_name" => Kind::Name,
        "object_creation_expression" => Kind::New,
        "text" => Kind::Page,
        _ => Kind::Other,
    }
}

fn kind(node: Node<'_>) -> Kind {
    KINDS
        .get(usize::from(node.kind_id()))
        .copied()
        .unwrap_or_default()
}

pub(super) fn analyze(text: &str) -> Result<FileFacts, Skip> {
    table::analyze(text, &TABLE, Php::default())
}

/// The scope to close on leaving a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenScope {
    Flow,
    Tests,
}

#[derive(Debug, Default)]
struct Php {
    /// The open scopes with the ids of their nodes, innermost last.
    opened: Vec<(usize, OpenScope)>,
    /// Names that end before this offset were recorded as part of an enclosing chain.
    covered_to: u32,
    /// The start of the next name that is called or constructed.
    callee: Option<u32>,
    /// The starts of names that were recorded before the walk reached them, the next one last.
    recorded: Vec<u32>,
    /// Whether the last doc comment says `@test`.
    says_test: Cell<bool>,
}

/// Methods whose names PHPUnit dictates.
const TEST_HOOKS: &[&str] = &[
    "setUp",
    "setUpBeforeClass",
    "tearDown",
    "tearDownAfterClass",
];

impl Php {
    fn opens(&mut self, node: Node<'_>, opened: OpenScope) {
        self.opened.push((node.id(), opened));
    }

    /// Handles function calls with a meaning: Pest's `it('does', function () { ... })`, and `define('NAME', 1)`.
    fn function_call(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let Some(callee) = node.child_by_field_id(FIELDS.function) else {
            return;
        };
        if kind(callee) == Kind::Name {
            self.callee = Some(range(callee).0);
        }
        let name = cx.text(callee);
        if !matches!(name, "define" | "describe" | "it" | "test") || cx.in_type() {
            return;
        }
        let Some(list) = node.child_by_field_name("arguments") else {
            return;
        };
        let argument = |place| list.named_child(place).and_then(|one| one.named_child(0));
        let (first, second) = (argument(0), argument(1));
        let Some(said) = first.filter(|one| matches!(one.kind(), "string" | "encapsed_string"))
        else {
            return;
        };
        if name == "define" {
            let written = cx.text(said).trim_matches(['\'', '"']);
            let documented = cx.documented(range(node).0);
            if !cx.in_function() {
                cx.define(DefinitionKind::Constant, written, node, true, documented);
            }
        } else if second
            .is_some_and(|one| matches!(one.kind(), "anonymous_function" | "arrow_function"))
        {
            if name != "describe" {
                cx.builder.test_case(range(node).0);
            }
            cx.builder.test_open();
            self.opens(node, OpenScope::Tests);
        }
    }

    fn include(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let written = cx.text(node);
        let Some(quote) = written.find(['\'', '"']) else {
            return;
        };
        let (before, path) = written.split_at(quote);
        let path = path.trim_end_matches([')', ' ']);
        let inner = path
            .get(1..path.len().saturating_sub(1))
            .filter(|inner| !inner.is_empty() && !inner.contains(['\'', '"', '$']));
        let Some(inner) = inner else { return };
        let rest = before
            .trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_')
            .trim_matches([' ', '(']);
        let at = range(node).0;
        match rest.trim_end_matches([' ', '.']) {
            "" => cx.builder.import(inner, at, ImportStyle::Require),
            "__DIR__" | "dirname(__FILE__)" => {
                let path = format!(".{inner}");
                cx.builder.import(&path, at, ImportStyle::Require);
            }
            _ => {}
        }
    }

    fn is_recorded(&mut self, start: u32, end: u32) -> bool {
        while self.recorded.last().is_some_and(|at| *at < start) {
            self.recorded.pop();
        }
        end <= self.covered_to || self.recorded.last() == Some(&start)
    }
}

/// Whether a declaration is accessible outside of its type.
fn is_exported(cx: &Context<'_>, modifiers: &Modifiers<'_>) -> bool {
    cx.outside_exported() && !modifiers.has_any(&["private", "protected"])
}

/// Whether a comment has exactly the tag `@test`, not a longer one that begins so.
fn has_test_tag(comment: &str) -> bool {
    comment
        .split("@test")
        .skip(1)
        .any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-')))
}

/// The last name of a path.
fn last_part(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

fn children_text<'s>(cx: &Context<'s>, node: Node<'_>, kind: &str) -> &'s str {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| child.kind() == kind)
        .map_or("", |child| cx.text(child))
}

impl Shape for Php {
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        _above: &[Above<'_>],
    ) -> Option<Function<'s>> {
        let name = cx.field_text(node, "name");
        let method = node.kind() == "method_declaration";
        let documented = cx.documented(range(node).0);
        let modifiers = Modifiers::of(&cx.builder, node);
        let test = method
            && cx.builder.in_test()
            && (name.starts_with("test")
                || modifiers.is_annotated(&["Test"])
                || documented && self.says_test.get());
        let hook = method && cx.builder.in_test() && TEST_HOOKS.contains(&name);
        Some(Function {
            name: Cow::Borrowed(name),
            kind: if method {
                DefinitionKind::Method
            } else {
                DefinitionKind::Function
            },
            parent: None,
            exported: !cx.in_function() && is_exported(cx, &modifiers),
            documented,
            test,
            dictated: method && name.starts_with("__")
                || hook
                || modifiers.is_annotated(&["Override"]),
            asynchronous: false,
            inherited: modifiers.has("protected"),
            parameters: node.child_by_field_name("parameters").map_or(0, |list| {
                children_count(list, |one| one.kind() != "comment")
            }),
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
            "class_declaration" => Some(DefinitionKind::Class),
            "interface_declaration" => Some(DefinitionKind::Interface),
            "trait_declaration" => Some(DefinitionKind::Trait),
            "enum_declaration" => Some(DefinitionKind::Enum),
            // `namespace A;` applies to the rest of the file and contains nothing.
            "namespace_definition" => {
                node.child_by_field_name("body")?;
                Some(DefinitionKind::Module)
            }
            _ => None,
        };
        let name = cx.field_text(node, "name");
        let base = children_text(cx, node, "base_clause");
        let test = kind == Some(DefinitionKind::Class)
            && (base.ends_with("TestCase") || name.ends_with("Test") && !base.is_empty());
        Some(Container {
            name: Cow::Borrowed(name),
            kind,
            exported: kind.is_some() && cx.outside_exported(),
            documented: cx.documented(range(node).0),
            test,
            dictated: false,
            open: true,
        })
    }

    fn import(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let at = range(node).0;
        let prefix = children_text(cx, node, "namespace_name");
        let list = node.child_by_field_name("body").unwrap_or(node);
        let mut cursor = list.walk();
        for clause in list
            .named_children(&mut cursor)
            .filter(|child| child.kind() == "namespace_use_clause")
        {
            // The local name follows the path.
            let path = cx
                .text(clause)
                .split_whitespace()
                .find(|word| !matches!(*word, "function" | "const"))
                .unwrap_or("")
                .trim_start_matches('\\');
            if prefix.is_empty() {
                cx.builder.import(path, at, ImportStyle::Names);
            } else {
                let path = format!("{}\\{path}", prefix.trim_start_matches('\\'));
                cx.builder.import(&path, at, ImportStyle::Names);
            }
        }
    }

    fn constant(&mut self, cx: &mut Context<'_>, node: Node<'_>, _above: &[Above<'_>]) {
        let exported = is_exported(cx, &Modifiers::of(&cx.builder, node));
        let documented = cx.documented(range(node).0);
        let mut cursor = node.walk();
        for element in node
            .named_children(&mut cursor)
            .filter(|child| child.kind() == "const_element")
        {
            let name = element.named_child(0).map_or("", |name| cx.text(name));
            cx.define(DefinitionKind::Constant, name, node, exported, documented);
        }
    }

    fn closure_parameters(&self, _cx: &Context<'_>, node: Node<'_>) -> u32 {
        node.child_by_field_name("parameters").map_or(0, |list| {
            children_count(list, |one| one.kind() != "comment")
        })
    }

    fn special(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) -> bool {
        match kind(node) {
            Kind::Other => {}
            Kind::Call => self.function_call(cx, node),
            // `a ?: b` is shorthand, as `a ?? b` is.
            Kind::Conditional if node.child_by_field_name("body").is_some() => {
                cx.builder.branch(1);
                cx.builder.flow();
                cx.builder.flow_nest();
                self.opens(node, OpenScope::Flow);
            }
            Kind::Conditional => {}
            Kind::Include => self.include(cx, node),
            Kind::Member | Kind::MemberCall => self.member(cx, node, above),
            Kind::Name => return self.name(cx, node, above),
            Kind::New => {
                if let Some(made) = node.named_child(0).filter(|one| kind(*one) == Kind::Name) {
                    self.callee = Some(range(made).0);
                }
            }
            Kind::Page => {
                let (start, end) = range(node);
                cx.builder.not_code(start, end);
                return false;
            }
        }
        true
    }

    fn special_end(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let Some(&(opener, opened)) = self.opened.last() else {
            return;
        };
        if opener != node.id() {
            return;
        }
        self.opened.pop();
        match opened {
            OpenScope::Flow => cx.builder.flow_unnest(),
            OpenScope::Tests => cx.builder.test_close(),
        }
    }

    fn catch(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let broad = cx
            .field_text(node, "type")
            .split('|')
            .any(|one| matches!(last_part(one.trim()), "Exception" | "Throwable"));
        let empty = node
            .child_by_field_name("body")
            .is_some_and(|body| body.named_child_count() == 0);
        cx.caught(node, broad, empty);
    }

    /// `break 2` is a jump like `goto`.
    fn jumps(&self, _cx: &Context<'_>, node: Node<'_>) -> bool {
        node.named_child_count() > 0
    }

    fn start_of(&self, node: Node<'_>, _above: &[Above<'_>]) -> u32 {
        modifiers::start_of(node)
    }

    fn is_doc(&self, comment: &str) -> bool {
        let doc = comment.starts_with("/**") && comment.len() > 4;
        if doc {
            self.says_test.set(has_test_tag(comment));
        }
        doc
    }
}
