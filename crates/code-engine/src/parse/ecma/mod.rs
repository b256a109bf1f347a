//! TypeScript, TSX and JavaScript, parsed by oxc.

use std::borrow::Cow;
use std::collections::HashSet;

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    ArrowFunctionExpression, AssignmentExpression, AssignmentPattern, AssignmentTargetWithDefault,
    BindingIdentifier, BreakStatement, CallExpression, CatchClause, Class, ClassHeritage,
    ConditionalExpression, ContinueStatement, DoWhileStatement, ExportAllDeclaration,
    ExportDeclaration, ExportDefaultDeclaration, ExportFromDeclaration, ExportNamedDeclaration,
    Expression, ForInStatement, ForOfStatement, ForStatement, FormalParameter, Function,
    IdentifierReference, IfStatement, ImportDeclaration, ImportExpression, JSXClosingElement,
    JSXOpeningElement, LogicalExpression, MemberExpression, MethodDefinition, NewExpression,
    ObjectProperty, PrivateInExpression, PropertyDefinition, Statement, SwitchCase,
    SwitchStatement, TSEnumDeclaration, TSImportEqualsDeclaration, TSInterfaceDeclaration,
    TSNamespaceDeclaration, TSTypeAliasDeclaration, TSTypeName, TSTypeQueryExprName,
    TaggedTemplateExpression, ThrowStatement, TryStatement, VariableDeclaration,
    VariableDeclarator, WhileStatement,
};
use oxc_ast_visit::{Visit, walk as oxc_walk};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType};
use oxc_syntax::scope::ScopeFlags;

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::language::Language;
use super::super::references::ReferenceKind;
use super::super::skip::Skip;
use super::{Builder, errors_tolerated};

mod flow;
mod members;
mod modules;
mod names;
mod shape;
mod walk;

use shape::{is_framework_definition, is_function, names_exported_apart};
use walk::{NamedDefinition, OpenClass, Walk};

pub(super) fn analyze(language: Language, text: &str) -> Result<FileFacts, Skip> {
    let source_type = match language {
        Language::TypeScript => SourceType::ts(),
        Language::Tsx => SourceType::tsx(),
        // Much JavaScript contains JSX whatever its extension, and CommonJS or modules whatever its package declares.
        _ => SourceType::unambiguous().with_jsx(true),
    };
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, source_type).parse();
    if parsed.panicked || parsed.diagnostics.len() > errors_tolerated(text) {
        return Err(Skip::DoesNotParse);
    }
    let mut builder = Builder::new(text);
    builder.syntax_errors(parsed.diagnostics.len());
    let mut documented = HashSet::new();
    for comment in &parsed.program.comments {
        builder.comment(comment.span.start, comment.span.end);
        if comment.is_jsdoc() {
            documented.insert(comment.attached_to);
        }
    }
    let mut exported_later = HashSet::new();
    for statement in &parsed.program.body {
        names_exported_apart(statement, &mut exported_later);
    }
    let mut walk = Walk {
        builder,
        documented,
        exported_later,
        name: None,
        anchor: None,
        exported: false,
        classes: vec![],
        decorators: vec![],
        is_typed: parsed.program.source_type.is_typescript(),
        overloaded: None,
    };
    walk.visit_program(&parsed.program);
    Ok(walk.builder.finish())
}
impl<'a> Visit<'a> for Walk<'_, 'a> {
    fn visit_statement(&mut self, it: &Statement<'a>) {
        self.anchor = Some(it.span().start);
        self.exported = false;
        oxc_walk::walk_statement(self, it);
        self.anchor = None;
    }

