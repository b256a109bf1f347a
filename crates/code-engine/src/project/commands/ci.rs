//! Commands in GitHub workflows. The files are read line by line, with only the subset of YAML that steps use.

use super::{
    Candidate, CommandPurpose, Evidence, Project, candidate, purpose_of_command, purpose_of_name,
    tasks,
};
use crate::project::manifest::Manifest;

/// One step of a job.
#[derive(Debug, Default)]
struct Step {
    /// Its commands, each with its line.
    commands: Vec<(usize, String)>,
    /// Whether it runs in another folder than the top, or with an unusual shell.
    is_elsewhere: bool,
}

/// The commands of a workflow that are known to cover the whole project. For a call of a task, the purpose is the
/// task's.
pub(super) fn find(
    manifest: &Manifest,
    project: &Project<'_>,
    offered: &[Candidate],
) -> Vec<Candidate> {
    let mut found = Vec::new();
    // A working directory for all steps.
    if manifest.text.lines().any(|line| {
        line.trim_start().starts_with("working-directory:")
            && line.starts_with("    working-directory")
    }) {
        return found;
    }
    let mut configured: Vec<String> = Vec::new();
    for step in steps(&manifest.text) {
        if step.is_elsewhere {
            continue;
        }
        for (line, command) in step.commands {
            let mut command = without_settings(&command);
            if command.starts_with("cmake ") {
                match with_its_configuration(&command, &configured) {
                    Some(both) => command = both,
                    None => {
                        configured.push(command);
                        continue;
                    }
                }
            }
            let of_task = offered.iter().find(|task| task.command.command == command);
            let known = match of_task {
                Some(task) => Some((task.command.purpose, task.tool)),
                None if command.starts_with("cmake ") => Some((CommandPurpose::Build, "cmake")),
                None => purpose_of_command(&command)
                    .or_else(|| tasks::script_purpose(project, &command))
                    .or_else(|| own_script(&command)),
            };
            if let Some((purpose, tool)) = known {
                found.push(candidate(
                    purpose,
                    command,
                    manifest,
                    Some(line),
                    Evidence::Ci,
                    tool,
                ));
            }
        }
    }
    found
}

/// A build of CMake after the earlier command that made its folder, which it needs in a fresh checkout. `None` if the
/// command builds nothing, or nothing earlier made the folder.
fn with_its_configuration(command: &str, earlier: &[String]) -> Option<String> {
    let built = command
        .strip_prefix("cmake --build ")?
        .split_whitespace()
        .next()?;
    let folder = |path: &str| {
        path.trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned()
    };
    let makes_it = |one: &&String| {
        let mut words = one.split_whitespace().skip(1);
        let made = words.find_map(|word| word.strip_prefix("-B"));
        let made = match made {
            // The option's value is in the next word.
            Some("") => words.next(),
            Some(path) => Some(path),
            None => Some("."),
        };
        made.is_some_and(|made| folder(made) == folder(built))
    };
    let configuration = earlier.iter().rev().find(makes_it)?;
    let both = format!("{configuration} && {command}");
    let is_plain = !both.contains(['$', '|', '>', '<', ';', '`', '*', '\\']);
    (is_plain && !built.starts_with("..")).then_some(both)
}

/// The purpose of a script at the top that is named after it: `./build.ps1`.
fn own_script(command: &str) -> Option<(CommandPurpose, &'static str)> {
    let file = command.strip_prefix("./")?;
    let stem = [".sh", ".ps1", ".cmd", ".bat"]
        .iter()
        .find_map(|end| file.strip_suffix(end));
    Some((purpose_of_name(stem.unwrap_or(file))?, "script"))
}

/// The command as a person types it: without values from a job matrix, and without variables that are set to such
/// values. A variable with a constant value stays, because the command may depend on it. So does an expression after an
/// option that may need it. A command with either is not reported.
fn without_settings(command: &str) -> String {
    const SWITCHES: [&str; 6] = ["-cover", "-q", "-race", "-v", "-vv", "--verbose"];
    let mut kept: Vec<&str> = Vec::new();
    let mut rest = command;
    let mut words: Vec<&str> = Vec::new();
    // A `${{ }}` expression is one word, whatever it contains.
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[start..];
        let mut end = 0;
        while let Some(next) = rest[end..].chars().next().filter(|c| !c.is_whitespace()) {
            let of_expression = rest[end..].starts_with("${{");
            end += match rest[end..].find("}}").filter(|_| of_expression) {
                Some(close) => close + 2,
                None => next.len_utf8(),
            };
        }
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    for word in words {
        let is_set = word.split_once('=').is_some_and(|(name, value)| {
            let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            !name.is_empty() && name.chars().all(is_name) && value.contains("${{")
        });
        let is_put_in = word.starts_with("${{") && word.ends_with("}}");
        let is_value = kept
            .last()
            .is_some_and(|before| before.starts_with('-') && !SWITCHES.contains(before));
        let is_left_out = if kept.is_empty() {
            is_set
        } else {
            is_put_in && !is_value
        };
        if !is_left_out {
            kept.push(word);
        }
    }
    kept.join(" ")
}

fn steps(text: &str) -> Vec<Step> {
    let lines: Vec<&str> = text.lines().collect();
    let mut steps: Vec<Step> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let number = at + 1;
        at += 1;
        let trimmed = line.trim_start();
        if trimmed.starts_with("- ") {
            steps.push(Step::default());
        }
        let key = trimmed.trim_start_matches("- ").trim_start();
        let Some(step) = steps.last_mut() else {
            continue;
        };
        if key.starts_with("working-directory:")
            || (key.starts_with("shell:")
                && !["bash", "pwsh"].iter().any(|shell| key.contains(shell)))
        {
            step.is_elsewhere = true;
        }
        let Some(value) = key.strip_prefix("run:").map(str::trim) else {
            continue;
        };
        if !value.starts_with(['|', '>']) {
            step.commands
                .push((number, value.trim_matches(['"', '\'']).to_owned()));
            continue;
        }
        let indent = line.len() - trimmed.len();
        let start = at;
        while lines.get(at).is_some_and(|line| {
            line.trim().is_empty() || line.len() - line.trim_start().len() > indent
        }) {
            at += 1;
        }
        let block: Vec<(usize, &str)> = (start..at)
            .map(|line| (line + 1, lines[line].trim()))
            .filter(|(_, line)| !line.is_empty())
            .collect();
        if value.starts_with('>') {
            let folded: Vec<&str> = block.iter().map(|(_, line)| *line).collect();
            step.commands.push((start + 1, folded.join(" ")));
        } else {
            // Lines are taken until the script begins to depend on more than single lines.
            let lines = joined(&block);
            let plain = lines.into_iter().take_while(|(_, line)| !is_program(line));
            step.commands
                .extend(plain.filter(|(_, line)| !line.starts_with('#')));
        }
    }
    steps
}

/// The lines of a script, each joined with its continuation lines.
fn joined(block: &[(usize, &str)]) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in block {
        let (text, next) = match line.strip_suffix('\\') {
            Some(text) => (text.trim_end(), true),
            None => (*line, false),
        };
        match lines.last_mut() {
            Some((_, last)) if goes_on => {
                last.push(' ');
                last.push_str(text);
            }
            _ => lines.push((*number, text.to_owned())),
        }
        goes_on = next;
    }
    lines
}

/// Whether the lines after this line of a script depend on it.
fn is_program(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    matches!(
        first,
        "cd" | "if" | "for" | "while" | "case" | "pushd" | "function"
    )
}
