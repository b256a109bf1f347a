//! Composes the text of an extractive enrichment: the retrieved items in reading order, each statement with its
//! citation.

use nyxcore_retrieval::{Citation, KnowledgeKind};

use crate::retrieve::Piece;
use crate::template::{Item, TemplateError, Templates, Variables};

/// The layout. Its filters escape all values.
const EXTRACTIVE: &str = include_str!("extractive.md.jinja");

/// What there is to read about a note's text in a project. `[1]` is the first of the pieces.
pub fn compose(
    templates: &Templates,
    input: &str,
    project_name: &str,
    pieces: &[Piece],
) -> Result<String, TemplateError> {
    let of = |kind: KnowledgeKind| -> Vec<Item> {
        let numbered = (1..).zip(pieces);
        numbered
            .filter(|(_, piece)| piece.citation.kind == kind)
            .map(|(number, piece)| item(number, piece))
            .collect()
    };
    let variables = Variables {
        input: input.to_owned(),
        project_name: project_name.to_owned(),
        patterns: of(KnowledgeKind::CodePattern),
        insights: of(KnowledgeKind::Insight),
        memory: of(KnowledgeKind::MemoryEntry),
        consolidations: of(KnowledgeKind::Consolidation),
        code: of(KnowledgeKind::Code),
    };
    let text = templates.render(EXTRACTIVE, &variables)?;
    Ok(format!("{}\n", text.trim()))
}

fn item(number: usize, piece: &Piece) -> Item {
    let citation = &piece.citation;
    Item {
        number,
        kind: kind_name(citation.kind),
        title: citation.title.clone(),
        text: piece.text.clone(),
        label: piece.label.clone(),
        suggestion: piece.suggestion.clone(),
        place: place(citation),
        is_place: citation.kind == KnowledgeKind::Code,
        language: piece.language.clone(),
    }
}

fn kind_name(kind: KnowledgeKind) -> &'static str {
    match kind {
        KnowledgeKind::CodePattern => "Code pattern",
        KnowledgeKind::MemoryEntry => "Memory entry",
        KnowledgeKind::Insight => "Insight",
        KnowledgeKind::Consolidation => "Consolidation",
        KnowledgeKind::Code => "Code",
        KnowledgeKind::Document => "Document",
        KnowledgeKind::Note => "Note",
    }
}

/// `src/lease.rs:12-30`, `src/lease.rs:12` for one line.
fn place(citation: &Citation) -> Option<String> {
    let path = citation.path.as_deref()?;
    Some(match (citation.start_line, citation.end_line) {
        (Some(start), Some(end)) if start < end => format!("{path}:{start}-{end}"),
        (Some(line), _) => format!("{path}:{line}"),
        _ => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(kind: KnowledgeKind, title: &str, text: &str) -> Piece {
        Piece {
            citation: Citation {
                kind,
                subject_id: None,
                title: title.to_owned(),
                excerpt: text.to_owned(),
                path: None,
                source_id: None,
                start_line: None,
                end_line: None,
                score: 0.09,
            },
            text: text.to_owned(),
            label: None,
            suggestion: None,
            language: None,
        }
    }

    fn at(mut piece: Piece, path: &str, start: i64, end: i64) -> Piece {
        piece.citation.path = Some(path.to_owned());
        piece.citation.start_line = Some(start);
        piece.citation.end_line = Some(end);
        piece
    }

    fn composed(pieces: &[Piece]) -> String {
        compose(&Templates::new(), "Renew leases", "Atlas", pieces).unwrap()
    }

    #[test]
    fn an_enrichment_of_every_kind_of_knowledge() {
        let naming = piece(
            KnowledgeKind::CodePattern,
            "Functions and methods are snake_case",
            "Name functions and methods in `snake_case`.",
        );
        let pain = Piece {
            label: Some("pain point, high".into()),
            suggestion: Some("Renew the lease *before* each batch.".into()),
            ..piece(
                KnowledgeKind::Insight,
                "Leases expire unseen",
                "A worker lost its lease\nin the middle of a batch.",
            )
        };
        let strength = Piece {
            label: Some("strength".into()),
            ..piece(
                KnowledgeKind::Insight,
                "Fenced writes",
                "… nothing is done twice …",
            )
        };
        let letter = piece(
            KnowledgeKind::MemoryEntry,
            "Letter 7",
            "## Pain Log\n- The sweeper ran too late.\n- {{ input }} is not a template.",
        );
        let shared = Piece {
            label: Some("pain, seen 3 times".into()),
            ..piece(
                KnowledgeKind::Consolidation,
                "Workers outlive their leases",
                "Seen wherever batches are long.",
            )
        };
        let code = Piece {
            language: Some("rust".into()),
            ..piece(
                KnowledgeKind::Code,
                "src/lease.rs",
                "    // ``` in a comment\n    fn renew_lease(&self) {",
            )
        };
        let pieces = [
            at(naming, "src/lease.rs", 12, 14),
            pain,
            strength,
            letter,
            shared,
            at(code, "src/lease.rs", 11, 12),
        ];
        insta::assert_snapshot!(composed(&pieces));
    }

    #[test]
    fn an_enrichment_of_nothing_says_so() {
        insta::assert_snapshot!(composed(&[]));
    }

    #[test]
    fn one_kind_alone_has_no_headings_of_the_others() {
        let code = at(
            piece(KnowledgeKind::Code, "a.go", "func a() {}"),
            "a.go",
            3,
            3,
        );
        let text = composed(&[code]);
        assert_eq!(text.matches("### ").count(), 2);
        assert!(
            text.contains(
                "`a.go:3` [1]\n\n```\nfunc a() {}\n```\n\n### References\n\n- [1] Code: `a.go:3`\n"
            ),
            "{text}"
        );
    }
}
