//! Rules that decide which files are skipped. They use only the path and the bytes, so the result is the same
//! everywhere. The project's own attributes are in [`attributes`](super::attributes).
//!
//! Longer than 450 lines: the rules are one list, with their tests.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::language::Language;

/// The maximum size of an analysed file, in bytes: 1 MiB. Larger sources are, in practice, generated or data.
pub const SIZE_CAP: usize = 1 << 20;

/// Why a file was not analysed.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// It contains a NUL byte.
    #[error("binary")]
    Binary,
    /// Its bytes are not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// It is larger than [`SIZE_CAP`].
    #[error("larger than 1 MiB")]
    TooLarge,
    /// Its brackets nest, or could nest, deeper than a parser supports safely.
    #[error("nested too deeply")]
    TooDeep,
    /// Its parser failed, or recovered so often that the result would be unreliable.
    #[error("does not parse")]
    DoesNotParse,
    /// It contains a remark that a program generated it.
    #[error("generated")]
    Generated,
    /// Its lines are too long to have been written by hand.
    #[error("minified")]
    Minified,
    /// It is in a folder for third-party code.
    #[error("vendored")]
    Vendored,
    /// It could not be read.
    #[error("unreadable")]
    Unreadable,
    /// It is text in UTF-16.
    #[error("UTF-16")]
    Utf16,
    /// It was modified while it was read.
    #[error("changed while being read")]
    Changed,
    /// It was deleted between listing and reading.
    #[error("deleted before it was read")]
    Vanished,
    /// It is a symbolic link: its target is analysed at the target's own path, if that is in the project.
    #[error("links")]
    Link,
    /// It refers to content elsewhere: a pointer of Git LFS or git-annex.
    #[error("pointers to content elsewhere")]
    Pointer,
}

impl Skip {
    /// The stable name: `too_large`, `does_not_parse`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Skip::Binary => "binary",
            Skip::NotUtf8 => "not_utf8",
            Skip::TooLarge => "too_large",
            Skip::TooDeep => "too_deep",
            Skip::DoesNotParse => "does_not_parse",
            Skip::Generated => "generated",
            Skip::Minified => "minified",
            Skip::Vendored => "vendored",
            Skip::Unreadable => "unreadable",
            Skip::Utf16 => "utf16",
            Skip::Changed => "changed",
            Skip::Vanished => "vanished",
            Skip::Link => "link",
            Skip::Pointer => "pointer",
        }
    }
}

/// One of the rules by which files are skipped. Its name, which a report contains, is the reason with a detail:
/// `vendored/node_modules`, `generated/.pb.go`, `minified/long-lines`. If there is no detail, the name is the reason:
/// `binary`, `does_not_parse`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkipRule {
    /// The reason.
    pub reason: Skip,
    /// What the file was recognised by; empty if the reason suffices.
    pub detail: &'static str,
}

impl SkipRule {
    const fn new(reason: Skip, detail: &'static str) -> SkipRule {
        SkipRule { reason, detail }
    }

    /// The repository's own `.gitattributes` marks the file as vendored.
    pub const VENDORED_BY_ATTRIBUTE: SkipRule = SkipRule::new(Skip::Vendored, "linguist-vendored");
    /// The repository's own `.gitattributes` marks the file as generated.
    pub const GENERATED_BY_ATTRIBUTE: SkipRule =
        SkipRule::new(Skip::Generated, "linguist-generated");
    /// The file is in a folder that javadoc wrote.
    pub(crate) const GENERATED_BY_JAVADOC: SkipRule = SkipRule::new(Skip::Generated, "javadoc");
}

/// The rule for a reason that was found in the content.
impl From<Skip> for SkipRule {
    fn from(reason: Skip) -> SkipRule {
        let detail = match reason {
            Skip::Generated => "header",
            Skip::Minified => "long-lines",
            Skip::Vendored => "author-notice",
            _ => "",
        };
        SkipRule { reason, detail }
    }
}

impl fmt::Display for SkipRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.as_str())?;
        if self.detail.is_empty() {
            return Ok(());
        }
        write!(f, "/{}", self.detail)
    }
}

