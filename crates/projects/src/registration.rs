//! The entries of this crate in the [registry](nyxcore_tenancy::Registry): projects and their parts.

use nyxcore_tenancy::{
    Action, Action::*, Registration, Resource, ResourcePolicy, Role, Role::*, TypedId,
};

use crate::model::BlogPostId;

/// Projects.
pub const PROJECT: Resource = Resource::new("project");
/// Repositories of a project.
pub const SOURCE: Resource = Resource::new("source");
/// Notes, with their action points.
pub const NOTE: Resource = Resource::new("note");
/// Posts.
pub const BLOG_POST: Resource = Resource::new("blog_post");

/// The policy of resources that every member may write.
const WRITTEN_BY_MEMBERS: &[(Action, Role)] = &[
    (Read, Viewer),
    (Create, Member),
    (Update, Member),
    (Delete, Member),
];

/// The registration of this crate.
#[must_use]
pub fn registration() -> Registration {
    Registration::new(env!("CARGO_PKG_NAME"))
        .resource(ResourcePolicy::new(
            PROJECT,
            &[
                (Read, Viewer),
                (Create, Member),
                (Update, Member),
                (Delete, Admin),
            ],
        ))
        .resource(ResourcePolicy::new(SOURCE, WRITTEN_BY_MEMBERS))
        .resource(ResourcePolicy::new(NOTE, WRITTEN_BY_MEMBERS))
        .resource(
            ResourcePolicy::new(
                BLOG_POST,
                &[
                    (Read, Viewer),
                    (Create, Member),
                    (Import, Member),
                    (Update, Member),
                    (Publish, Member),
                    (Delete, Member),
                ],
            )
            .id_prefix(BlogPostId::PREFIX),
        )
}
