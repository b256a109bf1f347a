//! Calls in Ruby: those with a special meaning (imports, visibility, tests), and the names of all others.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use rustc_hash::FxHasher;
use tree_sitter::{Language as Grammar, Node};

use super::super::super::references::ReferenceKind;
use super::super::syntax_tree::range;
use super::super::table::{Above, Context};
use super::{FIELDS, ImportStyle, Kind, OpenScope, Ruby, kind};

/// Methods of RSpec and Minitest that open a group of tests.
const GROUPS: &[&str] = &[
    "context",
    "describe",
    "fcontext",
    "fdescribe",
    "feature",
    "shared_context",
    "shared_examples",
    "shared_examples_for",
    "xcontext",
    "xdescribe",
];

/// Methods that define a test case.
const CASES: &[&str] = &[
    "example", "fit", "focus", "it", "its", "scenario", "should", "specify", "test", "xit",
];

/// Methods that restrict who may call a method.
const HIDES: &[&str] = &[
    "private",
    "private_class_method",
    "private_constant",
    "protected",
];

static SUPER: LazyLock<u16> = LazyLock::new(|| {
    let grammar: Grammar = tree_sitter_ruby::LANGUAGE.into();
    grammar.id_for_node_kind("super", true)
});

/// The meaning of a call without a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Import,
    Hide,
    Group,
    Case,
    Other,
}

impl Word {
    fn of(name: &str) -> Word {
        match name {
            "require" | "require_relative" | "load" | "autoload" => Word::Import,
            _ if HIDES.contains(&name) => Word::Hide,
            _ if GROUPS.contains(&name) => Word::Group,
            _ if CASES.contains(&name) => Word::Case,
            _ => Word::Other,
        }
    }
}

/// The hash under which a name is stored.
pub(super) fn name_hash(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The path of a chain of names in Ruby's syntax, where a name may end in `?` or `!`. `None` if the chain contains
/// anything else.
pub(super) fn path_of(written: &str) -> Option<Cow<'_, str>> {
    let written = written.strip_prefix("::").unwrap_or(written);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '$' | '?' | '!');
    if written.len() > 120
        || !written.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '$'))
    {
        return None;
    }
    if written.chars().all(|c| is_word(c) || c == '.') {
        return Some(Cow::Borrowed(written));
    }
    let mut path = String::with_capacity(written.len());
    for part in written.split_inclusive(['.', ':', '&']) {
        let (name, separated) = match part.strip_suffix(['.', ':', '&']) {
            Some(name) => (name.trim(), true),
            None => (part.trim(), false),
        };
        if !name.chars().all(is_word) {
            return None;
        }
        path.push_str(name);
        if separated && !name.is_empty() {
            path.push('.');
        }
    }
    Some(Cow::Owned(path))
}

/// Records a path that is written at `start`: `::Rails` names a constant of the top level.
pub(super) fn refer<'s>(cx: &mut Context<'s>, kind: ReferenceKind, path: Cow<'s, str>, start: u32) {
    let written = cx.builder.text.get(start as usize..).unwrap_or("");
    if written.starts_with("::") {
        cx.builder.reference_top(kind, path, start);
    } else {
        cx.builder.reference(kind, path, start);
    }
}

/// The method whose argument is a definition, as in `private def run`, and the start of the call.
pub(super) fn prefix_of<'s>(cx: &Context<'s>, above: &[Above<'_>]) -> Option<(&'s str, u32)> {
    let [.., call, list] = above else {
        return None;
    };
    if list.node.kind() != "argument_list" || kind(call.node) != Kind::Call {
        return None;
    }
    let word = cx.field_text(call.node, "method");
    (word == "public" || word == "module_function" || HIDES.contains(&word))
        .then(|| (word, range(call.node).0))
}

/// The text of a string without interpolation.
fn plain_string<'s>(cx: &Context<'s>, node: Node<'_>) -> Option<&'s str> {
    let content = node.named_child(0)?;
    (node.kind() == "string" && node.named_child_count() == 1 && content.kind() == "string_content")
        .then(|| cx.text(content))
}

