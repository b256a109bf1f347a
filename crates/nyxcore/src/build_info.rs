//! The facts about this program's build, as the build script found them.

use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat, Utc};
use nyxcore_gateway::ServerInfo;

/// The version and the build's facts, for the API.
pub fn server_info() -> ServerInfo {
    ServerInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("NYXCORE_COMMIT").map(str::to_owned),
        built_at: built_at(),
        dirty: option_env!("NYXCORE_DIRTY").map(|dirty| dirty == "true"),
    }
}

/// The answer to `--version`: the version, then a line for the commit, the time of the build, and the platform.
pub fn long_version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| long_version_of(&server_info()));
    &TEXT
}

fn long_version_of(info: &ServerInfo) -> String {
    let commit = info.commit.as_deref().unwrap_or("unknown");
    let dirty = match info.dirty {
        Some(true) => ", with changes that are not committed",
        Some(false) | None => "",
    };
    let built = info.built_at.map_or("unknown".to_owned(), |at| {
        at.to_rfc3339_opts(SecondsFormat::Secs, true)
    });
    format!(
        "{}\ncommit: {commit}{dirty}\nbuilt: {built}\nplatform: {} {}",
        info.version,
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

fn built_at() -> Option<DateTime<Utc>> {
    let seconds = option_env!("NYXCORE_BUILT_AT")?.parse().ok()?;
    DateTime::from_timestamp(seconds, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_commit_is_said_to_be_unknown() {
        let text = long_version_of(&ServerInfo::default());
        assert!(text.contains("commit: unknown\nbuilt: unknown\n"), "{text}");
    }

    #[test]
    fn a_dirty_build_is_told() {
        let info = ServerInfo {
            version: "1.2.3".into(),
            commit: Some("abc".into()),
            built_at: DateTime::from_timestamp(0, 0),
            dirty: Some(true),
        };
        let text = long_version_of(&info);
        let start = "1.2.3\ncommit: abc, with changes that are not committed\nbuilt: 1970-01-01T00:00:00Z\n";
        assert!(text.starts_with(start), "{text}");
    }
}
