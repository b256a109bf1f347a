//! Preprocessor conditionals that no grammar can read as they stand: `#if` in the middle of an expression, or around one half of a block.
//!
//! Of such a conditional one branch is left and the others are blanked, byte for byte, so that every offset stays. All others stay
//! as they are, with every branch, because the grammars know conditionals around whole declarations and statements.

use std::borrow::Cow;

/// A text that a grammar can read.
#[derive(Debug)]
pub(super) struct Readable<'s> {
    pub text: Cow<'s, str>,
    /// The comments in what was blanked, in order.
    pub comments: Vec<(u32, u32)>,
    /// Where a blanked `#if`, `#ifdef` or `#elif` stood, in order.
    pub conditions: Vec<u32>,
}

/// A directive: its line with those that continue it.
#[derive(Debug, Clone, Copy)]
struct Directive {
    start: usize,
    end: usize,
    counts: bool,
}

/// What bracket is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Block,
    /// The braces of an initialiser, in which no grammar knows conditionals.
    List,
    Paren {
        /// Whether it belongs to `if`, `for`, `while` or `switch`.
        control: bool,
    },
}

#[derive(Debug)]
struct Group {
    directives: Vec<Directive>,
    /// The branch that stays where one must go, and whether one must go in any case.
    kept: usize,
    known: bool,
    /// Whether a branch begins or ends in the middle of something.
    crosses: bool,
    /// The brackets at the beginning, and at the end of the first branch.
    before: Vec<Bracket>,
    after: Option<Vec<Bracket>>,
    /// The fewest brackets that were open in this branch.
    fewest: usize,
}

#[derive(Debug, Default)]
struct Scan {
    brackets: Vec<Bracket>,
    groups: Vec<Group>,
    comments: Vec<(usize, usize)>,
    blanked: Vec<(usize, usize)>,
    conditions: Vec<usize>,
    /// The last byte of code, and whether it closed the parentheses of `if` and its like.
    last: u8,
    after_control: bool,
    /// The last word of code, and where it ends.
    word: (usize, usize),
}

/// Makes `text` readable as C, or as C++.
pub(super) fn readable(text: &str, cplusplus: bool) -> Readable<'_> {
    let untouched = Readable {
        text: Cow::Borrowed(text),
        comments: Vec::new(),
        conditions: Vec::new(),
    };
    let has_conditional = text.match_indices('#').any(|(at, _)| {
        text.get(at + 1..)
            .is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with("if"))
    });
    if !has_conditional {
        return untouched;
    }
    let mut scan = Scan::default();
    scan.run(text, cplusplus);
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
        // Ranges may lie in one another: the outer ones begin before.
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

