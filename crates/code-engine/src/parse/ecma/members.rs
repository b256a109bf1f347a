//! Functions and classes that are named by an assignment: members, variables, `exports.name = ...`.

use std::borrow::Cow;

use oxc_ast::ast::{
    AssignmentExpression, AssignmentTarget, BindingPattern, Expression, MethodDefinition,
    MethodDefinitionKind, PropertyDefinition, PropertyKey, TSAccessibility, VariableDeclaration,
};
use oxc_ast_visit::{Visit, walk as oxc_walk};

use super::super::super::facts::{DefinitionKind, Sign};
use super::shape::{has_return_type, is_function, is_plain_value};
use super::walk::{NamedDefinition, OpenClass, Walk};

/// The name of a member as its uses write it: `#run` for a private one.
fn name_of<'a>(key: &PropertyKey<'a>) -> Option<Cow<'a, str>> {
    match key {
        PropertyKey::PrivateIdentifier(name) => Some(Cow::Owned(format!("#{}", name.name))),
        _ => key.name(),
    }
}

impl<'a> Walk<'_, 'a> {
    pub(super) fn method(&mut self, it: &MethodDefinition<'a>) {
        let class = self.classes.last().copied().unwrap_or(OpenClass {
            exported: false,
            derived: false,
        });
        if let Some(name) = name_of(&it.key) {
            let hidden = it.key.is_private_identifier()
                || matches!(
                    it.accessibility,
                    Some(TSAccessibility::Private | TSAccessibility::Protected)
                );
            self.decorated(&it.decorators);
            self.name = Some(NamedDefinition {
                name,
                kind: DefinitionKind::Method,
                span: it.span,
                exported: class.exported && !hidden,
                inherited: it.accessibility == Some(TSAccessibility::Protected),
                documented: self.documented.contains(&it.span.start),
                dictated: it.kind == MethodDefinitionKind::Constructor
                    || it.r#override
                    || class.derived,
            });
        }
        oxc_walk::walk_method_definition(self, it);
        self.name = None;
    }

    pub(super) fn property(&mut self, it: &PropertyDefinition<'a>) {
        let class = self.classes.last().copied().unwrap_or(OpenClass {
            exported: false,
            derived: false,
        });
        if let (Some(name), true) = (name_of(&it.key), it.value.as_ref().is_some_and(is_function)) {
            let hidden = it.key.is_private_identifier()
                || matches!(
                    it.accessibility,
                    Some(TSAccessibility::Private | TSAccessibility::Protected)
                );
            self.decorated(&it.decorators);
            self.name = Some(NamedDefinition {
                name,
                kind: DefinitionKind::Method,
                span: it.span,
                exported: class.exported && !hidden,
                inherited: it.accessibility == Some(TSAccessibility::Protected),
                documented: self.documented.contains(&it.span.start),
                dictated: it.r#override || class.derived,
            });
        }
        oxc_walk::walk_property_definition(self, it);
        self.name = None;
    }

    pub(super) fn variables(&mut self, it: &VariableDeclaration<'a>) {
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
                let named = |kind| NamedDefinition {
                    name: Cow::Borrowed(name),
                    kind,
                    span: declarator.span,
                    exported,
                    inherited: false,
                    documented,
                    dictated: false,
                };
                match init {
                    Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_) => {
                        // The type of the variable is that of the function.
                        if declarator.type_annotation.is_none() {
                            self.signature(has_return_type(init), declarator.span.start);
                        }
                        self.name = Some(named(DefinitionKind::Function));
                    }
                    Expression::ClassExpression(_) => {
                        self.name = Some(named(DefinitionKind::Class))
                    }
                    // Only plain values: the result of a call may be a function or a component.
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

    pub(super) fn assignment(&mut self, it: &AssignmentExpression<'a>) {
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
                self.name = Some(NamedDefinition {
                    name: Cow::Borrowed(member.property.name.as_str()),
                    kind: if module.is_some() {
                        DefinitionKind::Function
                    } else {
                        DefinitionKind::Method
                    },
                    span: it.span,
                    exported: module.is_some(),
                    inherited: false,
                    documented,
                    dictated: module.is_none(),
                });
            }
        }
        oxc_walk::walk_assignment_expression(self, it);
        self.name = None;
    }
}
