//! Java, parsed by tree-sitter.

use std::borrow::Cow;
use std::sync::LazyLock;

use tree_sitter::{Language as Grammar, Node};

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::references::{ReferenceKind, path_of};
use super::super::skip::Skip;
use super::Builder;
use super::builder::NewDefinition;
use super::mentions::{FIRST, MentionSpec, MentionTable, UNNAMED};
use super::modifiers::{self, JUNIT_TESTS, Modifiers};
use super::syntax_tree::{self as tree, NodeVisitor, children_count, field_text, range, text};

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| tree_sitter_java::LANGUAGE.into());
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| tree::kind_table(&GRAMMAR, kind_of));
static MENTIONS: LazyLock<MentionTable> = LazyLock::new(|| MentionTable::new(&GRAMMAR, &NAMES));

const NAMES: MentionSpec = MentionSpec {
    names: &["identifier"],
    types: &["type_identifier"],
    anchors: &["this", "super"],
    chains: &[
        ("field_access", "object"),
        ("method_reference", FIRST),
        ("scoped_identifier", "scope"),
    ],
    type_chains: &[("scoped_type_identifier", FIRST)],
    call_chains: &[("method_invocation", "object", "name")],
    calls: &[("object_creation_expression", "type")],
    wrappers: &["generic_type"],
    bindings: &[
        ("annotation_type_declaration", "name"),
        ("annotation_type_element_declaration", "name"),
        ("break_statement", UNNAMED),
        ("catch_formal_parameter", "name"),
        ("class_declaration", "name"),
        ("compact_constructor_declaration", "name"),
        ("constructor_declaration", "name"),
        ("continue_statement", UNNAMED),
        ("element_value_pair", "key"),
        ("enhanced_for_statement", "name"),
        ("enum_constant", "name"),
        ("enum_declaration", "name"),
        ("exports_module_directive", "package"),
        ("formal_parameter", "name"),
        ("inferred_parameters", UNNAMED),
        ("instanceof_expression", "name"),
        ("interface_declaration", "name"),
        ("labeled_statement", UNNAMED),
        ("lambda_expression", "parameters"),
        ("method_declaration", "name"),
        ("module_declaration", "name"),
        ("opens_module_directive", "package"),
        ("package_declaration", UNNAMED),
        ("record_declaration", "name"),
        ("requires_module_directive", "module"),
        ("resource", "name"),
        ("type_parameter", UNNAMED),
        ("variable_declarator", "name"),
    ],
    // A variable is never called.
    variables: &[],
    patterns: &[
        ("record_pattern_component", UNNAMED),
        ("type_pattern", UNNAMED),
    ],
    lists: &[],
    type_places: &[],
    tokens: &[],
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Comment,
    Import,
    Class,
    Interface,
    Enum,
    Method,
    Field,
    AnonymousBody,
    If,
    Loop,
    Switch,
    Case,
    Try,
    Catch,
    Else,
    Jump,
    Lambda,
    Operation,
    Logical,
    Ternary,
}

fn kind_of(kind: &str, named: bool) -> Kind {
    if !named {
        return match kind {
            "&&" | "||" => Kind::Logical,
            "case" => Kind::Case,
            "else" => Kind::Else,
            _ => Kind::Other,
        };
    }
    match kind {
        "line_comment" | "block_comment" => Kind::Comment,
        "import_declaration" => Kind::Import,
        "class_declaration" | "record_declaration" => Kind::Class,
        "interface_declaration" | "annotation_type_declaration" => Kind::Interface,
        "enum_declaration" => Kind::Enum,
        "method_declaration"
        | "constructor_declaration"
        | "compact_constructor_declaration"
        | "annotation_type_element_declaration" => Kind::Method,
        "field_declaration" | "constant_declaration" => Kind::Field,
        "object_creation_expression" => Kind::AnonymousBody,
        "if_statement" => Kind::If,
        "for_statement" | "enhanced_for_statement" | "while_statement" | "do_statement" => {
            Kind::Loop
        }
        "switch_expression" | "switch_statement" => Kind::Switch,
        "try_statement" | "try_with_resources_statement" => Kind::Try,
        "catch_clause" => Kind::Catch,
        "ternary_expression" => Kind::Ternary,
        "break_statement" | "continue_statement" => Kind::Jump,
        "lambda_expression" => Kind::Lambda,
        "binary_expression" | "parenthesized_expression" => Kind::Operation,
        _ => Kind::Other,
    }
}

pub(super) fn analyze(text: &str) -> Result<FileFacts, Skip> {
    let parsed = tree::parse(&GRAMMAR, text)?;
    let mut walk = Walk {
        builder: Builder::new(text),
        types: Vec::new(),
        doc_end: None,
    };
    tree::errors_check(&parsed, &mut walk.builder)?;
    tree::walk_mentions(&parsed, &KINDS, &MENTIONS, &mut walk);
    Ok(walk.builder.finish())
}