impl Scan {
    fn run(&mut self, text: &str, cplusplus: bool) {
        let bytes = text.as_bytes();
        let mut at = 0usize;
        let mut line_begins = true;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\n' => line_begins = true,
                b' ' | b'\t' | b'\r' => {}
                b'#' if line_begins => {
                    let end = line_end(bytes, at);
                    self.directive(text, at, end, cplusplus);
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
                    // A quote between digits separates them.
                    let digits = byte == b'\''
                        && at
                            .checked_sub(1)
                            .and_then(|before| bytes.get(before))
                            .is_some_and(u8::is_ascii_hexdigit)
                        && cplusplus;
                    if !digits {
                        at = string_end(bytes, at + 1, byte);
                    } else {
                        at += 1;
                    }
                    self.code(b'"');
                    continue;
                }
                _ => {
                    line_begins = false;
                    if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 {
                        let end = word_end(bytes, at);
                        self.word = (at, end);
                        self.code(b'a');
                        at = end;
                        continue;
                    }
                    self.bracket(bytes, byte);
                }
            }
            at += 1;
        }
    }

    fn code(&mut self, byte: u8) {
        self.last = byte;
        self.after_control = false;
    }

    fn bracket(&mut self, bytes: &[u8], byte: u8) {
        let in_list = self.brackets.last() == Some(&Bracket::List);
        let mut after_control = false;
        match byte {
            b'(' | b'[' => {
                let word = bytes.get(self.word.0..self.word.1).unwrap_or_default();
                let control = self.last == b'a'
                    && matches!(word, b"if" | b"for" | b"while" | b"switch" | b"catch");
                self.brackets.push(Bracket::Paren { control });
            }
            b'{' if self.last == b'=' || in_list => self.brackets.push(Bracket::List),
            b'{' => self.brackets.push(Bracket::Block),
            b')' | b']' | b'}' => {
                after_control = self.brackets.pop() == Some(Bracket::Paren { control: true });
                if let Some(group) = self.groups.last_mut() {
                    group.fewest = group.fewest.min(self.brackets.len());
                }
            }
            _ => {}
        }
        self.last = byte;
        self.after_control = after_control;
    }

    /// Whether what was read last needs something to follow it.
    fn is_midway(&self, text: &str) -> bool {
        let word = text.get(self.word.0..self.word.1).unwrap_or("");
        self.after_control
            || matches!(self.last, b'=' | b'|' | b'&' | b'+' | b'?' | b'(' | b'<')
            || (self.last == b'a' && matches!(word, "else" | "return" | "do" | "case"))
            || self
                .brackets
                .last()
                .is_some_and(|bracket| *bracket != Bracket::Block)
    }

    fn directive(&mut self, text: &str, start: usize, end: usize, cplusplus: bool) {
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
                let truth = truth(word, condition, cplusplus);
                self.groups.push(Group {
                    directives: vec![directive],
                    kept: usize::from(truth == Some(false)),
                    known: truth.is_some(),
                    crosses: self.is_midway(text),
                    before: self.brackets.clone(),
                    after: None,
                    fewest: self.brackets.len(),
                });
            }
            "elif" | "else" | "elifdef" | "elifndef" => {
                let midway = self.is_midway(text);
                if let Some(group) = self.groups.last_mut() {
                    group.branch_end(&self.brackets, midway);
                    group.after.get_or_insert_with(|| self.brackets.clone());
                    group.directives.push(directive);
                    self.brackets.clone_from(&group.before);
                    group.fewest = self.brackets.len();
                }
            }
            "endif" => {
                let midway = self.is_midway(text);
                let Some(mut group) = self.groups.pop() else {
                    return;
                };
                group.branch_end(&self.brackets, midway);
                group.directives.push(directive);
                let fewest = group.fewest;
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

/// What a condition is known to be: that of the language itself, and of a constant.
fn truth(word: &str, condition: &str, cplusplus: bool) -> Option<bool> {
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

/// The end of a line and of those that continue it, before its line's end.
fn line_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' if bytes.get(at + 1) == Some(&b'\n') => at += 2,
            b'\\' if bytes.get(at + 1) == Some(&b'\r') && bytes.get(at + 2) == Some(&b'\n') => {
                at += 3
            }
            // A comment that begins on the line of a directive may end on another.
            b'/' if bytes.get(at + 1) == Some(&b'*') && bytes.get(from) == Some(&b'#') => {
                at += 2;
                while bytes.get(at).is_some() && bytes.get(at..at + 2) != Some(b"*/") {
                    at += 1;
                }
                at += 2;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

fn word_end(bytes: &[u8], from: usize) -> usize {
    bytes
        .get(from..)
        .and_then(|rest| {
            rest.iter()
                .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80))
        })
        .map_or(bytes.len(), |length| from + length)
}

/// The end of a string that began before `from`: past its quote, or at the end of its line.
fn string_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' => return at,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditionals_around_whole_statements_stay() {
        let text = "#ifndef A_H\n#define A_H\nint a(void) {\n#ifdef X\n  b();\n#else\n  c();\n#endif\n}\n#endif\n";
        assert_eq!(readable(text, false).text, text);
    }

    #[test]
    fn of_a_conditional_around_half_a_block_the_first_branch_stays() {
        let text = "#if A\nint f(int a) {\n#else /* o */\nint f(void) {\n#endif\n}\n";
        let read = readable(text, false);
        assert_eq!(
            read.text,
            "     \nint f(int a) {\n             \n             \n      \n}\n"
        );
        assert_eq!(read.conditions, [0]);
        let text = "if (a) {\n#ifdef B\n} else {\n#endif\n}\n";
        assert_eq!(
            readable(text, false).text,
            "if (a) {\n        \n} else {\n      \n}\n"
        );
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
            assert_eq!(readable(text, false).text, left);
        }
    }

    #[test]
    fn what_is_known_to_be_left_out_is_left_out_and_its_comments_are_kept() {
        let text =
            "#if 0\n}}} // TODO\n#endif\n#ifdef __cplusplus\nextern \"C\" {\n#endif\nint a;\n";
        let read = readable(text, false);
        assert_eq!(read.text.trim(), "int a;");
        assert_eq!(read.comments, [(10, 17)]);
        assert!(readable(text, true).text.contains("extern \"C\" {"));
    }
}
