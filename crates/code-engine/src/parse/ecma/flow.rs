//! Conditions, loops and exception handlers of a module, and their complexity.

use oxc_ast::ast::{
    CatchClause, ConditionalExpression, Expression, IfStatement, LogicalExpression, Statement,
    SwitchStatement,
};
use oxc_ast_visit::Visit;
use oxc_span::GetSpan;
use oxc_syntax::operator::LogicalOperator as Operator;

use super::super::super::facts::Sign;
use super::super::builder::LogicalOperator;
use super::walk::Walk;

impl<'a> Walk<'_, 'a> {
    /// Walks a loop. Its head is walked before its body, outside of its nesting.
    pub(super) fn flow_loop(&mut self, head: impl FnOnce(&mut Self), body: &Statement<'a>) {
        self.builder.branch(1);
        self.builder.flow();
        head(self);
        self.nested(body);
    }

    fn nested(&mut self, body: &Statement<'a>) {
        self.builder.nest();
        self.visit_statement(body);
        self.builder.unnest();
    }

    /// Walks an `if`. An `else if` is at the level of its `if`, not nested in it.
    pub(super) fn flow_if(&mut self, it: &IfStatement<'a>) {
        self.builder.flow();
        let mut branch = it;
        loop {
            self.builder.branch(1);
            self.visit_expression(&branch.test);
            self.nested(&branch.consequent);
            let Some(alternate) = &branch.alternate else {
                return;
            };
            self.builder.flow_flat();
            match alternate {
                Statement::IfStatement(next) => branch = next,
                other => return self.nested(other),
            }
        }
    }

    pub(super) fn flow_switch(&mut self, it: &SwitchStatement<'a>) {
        self.builder.flow();
        self.visit_expression(&it.discriminant);
        self.builder.nest();
        for case in &it.cases {
            self.visit_switch_case(case);
        }
        self.builder.unnest();
    }

    pub(super) fn flow_catch(&mut self, it: &CatchClause<'a>) {
        self.builder.branch(1);
        self.builder.flow();
        let empty = it.body.body.is_empty()
            && !self
                .builder
                .has_comment_in(it.body.span.start, it.body.span.end);
        self.builder.sign(
            if empty {
                Sign::CatchEmpty
            } else {
                Sign::CatchHandled
            },
            it.span.start,
        );
        self.builder.flow_nest();
        self.visit_block_statement(&it.body);
        self.builder.flow_unnest();
    }

    pub(super) fn flow_choice(&mut self, it: &ConditionalExpression<'a>) {
        self.builder.branch(1);
        self.builder.flow();
        self.visit_expression(&it.test);
        self.builder.flow_nest();
        self.visit_expression(&it.consequent);
        self.visit_expression(&it.alternate);
        self.builder.flow_unnest();
    }

    /// Walks the outermost of nested logical operators.
    pub(super) fn flow_operation(&mut self, it: &LogicalExpression<'a>) {
        self.operands(it);
        self.builder.logical_end(it.span.start, it.span.end);
    }

    fn operands(&mut self, it: &LogicalExpression<'a>) {
        let operator = match it.operator {
            Operator::And => LogicalOperator::And,
            Operator::Or => LogicalOperator::Or,
            Operator::Coalesce => LogicalOperator::Coalesce,
        };
        self.builder.branch(1);
        self.operand(&it.left);
        self.builder.logical(operator, it.right.span().start);
        self.operand(&it.right);
    }

    fn operand(&mut self, it: &Expression<'a>) {
        match it.without_parentheses() {
            Expression::LogicalExpression(inner) => self.operands(inner),
            other => self.visit_expression(other),
        }
    }
}
