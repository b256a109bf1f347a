//! Global ids: TypeIDs, checked for their kind.

use async_graphql::ID;
use nyxcore_tenancy::{IdError, TypedId};

/// Returns the global id.
pub(crate) fn global_id(id: impl TypedId) -> ID {
    ID(id.to_string())
}

/// Parses a global id of the given kind.
pub(crate) fn id_of<T: TypedId>(id: &ID) -> Result<T, IdError> {
    T::parse(id)
}

/// As [`id_of`], for an optional argument.
pub(crate) fn id_of_option<T: TypedId>(id: Option<&ID>) -> Result<Option<T>, IdError> {
    id.map(id_of).transpose()
}
