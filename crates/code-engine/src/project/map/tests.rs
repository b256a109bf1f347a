//! Ranks follow the formula, references resolve to the nearest definition, and the map stays within its budget.

use proptest::prelude::*;

use super::*;
use crate::analysis::{ProjectAnalysis, project_summarize};
use crate::parse::file_analyze;
use crate::project::ProjectInput;

mod names;

fn analysed(sources: &[(&str, &str)]) -> ProjectAnalysis {
    let file = |(path, source): &(&str, &str)| {
        let language = Language::detect(path).unwrap();
        SourceFile {
            path: (*path).to_owned(),
            blob: String::new(),
            language,
            facts: file_analyze(path, language, source.as_bytes()).unwrap(),
        }
    };
    project_summarize(&ProjectInput {
        files: sources.iter().map(file).collect(),
        ..ProjectInput::default()
    })
}

fn rank(analysis: &ProjectAnalysis, path: &str, name: &str) -> f64 {
    let found = analysis
        .map
        .iter()
        .find(|one| one.path == path && one.name == name);
    found.map_or(0.0, |one| one.rank)
}

#[test]
fn what_much_leans_on_stands_first_and_all_ranks_sum_to_one() {
    let user =
        |name: &str| format!("from app.core import connect\n\ndef {name}():\n    connect()\n");
    let (one, two) = (user("first"), user("second"));
    let analysis = analysed(&[
        (
            "app/core.py",
            "def connect():\n    retry()\n\ndef retry():\n    pass\n\ndef unused():\n    pass\n",
        ),
        ("app/one.py", &one),
        ("app/two.py", &two),
    ]);
    let names: Vec<&str> = analysis.map.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["retry", "connect", "unused", "first", "second"]);
    assert_eq!((analysis.map[1].used_in, analysis.map[0].used_in), (2, 0));
    let sum: f64 = analysis.map.iter().map(|one| one.rank).sum();
    assert!((sum - 1.0).abs() < 1e-7, "{sum}");
}

#[test]
fn a_chain_has_the_ranks_that_the_formula_gives() {
    // Nodes: one, two, the file. The file refers to one, and one to two. Two refers to nothing, so its rank is
    // distributed over all three.
    let analysis = analysed(&[(
        "a.py",
        "def one():\n    two()\n\ndef two():\n    pass\n\none()\n",
    )]);
    let (mut file, mut one, mut two) = (1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0);
    for _ in 0..200 {
        let anywhere = (0.15 + 0.85 * two) / 3.0;
        (file, one, two) = (anywhere, anywhere + 0.85 * file, anywhere + 0.85 * one);
    }
    assert!(file < one && one < two);
    assert!((rank(&analysis, "a.py", "one") - one / (one + two)).abs() < 1e-6);
    assert!((rank(&analysis, "a.py", "two") - two / (one + two)).abs() < 1e-6);
}

#[test]
fn a_name_means_what_is_nearest() {
    let helper = "def helper():\n    pass\n";
    let analysis = analysed(&[
        ("pkg/__init__.py", ""),
        (
            "pkg/a.py",
            "def helper():\n    pass\n\ndef runs():\n    helper()\n",
        ),
        ("pkg/b.py", helper),
        ("pkg/c.py", helper),
        (
            "pkg/d.py",
            "from .c import helper\n\ndef walks():\n    helper()\n",
        ),
    ]);
    let of = |path: &str| rank(&analysis, path, "helper");
    assert!(of("pkg/a.py") > of("pkg/b.py"), "its own file first");
    assert!(of("pkg/c.py") > of("pkg/b.py"), "then what is imported");
}

#[test]
fn common_methods_types_and_variables_are_distinguished() {
    let analysis = analysed(&[
        (
            "a.py",
            "class Bag:\n    def append(self, x):\n        pass\n\n    def mine(self):\n        pass\n\ndef args():\n    pass\n",
        ),
        (
            "b.py",
            "from a import Bag\n\ndef one(items, args):\n    items.append(1)\n    items.mine()\n    print(args)\n",
        ),
    ]);
    let used = |name: &str| {
        analysis
            .map
            .iter()
            .find(|one| one.name == name)
            .unwrap()
            .used_in
    };
    assert_eq!(
        (used("Bag.append"), used("Bag.mine"), used("args")),
        (0, 1, 0)
    );
}

fn used_in(analysis: &ProjectAnalysis, name: &str) -> u32 {
    let found = analysis.map.iter().find(|one| one.name == name);
    found.map_or(0, |one| one.used_in)
}

#[test]
fn a_name_that_nobody_imports_is_the_languages() {
    let analysis = analysed(&[
        ("src/own.ts", "export class Response {}\n"),
        ("src/index.ts", "export * from './own';\n"),
        (
            "src/a.ts",
            "export function f() { return new Response('a'); }\n",
        ),
        (
            "src/b.ts",
            "import { Response } from './own';\nexport const g = () => new Response();\n",
        ),
        (
            "src/c.ts",
            "import { Response } from './index';\nexport const h = () => new Response();\n",
        ),
    ]);
    assert_eq!(
        used_in(&analysis, "Response"),
        2,
        "by b, and by c through the index"
    );
}

