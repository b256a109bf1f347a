//! Definitions that are used without a reference: by a language runtime, a framework or another project.
//!
//! Longer than 450 lines: the conventions of all languages are one table.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::facts::{Definition, DefinitionKind, FileFacts, Text, Texts};
use super::super::language::Language;
use super::SourceFile;
use super::manifest::Manifest;

/// Determines which exported definitions cannot be used outside of the project.
#[derive(Debug)]
pub(super) struct Reach {
    /// Folders with a Go `main`.
    go_programs: FxHashSet<String>,
    /// Folders of npm packages that cannot be dependencies.
    npm_programs: Vec<String>,
    npm_packages: Vec<String>,
    /// Folders of crates without a library.
    cargo_programs: Vec<String>,
    cargo_packages: Vec<String>,
    /// Whether the project has templates, which no parser reads and which may name the exports of a script.
    templates: bool,
}

impl Reach {
    pub(super) fn new(files: &[&SourceFile], manifests: &[Manifest]) -> Reach {
        let mut reach = Reach {
            go_programs: FxHashSet::default(),
            npm_programs: Vec::new(),
            npm_packages: Vec::new(),
            cargo_programs: Vec::new(),
            cargo_packages: Vec::new(),
            templates: false,
        };
        let mut cargo_libraries: FxHashSet<&str> = FxHashSet::default();
        for file in files {
            match file.language {
                Language::Go if defines_main(file) => {
                    reach.go_programs.insert(folder(&file.path).to_owned());
                }
                Language::Vue | Language::Svelte => reach.templates = true,
                Language::Rust => {
                    if let Some(package) = file.path.strip_suffix("src/lib.rs") {
                        cargo_libraries.insert(package);
                    }
                }
                _ => {}
            }
        }
        for manifest in manifests {
            let (folder, name) = manifest
                .path
                .rsplit_once('/')
                .unwrap_or(("", &manifest.path));
            let prefix = if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            };
            match name {
                "package.json" => {
                    if is_npm_program(&manifest.text) {
                        reach.npm_programs.push(prefix.clone());
                    }
                    reach.npm_packages.push(prefix);
                }
                "Cargo.toml" => {
                    let library = cargo_libraries.contains(prefix.as_str())
                        || manifest.text.lines().any(|line| line.trim() == "[lib]");
                    if !library && manifest.text.contains("[package]") {
                        reach.cargo_programs.push(prefix.clone());
                    }
                    reach.cargo_packages.push(prefix);
                }
                _ => {}
            }
        }
        reach
    }

    /// Whether an exported definition can only be used within the project. Never true for methods: their callers may be
    /// anywhere.
    pub(super) fn is_own(&self, file: &SourceFile, definition: &Definition) -> bool {
        if definition.parent.is_some() || definition.kind == DefinitionKind::Method {
            return false;
        }
        match file.language {
            Language::Go => {
                self.go_programs.contains(folder(&file.path))
                    || file.path.starts_with("internal/")
                    || file.path.contains("/internal/")
            }
            Language::Rust => innermost(&self.cargo_packages, &file.path)
                .is_some_and(|package| self.cargo_programs.contains(package)),
            Language::TypeScript | Language::Tsx | Language::JavaScript => {
                !self.templates
                    && innermost(&self.npm_packages, &file.path)
                        .is_some_and(|package| self.npm_programs.contains(package))
                    && !is_routed(&file.path)
            }
            _ => false,
        }
    }
}

fn defines_main(file: &SourceFile) -> bool {
    let definitions = &file.facts.definitions;
    definitions
        .iter()
        .any(|one| one.name == "main" && one.kind == DefinitionKind::Function)
}

/// The longest of the folders that contain the path.
fn innermost<'p>(folders: &'p [String], path: &str) -> Option<&'p String> {
    folders
        .iter()
        .filter(|folder| path.starts_with(folder.as_str()))
        .max_by_key(|folder| folder.len())
}

/// Whether a package is private and declares nothing that others could import.
fn is_npm_program(text: &str) -> bool {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return false;
    };
    let has = |field: &str| value.get(field).is_some();
    value.get("private").and_then(serde_json::Value::as_bool) == Some(true)
        && ![
            "main",
            "module",
            "exports",
            "types",
            "typings",
            "workspaces",
        ]
        .into_iter()
        .any(has)
}

