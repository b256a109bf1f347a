//! Prepares text with preprocessor directives that no grammar can parse: `#if` in the middle of an expression or
//! around half of a block, and macros between a declaration and its name or after it.
//!
//! Of such a conditional one branch is kept, and the others are replaced by spaces, byte for byte, so that offsets do
//! not change. Such macros are replaced too. All other conditionals keep all branches, because the grammars support
//! them around whole declarations and statements.
//!
//! Longer than 450 lines: the scan and the choice of branches share their offsets.

mod ends;

use std::borrow::Cow;

use super::table::Context;
use ends::{line_end, parentheses_end, string_end, verbatim_end, word_end};

/// The language of the preprocessor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    C,
    Cplusplus,
    /// C#: no macros, but strings that span lines.
    CSharp,
}

/// A text that a grammar can parse.
#[derive(Debug)]
pub(super) struct Readable<'s> {
    pub text: Cow<'s, str>,
    /// The comments in blanked text, in order.
    pub comments: Vec<(u32, u32)>,
    /// The offsets of blanked `#if`, `#ifdef` and `#elif` directives, in order.
    pub conditions: Vec<u32>,
}

/// A directive: its line with the continuation lines.
#[derive(Debug, Clone, Copy)]
struct Directive {
    start: usize,
    end: usize,
    counts: bool,
}

/// The kind of an open bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Block,
    /// The braces of an initialiser, where no grammar supports conditionals.
    List,
    Paren(Before),
}

/// The code before a parenthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// `if`, `for`, `while` or `switch`.
    Control,
    /// A name, as in the parameters of a function.
    Name,
    /// Anything else: the parenthesis belongs to an expression or a cast.
    Other,
}

#[derive(Debug)]
struct Group {
    directives: Vec<Directive>,
    /// The index of the branch to keep if only one is kept, and whether the value of the condition is known.
    kept: usize,
    known: bool,
    /// Whether the first branch is compiled on Windows alone.
    for_windows: bool,
    /// Whether a branch begins or ends in the middle of a construct.
    crosses: bool,
    /// The open brackets at the beginning, and at the end of the first branch.
    before: Vec<Bracket>,
    after: Option<Vec<Bracket>>,
    /// The least number of open brackets in this branch.
    fewest: usize,
}

#[derive(Debug, Default)]
struct Scan {
    brackets: Vec<Bracket>,
    groups: Vec<Group>,
    comments: Vec<(usize, usize)>,
    blanked: Vec<(usize, usize)>,
    conditions: Vec<usize>,
    /// The last byte of code, and, if it closed a parenthesis, the code before that parenthesis.
    last: u8,
    before_last: u8,
    closed: Option<Before>,
    /// The start and the end of the last word of code.
    word: (usize, usize),
    /// Whether a directive is between the last byte of code and the next.
    after_directive: bool,
}

/// Replaces the conditionals and macros of `text` that no grammar can parse.
pub(super) fn readable(text: &str, dialect: Dialect) -> Readable<'_> {
    let untouched = Readable {
        text: Cow::Borrowed(text),
        comments: Vec::new(),
        conditions: Vec::new(),
    };
    let has_conditional = text.match_indices('#').any(|(at, _)| {
        text.get(at + 1..)
            .is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with("if"))
    });
    if !has_conditional && dialect == Dialect::CSharp {
        return untouched;
    }
    let mut scan = Scan::default();
    scan.run(text, dialect);
    if scan.blanked.is_empty() {
        return untouched;
    }
    let mut bytes = text.as_bytes().to_vec();
    for (start, end) in &scan.blanked {
        for byte in bytes.get_mut(*start..*end).unwrap_or_default() {
            if !matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
    let Ok(blanked) = String::from_utf8(bytes) else {
        return untouched;
    };
    scan.blanked.sort_unstable();
    let within = |at: usize| {
        let next = scan.blanked.partition_point(|(start, _)| *start <= at);
        // Ranges may be nested: the outer ones begin earlier.
        scan.blanked
            .get(..next)
            .unwrap_or_default()
            .iter()
            .rev()
            .take(64)
            .any(|(_, end)| at < *end)
    };
    let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    scan.conditions.sort_unstable();
    Readable {
        text: Cow::Owned(blanked),
        comments: scan
            .comments
            .iter()
            .filter(|(start, _)| within(*start))
            .map(|(start, end)| (small(*start), small(*end)))
            .collect(),
        conditions: scan.conditions.iter().map(|at| small(*at)).collect(),
    }
}

impl Readable<'_> {
    /// Records the comments and conditions that were blanked.
    pub(super) fn note(self, cx: &mut Context<'_>) {
        for (start, end) in self.comments {
            cx.builder.comment(start, end);
        }
        cx.conditions_hide(self.conditions);
    }
}

