//! Whether tests import the package by its public name or by paths into its source. A case is an import in a test file.

use super::super::language::Language;
use super::super::project::manifest::{self, Ecosystem};
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "test_imports";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let packages = manifest::read(context.known.manifests);
    let own: Vec<&str> = packages
        .own
        .iter()
        .filter(|(ecosystem, _)| *ecosystem == Ecosystem::Npm)
        .map(|(_, name)| name.as_str())
        .collect();
    if own.is_empty() {
        return Vec::new();
    }
    let questions =
        [Language::TypeScript, Language::JavaScript].map(|stack| question(context, stack, &own));
    decide(KIND, &questions)
}

fn question<'a>(context: &Context<'a>, stack: Language, own: &[&str]) -> Question<'a> {
    let is_own = |module: &str| {
        own.iter().any(|name| {
            module
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let mut cases = Vec::new();
    for file in context.tests(stack) {
        for import in &file.facts.imports {
            if is_own(&import.module) {
                cases.push(Case::line(file, import.line, 0));
            } else if import.module.starts_with("../") {
                cases.push(Case::line(file, import.line, 1));
            }
        }
    }
    Question {
        subject: "package".into(),
        stack,
        answers: vec![
            Answer::rule(
                "public-name",
                "Tests import the package by its public name",
                "In a test, import the package as its users do, by its name, not by a path into its source.",
            ),
            Answer::other("paths"),
        ],
        cases,
    }
}

#[cfg(test)]
mod tests {
    use super::super::AnalysisInput;
    use super::super::fixture::{files, found_in};
    use crate::project::{Manifest, SourceFile};

    fn of(module: &str) -> Vec<String> {
        let files: Vec<SourceFile> = (0..6)
            .flat_map(|n| {
                let source = format!("import {{ a }} from '{module}';\ntest('b', () => a());\n");
                files(&[(format!("tests/a{n}.test.ts").as_str(), source.as_str())])
            })
            .collect();
        let files: Vec<&SourceFile> = files.iter().collect();
        let manifests = [Manifest {
            path: "package.json".to_owned(),
            text: r#"{"name": "zed"}"#.to_owned(),
        }];
        let known = AnalysisInput {
            files: &files,
            manifests: &manifests,
            ..AnalysisInput::default()
        };
        let found = found_in(super::KIND, known);
        found
            .iter()
            .map(|one| format!("{} {}/{}", one.key, one.support, one.cases))
            .collect()
    }

    #[test]
    fn the_public_name_is_told() {
        assert_eq!(
            of("zed/v4"),
            ["test_imports/typescript/package/public-name 6/6"]
        );
    }

    #[test]
    fn paths_and_other_packages_are_not() {
        assert!(of("../src/zed.js").is_empty() && of("zedd").is_empty());
    }
}
