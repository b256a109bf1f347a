//! Each format yields its versions, and nothing if the file is invalid.

use super::*;

fn versions(files: &[(&str, &str)]) -> Versions {
    let manifests: Vec<Manifest> = files
        .iter()
        .map(|(path, text)| Manifest {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    Versions::new(&manifests, |_| 0)
}

#[test]
fn lock_files_say_which_version_it_is() {
    use Ecosystem as E;
    for (path, text, ecosystem, package, version) in [
        (
            "Cargo.lock",
            "[[package]]\nname = \"axum\"\nversion = \"0.7.9\"\n\n[[package]]\nname = \"axum\"\nversion = \"0.8.1\"\n",
            E::Cargo,
            "axum",
            "0.8.1",
        ),
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"django\"\nversion = \"5.0\"\n",
            E::PyPi,
            "django",
            "5.0",
        ),
        (
            "package-lock.json",
            r#"{"lockfileVersion": 3, "packages": {"": {"version": "9"}, "node_modules/react": {"version": "18.2.0"}, "node_modules/a/node_modules/react": {"version": "99.0.0"}}}"#,
            E::Npm,
            "react",
            "18.2.0",
        ),
        (
            "package-lock.json",
            r#"{"dependencies": {"react": {"version": "16.0.0"}}}"#,
            E::Npm,
            "react",
            "16.0.0",
        ),
        (
            "yarn.lock",
            "# yarn lockfile v1\n\n\"@a/b@^1\":\n  version \"1.2.3\"\n\nreact@^18.0.0, react@18:\n  version \"18.3.1\"\n  dependencies:\n    version \"7\"\n",
            E::Npm,
            "react",
            "18.3.1",
        ),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n\n\"@a/b@npm:^1\":\n  version: 1.2.3\n  resolution: x\n",
            E::Npm,
            "@a/b",
            "1.2.3",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\npackages:\n\n  '@a/b@1.2.3':\n    resolution: {}\n  react@18.2.0(x@1):\n",
            E::Npm,
            "@a/b",
            "1.2.3",
        ),
        (
            "pnpm-lock.yaml",
            "packages:\n\n  /react/17.0.2:\n    resolution: {}\n",
            E::Npm,
            "react",
            "17.0.2",
        ),
        (
            "Pipfile.lock",
            r#"{"default": {"flask": {"version": "==3.0.1"}}}"#,
            E::PyPi,
            "flask",
            "3.0.1",
        ),
        (
            "composer.lock",
            r#"{"packages": [{"name": "laravel/framework", "version": "v11.2.0"}]}"#,
            E::Composer,
            "laravel/framework",
            "11.2.0",
        ),
        (
            "Gemfile.lock",
            "GEM\n  specs:\n    rails (7.1.2)\n      rake (>= 12)\n",
            E::Gem,
            "rails",
            "7.1.2",
        ),
        (
            "packages.lock.json",
            r#"{"dependencies": {"net8.0": {"xunit": {"resolved": "2.6.1"}}}}"#,
            E::NuGet,
            "xunit",
            "2.6.1",
        ),
        (
            "Package.resolved",
            r#"{"pins": [{"identity": "vapor", "state": {"version": "4.89.0"}}]}"#,
            E::Swift,
            "vapor",
            "4.89.0",
        ),
        (
            "go.mod",
            "module a\nrequire (\n\tgithub.com/a/b v1.2.3 // indirect\n)\n",
            E::Go,
            "github.com/a/b",
            "v1.2.3",
        ),
    ] {
        assert_eq!(
            versions(&[(path, text)])
                .package(ecosystem, &[package])
                .as_deref(),
            Some(version),
            "{path}"
        );
    }
}

