//! The modifiers and annotation names of a declaration. They are read from the syntax tree and not from the text,
//! where comments and annotation arguments may contain any word.

use tree_sitter::Node;

use super::Builder;
use super::syntax_tree::{range, text};

/// JUnit's annotations for test methods, used in Java and in Kotlin.
pub(super) const JUNIT_TESTS: &[&str] =
    &["Test", "ParameterizedTest", "RepeatedTest", "TestFactory"];

/// The modifiers and annotations of one declaration.
#[derive(Debug, Default)]
pub(super) struct Modifiers<'s> {
    words: Vec<Word<'s>>,
    annotations: Vec<&'s str>,
}

/// One modifier: `public`, `private[store]`, `private(set)`.
#[derive(Debug)]
struct Word<'s> {
    text: &'s str,
    /// Whether a qualifier in brackets limits it.
    qualified: bool,
}

impl<'s> Modifiers<'s> {
    /// Reads the modifiers of `declaration`, which precede its other children.
    pub(super) fn of(builder: &Builder<'s>, declaration: Node<'_>) -> Modifiers<'s> {
        let mut modifiers = Modifiers::default();
        let mut cursor = declaration.walk();
        for child in declaration.children(&mut cursor) {
            // In C# attributes may be inside a preprocessor conditional.
            let is_passed = child.is_extra() || child.kind().starts_with("preproc_");
            if !is_passed && !modifiers.read(builder, child) {
                break;
            }
        }
        modifiers
    }

    /// Reads one node. Returns whether it contains modifiers or annotations.
    fn read(&mut self, builder: &Builder<'s>, node: Node<'_>) -> bool {
        match node.kind() {
            "attribute_list" if is_of_result(node) => {}
            "modifiers" | "function_modifiers" | "attribute_list" | "attribute_group" => {
                let mut cursor = node.walk();
                for child in node.children(&mut cursor) {
                    if child.is_named() {
                        self.read(builder, child);
                    } else if child.kind().starts_with(char::is_alphabetic) {
                        self.word(builder, child);
                    }
                }
            }
            "annotation" | "marker_annotation" | "attribute" => self.annotation(builder, node),
            kind if kind == "modifier" || kind.ends_with("_modifier") => self.word(builder, node),
            _ => return false,
        }
        true
    }

    fn word(&mut self, builder: &Builder<'s>, node: Node<'_>) {
        let word = node.child(0).unwrap_or(node);
        self.words.push(Word {
            text: text(builder, word),
            qualified: node.child_count() > 1,
        });
    }

    fn annotation(&mut self, builder: &Builder<'s>, node: Node<'_>) {
        let mut cursor = node.walk();
        let name = node.child_by_field_name("name");
        let names: Vec<Node<'_>> = match name {
            Some(name) => vec![name],
            // Kotlin allows several annotations in one: `@[Test Slow]`.
            None => node
                .named_children(&mut cursor)
                .filter(|child| {
                    matches!(
                        child.kind(),
                        "constructor_invocation"
                            | "name"
                            | "qualified_name"
                            | "relative_name"
                            | "user_type"
                    )
                })
                .collect(),
        };
        for name in names {
            let name = text(builder, last_name(name));
            self.annotations.push(name.trim_matches(['`', '@']));
        }
    }

    /// Whether it has this modifier without a qualifier: `private(set)` does not count as `private`.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words
            .iter()
            .any(|one| !one.qualified && one.text == word)
    }

    /// Whether it has one of these modifiers, see [`Modifiers::has`].
    #[cfg(any(feature = "kotlin", feature = "php", feature = "swift"))]
    pub(super) fn has_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    /// Whether it has this modifier, with or without a qualifier: `private[store]` counts as `private`.
    #[cfg(feature = "scala")]
    pub(super) fn has_stem(&self, word: &str) -> bool {
        self.words.iter().any(|one| one.text == word)
    }

    /// Whether one of its annotations has one of these names. Packages and arguments are ignored.
    pub(super) fn is_annotated(&self, names: &[&str]) -> bool {
        self.annotations().any(|name| names.contains(&name))
    }

    /// The names of its annotations, without their packages and arguments.
    pub(super) fn annotations(&self) -> impl Iterator<Item = &'s str> {
        self.annotations.iter().copied()
    }
}

/// Whether C# attributes belong to the return value of a method, and not to the method.
fn is_of_result(attributes: Node<'_>) -> bool {
    let mut cursor = attributes.walk();
    attributes
        .named_children(&mut cursor)
        .find(|child| child.kind() == "attribute_target_specifier")
        .and_then(|target| target.child(0))
        .is_some_and(|target| target.kind() == "return")
}

/// The last name of a path, without type arguments: `Test` of `org.junit.Test`, `Case` of `Case<int>`.
pub(super) fn last_name(path: Node<'_>) -> Node<'_> {
    let mut name = path;
    loop {
        let mut cursor = name.walk();
        let mut parts = name.named_children(&mut cursor).filter(|part| {
            let kind = part.kind();
            !part.is_extra()
                && !matches!(
                    kind,
                    "type_argument_list" | "type_arguments" | "type_modifiers"
                )
        });
        let inner = match name.kind() {
            "applied_constructor_type"
            | "constructor_invocation"
            | "generic_name"
            | "generic_type" => parts.next(),
            "alias_qualified_name"
            | "qualified_name"
            | "relative_name"
            | "scoped_identifier"
            | "stable_type_identifier"
            | "user_type" => parts.last(),
            _ => None,
        };
        match inner {
            Some(inner) => name = inner,
            None => return name,
        }
    }
}

/// The start of a declaration: its first modifier, after annotations and the comments between them.
pub(super) fn start_of(declaration: Node<'_>) -> u32 {
    let is_before = |node: &Node<'_>| {
        node.is_extra()
            || matches!(
                node.kind(),
                "annotation" | "attribute" | "attribute_list" | "marker_annotation"
            )
    };
    let mut cursor = declaration.walk();
    let first = declaration
        .children(&mut cursor)
        .filter(|child| !is_before(child))
        .find_map(|child| {
            if child.kind() != "modifiers" {
                return Some(child);
            }
            let mut cursor = child.walk();
            child.children(&mut cursor).find(|word| !is_before(word))
        });
    range(first.unwrap_or(declaration)).0
}
