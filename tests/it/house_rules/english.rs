//! House rules of the English in names and prose, as far as they can be checked automatically.

use std::collections::BTreeMap;
use std::fs;

use super::{files, none, root};

/// The longest line of prose, in characters.
const PROSE_WIDTH: usize = 120;

/// The longest name of a function, and so of a test, in characters.
const NAME_LENGTH: usize = 60;

/// A type has the name of a thing, not a participle that says what happened to it.
const PARTICIPLES: &[&str] = &[
    "Admitted",
    "Asked",
    "Brought",
    "Claimed",
    "Counted",
    "Fetched",
    "Found",
    "Given",
    "Gone",
    "Heard",
    "Held",
    "Imported",
    "Joined",
    "Kept",
    "Known",
    "Left",
    "Lost",
    "Made",
    "Matched",
    "Missed",
    "Moved",
    "Named",
    "Noted",
    "Opened",
    "Parsed",
    "Passed",
    "Published",
    "Queued",
    "Read",
    "Reserved",
    "Said",
    "Scored",
    "Sealed",
    "Seen",
    "Sent",
    "Shown",
    "Skipped",
    "Sought",
    "Stored",
    "Swept",
    "Taken",
    "Told",
    "Took",
    "Wanted",
    "Written",
];

/// The Markdown pages of the repository, by their path from the root.
fn pages() -> BTreeMap<String, String> {
    let root = root();
    let mut pages = files(&[".md"]);
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            if entry.file_type().unwrap().is_dir() {
                if name.starts_with("docs") {
                    folders.push(path);
                }
            } else if name.ends_with(".md") {
                pages.insert(name.to_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    pages
}

fn long_names(path: &str, text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let (before, rest) = line.trim_start().split_once("fn ")?;
            let declares = before
                .split_whitespace()
                .all(|word| word.starts_with("pub") || ["async", "const"].contains(&word));
            let name = rest.split(['(', '<']).next()?;
            let is_long = declares && name.len() > NAME_LENGTH;
            is_long.then(|| {
                format!(
                    "{path}: {name} has {} characters; the most is {NAME_LENGTH}",
                    name.len()
                )
            })
        })
        .collect()
}

fn participles(path: &str, text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let mut words = line
                .split_whitespace()
                .skip_while(|word| word.starts_with("pub"));
            let (keyword, name) = (words.next()?, words.next()?);
            let name = name.split(|c: char| !c.is_alphanumeric()).next()?;
            let is_type = ["struct", "enum", "trait", "type"].contains(&keyword);
            (is_type && PARTICIPLES.contains(&name))
                .then(|| format!("{path}: the type {name} is named by a participle; use a noun"))
        })
        .collect()
}

/// Lines of prose that are too long: comments of code, and the text of pages. Tables, code and links are exempt.
fn long_prose(path: &str, text: &str) -> Vec<String> {
    let is_page = path.ends_with(".md");
    let mut in_code = false;
    let mut complaints = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line_start = line.trim_start();
        let prose = if is_page {
            line_start
        } else {
            line_start.trim_start_matches(['/', '!']).trim_start()
        };
        let is_prose = is_page || line_start.starts_with("//");
        if !is_prose {
            in_code = false;
        } else if prose.starts_with("```") {
            in_code = !in_code;
        }
        let stays_whole =
            in_code || prose.starts_with('|') || prose.contains("://") || prose.contains("](");
        let length = line.chars().count();
        if is_prose && !stays_whole && length > PROSE_WIDTH {
            complaints.push(format!(
                "{path}:{} has {length} characters; prose wraps at {PROSE_WIDTH}",
                index + 1
            ));
        }
    }
    complaints
}

#[test]
fn a_test_name_is_short() {
    assert_eq!(
        files(&[".rs"])
            .iter()
            .flat_map(|(path, text)| long_names(path, text))
            .collect::<Vec<_>>(),
        none()
    );
    let name = "n".repeat(NAME_LENGTH);
    let text =
        format!("fn {name}() {{}}\n    pub(crate) async fn {name}n<T>() {{}}\n// fn {name}n()");
    assert_eq!(long_names("long.rs", &text).len(), 1);
}

#[test]
fn a_type_is_named_by_a_noun() {
    assert_eq!(
        files(&[".rs"])
            .iter()
            .flat_map(|(path, text)| participles(path, text))
            .collect::<Vec<_>>(),
        none()
    );
    let text = "pub(super) struct Found<'n> {\nenum Told {\ntype Kept = u8;\nstruct FoundFile;\n// struct Found";
    assert_eq!(participles("participles.rs", text).len(), 3);
}

#[test]
fn prose_wraps() {
    let texts = files(&[".rs"]).into_iter().chain(pages());
    assert_eq!(
        texts
            .flat_map(|(path, text)| long_prose(&path, &text))
            .collect::<Vec<_>>(),
        none()
    );
    let long = "word ".repeat(30);
    let code =
        format!("/// {long}\nlet text = \"{long}\";\n/// ```\n/// {long}\n/// ```\n//! | {long}");
    assert_eq!(long_prose("long.rs", &code).len(), 1);
    let page = format!("{long}\n\n```\n{long}\n```\n\n| {long} |\n[a](b) {long}");
    assert_eq!(long_prose("long.md", &page).len(), 1);
}
