//! Dependency injection in C#: what a container makes takes its services by constructors, or asks a locator for them.

use std::collections::BTreeSet;

use super::super::super::facts::{Definition, DefinitionKind, FileFacts};
use super::super::super::language::Language;
use super::super::super::project::SourceFile;
use super::super::super::references::{Reference, ReferenceKind};
use super::super::{Answer, Case, Context, Question, folder_of, is_module, stem_of};
use super::{case, constructors, lines_of};

const LOCATORS: [&str; 2] = ["GetService", "GetRequiredService"];
/// The containers and frameworks that make objects, by their namespaces, and the calls that register a service.
const CONTAINERS: [&str; 9] = [
    "Autofac",
    "Castle.Windsor",
    "DryIoc",
    "Lamar",
    "Microsoft.AspNetCore",
    "Microsoft.Extensions.DependencyInjection",
    "Microsoft.Extensions.Hosting",
    "Ninject",
    "SimpleInjector",
];
const REGISTRATIONS: [&str; 6] = [
    "AddDbContext",
    "AddHostedService",
    "AddScoped",
    "AddSingleton",
    "AddTransient",
    "RegisterType",
];
/// Interfaces that are no services: those of data and of comparisons, and the container itself.
const VALUES: [&str; 18] = [
    "IAsyncEnumerable",
    "ICollection",
    "IComparable",
    "IComparer",
    "IDictionary",
    "IEnumerable",
    "IEnumerator",
    "IEqualityComparer",
    "IEquatable",
    "IFormatProvider",
    "IList",
    "IReadOnlyCollection",
    "IReadOnlyDictionary",
    "IReadOnlyList",
    "IServiceCollection",
    "IServiceProvider",
    "IServiceScopeFactory",
    "ISet",
];

/// Whether a reference shows how components receive their dependencies.
pub(super) fn notes(one: &Reference<'_>) -> bool {
    let name = one.name();
    LOCATORS.contains(&name) || REGISTRATIONS.contains(&name) || is_service(one)
}

/// Whether the name of a type is that of a C# interface of a service: `IClock`.
fn is_service(one: &Reference<'_>) -> bool {
    let mut letters = one.name().chars();
    one.kind == ReferenceKind::Type
        && !VALUES.contains(&one.name())
        && letters.next() == Some('I')
        && letters.next().is_some_and(char::is_uppercase)
}

/// The C# projects whose objects a container makes, by their folders. Elsewhere a constructor takes what its object
/// consists of.
struct WiredProjects<'a> {
    projects: BTreeSet<&'a str>,
    wired: BTreeSet<&'a str>,
}

impl<'a> WiredProjects<'a> {
    fn new(context: &Context<'a>) -> WiredProjects<'a> {
        let manifests = context.known.manifests.iter();
        let projects = manifests.filter(|one| one.path.ends_with(".csproj"));
        let mut found = WiredProjects {
            projects: projects.map(|one| folder_of(&one.path)).collect(),
            wired: BTreeSet::new(),
        };
        for file in context.source(Language::CSharp) {
            let imports_one = |facts: &FileFacts| {
                let mut imports = facts.imports.iter();
                imports.any(|one| CONTAINERS.iter().any(|own| is_module(&one.module, own)))
            };
            if imports_one(&file.facts) || !lines_of(file, &REGISTRATIONS).is_empty() {
                // A program registers the services of all its libraries.
                let of_all = is_composition(file);
                let project = if of_all {
                    ""
                } else {
                    found.project(&file.path)
                };
                found.wired.insert(project);
            }
        }
        found
    }

    /// The folder of the project that a file belongs to; empty for the top.
    fn project(&self, path: &'a str) -> &'a str {
        let mut folder = folder_of(path);
        while !folder.is_empty() && !self.projects.contains(folder) {
            folder = folder_of(folder);
        }
        folder
    }

    fn contains(&self, path: &'a str) -> bool {
        self.wired.contains("") || self.wired.contains(self.project(path))
    }
}

/// Whether a C# file starts a program and wires its services.
fn is_composition(file: &SourceFile) -> bool {
    matches!(stem_of(&file.path), "Program" | "Startup")
}

/// A case is a constructor with a service among its parameters, or an explicit lookup in the container.
pub(super) fn injection<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "constructor",
            "Dependencies come through constructors",
            "Take what a class needs as parameters of its constructor; do not ask the service provider for it.",
        ),
        Answer::other("locator"),
    ];
    let mut cases = Vec::new();
    let wired = WiredProjects::new(context);
    for file in context.source(Language::CSharp) {
        if is_composition(file) || !wired.contains(&file.path) {
            continue;
        }
        let takes_service = |one: &Definition| {
            let span = one.start_line..=one.end_line;
            file.noted()
                .any(|found| is_service(&found) && found.lines().any(|line| span.contains(&line)))
        };
        for class in &file.facts.definitions {
            if class.kind != DefinitionKind::Class || class.test {
                continue;
            }
            let found = constructors(file, class).find(|one| takes_service(one));
            cases.extend(found.map(|one| case(file, one, 0)));
        }
        for line in lines_of(file, &LOCATORS) {
            cases.push(Case::line(file, line, 1));
        }
    }
    Question {
        subject: "injection".into(),
        stack: Language::CSharp,
        answers,
        cases,
    }
}
