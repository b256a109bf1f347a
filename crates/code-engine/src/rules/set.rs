//! Parses rules, matches them on files, and counts the matches.
//!
//! Longer than 450 lines: parsing, matching and counting share the limits of a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ast_grep_config::{
    GlobalRules, RuleCollection, RuleConfig, RuleConfigError, SerializableRuleConfig, Severity,
    from_multiple,
};
use ast_grep_core::matcher::{Matcher, MatcherExt};
use serde::{Deserialize, Serialize};

use super::super::evidence::CodeLocation;
use super::super::guard::{self, NoThreads};
use super::super::language::Language;
use super::document::{Document, for_each_node};
use super::grammar::Grammar;
use super::{RULE_PLACES, RuleError, RuleFile, RuleFinding, RuleReport, RuleSeverity};

/// The maximum number of rules of a project; further rules are reported as errors.
pub const RULE_CAP: usize = 200;

/// The maximum size of a file of rules, in bytes.
pub const RULE_FILE_CAP: usize = 64 << 10;

/// The maximum number of stored places of one rule in one file.
const FILE_PLACES: usize = RULE_PLACES;

/// The maximum number of steps of one rule in one file: a fixed number, and more for each byte. A rule that searches
/// each function takes about 6 per byte; a step takes some 10 ns.
const STEPS: u32 = 100_000;
const STEPS_A_BYTE: u32 = 40;

/// The comment by which ast-grep, and this engine, ignore a line or file.
const IGNORE: &str = "ast-grep-ignore";

/// The rules of a project.
#[derive(Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// The indexes of each language's rules.
    by_language: BTreeMap<Language, Vec<u32>>,
    key: String,
}

struct Rule {
    finding: RuleFinding,
    /// The index of the rule for the alternative way.
    counter: Option<u32>,
    /// Whether it is the counter of another rule, and is reported with that one.
    is_counter: bool,
    /// The compiled rule, with its `files` and `ignores`.
    collection: RuleCollection<Grammar>,
}

/// The matches of one rule in one file, and whether it was stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHits {
    /// The rule's index in its [`RuleSet`].
    pub rule: u32,
    /// The number of matches.
    pub count: u32,
    /// The first and last line, 1-based, of its first matches, in the order of the source.
    pub lines: Vec<(u32, u32)>,
    /// Whether it was given up because it took too many steps.
    pub given_up: bool,
}

impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.rules.iter().map(|rule| &rule.finding.id);
        f.debug_list().entries(ids).finish()
    }
}

impl RuleSet {
    /// Parses the rules of a project's files. A rule that cannot be parsed is reported and does not affect the others.
    /// The order of the files makes no difference.
    ///
    /// # Errors
    /// [`NoThreads`]: nothing was parsed.
    pub fn parse(files: &[RuleFile]) -> Result<(RuleSet, Vec<RuleError>), NoThreads> {
        let mut files: Vec<&RuleFile> = files.iter().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        guard::on_deep_stack(|| RuleSet::read(&files))
    }

