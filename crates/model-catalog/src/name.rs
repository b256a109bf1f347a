//! Derives facts from ids: names for people, which the data does not have, and the model of which an id names a dated
//! version.

use crate::model::Provider;

/// `claude-sonnet-4-6` is "Claude Sonnet 4.6", `gpt-4.1-mini` is "GPT-4.1 Mini", `o4-mini` is "o4 Mini".
pub fn human_name(provider: Provider, id: &str) -> String {
    let words: Vec<&str> = id.split('-').collect();
    match (provider, words.as_slice()) {
        (Provider::OpenAi, ["gpt", version, rest @ ..]) => join(format!("GPT-{version}"), rest),
        // OpenAI writes the names of the o models in lower case.
        (Provider::OpenAi, [family, rest @ ..]) if is_o_family(family) => {
            join((*family).to_owned(), rest)
        }
        (_, [first, rest @ ..]) => join(title(first), rest),
        (_, []) => String::new(),
    }
}

/// The model of which a dated id names a version: it is `claude-sonnet-4-5-20250929`, `gpt-4.1-mini-2025-04-14` or
/// `gemini-2.5-flash-preview-09-2025` without the suffix, and any id without `-latest`. An id without a date is
/// returned unchanged.
pub fn undated(id: &str) -> &str {
    let id = id.strip_suffix("-latest").unwrap_or(id);
    let parts: Vec<&str> = id.split('-').collect();
    let digits = |part: &&str, count| part.len() == count && is_number(part);
    let dated = match parts.as_slice() {
        [.., date] if digits(date, 8) => date.len() + 1,
        [.., year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => 11,
        [.., "preview", month, year] if digits(month, 2) && digits(year, 4) => 16,
        _ => 0,
    };
    &id[..id.len() - dated]
}

fn is_o_family(word: &str) -> bool {
    word.strip_prefix('o').is_some_and(is_number)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit())
}

fn join(mut name: String, words: &[&str]) -> String {
    let mut previous = "";
    for word in words {
        // "4-6" is version 4.6, and "Flash-Lite" keeps its hyphen.
        let separator = match (previous, *word) {
            (before, now) if is_number(before) && is_number(now) => '.',
            ("flash", "lite") => '-',
            _ => ' ',
        };
        name.push(separator);
        name.push_str(&title(word));
        previous = word;
    }
    name
}

fn title(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_not_part_of_the_model() {
        for (id, model) in [
            ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
            ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
            ("gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
            ("claude-opus-4-6-latest", "claude-opus-4-6"),
            ("claude-opus-4-6", "claude-opus-4-6"),
            ("gemini-embedding-001", "gemini-embedding-001"),
            ("o3", "o3"),
            ("", ""),
        ] {
            assert_eq!(undated(id), model);
        }
    }

    #[test]
    fn ids_become_the_names_that_people_know() {
        for (provider, id, name) in [
            (Provider::Anthropic, "claude-opus-4-6", "Claude Opus 4.6"),
            (Provider::Anthropic, "claude-sonnet-5", "Claude Sonnet 5"),
            (Provider::OpenAi, "gpt-5", "GPT-5"),
            (Provider::OpenAi, "gpt-4.1-mini", "GPT-4.1 Mini"),
            (Provider::OpenAi, "gpt-4o-mini", "GPT-4o Mini"),
            (Provider::OpenAi, "o3", "o3"),
            (Provider::OpenAi, "o4-mini", "o4 Mini"),
            (
                Provider::OpenAi,
                "text-embedding-3-small",
                "Text Embedding 3 Small",
            ),
            (
                Provider::Google,
                "gemini-2.5-flash-lite",
                "Gemini 2.5 Flash-Lite",
            ),
            (Provider::Google, "gemini-4-argon", "Gemini 4 Argon"),
            (
                Provider::Google,
                "gemini-embedding-001",
                "Gemini Embedding 001",
            ),
        ] {
            assert_eq!(human_name(provider, id), name);
        }
    }
}