struct Walk<'s> {
    builder: Builder<'s>,
    /// The open types, innermost last.
    types: Vec<OpenType>,
    /// The end of the last Javadoc comment, including the comments after it.
    doc_end: Option<u32>,
}

impl<'s> AsMut<Builder<'s>> for Walk<'s> {
    fn as_mut(&mut self) -> &mut Builder<'s> {
        &mut self.builder
    }
}

#[derive(Clone, Copy)]
struct OpenType {
    exported: bool,
    interface: bool,
}

impl Walk<'_> {
    fn comment(&mut self, start: u32, end: u32) {
        self.builder.comment(start, end);
        let goes_on = self
            .doc_end
            .is_some_and(|before| self.builder.is_blank(before, start));
        let is_doc = self.builder.slice(start, end).starts_with("/**");
        self.doc_end = (is_doc || goes_on).then_some(end);
    }

    /// Whether a Javadoc comment is right before the declaration, apart from other comments in between.
    fn is_documented(&self, node: Node<'_>) -> bool {
        self.doc_end
            .is_some_and(|end| self.builder.is_blank(end, range(node).0))
    }

    /// Whether a member is accessible from outside: it and its enclosing types are public.
    fn is_exported(&self, modifiers: &Modifiers<'_>) -> bool {
        let (outer, implied) = self
            .types
            .last()
            .map_or((true, false), |outer| (outer.exported, outer.interface));
        outer && (modifiers.has("public") || (implied && !modifiers.has("private")))
    }

    fn type_open(&mut self, node: Node<'_>, kind: DefinitionKind) {
        let name = field_text(&self.builder, node, "name");
        let modifiers = Modifiers::of(&self.builder, node);
        let exported = self.is_exported(&modifiers);
        let (start, end) = (modifiers::start_of(node), range(node).1);
        let documented = self.is_documented(node);
        let definition = self.builder.define(NewDefinition {
            kind,
            name,
            start,
            end,
            exported,
            documented,
            test: false,
            dictated: false,
        });
        self.builder.decorate(definition, modifiers.annotations());
        self.builder.container_open(Some(name.to_owned()));
        self.types.push(OpenType {
            exported,
            interface: kind == DefinitionKind::Interface,
        });
    }

    fn type_close(&mut self) {
        self.types.pop();
        self.builder.container_close();
    }

    fn method(&mut self, node: Node<'_>) {
        let name = field_text(&self.builder, node, "name");
        let modifiers = Modifiers::of(&self.builder, node);
        let exported = self.is_exported(&modifiers);
        let is_test = modifiers.is_annotated(JUNIT_TESTS);
        let (start, end) = (modifiers::start_of(node), range(node).1);
        if is_test {
            self.builder.test_case(start);
        }
        let documented = self.is_documented(node);
        let definition = self.builder.define(NewDefinition {
            kind: DefinitionKind::Method,
            name,
            start,
            end,
            exported,
            documented,
            test: is_test,
            dictated: node.kind().contains("constructor") || modifiers.is_annotated(&["Override"]),
        });
        if modifiers.has("protected") {
            self.builder.inherited(definition);
        }
        self.builder.decorate(definition, modifiers.annotations());
        if node.child_by_field_name("body").is_some() {
            let parameters = node.child_by_field_name("parameters").map_or(0, |list| {
                children_count(list, |child| {
                    matches!(child.kind(), "formal_parameter" | "spread_parameter")
                })
            });
            self.builder
                .function_open(Some(definition), parameters, start, end);
            self.builder.container_open(None);
        }
    }

    fn field(&mut self, node: Node<'_>) {
        let modifiers = Modifiers::of(&self.builder, node);
        let constant = node.kind() == "constant_declaration"
            || (modifiers.has("static") && modifiers.has("final"));
        if !constant {
            return;
        }
        let exported = self.is_exported(&modifiers);
        let documented = self.is_documented(node);
        let (start, end) = (modifiers::start_of(node), range(node).1);
        let mut cursor = node.walk();
        // A field that a static block sets is no constant: what it holds is found out when the class is loaded.
        let declarators = node.children_by_field_name("declarator", &mut cursor);
        for declarator in declarators.filter(|one| one.child_by_field_name("value").is_some()) {
            let name = field_text(&self.builder, declarator, "name");
            let dictated = name == "serialVersionUID";
            let kind = DefinitionKind::Constant;
            let definition = self.builder.define(NewDefinition {
                kind,
                name,
                start,
                end,
                exported,
                documented,
                test: false,
                dictated,
            });
            self.builder.decorate(definition, modifiers.annotations());
        }
    }

    fn catch(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let parameter = node
            .named_children(&mut cursor)
            .find(|child| child.kind() == "catch_formal_parameter");
        let caught = parameter.and_then(|parameter| {
            let mut cursor = parameter.walk();
            parameter
                .named_children(&mut cursor)
                .find(|child| child.kind() == "catch_type")
        });
        let caught = caught.map_or("", |caught| text(&self.builder, caught));
        let broad = caught.split('|').any(|one| {
            matches!(
                one.trim().rsplit('.').next(),
                Some("Exception" | "Throwable")
            )
        });
        self.builder.sign(
            if broad {
                Sign::CatchBroad
            } else {
                Sign::CatchSpecific
            },
            range(node).0,
        );
        let empty = node
            .child_by_field_name("body")
            .is_some_and(|body| body.named_child_count() == 0);
        self.builder.sign(
            if empty {
                Sign::CatchEmpty
            } else {
                Sign::CatchHandled
            },
            range(node).0,
        );
    }
}

