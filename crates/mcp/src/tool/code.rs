//! `read_code`: lines of a file as last synced, numbered.

use nyxcore_projects::{
    ProjectId, SOURCE, Source, SourceId, StoredFile, blob_content, files_by_path, files_named,
    sources_of,
};
use nyxcore_tenancy::{Access, Scoped, TypedId};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::ToolAnswer;
use super::pattern::path_read;
use crate::actor::Scopes;
use crate::answer::{Answer, Budget, clipped};
use crate::failure::ToolFailure;

/// Bytes of one line that are shown. Longer lines are hardly written by hand.
const LINE_BYTES: usize = 500;
/// The number of paths with the same file name that a failure suggests.
const SUGGESTED_MAX: usize = 5;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The path of the file from the repository's root, as other tools cite it.
    path: String,
    /// The project, by its id, short name or name. Needed only if there are several.
    project: Option<String>,
    /// The id of the source, if the project has the path in several.
    source: Option<String>,
    /// The first line, counted from 1; 1 by default.
    start_line: Option<usize>,
    /// The last line; by default as many lines as fit.
    end_line: Option<usize>,
    /// The maximum length of the answer in tokens of four bytes, 200 to 20,000; 2,000 by default.
    max_tokens: Option<u32>,
}

pub(super) async fn run(scopes: &Scopes, arguments: Arguments) -> Result<ToolAnswer, ToolFailure> {
    let path = path_read(&arguments.path)?;
    let wanted = arguments
        .source
        .as_deref()
        .map(SourceId::parse)
        .transpose()?;
    let start = arguments.start_line.unwrap_or(1).max(1);
    if arguments.end_line.is_some_and(|end| end < start) {
        return Err(ToolFailure::invalid("`end_line` is before `start_line`"));
    }
    let scoped = scopes.read(SOURCE).await?;
    let project = scopes
        .project(&scoped, arguments.project.as_deref())
        .await?;
    let (source, file) = file_find(&scoped, project.id, wanted, &path).await?;
    let content = blob_content(&scoped, &file.blob).await?.ok_or_else(|| {
        ToolFailure::new(
            "NO_TEXT",
            "the file has no stored text: it is binary, too large, or kept elsewhere",
            "read it in a checkout of the repository",
        )
    })?;
    let total = content.lines().count();
    if start > total.max(1) {
        let message = format!("the file has {total} lines");
        return Err(ToolFailure::invalid(message));
    }
    let last = arguments.end_line.unwrap_or(total).min(total);
    let lines: Vec<String> = content
        .lines()
        .enumerate()
        .skip(start - 1)
        .take(last.saturating_sub(start - 1))
        .map(|(index, line)| format!("{:>5}  {}", index + 1, clipped(line, LINE_BYTES)))
        .collect();

    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    let commit = source
        .head_commit
        .as_deref()
        .map(|commit| commit.get(..12).unwrap_or(commit));
    answer.line(format!(
        "{total} lines at commit {} of {}.",
        commit.unwrap_or("unknown"),
        source.id
    ));
    let about = vec![("file", path)];
    let shown = answer.quote_list(
        about,
        lines.iter().map(String::as_str),
        answer.room().saturating_sub(60),
    );
    let end = start + shown;
    if shown < lines.len() {
        answer.line(format!("Read on with start_line={end}."));
        answer.left(lines.len() - shown, "lines");
    } else if last < total {
        answer.line(format!("The file goes on at line {end}."));
    }
    if total == 0 {
        answer.line("The file is empty.");
    }
    Ok(ToolAnswer::text(answer.finish()))
}

/// The file at a path in one of the project's sources.
///
/// # Errors
/// `NOT_FOUND`, with files of the same name; `SOURCE_NEEDED` where several sources have the path.
async fn file_find<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    wanted: Option<SourceId>,
    path: &str,
) -> Result<(Source, StoredFile), ToolFailure> {
    let sources = sources_of(scoped, &[project])
        .await?
        .remove(&project)
        .unwrap_or_default();
    let sources: Vec<Source> = sources
        .into_iter()
        .filter(|source| wanted.is_none_or(|wanted| source.id == wanted))
        .collect();
    let mut found = Vec::new();
    for source in &sources {
        let mut files = files_by_path(scoped, source.id, Some(&[path])).await?;
        if let Some(file) = files.remove(path) {
            found.push((source.clone(), file));
        }
    }
    if found.len() > 1 {
        let ids: Vec<String> = found
            .iter()
            .map(|(source, _)| source.id.to_string())
            .collect();
        return Err(ToolFailure::new(
            "SOURCE_NEEDED",
            "several sources of the project have this path",
            format!("pass `source`, one of: {}", ids.join(", ")),
        ));
    }
    match found.pop() {
        Some(found) => Ok(found),
        None => Err(not_found(scoped, &sources, path).await?),
    }
}

async fn not_found<A: Access>(
    scoped: &Scoped<A>,
    sources: &[Source],
    path: &str,
) -> Result<ToolFailure, ToolFailure> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut paths = Vec::new();
    for source in sources {
        let files = files_named(scoped, source.id, name).await?;
        let named = files.into_iter().map(|(path, _)| path);
        paths.extend(named.filter(|path| path == name || path.ends_with(&format!("/{name}"))));
    }
    paths.sort_unstable();
    paths.truncate(SUGGESTED_MAX);
    let advice = match paths.is_empty() {
        true => "find its path with `search`".to_owned(),
        // Paths are untrusted text, so they are quoted as data.
        false => {
            let paths: Vec<String> = paths
                .iter()
                .map(|path| nyxcore_context::attribute(&clipped(path, 200)))
                .collect();
            format!("files of this name: {}", paths.join(", "))
        }
    };
    Ok(ToolFailure::new("NOT_FOUND", "no such file", advice))
}
