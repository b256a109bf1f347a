//! The references that some kind of pattern counts, selected once per file.
//!
//! A file refers to hundreds of names, and each kind of pattern looks for a few of them. The references that any kind
//! looks for are selected in one pass ([`References::filtered`]) and kept next to the facts, so that no kind reads all
//! references of all files. Each kind that reads the selected references declares by its function `notes` what it looks
//! for; other references are not visible to it.

use super::super::facts::FileFacts;
use super::super::language::Language;
use super::super::project::is_look_up;
use super::super::references::References;
use super::{async_style, dependency_wiring, error_handling, logging, naming, test_layout};
use super::{validation, wrapper};

/// The references of a file that a kind of pattern, or the detection of run-time lookups, may count.
pub(crate) fn noted(language: Language, facts: &FileFacts) -> References {
    let stack = language.stack();
    let asserts = test_layout::assert_names(stack, &facts.imports);
    facts.references.filtered(|one| {
        logging::notes(stack, one)
            || naming::notes(stack, one)
            || validation::notes(stack, one)
            || wrapper::notes(stack, one)
            || test_layout::notes(stack, &asserts, one)
            || async_style::notes(stack, one)
            || dependency_wiring::notes(stack, one)
            || error_handling::notes(stack, one)
            || is_look_up(stack, one.path)
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::files;
    use super::super::{AnalysisInput, KINDS, find};
    use crate::noted::NotedReferences;
    use crate::project::SourceFile;

    /// Code in which every kind that reads the selected references finds something.
    const SOURCES: &[(&str, &str)] = &[
        (
            "app/a.py",
            "import logging\nimport os\nfrom fastapi import APIRouter, Depends\nlog = logging.getLogger()\n\
             class OwnError(ValueError):\n    pass\n@dataclass\nclass Data:\n    pass\n@router.get('/')\n\
             def read(a=Depends(f)):\n    log.info('a')\n    print(os.environ.get('A'), os.environ['B'])\n    getattr(a, 'b')\n",
        ),
        (
            "tests/test_a.py",
            "import pytest\n@pytest.fixture\ndef thing():\n    return 1\n\ndef test_it(thing):\n    print(thing)\n",
        ),
        (
            "src/a.rs",
            "use tracing::info;\n#[derive(Debug, thiserror::Error, Deserialize)]\n#[serde(deny_unknown_fields)]\n\
             pub struct BadError {}\nfn f() { info!(\"a\"); println!(\"b\"); tokio::spawn(async {}); std::env::var(\"A\"); }\n",
        ),
        (
            "go/a.go",
            "package a\nimport (\n\"net/http\"\n\"log/slog\"\n\"github.com/gin-gonic/gin\"\n)\nfunc F(c *gin.Context) {\n\
             slog.Info(\"a\")\nfmt.Println(\"b\")\nhttp.Get(\"c\")\nvar w sync.WaitGroup\nc.ShouldBindJSON(nil)\n\
             json.Unmarshal(nil, nil)\nreflect.ValueOf(c).MethodByName(\"x\")\n}\n",
        ),
        (
            "go/a_test.go",
            "package a\nimport \"testing\"\nfunc TestA(t *testing.T) {\nfor _, tt := range tests {\n\
             t.Run(tt.name, func(t *testing.T) { t.Errorf(\"a\"); require.Equal(t, 1, 1) })\n}\n}\n",
        ),
        (
            "src/a.ts",
            "import { Injectable } from '@nestjs/common';\n@Injectable()\nexport class A {\n  b = inject(B);\n}\n\
             export async function g() { await fetch('/a'); console.log(process.env.B); h().then(() => 1); req.body.name; }\n",
        ),
        (
            "src/a.test.ts",
            "describe('a', () => {\n  it('b', () => {});\n  test('c', () => {});\n});\n",
        ),
        (
            "src/main/java/A.java",
            "@Service\nclass A {\n  @Autowired\n  B b;\n  A(C c) {}\n  void f(@RequestBody @Valid D d) { new Thread(); \
             Executors.newCachedThreadPool(); logger.info(\"a\"); System.getenv(\"B\"); Class.forName(\"C\"); }\n}\n",
        ),
    ];

    fn found(files: &[SourceFile]) -> Vec<crate::patterns::Pattern> {
        let files: Vec<&SourceFile> = files.iter().collect();
        let known = AnalysisInput {
            files: &files,
            ..AnalysisInput::default()
        };
        let Ok(found) = find(known, || Ok::<_, std::convert::Infallible>(()));
        found
    }

    #[test]
    fn the_picked_references_show_all_that_all_do() {
        assert!(KINDS.len() > 20);
        let mut repeated: Vec<(String, &str)> = Vec::new();
        for number in 0..12 {
            for (path, text) in SOURCES {
                let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
                repeated.push((format!("{folder}/p{number}/{name}"), text));
            }
        }
        let repeated: Vec<(&str, &str)> = repeated
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        let picked = files(&repeated);
        let all = picked.clone();
        for file in &all {
            file.facts.noted_set(NotedReferences {
                references: file.facts.references.clone(),
                ..NotedReferences::default()
            });
        }
        let patterns = found(&picked);
        assert!(patterns.len() > 10, "{}", patterns.len());
        assert_eq!(patterns, found(&all));
    }
}
