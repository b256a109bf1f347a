//! Whether functions state their types. In Python a case is a function or a method with parameters of its own; it
//! follows if it annotates all of them and what it returns. In TypeScript a case is an exported function; it follows if
//! it states what it returns, which other files would otherwise infer from its body.
//!
//! Functions within functions, overloads, setters and functions whose variable states their type are no cases; see
//! [`Sign::SignatureTyped`]. Neither is a component of React: what it returns is known.

use super::super::facts::{Definition, DefinitionKind, Sign};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "type_annotations";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let signatures = Question {
        subject: "functions".into(),
        stack: Language::Python,
        answers: vec![
            Answer::rule(
                "annotated",
                "Functions annotate their parameters and what they return",
                "Annotate every parameter of a function and what it returns.",
            ),
            Answer::other("unannotated"),
        ],
        cases: cases(context, Language::Python, is_of_module),
    };
    let returns = Question {
        subject: "exported-functions".into(),
        stack: Language::TypeScript,
        answers: vec![
            Answer::rule(
                "return-type",
                if has_components(context) {
                    "Exported functions other than components state their return type"
                } else {
                    "Exported functions state their return type"
                },
                "State the return type of an exported function; do not leave it to inference.",
            ),
            Answer::other("inferred"),
        ],
        cases: cases(context, Language::TypeScript, is_exported_function),
    };
    decide(KIND, &[signatures, returns])
}

/// The functions outside of tests that state their types or do not.
fn cases<'a>(
    context: &Context<'a>,
    stack: Language,
    holds: fn(&SourceFile, &Definition) -> bool,
) -> Vec<Case<'a>> {
    let of_file = |file: &'a SourceFile| {
        let lines = |sign| file.facts.sign_lines(sign);
        let (typed, untyped) = (lines(Sign::SignatureTyped), lines(Sign::SignatureUntyped));
        let definitions = file.facts.definitions.iter();
        definitions.filter_map(move |one| {
            let has_sign = |lines: &[u32]| lines.binary_search(&one.start_line).is_ok();
            let is_function = one.metrics.is_some() && !one.test && holds(file, one);
            let is_typed = is_function && has_sign(typed);
            (is_typed || (is_function && has_sign(untyped))).then(|| Case {
                file,
                start_line: one.start_line,
                end_line: one.end_line,
                answer: usize::from(!is_typed),
            })
        })
    };
    context.source(stack).flat_map(of_file).collect()
}

/// Whether a definition is not of a stub, which consists of types.
fn is_of_module(file: &SourceFile, _definition: &Definition) -> bool {
    !file.path.ends_with(".pyi")
}

/// Whether a definition is an exported function and no component.
fn is_exported_function(file: &SourceFile, definition: &Definition) -> bool {
    is_exported(definition) && !is_component(file, definition)
}

fn is_exported(definition: &Definition) -> bool {
    definition.exported && definition.kind == DefinitionKind::Function
}

/// Whether a function is a component of React: it has a capital, in a file with JSX.
fn is_component(file: &SourceFile, definition: &Definition) -> bool {
    file.language == Language::Tsx && definition.name.starts_with(char::is_uppercase)
}

