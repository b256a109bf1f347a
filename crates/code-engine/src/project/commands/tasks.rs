//! Commands of task runners: recipes, targets, scripts, sessions.

use serde_json::Value;

use super::{Candidate, Evidence, Project, candidate, purpose_of_command, purpose_of_name};
use crate::project::manifest::Manifest;
use crate::project::stack::CommandPurpose;

pub(super) fn find(project: &Project<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    if let Some(manifest) = project.of("justfile") {
        for (line, name) in recipes(&manifest.text) {
            offer(
                &mut found,
                name,
                format!("just {name}"),
                manifest,
                line,
                "just",
            );
        }
    }
    if let Some(manifest) = project.of("Makefile") {
        for (line, name) in targets(&manifest.text) {
            offer(
                &mut found,
                name,
                format!("make {name}"),
                manifest,
                line,
                "make",
            );
        }
    }
    if let Some(manifest) = project.of("package.json") {
        npm(project, manifest, &mut found);
    }
    if let Some(manifest) = project.of("composer.json") {
        let value: Value = serde_json::from_str(&manifest.text).unwrap_or_default();
        for name in value
            .get("scripts")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            let line = line_of(&manifest.text, &format!("\"{name}\""));
            let command = match name.as_str() {
                "test" | "lint" => format!("composer {name}"),
                _ => format!("composer run {name}"),
            };
            offer(&mut found, name, command, manifest, line, "composer");
        }
    }
    if let Some(manifest) = project.of("noxfile.py") {
        for (line, name) in sessions(&manifest.text) {
            offer(
                &mut found,
                name,
                format!("nox -s {name}"),
                manifest,
                line,
                "nox",
            );
        }
    }
    if let Some(manifest) = project.of("pyproject.toml") {
        python(manifest, &mut found);
    }
    if let Some(manifest) = project.of("Rakefile") {
        rake(manifest, &mut found);
    }
    found
}

fn offer(
    found: &mut Vec<Candidate>,
    name: &str,
    command: String,
    manifest: &Manifest,
    line: usize,
    tool: &'static str,
) {
    // By GNU's standards `make check` runs the tests.
    let is_gnu_check = tool == "make" && name == "check";
    let purpose = if is_gnu_check {
        Some(CommandPurpose::Test)
    } else {
        purpose_of_name(name)
    };
    if let Some(purpose) = purpose {
        found.push(candidate(
            purpose,
            command,
            manifest,
            Some(line),
            Evidence::Task,
            tool,
        ));
    }
}

/// Recipes of a justfile that can be called without an argument.
fn recipes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| {
        let (head, after) = line.split_once(':')?;
        let mut words = head.trim_start_matches('@').split_whitespace();
        let name = words.next()?;
        let optional = words.all(|word| word.contains('=') || word.starts_with('*'));
        let is_recipe = !line.starts_with([' ', '\t', '#', '_'])
            && !after.starts_with('=')
            && !matches!(name, "set" | "alias" | "export" | "import" | "mod");
        (is_recipe && optional && is_plain(name)).then_some((number, name))
    })
}

fn targets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| {
        let (name, after) = line.split_once(':')?;
        let name = name.trim_end();
        let is_target =
            !line.starts_with([' ', '\t']) && !after.starts_with('=') && !after.starts_with(":=");
        (is_target && is_plain(name)).then_some((number, name))
    })
}

fn sessions(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_session = false;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        let name = line
            .strip_prefix("def ")
            .and_then(|rest| rest.split('(').next());
        let told = name.filter(|name| is_session && is_plain(name));
        is_session = line.starts_with("@nox.session")
            || line.starts_with("@session")
            || (is_session && line.starts_with(['@', ' ', ')']));
        told.map(|name| (number, name))
    })
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The scripts of `package.json`, called by the package manager that the manifest names or whose lock file exists.
fn npm(project: &Project<'_>, manifest: &Manifest, found: &mut Vec<Candidate>) {
    let value: Value = serde_json::from_str(&manifest.text).unwrap_or_default();
    let manager = package_manager(project, &value);
    for (name, body) in scripts(&value) {
        let line = line_of(&manifest.text, &format!("\"{name}\""));
        let command = script_call(manager, name);
        if let Some(purpose) = script_purpose_named(name, body) {
            found.push(candidate(
                purpose,
                command,
                manifest,
                Some(line),
                Evidence::Task,
                "node",
            ));
        } else if let Some((purpose, _)) = body_purpose(name, body) {
            found.push(candidate(
                purpose,
                command,
                manifest,
                Some(line),
                Evidence::TaskByContent,
                "node",
            ));
        }
    }
}