#[test]
fn without_a_lock_it_is_what_the_manifest_asks_for() {
    use Ecosystem as E;
    for (path, text, ecosystem, package, version) in [
        (
            "Cargo.toml",
            "[dependencies]\norm = { package = \"sea-orm\", version = \"2\" }\n",
            E::Cargo,
            "sea-orm",
            Some("2"),
        ),
        (
            "package.json",
            r#"{"dependencies": {"react": "^18.2.0", "own": "workspace:*"}}"#,
            E::Npm,
            "react",
            Some("^18.2.0"),
        ),
        (
            "package.json",
            r#"{"dependencies": {"own": "workspace:1"}}"#,
            E::Npm,
            "own",
            None,
        ),
        (
            "pyproject.toml",
            "[project]\ndependencies = [\"Rich >=10,<15\"]\n",
            E::PyPi,
            "rich",
            Some(">=10,<15"),
        ),
        (
            "requirements.txt",
            "Flask==2.0.1  # why\n",
            E::PyPi,
            "flask",
            Some("2.0.1"),
        ),
        (
            "pom.xml",
            "<project><properties><jackson.version>2.17.0</jackson.version></properties><dependency><groupId>com.fasterxml.jackson.core</groupId><version>${jackson.version}</version></dependency></project>",
            E::Maven,
            "com.fasterxml.jackson",
            Some("2.17.0"),
        ),
        (
            "pom.xml",
            "<dependency><groupId>com.a</groupId><version>${nobody.knows}</version></dependency>",
            E::Maven,
            "com.a",
            None,
        ),
        (
            "build.gradle.kts",
            "implementation(\"io.ktor:ktor-core:2.3.1\")\n",
            E::Maven,
            "io.ktor",
            Some("2.3.1"),
        ),
        (
            "gradle/libs.versions.toml",
            "[versions]\nktor = \"2.3\"\n[libraries]\ncore = { module = \"io.ktor:core\", version.ref = \"ktor\" }\n",
            E::Maven,
            "io.ktor",
            Some("2.3"),
        ),
        (
            "build.sbt",
            "scalaVersion := \"3.4.0\"\nlibraryDependencies += \"dev.zio\" %% \"zio\" % \"2.1\"\n",
            E::Maven,
            "dev.zio",
            Some("2.1"),
        ),
        (
            "a.csproj",
            "<Project><PackageReference Include=\"xunit\" Version=\"2.5\" /></Project>",
            E::NuGet,
            "xunit",
            Some("2.5"),
        ),
        (
            "Directory.Packages.props",
            "<Project><PackageVersion Include=\"xunit\"><Version>2.6</Version></PackageVersion></Project>",
            E::NuGet,
            "xunit",
            Some("2.6"),
        ),
        (
            "pom.xml",
            "<project><dependency><groupId>com.a</groupId><version><!-- 1 -->2</version></dependency></project>",
            E::Maven,
            "com.a",
            Some("2"),
        ),
    ] {
        assert_eq!(
            versions(&[(path, text)])
                .package(ecosystem, &[package])
                .as_deref(),
            version,
            "{path}"
        );
    }
    let lock = r#"{"packages": {"node_modules/react": {"version": "18.2.0"}}}"#;
    let asks = r#"{"dependencies": {"react": "^18"}}"#;
    let react = |files: &[(&str, &str)]| versions(files).package(E::Npm, &["react"]);
    let beside = react(&[("web/package.json", asks), ("web/package-lock.json", lock)]);
    assert_eq!(beside.as_deref(), Some("18.2.0"));
    let elsewhere = react(&[("package.json", asks), ("docs/package-lock.json", lock)]);
    assert_eq!(
        elsewhere.as_deref(),
        Some("^18"),
        "another package's lock file"
    );
    let manifests = [("app", "^19"), ("docs", "^17")].map(|(folder, version)| Manifest {
        path: format!("{folder}/package.json"),
        text: format!("{{\"dependencies\": {{\"react\": \"{version}\"}}}}"),
    });
    for (large, version) in [("app", "^19"), ("docs", "^17")] {
        let below = |folder: &str| usize::from(folder == large);
        let known = Versions::new(&manifests, below);
        assert_eq!(known.package(E::Npm, &["react"]).as_deref(), Some(version));
    }
}

#[test]
fn a_language_has_the_version_that_the_project_is_written_for() {
    for (path, text, language, version) in [
        (
            "Cargo.toml",
            "[workspace.package]\nrust-version = \"1.85\"\n",
            Language::Rust,
            Some("1.85"),
        ),
        (
            "rust-toolchain.toml",
            "[toolchain]\nchannel = \"1.90.0\"\n",
            Language::Rust,
            Some("1.90.0"),
        ),
        (
            "rust-toolchain",
            "nightly-2026-01-01\n",
            Language::Rust,
            None,
        ),
        (
            "pyproject.toml",
            "[project]\nrequires-python = \">=3.9\"\n",
            Language::Python,
            Some(">=3.9"),
        ),
        (
            "setup.py",
            "setup(\n    python_requires='>=3.9',\n)\n",
            Language::Python,
            Some(">=3.9"),
        ),
        (
            "package.json",
            r#"{"engines": {"node": ">= 18"}}"#,
            Language::JavaScript,
            Some(">= 18"),
        ),
        (".nvmrc", "lts/iron\n", Language::JavaScript, None),
        (
            "go.mod",
            "module a\n\ngo 1.25.0\n",
            Language::Go,
            Some("1.25.0"),
        ),
        (
            "pom.xml",
            "<maven.compiler.release>17</maven.compiler.release>",
            Language::Java,
            Some("17"),
        ),
        (
            "build.gradle",
            "sourceCompatibility = JavaVersion.VERSION_11\n",
            Language::Java,
            Some("11"),
        ),
        (
            "a.csproj",
            "<TargetFramework>net8.0</TargetFramework>",
            Language::CSharp,
            Some("net8.0"),
        ),
        ("Gemfile", "ruby \"3.2.0\"\n", Language::Ruby, Some("3.2.0")),
        (
            "composer.json",
            r#"{"require": {"php": "^8.2"}}"#,
            Language::Php,
            Some("^8.2"),
        ),
        (
            "Package.swift",
            "// swift-tools-version:5.9\n",
            Language::Swift,
            Some("5.9"),
        ),
    ] {
        assert_eq!(
            versions(&[(path, text)]).language(language).as_deref(),
            version,
            "{path}"
        );
    }
}

