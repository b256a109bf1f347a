//! Shared code of the tree-sitter languages: parsing with a limit, and a tree walk without recursion and without
//! allocation per node.

use std::cell::RefCell;
use std::ops::ControlFlow;

use tree_sitter::{Language as Grammar, Node, ParseOptions, ParseState, Parser, Tree};

use super::super::skip::Skip;
use super::builder::LogicalOperator;
use super::mentions::{MentionTable, Mentions};
use super::{Builder, errors_tolerated};

/// How often a parser may report progress before it is stopped. It reports about every hundred operations; an ordinary
/// file of 1 MiB stays below a tenth of this. The limit is a count and not a time, so that the result for a file is
/// deterministic.
const PROGRESS_CAP: u32 = 1_000_000;

thread_local! {
    /// One parser per thread: it keeps its stacks and caches from file to file.
    static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
}

/// Parses `text`. A parse that exceeds the progress limit is stopped.
pub(super) fn parse(grammar: &Grammar, text: &str) -> Result<Tree, Skip> {
    parse_within(grammar, text, PROGRESS_CAP)
}

fn parse_within(grammar: &Grammar, text: &str, reports_max: u32) -> Result<Tree, Skip> {
    PARSER.with_borrow_mut(|parser| {
        parser
            .set_language(grammar)
            .map_err(|_| Skip::DoesNotParse)?;
        let mut reports = 0u32;
        let mut stop_when_stuck = |_: &ParseState| {
            reports += 1;
            if reports > reports_max {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let bytes = text.as_bytes();
        let tree = parser.parse_with_options(
            &mut |at, _| bytes.get(at..).unwrap_or_default(),
            None,
            Some(ParseOptions::new().progress_callback(&mut stop_when_stuck)),
        );
        // Resets the parser, which would otherwise resume the stopped parse.
        parser.reset();
        tree.ok_or(Skip::DoesNotParse)
    })
}

/// The handling of nodes by kind, which a language implements.
pub(super) trait NodeVisitor {
    /// The relevant kinds, one small value each; `Default` is every other kind.
    type Kind: Copy + Default + PartialEq;

    /// Called on the way down, with the parent of the node. Returns whether to go into the node.
    fn enter(&mut self, kind: Self::Kind, node: Node<'_>, parent: Option<Node<'_>>) -> bool;

    /// Called on the way up, for every node that `enter` went into.
    fn leave(&mut self, kind: Self::Kind, node: Node<'_>, parent: Option<Node<'_>>);
}

/// The kinds of a grammar, indexed by tree-sitter's ids.
pub(super) fn kind_table<K>(grammar: &Grammar, kind_of: impl Fn(&str, bool) -> K) -> Vec<K> {
    (0..grammar.node_kind_count())
        .map(|id| {
            let id = u16::try_from(id).unwrap_or(u16::MAX);
            kind_of(
                grammar.node_kind_for_id(id).unwrap_or(""),
                grammar.node_kind_is_named(id),
            )
        })
        .collect()
}

/// Walks the tree in the order of the source, and records the references of the file. A node that `enter` rejected is
/// not walked. The ancestors are kept here, because tree-sitter searches a node's parent from the root each time.
pub(super) fn walk_mentions<'s, V: NodeVisitor + AsMut<Builder<'s>>>(
    tree: &Tree,
    kinds: &[V::Kind],
    table: &MentionTable,
    visitor: &mut V,
) {
    let mut mentions = Mentions::default();
    let mut cursor = tree.walk();
    let mut above: Vec<Node<'_>> = Vec::with_capacity(64);
    let other = V::Kind::default();
    let kind_of = |node: Node<'_>| {
        kinds
            .get(usize::from(node.kind_id()))
            .copied()
            .unwrap_or(other)
    };
    loop {
        let node = cursor.node();
        let kind = kind_of(node);
        if kind == other || visitor.enter(kind, node, above.last().copied()) {
            let above_it = above.last().copied();
            if mentions.enter(table, visitor.as_mut(), &cursor, node, above_it)
                && cursor.goto_first_child()
            {
                above.push(node);
                continue;
            }
            if kind != other {
                visitor.leave(kind, node, above.last().copied());
            }
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            let Some(node) = above.pop() else { return };
            let kind = kind_of(node);
            if kind != other {
                visitor.leave(kind, node, above.last().copied());
            }
        }
    }
}

/// Counts the errors that the parser recovered from, and refuses a tree with too many.
pub(super) fn errors_check(tree: &Tree, builder: &mut Builder<'_>) -> Result<(), Skip> {
    let errors = errors(tree);
    if tree.root_node().is_error() || errors.count > errors_tolerated(builder.text) {
        return Err(Skip::DoesNotParse);
    }
    builder.syntax_errors(errors.count);
    Ok(())
}

/// The errors from which a parser recovered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Errors {
    /// Their number.
    pub count: usize,
    /// The bytes of the text that could not be parsed.
    pub bytes: usize,
}

