//! Composes the text of an enrichment: excerpts in reading order, or a model's checked text with its references.

use nyxcore_context::{
    Assembly, Reference, Section, TemplateError, Templates, Variables, built_in, markdown, place,
};

use crate::model::EnrichmentReport;

/// The text of an enrichment without a model: excerpts that are related to a note in a project.
pub(crate) fn excerpts_compose(
    input: &str,
    project_name: &str,
    assembly: &Assembly,
) -> Result<String, TemplateError> {
    let layout = built_in("note_enrichment.extractive").map_or("", |template| template.text);
    let variables = Variables::new(input, project_name, assembly);
    let text = Templates::markdown().render(layout, &variables)?;
    let mut text = text.trim().to_owned();
    let empty = assembly
        .sections
        .iter()
        .filter(|section| section.items.is_empty());
    let empty: Vec<&str> = empty.map(|section| plural(section.section)).collect();
    if !empty.is_empty() && empty.len() < assembly.sections.len() {
        text.push_str(&format!("\n\nNothing was found in: {}.", empty.join(", ")));
    }
    Ok(format!("{text}\n"))
}

/// A section's pieces, for people.
fn plural(section: Section) -> &'static str {
    match section {
        Section::Code => "code",
        Section::Documents => "documents",
        Section::Insights => "insights",
        Section::Memory => "memory entries",
        Section::Consolidations => "consolidation patterns",
        Section::CodePatterns => "code patterns",
    }
}

/// The text of an enrichment by a model, after its check.
pub(crate) fn written_compose(
    text: &str,
    model: &str,
    references: &[Reference],
    report: &EnrichmentReport,
) -> String {
    let mut parts = vec![
        format!(
            "Written by {} from what is known; every citation was checked.",
            markdown::code_span(model)
        ),
        text.trim().to_owned(),
    ];
    if !report.open_questions.is_empty() {
        let questions = report
            .open_questions
            .iter()
            .map(|question| format!("- {}", markdown::inline(question)));
        parts.push(format!(
            "### Open questions\n\n{}",
            questions.collect::<Vec<_>>().join("\n")
        ));
    }
    if !references.is_empty() {
        let lines = (1..)
            .zip(references)
            .map(|(number, reference)| reference_line(number, reference));
        parts.push(format!(
            "### References\n\n{}",
            lines.collect::<Vec<_>>().join("\n")
        ));
    }
    parts.extend(checked(report));
    format!("{}\n", parts.join("\n\n"))
}

fn reference_line(number: usize, reference: &Reference) -> String {
    let citation = &reference.citation;
    let kind = reference.section.piece_name();
    let place = place(citation).map(|place| markdown::code_span(&place));
    let title = markdown::inline(&citation.title);
    match (reference.section, place) {
        (Section::Code | Section::Documents, Some(place)) => {
            format!("- [{number}] {kind}: {place}")
        }
        (_, Some(place)) => format!("- [{number}] {kind}: {title}, {place}"),
        (_, None) => format!("- [{number}] {kind}: {title}"),
    }
}

/// The findings of the check, in sentences; `None` where there are none.
fn checked(report: &EnrichmentReport) -> Option<String> {
    let mut said = Vec::new();
    let counted = |count: i64, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    };
    if report.citations_dropped > 0 {
        let what = counted(
            report.citations_dropped,
            "citation that leads",
            "citations that lead",
        );
        said.push(format!("The model gave {what} nowhere: taken out."));
    }
    if !report.files_unknown.is_empty() {
        let count = i64::try_from(report.files_unknown.len()).unwrap_or(i64::MAX);
        let what = counted(
            count,
            "place that the project does not have: it is",
            "places that the project does not have: they are",
        );
        said.push(format!("The model named {what} marked."));
    }
    if report.sentences_uncited > 0 {
        let what = counted(report.sentences_uncited, "statement has", "statements have");
        said.push(format!("{what} no source and end in [?]."));
    }
    (!said.is_empty()).then(|| format!("*{}*", said.join(" ")))
}