/// Folders of third-party code, at any depth.
const VENDORED_FOLDERS: &[&str] = &[
    "node_modules",
    "bower_components",
    "vendor",
    "vendored",
    "_vendor",
    "third_party",
    "third-party",
    "thirdparty",
    "site-packages",
    "Pods",
    "Carthage",
    "Godeps",
];

/// The endings of names of generated files.
const GENERATED_ENDINGS: &[&str] = &[
    ".pb.go",
    ".pb.gw.go",
    "_grpc.pb.go",
    "_generated.go",
    "_pb2.py",
    "_pb2.pyi",
    "_pb2_grpc.py",
    ".pb.ts",
    "_pb.js",
    "_pb.d.ts",
    ".pb.cc",
    ".pb.h",
    ".pb.swift",
    ".grpc.swift",
    ".generated.swift",
    "_pb.rb",
    ".generated.ts",
    ".generated.js",
    ".g.cs",
    ".g.dart",
    ".Designer.cs",
    ".bundle.js",
    // protoc, flex and bison, Visual Studio and Roslyn.
    ".pb.c",
    ".pb.kt",
    ".yy.c",
    ".tab.c",
    ".tab.h",
    ".g.i.cs",
    ".designer.cs",
    ".generated.cs",
];

/// Where .NET puts what it compiles, with the attributes of the assembly that it writes. An `AssemblyInfo.cs` elsewhere
/// is kept by hand.
const DOTNET_FOLDER: &str = "obj";
const ASSEMBLY_INFO: &str = "AssemblyInfo.cs";

/// The beginnings and endings of names of generated files: Qt's.
const GENERATED_BEGINNINGS: &[(&str, &str)] = &[("moc_", ".cpp"), ("qrc_", ".cpp"), ("ui_", ".h")];

/// The names of generated files. Lock files are read as manifests, but have no lines of code.
const GENERATED_NAMES: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "composer.lock",
    "Cargo.lock",
    "Gemfile.lock",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "go.sum",
    // The wrapper scripts that Gradle and Maven generate.
    "gradlew",
    "gradlew.bat",
    "mvnw",
    "mvnw.cmd",
];

/// The names of third-party files that projects copy next to their own.
const VENDORED_NAMES: &[&str] = &["gmock-gtest-all.cc", "catch_amalgamated.cpp", "doctest.h"];

/// Folders of third-party code below a folder of tests.
const VENDORED_BELOW_TESTS: &[&str] = &["gtest", "gmock", "googletest"];

/// The folder of gettext's compiled catalogues, and the ending of those that are scripts.
const CATALOGUES: (&str, &str) = ("LC_MESSAGES", ".js");

/// The ending of folders with generated documentation.
const DOCSET: &str = ".docset";

/// The endings of names of minified files.
const MINIFIED_ENDINGS: &[&str] = &[".min.js", ".min.mjs", ".min.css"];

/// The number of bytes at the beginning of a file that are searched for a remark that it is generated. Many files begin
/// with a licence.
const HEADER_BYTES: usize = 2048;

/// A minified file has a mean line longer than this many bytes ...
const MINIFIED_MEAN_LINE: usize = 250;
/// ... and at least this many bytes; or one line is longer than [`MINIFIED_LINE`].
const MINIFIED_MIN_BYTES: usize = 2048;
/// A longer line, in bytes, was not written by hand.
const MINIFIED_LINE: usize = 10_000;
/// Beside such a line, one longer than this, in bytes, was pasted with it.
const PASTED_LINE: usize = 1000;
/// A file with so many lines of code that are not longer than [`MINIFIED_MEAN_LINE`] ...
const WRITTEN_LINES: usize = 100;
/// ... and with this share of them, in percent, was written by hand, whatever was pasted into it.
const WRITTEN_PERCENT: usize = 90;

