//! A report in SARIF 2.1.0, for code-scanning pages and editors: notable findings, each with its lines.
//!
//! | rule | what | level |
//! |---|---|---|
//! | `rule/...` | a match of one of the project's own rules; of a rule with a counter, the counter's matches | the rule's own |
//! | `import-cycle` | files that import each other in a cycle | warning |
//! | `complex-function` | a function of a cognitive complexity over [`COGNITIVE_MOST`] | warning |
//! | `duplicate-code` | code that occurs in more than one place | note |
//! | a pattern's key | a place that does not follow a habit of the project | note |
//!
//! Longer than 450 lines: a log, its comparison and its findings share their types.

mod form;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize, Serializer};

use self::form::{
    AutomationDetails, BaselineState, Configuration, Descriptor, DescriptorReference, Driver,
    Finding, Invocation, Level, Location, Log, Message, Notification, Run, RunProperties,
    SOURCE_ROOT, Tags, Tool, UriBase,
};
use super::blob::blob_id;
use super::check::CheckReport;
use super::evidence::CodeLocation;
use super::patterns::Pattern;
use super::report_files::COGNITIVE_MOST;
use super::rules::{RuleFinding, RuleSeverity};
use super::skip::Skip;
use super::tree::TreeReport;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The kind of the patterns from the project's own rules: their places are reported as matches.
const RULE_KIND: &str = "rule";

/// A report as SARIF, to be serialised.
#[derive(Debug, Clone, PartialEq)]
pub struct Sarif(Log);

impl Serialize for Sarif {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The name of this program's fingerprint of a finding.
const FINGERPRINT: &str = "nyxcoreFinding/v1";

/// The severity of a finding, for deciding whether it fails a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingLevel {
    /// Worth a review.
    Note,
    /// Should be fixed.
    Warning,
    /// Must be fixed.
    Error,
}

impl Sarif {
    /// Compares the findings with those of an earlier log: each is marked as new or unchanged, by its fingerprint.
    ///
    /// # Errors
    /// The text is not a SARIF log of this program.
    pub fn compare(&mut self, baseline: &str) -> Result<(), serde_json::Error> {
        let log: Baseline = serde_json::from_str(baseline)?;
        let known: HashSet<String> = log
            .runs
            .into_iter()
            .flat_map(|run| run.results)
            .filter_map(|mut one| one.partial_fingerprints.remove(FINGERPRINT))
            .collect();
        for finding in self.0.runs.iter_mut().flat_map(|run| &mut run.results) {
            let fingerprint = finding.partial_fingerprints.get(FINGERPRINT);
            let is_known = fingerprint.is_some_and(|one| known.contains(one));
            finding.baseline_state = Some(if is_known {
                BaselineState::Unchanged
            } else {
                BaselineState::New
            });
        }
        Ok(())
    }

    /// The number of findings with at least this level; after [`compare`](Self::compare), of the new ones.
    #[must_use]
    pub fn count_from(&self, level: FindingLevel) -> usize {
        let least = match level {
            FindingLevel::Note => Level::Note,
            FindingLevel::Warning => Level::Warning,
            FindingLevel::Error => Level::Error,
        };
        let findings = self.0.runs.iter().flat_map(|run| &run.results);
        findings
            .filter(|one| {
                one.level >= least && one.baseline_state != Some(BaselineState::Unchanged)
            })
            .count()
    }
}

/// The part of a log by which findings are compared.
#[derive(Deserialize)]
struct Baseline {
    runs: Vec<BaselineRun>,
}

