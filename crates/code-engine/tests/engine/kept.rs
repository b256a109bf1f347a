//! After each kind of change, the results that are kept from an earlier run give the same report as none.

use std::fs;

use nyxcore_code_engine::project::FileHistory;
use nyxcore_code_engine::tree::TreeOptions;

use super::cache::Tree;

/// Creates thirty modules of Python that use each other, and a few files of other languages.
fn project() -> Tree {
    let tree = Tree::empty();
    tree.write("app/__init__.py", "from .core import Store, load_all\n");
    tree.write("app/core.py", CORE);
    for number in 0..30 {
        let next = (number + 1) % 30;
        tree.write(
            &format!("app/m{number:02}.py"),
            &format!(
                "from . import core\nfrom .core import Store, load_all\nfrom .m{next:02} import run_{next}\n\n\n\
                 def run_{number}(store):\n    load_all(Store())\n    store.save_all()\n    core.Store().find_one()\n    \
                 return run_{next}(store)\n\n\nclass Task{number}(Store):\n    def start_it(self):\n        \
                 return self.save_all()\n"
            ),
        );
    }
    tree.write("src/lib.rs", "mod store;\npub use store::Keeper;\n");
    tree.write("src/store.rs", KEEPER);
    tree.write(
        "src/main.rs",
        "use app::Keeper;\nfn main() {\n    Keeper::open_all().close_all();\n}\n",
    );
    tree.write(
        "web/store.ts",
        "export class Shelf {\n  pick(): number {\n    return 1;\n  }\n}\n",
    );
    tree.write(
        "web/main.ts",
        "import { Shelf } from './store';\nexport const shelf = new Shelf().pick();\n",
    );
    tree.write(
        "web/package.json",
        "{\"name\": \"web\", \"private\": true}\n",
    );
    tree.write("lib/shop/cart.rb", "module Shop\n  class Cart\n    def total_sum\n      Item.new.price_of\n    end\n  end\nend\n");
    tree.write(
        "lib/shop/item.rb",
        "module Shop\n  class Item\n    def price_of\n      1\n    end\n  end\nend\n",
    );
    tree
}

const CORE: &str = "class Store:\n    def save_all(self):\n        return load_all(self)\n\n    \
                    def find_one(self):\n        pass\n\n\ndef load_all(store):\n    return store\n";

const KEEPER: &str = "pub struct Keeper;\n\nimpl Keeper {\n    pub fn open_all() -> Keeper {\n        Keeper\n    }\n    \
                      pub fn close_all(self) {}\n}\n";

/// One change: the file, and its new text.
type Edit<'e> = (&'e str, &'e str, String);

fn edits() -> Vec<Edit<'static>> {
    let core = |from: &str, to: &str| CORE.replace(from, to);
    let m07 = |more: &str| {
        format!("from .core import Store\n{more}\n\ndef run_7(store):\n    return Store()\n")
    };
    vec![
        (
            "a function at the end",
            "app/core.py",
            format!("{CORE}\n\ndef added_one():\n    pass\n"),
        ),
        (
            "a function at the top",
            "app/core.py",
            format!("def added_one():\n    pass\n\n\n{CORE}"),
        ),
        (
            "another order",
            "app/core.py",
            format!(
                "def load_all(store):\n    return store\n\n\n{}",
                core("\n\ndef load_all(store):\n    return store\n", "")
            ),
        ),
        (
            "a name that others use",
            "app/core.py",
            core("def load_all", "def load_some"),
        ),
        (
            "a method that others use",
            "app/core.py",
            core("save_all", "save_some"),
        ),
        (
            "a method of another class",
            "app/core.py",
            core("    def find_one", "class Other:\n    def find_one"),
        ),
        (
            "a class that is a function now",
            "app/core.py",
            "def Store():\n    pass\n".to_owned(),
        ),
        (
            "a name defined anew elsewhere",
            "app/m07.py",
            m07("\n\ndef load_all(a):\n    return a\n"),
        ),
        ("an import less", "app/m07.py", m07("")),
        (
            "an import more",
            "app/m07.py",
            m07("from .m20 import run_20\n"),
        ),
        (
            "an import further down",
            "app/m07.py",
            m07("\n\n\nfrom .m20 import run_20\n"),
        ),
        (
            "a private type",
            "src/store.rs",
            KEEPER.replace("pub struct", "struct"),
        ),
        (
            "another name of a type",
            "web/store.ts",
            "export class Rack {\n  pick() {}\n}\n".to_owned(),
        ),
        (
            "another module",
            "lib/shop/item.rb",
            "class Shop::Item\n  def price_of\n    2\n  end\nend\n".to_owned(),
        ),
        (
            "a manifest",
            "web/package.json",
            "{\"name\": \"web\", \"main\": \"store.ts\"}\n".to_owned(),
        ),
        (
            "a file that does not parse",
            "app/m09.py",
            "(".repeat(10_000),
        ),
        ("an empty file", "app/core.py", String::new()),
    ]
}