/// Scripts with an effect, without the placeholder that npm writes into every new manifest.
fn scripts(value: &Value) -> impl Iterator<Item = (&str, &str)> {
    let scripts = value
        .get("scripts")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    scripts
        .filter_map(|(name, body)| Some((name.as_str(), body.as_str()?)))
        .filter(|(_, body)| !body.contains("no test specified"))
}

/// The purpose of a script, by its command, if it checks code. Other purposes are not recognised by the command:
/// `build:docs` builds something, but not the project.
fn body_purpose(name: &str, body: &str) -> Option<(CommandPurpose, &'static str)> {
    // A name with a purpose of its own decides.
    if purpose_of_name(name).is_some() {
        return None;
    }
    let is_variant = ["fix", "watch", "update", "ui", "coverage"]
        .iter()
        .any(|word| name.contains(word));
    let (purpose, tool) = purpose_of_command(body)?;
    (purpose == CommandPurpose::Lint && !is_variant).then_some((purpose, tool))
}

/// The purpose of a script, by its name. A script named `format` that only reports differences is a check. A runner
/// without a program starts nothing.
fn script_purpose_named(name: &str, body: &str) -> Option<CommandPurpose> {
    let words: Vec<&str> = body.split_whitespace().collect();
    let is_bare = words.split_first().is_some_and(|(runner, rest)| {
        matches!(*runner, "tsx" | "ts-node" | "node" | "bun" | "deno")
            && !rest.iter().any(|word| word.contains('.') || *word == "run")
    });
    match purpose_of_name(name)? {
        CommandPurpose::Format
            if words.iter().any(|word| {
                matches!(
                    *word,
                    "--check" | "--list-different" | "--diff" | "-l" | "-c"
                )
            }) =>
        {
            Some(CommandPurpose::Lint)
        }
        CommandPurpose::Run if is_bare || ends_with_check(body) => None,
        purpose => Some(purpose),
    }
}

/// Whether the last command of a script tests or checks the project: whatever the script's name, it starts nothing.
fn ends_with_check(body: &str) -> bool {
    let last = body.rsplit("&&").next().unwrap_or(body);
    let words: Vec<&str> = last
        .split_whitespace()
        .skip_while(|word| word.contains('=') || matches!(*word, "cross-env" | "npx"))
        .collect();
    let purpose = purpose_of_command(&words.join(" ")).map(|(purpose, _)| purpose);
    matches!(purpose, Some(CommandPurpose::Test | CommandPurpose::Lint))
}

fn script_call(manager: &str, name: &str) -> String {
    match (manager, name) {
        ("npm", "test" | "start") => format!("npm {name}"),
        ("npm" | "bun", name) => format!("{manager} run {name}"),
        (manager, name) => format!("{manager} {name}"),
    }
}

