//! The role of a file by its path, and the authority of a document.
//!
//! Longer than 450 lines: half of it are lists of names.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

/// The role of a file or of a piece of knowledge: its purpose. It decides how much a match counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FileRole {
    /// The project's own source.
    Source,
    /// A test.
    Test,
    /// A text for people.
    Document,
    /// A list of what changed.
    ChangeLog,
    /// A text that every project has: a licence, a code of conduct, templates of issues and pull requests.
    Template,
    /// Test data and snapshots.
    Fixture,
    /// A file that a program wrote.
    Generated,
    /// A text in another language than the project's main one.
    Translation,
    /// Settings of tools and of the program.
    Configuration,
    /// What the source uses to display or to store: page templates, stylesheets, SQL.
    Resource,
    /// An example, a demonstration or a benchmark.
    Example,
    /// A code pattern of nearly every project in the language: it says almost nothing.
    Convention,
}

impl FileRole {
    /// Every role.
    pub const fn all() -> &'static [Self] {
        &[
            Self::Source,
            Self::Test,
            Self::Document,
            Self::ChangeLog,
            Self::Template,
            Self::Fixture,
            Self::Generated,
            Self::Translation,
            Self::Configuration,
            Self::Resource,
            Self::Example,
            Self::Convention,
        ]
    }

    /// The weight of a match, at most 1. A rule of this project, tuned by `nyxcore eval` on its own history.
    #[must_use]
    pub const fn weight(self) -> f64 {
        match self {
            Self::Source => 1.0,
            Self::Document => 0.8,
            Self::Resource => 0.65,
            Self::Configuration => 0.6,
            Self::Test => 0.5,
            Self::Example => 0.45,
            Self::Generated | Self::Fixture => 0.2,
            Self::Translation | Self::Template | Self::ChangeLog | Self::Convention => 0.15,
        }
    }

    /// The words, folded and stemmed, by which a question asks for files of the role.
    const fn asked_by(self) -> &'static [&'static str] {
        match self {
            Self::Test => &["test", "spec", "unittest", "e2e", "pytest"],
            Self::ChangeLog => &["changelog", "changes", "releas"],
            Self::Template => &["templat", "licens", "copyright", "conduct"],
            Self::Resource => &[
                "html",
                "css",
                "scss",
                "stylesheet",
                "templat",
                "layout",
                "color",
                "sql",
                "schema",
                "tabl",
                "column",
            ],
            Self::Fixture => &["fixtur", "snapshot"],
            Self::Generated => &["generat"],
            Self::Translation => &["translat", "local", "i18n", "l10n"],
            Self::Example => &["exampl", "sampl", "demo", "benchmark", "bench"],
            Self::Configuration => &["config", "configur", "set", "ci", "workflow", "lint"],
            Self::Convention => &[
                "name", "convent", "style", "snakecas", "camelcas", "written",
            ],
            Self::Document => &["readm", "doc", "document", "guid", "contribut", "tutori"],
            Self::Source => &[],
        }
    }

    /// Whether a question with these terms asks for such files.
    pub(crate) fn is_asked(self, asked: &[&str]) -> bool {
        self.asked_by().iter().any(|word| asked.contains(word))
    }

    /// The weight of a match for a question with these terms: 1 where it asks for such files.
    pub(crate) fn weight_for(self, asked: &[&str]) -> f64 {
        if self.is_asked(asked) {
            self.weight().max(0.9)
        } else {
            self.weight()
        }
    }

    /// The role of the file at a path, with `/` between its parts.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let path = path.to_ascii_lowercase();
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let is_generated = is_generated(folders, name, stem, ending);
        let folders = without_packages(folders);
        let below = |names: &[&str]| folders.split('/').any(|folder| names.contains(&folder));
        let is_prose = matches!(
            ending,
            "md" | "mdx" | "rst" | "adoc" | "txt" | "markdown" | "org"
        );
        let is_boilerplate = (is_prose || ending.is_empty())
            && BOILERPLATE.contains(&stem.replace('-', "_").as_str());
        let is_test = below(TEST_FOLDERS)
            || folders
                .split('/')
                .any(|folder| folder.ends_with("-tests") || folder.ends_with(".tests"))
            || is_test_name(stem, ending);
        if is_generated {
            Self::Generated
        } else if ending == "po" || ending == "pot" || locale_neutral(&path).is_some() {
            Self::Translation
        } else if CHANGE_LOGS
            .iter()
            .any(|log| stem == *log || (is_prose && stem.starts_with(log)))
            || (is_prose
                && below(&[
                    "changes",
                    "changelog",
                    "changelogs",
                    "news",
                    "releases",
                    ".changeset",
                ]))
        {
            Self::ChangeLog
        } else if is_boilerplate
            || below(&["issue_template", "pull_request_template"])
            || stem.contains("issue_template")
            || stem.contains("pull_request_template")
        {
            Self::Template
        } else if below(FIXTURE_FOLDERS)
            || matches!(ending, "snap" | "golden")
            || (ending == "sql" && is_rows(stem))
            || (is_test
                && matches!(
                    ending,
                    "json" | "xml" | "csv" | "yaml" | "yml" | "txt" | "html"
                ))
        {
            Self::Fixture
        } else if is_test {
            Self::Test
        } else if is_prose || DOCUMENTS.contains(&name) {
            Self::Document
        } else if below(EXAMPLE_FOLDERS) {
            Self::Example
        } else if matches!(
            ending,
            "json"
                | "yaml"
                | "yml"
                | "toml"
                | "ini"
                | "cfg"
                | "conf"
                | "properties"
                | "xml"
                | "env"
                | "editorconfig"
                | "csv"
                | "lock"
        ) || name.starts_with('.')
            || folders.starts_with(".github")
            || CONFIGURATIONS.contains(&name)
        {
            Self::Configuration
        } else if RESOURCE_ENDINGS.contains(&ending) {
            Self::Resource
        } else {
            Self::Source
        }
    }
}

