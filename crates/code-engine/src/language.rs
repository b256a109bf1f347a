//! Detects the language of a file from its path.
//!
//! Some languages are parsed for facts ([`Language::has_facts`]): a few always, others if their feature is enabled.
//! All others have only a name, so that files can be listed and lines counted.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// What the lines of a language are, when a project's code is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Code: counted in a project's lines of code.
    Code,
    /// Text for people: Markdown, reStructuredText.
    Prose,
    /// Data and settings: JSON, TOML, YAML.
    Data,
}

/// How comments are written, for languages that are counted without a parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommentStyle {
    /// What begins a comment that ends with its line.
    pub line: &'static [&'static str],
    /// What begins and ends a comment that may span lines.
    pub block: Option<(&'static str, &'static str)>,
}

const SLASHES: CommentStyle = CommentStyle {
    line: &["//"],
    block: Some(("/*", "*/")),
};
const STARS: CommentStyle = CommentStyle {
    line: &[],
    block: Some(("/*", "*/")),
};
const HASH: CommentStyle = CommentStyle {
    line: &["#"],
    block: None,
};
const DASHES: CommentStyle = CommentStyle {
    line: &["--"],
    block: Some(("/*", "*/")),
};
const MARKUP: CommentStyle = CommentStyle {
    line: &[],
    block: Some(("<!--", "-->")),
};
const LISP: CommentStyle = CommentStyle {
    line: &[";"],
    block: None,
};
const PERCENT: CommentStyle = CommentStyle {
    line: &["%"],
    block: None,
};
const NO_COMMENT: CommentStyle = CommentStyle {
    line: &[],
    block: None,
};

macro_rules! languages {
    ($($variant:ident $text:literal $title:literal $category:ident $comments:ident [$($extension:literal)*] [$($file:literal)*];)*) => {
        /// A language, by its stable text name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Language {
            $(
                #[doc = $title]
                #[serde(rename = $text)]
                $variant,
            )*
        }

        impl Language {
            /// Every language that has a name.
            pub const ALL: &'static [Language] = &[$(Language::$variant),*];

            /// The stable name, as stored and as shown to machines: `rust`, `typescript`, `tsx`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Language::$variant => $text),* }
            }

            /// The name as people write it: `Rust`, `TypeScript`, `TSX`.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Language::$variant => $title),* }
            }

            /// Whether its lines are code, prose or data.
            #[must_use]
            pub const fn category(self) -> Category {
                match self { $(Language::$variant => Category::$category),* }
            }

            pub(crate) const fn comment_style(self) -> CommentStyle {
                match self { $(Language::$variant => $comments),* }
            }

            fn from_file_name(name: &str) -> Option<Language> {
                match name { $($($file => Some(Language::$variant),)*)* _ => None }
            }

            fn from_extension(extension: &str) -> Option<Language> {
                match extension { $($($extension => Some(Language::$variant),)*)* _ => None }
            }
        }
    };
}

languages! {
    Rust "rust" "Rust" Code SLASHES ["rs"] [];
    TypeScript "typescript" "TypeScript" Code SLASHES ["ts" "mts" "cts"] [];
    Tsx "tsx" "TSX" Code SLASHES ["tsx"] [];
    JavaScript "javascript" "JavaScript" Code SLASHES ["js" "jsx" "mjs" "cjs"] [];
    Python "python" "Python" Code HASH ["py" "pyi" "pyw"] [];
    Go "go" "Go" Code SLASHES ["go"] [];
    Java "java" "Java" Code SLASHES ["java"] [];
    C "c" "C" Code SLASHES ["c" "h"] [];
    Cpp "cpp" "C++" Code SLASHES ["cc" "cpp" "cxx" "hh" "hpp" "hxx"] [];
    CSharp "csharp" "C#" Code SLASHES ["cs"] [];
    Kotlin "kotlin" "Kotlin" Code SLASHES ["kt" "kts"] [];
    Swift "swift" "Swift" Code SLASHES ["swift"] [];
    Scala "scala" "Scala" Code SLASHES ["scala" "sbt"] [];
    Groovy "groovy" "Groovy" Code SLASHES ["groovy" "gradle"] ["Jenkinsfile"];
    Dart "dart" "Dart" Code SLASHES ["dart"] [];
    ObjectiveC "objective-c" "Objective-C" Code SLASHES ["m" "mm"] [];
    Zig "zig" "Zig" Code SLASHES ["zig"] [];
    Php "php" "PHP" Code SLASHES ["php"] [];
    Ruby "ruby" "Ruby" Code HASH ["rb" "rake" "gemspec" "podspec" "ru"] ["Gemfile" "Rakefile" "Podfile" "Fastfile" "Vagrantfile"];
    Perl "perl" "Perl" Code HASH ["pl" "pm"] [];
    Shell "shell" "Shell" Code HASH ["sh" "bash" "zsh" "bats"] [];
    Fish "fish" "fish" Code HASH ["fish"] [];
    PowerShell "powershell" "PowerShell" Code HASH ["ps1" "psm1"] [];
    Elixir "elixir" "Elixir" Code HASH ["ex" "exs"] [];
    R "r" "R" Code HASH ["r" "R"] [];
    Julia "julia" "Julia" Code HASH ["jl"] [];
    Nix "nix" "Nix" Code HASH ["nix"] [];
    Terraform "terraform" "Terraform" Code HASH ["tf" "hcl"] [];
    Make "make" "Make" Code HASH ["mk"] ["Makefile" "GNUmakefile" "makefile" "justfile" "Justfile"];
    CMake "cmake" "CMake" Code HASH ["cmake"] ["CMakeLists.txt"];
    Dockerfile "dockerfile" "Dockerfile" Code HASH ["dockerfile"] ["Dockerfile" "Containerfile"];
    Lua "lua" "Lua" Code DASHES ["lua"] [];
    Haskell "haskell" "Haskell" Code DASHES ["hs"] [];
    Elm "elm" "Elm" Code DASHES ["elm"] [];
    Sql "sql" "SQL" Code DASHES ["sql"] [];
    Erlang "erlang" "Erlang" Code PERCENT ["erl" "hrl"] [];
    Clojure "clojure" "Clojure" Code LISP ["clj" "cljs" "cljc"] [];
    OCaml "ocaml" "OCaml" Code NO_COMMENT ["ml" "mli"] [];
    Css "css" "CSS" Code STARS ["css"] [];
    Scss "scss" "SCSS" Code SLASHES ["scss" "sass" "less"] [];
    Html "html" "HTML" Code MARKUP ["html" "htm"] [];
    Vue "vue" "Vue" Code MARKUP ["vue"] [];
    Svelte "svelte" "Svelte" Code MARKUP ["svelte"] [];
    GraphQl "graphql" "GraphQL" Code HASH ["graphql" "gql"] [];
    Protobuf "protobuf" "Protocol Buffers" Code SLASHES ["proto"] [];
    Markdown "markdown" "Markdown" Prose NO_COMMENT ["md" "mdx" "markdown"] [];
    ReStructuredText "restructuredtext" "reStructuredText" Prose NO_COMMENT ["rst"] [];
    AsciiDoc "asciidoc" "AsciiDoc" Prose NO_COMMENT ["adoc" "asciidoc"] [];
    Tex "tex" "TeX" Prose PERCENT ["tex"] [];
    Text "text" "Text" Prose NO_COMMENT ["txt"] ["LICENSE" "README" "NOTICE" "AUTHORS" "CHANGELOG"];
    Json "json" "JSON" Data NO_COMMENT ["json" "jsonc" "json5" "webmanifest"] [];
    Toml "toml" "TOML" Data HASH ["toml"] ["Cargo.lock" "poetry.lock" "uv.lock"];
    Yaml "yaml" "YAML" Data HASH ["yaml" "yml"] [];
    Xml "xml" "XML" Data MARKUP ["xml" "xsd" "xsl" "plist"] [];
    Ini "ini" "INI" Data HASH ["ini" "cfg" "conf" "properties" "editorconfig"] [".editorconfig" ".gitconfig"];
    Csv "csv" "CSV" Data NO_COMMENT ["csv" "tsv"] [];
}