/// The rule by which a file is skipped for its path alone, if any.
pub(crate) fn path_skip(path: &str) -> Option<SkipRule> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let vendored = folders.split('/').find_map(|folder| {
        let rule = VENDORED_FOLDERS.iter().find(|one| **one == folder)?;
        Some(SkipRule::new(Skip::Vendored, rule))
    });
    let copied = || {
        let rule = VENDORED_NAMES.iter().find(|one| **one == name)?;
        Some(SkipRule::new(Skip::Vendored, rule))
    };
    let below_tests = || {
        let mut parts = folders
            .split('/')
            .skip_while(|part| !matches!(*part, "test" | "tests"));
        parts.next()?;
        let first = parts.next()?;
        let rule = VENDORED_BELOW_TESTS.iter().find(|one| **one == first)?;
        Some(SkipRule::new(Skip::Vendored, rule))
    };
    let catalogue = || {
        let (folder, ending) = CATALOGUES;
        let is_in = name.ends_with(ending) && folders.split('/').any(|one| one == folder);
        is_in.then(|| SkipRule::new(Skip::Generated, folder))
    };
    let docset = || {
        let is_docset = folders.split('/').any(|folder| folder.ends_with(DOCSET));
        is_docset.then(|| SkipRule::new(Skip::Generated, DOCSET))
    };
    let assembly = || {
        let is_own = name == ASSEMBLY_INFO || name.ends_with(".AssemblyInfo.cs");
        let is_built = is_own && folders.split('/').any(|folder| folder == DOTNET_FOLDER);
        is_built.then(|| SkipRule::new(Skip::Generated, ASSEMBLY_INFO))
    };
    let ends = |reason: Skip, endings: &'static [&'static str]| {
        let rule = endings.iter().find(|ending| name.ends_with(**ending))?;
        Some(SkipRule::new(reason, rule))
    };
    let begins = || {
        let (rule, _) = GENERATED_BEGINNINGS
            .iter()
            .find(|(beginning, ending)| name.starts_with(beginning) && name.ends_with(ending))?;
        Some(SkipRule::new(Skip::Generated, rule))
    };
    let whole = || {
        let rule = GENERATED_NAMES.iter().find(|one| **one == name)?;
        Some(SkipRule::new(Skip::Generated, rule))
    };
    vendored
        .or_else(copied)
        .or_else(below_tests)
        .or_else(docset)
        .or_else(assembly)
        .or_else(catalogue)
        .or_else(|| ends(Skip::Minified, MINIFIED_ENDINGS))
        .or_else(|| ends(Skip::Generated, GENERATED_ENDINGS))
        .or_else(begins)
        .or_else(whole)
}

/// Validates the bytes of a file in this language, and returns them as text.
pub(crate) fn content_check(language: Language, source: &[u8]) -> Result<&str, Skip> {
    if source.len() > SIZE_CAP {
        return Err(Skip::TooLarge);
    }
    // UTF-16 contains many NUL bytes; the byte order mark distinguishes it from binary data.
    if source.starts_with(b"\xff\xfe") || source.starts_with(b"\xfe\xff") {
        return Err(Skip::Utf16);
    }
    if source.contains(&0) {
        return Err(Skip::Binary);
    }
    let text = std::str::from_utf8(source).map_err(|_| Skip::NotUtf8)?;
    if is_pointer(text) {
        return Err(Skip::Pointer);
    }
    // A heading of Markdown begins like a comment of other languages.
    let marks = match language {
        Language::Markdown => MARKUP_MARKS,
        _ => MARKS,
    };
    if header_says_generated(text, marks) || is_written_page(text) {
        return Err(Skip::Generated);
    }
    if header_names_author(text) {
        return Err(Skip::Vendored);
    }
    Ok(text)
}

