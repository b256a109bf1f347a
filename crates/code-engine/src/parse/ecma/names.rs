//! The names that a module references.

use std::borrow::Cow;

use oxc_ast::ast::{
    CallExpression, Expression, ImportDeclarationSpecifier, JSXElementName, MemberExpression,
    ModuleExportName, TSTypeName,
};
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

use super::super::super::facts::ImportStyle;
use super::super::super::references::{ReferenceKind, path_of};
use super::shape::is_test_call;
use super::walk::Walk;

impl<'a> Walk<'_, 'a> {
    pub(super) fn name(&mut self, kind: ReferenceKind, span: Span) {
        let name = self.builder.slice(span.start, span.end);
        self.builder
            .reference(kind, Cow::Borrowed(name), span.start);
    }

    /// Records a path of names only: a qualified type, a component from a module.
    fn path(&mut self, kind: ReferenceKind, span: Span) {
        if let Some(path) = path_of(self.builder.slice(span.start, span.end)) {
            self.builder.reference(kind, path, span.start);
        }
    }

    /// Records the expression that is called, constructed or used as a tag.
    pub(super) fn callee(&mut self, callee: &Expression<'a>) {
        match callee {
            Expression::Identifier(name) => self.name(ReferenceKind::Call, name.span),
            other => match other.as_member_expression() {
                Some(member) => self.chain(ReferenceKind::Call, member),
                None => self.visit_expression(other),
            },
        }
    }

    /// Records a chain of members: its path, or the path after an unnamed expression at its beginning.
    pub(super) fn chain(&mut self, kind: ReferenceKind, outermost: &MemberExpression<'a>) {
        let span = outermost.span();
        if let MemberExpression::ComputedMemberExpression(computed) = outermost {
            self.visit_expression(&computed.object);
            self.visit_expression(&computed.expression);
            return;
        }
        let mut base = outermost.object();
        loop {
            base = match base {
                Expression::StaticMemberExpression(member) => &member.object,
                Expression::PrivateFieldExpression(member) => &member.object,
                Expression::TSNonNullExpression(inner) => &inner.expression,
                _ => break,
            };
        }
        let named = matches!(
            base,
            Expression::Identifier(_) | Expression::ThisExpression(_) | Expression::Super(_)
        );
        let from = if named {
            base.span().start
        } else {
            base.span().end
        };
        let path = path_of(self.builder.slice(from, span.end));
        let told = path.is_some();
        match (path, outermost) {
            (Some(path), _) => self.builder.reference(kind, path, span.start),
            // The chain contains a comment: at least the last name is recorded.
            (None, MemberExpression::StaticMemberExpression(member)) => {
                let path = Cow::Owned(format!(".{}", member.property.name));
                self.builder.reference(kind, path, span.start);
            }
            (None, _) => {}
        }
        if !named || !told {
            self.visit_expression(base);
        }
    }

    pub(super) fn type_name(&mut self, kind: ReferenceKind, name: &TSTypeName<'a>) {
        match name {
            TSTypeName::IdentifierReference(name) => self.name(kind, name.span),
            TSTypeName::QualifiedName(name) => self.path(kind, name.span),
            TSTypeName::ThisExpression(_) => {}
        }
    }

    /// Records a component as called by its element. An HTML element is not a reference.
    pub(super) fn element(&mut self, name: &JSXElementName<'a>) {
        match name {
            JSXElementName::IdentifierReference(name) => self.name(ReferenceKind::Call, name.span),
            JSXElementName::MemberExpression(member) => {
                self.path(ReferenceKind::Call, member.span);
            }
            _ => {}
        }
    }

    /// Records an imported name. A default import has its local name, which is usually its own.
    pub(super) fn imported(&mut self, specifier: &ImportDeclarationSpecifier<'a>) {
        match specifier {
            ImportDeclarationSpecifier::ImportSpecifier(one) => self.module_name(&one.imported),
            ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => {
                self.name(ReferenceKind::Name, one.local.span);
            }
            ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => {}
        }
    }

    pub(super) fn module_name(&mut self, name: &ModuleExportName<'a>) {
        if let ModuleExportName::IdentifierName(_) | ModuleExportName::IdentifierReference(_) = name
        {
            self.name(ReferenceKind::Name, name.span());
        }
    }

    /// Records a call that loads a module or defines a test case.
    pub(super) fn call_meaning(&mut self, it: &CallExpression<'a>) {
        match &it.callee {
            Expression::Identifier(name) if name.name == "require" => {
                if let Some(Expression::StringLiteral(source)) =
                    it.arguments.first().and_then(|one| one.as_expression())
                {
                    self.builder
                        .import(source.value.as_str(), it.span.start, ImportStyle::Require);
                }
            }
            callee if it.arguments.len() > 1 && is_test_call(callee) => {
                self.builder.test_case(it.span.start);
            }
            _ => {}
        }
    }
}
