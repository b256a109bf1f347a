//! Validation of external data: how it is described, and whether it is validated where it enters.

use super::super::facts::{DefinitionKind, Import};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::super::references::{Reference, ReferenceKind};
use super::{Answer, Case, Context, Pattern, Question, calls, decide, is_module};

pub(super) const KIND: &str = "validation";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    decide(
        KIND,
        &[
            python_models(context),
            script_input(context, Language::TypeScript),
            script_input(context, Language::JavaScript),
            java_bodies(context, Language::Java),
            java_bodies(context, Language::Kotlin),
            go_bodies(context),
            rust_unknown_fields(context),
        ],
    )
}

pub(super) fn notes(stack: Language, one: &Reference<'_>) -> bool {
    let name = one.name();
    match stack {
        Language::Python => made_by(one.path).is_some(),
        Language::TypeScript | Language::JavaScript => reads_input(one.path),
        Language::Java | Language::Kotlin => {
            matches!(name, "RequestBody" | "Valid" | "Validated")
        }
        Language::Go => body_of(one).is_some(),
        Language::Rust => matches!(name, "Deserialize" | "deny_unknown_fields"),
        _ => false,
    }
}

/// The library that makes a Python class a model, by its base or decorator, as the index of its answer.
fn made_by(path: &str) -> Option<usize> {
    let name = path.rsplit('.').next().unwrap_or(path);
    match name {
        "BaseModel" | "RootModel" | "BaseSettings" => Some(0),
        "define" | "frozen" | "attrs" if path.contains("attr") => Some(1),
        "s" | "attrs" if path.starts_with("attr.") => Some(1),
        "dataclass" => Some(2),
        "TypedDict" => Some(3),
        "NamedTuple" => Some(4),
        _ => None,
    }
}

/// Classes that only hold data, by the library of their base or decorator.
fn python_models<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "pydantic",
            "Data is described and checked by pydantic models",
            "Describe data, and above all what comes from outside, as a pydantic model.",
        ),
        Answer::rule(
            "attrs",
            "Data is described by attrs classes",
            "Describe data as a class of attrs (`@define`).",
        ),
        Answer::rule(
            "dataclass",
            "Data is described by dataclasses",
            "Describe data as a dataclass.",
        ),
        Answer::other("typed-dict"),
        Answer::other("named-tuple"),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Python) {
        let mut found: Vec<(u32, usize)> = Vec::new();
        for one in file.noted().filter(|one| !one.test) {
            if let Some(answer) = made_by(one.path) {
                found.extend(one.lines().map(|line| (line, answer)));
            }
        }
        for class in &file.facts.definitions {
            if class.kind != DefinitionKind::Class || class.test {
                continue;
            }
            // A decorator is on the line above, a base on the line itself.
            let near = class.start_line.saturating_sub(1)..=class.start_line;
            if let Some((_, answer)) = found.iter().find(|(line, _)| near.contains(line)) {
                cases.push(Case {
                    file,
                    start_line: class.start_line,
                    end_line: class.end_line,
                    answer: *answer,
                });
            }
        }
    }
    Question {
        subject: "models".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

const SCRIPT_LIBRARIES: [(&str, &[&str]); 8] = [
    ("zod", &["zod"]),
    ("joi", &["joi", "@hapi/joi"]),
    ("yup", &["yup"]),
    ("valibot", &["valibot"]),
    ("class-validator", &["class-validator"]),
    ("ajv", &["ajv"]),
    ("io-ts", &["io-ts"]),
    ("express-validator", &["express-validator"]),
];

fn library_of(file: &SourceFile) -> Option<usize> {
    SCRIPT_LIBRARIES.iter().position(|(_, modules)| {
        let mut imports = file.facts.imports.iter().filter(|import| !import.test);
        imports.any(|import| {
            modules
                .iter()
                .any(|module| is_module(&import.module, module))
        })
    })
}

/// Whether a path is a part of a request, such as `req.body` or `req.body.name`.
fn reads_input(path: &str) -> bool {
    let is_input = |path: &str| {
        let mut parts = path.rsplit('.');
        let (last, object) = (parts.next(), parts.next());
        matches!(object, Some("req" | "request" | "ctx"))
            && matches!(
                last,
                Some("body" | "query" | "params" | "json" | "formData")
            )
    };
    is_input(path)
        || path
            .rsplit_once('.')
            .is_some_and(|(object, _)| is_input(object))
}

/// Files that read parts of a request: whether they validate them by a library.
fn script_input<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let mut answers: Vec<Answer> = SCRIPT_LIBRARIES
        .iter()
        .map(|(name, _)| {
            Answer::rule(
                *name,
                format!("What a request brings is checked by `{name}`"),
                format!("Check what a request brings with a schema of `{name}` before you use it."),
            )
        })
        .collect();
    answers.push(Answer::other("unchecked"));
    let mut cases = Vec::new();
    for file in context.source(stack) {
        let lines = file
            .noted()
            .filter(|one| !one.test && reads_input(one.path))
            .map(|one| one.line());
        let Some(line) = lines.min() else { continue };
        let answer = library_of(file).unwrap_or(SCRIPT_LIBRARIES.len());
        cases.push(Case::line(file, line, answer));
    }
    Question {
        subject: "requests".into(),
        stack,
        answers,
        cases,
    }
}

