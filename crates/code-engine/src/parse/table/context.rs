//! The context of the walk: the enclosing scopes, the preceding comment, and the recorded names.

use std::borrow::Cow;

use tree_sitter::Node;

use super::super::super::facts::{DefinitionKind, FileFacts, Sign};
use super::super::super::references::{ReferenceKind, path_of};
use super::super::Builder;
use super::super::builder::NewDefinition;
use super::super::syntax_tree::{range, text};
use super::{Role, Table};

/// A named construct that is open: a function, a type or a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Scope {
    /// The kind of a type or module; `None` for a function, and for an extension of a type.
    pub kind: Option<DefinitionKind>,
    /// Whether it is a function.
    pub function: bool,
    /// Whether it is accessible from outside the file.
    pub exported: bool,
    /// Whether the next declarations in it are accessible from outside it, unless they have a modifier.
    pub open: bool,
}

/// A decision about a node before the walk reaches it.
#[derive(Debug, Clone, Copy)]
struct Mark {
    start: u32,
    node: usize,
    /// How the name is used; `None` if the reference is already recorded.
    kind: Option<ReferenceKind>,
}

/// A run of comments with at most one line break between them.
#[derive(Debug, Clone, Copy, Default)]
struct CommentRun {
    end: u32,
    documents: bool,
}

/// The state of a walk.
pub(in super::super) struct Context<'s> {
    pub builder: Builder<'s>,
    pub table: &'static Table,
    /// The open scopes, innermost last.
    pub scopes: Vec<Scope>,
    comment: Option<CommentRun>,
    marks: Vec<Mark>,
    /// Names that end before this offset were recorded as part of an enclosing chain.
    covered_to: u32,
    /// The offsets of conditions that were hidden from the parser, in order: they count for the function around them.
    hidden: Vec<u32>,
    /// The end of the last `else`, including comments after it.
    pub(super) else_end: Option<u32>,
}

