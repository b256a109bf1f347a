//! What can be wrong with a catalogue that somebody brings along.

/// Why a catalogue file was refused.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file is not JSON, or not JSON of the expected shape.
    #[error("the model catalogue is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Two entries carry the same id.
    #[error("the model catalogue lists {id} twice")]
    DuplicateModel {
        /// The id that occurs twice.
        id: String,
    },
    /// A replacement points outside the catalogue, at another provider, at another mode, or back at itself.
    #[error("the model catalogue replaces {id} by {replacement}, which cannot stand in for it")]
    BadReplacement {
        /// The model that is replaced.
        id: String,
        /// What the file names as its replacement.
        replacement: String,
    },
}

impl CatalogError {
    /// A stable code for clients and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "MODEL_CATALOG_MALFORMED",
            Self::DuplicateModel { .. } => "MODEL_CATALOG_DUPLICATE",
            Self::BadReplacement { .. } => "MODEL_CATALOG_BAD_REPLACEMENT",
        }
    }
}
