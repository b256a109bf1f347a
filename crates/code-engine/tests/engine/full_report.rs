//! A report with a value in every field. It is written without `..`, so that a new field must be added here, together
//! with its description in `docs/schema/analysis-2.schema.json`.

use nyxcore_code_engine::analysis::{ProjectAnalysis, Step};
use nyxcore_code_engine::evidence::CodeLocation;
use nyxcore_code_engine::facts::{DefinitionKind, ENGINE_VERSION, FunctionMetrics, LineCounts};
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::listing::{Skip, SkippedFiles};
use nyxcore_code_engine::patterns::Pattern;
use nyxcore_code_engine::project::{
    CloneGroup, CoChange, CommandPurpose, Cycle, CycleStep, DeadCode, HistoryWindow, Hotspot,
    ImportGraph, LanguageShare, Layer, Ownership, ProjectCommand, ProjectMetrics, RankedDefinition,
    Technology, TechnologyKind,
};
use nyxcore_code_engine::rules::{RuleError, RuleFinding, RuleReport, RuleSeverity};
use nyxcore_code_engine::tree::{
    ComplexFunction, FileReport, FunctionReport, REPORT_SCHEMA, TreeReport,
};

fn place(path: &str, line: u32) -> CodeLocation {
    CodeLocation {
        source_id: None,
        path: path.to_owned(),
        start_line: line,
        end_line: line + 4,
        blob: "3a93d659a61407737d6a6a21bb89d9debf0916ab".to_owned(),
    }
}

fn technology(name: &str, kind: TechnologyKind, version: Option<&str>) -> Technology {
    Technology {
        name: name.to_owned(),
        kind,
        language: Language::TypeScript,
        version: version.map(str::to_owned),
        files: 41,
    }
}

fn rule(id: &str, severity: RuleSeverity, counters: u32) -> RuleFinding {
    RuleFinding {
        source_id: None,
        id: id.to_owned(),
        path: ".nyxcore/rules/own.yml".to_owned(),
        line: 3,
        language: Language::TypeScript,
        severity,
        title: "No console".to_owned(),
        statement: "Log through `logger`, not `console[0](x)`.".to_owned(),
        url: Some("https://example.org/logging".to_owned()),
        matches: 7,
        files: 3,
        counter_matches: counters,
        places: vec![place("src/a.ts", 10), place("src/a.ts", 20)],
        counter_places: vec![place("src/b.ts", 10); usize::from(counters > 0)],
        given_up: 1,
    }
}

