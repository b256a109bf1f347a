//! Python, read by ruff's parser. It recovers from syntax errors; a file in Python 2 has too many of them.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, walk_except_handler, walk_expr, walk_stmt,
};
use ruff_python_ast::{ExceptHandler, Expr, Parameters, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange};

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::skip::Skip;
use super::builder::Found;
use super::{Builder, errors_tolerated};

pub(super) fn analyze(text: &str) -> Result<FileFacts, Skip> {
    let Some(parsed) = parse_unchecked(text, ParseOptions::from(Mode::Module)).try_into_module()
    else {
        return Err(Skip::DoesNotParse);
    };
    if parsed.errors().len() > errors_tolerated(text) {
        return Err(Skip::DoesNotParse);
    }
    let mut walk = Walk {
        builder: Builder::new(text),
        classes: Vec::new(),
        handlers: Vec::new(),
        typing_end: 0,
    };
    walk.builder.syntax_errors(parsed.errors().len());
    for token in parsed
        .tokens()
        .iter()
        .filter(|token| token.kind() == TokenKind::Comment)
    {
        walk.builder
            .comment(token.start().to_u32(), token.end().to_u32());
    }
    walk.docstring(parsed.suite());
    for statement in parsed.suite() {
        walk.visit_stmt(statement);
    }
    Ok(walk.builder.finish())
}

struct Walk<'s> {
    builder: Builder<'s>,
    /// The classes that are open in the innermost function.
    classes: Vec<Class>,
    /// For each open handler of the innermost function, the name it binds.
    handlers: Vec<Option<String>>,
    /// Where the last body ends that only type checkers read.
    typing_end: u32,
}

#[derive(Clone, Copy)]
struct Class {
    /// Whether it may be seen from outside.
    exported: bool,
    /// Whether it has a base, which may dictate the names of its methods.
    derived: bool,
}

impl Walk<'_> {
    /// Records the docstring of a body as a comment; says whether there is one.
    fn docstring(&mut self, body: &[Stmt]) -> bool {
        let Some(Stmt::Expr(first)) = body.first() else {
            return false;
        };
        if !first.value.is_string_literal_expr() {
            return false;
        }
        self.builder
            .comment(first.start().to_u32(), first.end().to_u32());
        true
    }

    fn function(&mut self, function: &StmtFunctionDef) {
        let name = function.name.as_str();
        let class = self.classes.last().copied();
        let start = function.name.start().to_u32();
        let start = keyword_start(self.builder.text, start, function.range());
        let end = function.end().to_u32();
        let documented = self.docstring(&function.body);
        let dunder = name.starts_with("__") && name.ends_with("__");
        let exported = !name.starts_with('_')
            && match class {
                Some(class) => class.exported,
                None => !self.builder.in_function(),
            };
        let decorated = function.decorator_list.iter().any(|decorator| {
            let path = decorator_path(&decorator.expression);
            matches!(
                path,
                Some("overload" | "override" | "setter" | "getter" | "deleter")
            )
        });
        let is_test = name.starts_with("test_") || name == "test";
        if is_test {
            self.builder.test_case(start);
        }
        let definition = self.builder.define(Found {
            kind: if class.is_some() {
                DefinitionKind::Method
            } else {
                DefinitionKind::Function
            },
            name,
            start,
            end,
            exported,
            documented,
            test: is_test,
            dictated: dunder || decorated || class.is_some_and(|class| class.derived),
        });
        self.builder.function_open(
            Some(definition),
            parameter_count(&function.parameters),
            start,
            end,
        );
        self.builder.container_open(None);
        let handlers = std::mem::take(&mut self.handlers);
        let classes = std::mem::take(&mut self.classes);
        for decorator in &function.decorator_list {
            self.visit_decorator(decorator);
        }
        self.visit_parameters(&function.parameters);
        self.visit_body(&function.body);
        self.classes = classes;
        self.handlers = handlers;
        self.builder.container_close();
        self.builder.function_close();
    }

    fn class(&mut self, class: &StmtClassDef) {
        let name = class.name.as_str();
        let start = keyword_start(
            self.builder.text,
            class.name.start().to_u32(),
            class.range(),
        );
        let documented = self.docstring(&class.body);
        let in_function = self.builder.in_function();
        let exported = !name.starts_with('_')
            && !in_function
            && self.classes.last().is_none_or(|outer| outer.exported);
        let bases = class
            .arguments
            .as_deref()
            .map_or(0, |arguments| arguments.args.len());
        let is_test = name.starts_with("Test");
        self.builder.define(Found {
            kind: DefinitionKind::Class,
            name,
            start,
            end: class.end().to_u32(),
            exported,
            documented,
            test: is_test,
            dictated: false,
        });
        if is_test {
            self.builder.test_open();
        }
        self.builder.container_open(Some(name.to_owned()));
        self.classes.push(Class {
            exported,
            derived: bases > 0,
        });
        for decorator in &class.decorator_list {
            self.visit_decorator(decorator);
        }
        self.visit_body(&class.body);
        self.classes.pop();
        self.builder.container_close();
        if is_test {
            self.builder.test_close();
        }
    }

    /// A constant is an upper-case name that the module or a class binds once to something at its top level.
    fn constant(&mut self, target: &Expr, range: TextRange) {
        let Expr::Name(name) = target else { return };
        let name = name.id.as_str();
        let upper = name.bytes().any(|byte| byte.is_ascii_uppercase())
            && !name.bytes().any(|byte| byte.is_ascii_lowercase());
        if !upper || self.builder.in_function() {
            return;
        }
        self.builder.define(Found {
            kind: DefinitionKind::Constant,
            name,
            start: range.start().to_u32(),
            end: range.end().to_u32(),
            exported: !name.starts_with('_')
                && self.classes.last().is_none_or(|class| class.exported),
            documented: false,
            test: false,
            dictated: false,
        });
    }

    fn import_style(&self, start: u32, style: ImportStyle) -> ImportStyle {
        if start < self.typing_end {
            ImportStyle::Types
        } else {
            style
        }
    }

    fn nested(&mut self, stmt: &Stmt) {
        self.builder.nest();
        walk_stmt(self, stmt);
        self.builder.unnest();
    }
}

