//! The facts of one file: plain data with the same form for every language. They depend only on the content and
//! language of the file, not on its path, so one blob has one set of facts.

use serde::{Deserialize, Serialize};

use super::language::Language;
pub use super::name::Name;
use super::noted::{NotedCell, NotedReferences};
use super::references::References;
pub use super::signs::Signs;
pub use super::texts::{Text, Texts};
pub use super::windows::{CLONE_TOKENS_FOUND, WINDOW_TOKENS, Windows};

/// The version of the facts. It changes when the same source yields other facts; caches use it as a key.
pub const ENGINE_VERSION: u32 = 12;

/// The facts of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// The number of lines by kind.
    pub lines: LineCounts,
    /// Its definitions, in the order of the source.
    pub definitions: Vec<Definition>,
    /// Its imports, in the order of the source.
    pub imports: Vec<Import>,
    /// Places that show a habit, by sign; each a 1-based line, in the order of the source.
    pub signs: Signs,
    /// The number of functions without a name (closures that the language writes as functions) and their complexity.
    pub anonymous: Anonymous,
    /// Its references by name.
    pub references: References,
    /// Test cases: the lines of test functions, or of calls of `it` and `test`.
    pub tests: Vec<u32>,
    /// The lines of comments with a mark of something to do: the words TODO and FIXME, at the beginning of a line or
    /// before `:` or `(`.
    pub todos: Vec<u32>,
    /// Syntax errors that the parser recovered from.
    pub syntax_errors: u32,
    /// Hashes of its windows of normalised tokens, for finding duplicates.
    pub windows: Windows,
    /// The keys of its front matter, in order, if the file is text with front matter.
    pub front_matter: Vec<String>,
    /// The words in its string literals, for finding uses by a name that is composed at run time.
    pub texts: Texts,
    /// The line of the comment at its top that names a copyright or a licence, with `YYYY` for its years; empty if
    /// there is none.
    pub header: Name,
    /// The part of the facts that the steps of a project read repeatedly.
    #[serde(skip)]
    pub(crate) noted: NotedCell,
}

impl FileFacts {
    /// The sum of the cyclomatic complexity of every function in the file, named or not.
    #[must_use]
    pub fn complexity(&self) -> u32 {
        let named: u32 = self
            .definitions
            .iter()
            .filter_map(|d| d.metrics.as_ref())
            .map(|m| m.cyclomatic)
            .sum();
        named + self.anonymous.cyclomatic
    }

    /// The number of named functions and methods with a body.
    #[must_use]
    pub fn function_count(&self) -> u32 {
        u32::try_from(
            self.definitions
                .iter()
                .filter(|d| d.metrics.is_some())
                .count(),
        )
        .unwrap_or(u32::MAX)
    }

    /// The noted part of the facts; `language` is the language of the file.
    pub(crate) fn noted(&self, language: Language) -> &NotedReferences {
        self.noted.get(language, self)
    }

    /// Stores the result of an earlier [`noted`](Self::noted) for the same facts.
    pub(crate) fn noted_set(&self, noted: NotedReferences) {
        self.noted.set(noted);
    }

    pub(crate) fn sign_lines(&self, sign: Sign) -> &[u32] {
        &self.signs[sign]
    }
}

/// The number of lines by content. A line with code and a comment is code; a Python docstring is a comment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineCounts {
    /// Lines with code.
    pub code: u32,
    /// Lines with a comment and nothing else.
    pub comment: u32,
    /// Lines with nothing but white space.
    pub blank: u32,
}

impl LineCounts {
    /// All lines.
    #[must_use]
    pub fn total(self) -> u32 {
        self.code + self.comment + self.blank
    }
}

/// The kind of a definition, with the names of one language's kinds mapped onto the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefinitionKind {
    /// A function that belongs to no type.
    Function,
    /// A function of a type: of a class, an `impl`, a trait, or with a Go receiver.
    Method,
    /// A class, also a Java record.
    Class,
    /// A struct, also a Rust union.
    Struct,
    /// An enumeration.
    Enum,
    /// A Rust trait.
    Trait,
    /// An interface, also a Java annotation type.
    Interface,
    /// A type alias, or a Go type that is neither struct nor interface.
    Type,
    /// A constant or static at the top of a module or type.
    Constant,
    /// A module or namespace with a body in this file.
    Module,
}

impl DefinitionKind {
    /// The stable name: `function`, `method`, `class`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DefinitionKind::Function => "function",
            DefinitionKind::Method => "method",
            DefinitionKind::Class => "class",
            DefinitionKind::Struct => "struct",
            DefinitionKind::Enum => "enum",
            DefinitionKind::Trait => "trait",
            DefinitionKind::Interface => "interface",
            DefinitionKind::Type => "type",
            DefinitionKind::Constant => "constant",
            DefinitionKind::Module => "module",
        }
    }
}

/// Something that the file defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What it is.
    pub kind: DefinitionKind,
    /// Its name, without its parent's.
    pub name: Name,
    /// The line of its first token, 1-based; attributes and doc comments stand before it.
    pub start_line: u32,
    /// The line of its last token, 1-based.
    pub end_line: u32,
    /// Whether others may use it: `pub`, `export`, a capital in Go, `public` in Java, no leading `_` in Python.
    pub exported: bool,
    /// Whether subclasses may use it even outside the project: `protected`.
    pub inherited: bool,
    /// Whether a doc comment belongs to it.
    pub documented: bool,
    /// Whether it is part of the file's tests.
    pub test: bool,
    /// Whether its name was chosen elsewhere: it implements a trait, overrides a method, or is special to the language.
    pub dictated: bool,
    /// Whether it is an asynchronous function: `async`, `suspend`.
    pub asynchronous: bool,
    /// The name of the type, class or module that it is directly in.
    pub parent: Option<Name>,
    /// The paths of its decorators, annotations or attributes, without arguments: `app.route`, `Override`.
    pub decorators: Box<[Name]>,
    /// Its measures, for a function or method with a body.
    pub metrics: Option<FunctionMetrics>,
}