impl Scan {
    fn run(&mut self, text: &str, dialect: Dialect) {
        let bytes = text.as_bytes();
        let mut at = 0usize;
        let mut line_begins = true;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\n' => line_begins = true,
                b' ' | b'\t' | b'\r' => {}
                b'#' if line_begins => {
                    let end = line_end(bytes, at);
                    self.directive(text, at, end, dialect);
                    at = end;
                    continue;
                }
                b'/' if bytes.get(at + 1) == Some(&b'/') => {
                    let end = line_end(bytes, at);
                    self.comments.push((at, end));
                    at = end;
                    continue;
                }
                b'/' if bytes.get(at + 1) == Some(&b'*') => {
                    let end = text
                        .get(at + 2..)
                        .and_then(|rest| rest.find("*/"))
                        .map_or(bytes.len(), |length| at + 4 + length);
                    self.comments.push((at, end));
                    at = end;
                    continue;
                }
                b'"' | b'\'' => {
                    line_begins = false;
                    let before = |steps: usize| at.checked_sub(steps).and_then(|at| bytes.get(at));
                    // A quote between digits is a digit separator.
                    let separates = byte == b'\''
                        && dialect == Dialect::Cplusplus
                        && before(1).is_some_and(u8::is_ascii_hexdigit);
                    let verbatim = dialect == Dialect::CSharp
                        && (before(1) == Some(&b'@')
                            || (before(1) == Some(&b'$') && before(2) == Some(&b'@')));
                    at = if separates {
                        at + 1
                    } else if verbatim {
                        verbatim_end(bytes, at + 1)
                    } else {
                        string_end(bytes, at + 1, byte)
                    };
                    self.code(b'"');
                    continue;
                }
                _ => {
                    line_begins = false;
                    if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 {
                        let end = word_end(bytes, at);
                        let skipped = if dialect == Dialect::CSharp {
                            None
                        } else {
                            self.macro_end(text, at, end)
                        };
                        if let Some(end) = skipped {
                            self.blanked.push((at, end));
                            at = end;
                            continue;
                        }
                        if self.after_directive
                            && matches!(bytes.get(at..end), Some(b"else" | b"catch" | b"finally"))
                            && let Some(group) = self.groups.last_mut()
                        {
                            group.crosses = true;
                        }
                        self.word = (at, end);
                        self.code(b'a');
                        at = end;
                        continue;
                    }
                    self.bracket(bytes, byte, bytes.get(at + 1).copied());
                }
            }
            at += 1;
        }
    }

    fn code(&mut self, byte: u8) {
        self.before_last = self.last;
        self.last = byte;
        self.closed = None;
        self.after_directive = false;
    }

    /// The end of a macro that begins at `start` and only decorates a declaration: `class EXPORT A`,
    /// `void a() REQUIRES(b) {`, `int a GUARDED_BY(b);`.
    fn macro_end(&self, text: &str, start: usize, end: usize) -> Option<usize> {
        let word = text.get(start..end)?;
        let bytes = text.as_bytes();
        let is_macro = word.len() > 2
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if !is_macro {
            return None;
        }
        let next = |from: usize| {
            let rest = text.get(from..).unwrap_or("");
            from + rest.len() - rest.trim_start().len()
        };
        let mut after = next(end);
        let mut whole = end;
        if bytes.get(after) == Some(&b'(') {
            whole = parentheses_end(bytes, after)?;
            after = next(whole);
        }
        let following = bytes.get(after).copied()?;
        let before = text.get(self.word.0..self.word.1).unwrap_or("");
        let after_word = self.last == b'a';
        let is_name = following.is_ascii_alphabetic() || following == b'_';
        let after_qualifier = matches!(before, "const" | "noexcept" | "override" | "final")
            && self.before_last == b')';
        let after_parameters = self.last == b')' && self.closed == Some(Before::Name);
        let decorates = if after_word && matches!(before, "class" | "struct" | "union" | "enum") {
            is_name
                && !text
                    .get(after..)
                    .is_some_and(|rest| rest.starts_with("final"))
        } else if after_parameters || (after_word && after_qualifier) {
            self.brackets
                .last()
                .is_none_or(|bracket| *bracket == Bracket::Block)
                && (matches!(following, b'{' | b';' | b':' | b'=') || is_name)
        } else {
            after_word && word.ends_with("GUARDED_BY") && matches!(following, b';' | b'=' | b'{')
        };
        decorates.then_some(whole)
    }

    fn bracket(&mut self, bytes: &[u8], byte: u8, next: Option<u8>) {
        let in_list = self.brackets.last() == Some(&Bracket::List);
        // Whether the byte continues the code before a directive.
        let goes_on = matches!(
            byte,
            b',' | b')' | b']' | b'=' | b'?' | b'|' | b'<' | b'>' | b'%' | b'^'
        ) || (matches!(byte, b'&' | b':') && (byte == b'&') == (next == Some(b'&')));
        if self.after_directive
            && goes_on
            && let Some(group) = self.groups.last_mut()
        {
            group.crosses = true;
        }
        self.after_directive = false;
        let mut closed = None;
        match byte {
            b'(' | b'[' => {
                let word = bytes.get(self.word.0..self.word.1).unwrap_or_default();
                let before = match word {
                    _ if self.last != b'a' => Before::Other,
                    b"if" | b"for" | b"foreach" | b"while" | b"switch" | b"catch" | b"using"
                    | b"lock" => Before::Control,
                    b"return" | b"sizeof" | b"case" => Before::Other,
                    _ => Before::Name,
                };
                self.brackets.push(Bracket::Paren(before));
            }
            b'{' if self.last == b'=' || in_list => self.brackets.push(Bracket::List),
            b'{' => self.brackets.push(Bracket::Block),
            b')' | b']' | b'}' => {
                if let Some(Bracket::Paren(before)) = self.brackets.pop() {
                    closed = Some(before);
                }
                if let Some(group) = self.groups.last_mut() {
                    group.fewest = group.fewest.min(self.brackets.len());
                }
            }
            _ => {}
        }
        self.before_last = self.last;
        self.last = byte;
        self.closed = closed;
    }

    /// Whether the last code needs a continuation.
    fn is_midway(&self, text: &str) -> bool {
        let word = text.get(self.word.0..self.word.1).unwrap_or("");
        self.closed == Some(Before::Control)
            // A constructor's initialisers follow its parameters.
            || (self.last == b':' && self.before_last == b')')
            || matches!(self.last, b'=' | b'|' | b'&' | b'+' | b'?' | b'(' | b'<')
            || (self.last == b'a' && matches!(word, "else" | "return" | "do" | "case"))
            || self
                .brackets
                .last()
                .is_some_and(|bracket| *bracket != Bracket::Block)
    }

    fn directive(&mut self, text: &str, start: usize, end: usize, dialect: Dialect) {
        let line = text.get(start..end).unwrap_or("");
        let rest = line.get(1..).unwrap_or("").trim_start();
        let word = rest
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or("");
        let condition = rest.get(word.len()..).unwrap_or("").trim();
        let directive = Directive {
            start,
            end,
            counts: matches!(word, "if" | "ifdef" | "elif"),
        };
        match word {
            "if" | "ifdef" | "ifndef" => {
                self.after_directive = true;
                let truth = truth(word, condition, dialect);
                self.groups.push(Group {
                    directives: vec![directive],
                    kept: usize::from(truth == Some(false)),
                    known: truth.is_some(),
                    for_windows: word != "ifndef" && is_windows(condition),
                    crosses: self.is_midway(text),
                    before: self.brackets.clone(),
                    after: None,
                    fewest: self.brackets.len(),
                });
            }
            "elif" | "else" | "elifdef" | "elifndef" => {
                let midway = self.is_midway(text);
                self.after_directive = true;
                if let Some(group) = self.groups.last_mut() {
                    group.branch_end(&self.brackets, midway);
                    group.after.get_or_insert_with(|| self.brackets.clone());
                    group.directives.push(directive);
                    self.brackets.clone_from(&group.before);
                    group.fewest = self.brackets.len();
                }
            }
            "endif" => {
                self.after_directive = false;
                let midway = self.is_midway(text);
                let Some(mut group) = self.groups.pop() else {
                    return;
                };
                group.branch_end(&self.brackets, midway);
                group.directives.push(directive);
                let fewest = group.fewest;
                // The code that both branches share has the name and the form of other systems.
                if group.crosses && group.for_windows && group.directives.len() > 2 {
                    group.kept = 1;
                }
                if group.kept == 0
                    && let Some(after) = group.after.take()
                {
                    self.brackets = after;
                }
                if let Some(around) = self.groups.last_mut() {
                    around.fewest = around.fewest.min(fewest);
                }
                if group.crosses || group.known {
                    self.blank(&group);
                }
            }
            _ => {}
        }
    }

    fn blank(&mut self, group: &Group) {
        for (place, directive) in group.directives.iter().enumerate() {
            self.blanked.push((directive.start, directive.end));
            if directive.counts {
                self.conditions.push(directive.start);
            }
            if place != group.kept
                && let Some(next) = group.directives.get(place + 1)
            {
                self.blanked.push((directive.end, next.start));
            }
        }
    }
}

