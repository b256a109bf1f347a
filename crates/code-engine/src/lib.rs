//! The code analysis engine: definitions, complexity, stack, patterns with evidence, hotspots.
//!
//! The engine needs no database, no network and no git. It extracts facts from source code ([`parse::file_analyze`]),
//! summarizes the facts of a project ([`analysis::project_summarize`]), and does both for a folder
//! ([`tree::tree_analyze`]):
//!
//! ```
//! use nyxcore_code_engine::render::report_table;
//! use nyxcore_code_engine::tree::{TreeOptions, tree_analyze};
//!
//! let root = tempfile::tempdir()?;
//! std::fs::create_dir(root.path().join("src"))?;
//! for name in ["read", "write", "seek", "open", "close"] {
//!     let source = format!("pub fn file_{name}() -> bool {{\n    true\n}}\n");
//!     std::fs::write(root.path().join(format!("src/{name}.rs")), source)?;
//! }
//!
//! let report = tree_analyze(root.path(), &TreeOptions::default(), |_progress| {})?;
//! assert_eq!(report.project.metrics.functions, 5);
//! let titles: Vec<&str> = report.project.patterns.iter().map(|one| one.title.as_str()).collect();
//! assert!(titles.contains(&"Functions and methods are snake_case"));
//!
//! println!("{}", report_table(&report, 80, false));
//! println!("{}", serde_json::to_string_pretty(&report)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! To analyse files that are not in a folder (in a commit, an archive, a database), implement [`tree::FileTree`]:
//!
//! ```
//! use std::collections::BTreeMap;
//! use nyxcore_code_engine::listing::Skip;
//! use nyxcore_code_engine::tree::{FileTree, TreeError, TreeFile, TreeOptions, files_analyze};
//!
//! struct Memory(BTreeMap<String, Vec<u8>>);
//!
//! impl FileTree for Memory {
//!     fn identity(&self) -> String {
//!         "memory".to_owned()
//!     }
//!
//!     fn list(&self) -> Result<Vec<TreeFile>, TreeError> {
//!         let file = |path: &String| TreeFile { path: path.clone(), blob: None, is_link: false };
//!         Ok(self.0.keys().map(file).collect())
//!     }
//!
//!     fn read(&self, file: &TreeFile, bytes_max: u64) -> Result<Vec<u8>, Skip> {
//!         let content = self.0.get(&file.path).ok_or(Skip::Vanished)?;
//!         if content.len() as u64 > bytes_max { Err(Skip::TooLarge) } else { Ok(content.clone()) }
//!     }
//! }
//!
//! let files = BTreeMap::from([("a.py".to_owned(), b"def f():\n    pass\n".to_vec())]);
//! let report = files_analyze(&Memory(files), &TreeOptions::default(), |_progress| {})?;
//! assert_eq!(report.project.metrics.functions, 1);
//! # Ok::<(), TreeError>(())
//! ```

pub mod analysis;
mod attributes;
mod blob;
mod cache;
pub mod check;
mod declarations;
pub mod evidence;
pub mod facts;
mod guard;
mod ignored;
mod kept_report;
pub mod language;
mod lines;
mod name;
mod noted;
pub mod parse;
pub mod patterns;
mod plain;
pub mod project;
pub mod references;
pub mod render;
mod report_files;
pub mod rules;
mod sarif;
mod signs;
mod skip;
mod skipped;
mod source;
mod texts;
mod tokens;
mod tracked;
pub mod tree;
mod tree_rules;
mod windows;

pub use blob::blob_id;
pub use guard::{NoThreads, on_deep_stack};

/// Which files of a tree are analysed, and which are skipped by which rule.
pub mod listing {
    pub use crate::attributes::{Attributes, is_attributes};
    pub use crate::ignored::{Ignored, is_dotted, is_list, is_own_list};
    pub use crate::skip::{SIZE_CAP, Skip, SkipRule};
    pub use crate::skipped::{SKIPPED_NAMED, SkippedByRule, SkippedFiles};
}