    fn read(files: &[&RuleFile]) -> (RuleSet, Vec<RuleError>) {
        let mut rules: Vec<Rule> = Vec::new();
        let mut counters: Vec<Option<String>> = Vec::new();
        let mut errors = Vec::new();
        let mut everything = Vec::new();
        for file in files {
            let mut fail = |line: Option<u32>, reason: String| {
                errors.push(RuleError {
                    source_id: None,
                    path: file.path.clone(),
                    line,
                    reason,
                });
            };
            if file.text.len() > RULE_FILE_CAP {
                fail(None, format!("larger than {} KiB", RULE_FILE_CAP >> 10));
                continue;
            }
            everything.extend_from_slice(file.path.as_bytes());
            everything.push(0);
            everything.extend_from_slice(file.text.as_bytes());
            everything.push(0);
            for (line, text) in documents(&file.text) {
                let configs = match from_multiple::<SerializableRuleConfig<Grammar>>(text) {
                    Ok(configs) => configs,
                    Err(error) => {
                        let at = error.location().map(|at| at.line());
                        let at = at.and_then(|at| u32::try_from(at).ok()).unwrap_or(1);
                        let reason = in_one_line(error.without_snippet());
                        // The line is reported separately, relative to the file.
                        let reason = match reason.rsplit_once(" at line ") {
                            Some((reason, _)) => reason.to_owned(),
                            None => reason,
                        };
                        fail(Some(line + at.saturating_sub(1)), reason);
                        continue;
                    }
                };
                for config in configs {
                    if config.severity == Severity::Off {
                        continue;
                    }
                    let problem = if config.id.is_empty() {
                        Some("a rule needs an `id`".to_owned())
                    } else if rules.iter().any(|rule| rule.finding.id == config.id) {
                        Some(format!("the rule `{}` already exists", config.id))
                    } else if rules.len() == RULE_CAP {
                        Some(format!("more than {RULE_CAP} rules"))
                    } else {
                        None
                    };
                    if let Some(problem) = problem {
                        fail(Some(line), problem);
                        continue;
                    }
                    let counter = counter_of(&config);
                    match Rule::new(config, &file.path, line) {
                        Ok(rule) => {
                            rules.push(rule);
                            counters.push(counter);
                        }
                        Err(reason) => fail(Some(line), reason),
                    }
                }
            }
        }
        let places: BTreeMap<String, u32> = rules
            .iter()
            .zip(0..)
            .map(|(rule, place)| (rule.finding.id.clone(), place))
            .collect();
        for (place, counter) in counters.iter().enumerate() {
            let Some(counter) = counter else { continue };
            let found = places
                .get(counter)
                .copied()
                .filter(|at| *at as usize != place);
            match found.and_then(|at| rules.get_mut(at as usize)) {
                Some(rule) => rule.is_counter = true,
                None => {
                    if let Some(rule) = rules.get(place) {
                        errors.push(RuleError {
                            source_id: None,
                            path: rule.finding.path.clone(),
                            line: Some(rule.finding.line),
                            reason: format!(
                                "`metadata.counter` names an unknown rule: `{counter}`"
                            ),
                        });
                    }
                }
            }
            if let Some(rule) = rules.get_mut(place) {
                rule.counter = found;
            }
        }
        errors.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        (
            RuleSet::of(rules, super::super::blob::blob_id(&everything)),
            errors,
        )
    }

    fn of(rules: Vec<Rule>, key: String) -> RuleSet {
        let mut by_language: BTreeMap<Language, Vec<u32>> = BTreeMap::new();
        for (rule, place) in rules.iter().zip(0..) {
            by_language
                .entry(rule.finding.language)
                .or_default()
                .push(place);
        }
        RuleSet {
            rules,
            by_language,
            key,
        }
    }

    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a rule applies to this language. Files in other languages need not be matched.
    #[must_use]
    pub fn wants(&self, language: Language) -> bool {
        self.by_language.contains_key(&language)
    }

    /// A key of these rules. With equal keys, [`matches`](Self::matches) returns the same for the same text.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Matches the rules of `language` on a file's text. There is one entry for each rule that matched or was stopped.
    /// The result does not depend on the path: [`RuleTally::add`] applies a rule's `files` and `ignores`.
    ///
    /// It may be called from any thread: the work runs on threads whose stack rules cannot exhaust.
    ///
    /// # Errors
    /// [`NoThreads`]: nothing was matched.
    pub fn matches(&self, language: Language, text: &str) -> Result<Vec<RuleHits>, NoThreads> {
        let Some(places) = self.by_language.get(&language) else {
            return Ok(Vec::new());
        };
        if guard::depth_check(language, text).is_err() {
            return Ok(Vec::new());
        }
        guard::on_deep_stack(|| self.scan(language, text, places))
    }

    fn scan(&self, language: Language, text: &str, places: &[u32]) -> Vec<RuleHits> {
        let Some(grammar) = Grammar::of(language) else {
            return Vec::new();
        };
        let Some(document) = Document::new(text, grammar) else {
            return Vec::new();
        };
        let root = ast_grep_core::AstGrep::doc(document);
        let document = root.root().get_doc();
        let ignored = Ignored::read(document, text);
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let steps = STEPS.saturating_add(length.saturating_mul(STEPS_A_BYTE));
        let mut at_work: Vec<ActiveRule<'_>> = places
            .iter()
            .filter_map(|place| {
                let rule = self.rules.get(*place as usize)?;
                Some(ActiveRule {
                    config: rule.collection.get_rule(&rule.finding.id)?,
                    left: steps,
                    hits: RuleHits {
                        rule: *place,
                        count: 0,
                        lines: Vec::new(),
                        given_up: false,
                    },
                })
            })
            .collect();
        let mut by_kind: Vec<Vec<usize>> = Vec::new();
        for (at, work) in at_work.iter().enumerate() {
            let kinds = work.config.matcher.potential_kinds();
            for kind in kinds.iter().flat_map(|kinds| kinds.iter()) {
                if by_kind.len() <= kind {
                    by_kind.resize_with(kind + 1, Vec::new);
                }
                if let Some(rules) = by_kind.get_mut(kind) {
                    rules.push(at);
                }
            }
        }
        for_each_node(document.tree(), |node, _| {
            let rules = by_kind.get(usize::from(node.kind_id()));
            for at in rules.into_iter().flatten() {
                let Some(work) = at_work.get_mut(*at).filter(|work| work.left > 0) else {
                    continue;
                };
                document.meter().fill(work.left);
                let found = work
                    .config
                    .matcher
                    .match_node(root.adopt(document.counted(node)));
                work.left = document.meter().left();
                if work.left == 0 {
                    work.hits.given_up = true;
                    continue;
                }
                let Some(found) = found else { continue };
                let range = found.get_node().get_inner_node().rows();
                if ignored.holds(range.0, &work.config.id) {
                    continue;
                }
                work.hits.count = work.hits.count.saturating_add(1);
                if work.hits.lines.len() < FILE_PLACES {
                    work.hits.lines.push((range.0 + 1, range.1 + 1));
                }
            }
        });
        at_work
            .into_iter()
            .map(|work| work.hits)
            .filter(|hits| hits.count > 0 || hits.given_up)
            .collect()
    }
}

