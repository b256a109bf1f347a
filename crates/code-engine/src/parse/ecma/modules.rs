//! The imports and exports of a module.

use oxc_ast::ast::{
    Declaration, ExportDeclaration, ExportFromDeclaration, ExportNamedDeclaration,
    ImportDeclaration, ImportDeclarationSpecifier, TSImportEqualsDeclaration, TSModuleReference,
};
use oxc_ast_visit::walk as oxc_walk;

use super::super::super::facts::{ImportStyle, Sign};
use super::walk::Walk;

impl<'a> Walk<'_, 'a> {
    pub(super) fn export_declaration(&mut self, it: &ExportDeclaration<'a>) {
        let types_only = matches!(
            it.declaration,
            Declaration::TSInterfaceDeclaration(_) | Declaration::TSTypeAliasDeclaration(_)
        );
        if !types_only {
            self.builder.sign(Sign::ExportNamed, it.span.start);
        }
        self.exported = true;
        oxc_walk::walk_export_declaration(self, it);
    }

    pub(super) fn export_named(&mut self, it: &ExportNamedDeclaration<'a>) {
        if it.export_kind.is_type() || it.specifiers.is_empty() {
            return;
        }
        // Importers know a renamed export by its other name, so the local name is a reference.
        for specifier in &it.specifiers {
            if specifier.local.name() != specifier.exported.name() {
                self.module_name(&specifier.local);
            }
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

    pub(super) fn export_from(&mut self, it: &ExportFromDeclaration<'a>) {
        self.builder.import(
            it.source.value.as_str(),
            it.span.start,
            ImportStyle::ReExport,
        );
        for specifier in &it.specifiers {
            self.module_name(&specifier.local);
        }
    }

    pub(super) fn import(&mut self, it: &ImportDeclaration<'a>) {
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
        for specifier in it.specifiers.iter().flatten() {
            if let ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) = specifier {
                self.builder.import_alias(one.local.name.as_str());
            }
            self.imported(specifier);
        }
    }

    pub(super) fn import_equals(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        if let TSModuleReference::ExternalModuleReference(external) = &it.module_reference {
            self.builder.import(
                external.expression.value.as_str(),
                it.span.start,
                ImportStyle::Require,
            );
        }
    }
}