#[test]
fn a_type_alias_is_not_meant_by_a_variable() {
    let analysis = analysed(&[
        ("src/core.ts", "export type input<T> = T;\n"),
        (
            "src/a.ts",
            "import * as core from './core';\n\nexport const f = (input: string) => [input, core];\n",
        ),
        (
            "src/b.ts",
            "import * as core from './core';\n\nexport const g = (a: core.input<string>) => a;\n",
        ),
    ]);
    assert_eq!(used_in(&analysis, "input"), 1);
}

#[test]
fn a_member_of_a_module_is_told_by_the_modules_name() {
    let analysis = analysed(&[
        ("pkg/__init__.py", ""),
        ("pkg/requests.py", "def get(url):\n    pass\n"),
        (
            "pkg/a.py",
            "from pkg import requests\n\nrequests.get('x')\n",
        ),
        ("pkg/b.py", "import pkg.requests as r\n\nr.get('x')\n"),
        (
            "pkg/c.py",
            "from pkg import requests\n\ndef f(table):\n    table.get('x')\n    requests\n",
        ),
    ]);
    assert_eq!(used_in(&analysis, "get"), 2, "not by the table's");
}

#[test]
fn a_name_of_rusts_own_is_not_the_projects() {
    let analysis = analysed(&[
        ("src/lib.rs", "pub mod error;\n"),
        (
            "src/error.rs",
            "pub enum Error {}\n\npub type Result<T> = std::result::Result<T, Error>;\n\npub struct Sync;\n",
        ),
        (
            "src/render.rs",
            "pub fn format(page: &str) -> String { page.to_owned() }\n\npub fn matches(page: &str) -> bool { page.is_empty() }\n",
        ),
        (
            "src/key.rs",
            "pub struct Key;\n\nimpl Key {\n    pub fn is_none(&self) -> bool { true }\n}\n",
        ),
        (
            "src/a.rs",
            "use crate::error::{Error, Result};\nuse crate::key::Key;\n\npub fn a(key: Option<Key>) -> Result<bool> { Ok(key.is_none()) }\n",
        ),
        (
            "src/b.rs",
            "use crate::error::Error;\n\npub fn b<T: Send + Sync>(word: &str) -> Result<String, Error> {\n    let _ = matches!(word, \"a\");\n    Ok(format!(\"{word}\"))\n}\n",
        ),
        (
            "src/c.rs",
            "use crate::error::*;\n\npub fn c() -> Result<()> { Ok(()) }\n",
        ),
        (
            "src/d.rs",
            "use crate::render;\n\npub fn d() -> String { render::format(\"d\") }\n",
        ),
        (
            "src/e.rs",
            "use serde::format;\n\npub fn e() -> String { serde::format(\"e\") }\n",
        ),
    ]);
    let used = |name: &str| used_in(&analysis, name);
    assert_eq!(used("Result"), 2, "by a, and by c through everything");
    assert_eq!((used("Sync"), used("format"), used("matches")), (0, 1, 0));
    assert_eq!(used("Key.is_none"), 0);
}

#[test]
fn a_class_of_the_languages_own_name_is_imported() {
    let user = |import: &str, name: &str| {
        format!(
            "<?php\n\nnamespace App;\n{import}\nfunction {name}() {{ throw new InvalidArgumentException(); }}\n"
        )
    };
    let (own, global) = (
        user("use App\\Exception\\InvalidArgumentException;", "own"),
        user("", "other"),
    );
    let analysis = analysed(&[
        (
            "App/Exception/InvalidArgumentException.php",
            "<?php\n\nnamespace App\\Exception;\n\nclass InvalidArgumentException extends \\Exception {}\n",
        ),
        ("App/Own.php", &own),
        ("App/Other.php", &global),
    ]);
    assert_eq!(used_in(&analysis, "InvalidArgumentException"), 1);
}

#[test]
fn a_type_in_a_type_is_named_with_it() {
    let analysis = analysed(&[
        (
            "Source/Coding.swift",
            "struct Coding {\n    enum Error: Swift.Error { case missing }\n}\n",
        ),
        ("Source/A.swift", "func a() -> Error? { nil }\n"),
        ("Source/B.swift", "func b() -> Coding.Error? { nil }\n"),
    ]);
    assert_eq!(used_in(&analysis, "Coding.Error"), 1);
}

