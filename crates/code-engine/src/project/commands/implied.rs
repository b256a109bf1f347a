//! Commands implied by manifests: the standard commands of the tool, and of configured tools.

use super::tasks::{line_of, node_install};
use super::{Candidate, Evidence, Project, candidate};
use crate::project::manifest::Manifest;
use crate::project::stack::CommandPurpose as P;

pub(super) fn find(project: &Project<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    cargo(project, &mut found);
    python(project, &mut found);
    let mut imply = |kind: &str, commands: &[(P, &str)], tool: &'static str| {
        if let Some(manifest) = project.of(kind) {
            found.extend(commands.iter().map(|(purpose, command)| {
                candidate(*purpose, *command, manifest, None, Evidence::Implied, tool)
            }));
        }
    };
    imply(
        "go.mod",
        &[(P::Build, "go build ./..."), (P::Test, "go test ./...")],
        "go",
    );
    imply(
        ".golangci.yml",
        &[(P::Lint, "golangci-lint run")],
        "golangci-lint",
    );
    let maven: &[(P, &str)] = match project.has("mvnw") {
        true => &[(P::Build, "./mvnw package"), (P::Test, "./mvnw test")],
        false => &[(P::Build, "mvn package"), (P::Test, "mvn test")],
    };
    imply("pom.xml", maven, "maven");
    let gradle: &[(P, &str)] = match project.has("gradlew") {
        true => &[(P::Build, "./gradlew build"), (P::Test, "./gradlew test")],
        false => &[(P::Build, "gradle build"), (P::Test, "gradle test")],
    };
    imply("build.gradle", gradle, "gradle");
    imply(
        "build.sbt",
        &[(P::Build, "sbt compile"), (P::Test, "sbt test")],
        "sbt",
    );
    imply(
        "solution",
        &[(P::Build, "dotnet build"), (P::Test, "dotnet test")],
        "dotnet",
    );
    imply("csproj", &[(P::Build, "dotnet build")], "dotnet");
    imply("Gemfile", &[(P::Install, "bundle install")], "bundler");
    imply(".rspec", &[(P::Test, "bundle exec rspec")], "rspec");
    imply(
        ".rubocop.yml",
        &[(P::Lint, "bundle exec rubocop")],
        "rubocop",
    );
    imply(
        "composer.json",
        &[(P::Install, "composer install")],
        "composer",
    );
    imply("phpunit.xml", &[(P::Test, "vendor/bin/phpunit")], "phpunit");
    imply(
        "phpunit.xml.dist",
        &[(P::Test, "vendor/bin/phpunit")],
        "phpunit",
    );
    imply("Package.swift", &[(P::Build, "swift build")], "swift");
    imply(
        "CMakeLists.txt",
        &[(P::Build, "cmake -S . -B build && cmake --build build")],
        "cmake",
    );
    if !project.has("Makefile") {
        imply(
            "configure.ac",
            &[
                (P::Build, "autoreconf -i && ./configure && make"),
                (P::Test, "make check"),
            ],
            "autotools",
        );
    }
    if let Some(manifest) = project
        .of("Package.swift")
        .filter(|one| one.text.contains(".testTarget("))
    {
        let line = line_of(&manifest.text, ".testTarget(");
        found.push(candidate(
            P::Test,
            "swift test",
            manifest,
            Some(line),
            Evidence::Implied,
            "swift",
        ));
    }
    if let Some(manifest) = project
        .of("CMakeLists.txt")
        .filter(|one| one.text.contains("enable_testing()"))
    {
        let line = line_of(&manifest.text, "enable_testing()");
        found.push(candidate(
            P::Test,
            "ctest --test-dir build",
            manifest,
            Some(line),
            Evidence::Implied,
            "cmake",
        ));
    }
    if let Some(manifest) = project.of("package.json") {
        let command = node_install(project, manifest);
        let depends = manifest.text.contains("ependencies\"");
        found.extend(depends.then(|| {
            candidate(
                P::Install,
                command,
                manifest,
                None,
                Evidence::Implied,
                "node",
            )
        }));
    }
    found
}

fn cargo(project: &Project<'_>, found: &mut Vec<Candidate>) {
    let Some(manifest) = project.of("Cargo.toml") else {
        return;
    };
    let has = |table: &str| {
        manifest
            .text
            .lines()
            .any(|line| line.trim().starts_with(table))
    };
    // With a package at the top, Cargo builds only that package of the workspace unless told otherwise.
    let (build, test) = match has("[workspace]") && has("[package]") {
        true => ("cargo build --workspace", "cargo test --workspace"),
        false => ("cargo build", "cargo test"),
    };
    for (purpose, command) in [(P::Build, build), (P::Test, test)] {
        found.push(candidate(
            purpose,
            command,
            manifest,
            None,
            Evidence::Implied,
            "cargo",
        ));
    }
    for table in ["[workspace.lints.clippy", "[lints.clippy"] {
        if has(table) {
            let line = line_of(&manifest.text, table);
            found.push(candidate(
                P::Lint,
                "cargo clippy",
                manifest,
                Some(line),
                Evidence::Configured,
                "cargo",
            ));
        }
    }
    for (kind, purpose, command) in [
        ("clippy.toml", P::Lint, "cargo clippy"),
        ("rustfmt.toml", P::Format, "cargo fmt"),
    ] {
        if let Some(manifest) = project.of(kind) {
            found.push(candidate(
                purpose,
                command,
                manifest,
                None,
                Evidence::Configured,
                "cargo",
            ));
        }
    }
}

/// A file, the command that it implies, and whether its content implies it.
type Install = (&'static str, &'static str, fn(&Manifest) -> bool);

fn python(project: &Project<'_>, found: &mut Vec<Candidate>) {
    for (kind, table, purpose, command, tool) in [
        (
            "pyproject.toml",
            "[tool.pytest",
            P::Test,
            "pytest",
            "pytest",
        ),
        ("pytest.ini", "[pytest]", P::Test, "pytest", "pytest"),
        ("setup.cfg", "[tool:pytest]", P::Test, "pytest", "pytest"),
        ("tox.ini", "[testenv", P::Test, "tox", "tox"),
        (
            "pyproject.toml",
            "[tool.ruff",
            P::Lint,
            "ruff check .",
            "ruff",
        ),
        ("ruff.toml", "", P::Lint, "ruff check .", "ruff"),
        (
            "pyproject.toml",
            "[tool.ruff.format",
            P::Format,
            "ruff format .",
            "ruff-format",
        ),
        (
            "pyproject.toml",
            "[tool.black",
            P::Format,
            "black .",
            "black",
        ),
    ] {
        let Some(manifest) = project.of(kind) else {
            continue;
        };
        if manifest.text.lines().any(|line| line.starts_with(table)) {
            let line = line_of(&manifest.text, table);
            found.push(candidate(
                purpose,
                command,
                manifest,
                Some(line),
                Evidence::Configured,
                tool,
            ));
        }
    }
    let installs: [Install; 4] = [
        ("uv.lock", "uv sync", |_| true),
        ("poetry.lock", "poetry install", |_| true),
        ("pdm.lock", "pdm install", |_| true),
        (
            "requirements.txt",
            "pip install -r requirements.txt",
            |one| !one.text.trim().is_empty(),
        ),
    ];
    for (kind, command, says) in installs {
        if let Some(manifest) = project.of(kind).filter(|one| says(one)) {
            found.push(candidate(
                P::Install,
                command,
                manifest,
                None,
                Evidence::Implied,
                "python",
            ));
        }
    }
}
