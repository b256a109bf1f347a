//! TypeScript, TSX and JavaScript, read by oxc's parser.

use std::borrow::Cow;
use std::collections::HashSet;

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    ArrowFunctionExpression, AssignmentExpression, AssignmentTarget, BindingPattern,
    CallExpression, CatchClause, Class, ConditionalExpression, Declaration, DoWhileStatement,
    ExportAllDeclaration, ExportDeclaration, ExportDefaultDeclaration,
    ExportDefaultDeclarationKind, ExportFromDeclaration, ExportNamedDeclaration, Expression,
    ForInStatement, ForOfStatement, ForStatement, FormalParameters, Function, IfStatement,
    ImportDeclaration, ImportDeclarationSpecifier, ImportExpression, LogicalExpression,
    MethodDefinition, MethodDefinitionKind, ObjectProperty, PropertyDefinition, Statement,
    SwitchCase, SwitchStatement, TSAccessibility, TSEnumDeclaration, TSImportEqualsDeclaration,
    TSInterfaceDeclaration, TSModuleReference, TSNamespaceDeclaration, TSTypeAliasDeclaration,
    ThrowStatement, TryStatement, VariableDeclaration, VariableDeclarator, WhileStatement,
};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType, Span};
use oxc_syntax::scope::ScopeFlags;

use super::super::facts::{DefinitionKind, FileFacts, ImportStyle, Sign};
use super::super::language::Language;
use super::super::skip::Skip;
use super::builder::Found;
use super::{Builder, errors_tolerated};

pub(super) fn analyze(language: Language, text: &str) -> Result<FileFacts, Skip> {
    let source_type = match language {
        Language::TypeScript => SourceType::ts(),
        Language::Tsx => SourceType::tsx(),
        // Much JavaScript holds JSX whatever its extension, and CommonJS or modules whatever its package says.
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
    };
    walk.visit_program(&parsed.program);
    Ok(walk.builder.finish())
}

/// Names that a module exports in a statement of their own: `export { a, b as c }`, `export default a`,
/// `module.exports = a`.
fn names_exported_apart<'a>(statement: &Statement<'a>, names: &mut HashSet<&'a str>) {
    match statement {
        Statement::ExportNamedDeclaration(export) => {
            names.extend(
                export
                    .specifiers
                    .iter()
                    .map(|specifier| specifier.local.name().as_str()),
            );
        }
        Statement::ExportDefaultDeclaration(export) => {
            if let ExportDefaultDeclarationKind::Identifier(identifier) = &export.declaration {
                names.insert(identifier.name.as_str());
            }
        }
        _ => {}
    }
}

struct Walk<'s, 'a> {
    builder: Builder<'s>,
    /// Offsets of the tokens that a JSDoc comment stands before.
    documented: HashSet<u32>,
    exported_later: HashSet<&'a str>,
    /// The name, kind and place that the next function gets from what it is assigned to.
    name: Option<Named<'a>>,
    /// Where the statement begins that holds the next definition: its doc comment stands before that.
    anchor: Option<u32>,
    /// Whether that statement exports it.
    exported: bool,
    /// The classes that are open.
    classes: Vec<OpenClass>,
}

struct Named<'a> {
    name: Cow<'a, str>,
    kind: DefinitionKind,
    span: Span,
    exported: bool,
    documented: bool,
    dictated: bool,
}

#[derive(Clone, Copy)]
struct OpenClass {
    exported: bool,
    derived: bool,
}

impl<'a> Walk<'_, 'a> {
    /// Whether a definition is exported and documented, told by the statement around it; both are used up.
    fn statement(&mut self, start: u32, name: &str) -> (bool, bool) {
        let at_top = !self.builder.in_function() && self.classes.is_empty();
        let exported =
            std::mem::take(&mut self.exported) || (at_top && self.exported_later.contains(name));
        let anchor = self.anchor.take();
        let documented = self.documented.contains(&start)
            || anchor.is_some_and(|at| self.documented.contains(&at));
        (exported, documented)
    }

    fn define(&mut self, kind: DefinitionKind, name: &str, span: Span) -> usize {
        let (exported, documented) = self.statement(span.start, name);
        self.found(&Named {
            name: Cow::Borrowed(name),
            kind,
            span,
            exported,
            documented,
            dictated: false,
        })
    }

    fn found(&mut self, named: &Named<'_>) -> usize {
        self.builder.define(Found {
            kind: named.kind,
            name: &named.name,
            start: named.span.start,
            end: named.span.end,
            exported: named.exported,
            documented: named.documented,
            test: false,
            dictated: named.dictated,
        })
    }

    /// Opens a function under the name that waits for it, or its own.
    fn function(
        &mut self,
        own: Option<(&str, bool)>,
        span: Span,
        parameters: &FormalParameters<'a>,
    ) {
        let definition = match self.name.take() {
            Some(named) => Some(self.found(&named)),
            None => match own {
                // A declaration belongs to its statement; the name of an expression is its own affair.
                Some((name, true)) => Some(self.define(DefinitionKind::Function, name, span)),
                Some((name, false)) => {
                    let named = Named {
                        name: Cow::Borrowed(name),
                        kind: DefinitionKind::Function,
                        span,
                        exported: std::mem::take(&mut self.exported),
                        documented: self
                            .anchor
                            .take()
                            .is_some_and(|at| self.documented.contains(&at)),
                        dictated: false,
                    };
                    Some(self.found(&named))
                }
                None => None,
            },
        };
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

    fn function_end(&mut self) {
        self.builder.container_close();
        self.builder.function_close();
    }

    fn nested(&mut self, branches: usize, work: impl FnOnce(&mut Self)) {
        self.builder.branch(branches);
        self.builder.nest();
        work(self);
        self.builder.unnest();
    }
}