fn java_bodies<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "valid",
            "Request bodies are checked by Bean Validation",
            "Give every `@RequestBody` a `@Valid`.",
        ),
        Answer::other("unchecked"),
    ];
    let mut cases = Vec::new();
    for file in context.source(stack) {
        let lines = |names: &[&str]| -> Vec<u32> {
            let found = file.noted().filter(|one| names.contains(&one.name()));
            found
                .flat_map(|one| one.lines().collect::<Vec<_>>())
                .collect()
        };
        let imported: Vec<u32> = file
            .facts
            .imports
            .iter()
            .map(|import| import.line)
            .collect();
        let valid = lines(&["Valid", "Validated"]);
        for line in lines(&["RequestBody"]) {
            if !imported.contains(&line) {
                let checked = valid.iter().any(|at| at.abs_diff(line) <= 1);
                cases.push(Case::line(file, line, usize::from(!checked)));
            }
        }
    }
    Question {
        subject: "bodies".into(),
        stack,
        answers,
        cases,
    }
}

/// How a Go call reads a request, as the index of the answer.
fn body_of(one: &Reference<'_>) -> Option<usize> {
    match one.name() {
        name if name.starts_with("ShouldBind") || name.starts_with("BindJSON") => Some(0),
        "NewDecoder" | "Unmarshal" if one.path.starts_with("json.") => Some(1),
        _ => None,
    }
}

fn go_bodies<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "bind",
            "Requests are bound and checked by gin",
            "Read a request with `ShouldBind...` and give its fields `binding` tags; do not decode it by hand.",
        ),
        Answer::other("decode"),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Go) {
        // Only the package itself: gin's own packages import its subpackages.
        let is_gin = |import: &Import| import.module == "github.com/gin-gonic/gin";
        if !file.facts.imports.iter().any(is_gin) {
            continue;
        }
        for one in calls(file, false) {
            let Some(answer) = body_of(&one) else {
                continue;
            };
            cases.extend(one.lines().map(|line| Case::line(file, line, answer)));
        }
    }
    Question {
        subject: "bodies".into(),
        stack: Language::Go,
        answers,
        cases,
    }
}

