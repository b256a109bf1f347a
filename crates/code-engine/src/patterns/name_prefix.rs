//! A word of the project with which exported names begin: `$Zod...`, `cJSON_...`. A case is an exported function or
//! type.

use std::collections::BTreeMap;

use super::super::facts::{Definition, DefinitionKind};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "name_prefix";

/// Languages without namespaces, or in which prefixes are used nevertheless. In the others a namespace replaces the
/// prefix.
const STACKS: [Language; 6] = [
    Language::C,
    Language::TypeScript,
    Language::JavaScript,
    Language::Python,
    Language::Swift,
    Language::Shell,
];

/// Words that describe what a function does, and so are not a prefix of the project.
const VERBS: &[&str] = &[
    "add", "as", "assert", "build", "can", "check", "clear", "create", "delete", "find", "format",
    "from", "get", "handle", "has", "init", "is", "list", "load", "make", "new", "on", "parse",
    "print", "read", "remove", "render", "run", "set", "test", "to", "update", "use", "validate",
    "with", "write",
];

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut questions = Vec::new();
    for stack in STACKS {
        questions.extend(question(context, stack, "functions", |kind| {
            kind == DefinitionKind::Function
        }));
        questions.extend(question(context, stack, "types", |kind| {
            use DefinitionKind::{Class, Enum, Interface, Struct, Type};
            matches!(kind, Class | Enum | Interface | Struct | Type)
        }));
    }
    decide(KIND, &questions)
}

fn question<'a>(
    context: &Context<'a>,
    stack: Language,
    things: &'static str,
    wanted: impl Fn(DefinitionKind) -> bool,
) -> Option<Question<'a>> {
    let cases: Vec<(&'a SourceFile, &'a Definition)> = context
        .source(stack)
        .flat_map(|file| file.facts.definitions.iter().map(move |one| (file, one)))
        .filter(|(_, one)| {
            let is_macro = stack == Language::C && !one.name.contains(char::is_lowercase);
            one.exported
                && one.parent.is_none()
                && !one.test
                && !one.dictated
                && !is_macro
                && wanted(one.kind)
        })
        .collect();
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for word in cases.iter().filter_map(|(_, one)| word(&one.name)) {
        *words.entry(word).or_default() += 1;
    }
    let (prefix, count) = words
        .into_iter()
        .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)))?;
    if count < 5 {
        return None;
    }
    let answers = vec![
        Answer::rule(
            prefix.to_owned(),
            format!("Exported {things} begin with `{prefix}`"),
            format!(
                "Begin the name of an exported {} with `{prefix}`.",
                things.trim_end_matches('s')
            ),
        ),
        Answer::other("without"),
    ];
    let cases = cases.into_iter().map(|(file, one)| {
        let has = word(&one.name) == Some(prefix);
        Case::line(file, one.start_line, usize::from(!has))
    });
    Some(Question {
        subject: things.into(),
        stack,
        answers,
        cases: cases.collect(),
    })
}

/// The prefix of a name, with its separator: `$Zod`, `cJSON_`, `nvm_`.
fn word(name: &str) -> Option<&str> {
    let start = name.len() - name.trim_start_matches('$').len();
    let body = &name[start..];
    let end = match body.find('_').filter(|at| *at > 0) {
        Some(at) => at + 1,
        None => {
            body.char_indices()
                .skip(1)
                .find(|(at, letter)| {
                    letter.is_uppercase()
                        && body[..*at].ends_with(|c: char| c.is_lowercase() || c.is_ascii_digit())
                })?
                .0
        }
    };
    let plain = body[..end].trim_end_matches('_').to_lowercase();
    let is_own = plain.len() >= 2 && end < body.len() && !VERBS.contains(&plain.as_str());
    is_own.then(|| &name[..start + end])
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    #[test]
    fn the_projects_own_word_is_told() {
        let names = ["Parse", "Print", "Delete", "Get_Item", "Copy"];
        let source: String = names
            .iter()
            .map(|name| format!("int cJSON_{name}(void) {{ return 1; }}\n"))
            .collect();
        assert_eq!(
            found("name_prefix", &[("cJSON.c", &source)]),
            ["name_prefix/c/functions/cJSON_ 5/5"]
        );
        let types: String = ["String", "Number", "Object", "Array", "Union"]
            .iter()
            .map(|name| format!("export interface $Zod{name} {{ a: 1 }}\n"))
            .collect();
        assert_eq!(
            found("name_prefix", &[("src/a.ts", &types)]),
            ["name_prefix/typescript/types/$Zod 5/5"]
        );
    }

    #[test]
    fn the_prefix_of_macros_is_none_of_functions() {
        let macros: String = (0..8)
            .map(|n| format!("#define APP_JOIN_{n}(x) (x)\n"))
            .collect();
        let source = format!("{macros}int app_open(void);\n");
        assert!(found("name_prefix", &[("include/app.h", &source)]).is_empty());
    }

    #[test]
    fn verbs_and_strangers_are_no_prefix() {
        let verbs: String = (0..8)
            .map(|n| format!("export function getThing{n}() {{ return {n}; }}\n"))
            .collect();
        assert!(found("name_prefix", &[("src/a.ts", &verbs)]).is_empty());
        let names = [
            "alphaOne",
            "betaTwo",
            "gammaThree",
            "deltaFour",
            "epsilonFive",
        ];
        let others: String = names
            .iter()
            .map(|name| format!("export function {name}() {{ return 1; }}\n"))
            .collect();
        assert!(found("name_prefix", &[("src/a.ts", &others)]).is_empty());
    }
}
