//! A run after any edits gives the same result as a run without a cache, byte for byte.

use std::fs;

use proptest::prelude::*;

use crate::cache::Tree;

/// An edit of a tree between two runs.
#[derive(Debug, Clone)]
enum Edit {
    /// Another content for the file at an index, from a seed.
    Write(usize, u32),
    /// Another function at the end of the file, without other changes.
    Append(usize, u32),
    /// Lines inserted before everything else.
    Shift(usize),
    Remove(usize),
    Rename(usize, usize),
    /// Another dependency in a manifest.
    Manifest(u32),
}

/// Source, tests and scripts, in several languages.
const PLACES: [&str; 16] = [
    "app/__init__.py",
    "app/alpha.py",
    "app/beta.py",
    "app/util/logging.py",
    "app/util/gamma.py",
    "app/util/delta.py",
    "tests/test_alpha.py",
    "tests/test_beta.py",
    "scripts/run.py",
    "web/src/index.ts",
    "web/src/client.ts",
    "web/src/view.ts",
    "core/src/lib.rs",
    "core/src/store.rs",
    "core/tests/store.rs",
    "docs/notes.md",
];

/// Definitions, calls, imports and words in strings, of a few names that all files share. Some content is the same in
/// several files, so that there are clones.
fn content(path: &str, seed: u32) -> String {
    let parts = 1 + seed % 7;
    (0..parts)
        .map(|part| piece(path, seed.wrapping_add(part * 7_919)))
        .collect()
}

fn piece(path: &str, seed: u32) -> String {
    let (a, b, c) = (seed % 9, seed / 9 % 9, seed / 81 % 9);
    match path.rsplit('.').next() {
        Some("py") => format!(
            "import app.util.logging\nfrom app.alpha import name_{b}\n\ndef _name_{a}(x):\n    \
             logger.info('name_{c}')\n    return name_{b}(x, '_name_{c}') if x else None\n\n\
             class Kind{a}Error(Kind{b}Error):\n    def name_{c}(self):\n        return self._name_{b}(1)\n\n\
             def test_{a}(one, two, three):\n    four = one + two * three - name_{a}(one, two)\n    \
             five = [four, one, two, three, name_{b}(four), name_{b}(one)]\n    six = {{one: two, three: four}}\n    \
             for each in five:\n        six[each] = name_{c}(each, one, two)\n    return six, five, four\n\n"
        ),
        Some("ts") => format!(
            "import {{ name_{b} }} from './client';\n\
             function name_{a}(x) {{ return fetch(name_{b}(x)).then(() => '_name_{c}'); }}\n\
             export class Kind{a} {{ name_{c}() {{ console.log(this.name_{b}()); }} }}\n"
        ),
        Some("rs") => format!(
            "use crate::store::name_{b};\nfn name_{a}(x: u32) -> u32 {{ println!(\"{{}}\", name_{b}(x)); x }}\n\
             pub struct Kind{a};\nimpl Kind{a} {{ fn name_{c}(&self) -> u32 {{ self.name_{b}() }} }}\n"
        ),
        _ => format!("# Name {a}\n\nWords of name_{b}.\n"),
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = 0..PLACES.len();
    prop_oneof![
        3 => (place.clone(), any::<u32>()).prop_map(|(at, seed)| Edit::Write(at, seed)),
        3 => (place.clone(), any::<u32>()).prop_map(|(at, seed)| Edit::Append(at, seed)),
        1 => place.clone().prop_map(Edit::Shift),
        1 => place.clone().prop_map(Edit::Remove),
        1 => (place.clone(), place).prop_map(|(from, to)| Edit::Rename(from, to)),
        1 => any::<u32>().prop_map(Edit::Manifest),
    ]
}

fn apply(tree: &Tree, edit: &Edit) {
    let read = |at: usize| fs::read_to_string(tree.path(PLACES[at])).unwrap_or_default();
    match edit {
        Edit::Write(at, seed) => tree.write(PLACES[*at], &content(PLACES[*at], *seed)),
        Edit::Append(at, seed) => {
            tree.write(PLACES[*at], &(read(*at) + &piece(PLACES[*at], *seed)));
        }
        Edit::Shift(at) => tree.write(PLACES[*at], &format!("\n\n{}", read(*at))),
        Edit::Remove(at) => drop(fs::remove_file(tree.path(PLACES[*at]))),
        Edit::Rename(from, to) => {
            drop(fs::rename(tree.path(PLACES[*from]), tree.path(PLACES[*to])));
        }
        Edit::Manifest(seed) => tree.write(
            "web/package.json",
            &format!(
                "{{\"name\": \"web\", \"private\": true, \"main\": \"name_{}\"}}",
                seed % 9
            ),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_after_edits_equals_one_without_a_cache(
        seeds in prop::collection::vec(any::<u32>(), PLACES.len()),
        rounds in prop::collection::vec(prop::collection::vec(edit(), 1..3), 1..6),
    ) {
        let tree = Tree::empty();
        for (path, seed) in PLACES.iter().zip(&seeds) {
            tree.write(path, &content(path, *seed));
        }
        // Enough files for one to be a small part of them.
        for number in 0..24 {
            tree.write(&format!("app/more/m{number}.py"), &piece("m.py", number * 31));
        }
        tree.cached();
        for round in &rounds {
            round.iter().for_each(|edit| apply(&tree, edit));
            tree.cached();
        }
    }
}
