//! A stack contains the main technologies of a project, and not those at its edge.

use crate::analysis::project_summarize;
use crate::language::Language;
use crate::parse::file_analyze;
use crate::project::{Manifest, ProjectInput, SourceFile};

fn file(path: &str, source: &str) -> SourceFile {
    let language = Language::detect(path).unwrap();
    let facts = file_analyze(path, language, source.as_bytes()).unwrap();
    SourceFile {
        path: path.to_owned(),
        blob: String::new(),
        language,
        facts,
    }
}

fn stack(files: Vec<SourceFile>, manifest: (&str, &str)) -> Vec<(String, u32)> {
    let manifests = vec![Manifest {
        path: manifest.0.to_owned(),
        text: manifest.1.to_owned(),
    }];
    let analysis = project_summarize(&ProjectInput {
        files,
        manifests,
        ..ProjectInput::default()
    });
    analysis
        .stack
        .into_iter()
        .map(|one| (one.name, one.files))
        .collect()
}

#[test]
fn a_gem_stands_on_what_its_specification_names() {
    let files = || {
        vec![
            file("lib/jobs/web.rb", "require \"rack\"\nclass Web\nend\n"),
            file(
                "lib/jobs/rails.rb",
                "require \"rails\"\nclass Engine\nend\n",
            ),
            file(
                "myapp/config/application.rb",
                "require \"rails/all\"\nclass App\nend\n",
            ),
        ]
    };
    let names = |manifest| {
        let all = stack(files(), manifest).into_iter();
        all.map(|(name, _)| name).collect::<Vec<String>>()
    };
    let gem = "Gem::Specification.new do |s|\n  s.name = 'jobs'\n  s.add_dependency 'rack', '>= 3'\nend\n";
    assert_eq!(names(("jobs.gemspec", gem)), ["ruby", "rack"]);
    let app = "gem 'rails'\ngem 'rack'\n";
    assert_eq!(names(("Gemfile", app)), ["ruby", "rails", "rack"]);
}

#[test]
fn frameworks_follow_their_language_ordered_by_use() {
    let files = vec![
        file(
            "src/a.rs",
            "use axum::Router;\nuse sea_orm::{Set};\nfn a() {}\nfn b() {}\nfn c() {}\n",
        ),
        file("src/b.rs", "use sea_orm::entity::*;\nuse axumatic::x;\n"),
        file(
            "web/a.tsx",
            "import { useState } from 'react';\nexport const a = useState;\n",
        ),
    ];
    let manifest = ("Cargo.toml", "[dependencies]\ntokio = \"1\"\n");
    let expected = [
        ("rust", 2),
        ("sea-orm", 2),
        ("axum", 1),
        ("tokio", 0),
        ("typescript", 1),
        ("react", 1),
    ];
    assert_eq!(
        stack(files, manifest),
        expected.map(|(name, files)| (name.to_owned(), files))
    );
}

#[test]
fn a_parent_and_a_plugin_name_a_framework() {
    let pom = "<project><parent><groupId>org.springframework.boot</groupId><artifactId>p</artifactId>\
               <version>3.5.0</version></parent><groupId>org.springframework.samples</groupId></project>";
    let files = || vec![file("src/main/java/a/A.java", "package a;\nclass A {}\n")];
    let expected = [("java".to_owned(), 1), ("spring boot".to_owned(), 0)];
    assert_eq!(stack(files(), ("pom.xml", pom)), expected);
    let plugin = "<project><groupId>a</groupId><build><plugins><plugin><groupId>org.springframework.boot</groupId>\
                  </plugin></plugins></build></project>";
    assert_eq!(stack(files(), ("pom.xml", plugin)), expected);
    let own = "<project><groupId>org.springframework.boot</groupId></project>";
    assert_eq!(stack(files(), ("pom.xml", own)), [("java".to_owned(), 1)]);
}

#[test]
fn what_a_project_is_tested_with_is_part_of_its_stack() {
    let files = || {
        vec![
            file("src/app.py", "import werkzeug\n"),
            file(
                "tests/test_app.py",
                "import pytest\n\ndef test_a():\n    pass\n",
            ),
        ]
    };
    let groups = "[project]\nname = \"app\"\n[dependency-groups]\ntests = [\"pytest>=8\", {include-group = \"x\"}]\n";
    let expected = [("python", 2), ("pytest", 1), ("werkzeug", 1)];
    assert_eq!(
        stack(files(), ("pyproject.toml", groups)),
        expected.map(|(name, files)| (name.to_owned(), files))
    );
    let pages = vec![file("a.html", "<p>a</p>\n"), file("b.sql", "select 1;\n")];
    assert!(stack(pages, ("x.toml", "")).is_empty());
}

#[test]
fn a_framework_is_not_its_own_stack_and_tests_add_nothing_to_it() {
    let files = vec![
        file(
            "axum/src/a.rs",
            "use axum::Router;\nfn a() {}\n#[cfg(test)]\nmod tests { use reqwest::Client; }\n",
        ),
        file("tests/b.rs", "use hyper::Body;\n"),
    ];
    assert_eq!(
        stack(files, ("axum/Cargo.toml", "[package]\nname = \"axum\"\n")),
        [("rust".to_owned(), 2)]
    );
}

