//! Reads stored files: the lines that a citation names.

use nyxcore_projects::{SourceId, blob_contents, files_by_path};
use nyxcore_tenancy::{Access, Result, Scoped};

/// The stored text of a file, with the id of its content.
pub(crate) async fn content<A: Access>(
    scoped: &Scoped<A>,
    source: SourceId,
    path: &str,
) -> Result<Option<(String, String)>> {
    let mut files = files_by_path(scoped, source, Some(&[path])).await?;
    let Some(file) = files.remove(path) else {
        return Ok(None);
    };
    let mut contents = blob_contents(scoped, &[&file.blob]).await?;
    Ok(contents.remove(&file.blob).map(|text| (file.blob, text)))
}

/// Those lines of a text, counted from 1; `None` where it does not have them.
pub(crate) fn lines(content: &str, start: i64, end: i64) -> Option<String> {
    let first = usize::try_from(start).ok()?.checked_sub(1)?;
    let last = usize::try_from(end).ok().filter(|last| *last > first)?;
    let lines: Vec<&str> = content.split_inclusive('\n').collect();
    Some(lines.get(first..last)?.concat())
}