/// Whether a framework or a tool uses the file's exports by their names: pages, routes, settings.
fn is_routed(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let routed = [
        "pages",
        "app",
        "routes",
        "api",
        "functions",
        "plugins",
        "scripts",
        "migrations",
    ];
    folders.split('/').any(|folder| routed.contains(&folder))
        || name.contains(".config.")
        || name.contains(".stories.")
        || name.starts_with("middleware.")
        || name.starts_with("instrumentation.")
        || name.starts_with("setup")
}

/// Whether the definitions of a file can be candidates. Declarations without a body, and files that a framework finds
/// by their path, are excluded.
pub(super) fn is_judged(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let declares = name.ends_with(".d.ts") || name.ends_with(".pyi") || name.ends_with(".h");
    let read_by_place = matches!(name, "setup.py" | "conftest.py" | "build.rs")
        || path.split('/').any(|folder| folder == "migrations");
    !declares && !read_by_place
}

/// Names that a language, a runtime or a framework calls.
const CALLED: &[&str] = &[
    // Any language's entry point, and placeholders.
    "main",
    "Main",
    "_",
    "_start",
    // Java's serialization.
    "readObject",
    "writeObject",
    "readResolve",
    "writeReplace",
    "readObjectNoData",
    "serialVersionUID",
    "serialPersistentFields",
    // JavaScript's conversions.
    "toString",
    "toJSON",
    "valueOf",
    "constructor",
    // Ruby's hooks. PHP's hooks are recognised by their underscores.
    "initialize",
    "included",
    "extended",
    "inherited",
    "method_missing",
    "respond_to_missing?",
    // Go's package hooks.
    "init",
    // Python's module hooks and unittest's.
    "setUp",
    "tearDown",
    "setUpModule",
    "tearDownModule",
    "setup_module",
    "teardown_module",
    "load_tests",
];

/// Whether a definition may be called by a convention of its name.
pub(super) fn is_called_by_name(language: Language, definition: &Definition) -> bool {
    let name = definition.name.as_str();
    if name.len() < 2 || CALLED.contains(&name) || name.starts_with("__") {
        return true;
    }
    // Names in format strings (`panic!("{LIMIT}")`) are not parsed, and the compiler detects unused constants better.
    if language == Language::Rust && definition.kind == DefinitionKind::Constant {
        return true;
    }
    match language {
        // Names that begin with `_` are unused by intention.
        Language::Rust
        | Language::Go
        | Language::TypeScript
        | Language::Tsx
        | Language::JavaScript => name.starts_with('_'),
        Language::Python => {
            // Hooks found by a prefix: `visit_Name`, `_print_Name`, `do_GET`, `test_x`.
            let prefixed = [
                "visit_", "do_", "test_", "handle_", "on_", "pytest_", "leave_", "depart_",
            ];
            prefixed.iter().any(|prefix| name.starts_with(prefix))
        }
        // A shell may execute any string: a trap, a completion's specification, `eval`.
        Language::Shell => true,
        _ => false,
    }
}

/// Whether a type holds the entry point of a program.
pub(super) fn is_program(file: &SourceFile, definition: &Definition) -> bool {
    let members = file.facts.definitions.iter();
    definition.metrics.is_none()
        && members
            .filter(|one| matches!(one.name.as_str(), "main" | "Main"))
            .any(|one| one.parent.as_deref() == Some(definition.name.as_str()))
}

/// Whether the definition is a class that may be loaded by its name at run time.
pub(super) fn is_loaded_by_name(language: Language, definition: &Definition) -> bool {
    let jvm = matches!(
        language,
        Language::Java | Language::Kotlin | Language::Scala
    );
    jvm && definition.metrics.is_none()
}

/// The exported types of a file.
pub(super) struct ExportedTypes<'f> {
    names: FxHashSet<&'f str>,
}

