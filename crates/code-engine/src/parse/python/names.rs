//! The names that a Python file references.

use std::borrow::Cow;

use ruff_python_ast::visitor::source_order::SourceOrderVisitor;
use ruff_python_ast::{Expr, ExprContext};
use ruff_text_size::{Ranged, TextRange};

use super::super::super::references::{ReferenceKind, path_of};
use super::Walk;

impl Walk<'_> {
    /// Walks code in the position of a type.
    pub(super) fn typed(&mut self, walk: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.in_type, true);
        walk(self);
        self.in_type = before;
    }

    /// Handles a name, a chain of names or a call: records its names and walks its other parts. Returns whether the
    /// expression was one of these.
    pub(super) fn name(&mut self, expr: &Expr) -> bool {
        let kind = if self.in_type {
            ReferenceKind::Type
        } else {
            ReferenceKind::Name
        };
        match expr {
            Expr::Name(name) => {
                // An assigned or deleted name is bound here, in the whole function.
                if name.ctx == ExprContext::Load {
                    self.identifier(kind, name.range());
                } else {
                    self.builder
                        .bind(name.id.as_str(), name.start().to_u32(), true);
                }
                true
            }
            Expr::Attribute(_) => {
                self.chain(kind, expr);
                true
            }
            Expr::Call(call) => {
                match call.func.as_ref() {
                    Expr::Name(name) => self.identifier(ReferenceKind::Call, name.range()),
                    Expr::Attribute(_) => self.chain(ReferenceKind::Call, &call.func),
                    other => self.visit_expr(other),
                }
                let before = std::mem::take(&mut self.in_type);
                self.visit_arguments(&call.arguments);
                self.in_type = before;
                true
            }
            Expr::Subscript(subscript) if self.in_type => {
                self.visit_expr(&subscript.value);
                let last = match subscript.value.as_ref() {
                    Expr::Name(name) => name.id.as_str(),
                    Expr::Attribute(attribute) => attribute.attr.as_str(),
                    _ => "",
                };
                // The arguments of `Literal` are values, and so are those of `Annotated` except the first.
                let is_type = last != "Literal";
                let before = std::mem::replace(&mut self.in_type, is_type);
                match subscript.slice.as_ref() {
                    Expr::Tuple(tuple) if last == "Annotated" => {
                        for one in &tuple.elts {
                            self.visit_expr(one);
                            self.in_type = false;
                        }
                    }
                    slice => self.visit_expr(slice),
                }
                self.in_type = before;
                true
            }
            // A type in quotes, because it is not defined yet.
            Expr::StringLiteral(literal) if self.in_type => {
                self.quoted(literal.range());
                true
            }
            _ => false,
        }
    }

    pub(super) fn identifier(&mut self, kind: ReferenceKind, range: TextRange) {
        let (start, end) = (range.start().to_u32(), range.end().to_u32());
        let name = self.builder.slice(start, end);
        self.builder.reference(kind, Cow::Borrowed(name), start);
    }

    /// Records a chain of attributes: its path, or the path after an unnamed expression at its beginning.
    fn chain(&mut self, kind: ReferenceKind, outermost: &Expr) {
        let mut base = outermost;
        while let Expr::Attribute(attribute) = base {
            base = &attribute.value;
        }
        let mut named = base.is_name_expr();
        let from = if named { base.start() } else { base.end() };
        let end = outermost.end().to_u32();
        let written = self.builder.slice(from.to_u32(), end);
        // A parenthesis around the first expression closes after it, and white space may follow.
        let written = written.trim_start_matches([')', ' ', '\n', '\t']);
        match path_of(written) {
            Some(path) => self
                .builder
                .reference(kind, path, outermost.start().to_u32()),
            None => {
                named = false;
                if let Expr::Attribute(attribute) = outermost {
                    let path = Cow::Owned(format!(".{}", attribute.attr.as_str()));
                    self.builder
                        .reference(kind, path, outermost.start().to_u32());
                }
            }
        }
        if !named {
            self.visit_expr(base);
        }
    }

    /// Records the names in a quoted type.
    fn quoted(&mut self, range: TextRange) {
        let start = range.start().to_u32();
        let written = self.builder.slice(start, range.end().to_u32());
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        for path in written.split(|c| !is_word(c)) {
            if path.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                self.builder
                    .reference(ReferenceKind::Type, Cow::Borrowed(path), start);
            }
        }
    }
}
