//! The directive at the top of a file. It decides how the language reads the rest: `'use strict'`,
//! `# frozen_string_literal: true`, `declare(strict_types=1);`, `#pragma once`.

use super::super::facts::Sign;
use super::super::language::Language;

/// The directives at the top of a header that are read.
const DIRECTIVES_MAX: usize = 4;

/// The directive at the top and the include guard of a header, each with its 1-based line. The text is read up to the
/// first line that is neither a comment nor may precede a directive.
pub(super) fn openings(language: Language, text: &str) -> Vec<(Sign, u32)> {
    let directive = match language {
        Language::JavaScript => strict_mode(text),
        Language::Php => strict_types(text),
        Language::Ruby => frozen_strings(text),
        Language::C | Language::Cpp => return header_guards(text),
        _ => None,
    };
    let line = directive.map(|line| (Sign::OpeningDirective, line));
    line.into_iter().collect()
}

/// JavaScript: `'use strict'` among the string literals before the first statement.
fn strict_mode(text: &str) -> Option<u32> {
    let lines = code_lines(text, "").skip_while(|(_, line)| line.starts_with("#!"));
    let mut directives = lines.map_while(|(number, line)| {
        let quote = line.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (directive, rest) = line.get(1..)?.split_once(quote)?;
        let rest = rest.trim_start();
        (rest.is_empty() || rest.starts_with([';', '/'])).then_some((number, directive))
    });
    let (number, _) = directives.find(|(_, directive)| *directive == "use strict")?;
    Some(number)
}

/// PHP: `declare(strict_types=1)` as the first statement.
fn strict_types(text: &str) -> Option<u32> {
    let mut lines = code_lines(text, "<?php").filter(|(_, line)| !is_hash_comment(line));
    let (number, line) = lines.next()?;
    let mut written = line.to_ascii_lowercase();
    written.retain(|c| !c.is_whitespace());
    let is_strict = written.starts_with("declare(strict_types=1)");
    is_strict.then_some(number)
}

/// Whether a line of PHP is a comment, or names the interpreter. `#[` begins an attribute.
fn is_hash_comment(line: &str) -> bool {
    line.starts_with('#') && !line.starts_with("#[")
}

/// Ruby: `# frozen_string_literal: true` among the comments before the first token. Ruby reads it in any case, with `-`
/// for `_`, and among other settings in Emacs' form `-*- a: b; c: d -*-`.
fn frozen_strings(text: &str) -> Option<u32> {
    let mut comments = text.lines().zip(1u32..).map_while(|(line, number)| {
        let line = line.trim();
        (line.is_empty() || line.starts_with('#')).then_some((line, number))
    });
    let says_so = |comment: &str| {
        let words = comment.trim_matches(|c: char| c.is_whitespace() || "#-*".contains(c));
        words.split(';').any(|setting| {
            let (name, value) = setting.split_once(':').unwrap_or((setting, ""));
            let name = name.trim().to_ascii_lowercase().replace('-', "_");
            name == "frozen_string_literal" && value.trim().eq_ignore_ascii_case("true")
        })
    };
    let (_, number) = comments.find(|(comment, _)| says_so(comment))?;
    Some(number)
}

/// C and C++: `#pragma once`, and `#ifndef A` followed by `#define A`. Some headers have both.
fn header_guards(text: &str) -> Vec<(Sign, u32)> {
    let directives = code_lines(text, "").map_while(|(number, line)| {
        let directive = line.strip_prefix('#')?;
        Some((number, directive.split_whitespace().collect::<Vec<_>>()))
    });
    let (pragmas, others): (Vec<_>, Vec<_>) = directives
        .take(DIRECTIVES_MAX)
        .partition(|(_, words)| words.starts_with(&["pragma", "once"]));
    let pragma = pragmas
        .first()
        .map(|(line, _)| (Sign::OpeningDirective, *line));
    let guard = match others.as_slice() {
        [(line, first), (_, second), rest @ ..] => {
            let defines =
                matches!(second.as_slice(), ["define", name, ..] if guarded(first) == Some(*name));
            // What ends at once is the default of a setting.
            let ends = rest.first().is_some_and(|(_, third)| *third == ["endif"]);
            (defines && !ends).then_some((Sign::IncludeGuard, *line))
        }
        _ => None,
    };
    pragma.into_iter().chain(guard).collect()
}