const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "spec",
    "specs",
    "e2e",
    "testing",
    "integration-tests",
    "acceptance",
    "testutil",
    "testutils",
    "test_utils",
    "test-utils",
    "androidtest",
    "commontest",
];
const FIXTURE_FOLDERS: &[&str] = &[
    "fixtures",
    "fixture",
    "__fixtures__",
    "testdata",
    "test_data",
    "test-data",
    "__snapshots__",
    "snapshots",
    "__mocks__",
    "golden",
    "goldens",
    "corpus",
    "cassettes",
];
const EXAMPLE_FOLDERS: &[&str] = &[
    "examples",
    "example",
    "_examples",
    "samples",
    "sample",
    "demo",
    "demos",
    "docs_src",
    "benches",
    "bench",
    "benchmark",
    "benchmarks",
    "benchmarking",
    "tutorials",
    "playground",
    "docs",
    "doc",
];
const CHANGE_LOGS: &[&str] = &[
    "changelog",
    "changes",
    "history",
    "news",
    "releases",
    "release-notes",
    "release_notes",
    "whatsnew",
];
const DOCUMENTS: &[&str] = &["readme", "contributing", "codeowners"];
/// The names, without an extension, of texts that say nothing about the project.
const BOILERPLATE: &[&str] = &[
    "license",
    "licence",
    "license_mit",
    "license_apache",
    "copying",
    "copyright",
    "authors",
    "contributors",
    "notice",
    "code_of_conduct",
];
const RESOURCE_ENDINGS: &[&str] = &[
    "html", "htm", "ejs", "hbs", "erb", "jinja", "jinja2", "j2", "mustache", "twig", "pug", "haml",
    "slim", "ftl", "css", "scss", "sass", "less", "styl", "sql",
];
const CONFIGURATIONS: &[&str] = &[
    "dockerfile",
    "makefile",
    "procfile",
    "vagrantfile",
    "gemfile",
    "justfile",
    "rakefile",
    "go.mod",
    "go.sum",
    "setup.py",
];

/// The folders without those of a Java package: `com.example.samples` is a name, and no folder of examples.
fn without_packages(folders: &str) -> &str {
    let parts: Vec<&str> = folders.split('/').collect();
    let root = parts.windows(3).position(|three| {
        three[0] == "src" && matches!(three[2], "java" | "kotlin" | "scala" | "groovy")
    });
    let Some(root) = root else { return folders };
    let length = parts[..root + 3].iter().map(|part| part.len() + 1);
    &folders[..length.sum::<usize>() - 1]
}

/// Whether an SQL file with this name fills tables, by the usual names of frameworks (`data.sql`, `seeds.sql`).
fn is_rows(stem: &str) -> bool {
    stem.split(['-', '_', '.']).any(|part| {
        matches!(
            part,
            "data" | "seed" | "seeds" | "dump" | "import" | "fixtures"
        )
    })
}

fn is_test_name(stem: &str, ending: &str) -> bool {
    match ending {
        "py" => {
            stem.starts_with("test_")
                || stem.ends_with("_test")
                || matches!(stem, "tests" | "conftest")
        }
        "rs" => {
            matches!(stem, "tests" | "test") || stem.ends_with("_tests") || stem.ends_with("_test")
        }
        "java" | "kt" | "cs" | "scala" | "swift" | "php" => {
            stem.ends_with("test") || stem.ends_with("tests") || stem.ends_with("spec")
        }
        _ => [
            ".test", ".spec", ".cy", ".e2e", "_test", "_spec", ".stories",
        ]
        .iter()
        .any(|mark| stem.ends_with(mark)),
    }
}

fn is_generated(folders: &str, name: &str, stem: &str, ending: &str) -> bool {
    let locks = [
        "package-lock.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "cargo.lock",
        "poetry.lock",
        "gemfile.lock",
        "composer.lock",
        "go.sum",
        "uv.lock",
        "bun.lock",
        "bun.lockb",
        "deno.lock",
        "pipfile.lock",
    ];
    locks.contains(&name)
        || matches!(name, "gradlew" | "gradlew.bat" | "mvnw" | "mvnw.cmd")
        || stem.ends_with(".min")
        || matches!(ending, "map" | "lock")
        || stem.ends_with(".pb")
        || stem.ends_with("_pb2")
        || stem.ends_with(".g")
        || stem.ends_with(".generated")
        || folders.split('/').any(|folder| {
            matches!(
                folder,
                "generated" | "__generated__" | "dist" | "vendor" | "node_modules" | "third_party"
            )
        })
}

