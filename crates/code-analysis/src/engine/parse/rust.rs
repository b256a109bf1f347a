//! Rust, read by tree-sitter. What stands in the arguments of a macro is tokens, not syntax: conditions are counted
//! there as lizard does, definitions are not looked for.

use std::sync::LazyLock;

use tree_sitter::{Language as Grammar, Node};

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::skip::Skip;
use super::Builder;
use super::builder::Found;
use super::syntax_tree::{self as tree, NodeVisitor, children_count, field_text, range, text};

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| tree_sitter_rust::LANGUAGE.into());
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| tree::kind_table(&GRAMMAR, kind_of));

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Comment,
    Use,
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
        "use_declaration" => Kind::Use,
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
        macro_depth: 0,
        test_ends: Vec::new(),
    };
    tree::errors_check(&parsed, &mut walk.builder)?;
    tree::walk(&parsed, &KINDS, &mut walk);
    Ok(walk.builder.finish())
}

struct Walk<'s> {
    builder: Builder<'s>,
    scopes: Vec<Scope>,
    /// How many macro token trees are open.
    macro_depth: u32,
    /// Where the open test items end.
    test_ends: Vec<u32>,
}

/// A trait, an `impl` or a module that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Trait { exported: bool },
    Impl { of_trait: bool },
    Module,
    Function,
}

/// What the attributes and comments before an item say.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    documented: bool,
    /// `#[test]` and its like.
    is_test: bool,
    /// `#[cfg(test)]`.
    only_in_tests: bool,
}

