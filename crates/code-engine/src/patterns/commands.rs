//! The tool for each purpose. Among the CI steps, task runner recipes and package scripts that install, build, test,
//! check or format, the cases are those that use the same tool.

use std::collections::BTreeMap;

use super::super::blob::blob_id;
use super::super::project::manifest::Manifest;
use super::super::project::stack::CommandPurpose;
use super::question::{EXAMPLES, key};
use super::{CodeLocation, Context, MIN_CASES, MIN_SHARE, Pattern, name_of, wilson_lower_bound};
use crate::evidence::round4;

pub(crate) const KIND: &str = "commands";

/// The prefixes of commands, and their purpose. Of prefixes with the same beginning, the longer is first.
const COMMANDS: &[(CommandPurpose, &[&str])] = &[
    (
        CommandPurpose::Install,
        &[
            "npm ci",
            "npm install",
            "pnpm install",
            "yarn install",
            "bun install",
            "uv sync",
            "poetry install",
            "pip install",
            "bundle install",
            "composer install",
            "go mod download",
        ],
    ),
    (
        CommandPurpose::Build,
        &[
            "cargo build",
            "just build",
            "make build",
            "npm run build",
            "pnpm run build",
            "pnpm build",
            "yarn build",
            "go build",
            "mvn package",
            "gradlew build",
            "gradle build",
            "dotnet build",
            "swift build",
            "cmake --build",
            "sbt compile",
        ],
    ),
    (
        CommandPurpose::Test,
        &[
            "cargo nextest run",
            "cargo test",
            "just test",
            "make test",
            "make check",
            "npm test",
            "npm run test",
            "pnpm test",
            "pnpm run test",
            "yarn test",
            "vitest",
            "jest",
            "mocha",
            "pytest",
            "tox",
            "nox",
            "go test",
            "mvn test",
            "mvn verify",
            "gradlew test",
            "gradlew check",
            "gradle test",
            "dotnet test",
            "rspec",
            "rake test",
            "phpunit",
            "swift test",
            "sbt test",
            "ctest",
        ],
    ),
    (
        CommandPurpose::Lint,
        &[
            "cargo clippy",
            "just lint",
            "make lint",
            "npm run lint",
            "pnpm lint",
            "pnpm run lint",
            "yarn lint",
            "eslint",
            "biome check",
            "ruff check",
            "flake8",
            "pylint",
            "golangci-lint run",
            "rubocop",
            "phpstan",
            "swiftlint",
        ],
    ),
    (
        CommandPurpose::Format,
        &[
            "cargo fmt",
            "prettier",
            "ruff format",
            "black",
            "gofumpt",
            "gofmt",
            "biome format",
            "php-cs-fixer",
            "swiftformat",
        ],
    ),
];

/// Prefixes of a command that do not determine its purpose.
const BEFORE: [&str; 12] = [
    "sudo",
    "npx",
    "poetry run",
    "uv run",
    "python -m",
    "python3 -m",
    "bundle exec",
    "pnpm exec",
    "yarn run",
    "time",
    "@",
    "xvfb-run",
];

type Use = (&'static str, CodeLocation);

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut uses: BTreeMap<CommandPurpose, Vec<Use>> = BTreeMap::new();
    for manifest in context.known.manifests {
        let lines = lines_of(manifest);
        if lines.is_empty() {
            continue;
        }
        let blob = blob_id(manifest.text.as_bytes());
        for (number, line) in lines {
            for part in line.split("&&").flat_map(|part| part.split([';', '|'])) {
                let Some((purpose, command)) = command_of(part) else {
                    continue;
                };
                let place = CodeLocation {
                    source_id: None,
                    path: manifest.path.clone(),
                    start_line: number,
                    end_line: number,
                    blob: blob.clone(),
                };
                uses.entry(purpose).or_default().push((command, place));
            }
        }
    }
    let found = uses
        .into_iter()
        .filter_map(|(purpose, uses)| pattern(purpose, &uses));
    found.collect()
}

