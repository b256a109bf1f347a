//! The line that files begin with to say whose they are or under which licence. A case is a file of source or tests.

use std::collections::BTreeMap;

use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, STACKS, decide};

pub(super) const KIND: &str = "file_header";

/// A file with fewer lines of code holds nothing to claim: `__init__.py`.
const CODE_MIN: u32 = 3;

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let questions: Vec<Question<'_>> = STACKS
        .into_iter()
        .filter_map(|stack| {
            let files = context.source(stack).chain(context.tests(stack));
            // The recipes of a build are written by the tools that begin them.
            let files = files.filter(|file| {
                file.facts.lines.code >= CODE_MIN && !file.path.ends_with(".gradle.kts")
            });
            let files: Vec<&SourceFile> = files.collect();
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for file in files.iter().filter(|file| !file.facts.header.is_empty()) {
                *counts.entry(&file.facts.header).or_default() += 1;
            }
            let (header, _) = counts
                .into_iter()
                .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)))?;
            let answers = vec![
                Answer::rule(
                    "line",
                    format!("Files begin with the header `{header}`"),
                    format!("Begin a new file with the header of the others: `{header}`."),
                ),
                Answer::other("without"),
            ];
            let cases = files
                .into_iter()
                .map(|file| Case::line(file, 1, usize::from(file.facts.header != header)));
            Some(Question {
                subject: "header".into(),
                stack,
                answers,
                cases: cases.collect(),
            })
        })
        .collect();
    decide(KIND, &questions)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{found, patterns};

    const CODE: &str = "class A {\npublic:\n  int a;\n};\n";

    #[test]
    fn the_header_of_most_files_is_told_whatever_the_year() {
        let texts: Vec<(String, String)> = (0..10)
            .map(|n| {
                let text = format!("// Copyright (c) 201{n} The Authors\n{CODE}");
                (format!("db/a{n}.cc"), text)
            })
            .collect();
        let mut sources: Vec<(&str, &str)> = texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        sources.push(("db/other.cc", CODE));
        sources.push(("db/empty.cc", "int a;\n"));
        let found = patterns("file_header", &sources);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].title,
            "Files begin with the header `Copyright (c) YYYY The Authors`"
        );
        assert_eq!((found[0].support, found[0].cases), (10, 11));
    }

    #[test]
    fn files_without_a_header_have_no_such_habit() {
        let paths: Vec<String> = (0..6).map(|n| format!("db/a{n}.cc")).collect();
        let sources: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), CODE)).collect();
        assert!(found("file_header", &sources).is_empty());
    }
}
