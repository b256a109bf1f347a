//! The state of the walk over a module: names, exports and doc comments that wait for their definition.

use std::borrow::Cow;
use std::collections::HashSet;

use oxc_ast::ast::{Decorator, Expression, FormalParameters};
use oxc_span::{GetSpan, Span};

use super::super::super::facts::DefinitionKind;
use super::super::super::references::path_of;
use super::super::Builder;
use super::super::builder::NewDefinition;

pub(super) struct Walk<'s, 'a> {
    pub builder: Builder<'s>,
    /// The offsets of tokens right after a JSDoc comment.
    pub documented: HashSet<u32>,
    pub exported_later: HashSet<&'a str>,
    /// The name, kind and span that the next function gets from its assignment.
    pub name: Option<NamedDefinition<'a>>,
    /// The start of the statement that contains the next definition: its doc comment is before that.
    pub anchor: Option<u32>,
    /// Whether that statement exports it.
    pub exported: bool,
    /// The open classes.
    pub classes: Vec<OpenClass>,
    /// The paths of the decorators of the next member or class.
    pub decorators: Vec<Cow<'s, str>>,
    /// Whether the language has types.
    pub is_typed: bool,
    /// The name of the last function that was declared without a body: its implementation may follow.
    pub overloaded: Option<&'a str>,
}

pub(super) struct NamedDefinition<'a> {
    pub name: Cow<'a, str>,
    pub kind: DefinitionKind,
    pub span: Span,
    pub exported: bool,
    /// Whether it is `protected`.
    pub inherited: bool,
    pub documented: bool,
    pub dictated: bool,
}

#[derive(Clone, Copy)]
pub(super) struct OpenClass {
    pub exported: bool,
    pub derived: bool,
}

impl<'a> Walk<'_, 'a> {
    /// Whether a definition is exported and documented, by the statement around it. Resets both.
    pub(super) fn statement(&mut self, start: u32, name: &str) -> (bool, bool) {
        let at_top = !self.builder.in_function() && self.classes.is_empty();
        let exported =
            std::mem::take(&mut self.exported) || (at_top && self.exported_later.contains(name));
        let anchor = self.anchor.take();
        let documented = self.documented.contains(&start)
            || anchor.is_some_and(|at| self.documented.contains(&at));
        (exported, documented)
    }

    /// Stores the decorators of the next member or class.
    pub(super) fn decorated(&mut self, decorators: &[Decorator<'a>]) {
        self.decorators = decorators
            .iter()
            .filter_map(|one| {
                let called = match &one.expression {
                    Expression::CallExpression(call) => &call.callee,
                    other => other,
                };
                let span = called.span();
                path_of(self.builder.slice(span.start, span.end))
            })
            .collect();
    }

    pub(super) fn define(&mut self, kind: DefinitionKind, name: &str, span: Span) -> usize {
        let (exported, documented) = self.statement(span.start, name);
        self.found(&NamedDefinition {
            name: Cow::Borrowed(name),
            kind,
            span,
            exported,
            inherited: false,
            documented,
            dictated: false,
        })
    }

    pub(super) fn found(&mut self, named: &NamedDefinition<'_>) -> usize {
        let definition = self.builder.define(NewDefinition {
            kind: named.kind,
            name: &named.name,
            start: named.span.start,
            end: named.span.end,
            exported: named.exported,
            documented: named.documented,
            test: false,
            dictated: named.dictated,
        });
        let decorators = std::mem::take(&mut self.decorators);
        let decorators = decorators.iter().map(|path| &**path);
        self.builder.decorate(definition, decorators);
        if named.inherited {
            self.builder.inherited(definition);
        }
        definition
    }

    /// Opens a function under the pending name, or its own.
    pub(super) fn function(
        &mut self,
        own: Option<(&str, bool)>,
        span: Span,
        parameters: &FormalParameters<'a>,
        asynchronous: bool,
    ) {
        let definition = match self.name.take() {
            Some(named) => Some(self.found(&named)),
            None => match own {
                // A declaration is exported by its statement; an expression's own name is local to the expression.
                Some((name, true)) => Some(self.define(DefinitionKind::Function, name, span)),
                Some((name, false)) => {
                    let named = NamedDefinition {
                        name: Cow::Borrowed(name),
                        kind: DefinitionKind::Function,
                        span,
                        exported: std::mem::take(&mut self.exported),
                        inherited: false,
                        documented: self
                            .anchor
                            .take()
                            .is_some_and(|at| self.documented.contains(&at)),
                        // The function is passed on where it is written; nothing has to refer to it by this name.
                        dictated: true,
                    };
                    Some(self.found(&named))
                }
                None => None,
            },
        };
        if let (Some(definition), true) = (definition, asynchronous) {
            self.builder.asynchronous(definition);
        }
        self.exported = false;
        self.anchor = None;
        let count = parameters.items.len() + usize::from(parameters.rest.is_some());
        self.builder.function_open(
            definition,
            u32::try_from(count).unwrap_or(u32::MAX),
            span.start,
            span.end,
        );
        self.builder.container_open(None);
    }

    /// Records whether a function that is about to open states the type that it returns.
    pub(super) fn signature(&mut self, returns: bool, start: u32) {
        if self.is_typed && !self.builder.in_function() {
            self.builder.signature(returns, start);
        }
    }

    pub(super) fn function_end(&mut self) {
        self.builder.container_close();
        self.builder.function_close();
    }
}