#[derive(Deserialize)]
struct BaselineRun {
    results: Vec<BaselineFinding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BaselineFinding {
    #[serde(default)]
    partial_fingerprints: HashMap<String, String>,
}

/// The deviations of a change as a SARIF log. Those from a habit with a confidence of at least 0.9 are warnings.
#[must_use]
pub fn check_sarif(report: &CheckReport) -> Sarif {
    const SURE: f64 = 0.9;
    let mut findings = Findings::default();
    for one in &report.deviations {
        let held = format!("{} of {}", one.support, one.cases);
        let help = format!(
            "{}\nThis is a habit of this project: {held} places follow it.",
            one.statement
        );
        let words = Words {
            name: None,
            title: &one.title,
            statement: &one.statement,
            help: &help,
            uri: None,
            tags: vec!["habit".to_owned()],
        };
        let level = if one.confidence >= SURE {
            Level::Warning
        } else {
            Level::Note
        };
        let message = format!("{} ({held} places do{})", one.statement, one.rest());
        let at = Location::lines(&one.path, one.start_line, one.end_line);
        findings.add(&one.key, level, &words, at, &message, "");
    }
    log(findings, Vec::new(), Vec::new(), None)
}

/// The findings of a report, as a SARIF log of one run. The same report gives the same log.
///
/// A finding's `partialFingerprints` do not change when its lines move: they consist of a hash of the rule, the path
/// and, if there is one, the name, and of a number that distinguishes equal hashes.
#[must_use]
pub fn report_sarif(report: &TreeReport) -> Sarif {
    let mut findings = Findings::default();
    let project = &report.project;
    project
        .rules
        .rules
        .iter()
        .for_each(|rule| findings.own_rule(rule));
    findings.cycles(report);
    findings.complex_functions(report);
    findings.duplicates(report);
    for pattern in project.patterns.iter().filter(|one| one.kind != RULE_KIND) {
        findings.habit(pattern);
    }
    let properties = project.window.as_ref().map(|window| RunProperties {
        commit: window.commit.clone(),
        since: window.since.clone(),
        until: window.until.clone(),
    });
    log(
        findings,
        rule_errors(report),
        unread_files(report),
        properties,
    )
}

fn log(
    findings: Findings,
    configuration: Vec<Notification>,
    execution: Vec<Notification>,
    properties: Option<RunProperties>,
) -> Sarif {
    let source_root = UriBase {
        description: Message::new("The folder that was analysed"),
    };
    Sarif(Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "nyxcore",
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: findings.rules,
                },
            },
            automation_details: AutomationDetails { id: "nyxcore/" },
            invocations: [Invocation {
                execution_successful: true,
                tool_configuration_notifications: configuration,
                tool_execution_notifications: execution,
            }],
            original_uri_base_ids: BTreeMap::from([(SOURCE_ROOT, source_root)]),
            column_kind: "unicodeCodePoints",
            results: findings.results,
            properties,
        }],
    })
}

#[derive(Default)]
struct Findings {
    rules: Vec<Descriptor>,
    results: Vec<Finding>,
    /// The number of findings with each fingerprint.
    seen: HashMap<String, u32>,
}

/// The texts of a rule.
struct Words<'w> {
    name: Option<&'static str>,
    title: &'w str,
    statement: &'w str,
    help: &'w str,
    uri: Option<String>,
    tags: Vec<String>,
}

impl Findings {
    fn own_rule(&mut self, rule: &RuleFinding) {
        // If a rule has a counter, its matches follow the rule; the counter's matches are the findings.
        let (places, message) = if rule.counter_matches > 0 {
            let all = rule.matches + rule.counter_matches;
            let message = format!(
                "{} ({} of {all} places follow it.)",
                rule.statement, rule.matches
            );
            (&rule.counter_places, message)
        } else {
            (&rule.places, rule.statement.clone())
        };
        let level = match rule.severity {
            RuleSeverity::Hint | RuleSeverity::Info => Level::Note,
            RuleSeverity::Warning => Level::Warning,
            RuleSeverity::Error => Level::Error,
        };
        let id = format!("rule/{}", rule.id);
        let help = format!(
            "{}\nA rule of this project's own: {}:{}.",
            rule.statement, rule.path, rule.line
        );
        let words = Words {
            name: None,
            title: &rule.title,
            statement: &rule.statement,
            help: &help,
            // Only web addresses are allowed here.
            uri: rule.url.clone().filter(|url| is_web_address(url)),
            tags: vec!["rule".to_owned(), rule.language.as_str().to_owned()],
        };
        self.places(&id, level, &words, places, &message);
    }