fn package_manager(project: &Project<'_>, value: &Value) -> &'static str {
    let named = value
        .get("packageManager")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let known = ["pnpm", "yarn", "bun", "npm"];
    let locks = [
        "pnpm-lock.yaml",
        "yarn.lock",
        "bun.lock",
        "package-lock.json",
    ];
    let named = known
        .iter()
        .find(|one| named.starts_with(&format!("{one}@")))
        .copied();
    let locked = known
        .iter()
        .zip(locks)
        .find(|(_, lock)| project.has(lock))
        .map(|(one, _)| *one);
    named.or(locked).unwrap_or("npm")
}

/// The command that installs the dependencies of a `package.json`.
pub(super) fn node_install(project: &Project<'_>, manifest: &Manifest) -> &'static str {
    let value: Value = serde_json::from_str(&manifest.text).unwrap_or_default();
    match package_manager(project, &value) {
        "pnpm" => "pnpm install",
        "yarn" => "yarn install",
        "bun" => "bun install",
        _ if project.has("package-lock.json") => "npm ci",
        _ => "npm install",
    }
}

/// The purpose of a call of a script: `yarn test:code`, `npm run test-ci`, and `pnpm -r test:coverage`, which runs the
/// script of every package.
pub(super) fn script_purpose(
    project: &Project<'_>,
    command: &str,
) -> Option<(CommandPurpose, &'static str)> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let of_all = match words.as_slice() {
        ["pnpm", "-r" | "--recursive", "run", name] | ["pnpm", "-r" | "--recursive", name] => *name,
        ["npm", "run", name, "--workspaces" | "-ws"] => *name,
        ["turbo" | "lerna", "run", name]
        | ["npx" | "pnpm" | "yarn", "turbo" | "lerna", "run", name] => *name,
        _ => "",
    };
    if !of_all.is_empty() {
        // `test:coverage` and `test:ci` run all tests; `test:e2e` runs only one kind.
        let stem = [":coverage", ":ci", ":all", "-ci"]
            .iter()
            .find_map(|end| of_all.strip_suffix(end));
        return Some((purpose_of_name(stem.unwrap_or(of_all))?, "node"));
    }
    let name = match words.as_slice() {
        ["npm" | "pnpm" | "yarn" | "bun", "run", name] | ["pnpm" | "yarn" | "npm", name] => *name,
        _ => return None,
    };
    let value: Value = serde_json::from_str(&project.of("package.json")?.text).unwrap_or_default();
    let (_, body) = scripts(&value).find(|(own, _)| *own == name)?;
    let by_name = script_purpose_named(name, body).map(|purpose| (purpose, "node"));
    by_name.or_else(|| Some((body_purpose(name, body)?.0, "node")))
}

fn python(manifest: &Manifest, found: &mut Vec<Candidate>) {
    let Ok(table) = manifest.text.parse::<toml::Table>() else {
        return;
    };
    let tool = table.get("tool");
    let at = |path: &[&str]| {
        path.iter()
            .try_fold(tool?, |value, key| value.get(*key))?
            .as_table()
    };
    for (path, call, runner) in [
        (
            &["hatch", "envs", "default", "scripts"][..],
            "hatch run",
            "hatch",
        ),
        (&["pdm", "scripts"], "pdm run", "pdm"),
        (&["poe", "tasks"], "poe", "poe"),
    ] {
        for name in at(path).into_iter().flatten().map(|(name, _)| name) {
            let line = line_of(&manifest.text, &format!("{name} "));
            offer(
                found,
                name,
                format!("{call} {name}"),
                manifest,
                line,
                runner,
            );
        }
    }
}

fn rake(manifest: &Manifest, found: &mut Vec<Candidate>) {
    for (number, line) in (1..).zip(manifest.text.lines()) {
        let line = line.trim_start();
        if line.contains("Rake::TestTask.new") {
            offer(
                found,
                "test",
                "rake test".to_owned(),
                manifest,
                number,
                "rake",
            );
        } else if line.contains("RSpec::Core::RakeTask.new") {
            offer(
                found,
                "spec",
                "rake spec".to_owned(),
                manifest,
                number,
                "rake",
            );
        } else if let Some(task) = line.strip_prefix("task ") {
            let name: String = task
                .trim_start_matches([':', '"', '\''])
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if name != "default" {
                offer(
                    found,
                    &name,
                    format!("rake {name}"),
                    manifest,
                    number,
                    "rake",
                );
            }
        }
    }
}

/// The first line that begins with the text, apart from white space; 1 if there is none.
pub(super) fn line_of(text: &str, begins: &str) -> usize {
    let at = text
        .lines()
        .position(|line| line.trim_start().starts_with(begins));
    at.map_or(1, |at| at + 1)
}
