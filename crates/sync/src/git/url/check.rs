//! The rules of the parts of an address: its characters, its host and its path.

use std::net::IpAddr;

use url::Host;

use super::{SourcePolicy, invalid};
use crate::git::GitError;

/// Refuses what URL parsers repair silently (and each differently).
pub(super) fn network_text_check(text: &str) -> Result<(), GitError> {
    if text.contains(|letter: char| letter.is_whitespace() || "\\\"'`<>|{}^$;".contains(letter)) {
        return invalid("has characters that are not allowed in a URL");
    }
    Ok(())
}

/// Parses a host. `https` normalises hosts by the WHATWG rules (`0x7f.1` is 127.0.0.1). This does the same for ssh, so
/// that one check serves both.
pub(super) fn host_parse(
    text: &str,
    encrypted: bool,
    policy: &SourcePolicy,
) -> Result<Host<String>, GitError> {
    let Ok(host) = Host::parse(text) else {
        return invalid("has no valid host");
    };
    match &host {
        Host::Ipv4(address) => policy.address_check(IpAddr::V4(*address), encrypted)?,
        Host::Ipv6(address) => policy.address_check(IpAddr::V6(*address), encrypted)?,
        Host::Domain(name) => {
            let well_formed = name.len() <= 253
                && name.split('.').all(|label| {
                    !label.is_empty()
                        && !label.starts_with('-')
                        && label.bytes().all(|byte| {
                            byte.is_ascii_lowercase()
                                || byte.is_ascii_digit()
                                || byte == b'-'
                                || byte == b'_'
                        })
                });
            if !well_formed {
                return invalid("has no valid host");
            }
        }
    }
    Ok(host)
}

/// Checks a path. Git decodes `%xx` before it uses a path, so the decoded bytes are checked.
pub(super) fn path_check(path: &str) -> Result<(), GitError> {
    let mut decoded = Vec::with_capacity(path.len());
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let Some(byte) = path
                .get(at + 1..at + 3)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            else {
                return invalid("has a malformed %-escape");
            };
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    if decoded.iter().any(u8::is_ascii_control) {
        return invalid("must not have control characters or line breaks");
    }
    let first = decoded
        .iter()
        .position(|byte| *byte != b'/')
        .map(|at| decoded[at]);
    match first {
        None => invalid("has no path to a repository"),
        Some(b'-') => invalid("must not have a path that starts with \"-\""),
        Some(_) => Ok(()),
    }
}
