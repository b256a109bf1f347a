//! The commands to build, test and check a project: from CI, task runners and manifests. Commands for one package, one
//! platform or one test are excluded.

mod ci;
mod implied;
mod tasks;
mod written;

use std::collections::BTreeMap;

use super::LanguageShare;
use super::imports::{folder_of, name_of};
use super::manifest::Manifest;
use super::role::{self, Role};
use super::stack::{CommandPurpose, ProjectCommand};
use written::{ProjectLanguages, ecosystem_of};

/// The maximum number of commands per purpose.
const PER_PURPOSE: usize = 2;

/// The maximum length of a command, in bytes: a longer one is not typed by hand.
const COMMAND_CAP: usize = 160;

/// The kinds of files with a project's own tasks.
const TASK_FILES: [&str; 2] = ["justfile", "Makefile"];

/// The strength of the evidence for a command, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    /// Continuous integration runs the command.
    Ci,
    /// A task of the project with the name of its purpose.
    Task,
    /// A task that is recognised by its commands.
    TaskByContent,
    /// A tool that is configured.
    Configured,
    /// Implied by a manifest.
    Implied,
}

#[derive(Debug, Clone)]
struct Candidate {
    command: ProjectCommand,
    evidence: Evidence,
    /// The tool that runs it: of two commands with one tool, one is redundant.
    tool: &'static str,
}

/// Finds the commands. Only manifests at the top are read. If there is none of a kind there, and no file with tasks,
/// the only manifest of that kind elsewhere is read.
///
/// `shares` are the project's languages. Commands of an ecosystem with little code come last. Commands that only a
/// manifest implies are left out if the project has hardly any code in that ecosystem.
pub(crate) fn find(manifests: &[Manifest], shares: &[LanguageShare]) -> Vec<ProjectCommand> {
    let mut own: Vec<&Manifest> = manifests.iter().filter(|one| is_own(&one.path)).collect();
    own.sort_by(|a, b| a.path.cmp(&b.path));
    let mut by_name: BTreeMap<&str, Vec<&Manifest>> = BTreeMap::new();
    for manifest in &own {
        by_name
            .entry(kind_of(name_of(&manifest.path)))
            .or_default()
            .push(manifest);
    }
    let is_top = |one: &&Manifest| folder_of(&one.path).is_empty();
    let has_tasks = TASK_FILES
        .iter()
        .filter_map(|kind| by_name.get(kind))
        .any(|of_kind| of_kind.iter().any(is_top));
    for of_kind in by_name.values_mut() {
        if of_kind.iter().any(is_top) {
            of_kind.retain(is_top);
        } else if of_kind.len() > 1 || has_tasks {
            // Of several packages, none represents the project. A project's own tasks also run its packages.
            of_kind.clear();
        }
    }
    let project = Project { by_name };
    let mut candidates = tasks::find(&project);
    let offered: Vec<Candidate> = candidates.clone();
    for manifest in own
        .iter()
        .filter(|one| one.path.starts_with(".github/workflows/"))
    {
        candidates.extend(ci::find(manifest, &project, &offered));
    }
    candidates.extend(implied::find(&project));
    let written = ProjectLanguages::new(shares);
    candidates.retain(|one| one.evidence <= Evidence::TaskByContent || !written.is_absent(one));
    select(candidates, &written)
}

/// Selects for each purpose the command with the best evidence, and one more if another tool runs it.
fn select(mut candidates: Vec<Candidate>, written: &ProjectLanguages) -> Vec<ProjectCommand> {
    candidates.retain(|one| {
        let command = &one.command.command;
        command.len() <= COMMAND_CAP && !command.contains(['\n', '\r', '\0'])
    });
    candidates.sort_by(|a, b| {
        let order = |one: &Candidate| {
            (
                one.command.purpose,
                written.is_foreign(one),
                looks_at_form(one),
                one.evidence,
                is_aside(one),
                one.command.command.len(),
            )
        };
        order(a).cmp(&order(b)).then_with(|| {
            let place = |one: &Candidate| {
                (
                    one.command.command.clone(),
                    one.command.path.clone(),
                    one.command.line,
                )
            };
            place(a).cmp(&place(b))
        })
    });
    let mut told: Vec<Candidate> = Vec::new();
    for one in candidates {
        let mut same = told
            .iter()
            .filter(|other| other.command.purpose == one.command.purpose);
        let is_known = same
            .clone()
            .any(|other| other.tool == one.tool || wraps(other, &one));
        if !is_known && same.by_ref().count() < PER_PURPOSE {
            told.push(one);
        }
    }
    told.into_iter().map(|one| one.command).collect()
}