/// Counts the errors in a tree.
pub(super) fn errors(tree: &Tree) -> Errors {
    let mut errors = Errors::default();
    if !tree.root_node().has_error() {
        return errors;
    }
    let mut cursor = tree.walk();
    'down: loop {
        let node = cursor.node();
        errors.count += usize::from(node.is_error() || node.is_missing());
        if node.is_error() {
            errors.bytes += node.end_byte() - node.start_byte();
        } else if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        loop {
            if cursor.goto_next_sibling() {
                continue 'down;
            }
            if !cursor.goto_parent() {
                break 'down;
            }
        }
    }
    errors
}

/// Whether a conditional is the `else` of its parent.
pub(super) fn is_alternative(node: Node<'_>, parent: Option<Node<'_>>) -> bool {
    parent.is_some_and(|parent| parent.child_by_field_name("alternative") == Some(node))
}

/// Called on leaving a binary expression or parentheses. If the parent continues the logical operation, nothing
/// happens; else the operation ends here and its operators are counted for cognitive complexity.
pub(super) fn logical_leave(builder: &mut Builder<'_>, node: Node<'_>, parent: Option<Node<'_>>) {
    if !builder.has_operators() {
        return;
    }
    let goes_on = parent.is_some_and(|parent| match parent.kind() {
        "parenthesized_expression" | "let_chain" => true,
        "binary_expression" => parent
            .child_by_field_name("operator")
            .is_some_and(|operator| logical_operator(operator.kind()).is_some()),
        _ => false,
    });
    if !goes_on {
        let (start, end) = range(node);
        builder.logical_end(start, end);
    }
}

/// The logical operator of a token.
pub(super) fn logical_operator(token: &str) -> Option<LogicalOperator> {
    match token {
        "&&" => Some(LogicalOperator::And),
        "||" => Some(LogicalOperator::Or),
        _ => None,
    }
}

/// A node's byte range as the builder's integers.
pub(super) fn range(node: Node<'_>) -> (u32, u32) {
    (
        u32::try_from(node.start_byte()).unwrap_or(u32::MAX),
        u32::try_from(node.end_byte()).unwrap_or(u32::MAX),
    )
}

/// The text of a node.
pub(super) fn text<'s>(builder: &Builder<'s>, node: Node<'_>) -> &'s str {
    let (start, end) = range(node);
    builder.slice(start, end)
}

/// The text of a node's field; empty if it has none.
pub(super) fn field_text<'s>(builder: &Builder<'s>, node: Node<'_>, field: &str) -> &'s str {
    node.child_by_field_name(field)
        .map_or("", |child| text(builder, child))
}

/// Counts the named children of a node that match.
pub(super) fn children_count(node: Node<'_>, is_counted: impl Fn(Node<'_>) -> bool) -> u32 {
    let mut cursor = node.walk();
    let count = node
        .named_children(&mut cursor)
        .filter(|child| is_counted(*child))
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_parse_is_stopped_and_the_parser_is_reusable() {
        let grammar: Grammar = tree_sitter_go::LANGUAGE.into();
        let text = format!("package a\n{}", "func a() {}\n".repeat(2000));
        assert_eq!(
            parse_within(&grammar, &text, 2).map(|_| ()),
            Err(Skip::DoesNotParse)
        );
        let tree = parse_within(&grammar, "package b\n", PROGRESS_CAP).expect("a tree");
        assert!(!tree.root_node().has_error());
    }
}
