//! The directive at the top of files, and how headers of C are guarded. A case is a file of source or tests that the
//! directive has an effect on: a CommonJS module, a file of Ruby with code, a file of PHP that defines something, a
//! header.
//!
//! `from __future__ import annotations` of Python is one of the [import styles](super::import_style).

use super::super::facts::{DefinitionKind, ImportStyle, Sign};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "file_opening";

/// The minimum lines of code: a smaller file is only a list of others.
const CODE_MIN: u32 = 3;

/// The endings of headers.
const HEADER_ENDS: [&str; 4] = [".h", ".hh", ".hpp", ".hxx"];

/// A directive that files of a language begin with.
#[derive(Debug)]
struct Directive {
    stack: Language,
    /// The answer, as a part of the key.
    slug: &'static str,
    /// The directive as it is written.
    text: &'static str,
    /// The files that it has an effect on, and one of them.
    files: (&'static str, &'static str),
    holds: fn(&SourceFile) -> bool,
}

const DIRECTIVES: [Directive; 3] = [
    Directive {
        stack: Language::JavaScript,
        slug: "use-strict",
        text: "'use strict'",
        files: ("CommonJS modules", "a CommonJS module"),
        holds: is_common_js,
    },
    Directive {
        stack: Language::Php,
        slug: "strict-types",
        text: "declare(strict_types=1);",
        files: (
            "Files that define something",
            "a file that defines something",
        ),
        holds: defines_something,
    },
    Directive {
        stack: Language::Ruby,
        slug: "frozen-string-literal",
        text: "# frozen_string_literal: true",
        files: ("Files", "a file"),
        holds: is_ruby_source,
    },
];

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let guards = [Language::C, Language::Cpp].map(|stack| header_guards(context, stack));
    let directives = DIRECTIVES.iter().map(|one| directive(context, one));
    decide(KIND, &directives.chain(guards).collect::<Vec<_>>())
}

/// The files of source and tests for which the question arises.
fn files<'a>(
    context: &Context<'a>,
    stack: Language,
    holds: impl Fn(&SourceFile) -> bool,
) -> impl Iterator<Item = &'a SourceFile> {
    let files = context.source(stack).chain(context.tests(stack));
    files.filter(move |file| holds(file))
}

fn directive<'a>(context: &Context<'a>, directive: &Directive) -> Question<'a> {
    let Directive {
        text,
        files: (many, one),
        ..
    } = directive;
    let cases = files(context, directive.stack, directive.holds).map(|file| {
        let found = file.facts.sign_lines(Sign::OpeningDirective).first();
        Case::line(
            file,
            found.copied().unwrap_or(1),
            usize::from(found.is_none()),
        )
    });
    Question {
        subject: "directive".into(),
        stack: directive.stack,
        answers: vec![
            Answer::rule(
                directive.slug,
                format!("{many} begin with `{text}`"),
                format!("Begin {one} with `{text}`."),
            ),
            Answer::other("without"),
        ],
        cases: cases.collect(),
    }
}

fn header_guards<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let is_header = |file: &SourceFile| {
        let has_code = file.facts.lines.code >= CODE_MIN;
        has_code && HEADER_ENDS.iter().any(|end| file.path.ends_with(end))
    };
    let cases = files(context, stack, is_header).filter_map(|file| {
        let line = |sign| file.facts.sign_lines(sign).first().copied();
        match (line(Sign::OpeningDirective), line(Sign::IncludeGuard)) {
            (Some(line), None) => Some(Case::line(file, line, 0)),
            (None, Some(line)) => Some(Case::line(file, line, 1)),
            // A header of declarations and macros may be read twice, and a list of macros has to be.
            (None, None) => defines_something(file).then(|| Case::line(file, 1, 2)),
            (Some(_), Some(_)) => None,
        }
    });
    Question {
        subject: "header-guard".into(),
        stack,
        answers: vec![
            Answer::rule(
                "pragma-once",
                "Headers begin with `#pragma once`",
                "Begin a header with `#pragma once`, without an include guard.",
            ),
            Answer::rule(
                "include-guard",
                "Headers have an include guard",
                "Put a header into an include guard (`#ifndef`, `#define`, `#endif`); do not use `#pragma once`.",
            ),
            Answer::other("none"),
        ],
        cases: cases.collect(),
    }
}

/// Whether a file is a CommonJS module. ES modules are strict anyway, and whether a file that neither imports nor
/// exports is one depends on who loads it.
fn is_common_js(file: &SourceFile) -> bool {
    let facts = &file.facts;
    let has = |sign| !facts.sign_lines(sign).is_empty();
    let is_static = |style| !matches!(style, ImportStyle::Require | ImportStyle::Dynamic);
    let is_module = has(Sign::ExportNamed)
        || has(Sign::ExportDefault)
        || facts.imports.iter().any(|import| is_static(import.style));
    let requires = |style| style == ImportStyle::Require;
    !is_module
        && !file.path.ends_with(".mjs")
        && (has(Sign::ExportCommonJs) || facts.imports.iter().any(|import| requires(import.style)))
}

/// Whether a file defines a type or a function. A file of settings, or a page of PHP, calls little.
fn defines_something(file: &SourceFile) -> bool {
    let mut definitions = file.facts.definitions.iter();
    definitions.any(|one| !matches!(one.kind, DefinitionKind::Constant | DefinitionKind::Module))
}

