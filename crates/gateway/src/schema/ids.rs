//! Global ids: TypeIDs, checked for their kind.

use async_graphql::ID;
use nyxcore_tenancy::{IdError, TypedId};

/// The id as clients hold it.
pub(crate) fn global_id(id: impl TypedId) -> ID {
    ID(id.to_string())
}

/// The id of that kind that a client gave.
pub(crate) fn id_of<T: TypedId>(id: &ID) -> Result<T, IdError> {
    T::parse(id)
}

/// As [`id_of`], for an argument that may be left out.
pub(crate) fn id_of_option<T: TypedId>(id: Option<&ID>) -> Result<Option<T>, IdError> {
    id.map(id_of).transpose()
}
