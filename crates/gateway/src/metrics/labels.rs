//! The labels. Each value is one of the program's own names.

use prometheus_client::encoding::EncodeLabelSet;

/// The build of the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BuildLabels {
    pub version: String,
    pub commit: String,
}

/// The outcome of an operation, a call or a response.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub outcome: &'static str,
}

/// The kind and the name of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    /// `query`, `mutation` or `subscription`.
    pub kind: &'static str,
    /// The field of the root type, or `several`.
    pub operation: String,
}

/// An operation and its outcome.
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

/// A kind of run and the outcome of an attempt.
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

/// A model of the catalog and the outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ModelCallLabels {
    pub provider: String,
    pub model: String,
    pub outcome: &'static str,
}
