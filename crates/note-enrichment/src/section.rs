//! The section of an enrichment in a note's body, between two marker comments. The markers make applying idempotent
//! and separate it from text by users.

use std::borrow::Cow;

use nyxcore_runs::RunId;
use nyxcore_tenancy::TypedId;

const BEGIN: &str = "<!-- nyxcore:enrichment ";
const END: &str = "<!-- /nyxcore:enrichment ";
const CLOSE: &str = " -->";

/// The heading of the section.
const HEADING: &str = "## What is known about this";

/// The body with the enrichment at its end; `None` where the body already has it.
pub fn append(body: &str, id: RunId, markdown: &str) -> Option<String> {
    let begin = format!("{BEGIN}{id}{CLOSE}");
    if body.contains(&begin) {
        return None;
    }
    let body = body.trim_end();
    let gap = if body.is_empty() { "" } else { "\n\n" };
    let markdown = markdown.trim_end();
    Some(format!(
        "{body}{gap}{begin}\n\n{HEADING}\n\n{markdown}\n\n{END}{id}{CLOSE}\n"
    ))
}

/// The text of users: the body without the enrichments in it. Comments that only look like ours stay.
pub fn strip(body: &str) -> Cow<'_, str> {
    let mut kept = Cow::Borrowed(body);
    let mut from = 0;
    while let Some(at) = kept[from..].find(BEGIN).map(|at| from + at) {
        match section_end(&kept, at) {
            Some(end) => kept.to_mut().replace_range(at..end, ""),
            None => from = at + BEGIN.len(),
        }
    }
    kept
}

/// The end of the section that begins at `at`. The end marker names the same enrichment, so that quoted text cannot
/// end it.
fn section_end(body: &str, at: usize) -> Option<usize> {
    let rest = &body[at + BEGIN.len()..];
    let id = &rest[..rest.find(CLOSE)?];
    RunId::parse(id).ok()?;
    let end = format!("{END}{id}{CLOSE}");
    let found = rest.find(&end)?;
    Some(at + BEGIN.len() + found + end.len())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> RunId {
        RunId(Uuid::from_u128(number))
    }

    #[test]
    fn an_enrichment_is_appended_once_and_can_be_taken_out_again() {
        let once = append("Mine.\n", id(1), "Theirs.").unwrap();
        assert!(once.starts_with("Mine.\n\n<!-- nyxcore:enrichment run_"));
        assert!(once.contains("\n\n## What is known about this\n\nTheirs.\n\n"));
        assert_eq!(append(&once, id(1), "Theirs."), None);
        let twice = append(&once, id(2), "More.").unwrap();
        assert_eq!(strip(&twice).trim(), "Mine.");
        let between = twice.replacen("\n\n<!-- nyxcore", "\n\nAlso mine.\n\n<!-- nyxcore", 2);
        assert!(strip(&between).contains("Also mine.") && !strip(&between).contains("Theirs."));
    }

    #[test]
    fn a_quoted_marker_ends_nothing() {
        let quoted = format!("{BEGIN}{}{CLOSE} and {END}{}{CLOSE}", id(7), id(7));
        let body = append("Mine.", id(1), &quoted).unwrap();
        assert_eq!(strip(&body).trim(), "Mine.");
    }

    #[test]
    fn comments_of_a_person_stay() {
        for body in [
            "<!-- nyxcore:enrichment of mine --> text",
            "text <!-- nyxcore:enrichment ",
            "",
            "<!-- other -->",
        ] {
            assert_eq!(strip(body), body);
        }
        let open = format!("{BEGIN}{}{CLOSE} never closed", id(1));
        assert_eq!(strip(&open), open);
    }

    #[test]
    fn an_empty_note_begins_with_the_enrichment() {
        assert!(append("", id(1), "x").unwrap().starts_with(BEGIN));
    }
}
