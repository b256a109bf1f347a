//! `code_patterns`: the patterns in the code of a project, with evidence.

use nyxcore_code_analysis::{CodePattern, ProjectPatterns};
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::patterns::Pattern;
use nyxcore_projects::PROJECT;
use nyxcore_tenancy::{Access, ChildList, PAGE_MAX, PageRequest, Scoped, text};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::ToolAnswer;
use super::overview::not_analysed;
use crate::actor::Scopes;
use crate::answer::{Answer, Budget, clipped};
use crate::failure::ToolFailure;

/// The number of places that are named for a pattern: two that follow it, and one that does not.
const EXEMPLARS_SHOWN: usize = 2;
/// Bytes of a statement.
const STATEMENT_BYTES: usize = 400;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The project, by its id, short name or name. Needed only if there are several.
    project: Option<String>,
    /// Only patterns that apply at this file or folder, by its path from the repository's root.
    path: Option<String>,
    /// Only patterns of this language, such as rust, typescript or python, and those of none.
    language: Option<String>,
    /// Only these kinds, such as naming, error_handling, test_layout, import_style, logging or validation.
    kinds: Option<Vec<String>>,
    /// The maximum length of the answer in tokens of four bytes, 200 to 20,000; 2,000 by default.
    max_tokens: Option<u32>,
}

pub(super) async fn run(scopes: &Scopes, arguments: Arguments) -> Result<ToolAnswer, ToolFailure> {
    let path = arguments.path.as_deref().map(path_read).transpose()?;
    let scoped = scopes.read(PROJECT).await?;
    let project = scopes
        .project(&scoped, arguments.project.as_deref())
        .await?;
    let all = patterns_of(&scoped, project.id, arguments.kinds.unwrap_or_default()).await?;
    let language = arguments.language.map(|name| name.trim().to_lowercase());
    let some: Vec<&CodePattern> = all
        .iter()
        .filter(|pattern| path.as_deref().is_none_or(|path| applies(pattern, path)))
        .filter(|pattern| match (&language, &pattern.stack) {
            (Some(language), Some(stack)) => language == stack,
            _ => true,
        })
        .collect();
    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    let (slug, count) = (&project.slug, some.len());
    answer.line(format!("{count} patterns of project {slug}, those that say most first. \"n of m\" is how many places do so."));
    let lines: Vec<String> = some.iter().map(|pattern| line(pattern)).collect();
    let shown = answer.quote_list(vec![], lines.iter().map(String::as_str), usize::MAX);
    answer.left(count - shown, "patterns");
    if all.is_empty() {
        answer.line("None of these kinds was found: leave `kinds` out to see all.");
    }
    Ok(ToolAnswer::text(answer.finish()))
}

/// Returns the current patterns of a project, the most informative first.
///
/// # Errors
/// `NOT_ANALYSED` where the project has no pattern and no argument narrows the list.
pub(super) async fn patterns_of<A: Access>(
    scoped: &Scoped<A>,
    project: nyxcore_projects::ProjectId,
    kinds: Vec<String>,
) -> Result<Vec<CodePattern>, ToolFailure> {
    let is_narrowed = !kinds.is_empty();
    let list = ProjectPatterns { kinds, stack: None };
    let mut all = Vec::new();
    let mut page = PageRequest::first(PAGE_MAX);
    loop {
        let some = list.page(scoped, project, &page).await?;
        page.after = some.items.last().map(|(cursor, _)| cursor.clone());
        let has_next = some.has_next;
        all.extend(some.into_items());
        if !has_next {
            break;
        }
    }
    if all.is_empty() && !is_narrowed {
        let summary = nyxcore_code_analysis::project_summary(scoped, project).await?;
        summary.ok_or_else(not_analysed)?;
    }
    Ok(all)
}

/// Normalizes a path to the stored form: relative to the root, without a slash at either end.
///
/// # Errors
/// `INVALID_INPUT` for a text that cannot be a path.
pub(crate) fn path_read(path: &str) -> Result<String, ToolFailure> {
    let path = path.trim().trim_start_matches("./").trim_matches('/');
    Ok(text::FILE_PATH.check("the path", path)?)
}