/// The project of [`report`].
pub fn project() -> ProjectAnalysis {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ProjectAnalysis {
        stack: vec![
            technology("typescript", TechnologyKind::Language, None),
            technology("express", TechnologyKind::Framework, Some("5.1.0")),
        ],
        metrics: ProjectMetrics {
            files: 61,
            lines_of_code: 12_345,
            functions: 678,
            languages: vec![
                LanguageShare {
                    language: Language::TypeScript,
                    files: 60,
                    lines_of_code: 12_000,
                },
                LanguageShare {
                    language: Language::Css,
                    files: 1,
                    lines_of_code: 345,
                },
            ],
            duplicated_lines: 321,
            todos: 12,
        },
        patterns: vec![Pattern {
            key: "wrapper/typescript/http/client@src".to_owned(),
            kind: "wrapper".to_owned(),
            title: "HTTP calls go through `client.ts`".to_owned(),
            statement: "Call `request` of `src/client.ts` instead of `fetch`.".to_owned(),
            stack: Some("typescript".to_owned()),
            scope: Some("src".to_owned()),
            support: 41,
            cases: 44,
            confidence: 0.8177,
            exemplars: vec![place("src/users.ts", 12), place("src/orders.ts", 30)],
            counter_examples: vec![place("src/legacy page.ts", 5)],
            deviations: vec![place("src/legacy page.ts", 5)],
        }],
        commands: vec![
            ProjectCommand {
                source_id: None,
                purpose: CommandPurpose::Build,
                command: "npm run build".to_owned(),
                path: "package.json".to_owned(),
                line: Some(7),
            },
            ProjectCommand {
                source_id: None,
                purpose: CommandPurpose::Install,
                command: "npm ci".to_owned(),
                path: "package-lock.json".to_owned(),
                line: None,
            },
        ],
        hotspots: vec![Hotspot {
            source_id: None,
            path: "src/orders.ts".to_owned(),
            commits: 48,
            complexity: 210,
            score: 1.0,
        }],
        co_changes: vec![CoChange {
            source_ids: [None, None],
            paths: ["src/orders.ts".to_owned(), "src/prices.ts".to_owned()],
            together: 14,
            commits: [48, 16],
            degree: 0.875,
        }],
        ownership: vec![
            Ownership {
                source_id: None,
                folder: String::new(),
                commits: 300,
                authors: 7,
                main_author: "Ada Lovelace".to_owned(),
                main_share: 0.42,
            },
            Ownership {
                source_id: None,
                folder: "src/billing".to_owned(),
                commits: 60,
                authors: 1,
                main_author: "Grace Hopper".to_owned(),
                main_share: 1.0,
            },
        ],
        imports: ImportGraph {
            files: 58,
            edges: 190,
            unresolved: 2,
            layers: vec![
                Layer {
                    level: 0,
                    folders: names(&["src/util"]),
                },
                Layer {
                    level: 1,
                    folders: names(&["src/billing", "src/orders"]),
                },
            ],
            cycles: vec![Cycle {
                size: 3,
                path: vec![
                    CycleStep {
                        source_id: None,
                        file: "src/orders.ts".to_owned(),
                        line: 2,
                    },
                    CycleStep {
                        source_id: None,
                        file: "lib/prices.ts".to_owned(),
                        line: 4,
                    },
                ],
            }],
        },
        duplicates: vec![CloneGroup {
            tokens: 120,
            lines: 18,
            count: 2,
            tests: false,
            places: vec![place("src/a.ts", 40), place("src/b.ts", 80)],
        }],
        window: Some(HistoryWindow {
            commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            since: "2025-11-28".to_owned(),
            until: "2026-11-28".to_owned(),
        }),
        dead_code: vec![DeadCode {
            kind: DefinitionKind::Method,
            name: "Cart.legacyTotal".to_owned(),
            location: place("src/cart.ts", 90),
            tests_only: true,
            caveats: vec!["A framework may call it by its name.".to_owned()],
        }],
        map: vec![RankedDefinition {
            source_id: None,
            rank: 0.0312,
            kind: DefinitionKind::Function,
            name: "request".to_owned(),
            path: "src/client.ts".to_owned(),
            start_line: 9,
            end_line: 44,
            used_in: 41,
        }],
        failed: vec![Step::Map],
        rules: RuleReport {
            rules: vec![
                rule("no-console", RuleSeverity::Warning, 0),
                rule("log-by-logger", RuleSeverity::Hint, 1),
            ],
            errors: vec![
                RuleError {
                    source_id: None,
                    path: ".nyxcore/rules/broken.yml".to_owned(),
                    line: Some(2),
                    reason: "unknown field".to_owned(),
                },
                RuleError {
                    source_id: None,
                    path: ".nyxcore/rules/large.yml".to_owned(),
                    line: None,
                    reason: "larger than a rule file may be".to_owned(),
                },
            ],
        },
    }
}

/// The report.
pub fn report() -> TreeReport {
    let skipped = |reason: Skip, rule: &str| SkippedFiles {
        reason,
        rule: rule.to_owned(),
        files: 2,
        paths: vec!["a/x.js".to_owned(), "a/y.js".to_owned()],
    };
    let metrics = FunctionMetrics {
        cyclomatic: 21,
        cognitive: 40,
        nesting: 5,
        parameters: 3,
        length: 77,
    };
    TreeReport {
        schema: REPORT_SCHEMA.to_owned(),
        engine_version: ENGINE_VERSION,
        project: project(),
        complex_functions: vec![ComplexFunction {
            name: "Orders.settle".to_owned(),
            path: "src/orders.ts".to_owned(),
            blob: "e035d70ab549a17c48fe13affa960a475bf3f03f".to_owned(),
            start_line: 100,
            end_line: 176,
            cognitive: 40,
            cyclomatic: 21,
        }],
        skipped: vec![
            skipped(Skip::DoesNotParse, "does_not_parse"),
            skipped(Skip::Vendored, "vendored/node_modules"),
        ],
        map: None,
        files: Some(vec![FileReport {
            path: "src/orders.ts".to_owned(),
            blob: "e035d70ab549a17c48fe13affa960a475bf3f03f".to_owned(),
            language: Language::TypeScript,
            lines: LineCounts {
                code: 300,
                comment: 20,
                blank: 40,
            },
            complexity: 210,
            syntax_errors: 1,
            functions: vec![FunctionReport {
                name: "Orders.settle".to_owned(),
                kind: DefinitionKind::Method,
                start_line: 100,
                end_line: 176,
                metrics,
            }],
        }]),
    }
}
