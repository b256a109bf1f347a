//! A name means what its module, its import and the function around it say.

use super::{analysed, used_in};

#[test]
fn a_bare_constant_is_one_of_the_open_modules() {
    let user = |body: &str| format!("module Jobs\n  def self.run\n    {body}\n  end\nend\n");
    let (top, bare) = (user("::Rails.root"), user("Rails.root"));
    let analysis = analysed(&[
        (
            "lib/jobs/rails.rb",
            "module Jobs\n  class Rails\n  end\nend\n",
        ),
        ("lib/jobs/cli.rb", &top),
        ("lib/jobs/inside.rb", &bare),
        ("lib/tasks.rb", "def load_all\n  Rails.root\nend\n"),
        ("lib/other.rb", "def other\n  Jobs::Rails.new\nend\n"),
    ]);
    assert_eq!(
        used_in(&analysis, "Jobs.Rails"),
        2,
        "inside its module, and by its path"
    );
}

#[test]
fn what_a_script_defines_is_its_own() {
    let analysis = analysed(&[
        ("bin/measure.rb", "def measure\n  1\nend\n\nmeasure\n"),
        ("bin/shared.rb", "def shared\n  1\nend\n"),
        (
            "lib/jobs.rb",
            "require_relative '../bin/shared'\n\ndef jobs\n  measure\n  shared\nend\n",
        ),
    ]);
    let used = |name: &str| used_in(&analysis, name);
    assert_eq!((used("measure"), used("shared")), (0, 1));
}

#[test]
fn a_variable_is_not_what_another_file_defines() {
    let analysis = analysed(&[
        ("chain.go", "package a\n\nfunc chain() int { return 1 }\n"),
        (
            "tree.go",
            "package a\n\nfunc walk(all []Node) {\n\tfor _, one := range all {\n\t\tif chain, ok := one.(*Chain); ok {\n\t\t\tuse(chain.End, chain)\n\t\t}\n\t}\n}\n",
        ),
        (
            "next.go",
            "package a\n\nfunc next(chain func() int) int { return chain() }\n",
        ),
        (
            "made.go",
            "package a\n\nfunc made() int {\n\tchain := chain()\n\treturn chain\n}\n",
        ),
        (
            "src/run.ts",
            "export function run() {}\nexport const one = 1;\n",
        ),
        (
            "src/a.ts",
            "import { one } from './run';\nexport const f = (all: Task[]) => {\n  for (const run of all) {\n    run();\n    one;\n  }\n};\n",
        ),
        ("kt/Run.kt", "package a\n\nfun block() = 1\n"),
        (
            "kt/Use.kt",
            "package a\n\nfun take(block: () -> Int) = block()\n\nfun other() = 2\n",
        ),
    ]);
    let used = |name: &str| used_in(&analysis, name);
    assert_eq!(used("chain"), 1, "by the file that calls it");
    assert_eq!((used("run"), used("block")), (0, 0));
}

#[test]
fn an_imported_name_is_of_the_imported_package() {
    let class = |package: &str, kind: &str| format!("package {package}\n\n{kind} App\n");
    let (real, mark) = (
        class("org.koin.core", "class"),
        class("org.koin.core.mark", "annotation class"),
    );
    let user = |import: &str, package: &str| {
        format!(
            "package {package}\n\nimport org.koin.core.mark.Internal\nimport {import}\n\nclass User(val app: App)\n"
        )
    };
    let files = [
        ("core/src/main/kotlin/org/koin/core/App.kt", real),
        (
            "mark/src/main/kotlin/org/koin/core/mark/Marks.kt",
            mark + "\nannotation class Internal\n",
        ),
        (
            "mark/src/main/kotlin/org/koin/core/mark/User.kt",
            user("org.koin.core.App", "org.koin.core.mark"),
        ),
        (
            "android/src/main/kotlin/org/koin/android/User.kt",
            user("org.koin.core.App", "org.koin.android"),
        ),
        (
            "other/src/main/kotlin/org/koin/other/User.kt",
            user("android.app.App", "org.koin.other"),
        ),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let analysis = analysed(&files);
    let of = |path: &str| {
        let found = analysis
            .map
            .iter()
            .find(|one| one.path == path && one.name == "App");
        found.map_or(0, |one| one.used_in)
    };
    assert_eq!((of(files[0].0), of(files[1].0)), (2, 0));
}
