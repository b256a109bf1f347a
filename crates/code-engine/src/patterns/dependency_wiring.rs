//! Dependency injection style: constructors, annotated fields, parameters filled by a framework, or constructor
//! functions.

mod csharp;

use std::collections::{BTreeMap, BTreeSet};

use super::super::facts::{Definition, DefinitionKind};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::super::references::Reference;
use super::{Answer, Case, Context, Pattern, Question, calls, decide, folder_of, is_module};

pub(super) const KIND: &str = "dependency_wiring";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    decide(
        KIND,
        &[
            java_injection(context),
            nest_injection(context),
            fastapi_depends(context),
            go_constructors(context),
            csharp::injection(context),
        ],
    )
}

pub(super) fn notes(stack: Language, one: &Reference<'_>) -> bool {
    let name = one.name();
    match stack {
        Language::Java => COMPONENTS.contains(&name) || JAVA_FIELDS.contains(&name),
        Language::TypeScript => NEST_CLASSES.contains(&name) || name == "inject",
        Language::Python => FASTAPI_PARAMETERS.contains(&name) || is_route(one.path),
        Language::CSharp => csharp::notes(one),
        _ => false,
    }
}

const COMPONENTS: [&str; 8] = [
    "Component",
    "Service",
    "Repository",
    "Controller",
    "RestController",
    "Configuration",
    "Singleton",
    "ApplicationScoped",
];
const JAVA_FIELDS: [&str; 2] = ["Autowired", "Inject"];
const NEST_CLASSES: [&str; 5] = [
    "Injectable",
    "Controller",
    "Component",
    "Resolver",
    "Directive",
];
const FASTAPI_PARAMETERS: [&str; 2] = ["Depends", "Security"];
/// Whether a path is a route of a router or an application: `router.get`.
fn is_route(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(object, name)| {
        matches!(name, "get" | "post" | "put" | "patch" | "delete")
            && (object.to_ascii_lowercase().ends_with("router") || object.ends_with("app"))
    })
}

/// The lines that refer to one of these names, except imports.
fn lines_of(file: &SourceFile, names: &[&str]) -> BTreeSet<u32> {
    let imported: BTreeSet<u32> = file
        .facts
        .imports
        .iter()
        .map(|import| import.line)
        .collect();
    let found = file
        .noted()
        .filter(|one| !one.test && names.contains(&one.name()));
    let lines = found.flat_map(|one| one.lines().collect::<Vec<_>>());
    lines.filter(|line| !imported.contains(line)).collect()
}

/// The definitions with one of these decorators or annotations: on a line after the previous definition's and up to
/// their own.
fn marks<'f>(file: &'f SourceFile, names: &[&str]) -> Vec<&'f Definition> {
    let lines = lines_of(file, names);
    let mut before = 0;
    let mut found = Vec::new();
    for one in &file.facts.definitions {
        if lines.range(before..=one.start_line).next().is_some() {
            found.push(one);
        }
        before = before.max(one.start_line + 1);
    }
    found
}

fn constructors<'f>(
    file: &'f SourceFile,
    class: &Definition,
) -> impl Iterator<Item = &'f Definition> {
    let (name, span) = (class.name.clone(), class.start_line..=class.end_line);
    let definitions = file.facts.definitions.iter();
    definitions.filter(move |one| {
        span.contains(&one.start_line)
            && one.parent.as_ref() == Some(&name)
            && (one.name == name || one.name == "constructor")
            && one.metrics.is_some_and(|metrics| metrics.parameters > 0)
    })
}

fn case<'a>(file: &'a SourceFile, one: &Definition, answer: usize) -> Case<'a> {
    Case {
        file,
        start_line: one.start_line,
        end_line: one.start_line,
        answer,
    }
}

/// A case is a component that receives its dependencies by a constructor, or a field with an annotation.
fn java_injection<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "constructor",
            "Dependencies come through constructors",
            "Take what a component needs as parameters of its constructor; annotate no fields with `@Autowired` or `@Inject`.",
        ),
        Answer::rule(
            "field",
            "Dependencies come into annotated fields",
            "Annotate the field of a dependency with `@Autowired` or `@Inject`.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Java) {
        for class in marks(file, &COMPONENTS) {
            if class.kind == DefinitionKind::Class
                && let Some(one) = constructors(file, class).next()
            {
                cases.push(case(file, one, 0));
            }
        }
        let methods: BTreeSet<u32> = file
            .facts
            .definitions
            .iter()
            .map(|one| one.start_line)
            .collect();
        for line in lines_of(file, &JAVA_FIELDS) {
            // An annotation above a constructor or method repeats what the constructor shows; one inside a method
            // belongs to a parameter.
            let is_of_parameter = file.facts.definitions.iter().any(|one| {
                one.kind == DefinitionKind::Method
                    && (one.start_line..=one.end_line).contains(&line)
            });
            if methods.range(line..=line + 2).next().is_none() && !is_of_parameter {
                cases.push(Case::line(file, line, 1));
            }
        }
    }
    Question {
        subject: "injection".into(),
        stack: Language::Java,
        answers,
        cases,
    }
}