/// Whether a comment near the top marks the file as generated: `@generated`, Go's `Code generated ... DO NOT EDIT.`
/// (<https://go.dev/s/generatedcode>), or the usual sentences. The remark must begin its comment: code that merely
/// contains the words is not generated. A remark that may begin a sentence about the code (`Generated from ...`) counts
/// only before the code, or with a warning not to edit.
fn header_says_generated(text: &str, marks: &[&str]) -> bool {
    let mut end = text.len().min(HEADER_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let lines: Vec<&str> = text[..end].lines().map(str::trim_start).collect();
    let is_remark = |line: &str, is_top: bool, after: &[&str]| {
        let Some(comment) = marks.iter().find_map(|mark| line.strip_prefix(mark)) else {
            return false;
        };
        let comment = comment.trim_start_matches(['/', '*', '!', '#', '-', ' ', '\t', '%', ';']);
        let lower = comment.to_ascii_lowercase();
        let begins = |remarks: &[&str]| remarks.iter().any(|remark| lower.starts_with(remark));
        let is_warned = || {
            let next = after.iter().take(WARNING_LINES);
            let mut near = next.map(|line| line.to_ascii_lowercase());
            is_warning(&lower) || near.any(|line| is_warning(&line))
        };
        begins(GENERATED_REMARKS)
            || (is_top && begins(TOP_REMARKS))
            || ((begins(TOP_REMARKS) || begins(VAGUE_REMARKS)) && is_warned())
            || (lower.starts_with("code generated ") && lower.contains("do not edit"))
            || (lower.starts_with("do not edit") && lower.contains("generated"))
    };
    let (mut is_top, mut in_block) = (true, false);
    lines.iter().enumerate().any(|(at, line)| {
        let after = lines.get(at + 1..).unwrap_or(&[]);
        is_top &= in_block || !is_code(line, marks);
        // A line of a comment may have no mark of its own.
        if let Some(opened) = line.rfind("/*") {
            in_block = !line[opened..].contains("*/");
        } else if line.contains("*/") {
            in_block = false;
        }
        is_remark(line, is_top, after)
    })
}

/// Whether the notice at the top says who "the author of this software" is: so begin the notices of files that are
/// copied from project to project, as `dtoa.c` is. Nobody writes so of an own file.
fn header_names_author(text: &str) -> bool {
    let mut end = text.len().min(HEADER_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].lines().any(|line| {
        let comment = line.trim_start();
        let words = comment.trim_start_matches(['/', '*', '#', '-', ' ', '\t', '%', ';']);
        let is_comment = words.len() < comment.len() || line.starts_with(char::is_whitespace);
        is_comment
            && words
                .to_ascii_lowercase()
                .starts_with("the author of this software is")
    })
}

/// The lines after a remark that may warn not to edit the file.
const WARNING_LINES: usize = 2;

fn is_warning(line: &str) -> bool {
    [
        "do not edit",
        "do not modify",
        "don't edit",
        "not intended for manual editing",
    ]
    .iter()
    .any(|words| line.contains(words))
}

/// Whether a line at the top of a file begins its code. The name of a package may precede the first remark.
fn is_code(line: &str, marks: &[&str]) -> bool {
    let before = ["package ", "<?", "\"use ", "'use "];
    let begins = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    !line.is_empty() && !begins(marks) && !begins(&before)
}

/// Whether a page names the program that wrote it: by the `generator` of its head, or by jazzy's style sheet.
fn is_written_page(text: &str) -> bool {
    let start = text.trim_start();
    let is_page = ["<!DOCTYPE html", "<!doctype html", "<html"]
        .iter()
        .any(|begin| start.starts_with(begin));
    if !is_page {
        return false;
    }
    let mut end = start.len().min(HEADER_BYTES);
    while !start.is_char_boundary(end) {
        end -= 1;
    }
    ["name=\"generator\"", "name='generator'", "css/jazzy.css"]
        .iter()
        .any(|mark| start[..end].contains(mark))
}

/// The beginnings of comments in all languages.
const MARKS: &[&str] = &[
    "//", "#", "/*", "*", "--", "<!--", ";", "\"\"\"", "%", "(*", "{-", "'",
];

/// The beginnings of comments in text.
const MARKUP_MARKS: &[&str] = &["<!--"];

/// The beginnings of remarks by code generators: those of linguist's list
/// (<https://github.com/github-linguist/linguist/blob/main/lib/linguist/generated.rb>) and the usual sentences.
const GENERATED_REMARKS: &[&str] = &[
    "@generated",
    "this file is automatically generated",
    "this file was automatically generated",
    "this file has been automatically generated",
    "this file is auto-generated",
    "this file was auto-generated",
    "this file has been auto-generated",
    "this file is autogenerated",
    "this file was autogenerated",
    "this file has been autogenerated",
    "this is a generated file",
    "this is an autogenerated file",
    "this is an auto-generated file",
    "this file is generated",
    "this file was generated",
    "this file has been generated",
    "this code was generated",
    "the following code was generated by",
    "parser generated by",
    "autogenerated by",
    "auto-generated by",
    "auto-generated file",
    "auto generated by",
    "auto generated file",
    "automatically generated by",
    "automatically generated file",
    "automatically generated from",
    "<auto-generated",
];

/// The beginnings of remarks that a comment on a declaration may have too.
const TOP_REMARKS: &[&str] = &["generated by ", "generated from ", "generated using "];

/// The beginnings of remarks that a sentence about other code may have too: linguist takes them with a warning.
const VAGUE_REMARKS: &[&str] = &[
    "generated code",
    "auto generated ",
    "automatically generated ",
    "machine generated",
];

/// Whether the text refers to content elsewhere: a pointer of Git LFS
/// (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>) or of git-annex.
fn is_pointer(text: &str) -> bool {
    const POINTER_BYTES: usize = 1024;
    let is_lfs = text.starts_with("version https://git-lfs.github.com/spec/")
        || text.starts_with("version https://hawser.github.com/spec/");
    text.len() <= POINTER_BYTES
        && ((is_lfs && text.contains("\noid ")) || text.starts_with("/annex/objects/"))
}

/// Whether the last line of the text names its source map, so that a compiler generated it.
pub(crate) fn has_source_map(text: &str) -> bool {
    const MARKS: [&str; 3] = [
        "//# sourceMappingURL=",
        "/*# sourceMappingURL=",
        "//@ sourceMappingURL=",
    ];
    let last = text.trim_end().rsplit('\n').next().unwrap_or("");
    MARKS.iter().any(|mark| last.trim_start().starts_with(mark))
}

/// Rejects text whose lines are too long to have been written by hand. A single long line says nothing about a file of
/// many others.
pub(crate) fn minified_check(text: &str) -> Result<(), Skip> {
    let lines = text
        .as_bytes()
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1;
    let long_on_average =
        text.len() >= MINIFIED_MIN_BYTES && text.len() / lines > MINIFIED_MEAN_LINE;
    let has_long_line =
        || text.len() > MINIFIED_LINE && text.lines().any(|line| line.len() > MINIFIED_LINE);
    if (long_on_average || has_long_line()) && !is_written(text) {
        Err(Skip::Minified)
    } else {
        Ok(())
    }
}

/// The lines of a written file, from 1, into which minified code was pasted.
pub(crate) fn pasted_lines(text: &str) -> Vec<u32> {
    if text.len() <= MINIFIED_LINE || text.lines().all(|line| line.len() <= MINIFIED_LINE) {
        return Vec::new();
    }
    let lines = (1..).zip(text.lines());
    let long = lines.filter(|(_, line)| line.len() > PASTED_LINE);
    long.map(|(number, _)| number).collect()
}

/// Whether nearly all lines with text are of a usual length, and they are many.
fn is_written(text: &str) -> bool {
    let (mut usual, mut all) = (0, 0);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        all += 1;
        usual += usize::from(line.len() <= MINIFIED_MEAN_LINE);
    }
    usual >= WRITTEN_LINES && usual * 100 >= all * WRITTEN_PERCENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(source: &[u8]) -> Result<&str, Skip> {
        content_check(Language::Rust, source)
    }

    #[test]
    fn folders_of_other_peoples_code_are_vendored_wherever_they_lie() {
        let rule = |path| path_skip(path).map(|rule| rule.to_string());
        assert_eq!(
            rule("web/node_modules/react/index.js").as_deref(),
            Some("vendored/node_modules")
        );
        assert_eq!(rule("vendor/a.go").as_deref(), Some("vendored/vendor"));
        assert_eq!(rule("src/vendor.rs"), None);
        assert_eq!(rule("src/vendors/list.rs"), None);
    }

    #[test]
    fn what_a_tool_writes_is_told_by_its_name_or_its_first_comment() {
        let rule = |path| path_skip(path).map(|rule| rule.to_string());
        assert_eq!(
            rule("Forms/Main.Designer.cs").as_deref(),
            Some("generated/.Designer.cs")
        );
        assert_eq!(
            rule("build/moc_window.cpp").as_deref(),
            Some("generated/moc_")
        );
        assert_eq!(rule("src/moc_window.h"), None);
        assert_eq!(
            rule("api/v1/user.pb.go").as_deref(),
            Some("generated/.pb.go")
        );
        assert_eq!(rule("Cargo.lock").as_deref(), Some("generated/Cargo.lock"));
        assert_eq!(rule("src/NotCargo.lock"), None);
        assert_eq!(
            rule("static/jquery.min.js").as_deref(),
            Some("minified/.min.js")
        );
        assert_eq!(
            SkipRule::from(Skip::Generated).to_string(),
            "generated/header"
        );
        assert_eq!(SkipRule::from(Skip::Binary).to_string(), "binary");
        for (path, name) in [
            ("gradlew", "generated/gradlew"),
            ("android/mvnw.cmd", "generated/mvnw.cmd"),
            (
                "docs/docsets/App.docset/Contents/index.html",
                "generated/.docset",
            ),
            (
                "test/gtest/gmock-gtest-all.cc",
                "vendored/gmock-gtest-all.cc",
            ),
            ("test/gtest/gtest/gtest-spi.h", "vendored/gtest"),
        ] {
            assert_eq!(rule(path).as_deref(), Some(name));
        }
        assert_eq!(rule("googletest/include/gtest/gtest.h"), None);
        let page = |head: &str| {
            format!("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n{head}\n</head></html>\n")
        };
        for head in [
            "<meta name=\"generator\" content=\"Doxygen 1.9\"/>",
            "<link rel=\"stylesheet\" type=\"text/css\" href=\"../css/jazzy.css\" />",
        ] {
            assert_eq!(
                checked(page(head).as_bytes()),
                Err(Skip::Generated),
                "{head}"
            );
        }
        assert!(checked(page("<meta name=\"viewport\">").as_bytes()).is_ok());
        let go = b"// Code generated by mockgen. DO NOT EDIT.\npackage a\n";
        assert_eq!(checked(go), Err(Skip::Generated));
        let rust =
            b"//! Writes files that say \"@generated\".\n// see Code generated by x\nfn a() {}\n";
        assert!(checked(rust).is_ok());
        for remark in [
            "// Generated from danish.sbl by Snowball 3.0.1 - https://snowballstem.org/\n",
            "# Generated by Django 5.0 on 2026-01-01\n",
            "/* The following code was generated by JFlex 1.9 */\n",
            "-- This file was automatically generated by tool. Do not edit.\n",
            "% Generated by roxygen2: do not edit by hand\n",
        ] {
            let refused = checked(remark.as_bytes());
            assert_eq!(refused, Err(Skip::Generated), "{remark}");
        }
        for remark in [
            "// Generates a.\n",
            "# Autogenerate: see b\n",
            "fn generated() {}\n",
        ] {
            assert!(checked(remark.as_bytes()).is_ok(), "{remark}");
        }
        let mention = b"const MARK: &str = \"@generated\";\n";
        assert!(checked(mention).is_ok());
    }

    #[test]
    fn a_sentence_about_generated_code_is_none() {
        for text in [
            "package a\n\n/**\n * Marker annotation for generated hint functions.\n */\n",
            "package a\n\nimport b\n\n/** Generated from the names of the modules. */\nval c = 1\n",
            "// Generated code calls this function.\nfn a() {}\n",
            "# Automatically generated ids are longer.\na = 1\n",
            "/* Machine generated names are cut. */\n",
        ] {
            assert!(checked(text.as_bytes()).is_ok(), "{text}");
        }
        for text in [
            "// GENERATED CODE - DO NOT MODIFY BY HAND\n",
            "// package: a\n\n/* Generated code.\n * Do not edit. */\n",
            "package a\n\n// Generated by the protocol compiler.\n",
            "/*\n  Free to use.\n*/\n// Generated by the protocol compiler.\n",
            "package a\n\nimport b\n\n// Generated by x. DO NOT EDIT!\n",
        ] {
            assert_eq!(checked(text.as_bytes()), Err(Skip::Generated), "{text}");
        }
        let page =
            b"# Monitor\n\n## Generated by the plugin\n\n## Generated code\n\nDo not edit.\n";
        assert!(content_check(Language::Markdown, page).is_ok());
        let page = b"<!-- Generated by x -->\n# Monitor\n";
        assert_eq!(
            content_check(Language::Markdown, page),
            Err(Skip::Generated)
        );
    }

    #[test]
    fn the_assembly_info_is_written_below_obj_alone() {
        let rule = |path| path_skip(path).map(|rule| rule.to_string());
        for path in [
            "a/obj/Debug/net8.0/Shop.AssemblyInfo.cs",
            "obj/AssemblyInfo.cs",
        ] {
            assert_eq!(rule(path).as_deref(), Some("generated/AssemblyInfo.cs"));
        }
        for path in [
            "src/CommonAssemblyInfo.cs",
            "Properties/AssemblyInfo.cs",
            "obj/MyAssemblyInfo.cs",
        ] {
            assert_eq!(rule(path), None, "{path}");
        }
        let written = b"//---------\n// <auto-generated>\n//  By a tool.\nusing System;\n";
        assert_eq!(checked(written), Err(Skip::Generated));
    }

    #[test]
    fn a_pointer_is_no_code_and_compiled_text_says_so() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:07\nsize 12\n";
        assert_eq!(checked(pointer.as_bytes()), Err(Skip::Pointer));
        assert!(checked(format!("# {pointer}").as_bytes()).is_ok());
        assert!(has_source_map("a{}\n/*# sourceMappingURL=a.css.map */\n"));
        assert!(!has_source_map("// see //# sourceMappingURL=\na();\n"));
    }

    #[test]
    fn bytes_that_are_no_text_have_their_own_reasons() {
        assert_eq!(checked(b"fn a() {}\0"), Err(Skip::Binary));
        assert_eq!(checked(&[0xff, b'a']), Err(Skip::NotUtf8));
        assert_eq!(checked(b"\xff\xfea\0"), Err(Skip::Utf16));
        assert_eq!(checked(b"\xfe\xff\0a"), Err(Skip::Utf16));
        assert_eq!(checked(&vec![b' '; SIZE_CAP + 1]), Err(Skip::TooLarge));
        let long = "a;".repeat(10_000);
        assert_eq!(minified_check(&long), Err(Skip::Minified));
        assert_eq!(minified_check("a;\n".repeat(10_000).as_str()), Ok(()));
    }

    #[test]
    fn a_few_long_lines_do_not_make_a_file_minified() {
        let pasted = "a;".repeat(10_000);
        let own = "call(1);\n".repeat(WRITTEN_LINES);
        assert_eq!(minified_check(&format!("{pasted}\n{own}")), Ok(()));
        assert_eq!(pasted_lines(&format!("{own}{pasted}\n{own}")), [101]);
        assert!(pasted_lines(&own).is_empty());
        let licence = "// of A\n".repeat(20);
        let minified = minified_check(&format!("{licence}{pasted}\n"));
        assert_eq!(minified, Err(Skip::Minified));
        let bundle = format!("{own}{}", format!("{}\n", "a;".repeat(200)).repeat(40));
        let bundled = format!("{bundle}{pasted}\n");
        assert_eq!(minified_check(&bundled), Err(Skip::Minified));
    }

    #[test]
    fn message_catalogues_of_scripts_are_generated() {
        let rule = |path| path_skip(path).map(|rule| rule.to_string());
        assert_eq!(
            rule("app/locale/de/LC_MESSAGES/app.js").as_deref(),
            Some("generated/LC_MESSAGES")
        );
        assert_eq!(rule("app/locale/messages.js"), None);
        assert_eq!(rule("app/locale/de/LC_MESSAGES/load.py"), None);
    }
}