/// The lines of a file that are commands: those of workflows and recipes, and the scripts of a package.
fn lines_of(manifest: &Manifest) -> Vec<(u32, &str)> {
    let name = name_of(&manifest.path);
    let is_package = name == "package.json";
    let has_commands = is_package
        || name.ends_with(".yml")
        || name.ends_with(".yaml")
        || matches!(
            name,
            "justfile" | "Justfile" | ".justfile" | "Makefile" | "makefile" | "GNUmakefile"
        );
    if !has_commands {
        return Vec::new();
    }
    let mut in_scripts = false;
    let lines = (1u32..)
        .zip(manifest.text.lines())
        .filter_map(|(number, line)| {
            let line = line.trim();
            if is_package {
                // One script per line, as all tools format the file.
                if line.starts_with("\"scripts\"") {
                    in_scripts = true;
                    return None;
                }
                in_scripts &= !line.starts_with('}');
                let (_, command) = line.split_once("\": \"").filter(|_| in_scripts)?;
                return Some((number, command.trim_end_matches([',', '"'])));
            }
            let line = line.trim_start_matches("- ");
            let line = line.strip_prefix("run:").unwrap_or(line).trim();
            (!line.starts_with('#')).then(|| (number, line.trim_matches(['"', '\''])))
        });
    lines.collect()
}

/// The command in a part of a line. Its arguments are left out, because they differ from place to place.
fn command_of(part: &str) -> Option<(CommandPurpose, &'static str)> {
    let mut rest = part.trim();
    loop {
        let before = rest;
        for word in BEFORE {
            if let Some(after) = rest.strip_prefix(word)
                && (word == "@" || after.starts_with(' '))
            {
                rest = after.trim_start();
            }
        }
        // `RUST_LOG=debug cargo test`
        if let Some((word, after)) = rest.split_once(' ')
            && word.contains('=')
            && !word.starts_with('-')
        {
            rest = after.trim_start();
        }
        rest = rest.trim_start_matches("./");
        if rest == before {
            break;
        }
    }
    COMMANDS.iter().find_map(|(purpose, commands)| {
        let found = commands.iter().find(|command| {
            let after = rest.strip_prefix(**command);
            after.is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t']))
        })?;
        // A globally installed tool is not a dependency of the project.
        let is_global = rest
            .split_whitespace()
            .any(|word| matches!(word, "-g" | "--global"));
        (!is_global || *purpose != CommandPurpose::Install).then_some((*purpose, *found))
    })
}

/// The family of a tool: tools of different families work on different code, so they are no alternatives.
fn family(command: &str) -> &str {
    match command.split(' ').next().unwrap_or(command) {
        "npm" | "pnpm" | "yarn" | "bun" | "vitest" | "jest" | "mocha" | "eslint" | "prettier"
        | "biome" => "node",
        "uv" | "poetry" | "pip" | "pytest" | "tox" | "nox" | "ruff" | "flake8" | "pylint"
        | "black" => "python",
        "bundle" | "rspec" | "rake" | "rubocop" => "ruby",
        "mvn" | "gradlew" | "gradle" | "sbt" => "jvm",
        "just" | "make" => "",
        tool => tool,
    }
}

const fn words(purpose: CommandPurpose) -> (&'static str, &'static str, &'static str) {
    match purpose {
        CommandPurpose::Install => (
            "install",
            "Dependencies are fetched by",
            "Fetch dependencies with",
        ),
        CommandPurpose::Build => ("build", "The project is built by", "Build with"),
        CommandPurpose::Test => ("test", "Tests are run by", "Run tests with"),
        CommandPurpose::Lint => ("lint", "Code is checked by", "Check code with"),
        CommandPurpose::Format => ("format", "Code is formatted by", "Format code with"),
        CommandPurpose::Run => ("run", "The project is started by", "Start the project with"),
    }
}

fn pattern(purpose: CommandPurpose, uses: &[Use]) -> Option<Pattern> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for (command, _) in uses {
        *counts.entry(command).or_default() += 1;
    }
    let (command, support) = counts
        .into_iter()
        .max_by_key(|(command, count)| (*count, std::cmp::Reverse(*command)))?;
    let of = |other: &str| {
        family(other) == family(command) || family(other).is_empty() || family(command).is_empty()
    };
    let uses: Vec<&Use> = uses.iter().filter(|(other, _)| of(other)).collect();
    let cases = u32::try_from(uses.len()).ok()?;
    let bound = wilson_lower_bound(support, cases);
    if cases < MIN_CASES || f64::from(support) < MIN_SHARE * f64::from(cases) || bound <= 0.5 {
        return None;
    }
    let (slug, title, rule) = words(purpose);
    Some(Pattern {
        key: key(&format!("{KIND}/{slug}/{command}")),
        kind: KIND.to_owned(),
        title: format!("{title} `{command}`"),
        statement: format!("{rule} `{command}`."),
        stack: None,
        scope: None,
        support,
        cases,
        confidence: round4(bound),
        exemplars: first(uses.iter().copied().filter(|(one, _)| *one == command)),
        counter_examples: first(uses.iter().copied().filter(|(one, _)| *one != command)),
        deviations: Vec::new(),
    })
}

