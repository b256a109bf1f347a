//! Names by role: suffixes of types in a folder, and names of files of a role, tests, exceptions and interfaces.

use std::collections::BTreeMap;

use super::super::super::facts::{Definition, DefinitionKind};
use super::super::super::language::Language;
use super::super::super::project::SourceFile;
use super::super::super::references::{Reference, ReferenceKind};
use super::super::{Answer, Case, Context, Question, folder_of, name_of};

pub(super) fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    let mut questions = folder_suffixes(context);
    questions.push(role_files(context));
    questions.push(exceptions(context));
    questions.push(interfaces(context));
    for stack in [
        Language::Rust,
        Language::Java,
        Language::Kotlin,
        Language::CSharp,
        Language::Go,
        Language::Php,
    ] {
        questions.push(tests(context, stack));
    }
    questions
}

/// Roles of types by folder: the folder's name, and the suffix of a type's name.
const ROLES: [(&str, &str); 36] = [
    ("adapters", "Adapter"),
    ("builders", "Builder"),
    ("clients", "Client"),
    ("commands", "Command"),
    ("consumers", "Consumer"),
    ("controllers", "Controller"),
    ("decoders", "Decoder"),
    ("dto", "Dto"),
    ("dtos", "Dto"),
    ("encoders", "Encoder"),
    ("entities", "Entity"),
    ("errors", "Error"),
    ("events", "Event"),
    ("exceptions", "Exception"),
    ("factories", "Factory"),
    ("filters", "Filter"),
    ("forms", "Form"),
    ("guards", "Guard"),
    ("handlers", "Handler"),
    ("interceptors", "Interceptor"),
    ("jobs", "Job"),
    ("listeners", "Listener"),
    ("mappers", "Mapper"),
    ("middleware", "Middleware"),
    ("middlewares", "Middleware"),
    ("models", "Model"),
    ("parsers", "Parser"),
    ("policies", "Policy"),
    ("providers", "Provider"),
    ("repositories", "Repository"),
    ("resolvers", "Resolver"),
    ("serializers", "Serializer"),
    ("services", "Service"),
    ("stores", "Store"),
    ("validators", "Validator"),
    ("views", "View"),
];

fn is_type(one: &Definition) -> bool {
    use DefinitionKind::{Class, Interface, Struct, Trait};
    matches!(one.kind, Class | Struct | Interface | Trait)
        && one.exported
        && !one.test
        && one.parent.is_none()
}

/// The role of a folder, by its name in the plural (`controllers`), or in the singular (`controller`) as some languages
/// have it.
fn role_of(folder: &str) -> Option<&'static str> {
    let folder = folder.to_ascii_lowercase();
    let found = ROLES
        .iter()
        .find(|(many, one)| *many == folder || one.to_ascii_lowercase() == folder);
    found.map(|(_, one)| *one)
}

fn folder_suffixes<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    let mut found: BTreeMap<(Language, &'static str), Vec<Case<'a>>> = BTreeMap::new();
    for file in &context.source {
        let Some(role) = role_of(name_of(folder_of(&file.path))) else {
            continue;
        };
        for one in file.facts.definitions.iter().filter(|one| is_type(one)) {
            let cases = found.entry((file.language.stack(), role)).or_default();
            cases.push(Case {
                file,
                start_line: one.start_line,
                end_line: one.end_line,
                answer: usize::from(!one.name.ends_with(role)),
            });
        }
    }
    let questions = found.into_iter().map(|((stack, role), cases)| {
        let what = role.to_ascii_lowercase();
        Question {
            subject: format!("{what}-types").into(),
            stack,
            answers: vec![
                Answer::rule(
                    "suffix",
                    format!("Types of {what} folders end with `{role}`"),
                    format!("End the name of a type in a {what} folder with `{role}`."),
                ),
                Answer::other("otherwise"),
            ],
            cases,
        }
    });
    questions.collect()
}

/// Files with one class of a role: whether the file's name contains the role (`order.service.ts`).
fn role_files<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "dotted",
            "A file's name says the role of its class",
            "Name the file of a class with a role `name.role.ts`: `OrderService` in `order.service.ts`.",
        ),
        Answer::other("otherwise"),
    ];
    let cases = context
        .source(Language::TypeScript)
        .filter_map(|file| {
            let mut classes = file.facts.definitions.iter().filter(|one| is_type(one));
            let (Some(one), None) = (classes.next(), classes.next()) else {
                return None;
            };
            let is_role = |(_, role): &&(&str, &str)| one.name.ends_with(role) && one.name != *role;
            let (_, role) = ROLES.iter().find(is_role)?;
            let dotted = format!(".{}.", role.to_ascii_lowercase());
            let answer = usize::from(!name_of(&file.path).contains(&dotted));
            Some(Case::line(file, one.start_line, answer))
        })
        .collect();
    Question {
        subject: "role-files".into(),
        stack: Language::TypeScript,
        answers,
        cases,
    }
}

