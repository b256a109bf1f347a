//! Checks whether the things that a text cites and names exist: rows, contents and lines.

use std::collections::{BTreeSet, HashMap, HashSet};

use nyxcore_context::{Reference, Section};
use nyxcore_knowledge::{
    ConsolidationPatternId, ConsolidationPatterns, InsightId, Insights, MemoryEntries,
    MemoryEntryId,
};
use nyxcore_projects::{
    ProjectId, SourceId, StoredFile, blob_contents, files_by_path, files_named, sources_of,
};
use nyxcore_tenancy::{Access, Repository, Result, Scoped, TypedId};

use crate::files::lines;
use crate::mentions::FileMention;

/// The most files that are searched for by a part of their path: each takes a statement.
const LOOKED_FOR_MAX: usize = 50;

/// Which of the references resolve: to a row of the tenant, or to a file of the project whose content has those lines.
pub(crate) async fn references_resolve<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    references: &[Reference],
) -> Result<Vec<bool>> {
    let sources = source_ids(scoped, project).await?;
    let mut resolved = Vec::with_capacity(references.len());
    for reference in references {
        resolved.push(reference_resolves(scoped, &sources, reference).await?);
    }
    Ok(resolved)
}

async fn reference_resolves<A: Access>(
    scoped: &Scoped<A>,
    sources: &[SourceId],
    reference: &Reference,
) -> Result<bool> {
    let citation = &reference.citation;
    let subject = citation.subject_id.as_deref().unwrap_or_default();
    Ok(match reference.section {
        Section::Memory => match MemoryEntryId::parse(subject) {
            Ok(id) => MemoryEntries::get(scoped, id).await?.is_some(),
            Err(_) => false,
        },
        Section::Insights => match InsightId::parse(subject) {
            Ok(id) => Insights::get(scoped, id).await?.is_some(),
            Err(_) => false,
        },
        Section::Consolidations => match ConsolidationPatternId::parse(subject) {
            Ok(id) => ConsolidationPatterns::get(scoped, id).await?.is_some(),
            Err(_) => false,
        },
        // A pattern without a place was read from the index, which has it as long as the analysis has it.
        Section::CodePatterns if citation.path.is_none() => !subject.is_empty(),
        Section::Code | Section::Documents | Section::CodePatterns => {
            place_resolves(scoped, sources, reference).await?
        }
    })
}

async fn place_resolves<A: Access>(
    scoped: &Scoped<A>,
    sources: &[SourceId],
    reference: &Reference,
) -> Result<bool> {
    let citation = &reference.citation;
    let place = (
        citation.path.as_deref(),
        citation.source_id,
        reference.blob.as_deref(),
    );
    let (Some(path), Some(source), Some(blob)) = place else {
        return Ok(false);
    };
    let (Some(start), Some(end)) = (citation.start_line, citation.end_line) else {
        return Ok(false);
    };
    let Some(source) = sources.iter().copied().find(|one| one.0 == source) else {
        return Ok(false);
    };
    if !files_by_path(scoped, source, Some(&[path]))
        .await?
        .contains_key(path)
    {
        return Ok(false);
    }
    let contents = blob_contents(scoped, &[blob]).await?;
    Ok(contents
        .get(blob)
        .is_some_and(|text| lines(text, start, end).is_some()))
}

/// The mentions, as they stand in the text, of files that the project does not have, or of lines that the file does not
/// have.
pub(crate) async fn files_unknown<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    mentions: BTreeSet<FileMention>,
) -> Result<HashSet<String>> {
    let sources = source_ids(scoped, project).await?;
    let paths: Vec<&str> = mentions
        .iter()
        .map(|mention| mention.path.as_str())
        .collect();
    let mut known: HashMap<&str, Vec<StoredFile>> = HashMap::new();
    for &source in &sources {
        let mut found = files_by_path(scoped, source, Some(&paths)).await?;
        for path in &paths {
            known.entry(*path).or_default().extend(found.remove(*path));
        }
    }
    let mut looked_for = 0;
    let mut unknown = HashSet::new();
    for mention in &mentions {
        let mut files = known
            .get(mention.path.as_str())
            .cloned()
            .unwrap_or_default();
        // A part of a path, such as `lease.rs`, names a file too.
        if files.is_empty() && looked_for < LOOKED_FOR_MAX {
            looked_for += 1;
            let end = format!("/{}", mention.path);
            for &source in &sources {
                let named = files_named(scoped, source, &end).await?.into_iter();
                files.extend(
                    named
                        .filter(|(path, _)| path.ends_with(&end))
                        .map(|(_, file)| file),
                );
            }
        }
        let is_known = match mention.line {
            _ if files.is_empty() => false,
            None => true,
            Some(line) => {
                let blobs: Vec<&str> = files.iter().map(|file| file.blob.as_str()).collect();
                let contents = blob_contents(scoped, &blobs).await?;
                contents
                    .values()
                    .any(|text| lines(text, line, line).is_some())
            }
        };
        if !is_known {
            unknown.insert(mention.token.clone());
        }
    }
    Ok(unknown)
}

async fn source_ids<A: Access>(scoped: &Scoped<A>, project: ProjectId) -> Result<Vec<SourceId>> {
    let mut sources = sources_of(scoped, &[project]).await?;
    let sources = sources.remove(&project).unwrap_or_default();
    Ok(sources.into_iter().map(|source| source.id).collect())
}