fn has_components(context: &Context<'_>) -> bool {
    context.source(Language::TypeScript).any(|file| {
        let mut definitions = file.facts.definitions.iter();
        definitions.any(|one| is_exported(one) && is_component(file, one))
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{found, patterns};

    fn python(others: &str) -> Vec<String> {
        let annotated: String = (0..10)
            .map(|n| format!("def f{n}(a: int, *rest: str) -> int:\n    return a\n\n"))
            .collect();
        found(
            "type_annotations",
            &[("app/a.py", &format!("{annotated}{others}"))],
        )
    }

    fn typescript(path: &str, others: &str) -> Vec<String> {
        let stated: String = (0..10)
            .map(|n| format!("export function f{n}(a: number): number {{ return a; }}\n"))
            .collect();
        found("type_annotations", &[(path, &format!("{stated}{others}"))])
    }

    #[test]
    fn annotated_functions_are_a_habit() {
        assert_eq!(
            python(""),
            ["type_annotations/python/functions/annotated 10/10"]
        );
        for other in [
            "def g(a, b: int) -> int:\n    return a\n",
            "def g(a: int):\n    return a\n",
            "def g(a: int, *rest) -> int:\n    return a\n",
            "class A:\n    def g(self, a) -> None:\n        pass\n",
            "class A:\n    @staticmethod\n    def g(a) -> None:\n        pass\n",
            "class A:\n    def __init__(self, a):\n        pass\n",
        ] {
            assert_eq!(
                python(other),
                ["type_annotations/python/functions/annotated 10/11"],
                "{other}"
            );
        }
    }

    #[test]
    fn what_needs_no_annotation_is_no_case() {
        for other in [
            "def g():\n    pass\n",
            "class A:\n    def g(self):\n        pass\n",
            "class A:\n    @x.setter\n    def x(self, a):\n        pass\n",
            "@overload\ndef g(a): ...\n",
            "class A:\n    def test_g(self, a):\n        pass\n",
            "g = lambda a: a\n",
        ] {
            assert_eq!(
                python(other),
                ["type_annotations/python/functions/annotated 10/10"],
                "{other}"
            );
        }
        for other in [
            "class A:\n    def __init__(self, a: int):\n        pass\n",
            "class A:\n    @classmethod\n    def g(cls, a: int) -> None:\n        pass\n",
            "def g(a: int) -> int:\n    def inner(b):\n        return b\n    return inner(a)\n",
        ] {
            assert_eq!(
                python(other),
                ["type_annotations/python/functions/annotated 11/11"],
                "{other}"
            );
        }
    }

    #[test]
    fn functions_without_annotations_are_no_convention() {
        let bare: String = (0..9).map(|n| format!("def f{n}(a): return a\n")).collect();
        assert!(found("type_annotations", &[("app/a.py", &bare)]).is_empty());
        let bare: String = (0..9)
            .map(|n| format!("export const f{n} = (a: number) => a;\n"))
            .collect();
        assert!(found("type_annotations", &[("src/a.ts", &bare)]).is_empty());
    }

    #[test]
    fn exported_functions_state_what_they_return() {
        let key = "type_annotations/typescript/exported-functions/return-type";
        for (other, counts) in [
            ("export const g = (a: number) => a;\n", "10/11"),
            ("export default async function g() {}\n", "10/11"),
            ("const g = function () {};\nexport { g };\n", "10/11"),
            ("export const g = (a: number): number => a;\n", "11/11"),
            ("export const g = (a: A) => (b: B): C => a(b);\n", "11/11"),
            ("export const g = (a: A) => (b: B) => a(b);\n", "10/11"),
            ("export const g = (a: A) => (a as B);\n", "11/11"),
            ("export const g: Handler = (a) => a;\n", "10/10"),
            ("function g(a: number) { return a; }\n", "10/10"),
            ("export class A { g() { return () => 1; } }\n", "10/10"),
            (
                "export function g(a: string): string;\nexport function g(a) { return a; }\n",
                "10/10",
            ),
        ] {
            assert_eq!(
                typescript("src/a.ts", other),
                [format!("{key} {counts}")],
                "{other}"
            );
        }
        let component = "export function View() { return <p />; }\nexport const use = () => 1;\n";
        assert_eq!(typescript("src/a.tsx", component), [format!("{key} 10/11")]);
    }

    #[test]
    fn the_title_says_that_components_are_left_out() {
        let stated = "export function a(): number { return 1; }\n".repeat(9);
        for (component, title) in [
            ("", "Exported functions state their return type"),
            (
                "export function View() { return <p />; }\n",
                "Exported functions other than components state their return type",
            ),
        ] {
            let text = format!("{stated}{component}");
            let told = patterns("type_annotations", &[("src/a.tsx", &text)]);
            assert_eq!(told[0].title, title);
        }
    }

    #[test]
    fn javascript_has_no_types_to_state() {
        let bare: String = (0..9)
            .map(|n| format!("export const f{n} = (a) => a;\n"))
            .collect();
        assert!(found("type_annotations", &[("src/a.js", &bare)]).is_empty());
    }
}