impl<'a> SourceOrderVisitor<'a> for Walk<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::If(branch) => {
                if is_type_checking(&branch.test) {
                    self.typing_end = branch.body.last().map_or(0, |last| last.end().to_u32());
                }
                // One for `if`, one for each `elif`; an `else` has no test.
                self.builder.branch(
                    1 + branch
                        .elif_else_clauses
                        .iter()
                        .filter(|clause| clause.test.is_some())
                        .count(),
                );
                self.nested(stmt);
            }
            Stmt::For(_) | Stmt::While(_) => {
                self.builder.branch(1);
                self.nested(stmt);
            }
            Stmt::Try(attempt) => {
                self.builder
                    .branch(attempt.handlers.len() + usize::from(!attempt.finalbody.is_empty()));
                self.nested(stmt);
            }
            Stmt::Match(choice) => {
                self.builder.branch(
                    choice
                        .cases
                        .iter()
                        .filter(|case| case.guard.is_some())
                        .count(),
                );
                self.nested(stmt);
            }
            Stmt::Import(import) => {
                let start = import.start().to_u32();
                for alias in &import.names {
                    let style = self.import_style(start, ImportStyle::Module);
                    self.builder.import(alias.name.as_str(), start, style);
                }
            }
            Stmt::ImportFrom(import) => {
                let mut module = ".".repeat(import.level as usize);
                module.push_str(import.module.as_ref().map_or("", |module| module.as_str()));
                let wildcard = import.names.iter().any(|alias| alias.name.as_str() == "*");
                let style = if wildcard {
                    ImportStyle::Wildcard
                } else {
                    ImportStyle::Names
                };
                let start = import.start().to_u32();
                let style = self.import_style(start, style);
                self.builder.import(&module, start, style);
                for alias in import.names.iter().filter(|_| !wildcard) {
                    self.builder.import_name(alias.name.as_str());
                }
            }
            Stmt::Assign(assign) => {
                if let [target] = assign.targets.as_slice() {
                    self.constant(target, assign.range());
                }
                walk_stmt(self, stmt);
            }
            Stmt::AnnAssign(assign) => {
                self.constant(&assign.target, assign.range());
                walk_stmt(self, stmt);
            }
            Stmt::Raise(raise) => {
                if let (Some(caught), Some(exception)) =
                    (self.handlers.last(), raise.exc.as_deref())
                    && raises_new(exception, caught.as_deref())
                {
                    let sign = if raise.cause.is_some() {
                        Sign::RaiseChained
                    } else {
                        Sign::RaiseUnchained
                    };
                    self.builder.sign(sign, raise.start().to_u32());
                }
                walk_stmt(self, stmt);
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        let sign = if inner.type_.as_deref().is_some_and(is_specific) {
            Sign::CatchSpecific
        } else {
            Sign::CatchBroad
        };
        self.builder.sign(sign, inner.start().to_u32());
        self.handlers
            .push(inner.name.as_ref().map(|name| name.as_str().to_owned()));
        walk_except_handler(self, handler);
        self.handlers.pop();
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::If(_) => self.builder.branch(1),
            Expr::BoolOp(operation) => self
                .builder
                .branch(operation.values.len().saturating_sub(1)),
            Expr::ListComp(list) => self.builder.branch(comprehension(&list.generators)),
            Expr::SetComp(set) => self.builder.branch(comprehension(&set.generators)),
            Expr::DictComp(dict) => self.builder.branch(comprehension(&dict.generators)),
            Expr::Generator(generator) => self.builder.branch(comprehension(&generator.generators)),
            _ => {}
        }
        walk_expr(self, expr);
    }
}

fn comprehension(generators: &[ruff_python_ast::Comprehension]) -> usize {
    generators
        .iter()
        .map(|generator| 1 + generator.ifs.len())
        .sum()
}

/// Whether an `except` names something narrower than every exception.
fn is_specific(expr: &Expr) -> bool {
    match expr {
        Expr::Name(name) => !matches!(name.id.as_str(), "Exception" | "BaseException"),
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_specific),
        _ => true,
    }
}

/// Whether a `raise` in a handler makes an exception, other than the one that was caught.
fn raises_new(exception: &Expr, caught: Option<&str>) -> bool {
    match exception {
        Expr::Call(call) => match call.func.as_ref() {
            // `raise error.with_traceback(...)` raises the caught one.
            Expr::Attribute(attribute) => {
                !matches!(attribute.value.as_ref(), Expr::Name(name) if Some(name.id.as_str()) == caught)
            }
            _ => true,
        },
        // A class by its name; a lower-case name is a variable, whatever it holds.
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

fn parameter_count(parameters: &Parameters) -> u32 {
    u32::try_from(parameters.len()).unwrap_or(u32::MAX)
}

/// The last name of a decorator: `override` of `@typing.override`, `setter` of `@x.setter`.
fn decorator_path(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        Expr::Call(call) => decorator_path(&call.func),
        _ => None,
    }
}

/// Where `def`, `async def` or `class` begins, after the decorators that the statement's range includes.
fn keyword_start(text: &str, name: u32, range: TextRange) -> u32 {
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
fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id.as_str() == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}
