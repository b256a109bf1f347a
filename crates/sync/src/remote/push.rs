//! The fields of a GitHub push event that are used
//! (<https://docs.github.com/en/webhooks/webhook-events-and-payloads#push>).

use nyxcore_projects::Source;
use serde::Deserialize;

use crate::git::repository_same;

/// The body of GitHub's event `push`.
#[derive(Debug, Deserialize)]
pub(super) struct Push {
    /// `refs/heads/main`, `refs/tags/v1`.
    #[serde(rename = "ref")]
    reference: String,
    /// Whether the branch or tag was deleted.
    #[serde(default)]
    deleted: bool,
    repository: Repository,
}

#[derive(Debug, Deserialize)]
struct Repository {
    default_branch: String,
    #[serde(default)]
    clone_url: String,
    #[serde(default)]
    ssh_url: String,
    #[serde(default)]
    html_url: String,
}

impl Push {
    /// Why the push does not affect a source; `None` if its files may have changed. The reasons are stable.
    pub fn ignored(&self, source: &Source) -> Option<&'static str> {
        let there = &self.repository;
        let urls = [&there.clone_url, &there.ssh_url, &there.html_url];
        if !urls.iter().any(|url| repository_same(url, &source.url)) {
            return Some("OTHER_REPOSITORY");
        }
        let Some(branch) = self.reference.strip_prefix("refs/heads/") else {
            return Some("NOT_A_BRANCH");
        };
        let followed = source.branch.as_deref().unwrap_or(&there.default_branch);
        if branch != followed.strip_prefix("refs/heads/").unwrap_or(followed) {
            return Some("OTHER_BRANCH");
        }
        self.deleted.then_some("BRANCH_DELETED")
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use nyxcore_projects::{ProjectId, SourceId};
    use uuid::Uuid;

    use super::*;

    fn ignored(
        url: &str,
        branch: Option<&str>,
        reference: &str,
        deleted: bool,
    ) -> Option<&'static str> {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        let source = Source {
            id: SourceId(Uuid::from_u128(1)),
            project_id: ProjectId(Uuid::from_u128(2)),
            url: url.into(),
            branch: branch.map(Into::into),
            scan_path: String::new(),
            head_commit: None,
            last_synced_at: None,
            created_at: at,
            updated_at: at,
        };
        let push = serde_json::json!({
            "ref": reference,
            "deleted": deleted,
            "repository": {
                "default_branch": "trunk",
                "clone_url": "https://github.com/Codertocat/Hello-World.git",
                "ssh_url": "git@github.com:Codertocat/Hello-World.git",
                "html_url": "https://github.com/Codertocat/Hello-World",
            },
        });
        serde_json::from_value::<Push>(push)
            .unwrap()
            .ignored(&source)
    }

    #[test]
    fn only_the_sources_branch_of_its_repository_counts() {
        const URL: &str = "https://github.com/codertocat/hello-world";
        const SSH: &str = "ssh://git@github.com/Codertocat/Hello-World.git";
        for (url, branch, reference, deleted, reason) in [
            (URL, None, "refs/heads/trunk", false, None),
            (SSH, Some("main"), "refs/heads/main", false, None),
            (SSH, Some("refs/heads/main"), "refs/heads/main", false, None),
            (URL, None, "refs/heads/main", false, Some("OTHER_BRANCH")),
            (
                URL,
                Some("main"),
                "refs/heads/trunk",
                false,
                Some("OTHER_BRANCH"),
            ),
            (
                URL,
                Some("main"),
                "refs/heads/main/more",
                false,
                Some("OTHER_BRANCH"),
            ),
            (URL, None, "refs/tags/trunk", false, Some("NOT_A_BRANCH")),
            (URL, None, "refs/heads/trunk", true, Some("BRANCH_DELETED")),
            (
                "https://github.com/codertocat/hello",
                None,
                "refs/heads/trunk",
                false,
                Some("OTHER_REPOSITORY"),
            ),
            (
                "https://git.example.org/codertocat/hello-world",
                None,
                "refs/heads/trunk",
                false,
                Some("OTHER_REPOSITORY"),
            ),
            (
                "/srv/codertocat/hello-world",
                None,
                "refs/heads/trunk",
                false,
                Some("OTHER_REPOSITORY"),
            ),
        ] {
            assert_eq!(
                ignored(url, branch, reference, deleted),
                reason,
                "{url} {branch:?} {reference}"
            );
        }
    }
}
