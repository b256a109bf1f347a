//! `conventions_for`: the facts for somebody who is about to edit a file.

use std::cmp::Reverse;
use std::collections::HashMap;

use nyxcore_code_analysis::{CodePattern, project_findings_of};
use nyxcore_code_engine::patterns::information::Information;
use nyxcore_code_engine::project::{CoChange, Ownership, is_for_tests};
use nyxcore_projects::{PROJECT, ProjectId, files_by_path, sources_of};
use nyxcore_retrieval::{Hit, KnowledgeKind, SearchRequest, search};
use nyxcore_tenancy::{Access, Scoped, TypedId};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::ToolAnswer;
use super::overview::not_analysed;
use super::pattern::{applies, engine_pattern, line, path_read, patterns_of};
use crate::actor::Scopes;
use crate::answer::{Answer, Budget, clipped};
use crate::failure::ToolFailure;

/// The number of files that are named as often changing together with this one.
const COMPANIONS_SHOWN: usize = 8;
/// Memory entries and insights that are quoted.
const MEMORY_SHOWN: u64 = 3;
/// Bytes of each quoted entry.
const MEMORY_BYTES: usize = 400;
/// Bytes of the line that names the usual patterns.
const USUAL_BYTES: usize = 600;
/// The share of the room that patterns may take, in percent.
const PATTERNS_PERCENT: usize = 60;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The path of the file from the repository's root, such as src/lease.rs. It need not exist yet.
    path: String,
    /// The project, by its id, short name or name. Needed only if there are several.
    project: Option<String>,
    /// The maximum length of the answer in tokens of four bytes, 200 to 20,000; 2,000 by default.
    max_tokens: Option<u32>,
}

pub(super) async fn run(scopes: &Scopes, arguments: Arguments) -> Result<ToolAnswer, ToolFailure> {
    let path = path_read(&arguments.path)?;
    let scoped = scopes.read(PROJECT).await?;
    let project = scopes
        .project(&scoped, arguments.project.as_deref())
        .await?;
    let findings = project_findings_of(&scoped, &[project.id])
        .await?
        .remove(&project.id);
    let findings = findings.ok_or_else(not_analysed)?;
    let is_stored = is_stored(&scoped, project.id, &path).await?;
    let all = patterns_of(&scoped, project.id, Vec::new()).await?;
    let (mut patterns, usual) = conventions(&all, &path);
    // Patterns of a narrow scope come first, because they say more here. The order is otherwise kept.
    patterns.sort_by_key(|one| Reverse(one.scope.as_ref().map_or(0, String::len)));
    let memory = memory_of(&scoped, project.id, &path).await?;

    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    let (slug, run) = (&project.slug, findings.analysis_id);
    answer.line(format!(
        "Conventions in project {slug}, as of analysis {run}."
    ));
    if !is_stored {
        answer.line("No file has this path yet: this is what applies to a new one.");
    }
    let mut lines: Vec<String> = patterns.iter().map(|pattern| line(pattern)).collect();
    lines.extend(usual_lines(&usual));
    let share = answer.room() * PATTERNS_PERCENT / 100;
    let about = vec![("patterns", "n of m places do so".to_owned())];
    let shown = answer.quote_list(about, lines.iter().map(String::as_str), share);
    answer.left(lines.len() - shown, "patterns");
    if lines.is_empty() {
        answer.line("No pattern applies to a file of this kind.");
    }

    let companions = companion_lines(&findings.co_changes, &path);
    let about = vec![(
        "history",
        "files that change together with it, and who changes it".to_owned(),
    )];
    let owners = owner_lines(&findings.ownership, &path);
    let told: Vec<&str> = companions
        .iter()
        .take(COMPANIONS_SHOWN)
        .chain(&owners)
        .map(String::as_str)
        .collect();
    let shown = answer.quote_list(about, told.iter().copied(), usize::MAX);
    answer.left(companions.len() + owners.len() - shown, "lines of history");

    let mut left = 0;
    for hit in &memory {
        let attributes = super::search::attributes(hit, &HashMap::new());
        left += usize::from(!answer.quote(attributes, clipped(&hit.excerpt, MEMORY_BYTES)));
    }
    answer.left(left, "memory entries");
    Ok(ToolAnswer::text(answer.finish()))
}

/// Returns the patterns for a file in two lists: those that are informative, and those that nearly every project of the
/// language has. Patterns of tests are included only for test files, and for files in which the pattern was found.
fn conventions<'p>(
    all: &'p [CodePattern],
    path: &str,
) -> (Vec<&'p CodePattern>, Vec<&'p CodePattern>) {
    let is_test = is_for_tests(path);
    let applying = all.iter().filter(|one| applies(one, path));
    let mut kept = (Vec::new(), Vec::new());
    for stored in applying {
        let pattern = engine_pattern(stored.clone());
        let mut places = pattern.exemplars.iter().chain(&pattern.counter_examples);
        if pattern.is_of_tests() && !is_test && !places.any(|place| place.path == path) {
            continue;
        }
        match Information::of(&pattern).is_usual() {
            true => kept.1.push(stored),
            false => kept.0.push(stored),
        }
    }
    kept
}

