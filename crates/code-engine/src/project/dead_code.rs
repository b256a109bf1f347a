//! Definitions without references: candidates for dead code, each with reasons why it may be used nevertheless.
//!
//! A name counts as used if any file of the project mentions it outside of the definition itself, in any language and
//! any part of a path, if a string literal is the name or a part that names are made of, if a template contains the
//! word, or if a manifest does. This misses dead code with common names, and rarely reports
//! live code. Excluded are definitions that others may use without a reference: exports of a library, names that a
//! language or framework calls, definitions with a decorator or an annotation, and overrides.
//!
//! Longer than 450 lines: the candidates and the reasons against them are one rule set, with its tests.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::super::evidence::CodeLocation;
use super::super::facts::{Definition, DefinitionKind, Text};
use super::super::references::{OCCURRENCE_CAP, Reference};
use super::conventions;
use super::map::full_name;
use super::names::{NameUses, Uses, file_number};
use super::role::{self, Role};
use super::{ProjectInput, SourceFile};

/// The maximum number of candidates that an analysis reports.
pub const DEAD_CODE_CAP: usize = 100;

/// A definition that may be unused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadCode {
    /// Its kind.
    pub kind: DefinitionKind,
    /// Its name, after its parent's and a `.` if it has a parent.
    pub name: String,
    /// Where it is.
    pub location: CodeLocation,
    /// Whether only tests refer to it.
    pub tests_only: bool,
    /// Reasons why it may be used nevertheless, each a sentence.
    pub caveats: Vec<String>,
}

/// The candidates among `files`, which are sorted by path. Candidates without any reference precede those that tests
/// refer to. Within both groups the longest is first.
///
/// `known` is the uses of every name, if they are known; else the files are read for the uses of the candidates.
pub(crate) fn find(
    files: &[&SourceFile],
    input: &ProjectInput,
    known: Option<&NameUses>,
) -> Vec<DeadCode> {
    let manifests = &input.manifests;
    let reach = conventions::Reach::new(files, manifests);
    let mut candidates = candidates(files, &reach);
    let wanted = candidates.iter().map(|one| one.definition.name.as_str());
    let names: FxHashMap<&str, UseCount> = match known {
        Some(known) => wanted.map(|name| (name, known.of(name).into())).collect(),
        None => uses_read(files, wanted),
    };
    let words = manifests.iter().flat_map(|manifest| words(&manifest.text));
    let in_manifests: FxHashSet<&str> = words.filter(|word| names.contains_key(word)).collect();
    // A file whose references were cut at the limit, or that was not read, may refer to anything nearby.
    let mut unread: FxHashSet<&str> = input.unread_folders.iter().map(String::as_str).collect();
    for file in files {
        if file.facts.noted(file.language).occurrences as usize >= OCCURRENCE_CAP {
            unread.insert(folder(&file.path));
        }
    }
    let unread_parts: FxHashSet<&str> = unread.iter().map(|folder| part_of(folder)).collect();
    let is_unread = |file: &SourceFile| {
        unread.contains(folder(&file.path))
            || (conventions::is_seen_without_import(file.language)
                && unread_parts.contains(part_of(folder(&file.path))))
    };
    let protocols = conventions::Protocols::new(files);
    let look_ups = conventions::look_ups(files);
    let made = conventions::MadeNames::new(files);
    candidates.retain_mut(|one| {
        let file = files[one.file as usize];
        let Some(UseCount { uses, .. }) = names.get(one.definition.name.as_str()) else {
            return false;
        };
        one.same_name = uses.definitions;
        let number = file_number(&file.path);
        one.used_by_tests = uses.tests.elsewhere(number);
        let loads = look_ups
            .iter()
            .any(|look_up| look_up.language == file.language.stack());
        let may_be_used = in_manifests.contains(one.definition.name.as_str())
            || (uses.texts > 0 && conventions::is_found_by_text(file.language))
            || made.contains(file.language, &one.definition.name)
            || uses.source.elsewhere(number)
            || is_unread(file)
            || protocols.contains(file.language, one.definition)
            || (loads && conventions::is_loaded_by_name(file.language, one.definition));
        !may_be_used
    });
    own_files_check(files, &mut candidates);
    let mut found: Vec<DeadCode> = candidates
        .into_iter()
        .map(|one| told(&one, files, &look_ups))
        .collect();
    let lines = |one: &DeadCode| one.location.end_line - one.location.start_line;
    found.sort_by(|a, b| {
        (a.tests_only.cmp(&b.tests_only))
            .then(lines(b).cmp(&lines(a)))
            .then_with(|| a.location.cmp(&b.location))
            .then_with(|| a.name.cmp(&b.name))
    });
    found.truncate(DEAD_CODE_CAP);
    found
}

