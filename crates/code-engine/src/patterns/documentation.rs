//! Whether public items have doc comments, and how doc comments begin. A mostly undocumented code base yields no
//! pattern.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::facts::{Definition, DefinitionKind, Sign};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, STACKS, decide};

pub(super) const KIND: &str = "documentation";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut found = decide(KIND, &questions(context));
    found.retain(|one| !is_outnumbered(context, one));
    found
}

/// Whether a habit of functions leaves out more methods without a comment than it counts. A class with a base may
/// override its methods or add them, which one file does not tell. Where most of what a reader sees is such methods
/// without comments, a habit of the few others is none.
fn is_outnumbered(context: &Context<'_>, pattern: &Pattern) -> bool {
    if !pattern.key.contains("/functions/") {
        return false;
    }
    let guessed = [Language::Python, Language::TypeScript, Language::JavaScript];
    let inside = |file: &&SourceFile| {
        let scope = pattern.scope.as_deref().unwrap_or_default();
        let rest = file.path.strip_prefix(scope);
        rest.is_some_and(|rest| scope.is_empty() || rest.starts_with('/'))
    };
    let stacks = guessed.into_iter();
    let stacks = stacks.filter(|stack| pattern.stack.as_deref() == Some(stack.as_str()));
    let left_out = stacks.flat_map(|stack| {
        let files = context.source(stack).filter(inside);
        let files = files.filter(|file| !is_private_module(file));
        files.flat_map(|file| &file.facts.definitions)
    });
    let left_out = left_out.filter(|one| {
        one.kind == DefinitionKind::Method
            && one.dictated
            && one.exported
            && !one.test
            && !one.documented
    });
    left_out.count() > pattern.cases as usize
}

fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    let mut questions = Vec::new();
    for stack in STACKS {
        let promised = Promised::new(context, stack);
        let hidden = Hidden::new(context, stack);
        let (seen, comment) = words(stack);
        let functions = if stack == Language::Java {
            "methods"
        } else {
            "functions and methods"
        };
        let types = match stack {
            Language::Python | Language::JavaScript => "classes",
            _ => "types",
        };
        for (subject, things, holds) in [
            (
                "functions",
                functions,
                is_function as fn(DefinitionKind) -> bool,
            ),
            ("types", types, is_type),
        ] {
            let answers = vec![
                Answer::rule(
                    "documented",
                    format!("{} {things} carry {comment}", capital(seen)),
                    format!(
                        "Give every {seen} {} {comment_one}.",
                        singular(things),
                        comment_one = one(comment)
                    ),
                ),
                Answer::other("undocumented"),
            ];
            let cases = context
                .source(stack)
                .filter(|file| !is_private_module(file))
                .flat_map(|file| {
                    let (promised, hidden) = (&promised, &hidden);
                    let wanted = move |definition: &&Definition| {
                        holds(definition.kind)
                            && definition.exported
                            && !definition.test
                            && !definition.dictated
                            && !is_of_library(stack, definition)
                            && !is_accessor(file, definition)
                            && !promised.hold(file, definition)
                            && !hidden.hold(definition)
                    };
                    file.facts
                        .definitions
                        .iter()
                        .filter(wanted)
                        .map(move |definition| Case {
                            file,
                            start_line: definition.start_line,
                            end_line: definition.end_line,
                            answer: usize::from(!definition.documented),
                        })
                })
                .collect();
            questions.push(Question {
                subject: subject.into(),
                stack,
                answers,
                cases,
            });
        }
    }
    questions.push(first_word(context));
    questions
}

/// Whether a Go method implements an interface of the standard library, which documents it.
fn is_of_library(stack: Language, method: &Definition) -> bool {
    const METHODS: [&str; 54] = [
        "As",
        "Close",
        "Deadline",
        "Done",
        "Err",
        "Error",
        "Flush",
        "Format",
        "GoString",
        "Header",
        "Hijack",
        "Is",
        "IsDir",
        "Len",
        "Less",
        "LocalAddr",
        "Lock",
        "MarshalBinary",
        "MarshalJSON",
        "MarshalText",
        "MarshalYAML",
        "ModTime",
        "Pop",
        "Push",
        "Read",
        "ReadAt",
        "ReadByte",
        "ReadFrom",
        "RemoteAddr",
        "RoundTrip",
        "Scan",
        "Seek",
        "ServeHTTP",
        "SetDeadline",
        "SetReadDeadline",
        "SetWriteDeadline",
        "String",
        "Swap",
        "Sys",
        "Temporary",
        "Timeout",
        "Unlock",
        "UnmarshalBinary",
        "UnmarshalJSON",
        "UnmarshalText",
        "UnmarshalYAML",
        "Unwrap",
        "Value",
        "Write",
        "WriteAt",
        "WriteByte",
        "WriteHeader",
        "WriteString",
        "WriteTo",
    ];
    stack == Language::Go
        && method.kind == DefinitionKind::Method
        && METHODS.contains(&method.name.as_str())
}