/// Whether a check looks at the form of the code alone: a formatter that only reports. What looks at the code itself
/// says more about it.
fn looks_at_form(one: &Candidate) -> bool {
    let command = &one.command.command;
    let name = command.rsplit([' ', '/']).next().unwrap_or_default();
    let is_formatter = matches!(one.tool, "black" | "cargo-fmt" | "prettier" | "ruff-format");
    one.command.purpose == CommandPurpose::Lint
        && (is_formatter || name.starts_with("format") || name.starts_with("fmt"))
}

/// Whether a better place usually has the same command: a task with its usual name, or a workflow that checks every
/// change.
fn is_aside(one: &Candidate) -> bool {
    let usual = ["build", "test", "lint", "fmt", "format", "start", "run"];
    let name = one
        .command
        .command
        .rsplit([' ', '/'])
        .next()
        .unwrap_or_default();
    let path = &one.command.path;
    let is_release = ["release", "publish", "deploy", "nightly", "doc", "pages"]
        .iter()
        .any(|word| path.contains(word));
    match one.evidence {
        Evidence::Task => !usual.contains(&name),
        Evidence::Ci => is_release,
        _ => false,
    }
}

/// Whether a task makes another candidate redundant. A task runs the tools of its project, so a command that is only
/// configured or implied adds nothing. A task of one ecosystem says nothing about another.
fn wraps(task: &Candidate, other: &Candidate) -> bool {
    let (runs, would_run) = (ecosystem_of(task.tool), ecosystem_of(other.tool));
    task.evidence <= Evidence::Task
        && other.evidence >= Evidence::Configured
        && runs.is_none_or(|runs| would_run.is_none_or(|other| runs == other))
}

/// The manifests that represent the whole project, by kind.
struct Project<'m> {
    by_name: BTreeMap<&'m str, Vec<&'m Manifest>>,
}

impl<'m> Project<'m> {
    fn of(&self, kind: &str) -> Option<&'m Manifest> {
        self.by_name.get(kind).and_then(|all| all.first()).copied()
    }

    fn has(&self, kind: &str) -> bool {
        self.of(kind).is_some()
    }
}

/// The common name of manifests of one kind that have several names.
fn kind_of(name: &str) -> &str {
    match name {
        "justfile" | "Justfile" | ".justfile" => "justfile",
        "Makefile" | "makefile" | "GNUmakefile" => "Makefile",
        "build.gradle" | "build.gradle.kts" => "build.gradle",
        "rustfmt.toml" | ".rustfmt.toml" => "rustfmt.toml",
        "clippy.toml" | ".clippy.toml" => "clippy.toml",
        ".golangci.yml" | ".golangci.yaml" | ".golangci.toml" => ".golangci.yml",
        "ruff.toml" | ".ruff.toml" => "ruff.toml",
        _ if name.ends_with(".sln") || name.ends_with(".slnx") => "solution",
        _ if name.ends_with(".csproj") => "csproj",
        "pnpm-lock.yaml" => name,
        _ if name.ends_with(".yml") || name.ends_with(".yaml") => "",
        _ => name,
    }
}

fn is_own(path: &str) -> bool {
    path.starts_with(".github/workflows/") || role::of(path) == Role::Source
}

fn candidate(
    purpose: CommandPurpose,
    command: impl Into<String>,
    manifest: &Manifest,
    line: Option<usize>,
    evidence: Evidence,
    tool: &'static str,
) -> Candidate {
    Candidate {
        command: ProjectCommand {
            source_id: None,
            purpose,
            command: command.into(),
            path: manifest.path.clone(),
            line: line.and_then(|line| u32::try_from(line).ok()),
        },
        evidence,
        tool,
    }
}

