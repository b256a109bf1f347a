//! A parsed file for ast-grep. Every access to a node is counted, so that a rule cannot run forever: beyond the step
//! limit or the stack depth limit, nodes have no children and parents, and every walk ends.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

use ast_grep_core::Position;
use ast_grep_core::source::{Doc, Edit, SgNode};
use tree_sitter::{Node, Tree, TreeCursor};

use super::super::parse::tree_parse;
use super::grammar::Grammar;

/// The maximum stack depth of a rule, in bytes. The parser threads have 1 GiB, so enough remains for unwinding.
const STACK_CAP: usize = 256 << 20;

/// The steps of accessing a sibling or a parent, which tree-sitter searches from the root each time.
const CLIMB_STEPS: u32 = 8;

/// A parsed file, or a parsed pattern.
#[derive(Clone)]
pub(super) struct Document {
    text: String,
    grammar: Grammar,
    tree: Tree,
    meter: Meter,
}

/// Counts the steps of a rule.
#[derive(Clone)]
pub(super) struct Meter {
    left: Cell<u32>,
    /// An address near the bottom of the current stack.
    bottom: usize,
}

fn stack_address() -> usize {
    let here = 0u8;
    std::ptr::from_ref(&here).addr()
}

impl Meter {
    /// Sets the number of steps that a rule may take.
    pub(super) fn fill(&self, steps: u32) {
        self.left.set(steps);
    }

    pub(super) fn left(&self) -> u32 {
        self.left.get()
    }

    /// Takes steps. Returns whether any are left.
    fn spend(&self, steps: u32) -> bool {
        let left = self.left.get().saturating_sub(steps);
        let left = if stack_address().abs_diff(self.bottom) > STACK_CAP {
            0
        } else {
            left
        };
        self.left.set(left);
        left > 0
    }
}

impl Document {
    /// Parses `text`; `None` if the parser is stopped.
    pub(super) fn new(text: &str, grammar: Grammar) -> Option<Document> {
        let tree = tree_parse(&grammar.tree_sitter(), text)?;
        Some(Document {
            text: text.to_owned(),
            grammar,
            tree,
            meter: Meter {
                left: Cell::new(u32::MAX),
                bottom: stack_address(),
            },
        })
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Wraps a node of this document's tree for rules.
    pub(super) fn counted<'d>(&'d self, node: Node<'d>) -> MeteredNode<'d> {
        MeteredNode {
            node,
            meter: &self.meter,
        }
    }

    /// The depth of the tree.
    pub(super) fn depth(&self) -> u32 {
        let mut deepest = 0;
        for_each_node(&self.tree, |_, depth| deepest = deepest.max(depth));
        deepest
    }
}

/// Calls `visit` for every node with its depth, in the order of the source.
pub(super) fn for_each_node<'t>(tree: &'t Tree, mut visit: impl FnMut(Node<'t>, u32)) {
    let mut cursor = tree.walk();
    let mut depth = 0;
    loop {
        visit(cursor.node(), depth);
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            depth -= 1;
        }
    }
}

impl Doc for Document {
    type Source = String;
    type Lang = Grammar;
    type Node<'r> = MeteredNode<'r>;

    fn get_lang(&self) -> &Grammar {
        &self.grammar
    }

    fn get_source(&self) -> &String {
        &self.text
    }

    fn do_edit(&mut self, _edit: &Edit<String>) -> Result<(), String> {
        Err("what rules look at is not edited".to_owned())
    }

    fn root_node(&self) -> MeteredNode<'_> {
        self.counted(self.tree.root_node())
    }

    fn get_node_text<'a>(&'a self, node: &MeteredNode<'a>) -> Cow<'a, str> {
        let range = node.node.byte_range();
        // A regular expression reads the whole text.
        let steps = u32::try_from(range.len() / 32).unwrap_or(u32::MAX);
        if !self.meter.spend(steps) {
            return Cow::Borrowed("");
        }
        Cow::Borrowed(self.text.get(range).unwrap_or(""))
    }
}

/// A node on which every access is counted.
#[derive(Clone)]
pub(super) struct MeteredNode<'r> {
    node: Node<'r>,
    meter: &'r Meter,
}

impl<'r> MeteredNode<'r> {
    /// Its first and last row, from 0.
    pub(super) fn rows(&self) -> (u32, u32) {
        let row = |row: usize| u32::try_from(row).unwrap_or(u32::MAX - 1);
        (
            row(self.node.start_position().row),
            row(self.node.end_position().row),
        )
    }

