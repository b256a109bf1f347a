//! Python, parsed by ruff. It recovers from syntax errors. Python 2 files have too many errors and do not parse.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_expr, walk_stmt};
use ruff_python_ast::{Decorator, ExceptHandler, Expr, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange};

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::references::{ReferenceKind, path_of};
use super::super::skip::Skip;
use super::builder::NewDefinition;
use super::{Builder, errors_tolerated};

mod flow;
mod names;
mod syntax;

use syntax::{
    comprehension, decorator_path, is_annotated, is_specific, keyword_start, parameter_count,
    raises_new,
};

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
        in_type: false,
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
    /// The open classes in the innermost function.
    classes: Vec<Class>,
    /// For each open handler of the innermost function, the name it binds.
    handlers: Vec<Option<String>>,
    /// Whether the names being walked are types.
    in_type: bool,
    /// The end of the last body that only type checkers read.
    typing_end: u32,
}

#[derive(Clone, Copy)]
struct Class {
    /// Whether it is accessible from outside.
    exported: bool,
    /// Whether it has a base, which may dictate the names of its methods.
    derived: bool,
}

impl Walk<'_> {
    /// Records the docstring of a body as a comment. Returns whether there is one.
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
            && start >= self.typing_end
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
        // pytest takes what a fixture is named for no test.
        let is_fixture = function
            .decorator_list
            .iter()
            .any(|one| decorator_path(&one.expression) == Some("fixture"));
        let is_test = (name.starts_with("test_") || name == "test") && !is_fixture;
        if is_test {
            self.builder.test_case(start);
        }
        let definition = self.builder.define(NewDefinition {
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
        if function.is_async {
            self.builder.asynchronous(definition);
        }
        if !self.builder.in_function()
            && let Some(is_annotated) = is_annotated(function, class.is_some())
        {
            self.builder.signature(is_annotated, start);
        }
        self.decorators(definition, &function.decorator_list);
        // Decorators are executed by the code around the function.
        for decorator in &function.decorator_list {
            self.visit_decorator(decorator);
        }
        self.builder.function_open(
            Some(definition),
            parameter_count(&function.parameters),
            start,
            end,
        );
        self.builder.container_open(None);
        let handlers = std::mem::take(&mut self.handlers);
        let classes = std::mem::take(&mut self.classes);
        if let Some(types) = &function.type_params {
            self.visit_type_params(types);
        }
        for parameter in function.parameters.iter() {
            let name = parameter.name();
            self.builder
                .bind(name.as_str(), name.start().to_u32(), true);
        }
        self.visit_parameters(&function.parameters);
        if let Some(returned) = &function.returns {
            self.visit_annotation(returned);
        }
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
        // Code for type checkers only does not exist at run time.
        let exported = !name.starts_with('_')
            && !in_function
            && start >= self.typing_end
            && self.classes.last().is_none_or(|outer| outer.exported);
        let bases = class
            .arguments
            .as_deref()
            .map_or(0, |arguments| arguments.args.len());
        let is_test = name.starts_with("Test");
        let definition = self.builder.define(NewDefinition {
            kind: DefinitionKind::Class,
            name,
            start,
            end: class.end().to_u32(),
            exported,
            documented,
            test: is_test,
            dictated: false,
        });
        self.decorators(definition, &class.decorator_list);
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
        if let Some(types) = &class.type_params {
            self.visit_type_params(types);
        }
        if let Some(arguments) = &class.arguments {
            for base in &arguments.args {
                self.typed(|walk| walk.visit_expr(base));
            }
            for keyword in &arguments.keywords {
                self.visit_keyword(keyword);
            }
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
        self.builder.define(NewDefinition {
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

    fn decorators(&mut self, definition: usize, decorators: &[Decorator]) {
        let paths = decorators.iter().filter_map(|decorator| {
            let called = match &decorator.expression {
                Expr::Call(call) => &call.func,
                other => other,
            };
            let written = self
                .builder
                .slice(called.start().to_u32(), called.end().to_u32());
            path_of(written)
        });
        let paths: Vec<_> = paths.collect();
        let paths = paths.iter().map(|path| &**path);
        self.builder.decorate(definition, paths);
    }

    fn import_style(&self, start: u32, style: ImportStyle) -> ImportStyle {
        if start < self.typing_end {
            ImportStyle::Types
        } else {
            style
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Walk<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::If(_) | Stmt::For(_) | Stmt::While(_) | Stmt::Try(_) | Stmt::Match(_) => {
                self.flow_statement(stmt);
            }
            Stmt::Import(import) => {
                let start = import.start().to_u32();
                for alias in &import.names {
                    let style = self.import_style(start, ImportStyle::Module);
                    self.builder.import(alias.name.as_str(), start, style);
                    if let Some(name) = &alias.asname {
                        self.builder.import_alias(name.as_str());
                    }
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
                    self.identifier(ReferenceKind::Name, alias.name.range());
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
        self.flow_handler(inner);
        self.handlers.pop();
    }

    fn visit_decorator(&mut self, decorator: &'a Decorator) {
        self.visit_expr(&decorator.expression);
    }

    fn visit_annotation(&mut self, expr: &'a Expr) {
        self.typed(|walk| walk.visit_expr(expr));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::If(choice) => return self.flow_choice(choice),
            Expr::BoolOp(operation) => return self.flow_operation(operation),
            Expr::Lambda(_) => {
                self.builder.flow_nest();
                walk_expr(self, expr);
                return self.builder.flow_unnest();
            }
            Expr::ListComp(list) => self.builder.branch(comprehension(&list.generators)),
            Expr::SetComp(set) => self.builder.branch(comprehension(&set.generators)),
            Expr::DictComp(dict) => self.builder.branch(comprehension(&dict.generators)),
            Expr::Generator(generator) => self.builder.branch(comprehension(&generator.generators)),
            _ => {
                if self.name(expr) {
                    return;
                }
            }
        }
        walk_expr(self, expr);
    }
}