#[test]
fn what_is_broken_says_nothing() {
    for name in [
        "Cargo.lock",
        "yarn.lock",
        "pnpm-lock.yaml",
        "package-lock.json",
        "pom.xml",
        "go.mod",
        "Gemfile.lock",
        "Package.swift",
        "build.gradle",
        "a.csproj",
    ] {
        for text in [
            "",
            "@",
            "\n\n@:\n  version",
            "packages:\n  :\n  '':\n",
            "<dependency>",
            "{",
            "é@é:\n  version é1\n",
        ] {
            drop(versions(&[(name, text)]));
        }
    }
}

#[test]
fn a_version_that_stands_elsewhere_is_found() {
    let npm = |version: &str| format!(r#"{{"dependencies": {{"react": "{version}"}}}}"#);
    let asked = |files: &[(&str, &str)]| versions(files).package(Ecosystem::Npm, &["react"]);
    let pnpm = "packages:\n  - a\ncatalog:\n  react: 18.3.1 # stable\ncatalogs:\n  old:\n    react: ^17.0.2\n";
    for (asks, version) in [("catalog:", "18.3.1"), ("catalog:old", "^17.0.2")] {
        let files = [
            ("pnpm-workspace.yaml", pnpm),
            ("web/package.json", &npm(asks)),
        ];
        assert_eq!(asked(&files).as_deref(), Some(version));
    }
    let bun = r#"{"workspaces": {"catalog": {"react": "19.0.0"}}}"#;
    let files = [
        ("package.json", bun),
        ("web/package.json", &npm("catalog:")),
    ];
    assert_eq!(asked(&files).as_deref(), Some("19.0.0"));
    assert_eq!(asked(&[("package.json", &npm("catalog:"))]), None);
    let maven = |files: &[(&str, &str)]| versions(files).package(Ecosystem::Maven, &["a.b"]);
    let parent = "<project><properties><ab.version>2.1</ab.version></properties></project>";
    let child = "<project><dependency><groupId>a.b</groupId><version>${ab.version}</version></dependency></project>";
    let files = [("pom.xml", parent), ("core/pom.xml", child)];
    assert_eq!(maven(&files).as_deref(), Some("2.1"));
}

#[test]
fn the_root_of_a_workspace_says_which_version_is_used() {
    let lock = "lockfileVersion: '9.0'\nimporters:\n\n  .:\n    devDependencies:\n      typescript:\n        specifier: ^5\n        \
                version: 5.5.4\n\n  bench:\n    dependencies:\n      typescript:\n        specifier: ^6\n        version: 6.0.3\n\n\
                packages:\n\n  typescript@5.5.4:\n    resolution: {}\n\n  typescript@6.0.3:\n    resolution: {}\n";
    let found = versions(&[("pnpm-lock.yaml", lock)]);
    assert_eq!(
        found.package(Ecosystem::Npm, &["typescript"]).as_deref(),
        Some("5.5.4")
    );
    let alias =
        r#"{"devDependencies": {"zod4": "npm:zod@4.0.8", "preact": "npm:@preact/compat@^17.0.1"}}"#;
    let found = versions(&[("package.json", alias)]);
    assert_eq!(found.package(Ecosystem::Npm, &["zod"]), None);
    assert_eq!(
        found
            .package(Ecosystem::Npm, &["@preact/compat"])
            .as_deref(),
        Some("^17.0.1")
    );
    let bun = "{\n  \"packages\": {\n    \"react\": [\"react@18.3.1\", \"\"],\n    \"a/react\": [\"react@17.0.0\"],\n  },\n}\n";
    assert_eq!(
        versions(&[("bun.lock", bun)])
            .package(Ecosystem::Npm, &["react"])
            .as_deref(),
        Some("18.3.1")
    );
}

#[test]
fn requirements_with_hashes_have_a_version() {
    let asked =
        |path: &str, text: &str| versions(&[(path, text)]).package(Ecosystem::PyPi, &["django"]);
    for (path, text, version) in [
        (
            "requirements.txt",
            "django==5.0.6 \\\n    --hash=sha256:83 \\\n",
            "5.0.6",
        ),
        (
            "requirements.txt",
            "django==5.0.6 --hash=sha256:83\n",
            "5.0.6",
        ),
        ("requirements/base.txt", "django===4.2\n", "4.2"),
        ("constraints.txt", "django==4.1\n", "4.1"),
    ] {
        assert_eq!(asked(path, text).as_deref(), Some(version), "{text}");
    }
}