/// Classes that derive from an exception, by their suffixes.
fn exceptions<'a>(context: &Context<'a>) -> Question<'a> {
    let ends = ["Error", "Exception"];
    let mut answers: Vec<Answer> = ends
        .iter()
        .map(|end| {
            Answer::rule(
                *end,
                format!("Exceptions end with `{end}`"),
                format!("End the name of an exception with `{end}`."),
            )
        })
        .collect();
    answers.push(Answer::other("otherwise"));
    let mut cases = Vec::new();
    for file in context.source(Language::Python) {
        for (one, _) in exception_classes(file) {
            let end = ends.iter().position(|end| one.name.ends_with(end));
            cases.push(Case {
                file,
                start_line: one.start_line,
                end_line: one.end_line,
                answer: end.unwrap_or(ends.len()),
            });
        }
    }
    Question {
        subject: "exceptions".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

/// Whether a reference is the name of an error or an exception.
fn is_exception(one: &Reference<'_>) -> bool {
    let ends = ["Error", "Exception"];
    ends.iter().any(|end| one.path.ends_with(end))
}

pub(in super::super) fn notes(stack: Language, one: &Reference<'_>) -> bool {
    stack == Language::Python && is_exception(one)
}

/// The classes of a Python file whose base is named as an error or exception, with that base.
pub(in super::super) fn exception_classes(
    file: &SourceFile,
) -> impl Iterator<Item = (&Definition, &str)> {
    let mut bases: BTreeMap<u32, &str> = BTreeMap::new();
    for one in file.noted() {
        if is_exception(&one)
            && matches!(one.kind, ReferenceKind::Type | ReferenceKind::Name)
            && !one.test
        {
            for line in one.lines() {
                bases.entry(line).or_insert(one.name());
            }
        }
    }
    let classes = file.facts.definitions.iter();
    classes
        .filter(|one| one.kind == DefinitionKind::Class && !one.test)
        .filter_map(move |one| Some((one, *bases.get(&one.start_line)?)))
}

fn interfaces<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "plain",
            "Interfaces have plain names",
            "Name an interface after what it is, without an `I` in front.",
        ),
        Answer::rule(
            "prefix",
            "Interfaces begin with `I`",
            "Begin the name of an interface with `I`.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::TypeScript) {
        for one in &file.facts.definitions {
            if one.kind != DefinitionKind::Interface || one.test {
                continue;
            }
            let mut letters = one.name.chars();
            let prefixed = letters.next() == Some('I')
                && letters.next().is_some_and(char::is_uppercase)
                && letters.next().is_some_and(char::is_lowercase);
            cases.push(Case {
                file,
                start_line: one.start_line,
                end_line: one.end_line,
                answer: usize::from(prefixed),
            });
        }
    }
    Question {
        subject: "interfaces".into(),
        stack: Language::TypeScript,
        answers,
        cases,
    }
}

/// The names of test functions: their prefix, or whether they have underscores or are sentences.
fn tests<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = match stack {
        Language::Rust | Language::Java => vec![
            Answer::rule(
                "plain",
                "Names of tests do not begin with `test`",
                "Name a test after what it shows, without `test` in front.",
            ),
            Answer::rule(
                "test-prefix",
                "Names of tests begin with `test`",
                "Begin the name of a test with `test`.",
            ),
        ],
        // Kotlin has names of several words in backticks.
        _ => vec![
            Answer::rule(
                "one-word",
                "Names of tests have no underscores",
                "Write the name of a test without underscores.",
            ),
            Answer::rule(
                "underscores",
                "Underscores part the names of tests",
                "Part the name of a test with underscores: what is tested, in which state, with which outcome.",
            ),
            Answer::rule(
                "sentence",
                "Names of tests are sentences in backticks",
                "Name a test by a sentence in backticks, which says what it shows.",
            ),
        ],
    };
    let mut cases = Vec::new();
    let files = context.tests(stack).chain(context.source(stack));
    for file in files.filter(|file| !file.facts.tests.is_empty()) {
        for one in &file.facts.definitions {
            let is_function = matches!(one.kind, DefinitionKind::Function | DefinitionKind::Method);
            // A test begins with its attributes.
            let from = one.start_line.saturating_sub(2);
            let at = file.facts.tests.partition_point(|line| *line < from);
            let is_test = file
                .facts
                .tests
                .get(at)
                .is_some_and(|line| *line <= one.start_line);
            // Go's documentation wants examples to be named `Example_suffix` and `ExampleType_Method`.
            let is_dictated = stack == Language::Go && one.name.starts_with("Example");
            if !is_function || !is_test || !one.test || is_dictated {
                continue;
            }
            let answer = match stack {
                Language::Rust | Language::Java => usize::from(one.name.starts_with("test")),
                _ if one.name.contains(' ') => 2,
                _ => usize::from(one.name.contains('_')),
            };
            cases.push(Case {
                file,
                start_line: one.start_line,
                end_line: one.end_line,
                answer,
            });
        }
    }
    Question {
        subject: "tests".into(),
        stack,
        answers,
        cases,
    }
}

#[cfg(test)]
mod tests;