    fn habit(&mut self, pattern: &Pattern) {
        let mut tags = vec!["habit".to_owned(), pattern.kind.clone()];
        tags.extend(pattern.stack.clone());
        let scope = match &pattern.scope {
            Some(scope) => format!(" in {scope}/"),
            None => String::new(),
        };
        let held = format!("{} of {}", pattern.support, pattern.cases);
        let help = format!(
            "{}\nThis is a habit of this project{scope}, not a law: {held} places follow it.",
            pattern.statement
        );
        let words = Words {
            name: None,
            title: &pattern.title,
            statement: &pattern.statement,
            help: &help,
            uri: None,
            tags,
        };
        let message = format!(
            "{}: {held}{scope}, and not here. {}",
            pattern.title, pattern.statement
        );
        // All deviations are listed, or none: with a part of them, fixing one would report the next.
        let places = &pattern.deviations;
        self.places(&pattern.key, Level::Note, &words, places, &message);
    }

    fn cycles(&mut self, report: &TreeReport) {
        let words = Words {
            name: Some("ImportCycle"),
            title: "Files import each other in a circle",
            statement: "Files that import each other in a circle can only be understood, tested and moved together.",
            help: "Move what both sides need into a file that imports neither, or turn one of the imports around.",
            uri: None,
            tags: vec!["architecture".to_owned()],
        };
        for cycle in &report.project.imports.cycles {
            let Some(first) = cycle.path.first() else {
                continue;
            };
            let files: Vec<&str> = cycle.path.iter().map(|step| step.file.as_str()).collect();
            let message = format!(
                "A circle of {} files that import each other, by way of {} → {}",
                cycle.size,
                files.join(" → "),
                first.file,
            );
            let next = files.iter().cycle().skip(1);
            let related = cycle
                .path
                .iter()
                .zip(next)
                .enumerate()
                .map(|(number, (step, next))| {
                    Location::lines(&step.file, step.line, step.line)
                        .related(number, &format!("imports {next}"))
                });
            let related = related.collect();
            let at = Location::lines(&first.file, first.line, first.line);
            let mut name = files;
            name.sort_unstable();
            let name = name.join("\n");
            self.add("import-cycle", Level::Warning, &words, at, &message, &name);
            self.relate(related);
        }
    }

    fn complex_functions(&mut self, report: &TreeReport) {
        let help = format!(
            "Cognitive complexity (SonarSource) counts what breaks the flow of reading, more where it is nested. SonarSource asks for 15 and \
             below; what is told here has more than {COGNITIVE_MOST}. Take steps out into functions with names, and return early."
        );
        let words = Words {
            name: Some("ComplexFunction"),
            title: "A function is hard to follow",
            statement: "A function of many nested conditions and loops is hard to follow, and hard to change.",
            help: &help,
            uri: Some("https://www.sonarsource.com/resources/cognitive-complexity/".to_owned()),
            tags: vec!["maintainability".to_owned()],
        };
        for function in &report.complex_functions {
            let message = format!(
                "`{}` has a cognitive complexity of {}, over {COGNITIVE_MOST}",
                function.name, function.cognitive
            );
            let at = Location::lines(&function.path, function.start_line, function.end_line);
            let name = &function.name;
            self.add(
                "complex-function",
                Level::Warning,
                &words,
                at,
                &message,
                name,
            );
        }
    }

