//! The properties of the engine that hold for any bytes. The fuzzer searches for bytes that break them; the tests run
//! the same functions over the corpus and over mutations of it.

use std::collections::BTreeSet;

use nyxcore_code_engine::analysis::project_summarize;
use nyxcore_code_engine::facts::FileFacts;
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::on_deep_stack;
use nyxcore_code_engine::parse::file_analyze;
use nyxcore_code_engine::project::{Manifest, ProjectInput, SourceFile};

/// Checks Python, which ruff parses.
pub fn python(data: &[u8]) {
    source(Language::Python, data);
}

/// Checks TypeScript, TSX or JavaScript, which oxc parses. The first byte selects the language.
pub fn ecma(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let languages = [Language::TypeScript, Language::Tsx, Language::JavaScript];
    source(languages[usize::from(*first) % languages.len()], rest);
}

/// Checks a tree-sitter language. The first byte selects it.
pub fn syntax_tree(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let others = [
        Language::Python,
        Language::TypeScript,
        Language::Tsx,
        Language::JavaScript,
    ];
    let languages: Vec<Language> = Language::ALL
        .iter()
        .copied()
        .filter(|language| language.has_facts() && !others.contains(language))
        .collect();
    source(languages[usize::from(*first) % languages.len()], rest);
}

/// Checks that source is either refused with a reason or analysed. If it is analysed, every line is counted once, every
/// fact is on a line of the file, and the stored form decodes to the same facts.
fn source(language: Language, text: &[u8]) {
    let Ok(facts) = file_analyze("x", language, text) else {
        return;
    };
    let last = facts.lines.total().max(1);
    for definition in &facts.definitions {
        assert!(1 <= definition.start_line, "{definition:?}");
        assert!(
            definition.start_line <= definition.end_line,
            "{definition:?}"
        );
        assert!(definition.end_line <= last, "{definition:?} of {last}");
        if let Some(measures) = definition.metrics {
            assert!(measures.cyclomatic >= 1, "{definition:?}");
            assert!(measures.length <= last, "{definition:?}");
        }
    }
    for reference in facts.references.iter() {
        assert!(!reference.path.is_empty() && reference.count() > 0);
        let lines: Vec<u32> = reference.lines().collect();
        assert_eq!(lines.len(), reference.count() as usize, "{reference:?}");
        assert!(
            lines.is_sorted() && lines.iter().all(|line| (1..=last).contains(line)),
            "{lines:?} of {last}"
        );
    }
    let others = facts
        .tests
        .iter()
        .chain(&facts.todos)
        .chain(facts.signs.iter().flat_map(|(_, lines)| lines));
    assert!(others.copied().all(|line| (1..=last).contains(&line)));
    assert!(
        facts
            .imports
            .iter()
            .all(|import| (1..=last).contains(&import.line))
    );
    let bytes = postcard::to_stdvec(&facts).expect("facts can be kept");
    assert_eq!(
        postcard::from_bytes::<FileFacts>(&bytes).as_ref(),
        Ok(&facts)
    );
}

/// Checks damaged stored facts: they are refused or decoded, and decoded ones can be iterated and stored again.
pub fn references(data: &[u8]) {
    let Ok(facts) = postcard::from_bytes::<FileFacts>(data) else {
        return;
    };
    let occurrences: usize = facts
        .references
        .iter()
        .map(|reference| reference.name().len() + reference.lines().take(1 << 16).count())
        .sum();
    std::hint::black_box((occurrences, facts.function_count()));
    let bytes = postcard::to_stdvec(&facts).expect("facts can be kept");
    assert_eq!(
        postcard::from_bytes::<FileFacts>(&bytes).as_ref(),
        Ok(&facts)
    );
}

/// Checks a small project, whose files each follow a line `@@ path`: the summary does not depend on the order of the
/// files, and no step fails.
pub fn project(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut input = ProjectInput::default();
    let mut paths = BTreeSet::new();
    for part in text.split("@@ ").skip(1).take(12) {
        let (path, content) = part.split_once('\n').unwrap_or((part, ""));
        let path = path.trim();
        if path.is_empty() || !paths.insert(path) {
            continue;
        }
        if Manifest::is_manifest(path) {
            input.manifests.push(Manifest {
                path: path.to_owned(),
                text: content.to_owned(),
            });
        }
        let Some(language) = Language::detect(path) else {
            continue;
        };
        if let Ok(facts) = file_analyze(path, language, content.as_bytes()) {
            input.files.push(SourceFile {
                path: path.to_owned(),
                blob: nyxcore_code_engine::blob_id(content.as_bytes()),
                language,
                facts,
            });
        }
    }
    let first = on_deep_stack(|| project_summarize(&input)).expect("a thread");
    input.files.reverse();
    let second = on_deep_stack(|| project_summarize(&input)).expect("a thread");
    assert_eq!(first, second);
    assert!(first.failed.is_empty(), "{:?}", first.failed);
}
