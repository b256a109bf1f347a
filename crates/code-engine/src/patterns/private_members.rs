//! How TypeScript classes hide methods: `#name` or the keyword `private`. A case is a hidden method. A `protected` one
//! is none: subclasses may use it, which `#name` does not allow.

use super::super::facts::DefinitionKind;
use super::super::language::Language;
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "private_members";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut cases = Vec::new();
    for file in context.source(Language::TypeScript) {
        let definitions = &file.facts.definitions;
        let is_exported = |parent: &str| {
            definitions
                .iter()
                .any(|one| one.name == parent && one.exported)
        };
        for one in definitions
            .iter()
            .filter(|one| one.kind == DefinitionKind::Method && !one.exported)
        {
            let is_hash = one.name.starts_with('#');
            // A method that is not exported in an exported class is hidden by a keyword. In other classes no method is
            // exported.
            let is_keyword =
                !one.dictated && !one.inherited && one.parent.as_deref().is_some_and(is_exported);
            if is_hash || is_keyword {
                cases.push(Case::line(file, one.start_line, usize::from(!is_hash)));
            }
        }
    }
    let question = Question {
        subject: "methods".into(),
        stack: Language::TypeScript,
        answers: vec![
            Answer::rule(
                "hash",
                "Private methods are `#name`, not `private`",
                "Hide a method of a class by `#name`, which holds at run time, not by the keyword `private`.",
            ),
            Answer::rule(
                "keyword",
                "Private methods carry the keyword `private`",
                "Hide a method of a class by the keyword `private`, not by `#name`.",
            ),
        ],
        cases,
    };
    decide(KIND, &[question])
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    fn of(mark: impl Fn(usize) -> &'static str) -> Vec<String> {
        let members: String = (0..8)
            .map(|n| format!("  {}m{n}() {{ return {n}; }}\n", mark(n)))
            .collect();
        found(
            "private_members",
            &[("src/a.ts", &format!("export class A {{\n{members}}}\n"))],
        )
    }

    #[test]
    fn the_usual_way_is_told() {
        assert_eq!(of(|_| "#"), ["private_members/typescript/methods/hash 8/8"]);
        assert_eq!(
            of(|_| "private "),
            ["private_members/typescript/methods/keyword 8/8"]
        );
    }

    #[test]
    fn a_protected_member_is_no_case() {
        assert_eq!(
            of(|n| if n < 6 { "#" } else { "protected " }),
            ["private_members/typescript/methods/hash 6/6"]
        );
    }

    #[test]
    fn a_mixture_and_public_members_say_nothing() {
        assert!(of(|n| if n % 2 == 0 { "#" } else { "private " }).is_empty());
        assert!(of(|_| "").is_empty());
    }
}