/// The uses of a name.
struct UseCount {
    uses: Uses,
    /// The last file that mentions it, in source and in tests, so that each file counts once.
    last: [u32; 2],
}

impl From<Uses> for UseCount {
    fn from(uses: Uses) -> UseCount {
        let last = [u32::MAX; 2];
        UseCount { uses, last }
    }
}

/// Counts the uses of these names in the files.
fn uses_read<'f>(
    files: &[&'f SourceFile],
    wanted: impl Iterator<Item = &'f str>,
) -> FxHashMap<&'f str, UseCount> {
    let mut names: FxHashMap<&str, UseCount> =
        wanted.map(|name| (name, Uses::default().into())).collect();
    for (at, file) in (0u32..).zip(files) {
        let number = file_number(&file.path);
        let in_tests = role::of(&file.path) == Role::Test;
        for reference in file.facts.references.iter() {
            for part in parts(&reference) {
                let Some(UseCount { uses, last }) = names.get_mut(part) else {
                    continue;
                };
                let test = in_tests || reference.test;
                if std::mem::replace(&mut last[usize::from(test)], at) != at {
                    uses.places_mut(test).add(number);
                }
            }
        }
        for text in file.facts.texts.iter() {
            if let Text::Whole(word) = text
                && let Some(UseCount { uses, .. }) = names.get_mut(word)
            {
                uses.texts += 1;
            }
        }
        for definition in &file.facts.definitions {
            if let Some(UseCount { uses, .. }) = names.get_mut(definition.name.as_str()) {
                uses.definitions += 1;
            }
        }
    }
    names
}

/// A definition that can be used only by a reference.
#[derive(Debug)]
struct Candidate<'f> {
    file: u32,
    definition: &'f Definition,
    used_by_tests: bool,
    same_name: u32,
}

fn candidates<'f>(files: &[&'f SourceFile], reach: &conventions::Reach) -> Vec<Candidate<'f>> {
    let mut found = Vec::new();
    for (at, file) in (0u32..).zip(files) {
        if role::of(&file.path) != Role::Source || !conventions::is_judged(&file.path) {
            continue;
        }
        let types = conventions::ExportedTypes::new(file);
        for definition in &file.facts.definitions {
            let hidden = !definition.exported || reach.is_own(file, definition);
            if hidden
                && !definition.test
                && !definition.dictated
                && definition.kind != DefinitionKind::Module
                && !conventions::is_called_by_name(file.language, definition)
                && (definition.kind != DefinitionKind::Method
                    || types.hide(file.language, definition))
                && !conventions::is_registered(definition)
                && !conventions::is_program(file, definition)
            {
                found.push(Candidate {
                    file: at,
                    definition,
                    used_by_tests: false,
                    same_name: 1,
                });
            }
        }
    }
    found
}

/// Removes the candidates that are mentioned in their own file, outside of their own definition.
fn own_files_check(files: &[&SourceFile], candidates: &mut Vec<Candidate<'_>>) {
    let mut used = vec![false; candidates.len()];
    let mut start = 0usize;
    for of_file in candidates.chunk_by_mut(|a, b| a.file == b.file) {
        let file = files[of_file[0].file as usize];
        let in_tests = role::of(&file.path) == Role::Test;
        let mut by_name: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (place, one) in of_file.iter().enumerate() {
            by_name.entry(&one.definition.name).or_default().push(place);
        }
        for reference in file.facts.references.iter() {
            for part in parts(&reference) {
                for place in by_name.get(part).into_iter().flatten() {
                    let one = &mut of_file[*place];
                    let own = one.definition.start_line..=one.definition.end_line;
                    // After a syntax error, a definition may seem to include the code after it.
                    let is_lost = file.facts.syntax_errors > 0;
                    if is_lost || reference.lines().any(|line| !own.contains(&line)) {
                        if in_tests || reference.test {
                            one.used_by_tests = true;
                        } else {
                            used[start + place] = true;
                        }
                    }
                }
            }
        }
        start += of_file.len();
    }
    let mut used = used.into_iter();
    candidates.retain(|_| !used.next().unwrap_or(true));
}

