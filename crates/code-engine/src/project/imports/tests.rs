//! Imports of each language resolve as the language defines, and the graph reports them correctly.
//!
//! Longer than 450 lines: the cases of all languages share their helpers.

use super::*;
use crate::parse::file_analyze;
use crate::project::import_graph::{self, ImportGraph};

fn analysed(path: &str, source: &str) -> SourceFile {
    let language = Language::detect(path).unwrap();
    SourceFile {
        path: path.to_owned(),
        blob: String::new(),
        language,
        facts: file_analyze(path, language, source.as_bytes()).unwrap(),
    }
}

/// A file with imports in a language whose facts are not needed.
fn importing(path: &str, imports: &[&str]) -> SourceFile {
    let mut file = SourceFile {
        path: path.to_owned(),
        blob: String::new(),
        language: Language::detect(path).unwrap(),
        facts: crate::facts::FileFacts::default(),
    };
    file.facts.imports = (1..)
        .zip(imports)
        .map(|(line, module)| Import {
            module: (*module).into(),
            alias: Default::default(),
            names: Default::default(),
            line,
            style: ImportStyle::Names,
            test: false,
        })
        .collect();
    file
}

fn manifest(path: &str, text: &str) -> Manifest {
    Manifest {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn index_of(files: &[&SourceFile], manifests: &[Manifest]) -> ImportIndex {
    ImportIndex::build(files, manifests, None, || Ok::<(), ()>(()))
        .unwrap()
        .0
}

fn sorted(files: &[SourceFile]) -> Vec<&SourceFile> {
    let mut files: Vec<&SourceFile> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The edges of one file as `line path`, and the number of its unresolved imports.
fn edges(files: &[SourceFile], manifests: &[Manifest], of: &str) -> (Vec<String>, u32) {
    let files = sorted(files);
    let index = index_of(&files, manifests);
    let at = files.iter().position(|file| file.path == of).unwrap() as u32;
    let told = index.imports(at).iter().map(|edge| {
        let mark = match edge.kind {
            ImportKind::Loaded => "",
            ImportKind::PassedOn => " passed on",
            ImportKind::Deferred => " deferred",
            ImportKind::Types => " types",
            ImportKind::Test => " test",
        };
        format!("{} {}{mark}", edge.line, files[edge.to as usize].path)
    });
    (told.collect(), index.missing(at))
}

fn graph(files: &[SourceFile], manifests: &[Manifest]) -> ImportGraph {
    let files = sorted(files);
    import_graph::find(&files, &index_of(&files, manifests), manifests)
}

fn layers(graph: &ImportGraph) -> Vec<String> {
    graph
        .layers
        .iter()
        .map(|layer| format!("{} {}", layer.level, layer.folders.join(" ")))
        .collect()
}

#[test]
fn rust_paths_resolve_to_modules_crates_and_reexports() {
    let files = [
        analysed(
            "a/src/lib.rs",
            "mod inner;\nmod deep;\npub use inner::Thing;\npub use deep::*;\npub fn here() {}\n",
        ),
        analysed("a/src/inner.rs", "pub struct Thing;\nuse super::here;\n"),
        analysed("a/src/deep/mod.rs", "pub mod low;\npub struct Deep;\n"),
        analysed(
            "a/src/deep/low.rs",
            "use super::super::inner::Thing;\nuse crate::{Deep, nowhere::at::All};\nmod own { use super::super::Deep; }\n",
        ),
        analysed(
            "b/src/main.rs",
            "use my_a::{Thing, deep::low};\nuse std::fs;\nmod cli;\nuse cli::Args;\n#[cfg(test)]\nmod tests { use crate::cli::Args; }\n",
        ),
        analysed("b/src/cli.rs", "pub struct Args;\n"),
        analysed(
            "b/tests/it.rs",
            "mod common;\nuse my_a::here;\nuse common::Set;\n",
        ),
        analysed("b/tests/common/mod.rs", "pub struct Set;\n"),
    ];
    let manifests = [
        manifest("a/Cargo.toml", "[package]\nname = \"my-a\"\n"),
        manifest("b/Cargo.toml", "[package]\nname = \"b\"\n"),
    ];
    let is = |of: &str, expected: &[&str], missing: u32| {
        let expected: Vec<String> = expected.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(edges(&files, &manifests, of), (expected, missing), "{of}");
    };
    is(
        "a/src/lib.rs",
        &[
            "4 a/src/deep/mod.rs passed on",
            "3 a/src/inner.rs passed on",
        ],
        0,
    );
    is("a/src/inner.rs", &["2 a/src/lib.rs"], 0);
    is(
        "a/src/deep/low.rs",
        &["2 a/src/deep/mod.rs", "1 a/src/inner.rs", "2 a/src/lib.rs"],
        0,
    );
    is(
        "b/src/main.rs",
        &["1 a/src/deep/low.rs", "1 a/src/inner.rs", "4 b/src/cli.rs"],
        0,
    );
    is(
        "b/tests/it.rs",
        &["2 a/src/lib.rs", "3 b/tests/common/mod.rs"],
        0,
    );
}

#[test]
fn python_names_are_modules_where_there_are_such() {
    let files = [
        analysed("src/app/__init__.py", "from .models import User\n"),
        analysed(
            "src/app/models.py",
            "import os\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app import views\ndef late():\n    from . import forms\n",
        ),
        analysed(
            "src/app/views.py",
            "from app import models, forms\nimport app.api.v1\nfrom .gone import x\nfrom app import VERSION\n",
        ),
        analysed("src/app/forms.py", ""),
        analysed("src/app/api/__init__.py", ""),
        analysed(
            "src/app/api/v1.py",
            "from ... import other\nfrom ..models import User\nimport json\n",
        ),
        analysed("src/json.py", ""),
        analysed(
            "tools/run.py",
            "import helper\nimport json\nfrom app.models import User\n",
        ),
        analysed("tools/helper.py", ""),
    ];
    let manifests = [manifest("pyproject.toml", "[project]\nname = \"app\"\n")];
    let is = |of: &str, expected: &[&str], missing: u32| {
        let expected: Vec<String> = expected.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(edges(&files, &manifests, of), (expected, missing), "{of}");
    };
    is(
        "src/app/models.py",
        &["6 src/app/forms.py deferred", "4 src/app/views.py types"],
        0,
    );
    is(
        "src/app/views.py",
        &[
            "4 src/app/__init__.py",
            "2 src/app/api/v1.py",
            "1 src/app/forms.py",
            "1 src/app/models.py",
        ],
        1,
    );
    is(
        "src/app/api/v1.py",
        &["2 src/app/models.py", "3 src/json.py"],
        1,
    );
    is(
        "tools/run.py",
        &["3 src/app/models.py", "2 src/json.py", "1 tools/helper.py"],
        0,
    );
    assert!(
        graph(&files, &manifests).cycles.is_empty(),
        "types and late imports make no circle"
    );
}

#[test]
fn scripts_are_found_by_endings_configuration_and_workspace() {
    let files = [
        analysed(
            "web/src/a.ts",
            "import { b } from './b';\nimport c from './c.js';\nimport type { d } from '@/d';\nimport './look.css';\nimport e from '@org/kit';\nimport f from '@org/kit/deep';\nimport g from './gone';\nimport h from 'react';\nconst i = () => import('./b');\nimport j from '~lib/j';\nexport * from './k';\n",
        ),
        analysed("web/src/b/index.tsx", "export const b = 1;\n"),
        analysed("web/src/c.ts", "export default 1;\n"),
        analysed("web/src/d.ts", "export type d = 1;\n"),
        analysed("web/src/k.mts", "export type d = 1;\n"),
        analysed("web/lib/j.js", "exports.j = require('./j2');\n"),
        analysed(
            "web/lib/j2.js",
            "exports.f = function () {\n  return require('./j');\n}\n",
        ),
        analysed("kit/src/index.ts", "export const e = 1;\n"),
        analysed("kit/src/deep.ts", "export const e = 1;\n"),
    ];
    let manifests = [
        manifest(
            "web/tsconfig.json",
            "{\n  // as they are\n  \"extends\": \"../tsconfig.base.json\",\n}\n",
        ),
        manifest(
            "tsconfig.base.json",
            "{ /* all */ \"compilerOptions\": { \"baseUrl\": \"web\", \"paths\": { \"@/*\": [\"src/*\",], \"~lib/*\": [\"lib/*\"] } } }",
        ),
        manifest("web/package.json", "{\"name\": \"web\"}"),
        manifest(
            "kit/package.json",
            "{\"name\": \"@org/kit\", \"main\": \"dist/index.js\"}",
        ),
    ];
    let (found, missing) = edges(&files, &manifests, "web/src/a.ts");
    assert_eq!(
        found,
        [
            "6 kit/src/deep.ts",
            "5 kit/src/index.ts",
            "10 web/lib/j.js",
            "1 web/src/b/index.tsx",
            "2 web/src/c.ts",
            "3 web/src/d.ts types",
            "11 web/src/k.mts passed on",
        ]
    );
    assert_eq!(missing, 1, "only ./gone");
    assert!(
        graph(&files, &manifests).cycles.is_empty(),
        "a call in a function waits for nobody"
    );
}

#[test]
fn a_go_package_is_one_and_its_tests_are_not_of_it() {
    let files = [
        analysed(
            "main.go",
            "package main\n\nimport (\n\t\"fmt\"\n\t\"a.b/c/store\"\n\t\"a.b/c/gone\"\n\t\"a.b/cc\"\n)\n",
        ),
        analysed(
            "store/read.go",
            "package store\n\nimport \"a.b/c/store/disk\"\n",
        ),
        analysed("store/write.go", "package store\n"),
        analysed(
            "store/a_test.go",
            "package store_test\n\nimport \"a.b/c/store\"\n",
        ),
        analysed("store/disk/disk.go", "package disk\n"),
    ];
    let manifests = [manifest("go.mod", "module a.b/c // here\n\ngo 1.22\n")];
    assert_eq!(
        edges(&files, &manifests, "main.go"),
        (vec!["5 store/read.go".to_owned()], 1)
    );
    assert_eq!(
        edges(&files, &manifests, "store/a_test.go").0,
        ["3 store/read.go"]
    );
    let list = sorted(&files);
    let index = index_of(&list, &manifests);
    let read = list
        .iter()
        .position(|file| file.path == "store/read.go")
        .unwrap() as u32;
    let members: Vec<&str> = index
        .members(&read)
        .iter()
        .map(|file| list[*file as usize].path.as_str())
        .collect();
    assert_eq!(members, ["store/read.go", "store/write.go"]);
    let graph = graph(&files, &manifests);
    assert_eq!((graph.files, graph.edges, graph.unresolved), (4, 2, 1));
    assert_eq!(layers(&graph), ["0 store", "1 ."]);
}

#[test]
fn java_classes_are_found_by_their_packages() {
    let files = [
        analysed(
            "core/src/main/java/org/x/App.java",
            "package org.x;\nimport org.x.util.Text;\nimport org.x.util.Text.Inner;\nimport static org.x.util.Num.max;\nimport java.util.List;\nimport org.x.util.Gone;\nclass App { Text text; Inner inner; }\n",
        ),
        analysed(
            "core/src/main/java/org/x/util/Text.java",
            "package org.x.util;\nclass Text {}\n",
        ),
        analysed(
            "core/src/main/java/org/x/util/Num.java",
            "package org.x.util;\nclass Num {}\n",
        ),
        analysed(
            "other/src/main/java/org/x/util/Text.java",
            "package org.x.util;\nclass Text {}\n",
        ),
    ];
    let (found, missing) = edges(&files, &[], "core/src/main/java/org/x/App.java");
    assert_eq!(
        found,
        [
            "4 core/src/main/java/org/x/util/Num.java",
            "2 core/src/main/java/org/x/util/Text.java"
        ]
    );
    assert_eq!(missing, 1);
}

#[test]
fn an_import_for_a_link_in_a_comment_is_no_edge() {
    let body = "package org.x.http;\nimport org.x.Retro;\nimport org.x.Call;\n/** Sent by {@link Retro}. */\npublic @interface Body { Class<? extends Call> by(); }\n";
    let kotlin = "package org.x\n\nimport org.x.http.Body as Sent\nimport org.x.Call\n\n/** See [Call]. */\n@Sent\nclass Mock\n";
    let files = [
        analysed("src/main/java/org/x/http/Body.java", body),
        analysed(
            "src/main/java/org/x/Retro.java",
            "package org.x;\nclass Retro {}\n",
        ),
        analysed(
            "src/main/java/org/x/Call.java",
            "package org.x;\nclass Call {}\n",
        ),
        analysed("src/main/java/org/x/Mock.kt", kotlin),
    ];
    let of = |path: &str| edges(&files, &[], path).0;
    assert_eq!(
        of("src/main/java/org/x/http/Body.java"),
        ["3 src/main/java/org/x/Call.java"]
    );
    assert_eq!(
        of("src/main/java/org/x/Mock.kt"),
        ["3 src/main/java/org/x/http/Body.java"]
    );
}

#[test]
fn a_constant_of_ruby_lies_below_its_use() {
    let job = "module Queue\n  class Job\n  end\nend\n";
    let adapter = "module Adapter\n  class Wrapper\n    include Queue::Job\n  end\nend\n";
    let files = [
        analysed("lib/queue/job.rb", job),
        analysed(
            "lib/queue/all.rb",
            "require \"queue/job\"\nrequire \"adapter/wrap\"\n",
        ),
        analysed("lib/adapter/wrap.rb", adapter),
        analysed("bin/run.rb", "require \"queue/all\"\n"),
        analysed("Rakefile", "require_relative \"lib/queue/job\"\n"),
    ];
    assert_eq!(
        layers(&graph(&files, &[])),
        ["0 lib/adapter lib/queue", "1 bin"]
    );
}

#[test]
fn what_lies_around_a_workspace_is_no_layer() {
    let files = [
        analysed("play.ts", "import { z } from './packages/zed/index';\n"),
        analysed("packages/zed/index.ts", "export const z = 1;\n"),
        analysed(
            "packages/web/index.ts",
            "import { z } from 'zed';\nimport main from './template/main.js?raw';\n",
        ),
        analysed(
            "packages/web/template/main.js",
            "import { z } from 'zed';\n",
        ),
    ];
    let manifests = [
        manifest("package.json", "{\"name\": \"root\"}"),
        manifest("packages/zed/package.json", "{\"name\": \"zed\"}"),
        manifest("packages/web/package.json", "{\"name\": \"web\"}"),
        manifest("packages/web/template/package.json", "{\"name\": \"made\"}"),
    ];
    assert_eq!(
        layers(&graph(&files, &manifests)),
        ["0 packages/zed", "1 packages/web"]
    );
}

#[test]
fn what_a_build_file_declares_lies_below() {
    let class = |name: &str, used: &str| {
        format!("package org.{name}\n\nimport org.core.Core\n{used}\nclass {name} : Core()\n")
    };
    let files = [
        analysed(
            "core/src/main/kotlin/org/core/Core.kt",
            "package org.core\n\nopen class Core\n",
        ),
        analysed("base/src/main/kotlin/org/base/base.kt", &class("base", "")),
        analysed(
            "start/src/main/kotlin/org/start/start.kt",
            &class("start", ""),
        ),
    ];
    let manifests = [
        manifest("core/build.gradle.kts", ""),
        manifest("base/build.gradle.kts", "api(project(\":core\"))\n"),
        manifest("start/build.gradle.kts", "api(project(\":base\"))\n"),
    ];
    let told = layers(&graph(&files, &manifests));
    let names: Vec<&str> = told.iter().map(|one| &one[..one.len().min(6)]).collect();
    assert_eq!(names, ["0 core", "1 base", "2 star"], "{told:?}");
}

#[test]
fn the_other_languages_are_resolved_by_paths() {
    let files = [
        importing(
            "src/a.c",
            &[
                "\"b.h\"",
                "<lib/c.h>",
                "<string.h>",
                "\"gone.h\"",
                "\"../inc/lib/d.h\"",
            ],
        ),
        importing("src/b.h", &[]),
        importing("src/string.h", &[]),
        importing("inc/lib/c.h", &[]),
        importing("inc/lib/d.h", &[]),
        importing("lib/app/user.rb", &["./role", "app/base", "json", "./gone"]),
        importing("lib/app/role.rb", &[]),
        importing("lib/app/base.rb", &[]),
        importing(
            "php/src/Http/Kernel.php",
            &[
                "App\\Models\\User",
                "Symfony\\Component\\Yaml",
                "helpers.php",
            ],
        ),
        importing("php/src/Models/User.php", &[]),
        importing("php/src/Http/helpers.php", &[]),
        importing("bin/run.sh", &["./lib.sh", "/etc/profile"]),
        importing("bin/lib.sh", &[]),
        importing("Sources/App/main.swift", &["Core", "Foundation"]),
        importing("Sources/Core/a.swift", &[]),
    ];
    let manifests = [manifest(
        "php/composer.json",
        r#"{"autoload": {"psr-4": {"App\\": "src/"}}}"#,
    )];
    for (of, expected, missing) in [
        (
            "src/a.c",
            vec!["2 inc/lib/c.h", "5 inc/lib/d.h", "1 src/b.h"],
            1,
        ),
        (
            "lib/app/user.rb",
            vec!["2 lib/app/base.rb", "1 lib/app/role.rb"],
            1,
        ),
        (
            "php/src/Http/Kernel.php",
            vec!["3 php/src/Http/helpers.php", "1 php/src/Models/User.php"],
            0,
        ),
        ("bin/run.sh", vec!["1 bin/lib.sh"], 0),
        ("Sources/App/main.swift", vec!["1 Sources/Core/a.swift"], 0),
    ] {
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(edges(&files, &manifests, of), (expected, missing), "{of}");
    }
}

#[test]
fn a_circle_is_told_with_the_lines_that_make_it() {
    let files = [
        analysed("p/__init__.py", ""),
        analysed("p/a.py", "\nfrom .b import x\n"),
        analysed("p/b.py", "import p.c\n"),
        analysed("p/c.py", "\n\nfrom p import a, b\n"),
        analysed("p/d.py", "from . import a\n"),
        analysed("tests/test_a.py", "from p import d\n"),
    ];
    let graph = graph(&files, &[]);
    assert_eq!((graph.files, graph.edges), (4, 5));
    let told: Vec<(u32, Vec<String>)> = graph
        .cycles
        .iter()
        .map(|cycle| {
            (
                cycle.size,
                cycle
                    .path
                    .iter()
                    .map(|step| format!("{}:{}", step.file, step.line))
                    .collect(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [(3, vec!["p/b.py:1".to_owned(), "p/c.py:3".to_owned()])]
    );
}

#[test]
fn workspace_crates_are_layered_by_their_dependencies() {
    let mut files = vec![analysed(
        "tests/it/main.rs",
        "use ny_gateway::serve;\nuse ny_tenancy::Store;\n",
    )];
    let mut manifests = vec![
        manifest(
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\", \"tests\"]\n",
        ),
        manifest("tests/Cargo.toml", "[package]\nname = \"ny-tests\"\n"),
    ];
    for (name, below) in [
        ("tenancy", &[][..]),
        ("github", &[]),
        ("runs", &["tenancy"]),
        ("retrieval", &["tenancy"]),
        ("projects", &["runs", "retrieval"]),
        ("sync", &["projects", "github"]),
        ("knowledge", &["projects"]),
        ("gateway", &["sync", "knowledge"]),
        ("program", &["gateway"]),
    ] {
        let uses: String = below
            .iter()
            .map(|one| format!("use ny_{one}::inner::Thing;\n"))
            .collect();
        files.push(analysed(
            &format!("crates/{name}/src/lib.rs"),
            "mod inner;\npub use inner::Thing;\n",
        ));
        files.push(analysed(
            &format!("crates/{name}/src/inner.rs"),
            &format!(
                "{uses}pub struct Thing;\n#[cfg(test)]\nmod tests {{ use ny_program::Thing; }}\n"
            ),
        ));
        manifests.push(manifest(
            &format!("crates/{name}/Cargo.toml"),
            &format!("[package]\nname = \"ny-{name}\"\n"),
        ));
    }
    let graph = graph(&files, &manifests);
    assert_eq!(
        layers(&graph),
        [
            "0 crates/github crates/tenancy",
            "1 crates/retrieval crates/runs",
            "2 crates/projects",
            "3 crates/knowledge crates/sync",
            "4 crates/gateway",
            "5 crates/program",
        ]
    );
    assert!(graph.cycles.is_empty());
}

#[test]
fn a_script_beside_the_source_is_a_part_of_its_own() {
    let of = |name: &str, uses: &str| {
        let class = name.rsplit('/').next().unwrap_or(name);
        let source = format!("<?php\nnamespace Acme\\Disk;\n{uses}class {class} {{}}\n");
        analysed(&format!("{name}.php"), &source)
    };
    let files = [
        of("src/Config", ""),
        of("src/Path", ""),
        of("src/Ftp/FtpAdapter", "use Acme\\Disk\\Config;\n"),
        of("src/Zip/ZipAdapter", "use Acme\\Disk\\Config;\n"),
        of("bin/release", "use Acme\\Disk\\Ftp\\FtpAdapter;\n"),
        of("test_files/wait", "use Acme\\Disk\\Zip\\ZipAdapter;\n"),
    ];
    let composer = |folder: &str, root: &str, space: &str| {
        let text = format!(r#"{{"autoload": {{"psr-4": {{"Acme\\Disk\\{space}": "{root}"}}}}}}"#);
        manifest(&format!("{folder}composer.json"), &text)
    };
    let manifests = [
        composer("", "src", ""),
        composer("src/Ftp/", "", "Ftp\\\\"),
        composer("src/Zip/", "", "Zip\\\\"),
    ];
    assert_eq!(
        layers(&graph(&files, &manifests)),
        ["0 src", "1 src/Ftp src/Zip", "2 bin"]
    );
}

#[test]
fn paths_stay_in_the_project_and_match_whole_folder_names() {
    assert_eq!(path_join("a/b", "../c/./d").as_deref(), Some("a/c/d"));
    assert_eq!(path_join("a", "../../c"), None);
    assert!(is_below("a/b", "a") && !is_below("ab/c", "a"));
    assert!(ends_with_parts("x/a/b", "a/b") && !ends_with_parts("xa/b", "a/b"));
}

#[test]
fn maps_of_a_package_lead_to_files() {
    let manifest = manifest(
        "package.json",
        r##"{"name": "shop", "imports": {"#src/*": "./src/*"}, "exports": {"./cost": {"types": "./dist/price.d.ts"}}}"##,
    );
    let files = [
        analysed("src/price.ts", "import { shop } from '#src/main.js';\n"),
        analysed(
            "src/main.ts",
            "import { price } from '#src/price.js';\nimport 'shop/cost';\nimport '#gone/a.js';\n",
        ),
    ];
    let unnamed = Manifest {
        text: r##"{"imports": {"#src/*": "./src/*"}}"##.to_owned(),
        ..manifest.clone()
    };
    let (found, missing) = edges(&files, &[manifest], "src/main.ts");
    assert_eq!((found, missing), (vec!["1 src/price.ts".to_owned()], 1));
    let (found, _) = edges(&files, &[unnamed], "src/price.ts");
    assert_eq!(found, ["1 src/main.ts"]);
}

#[test]
fn python_packages_without_init_lie_in_source_roots() {
    let project = |name: &str| {
        let path = format!("packages/{name}/pyproject.toml");
        manifest(&path, "[project]\nname = \"a\"\n")
    };
    let files = [
        analysed(
            "packages/core/src/acme_core/money.py",
            "def add():\n    pass\n",
        ),
        analysed(
            "packages/api/src/acme_api/app.py",
            "from acme_core.money import add\n",
        ),
    ];
    let (found, missing) = edges(
        &files,
        &[project("core"), project("api")],
        "packages/api/src/acme_api/app.py",
    );
    let expected = vec!["1 packages/core/src/acme_core/money.py".to_owned()];
    assert_eq!((found, missing), (expected, 0));
    let told = manifest(
        "pyproject.toml",
        "[tool.setuptools.packages.find]\nwhere = [\"code\"]\n",
    );
    let files = [
        analysed("code/shop/a.py", ""),
        analysed("tests/test_a.py", "import shop.a\n"),
    ];
    assert_eq!(
        edges(&files, &[told], "tests/test_a.py").0,
        ["1 code/shop/a.py"]
    );
}

#[test]
fn source_sets_of_one_module_share_what_is_common() {
    let bytes = "package okay\n\nclass Bytes\n";
    let user = "package okay.internal\n\nimport kotlin.jvm.JvmName\nimport okay.Bytes\n\nfun size(one: Bytes) = 1\n";
    let files: Vec<SourceFile> = [
        ("lib/src/commonMain/kotlin/okay/Bytes.kt", bytes),
        ("lib/src/jvmMain/kotlin/okay/Bytes.kt", bytes),
        ("lib/src/jsMain/kotlin/okay/internal/Size.kt", user),
        ("lib/src/jvmMain/kotlin/okay/internal/Size.kt", user),
        ("build-support/src/main/kotlin/jvm.kt", "fun setUp() = 1\n"),
    ]
    .into_iter()
    .map(|(path, source)| analysed(path, source))
    .collect();
    let of = |set: &str| {
        let path = format!("lib/src/{set}/kotlin/okay/internal/Size.kt");
        edges(&files, &[], &path).0
    };
    assert_eq!(of("jsMain"), ["4 lib/src/commonMain/kotlin/okay/Bytes.kt"]);
    assert_eq!(of("jvmMain"), ["4 lib/src/jvmMain/kotlin/okay/Bytes.kt"]);
}
