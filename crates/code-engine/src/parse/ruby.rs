//! Ruby, parsed by tree-sitter.
//!
//! Code in a block counts for the enclosing method, one level deeper for cognitive complexity. In Ruby a call without
//! arguments looks like a variable: a bare name is a call unless it was assigned earlier in the same method.
//!
//! Longer than 450 lines: the parser of one language is one file.

mod calls;

use std::borrow::Cow;
use std::sync::LazyLock;

use rustc_hash::FxHashSet;
use tree_sitter::{Language as Grammar, Node};

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle};
use super::super::references::ReferenceKind;
use super::super::skip::Skip;
use super::syntax_tree::{children_count, kind_table, range};
use super::table::{self, Above, Container, Context, Function, Role, Scope, Shape, Table};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(tree_sitter_ruby::LANGUAGE.into(), role_of));
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let grammar: Grammar = tree_sitter_ruby::LANGUAGE.into();
    kind_table(&grammar, kind_of)
});

static FIELDS: LazyLock<Fields> = LazyLock::new(|| Fields {
    body: TABLE.field("body"),
    method: TABLE.field("method"),
    name: TABLE.field("name"),
});

/// The ids of the fields that are accessed most often.
struct Fields {
    body: u16,
    method: u16,
    name: u16,
}

fn role_of(kind: &str, named: bool) -> Role {
    if !named {
        return match kind {
            "&&" | "and" => Role::And,
            "||" | "or" => Role::Or,
            // Shorthand operators count as conditions, as in lizard.
            "&&=" | "||=" => Role::Condition,
            _ => Role::Other,
        };
    }
    match kind {
        "comment" => Role::Comment,
        "setter" | "hash_key_symbol" | "string_content" | "heredoc_beginning"
        | "heredoc_content" | "heredoc_end" | "escape_sequence" | "integer" | "float" | "nil"
        | "true" | "false" | "self" | "super" | "instance_variable" | "global_variable"
        | "class_variable" | "operator" | "forward_argument" | "forward_parameter"
        | "character" => Role::Pass,
        "class" | "module" => Role::Container,
        "method" | "singleton_method" => Role::Function,
        "if" | "if_modifier" => Role::If,
        "elsif" => Role::ElseIf,
        "while" | "until" | "for" | "while_modifier" | "until_modifier" => Role::Loop,
        "case" | "case_match" => Role::Switch,
        "when" | "in_clause" => Role::Case,
        // Lizard counts `ensure`, which runs on two paths.
        "if_guard" | "unless_guard" | "ensure" => Role::Condition,
        "conditional" | "rescue_modifier" => Role::Ternary,
        "binary" => Role::Binary,
        "parenthesized_statements" => Role::Paren,
        "exceptions" | "superclass" => Role::Types,
        "array_pattern"
        | "as_pattern"
        | "block_parameter"
        | "block_parameters"
        | "destructured_left_assignment"
        | "destructured_parameter"
        | "exception_variable"
        | "find_pattern"
        | "hash_pattern"
        | "hash_splat_parameter"
        | "keyword_pattern"
        | "lambda_parameters"
        | "left_assignment_list"
        | "method_parameters"
        | "rest_assignment"
        | "splat_parameter" => Role::Binds,
        "keyword_parameter" | "operator_assignment" | "optional_parameter" => Role::BindsFirst,
        _ if kind_of(kind, named) != Kind::Other => Role::Special,
        _ => Role::Other,
    }
}

/// The kinds of nodes that only this language has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Assignment,
    Begin,
    Block,
    Call,
    Constant,
    Data,
    Else,
    Identifier,
    Path,
    Rescue,
    SingletonClass,
    Symbol,
    Unless,
}

fn kind_of(kind: &str, named: bool) -> Kind {
    match kind {
        _ if !named => Kind::Other,
        "assignment" => Kind::Assignment,
        "begin" => Kind::Begin,
        "block" | "do_block" => Kind::Block,
        "call" => Kind::Call,
        "constant" => Kind::Constant,
        "uninterpreted" => Kind::Data,
        "else" => Kind::Else,
        "identifier" => Kind::Identifier,
        "scope_resolution" => Kind::Path,
        "rescue" => Kind::Rescue,
        "singleton_class" => Kind::SingletonClass,
        "simple_symbol" => Kind::Symbol,
        "unless" | "unless_modifier" => Kind::Unless,
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
    table::analyze(text, &TABLE, Ruby::default())
}

/// The scope to close on leaving a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenScope {
    Depth,
    Flow,
    Level,
    Rescue { deeper: bool },
    Scope,
    Tests,
    Type,
}

