//! Documents of repositories as resources: README, guides and decisions. A document is named by its source and its
//! path.

use nyxcore_code_engine::project::TOKEN_BYTES;
use nyxcore_projects::{
    PROJECT, SOURCE, Source, SourceId, Sources, blob_content, files_by_path, files_named,
    project_list, sources_of,
};
use nyxcore_retrieval::{Authority, FileRole};
use nyxcore_tenancy::{Access, Cursor, Error, PageRequest, Repository, Scoped, TypedId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rmcp::model::{
    ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};

use crate::actor::Scopes;
use crate::answer::{TOKENS_MOST, clipped};
use crate::failure::ToolFailure;
use crate::tool::path_read;

/// The prefix of every resource URI.
const PREFIX: &str = "nyxcore://document/";
/// The name of the list in its pagination cursors.
const LIST: &str = "mcp-documents";
/// The maximum number of documents of a project that are listed, the most authoritative first.
const DOCUMENTS_MAX: usize = 100;
/// File extensions of documents for people, as the index recognizes them.
const ENDINGS: [&str; 4] = [".md", ".rst", ".adoc", ".txt"];
/// The characters of a path that are escaped in a URI.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The template of a document's URI.
pub(crate) fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{PREFIX}{{source}}/{{+path}}"), "document")
        .with_title("A document of a repository")
        .with_description(
            "A text for people, by the id of its source and its path from the repository's root.",
        )
        .with_mime_type("text/markdown")
}

/// Lists the documents, one project a page, newest project first.
///
/// # Errors
/// `INVALID_CURSOR`; the database fails.
pub(crate) async fn list(
    scopes: &Scopes,
    cursor: Option<&str>,
) -> Result<ListResourcesResult, ToolFailure> {
    let scoped = scopes.read(PROJECT).await?;
    if let Some(named) = &scopes.project {
        let project = scopes.project(&scoped, Some(named)).await?;
        return documents(&scoped, vec![project], None).await;
    }
    let mut page = PageRequest::first(1);
    if let Some(text) = cursor {
        page.after = Some(Cursor::decode(LIST, text).ok_or(Error::InvalidCursor)?);
    }
    let found = project_list(&scoped, None, &page).await?;
    let last = found.items.last().map(|(cursor, _)| cursor.encode(LIST));
    let next = last.filter(|_| found.has_next);
    documents(&scoped, found.into_items(), next).await
}

async fn documents<A: Access>(
    scoped: &Scoped<A>,
    projects: Vec<nyxcore_projects::Project>,
    next: Option<String>,
) -> Result<ListResourcesResult, ToolFailure> {
    let ids: Vec<_> = projects.iter().map(|project| project.id).collect();
    let sources = sources_of(scoped, &ids).await?;
    let mut resources = Vec::new();
    for project in &projects {
        for source in sources.get(&project.id).into_iter().flatten() {
            resources.extend(documents_of(scoped, &project.slug, source).await?);
        }
    }
    let mut listed = ListResourcesResult::with_all_items(resources);
    listed.next_cursor = next;
    Ok(listed)
}

async fn documents_of<A: Access>(
    scoped: &Scoped<A>,
    slug: &str,
    source: &Source,
) -> Result<Vec<Resource>, ToolFailure> {
    let mut found = Vec::new();
    for ending in ENDINGS {
        found.extend(files_named(scoped, source.id, ending).await?);
    }
    found.retain(|(path, _)| FileRole::of_path(path) == FileRole::Document);
    found.sort_by_cached_key(|(path, _)| (rank(path), path.matches('/').count(), path.clone()));
    found.dedup_by(|a, b| a.0 == b.0);
    found.truncate(DOCUMENTS_MAX);
    let resources = found.into_iter().map(|(path, file)| {
        Resource::new(address(source.id, &path), path.clone())
            .with_title(format!("{slug}: {path}"))
            .with_mime_type(mime(&path))
            .with_size(u64::try_from(file.size).unwrap_or(0))
    });
    Ok(resources.collect())
}

/// The sort key of a document: the most authoritative has the lowest.
fn rank(path: &str) -> u8 {
    match Authority::of_path(path) {
        Some(Authority::Mandatory) => 0,
        Some(Authority::Guideline) => 1,
        _ => 2,
    }
}

fn address(source: SourceId, path: &str) -> String {
    format!("{PREFIX}{source}/{}", utf8_percent_encode(path, ESCAPED))
}

fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("md" | "mdx" | "markdown") => "text/markdown",
        _ => "text/plain",
    }
}

/// Returns the text of a document, cut to the maximum length of a tool's answer.
///
/// # Errors
/// `INVALID_INPUT` for a URI of another form; `NOT_FOUND`; `NO_TEXT`.
pub(crate) async fn read(scopes: &Scopes, uri: &str) -> Result<ReadResourceResult, ToolFailure> {
    let parts = uri
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('/'));
    let (source, path) =
        parts.ok_or_else(|| ToolFailure::invalid(format!("an address begins with {PREFIX}")))?;
    let path = percent_decode_str(path).decode_utf8();
    let path = path.map_err(|_| ToolFailure::invalid("the path is not UTF-8"))?;
    let (source, path) = (SourceId::parse(source)?, path_read(&path)?);
    let scoped = scopes.read(SOURCE).await?;
    Sources::require(&scoped, source).await?;
    let file = files_by_path(&scoped, source, Some(&[&path]))
        .await?
        .remove(&path);
    let file = file.filter(|_| FileRole::of_path(&path) == FileRole::Document);
    let file = file.ok_or(Error::NotFound("document"))?;
    let content = blob_content(&scoped, &file.blob).await?;
    let content = content.ok_or_else(|| {
        let advice = "read it in a checkout of the repository";
        ToolFailure::new("NO_TEXT", "the document has no stored text", advice)
    })?;
    let text = clipped(&content, TOKENS_MOST as usize * TOKEN_BYTES);
    let contents = ResourceContents::text(text, uri).with_mime_type(mime(&path));
    Ok(ReadResourceResult::new(vec![contents]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_escapes_what_a_path_holds() {
        let source = SourceId::from_uuid(uuid::Uuid::nil());
        let address = address(source, "docs/a b?#ä.md");
        assert!(address.ends_with("/docs/a%20b%3F%23%C3%A4.md"), "{address}");
        assert!(
            address.starts_with("nyxcore://document/source_"),
            "{address}"
        );
    }
}
