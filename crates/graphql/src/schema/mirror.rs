//! Enums of the domain crates in the schema.

/// Mirrors an enum of a domain crate, with descriptions for clients: `mirror! { /// The status of a post. enum
/// BlogPostStatusName = "BlogPostStatus" { /// A draft. Draft } }`. The string is the enum's name in the schema and its
/// path in this module; where they differ, `= "Name" of "path::Name"`. The two enums convert into each other, variant
/// by variant, so a new variant of the domain does not compile until it is added here.
macro_rules! mirror {
    ($(#[$($about:tt)*])* $visible:vis enum $name:ident = $schema:tt { $($variants:tt)* }) => {
        $crate::schema::mirror::mirror! {
            $(#[$($about)*])* $visible enum $name = $schema of $schema { $($variants)* }
        }
    };
    ($(#[$($about:tt)*])* $visible:vis enum $name:ident = $schema:tt of $domain:tt { $($variants:tt)* }) => {
        $(#[$($about)*])*
        #[derive(async_graphql::Enum, Clone, Copy, PartialEq, Eq)]
        #[graphql(name = $schema, remote = $domain)]
        $visible enum $name { $($variants)* }
    };
}

pub(crate) use mirror;
