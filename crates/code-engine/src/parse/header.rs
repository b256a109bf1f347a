//! The header of a file: the line of its first comment that names a copyright or a licence.

/// The maximum number of lines that are searched: a header is at the top.
const LINES_MAX: usize = 40;

/// The longest header, in bytes. A longer line is cut.
const BYTES_MAX: usize = 100;

/// The first line of the comments at the top that names a copyright or a licence, without the comment's marks, with
/// `YYYY` for its years. Empty where there is none.
pub(super) fn header_of(text: &str) -> String {
    let mut in_block = false;
    for line in text.lines().take(LINES_MAX) {
        let line = line.trim();
        let opens = ["/*", "<!--", "(*", "{-", "<#", "--["]
            .iter()
            .any(|mark| line.starts_with(mark));
        let closes = ["*/", "-->", "*)", "-}", "#>", "]]"]
            .iter()
            .any(|mark| line.ends_with(mark));
        let is_comment = in_block
            || opens
            || ["//", "#", "--", ";", "%", "*"]
                .iter()
                .any(|mark| line.starts_with(mark));
        // Text that may precede the first comment.
        let is_passed = line.is_empty() || line.starts_with("<?");
        if !is_comment && !is_passed {
            break;
        }
        in_block = (in_block || opens) && !closes;
        let words = line
            .trim_matches(|c: char| c.is_whitespace() || "/*#-;%<!>(){}[]=".contains(c))
            .trim();
        if is_comment && says_whose(words) {
            return without_years(words);
        }
    }
    String::new()
}

fn says_whose(words: &str) -> bool {
    let lower = words.to_ascii_lowercase();
    lower.starts_with("spdx-license-identifier")
        || lower.starts_with("copyright")
        || lower.starts_with('©')
        || lower.contains("copyright (c")
        || lower.contains("licensed under")
}

/// Replaces years and ranges of years by one word, so that files from several years have the same header.
fn without_years(words: &str) -> String {
    let is_year = |word: &str| {
        let plain = word.trim_matches(|c: char| matches!(c, ',' | '.' | '-' | '–'));
        let mut parts = plain.split(['-', '–']);
        let of_digits = |part: &str| {
            part.len() == 4
                && part.starts_with(['1', '2'])
                && part.bytes().all(|b| b.is_ascii_digit())
        };
        let first = parts.next().is_some_and(of_digits);
        first && parts.all(|part| of_digits(part) || matches!(part, "present" | "Present" | "now"))
    };
    let mut kept: Vec<&str> = Vec::new();
    for word in words.split_whitespace() {
        let word = if is_year(word) { "YYYY" } else { word };
        let is_span = word == "YYYY" || matches!(word, "-" | "–" | "present");
        if !(is_span && kept.last() == Some(&"YYYY")) {
            kept.push(word);
        }
    }
    let text = kept.join(" ").replace('`', "'");
    let mut text = text.trim_end_matches('.').to_owned();
    let mut end = text.len().min(BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_says_whose_a_file_is_is_its_header() {
        for (text, header) in [
            (
                "// Copyright (c) 2011 The Authors. All rights reserved.\n// Use of this.\nint a;\n",
                "Copyright (c) YYYY The Authors. All rights reserved",
            ),
            (
                "/*\n * Copyright 2017-Present the original author.\n *\n */\npackage a\n",
                "Copyright YYYY the original author",
            ),
            (
                "//===---===//\n//\n// This file is part of it.\n//\n// Copyright (c) 2020-2026 Acme\nimport A\n",
                "Copyright (c) YYYY Acme",
            ),
            (
                "#!/bin/sh\n# SPDX-License-Identifier: MIT\nset -e\n",
                "SPDX-License-Identifier: MIT",
            ),
            (
                "<?php\n\n/* Copyright 2019, 2020 Ada */\n",
                "Copyright YYYY Ada",
            ),
            ("# What it is.\nimport os\n# Copyright 2020 Ada\n", ""),
            ("let copyright = \"Copyright 2020\";\n", ""),
            ("", ""),
        ] {
            assert_eq!(header_of(text), header, "{text}");
        }
    }

    #[test]
    fn a_long_header_is_cut_between_letters() {
        let text = format!("// Copyright 2020 {}\n", "ä".repeat(90));
        let header = header_of(&text);
        assert!(header.len() <= BYTES_MAX && header.starts_with("Copyright YYYY ä"));
    }
}
