//! The doc comments and attributes before a Rust item.

use tree_sitter::Node;

use super::super::Builder;
use super::super::modifiers::last_name;
use super::super::syntax_tree::{range, text};

/// The attributes and comments before an item.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    pub documented: bool,
    /// Whether one is `#[test]` or similar.
    pub is_test: bool,
    /// Whether one is `#[cfg(test)]`.
    pub only_in_tests: bool,
    /// The end of the last of them.
    end: u32,
}

impl Before {
    /// Reads one more comment or attribute. Earlier ones count only if nothing is in between.
    pub(super) fn read(&mut self, builder: &Builder<'_>, node: Node<'_>) {
        let (start, end) = range(node);
        if end <= self.end {
            // The comment is inside the last attribute.
            return;
        }
        if !builder.is_blank(self.end, start) {
            *self = Before::default();
        }
        self.end = end;
        if node.kind() == "attribute_item" {
            self.attribute(builder, node);
        } else {
            let written = builder.slice(start, end);
            self.documented |= (written.starts_with("///") && !written.starts_with("////"))
                || (written.starts_with("/**")
                    && !written.starts_with("/***")
                    && written.len() > 4);
        }
    }

    fn attribute(&mut self, builder: &Builder<'_>, item: Node<'_>) {
        let mut cursor = item.walk();
        let attribute = item
            .named_children(&mut cursor)
            .find(|child| child.kind() == "attribute");
        let Some((attribute, path)) =
            attribute.and_then(|attribute| Some((attribute, attribute.named_child(0)?)))
        else {
            return;
        };
        let name = text(builder, last_name(path));
        // `#[doc(hidden)]` and similar ones set options and document nothing.
        self.documented |= name == "doc" && attribute.child_by_field_name("value").is_some();
        self.is_test |= matches!(name, "test" | "rstest" | "test_case" | "quickcheck")
            && attribute.child_by_field_name("value").is_none();
        let condition = attribute.child_by_field_name("arguments");
        self.only_in_tests |= name == "cfg"
            && condition.is_some_and(|list| {
                predicates(builder, list)
                    .iter()
                    .any(|one| one.needs_test(builder))
            });
    }

    /// Whether the last comment or attribute is directly before `start`.
    pub(super) fn reaches(self, builder: &Builder<'_>, start: u32) -> bool {
        builder.is_blank(self.end, start)
    }

    /// Whether anything was read.
    pub(super) fn is_there(self) -> bool {
        self.end > 0
    }

    /// The attributes and comments of an item that begins at `start`.
    pub(super) fn of(self, builder: &Builder<'_>, start: u32) -> Before {
        if self.end > 0 && builder.is_blank(self.end, start) {
            self
        } else {
            Before::default()
        }
    }
}

/// The path of an attribute (`serde` of `#[serde(default)]`, `tokio::main`), and whether it documents.
pub(super) fn path<'s>(builder: &Builder<'s>, item: Node<'_>) -> Option<(&'s str, bool)> {
    let mut cursor = item.walk();
    let attribute = item
        .named_children(&mut cursor)
        .find(|child| child.kind() == "attribute")?;
    let path = text(builder, attribute.named_child(0)?);
    Some((path, path == "doc"))
}

/// Whether the body of a module begins with a `//!` comment.
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

/// A predicate of `cfg`, as in `test` and `all(unix, test)`. `feature = "x"` does not matter here.
struct Predicate<'t, 's> {
    name: &'s str,
    /// The token tree in its parentheses.
    list: Option<Node<'t>>,
}

impl Predicate<'_, '_> {
    /// Whether it holds only in tests.
    fn needs_test(&self, builder: &Builder<'_>) -> bool {
        let inner = self.list.map(|list| predicates(builder, list));
        match (self.name, inner) {
            ("test", None) => true,
            ("all", Some(inner)) => inner.iter().any(|one| one.needs_test(builder)),
            _ => false,
        }
    }
}

/// The predicates directly in a token tree.
fn predicates<'t, 's>(builder: &Builder<'s>, tree: Node<'t>) -> Vec<Predicate<'t, 's>> {
    let mut cursor = tree.walk();
    let tokens: Vec<Node<'_>> = tree
        .children(&mut cursor)
        .filter(|token| !token.is_extra())
        .collect();
    let next = |at: usize| tokens.get(at + 1).copied();
    tokens
        .iter()
        .enumerate()
        .filter(|(at, token)| {
            token.kind() == "identifier" && next(*at).is_none_or(|next| next.kind() != "=")
        })
        .map(|(at, token)| Predicate {
            name: text(builder, *token),
            list: next(at).filter(|next| next.kind() == "token_tree"),
        })
        .collect()
}