#[test]
fn of_the_types_of_several_platforms_the_nearest_is_meant() {
    let class = "package app\n\nclass Bytes\n";
    let user = "package app\n\nfun use(all: Bytes) = all.size\n";
    let analysis = analysed(&[
        ("lib/src/commonMain/kotlin/app/Bytes.kt", class),
        ("lib/src/jvmMain/kotlin/app/Bytes.kt", class),
        (
            "lib/src/jsMain/kotlin/app/Size.kt",
            "package app\n\ntypealias size = Int\n",
        ),
        ("lib/src/commonMain/kotlin/app/A.kt", user),
        ("lib/src/appleMain/kotlin/app/B.kt", user),
        ("lib/src/jvmMain/kotlin/app/C.kt", user),
    ]);
    let of = |set: &str| {
        let path = format!("lib/src/{set}/kotlin/app/Bytes.kt");
        let found = analysis.map.iter().find(|one| one.path == path);
        found.map_or(0, |one| one.used_in)
    };
    assert_eq!((of("commonMain"), of("jvmMain")), (2, 1));
    assert_eq!(
        used_in(&analysis, "size"),
        0,
        "a member of a value is no type"
    );
}

#[test]
fn a_method_is_a_types_that_the_file_names() {
    let analysis = analysed(&[
        (
            "lib/stream.rb",
            "class Stream\n  def each\n  end\n\n  def drain_all\n  end\nend\n",
        ),
        (
            "lib/a.rb",
            "def a(list)\n  list.each\n  list.drain_all\nend\n",
        ),
        (
            "lib/b.rb",
            "def b\n  one = Stream.new\n  one.each\n  one.drain_all\nend\n",
        ),
    ]);
    assert_eq!(used_in(&analysis, "Stream.each"), 0);
    assert_eq!(used_in(&analysis, "Stream.drain_all"), 1);
}

#[test]
fn a_module_of_ruby_has_what_is_called_of_it() {
    let analysis = analysed(&[
        (
            "lib/jobs.rb",
            "module Jobs\n  def self.redis\n    1\n  end\nend\n",
        ),
        (
            "lib/jobs/api.rb",
            "module Jobs\n  class Process\n    def quiet\n      2\n    end\n  end\nend\n",
        ),
        (
            "lib/jobs/client.rb",
            "module Jobs\n  class Client\n    def push(config)\n      config.redis { ::Process.pid }\n    end\n  end\nend\n",
        ),
        (
            "lib/jobs/web.rb",
            "module Jobs\n  class Web\n    def call\n      Jobs.redis\n      Jobs::Process.new\n    end\n  end\nend\n",
        ),
    ]);
    assert_eq!(used_in(&analysis, "Jobs.redis"), 1);
    assert_eq!(used_in(&analysis, "Jobs.Process"), 1);
}

#[test]
fn tests_and_what_a_function_holds_are_not_on_the_map() {
    let analysis = analysed(&[
        (
            "a.py",
            "def outer():\n    def inner():\n        pass\n    inner()\n",
        ),
        ("tests/test_a.py", "def test_it():\n    outer()\n"),
    ]);
    let names: Vec<&str> = analysis.map.iter().map(|one| one.name.as_str()).collect();
    assert_eq!((names, analysis.map[0].used_in), (vec!["outer"], 0));
}

#[test]
fn the_map_names_files_by_rank_and_definitions_by_line() {
    let analysis = analysed(&[
        ("lib.rs", "pub mod a;\npub mod b;\n"),
        (
            "b.rs",
            "pub struct Store;\n\nimpl Store {\n    pub fn fetch_row(&self) -> Row { Row }\n}\n\npub struct Row;\n",
        ),
        (
            "a.rs",
            "use crate::b::{Row, Store};\n\npub fn late(store: &Store) -> Row { store.fetch_row() }\n",
        ),
    ]);
    assert_eq!(
        repository_map(&analysis.map, 1000),
        "b.rs\n  struct Store :1\n  method Store.fetch_row :4\n  struct Row :7\na.rs\n  function late :3\n"
    );
    assert_eq!(repository_map(&analysis.map, 0), "");
    assert_eq!(repository_map(&analysis.map, 6), "b.rs\n  struct Row :7\n");
}

proptest! {
    #[test]
    fn a_map_keeps_its_budget_and_never_shrinks_with_a_larger_one(
        ranked in prop::collection::vec(("[a-d]{1,2}", "[a-zé]{1,12}", 1u32..400), 0..80),
    ) {
        let map = ranked.into_iter().map(|(path, name, start_line)| RankedDefinition {
            source_id: None,
            rank: 0.1,
            kind: DefinitionKind::Function,
            name,
            path,
            start_line,
            end_line: start_line,
            used_in: 0,
        });
        let analysis = ProjectAnalysis { map: map.collect(), ..ProjectAnalysis::default() };
        let mut before = 0;
        for budget in 0..400 {
            let text = repository_map(&analysis.map, budget);
            prop_assert!(text.len() <= budget * TOKEN_BYTES);
            prop_assert!(text.is_empty() || text.ends_with('\n'));
            let lines = text.lines().filter(|line| line.starts_with(' ')).count();
            prop_assert!(lines >= before);
            before = lines;
        }
    }
}