#[derive(Debug, Default)]
struct Ruby {
    /// The open scopes with the ids of their nodes, innermost last.
    opened: Vec<(usize, OpenScope)>,
    /// The variables of the method, by the hash of their names, and the end of the method.
    variables: FxHashSet<u64>,
    variables_end: u32,
    /// Names that end before this offset were recorded as part of an enclosing chain.
    covered_to: u32,
    /// The starts of names that were recorded before the walk reached them, the next one last.
    recorded: Vec<u32>,
    /// The definitions in open classes and modules, by the hash of their names, for `private :name`.
    members: Vec<(usize, u64, usize)>,
}

/// Methods whose names are dictated by Ruby, its library or its test frameworks.
const DICTATED: &[&str] = &[
    "call",
    "coerce",
    "const_missing",
    "each",
    "eql?",
    "equal?",
    "extended",
    "hash",
    "included",
    "inherited",
    "initialize",
    "initialize_copy",
    "inspect",
    "marshal_dump",
    "marshal_load",
    "method_added",
    "method_missing",
    "prepended",
    "respond_to_missing?",
    "setup",
    "teardown",
    "to_a",
    "to_ary",
    "to_h",
    "to_hash",
    "to_proc",
    "to_s",
    "to_str",
    "to_sym",
];

impl Ruby {
    fn opens(&mut self, node: Node<'_>, opened: OpenScope) {
        self.opened.push((node.id(), opened));
    }

    /// Removes the definitions of classes and modules that are no longer open.
    fn members_forget(&mut self, cx: &Context<'_>) {
        while self
            .members
            .last()
            .is_some_and(|(depth, ..)| *depth > cx.scopes.len())
        {
            self.members.pop();
        }
    }

    /// Handles a name that stands alone: a binding, a variable, a visibility or a call.
    fn identifier(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) {
        let (start, end) = range(node);
        let Some(around) = above.last() else { return };
        if self.is_recorded(start, end) {
            return;
        }
        let name = cx.text(node);
        let first = || around.node.start_byte() == node.start_byte();
        let bound = match around.role {
            Role::Binds | Role::Case => true,
            Role::BindsFirst => first(),
            Role::Loop => around.node.kind() == "for",
            Role::Special => kind(around.node) == Kind::Assignment && first(),
            Role::Function => {
                if around.node.child_by_field_id(FIELDS.body) != Some(node) {
                    return;
                }
                false
            }
            _ => false,
        };
        self.variables_check(start);
        if bound {
            self.variables.insert(calls::name_hash(name));
        } else if !self.variables.contains(&calls::name_hash(name)) {
            let open = match name {
                "private" | "protected" => Some(false),
                "public" | "module_function" => Some(true),
                _ => None,
            };
            if let Some(open) = open
                && !cx.in_function()
            {
                if let Some(scope) = cx.scopes.last_mut() {
                    scope.open = open;
                }
                return;
            }
            cx.builder.reference(
                ReferenceKind::Call,
                Cow::Borrowed(cx.builder.slice(start, end)),
                start,
            );
        }
    }

    /// Removes the variables of a method that ended.
    fn variables_check(&mut self, at: u32) {
        if at >= self.variables_end && self.variables_end > 0 {
            self.variables.clear();
            self.variables_end = 0;
        }
    }

    /// A constant, or a path of constants.
    fn constant_name(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) -> bool {
        let (start, end) = range(node);
        let Some(around) = above.last() else {
            return false;
        };
        if self.is_recorded(start, end) {
            return false;
        }
        let named = match around.role {
            Role::Container => around.node.child_by_field_id(FIELDS.name) == Some(node),
            Role::Function => around.node.child_by_field_id(FIELDS.body) != Some(node),
            Role::Special => {
                kind(around.node) == Kind::Assignment
                    && around.node.start_byte() == node.start_byte()
            }
            _ => false,
        };
        if named {
            return false;
        }
        let kind = if around.role == Role::Types {
            ReferenceKind::Type
        } else {
            ReferenceKind::Name
        };
        match calls::path_of(cx.builder.slice(start, end)) {
            Some(path) => {
                calls::refer(cx, kind, path, start);
                self.covered_to = end;
                false
            }
            None => {
                if let Some(last) = node.child_by_field_name("name") {
                    let at = range(last).0;
                    let path = format!(".{}", cx.text(last));
                    cx.builder.reference(kind, Cow::Owned(path), at);
                    self.recorded.push(at);
                }
                true
            }
        }
    }