#[test]
fn a_package_of_any_ecosystem_is_not_its_own_stack() {
    let ruby = || vec![file("lib/a.rb", "require 'sinatra'\n\ndef a\nend\n")];
    for (path, text) in [
        (
            "a.gemspec",
            "Gem::Specification.new 'sinatra', version do |s|\nend\n",
        ),
        (
            "a.gemspec",
            "Gem::Specification.new do |s|\n  s.name = 'sinatra'\nend\n",
        ),
    ] {
        assert_eq!(
            stack(ruby(), (path, text)),
            [("ruby".to_owned(), 1)],
            "{text}"
        );
    }
    let sharp = vec![file(
        "src/Serilog/Log.cs",
        "using Serilog.Events;\n\nclass Log {}\n",
    )];
    let project = ("src/Serilog/Serilog.csproj", "<Project></Project>");
    assert_eq!(stack(sharp, project), [("csharp".to_owned(), 1)]);
    let swift = vec![file("Source/A.swift", "import Alamofire\n\nstruct A {}\n")];
    let package = (
        "Package.swift",
        "let package = Package(name: \"Alamofire\", products: [])\n",
    );
    assert_eq!(stack(swift, package), [("swift".to_owned(), 1)]);
}

#[test]
fn recipes_and_edges_are_no_stack() {
    let source: String = (0..30)
        .map(|n| format!("int f{n}() {{ return {n}; }}\n"))
        .collect();
    let groovy = "apply plugin: 'java'\n".repeat(9);
    let tests = "def test_a():\n    pass\n".repeat(9);
    let files = vec![
        file("src/a.cc", &source),
        file("build.gradle", &groovy),
        file("tests/test_a.py", &tests),
        file("docs/conf.py", "a = 1\n"),
        file("support/print.py", &tests),
    ];
    assert_eq!(stack(files, ("x.toml", "")), [("cpp".to_owned(), 1)]);
}

fn stack_of(sources: &[(&str, &str)], manifests: &[(&str, &str)]) -> Vec<String> {
    let manifests = manifests.iter().map(|(path, text)| Manifest {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    });
    let analysis = project_summarize(&ProjectInput {
        files: sources
            .iter()
            .map(|(path, text)| file(path, text))
            .collect(),
        manifests: manifests.collect(),
        ..ProjectInput::default()
    });
    let told = analysis.stack.into_iter();
    told.map(|one| match one.version {
        Some(version) => format!("{} {version}", one.name),
        None => one.name,
    })
    .collect()
}

#[test]
fn one_api_is_no_platform() {
    let of = |imports: &str| stack_of(&[("src/main/java/a/A.java", imports)], &[]);
    let one = "import jakarta.xml.bind.JAXB;\nimport jakarta.xml.bind.Marshaller;\nclass A {}\n";
    assert_eq!(of(one), ["java"]);
    let two = format!("import jakarta.persistence.Id;\n{one}");
    assert_eq!(of(&two), ["java", "jakarta-ee"]);
}

#[test]
fn what_one_optional_module_uses_is_not_the_projects() {
    let class = |used: &str| format!("import {used}.Thing;\nclass A {{ Thing thing; }}\n");
    let core = class("okhttp3");
    let mut sources: Vec<(String, String)> = (0..60)
        .map(|n| (format!("core/src/main/java/a/A{n}.java"), core.clone()))
        .collect();
    let mut manifests = vec![("core/build.gradle".to_owned(), String::new())];
    for name in ["gson", "jackson", "moshi", "protobuf", "scalars", "wire"] {
        let used = match name {
            "jackson" => "com.fasterxml.jackson",
            _ => "a.core",
        };
        for n in 0..2 {
            let path = format!("converters/{name}/src/main/java/a/B{n}.java");
            sources.push((path, class(used)));
        }
        let path = format!("converters/{name}/build.gradle");
        manifests.push((path, "api project(':core')\n".to_owned()));
    }
    let told = |manifests: &[(String, String)]| {
        let sources: Vec<(&str, &str)> = sources.iter().map(|(a, b)| (&**a, &**b)).collect();
        let manifests: Vec<(&str, &str)> = manifests.iter().map(|(a, b)| (&**a, &**b)).collect();
        stack_of(&sources, &manifests)
    };
    assert_eq!(told(&manifests), ["java", "okhttp"]);
    manifests[0].1 = "implementation project(':converters:jackson')\n".to_owned();
    assert_eq!(told(&manifests), ["java", "okhttp", "jackson"]);
}

#[test]
fn the_version_of_junit_is_that_of_the_one_in_use() {
    let test = |import: &str| format!("import {import};\nclass ATest {{ @Test void a() {{}} }}\n");
    let catalog = "[versions]\nfour = \"4.13.2\"\nfive = \"5.11.2\"\n[libraries]\n\
                   a = { module = \"junit:junit\", version.ref = \"four\" }\n\
                   b = { module = \"org.junit.jupiter:junit-jupiter-engine\", version.ref = \"five\" }\n";
    let of = |import: &str| {
        let test = test(import);
        let sources = [
            ("src/main/java/a/A.java", "class A {}\n"),
            ("src/test/java/a/ATest.java", test.as_str()),
        ];
        stack_of(&sources, &[("gradle/libs.versions.toml", catalog)])
    };
    assert_eq!(of("org.junit.Test"), ["java", "junit 4.13.2"]);
    assert_eq!(
        of("org.junit.jupiter.api.Test"),
        ["java", "junit-jupiter 5.11.2"]
    );
}
