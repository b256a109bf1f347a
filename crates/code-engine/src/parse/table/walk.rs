//! The tree walk, which applies the meaning of each role.
//!
//! Longer than 450 lines: one walk gives every role its meaning.

use std::num::NonZeroU16;

use tree_sitter::{Node, Tree};

use super::super::super::facts::DefinitionKind;
use super::super::super::references::ReferenceKind;
use super::super::builder::{LogicalOperator, NewDefinition};
use super::super::modifiers::Modifiers;
use super::super::syntax_tree::range;
use super::{Above, Context, Role, Scope, Shape};

/// The scope that a node opened, to be closed on leaving the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenScope {
    Function {
        body: bool,
        test: bool,
    },
    Closure,
    Lambda,
    Container {
        test: bool,
    },
    /// A conditional that does not continue another.
    Nest,
}

struct Walk<'w, 's, S> {
    cx: &'w mut Context<'s>,
    shape: &'w mut S,
    /// The open scopes, with the ids of their nodes.
    opened: Vec<(usize, OpenScope)>,
    /// Logical operators of open operations: the id of the operation, the operator and its offset.
    operators: Vec<(usize, LogicalOperator, u32)>,
    /// Operators before this offset belong to a directive and do not count.
    quiet_to: u32,
}

/// Walks the tree in the order of the source. The ancestors are kept here, because tree-sitter searches a node's parent
/// from the root each time.
pub(super) fn walk<S: Shape>(tree: &Tree, cx: &mut Context<'_>, shape: &mut S) {
    let table = cx.table;
    let mut walk = Walk {
        cx,
        shape,
        opened: Vec::new(),
        operators: Vec::new(),
        quiet_to: 0,
    };
    let mut cursor = tree.walk();
    let mut above: Vec<Above<'_>> = Vec::with_capacity(64);
    loop {
        let node = cursor.node();
        let role = table.role(node);
        let inside = match role {
            Role::Other => true,
            Role::Pass => false,
            _ => walk.enter(role, node, &above),
        };
        if inside {
            if cursor.goto_first_child() {
                above.push(Above { node, role });
                continue;
            }
            if role != Role::Other {
                walk.leave(role, node, &above);
            }
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            let Some(Above { node, role }) = above.pop() else {
                return;
            };
            if role != Role::Other {
                walk.leave(role, node, &above);
            }
        }
    }
}