impl Walk<'_> {
    fn before(&self, item: Node<'_>) -> Before {
        let mut found = Before::default();
        let mut before = item.prev_sibling();
        while let Some(node) = before {
            match node.kind() {
                "line_comment" => {
                    let comment = text(&self.builder, node);
                    found.documented |= comment.starts_with("///") && !comment.starts_with("////");
                }
                "block_comment" => {
                    let comment = text(&self.builder, node);
                    found.documented |= comment.starts_with("/**")
                        && !comment.starts_with("/***")
                        && comment.len() > 4;
                }
                "attribute_item" => {
                    let attribute = text(&self.builder, node)
                        .trim_start_matches(['#', '['])
                        .trim();
                    let path: String = attribute
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
                        .collect();
                    found.documented |= path == "doc" && !attribute.contains("hidden");
                    found.is_test |= matches!(
                        path.rsplit("::").next(),
                        Some("test" | "rstest" | "test_case" | "quickcheck")
                    );
                    found.only_in_tests |= path == "cfg" && cfg_needs_test(attribute);
                }
                _ => break,
            }
            before = node.prev_sibling();
        }
        found
    }

    /// A module may be documented from inside, by `//!`.
    fn documented_inside(&self, body: Option<Node<'_>>) -> bool {
        let Some(body) = body else { return false };
        let mut cursor = body.walk();
        let first = body.named_children(&mut cursor).next();
        first.is_some_and(|node| {
            let comment = text(&self.builder, node);
            node.kind().ends_with("_comment")
                && (comment.starts_with("//!") || comment.starts_with("/*!"))
        })
    }

    /// Whether the item's visibility is `pub` without a restriction.
    fn is_pub(&self, item: Node<'_>) -> bool {
        let mut cursor = item.walk();
        item.named_children(&mut cursor)
            .find(|child| child.kind() == "visibility_modifier")
            .is_some_and(|visibility| text(&self.builder, visibility).trim() == "pub")
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
        self.builder.define(Found {
            kind,
            name,
            start,
            end,
            exported,
            documented,
            test,
            dictated,
        })
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

    fn imports(&mut self, item: Node<'_>) {
        let Some(argument) = item.child_by_field_name("argument") else {
            return;
        };
        let written = text(&self.builder, argument);
        let compact: String = written.split_whitespace().collect::<Vec<_>>().join(" ");
        let exported = self.is_pub(item);
        let path = compact.split('{').next().unwrap_or(&compact);
        let path = path
            .split(" as ")
            .next()
            .unwrap_or(path)
            .trim_end_matches("::");
        let wildcard = compact.ends_with("::*");
        let style = match (exported, wildcard) {
            (true, _) => ImportStyle::ReExport,
            (false, true) => ImportStyle::Wildcard,
            (false, false) => ImportStyle::Names,
        };
        let path = path.strip_suffix("::*").unwrap_or(path);
        if let Some(inside) = compact
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'))
        {
            // `use {a::b, c::d}`: each is an import of its own.
            for part in use_parts(inside) {
                let path = part.split("::{").next().unwrap_or(part);
                self.builder.import(path, range(item).0, style);
                use_names(&part[path.len()..], "", &mut self.builder);
            }
            return;
        }
        self.builder.import(path, range(item).0, style);
        let group = compact.find('{').map_or("", |at| &compact[at..]);
        use_names(group, "", &mut self.builder);
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

/// The longest path before a group within a group, in bytes.
const USE_PATH_CAP: usize = 200;

/// The parts of the inside of a `use` group, each as it is written.
fn use_parts(inside: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    inside
        .split(move |c| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Tells the builder the paths in a group (`{a, b::{c as d}}`: `a` and `b::c`). Groups below a path that is longer than
/// anybody writes are left out: what a nest of them stands for has no bound.
fn use_names(group: &str, before: &str, builder: &mut Builder<'_>) {
    let group = group.trim_start_matches("::").trim();
    let Some(inside) = group.strip_prefix('{').and_then(|it| it.strip_suffix('}')) else {
        return;
    };
    for part in use_parts(inside) {
        match part.find('{') {
            Some(at) if before.len() + at < USE_PATH_CAP => {
                let deeper = format!("{before}{}", &part[..at]);
                use_names(&part[at..], &deeper, builder);
            }
            Some(_) => {}
            None => {
                let path = part.split(" as ").next().unwrap_or(part);
                builder.import_name(&format!("{before}{path}"));
            }
        }
    }
}

/// Whether a `cfg` holds in tests alone: `test` asked for, not negated and not one choice of several.
fn cfg_needs_test(attribute: &str) -> bool {
    let condition: String = attribute.chars().filter(|c| !c.is_whitespace()).collect();
    let Some(condition) = condition.strip_prefix("cfg(") else {
        return false;
    };
    condition.starts_with("test)")
        || (condition.starts_with("all(")
            && !condition.contains("any(")
            && !condition.contains("not(test")
            && condition.split(['(', ',', ')']).any(|word| word == "test"))
}

/// Whether a module of that name holds tests, and not what tests need.
fn is_name_of_tests(name: &str) -> bool {
    matches!(name, "test" | "tests")
        || name.ends_with("_test")
        || name.ends_with("_tests")
        || name.starts_with("test_")
}

fn is_else_if(parent: Option<Node<'_>>) -> bool {
    parent.is_some_and(|parent| parent.kind() == "else_clause")
}

/// The arms of a match.
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
            Kind::Comment => self.builder.comment(start, end),
            Kind::Use => {
                self.imports(node);
                return false;
            }
            Kind::Function => {
                let before = self.before(node);
                self.test_open(node, before);
                self.function(node, before);
                self.scopes.push(Scope::Function);
            }
            Kind::Signature => {
                let before = self.before(node);
                self.function(node, before);
                return false;
            }
            Kind::Struct | Kind::Enum | Kind::Type => {
                let before = self.before(node);
                // The associated type of a trait's implementation is named by the trait.
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
                let before = self.before(node);
                let dictated = matches!(self.scopes.last(), Some(Scope::Impl { of_trait: true }))
                    || field_text(&self.builder, node, "name") == "_";
                let exported = self.is_pub(node) && !self.builder.in_function();
                if !self.builder.in_function() {
                    self.define(node, DefinitionKind::Constant, exported, dictated, before);
                }
            }
            Kind::Trait => {
                let before = self.before(node);
                let exported = self.is_pub(node);
                self.define(node, DefinitionKind::Trait, exported, false, before);
                self.builder
                    .container_open(Some(field_text(&self.builder, node, "name").to_owned()));
                self.scopes.push(Scope::Trait { exported });
            }
            Kind::Module => {
                let mut before = self.before(node);
                let body = node.child_by_field_name("body");
                before.documented |= self.documented_inside(body);
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
                let before = self.before(node);
                self.test_open(node, before);
                self.impl_open(node);
            }
            Kind::If => {
                self.builder.branch(1);
                if !is_else_if(parent) {
                    self.builder.nest();
                }
            }
            // The pattern of an arm, with a condition behind its `if`.
            Kind::Guard => self
                .builder
                .branch(usize::from(node.child_by_field_name("condition").is_some())),
            Kind::Loop => {
                self.builder.branch(1);
                self.builder.nest();
            }
            Kind::PlainLoop => self.builder.nest(),
            Kind::Match => {
                self.builder
                    .branch(arm_count(node).saturating_sub(1) as usize);
                self.builder.nest();
            }
            Kind::LetElse => {
                self.builder.branch(usize::from(
                    node.child_by_field_name("alternative").is_some(),
                ));
            }
            // `||` before the body of a closure without parameters is no operator.
            Kind::Logical => {
                let operator = self.macro_depth > 0
                    || parent.is_some_and(|parent| {
                        matches!(parent.kind(), "binary_expression" | "let_chain")
                    });
                self.builder.branch(usize::from(operator));
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
            Kind::MacroWord => self.builder.branch(usize::from(self.macro_depth > 0)),
            Kind::MacroTokens => self.macro_depth += 1,
            Kind::Other => {}
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
                self.scopes.pop();
                self.builder.container_close();
                self.test_close(node);
            }
            Kind::If if !is_else_if(parent) => self.builder.unnest(),
            Kind::Loop | Kind::PlainLoop | Kind::Match => self.builder.unnest(),
            Kind::MacroTokens => self.macro_depth = self.macro_depth.saturating_sub(1),
            _ => {}
        }
    }
}
