//! The syntax of structured settings.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use nyxcore_gateway::TrustedProxies;
use nyxcore_runs::RunKind;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::AllowedSources;
use crate::wiring::registry;

/// Reads several words, from one text with commas or from a list.
fn words_read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum ListForm {
        Text(String),
        List(Vec<String>),
    }
    Ok(match ListForm::deserialize(deserializer)? {
        ListForm::Text(text) => text.split(',').map(str::to_owned).collect(),
        ListForm::List(list) => list,
    })
}

/// Kinds of runs with their limits: `sync=2,code_analysis=1`, or a table.
pub(super) fn limits_read<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, u16>, D::Error> {
    use serde::de::Error;
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum LimitsForm {
        Text(String),
        Table(BTreeMap<String, u16>),
    }
    let registry = registry().map_err(D::Error::custom)?;
    let wrong = || {
        let kinds = registry.run_kinds().map(str::to_ascii_lowercase);
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        D::Error::custom(format!(
            "must be as in \"sync=2,code_analysis=1\", with numbers from 1 and the kinds {kinds}"
        ))
    };
    let limits = match LimitsForm::deserialize(deserializer).map_err(|_| wrong())? {
        LimitsForm::Table(table) => table,
        LimitsForm::Text(text) => {
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            let pairs = parts.map(|part| {
                let (kind, limit) = part.split_once('=')?;
                Some((kind.trim().to_owned(), limit.trim().parse().ok()?))
            });
            pairs.collect::<Option<_>>().ok_or_else(wrong)?
        }
    };
    let known = |(kind, limit): (&String, &u16)| {
        *limit > 0 && RunKind::from_setting(kind, &registry).is_some()
    };
    if limits.iter().all(known) {
        Ok(limits)
    } else {
        Err(wrong())
    }
}

/// Reads a positive number.
pub(super) fn count_read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    NonZeroUsize::deserialize(deserializer).map(NonZeroUsize::get)
}

/// Reads a URL that a browser understands, without a path after the host.
pub(super) fn public_url_read<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Url>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let url = Url::parse(text.trim()).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
    });
    match url {
        Some(url) => Ok(Some(url)),
        None => Err(serde::de::Error::custom(
            "it must be https:// or http:// and a host, without a path",
        )),
    }
}

/// `127.0.0.1,10.0.0.0/8` in one text or in a list.
pub(super) fn proxies_read<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<TrustedProxies, D::Error> {
    let words = words_read(deserializer)?.join(",");
    TrustedProxies::parse(&words).map_err(serde::de::Error::custom)
}

/// `local,private` in one text or in a list.
pub(super) fn sources_read<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<AllowedSources, D::Error> {
    let kinds = words_read(deserializer)?;
    let mut allowed = AllowedSources::default();
    for kind in kinds
        .iter()
        .map(|kind| kind.trim())
        .filter(|kind| !kind.is_empty())
    {
        match kind {
            "local" => allowed.local = true,
            "private" => allowed.private = true,
            _ => {
                return Err(serde::de::Error::custom(format!(
                    "{kind:?} is not a kind of source; use `local` or `private`"
                )));
            }
        }
    }
    Ok(allowed)
}