/// A rule that is being matched on a file.
struct ActiveRule<'r> {
    config: &'r RuleConfig<Grammar>,
    left: u32,
    hits: RuleHits,
}

impl Rule {
    fn new(
        mut config: SerializableRuleConfig<Grammar>,
        path: &str,
        line: u32,
    ) -> Result<Rule, String> {
        // Fixes change code, which an analysis never does. They are removed, so that errors in them do not matter.
        config.fix = None;
        config.rewriters = None;
        config.labels = None;
        config.core.transform = None;
        let title = if config.message.trim().is_empty() {
            config.id.clone()
        } else {
            config.message.trim().to_owned()
        };
        let note = config.note.as_deref().map(str::trim);
        let finding = RuleFinding {
            source_id: None,
            id: config.id.clone(),
            path: path.to_owned(),
            line,
            language: config.language.language(),
            severity: match config.severity {
                Severity::Off | Severity::Hint => RuleSeverity::Hint,
                Severity::Info => RuleSeverity::Info,
                Severity::Warning => RuleSeverity::Warning,
                Severity::Error => RuleSeverity::Error,
            },
            statement: note
                .filter(|note| !note.is_empty())
                .map_or_else(|| title.clone(), str::to_owned),
            title,
            url: config.url.clone(),
            matches: 0,
            files: 0,
            counter_matches: 0,
            places: Vec::new(),
            counter_places: Vec::new(),
            given_up: 0,
        };
        let config =
            RuleConfig::try_from(config, &GlobalRules::default()).map_err(|error| match error {
                RuleConfigError::MissingPotentialKinds => {
                    "the rule needs a `kind` or a `pattern`; otherwise it would match any node"
                        .to_owned()
                }
                RuleConfigError::Core(error) => in_one_line(&error),
                error => in_one_line(&error),
            })?;
        let collection = RuleCollection::try_new(vec![config])
            .map_err(|error| format!("`files` or `ignores`: {error}"))?;
        Ok(Rule {
            finding,
            counter: None,
            is_counter: false,
            collection,
        })
    }

    fn is_for(&self, path: &str) -> bool {
        let Some(grammar) = Grammar::of(self.finding.language) else {
            return false;
        };
        !self
            .collection
            .get_rule_from_lang(Path::new(path), grammar)
            .is_empty()
    }
}

/// The documents of a YAML stream, each with its first line. Each is parsed separately, so that an invalid one does not
/// affect the others.
fn documents(text: &str) -> Vec<(u32, &str)> {
    let mut found = Vec::new();
    let (mut begin, mut first) = (0usize, 1u32);
    let mut at = 0usize;
    for (line, number) in text.split_inclusive('\n').zip(1u32..) {
        let after = line.strip_prefix("---");
        // In YAML, a line with this prefix always ends the document.
        if after.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            found.push((first, &text[begin..at]));
            (begin, first) = (at + 3, number);
        }
        at += line.len();
    }
    found.push((first, &text[begin..]));
    // The lines of a document are counted from the line on which its text begins.
    found
}

/// The id that `metadata.counter` names.
fn counter_of(config: &SerializableRuleConfig<Grammar>) -> Option<String> {
    let metadata = serde_json::to_value(config.metadata.as_ref()?).ok()?;
    Some(metadata.get("counter")?.as_str()?.to_owned())
}

/// Formats an error with its sources, on one line of bounded length.
fn in_one_line(error: &dyn std::error::Error) -> String {
    const LENGTH_CAP: usize = 300;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text.truncate(text.trim_end_matches('.').len());
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(LENGTH_CAP).collect()
}