    fn with(&self, node: Node<'r>) -> MeteredNode<'r> {
        MeteredNode {
            node,
            meter: self.meter,
        }
    }

    /// Returns the result of `look` if steps are left.
    fn spend<T>(&self, steps: u32, look: impl FnOnce() -> Option<T>) -> Option<T> {
        self.meter.spend(steps).then(look).flatten()
    }

    /// The siblings in one direction, each for a step.
    fn siblings<F: Fn(&mut TreeCursor<'r>) -> bool>(
        &self,
        advance: F,
    ) -> impl Iterator<Item = MeteredNode<'r>> + use<'r, F> {
        let this = self.clone();
        let parent = self.spend(CLIMB_STEPS, || self.node.parent());
        let mut cursor = parent.map(|parent| {
            let mut cursor = parent.walk();
            if cursor.goto_first_child() {
                while cursor.node().id() != this.node.id()
                    && this.meter.spend(1)
                    && cursor.goto_next_sibling()
                {}
            }
            cursor
        });
        std::iter::from_fn(move || {
            let cursor = cursor.as_mut()?;
            (this.meter.spend(1) && advance(cursor)).then(|| this.with(cursor.node()))
        })
    }
}

impl<'r> SgNode<'r> for MeteredNode<'r> {
    fn parent(&self) -> Option<Self> {
        self.spend(CLIMB_STEPS, || self.node.parent())
            .map(|node| self.with(node))
    }

    fn children(&self) -> impl ExactSizeIterator<Item = Self> {
        let steps = self.node.child_count();
        let mut found = Vec::new();
        if self.meter.spend(steps.saturating_add(1)) {
            let mut cursor = self.node.walk();
            found.extend(self.node.children(&mut cursor).map(|node| self.with(node)));
        }
        found.into_iter()
    }

    fn ancestors(&self, root: Self) -> impl Iterator<Item = Self> {
        let mut path = Vec::new();
        let mut at = Some(root.node);
        while let Some(node) = at.filter(|node| node.id() != self.node.id()) {
            if !self.meter.spend(2) {
                path.clear();
                break;
            }
            path.push(self.with(node));
            at = node.child_with_descendant(self.node);
        }
        path.into_iter().rev()
    }

    fn dfs(&self) -> impl Iterator<Item = Self> {
        let this = self.clone();
        let mut cursor = Some(self.node.walk());
        let mut is_first = true;
        std::iter::from_fn(move || {
            let at = cursor.as_mut()?;
            if is_first {
                is_first = false;
                return Some(this.with(at.node()));
            }
            if !this.meter.spend(1) {
                cursor = None;
                return None;
            }
            if at.goto_first_child() {
                return Some(this.with(at.node()));
            }
            // A cursor does not leave its start node.
            while !at.goto_next_sibling() {
                if !at.goto_parent() {
                    cursor = None;
                    return None;
                }
            }
            Some(this.with(at.node()))
        })
    }

    fn child(&self, nth: usize) -> Option<Self> {
        let nth = u32::try_from(nth).ok()?;
        self.spend(1, || self.node.child(nth))
            .map(|node| self.with(node))
    }

    fn child_by_field_id(&self, field_id: u16) -> Option<Self> {
        self.spend(1, || self.node.child_by_field_id(field_id))
            .map(|node| self.with(node))
    }

    fn next(&self) -> Option<Self> {
        self.spend(CLIMB_STEPS, || self.node.next_sibling())
            .map(|node| self.with(node))
    }

    fn prev(&self) -> Option<Self> {
        self.spend(CLIMB_STEPS, || self.node.prev_sibling())
            .map(|node| self.with(node))
    }

    fn next_all(&self) -> impl Iterator<Item = Self> {
        self.siblings(TreeCursor::goto_next_sibling)
    }

    fn prev_all(&self) -> impl Iterator<Item = Self> {
        self.siblings(TreeCursor::goto_previous_sibling)
    }

    fn is_named(&self) -> bool {
        self.node.is_named()
    }

    fn is_named_leaf(&self) -> bool {
        self.node.named_child_count() == 0
    }

    fn is_leaf(&self) -> bool {
        self.node.child_count() == 0
    }

    fn kind(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.node.kind())
    }

    fn kind_id(&self) -> u16 {
        // Kind 0 is the end of the file, which no rule matches.
        if self.meter.spend(1) {
            self.node.kind_id()
        } else {
            0
        }
    }

    fn node_id(&self) -> usize {
        self.node.id()
    }

    fn range(&self) -> Range<usize> {
        self.node.byte_range()
    }

    fn start_pos(&self) -> Position {
        let point = self.node.start_position();
        Position::new(point.row, point.column, self.node.start_byte())
    }

    fn end_pos(&self) -> Position {
        let point = self.node.end_position();
        Position::new(point.row, point.column, self.node.end_byte())
    }

    fn is_missing(&self) -> bool {
        self.node.is_missing()
    }

    fn is_error(&self) -> bool {
        self.node.is_error()
    }

    fn is_extra(&self) -> bool {
        self.node.is_extra()
    }

    fn field(&self, name: &str) -> Option<Self> {
        self.spend(1, || self.node.child_by_field_name(name))
            .map(|node| self.with(node))
    }

    fn field_children(&self, field_id: Option<u16>) -> impl Iterator<Item = Self> {
        let mut found = Vec::new();
        let steps = self.node.child_count();
        if let Some(field) = field_id.and_then(std::num::NonZero::new)
            && self.meter.spend(steps.saturating_add(1))
        {
            let mut cursor = self.node.walk();
            found.extend(
                self.node
                    .children_by_field_id(field, &mut cursor)
                    .map(|node| self.with(node)),
            );
        }
        found.into_iter()
    }
}
