//! The languages supported by rules: the tree-sitter grammar of each, and the spelling of meta-variables.

use std::borrow::Cow;

use ast_grep_core::Pattern;
use ast_grep_core::language::Language as PatternLanguage;
use ast_grep_core::matcher::{PatternBuilder, PatternError};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::super::language::Language;
use super::document::Document;

/// The maximum depth of a pattern. A deeper one is rejected, because it would be dropped on a stack of unknown size.
const PATTERN_DEPTH_CAP: u32 = 200;

/// A language with a grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grammar(Language);

impl Grammar {
    /// The grammar of a language; `None` if this build has none.
    pub(super) fn of(language: Language) -> Option<Grammar> {
        tree_sitter_language(language).map(|_| Grammar(language))
    }

    pub(super) fn language(self) -> Language {
        self.0
    }

    /// Tree-sitter's language.
    pub(super) fn tree_sitter(self) -> tree_sitter::Language {
        // `of` only returns languages with a grammar.
        tree_sitter_language(self.0).unwrap_or_else(|| tree_sitter_rust::LANGUAGE.into())
    }
}

fn tree_sitter_language(language: Language) -> Option<tree_sitter::Language> {
    let grammar = match language {
        Language::Rust => tree_sitter_rust::LANGUAGE,
        Language::Go => tree_sitter_go::LANGUAGE,
        Language::Java => tree_sitter_java::LANGUAGE,
        Language::Python => tree_sitter_python::LANGUAGE,
        Language::JavaScript => tree_sitter_javascript::LANGUAGE,
        Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
        Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
        #[cfg(feature = "bash")]
        Language::Shell => tree_sitter_bash::LANGUAGE,
        #[cfg(feature = "c")]
        Language::C => tree_sitter_c::LANGUAGE,
        #[cfg(feature = "cpp")]
        Language::Cpp => tree_sitter_cpp::LANGUAGE,
        #[cfg(feature = "csharp")]
        Language::CSharp => tree_sitter_c_sharp::LANGUAGE,
        #[cfg(feature = "kotlin")]
        Language::Kotlin => tree_sitter_kotlin_ng::LANGUAGE,
        // The grammar without markup, so that a pattern need not begin with `<?php`.
        #[cfg(feature = "php")]
        Language::Php => tree_sitter_php::LANGUAGE_PHP_ONLY,
        #[cfg(feature = "ruby")]
        Language::Ruby => tree_sitter_ruby::LANGUAGE,
        #[cfg(feature = "scala")]
        Language::Scala => tree_sitter_scala::LANGUAGE,
        #[cfg(feature = "swift")]
        Language::Swift => tree_sitter_swift::LANGUAGE,
        _ => return None,
    };
    Some(grammar.into())
}

/// The languages by ast-grep's names and by their own.
fn named(name: &str) -> Option<Language> {
    let name = name.to_ascii_lowercase();
    let known = match name.as_str() {
        "bash" | "sh" => Language::Shell,
        "c++" | "cc" | "cxx" => Language::Cpp,
        "c#" | "cs" => Language::CSharp,
        "golang" => Language::Go,
        "js" | "jsx" => Language::JavaScript,
        "kt" | "ktm" | "kts" => Language::Kotlin,
        "py" => Language::Python,
        "rb" => Language::Ruby,
        "rs" => Language::Rust,
        "ts" => Language::TypeScript,
        name => return Language::from_name(name),
    };
    Some(known)
}

impl<'de> Deserialize<'de> for Grammar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        named(&name).and_then(Grammar::of).ok_or_else(|| {
            D::Error::custom(format!("rules are not supported for the language `{name}`"))
        })
    }
}

impl PatternLanguage for Grammar {
    fn pre_process_pattern<'q>(&self, query: &'q str) -> Cow<'q, str> {
        match self.expando_char() {
            '$' => Cow::Borrowed(query),
            expando => Cow::Owned(meta_variables(query, expando)),
        }
    }

    fn expando_char(&self) -> char {
        // The characters of ast-grep (crates/language of its repository): the grammar treats them as letters, and no
        // code uses them.
        match self.0 {
            Language::C | Language::Cpp => '\u{10000}',
            Language::CSharp
            | Language::Go
            | Language::Kotlin
            | Language::Php
            | Language::Python
            | Language::Ruby
            | Language::Rust
            | Language::Swift => 'µ',
            _ => '$',
        }
    }

    fn kind_to_id(&self, kind: &str) -> u16 {
        self.tree_sitter().id_for_node_kind(kind, true)
    }

    fn field_to_id(&self, field: &str) -> Option<u16> {
        self.tree_sitter()
            .field_id_for_name(field)
            .map(std::num::NonZero::get)
    }

    fn build_pattern(&self, builder: &PatternBuilder<'_>) -> Result<Pattern, PatternError> {
        builder.build(|source| {
            let document = Document::new(source, *self)
                .ok_or_else(|| "the pattern does not parse".to_owned())?;
            if document.depth() > PATTERN_DEPTH_CAP {
                return Err(format!(
                    "the pattern nests deeper than {PATTERN_DEPTH_CAP} levels"
                ));
            }
            Ok(document)
        })
    }
}

/// Replaces `$` by another character at the beginning of a meta-variable: `$A`, `$_`, `$$A`, `$$$A`, `$$$`.
fn meta_variables(query: &str, expando: char) -> String {
    let mut written = String::with_capacity(query.len());
    let mut dollars = 0usize;
    let flush = |written: &mut String, dollars: usize, next: Option<char>| {
        let is_variable = next.is_some_and(|c| c.is_ascii_uppercase() || c == '_') || dollars == 3;
        let sign = if is_variable { expando } else { '$' };
        written.extend(std::iter::repeat_n(sign, dollars));
    };
    for c in query.chars() {
        if c == '$' {
            dollars += 1;
            continue;
        }
        flush(&mut written, dollars, Some(c));
        dollars = 0;
        written.push(c);
    }
    flush(&mut written, dollars, None);
    written
}
