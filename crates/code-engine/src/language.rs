//! Detects the language of a file from its path.
//!
//! Some languages are parsed for facts ([`Language::has_facts`]): a few always, others if their feature is enabled.
//! All others have only a name, so that files can be listed and lines counted.
//!
//! Longer than 450 lines: the table of languages and their detection belong together.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The kind of a language's lines, for counting a project's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Code: counted in a project's lines of code.
    Code,
    /// Text for people: Markdown, reStructuredText.
    Prose,
    /// Data and settings: JSON, TOML, YAML.
    Data,
}

/// How comments and strings are written, for languages that are counted without a parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommentStyle {
    /// The prefixes of a comment that ends with its line.
    pub line: &'static [&'static str],
    /// The comments that may span lines.
    pub blocks: &'static [Block],
    /// The string delimiters; of those with the same beginning, the longer first.
    pub strings: &'static [&'static str],
    /// Whether `--[==[` begins a comment that `]==]` ends.
    pub long_brackets: bool,
}

/// A comment that may span lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub start: &'static str,
    pub end: &'static str,
    /// Whether the comment nests.
    pub nests: bool,
    /// Whether it is recognised only at the beginning of a line.
    pub at_line_start: bool,
}

const fn block(start: &'static str, end: &'static str, nests: bool) -> Block {
    Block {
        start,
        end,
        nests,
        at_line_start: false,
    }
}

const fn style(
    line: &'static [&'static str],
    blocks: &'static [Block],
    strings: &'static [&'static str],
) -> CommentStyle {
    CommentStyle {
        line,
        blocks,
        strings,
        long_brackets: false,
    }
}

const C_BLOCK: &[Block] = &[block("/*", "*/", false)];
const QUOTES: &[&str] = &["\"", "'"];
const DOUBLE: &[&str] = &["\""];
const TRIPLE: &[&str] = &["\"\"\"", "'''", "\"", "'"];

const SLASHES: CommentStyle = style(&["//"], C_BLOCK, TRIPLE);
const STARS: CommentStyle = style(&[], C_BLOCK, QUOTES);
const HASH: CommentStyle = style(&["#"], &[], TRIPLE);
const HASH_SLASHES: CommentStyle = style(&["#", "//"], C_BLOCK, DOUBLE);
const HASH_STARS: CommentStyle = style(&["#"], C_BLOCK, DOUBLE);
const SQL: CommentStyle = style(&["--"], C_BLOCK, QUOTES);
const LUA: CommentStyle = CommentStyle {
    long_brackets: true,
    ..style(&["--"], &[], QUOTES)
};
const BRACES: CommentStyle = style(&["--"], &[block("{-", "-}", true)], DOUBLE);
const POWERSHELL: CommentStyle = style(&["#"], &[block("<#", "#>", false)], QUOTES);
const JULIA: CommentStyle = style(&["#"], &[block("#=", "=#", true)], &["\"\"\"", "\""]);
const CMAKE: CommentStyle = style(&["#"], &[block("#[[", "]]", false)], DOUBLE);
const PERL: CommentStyle = style(
    &["#"],
    &[Block {
        start: "=",
        end: "\n=cut",
        nests: false,
        at_line_start: true,
    }],
    QUOTES,
);
const MARKUP: CommentStyle = style(&[], &[block("<!--", "-->", false)], &[]);
const TEMPLATE: CommentStyle = style(
    &[],
    &[
        block("<!--", "-->", false),
        block("{#", "#}", false),
        block("<%#", "%>", false),
        block("<%--", "--%>", false),
        block("{{!--", "--}}", false),
        block("@*", "*@", false),
    ],
    &[],
);
const LISP: CommentStyle = style(&[";"], &[block("#|", "|#", true)], DOUBLE);
const ML: CommentStyle = style(&[], &[block("(*", "*)", true)], DOUBLE);
const PERCENT: CommentStyle = style(&["%"], &[], &[]);
const MATLAB: CommentStyle = style(&["%"], &[block("%{", "%}", true)], &[]);
const NO_COMMENT: CommentStyle = style(&[], &[], &[]);

