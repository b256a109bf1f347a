//! Helper functions that inspect a single Python syntax node.

use ruff_python_ast::{Comprehension, Expr, Parameters, StmtFunctionDef};
use ruff_text_size::TextRange;

pub(super) fn comprehension(generators: &[Comprehension]) -> usize {
    generators
        .iter()
        .map(|generator| 1 + generator.ifs.len())
        .sum()
}

/// Whether an `except` names something narrower than every exception.
pub(super) fn is_specific(expr: &Expr) -> bool {
    match expr {
        Expr::Name(name) => !matches!(name.id.as_str(), "Exception" | "BaseException"),
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_specific),
        _ => true,
    }
}

/// Whether a `raise` in a handler creates a new exception instead of raising the caught one.
pub(super) fn raises_new(exception: &Expr, caught: Option<&str>) -> bool {
    match exception {
        Expr::Call(call) => match call.func.as_ref() {
            // `raise error.with_traceback(...)` raises the caught one.
            Expr::Attribute(attribute) => {
                !matches!(attribute.value.as_ref(), Expr::Name(name) if Some(name.id.as_str()) == caught)
            }
            _ => true,
        },
        // A capitalised name is a class; a lower-case name is a variable with any value.
        Expr::Name(name) => {
            Some(name.id.as_str()) != caught
                && name
                    .id
                    .as_str()
                    .starts_with(|first: char| first.is_uppercase())
        }
        _ => false,
    }
}

pub(super) fn parameter_count(parameters: &Parameters) -> u32 {
    u32::try_from(parameters.len()).unwrap_or(u32::MAX)
}

/// Whether a function annotates each of its parameters and what it returns. `None` if it has no parameters of its own,
/// is an overload or a setter, or opts out. As for mypy, an `__init__` with annotated parameters need not say that it
/// returns nothing.
pub(super) fn is_annotated(function: &StmtFunctionDef, is_method: bool) -> Option<bool> {
    let decorators = || {
        let expressions = function.decorator_list.iter().map(|one| &one.expression);
        expressions.filter_map(decorator_path)
    };
    let is_exempt = |name| matches!(name, "overload" | "setter" | "no_type_check");
    if decorators().any(is_exempt) {
        return None;
    }
    let parameters = &function.parameters;
    let has_receiver = is_method
        && !(parameters.posonlyargs.is_empty() && parameters.args.is_empty())
        && !decorators().any(|name| name == "staticmethod");
    let mut own = parameters.iter().skip(usize::from(has_receiver)).peekable();
    own.peek()?;
    let returns = function.returns.is_some()
        || matches!(function.name.as_str(), "__init__" | "__init_subclass__");
    Some(returns && own.all(|parameter| parameter.annotation().is_some()))
}

/// The last name in a decorator's path: `override` of `@typing.override`, `setter` of `@x.setter`.
pub(super) fn decorator_path(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        Expr::Call(call) => decorator_path(&call.func),
        _ => None,
    }
}

/// Where `def`, `async def` or `class` begins, after the decorators that the statement's range includes.
pub(super) fn keyword_start(text: &str, name: u32, range: TextRange) -> u32 {
    let before = text
        .get(range.start().to_usize()..name as usize)
        .unwrap_or("");
    let words = ["async", "def", "class"];
    let mut start = name as usize;
    let mut rest = before.trim_end();
    while let Some(word) = words.iter().find(|word| rest.ends_with(*word)) {
        start = range.start().to_usize() + rest.len() - word.len();
        rest = rest[..rest.len() - word.len()].trim_end_matches([' ', '\t']);
    }
    u32::try_from(start).unwrap_or(name)
}

/// Whether a condition holds for type checkers alone: `TYPE_CHECKING`, also of `typing`.
pub(super) fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id.as_str() == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}
