//! Passwords that are easy to guess: common ones, simple patterns, and known data of the account.
//!
//! NIST SP 800-63B-4 (3.1.1.2) requires a blocklist of commonly used, expected or compromised passwords with a reason
//! for the user, and no rules on the mixture of characters.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::password::PASSWORD_MIN;

/// The 10,000 most common passwords and the longer ones of the rest, from npm `@zxcvbn-ts/language-common` 4.1.3 (MIT,
/// see `assets/common_passwords.LICENSE`), in lower case, most common first.
const LIST: &str = include_str!("../../assets/common_passwords.txt");
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| LIST.lines().collect());

/// A password with fewer different characters than this is a pattern. A rule of this project.
const DISTINCT_MIN: usize = 5;
/// The keys of the most common keyboard, row by row: sequences of neighbouring keys are easy to guess.
const KEYBOARD: &str = "1234567890qwertyuiopasdfghjklzxcvbnm";
/// The name of the service, which attackers try first as well.
const SERVICE: &str = "nyxcore";

/// Whether a normalised password of the account with that address is easy to guess.
pub(super) fn is_guessable(password: &str, email: &str) -> bool {
    let folded: String = password.to_lowercase().split_whitespace().collect();
    let email = email.trim().to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    let is_known = |text: &str| {
        COMMON.contains(text)
            || text == SERVICE
            || text == email
            || (text == local && !text.is_empty())
    };
    let unit = repeated_unit(&folded);
    let distinct: HashSet<char> = folded.chars().collect();
    distinct.len() < DISTINCT_MIN
        || (unit.len() < folded.len() && unit.chars().count() < PASSWORD_MIN)
        || is_sequence(&folded)
        || is_known(&folded)
        || is_known(unit)
        || is_known(stem(&folded))
}

/// The text without the digits and signs at its ends: `football` for `football2024!`. The text itself if nothing else
/// is left.
fn stem(text: &str) -> &str {
    let stem = text.trim_matches(|c: char| !c.is_alphabetic());
    if stem.is_empty() { text } else { stem }
}

/// The shortest text that `text` is a repetition of.
fn repeated_unit(text: &str) -> &str {
    let starts = text.char_indices().map(|(at, _)| at).skip(1);
    let mut units = starts.filter(|at| text.len().is_multiple_of(*at));
    let unit = units.find(|at| {
        text.as_bytes()
            .chunks(*at)
            .all(|part| part == &text.as_bytes()[..*at])
    });
    unit.and_then(|at| text.get(..at)).unwrap_or(text)
}

/// Whether at least four in five characters follow the previous one in the alphabet or on the keyboard.
fn is_sequence(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let key = |c: char| KEYBOARD.find(c);
    let follows = |pair: &&[char]| {
        let near_key = key(pair[0]).zip(key(pair[1]));
        u32::from(pair[0]).abs_diff(u32::from(pair[1])) <= 1
            || near_key.is_some_and(|(one, other)| one.abs_diff(other) <= 1)
    };
    let steps = chars.windows(2).filter(follows).count();
    chars.len() > 1 && steps * 5 >= (chars.len() - 1) * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = "ada.lovelace@example.org";

    #[test]
    fn the_list_is_as_it_was_taken() {
        assert_eq!(COMMON.len(), LIST.lines().count());
        assert!(
            LIST.lines()
                .all(|word| !word.is_empty() && word == word.to_lowercase())
        );
        assert!(COMMON.len() > 10_000, "{}", COMMON.len());
    }

    #[test]
    fn common_passwords_and_patterns_are_guessable() {
        for password in [
            "            ",
            "aaaaaaaaaaaa",
            "abababababab",
            "abc123abc123",
            "passwordpassword",
            "Password 1234!",
            "football2024",
            "iloveyou1234!!",
            "123456789012",
            "098765432109",
            "abcdefghijkl",
            "zyxwvutsrqpo",
            "qwertyuiopas",
            "1qaz2wsx3edc",
            "112233445566",
            "hunter2 hunter2 hunter2",
            "k7$Qx!k7$Qx!",
            "nyxcore nyxcore",
            "Nyxcore-2026",
            "ada.lovelace",
            "Ada.Lovelace 1815",
            "ada.lovelace@example.org",
            "\u{2003}\u{2003}password12345",
            "............",
            "ффффффффффффф",
        ] {
            assert!(is_guessable(password, EMAIL), "{password:?}");
        }
    }

    #[test]
    fn phrases_and_random_passwords_are_not_guessable() {
        for password in [
            "correct horse battery staple",
            "another good password",
            "quite another password",
            "xK9#mQ2$vL5p",
            "8f3a1c9e7b2d",
            "ada likes analytical engines",
            "зелёная лошадь",
            "一二三四五六七八九十百千",
            "the rain in Spain",
        ] {
            assert!(!is_guessable(password, EMAIL), "{password:?}");
        }
    }

    #[test]
    fn the_unit_of_a_text_is_the_shortest() {
        for (text, unit) in [
            ("abab", "ab"),
            ("aaa", "a"),
            ("abcabc", "abc"),
            ("abca", "abca"),
            ("", ""),
            ("ää", "ä"),
        ] {
            assert_eq!(repeated_unit(text), unit, "{text}");
        }
    }
}
