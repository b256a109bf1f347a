//! Matches the project's own rules on the files of a tree. Matches are computed and cached together with the facts.

#[cfg(feature = "rules")]
pub(crate) use matching::Rules;
#[cfg(not(feature = "rules"))]
pub(crate) use without::Rules;

#[cfg(feature = "rules")]
mod matching {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::language::Language;
    use super::super::project::SourceFile;
    use super::super::rules::{RuleError, RuleFile, RuleHits, RuleReport, RuleSet, RuleTally};

    /// The rules of one tree.
    pub(crate) struct Rules {
        set: RuleSet,
        errors: Vec<RuleError>,
    }

    impl Rules {
        pub fn new(files: &[RuleFile]) -> Rules {
            // This runs on a thread of the pool, so threads exist.
            let (set, errors) = RuleSet::parse(files).unwrap_or_default();
            Rules { set, errors }
        }

        /// A key of the rules: the matches of other rules differ.
        pub fn key(&self) -> &str {
            if self.set.is_empty() {
                ""
            } else {
                self.set.key()
            }
        }

        pub fn wants(&self, language: Language) -> bool {
            self.set.wants(language)
        }

        /// Returns the encoded matches in a file, empty if there are none; `None` if matching panicked.
        pub fn hits(&self, language: Language, content: &[u8]) -> Option<Vec<u8>> {
            let Ok(text) = std::str::from_utf8(content) else {
                return Some(Vec::new());
            };
            if !self.wants(language) {
                return Some(Vec::new());
            }
            let hits = catch_unwind(AssertUnwindSafe(|| self.set.matches(language, text)));
            let hits = hits.ok()?.ok()?;
            if hits.is_empty() {
                return Some(Vec::new());
            }
            postcard::to_stdvec(&hits).ok()
        }

        /// Reports the results of all rules, from the files and the matches in each.
        pub fn report<'f>(
            self,
            files: impl Iterator<Item = (&'f SourceFile, &'f [u8])>,
        ) -> RuleReport {
            let mut tally = RuleTally::new(&self.set);
            for (file, hits) in files.filter(|(_, hits)| !hits.is_empty()) {
                if let Ok(hits) = postcard::from_bytes::<Vec<RuleHits>>(hits) {
                    tally.add(&file.path, &file.blob, &hits);
                }
            }
            tally.finish(self.errors)
        }
    }
}

#[cfg(not(feature = "rules"))]
mod without {
    use super::super::language::Language;
    use super::super::project::SourceFile;
    use super::super::rules::{RuleError, RuleFile, RuleReport};

    /// The rules of one tree, in a build without ast-grep: each file is reported as not applied.
    pub(crate) struct Rules(Vec<RuleError>);

    impl Rules {
        pub fn new(files: &[RuleFile]) -> Rules {
            let errors = files.iter().map(|file| RuleError {
                source_id: None,
                path: file.path.clone(),
                line: None,
                reason: "this build cannot match rules: it was built without the feature `rules`"
                    .to_owned(),
            });
            Rules(errors.collect())
        }

        pub fn key(&self) -> &str {
            ""
        }

        #[expect(clippy::unnecessary_wraps, reason = "the same shape as with the rules")]
        pub fn hits(&self, _language: Language, _content: &[u8]) -> Option<Vec<u8>> {
            Some(Vec::new())
        }

        pub fn wants(&self, _language: Language) -> bool {
            false
        }

        pub fn report<'f>(
            self,
            _files: impl Iterator<Item = (&'f SourceFile, &'f [u8])>,
        ) -> RuleReport {
            RuleReport {
                rules: Vec::new(),
                errors: self.0,
            }
        }
    }
}
