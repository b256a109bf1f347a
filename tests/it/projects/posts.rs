//! Posts: created, published, and imported from synced files.

use chrono::TimeDelta;
use nyxcore_projects::{
    BlogPost, BlogPostChanges, BlogPostImport, BlogPostStatus, BlogPosts, FileChanges, NewBlob,
    NewBlogPost, NewFile, NewSource, ProjectBlogPosts, ProjectId, Projects, SourceId, blobs_insert,
    blog_post_create, blog_post_delete, blog_post_import, blog_post_publish, blog_post_unpublish,
    blog_post_update, files_apply, project_create, project_delete, source_add, source_remove,
};
use nyxcore_tenancy::{ChildList, PageRequest, ReadWrite, Repository, Result, Scoped};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::{named, scope, source_in};
use crate::support::{store, store_at_rest, tenant};

on_both_databases! {
    async fn a_post_is_a_draft_until_it_is_published(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let new = NewBlogPost { created_by: Some(ada.id), ..post_in(project.id) };
        let post = blog_post_create(&scoped, new).await.unwrap();
        assert_eq!((post.status, post.published_at, post.created_by), (BlogPostStatus::Draft, None, Some(ada.id)));
        clock.advance(TimeDelta::hours(1));
        let published = blog_post_publish(&scoped, post.id).await.unwrap();
        assert_eq!((published.status, published.published_at), (BlogPostStatus::Published, Some(store.env().now())));
        clock.advance(TimeDelta::hours(1));
        assert_eq!(blog_post_publish(&scoped, post.id).await.unwrap(), published);
        let changes = BlogPostChanges { title: Some("Second".into()), body: None };
        let changed = blog_post_update(&scoped, post.id, changes).await.unwrap();
        assert_eq!((changed.title.as_str(), changed.body.as_str(), changed.status), ("Second", "They run out.", BlogPostStatus::Published));
        let draft = blog_post_unpublish(&scoped, post.id).await.unwrap();
        assert_eq!((draft.status, draft.published_at), (BlogPostStatus::Draft, None));
        blog_post_delete(&scoped, post.id).await.unwrap();
        assert_eq!(blog_post_delete(&scoped, post.id).await.unwrap_err().code(), "NOT_FOUND");
    }

    async fn a_post_out_of_bounds_is_refused(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let project = project_create(&scoped, named("Atlas")).await.unwrap().id;
        let post = blog_post_create(&scoped, post_in(project)).await.unwrap();
        for (title, body) in [("", ""), ("a\nb", ""), (&"a".repeat(201), ""), ("a", "nul \0"), ("a", &"a".repeat(200_001))] {
            let new = NewBlogPost { title: title.into(), body: body.into(), ..post_in(project) };
            assert_eq!(blog_post_create(&scoped, new).await.unwrap_err().code(), "INVALID_INPUT");
            let changes = BlogPostChanges { title: Some(title.into()), body: Some(body.into()) };
            assert_eq!(blog_post_update(&scoped, post.id, changes).await.unwrap_err().code(), "INVALID_INPUT");
        }
    }

    async fn a_file_that_is_imported_again_changes_the_same_post(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let (project, source) = synced(&scoped, &[("docs/leases.md", "---\ntitle: Leases\n---\nThey run out.\n")]).await;
        let post = import(&scoped, project, "docs/leases.md").await.unwrap();
        assert_eq!((post.title.as_str(), post.body.as_str()), ("Leases", "They run out.\n"));
        assert_eq!(post.source_ref, Some(format!("{source}:docs/leases.md")));
        blog_post_publish(&scoped, post.id).await.unwrap();
        files(&scoped, source, &[("docs/leases.md", "# Leases, again\n\nThey are renewed.\n")]).await;
        let again = import(&scoped, project, "/docs/leases.md").await.unwrap();
        assert_eq!((again.id, again.title.as_str(), again.status), (post.id, "Leases, again", BlogPostStatus::Published));
        assert_eq!(again.body, "# Leases, again\n\nThey are renewed.\n");
        assert_eq!(ProjectBlogPosts.count(&scoped, project).await.unwrap(), 1);
        // The post remains after its source is removed.
        source_remove(&scoped, source).await.unwrap();
        assert_eq!(BlogPosts::require(&scoped, post.id).await.unwrap(), again);
    }

    async fn a_path_that_two_sources_have_needs_the_source_named(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let (project, first) = synced(&scoped, &[("README.md", "# First\n")]).await;
        let other = NewSource { url: "https://example.org/other.git".into(), ..source_in(project) };
        let second = source_add(&scoped, other).await.unwrap().id;
        files(&scoped, second, &[("README.md", "# Second\n")]).await;
        assert_eq!(import(&scoped, project, "README.md").await.unwrap_err().code(), "INVALID_INPUT");
        let mut titles = Vec::new();
        for source in [first, second, first] {
            let named = BlogPostImport { source_id: Some(source), ..import_of(project, "README.md") };
            titles.push(blog_post_import(&scoped, named).await.unwrap().title);
        }
        assert_eq!(titles, ["First", "Second", "First"]);
        assert_eq!(ProjectBlogPosts.count(&scoped, project).await.unwrap(), 2);
    }

    async fn only_markdown_of_own_sources_is_imported(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let long = "a".repeat(200_001);
        let (project, _) = synced(&scoped, &[("a.md", "text"), ("b.rs", "fn b() {}"), ("nul.md", "a\0b"), ("long.md", &long)]).await;
        let beside = project_create(&scoped, named("Beside")).await.unwrap().id;
        for (of, path, code) in [
            (project, "none.md", "NOT_FOUND"),
            (project, "../a.md", "NOT_FOUND"),
            (project, "", "INVALID_INPUT"),
            (project, "b.rs", "INVALID_INPUT"),
            (project, "nul.md", "INVALID_INPUT"),
            (project, "long.md", "INVALID_INPUT"),
            (beside, "a.md", "NOT_FOUND"),
        ] {
            assert_eq!(import(&scoped, of, path).await.unwrap_err().code(), code, "{path}");
        }
        // A source of another project.
        let source = source_add(&scoped, source_in(beside)).await.unwrap().id;
        let foreign = BlogPostImport { source_id: Some(source), ..import_of(project, "a.md") };
        assert_eq!(blog_post_import(&scoped, foreign).await.unwrap_err().code(), "NOT_FOUND");
        assert_eq!(import(&scoped, project, "a.md").await.unwrap().title, "a");
    }

    async fn another_tenants_post_answers_as_if_it_were_not_there(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let scoped = store.write(acme.id).await.unwrap();
        let (project, source) = synced(&scoped, &[("a.md", "# A\n")]).await;
        let post = import(&scoped, project, "a.md").await.unwrap();
        scoped.commit().await.unwrap();

        let scoped = store.write(other.id).await.unwrap();
        let own = project_create(&scoped, named("Own")).await.unwrap().id;
        let through_own = BlogPostImport { source_id: Some(source), ..import_of(own, "a.md") };
        for refused in [
            BlogPosts::require(&scoped, post.id).await.map(drop),
            blog_post_create(&scoped, post_in(project)).await.map(drop),
            blog_post_update(&scoped, post.id, BlogPostChanges::default()).await.map(drop),
            blog_post_publish(&scoped, post.id).await.map(drop),
            blog_post_unpublish(&scoped, post.id).await.map(drop),
            blog_post_delete(&scoped, post.id).await,
            import(&scoped, project, "a.md").await.map(drop),
            blog_post_import(&scoped, through_own).await.map(drop),
        ] {
            assert_eq!(refused.unwrap_err().code(), "NOT_FOUND");
        }
        assert_eq!(ProjectBlogPosts.count(&scoped, project).await.unwrap(), 0);
        scoped.commit().await.unwrap();
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(BlogPosts::require(&scoped, post.id).await.unwrap(), post);
    }

    async fn posts_are_listed_newest_first_and_go_with_their_project(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let project = project_create(&scoped, named("Atlas")).await.unwrap().id;
        let mut made = Vec::new();
        for _ in 0..3 {
            made.push(blog_post_create(&scoped, post_in(project)).await.unwrap().id);
        }
        let page = ProjectBlogPosts.page(&scoped, project, &PageRequest::first(2)).await.unwrap();
        assert!(page.has_next);
        let ids: Vec<_> = page.into_items().into_iter().map(|post| post.id).collect();
        assert_eq!(ids, [made[2], made[1]]);
        project_delete(&scoped, project).await.unwrap();
        assert!(BlogPosts::get_many(&scoped, &made).await.unwrap().is_empty());
        assert!(Projects::get(&scoped, project).await.unwrap().is_none());
    }
}

