//! Shell scripts, parsed by the tree-sitter grammar of Bash. The grammar also reads POSIX shell and most of Zsh; a
//! script with other syntax does not parse. Fish is a language of its own and has no parser here.
//!
//! Lizard has no parser for shells. Complexity counts what lizard counts in other languages: each condition, loop, `&&`
//! and `||`, and each case except `*)`. The parameter count is 0, because parameters are not declared.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use rustc_hash::{FxHashSet, FxHasher};
use tree_sitter::{Language as Grammar, Node};

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle};
use super::super::references::ReferenceKind;
use super::super::skip::Skip;
use super::syntax_tree::{kind_table, range};
use super::table::{self, Above, Container, Context, Function, Role, Shape, Table};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(tree_sitter_bash::LANGUAGE.into(), role_of));
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let grammar: Grammar = tree_sitter_bash::LANGUAGE.into();
    kind_table(&grammar, kind_of)
});

static NAME: LazyLock<u16> = LazyLock::new(|| TABLE.field("name"));

fn role_of(kind: &str, named: bool) -> Role {
    if !named {
        return match kind {
            "&&" => Role::And,
            "||" => Role::Or,
            "else" => Role::Else,
            _ => Role::Other,
        };
    }
    match kind {
        "comment" => Role::Comment,
        "function_definition" => Role::Function,
        "if_statement" => Role::If,
        "elif_clause" => Role::ElseIf,
        "else_clause" => Role::ElseClause,
        "for_statement" | "c_style_for_statement" | "while_statement" => Role::Loop,
        "case_statement" => Role::Switch,
        "case_item" => Role::Case,
        "ternary_expression" => Role::Ternary,
        "list" | "binary_expression" => Role::Binary,
        "parenthesized_expression" => Role::Paren,
        "variable_assignment" => Role::BindsFirst,
        "ansi_c_string"
        | "extglob_pattern"
        | "file_descriptor"
        | "heredoc_content"
        | "heredoc_end"
        | "heredoc_start"
        | "number"
        | "raw_string"
        | "regex"
        | "special_variable_name"
        | "string_content"
        | "test_operator" => Role::Pass,
        _ if kind_of(kind, named) != Kind::Other => Role::Special,
        _ => Role::Other,
    }
}

/// The kinds of nodes that only this language has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Command,
    Declaration,
    Variable,
    Word,
}

fn kind_of(kind: &str, named: bool) -> Kind {
    match kind {
        _ if !named => Kind::Other,
        "command" => Kind::Command,
        "declaration_command" => Kind::Declaration,
        "variable_name" => Kind::Variable,
        "word" => Kind::Word,
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
    table::analyze(text, &TABLE, Bash::default())
}

#[derive(Debug, Default)]
struct Bash {
    /// Whether a Bats test is open. The grammar reads its braces as a word and a command.
    in_case: bool,
    /// The file's constants, by the hash of their names.
    constants: FxHashSet<u64>,
}

/// Builtin commands of the shell, which no script defines, sorted.
const BUILTINS: &[&str] = &[
    ".",
    ":",
    "[",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "cd",
    "command",
    "compgen",
    "complete",
    "continue",
    "dirs",
    "disown",
    "echo",
    "enable",
    "eval",
    "exec",
    "exit",
    "false",
    "fc",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "jobs",
    "kill",
    "let",
    "logout",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "times",
    "trap",
    "true",
    "type",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
    "}",
];

/// Commands whose arguments name other commands. A command with a `_` in its name is treated so too: somebody wrote it,
/// and it may call its arguments.
const CALLERS: &[&str] = &[
    "builtin", "command", "complete", "env", "eval", "exec", "nohup", "run", "sudo", "time",
    "timeout", "trap", "type", "xargs",
];

/// Functions whose names Bats or the shell chose.
const DICTATED: &[&str] = &[
    "command_not_found_handle",
    "setup",
    "setup_file",
    "setup_suite",
    "teardown",
    "teardown_file",
    "teardown_suite",
];

fn name_hash(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    hasher.finish()
}

/// Whether a word could be the name of a function: no path, no option, no number.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.'))
}

/// Records the called command. Returns whether its arguments may name other commands.
fn called(cx: &mut Context<'_>, named: Node<'_>) -> bool {
    let (start, end) = range(named);
    let name = cx.builder.slice(start, end);
    if is_name(name) && BUILTINS.binary_search(&name).is_err() {
        cx.builder
            .reference(ReferenceKind::Call, Cow::Borrowed(name), start);
    }
    name.contains('_') || CALLERS.contains(&name)
}

/// Records the arguments of a command that could be names of other commands.
fn names_given<'t>(cx: &mut Context<'_>, arguments: impl Iterator<Item = Node<'t>>) {
    for argument in arguments {
        let (start, end) = range(argument);
        let word = cx.builder.slice(start, end);
        if argument.kind() == "word" && is_name(word) {
            cx.builder
                .reference(ReferenceKind::Name, Cow::Borrowed(word), start);
        }
    }
}