    fn is_recorded(&mut self, start: u32, end: u32) -> bool {
        while self.recorded.last().is_some_and(|at| *at < start) {
            self.recorded.pop();
        }
        end <= self.covered_to || self.recorded.last() == Some(&start)
    }

    /// Handles an assignment to a constant. It defines a class if the value creates one.
    fn assignment(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let Some(left) = node.child_by_field_name("left") else {
            return;
        };
        if !matches!(kind(left), Kind::Constant | Kind::Path) || cx.in_function() {
            return;
        }
        let name = last_part(cx.text(left));
        let right = node.child_by_field_name("right");
        let made = right
            .filter(|right| kind(*right) == Kind::Call)
            .and_then(|call| {
                let receiver = cx.field_text(call, "receiver").trim_start_matches("::");
                match (receiver, cx.field_text(call, "method")) {
                    ("Struct", "new") | ("Data", "define") => Some(DefinitionKind::Struct),
                    ("Class", "new") => Some(DefinitionKind::Class),
                    ("Module", "new") => Some(DefinitionKind::Module),
                    _ => None,
                }
            });
        let (exported, documented) = (cx.outside_exported(), cx.documented(range(node).0));
        self.member_add(cx, name, |cx| {
            cx.define(
                made.unwrap_or(DefinitionKind::Constant),
                name,
                node,
                exported,
                documented,
            )
        });
        if made.is_some() {
            self.members_forget(cx);
        }
        if made.is_some() {
            cx.builder.container_open(Some(name.to_owned()));
            cx.scopes.push(Scope {
                kind: made,
                function: false,
                exported,
                open: true,
            });
            self.opens(node, OpenScope::Type);
        }
    }

    fn rescue(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) {
        cx.builder.branch(1);
        cx.builder.flow();
        cx.builder.flow_nest();
        let deeper = above
            .last()
            .is_none_or(|around| kind(around.node) != Kind::Begin);
        if deeper {
            cx.builder.depth_nest();
        }
        self.opens(node, OpenScope::Rescue { deeper });
        let caught = cx.field_text(node, "exceptions");
        let broad = caught.is_empty()
            || caught
                .split(',')
                .any(|one| matches!(last_part(one.trim()), "Exception" | "StandardError"));
        let empty = node
            .child_by_field_name("body")
            .is_none_or(|body| body.named_child_count() == 0);
        cx.caught(node, broad, empty);
    }
}