/// The measures of one function. A nested function counts for itself only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionMetrics {
    /// Cyclomatic complexity as lizard (<https://github.com/terryyin/lizard>, 1.24) counts it: one, and one more for
    /// each condition, loop, logical operator, handler and further case. The page `parse` lists the differences.
    pub cyclomatic: u32,
    /// Cognitive complexity after G. A. Campbell, "Cognitive Complexity: a new way of measuring understandability"
    /// (SonarSource, 2023), without recursion, which cannot be detected in one file. An unnamed function counts for
    /// the enclosing one, one level deeper.
    pub cognitive: u32,
    /// The greatest depth of conditions, loops, matches and handlers inside one another.
    pub nesting: u32,
    /// Declared parameters; a Rust `self`, a Go receiver and a variadic count as one each, except that a receiver
    /// written outside the list does not count.
    pub parameters: u32,
    /// Lines from the first token of the function to its last.
    pub length: u32,
}

/// The functions without a name of one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anonymous {
    /// Their number.
    pub functions: u32,
    /// The sum of their cyclomatic complexity.
    pub cyclomatic: u32,
    /// The cognitive complexity of those outside of functions.
    pub cognitive: u32,
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The module as it is written: `std::fs`, `./client`, `..models`, `github.com/a/b`, `java.util.List`.
    pub module: Name,
    /// The imported names, separated by `,`, in languages that list them apart from the module and where they may be
    /// modules themselves: Python's (`b,c` of `from a import b, c as d`) and those of a Rust group (`b,c::d` of `use
    /// a::{b, c::{d as e}}`).
    pub names: Name,
    /// The local name of the module itself, if the import gives it another name: `t` of `import typing as t`, `z` of
    /// `import * as z from "zod"`.
    pub alias: Name,
    /// Its 1-based line.
    pub line: u32,
    /// How it is imported.
    pub style: ImportStyle,
    /// Whether it is in test code.
    pub test: bool,
}

/// How a module is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportStyle {
    /// The module itself: `import os`, `import * as x from`, a Go import.
    Module,
    /// Names out of it: `from a import b`, `import { b } from`, `use a::b`.
    Names,
    /// Everything in it: `from a import *`, `use a::*`, `import a.*`.
    Wildcard,
    /// Types alone: `import type`.
    Types,
    /// CommonJS: `require("a")`.
    Require,
    /// A dynamic import: `import("a")`.
    Dynamic,
    /// A re-export: `export ... from`, `pub use`.
    ReExport,
}

/// A place that shows how something is done. Patterns count these against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Rust: an error propagated with `?`, outside tests.
    ErrorPropagated,
    /// Rust: `unwrap()` or `expect()`, outside tests.
    ErrorUnwrapped,
    /// A handler that names the caught type.
    CatchSpecific,
    /// A handler for everything: bare `except`, `except Exception`, `catch (Throwable e)`.
    CatchBroad,
    /// A `catch` block with a statement or comment in it.
    CatchHandled,
    /// A `catch` block with nothing in it.
    CatchEmpty,
    /// Python: a new exception raised in a handler `from` the caught one (or from `None`).
    RaiseChained,
    /// Python: a new exception raised in a handler without `from`.
    RaiseUnchained,
    /// Go: an error wrapped in another (`%w`, `errors.Join`).
    ErrorWrapped,
    /// Go: an error returned unchanged.
    ErrorReturned,
    /// Go: an error formatted into text (`%v`, `%s`), which loses its cause.
    ErrorFormatted,
    /// JavaScript: `throw new ...`.
    ThrowNew,
    /// JavaScript: a thrown literal or object.
    ThrowValue,
    /// JavaScript: a named export.
    ExportNamed,
    /// JavaScript: a default export.
    ExportDefault,
    /// CommonJS: an assignment to `exports` or `module.exports`.
    ExportCommonJs,
    /// Rust: a `#[cfg(test)]` module with its body in this file.
    TestModuleInline,
    /// Rust: a `#[cfg(test)]` module whose body is in another file.
    TestModuleElsewhere,
    /// Go: a test file in its package's own namespace.
    TestPackageInside,
    /// Go: a test file in the `_test` package.
    TestPackageOutside,
    /// A doc comment that begins with the name of its item (Go's convention).
    DocStartsWithName,
    /// A doc comment that does not.
    DocStartsOtherwise,
    /// A definition that is a property computed by code, or an accessor of a property: a method only in these facts.
    Accessor,
    /// The directive at the top of a file: `'use strict'`, `# frozen_string_literal: true`, `declare(strict_types=1)`,
    /// `#pragma once`.
    OpeningDirective,
    /// C and C++: `#ifndef A` and `#define A` at the top of a file.
    IncludeGuard,
    /// A function outside of functions that states its types. Python: of all parameters and of what it returns.
    /// TypeScript: of what it returns. An overload, a setter, and a Python function without parameters of its own have
    /// no such sign, nor has a TypeScript function whose variable states its type.
    SignatureTyped,
    /// Such a function that does not.
    SignatureUntyped,
}