/// The lines that comments exclude from rules: `ast-grep-ignore`, for every rule, or `ast-grep-ignore: id, id`. A
/// comment after code applies to its line, a comment on a line of its own to the next. On the first line, with an empty
/// line below, it applies to the file.
#[derive(Default)]
struct Ignored {
    file: Option<Names>,
    /// The excluded lines, from 0.
    lines: BTreeMap<u32, Names>,
}

/// The ids of excluded rules; `None` for all.
type Names = Option<BTreeSet<String>>;

impl Ignored {
    fn read(document: &Document, text: &str) -> Ignored {
        let mut ignored = Ignored::default();
        if !text.contains(IGNORE) {
            return ignored;
        }
        for_each_node(document.tree(), |node, _| {
            if !node.kind().contains("comment") {
                return;
            }
            let written = text.get(node.byte_range()).unwrap_or("");
            let words = written.trim_start_matches(|c: char| !c.is_alphabetic());
            let Some(rest) = words.strip_prefix(IGNORE) else {
                return;
            };
            let names = rest.trim_start().strip_prefix(':').map(|names| {
                let names = names
                    .split(',')
                    .filter_map(|name| name.split_whitespace().next());
                names.map(str::to_owned).collect()
            });
            let row = u32::try_from(node.start_position().row).unwrap_or(u32::MAX);
            let before = node.prev_sibling().filter(|before| {
                u32::try_from(before.end_position().row).is_ok_and(|end| end == row)
            });
            let next = node.next_sibling();
            if let Some(before) = before {
                let row = u32::try_from(before.start_position().row).unwrap_or(row);
                ignored.lines.insert(row, names);
            } else if row == 0 && next.is_none_or(|next| next.start_position().row >= 2) {
                ignored.file = Some(names);
            } else {
                ignored.lines.insert(row + 1, names);
            }
        });
        ignored
    }

    fn holds(&self, row: u32, id: &str) -> bool {
        let of = |names: &Names| names.as_ref().is_none_or(|names| names.contains(id));
        self.file.as_ref().is_some_and(of) || self.lines.get(&row).is_some_and(of)
    }
}

/// Counts the matches of a set's rules, file by file; files may come in any order.
#[derive(Debug)]
pub struct RuleTally<'s> {
    set: &'s RuleSet,
    found: Vec<RuleTotals>,
}

#[derive(Debug, Clone, Default)]
struct RuleTotals {
    matches: u32,
    files: u32,
    given_up: u32,
    places: BTreeSet<CodeLocation>,
}

impl<'s> RuleTally<'s> {
    /// Creates an empty tally.
    #[must_use]
    pub fn new(set: &'s RuleSet) -> RuleTally<'s> {
        RuleTally {
            set,
            found: vec![RuleTotals::default(); set.rules.len()],
        }
    }

    /// Adds the matches from [`RuleSet::matches`] in the file at `path`, whose content has the id `blob`.
    pub fn add(&mut self, path: &str, blob: &str, hits: &[RuleHits]) {
        for hit in hits {
            let place = hit.rule as usize;
            let (Some(rule), Some(found)) = (self.set.rules.get(place), self.found.get_mut(place))
            else {
                continue;
            };
            if !rule.is_for(path) {
                continue;
            }
            found.matches = found.matches.saturating_add(hit.count);
            found.files += u32::from(hit.count > 0);
            found.given_up += u32::from(hit.given_up);
            for (start_line, end_line) in &hit.lines {
                found.places.insert(CodeLocation {
                    source_id: None,
                    path: path.to_owned(),
                    start_line: *start_line,
                    end_line: *end_line,
                    blob: blob.to_owned(),
                });
                if found.places.len() > RULE_PLACES {
                    found.places.pop_last();
                }
            }
        }
    }

    /// Returns the results of all rules, with the errors from [`RuleSet::parse`].
    #[must_use]
    pub fn finish(self, errors: Vec<RuleError>) -> RuleReport {
        let places = |of: &RuleTotals| of.places.iter().cloned().collect();
        let mut rules: Vec<RuleFinding> = self
            .set
            .rules
            .iter()
            .zip(&self.found)
            .filter(|(rule, _)| !rule.is_counter)
            .map(|(rule, found)| {
                let counter = rule
                    .counter
                    .and_then(|place| self.found.get(place as usize));
                RuleFinding {
                    matches: found.matches,
                    files: found.files,
                    given_up: found.given_up,
                    places: places(found),
                    counter_matches: counter.map_or(0, |counter| counter.matches),
                    counter_places: counter.map_or_else(Vec::new, places),
                    ..rule.finding.clone()
                }
            })
            .collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        RuleReport { rules, errors }
    }
}