impl Ruby {
    pub(super) fn call(&mut self, cx: &mut Context<'_>, node: Node<'_>, _above: &[Above<'_>]) {
        let Some(method) = node.child_by_field_id(FIELDS.method) else {
            return;
        };
        if method.kind_id() == *SUPER {
            return;
        }
        let alone = method.start_byte() == node.start_byte();
        self.call_reference(cx, node, method, alone);
        let name = cx.text(method);
        let word = if alone { Word::of(name) } else { Word::Group };
        if word == Word::Other || !alone && !GROUPS.contains(&name) {
            return;
        }
        let arguments = node.child_by_field_name("arguments");
        let block = node.child_by_field_name("block");
        let in_test = cx.builder.in_test();
        match word {
            Word::Import => {
                let place = u32::from(name == "autoload");
                if let Some(path) = arguments
                    .and_then(|list| list.named_child(place))
                    .and_then(|path| plain_string(cx, path))
                {
                    import(cx, name, path, range(node).0);
                }
            }
            Word::Hide => {
                if let Some(list) = arguments {
                    self.hide(cx, list);
                }
            }
            Word::Group => {
                let framework = matches!(cx.field_text(node, "receiver"), "RSpec" | "Minitest");
                if block.is_some() && (framework || alone && arguments.is_some()) {
                    cx.builder.test_open();
                    self.opens(node, OpenScope::Tests);
                }
            }
            Word::Case if block.is_some() && in_test => cx.builder.test_case(range(node).0),
            Word::Case | Word::Other => {}
        }
    }

    /// Records the called method, with the names before it.
    fn call_reference(
        &mut self,
        cx: &mut Context<'_>,
        node: Node<'_>,
        method: Node<'_>,
        alone: bool,
    ) {
        let (start, (at, end)) = (range(node).0, range(method));
        if end <= self.covered_to {
            return;
        }
        let path = path_of(cx.builder.slice(start, end));
        match path {
            Some(path) => {
                refer(cx, ReferenceKind::Call, path, start);
                self.covered_to = end;
            }
            None if !alone && kind(method) != Kind::Other => {
                let path = format!(".{}", cx.text(method));
                cx.builder
                    .reference(ReferenceKind::Call, Cow::Owned(path), at);
                self.recorded.push(at);
            }
            None => {}
        }
    }

    /// Handles `private :a, :b`: earlier definitions of this class are no longer exported.
    fn hide(&mut self, cx: &mut Context<'_>, list: Node<'_>) {
        let depth = cx.scopes.len();
        let mut cursor = list.walk();
        for symbol in list
            .named_children(&mut cursor)
            .filter(|one| kind(*one) == Kind::Symbol)
        {
            let (start, end) = range(symbol);
            let name = name_hash(cx.text(symbol).trim_start_matches(':'));
            for (_, _, definition) in self
                .members
                .iter()
                .filter(|member| member.0 == depth && member.1 == name)
            {
                cx.builder.hide(*definition);
            }
            // Setting its visibility is not a use of the method.
            if start >= self.covered_to {
                self.covered_to = end;
            }
        }
    }

    /// Records a definition, and stores it by its name.
    pub(super) fn member_add(
        &mut self,
        cx: &mut Context<'_>,
        name: &str,
        define: impl FnOnce(&mut Context<'_>) -> usize,
    ) {
        let depth = cx.scopes.len();
        let definition = define(cx);
        self.members.push((depth, name_hash(name), definition));
    }
}

fn import(cx: &mut Context<'_>, word: &str, path: &str, at: u32) {
    if word == "require_relative" && !path.starts_with('.') {
        let path = format!("./{path}");
        cx.builder.import(&path, at, ImportStyle::Require);
        return;
    }
    let style = match word {
        "autoload" => ImportStyle::Dynamic,
        _ => ImportStyle::Require,
    };
    cx.builder.import(path, at, style);
}