    fn duplicates(&mut self, report: &TreeReport) {
        let words = Words {
            name: Some("DuplicateCode"),
            title: "Code stands in more than one place",
            statement: "Code that stands in more than one place is changed in one of them and forgotten in the other.",
            help: "Where the places mean the same, give it a name and one place. Where they only look the same, leave them.",
            uri: None,
            tags: vec!["maintainability".to_owned()],
        };
        for group in &report.project.duplicates {
            let [first, others @ ..] = group.places.as_slice() else {
                continue;
            };
            let count = group.count.saturating_sub(1);
            let message = format!(
                "{} lines ({} tokens) that stand in {count} other place{} too",
                group.lines,
                group.tokens,
                if count == 1 { "" } else { "s" },
            );
            let related = others
                .iter()
                .enumerate()
                .map(|(number, place)| location(place).related(number, "the same code"))
                .collect();
            let paths: Vec<&str> = group
                .places
                .iter()
                .map(|place| place.path.as_str())
                .collect();
            let name = paths.join("\n");
            self.add(
                "duplicate-code",
                Level::Note,
                &words,
                location(first),
                &message,
                &name,
            );
            self.relate(related);
        }
    }

    fn places(
        &mut self,
        id: &str,
        level: Level,
        words: &Words<'_>,
        places: &[CodeLocation],
        message: &str,
    ) {
        for place in places {
            self.add(id, level, words, location(place), message, "");
        }
    }

    /// Adds a finding, and its rule before the first of the rule's findings.
    fn add(
        &mut self,
        id: &str,
        level: Level,
        words: &Words<'_>,
        at: Location,
        message: &str,
        name: &str,
    ) {
        if self.rules.last().is_none_or(|rule| rule.id != id) {
            self.rules.push(Descriptor {
                id: id.to_owned(),
                name: words.name,
                short_description: Message::new(words.title),
                full_description: Message::new(words.statement),
                help: Message::new(words.help),
                help_uri: words.uri.clone(),
                default_configuration: Configuration { level },
                properties: Tags {
                    tags: words.tags.clone(),
                },
            });
        }
        let path = &at.physical_location.artifact_location.uri;
        let known = blob_id(format!("{id}\n{path}\n{name}").as_bytes());
        let number = self.seen.entry(known.clone()).or_default();
        *number += 1;
        let fingerprint = format!("{known}:{number}");
        self.results.push(Finding {
            rule_id: id.to_owned(),
            rule_index: self.rules.len() - 1,
            level,
            message: Message::new(message),
            locations: vec![at],
            related_locations: Vec::new(),
            partial_fingerprints: BTreeMap::from([(FINGERPRINT, fingerprint)]),
            baseline_state: None,
        });
    }

    /// Adds related locations to the last finding.
    fn relate(&mut self, related: Vec<Location>) {
        if let Some(last) = self.results.last_mut() {
            last.related_locations = related;
        }
    }
}

fn location(place: &CodeLocation) -> Location {
    Location::lines(&place.path, place.start_line, place.end_line)
}

fn is_web_address(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(plain))
}

/// The project's own rules that were not applied.
fn rule_errors(report: &TreeReport) -> Vec<Notification> {
    let errors = report.project.rules.errors.iter();
    let errors = errors.map(|error| Notification {
        level: Level::Error,
        message: Message::new(&error.reason),
        descriptor: DescriptorReference {
            id: "rule-not-applied".to_owned(),
        },
        locations: vec![match error.line {
            Some(line) => Location::lines(&error.path, line, line),
            None => Location::file(&error.path),
        }],
    });
    errors.collect()
}

/// The skipped files that a user may miss. Files that are skipped as expected are not reported.
fn unread_files(report: &TreeReport) -> Vec<Notification> {
    let missed = report.skipped.iter().filter(|skipped| {
        !matches!(
            skipped.reason,
            Skip::Generated | Skip::Minified | Skip::Vendored | Skip::Binary | Skip::Link
        )
    });
    let missed = missed.map(|skipped| {
        let (count, reason) = (skipped.files, skipped.reason);
        let files = if count == 1 { "file" } else { "files" };
        Notification {
            level: Level::Warning,
            message: Message::new(&format!("{count} {files} not analysed: {reason}")),
            descriptor: DescriptorReference {
                id: skipped.rule.clone(),
            },
            locations: skipped
                .paths
                .iter()
                .map(|path| Location::file(path))
                .collect(),
        }
    });
    missed.collect()
}