    fn visit_export_declaration(&mut self, it: &ExportDeclaration<'a>) {
        self.export_declaration(it);
    }

    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'a>) {
        self.export_named(it);
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        self.export_from(it);
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        if !is_framework_definition(&it.declaration) {
            self.builder.sign(Sign::ExportDefault, it.span.start);
        }
        self.exported = true;
        oxc_walk::walk_export_default_declaration(self, it);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        self.builder.import(
            it.source.value.as_str(),
            it.span.start,
            ImportStyle::ReExport,
        );
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        self.import(it);
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        self.import_equals(it);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if let Expression::StringLiteral(source) = &it.source {
            self.builder
                .import(source.value.as_str(), it.span.start, ImportStyle::Dynamic);
        }
        oxc_walk::walk_import_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        self.call_meaning(it);
        self.callee(&it.callee);
        if let Some(types) = &it.type_arguments {
            self.visit_ts_type_parameter_instantiation(types);
        }
        self.visit_arguments(&it.arguments);
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        self.callee(&it.callee);
        if let Some(types) = &it.type_arguments {
            self.visit_ts_type_parameter_instantiation(types);
        }
        self.visit_arguments(&it.arguments);
    }

    fn visit_tagged_template_expression(&mut self, it: &TaggedTemplateExpression<'a>) {
        self.callee(&it.tag);
        self.visit_template_literal(&it.quasi);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.name(ReferenceKind::Name, it.span);
    }

    fn visit_member_expression(&mut self, it: &MemberExpression<'a>) {
        self.chain(ReferenceKind::Name, it);
    }

    fn visit_private_in_expression(&mut self, it: &PrivateInExpression<'a>) {
        self.name(ReferenceKind::Name, it.left.span);
        oxc_walk::walk_private_in_expression(self, it);
    }

    fn visit_jsx_opening_element(&mut self, it: &JSXOpeningElement<'a>) {
        self.element(&it.name);
        if let Some(types) = &it.type_arguments {
            self.visit_ts_type_parameter_instantiation(types);
        }
        for attribute in &it.attributes {
            self.visit_jsx_attribute_item(attribute);
        }
    }

    fn visit_jsx_closing_element(&mut self, _: &JSXClosingElement<'a>) {}

    fn visit_ts_type_name(&mut self, it: &TSTypeName<'a>) {
        self.type_name(ReferenceKind::Type, it);
    }

    fn visit_ts_type_query_expr_name(&mut self, it: &TSTypeQueryExprName<'a>) {
        match it.as_ts_type_name() {
            // `typeof value` refers to a value.
            Some(name) => self.type_name(ReferenceKind::Name, name),
            None => oxc_walk::walk_ts_type_query_expr_name(self, it),
        }
    }

    fn visit_class_heritage(&mut self, it: &ClassHeritage<'a>) {
        match &it.expression {
            Expression::Identifier(name) => self.name(ReferenceKind::Type, name.span),
            other => match other.as_member_expression() {
                Some(member) => self.chain(ReferenceKind::Type, member),
                None => self.visit_expression(other),
            },
        }
        if let Some(types) = &it.type_arguments {
            self.visit_ts_type_parameter_instantiation(types);
        }
    }

    fn visit_break_statement(&mut self, it: &BreakStatement<'a>) {
        if it.label.is_some() {
            self.builder.flow_flat();
        }
    }

    fn visit_continue_statement(&mut self, it: &ContinueStatement<'a>) {
        if it.label.is_some() {
            self.builder.flow_flat();
        }
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if it.body.is_none() {
            // For an overload or an ambient declaration, the implementation is the definition.
            self.name = None;
            self.overloaded = it.id.as_ref().map(|id| id.name.as_str());
            if let Some(id) = &it.id
                && it.declare
            {
                self.define(DefinitionKind::Function, id.name.as_str(), it.span);
            }
            // Its types are references nevertheless.
            oxc_walk::walk_function(self, it, flags);
            return;
        }
        let own = it
            .id
            .as_ref()
            .map(|id| (id.name.as_str(), it.is_declaration()));
        if let Some((name, true)) = own
            && self.overloaded.take() != Some(name)
        {
            self.signature(it.return_type.is_some(), it.span.start);
        }
        self.function(own, it.span, &it.params, it.r#async);
        oxc_walk::walk_function(self, it, flags);
        self.function_end();
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.function(None, it.span, &it.params, it.r#async);
        oxc_walk::walk_arrow_function_expression(self, it);
        self.function_end();
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        let waiting = self.name.take();
        let name = it
            .id
            .as_ref()
            .map(|id| id.name.as_str())
            .or(waiting.as_ref().map(|named| &*named.name));
        let (exported, documented) = self.statement(it.span.start, name.unwrap_or(""));
        let exported = exported || waiting.as_ref().is_some_and(|named| named.exported);
        if let Some(name) = name {
            self.decorated(&it.decorators);
            let documented = documented || waiting.as_ref().is_some_and(|named| named.documented);
            let kind = DefinitionKind::Class;
            let name = Cow::Borrowed(name);
            self.found(&NamedDefinition {
                name,
                kind,
                span: it.span,
                exported,
                inherited: false,
                documented,
                dictated: false,
            });
        }
        self.builder.container_open(name.map(str::to_owned));
        self.classes.push(OpenClass {
            exported,
            derived: it.heritage.is_some(),
        });
        oxc_walk::walk_class(self, it);
        self.classes.pop();
        self.builder.container_close();
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        self.method(it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        self.property(it);
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        if let (Some(name), true) = (it.key.static_name(), is_function(&it.value)) {
            // The names of an object's functions are dictated by the code that takes the object.
            self.name = Some(NamedDefinition {
                name,
                kind: DefinitionKind::Method,
                span: it.span,
                exported: false,
                inherited: false,
                documented: false,
                dictated: true,
            });
        }
        oxc_walk::walk_object_property(self, it);
        self.name = None;
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        self.variables(it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        oxc_walk::walk_variable_declarator(self, it);
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        self.builder.bind(it.name.as_str(), it.span.start, false);
    }

    // A default is a branch: it is taken if no value is given. ESLint's `complexity` and lizard count it too.
    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        self.builder.branch(usize::from(it.initializer.is_some()));
        oxc_walk::walk_formal_parameter(self, it);
    }

    fn visit_assignment_pattern(&mut self, it: &AssignmentPattern<'a>) {
        self.builder.branch(1);
        oxc_walk::walk_assignment_pattern(self, it);
    }

    fn visit_assignment_target_with_default(&mut self, it: &AssignmentTargetWithDefault<'a>) {
        self.builder.branch(1);
        oxc_walk::walk_assignment_target_with_default(self, it);
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        self.assignment(it);
    }

    fn visit_ts_interface_declaration(&mut self, it: &TSInterfaceDeclaration<'a>) {
        self.define(DefinitionKind::Interface, it.id.name.as_str(), it.span);
        oxc_walk::walk_ts_interface_declaration(self, it);
    }

    fn visit_ts_type_alias_declaration(&mut self, it: &TSTypeAliasDeclaration<'a>) {
        self.define(DefinitionKind::Type, it.id.name.as_str(), it.span);
        oxc_walk::walk_ts_type_alias_declaration(self, it);
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        self.define(DefinitionKind::Enum, it.id.name.as_str(), it.span);
        oxc_walk::walk_ts_enum_declaration(self, it);
    }

    fn visit_ts_namespace_declaration(&mut self, it: &TSNamespaceDeclaration<'a>) {
        let name = it.id.name.as_str();
        self.define(DefinitionKind::Module, name, it.span);
        self.builder.container_open(Some(name.to_owned()));
        oxc_walk::walk_ts_namespace_declaration(self, it);
        self.builder.container_close();
    }

    fn visit_if_statement(&mut self, it: &IfStatement<'a>) {
        self.flow_if(it);
    }

    fn visit_for_statement(&mut self, it: &ForStatement<'a>) {
        let head = |walk: &mut Self| {
            if let Some(init) = &it.init {
                walk.visit_for_statement_init(init);
            }
            for expression in [&it.test, &it.update].into_iter().flatten() {
                walk.visit_expression(expression);
            }
        };
        self.flow_loop(head, &it.body);
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        let head = |walk: &mut Self| {
            walk.visit_for_statement_left(&it.left);
            walk.visit_expression(&it.right);
        };
        self.flow_loop(head, &it.body);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        let head = |walk: &mut Self| {
            walk.visit_for_statement_left(&it.left);
            walk.visit_expression(&it.right);
        };
        self.flow_loop(head, &it.body);
    }

    fn visit_while_statement(&mut self, it: &WhileStatement<'a>) {
        self.flow_loop(|walk| walk.visit_expression(&it.test), &it.body);
    }

    fn visit_do_while_statement(&mut self, it: &DoWhileStatement<'a>) {
        self.flow_loop(|walk| walk.visit_expression(&it.test), &it.body);
    }

    fn visit_switch_statement(&mut self, it: &SwitchStatement<'a>) {
        self.flow_switch(it);
    }

    fn visit_switch_case(&mut self, it: &SwitchCase<'a>) {
        self.builder.branch(usize::from(it.test.is_some()));
        oxc_walk::walk_switch_case(self, it);
    }

    fn visit_try_statement(&mut self, it: &TryStatement<'a>) {
        self.builder.depth_nest();
        oxc_walk::walk_try_statement(self, it);
        self.builder.depth_unnest();
    }

    fn visit_catch_clause(&mut self, it: &CatchClause<'a>) {
        self.flow_catch(it);
    }

    fn visit_conditional_expression(&mut self, it: &ConditionalExpression<'a>) {
        self.flow_choice(it);
    }

    fn visit_logical_expression(&mut self, it: &LogicalExpression<'a>) {
        self.flow_operation(it);
    }

    fn visit_throw_statement(&mut self, it: &ThrowStatement<'a>) {
        match &it.argument {
            Expression::NewExpression(_) => self.builder.sign(Sign::ThrowNew, it.span.start),
            Expression::StringLiteral(_)
            | Expression::TemplateLiteral(_)
            | Expression::ObjectExpression(_)
            | Expression::NumericLiteral(_)
            | Expression::BinaryExpression(_) => self.builder.sign(Sign::ThrowValue, it.span.start),
            // A variable or the result of a call: whether it is an error is unknown here.
            _ => {}
        }
        oxc_walk::walk_throw_statement(self, it);
    }
}
