//! Finds action points in the note, the cited code and insights. Nothing is invented: every action point is a
//! quotation.

use std::collections::HashSet;

use nyxcore_context::sentences::sentences;
use nyxcore_context::{Piece, Section};
use nyxcore_projects::{NewActionPoint, Note};
use nyxcore_retrieval::{Citation, KnowledgeKind, RRF_K};

/// The most action points of one enrichment. A rule of this project: a person does not go through more one by one.
pub const ACTION_POINTS_MAX: usize = 50;

/// The maximum length of an action point in characters; a longer one is visibly truncated, and complete in its
/// citation.
const TEXT_CHARS: usize = 500;

/// The most demands of the note, and the most `TODO` comments of cited code, that become action points. A rule of this
/// project: the first ones say what the note wants.
const ASKED_MAX: usize = 3;

/// Verbs at the beginning of a demand: "Add a limit", "Fix the lease".
const VERBS: &[&str] = &[
    "add",
    "allow",
    "avoid",
    "build",
    "cache",
    "change",
    "check",
    "clean",
    "configure",
    "convert",
    "create",
    "cut",
    "delete",
    "deprecate",
    "disable",
    "document",
    "drop",
    "enable",
    "ensure",
    "expose",
    "extend",
    "extract",
    "fix",
    "handle",
    "hide",
    "implement",
    "improve",
    "increase",
    "introduce",
    "limit",
    "log",
    "make",
    "measure",
    "merge",
    "migrate",
    "move",
    "prevent",
    "raise",
    "reduce",
    "refactor",
    "refuse",
    "reject",
    "remove",
    "rename",
    "replace",
    "report",
    "restrict",
    "return",
    "reuse",
    "rewrite",
    "run",
    "set",
    "show",
    "simplify",
    "speed",
    "split",
    "stop",
    "store",
    "stream",
    "support",
    "switch",
    "test",
    "tighten",
    "track",
    "update",
    "upgrade",
    "use",
    "validate",
    "verify",
    "warn",
    "write",
];

/// Words that mark a sentence as a demand: "we should renew it earlier".
const DEMANDS: &[&str] = &["must", "should", "needs to", "need to", "has to", "have to"];

/// The action points of a note and of the found pieces, each text once. `body` is the note's text without enrichments.
/// The note's own open tasks come first, then its demands, the suggestions of insights, and the `TODO` comments of the
/// cited code.
pub fn action_points(note: &Note, body: &str, pieces: &[&Piece]) -> Vec<NewActionPoint> {
    let of_note = |text: &str| Citation {
        kind: KnowledgeKind::Note,
        subject_id: Some(note.id.to_string()),
        title: note.title.clone(),
        excerpt: text.to_owned(),
        path: None,
        source_id: None,
        start_line: None,
        end_line: None,
        // The score of the first hit of a kind: the reciprocal rank of rank 1.
        score: 1.0 / (RRF_K + 1.0),
    };
    let own = task_lines(body)
        .into_iter()
        .map(|task| (task.to_owned(), vec![of_note(task)]));
    // The place where the work begins: the first cited code, if any.
    let first = pieces
        .iter()
        .find(|piece| piece.reference.section == Section::Code);
    let asked = demands(&note.title, body).into_iter().map(|text| {
        let place = first.map(|piece| piece.reference.citation.clone());
        let citations = std::iter::once(of_note(&text)).chain(place).collect();
        (text, citations)
    });
    let suggested = pieces.iter().filter_map(|piece| {
        let citation = piece.reference.citation.clone();
        Some((piece.suggestion.clone()?, vec![citation]))
    });
    let left = pieces
        .iter()
        .flat_map(|piece| left_in_code(piece))
        .take(ASKED_MAX);
    let mut seen = HashSet::new();
    own.chain(asked)
        .chain(suggested)
        .chain(left)
        .filter_map(|(text, citations)| {
            let text = shortened(&text);
            (!text.is_empty() && seen.insert(text.to_lowercase()))
                .then_some(NewActionPoint { text, citations })
        })
        .take(ACTION_POINTS_MAX)
        .collect()
}

/// The demands of a note: its title and sentences, where they begin with a verb of [`VERBS`] or have a word of
/// [`DEMANDS`]. Questions are no demands.
fn demands(title: &str, body: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in std::iter::once(title).chain(prose_lines(body)) {
        let line = line.trim().trim_start_matches(['-', '*', '+', '>', ' ']);
        for range in sentences(line) {
            let sentence = line[range].trim();
            if found.len() < ASKED_MAX && is_demand(sentence) {
                found.push(sentence.trim_end_matches('.').to_owned());
            }
        }
    }
    found
}

fn is_demand(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let first = lower
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let has = |demand: &&str| lower.contains(&format!(" {demand} "));
    let is_long = lower.split_whitespace().count() >= 2;
    is_long && !lower.ends_with(['?', ':']) && (VERBS.contains(&first) || DEMANDS.iter().any(has))
}

