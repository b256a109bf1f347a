//! Action points from the note and from insights. Nothing is invented: every action point is a quotation.

use std::collections::HashSet;

use nyxcore_projects::{NewActionPoint, Note};
use nyxcore_retrieval::{Citation, KnowledgeKind, RRF_K};

use crate::retrieve::Piece;

/// The most action points of one enrichment. A rule of this project: more than a person goes through one by one is no
/// help.
pub const ACTION_POINTS_MAX: usize = 50;

/// The maximum length of an action point in characters; a longer one is visibly truncated, and complete in its
/// citation.
const TEXT_CHARS: usize = 500;

/// The action points of a note whose body without enrichments is `body`, and of the retrieved items: each text once,
/// the note's own first.
pub fn action_points(note: &Note, body: &str, pieces: &[Piece]) -> Vec<NewActionPoint> {
    let own = task_lines(body).into_iter().map(|task| {
        let citation = Citation {
            kind: KnowledgeKind::Note,
            subject_id: Some(note.id.to_string()),
            title: note.title.clone(),
            excerpt: task.to_owned(),
            path: None,
            source_id: None,
            start_line: None,
            end_line: None,
            // As what is found first of its kind.
            score: 1.0 / (RRF_K + 1.0),
        };
        (task, citation)
    });
    let suggested = pieces
        .iter()
        .filter_map(|piece| Some((piece.suggestion.as_deref()?, piece.citation.clone())));
    let mut seen = HashSet::new();
    own.chain(suggested)
        .filter_map(|(text, citation)| {
            let text = shortened(text);
            (!text.is_empty() && seen.insert(text.clone())).then_some(NewActionPoint {
                text,
                citations: vec![citation],
            })
        })
        .take(ACTION_POINTS_MAX)
        .collect()
}

/// The open tasks of a Markdown text: `- [ ] …` and `TODO: …` at the beginning of a line, outside of code blocks.
fn task_lines(body: &str) -> Vec<&str> {
    let mut fence: Option<&str> = None;
    let mut tasks = Vec::new();
    for line in body.lines() {
        let line = line.trim();
        let mark = &line[..line.len() - line.trim_start_matches(['`', '~']).len()];
        match fence {
            Some(open) if mark.starts_with(open) && mark.len() == line.len() => fence = None,
            Some(_) => {}
            None if mark.starts_with("```") || mark.starts_with("~~~") => fence = Some(mark),
            None => tasks.extend(task(line)),
        }
    }
    tasks
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

/// A text that is short enough for an action point.
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
    fn a_long_task_is_cut_visibly() {
        assert_eq!(shortened(" short "), "short");
        let cut = shortened(&"ä".repeat(TEXT_CHARS + 1));
        assert_eq!(cut.chars().count(), TEXT_CHARS + 1);
        assert!(cut.ends_with('…'));
        assert_eq!(shortened(&"ä".repeat(TEXT_CHARS)), "ä".repeat(TEXT_CHARS));
    }
}
