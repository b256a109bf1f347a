//! C and C++, read by tree-sitter. They share their declarators, their preprocessor and their headers.
//!
//! A header's language is told by its content: what the grammar of C cannot read without errors, and that of C++ reads with fewer, is
//! C++. So the facts depend on the text alone, wherever the header lies.
//!
//! A declaration without a body is no definition; names in a macro are references, because nobody else would mention them.

mod conditionals;
mod shape;

use std::sync::LazyLock;

use tree_sitter::Tree;

use super::super::facts::FileFacts;
use super::super::skip::Skip;
use super::syntax_tree as tree;
use super::table::{self, Context, Table};
use conditionals::{Readable, readable};
use shape::{CFamily, role_of};

#[cfg(feature = "c")]
static C: LazyLock<Table> = LazyLock::new(|| {
    Table::new(tree_sitter_c::LANGUAGE.into(), |kind, named| {
        role_of(kind, named)
    })
});
#[cfg(feature = "cpp")]
static CPP: LazyLock<Table> = LazyLock::new(|| {
    Table::new(tree_sitter_cpp::LANGUAGE.into(), |kind, named| {
        role_of(kind, named)
    })
});

/// A text that was parsed.
struct Parsed<'s> {
    table: &'static Table,
    cplusplus: bool,
    read: Readable<'s>,
    tree: Tree,
    errors: usize,
}

fn parsed<'s>(text: &'s str, table: &'static Table, cplusplus: bool) -> Result<Parsed<'s>, Skip> {
    let read = readable(text, cplusplus);
    let tree = tree::parse(table.grammar(), &read.text)?;
    let errors = tree::errors_count(&tree);
    Ok(Parsed {
        table,
        cplusplus,
        read,
        tree,
        errors,
    })
}

fn facts(text: &str, parsed: Parsed<'_>) -> Result<FileFacts, Skip> {
    let mut cx = Context::new(text, parsed.table);
    for (start, end) in parsed.read.comments {
        cx.builder.comment(start, end);
    }
    cx.conditions_hide(parsed.read.conditions);
    table::tree_analyze(&parsed.tree, cx, CFamily::new(parsed.cplusplus))
}

/// Analyses C, or a header that may hold C++.
#[cfg(feature = "c")]
pub(super) fn c_analyze(text: &str) -> Result<FileFacts, Skip> {
    #[cfg(feature = "cpp")]
    if looks_like_cplusplus(&readable(text, false).text) {
        let Ok(cpp) = parsed(text, &CPP, true) else {
            return facts(text, parsed(text, &C, false)?);
        };
        if cpp.errors == 0 {
            return facts(text, cpp);
        }
        return match parsed(text, &C, false) {
            Ok(c) if c.errors <= cpp.errors => facts(text, c),
            _ => facts(text, cpp),
        };
    }
    facts(text, parsed(text, &C, false)?)
}

/// Whether a line begins as one does in C++ and not in C.
#[cfg(all(feature = "c", feature = "cpp"))]
fn looks_like_cplusplus(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        [
            "class ",
            "namespace ",
            "template ",
            "template<",
            "public:",
            "private:",
            "protected:",
            "using namespace ",
        ]
        .iter()
        .any(|word| line.starts_with(word))
    })
}

/// Analyses C++.
#[cfg(feature = "cpp")]
pub(super) fn cpp_analyze(text: &str) -> Result<FileFacts, Skip> {
    facts(text, parsed(text, &CPP, true)?)
}
