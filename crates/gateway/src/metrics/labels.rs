//! The labels. Each value is one of the program's own names.

use prometheus_client::encoding::EncodeLabelSet;

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BuildLabels {
    pub version: String,
    pub commit: String,
}

/// How something ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub outcome: &'static str,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    /// `query`, `mutation` or `subscription`.
    pub kind: &'static str,
    /// The field of the root type, or `several`.
    pub operation: String,
}

/// What was asked, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OperationLabels {
    pub kind: &'static str,
    pub operation: String,
    /// `ok`, or the code of the first error.
    pub outcome: String,
}

/// A kind of run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KindLabels {
    pub kind: String,
}

/// A kind of run, and how an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RunLabels {
    pub kind: String,
    pub outcome: &'static str,
}

/// A kind of run, and its state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RunStateLabels {
    pub kind: String,
    pub state: String,
}

/// The state of connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PoolLabels {
    pub state: &'static str,
}

/// A model of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ModelLabels {
    pub provider: String,
    pub model: String,
}

/// A model of the catalog, and how a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ModelCallLabels {
    pub provider: String,
    pub model: String,
    pub outcome: &'static str,
}