/// Writes one line for each language with the titles of its usual patterns. The reader knows these patterns, and only
/// needs to know that this project follows them.
fn usual_lines(usual: &[&CodePattern]) -> Vec<String> {
    let mut by_stack: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
    for pattern in usual {
        let (stack, title) = (pattern.stack.as_deref(), pattern.title.as_str());
        match by_stack.iter_mut().find(|(known, _)| *known == stack) {
            Some((_, titles)) => titles.push(title),
            None => by_stack.push((stack, vec![title])),
        }
    }
    let lines = by_stack.into_iter().map(|(stack, titles)| {
        let stack = stack.map(|stack| format!("[{stack}] ")).unwrap_or_default();
        let titles = clipped(&titles.join("; "), USUAL_BYTES);
        // A line break would begin another list item.
        let titles = titles.replace(['\n', '\r'], " ");
        format!("- {stack}As in most projects: {titles}")
    });
    lines.collect()
}

async fn is_stored<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    path: &str,
) -> Result<bool, ToolFailure> {
    let sources = sources_of(scoped, &[project]).await?;
    for source in sources.into_values().flatten() {
        if !files_by_path(scoped, source.id, Some(&[path]))
            .await?
            .is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the memory entries and insights that match the words of the path.
async fn memory_of<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    path: &str,
) -> Result<Vec<Hit>, ToolFailure> {
    let request = SearchRequest {
        text: format!("{path} {}", path.replace(['/', '.', '_', '-'], " ")),
        project_id: Some(project.uuid()),
        kinds: vec![KnowledgeKind::MemoryEntry, KnowledgeKind::Insight],
        stacks: None,
        limit: MEMORY_SHOWN,
    };
    Ok(search(scoped, &request).await?)
}

fn companion_lines(pairs: &[CoChange], path: &str) -> Vec<String> {
    let lines = pairs.iter().filter_map(|pair| {
        let own = pair.paths.iter().position(|one| one == path)?;
        let (other, commits) = (&pair.paths[1 - own], pair.commits[own]);
        let together = pair.together;
        Some(format!(
            "- {other} changed with it in {together} of its {}",
            counted(commits, "commit", "commits")
        ))
    });
    lines.collect()
}

/// Returns the owners of the deepest known folder around the path, and of the project.
fn owner_lines(ownership: &[Ownership], path: &str) -> Vec<String> {
    let around = ownership.iter().filter(|owned| {
        let below = path.strip_prefix(owned.folder.as_str());
        owned.folder.is_empty() || below.is_some_and(|below| below.starts_with('/'))
    });
    let deepest = around.max_by_key(|owned| owned.folder.len());
    let line = deepest.map(|owned| {
        let place = match owned.folder.as_str() {
            "" => "the project".to_owned(),
            folder => format!("{folder}/"),
        };
        let (main, share) = (&owned.main_author, (owned.main_share * 100.0).round());
        let people = counted(owned.authors, "person", "people");
        let commits = counted(owned.commits, "commit", "commits");
        match owned.authors {
            1 => format!("- {place}: {people} in {commits}, {main}"),
            _ => format!("- {place}: {people} in {commits}, most by {main} ({share} %)"),
        }
    });
    line.into_iter().collect()
}

fn counted(count: u32, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::pattern;
    use super::*;

    fn named(kind: &str, key: &str) -> CodePattern {
        CodePattern {
            key: key.into(),
            kind: kind.into(),
            title: key.into(),
            ..pattern(Some("rust"), None)
        }
    }

    #[test]
    fn conventions_of_tests_are_for_tests() {
        let all = [
            named("test_layout", "test_layout/rust/data/tables"),
            named("test_imports", "test_imports/rust/package/name"),
            named("naming", "naming/rust/tests/test-prefix"),
            named("documentation", "documentation/rust/doc/rare"),
        ];
        let keys = |path: &str| -> Vec<String> {
            let (rare, usual) = conventions(&all, path);
            let both = rare.into_iter().chain(usual);
            both.map(|one| one.key.clone()).collect()
        };
        for path in ["src/lease.rs", "src"] {
            assert_eq!(keys(path), ["documentation/rust/doc/rare"], "{path}");
        }
        for path in ["tests/lease.rs", "src/lease_test.rs", "tests"] {
            assert_eq!(keys(path).len(), 4, "{path}");
        }
    }

    #[test]
    fn usual_names_are_one_line_behind_rare_habits() {
        let all = [
            named("naming", "naming/rust/functions/snake_case"),
            named("documentation", "documentation/rust/doc/rare"),
            named("naming", "naming/rust/types/PascalCase"),
        ];
        let (rare, usual) = conventions(&all, "src/lease.rs");
        assert_eq!(rare.len(), 1, "{rare:?}");
        assert_eq!(
            usual_lines(&usual),
            [
                "- [rust] As in most projects: naming/rust/functions/snake_case; naming/rust/types/PascalCase"
            ]
        );
    }

    #[test]
    fn one_person_is_no_people() {
        let line = |authors: u32, commits: u32| {
            let owned = Ownership {
                folder: "src".into(),
                source_id: None,
                commits,
                authors,
                main_author: "Ada".into(),
                main_share: 0.614,
            };
            owner_lines(&[owned], "src/lease.rs").remove(0)
        };
        assert_eq!(line(1, 1), "- src/: 1 person in 1 commit, Ada");
        assert_eq!(
            line(4, 210),
            "- src/: 4 people in 210 commits, most by Ada (61 %)"
        );
    }
}
