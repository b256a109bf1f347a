//! The tables on projects that resemble well-known ones: statements that their readers must find, and false statements
//! that were once printed. Each file in `tests/statements` is a case; README.md there describes its format.

use std::fs;
use std::path::Path;

use nyxcore_code_engine::project::{Change, FileHistory, HistoryWindow};
use nyxcore_code_engine::render::report_table;
use nyxcore_code_engine::tree::{TreeOptions, tree_analyze};

/// The width of a page at which no path of a case is truncated.
const WIDTH: usize = 120;

/// When the commits of today were made, in seconds since 1970.
const NEWEST: i64 = 1_795_860_000;

/// One case: a small project, and what its tables must and must not contain.
#[derive(Debug, Default)]
struct Statements {
    files: Vec<(String, String)>,
    changes: Vec<Change>,
    commit: Option<String>,
    expected: Vec<(String, String)>,
    forbidden: Vec<(String, String)>,
}

impl Statements {
    fn read(text: &str) -> Statements {
        let mut case = Statements::default();
        let mut parts = text.split("\n=== ");
        // The text before the first part is a remark.
        parts.next();
        for part in parts {
            let (head, body) = part.split_once('\n').unwrap_or((part, ""));
            let body = format!("{}\n", body.trim_matches('\n'));
            let (word, about) = head.split_once(' ').unwrap_or((head, ""));
            match word {
                "file" => case.files.push((about.to_owned(), body)),
                "files" => {
                    let (path, names) = about.split_once(": ").expect("names behind the path");
                    let of = |name: &str| (path.replace("{}", name), body.replace("{}", name));
                    case.files.extend(names.split_whitespace().map(of));
                }
                "commit" => case.commit = Some(about.to_owned()),
                "commits" => {
                    let days: i64 = about.parse().unwrap_or(0);
                    let changes = body.lines().flat_map(|line| commits(line, days));
                    case.changes.extend(changes);
                }
                "expect" => case.expected.extend(body.lines().map(statement)),
                "forbid" => case.forbidden.extend(body.lines().map(statement)),
                other => panic!("{other}: no part of a case"),
            }
        }
        case
    }

    /// The missing statements, and the forbidden ones that the tables contain.
    fn mistakes(&self) -> Vec<String> {
        let table = self.table();
        let sections = sections(&table);
        let says = |(section, words): &(String, String)| {
            let of_section = |(heading, _): &&(String, String)| heading.starts_with(section);
            let mut told = sections.iter().filter(of_section);
            told.any(|(_, text)| text.contains(words.as_str()))
        };
        let missing = self.expected.iter().filter(|one| !says(one));
        let missing = missing.map(|(section, words)| format!("not told: {section}: {words}"));
        let told = self.forbidden.iter().filter(|one| says(one));
        let told = told.map(|(section, words)| format!("told: {section}: {words}"));
        let mut mistakes: Vec<String> = missing.chain(told).collect();
        if !mistakes.is_empty() {
            mistakes.push(table);
        }
        mistakes
    }

    fn table(&self) -> String {
        let root = tempfile::tempdir().expect("a folder");
        for (path, content) in &self.files {
            let full = root.path().join(path);
            fs::create_dir_all(full.parent().expect("a folder")).expect("folders");
            fs::write(full, content).expect("a file");
        }
        let mut history: Vec<FileHistory> = Vec::new();
        for path in self.changes.iter().flat_map(|change| &change.paths) {
            match history.iter_mut().find(|one| one.path == *path) {
                Some(known) => known.commits += 1,
                None => history.push(FileHistory {
                    path: path.clone(),
                    commits: 1,
                }),
            }
        }
        let options = TreeOptions {
            history,
            changes: self.changes.clone(),
            window: self.commit.as_ref().map(|commit| HistoryWindow {
                commit: commit.clone(),
                since: "2025-11-28".to_owned(),
                until: "2026-11-28".to_owned(),
            }),
            ..TreeOptions::default()
        };
        let report = tree_analyze(root.path(), &options, |_progress| {}).expect("a report");
        let mut table = report_table(&report, WIDTH, false);
        // The page only counts usual habits, but other formats have them. Those of these kinds are in other tables.
        table.push_str("\nHabits of the report\n");
        let patterns = report.project.patterns.iter();
        let habits = patterns
            .filter(|one| !["co_change", "commands", "import_direction"].contains(&&*one.kind));
        table.extend(habits.map(|one| {
            let first = one.exemplars.first();
            let see = first.map_or(String::new(), |at| {
                format!(" see {}:{}", at.path, at.start_line)
            });
            format!("  {}{see}\n", one.title)
        }));
        table
    }
}

/// Parses `9 Ada: a.py b.py`: nine commits by Ada, each of which changes these files, so many days ago.
fn commits(line: &str, days: i64) -> Vec<Change> {
    let (count, rest) = line.split_once(' ').expect("a number");
    let (author, paths) = rest.split_once(": ").expect("an author");
    let change = Change {
        author: author.to_owned(),
        paths: paths.split_whitespace().map(str::to_owned).collect(),
        committed_at: NEWEST - days * 24 * 60 * 60,
    };
    vec![change; count.parse().expect("a number")]
}

/// Parses `Section: words`, with single spaces between the words.
fn statement(line: &str) -> (String, String) {
    let (section, words) = line.split_once(": ").expect("a section and words");
    (section.to_owned(), words.to_owned())
}

/// The sections of the tables, by their headings, each with its heading as one line with single spaces. The paragraph
/// before the first section has the heading `Head`.
fn sections(table: &str) -> Vec<(String, String)> {
    let (head, table) = table.split_once("\n\n").unwrap_or((table, ""));
    let mut sections = vec![("Head".to_owned(), head.replace('\n', " "))];
    for line in table.lines().filter(|line| !line.is_empty()) {
        match sections.last_mut() {
            Some((_, text)) if line.starts_with(' ') => {
                for word in line.split_whitespace() {
                    text.push_str(word);
                    text.push(' ');
                }
            }
            _ => sections.push((line.to_owned(), format!("{line} "))),
        }
    }
    sections
}

#[test]
fn the_tables_tell_what_is_true_and_nothing_false() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statements");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the cases")
        .map(|entry| entry.expect("a case").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "case"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 12, "{paths:?}");
    let mut mistakes: Vec<String> = Vec::new();
    for path in paths {
        let case = Statements::read(&fs::read_to_string(&path).expect("a case"));
        assert!(
            !case.files.is_empty() && !case.expected.is_empty(),
            "{path:?}"
        );
        let found = case.mistakes();
        if !found.is_empty() {
            mistakes.push(format!("{}\n{}", path.display(), found.join("\n")));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n\n"));
}

#[test]
fn a_statement_that_is_missing_or_false_is_found() {
    let text = "A remark.\n\n=== files src/{}.py: one two\nx = 1\n\n=== commits\n2 Ada: src/one.py\n\n=== expect\nHead: Python\nStack: django\n\n=== forbid\nHead: Ruby\nHead: 100.0 %\n";
    let mistakes = Statements::read(text).mistakes();
    assert_eq!(
        mistakes[..2],
        ["not told: Stack: django", "told: Head: 100.0 %"]
    );
    assert_eq!(mistakes.len(), 3, "and the tables");
}