impl CommentStyle {
    /// The comment style of a script in a page.
    pub(crate) const SCRIPT: CommentStyle = style(&["//"], C_BLOCK, &["\"", "'", "`"]);
    /// The comment style of a style sheet in a page.
    pub(crate) const STYLE: CommentStyle = STARS;
}

macro_rules! languages {
    ($($variant:ident $text:literal $title:literal $category:ident $comments:ident [$($extension:literal)*] [$($file:literal)*];)*) => {
        /// A language, identified by its stable name.
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

            pub(crate) const fn comment_style(self) -> &'static CommentStyle {
                match self { $(Language::$variant => &$comments),* }
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
    Python "python" "Python" Code HASH ["py" "pyi" "pyw"] ["SConstruct" "SConscript" "wscript"];
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
    Matlab "matlab" "MATLAB" Code MATLAB [] [];
    Starlark "starlark" "Starlark" Code HASH ["bzl" "star"] ["BUILD.bazel" "WORKSPACE.bazel" "MODULE.bazel"];
    Meson "meson" "Meson" Code HASH [] ["meson.build" "meson_options.txt"];
    Zig "zig" "Zig" Code SLASHES ["zig"] [];
    Php "php" "PHP" Code SLASHES ["php"] [];
    Ruby "ruby" "Ruby" Code HASH ["rb" "rake" "gemspec" "podspec" "ru"] ["Gemfile" "Rakefile" "Podfile" "Fastfile" "Vagrantfile"];
    Perl "perl" "Perl" Code PERL ["pl" "pm"] [];
    Shell "shell" "Shell" Code HASH ["sh" "bash" "zsh" "bats"] [];
    Fish "fish" "fish" Code HASH ["fish"] [];
    PowerShell "powershell" "PowerShell" Code POWERSHELL ["ps1" "psm1"] [];
    Elixir "elixir" "Elixir" Code HASH ["ex" "exs"] [];
    R "r" "R" Code HASH ["r" "R"] [];
    Julia "julia" "Julia" Code JULIA ["jl"] [];
    Nix "nix" "Nix" Code HASH_STARS ["nix"] [];
    Terraform "terraform" "Terraform" Code HASH_SLASHES ["tf" "hcl"] [];
    Make "make" "Make" Code HASH ["mk"] ["Makefile" "GNUmakefile" "makefile" "justfile" "Justfile"];
    CMake "cmake" "CMake" Code CMAKE ["cmake"] ["CMakeLists.txt"];
    Dockerfile "dockerfile" "Dockerfile" Code HASH ["dockerfile"] ["Dockerfile" "Containerfile"];
    Lua "lua" "Lua" Code LUA ["lua"] [];
    Haskell "haskell" "Haskell" Code BRACES ["hs"] [];
    Elm "elm" "Elm" Code BRACES ["elm"] [];
    Sql "sql" "SQL" Code SQL ["sql"] [];
    Erlang "erlang" "Erlang" Code PERCENT ["erl" "hrl"] [];
    Clojure "clojure" "Clojure" Code LISP ["clj" "cljs" "cljc"] [];
    OCaml "ocaml" "OCaml" Code ML ["ml" "mli"] [];
    Css "css" "CSS" Code STARS ["css"] [];
    Scss "scss" "SCSS" Code SLASHES ["scss" "sass" "less"] [];
    Html "html" "HTML" Code MARKUP ["html" "htm"] [];
    Vue "vue" "Vue" Code MARKUP ["vue"] [];
    Svelte "svelte" "Svelte" Code MARKUP ["svelte"] [];
    Template "template" "Templates" Code TEMPLATE ["erb" "j2" "jinja" "jinja2" "twig" "ejs" "hbs" "handlebars" "mustache" "liquid" "gotmpl" "gohtml" "cshtml" "razor" "jsp" "ftl" "haml" "slim" "pug" "njk" "eex" "heex"] [];
    GraphQl "graphql" "GraphQL" Code HASH ["graphql" "gql"] [];
    Protobuf "protobuf" "Protocol Buffers" Code SLASHES ["proto"] [];
    Markdown "markdown" "Markdown" Prose MARKUP ["md" "mdx" "markdown"] [];
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
        if matches!(stem, "Dockerfile" | "Containerfile" | "dockerfile") {
            return Some(Language::Dockerfile);
        }
        if stem.is_empty() {
            return None;
        }
        Language::from_extension(extension)
            .or_else(|| Language::from_extension(&extension.to_ascii_lowercase()))
    }

    /// Whether only the first line tells the language of the file at `path`, because it has no known extension.
    pub(crate) fn is_told_by_content(path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        Language::detect(path).is_none()
            && !name.starts_with('.')
            && ending.is_none_or(|ending| matches!(ending, "cgi" | "fcgi" | "in" | "tool" | "wsgi"))
    }

    /// The language of the interpreter in the first line: `#!/usr/bin/env python3`.
    #[must_use]
    pub fn of_interpreter(content: &[u8]) -> Option<Language> {
        let line = content.strip_prefix(b"#!")?;
        let line = line.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
        let line = std::str::from_utf8(line.get(..line.len().min(200))?).ok()?;
        let mut words = line.split_whitespace();
        let program = words.next()?.rsplit('/').next()?;
        // `env -S node --flag`, `env NAME=value python`.
        let program = match program {
            "env" => words.find(|word| !word.starts_with('-') && !word.contains('='))?,
            other => other,
        };
        let program = program.rsplit('/').next()?;
        let stem = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        Some(match stem.trim_end_matches('-') {
            "python" | "pypy" | "pythonw" => Language::Python,
            "uv" if line.contains("run") => Language::Python,
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" | "bats" => Language::Shell,
            "fish" => Language::Fish,
            "node" | "nodejs" | "bun" => Language::JavaScript,
            "deno" | "ts-node" | "tsx" => Language::TypeScript,
            "ruby" | "jruby" | "rake" => Language::Ruby,
            "perl" => Language::Perl,
            "php" => Language::Php,
            "lua" | "luajit" => Language::Lua,
            "Rscript" => Language::R,
            "julia" => Language::Julia,
            "pwsh" => Language::PowerShell,
            "elixir" => Language::Elixir,
            "escript" => Language::Erlang,
            "groovy" => Language::Groovy,
            "scala" => Language::Scala,
            "kotlin" => Language::Kotlin,
            "swift" => Language::Swift,
            "ocaml" => Language::OCaml,
            "runghc" | "runhaskell" | "stack" => Language::Haskell,
            "make" => Language::Make,
            _ => return None,
        })
    }

    /// An extension may be used by several languages: `.ts` may be Qt's XML, `.h` may be C++, `.m` MATLAB.
    #[must_use]
    pub fn refined(self, content: &[u8]) -> Language {
        let is_open = matches!(
            self,
            Language::TypeScript | Language::Tsx | Language::C | Language::ObjectiveC
        );
        if !is_open {
            return self;
        }
        let mut end = content.len().min(1 << 16);
        while end > 0 && end < content.len() && content[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        let Ok(text) = std::str::from_utf8(&content[..end]) else {
            return self;
        };
        let text = text.trim_start_matches('\u{feff}');
        match self {
            Language::TypeScript | Language::Tsx => {
                let head = text.trim_start();
                let is_xml = ["<?xml", "<!DOCTYPE", "<TS ", "<tileset"]
                    .iter()
                    .any(|mark| head.starts_with(mark));
                if is_xml { Language::Xml } else { self }
            }
            Language::C if cfg!(feature = "cpp") && text.lines().any(is_cpp_line) => Language::Cpp,
            Language::ObjectiveC => {
                let any = |marks: &[&str]| {
                    let mut lines = text.lines().map(str::trim_start);
                    lines.any(|line| marks.iter().any(|mark| line.starts_with(mark)))
                };
                let is_matlab =
                    any(&["%", "function ", "classdef "]) && !any(&["@", "#", "//", "/*"]);
                if is_matlab { Language::Matlab } else { self }
            }
            other => other,
        }
    }

    /// Whether [`refined`](Self::refined) may return `other` for this language.
    pub(crate) fn may_become(self, other: Language) -> bool {
        self == other
            || matches!(
                (self, other),
                (Language::TypeScript | Language::Tsx, Language::Xml)
                    | (Language::C, Language::Cpp)
                    | (Language::ObjectiveC, Language::Matlab)
            )
    }

    /// The language with this stable name, the inverse of [`Language::as_str`].
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

    /// Whether its files are templates of pages, which call the project's code: the names in them are in use.
    pub(crate) const fn is_template(self) -> bool {
        matches!(
            self,
            Language::Html | Language::Template | Language::Vue | Language::Svelte
        )
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

/// Whether a line of a header can only be C++. C headers too contain the line `extern "C" {`, guarded by `#ifdef
/// __cplusplus`, so it does not count.
fn is_cpp_line(line: &str) -> bool {
    let line = line.trim();
    let is_name = |rest: &str| rest.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let is_library = |name: &str| !name.contains(['.', '/']);
    line.strip_prefix("namespace ").is_some_and(is_name)
        || line.strip_prefix("class ").is_some_and(is_name)
        || line.starts_with("template <")
        || line.starts_with("template<")
        || line.starts_with("using namespace ")
        || matches!(line, "public:" | "private:" | "protected:")
        || line
            .strip_prefix("#include <")
            .and_then(|rest| rest.strip_suffix('>'))
            .is_some_and(is_library)
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
    fn an_interpreter_tells_the_language() {
        for (line, language) in [
            ("#!/usr/bin/env python3\n", Some(Language::Python)),
            ("#!/usr/bin/python3.12 -u\r\n", Some(Language::Python)),
            ("#! /bin/sh\n", Some(Language::Shell)),
            (
                "#!/usr/bin/env -S NODE_ENV=x node --flag\n",
                Some(Language::JavaScript),
            ),
            ("#!/opt/ruby2.7/bin/ruby", Some(Language::Ruby)),
            ("#!/usr/bin/awk -f\n", None),
            ("python\n", None),
            ("#!", None),
        ] {
            let found = Language::of_interpreter(line.as_bytes());
            assert_eq!(found, language, "{line}");
        }
        assert!(Language::is_told_by_content("bin/report"));
        assert!(Language::is_told_by_content("www/tool.cgi"));
        assert!(!Language::is_told_by_content("logo.png"));
        assert!(!Language::is_told_by_content(".profile"));
    }

    #[test]
    fn content_decides_where_an_ending_stands_for_several() {
        use Language::{C, Cpp, Matlab, ObjectiveC, TypeScript, Xml};
        for (language, content, refined) in [
            (TypeScript, "<?xml version=\"1.0\"?>\n<TS>\n", Xml),
            (TypeScript, "export const a = <T>(x: T) => x;\n", TypeScript),
            (C, "#pragma once\n#include <string>\n", Cpp),
            (
                C,
                "#ifdef __cplusplus\nextern \"C\" {\n#endif\n#include <stdio.h>\n",
                C,
            ),
            (ObjectiveC, "% a\nfunction y = f(x)\ny = x;\n", Matlab),
            (
                ObjectiveC,
                "#import <A/A.h>\n@implementation A\n@end\n",
                ObjectiveC,
            ),
        ] {
            assert_eq!(language.refined(content.as_bytes()), refined, "{content}");
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
        let docker = Language::detect("Dockerfile.dev");
        assert_eq!(docker, Some(Language::Dockerfile));
        assert_eq!(Language::detect("SConstruct"), Some(Language::Python));
        assert_eq!(Language::detect("noextension"), None);
        assert_eq!(Language::detect(""), None);
    }
}
