//! C and C++, parsed by tree-sitter. They share declarators, the preprocessor and headers.
//!
//! The language of a header depends on its content. A header with a line that begins with `class`, `namespace`,
//! `template`, `using` or `public:` is C++, unless the C grammar parses it without errors. So the facts do not depend
//! on the path.
//!
//! A declaration without a body is not a definition. Names in a macro are references, because otherwise nothing would
//! refer to them.

mod shape;

use std::sync::LazyLock;

use tree_sitter::Tree;

use super::super::facts::FileFacts;
use super::super::skip::Skip;
use super::preprocessor::{Dialect, Readable, readable};
use super::syntax_tree as tree;
use super::table::{self, Context, Table};
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

/// A parsed text.
struct ParsedText<'s> {
    table: &'static Table,
    dialect: Dialect,
    read: Readable<'s>,
    tree: Tree,
    errors: usize,
}

fn parsed<'s>(
    text: &'s str,
    table: &'static Table,
    dialect: Dialect,
) -> Result<ParsedText<'s>, Skip> {
    let read = readable(text, dialect);
    let tree = tree::parse(table.grammar(), &read.text)?;
    let errors = tree::errors(&tree).count;
    Ok(ParsedText {
        table,
        dialect,
        read,
        tree,
        errors,
    })
}

fn facts(text: &str, parsed: ParsedText<'_>) -> Result<FileFacts, Skip> {
    let mut cx = Context::new(text, parsed.table);
    parsed.read.note(&mut cx);
    table::tree_analyze(
        &parsed.tree,
        cx,
        CFamily::new(parsed.dialect == Dialect::Cplusplus),
    )
}

/// Analyses C, or a header that may hold C++.
#[cfg(feature = "c")]
pub(super) fn c_analyze(text: &str) -> Result<FileFacts, Skip> {
    #[cfg(feature = "cpp")]
    if looks_like_cplusplus(text) && looks_like_cplusplus(&readable(text, Dialect::C).text) {
        // The C grammar parses `namespace a { }` as a function.
        let cpp = parsed(text, &CPP, Dialect::Cplusplus)?;
        if cpp.errors > 0
            && let Ok(c) = parsed(text, &C, Dialect::C)
            && c.errors == 0
        {
            return facts(text, c);
        }
        return facts(text, cpp);
    }
    facts(text, parsed(text, &C, Dialect::C)?)
}

/// Whether a line begins in a way that only C++ allows.
#[cfg(all(feature = "c", feature = "cpp"))]
fn looks_like_cplusplus(text: &str) -> bool {
    let is_code = |rest: &str| {
        rest.chars()
            .all(|c| c.is_alphanumeric() || "_ :{};<>,()&*=".contains(c))
    };
    text.lines().any(|line| {
        let line = line.trim();
        if !line.starts_with(['c', 'n', 't', 'u', 'p']) {
            return false;
        }
        // Prose may begin with these words too, but has less punctuation.
        let marks = [
            ("class ", "{:;"),
            ("namespace ", "{"),
            ("template", "<"),
            ("using ", "=:"),
            ("using namespace ", ";"),
        ];
        matches!(line, "public:" | "private:" | "protected:")
            || marks.iter().any(|(word, signs)| {
                line.strip_prefix(word).is_some_and(|rest| {
                    is_code(rest) && (rest.contains(|c| signs.contains(c)) || !rest.contains(' '))
                })
            })
    })
}

/// Analyses C++.
#[cfg(feature = "cpp")]
pub(super) fn cpp_analyze(text: &str) -> Result<FileFacts, Skip> {
    facts(text, parsed(text, &CPP, Dialect::Cplusplus)?)
}