/// The `TODO` and `FIXME` comments of cited code, each cited by its own line.
fn left_in_code(piece: &Piece) -> Vec<(String, Vec<Citation>)> {
    if piece.reference.section != Section::Code {
        return Vec::new();
    }
    let start = piece.reference.citation.start_line.unwrap_or(1);
    let lines = (start..).zip(piece.text.lines());
    let marks = lines.filter_map(|(number, line)| {
        let text = ["TODO", "FIXME"].iter().find_map(|mark| {
            let (before, after) = line.split_once(mark)?;
            // The mark must be in a comment. It is no part of a longer word, because a colon follows.
            let is_comment = ["//", "#", "/*", "*", "--", ";", "<!--"]
                .iter()
                .any(|sign| before.contains(sign));
            let after = match after.strip_prefix('(') {
                Some(whose) => whose.split_once(')')?.1,
                None => after,
            };
            let text = after.trim_start().strip_prefix(':')?.trim();
            let text = text.trim_end_matches("*/").trim_end_matches("-->").trim();
            (is_comment && !text.is_empty()).then_some(text)
        })?;
        let citation = Citation {
            excerpt: line.to_owned(),
            start_line: Some(number),
            end_line: Some(number),
            ..piece.reference.citation.clone()
        };
        Some((text.to_owned(), vec![citation]))
    });
    marks.collect()
}

/// The open tasks of a Markdown text: `- [ ] …` and `TODO: …` at the beginning of a line, outside of code blocks.
fn task_lines(body: &str) -> Vec<&str> {
    prose_lines(body).into_iter().filter_map(task).collect()
}

/// The lines of a Markdown text outside of code blocks.
fn prose_lines(body: &str) -> Vec<&str> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in body.lines() {
        let line = line.trim();
        let mark = &line[..line.len() - line.trim_start_matches(['`', '~']).len()];
        match fence {
            Some(open) if mark.starts_with(open) && mark.len() == line.len() => fence = None,
            Some(_) => {}
            None if mark.starts_with("```") || mark.starts_with("~~~") => fence = Some(mark),
            None => lines.push(line),
        }
    }
    lines
}

fn task(line: &str) -> Option<&str> {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = number.len() < line.len();
    let entry = ["- ", "* ", "+ "]
        .iter()
        .find_map(|bullet| line.strip_prefix(bullet))
        .or_else(|| number.strip_prefix(". ").filter(|_| is_numbered));
    let text = entry
        .and_then(|entry| entry.trim_start().strip_prefix("[ ] "))
        .or_else(|| entry.unwrap_or(line).trim_start().strip_prefix("TODO:"))?;
    let text = text.trim();
    let text = text.strip_prefix("TODO:").unwrap_or(text).trim();
    (!text.is_empty()).then_some(text)
}

/// A text, cut to the length of an action point.
pub fn shortened(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.char_indices();
    match chars.nth(TEXT_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_tasks_are_found_and_done_ones_and_code_are_not() {
        let body = "Intro\n\
            - [ ] renew the lease\n  * [ ] nested\n1. [ ] numbered\n+ [ ] TODO: both\n\
            - [x] done\n- [ ]\n- plain\n\
            TODO: write it down\n- TODO: in a list\nnot a TODO: here\nTODO without a colon\n\
            ```md\n- [ ] in code\n~~~\nTODO: still code\n```\n\
            ~~~\n```\n- [ ] in code\n~~~\n- [ ] after code\r\n";
        assert_eq!(
            task_lines(body),
            [
                "renew the lease",
                "nested",
                "numbered",
                "both",
                "write it down",
                "in a list",
                "after code"
            ]
        );
    }

    #[test]
    fn a_note_demands_what_its_sentences_say() {
        let body = "It is slow. We should renew it before each batch. Why does it expire?\n\n- Cache the vets\n\
                    ```\nRemove this\n```\nUse cases are many:\nThe mustard must stay.";
        assert_eq!(
            demands("Limit the size of uploads", body),
            [
                "Limit the size of uploads",
                "We should renew it before each batch",
                "Cache the vets"
            ]
        );
        for title in [
            "How do we register error handlers?",
            "Lease renewal",
            "Testing",
            "Additional headers are lost",
        ] {
            assert_eq!(demands(title, ""), Vec::<String>::new(), "{title}");
        }
    }

    #[test]
    fn a_long_task_is_cut_visibly() {
        assert_eq!(shortened(" short "), "short");
        let cut = shortened(&"ä".repeat(TEXT_CHARS + 1));
        assert_eq!(cut.chars().count(), TEXT_CHARS + 1);
        assert!(cut.ends_with('…'));
        assert_eq!(shortened(&"ä".repeat(TEXT_CHARS)), "ä".repeat(TEXT_CHARS));
    }
}