fn post_in(project_id: ProjectId) -> NewBlogPost {
    NewBlogPost {
        project_id,
        title: "Leases".into(),
        body: "They run out.".into(),
        created_by: None,
    }
}

fn import_of(project_id: ProjectId, path: &str) -> BlogPostImport {
    BlogPostImport {
        project_id,
        source_id: None,
        path: path.into(),
        created_by: None,
    }
}

async fn import(scoped: &Scoped<ReadWrite>, project: ProjectId, path: &str) -> Result<BlogPost> {
    blog_post_import(scoped, import_of(project, path)).await
}

/// A project with a source that has those files.
async fn synced(scoped: &Scoped<ReadWrite>, texts: &[(&str, &str)]) -> (ProjectId, SourceId) {
    let project = project_create(scoped, named("Atlas")).await.unwrap().id;
    let source = source_add(scoped, source_in(project)).await.unwrap().id;
    files(scoped, source, texts).await;
    (project, source)
}

/// Gives a source files of these texts, as a sync does.
async fn files(scoped: &Scoped<ReadWrite>, source: SourceId, texts: &[(&str, &str)]) {
    let mut added = Vec::new();
    for (path, text) in texts {
        // An id that depends on the text, as in Git.
        let oid = format!(
            "{:x}-{}",
            text.len(),
            text.chars().take(20).collect::<String>()
        );
        let oid = oid.replace('\0', "0");
        let size = i64::try_from(text.len()).unwrap();
        let blob = NewBlob {
            oid: oid.clone(),
            size,
            content: Some((*text).to_owned()),
        };
        blobs_insert(scoped, vec![blob]).await.unwrap();
        added.push(NewFile {
            path: (*path).to_owned(),
            blob: oid,
            language: None,
            size,
        });
    }
    let changes = FileChanges {
        added,
        ..FileChanges::default()
    };
    files_apply(scoped, source, changes).await.unwrap();
}
