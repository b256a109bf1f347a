//! Helper functions that inspect a single syntax node.

use std::collections::HashSet;

use oxc_ast::ast::{ExportDefaultDeclarationKind, Expression, Statement};

/// Collects the names that a statement exports apart from their definition: `export { a, b as c }`, `export default a`,
/// `module.exports = a`.
pub(super) fn names_exported_apart<'a>(statement: &Statement<'a>, names: &mut HashSet<&'a str>) {
    match statement {
        Statement::ExportNamedDeclaration(export) => {
            names.extend(
                export
                    .specifiers
                    .iter()
                    .map(|specifier| specifier.local.name().as_str()),
            );
        }
        Statement::ExportDefaultDeclaration(export) => {
            if let ExportDefaultDeclarationKind::Identifier(identifier) = &export.declaration {
                names.insert(identifier.name.as_str());
            }
        }
        _ => {}
    }
}

pub(super) fn is_function(expression: &Expression<'_>) -> bool {
    matches!(
        expression,
        Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)
    )
}

/// Whether a default export is what a function of a framework defines, as `defineNuxtPlugin(() => {})`: the framework
/// asks for a default export.
pub(super) fn is_framework_definition(declaration: &ExportDefaultDeclarationKind<'_>) -> bool {
    let Some(Expression::CallExpression(call)) = declaration.as_expression() else {
        return false;
    };
    let name = call
        .callee
        .get_identifier_reference()
        .map(|callee| callee.name.as_str());
    let thing = name.and_then(|name| name.strip_prefix("define"));
    thing.is_some_and(|thing| thing.starts_with(char::is_uppercase))
}

/// Whether a function states the type that it returns. An arrow function may do so by its value too: a function that
/// states its type, or a cast.
pub(super) fn has_return_type(function: &Expression<'_>) -> bool {
    let mut expression = function;
    loop {
        match expression.without_parentheses() {
            Expression::FunctionExpression(function) => return function.return_type.is_some(),
            Expression::ArrowFunctionExpression(arrow) if arrow.return_type.is_some() => {
                return true;
            }
            Expression::ArrowFunctionExpression(arrow) => match arrow.body.as_expression() {
                Some(value) => expression = value,
                None => return false,
            },
            Expression::TSAsExpression(_) | Expression::TSTypeAssertion(_) => return true,
            _ => return false,
        }
    }
}

/// Whether the callee is a function of a test framework that defines one test case.
pub(super) fn is_test_call(callee: &Expression<'_>) -> bool {
    match callee {
        Expression::Identifier(name) => matches!(name.name.as_str(), "it" | "test"),
        Expression::StaticMemberExpression(member) => match &member.object {
            Expression::Identifier(name) => {
                matches!(name.name.as_str(), "it" | "test")
                    && matches!(
                        member.property.name.as_str(),
                        "only" | "skip" | "each" | "todo" | "concurrent" | "fails"
                    )
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether the value of a constant is a literal, so that the name is a constant's and no component's or function's.
pub(super) fn is_plain_value(expression: &Expression<'_>) -> bool {
    match expression {
        Expression::StringLiteral(_)
        | Expression::NumericLiteral(_)
        | Expression::BooleanLiteral(_)
        | Expression::BigIntLiteral(_)
        | Expression::RegExpLiteral(_)
        | Expression::TemplateLiteral(_) => true,
        Expression::TSAsExpression(cast) => is_plain_value(&cast.expression),
        Expression::UnaryExpression(unary) => is_plain_value(&unary.argument),
        Expression::BinaryExpression(binary) => {
            is_plain_value(&binary.left) && is_plain_value(&binary.right)
        }
        _ => false,
    }
}
