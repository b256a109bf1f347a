//! Go, parsed by tree-sitter.

use std::sync::LazyLock;

use tree_sitter::{Language as Grammar, Node};

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::skip::Skip;
use super::Builder;
use super::builder::NewDefinition;
use super::mentions::{MentionSpec, MentionTable, UNNAMED};
use super::syntax_tree::{self as tree, NodeVisitor, field_text, range, text};

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| tree_sitter_go::LANGUAGE.into());
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| tree::kind_table(&GRAMMAR, kind_of));
static MENTIONS: LazyLock<MentionTable> = LazyLock::new(|| MentionTable::new(&GRAMMAR, &NAMES));

const NAMES: MentionSpec = MentionSpec {
    names: &["identifier", "package_identifier"],
    types: &["type_identifier"],
    anchors: &[],
    chains: &[("selector_expression", "operand")],
    type_chains: &[("qualified_type", "package")],
    call_chains: &[],
    calls: &[
        ("call_expression", "function"),
        ("composite_literal", "type"),
    ],
    wrappers: &["generic_type"],
    bindings: &[
        ("const_spec", "name"),
        ("function_declaration", "name"),
        ("import_spec", "name"),
        ("package_clause", UNNAMED),
        ("parameter_declaration", "name"),
        ("range_clause", "left"),
        ("receive_statement", "left"),
        ("short_var_declaration", "left"),
        ("type_alias", "name"),
        ("type_parameter_declaration", "name"),
        ("type_spec", "name"),
        ("type_switch_statement", "alias"),
        ("var_spec", "name"),
        ("variadic_parameter_declaration", "name"),
    ],
    variables: &[
        ("parameter_declaration", "name"),
        ("range_clause", "left"),
        ("receive_statement", "left"),
        ("short_var_declaration", "left"),
        ("type_switch_statement", "alias"),
        ("var_spec", "name"),
        ("variadic_parameter_declaration", "name"),
    ],
    patterns: &[],
    lists: &["expression_list"],
    type_places: &[],
    tokens: &[],
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Comment,
    Package,
    Import,
    Function,
    Method,
    Closure,
    Type,
    Constant,
    If,
    For,
    Switch,
    Case,
    Else,
    Jump,
    Operation,
    Logical,
    Return,
}

fn kind_of(kind: &str, named: bool) -> Kind {
    if !named {
        return match kind {
            "&&" | "||" => Kind::Logical,
            "else" => Kind::Else,
            _ => Kind::Other,
        };
    }
    match kind {
        "comment" => Kind::Comment,
        "package_clause" => Kind::Package,
        "import_spec" => Kind::Import,
        "function_declaration" => Kind::Function,
        "method_declaration" => Kind::Method,
        "func_literal" => Kind::Closure,
        "type_spec" | "type_alias" => Kind::Type,
        "const_spec" => Kind::Constant,
        "if_statement" => Kind::If,
        "for_statement" => Kind::For,
        "expression_switch_statement" | "type_switch_statement" | "select_statement" => {
            Kind::Switch
        }
        "expression_case" | "type_case" | "communication_case" => Kind::Case,
        "return_statement" => Kind::Return,
        "goto_statement" | "break_statement" | "continue_statement" => Kind::Jump,
        "binary_expression" | "parenthesized_expression" => Kind::Operation,
        _ => Kind::Other,
    }
}

pub(super) fn analyze(text: &str) -> Result<FileFacts, Skip> {
    let parsed = tree::parse(&GRAMMAR, text)?;
    let mut walk = Walk {
        builder: Builder::new(text),
        doc: None,
    };
    tree::errors_check(&parsed, &mut walk.builder)?;
    tree::walk_mentions(&parsed, &KINDS, &MENTIONS, &mut walk);
    Ok(walk.builder.finish())
}

struct Walk<'s> {
    builder: Builder<'s>,
    /// The comments on the lines directly before this point.
    doc: Option<Doc>,
}

/// Comments on consecutive lines.
#[derive(Debug, Clone, Copy)]
struct Doc {
    /// The start of the first comment that is not a directive.
    first: Option<u32>,
    /// The end of the last comment, and its row.
    end: u32,
    row: usize,
}

impl<'s> AsMut<Builder<'s>> for Walk<'s> {
    fn as_mut(&mut self) -> &mut Builder<'s> {
        &mut self.builder
    }
}

