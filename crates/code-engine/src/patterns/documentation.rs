//! Whether public items have doc comments, and how doc comments begin. A mostly undocumented code base yields no
//! pattern.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::facts::{Definition, DefinitionKind, Sign};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, STACKS, decide};

pub(super) const KIND: &str = "documentation";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    decide(KIND, &questions(context))
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
mod tests {
    use super::super::fixture::{found, patterns};

    #[test]
    fn public_functions_with_docstrings_are_a_habit() {
        let documented: String = (0..5)
            .map(|n| format!("def f{n}():\n    \"\"\"Does.\"\"\"\n"))
            .collect();
        let source = format!(
            "{documented}def _hidden(): pass\ndef outer():\n    '''Has one.'''\n    def inner(): pass\n"
        );
        let patterns = patterns("documentation", &[("a.py", &source)]);
        assert_eq!(patterns.len(), 1);
        assert_eq!((patterns[0].support, patterns[0].cases), (6, 6));
        assert_eq!(
            patterns[0].statement,
            "Give every public function and method a docstring."
        );
    }

    #[test]
    fn missing_comments_are_not_a_convention() {
        let source: String = (0..9).map(|n| format!("pub fn f{n}() {{}}\n")).collect();
        assert!(found("documentation", &[("src/a.rs", &source)]).is_empty());
    }

    #[test]
    fn what_an_interface_documents_needs_no_second_comment() {
        let methods = |doc: &str| -> String {
            (0..5)
                .map(|n| {
                    format!("    {doc}\n    public function get{n}(): int\n    {{ return {n}; }}\n")
                })
                .collect()
        };
        let declared: String = (0..5)
            .map(|n| format!("    /** Gets one. */\n    public function get{n}(): int;\n"))
            .collect();
        let interface = format!("<?php\n\ninterface Jar\n{{\n{declared}}}\n");
        let class = format!(
            "<?php\n\nclass CookieJar implements Jar\n{{\n{}}}\n",
            methods("")
        );
        let alone = format!(
            "<?php\n\nclass Other\n{{\n{}}}\n",
            methods("/** Gets one. */")
        );
        let of = |files: &[(&str, &str)]| {
            let keys = found("documentation", files);
            keys.into_iter()
                .filter(|key| key.starts_with("documentation/php/functions"))
                .collect::<Vec<_>>()
        };
        let both = [
            ("src/Jar.php", interface.as_str()),
            ("src/CookieJar.php", class.as_str()),
        ];
        assert_eq!(of(&both), ["documentation/php/functions/documented 5/5"]);
        let none = [
            ("src/CookieJar.php", class.as_str()),
            ("src/Other.php", alone.as_str()),
        ];
        assert!(of(&none).is_empty(), "five of ten");
    }

    #[test]
    fn go_comments_begin_with_the_name() {
        let source: String = (0..5)
            .map(|n| format!("// Do{n} does.\nfunc Do{n}() {{}}\n\n"))
            .collect();
        let keys = found(
            "documentation",
            &[("a.go", &format!("package a\n\n{source}"))],
        );
        assert_eq!(
            keys,
            [
                "documentation/go/first-word/begins-with-name 5/5",
                "documentation/go/functions/documented 5/5"
            ]
        );
    }

    #[test]
    fn methods_of_an_interface_of_go_need_no_comment() {
        let documented: String = (0..5)
            .map(|n| format!("// Do{n} does.\nfunc Do{n}() {{}}\n\n"))
            .collect();
        let error = "type Fault struct{}\n\nfunc (f Fault) Error() string { return \"\" }\n\nfunc (f Fault) Unwrap() error { return nil }\n\nfunc (f Fault) Flush() {}\n";
        let mut keys = found(
            "documentation",
            &[("a.go", &format!("package a\n\n{documented}{error}"))],
        );
        keys.retain(|key| key.contains("/functions/"));
        assert_eq!(keys, ["documentation/go/functions/documented 5/5"]);
    }

    fn functions(files: &[(&str, &str)]) -> Vec<String> {
        let mut keys = found("documentation", files);
        keys.retain(|key| key.contains("/functions/"));
        keys
    }

    #[test]
    fn what_is_hidden_needs_no_documentation() {
        let documented: String = (0..5)
            .map(|n| format!("/// Does.\npub fn f{n}() {{}}\n"))
            .collect();
        let hidden = "struct Inner;\n\nimpl Inner {\n    pub fn new() -> Self { Inner }\n}\n";
        let keys = functions(&[("src/lib.rs", &format!("{documented}{hidden}"))]);
        assert_eq!(keys, ["documentation/rust/functions/documented 5/5"]);
        let documented: String = (0..12)
            .map(|n| format!("def f{n}():\n    \"\"\"Does.\"\"\"\n"))
            .collect();
        let bare = "def g(): pass\n";
        let files = [
            ("p/a.py", documented.as_str()),
            ("p/_compat.py", bare),
            ("p/_internal/b.py", bare),
        ];
        assert_eq!(
            functions(&files),
            ["documentation/python/functions/documented 12/12"]
        );
        let files = [("p/a.py", documented.as_str()), ("p/__init__.py", bare)];
        assert_eq!(
            functions(&files),
            ["documentation/python/functions/documented 12/13"]
        );
    }

    #[test]
    fn jsdoc_stands_before_the_export() {
        let source: String = (0..7)
            .map(|n| format!("/** Does. */\nexport const f{n} = () => 1;\n"))
            .collect();
        let bare = "// Plain.\nexport function g() {}\n";
        let keys = found("documentation", &[("a.ts", &format!("{source}{bare}"))]);
        assert_eq!(keys, ["documentation/typescript/functions/documented 7/8"]);
    }
}