impl<'s> Context<'s> {
    pub(in super::super) fn new(text: &'s str, table: &'static Table) -> Context<'s> {
        Context {
            builder: Builder::new(text),
            table,
            scopes: Vec::new(),
            comment: None,
            marks: Vec::new(),
            covered_to: 0,
            hidden: Vec::new(),
            else_end: None,
        }
    }

    /// Sets the offsets of the conditions that were hidden from the parser, in order.
    pub(in super::super) fn conditions_hide(&mut self, offsets: Vec<u32>) {
        self.hidden = offsets;
    }

    pub(super) fn hidden_in(&self, start: u32, end: u32) -> usize {
        let before = |limit: u32| self.hidden.partition_point(|at| *at < limit);
        before(end).saturating_sub(before(start))
    }

    pub(super) fn finish(self) -> FileFacts {
        self.builder.finish()
    }

    /// The text of a node.
    pub(in super::super) fn text(&self, node: Node<'_>) -> &'s str {
        text(&self.builder, node)
    }

    /// A node's range without trailing white space, which some grammars include.
    pub(in super::super) fn code_range(&self, node: Node<'_>) -> (u32, u32) {
        let (start, end) = range(node);
        let written = self.builder.slice(start, end);
        let blank = written.len() - written.trim_end().len();
        (start, end - u32::try_from(blank).unwrap_or(0))
    }

    /// The text of a node's field; empty if it has none.
    pub(in super::super) fn field_text(&self, node: Node<'_>, field: &str) -> &'s str {
        node.child_by_field_name(field)
            .map_or("", |child| self.text(child))
    }

    /// Whether a documenting comment ends right before `start`: on the same line or the one before.
    pub(in super::super) fn documented(&self, start: u32) -> bool {
        self.comment
            .is_some_and(|run| run.documents && run.end <= start && self.adjacent(run.end, start))
    }

    /// Whether only white space with at most one line break is between two offsets.
    fn adjacent(&self, from: u32, to: u32) -> bool {
        let mut ends = 0;
        self.builder.slice(from, to).bytes().all(|byte| {
            ends += u32::from(byte == b'\n');
            byte.is_ascii_whitespace() && ends < 2
        })
    }

    pub(super) fn blank(&self, from: u32, to: u32) -> bool {
        self.builder
            .slice(from, to)
            .bytes()
            .all(|byte| byte.is_ascii_whitespace())
    }

    /// Records a comment, and whether it documents what follows.
    pub(super) fn comment(&mut self, start: u32, end: u32, is_doc: impl Fn(&str) -> bool) {
        self.builder.comment(start, end);
        if let Some(after) = self.else_end
            && self.blank(after, start)
        {
            self.else_end = Some(end);
        }
        // A grammar may include the line break in the comment.
        let written = self.builder.slice(start, end).trim_end();
        let end = start + u32::try_from(written.len()).unwrap_or(0);
        let before = self.builder.text.get(..start as usize).unwrap_or("");
        let alone = before
            .bytes()
            .rev()
            .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
            .is_none_or(|byte| byte == b'\n');
        let joined = self
            .comment
            .filter(|run| run.end <= start && self.adjacent(run.end, start));
        let documents = (alone && is_doc(written)) || joined.is_some_and(|run| run.documents);
        self.comment = Some(CommentRun { end, documents });
    }

    /// The innermost scope.
    pub(in super::super) fn scope(&self) -> Option<Scope> {
        self.scopes.last().copied()
    }

    /// Whether the innermost scope is a function.
    pub(in super::super) fn in_function(&self) -> bool {
        self.scopes.last().is_some_and(|scope| scope.function)
    }

    /// Whether the innermost scope is a type, or an extension of one.
    pub(in super::super) fn in_type(&self) -> bool {
        self.scopes
            .last()
            .is_some_and(|scope| !scope.function && scope.kind != Some(DefinitionKind::Module))
    }

    /// Whether all enclosing scopes are accessible from outside the file.
    pub(in super::super) fn outside_exported(&self) -> bool {
        self.scopes.last().is_none_or(|scope| scope.exported)
    }

    /// Defines something without a scope of its own, and returns its index.
    pub(in super::super) fn define(
        &mut self,
        kind: DefinitionKind,
        name: &str,
        node: Node<'_>,
        exported: bool,
        documented: bool,
    ) -> usize {
        let (start, end) = self.code_range(node);
        self.builder.define(NewDefinition {
            kind,
            name,
            start,
            end,
            exported,
            documented,
            test: false,
            dictated: false,
        })
    }

    /// Records the signs of a catch clause: whether it catches everything, and whether it is empty.
    pub(in super::super) fn caught(&mut self, node: Node<'_>, broad: bool, empty: bool) {
        let at = range(node).0;
        let what = if broad {
            Sign::CatchBroad
        } else {
            Sign::CatchSpecific
        };
        let how = if empty {
            Sign::CatchEmpty
        } else {
            Sign::CatchHandled
        };
        self.builder.sign(what, at);
        self.builder.sign(how, at);
    }

    /// Sets how a name is used before the walk reaches it. Marks are a stack: of several names, the last in the source
    /// is marked first.
    pub(in super::super) fn mark(&mut self, node: Node<'_>, kind: ReferenceKind) {
        if self.table.role(node).is_reference() {
            let (start, node) = (range(node).0, node.id());
            self.marks.push(Mark {
                start,
                node,
                kind: Some(kind),
            });
        }
    }

    /// Marks a name that is not a reference, or was recorded.
    pub(in super::super) fn mark_done(&mut self, node: Node<'_>) {
        let (start, node) = (range(node).0, node.id());
        self.marks.push(Mark {
            start,
            node,
            kind: None,
        });
    }

    /// The mark of a node: none, done, or how it is used.
    pub(super) fn marked(&mut self, node: Node<'_>) -> Option<Option<ReferenceKind>> {
        let start = range(node).0;
        while self.marks.last().is_some_and(|mark| mark.start < start) {
            self.marks.pop();
        }
        let mark = self.marks.last().filter(|mark| mark.node == node.id())?;
        let kind = mark.kind;
        self.marks.pop();
        Some(kind)
    }

    pub(super) fn is_covered(&self, node: Node<'_>) -> bool {
        range(node).1 <= self.covered_to
    }

    /// Records a name or a chain of names. Returns whether the walk must go into it.
    pub(super) fn refer(
        &mut self,
        node: Node<'_>,
        role: Role,
        kind: ReferenceKind,
        generics_open: char,
        last_name: impl Fn(Node<'_>) -> Option<Node<'_>>,
    ) -> bool {
        let (start, end) = range(node);
        let written = self.builder.slice(start, end);
        if role == Role::Name {
            self.builder.reference(kind, Cow::Borrowed(written), start);
            return false;
        }
        let close = if generics_open == '<' { '>' } else { ']' };
        let plain = match written.find(generics_open) {
            Some(at) if written.ends_with(close) => written.get(..at).unwrap_or(""),
            Some(_) => "",
            None => written,
        };
        if let Some(path) = path_of(plain.trim_end()) {
            self.builder.reference(kind, path, start);
            self.covered_to = start + u32::try_from(plain.len()).unwrap_or(0);
            return plain.len() < written.len();
        }
        // The chain contains an unnamed expression: only its last name is recorded.
        let mut name = last_name(node);
        while let Some(inner) = name
            .filter(|name| {
                matches!(
                    self.table.role(*name),
                    Role::Chain | Role::SafeChain | Role::Generic
                )
            })
            .and_then(&last_name)
        {
            name = Some(inner);
        }
        if let Some(name) = name {
            let (at, _) = range(name);
            let path = format!(".{}", self.text(name));
            self.builder.reference(kind, Cow::Owned(path), at);
            self.mark_done(name);
        }
        true
    }

    /// Records the words of unparsed text. Words before a parenthesis are calls.
    pub(super) fn words(&mut self, start: u32, end: u32, keywords: &[&str]) {
        let written = self.builder.slice(start, end);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut at = 0usize;
        while let Some(from) = written.get(at..).and_then(|rest| rest.find(is_word)) {
            let from = at + from;
            let rest = written.get(from..).unwrap_or("");
            let word = rest.split(|c| !is_word(c)).next().unwrap_or("");
            at = from + word.len().max(1);
            let is_name = word.len() > 1
                && word.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && !keywords.contains(&word);
            if is_name {
                let called = written
                    .get(at..)
                    .is_some_and(|rest| rest.trim_start().starts_with('('));
                let kind = if called {
                    ReferenceKind::Call
                } else {
                    ReferenceKind::Name
                };
                let offset = start + u32::try_from(from).unwrap_or(0);
                self.builder.reference(kind, Cow::Borrowed(word), offset);
            }
        }
    }
}