/// The purpose of a task with this name.
fn purpose_of_name(name: &str) -> Option<CommandPurpose> {
    Some(match name.to_ascii_lowercase().as_str() {
        "build" | "compile" => CommandPurpose::Build,
        "test" | "tests" | "unittest" | "spec" => CommandPurpose::Test,
        "lint" | "check" | "clippy" | "vet" | "typecheck" | "type-check" | "linter" => {
            CommandPurpose::Lint
        }
        "fmt" | "format" | "format:fix" | "format:write" | "fmt:fix" => CommandPurpose::Format,
        "start" | "dev" | "serve" | "run" => CommandPurpose::Run,
        _ => return None,
    })
}

/// The purpose of a command line, by the tool that it runs, and the tool's name. `None` also if the command does not
/// cover the whole project.
fn purpose_of_command(command: &str) -> Option<(CommandPurpose, &'static str)> {
    use CommandPurpose as P;
    let words: Vec<&str> = command.split_whitespace().collect();
    let narrow = [
        "-p",
        "--package",
        "-k",
        "-t",
        "--projects",
        "-pl",
        "--manifest-path",
        "--target",
        "--bin",
        "--example",
        "--exclude",
        "-run",
        "-Z",
    ];
    let is_narrow = |word: &&str| {
        let flag = word.split('=').next().unwrap_or(word);
        narrow.contains(&flag)
            || flag.starts_with("--tags")
            || flag.starts_with("-tags")
            || word.starts_with('+')
    };
    if words.iter().any(is_narrow)
        || command.contains(['$', '|', '>', '<', ';', '`', '*'])
        || command.contains("&&")
    {
        return None;
    }
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let all_go = words.contains(&"./...");
    Some(match (word(0), word(1)) {
        ("cargo", "build") => (P::Build, "cargo"),
        ("cargo", "test")
            if !words.contains(&"--test")
                && !words.contains(&"--lib")
                && !words.contains(&"--doc") =>
        {
            (P::Test, "cargo")
        }
        ("cargo", "nextest") if word(2) == "run" => (P::Test, "cargo"),
        ("cargo", "clippy") => (P::Lint, "cargo"),
        ("cargo", "fmt") if words.contains(&"--check") => (P::Lint, "cargo-fmt"),
        ("cargo", "fmt") => (P::Format, "cargo"),
        ("go", "build") if all_go => (P::Build, "go"),
        ("go", "test") if all_go => (P::Test, "go"),
        ("go", "vet") if all_go => (P::Lint, "go"),
        ("golangci-lint", "run") if words.len() == 2 => (P::Lint, "golangci-lint"),
        ("mvn" | "./mvnw", _) => match words.iter().rev().find(|word| !word.starts_with('-')) {
            Some(&"verify" | &"package" | &"install") if !command.contains("skip") => {
                (P::Build, "maven")
            }
            Some(&"test") => (P::Test, "maven"),
            _ => return None,
        },
        ("./gradlew" | "gradle", "build" | "assemble") => (P::Build, "gradle"),
        ("./gradlew" | "gradle", "test" | "check") => (P::Test, "gradle"),
        ("pytest", _) => (P::Test, "pytest"),
        ("python" | "python3", "-m") if word(2) == "pytest" => (P::Test, "pytest"),
        ("tox", "") => (P::Test, "tox"),
        ("tox", "run") if !words.contains(&"-e") => (P::Test, "tox"),
        ("pre-commit", "run") if words.contains(&"--all-files") => (P::Lint, "pre-commit"),
        ("nox", _) if words.len() == 1 => (P::Test, "nox"),
        ("ruff", "check") => (P::Lint, "ruff"),
        ("ruff", "format") if is_check(&words) => (P::Lint, "ruff-format"),
        ("ruff", "format") => (P::Format, "ruff-format"),
        ("black", _) if is_check(&words) => (P::Lint, "black"),
        ("black", _) => (P::Format, "black"),
        ("mypy" | "pyright" | "flake8" | "pylint", _) => (P::Lint, "python-lint"),
        ("uv" | "poetry" | "pdm" | "hatch", "run") => {
            return purpose_of_command(&behind_options(words.get(2..)?).join(" "));
        }
        ("uvx", _) => {
            return purpose_of_command(&behind_options(words.get(1..)?).join(" "));
        }
        ("uv", "pip") => return purpose_of_command(&words.get(1..)?.join(" ")),
        ("uv", "sync") | ("poetry" | "pdm", "install") => (P::Install, "python"),
        ("pip", "install") if installs_project(&words) || is_top_list(&words) => {
            (P::Install, "python")
        }
        ("bundle", "exec") => return purpose_of_command(&words.get(2..)?.join(" ")),
        ("bundle", "install") => (P::Install, "bundler"),
        ("rspec", _) => (P::Test, "rspec"),
        ("rubocop", _) => (P::Lint, "rubocop"),
        ("rake", "test" | "spec") => (P::Test, "rake"),
        // Rake's default task, which nearly always runs the tests.
        ("rake", "") => (P::Test, "rake"),
        ("composer", "install") => (P::Install, "composer"),
        ("vendor/bin/phpunit" | "./vendor/bin/phpunit", _) => (P::Test, "phpunit"),
        ("vendor/bin/phpstan" | "./vendor/bin/phpstan", _) => (P::Lint, "phpstan"),
        ("dotnet", "build") => (P::Build, "dotnet"),
        ("dotnet", "test") => (P::Test, "dotnet"),
        ("dotnet", "format") => (P::Format, "dotnet"),
        ("swift", "build") => (P::Build, "swift"),
        ("swift", "test") => (P::Test, "swift"),
        ("sbt", "test") => (P::Test, "sbt"),
        ("ctest", _) => (P::Test, "cmake"),
        ("npm", "ci" | "install" | "i") | ("pnpm" | "yarn" | "bun", "install" | "i")
            if words.iter().skip(2).all(|word| word.starts_with('-')) && !words.contains(&"-g") =>
        {
            (P::Install, "node")
        }
        ("eslint" | "oxlint" | "biome" | "stylelint" | "tsc" | "xo" | "standard", _) => {
            (P::Lint, "node-lint")
        }
        ("prettier", _) if is_check(&words) => (P::Lint, "prettier"),
        ("prettier", _) => (P::Format, "prettier"),
        ("vitest" | "jest" | "mocha" | "ava" | "tap", _) => (P::Test, "node-test"),
        _ => return script_purpose(&words),
    })
}