/// Codes of languages that texts are translated to, as file names have them. English is missing: it is nearly always
/// the main language.
const LOCALES: &[&str] = &[
    "ar", "az", "be", "bg", "bn", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fa", "fi",
    "fil", "fr", "gl", "he", "hi", "hr", "hu", "hy", "id", "it", "ja", "ka", "kk", "km", "ko",
    "lt", "lv", "mk", "ms", "my", "nb", "ne", "nl", "nn", "pl", "pt", "ro", "ru", "sk", "sl", "sq",
    "sr", "sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "uz", "vi", "yo", "zh",
];

/// The path without the language code in it, if it has one: it is the same for all translations of a text.
pub(crate) fn locale_neutral(path: &str) -> Option<String> {
    let lower = path.to_ascii_lowercase();
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_text = matches!(
        ending,
        "md" | "mdx"
            | "rst"
            | "adoc"
            | "txt"
            | "html"
            | "json"
            | "yaml"
            | "yml"
            | "properties"
            | "po"
            | "ftl"
            | "xml"
            | "strings"
            | "arb"
            | "toml"
            | "ts"
            | "js"
            | "php"
            | "rb"
    );
    if !is_text {
        return None;
    }
    // `docs/ko/index.md`, `locales/pt-br.json`, `messages_de.properties`, `README.zh-CN.md`.
    let is_held = [
        "docs",
        "doc",
        "locale",
        "locales",
        "i18n",
        "l10n",
        "lang",
        "langs",
        "languages",
        "translations",
        "content",
        "_locales",
        "messages",
    ];
    let parts: Vec<&str> = folders.split('/').collect();
    let held = parts.iter().any(|part| is_held.contains(part));
    if held && let Some(at) = parts.iter().position(|part| is_locale(part)) {
        let mut neutral = parts.clone();
        neutral.remove(at);
        return Some(format!("{}/{name}", neutral.join("/")));
    }
    let is_prose = matches!(ending, "md" | "mdx" | "rst" | "adoc" | "txt");
    if held && is_locale(stem) && !is_prose {
        return Some(format!("{folders}/.{ending}"));
    }
    let (base, last) = stem
        .rsplit_once(['.', '_', '-'])
        .filter(|(base, _)| !base.is_empty())?;
    let (base, last) = match base.rsplit_once(['.', '_', '-']) {
        // `zh-CN`
        Some((before, language)) if is_locale(language) && last.len() == 2 => (before, language),
        _ => (base, last),
    };
    let named = [
        "readme",
        "messages",
        "index",
        "strings",
        "contributing",
        "labels",
        "translation",
    ];
    (is_locale(last) && (held || named.contains(&base) || ending == "properties"))
        .then(|| format!("{folders}/{base}.{ending}"))
}

fn is_locale(name: &str) -> bool {
    let (language, region) = name
        .split_once(['-', '_'])
        .map_or((name, None), |(language, region)| (language, Some(region)));
    let is_region = |region: &str| {
        (2..=4).contains(&region.len()) && region.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    LOCALES.contains(&language) && region.is_none_or(is_region)
}

/// The authority of a document: how binding it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Authority {
    /// Must be followed: rules for contributors and agents, accepted decisions.
    Mandatory,
    /// Describes intentions: README, architecture, style guides, design pages.
    Guideline,
    /// All other documentation.
    Informational,
}

impl Authority {
    /// The authority of a document by its path; `None` for a file that is no document.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        if FileRole::of_path(path) != FileRole::Document {
            return None;
        }
        let path = path.to_ascii_lowercase();
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let stem = name.split('.').next().unwrap_or(name);
        let below = |names: &[&str]| folders.split('/').any(|folder| names.contains(&folder));
        let mandatory = [
            "agents",
            "claude",
            "contributing",
            "security",
            "rules",
            "governance",
            "codeowners",
            "copilot-instructions",
        ];
        let guideline = [
            "readme",
            "architecture",
            "style",
            "styleguide",
            "style-guide",
            "design",
            "conventions",
            "hacking",
            "development",
        ];
        Some(
            if mandatory.contains(&stem) || below(&["adr", "adrs", "decisions", "rfcs"]) {
                Self::Mandatory
            } else if guideline.contains(&stem) || below(&["design", "architecture", "guidelines"])
            {
                Self::Guideline
            } else {
                Self::Informational
            },
        )
    }

    /// The weight of a match: binding documents come before explanations.
    #[must_use]
    pub const fn weight(self) -> f64 {
        match self {
            Self::Mandatory => 1.15,
            Self::Guideline => 1.08,
            Self::Informational => 1.0,
        }
    }
}

#[cfg(test)]
mod tests;
