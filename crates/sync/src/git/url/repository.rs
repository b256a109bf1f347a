//! Compares addresses: whether they name the same repository, or the same server.

use super::{SourcePolicy, SourceUrl};

/// The [origin](SourceUrl::origin) of an address, without the operator's policy: for comparing, not for fetching.
#[must_use]
pub fn url_origin(text: &str) -> Option<String> {
    SourceUrl::parse(text, &anywhere()).ok()?.origin()
}

/// Whether two addresses, with any scheme, name the same repository of one server. For comparing, not for fetching:
/// case, port, user and a final `.git` are ignored, as GitHub does.
#[must_use]
pub fn repository_same(one: &str, other: &str) -> bool {
    repository_key(one).is_some_and(|one| Some(one) == repository_key(other))
}

/// All addresses in lower case that a stored source of that repository may have: over HTTPS, HTTP or SSH, with or
/// without `.git`. [`repository_same`] holds between any two of them. Empty for a local path.
#[must_use]
pub(crate) fn repository_spellings(url: &str) -> Vec<String> {
    let (Ok(parsed), Some(key)) = (SourceUrl::parse(url, &anywhere()), repository_key(url)) else {
        return Vec::new();
    };
    let (host, path) = key.split_once('/').unwrap_or((&key, ""));
    // With its user and port, as it is stored.
    let text = parsed.as_str().to_ascii_lowercase();
    let origin = text.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let origins = [
        origin,
        format!("https://{host}"),
        format!("http://{host}"),
        format!("ssh://git@{host}"),
        format!("ssh://{host}"),
    ];
    let mut spellings: Vec<String> = origins
        .iter()
        .flat_map(|origin| [format!("{origin}/{path}"), format!("{origin}/{path}.git")])
        .collect();
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// Host and path in lower case, without `.git`: the key that [`repository_same`] compares. `None` for a local path.
#[must_use]
pub(crate) fn repository_key(text: &str) -> Option<String> {
    let url = SourceUrl::parse(text, &anywhere()).ok()?;
    let host = url.host()?;
    let path = url.as_str().split("://").nth(1)?.split_once('/')?.1;
    let path = path.to_ascii_lowercase();
    let path = path.strip_suffix(".git").unwrap_or(&path);
    Some(format!("{}/{path}", host.to_ascii_lowercase()))
}

fn anywhere() -> SourcePolicy {
    SourcePolicy {
        allow_local: true,
        allow_private: true,
        ..SourcePolicy::default()
    }
}
