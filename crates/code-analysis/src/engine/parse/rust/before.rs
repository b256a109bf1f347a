//! What stands before a Rust item and belongs to it: doc comments and attributes.

use tree_sitter::Node;

use super::super::Builder;
use super::super::syntax_tree::text;

/// What the attributes and comments before an item say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    pub documented: bool,
    /// `#[test]` and its like.
    pub is_test: bool,
    /// `#[cfg(test)]`.
    pub only_in_tests: bool,
}

/// Reads what stands before an item.
pub(super) fn before(builder: &Builder<'_>, item: Node<'_>) -> Before {
    let mut found = Before::default();
    let mut before = item.prev_sibling();
    while let Some(node) = before {
        match node.kind() {
            "line_comment" => {
                let comment = text(builder, node);
                found.documented |= comment.starts_with("///") && !comment.starts_with("////");
            }
            "block_comment" => {
                let comment = text(builder, node);
                found.documented |=
                    comment.starts_with("/**") && !comment.starts_with("/***") && comment.len() > 4;
            }
            "attribute_item" => {
                let attribute = text(builder, node).trim_start_matches(['#', '[']).trim();
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
pub(super) fn documented_inside(builder: &Builder<'_>, body: Option<Node<'_>>) -> bool {
    let Some(body) = body else { return false };
    let mut cursor = body.walk();
    let first = body.named_children(&mut cursor).next();
    first.is_some_and(|node| {
        let comment = text(builder, node);
        node.kind().ends_with("_comment")
            && (comment.starts_with("//!") || comment.starts_with("/*!"))
    })
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
