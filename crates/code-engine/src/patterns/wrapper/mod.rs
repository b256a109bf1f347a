//! Wrapper modules. For files that make HTTP calls, query a database, read the environment or the clock, start
//! processes or access the disk: those that use a wrapper module of the project, against those that access it
//! directly.
//!
//! A module is a wrapper if it has direct access itself, its name says so, and other files call the function or class
//! that has the access.

mod concerns;

use std::collections::{BTreeMap, BTreeSet};

use super::super::facts::DefinitionKind;
use super::super::language::Language;
use super::super::project::SourceFile;
use super::super::project::imports::{ImportIndex, ImportKind};
use super::super::references::{Reference, ReferenceKind};
use super::{Answer, Case, Context, Pattern, Question, folder_of, is_module, name_of, stem_of};

use concerns::{CONCERNS, Call, Concern};

pub(super) const KIND: &str = "wrapper";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let Some(index) = context.known.imports else {
        return Vec::new();
    };
    let mut patterns = Vec::new();
    for concern in CONCERNS {
        for (languages, calls) in concern.calls {
            patterns.extend(pattern(context, index, concern, languages, calls));
        }
    }
    patterns
}

/// Whether the reference is a use of any concern, by any library.
pub(super) fn notes(stack: Language, one: &Reference<'_>) -> bool {
    let of_stack = CONCERNS.iter().flat_map(|concern| concern.calls);
    let mut of_stack = of_stack.filter(|(languages, _)| languages.contains(&stack));
    of_stack.any(|(_, calls)| calls.iter().any(|(_, call)| is_call(one, call)))
}

fn is_call(one: &Reference<'_>, call: &str) -> bool {
    match call.strip_suffix('.') {
        // A setting may be read without a call.
        Some(object) => {
            let rest = one.path.strip_prefix(object);
            rest.is_some_and(|rest| rest.starts_with('.'))
        }
        None => one.path == call && (one.kind == ReferenceKind::Call || call == "os.environ"),
    }
}

/// The lines on which a file accesses the concern directly.
fn direct(file: &SourceFile, calls: &[Call]) -> Vec<u32> {
    let known: Vec<&str> = calls
        .iter()
        .filter(|(module, _)| {
            let mut imports = file.facts.imports.iter().filter(|import| !import.test);
            module.is_empty() || imports.any(|import| is_module(&import.module, module))
        })
        .map(|(_, call)| *call)
        .collect();
    if known.is_empty() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for one in file.noted().filter(|one| !one.test) {
        let is_one = known.iter().any(|call| is_call(&one, call));
        if is_one && one.kind != ReferenceKind::Type {
            lines.extend(one.lines());
        }
    }
    lines.sort_unstable();
    lines
}

fn hinted(word: &str, concern: &Concern) -> bool {
    let mut part = String::new();
    let mut parts = Vec::new();
    for letter in word.chars() {
        if matches!(letter, '-' | '_' | '.') || letter.is_uppercase() {
            parts.push(std::mem::take(&mut part));
        }
        if letter.is_alphanumeric() {
            part.extend(letter.to_lowercase());
        }
    }
    parts.push(part);
    parts
        .iter()
        .any(|part| concern.hints.contains(&part.as_str()))
}

/// The names by which others call a wrapper module: the functions and types that contain the direct access.
fn offers<'a>(file: &'a SourceFile, lines: &[u32]) -> BTreeSet<&'a str> {
    let definitions = file.facts.definitions.iter();
    definitions
        .filter(|one| one.exported && !one.test && one.kind != DefinitionKind::Module)
        .filter(|one| {
            let at = lines.partition_point(|line| *line < one.start_line);
            lines.get(at).is_some_and(|line| *line <= one.end_line)
        })
        .map(|one| one.name.as_str())
        .collect()
}

/// The first line on which a file calls one of the names, or a method of an object that is named after the concern.
fn goes_through(file: &SourceFile, names: &BTreeSet<&str>, concern: &Concern) -> Option<u32> {
    let references = file.facts.references.iter().filter(|one| !one.test);
    let found = references.filter(|one| {
        let mut parts = one.path.rsplit('.');
        let (name, object) = (parts.next().unwrap_or(""), parts.next());
        match object {
            _ if one.kind == ReferenceKind::Type => false,
            Some(object) if names.contains(object) => true,
            Some(object) => {
                one.kind == ReferenceKind::Call && names.contains(name) && hinted(object, concern)
            }
            None => one.kind == ReferenceKind::Call && names.contains(name),
        }
    });
    found.map(|one| one.line()).min()
}