impl<'f> ExportedTypes<'f> {
    pub(super) fn new(file: &'f SourceFile) -> ExportedTypes<'f> {
        let definitions = file.facts.definitions.iter();
        let types = definitions.filter(|one| one.exported && one.metrics.is_none());
        ExportedTypes {
            names: types.map(|one| one.name.as_str()).collect(),
        }
    }

    /// Whether a method that is not exported is hidden by its own visibility. A hidden type does not hide its methods:
    /// other code may receive a value of the type and call the method by an interface.
    pub(super) fn hide(&self, language: Language, method: &Definition) -> bool {
        match language {
            Language::Rust => true,
            Language::Go => method.name.starts_with(|c: char| !c.is_uppercase()),
            Language::Python => method.name.starts_with('_'),
            _ => {
                let parent = method.parent.as_deref();
                // A method for subclasses is not hidden, because they may be elsewhere.
                method.name.starts_with('#')
                    || (!method.inherited
                        && parent.is_some_and(|parent| self.names.contains(parent)))
            }
        }
    }
}

/// Methods that are called by names composed at run time, in dynamic languages. Several classes have a method with the
/// same name or prefix (`_print_Add`, `_print_Mul`), and nothing refers to them.
#[derive(Debug)]
pub(super) struct Protocols<'f> {
    names: FxHashMap<&'f str, u32>,
    prefixes: FxHashMap<&'f str, u32>,
}

/// This many methods with one name are a protocol.
const SAME_NAME: u32 = 3;

/// This many methods with one prefix are a protocol.
const SAME_PREFIX: u32 = 5;