fn nest_injection<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "constructor",
            "Dependencies come through constructors",
            "Take what a provider or component needs as parameters of its constructor.",
        ),
        Answer::rule(
            "inject",
            "Dependencies come by `inject()`",
            "Ask for what a provider or component needs with `inject()` in a field.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::TypeScript) {
        let mut imports = file.facts.imports.iter();
        if !imports
            .any(|one| one.module.starts_with("@nestjs/") || one.module.starts_with("@angular/"))
        {
            continue;
        }
        let injects = lines_of(file, &["inject"]);
        for class in marks(file, &NEST_CLASSES) {
            if class.kind != DefinitionKind::Class {
                continue;
            }
            if let Some(one) = constructors(file, class).next() {
                cases.push(case(file, one, 0));
            } else if let Some(line) = injects.range(class.start_line..=class.end_line).next() {
                cases.push(Case::line(file, *line, 1));
            }
        }
    }
    Question {
        subject: "injection".into(),
        stack: Language::TypeScript,
        answers,
        cases,
    }
}

/// A case is a function that a router of FastAPI calls.
fn fastapi_depends<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "depends",
            "Route handlers take what they need by `Depends`",
            "Let a route handler take sessions, users and settings as parameters with `Depends`.",
        ),
        Answer::other("otherwise"),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Python) {
        if !file
            .facts
            .imports
            .iter()
            .any(|one| is_module(&one.module, "fastapi"))
        {
            continue;
        }
        let mut routes = BTreeSet::new();
        for one in calls(file, false) {
            if is_route(one.path) {
                routes.extend(one.lines());
            }
        }
        let depends = lines_of(file, &FASTAPI_PARAMETERS);
        // Parameters may have types that represent a dependency: `CurrentUser = Annotated[User, Depends(...)]`.
        let mut before = 0;
        for one in &file.facts.definitions {
            let decorated = routes.range(before..one.start_line + 1).next().is_some();
            before = before.max(one.start_line + 1);
            if decorated && one.kind == DefinitionKind::Function {
                let has = depends
                    .range(one.start_line..=one.end_line)
                    .next()
                    .is_some();
                cases.push(case(file, one, usize::from(!has)));
            }
        }
    }
    Question {
        subject: "handlers".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

/// A case is an exported struct with methods: whether its package has a function that creates it.
fn go_constructors<'a>(context: &Context<'a>) -> Question<'a> {
    const METHODS: usize = 3;
    let answers = vec![
        Answer::rule(
            "new",
            "Types with methods are made by `New...` functions",
            "Give an exported type with methods a `New...` function that takes what it needs, and make it by that.",
        ),
        Answer::other("literal"),
    ];
    let mut made: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut methods: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for file in context.source(Language::Go) {
        let folder = folder_of(&file.path);
        for one in &file.facts.definitions {
            match one.kind {
                DefinitionKind::Function if one.name.starts_with("New") => {
                    made.insert((folder, one.name.as_str()));
                }
                DefinitionKind::Method if !one.test => {
                    let parent = one.parent.as_deref().unwrap_or("");
                    *methods.entry((folder, parent)).or_default() += 1;
                }
                _ => {}
            }
        }
    }
    let mut cases = Vec::new();
    for file in context.source(Language::Go) {
        let folder = folder_of(&file.path);
        let package = folder.rsplit('/').next().unwrap_or("");
        for one in &file.facts.definitions {
            let count = methods
                .get(&(folder, one.name.as_str()))
                .copied()
                .unwrap_or(0);
            if one.kind != DefinitionKind::Struct || !one.exported || one.test || count < METHODS {
                continue;
            }
            let own = format!("New{}", one.name);
            let begins = (folder, own.as_str())..;
            let has_own = made
                .range(begins)
                .next()
                .is_some_and(|(at, name)| *at == folder && name.starts_with(&own));
            // `New` creates the type that the package is named after.
            let of_package =
                made.contains(&(folder, "New")) && one.name.eq_ignore_ascii_case(package);
            cases.push(case(file, one, usize::from(!(has_own || of_package))));
        }
    }
    Question {
        subject: "constructors".into(),
        stack: Language::Go,
        answers,
        cases,
    }
}

#[cfg(test)]
mod tests;