/// The last name of a path of constants.
fn last_part(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

impl Shape for Ruby {
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> Option<Function<'s>> {
        let (start, end) = range(node);
        self.variables.clear();
        self.variables_end = end;
        let name = cx.field_text(node, "name");
        let object = cx.field_text(node, "object");
        let single = !object.is_empty();
        let scope = cx.scope().filter(|scope| !scope.function);
        let prefix = calls::prefix_of(cx, above);
        let open = match prefix {
            Some((word, _)) => !matches!(word, "private" | "protected" | "private_class_method"),
            None => single || scope.is_none_or(|scope| scope.open),
        };
        let first = prefix.map_or(start, |(_, at)| at);
        let method = single || scope.is_some();
        let test = method && cx.builder.in_test() && name.starts_with("test_");
        let operator = !name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        Some(Function {
            name: Cow::Borrowed(name),
            kind: if method {
                DefinitionKind::Method
            } else {
                DefinitionKind::Function
            },
            parent: (single && object != "self").then(|| Cow::Borrowed(last_part(object))),
            exported: open && cx.outside_exported(),
            documented: cx.documented(first),
            test,
            dictated: operator || DICTATED.contains(&name),
            asynchronous: false,
            inherited: false,
            parameters: node.child_by_field_name("parameters").map_or(0, |list| {
                children_count(list, |one| one.kind() != "comment")
            }),
            body: true,
        })
    }

    fn defined(&mut self, cx: &Context<'_>, node: Node<'_>, definition: usize) {
        let name = cx.field_text(node, "name");
        self.members
            .push((cx.scopes.len(), calls::name_hash(name), definition));
    }

    fn container<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        _above: &[Above<'_>],
    ) -> Option<Container<'s>> {
        self.members_forget(cx);
        let class = node.kind() == "class";
        let base = cx.field_text(node, "superclass");
        let test = class && (base.ends_with("Test") || base.ends_with("TestCase"));
        Some(Container {
            name: Cow::Borrowed(last_part(cx.field_text(node, "name"))),
            kind: Some(if class {
                DefinitionKind::Class
            } else {
                DefinitionKind::Module
            }),
            exported: cx.outside_exported(),
            documented: cx.documented(range(node).0),
            test,
            dictated: false,
            open: true,
        })
    }

    /// Imports are calls here, see [`calls`].
    fn import(&mut self, _cx: &mut Context<'_>, _node: Node<'_>) {}

    fn special(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) -> bool {
        match kind(node) {
            Kind::Other => {}
            Kind::Assignment => self.assignment(cx, node),
            Kind::Begin => {
                let mut cursor = node.walk();
                let handles = node
                    .named_children(&mut cursor)
                    .any(|child| matches!(child.kind(), "rescue" | "ensure"));
                if handles {
                    cx.builder.depth_nest();
                    self.opens(node, OpenScope::Depth);
                }
            }
            Kind::Block => {
                cx.builder.flow_nest();
                self.opens(node, OpenScope::Flow);
            }
            Kind::Call => self.call(cx, node, above),
            Kind::Constant | Kind::Path => return self.constant_name(cx, node, above),
            Kind::Data => {
                let (start, end) = range(node);
                cx.builder.not_code(start, end);
                return false;
            }
            Kind::Else => {
                let conditional = above.last().is_some_and(|around| {
                    matches!(around.role, Role::If | Role::ElseIf)
                        || kind(around.node) == Kind::Unless
                });
                if conditional {
                    cx.builder.flow_flat();
                }
            }
            Kind::Identifier => {
                self.identifier(cx, node, above);
                return false;
            }
            Kind::Rescue => self.rescue(cx, node, above),
            Kind::SingletonClass => {
                self.members_forget(cx);
                let exported = cx.outside_exported();
                cx.scopes.push(Scope {
                    kind: Some(DefinitionKind::Class),
                    function: false,
                    exported,
                    open: true,
                });
                self.opens(node, OpenScope::Scope);
            }
            Kind::Symbol => {
                let (start, end) = range(node);
                if !self.is_recorded(start, end) {
                    let name = Cow::Borrowed(cx.builder.slice(start + 1, end));
                    cx.builder.reference(ReferenceKind::Name, name, start);
                }
                return false;
            }
            Kind::Unless => {
                cx.builder.branch(1);
                cx.builder.flow();
                cx.builder.nest();
                self.opens(node, OpenScope::Level);
            }
        }
        true
    }

    fn special_end(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        while let Some(&(opener, opened)) = self.opened.last()
            && opener == node.id()
        {
            self.opened.pop();
            match opened {
                OpenScope::Depth => cx.builder.depth_unnest(),
                OpenScope::Flow => cx.builder.flow_unnest(),
                OpenScope::Level => cx.builder.unnest(),
                OpenScope::Rescue { deeper } => {
                    cx.builder.flow_unnest();
                    if deeper {
                        cx.builder.depth_unnest();
                    }
                }
                OpenScope::Scope => {
                    cx.scopes.pop();
                }
                OpenScope::Tests => cx.builder.test_close(),
                OpenScope::Type => {
                    cx.scopes.pop();
                    cx.builder.container_close();
                }
            }
        }
    }

    /// Comments for tools are not documentation.
    fn is_doc(&self, comment: &str) -> bool {
        let words = comment.trim_start_matches('#').trim_start();
        !comment.starts_with("#!")
            && !words.is_empty()
            && ![
                "frozen_string_literal:",
                "encoding:",
                "-*-",
                "rubocop:",
                "typed:",
                "warn_indent:",
                ":nodoc:",
            ]
            .iter()
            .any(|mark| words.starts_with(mark))
    }

    fn else_may_continue(&self) -> bool {
        false
    }
}