fn told(
    one: &Candidate<'_>,
    files: &[&SourceFile],
    look_ups: &[conventions::LookUp<'_>],
) -> DeadCode {
    let file = files[one.file as usize];
    let definition = one.definition;
    let mut caveats = Vec::new();
    if one.used_by_tests {
        caveats.push("Only tests refer to it.".to_owned());
    }
    if definition.exported {
        caveats.push(
            "It is exported: nothing in this project refers to it, but others may.".to_owned(),
        );
    }
    if one.same_name > 1 {
        caveats.push(format!(
            "{} definitions have this name: a mention of another would look like one of this.",
            one.same_name
        ));
    }
    let of_language = look_ups.iter().find(|look_up| look_up.path == file.path);
    if let Some(look_up) = of_language {
        caveats.push(format!(
            "{}:{} finds names at run time (`{}`).",
            look_up.path, look_up.line, look_up.name
        ));
    }
    DeadCode {
        kind: definition.kind,
        name: full_name(definition),
        location: CodeLocation {
            source_id: None,
            path: file.path.clone(),
            start_line: definition.start_line,
            end_line: definition.end_line,
            blob: file.blob.clone(),
        },
        tests_only: one.used_by_tests,
        caveats,
    }
}

/// The names in a reference. Rust's raw identifiers are returned without the prefix.
pub(super) fn parts<'f>(reference: &Reference<'f>) -> impl Iterator<Item = &'f str> {
    let parts = reference.path.split('.');
    parts.map(|part| part.strip_prefix("r#").unwrap_or(part))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The first two folders of a path, which in most repositories are a package, a target or a project.
fn part_of(folders: &str) -> &str {
    let mut ends = folders.match_indices('/').map(|(at, _)| at);
    ends.nth(1).map_or(folders, |end| &folders[..end])
}

