//! Decorators by role: the decorators on functions with one kind of name. A case is a function or method whose name
//! begins, or whose type's name ends, with a word that several share.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::super::facts::{Definition, DefinitionKind, Name};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "decorators";

const STACKS: [Language; 6] = [
    Language::Python,
    Language::TypeScript,
    Language::Java,
    Language::Kotlin,
    Language::CSharp,
    Language::Php,
];

/// The minimum number of uses of a decorator for it to have a role.
const USES_MIN: usize = 5;

/// The least share of a decorator's uses in the role, in percent: a decorator on everything has no role.
const ROLE_PERCENT: usize = 50;

/// Decorators that the language itself requires.
const DICTATED: &[&str] = &[
    "Override",
    "property",
    "staticmethod",
    "classmethod",
    "overload",
    "setter",
    "abstractmethod",
    "SuppressWarnings",
];

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let questions: Vec<Question<'_>> = STACKS
        .into_iter()
        .flat_map(|stack| questions(context, stack))
        .collect();
    decide(KIND, &questions)
}

/// The role of a function, as its name shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Role<'a> {
    /// The first word of its name.
    Begins(&'a str),
    /// The last word of its type's name.
    TypeEnds(&'a str),
}

type Functions<'a> = Vec<(&'a SourceFile, &'a Definition)>;

fn questions<'a>(context: &Context<'a>, stack: Language) -> Vec<Question<'a>> {
    let mut roles: FxHashMap<Role<'a>, Functions<'a>> = FxHashMap::default();
    let mut uses: BTreeMap<&'a str, usize> = BTreeMap::new();
    // For each decorator, the number of functions with it in each role.
    let mut with: BTreeMap<&'a str, BTreeMap<Role<'a>, usize>> = BTreeMap::new();
    for file in context.source(stack) {
        for definition in file.facts.definitions.iter().filter(|one| is_case(one)) {
            let paths = decorators(definition);
            for &path in &paths {
                *uses.entry(path).or_default() += 1;
            }
            for role in roles_of(definition) {
                roles.entry(role).or_default().push((file, definition));
                for &path in &paths {
                    let counts = with.entry(path).or_default();
                    *counts.entry(role).or_default() += 1;
                }
            }
        }
    }
    let mut found = Vec::new();
    for (path, all) in uses.into_iter().filter(|(_, all)| *all >= USES_MIN) {
        // A role in which no function has the decorator cannot be its role.
        let best = with
            .get(path)
            .into_iter()
            .flatten()
            .filter_map(|(role, with)| Some((*with, *role, roles.get(role)?)))
            .filter(|(with, role, functions)| {
                let is_shared = matches!(role, Role::Begins(_)) || types_of(functions) > 1;
                is_shared && with * 100 >= all * ROLE_PERCENT && with * 4 >= functions.len() * 3
            })
            .max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        if let Some((_, role, functions)) = best {
            found.push(question(stack, path, role, functions));
        }
    }
    found
}

/// The number of types that the functions belong to: the methods of a single type are not a role.
fn types_of(functions: &Functions<'_>) -> usize {
    let types = functions.iter().map(|(_, one)| one.parent.as_deref());
    types.collect::<BTreeSet<_>>().len()
}

fn question<'a>(
    stack: Language,
    path: &'a str,
    role: Role<'a>,
    functions: &Functions<'a>,
) -> Question<'a> {
    let sign = if stack == Language::CSharp {
        format!("[{path}]")
    } else {
        format!("@{path}")
    };
    let (subject, who) = match role {
        Role::Begins(word) => (
            format!("begins-{word}"),
            format!("Functions named `{word}...`"),
        ),
        Role::TypeEnds(word) => (format!("in-{word}"), format!("Methods of a `...{word}`")),
    };
    let answers = vec![
        Answer::rule(
            path.to_owned(),
            format!("{who} carry `{sign}`"),
            format!("Put `{sign}` on {}.", lower_first(&who)),
        ),
        Answer::other("without"),
    ];
    let cases = functions
        .iter()
        .map(|(file, one)| Case::line(file, one.start_line, usize::from(!has(one, path))));
    Question {
        subject: subject.into(),
        stack,
        answers,
        cases: cases.collect(),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_lowercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

fn is_case(definition: &Definition) -> bool {
    matches!(
        definition.kind,
        DefinitionKind::Function | DefinitionKind::Method
    ) && !definition.test
        && definition.metrics.is_some()
        && !definition.name.starts_with("__")
}

fn decorators(definition: &Definition) -> BTreeSet<&str> {
    let paths = definition.decorators.iter().map(Name::as_str);
    paths
        .filter(|path| !DICTATED.contains(&path.rsplit('.').next().unwrap_or(path)))
        .collect()
}

fn has(definition: &Definition, path: &str) -> bool {
    definition.decorators.iter().any(|one| one == path)
}

fn roles_of(definition: &Definition) -> impl Iterator<Item = Role<'_>> {
    let name = definition.name.trim_start_matches(['_', '#']);
    let begins = first_word(name).filter(|word| word.len() >= 3 && word.len() < name.len());
    let ends = definition.parent.as_deref().and_then(last_word);
    begins
        .map(Role::Begins)
        .into_iter()
        .chain(ends.map(Role::TypeEnds))
}

/// `add` of `add_url_rule` and of `addRule`.
pub(super) fn first_word(name: &str) -> Option<&str> {
    let end = name
        .char_indices()
        .skip(1)
        .find(|(_, letter)| *letter == '_' || letter.is_uppercase())
        .map_or(name.len(), |(at, _)| at);
    name.get(..end)
}

/// `Controller` of `OwnerController`; a name of one word has none.
fn last_word(name: &str) -> Option<&str> {
    let name = name.trim_matches('`');
    let at = name
        .char_indices()
        .skip(1)
        .filter(|(_, letter)| letter.is_uppercase())
        .last()?
        .0;
    name.get(at..).filter(|word| word.len() >= 4)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    fn of(decorator: &str) -> Vec<String> {
        let methods: String = ["url", "rule", "filter", "test", "global", "handler"]
            .iter()
            .map(|name| format!("    {decorator}\n    def add_{name}(self):\n        pass\n\n"))
            .collect();
        let others: String = (0..6)
            .map(|n| format!("    def run_{n}(self):\n        pass\n\n"))
            .collect();
        found(
            "decorators",
            &[("app.py", &format!("class App:\n{methods}{others}"))],
        )
    }

    #[test]
    fn functions_of_one_role_carry_a_decorator() {
        assert_eq!(
            of("@setupmethod"),
            ["decorators/python/begins-add/setupmethod 6/6"]
        );
    }

    #[test]
    fn what_one_type_does_is_no_role() {
        let methods: String = (0..6)
            .map(|n| format!("  @Deprecated(\"moved\")\n  fun open{n}() = {n}\n"))
            .collect();
        let old = |name: &str| format!("object {name} {{\n{methods}}}\n");
        let one = old("`-DeprecatedFiles`");
        assert!(found("decorators", &[("src/Old.kt", &one)]).is_empty());
        let two = old("LegacyFiles");
        assert_eq!(
            found(
                "decorators",
                &[("src/Old.kt", &one), ("src/Legacy.kt", &two)]
            ),
            ["decorators/kotlin/in-Files/Deprecated 12/12"]
        );
    }

    #[test]
    fn what_a_language_dictates_or_nobody_shares_is_none() {
        assert!(of("@property").is_empty());
        let source: String = (0..6)
            .map(|n| format!("@mark{n}\ndef add_{n}():\n    pass\n\n"))
            .collect();
        assert!(found("decorators", &[("a.py", &source)]).is_empty());
    }
}
