//! A short notation of facts, so that tests can compare every number of a file with a manual count.

use nyxcore_code_engine::facts::FileFacts;
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::parse::file_analyze;
use nyxcore_code_engine::references::ReferenceKind;

pub fn analyse(path: &str, source: &str) -> FileFacts {
    file_analyze(
        path,
        Language::detect(path).expect("a language"),
        source.as_bytes(),
    )
    .expect("facts")
}

/// Each definition as `kind parent.name first-last`, then flags (`a`synchronous, `d`ocumented, `e`xported, `!` for a
/// dictated name, `t`est), and for a function `cyclomatic/cognitive/nesting/parameters/length`.
pub fn definitions(facts: &FileFacts) -> Vec<String> {
    facts
        .definitions
        .iter()
        .map(|d| {
            let parent = d
                .parent
                .as_ref()
                .map_or(String::new(), |parent| format!("{parent}."));
            let flags: String = [
                (d.asynchronous, 'a'),
                (d.documented, 'd'),
                (d.exported, 'e'),
                (d.dictated, '!'),
                (d.test, 't'),
            ]
            .iter()
            .filter(|f| f.0)
            .map(|f| f.1)
            .collect();
            let metrics = d.metrics.map_or(String::new(), |m| {
                format!(
                    " {}/{}/{}/{}/{}",
                    m.cyclomatic, m.cognitive, m.nesting, m.parameters, m.length
                )
            });
            let line = format!(
                "{} {parent}{} {}-{} {flags}{metrics}",
                d.kind.as_str(),
                d.name,
                d.start_line,
                d.end_line
            );
            line.replace("  ", " ").trim_end().to_owned()
        })
        .collect()
}

/// Each import as `module line`.
pub fn imports(facts: &FileFacts) -> Vec<String> {
    facts
        .imports
        .iter()
        .map(|import| format!("{} {}", import.module, import.line))
        .collect()
}

/// Each name of one kind as `path line line`, with `*` after those in tests.
pub fn references(facts: &FileFacts, kind: ReferenceKind) -> Vec<String> {
    facts
        .references
        .iter()
        .filter(|reference| reference.kind == kind)
        .map(|reference| {
            let lines: Vec<String> = reference.lines().map(|line| line.to_string()).collect();
            let test = if reference.test { "*" } else { "" };
            format!("{}{test} {}", reference.path, lines.join(" "))
        })
        .collect()
}

/// The numbers of lines with code, with comments, and of blank lines.
pub fn lines(facts: &FileFacts) -> (u32, u32, u32) {
    (facts.lines.code, facts.lines.comment, facts.lines.blank)
}