#[test]
fn an_edit_is_seen_and_so_is_its_end() {
    let tree = project();
    let first = tree.cached();
    assert!(first.project.map.iter().any(|one| one.used_in > 20));
    for (what, path, text) in edits() {
        println!("{what}");
        let before = fs::read_to_string(tree.path(path)).expect("a file");
        assert_ne!(before, text, "{what}");
        tree.write(path, &text);
        tree.cached();
        tree.cached();
        tree.write(path, &before);
        assert_eq!(tree.cached(), first, "{what}");
    }
}

#[test]
fn edits_one_after_another_are_seen() {
    let tree = project();
    for (what, path, text) in edits() {
        println!("{what}");
        tree.write(path, &text);
        tree.cached();
    }
}

#[test]
fn added_renamed_and_removed_files_are_seen() {
    let tree = project();
    tree.cached();
    tree.write("app/added.py", "def load_all(a):\n    return a\n");
    tree.cached();
    fs::rename(tree.path("app/added.py"), tree.path("app/zlast.py")).expect("renamed");
    tree.cached();
    fs::rename(tree.path("app/core.py"), tree.path("app/core2.py")).expect("renamed");
    tree.cached();
    fs::remove_file(tree.path("app/m00.py")).expect("removed");
    tree.cached();
    tree.write("app/core.py", CORE);
    tree.write("app/m00.py", "from .core import Store\n");
    tree.cached();
    tree.write(
        "setup.py",
        "from setuptools import setup\nsetup(name='app')\n",
    );
    tree.cached();
    tree.write(".nyxcoreignore", "app/m1*\n");
    tree.cached();
}

/// Waits until the times of the files are old enough to be trusted.
fn settle() {
    std::thread::sleep(std::time::Duration::from_millis(40));
}

#[test]
fn a_run_without_a_change_returns_the_kept_report() {
    let tree = project();
    settle();
    let first = tree.cached();
    let written = || {
        let metadata = fs::metadata(tree.kept("report").remove(0)).expect("a report");
        metadata.modified().expect("a time")
    };
    let before = written();
    settle();
    assert_eq!(tree.cached(), first);
    assert_eq!(written(), before, "the report is the kept one");
    tree.write("web/package.json", "{\"name\": \"web\"}\n");
    settle();
    tree.cached();
    assert!(written() > before, "the report is a new one");
}

#[test]
fn another_history_gives_another_report() {
    let tree = project();
    settle();
    tree.cached();
    for commits in [3, 5, 5] {
        let history = [("app/core.py", commits), ("app/m01.py", 4)];
        let history = history.map(|(path, commits)| FileHistory {
            path: path.to_owned(),
            commits,
        });
        tree.cached_with(&TreeOptions {
            history: history.to_vec(),
            ..TreeOptions::default()
        });
    }
    let files = tree.cached_with(&TreeOptions {
        files: true,
        ..TreeOptions::default()
    });
    assert!(files.files.is_some_and(|files| files.len() > 30));
    tree.cached();
}

#[test]
fn damaged_and_foreign_results_are_done_without() {
    let tree = project();
    tree.cached();
    tree.write("app/core.py", &format!("{CORE}\n"));
    tree.cached();
    for name in ["edges", "imports", "repeats", "more", "report"] {
        let kept = tree.kept(name).remove(0);
        let whole = fs::read(&kept).expect("results");
        let step = whole.len() / 12 + 1;
        // Every part of the file, and its end, which names the program.
        let places = (0..whole.len())
            .step_by(step)
            .chain((whole.len() - 16..whole.len()).step_by(5));
        for (round, at) in places.enumerate() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x40;
            fs::write(&kept, &damaged).expect("written");
            tree.write(
                "app/core.py",
                &format!("{CORE}\n\ndef added_{round}():\n    pass\n"),
            );
            tree.cached();
        }
        for cut in [0, 7, 16, whole.len() / 2, whole.len() - 1] {
            fs::write(&kept, &whole[..cut]).expect("written");
            tree.write(
                "app/core.py",
                &format!("{CORE}\n\ndef cut_{cut}():\n    pass\n"),
            );
            tree.cached();
        }
        // Results of an earlier run are old, but not wrong.
        fs::write(&kept, &whole).expect("written");
        tree.write(
            "app/core.py",
            &CORE.replace("def load_all", "def load_some"),
        );
        tree.cached();
    }
}