/// Whether a file is Ruby with code. Recipes such as a `Rakefile` and a `.gemspec` are read by their tools.
fn is_ruby_source(file: &SourceFile) -> bool {
    file.path.ends_with(".rb") && file.facts.lines.code >= CODE_MIN
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{found, patterns};

    /// The patterns of ten files with one content and of one with another.
    fn of(ending: &str, most: &str, other: &str) -> Vec<String> {
        let paths: Vec<String> = (0..10).map(|n| format!("lib/a{n}.{ending}")).collect();
        let mut sources: Vec<(&str, &str)> = paths.iter().map(|p| (p.as_str(), most)).collect();
        let last = format!("lib/other.{ending}");
        sources.push((&last, other));
        found("file_opening", &sources)
    }

    #[test]
    fn the_directive_of_most_files_is_told() {
        let module = "const a = require('a');\nmodule.exports = a;\n";
        assert_eq!(
            of("js", &format!("'use strict';\n{module}"), module),
            ["file_opening/javascript/directive/use-strict 10/11"]
        );
        let class = "class A\n  def b\n  end\nend\n";
        assert_eq!(
            of(
                "rb",
                &format!("# frozen_string_literal: true\n\n{class}"),
                class
            ),
            ["file_opening/ruby/directive/frozen-string-literal 10/11"]
        );
        let class = "class A\n{\n}\n";
        assert_eq!(
            of(
                "php",
                &format!("<?php\n\ndeclare(strict_types=1);\n\n{class}"),
                &format!("<?php\n\n{class}")
            ),
            ["file_opening/php/directive/strict-types 10/11"]
        );
    }

    #[test]
    fn files_without_a_directive_have_no_such_habit() {
        assert!(
            of(
                "js",
                "module.exports = 1;\n",
                "'use strict';\nmodule.exports = 1;\n"
            )
            .is_empty()
        );
        assert!(
            of(
                "rb",
                "class A\n  B = 1\nend\n",
                "# frozen_string_literal: true\nA = 1\n"
            )
            .is_empty()
        );
        assert!(of("php", "<?php\nclass A {}\n", "<?php\nclass A {}\n").is_empty());
    }

    #[test]
    fn a_file_without_an_effect_of_the_directive_is_no_case() {
        let strict = "'use strict';\nmodule.exports = 1;\n";
        for other in [
            "import a from 'a';\nexport const b = 1;\n",
            "alert(1);\n",
            "import('a');\n",
        ] {
            assert_eq!(
                of("js", strict, other),
                ["file_opening/javascript/directive/use-strict 10/10"],
                "{other}"
            );
        }
        let frozen = "# frozen_string_literal: true\nmodule A\n  B = 1\nend\n";
        assert_eq!(
            of("rb", frozen, "require 'a'\n"),
            ["file_opening/ruby/directive/frozen-string-literal 10/10"]
        );
        let strict = "<?php\ndeclare(strict_types=1);\nclass A {}\n";
        for other in ["<?php\nreturn ['a' => 1];\n", "<p><?= $a ?></p>\n"] {
            assert_eq!(
                of("php", strict, other),
                ["file_opening/php/directive/strict-types 10/10"],
                "{other}"
            );
        }
    }

    #[test]
    fn either_guard_of_headers_may_be_the_habit() {
        let (pragma, guard) = (
            "#pragma once\n\nint a();\nint b();\n",
            "#ifndef A_H\n#define A_H\nint a();\n#endif\n",
        );
        assert_eq!(
            of("h", pragma, guard),
            ["file_opening/c/header-guard/pragma-once 10/11"]
        );
        assert_eq!(
            of("hpp", guard, pragma),
            ["file_opening/cpp/header-guard/include-guard 10/11"]
        );
        assert!(of("h", "struct a {\n  int b;\n};\n", pragma).is_empty());
        assert!(of("c", pragma, guard).is_empty(), "no headers");
    }

    #[test]
    fn a_header_without_a_guard_defines_something() {
        let pragma = "#pragma once\n\nint a();\nint b();\n";
        let told = |other: &str| of("h", pragma, other).concat();
        let key = "file_opening/c/header-guard/pragma-once";
        assert_eq!(told("struct a {\n  int b;\n};\n"), format!("{key} 10/11"));
        for other in [
            "OP(LOAD, 1)\nOP(STORE, 2)\nOP(ADD, 3)\n",
            "#define A 1\n#define B 2\n#define C 3\n",
            "#ifndef A_H\n#define A_H\n#pragma once\nint a();\n#endif\n",
        ] {
            assert_eq!(told(other), format!("{key} 10/10"), "{other}");
        }
    }

    #[test]
    fn an_example_shows_the_directive() {
        let text = "<?php\n\n/** A. */\n\ndeclare(strict_types=1);\n\nfinal class A {}\n";
        let paths: Vec<String> = (0..5).map(|n| format!("src/A{n}.php")).collect();
        let sources: Vec<(&str, &str)> = paths.iter().map(|p| (p.as_str(), text)).collect();
        let found = patterns("file_opening", &sources);
        assert_eq!(found[0].exemplars[0].start_line, 5);
        assert_eq!(
            found[0].statement,
            "Begin a file that defines something with `declare(strict_types=1);`."
        );
    }
}
