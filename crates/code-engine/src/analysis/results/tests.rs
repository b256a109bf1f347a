//! What is kept from an earlier run never changes what a later run finds.

use proptest::prelude::*;

use super::super::{EarlierResults, NewResults, project_summarize, project_summarize_known};
use crate::blob_id;
use crate::language::Language;
use crate::parse::file_analyze;
use crate::project::{ProjectInput, SourceFile};

const FILES: usize = 20;

/// A piece of a file: what it is, and two names.
type Piece = (u8, u8, u8);

fn piece() -> impl Strategy<Value = Piece> {
    (0u8..7, 0u8..6, 0u8..6)
}

/// A module with some of few names, so that modules define and use the same ones.
fn file(number: usize, pieces: &[Piece]) -> SourceFile {
    let mut text = String::new();
    for (what, a, b) in pieces {
        text += &match what {
            0 => format!("def run_{a}(x):\n    return run_{b}(x)\n\n\n"),
            1 => format!(
                "class Type{a}(Type{b}):\n    def act_{b}(self):\n        return self.act_{a}()\n\n\n"
            ),
            2 => format!("from .m{a:02} import run_{b}\n"),
            3 => format!("from . import m{a:02}\nm{a:02}.run_{b}(1)\n"),
            4 => format!("made = Type{a}().act_{b}(run_{a})\n"),
            5 => (0..12)
                .map(|n| format!("v{n} = left_{a}(v{n}, right_{n}) + other_{n}\n"))
                .collect(),
            _ => format!("from .m{a:02} import *\n"),
        };
    }
    let path = format!("app/m{number:02}.py");
    SourceFile {
        blob: blob_id(text.as_bytes()),
        language: Language::Python,
        facts: file_analyze(&path, Language::Python, text.as_bytes()).unwrap(),
        path,
    }
}

/// Summarizes with what is kept, compares with a run without it, and returns what is kept now.
fn summarized(input: &ProjectInput, kept: NewResults) -> NewResults {
    let earlier = EarlierResults {
        uses: None,
        edges: Some(kept.edges.as_ref()),
        imports: Some(kept.imports.as_ref()),
        repeats: Some(kept.repeats.as_ref()),
    };
    let (analysis, new) = project_summarize_known(input, earlier);
    assert_eq!(analysis, project_summarize(input));
    NewResults {
        edges: new.edges.or(kept.edges),
        imports: new.imports.or(kept.imports),
        repeats: new.repeats.or(kept.repeats),
    }
}

fn project(files: &[Vec<Piece>]) -> ProjectInput {
    let files = files.iter().enumerate();
    ProjectInput {
        files: files.map(|(number, pieces)| file(number, pieces)).collect(),
        ..ProjectInput::default()
    }
}

#[test]
fn without_a_change_what_is_kept_will_do() {
    let pieces = |n: u8| vec![(0, n % 6, (n + 1) % 6), (5, 1, 1), (2, n % 6, 0)];
    let files: Vec<Vec<Piece>> = (0..FILES as u8).map(pieces).collect();
    let input = project(&files);
    let kept = summarized(&input, NewResults::default());
    let earlier = EarlierResults {
        uses: None,
        edges: Some(kept.edges.as_ref()),
        imports: Some(kept.imports.as_ref()),
        repeats: Some(kept.repeats.as_ref()),
    };
    assert!(kept.edges.is_some() && kept.imports.is_some() && kept.repeats.is_some());
    let (_, new) = project_summarize_known(&input, earlier);
    assert!(new.edges.is_none() && new.imports.is_none() && new.repeats.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn edits_are_found_with_what_is_kept_as_without(
        files in prop::collection::vec(prop::collection::vec(piece(), 0..6), FILES),
        edits in prop::collection::vec(
            (0..FILES, 0usize..7, prop::collection::vec(piece(), 0..3), any::<bool>()),
            1..6,
        ),
    ) {
        let mut files = files;
        let mut kept = summarized(&project(&files), NewResults::default());
        for (number, at, pieces, removes) in edits {
            let file = &mut files[number];
            let at = at.min(file.len());
            let end = if removes { (at + 1).min(file.len()) } else { at };
            file.splice(at..end, pieces);
            kept = summarized(&project(&files), kept);
        }
    }
}
