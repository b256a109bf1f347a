//! Conditions, loops and exception handlers in Python, and their complexity.

use ruff_python_ast::visitor::source_order::SourceOrderVisitor;
use ruff_python_ast::{
    BoolOp, ElifElseClause, ExceptHandlerExceptHandler, Expr, ExprBoolOp, ExprIf, Stmt, StmtIf,
    StmtTry,
};
use ruff_text_size::Ranged;

use super::super::builder::LogicalOperator;
use super::Walk;
use super::syntax::is_type_checking;

impl Walk<'_> {
    pub(super) fn flow_statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::If(branch) => self.flow_if(branch),
            Stmt::For(each) => {
                self.loop_open();
                self.visit_expr(&each.target);
                self.visit_expr(&each.iter);
                self.nested(&each.body);
                self.loop_else(&each.orelse);
            }
            Stmt::While(each) => {
                self.loop_open();
                self.visit_expr(&each.test);
                self.nested(&each.body);
                self.loop_else(&each.orelse);
            }
            Stmt::Try(attempt) => self.flow_try(attempt),
            Stmt::Match(choice) => {
                // A case that matches everything is no branch, like `default` in other languages.
                let cases = choice.cases.iter().map(|case| {
                    let guards = usize::from(case.guard.is_some());
                    guards + usize::from(guards > 0 || !case.pattern.is_irrefutable())
                });
                self.builder.branch(cases.sum());
                self.builder.flow();
                self.visit_expr(&choice.subject);
                self.builder.nest();
                for case in &choice.cases {
                    self.visit_match_case(case);
                }
                self.builder.unnest();
            }
            _ => {}
        }
    }

    fn flow_if(&mut self, branch: &StmtIf) {
        if is_type_checking(&branch.test) {
            self.typing_end = branch.body.last().map_or(0, |last| last.end().to_u32());
        }
        self.builder.branch(1);
        self.builder.flow();
        self.visit_expr(&branch.test);
        self.nested(&branch.body);
        for ElifElseClause { test, body, .. } in &branch.elif_else_clauses {
            self.builder.flow_flat();
            if let Some(test) = test {
                self.builder.branch(1);
                self.visit_expr(test);
            }
            self.nested(body);
        }
    }

    fn loop_open(&mut self) {
        self.builder.branch(1);
        self.builder.flow();
    }

    /// Counts the `else` of a loop.
    fn loop_else(&mut self, body: &[Stmt]) {
        if !body.is_empty() {
            self.builder.flow_flat();
            self.nested(body);
        }
    }

    fn flow_try(&mut self, attempt: &StmtTry) {
        self.builder
            .branch(attempt.handlers.len() + usize::from(!attempt.finalbody.is_empty()));
        self.builder.depth_nest();
        self.visit_body(&attempt.body);
        for handler in &attempt.handlers {
            self.visit_except_handler(handler);
        }
        self.visit_body(&attempt.orelse);
        self.visit_body(&attempt.finalbody);
        self.builder.depth_unnest();
    }

    pub(super) fn flow_handler(&mut self, handler: &ExceptHandlerExceptHandler) {
        self.builder.flow();
        if let Some(caught) = &handler.type_ {
            self.typed(|walk| walk.visit_expr(caught));
        }
        self.builder.flow_nest();
        self.visit_body(&handler.body);
        self.builder.flow_unnest();
    }

    fn nested(&mut self, body: &[Stmt]) {
        self.builder.nest();
        self.visit_body(body);
        self.builder.unnest();
    }

    /// Walks `a if b else c`.
    pub(super) fn flow_choice(&mut self, choice: &ExprIf) {
        self.builder.branch(1);
        self.builder.flow();
        self.builder.flow_nest();
        self.visit_expr(&choice.body);
        self.visit_expr(&choice.test);
        self.visit_expr(&choice.orelse);
        self.builder.flow_unnest();
    }

    /// Walks the outermost of nested `and` and `or` operators.
    pub(super) fn flow_operation(&mut self, operation: &ExprBoolOp) {
        self.operands(operation);
        self.builder
            .logical_end(operation.start().to_u32(), operation.end().to_u32());
    }

    fn operands(&mut self, operation: &ExprBoolOp) {
        self.builder
            .branch(operation.values.len().saturating_sub(1));
        let operator = match operation.op {
            BoolOp::And => LogicalOperator::And,
            BoolOp::Or => LogicalOperator::Or,
        };
        for (index, value) in operation.values.iter().enumerate() {
            if index > 0 {
                self.builder.logical(operator, value.start().to_u32());
            }
            match value {
                Expr::BoolOp(inner) => self.operands(inner),
                other => self.visit_expr(other),
            }
        }
    }
}