#[cfg(test)]
mod tests {
    use nyxcore_context::{Piece, SectionShare, assemble};
    use nyxcore_retrieval::Citation;

    use super::*;

    fn piece(section: Section, title: &str, text: &str) -> Piece {
        Piece {
            reference: Reference {
                citation: Citation {
                    kind: section.kind(),
                    subject_id: None,
                    title: title.to_owned(),
                    excerpt: text.to_owned(),
                    path: None,
                    source_id: None,
                    start_line: None,
                    end_line: None,
                    score: 0.09,
                },
                section,
                blob: None,
            },
            text: text.to_owned(),
            label: None,
            suggestion: None,
            language: None,
        }
    }

    fn at(mut piece: Piece, path: &str, start: i64, end: i64) -> Piece {
        piece.reference.citation.path = Some(path.to_owned());
        piece.reference.citation.start_line = Some(start);
        piece.reference.citation.end_line = Some(end);
        piece
    }

    fn composed(pieces: &[Piece]) -> String {
        let shares = Section::ALL.map(|section| SectionShare {
            section,
            percent: 20,
            pieces_max: 9,
        });
        let found = pieces
            .iter()
            .map(|piece| (piece.reference.section, vec![piece.clone()]));
        let assembly = assemble(found.collect(), &shares, 9_000);
        excerpts_compose("Renew leases", "Atlas", &assembly).unwrap()
    }

    #[test]
    fn an_enrichment_of_every_kind_of_knowledge() {
        let naming = piece(
            Section::CodePatterns,
            "Functions and methods are snake_case",
            "Name functions and methods in `snake_case`.",
        );
        let pain = Piece {
            label: Some("pain point, high".into()),
            suggestion: Some("Renew the lease *before* each batch.".into()),
            ..piece(
                Section::Insights,
                "Leases expire unseen",
                "A worker lost its lease\nin the middle of a batch.",
            )
        };
        let strength = Piece {
            label: Some("strength".into()),
            ..piece(
                Section::Insights,
                "Fenced writes",
                "… nothing is done twice …",
            )
        };
        let letter = piece(
            Section::Memory,
            "Letter 7",
            "## Pain Log\n- The sweeper ran too late.\n- {{ input }} is not a template.",
        );
        let shared = Piece {
            label: Some("pain, seen 3 times".into()),
            ..piece(
                Section::Consolidations,
                "Workers outlive their leases",
                "Seen wherever batches are long.",
            )
        };
        let code = Piece {
            language: Some("rust".into()),
            label: Some("has `renew`, `lease`".into()),
            ..piece(
                Section::Code,
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
    fn one_kind_alone_names_the_kinds_without_anything() {
        let code = at(piece(Section::Code, "a.go", "func a() {}"), "a.go", 3, 3);
        let text = composed(&[code]);
        assert_eq!(text.matches("### ").count(), 2);
        assert!(
            text.contains(
                "`a.go:3` [1]\n\n```\nfunc a() {}\n```\n\n### References\n\n- [1] Code: `a.go:3`\n"
            ),
            "{text}"
        );
        let empty = "Nothing was found in: documents, insights, memory entries, consolidation patterns, code patterns.\n";
        assert!(text.ends_with(empty), "{text}");
    }

    #[test]
    fn what_the_check_found_is_said() {
        let report = EnrichmentReport {
            citations_dropped: 1,
            files_unknown: vec!["src/ghost.rs".into()],
            sentences_uncited: 2,
            open_questions: vec!["Who *renews*\nit?".into()],
            ..EnrichmentReport::default()
        };
        let code = at(piece(Section::Code, "a.go", "func a() {}"), "a.go", 3, 3);
        insta::assert_snapshot!(written_compose(
            "Begin there [1].",
            "m/`x`",
            &[code.reference],
            &report
        ));
    }
}
