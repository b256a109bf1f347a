//! The part of SARIF 2.1.0 that a report needs (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>). A
//! crate with the full format exists, but it is ten times larger and generated at build time.

use std::collections::BTreeMap;

use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log {
    #[serde(rename = "$schema")]
    pub schema: &'static str,
    pub version: &'static str,
    pub runs: [Run; 1],
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub tool: Tool,
    pub automation_details: AutomationDetails,
    pub invocations: [Invocation; 1],
    pub original_uri_base_ids: BTreeMap<&'static str, UriBase>,
    pub column_kind: &'static str,
    pub results: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<RunProperties>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tool {
    pub driver: Driver,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Driver {
    pub name: &'static str,
    pub information_uri: &'static str,
    pub semantic_version: &'static str,
    pub rules: Vec<Descriptor>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
    pub short_description: Message,
    pub full_description: Message,
    pub help: Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_uri: Option<String>,
    pub default_configuration: Configuration,
    pub properties: Tags,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Configuration {
    pub level: Level,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tags {
    pub tags: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct AutomationDetails {
    pub id: &'static str,
}

/// The analysed version: the commit, and the covered part of its history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct RunProperties {
    pub commit: String,
    pub since: String,
    pub until: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    pub execution_successful: bool,
    pub tool_configuration_notifications: Vec<Notification>,
    pub tool_execution_notifications: Vec<Notification>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Notification {
    pub level: Level,
    pub message: Message,
    pub descriptor: DescriptorReference,
    pub locations: Vec<Location>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct DescriptorReference {
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct UriBase {
    pub description: Message,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    pub rule_id: String,
    pub rule_index: usize,
    pub level: Level,
    pub message: Message,
    pub locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_locations: Vec<Location>,
    pub partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_state: Option<BaselineState>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Message {
    pub text: String,
}

/// Whether a finding was in the baseline report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum BaselineState {
    New,
    Unchanged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Note,
    Warning,
    Error,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<usize>,
    pub physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    pub artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactLocation {
    pub uri: String,
    pub uri_base_id: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub start_line: u32,
    pub end_line: u32,
}

impl Message {
    /// Creates a message of plain text: SARIF's syntax for links is escaped.
    pub fn new(text: &str) -> Message {
        let mut plain = String::with_capacity(text.len());
        for letter in text.chars() {
            if matches!(letter, '[' | ']' | '\\') {
                plain.push('\\');
            }
            plain.push(if letter.is_control() && letter != '\n' {
                ' '
            } else {
                letter
            });
        }
        Message { text: plain }
    }
}

impl Location {
    /// The location of some lines of a file.
    pub fn lines(path: &str, start_line: u32, end_line: u32) -> Location {
        let region = Region {
            start_line: start_line.max(1),
            end_line: end_line.max(start_line).max(1),
        };
        Location {
            physical_location: PhysicalLocation {
                region: Some(region),
                ..PhysicalLocation::file(path)
            },
            ..Location::file(path)
        }
    }

    /// The location of a whole file.
    pub fn file(path: &str) -> Location {
        Location {
            id: None,
            physical_location: PhysicalLocation::file(path),
            message: None,
        }
    }

    /// The same location, as a related location of another finding.
    pub fn related(self, id: usize, message: &str) -> Location {
        Location {
            id: Some(id),
            message: Some(Message::new(message)),
            ..self
        }
    }
}

impl PhysicalLocation {
    fn file(path: &str) -> PhysicalLocation {
        PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: relative_uri(path),
                uri_base_id: SOURCE_ROOT,
            },
            region: None,
        }
    }
}

/// The base of relative paths, by the name that code-scanning pages recognise.
pub(super) const SOURCE_ROOT: &str = "%SRCROOT%";

/// A path as a relative reference of RFC 3986: everything but unreserved characters and `/` is escaped.
fn relative_uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16);
                uri.extend(digit.map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_relative_reference_whatever_is_in_it() {
        assert_eq!(relative_uri("src/a-b_c.rs"), "src/a-b_c.rs");
        assert_eq!(relative_uri("a b/ü:%.py"), "a%20b/%C3%BC%3A%25.py");
    }

    #[test]
    fn a_message_holds_no_link_and_steers_no_terminal() {
        assert_eq!(Message::new("a[0](1) \u{1b}[2J").text, "a\\[0\\](1)  \\[2J");
    }
}