/// Whether `new X() { ... }` has a body, so that it defines a class.
fn has_body(node: Node<'_>) -> bool {
    let last = u32::try_from(node.named_child_count())
        .ok()
        .and_then(|count| node.named_child(count.checked_sub(1)?));
    last.is_some_and(|last| last.kind() == "class_body")
}

impl NodeVisitor for Walk<'_> {
    type Kind = Kind;

    fn enter(&mut self, kind: Kind, node: Node<'_>, parent: Option<Node<'_>>) -> bool {
        let (start, end) = range(node);
        match kind {
            Kind::Comment => self.comment(start, end),
            Kind::Import => {
                let path = text(&self.builder, node)
                    .trim_start_matches("import")
                    .trim_end_matches(';')
                    .trim();
                let path = path.strip_prefix("static ").map_or(path, str::trim);
                match path.strip_suffix(".*") {
                    Some(package) => self.builder.import(package, start, ImportStyle::Wildcard),
                    None => {
                        self.builder.import(path, start, ImportStyle::Names);
                        if let Some(path) = path_of(path) {
                            self.builder.reference(
                                ReferenceKind::Name,
                                Cow::Owned(path.into_owned()),
                                start,
                            );
                        }
                    }
                }
                return false;
            }
            Kind::Class => self.type_open(node, DefinitionKind::Class),
            Kind::Interface => self.type_open(node, DefinitionKind::Interface),
            Kind::Enum => self.type_open(node, DefinitionKind::Enum),
            Kind::Method => self.method(node),
            Kind::Field => self.field(node),
            Kind::AnonymousBody if has_body(node) => {
                self.builder.container_open(None);
                self.types.push(OpenType {
                    exported: false,
                    interface: false,
                });
            }
            Kind::AnonymousBody | Kind::Other => {}
            Kind::If => {
                self.builder.branch(1);
                if !tree::is_alternative(node, parent) {
                    self.builder.flow();
                    self.builder.nest();
                }
            }
            Kind::Loop => {
                self.builder.branch(1);
                self.builder.flow();
                self.builder.nest();
            }
            Kind::Switch => {
                self.builder.flow();
                self.builder.nest();
            }
            Kind::Try => self.builder.depth_nest(),
            Kind::Case => self.builder.branch(1),
            Kind::Ternary => {
                self.builder.branch(1);
                self.builder.flow();
                self.builder.flow_nest();
            }
            Kind::Else => self.builder.flow_flat(),
            // A jump to a label.
            Kind::Jump if node.named_child_count() > 0 => self.builder.flow_flat(),
            Kind::Lambda => self.builder.flow_nest(),
            Kind::Jump | Kind::Operation => {}
            Kind::Logical => {
                self.builder.branch(1);
                if let Some(operator) = tree::logical_operator(node.kind()) {
                    self.builder.logical(operator, start);
                }
            }
            Kind::Catch => {
                self.builder.branch(1);
                self.builder.flow();
                self.builder.flow_nest();
                self.catch(node);
            }
        }
        true
    }

    fn leave(&mut self, kind: Kind, node: Node<'_>, parent: Option<Node<'_>>) {
        match kind {
            Kind::Class | Kind::Interface | Kind::Enum => self.type_close(),
            Kind::Method if node.child_by_field_name("body").is_some() => {
                self.builder.container_close();
                self.builder.function_close();
            }
            Kind::AnonymousBody if has_body(node) => self.type_close(),
            Kind::If if !tree::is_alternative(node, parent) => self.builder.unnest(),
            Kind::Loop | Kind::Switch => self.builder.unnest(),
            Kind::Try => self.builder.depth_unnest(),
            Kind::Catch | Kind::Lambda | Kind::Ternary => self.builder.flow_unnest(),
            Kind::Operation => tree::logical_leave(&mut self.builder, node, parent),
            _ => {}
        }
    }
}