fn pattern(
    context: &Context<'_>,
    index: &ImportIndex,
    concern: &Concern,
    languages: &[Language],
    calls: &[Call],
) -> Option<Pattern> {
    let files = context.known.files;
    let source: Vec<u32> = context
        .source_at()
        .filter(|(_, file)| languages.contains(&file.language.stack()))
        .map(|(at, _)| at)
        .collect();
    let mut direct_lines: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for at in &source {
        let lines = direct(files.get(*at as usize)?, calls);
        if !lines.is_empty() {
            direct_lines.insert(*at, lines);
        }
    }
    let mut candidates: BTreeMap<u32, (BTreeSet<&str>, BTreeMap<u32, u32>)> = BTreeMap::new();
    for (at, lines) in &direct_lines {
        let file = files.get(*at as usize)?;
        let says_so = hinted(stem_of(&file.path), concern)
            || hinted(name_of(folder_of(&file.path)), concern)
                && matches!(stem_of(&file.path), "index" | "mod" | "__init__" | "lib");
        let names = offers(file, lines);
        if says_so && !names.is_empty() {
            candidates.insert(*at, (names, BTreeMap::new()));
        }
    }
    if candidates.is_empty() {
        return None;
    }
    for at in &source {
        let file = files.get(*at as usize)?;
        for edge in index.imports(*at) {
            if matches!(edge.kind, ImportKind::Types | ImportKind::Test) {
                continue;
            }
            // An import may mean all files of a folder.
            for member in index.members(&edge.to) {
                if let Some((names, through)) = candidates.get_mut(member)
                    && let Some(line) = goes_through(file, names, concern)
                {
                    through.insert(*at, line);
                }
            }
        }
    }
    let (wrapper, (names, through)) = candidates
        .into_iter()
        .max_by_key(|(at, (_, through))| (through.len(), std::cmp::Reverse(*at)))?;
    let file = files.get(wrapper as usize)?;
    let stack = file.language.stack();
    let mut cases = Vec::new();
    for (at, lines) in &direct_lines {
        let case = files.get(*at as usize)?;
        if *at != wrapper && case.language.stack() == stack {
            cases.push(Case::line(case, *lines.first()?, 1));
        }
    }
    for (at, line) in through {
        let case = files.get(at as usize)?;
        if !direct_lines.contains_key(&at) && case.language.stack() == stack {
            cases.push(Case::line(case, line, 0));
        }
    }
    let path = &file.path;
    let shown: Vec<String> = names
        .iter()
        .take(3)
        .map(|name| format!("`{name}`"))
        .collect();
    let question = Question {
        subject: concern.slug.into(),
        stack,
        answers: vec![
            Answer::rule(
                path.clone(),
                format!("{} go through `{path}`", concern.things)
                    .replace("The time go", "The time goes"),
                format!(
                    "{} through `{path}` ({}), not by yourself.",
                    concern.rule,
                    shown.join(", ")
                ),
            ),
            Answer::other("direct"),
        ],
        cases,
    };
    question.decide_whole(KIND)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{found, patterns};

    fn project(direct: usize) -> Vec<(String, String)> {
        let client = "export async function getJson(url: string) {\n  return (await fetch(url)).json();\n}\nexport function other() {\n  return 1;\n}\n";
        let mut sources = vec![("src/client.ts".to_owned(), client.to_owned())];
        for n in 0..8 {
            let text = match n < direct {
                true => "export const a = () => fetch('/a');\n",
                false => {
                    "import { getJson } from './client';\nexport const a = () => getJson('/a');\n"
                }
            };
            sources.push((format!("src/m{n}.ts"), text.to_owned()));
        }
        sources
    }

    fn borrowed(sources: &[(String, String)]) -> Vec<(&str, &str)> {
        sources
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect()
    }

    #[test]
    fn http_calls_go_through_the_client() {
        let sources = project(1);
        let found = patterns("wrapper", &borrowed(&sources));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].key.as_str(), found[0].support, found[0].cases),
            ("wrapper/typescript/http/src/client.ts", 7, 8)
        );
        assert_eq!(found[0].title, "HTTP calls go through `src/client.ts`");
        assert_eq!(
            found[0].statement,
            "Make HTTP calls through `src/client.ts` (`getJson`), not by yourself."
        );
    }

    #[test]
    fn where_everyone_calls_for_themselves_there_is_no_wrapper() {
        assert!(found("wrapper", &borrowed(&project(6))).is_empty());
    }

    #[test]
    fn using_another_item_of_the_module_is_not_wrapper_use() {
        let mut sources = project(0);
        for (path, text) in &mut sources {
            if path != "src/client.ts" {
                *text = text.replace("getJson", "other");
            }
        }
        assert!(found("wrapper", &borrowed(&sources)).is_empty());
    }

    #[test]
    fn a_module_that_does_not_say_so_is_no_wrapper() {
        let mut sources = project(0);
        for (path, text) in &mut sources {
            *path = path.replace("client", "helpers");
            *text = text.replace("./client", "./helpers");
        }
        assert!(found("wrapper", &borrowed(&sources)).is_empty());
    }

    #[test]
    fn python_settings_come_from_one_module() {
        let settings = "import os\n\ndef setting(name):\n    return os.environ.get(name)\n";
        let user = "from app.settings import setting\n\ndef f():\n    return setting('A')\n";
        let mut sources = vec![
            ("app/__init__.py".to_owned(), String::new()),
            ("app/settings.py".to_owned(), settings.to_owned()),
        ];
        sources.extend((0..6).map(|n| (format!("app/m{n}.py"), user.to_owned())));
        assert_eq!(
            found("wrapper", &borrowed(&sources)),
            ["wrapper/python/environment/app/settings.py 6/6"]
        );
    }
}
