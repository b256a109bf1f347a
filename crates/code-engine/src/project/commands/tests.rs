//! The reported build and test commands are correct and complete.
//!
//! Longer than 450 lines: one case for each way in which projects declare commands.

use super::*;
use crate::language::Language;

fn told(files: &[(&str, &str)]) -> Vec<String> {
    let manifests: Vec<Manifest> = files
        .iter()
        .map(|(path, text)| Manifest {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    for (path, _) in files {
        assert!(Manifest::is_manifest(path), "{path}");
    }
    let line = |line: Option<u32>| line.map_or(String::new(), |line| format!(":{line}"));
    find(&manifests, &[])
        .into_iter()
        .map(|one| {
            format!(
                "{:?} {} ({}{})",
                one.purpose,
                one.command,
                one.path,
                line(one.line)
            )
        })
        .collect()
}

#[test]
fn a_task_comes_before_what_its_manifest_implies() {
    let files = [
        (
            "justfile",
            "set shell := [\"bash\"]\nversion := \"1\"\n\n# All.\ntest *args:\n    cargo test\n\ntest-only word:\n    x\n\n_hidden:\n\nlint: fmt\nfmt word=\"a\":\nrun name:\n    x\n",
        ),
        (
            "Cargo.toml",
            "[workspace]\nmembers = []\n[package]\nname = \"a\"\n",
        ),
        ("crates/b/Cargo.toml", "[package]\nname = \"b\"\n"),
    ];
    assert_eq!(
        told(&files),
        [
            "Build cargo build --workspace (Cargo.toml)",
            "Test just test (justfile:5)",
            "Lint just lint (justfile:13)",
            "Format just fmt (justfile:14)",
        ]
    );
}

#[test]
fn the_script_that_ci_runs_comes_before_what_is_implied() {
    let workflow = "jobs:\n  build:\n    steps:\n      - name: Build and test\n        run: ./build.ps1\n        shell: pwsh\n      - run: ./release.ps1\n      - run: docs/build.sh\n";
    let files = [
        ("App.sln", "Microsoft Visual Studio Solution File\n"),
        (".github/workflows/ci.yml", workflow),
    ];
    assert_eq!(
        told(&files),
        [
            "Build ./build.ps1 (.github/workflows/ci.yml:5)",
            "Test dotnet test (App.sln)",
        ]
    );
}

#[test]
fn scripts_are_called_by_the_package_manager_that_is_used() {
    let manifest = r#"{
  "scripts": {
    "build": "vite build",
    "test": "vitest",
    "test:code": "eslint --max-warnings=0 .",
    "fix:code": "eslint --fix .",
    "build:docs": "vite build docs",
    "start": "vite"
  },
  "devDependencies": { "vite": "5" }
}"#;
    let of = |lock| told(&[("package.json", manifest), (lock, "")]);
    assert_eq!(
        of("pnpm-lock.yaml"),
        [
            "Install pnpm install (package.json)",
            "Build pnpm build (package.json:3)",
            "Test pnpm test (package.json:4)",
            "Lint pnpm test:code (package.json:5)",
            "Run pnpm start (package.json:8)",
        ]
    );
    assert_eq!(
        of("package-lock.json")[..3],
        [
            "Install npm ci (package.json)",
            "Build npm run build (package.json:3)",
            "Test npm test (package.json:4)"
        ]
    );
    assert!(
        told(&[(
            "package.json",
            "{\"scripts\": {\"test\": \"echo \\\"Error: no test specified\\\" && exit 1\"}}"
        )])
        .is_empty()
    );
}

#[test]
fn continuous_integration_says_what_is_run_on_the_whole_project() {
    let workflow = "jobs:\n  a:\n    steps:\n      - uses: x\n      - run: cargo clippy --all-targets -- -D warnings\n      - name: t\n        run: |\n          cargo test --locked --workspace\n      - run: cargo test -p one\n      - run: cargo +nightly build\n      - run: ${{ env.CARGO }} build\n      - run: cargo fmt --all --check\n        working-directory: sub\n      - run: |\n          cd sub\n          cargo build\n      - run: >\n          cargo build\n          --workspace\n      - run: GOARCH=386 go test ./...\n";
    let files = [
        (".github/workflows/ci.yml", workflow),
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("rustfmt.toml", ""),
    ];
    assert_eq!(
        told(&files),
        [
            "Build cargo build --workspace (.github/workflows/ci.yml:18)",
            "Test cargo test --locked --workspace (.github/workflows/ci.yml:8)",
            "Lint cargo clippy --all-targets -- -D warnings (.github/workflows/ci.yml:5)",
            "Format cargo fmt (rustfmt.toml)",
        ]
    );
}

#[test]
fn python_is_told_by_what_is_configured() {
    let files = [
        (
            "pyproject.toml",
            "[tool.pytest.ini_options]\naddopts = \"-r\"\n[tool.ruff.lint]\nselect = []\n[tool.mypy]\nstrict = true\n",
        ),
        ("uv.lock", ""),
        (
            ".github/workflows/t.yaml",
            "steps:\n  - run: \"scripts/test\"\n  - run: scripts/publish\n  - run: uv run mypy src\n",
        ),
    ];
    assert_eq!(
        told(&files),
        [
            "Install uv sync (uv.lock)",
            "Test scripts/test (.github/workflows/t.yaml:2)",
            "Lint uv run mypy src (.github/workflows/t.yaml:4)"
        ]
    );
    assert_eq!(
        told(&[(
            "noxfile.py",
            "import nox\n\n@nox.session\n@nox.parametrize('a', [1])\ndef lint(session):\n    x\n\ndef test(a):\n    x\n"
        )]),
        ["Lint nox -s lint (noxfile.py:5)"]
    );
}

#[test]
fn every_ecosystem_has_its_own() {
    for (files, expected) in [
        (
            vec![
                ("go.mod", "module a\n"),
                (
                    "Makefile",
                    ".PHONY: test\nGO ?= go\ntest:\n\tgo test\nbuild-all: x\n%.o: %.c\nA:=b\n",
                ),
            ],
            vec![
                "Build go build ./... (go.mod)",
                "Test make test (Makefile:3)",
            ],
        ),
        (
            vec![("pom.xml", "<project/>"), ("mvnw", "")],
            vec![
                "Build ./mvnw package (pom.xml)",
                "Test ./mvnw test (pom.xml)",
            ],
        ),
        (
            vec![("build.gradle.kts", ""), ("gradlew", "")],
            vec![
                "Build ./gradlew build (build.gradle.kts)",
                "Test ./gradlew test (build.gradle.kts)",
            ],
        ),
        (
            vec![
                (
                    "composer.json",
                    "{\n\"scripts\": {\n\"test\": \"phpunit\"}}",
                ),
                ("phpunit.xml", ""),
            ],
            vec![
                "Install composer install (composer.json)",
                "Test composer test (composer.json:3)",
            ],
        ),
        (
            vec![
                ("Gemfile", ""),
                ("Rakefile", "Rake::TestTask.new do\nend\n"),
            ],
            vec![
                "Install bundle install (Gemfile)",
                "Test rake test (Rakefile:1)",
            ],
        ),
        (
            vec![("a.sln", "")],
            vec!["Build dotnet build (a.sln)", "Test dotnet test (a.sln)"],
        ),
        (
            vec![("Package.swift", "targets: [\n  .testTarget(name: \"a\")]")],
            vec![
                "Build swift build (Package.swift)",
                "Test swift test (Package.swift:2)",
            ],
        ),
        (
            vec![("CMakeLists.txt", "enable_testing()\n")],
            vec![
                "Build cmake -S . -B build && cmake --build build (CMakeLists.txt)",
                "Test ctest --test-dir build (CMakeLists.txt:1)",
            ],
        ),
        (
            vec![("a/go.mod", "module a\n"), ("b/go.mod", "module b\n")],
            vec![],
        ),
        (
            vec![("sub/go.mod", "module a\n")],
            vec![
                "Build go build ./... (sub/go.mod)",
                "Test go test ./... (sub/go.mod)",
            ],
        ),
    ] {
        assert_eq!(told(&files), expected);
    }
}

#[test]
fn what_continuous_integration_runs_comes_before_a_task() {
    let workflow = "jobs:\n  a:\n    steps:\n      - run: |\n          pip install tox\n          python -m pytest \\\n            -n logical\n      - run: ruff \
                    format --diff\n      - run: prettier --check .\n";
    let files = [
        (".github/workflows/ci.yml", workflow),
        ("Makefile", "test:\n\tpytest\ncheck:\n\tpytest\n"),
    ];
    let told = told(&files);
    assert!(
        told[0].starts_with("Test python -m pytest -n logical"),
        "{told:?}"
    );
    assert!(
        !told.iter().any(|one| one.starts_with("Format")),
        "{told:?}"
    );
    assert!(told.contains(&"Lint ruff format --diff (.github/workflows/ci.yml:8)".to_owned()));
}

#[test]
fn a_default_task_of_rake_and_a_check_of_make_are_tests() {
    let workflow = "steps:\n  - run: |\n      bundle exec rake\n";
    assert_eq!(
        told(&[(".github/workflows/ci.yml", workflow)]),
        ["Test bundle exec rake (.github/workflows/ci.yml:3)"]
    );
    assert_eq!(
        told(&[("Makefile", "check:\n\t./run\n")]),
        ["Test make check (Makefile:1)"]
    );
}

/// The commands of a project with these files and languages.
fn told_of(files: &[(&str, &str)], lines: &[(Language, u32)]) -> Vec<String> {
    let manifests: Vec<Manifest> = files
        .iter()
        .map(|(path, text)| Manifest {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    let shares: Vec<LanguageShare> = lines
        .iter()
        .map(|(language, lines)| LanguageShare {
            language: *language,
            files: 1,
            lines_of_code: *lines,
        })
        .collect();
    find(&manifests, &shares)
        .into_iter()
        .map(|one| format!("{:?} {}", one.purpose, one.command))
        .collect()
}

#[test]
fn the_commands_of_the_main_language_come_first() {
    let files = [
        (
            "package.json",
            r#"{"scripts": {"test": "jasmine"}, "devDependencies": {"jasmine-core": "^5"}}"#,
        ),
        (
            ".github/workflows/builddoc.yml",
            "    steps:\n      - run: uv pip install . --group docs\n",
        ),
        (
            ".github/workflows/main.yml",
            "    steps:\n      - run: uv pip install . --group test\n      - run: python -m pytest -vv\n",
        ),
        (
            ".github/workflows/nodejs.yml",
            "    steps:\n      - run: npm install\n      - run: npm test\n",
        ),
    ];
    assert_eq!(
        told_of(
            &files,
            &[(Language::Python, 950), (Language::JavaScript, 50)]
        ),
        [
            "Install uv pip install . --group test",
            "Install npm install",
            "Test python -m pytest -vv",
            "Test npm test",
        ]
    );
}

#[test]
fn a_manifest_of_a_language_that_is_not_there_is_silent() {
    let files = [
        ("Gemfile", "gem \"jazzy\"\n"),
        (
            "support/build.gradle",
            "apply plugin: 'com.android.library'\n",
        ),
        ("CMakeLists.txt", "enable_testing()\n"),
    ];
    assert_eq!(
        told_of(&files, &[(Language::Cpp, 9_000), (Language::Ruby, 20)]),
        [
            "Build cmake -S . -B build && cmake --build build",
            "Test ctest --test-dir build",
        ]
    );
}

#[test]
fn a_task_of_one_language_does_not_hide_another() {
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = []\n"),
        (
            "web/package.json",
            r#"{"scripts": {"build": "vite build", "dev": "tsx --conditions a"}}"#,
        ),
    ];
    assert_eq!(
        told_of(
            &files,
            &[(Language::Rust, 900), (Language::TypeScript, 100)]
        ),
        [
            "Build cargo build",
            "Build npm run build",
            "Test cargo test"
        ]
    );
}

#[test]
fn a_script_called_format_that_looks_only_is_a_check() {
    let scripts = r#"{
  "scripts": {
    "format": "prettier --check \"src/**/*.ts\"",
    "format:fix": "prettier --write \"src/**/*.ts\""
  }
}
"#;
    assert_eq!(
        told(&[("package.json", scripts)]),
        [
            "Lint npm run format (package.json:3)",
            "Format npm run format:fix (package.json:4)",
        ]
    );
}

#[test]
fn options_of_a_runner_do_not_hide_what_it_runs() {
    let steps = "    steps:\n      - run: uv run --locked --no-default-groups --group dev tox run\n      - run: uv run --locked tox run -e typing\n      - run: uv run --group pre-commit pre-commit run --all-files\n";
    assert_eq!(
        told(&[(".github/workflows/tests.yaml", steps)]),
        [
            "Test uv run --locked --no-default-groups --group dev tox run (.github/workflows/tests.yaml:2)",
            "Lint uv run --group pre-commit pre-commit run --all-files (.github/workflows/tests.yaml:4)",
        ]
    );
}

#[test]
fn autotools_are_built_by_their_usual_steps() {
    assert_eq!(
        told(&[("configure.ac", "AC_INIT([tool], [1.0])\n")]),
        [
            "Build autoreconf -i && ./configure && make (configure.ac)",
            "Test make check (configure.ac)",
        ]
    );
}

#[test]
fn what_a_matrix_puts_into_a_command_is_left_out() {
    let workflow = "on: push\njobs:\n  test:\n    steps:\n      - run: |\n          go test -cover ${{matrix.test_opts}} ./...\n      - run: OPTIONS='${{ matrix.flags }}' vendor/bin/phpunit ${{ matrix.more-flags }}\n      - run: go build -tags ${{ matrix.tags }} ./...\n";
    let files = [
        (".github/workflows/ci.yml", workflow),
        ("Makefile", "test:\n\tgo test ./cmd/... ./internal/...\n"),
        ("go.mod", "module example.org/a\n"),
    ];
    assert_eq!(
        told(&files),
        [
            "Build go build ./... (go.mod)",
            "Test vendor/bin/phpunit (.github/workflows/ci.yml:7)",
            "Test go test -cover ./... (.github/workflows/ci.yml:6)",
        ]
    );
}

#[test]
fn scripts_of_all_packages_are_commands() {
    let workflow = "on: push\njobs:\n  test:\n    steps:\n      - run: pnpm i\n      - run: pnpm -r test:coverage\n      - run: pnpm -r test:e2e:ci\n      - run: pnpm i --filter web\n      - run: pnpm i left-pad\n";
    let files = [
        (".github/workflows/ci.yml", workflow),
        ("package.json", r#"{"scripts": {"lint": "eslint ."}}"#),
        ("pnpm-lock.yaml", ""),
    ];
    assert_eq!(
        told(&files),
        [
            "Install pnpm i (.github/workflows/ci.yml:5)",
            "Test pnpm -r test:coverage (.github/workflows/ci.yml:6)",
            "Lint pnpm lint (package.json:1)",
        ]
    );
}

#[test]
fn a_tool_that_uvx_fetches_is_what_is_run() {
    let workflow = "on: push\njobs:\n  test:\n    steps:\n      - run: uvx --with tox-uv tox\n      - run: uvx twine check dist\n";
    let files = [
        (".github/workflows/tests.yml", workflow),
        ("tox.ini", "[testenv]\ncommands = pytest\n"),
    ];
    assert_eq!(
        told(&files),
        ["Test uvx --with tox-uv tox (.github/workflows/tests.yml:5)"]
    );
}

#[test]
fn a_check_of_the_code_comes_before_one_of_its_form() {
    let workflow = "jobs:\n  a:\n    steps:\n      - run: ruff check --output-format=github\n      - run: ruff format --diff\n      - run: mypy\n";
    assert_eq!(
        told(&[(".github/workflows/lint.yml", workflow)]),
        [
            "Lint mypy (.github/workflows/lint.yml:6)",
            "Lint ruff check --output-format=github (.github/workflows/lint.yml:4)",
        ]
    );
}

#[test]
fn a_script_that_runs_the_tests_starts_nothing() {
    let scripts = |body: &str| format!("{{\"scripts\": {{\"dev\": \"{body}\"}}}}\n");
    for body in [
        "vitest --coverage --ui",
        "NODE_ENV=test jest --watch",
        "tsc",
    ] {
        assert!(
            told(&[("package.json", &scripts(body))]).is_empty(),
            "{body}"
        );
    }
    let told = told(&[("package.json", &scripts("tsc && node dist/main.js"))]);
    assert_eq!(told, ["Run npm run dev (package.json:1)"]);
}

#[test]
fn a_build_of_cmake_is_told_with_its_configuration() {
    let workflow = |configure: &str| {
        format!("jobs:\n  a:\n    steps:\n{configure}      - run: cmake --build out\n")
    };
    let told = |configure: &str| told(&[(".github/workflows/ci.yml", &workflow(configure))]);
    assert_eq!(
        told("      - run: cmake -G Ninja -S . -B out\n"),
        ["Build cmake -G Ninja -S . -B out && cmake --build out (.github/workflows/ci.yml:5)"]
    );
    assert!(told("").is_empty());
    assert!(told("      - run: cmake -S . -B other\n").is_empty());
}

#[test]
fn the_projects_own_tasks_stand_for_its_packages() {
    let package = (
        "web/package.json",
        "{\"scripts\": {\"test\": \"vitest run\"}}\n",
    );
    assert_eq!(told(&[package]), ["Test npm test (web/package.json:1)"]);
    let tasks = (
        "justfile",
        "test:\n    cargo test && npm test --prefix web\n",
    );
    assert_eq!(told(&[package, tasks]), ["Test just test (justfile:1)"]);
}