/// The name that a directive asks for: `A` of `#ifndef A` and `#if !defined(A)`.
fn guarded<'t>(directive: &[&'t str]) -> Option<&'t str> {
    let name = match directive {
        ["ifndef", name, ..] | ["if", "!defined", name, ..] => *name,
        ["if", condition, ..] => condition.strip_prefix("!defined")?,
        _ => return None,
    };
    Some(name.trim_matches(['(', ')']))
}

/// The lines with code, without space around it, and without comments of C and the tag before it, each with its number.
fn code_lines<'t>(text: &'t str, tag: &'static str) -> impl Iterator<Item = (u32, &'t str)> {
    let mut in_block = false;
    text.lines().zip(1u32..).filter_map(move |(line, number)| {
        let mut rest = line.trim();
        loop {
            if in_block {
                let (_, after) = rest.split_once("*/")?;
                in_block = false;
                rest = after.trim_start();
            }
            if let Some(inner) = rest.strip_prefix("/*") {
                in_block = true;
                rest = inner;
            } else if let Some(code) = rest.strip_prefix(tag).filter(|_| !tag.is_empty()) {
                rest = code.trim_start();
            } else {
                let is_code = !(rest.is_empty() || rest.starts_with("//"));
                return is_code.then_some((number, rest));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{C, Cpp, JavaScript, Php, Ruby};

    #[test]
    fn the_directive_is_found_below_comments() {
        for (language, text, line) in [
            (JavaScript, "'use strict'\n", 1),
            (
                JavaScript,
                "#!/usr/bin/env node\n/*\n * A.\n */\n\n\"use strict\"; // Why.\n",
                6,
            ),
            (JavaScript, "'use client';\n'use strict';\n", 2),
            (Php, "<?php\n\n/* A.\n */\ndeclare(strict_types = 1);\n", 5),
            (Php, "<?php /* A.\n */ declare(strict_types=1);\n", 2),
            (
                Php,
                "#!/usr/bin/env php\n<?php declare(strict_types=1);\n",
                2,
            ),
            (
                Ruby,
                "#!/usr/bin/env ruby\n# Copyright A\n\n# frozen_string_literal: true\n",
                4,
            ),
            (
                Ruby,
                "# -*- coding: utf-8; Frozen-String-Literal: true -*-\n",
                1,
            ),
            (C, "// A.\n/* B. */ # pragma once\nint a;\n", 2),
            (Cpp, "#pragma once\n", 1),
        ] {
            let found = openings(language, text);
            assert_eq!(found, [(Sign::OpeningDirective, line)], "{text}");
        }
    }

    #[test]
    fn what_stands_below_code_is_no_opening() {
        for (language, text) in [
            (JavaScript, "const a = 1;\n'use strict';\n"),
            (JavaScript, "'use strict'.length;\n"),
            (JavaScript, "(function () {\n  'use strict';\n})();\n"),
            (Php, "<?php\nnamespace A;\ndeclare(strict_types=1);\n"),
            (Php, "<?php\ndeclare(strict_types=0);\n"),
            (Php, "<p>\n<?php declare(strict_types=1);\n"),
            (Ruby, "require 'a'\n# frozen_string_literal: true\n"),
            (Ruby, "# frozen_string_literal: false\n"),
            (C, "int a;\n#pragma once\n"),
            (Language::Python, "'use strict'\n"),
            (C, "/* never ends\n#pragma once\n"),
        ] {
            assert_eq!(openings(language, text), [], "{text}");
        }
    }

    #[test]
    fn an_include_guard_defines_what_it_asks_for() {
        for (text, is_guard) in [
            ("#ifndef A_H\n#define A_H\nint a;\n#endif\n", true),
            ("#if !defined(A_H)\n#  define A_H\nint a;\n#endif\n", true),
            ("#if !defined A_H\n#define A_H\nint a;\n#endif\n", true),
            (
                "#ifndef A_H\n#define A_H 1 // A.\n\n#include <a.h>\n#endif\n",
                true,
            ),
            ("#ifndef A_SIZE\n#define A_SIZE 8\n#endif\n", false),
            ("#ifndef A_H\n#include \"a.h\"\n#endif\n", false),
            ("#ifndef A_H\nint a;\n#define A_H\n#endif\n", false),
        ] {
            let guard = [(Sign::IncludeGuard, 1)];
            assert_eq!(openings(C, text), &guard[..usize::from(is_guard)], "{text}");
        }
    }

    #[test]
    fn a_header_may_have_both_guards() {
        let both = [(Sign::OpeningDirective, 4), (Sign::IncludeGuard, 1)];
        let text = "#ifndef A_H\n#define A_H\n\n#pragma once\nint a;\n#endif\n";
        assert_eq!(openings(Cpp, text), both);
    }
}