impl Group {
    fn branch_end(&mut self, brackets: &[Bracket], midway: bool) {
        self.crosses |=
            midway || brackets.len() != self.before.len() || self.fewest < self.before.len();
    }
}

/// The known value of a condition on the language, or of a constant condition.
fn truth(word: &str, condition: &str, dialect: Dialect) -> Option<bool> {
    let cplusplus = dialect == Dialect::Cplusplus;
    let condition = condition
        .split("/*")
        .next()
        .unwrap_or("")
        .split("//")
        .next()
        .unwrap_or("")
        .trim();
    match (word, condition) {
        ("if", "0") => Some(false),
        ("if", "1") => Some(true),
        ("ifdef", "__cplusplus") => Some(cplusplus),
        ("ifndef", "__cplusplus") => Some(!cplusplus),
        ("if", _) => {
            let compact: String = condition.split_whitespace().collect();
            match compact.as_str() {
                "defined(__cplusplus)" | "defined__cplusplus" | "__cplusplus" => Some(cplusplus),
                "!defined(__cplusplus)" | "!defined__cplusplus" | "!__cplusplus" => {
                    Some(!cplusplus)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a condition holds on Windows alone: `_WIN32`, `defined(WIN32)`.
fn is_windows(condition: &str) -> bool {
    let name = condition.split("/*").next().unwrap_or("").trim();
    let name = name.strip_prefix("defined").unwrap_or(name);
    let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    let names = [
        "WIN32",
        "_WIN32",
        "__WIN32__",
        "WIN64",
        "_WIN64",
        "_WINDOWS",
    ];
    names.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditionals_around_whole_statements_stay() {
        let text = "#ifndef A_H\n#define A_H\nint a(void) {\n#ifdef X\n  b();\n#else\n  c();\n#endif\n}\n#endif\n";
        assert_eq!(readable(text, Dialect::C).text, text);
    }

    #[test]
    fn of_a_conditional_around_half_a_block_the_first_branch_stays() {
        let text = "#if A\nint f(int a) {\n#else /* o */\nint f(void) {\n#endif\n}\n";
        let read = readable(text, Dialect::C);
        assert_eq!(
            read.text,
            "     \nint f(int a) {\n             \n             \n      \n}\n"
        );
        assert_eq!(read.conditions, [0]);
        let text = "if (a) {\n#ifdef B\n} else {\n#endif\n}\n";
        assert_eq!(
            readable(text, Dialect::C).text,
            "if (a) {\n        \n} else {\n      \n}\n"
        );
    }

    #[test]
    fn of_half_a_block_for_windows_the_other_branch_stays() {
        for condition in ["ifdef WIN32", "if defined(_WIN32)"] {
            let text =
                format!("#{condition}\nint w(int a) {{\n#else\nint f(void) {{\n#endif\n}}\n");
            let read = readable(&text, Dialect::C);
            let lines: Vec<&str> = read.text.lines().map(str::trim).collect();
            assert_eq!(lines, ["", "", "", "int f(void) {", "", "}"], "{condition}");
        }
        let alone = "if (a) {\n#ifdef WIN32\n} else {\n#endif\n}\n";
        assert!(readable(alone, Dialect::C).text.contains("} else {"));
        let other = "#ifndef WIN32\nint f(int a) {\n#else\nint w(void) {\n#endif\n}\n";
        assert!(readable(other, Dialect::C).text.contains("int f"));
    }

    #[test]
    fn of_a_conditional_in_an_expression_the_first_branch_stays() {
        for (text, left) in [
            (
                "f(a,\n#ifdef B\n b\n#else\n c\n#endif\n);\n",
                "f(a,\n        \n b\n     \n  \n      \n);\n",
            ),
            (
                "int a[] = {\n#if B\n 1,\n#endif\n};\n",
                "int a[] = {\n     \n 1,\n      \n};\n",
            ),
            (
                "#if A\nif (a)\n#else\nif (b)\n#endif\n c();\n",
                "     \nif (a)\n     \n      \n      \n c();\n",
            ),
        ] {
            assert_eq!(readable(text, Dialect::C).text, left);
        }
    }

    #[test]
    fn inactive_branches_are_removed_and_comments_are_kept() {
        let text =
            "#if 0\n}}} // TODO\n#endif\n#ifdef __cplusplus\nextern \"C\" {\n#endif\nint a;\n";
        let read = readable(text, Dialect::C);
        assert_eq!(read.text.trim(), "int a;");
        assert_eq!(read.comments, [(10, 17)]);
        assert!(
            readable(text, Dialect::Cplusplus)
                .text
                .contains("extern \"C\" {")
        );
    }
    #[test]
    fn a_conditional_inside_an_expression_is_midway() {
        let text = "class A : B\n#if C\n , D\n#endif\n{\n}\n";
        let left = "class A : B\n     \n , D\n      \n{\n}\n";
        assert_eq!(readable(text, Dialect::CSharp).text, left);
    }

    #[test]
    fn only_macros_that_decorate_a_declaration_are_blanked() {
        for (text, left) in [
            ("class API A { };", "class     A { };"),
            ("void a() REQUIRES(b) { }", "void a()             { }"),
            (
                "int a() const REQUIRES(b) { }",
                "int a() const             { }",
            ),
            ("int a GUARDED_BY(b);", "int a              ;"),
            ("if (a) LOG(b);", "if (a) LOG(b);"),
            ("a = (int) MAX(b, c);", "a = (int) MAX(b, c);"),
            ("static void INIT(int a);", "static void INIT(int a);"),
        ] {
            assert_eq!(readable(text, Dialect::Cplusplus).text, left);
        }
    }
}