fn is_exported(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

impl Walk<'_> {
    /// Records a comment. With comments on the lines right before it, it may document the declaration on the next line.
    fn comment(&mut self, node: Node<'_>) {
        let (start, end) = range(node);
        self.builder.comment(start, end);
        let (first_row, last_row) = (node.start_position().row, node.end_position().row);
        let line_start = start as usize - node.start_position().column;
        let is_trailing = !self
            .builder
            .is_blank(u32::try_from(line_start).unwrap_or(start), start);
        if is_trailing {
            self.doc = None;
            return;
        }
        let written = self.builder.slice(start, end);
        let is_directive = written.starts_with("//go:") || written.starts_with("//nolint");
        let before = self
            .doc
            .filter(|doc| doc.row + 1 == first_row)
            .and_then(|doc| doc.first);
        self.doc = Some(Doc {
            first: before.or((!is_directive).then_some(start)),
            end,
            row: last_row,
        });
    }

    /// Whether a comment ends on the line before the declaration; records how the comment begins.
    fn documented(&mut self, declaration: Node<'_>, name: &str, exported: bool) -> bool {
        let (start, row) = (range(declaration).0, declaration.start_position().row);
        let first = self
            .doc
            .filter(|doc| doc.row + 1 == row && self.builder.is_blank(doc.end, start))
            .and_then(|doc| doc.first);
        let Some(comment) = first else { return false };
        if exported {
            let words = self
                .builder
                .slice(comment, start)
                .trim_start_matches(['/', '*'])
                .trim_start();
            let words = ["A ", "An ", "The "]
                .iter()
                .find_map(|article| words.strip_prefix(article))
                .unwrap_or(words);
            let says_name = words
                .strip_prefix(name)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
            let sign = if says_name {
                Sign::DocStartsWithName
            } else {
                Sign::DocStartsOtherwise
            };
            self.builder.sign(sign, comment);
        }
        true
    }

    fn function(&mut self, node: Node<'_>, method: bool) {
        let name = field_text(&self.builder, node, "name");
        let receiver = method.then(|| receiver_type(field_text(&self.builder, node, "receiver")));
        let (start, end) = range(node);
        let parameters = node
            .child_by_field_name("parameters")
            .map_or(0, parameter_count);
        let is_test = !method
            && ["Test", "Benchmark", "Fuzz", "Example"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
            && (name.starts_with("Example")
                || field_text(&self.builder, node, "parameters").contains("*testing."));
        if is_test && !name.starts_with("Benchmark") {
            self.builder.test_case(start);
        }
        let exported = is_exported(name) && receiver.as_deref().is_none_or(is_exported);
        let documented = self.documented(node, name, exported && !is_test);
        self.builder.container_open(receiver);
        let definition = self.builder.define(NewDefinition {
            kind: if method {
                DefinitionKind::Method
            } else {
                DefinitionKind::Function
            },
            name,
            start,
            end,
            exported,
            documented,
            test: is_test,
            dictated: !method && matches!(name, "main" | "init"),
        });
        self.builder.container_close();
        let definition = node
            .child_by_field_name("body")
            .is_some()
            .then_some(definition);
        if definition.is_some() {
            self.builder
                .function_open(definition, parameters, start, end);
        }
    }

    /// Records how `return ..., err` returns the error.
    fn returned(&mut self, node: Node<'_>) {
        let Some(list) = node.named_child(0) else {
            return;
        };
        let Some(last) = u32::try_from(list.named_child_count())
            .ok()
            .and_then(|n| list.named_child(n.checked_sub(1)?))
        else {
            return;
        };
        let sign = match last.kind() {
            "identifier" if text(&self.builder, last) == "err" => Sign::ErrorReturned,
            "call_expression" => {
                let called = field_text(&self.builder, last, "function");
                let arguments = field_text(&self.builder, last, "arguments");
                let names_err = arguments
                    .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
                    .any(|word| word == "err" || word == "err.Error");
                match called {
                    "fmt.Errorf" if arguments.contains("%w") => Sign::ErrorWrapped,
                    "fmt.Errorf" if names_err => Sign::ErrorFormatted,
                    "errors.Wrap"
                    | "errors.Wrapf"
                    | "errors.WithMessage"
                    | "errors.WithMessagef"
                    | "errors.WithStack"
                    | "errors.Join"
                        if names_err =>
                    {
                        Sign::ErrorWrapped
                    }
                    _ => return,
                }
            }
            _ => return,
        };
        self.builder.sign(sign, range(node).0);
    }
}

/// The type of a receiver: `List` of `(l *List[T])`.
fn receiver_type(receiver: &str) -> String {
    let inner = receiver.trim_matches(['(', ')']);
    let inner = inner.split('[').next().unwrap_or(inner);
    inner
        .rsplit([' ', '*'])
        .find(|part| !part.is_empty())
        .unwrap_or("")
        .trim()
        .to_owned()
}

/// Counts parameters by name: `a, b int` are two.
fn parameter_count(list: Node<'_>) -> u32 {
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .filter(|child| {
            matches!(
                child.kind(),
                "parameter_declaration" | "variadic_parameter_declaration"
            )
        })
        .map(|child| {
            let mut names = child.walk();
            let count = child.children_by_field_name("name", &mut names).count();
            u32::try_from(count.max(1)).unwrap_or(1)
        })
        .sum()
}

impl NodeVisitor for Walk<'_> {
    type Kind = Kind;

    fn enter(&mut self, kind: Kind, node: Node<'_>, parent: Option<Node<'_>>) -> bool {
        let (start, end) = range(node);
        match kind {
            Kind::Comment => self.comment(node),
            Kind::Package => {
                let name = node
                    .named_child(0)
                    .map_or("", |name| text(&self.builder, name));
                let sign = if name.ends_with("_test") {
                    Sign::TestPackageOutside
                } else {
                    Sign::TestPackageInside
                };
                self.builder.sign(sign, start);
            }
            Kind::Import => {
                let module = field_text(&self.builder, node, "path").trim_matches(['"', '`']);
                let style = if field_text(&self.builder, node, "name") == "." {
                    ImportStyle::Wildcard
                } else {
                    ImportStyle::Module
                };
                self.builder.import(module, start, style);
                let name = field_text(&self.builder, node, "name");
                if !matches!(name, "" | "." | "_") {
                    self.builder.import_alias(name);
                }
            }
            Kind::Function => self.function(node, false),
            Kind::Method => self.function(node, true),
            Kind::Closure => {
                let parameters = node
                    .child_by_field_name("parameters")
                    .map_or(0, parameter_count);
                self.builder.function_open(None, parameters, start, end);
            }
            Kind::Type => {
                let name = field_text(&self.builder, node, "name");
                let shape = match node.child_by_field_name("type").map(|shape| shape.kind()) {
                    Some("struct_type") => DefinitionKind::Struct,
                    Some("interface_type") => DefinitionKind::Interface,
                    _ => DefinitionKind::Type,
                };
                let exported = is_exported(name) && !self.builder.in_function();
                let outer = parent.filter(|outer| outer.named_child_count() == 1);
                let documented = self.documented(outer.unwrap_or(node), name, exported);
                self.builder.define(NewDefinition {
                    kind: shape,
                    name,
                    start,
                    end,
                    exported,
                    documented,
                    test: false,
                    dictated: false,
                });
            }
            Kind::Constant if !self.builder.in_function() => {
                let name = field_text(&self.builder, node, "name");
                let kind = DefinitionKind::Constant;
                let exported = is_exported(name);
                self.builder.define(NewDefinition {
                    kind,
                    name,
                    start,
                    end,
                    exported,
                    documented: false,
                    test: false,
                    dictated: false,
                });
            }
            Kind::Constant | Kind::Other => {}
            Kind::If => {
                self.builder.branch(1);
                if !tree::is_alternative(node, parent) {
                    self.builder.flow();
                    self.builder.nest();
                }
            }
            Kind::For => {
                self.builder.branch(1);
                self.builder.flow();
                self.builder.nest();
            }
            Kind::Switch => {
                self.builder.flow();
                self.builder.nest();
            }
            Kind::Case => self.builder.branch(1),
            Kind::Else => self.builder.flow_flat(),
            // A jump to a label.
            Kind::Jump if node.named_child_count() > 0 => self.builder.flow_flat(),
            Kind::Jump | Kind::Operation => {}
            Kind::Logical => {
                self.builder.branch(1);
                if let Some(operator) = tree::logical_operator(node.kind()) {
                    self.builder.logical(operator, start);
                }
            }
            Kind::Return => self.returned(node),
        }
        true
    }

    fn leave(&mut self, kind: Kind, node: Node<'_>, parent: Option<Node<'_>>) {
        match kind {
            Kind::Function | Kind::Method if node.child_by_field_name("body").is_some() => {
                self.builder.function_close()
            }
            Kind::Closure => self.builder.function_close(),
            Kind::For | Kind::Switch => self.builder.unnest(),
            Kind::Operation => tree::logical_leave(&mut self.builder, node, parent),
            Kind::If if !tree::is_alternative(node, parent) => self.builder.unnest(),
            _ => {}
        }
    }
}