/// The words after the options of a runner. Options for a group or a package have a value, which is skipped too.
fn behind_options<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.starts_with("--")) {
        let has_value = matches!(*word, "--group" | "--only-group" | "--extra" | "--with");
        at += if has_value { 2 } else { 1 };
    }
    words.get(at..).unwrap_or_default()
}

/// Whether the project at the top is installed, with or without extras.
fn installs_project(words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| matches!(*word, "-e" | ".") || word.starts_with(".["))
}

/// Whether a formatter only reports what it would change.
fn is_check(words: &[&str]) -> bool {
    words.iter().any(|word| {
        matches!(
            *word,
            "--check" | "--diff" | "-c" | "-l" | "--list-different"
        )
    })
}

/// Whether a requirements file at the top is installed: others are for a single task.
fn is_top_list(words: &[&str]) -> bool {
    let list = words
        .iter()
        .position(|word| *word == "-r")
        .and_then(|at| words.get(at + 1));
    list.is_some_and(|list| !list.contains('/'))
}

/// The purpose of a script of the project that is named after it: `scripts/test`.
fn script_purpose(words: &[&str]) -> Option<(CommandPurpose, &'static str)> {
    let [path] = words else { return None };
    let (folder, name) = path.trim_start_matches("./").rsplit_once('/')?;
    if !matches!(
        folder,
        "scripts" | "script" | "bin" | "tools" | "ci" | "dev"
    ) {
        return None;
    }
    let stem = name.strip_suffix(".sh").unwrap_or(name);
    match stem {
        "install" | "bootstrap" | "setup" => Some((CommandPurpose::Install, "script")),
        _ => Some((purpose_of_name(stem)?, "script")),
    }
}

#[cfg(test)]
mod tests;
