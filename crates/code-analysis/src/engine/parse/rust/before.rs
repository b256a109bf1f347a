//! What stands before a Rust item and belongs to it: doc comments and attributes.

use tree_sitter::Node;

use super::super::Builder;
use super::super::syntax_tree::{range, text};

/// What the attributes and comments before an item say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    pub documented: bool,
    /// `#[test]` and its like.
    pub is_test: bool,
    /// `#[cfg(test)]`.
    pub only_in_tests: bool,
    /// Where the last of them ends.
    end: u32,
}

impl Before {
    /// Reads one more comment or attribute. What stood before it counts where nothing stands between.
    pub(super) fn read(&mut self, builder: &Builder<'_>, node: Node<'_>) {
        let (start, end) = range(node);
        if !builder.is_blank(self.end, start) {
            *self = Before::default();
        }
        self.end = end;
        let written = builder.slice(start, end);
        if written.starts_with("#[") {
            self.attribute(written);
        } else {
            self.documented |= (written.starts_with("///") && !written.starts_with("////"))
                || (written.starts_with("/**")
                    && !written.starts_with("/***")
                    && written.len() > 4);
        }
    }

    fn attribute(&mut self, written: &str) {
        let attribute = written.trim_start_matches(['#', '[']).trim();
        let path: String = attribute
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
            .collect();
        self.documented |= path == "doc" && !attribute.contains("hidden");
        self.is_test |= matches!(
            path.rsplit("::").next(),
            Some("test" | "rstest" | "test_case" | "quickcheck")
        );
        self.only_in_tests |= path == "cfg" && cfg_needs_test(attribute);
    }

    /// What belongs to an item that begins at `start`.
    pub(super) fn of(self, builder: &Builder<'_>, start: u32) -> Before {
        if self.end > 0 && builder.is_blank(self.end, start) {
            self
        } else {
            Before::default()
        }
    }
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