impl<S: Shape> Walk<'_, '_, S> {
    fn enter(&mut self, role: Role, node: Node<'_>, above: &[Above<'_>]) -> bool {
        let around = above.last().map_or(Role::Other, |around| around.role);
        match role {
            Role::Name | Role::TypeName | Role::Chain | Role::Generic => {
                return self.reference(role, node, above);
            }
            Role::SafeChain => {
                let inside = self.reference(role, node, above);
                let conditions = if inside {
                    1
                } else {
                    self.cx.text(node).matches('?').count()
                };
                self.cx.builder.branch(conditions);
                return inside;
            }
            Role::Comment => {
                let (start, end) = range(node);
                let shape = &*self.shape;
                self.cx.comment(start, end, |text| shape.is_doc(text));
                return false;
            }
            Role::Pass => return false,
            Role::Import => {
                self.shape.import(self.cx, node);
                return false;
            }
            Role::Function => self.function(node, above),
            Role::Closure => {
                let (start, end) = range(node);
                let parameters = self.shape.closure_parameters(self.cx, node);
                self.cx.builder.function_open(None, parameters, start, end);
                self.opened.push((node.id(), OpenScope::Closure));
            }
            Role::Lambda if self.cx.builder.in_function() => {
                self.cx.builder.flow_nest();
                self.opened.push((node.id(), OpenScope::Lambda));
            }
            Role::Lambda => {
                let (start, end) = range(node);
                let parameters = self.shape.closure_parameters(self.cx, node);
                self.cx.builder.function_open(None, parameters, start, end);
                self.opened.push((node.id(), OpenScope::Closure));
            }
            Role::Container => self.container(node, above),
            Role::Constant => self.shape.constant(self.cx, node, above),
            Role::Special => return self.shape.special(self.cx, node, above),
            Role::If => {
                self.cx.builder.branch(1);
                let start = range(node).0;
                let continues = self.shape.else_may_continue()
                    && self
                        .cx
                        .else_end
                        .is_some_and(|end| end <= start && self.cx.blank(end, start));
                if !continues {
                    self.cx.builder.flow();
                    self.cx.builder.nest();
                    self.opened.push((node.id(), OpenScope::Nest));
                }
            }
            Role::Else => {
                if matches!(around, Role::If | Role::ElseClause | Role::ElseIf) {
                    self.cx.builder.flow_flat();
                    self.cx.else_end = Some(range(node).1);
                }
            }
            Role::ElseIf => {
                self.cx.builder.branch(1);
                self.cx.builder.flow_flat();
            }
            Role::Loop => {
                self.cx.builder.branch(1);
                self.cx.builder.flow();
                self.cx.builder.nest();
            }
            Role::Switch => {
                self.cx.builder.branch(self.shape.switch_branches(node));
                self.cx.builder.flow();
                self.cx.builder.nest();
            }
            Role::Case => {
                let counts = self.shape.case_counts(self.cx, node);
                self.cx.builder.branch(usize::from(counts));
            }
            Role::Condition => {
                self.cx.builder.branch(1);
                // The condition of a directive counts as one, whatever it contains.
                let condition = above
                    .last()
                    .filter(|_| !node.is_named())
                    .and_then(|around| around.node.child_by_field_name("condition"));
                if let Some(condition) = condition {
                    self.quiet_to = range(condition).1;
                }
            }
            Role::Try => self.cx.builder.depth_nest(),
            Role::Catch => {
                self.cx.builder.branch(1);
                self.cx.builder.flow();
                self.cx.builder.flow_nest();
                self.shape.catch(self.cx, node);
            }
            Role::Ternary => {
                self.cx.builder.branch(1);
                self.cx.builder.flow();
                self.cx.builder.flow_nest();
            }
            Role::And | Role::Or | Role::Coalesce => self.operator(role, range(node).0, above),
            Role::Jump if self.shape.jumps(self.cx, node) => self.cx.builder.flow_flat(),
            Role::Call | Role::New => {
                if let Some(callee) = self.shape.callee(node) {
                    if role == Role::Call {
                        self.shape.called(self.cx, node, callee);
                    }
                    self.cx.mark(callee, ReferenceKind::Call);
                }
            }
            Role::Typed => {
                let table = self.cx.table;
                let field =
                    |id: Option<NonZeroU16>| id.and_then(|id| node.child_by_field_id(id.get()));
                let (named, name) = (field(table.type_field), field(table.name_field));
                if let Some(name) = name.filter(|name| table.role(*name) == Role::Name) {
                    self.bind(name, node);
                }
                // Marks are a stack: the last name in the source is marked first.
                match (named, name) {
                    (Some(named), Some(name)) if name.start_byte() > named.start_byte() => {
                        self.cx.mark_done(name);
                        self.cx.mark(named, ReferenceKind::Type);
                    }
                    (named, name) => {
                        if let Some(named) = named {
                            self.cx.mark(named, ReferenceKind::Type);
                        }
                        if let Some(name) = name {
                            self.cx.mark_done(name);
                        }
                    }
                }
            }
            Role::Words => {
                let (start, end) = range(node);
                self.cx.words(start, end, self.shape.keywords());
                return false;
            }
            Role::Binary => {
                if let Some((operator, at)) = self.shape.word_operator(self.cx, node) {
                    self.word_operator(operator, at, node);
                }
            }
            Role::Other
            | Role::ElseClause
            | Role::Jump
            | Role::Paren
            | Role::Binds
            | Role::BindsAll
            | Role::BindsFirst
            | Role::Types => {}
        }
        true
    }

    fn leave(&mut self, role: Role, node: Node<'_>, above: &[Above<'_>]) {
        match role {
            Role::Function | Role::Closure | Role::Lambda | Role::Container | Role::If => {
                self.close(node);
            }
            Role::Loop | Role::Switch => self.cx.builder.unnest(),
            Role::Try => self.cx.builder.depth_unnest(),
            Role::Catch | Role::Ternary => self.cx.builder.flow_unnest(),
            Role::Binary => self.operation_end(node, above),
            Role::Special => self.shape.special_end(self.cx, node),
            _ => {}
        }
    }

    fn close(&mut self, node: Node<'_>) {
        let Some(&(opener, opened)) = self.opened.last() else {
            return;
        };
        if opener != node.id() {
            return;
        }
        self.opened.pop();
        match opened {
            OpenScope::Function { body, test } => {
                self.cx.scopes.pop();
                self.cx.builder.container_close();
                if body {
                    self.cx.builder.function_close();
                }
                if test {
                    self.cx.builder.test_close();
                }
            }
            OpenScope::Closure => self.cx.builder.function_close(),
            OpenScope::Lambda => self.cx.builder.flow_unnest(),
            OpenScope::Container { test } => {
                self.cx.scopes.pop();
                self.cx.builder.container_close();
                if test {
                    self.cx.builder.test_close();
                }
            }
            OpenScope::Nest => self.cx.builder.unnest(),
        }
    }

    fn function(&mut self, node: Node<'_>, above: &[Above<'_>]) {
        let Some(found) = self.shape.function(self.cx, node, above) else {
            return;
        };
        let (start, end) = (self.shape.start_of(node, above), self.cx.code_range(node).1);
        if found.test {
            self.cx.builder.test_case(start);
            self.cx.builder.test_open();
        }
        let elsewhere = found.parent.is_some();
        if let Some(parent) = found.parent {
            self.cx.builder.container_open(Some(parent.into_owned()));
        }
        let definition = self.cx.builder.define(NewDefinition {
            kind: found.kind,
            name: &found.name,
            start,
            end,
            exported: found.exported,
            documented: found.documented,
            test: found.test,
            dictated: found.dictated,
        });
        if elsewhere {
            self.cx.builder.container_close();
        }
        let modifiers = Modifiers::of(&self.cx.builder, node);
        self.cx
            .builder
            .decorate(definition, modifiers.annotations());
        self.shape.defined(self.cx, node, definition);
        if found.inherited {
            self.cx.builder.inherited(definition);
        }
        if found.asynchronous {
            self.cx.builder.asynchronous(definition);
        }
        if found.body {
            self.cx
                .builder
                .function_open(Some(definition), found.parameters, start, end);
            let hidden = self.cx.hidden_in(start, end);
            self.cx.builder.branch(hidden);
        }
        self.cx.builder.container_open(None);
        self.cx.scopes.push(Scope {
            kind: None,
            function: true,
            exported: false,
            open: false,
        });
        let (body, test) = (found.body, found.test);
        self.opened
            .push((node.id(), OpenScope::Function { body, test }));
    }

    fn container(&mut self, node: Node<'_>, above: &[Above<'_>]) {
        let Some(found) = self.shape.container(self.cx, node, above) else {
            return;
        };
        let (start, end) = (self.shape.start_of(node, above), self.cx.code_range(node).1);
        if found.test {
            self.cx.builder.test_open();
        }
        if let Some(kind) = found.kind
            && !found.name.is_empty()
        {
            let definition = self.cx.builder.define(NewDefinition {
                kind,
                name: &found.name,
                start,
                end,
                exported: found.exported,
                documented: found.documented,
                test: found.test,
                dictated: found.dictated,
            });
            let modifiers = Modifiers::of(&self.cx.builder, node);
            self.cx
                .builder
                .decorate(definition, modifiers.annotations());
        }
        // A container without a name is not a parent.
        let name = (!found.name.is_empty()).then(|| found.name.into_owned());
        self.cx.builder.container_open(name);
        self.cx.scopes.push(Scope {
            kind: found.kind.or(Some(DefinitionKind::Type)),
            function: false,
            exported: found.exported,
            open: found.open,
        });
        self.opened
            .push((node.id(), OpenScope::Container { test: found.test }));
    }

    fn reference(&mut self, role: Role, node: Node<'_>, above: &[Above<'_>]) -> bool {
        if self.cx.is_covered(node) {
            return false;
        }
        let kind = match self.cx.marked(node) {
            Some(None) => return false,
            Some(kind) => kind,
            None => self.shape.use_of(self.cx, node, role, above),
        };
        let Some(kind) = kind else {
            if role == Role::Name {
                self.bind(node, above.last().map_or(node, |around| around.node));
            }
            return false;
        };
        let (shape, open) = (&*self.shape, self.shape.generics_open());
        self.cx
            .refer(node, role, kind, open, |node| shape.last_name(node))
    }

    /// Records that the function around a declaration binds its name.
    fn bind(&mut self, name: Node<'_>, declaration: Node<'_>) {
        // A prototype in a function declares a function of another file.
        if declaration.kind() == "function_declarator" {
            return;
        }
        let written = self.cx.text(name);
        let whole = declaration.kind().contains("parameter");
        self.cx.builder.bind(written, range(name).0, whole);
    }

    fn operator(&mut self, role: Role, at: u32, above: &[Above<'_>]) {
        let Some(operation) = above.last().filter(|around| around.role == Role::Binary) else {
            return;
        };
        if at < self.quiet_to {
            return;
        }
        self.cx.builder.branch(1);
        let operator = match role {
            Role::And => LogicalOperator::And,
            Role::Or => LogicalOperator::Or,
            _ => LogicalOperator::Coalesce,
        };
        self.operators.push((operation.node.id(), operator, at));
    }

    fn word_operator(&mut self, role: Role, at: u32, operation: Node<'_>) {
        let around = [Above {
            node: operation,
            role: Role::Binary,
        }];
        self.operator(role, at, &around);
    }

    /// Ends an operation. Its operator joins those of the enclosing logical operation, or the run ends.
    fn operation_end(&mut self, node: Node<'_>, above: &[Above<'_>]) {
        let Some(&(operation, operator, at)) = self.operators.last() else {
            return;
        };
        if operation != node.id() {
            return;
        }
        self.operators.pop();
        self.cx.builder.logical(operator, at);
        let around = above
            .iter()
            .rev()
            .find(|around| around.role != Role::Paren)
            .filter(|around| around.role == Role::Binary);
        let joins = around.is_some_and(|around| self.is_logical(around.node));
        if !joins {
            self.cx.builder.logical_end(0, u32::MAX);
        }
    }

    fn is_logical(&self, operation: Node<'_>) -> bool {
        let mut cursor = operation.walk();
        let has_token = operation.children(&mut cursor).any(|child| {
            matches!(
                self.cx.table.role(child),
                Role::And | Role::Or | Role::Coalesce
            )
        });
        has_token || self.shape.word_operator(self.cx, operation).is_some()
    }
}
