//! What one run keeps for the next.

use super::super::project::EarlierResult;
use super::super::project::duplicates::KeptRepeats;
use super::super::project::imports::KeptImports;
use super::super::project::map::KeptEdges;
use super::super::project::names::NameUses;

/// What is known from an earlier run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EarlierResults<'k> {
    /// The uses of every name in the files of this run.
    pub uses: Option<&'k NameUses>,
    /// The edges of the map.
    pub edges: EarlierResult<'k, KeptEdges>,
    /// The resolved imports.
    pub imports: EarlierResult<'k, KeptImports>,
    /// The repeated windows.
    pub repeats: EarlierResult<'k, KeptRepeats>,
}

/// What is found for the next run. A part is `None` if the earlier one will do.
#[derive(Debug, Default)]
pub(crate) struct NewResults {
    /// The edges of the map.
    pub edges: Option<KeptEdges>,
    /// The resolved imports.
    pub imports: Option<KeptImports>,
    /// The repeated windows.
    pub repeats: Option<KeptRepeats>,
}

#[cfg(test)]
mod tests;