/// Whether a pattern applies to a path, by its folder, and by its language where the path has one. A pattern about
/// certain files applies to these files and their folders.
pub(super) fn applies(pattern: &CodePattern, path: &str) -> bool {
    let is_at = |place: &str| {
        let below = place.strip_prefix(path);
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    };
    if Pattern::is_of_its_files(&pattern.kind)
        && !pattern.exemplars.iter().any(|place| is_at(&place.path))
    {
        return false;
    }
    let in_scope = pattern.scope.as_deref().is_none_or(|scope| {
        let below = path.strip_prefix(scope);
        scope.is_empty() || below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    });
    let Some(stack) = &pattern.stack else {
        return in_scope;
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let of_language = match Language::detect(path) {
        Some(language) => language.stack().as_str() == stack,
        // A name without an extension is taken for a folder, which may contain files of every language.
        None => !name.contains('.'),
    };
    in_scope && of_language
}

/// Converts a stored pattern into the engine's type.
pub(super) fn engine_pattern(stored: CodePattern) -> Pattern {
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    Pattern {
        key: stored.key,
        kind: stored.kind,
        title: stored.title,
        statement: stored.statement,
        stack: stored.stack,
        scope: stored.scope,
        support: count(stored.support),
        cases: count(stored.cases),
        confidence: stored.confidence,
        exemplars: stored.exemplars,
        counter_examples: stored.counter_examples,
        deviations: Vec::new(),
    }
}

/// A pattern with its evidence on one line.
pub(super) fn line(pattern: &CodePattern) -> String {
    let scope = match pattern.scope.as_deref().filter(|scope| !scope.is_empty()) {
        Some(scope) => format!("in {scope}/: "),
        None => String::new(),
    };
    let stack = pattern.stack.as_deref().map(|stack| format!("[{stack}] "));
    let places = |places: &[nyxcore_code_engine::evidence::CodeLocation], most: usize| {
        let places = places.iter().take(most);
        let places: Vec<String> = places
            .map(|place| format!("{}:{}", place.path, place.start_line))
            .collect();
        places.join(", ")
    };
    let mut line = format!(
        "- {}{scope}{} {} of {}",
        stack.unwrap_or_default(),
        clipped(&pattern.statement, STATEMENT_BYTES),
        pattern.support,
        pattern.cases
    );
    if !pattern.exemplars.is_empty() {
        line.push_str(&format!(
            "; see {}",
            places(&pattern.exemplars, EXEMPLARS_SHOWN)
        ));
    }
    if !pattern.counter_examples.is_empty() {
        line.push_str(&format!(
            "; not so at {}",
            places(&pattern.counter_examples, 1)
        ));
    }
    // A line break would begin another list item.
    format!("{} ({})", line.replace(['\n', '\r'], " "), pattern.id)
}

#[cfg(test)]
pub(super) mod tests {
    use nyxcore_code_engine::evidence::CodeLocation;

    use super::*;

    pub(in crate::tool) fn pattern(stack: Option<&str>, scope: Option<&str>) -> CodePattern {
        CodePattern {
            id: nyxcore_tenancy::TypedId::from_uuid(uuid::Uuid::nil()),
            project_id: nyxcore_tenancy::TypedId::from_uuid(uuid::Uuid::nil()),
            key: "naming/rust/functions".into(),
            kind: "naming".into(),
            title: "Functions are snake_case".into(),
            statement: "Name functions in snake_case.".into(),
            stack: stack.map(str::to_owned),
            scope: scope.map(str::to_owned),
            support: 41,
            cases: 44,
            confidence: 0.8,
            exemplars: vec![],
            counter_examples: vec![],
            first_seen_at: Default::default(),
            vanished_in: None,
        }
    }

    #[test]
    fn a_pattern_applies_by_folder_and_language() {
        for (stack, scope, path, expected) in [
            (Some("rust"), None, "src/a.rs", true),
            (Some("rust"), None, "src/a.py", false),
            (Some("rust"), None, "README.md", false),
            (Some("rust"), None, "src", true),
            (Some("typescript"), None, "web/a.tsx", true),
            (None, Some("src"), "src/a.rs", true),
            (None, Some("src"), "src", true),
            (None, Some("src"), "srcs/a.rs", false),
            (None, Some("src/b"), "src/a.rs", false),
        ] {
            assert_eq!(
                applies(&pattern(stack, scope), path),
                expected,
                "{stack:?} {scope:?} {path}"
            );
        }
    }

    #[test]
    fn files_that_change_together_concern_no_other_file() {
        let place = |path: &str| CodeLocation {
            source_id: None,
            path: path.into(),
            start_line: 1,
            end_line: 9,
            blob: String::new(),
        };
        let pair = CodePattern {
            kind: "co_change".into(),
            exemplars: vec![place("src/group.go"), place("src/echo.go")],
            ..pattern(None, None)
        };
        for (path, expected) in [
            ("src/group.go", true),
            ("src/echo.go", true),
            ("src", true),
            ("src/limit.go", false),
            ("sr", false),
        ] {
            assert_eq!(applies(&pair, path), expected, "{path}");
        }
    }

    #[test]
    fn a_pattern_is_one_line_with_its_evidence() {
        let line = line(&pattern(Some("rust"), Some("src")));
        assert!(
            line.starts_with("- [rust] in src/: Name functions in snake_case. 41 of 44 (pattern_"),
            "{line}"
        );
    }

    #[test]
    fn a_path_is_read_from_the_root() {
        assert_eq!(path_read("./src/a.rs").unwrap(), "src/a.rs");
        assert_eq!(path_read("/src/").unwrap(), "src");
        assert_eq!(path_read("a\0b").unwrap_err().code, "INVALID_INPUT");
        assert_eq!(path_read("").unwrap_err().code, "INVALID_INPUT");
    }
}