/// Whether a definition is an accessor of a property, which is documented at the property.
fn is_accessor(file: &SourceFile, definition: &Definition) -> bool {
    let accessors = file.facts.sign_lines(Sign::Accessor);
    accessors.binary_search(&definition.start_line).is_ok()
}

/// Whether the file is a private module of a Python package, such as `_compat.py` or `_internal/core.py`.
fn is_private_module(file: &SourceFile) -> bool {
    let mut names = file.path.split('/');
    file.language == Language::Python
        && names.any(|name| name.starts_with('_') && !name.starts_with("__"))
}

/// The types that no file exports: their methods are not part of the documentation.
struct Hidden<'a>(FxHashSet<&'a str>);

impl<'a> Hidden<'a> {
    fn new(context: &Context<'a>, stack: Language) -> Hidden<'a> {
        let (mut hidden, mut exported) = (FxHashSet::default(), FxHashSet::default());
        for file in context.source(stack) {
            for one in file
                .facts
                .definitions
                .iter()
                .filter(|one| is_type(one.kind))
            {
                let names = if one.exported {
                    &mut exported
                } else {
                    &mut hidden
                };
                names.insert(one.name.as_str());
            }
        }
        hidden.retain(|name| !exported.contains(name));
        Hidden(hidden)
    }

    /// Whether the method is of such a type.
    fn hold(&self, method: &Definition) -> bool {
        let parent = method.parent.as_deref();
        parent.is_some_and(|parent| self.0.contains(parent))
    }
}

/// The methods that the project's own interfaces declare: for the implementation in a class, the interface has the
/// documentation.
struct Promised<'a>(FxHashMap<&'a str, Vec<&'a str>>);

impl<'a> Promised<'a> {
    fn new(context: &Context<'a>, stack: Language) -> Promised<'a> {
        let mut methods: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for file in context.source(stack) {
            let definitions = || file.facts.definitions.iter();
            let interfaces: FxHashSet<&str> = definitions()
                .filter(|one| one.kind == DefinitionKind::Interface)
                .map(|one| one.name.as_str())
                .collect();
            for one in definitions().filter(|one| one.kind == DefinitionKind::Method) {
                if let Some(parent) = one.parent.as_deref().filter(|it| interfaces.contains(it)) {
                    methods.entry(&one.name).or_default().push(parent);
                }
            }
        }
        Promised(methods)
    }

    /// Whether an interface that the file refers to declares the method.
    fn hold(&self, file: &SourceFile, method: &Definition) -> bool {
        let parents = self.0.get(method.name.as_str()).into_iter().flatten();
        let parents = parents.filter(|_| method.kind == DefinitionKind::Method);
        parents
            .filter(|parent| Some(**parent) != method.parent.as_deref())
            .any(|parent| {
                let mut references = file.facts.references.iter();
                references.any(|one| one.name() == *parent)
            })
    }
}

fn first_word<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "begins-with-name",
            "Doc comments begin with the name they document",
            "Begin the doc comment of an exported declaration with its name: \"Name does ...\".",
        ),
        Answer::other("begins-otherwise"),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Go) {
        for (answer, sign) in [Sign::DocStartsWithName, Sign::DocStartsOtherwise]
            .into_iter()
            .enumerate()
        {
            cases.extend(
                file.facts
                    .sign_lines(sign)
                    .iter()
                    .map(|line| Case::line(file, *line, answer)),
            );
        }
    }
    Question {
        subject: "first-word".into(),
        stack: Language::Go,
        answers,
        cases,
    }
}

fn is_function(kind: DefinitionKind) -> bool {
    matches!(kind, DefinitionKind::Function | DefinitionKind::Method)
}

fn is_type(kind: DefinitionKind) -> bool {
    use DefinitionKind::{Class, Enum, Interface, Struct, Trait, Type};
    matches!(kind, Class | Enum | Interface | Struct | Trait | Type)
}

/// The words for public items, and for their documentation.
const fn words(stack: Language) -> (&'static str, &'static str) {
    match stack {
        Language::Python => ("public", "docstrings"),
        Language::TypeScript | Language::JavaScript => ("exported", "JSDoc comments"),
        Language::Java => ("public", "Javadoc comments"),
        Language::Go => ("exported", "doc comments"),
        _ => ("public", "doc comments"),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn singular(things: &str) -> &str {
    match things {
        "functions and methods" => "function and method",
        "classes" => "class",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}

fn one(comments: &str) -> String {
    format!("a {}", comments.strip_suffix('s').unwrap_or(comments))
}

#[cfg(test)]
mod tests;