/// Types that are deserialized: whether they reject unknown fields.
fn rust_unknown_fields<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "denied",
            "Types that are read refuse unknown fields",
            "Give a struct that derives `Deserialize` `#[serde(deny_unknown_fields)]`.",
        ),
        Answer::other("taken"),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Rust) {
        let lines = |name: &str| -> Vec<u32> {
            let found = file.noted();
            let found = found
                .filter(|one| !one.test && one.kind == ReferenceKind::Name && one.name() == name);
            found
                .flat_map(|one| one.lines().collect::<Vec<_>>())
                .collect()
        };
        let (derived, denied) = (lines("Deserialize"), lines("deny_unknown_fields"));
        let mut before = 0;
        for one in &file.facts.definitions {
            // Its attributes are between the previous definition and itself.
            let near = before + 1..=one.start_line;
            before = one.start_line;
            if one.kind == DefinitionKind::Struct && derived.iter().any(|line| near.contains(line))
            {
                let answer = usize::from(!denied.iter().any(|line| near.contains(line)));
                cases.push(Case::line(file, one.start_line, answer));
            }
        }
    }
    Question {
        subject: "unknown-fields".into(),
        stack: Language::Rust,
        answers,
        cases,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    #[test]
    fn python_data_is_described_in_one_way() {
        let models: String = (0..6)
            .map(|n| format!("class M{n}(BaseModel):\n    a: int\n\n"))
            .collect();
        let pydantic = format!("from pydantic import BaseModel\n\n{models}");
        assert_eq!(
            found("validation", &[("p/a.py", &pydantic)]),
            ["validation/python/models/pydantic 6/6"]
        );
        let tuples: String = (0..6)
            .map(|n| format!("class T{n}(NamedTuple):\n    a: int\n\n"))
            .collect();
        assert!(found("validation", &[("p/a.py", &tuples)]).is_empty());
        let classes: String = (0..6)
            .map(|n| format!("@dataclass(frozen=True)\nclass D{n}:\n    a: int\n\n"))
            .collect();
        assert_eq!(
            found("validation", &[("p/a.py", &classes)]),
            ["validation/python/models/dataclass 6/6"]
        );
        assert!(found("validation", &[("p/a.py", &format!("{pydantic}{classes}"))]).is_empty());
    }

    #[test]
    fn what_a_request_brings_is_checked_or_not() {
        let names: Vec<String> = (0..6).map(|n| format!("src/r{n}.ts")).collect();
        let of = |source: &'static str| {
            let files: Vec<(&str, &str)> =
                names.iter().map(|name| (name.as_str(), source)).collect();
            found("validation", &files)
        };
        assert_eq!(
            of("import { z } from 'zod';\nexport const f = (req) => z.parse(req.body);\n"),
            ["validation/typescript/requests/zod 6/6"]
        );
        assert!(of("export const f = (req) => save(req.body.name);\n").is_empty());
    }

    #[test]
    fn request_bodies_are_valid() {
        let class = |parameter: &str| {
            let methods: String = (0..6)
                .map(|n| format!("  void f{n}({parameter} Order o) {{}}\n"))
                .collect();
            format!(
                "import org.springframework.web.bind.annotation.RequestBody;\nclass A {{\n{methods}}}\n"
            )
        };
        assert_eq!(
            found(
                "validation",
                &[("src/A.java", &class("@Valid @RequestBody"))]
            ),
            ["validation/java/bodies/valid 6/6"]
        );
        assert!(found("validation", &[("src/A.java", &class("@RequestBody"))]).is_empty());
    }

    #[test]
    fn gin_binds_requests() {
        let source = |call: &str| {
            let lines = format!("\t{call}\n").repeat(6);
            format!(
                "package a\n\nimport \"github.com/gin-gonic/gin\"\n\nfunc f(c *gin.Context) {{\n{lines}}}\n"
            )
        };
        assert_eq!(
            found("validation", &[("a/a.go", &source("c.ShouldBindJSON(&x)"))]),
            ["validation/go/bodies/bind 6/6"]
        );
        assert!(
            found(
                "validation",
                &[("a/a.go", &source("json.Unmarshal(b, &x)"))]
            )
            .is_empty()
        );
    }

    #[test]
    fn rust_types_refuse_unknown_fields() {
        let source = |attribute: &str| -> String {
            (0..6)
                .map(|n| format!("#[derive(Debug, Deserialize)]\n{attribute}\npub struct S{n} {{\n    a: u32,\n}}\n\n"))
                .collect()
        };
        assert_eq!(
            found(
                "validation",
                &[("src/a.rs", &source("#[serde(deny_unknown_fields)]"))]
            ),
            ["validation/rust/unknown-fields/denied 6/6"]
        );
        assert!(found("validation", &[("src/a.rs", &source(""))]).is_empty());
    }
}