impl<'f> Protocols<'f> {
    pub(super) fn new(files: &[&'f SourceFile]) -> Protocols<'f> {
        let mut protocols = Protocols {
            names: FxHashMap::default(),
            prefixes: FxHashMap::default(),
        };
        for file in files.iter().filter(|file| is_dynamic(file.language)) {
            let definitions = file.facts.definitions.iter();
            for method in definitions.filter(|one| one.kind == DefinitionKind::Method) {
                *protocols.names.entry(&method.name).or_default() += 1;
                if let Some(prefix) = prefix(&method.name) {
                    *protocols.prefixes.entry(prefix).or_default() += 1;
                }
            }
        }
        protocols
    }

    pub(super) fn contains(&self, language: Language, definition: &Definition) -> bool {
        if !is_dynamic(language) || definition.kind != DefinitionKind::Method {
            return false;
        }
        let named = self.names.get(definition.name.as_str());
        let begun = prefix(&definition.name).and_then(|prefix| self.prefixes.get(prefix));
        named.is_some_and(|count| *count >= SAME_NAME)
            || begun.is_some_and(|count| *count >= SAME_PREFIX)
    }
}

fn is_dynamic(language: Language) -> bool {
    matches!(
        language,
        Language::Python | Language::Ruby | Language::Php | Language::JavaScript
    )
}

/// The prefix of a name: `_print_` of `_print_Add`, `visit_` of `visit_name`.
fn prefix(name: &str) -> Option<&str> {
    let word = name.trim_start_matches('_');
    let end = name.len() - word.len() + word.find('_')? + 1;
    name.get(..end).filter(|prefix| prefix.len() < name.len())
}

/// Decorators that only change how a definition is called, without registering it.
const HARMLESS: &[&str] = &[
    "property",
    "cached_property",
    "staticmethod",
    "classmethod",
    "lru_cache",
    "cache",
    "contextmanager",
    "asynccontextmanager",
    "wraps",
    "cacheit",
    "final",
    "abstractmethod",
    "dataclass",
    "cfg",
    "cfg_attr",
    "cold",
    "doc",
    "non_exhaustive",
    "repr",
    "serde",
    "track_caller",
    "inline",
    "must_use",
    "derive",
    "Override",
    "Deprecated",
    "deprecated",
    "SuppressWarnings",
    "Nullable",
    "NonNull",
];

/// Whether a decorator, an annotation or an attribute may register the definition for other callers.
pub(super) fn is_registered(definition: &Definition) -> bool {
    definition.decorators.iter().any(|path| {
        let name = path.rsplit(['.', ':']).next().unwrap_or(path);
        !HARMLESS.contains(&name)
    })
}

/// Whether files of the language see definitions of other files in their package or target without an import.
pub(super) fn is_seen_without_import(language: Language) -> bool {
    use Language::{C, CSharp, Cpp, Java, Kotlin, Php, Ruby, Scala, Swift};
    matches!(
        language,
        C | Cpp | CSharp | Java | Kotlin | Php | Ruby | Scala | Swift
    )
}

/// Whether the language can find a definition by its name in a string.
pub(super) fn is_found_by_text(language: Language) -> bool {
    !matches!(
        language,
        Language::Rust | Language::Go | Language::C | Language::Cpp
    )
}

/// The parts of string literals from which names are composed at run time: `name + "Stemmer"`, `f"_on_{event}"`.
#[derive(Debug, Default)]
pub(super) struct MadeNames<'f> {
    parts: FxHashSet<(Language, Part, &'f str)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Beginning,
    End,
}

/// The part of a name that a word of a literal may form.
fn part_of(text: Text<'_>) -> Option<(Part, &str)> {
    match text {
        Text::Beginning(word) => Some((Part::Beginning, word)),
        Text::End(word) => Some((Part::End, word)),
        // A whole literal is a part only if it looks like one.
        Text::Whole(word) if word.ends_with('_') => Some((Part::Beginning, word)),
        Text::Whole(word) if word.starts_with(|c: char| c == '_' || c.is_uppercase()) => {
            Some((Part::End, word))
        }
        Text::Whole(_) => None,
    }
}

/// The words in the literals of a file from which names may be composed.
pub(crate) fn noted(language: Language, facts: &FileFacts) -> Texts {
    let stack = language.stack();
    if is_dynamic(stack) || stack == Language::TypeScript {
        facts.texts.filtered(|text| part_of(text).is_some())
    } else {
        Texts::default()
    }
}

/// The minimum length of a part, in bytes: shorter parts are not conclusive.
const PART_MIN: usize = 4;

impl<'f> MadeNames<'f> {
    pub(super) fn new(files: &[&'f SourceFile]) -> MadeNames<'f> {
        let mut made = MadeNames::default();
        for file in files {
            let stack = file.language.stack();
            let texts = &file.facts.noted(file.language).texts;
            let parts = texts.iter().filter_map(part_of);
            made.parts
                .extend(parts.map(|(part, word)| (stack, part, word)));
        }
        made
    }

    /// Whether the name begins or ends with one of the parts, at a word boundary.
    pub(super) fn contains(&self, language: Language, name: &str) -> bool {
        let stack = language.stack();
        let bytes = name.as_bytes();
        let is_limit = |at: usize| {
            let (before, next) = (bytes[at - 1], bytes[at]);
            before == b'_'
                || next == b'_'
                || (!before.is_ascii_uppercase() && next.is_ascii_uppercase())
        };
        (1..name.len())
            .filter(|at| name.is_char_boundary(*at) && is_limit(*at))
            .any(|at| {
                let (beginning, end) = name.split_at(at);
                (beginning.len() >= PART_MIN
                    && self.parts.contains(&(stack, Part::Beginning, beginning)))
                    || (end.len() >= PART_MIN && self.parts.contains(&(stack, Part::End, end)))
            })
    }
}

/// A place that looks up a name at run time.
#[derive(Debug)]
pub(super) struct LookUp<'f> {
    pub language: Language,
    pub path: &'f str,
    pub line: u32,
    pub name: &'f str,
}

/// The first place of each language that looks up names at run time, outside of tests.
pub(super) fn look_ups<'f>(files: &[&'f SourceFile]) -> Vec<LookUp<'f>> {
    let mut found: Vec<LookUp<'f>> = Vec::new();
    for file in files {
        let language = file.language.stack();
        if found.iter().any(|one| one.language == language) {
            continue;
        }
        let first = file
            .noted()
            .filter(|reference| !reference.test && is_look_up(language, reference.path))
            .min_by_key(|reference| reference.line());
        if let Some(reference) = first {
            found.push(LookUp {
                language,
                path: &file.path,
                line: reference.line(),
                name: reference.path,
            });
        }
    }
    found
}

/// Whether a reference with this path looks something up by its name at run time.
pub(crate) fn is_look_up(language: Language, path: &str) -> bool {
    match language {
        Language::Python => matches!(
            path,
            "getattr" | "globals" | "importlib.import_module" | "__import__" | "eval" | "exec"
        ),
        Language::Go => path.ends_with("MethodByName"),
        Language::Java | Language::Kotlin | Language::Scala => {
            path.ends_with("getDeclaredMethod")
                || path.ends_with("getMethod")
                || path == "Class.forName"
        }
        Language::Ruby => matches!(
            path.rsplit('.').next(),
            Some("send" | "public_send" | "const_get" | "define_method")
        ),
        Language::Php => matches!(path, "call_user_func" | "call_user_func_array"),
        Language::CSharp => path.ends_with("GetMethod") || path == "Type.GetType",
        Language::TypeScript | Language::JavaScript => matches!(path, "eval" | "Reflect.get"),
        _ => false,
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