impl Bash {
    fn command(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let Some(named) = node.child_by_field_id(*NAME) else {
            return;
        };
        let name = cx.text(named);
        let at = range(named).0;
        match name {
            "source" | "." => {
                if let Some(file) = node.child_by_field_name("argument") {
                    let path = cx.text(file).trim_matches(['"', '\'']);
                    cx.builder.import(path, range(node).0, ImportStyle::Module);
                }
                return;
            }
            "@test" => {
                if !self.in_case {
                    cx.builder.test_open();
                    self.in_case = true;
                }
                cx.builder.test_case(at);
                // The grammar reads the code on the line of the opening brace as more arguments.
                let mut cursor = node.walk();
                let words: Vec<Node<'_>> = node
                    .children_by_field_name("argument", &mut cursor)
                    .skip_while(|word| cx.text(*word) != "{")
                    .collect();
                if let [_, named, arguments @ ..] = words.as_slice()
                    && called(cx, *named)
                {
                    names_given(cx, arguments.iter().copied());
                }
                return;
            }
            "}" if self.in_case => {
                cx.builder.test_close();
                self.in_case = false;
                return;
            }
            // A jump out of more than one loop.
            "break" | "continue" if node.named_child_count() > 1 => cx.builder.flow_flat(),
            _ => {}
        }
        if called(cx, named) {
            let mut cursor = node.walk();
            names_given(cx, node.children_by_field_name("argument", &mut cursor));
        }
    }

    /// `readonly A=1`, `declare -r A=1`.
    fn declaration(&mut self, cx: &mut Context<'_>, node: Node<'_>) {
        let mut cursor = node.walk();
        let readonly = node.children(&mut cursor).any(|child| match child.kind() {
            "readonly" => true,
            "word" => {
                let option = cx.text(child);
                option.starts_with('-') && option.contains('r')
            }
            _ => false,
        });
        if !readonly || cx.in_function() {
            return;
        }
        let documented = cx.documented(range(node).0);
        let mut cursor = node.walk();
        for assigned in node.named_children(&mut cursor) {
            let name = match assigned.kind() {
                "variable_assignment" => cx.field_text(assigned, "name"),
                "variable_name" => cx.text(assigned),
                _ => continue,
            };
            let exported = !name.starts_with('_');
            self.constants.insert(name_hash(name));
            cx.define(DefinitionKind::Constant, name, node, exported, documented);
        }
    }

    /// Records a read variable. A name in capitals, or one that the file declares as a constant, is shared; all others
    /// are variables of a function.
    fn variable(&self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) {
        let (start, end) = range(node);
        let name = cx.builder.slice(start, end);
        let bound = above.last().is_some_and(|around| match around.role {
            Role::BindsFirst => around.node.start_byte() == node.start_byte(),
            Role::Loop => true,
            Role::Special => kind(around.node) == Kind::Declaration,
            _ => false,
        });
        let shared = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && !name.contains(|c: char| c.is_ascii_lowercase());
        if !bound && name.len() > 1 && (shared || self.constants.contains(&name_hash(name))) {
            cx.builder
                .reference(ReferenceKind::Name, Cow::Borrowed(name), start);
        }
    }
}

impl Shape for Bash {
    fn function<'s>(
        &mut self,
        cx: &mut Context<'s>,
        node: Node<'_>,
        _above: &[Above<'_>],
    ) -> Option<Function<'s>> {
        let name = cx.field_text(node, "name");
        Some(Function {
            name: Cow::Borrowed(name),
            kind: DefinitionKind::Function,
            parent: None,
            exported: !name.starts_with('_'),
            documented: cx.documented(range(node).0),
            test: false,
            dictated: DICTATED.contains(&name),
            asynchronous: false,
            inherited: false,
            parameters: 0,
            body: true,
        })
    }

    /// A shell has no types.
    fn container<'s>(
        &mut self,
        _cx: &mut Context<'s>,
        _node: Node<'_>,
        _above: &[Above<'_>],
    ) -> Option<Container<'s>> {
        None
    }

    /// Imports are commands here, see `Bash::command`.
    fn import(&mut self, _cx: &mut Context<'_>, _node: Node<'_>) {}

    fn special(&mut self, cx: &mut Context<'_>, node: Node<'_>, above: &[Above<'_>]) -> bool {
        match kind(node) {
            Kind::Other => {}
            Kind::Command => self.command(cx, node),
            Kind::Declaration => self.declaration(cx, node),
            Kind::Variable => {
                self.variable(cx, node, above);
                return false;
            }
            // In the condition of `for ((...))`, words are variables, as in other arithmetic.
            Kind::Word => {
                if let [.., outer, around] = above
                    && outer.role == Role::Loop
                    && around.role == Role::Binary
                {
                    self.variable(cx, node, above);
                }
                return false;
            }
        }
        true
    }

    fn case_counts(&self, cx: &Context<'_>, node: Node<'_>) -> bool {
        cx.field_text(node, "value") != "*"
    }

    /// Comments for tools are not documentation.
    fn is_doc(&self, comment: &str) -> bool {
        let words = comment.trim_start_matches('#').trim_start();
        !comment.starts_with("#!")
            && words.contains(|c: char| c.is_alphanumeric())
            && !words.starts_with("shellcheck ")
    }

    fn else_may_continue(&self) -> bool {
        false
    }
}