/// The words of a manifest: any of them may name an entry point.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::project_summarize;
    use crate::language::Language;
    use crate::parse::file_analyze;
    use crate::project::Manifest;

    fn input(sources: &[(&str, &str)], manifests: &[(&str, &str)]) -> ProjectInput {
        let file = |(path, source): &(&str, &str)| {
            let language = Language::detect(path).unwrap();
            SourceFile {
                path: (*path).to_owned(),
                blob: String::new(),
                language,
                facts: file_analyze(path, language, source.as_bytes()).unwrap(),
            }
        };
        let manifest = |(path, text): &(&str, &str)| Manifest {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        ProjectInput {
            files: sources.iter().map(file).collect(),
            manifests: manifests.iter().map(manifest).collect(),
            ..ProjectInput::default()
        }
    }

    /// The candidates. Those that tests refer to are marked with `*`.
    fn dead(sources: &[(&str, &str)], manifests: &[(&str, &str)]) -> Vec<String> {
        let found = project_summarize(&input(sources, manifests)).dead_code;
        let told =
            |one: &DeadCode| format!("{}{}", one.name, if one.tests_only { "*" } else { "" });
        found.iter().map(told).collect()
    }

    #[test]
    fn what_nothing_but_itself_refers_to_is_named_with_its_place() {
        let source = "def _loop(n):\n    return _loop(n - 1)\n\ndef _used():\n    pass\n\ndef run():\n    _used()\n";
        let found = project_summarize(&input(&[("a.py", source)], &[])).dead_code;
        let [one] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (one.name.as_str(), one.kind),
            ("_loop", DefinitionKind::Function)
        );
        assert_eq!((one.location.start_line, one.location.end_line), (1, 2));
        assert_eq!((one.tests_only, one.caveats.len()), (false, 0));
    }

    #[test]
    fn a_mention_in_any_file_language_or_manifest_is_a_use() {
        let source = "def _one():\n    pass\n\ndef _two():\n    pass\n\ndef _three():\n    pass\n";
        let sources = [("a.py", source), ("b.ts", "export const x = y._one();\n")];
        let manifest = "[project.scripts]\nrun = 'a:_two'\n";
        assert_eq!(dead(&sources, &[("pyproject.toml", manifest)]), ["_three"]);
    }

    #[test]
    fn what_only_tests_refer_to_says_so_and_comes_last() {
        let sources = [
            (
                "a.py",
                "def _tested():\n    a = 1\n    b = 2\n    return a + b\n\ndef _gone():\n    pass\n",
            ),
            (
                "tests/test_a.py",
                "from a import _tested\n\ndef test_it():\n    _tested()\n",
            ),
        ];
        assert_eq!(dead(&sources, &[]), ["_gone", "_tested*"]);
        let found = project_summarize(&input(&sources, &[])).dead_code;
        assert_eq!(found[1].caveats, ["Only tests refer to it."]);
    }

    #[test]
    fn what_is_called_without_a_mention_is_no_candidate() {
        for (path, source) in [
            (
                "a.py",
                "import app\n\n@app.route('/')\ndef _page():\n    pass\n",
            ),
            (
                "a.py",
                "class _A:\n    def __enter__(self):\n        pass\n\n    def open(self):\n        pass\n\nx = _A()\n",
            ),
            (
                "a.go",
                "package a\n\ntype heap []int\n\nfunc (h heap) Less(i, j int) bool { return h[i] < h[j] }\n\nvar X = heap{}\n\nfunc init() {}\n",
            ),
            (
                "a.rs",
                "impl Drop for A {\n    fn drop(&mut self) {}\n}\n\npub struct A;\n",
            ),
            (
                "A.java",
                "class A {\n    private void readObject(java.io.ObjectInputStream in) {}\n    @Bean\n    private int made() { return 1; }\n    A a;\n}\n",
            ),
            ("a.ts", "list.map(function named(x) { return x; });\n"),
            ("a.rs", "pub fn run() { r#async() }\n\nfn r#async() {}\n"),
            ("migrations/a.py", "def _forwards(apps):\n    pass\n"),
        ] {
            assert_eq!(
                dead(&[(path, source)], &[]),
                Vec::<String>::new(),
                "{source}"
            );
        }
    }

    #[test]
    fn what_derived_types_may_use_is_no_candidate() {
        let of = |word: &str| {
            [
                (
                    "A.php",
                    format!("<?php\n\ntrait A\n{{\n    {word} function lost(): void {{}}\n}}\n"),
                ),
                (
                    "A.java",
                    format!("public class A {{\n    {word} void lost() {{}}\n}}\n"),
                ),
                (
                    "A.cs",
                    format!("public class A {{\n    {word} void Lost() {{}}\n}}\n"),
                ),
                (
                    "A.kt",
                    format!("open class A {{\n    {word} fun lost() {{}}\n}}\n"),
                ),
                (
                    "A.scala",
                    format!("class A {{\n  {word} def lost(): Unit = ()\n}}\n"),
                ),
            ]
        };
        for (path, source) in of("protected") {
            assert_eq!(
                dead(&[(path, &source)], &[]),
                Vec::<String>::new(),
                "{source}"
            );
        }
        for (path, source) in of("private") {
            assert_eq!(dead(&[(path, &source)], &[]).len(), 1, "{source}");
        }
    }

    #[test]
    fn a_type_with_an_entry_point_and_an_override_are_used() {
        let program = "class Program {\n    static void Main(string[] args) => Run();\n}\n\nclass Lost {\n    static void Run() {}\n}\n";
        assert_eq!(dead(&[("a/Program.cs", program)], &[]), ["Lost"]);
        let attributed = "public class Failure : Exception {\n#if NET8_0\n    [Obsolete(DiagnosticId = \"S1\")]\n#endif\n    public override void GetObjectData(Info info) {\n        base.GetObjectData(info);\n    }\n}\n";
        assert_eq!(
            dead(&[("Failure.cs", attributed)], &[]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_use_behind_a_syntax_error_is_a_use() {
        let lost = "static int big(int n) {\n    if (n) {\n    return big(n - 1);\n}\n\nint run(void) {\n    return big(2);\n}\n";
        assert_eq!(dead(&[("a.c", lost)], &[]), Vec::<String>::new());
        let whole = "static int big(int n) {\n    return big(n - 1);\n}\n";
        assert_eq!(dead(&[("a.c", whole)], &[]), ["big"]);
    }

    #[test]
    fn methods_found_by_a_name_made_at_run_time_are_no_candidates() {
        let methods: String = ["Add", "Mul", "Pow", "Sin", "Cos"]
            .iter()
            .map(|name| format!("    def _print_{name}(self):\n        pass\n\n"))
            .collect();
        let source = format!("class Printer:\n{methods}    def _alone(self):\n        pass\n");
        assert_eq!(dead(&[("a.py", &source)], &[]), ["Printer._alone"]);
        let found = project_summarize(&input(
            &[(
                "a.py",
                &format!("{source}\n\ndef f(x, n):\n    return getattr(x, n)\n"),
            )],
            &[],
        ));
        assert_eq!(
            found.dead_code[0].caveats,
            ["a.py:22 finds names at run time (`getattr`)."]
        );
    }

    #[test]
    fn private_members_are_used_by_their_marks() {
        let source = "class A {\n  #used() {}\n  #lost() {}\n  #arrow = () => {};\n  #asked() {}\n  run(o) { this.#used();                       return #asked in o || this.#arrow(); }\n}\nexport const a = new A();\n";
        assert_eq!(dead(&[("a.ts", source)], &[]), ["A.#lost"]);
    }

    #[test]
    fn paths_in_the_strings_of_an_attribute_are_uses() {
        let source = "#[derive(Deserialize)]\npub struct S {\n    #[serde(default = \"port\", with = \"hex::text\")]\n    pub p: u16,\n}\n                      fn port() -> u16 {\n    1\n}\nmod hex {\n    fn text() {}\n}\n#[doc = \"lost\"]\nfn lost() {}\n";
        assert_eq!(dead(&[("a.rs", source)], &[]), ["lost"]);
    }

    #[test]
    fn methods_of_an_impl_under_an_attribute_are_handed_on() {
        let source = |attribute: &str| {
            format!(
                "pub struct Q;\n\n{attribute}\nimpl Q {{\n    async fn viewer(&self) -> u8 {{\n        1\n    }}\n}}\n"
            )
        };
        assert_eq!(
            dead(&[("a.rs", &source("#[Object]"))], &[]),
            Vec::<String>::new()
        );
        assert_eq!(
            dead(&[("a.rs", &source("#[cfg(unix)]"))], &[]),
            ["Q.viewer"]
        );
    }

    #[test]
    fn what_a_template_names_is_used() {
        let helper = (
            "a.rb",
            "module PageHelper\n  private\n\n  def page_title\n    1\n  end\n\n  def lost_title\n    1\n  end\nend\n",
        );
        let page = ("views/a.html.erb", "<h1><%= page_title %></h1>\n");
        assert_eq!(dead(&[helper, page], &[]), ["PageHelper.lost_title"]);
    }

    #[test]
    fn an_export_by_another_name_is_used_by_that_name() {
        let program = [("package.json", r#"{"private": true}"#)];
        let source = "function instanceOfType() { return 1; }\nfunction lost() { return 2; }\nexport { instanceOfType as instanceof, lost };\n";
        assert_eq!(dead(&[("a.ts", source)], &program), ["lost"]);
    }

    #[test]
    fn parts_of_names_made_at_run_time_are_uses() {
        let source = "class _DanishStemmer {}\nclass _DanishReader {}\n\nexport function load(name) { return all['_' + name + 'Stemmer']; }\n";
        assert_eq!(dead(&[("a.js", source)], &[]), Vec::<String>::new());
        let python = "def _load_json():\n    pass\n\n\ndef _save_json():\n    pass\n\n\ndef f(o, k):\n    return getattr(o, f'_load_{k}')\n";
        assert_eq!(dead(&[("a.py", python)], &[]), ["_save_json"]);
        assert_eq!(
            dead(
                &[("a.py", &format!("{python}\nNAMES = ['_save_json']\n"))],
                &[]
            ),
            Vec::<String>::new()
        );
    }

    #[test]
    fn exports_of_programs_can_be_dead_but_not_of_libraries() {
        let go = (
            "cmd/x/main.go",
            "package main\n\nfunc main() {}\n\nfunc Lost() {}\n",
        );
        assert_eq!(
            dead(&[go, ("lib/a.go", "package lib\n\nfunc Kept() {}\n")], &[]),
            ["Lost"]
        );
        let script = [("web/src/a.ts", "export function lost() {}\n")];
        let program = [("web/package.json", r#"{"private": true}"#)];
        let library = [("web/package.json", r#"{"name": "web", "main": "a.js"}"#)];
        assert_eq!(dead(&script, &program), ["lost"]);
        assert_eq!(dead(&script, &library), Vec::<String>::new());
        let found = project_summarize(&input(&script, &program)).dead_code;
        assert!(
            found[0].caveats[0].starts_with("It is exported"),
            "{found:?}"
        );
    }

    #[test]
    fn nothing_near_a_file_that_was_not_read_is_called_unused() {
        let mut input = input(&[("p/parse.go", "package p\n\nfunc lost() {}\n")], &[]);
        assert_eq!(project_summarize(&input).dead_code.len(), 1);
        input.unread_folders.push("p".to_owned());
        assert_eq!(project_summarize(&input).dead_code, []);
        // Files of Swift see each other across the folders of a target.
        let source = "private func lost() {}\n";
        let mut input = self::input(&[("Sources/Shop/Calls/Lib.swift", source)], &[]);
        assert_eq!(project_summarize(&input).dead_code.len(), 1);
        input.unread_folders.push("Sources/Shop".to_owned());
        assert_eq!(project_summarize(&input).dead_code, []);
    }
}