/// The first places, from different files if possible.
fn first<'u>(uses: impl Iterator<Item = &'u Use>) -> Vec<CodeLocation> {
    let mut places: Vec<&CodeLocation> = uses.map(|(_, place)| place).collect();
    places.sort();
    places.dedup();
    let mut chosen: Vec<&CodeLocation> = Vec::new();
    for place in &places {
        if chosen.len() < EXAMPLES && chosen.iter().all(|one| one.path != place.path) {
            chosen.push(place);
        }
    }
    for place in &places {
        if chosen.len() < EXAMPLES && !chosen.contains(place) {
            chosen.push(place);
        }
    }
    chosen.sort();
    chosen.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::AnalysisInput;
    use super::super::fixture::found_in;
    use super::command_of;
    use crate::project::{CommandPurpose, Manifest};

    fn found(texts: &[(&str, &str)]) -> Vec<(String, u32, u32)> {
        let manifests: Vec<Manifest> = texts
            .iter()
            .map(|(path, text)| Manifest {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let known = AnalysisInput {
            manifests: &manifests,
            ..AnalysisInput::default()
        };
        let found = found_in(super::KIND, known);
        found
            .into_iter()
            .map(|one| (one.statement, one.support, one.cases))
            .collect()
    }

    #[test]
    fn the_command_that_most_places_use_is_the_rule() {
        let steps = "    steps:\n      - run: cargo nextest run\n      - run: CI=1 cargo nextest run -p web && cargo nextest run -p core\n".repeat(2);
        let just = "test:\n    cargo nextest run\n    # cargo test\nold:\n    @cargo test\n";
        let texts = [
            (".github/workflows/ci.yml", steps.as_str()),
            ("justfile", just),
            ("Cargo.toml", "cargo test\n"),
        ];
        assert_eq!(
            found(&texts),
            [("Run tests with `cargo nextest run`.".to_owned(), 7, 8)]
        );
    }

    #[test]
    fn few_places_or_several_commands_are_no_rule() {
        assert!(found(&[("justfile", "test:\n    cargo test\n")]).is_empty());
        let both = "test:\n    tox\n    pytest -q\n".repeat(5);
        assert!(found(&[("justfile", &both)]).is_empty());
    }

    #[test]
    fn package_scripts_are_commands_and_dependencies_are_not() {
        let scripts: String = (0..6)
            .map(|n| format!("    \"lint:{n}\": \"eslint src{n} --fix\",\n"))
            .collect();
        let package = format!(
            "{{\n  \"scripts\": {{\n{scripts}    \"x\": \"y\"\n  }},\n  \"devDependencies\": {{\n    \"prettier\": \"prettier\"\n  }}\n}}\n"
        );
        assert_eq!(
            found(&[("package.json", &package)]),
            [("Check code with `eslint`.".to_owned(), 6, 6)]
        );
    }

    #[test]
    fn what_stands_in_front_of_a_command_is_left_out() {
        for (line, command) in [
            ("sudo make test", Some((CommandPurpose::Test, "make test"))),
            (
                "A=1 B=2 poetry run pytest -x",
                Some((CommandPurpose::Test, "pytest")),
            ),
            (
                "./gradlew check --info",
                Some((CommandPurpose::Test, "gradlew check")),
            ),
            ("npm install -g npm@latest", None),
            ("pytest-cov", None),
            ("echo cargo test", None),
        ] {
            assert_eq!(command_of(line), command, "{line}");
        }
    }

    #[test]
    fn the_tests_of_another_language_are_no_other_answer() {
        let steps = "    steps:\n      - run: python -m pytest -n logical\n".repeat(6);
        let texts = [
            (".github/workflows/main.yml", steps.as_str()),
            (
                ".github/workflows/nodejs.yml",
                "    steps:\n      - run: npm test\n",
            ),
        ];
        assert_eq!(
            found(&texts),
            [("Run tests with `pytest`.".to_owned(), 6, 6)]
        );
    }
}