impl Language {
    /// The language of the file at `path`, by its name and extension; `None` where neither is known.
    ///
    /// ```
    /// use nyxcore_code_engine::language::Language;
    /// assert_eq!(Language::detect("src/main.rs"), Some(Language::Rust));
    /// assert_eq!(Language::detect("web/App.jsx"), Some(Language::JavaScript));
    /// assert_eq!(Language::detect("logo.png"), None);
    /// ```
    #[must_use]
    pub fn detect(path: &str) -> Option<Language> {
        let name = Path::new(path).file_name()?.to_str()?;
        if let Some(language) = Language::from_file_name(name) {
            return Some(language);
        }
        let (stem, extension) = name.rsplit_once('.')?;
        if stem.is_empty() {
            return None;
        }
        Language::from_extension(extension)
            .or_else(|| Language::from_extension(&extension.to_ascii_lowercase()))
    }

    /// The language of that stable name, the inverse of [`Language::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Language> {
        Language::ALL
            .iter()
            .copied()
            .find(|language| language.as_str() == name)
    }

    /// Whether files of this language are parsed, so that they have definitions, imports and complexity.
    #[must_use]
    pub const fn has_facts(self) -> bool {
        matches!(
            self,
            Language::Rust
                | Language::TypeScript
                | Language::Tsx
                | Language::JavaScript
                | Language::Python
                | Language::Go
                | Language::Java
        ) || cfg!(feature = "bash") && matches!(self, Language::Shell)
            || cfg!(feature = "c") && matches!(self, Language::C)
            || cfg!(feature = "cpp") && matches!(self, Language::Cpp)
            || cfg!(feature = "csharp") && matches!(self, Language::CSharp)
            || cfg!(feature = "kotlin") && matches!(self, Language::Kotlin)
            || cfg!(feature = "php") && matches!(self, Language::Php)
            || cfg!(feature = "ruby") && matches!(self, Language::Ruby)
            || cfg!(feature = "scala") && matches!(self, Language::Scala)
            || cfg!(feature = "swift") && matches!(self, Language::Swift)
    }

    /// The language that habits are counted under: TSX shares TypeScript's.
    #[must_use]
    pub const fn stack(self) -> Language {
        match self {
            Language::Tsx => Language::TypeScript,
            other => other,
        }
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_unique_and_leads_back_to_its_language() {
        for &language in Language::ALL {
            assert_eq!(Language::from_name(language.as_str()), Some(language));
            let text = serde_json::to_string(&language).unwrap();
            assert_eq!(text, format!("\"{}\"", language.as_str()));
        }
    }

    #[test]
    fn a_path_decides_by_file_name_before_extension_and_in_any_case() {
        assert_eq!(Language::detect("CMakeLists.txt"), Some(Language::CMake));
        assert_eq!(Language::detect("deep/er/Makefile"), Some(Language::Make));
        assert_eq!(Language::detect("QUERY.SQL"), Some(Language::Sql));
        assert_eq!(Language::detect("types.d.ts"), Some(Language::TypeScript));
        assert_eq!(Language::detect("App.tsx"), Some(Language::Tsx));
        assert_eq!(Language::detect(".gitignore"), None);
        assert_eq!(Language::detect(".rs"), None);
        assert_eq!(Language::detect("noextension"), None);
        assert_eq!(Language::detect(""), None);
    }
}
