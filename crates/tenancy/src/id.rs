//! Ids: UUIDv7 internally, [TypeIDs](https://github.com/jetify-com/typeid) in the API
//! (`project_01h455vb4pex5vsknk084sn02q`), one Rust type per kind.

use std::fmt;

use type_safe_id::{DynamicType, TypeSafeId};
use uuid::Uuid;

/// An error for a text that is not an id of the requested kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {expected} id")]
pub struct IdError {
    /// The prefix that was expected, such as `project`.
    pub expected: &'static str,
}

/// An id of one kind of thing.
pub trait TypedId: Copy + fmt::Display + Send + Sync + 'static {
    /// The part before the underscore in the text form.
    const PREFIX: &'static str;
    /// The id of this kind with that UUID.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID, as the database keeps it.
    fn uuid(self) -> Uuid;

    /// Parses the text form.
    ///
    /// # Errors
    /// The text is malformed, or is the id of another kind of thing.
    fn parse(text: &str) -> Result<Self, IdError> {
        let expected = Self::PREFIX;
        match id_parse(text) {
            Some((prefix, uuid)) if prefix == expected => Ok(Self::from_uuid(uuid)),
            _ => Err(IdError { expected }),
        }
    }
}

/// The longest TypeID: a prefix of 63 characters, an underscore, and 26 characters for the UUID (the specification's
/// numbers).
const TYPE_ID_MAX: usize = 63 + 1 + 26;

/// Parses any TypeID into its prefix and its UUID. `None` if the text is malformed.
pub fn id_parse(text: &str) -> Option<(String, Uuid)> {
    // The crate `type-safe-id` slices a text by bytes at the longest prefix, and panics inside a character (0.3.3). A
    // TypeID is ASCII and short.
    if !text.is_ascii() || text.len() > TYPE_ID_MAX {
        return None;
    }
    let id: TypeSafeId<DynamicType> = text.parse().ok()?;
    Some((id.type_prefix().to_owned(), id.uuid()))
}

/// The text form of a UUID under a prefix.
pub fn id_format(prefix: &'static str, uuid: Uuid) -> String {
    match DynamicType::new(prefix) {
        Ok(kind) => TypeSafeId::from_type_and_uuid(kind, uuid).to_string(),
        // A prefix is a constant of this code base. The test `every_prefix_is_valid` of `typed_id!` checks it.
        Err(_) => format!("{prefix}_{}", uuid.simple()),
    }
}

/// Declares an id type: `typed_id!(/// A project. ProjectId, "project");`
///
/// The type is a column type for SeaORM and reads and writes its TypeID text in serde and `Display`. The crate that
/// uses it depends on `sea-orm`, `serde` and `uuid`.
#[macro_export]
macro_rules! typed_id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sea_orm::DeriveValueType)]
        pub struct $name(pub uuid::Uuid);

        impl $crate::TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::id_format($prefix, self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <Self as $crate::TypedId>::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                <Self as $crate::TypedId>::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        // SeaORM requires this of every primary key; an id is never a number.
        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    typed_id!(
        /// An id for these tests.
        ThingId,
        "thing"
    );
    typed_id!(
        /// Another kind.
        OtherId,
        "other"
    );

    #[test]
    fn the_text_form_is_the_specifications() {
        // The example of the TypeID specification.
        let uuid = Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
        assert_eq!(
            ThingId(uuid).to_string(),
            "thing_01h455vb4pex5vsknk084sn02q"
        );
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let other = OtherId(Uuid::from_u128(7)).to_string();
        assert_eq!(ThingId::parse(&other), Err(IdError { expected: "thing" }));
    }

    #[test]
    fn a_character_across_the_prefix_limit_is_refused() {
        let text = format!("{}\u{8c61e}_x", "a".repeat(62));
        assert_eq!(id_parse(&text), None);
    }

    proptest! {
        #[test]
        fn any_id_survives_its_text_form(bits: u128) {
            let id = ThingId(Uuid::from_u128(bits));
            prop_assert_eq!(ThingId::parse(&id.to_string()), Ok(id));
        }

        #[test]
        fn arbitrary_text_is_refused_or_reads_back_the_same(text in ".{0,40}") {
            if let Ok(id) = ThingId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
