//! Which command is used for what: of the places that build, test, check or format the project (CI, scripts, build files, pages for
//! contributors), those that do it by the same command.

use std::collections::BTreeMap;

use super::super::project::SourceFile;
use super::super::project::stack::CommandPurpose;
use super::question::{EXAMPLES, key};
use super::{CodeLocation, Context, MIN_CASES, MIN_SHARE, Pattern, wilson_lower_bound};
use crate::engine::project::round4;

pub(super) const KIND: &str = "commands";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let files: BTreeMap<&str, &SourceFile> = context
        .known
        .files
        .iter()
        .map(|file| (file.path.as_str(), *file))
        .collect();
    let mut places: BTreeMap<CommandPurpose, Vec<(&str, CodeLocation)>> = BTreeMap::new();
    for one in context.known.commands {
        // What a file's presence implies is no place where somebody wrote the command.
        let (Some(line), Some(file)) = (one.line, files.get(one.path.as_str())) else {
            continue;
        };
        let place = CodeLocation {
            path: file.path.clone(),
            start_line: line,
            end_line: line,
            blob: file.blob.clone(),
        };
        places
            .entry(one.purpose)
            .or_default()
            .push((one.command.as_str(), place));
    }
    let found = places
        .into_iter()
        .filter_map(|(purpose, places)| pattern(purpose, &places));
    found.collect()
}

const fn words(purpose: CommandPurpose) -> (&'static str, &'static str) {
    match purpose {
        CommandPurpose::Install => ("install", "Dependencies are fetched"),
        CommandPurpose::Build => ("build", "The project is built"),
        CommandPurpose::Test => ("test", "Tests are run"),
        CommandPurpose::Lint => ("lint", "Code is checked"),
        CommandPurpose::Format => ("format", "Code is formatted"),
        CommandPurpose::Run => ("run", "The project is started"),
    }
}

fn pattern(purpose: CommandPurpose, places: &[(&str, CodeLocation)]) -> Option<Pattern> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for (command, _) in places {
        *counts.entry(command).or_default() += 1;
    }
    let (command, support) = counts
        .into_iter()
        .max_by_key(|(command, count)| (*count, std::cmp::Reverse(*command)))?;
    let cases = u32::try_from(places.len()).ok()?;
    let bound = wilson_lower_bound(support, cases);
    if cases < MIN_CASES || f64::from(support) < MIN_SHARE * f64::from(cases) || bound <= 0.5 {
        return None;
    }
    let (slug, title) = words(purpose);
    let some = |is_wanted: &dyn Fn(&str) -> bool| -> Vec<CodeLocation> {
        let wanted = places.iter().filter(|(command, _)| is_wanted(command));
        let mut found: Vec<CodeLocation> = wanted.map(|(_, place)| place.clone()).collect();
        found.sort();
        // From different files where there are such.
        let mut first: Vec<CodeLocation> = Vec::new();
        let (mut rest, mut seen) = (Vec::new(), "".to_owned());
        for place in found {
            if place.path == seen {
                rest.push(place);
            } else {
                seen.clone_from(&place.path);
                first.push(place);
            }
        }
        first.extend(rest);
        first.truncate(EXAMPLES);
        first.sort();
        first
    };
    Some(Pattern {
        key: key(&format!("{KIND}/{slug}/{command}")),
        kind: KIND.to_owned(),
        title: format!("{title} by `{command}`"),
        statement: match purpose {
            CommandPurpose::Install => format!("Fetch the dependencies with `{command}`."),
            CommandPurpose::Build => format!("Build with `{command}`."),
            CommandPurpose::Test => format!("Run the tests with `{command}`."),
            CommandPurpose::Lint => format!("Check the code with `{command}`."),
            CommandPurpose::Format => format!("Format the code with `{command}`."),
            CommandPurpose::Run => format!("Start the project with `{command}`."),
        },
        stack: None,
        scope: None,
        support,
        cases,
        confidence: round4(bound),
        exemplars: some(&|one| one == command),
        counter_examples: some(&|one| one != command),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Known;
    use super::super::fixture::{files, found_in};
    use crate::{CommandPurpose, ProjectCommand, SourceFile};

    fn found(commands: &[(&str, u32)]) -> Vec<(String, u32, u32)> {
        let files = files(&[("ci.yml", "a\n"), ("README.md", "b\n")]);
        let files: Vec<&SourceFile> = files.iter().collect();
        let commands: Vec<ProjectCommand> = commands
            .iter()
            .map(|(command, line)| ProjectCommand {
                purpose: CommandPurpose::Test,
                command: (*command).to_owned(),
                path: ["ci.yml", "README.md"][*line as usize % 2].to_owned(),
                line: Some(*line),
            })
            .collect();
        let known = Known {
            files: &files,
            commands: &commands,
            ..Known::default()
        };
        let found = found_in(super::KIND, known);
        found
            .into_iter()
            .map(|one| (one.statement, one.support, one.cases))
            .collect()
    }

    #[test]
    fn the_command_that_most_places_use_is_the_rule() {
        let places: Vec<(&str, u32)> = (1..=9)
            .map(|line| (if line == 3 { "make check" } else { "just test" }, line))
            .collect();
        assert_eq!(
            found(&places),
            [("Run the tests with `just test`.".to_owned(), 8, 9)]
        );
    }

    #[test]
    fn few_places_or_several_commands_are_no_rule() {
        assert!(found(&[("just test", 1), ("just test", 2)]).is_empty());
        let places: Vec<(&str, u32)> = (1..=9)
            .map(|line| (["a", "b"][line as usize % 2], line))
            .collect();
        assert!(found(&places).is_empty());
    }
}