fn is_function(expression: &Expression<'_>) -> bool {
    matches!(
        expression,
        Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)
    )
}

/// The functions of test frameworks that hold one test case.
fn is_test_call(callee: &Expression<'_>) -> bool {
    match callee {
        Expression::Identifier(name) => matches!(name.name.as_str(), "it" | "test"),
        Expression::StaticMemberExpression(member) => match &member.object {
            Expression::Identifier(name) => {
                matches!(name.name.as_str(), "it" | "test")
                    && matches!(
                        member.property.name.as_str(),
                        "only" | "skip" | "each" | "todo" | "concurrent" | "fails"
                    )
            }
            _ => false,
        },
        _ => false,
    }
}

impl<'a> Visit<'a> for Walk<'_, 'a> {
    fn visit_statement(&mut self, it: &Statement<'a>) {
        self.anchor = Some(it.span().start);
        self.exported = false;
        walk::walk_statement(self, it);
        self.anchor = None;
    }

    fn visit_export_declaration(&mut self, it: &ExportDeclaration<'a>) {
        let types_only = matches!(
            it.declaration,
            Declaration::TSInterfaceDeclaration(_) | Declaration::TSTypeAliasDeclaration(_)
        );
        if !types_only {
            self.builder.sign(Sign::ExportNamed, it.span.start);
        }
        self.exported = true;
        walk::walk_export_declaration(self, it);
    }

    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'a>) {
        if it.export_kind.is_type() || it.specifiers.is_empty() {
            return;
        }
        let default = it
            .specifiers
            .iter()
            .all(|specifier| specifier.exported.name() == "default");
        self.builder.sign(
            if default {
                Sign::ExportDefault
            } else {
                Sign::ExportNamed
            },
            it.span.start,
        );
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        self.builder.import(
            it.source.value.as_str(),
            it.span.start,
            ImportStyle::ReExport,
        );
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        self.builder.sign(Sign::ExportDefault, it.span.start);
        self.exported = true;
        walk::walk_export_default_declaration(self, it);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        self.builder.import(
            it.source.value.as_str(),
            it.span.start,
            ImportStyle::ReExport,
        );
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        let namespace = it.specifiers.as_ref().is_none_or(|specifiers| {
            specifiers
                .iter()
                .any(|one| matches!(one, ImportDeclarationSpecifier::ImportNamespaceSpecifier(_)))
        });
        let style = match (it.import_kind.is_type(), namespace) {
            (true, _) => ImportStyle::Types,
            (false, true) => ImportStyle::Module,
            (false, false) => ImportStyle::Names,
        };
        self.builder
            .import(it.source.value.as_str(), it.span.start, style);
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        if let TSModuleReference::ExternalModuleReference(external) = &it.module_reference {
            self.builder.import(
                external.expression.value.as_str(),
                it.span.start,
                ImportStyle::Require,
            );
        }
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if let Expression::StringLiteral(source) = &it.source {
            self.builder
                .import(source.value.as_str(), it.span.start, ImportStyle::Dynamic);
        }
        walk::walk_import_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        match &it.callee {
            Expression::Identifier(name) if name.name == "require" => {
                if let Some(Expression::StringLiteral(source)) =
                    it.arguments.first().and_then(|one| one.as_expression())
                {
                    self.builder
                        .import(source.value.as_str(), it.span.start, ImportStyle::Require);
                }
            }
            callee if it.arguments.len() > 1 && is_test_call(callee) => self.builder.test_count(),
            _ => {}
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if it.body.is_none() {
            // An overload or an ambient declaration: the implementation speaks for it.
            self.name = None;
            if let Some(id) = &it.id
                && it.declare
            {
                self.define(DefinitionKind::Function, id.name.as_str(), it.span);
            }
            return;
        }
        let own = it
            .id
            .as_ref()
            .map(|id| (id.name.as_str(), it.is_declaration()));
        self.function(own, it.span, &it.params);
        walk::walk_function(self, it, flags);
        self.function_end();
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.function(None, it.span, &it.params);
        walk::walk_arrow_function_expression(self, it);
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
            let documented = documented || waiting.as_ref().is_some_and(|named| named.documented);
            let kind = DefinitionKind::Class;
            let name = Cow::Borrowed(name);
            self.found(&Named {
                name,
                kind,
                span: it.span,
                exported,
                documented,
                dictated: false,
            });
        }
        self.builder.container_open(name.map(str::to_owned));
        self.classes.push(OpenClass {
            exported,
            derived: it.heritage.is_some(),
        });
        walk::walk_class(self, it);
        self.classes.pop();
        self.builder.container_close();
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        let class = self.classes.last().copied().unwrap_or(OpenClass {
            exported: false,
            derived: false,
        });
        if let Some(name) = it.key.name() {
            let hidden = it.key.is_private_identifier()
                || matches!(
                    it.accessibility,
                    Some(TSAccessibility::Private | TSAccessibility::Protected)
                );
            self.name = Some(Named {
                name,
                kind: DefinitionKind::Method,
                span: it.span,
                exported: class.exported && !hidden,
                documented: self.documented.contains(&it.span.start),
                dictated: it.kind == MethodDefinitionKind::Constructor
                    || it.r#override
                    || class.derived,
            });
        }
        walk::walk_method_definition(self, it);
        self.name = None;
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        let class = self.classes.last().copied().unwrap_or(OpenClass {
            exported: false,
            derived: false,
        });
        if let (Some(name), true) = (it.key.name(), it.value.as_ref().is_some_and(is_function)) {
            let hidden = it.key.is_private_identifier()
                || matches!(
                    it.accessibility,
                    Some(TSAccessibility::Private | TSAccessibility::Protected)
                );
            self.name = Some(Named {
                name,
                kind: DefinitionKind::Method,
                span: it.span,
                exported: class.exported && !hidden,
                documented: self.documented.contains(&it.span.start),
                dictated: it.r#override || class.derived,
            });
        }
        walk::walk_property_definition(self, it);
        self.name = None;
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        if let (Some(name), true) = (it.key.static_name(), is_function(&it.value)) {
            // Whoever takes the object decides what its functions are called.
            self.name = Some(Named {
                name,
                kind: DefinitionKind::Method,
                span: it.span,
                exported: false,
                documented: false,
                dictated: true,
            });
        }
        walk::walk_object_property(self, it);
        self.name = None;
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        let (anchor, exported) = (self.anchor.take(), std::mem::take(&mut self.exported));
        let top = !self.builder.in_function() && self.classes.is_empty();
        for declarator in &it.declarations {
            if let (BindingPattern::BindingIdentifier(id), Some(init)) =
                (&declarator.id, &declarator.init)
            {
                let name = id.name.as_str();
                let exported = exported || (top && self.exported_later.contains(name));
                let documented = [Some(it.span.start), anchor, Some(declarator.span.start)]
                    .into_iter()
                    .flatten()
                    .any(|at| self.documented.contains(&at));
                let named = |kind| Named {
                    name: Cow::Borrowed(name),
                    kind,
                    span: declarator.span,
                    exported,
                    documented,
                    dictated: false,
                };
                match init {
                    Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_) => {
                        self.name = Some(named(DefinitionKind::Function));
                    }
                    Expression::ClassExpression(_) => {
                        self.name = Some(named(DefinitionKind::Class))
                    }
                    // Plain values alone: what a call gives back may as well be a function or a component.
                    _ if top && it.kind.is_const() && is_plain_value(init) => {
                        self.found(&named(DefinitionKind::Constant));
                    }
                    _ => {}
                }
            }
            self.visit_variable_declarator(declarator);
            self.name = None;
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        walk::walk_variable_declarator(self, it);
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        if let AssignmentTarget::StaticMemberExpression(member) = &it.left {
            let module = match &member.object {
                Expression::Identifier(object) => match object.name.as_str() {
                    "exports" => Some(false),
                    "module" if member.property.name == "exports" => Some(true),
                    _ => None,
                },
                Expression::StaticMemberExpression(outer) => {
                    let is_module = matches!(&outer.object, Expression::Identifier(name) if name.name == "module");
                    (is_module && outer.property.name == "exports").then_some(false)
                }
                _ => None,
            };
            if module.is_some() && !self.builder.in_function() {
                self.builder.sign(Sign::ExportCommonJs, it.span.start);
            }
            if is_function(&it.right) && module != Some(true) {
                let documented = self.anchor.is_some_and(|at| self.documented.contains(&at));
                self.name = Some(Named {
                    name: Cow::Borrowed(member.property.name.as_str()),
                    kind: if module.is_some() {
                        DefinitionKind::Function
                    } else {
                        DefinitionKind::Method
                    },
                    span: it.span,
                    exported: module.is_some(),
                    documented,
                    dictated: module.is_none(),
                });
            }
        }
        walk::walk_assignment_expression(self, it);
        self.name = None;
    }

    fn visit_ts_interface_declaration(&mut self, it: &TSInterfaceDeclaration<'a>) {
        self.define(DefinitionKind::Interface, it.id.name.as_str(), it.span);
    }

    fn visit_ts_type_alias_declaration(&mut self, it: &TSTypeAliasDeclaration<'a>) {
        self.define(DefinitionKind::Type, it.id.name.as_str(), it.span);
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        self.define(DefinitionKind::Enum, it.id.name.as_str(), it.span);
    }

    fn visit_ts_namespace_declaration(&mut self, it: &TSNamespaceDeclaration<'a>) {
        let name = it.id.name.as_str();
        self.define(DefinitionKind::Module, name, it.span);
        self.builder.container_open(Some(name.to_owned()));
        walk::walk_ts_namespace_declaration(self, it);
        self.builder.container_close();
    }

    fn visit_if_statement(&mut self, it: &IfStatement<'a>) {
        // An `else if` stands beside its `if`, not inside it.
        self.builder.branch(1);
        self.visit_expression(&it.test);
        self.builder.nest();
        self.visit_statement(&it.consequent);
        self.builder.unnest();
        match &it.alternate {
            Some(Statement::IfStatement(next)) => self.visit_if_statement(next),
            Some(other) => {
                self.builder.nest();
                self.visit_statement(other);
                self.builder.unnest();
            }
            None => {}
        }
    }

    fn visit_for_statement(&mut self, it: &ForStatement<'a>) {
        self.nested(1, |walk| walk::walk_for_statement(walk, it));
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        self.nested(1, |walk| walk::walk_for_in_statement(walk, it));
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.nested(1, |walk| walk::walk_for_of_statement(walk, it));
    }

    fn visit_while_statement(&mut self, it: &WhileStatement<'a>) {
        self.nested(1, |walk| walk::walk_while_statement(walk, it));
    }

    fn visit_do_while_statement(&mut self, it: &DoWhileStatement<'a>) {
        self.nested(1, |walk| walk::walk_do_while_statement(walk, it));
    }

    fn visit_switch_statement(&mut self, it: &SwitchStatement<'a>) {
        self.nested(0, |walk| walk::walk_switch_statement(walk, it));
    }

    fn visit_switch_case(&mut self, it: &SwitchCase<'a>) {
        self.builder.branch(usize::from(it.test.is_some()));
        walk::walk_switch_case(self, it);
    }

    fn visit_try_statement(&mut self, it: &TryStatement<'a>) {
        self.nested(0, |walk| walk::walk_try_statement(walk, it));
    }

    fn visit_catch_clause(&mut self, it: &CatchClause<'a>) {
        self.builder.branch(1);
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
        walk::walk_catch_clause(self, it);
    }

    fn visit_conditional_expression(&mut self, it: &ConditionalExpression<'a>) {
        self.builder.branch(1);
        walk::walk_conditional_expression(self, it);
    }

    fn visit_logical_expression(&mut self, it: &LogicalExpression<'a>) {
        self.builder.branch(1);
        walk::walk_logical_expression(self, it);
    }

    fn visit_throw_statement(&mut self, it: &ThrowStatement<'a>) {
        match &it.argument {
            Expression::NewExpression(_) => self.builder.sign(Sign::ThrowNew, it.span.start),
            Expression::StringLiteral(_)
            | Expression::TemplateLiteral(_)
            | Expression::ObjectExpression(_)
            | Expression::NumericLiteral(_)
            | Expression::BinaryExpression(_) => self.builder.sign(Sign::ThrowValue, it.span.start),
            // A variable or what a call gave: an error or not, nobody can tell from here.
            _ => {}
        }
        walk::walk_throw_statement(self, it);
    }
}

/// Whether the value of a constant is a literal, so that the name is a constant's and no component's or function's.
fn is_plain_value(expression: &Expression<'_>) -> bool {
    match expression {
        Expression::StringLiteral(_)
        | Expression::NumericLiteral(_)
        | Expression::BooleanLiteral(_)
        | Expression::BigIntLiteral(_)
        | Expression::RegExpLiteral(_)
        | Expression::TemplateLiteral(_) => true,
        Expression::TSAsExpression(cast) => is_plain_value(&cast.expression),
        Expression::UnaryExpression(unary) => is_plain_value(&unary.argument),
        Expression::BinaryExpression(binary) => {
            is_plain_value(&binary.left) && is_plain_value(&binary.right)
        }
        _ => false,
    }
}
