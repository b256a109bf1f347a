//! Names in PHP: functions, classes and constants with namespaces, and members accessed with `->` and `::`.

use std::borrow::Cow;

use tree_sitter::Node;

use super::super::super::references::{ReferenceKind, path_of};
use super::super::syntax_tree::range;
use super::super::table::{Above, Context, Role};
use super::{FIELDS, Kind, Php, kind};

impl Php {
    /// Records a name, with its namespace if it has one. Always returns `false`: the walk need not go into it.
    pub(super) fn name(
        &mut self,
        cx: &mut Context<'_>,
        node: Node<'_>,
        above: &[Above<'_>],
    ) -> bool {
        let (start, end) = range(node);
        let called = self.callee.take_if(|at| *at == start).is_some();
        if self.is_recorded(start, end) {
            return false;
        }
        let Some(around) = above.last() else {
            return false;
        };
        let use_kind = match around.role {
            _ if called => ReferenceKind::Call,
            Role::Function | Role::Container | Role::Jump => return false,
            Role::BindsFirst if around.node.start_byte() == node.start_byte() => return false,
            Role::Types => ReferenceKind::Type,
            Role::Binary
                if around
                    .node
                    .child_by_field_id(FIELDS.operator)
                    .is_some_and(|operator| operator.kind() == "instanceof") =>
            {
                ReferenceKind::Type
            }
            // `name: value` names a parameter.
            Role::Other if around.node.child_by_field_id(FIELDS.name) == Some(node) => {
                return false;
            }
            _ => ReferenceKind::Name,
        };
        let written = cx.builder.slice(start, end);
        if !written.starts_with("__")
            && let Some(path) = path_of(written.trim_start_matches('\\'))
        {
            cx.builder.reference(use_kind, path, start);
        }
        false
    }

    /// Records a member access. The outermost access of a chain is recorded with the whole path; after an unnamed
    /// expression, only the member's own name is recorded.
    pub(super) fn member(&mut self, cx: &mut Context<'_>, node: Node<'_>, _above: &[Above<'_>]) {
        let start = range(node).0;
        let called = kind(node) == Kind::MemberCall;
        let last = node.child_by_field_id(FIELDS.name).or_else(|| {
            let count = u32::try_from(node.named_child_count()).ok()?;
            node.named_child(count.checked_sub(1)?)
        });
        let Some(last) = last else { return };
        let (at, end) = range(last);
        if end <= self.covered_to || !matches!(last.kind(), "name" | "variable_name") {
            return;
        }
        let reference = if called {
            ReferenceKind::Call
        } else {
            ReferenceKind::Name
        };
        let written = cx.builder.slice(start, end).trim_start_matches('\\');
        let known = written.starts_with(|c: char| c.is_alphabetic() || matches!(c, '$' | '_'));
        match path_of(written).filter(|_| known) {
            Some(path) => {
                cx.builder.reference(reference, path, start);
                self.covered_to = end;
            }
            None => {
                let path = format!(".{}", cx.builder.slice(at, end));
                cx.builder.reference(reference, Cow::Owned(path), at);
                self.recorded.push(at);
            }
        }
    }
}
