//! Loaders: the fields of a list request their rows one by one, and a loader reads them with one statement.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_graphql::async_trait::async_trait;
use async_graphql::dataloader::{DataLoader, Loader};
use futures::future::BoxFuture;
use nyxcore_code_analysis as analysis;
use nyxcore_consolidation as consolidation;
use nyxcore_knowledge as knowledge;
use nyxcore_model_catalog::{RunUsage, TenantCatalog, run_usage};
use nyxcore_note_enrichment as enrichment;
use nyxcore_personas as personas;
use nyxcore_projects as projects;
use nyxcore_runs as runs;
use nyxcore_sync as sync;
use nyxcore_tenancy::{
    ChildList, Error, Page, PageRequest, ReadOnly, Repository, Result, Scoped, User, UserId,
    directory,
};
use uuid::Uuid;

use crate::context::Snapshot;
use crate::loads::LoadQueue;

/// Loads rows of a repository by their ids.
pub(crate) struct ById<R>(Snapshot, PhantomData<fn() -> R>);

#[async_trait]
impl<R> Loader<R::Id> for ById<R>
where
    R: Repository<Record: Clone + Sync + 'static> + 'static,
{
    type Value = R::Record;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[R::Id]) -> Result<HashMap<R::Id, R::Record>, Self::Error> {
        let scoped = self.0.get().await?;
        Ok(R::get_many(&scoped, ids).await?)
    }
}

/// The type of a batch function.
type Fetch<K, V> =
    for<'a> fn(&'a Scoped<ReadOnly>, &'a [K]) -> BoxFuture<'a, Result<HashMap<K, V>>>;

/// Loads other values that a function fetches for many keys at once.
pub(crate) struct ByKey<K, V> {
    snapshot: Snapshot,
    fetch: Fetch<K, V>,
}

#[async_trait]
impl<K, V> Loader<K> for ByKey<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    type Value = V;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[K]) -> Result<HashMap<K, V>, Self::Error> {
        let scoped = self.snapshot.get().await?;
        Ok((self.fetch)(&scoped, keys).await?)
    }
}

/// The key of a page of a child list that one field requests.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PageKey<L: ChildList> {
    pub list: L,
    pub parent: L::Parent,
    pub request: PageRequest,
}

/// Loads pages of child lists. If several parents of a batch request the same page of a list, their pages take as many
/// statements as one page.
pub(crate) struct ChildPages(Snapshot);

#[async_trait]
impl<L: ChildList> Loader<PageKey<L>> for ChildPages {
    type Value = Page<L::Item>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[PageKey<L>],
    ) -> Result<HashMap<PageKey<L>, Self::Value>, Self::Error> {
        let scoped = self.0.get().await?;
        let mut parents: HashMap<(&L, &PageRequest), Vec<L::Parent>> = HashMap::new();
        for PageKey {
            list,
            parent,
            request,
        } in keys
        {
            parents.entry((list, request)).or_default().push(*parent);
        }
        let mut loaded = HashMap::new();
        for ((list, request), parents) in parents {
            let pages = list.pages(&scoped, &parents, request).await?;
            loaded.extend(pages.into_iter().map(|(parent, page)| {
                let (list, request) = (list.clone(), request.clone());
                let key = PageKey {
                    list,
                    parent,
                    request,
                };
                (key, page)
            }));
        }
        Ok(loaded)
    }
}

/// Loads the lengths of child lists. The parents of a batch share one statement.
pub(crate) struct ChildCounts(Snapshot);

#[async_trait]
impl<L: ChildList> Loader<(L, L::Parent)> for ChildCounts {
    type Value = u64;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[(L, L::Parent)],
    ) -> Result<HashMap<(L, L::Parent), u64>, Self::Error> {
        let scoped = self.0.get().await?;
        let mut parents: HashMap<&L, Vec<L::Parent>> = HashMap::new();
        for (list, parent) in keys {
            parents.entry(list).or_default().push(*parent);
        }
        let mut loaded = HashMap::new();
        for (list, parents) in parents {
            let counts = list.counts(&scoped, &parents).await?.into_iter();
            loaded.extend(counts.map(|(parent, count)| ((list.clone(), parent), count)));
        }
        Ok(loaded)
    }
}

macro_rules! loaders {
    ($($(#[$meta:meta])* $name:ident: $loader:ty = $make:expr;)+) => {
        /// The loaders of one operation. Most operations need few of them or none, so each is made when it is first
        /// asked for.
        pub(crate) struct Loaders {
            snapshot: Snapshot,
            loads: LoadQueue,
            /// Made with the first loader: an open subscription without one does not hold the memory.
            made: OnceLock<Box<MadeLoaders>>,
        }

        #[derive(Default)]
        struct MadeLoaders {
            $($name: OnceLock<Box<DataLoader<$loader>>>,)+
        }

        impl Loaders {
            pub(crate) fn new(snapshot: Snapshot, loads: LoadQueue) -> Self {
                Self {
                    snapshot,
                    loads,
                    made: OnceLock::new(),
                }
            }

            $(
                $(#[$meta])*
                pub(crate) fn $name(&self) -> &DataLoader<$loader> {
                    self.made.get_or_init(Box::default).$name.get_or_init(|| {
                        Box::new(loader(($make)(self.snapshot.clone()), self.loads.clone()))
                    })
                }
            )+
        }
    };
}

fn loader<T>(load: T, loads: LoadQueue) -> DataLoader<T> {
    DataLoader::new(load, move |load| loads.push(load))
        .delay(Duration::ZERO)
        // A load function itself splits its keys into as many statements as the databases need.
        .max_batch_size(usize::MAX)
}

fn by_id<R>(snapshot: Snapshot) -> ById<R> {
    ById(snapshot, PhantomData)
}

fn by_key<K, V>(fetch: Fetch<K, V>) -> impl Fn(Snapshot) -> ByKey<K, V> {
    move |snapshot| ByKey { snapshot, fetch }
}

loaders! {
    child_pages: ChildPages = ChildPages;
    child_counts: ChildCounts = ChildCounts;
    projects: ById<projects::Projects> = by_id;
    sources: ById<projects::Sources> = by_id;
    files: ById<projects::SourceFiles> = by_id;
    git_connections: ById<sync::connection::GitConnections> = by_id;
    notes: ById<projects::Notes> = by_id;
    note_versions: ById<projects::NoteVersions> = by_id;
    action_points: ById<projects::ActionPoints> = by_id;
    blog_posts: ById<projects::BlogPosts> = by_id;
    personas: ById<personas::Personas> = by_id;
    memory_entries: ById<knowledge::MemoryEntries> = by_id;
    insights: ById<knowledge::Insights> = by_id;
    consolidation_patterns: ById<knowledge::ConsolidationPatterns> = by_id;
    code_patterns: ById<analysis::CodePatterns> = by_id;
    runs: ById<runs::Runs> = by_id;
    run_attempts: ByKey<runs::RunId, Vec<runs::RunAttempt>> =
        by_key(|scoped, ids| Box::pin(runs::run_attempts(scoped, ids)));
    users: ByKey<UserId, User> = by_key(|scoped, ids| Box::pin(async move {
        let users = directory::users_by_id(scoped, ids).await?;
        Ok(users.into_iter().map(|user| (user.id, user)).collect())
    }));
    sources_of: ByKey<projects::ProjectId, Vec<projects::Source>> =
        by_key(|scoped, ids| Box::pin(projects::sources_of(scoped, ids)));
    action_points_of: ByKey<projects::NoteId, Vec<projects::ActionPoint>> =
        by_key(|scoped, ids| Box::pin(projects::action_points_of(scoped, ids)));
    action_points_of_enrichments: ByKey<Uuid, Vec<projects::ActionPoint>> =
        by_key(|scoped, ids| Box::pin(projects::action_points_of_enrichments(scoped, ids)));
    consolidation_projects: ByKey<knowledge::ConsolidationPatternId, Vec<projects::ProjectId>> =
        by_key(|scoped, ids| Box::pin(knowledge::consolidation_pattern_projects(scoped, ids)));
    blobs: ByKey<String, String> = by_key(|scoped, oids| Box::pin(projects::blob_contents(scoped, oids)));
    latest_syncs: ByKey<projects::ProjectId, sync::Sync> =
        by_key(|scoped, ids| Box::pin(sync::sync_latest_of_projects(scoped, ids)));
    latest_source_syncs: ByKey<projects::SourceId, sync::Sync> =
        by_key(|scoped, ids| Box::pin(sync::sync_latest_of_sources(scoped, ids)));
    sync_settings: ByKey<projects::SourceId, sync::SyncSettings> =
        by_key(|scoped, ids| Box::pin(sync::sync_settings_of(scoped, ids)));
    latest_analyses: ByKey<projects::ProjectId, analysis::CodeAnalysis> =
        by_key(|scoped, ids| Box::pin(analysis::analysis_latest_of(scoped, ids)));
    syncs: ByKey<runs::RunId, sync::SyncDetail> = by_key(|scoped, ids| Box::pin(sync::sync_details(scoped, ids)));
    analyses: ById<analysis::CodeAnalyses> = by_id;
    enrichments: ByKey<runs::RunId, enrichment::NoteEnrichment> =
        by_key(|scoped, ids| Box::pin(enrichment::enrichment_details(scoped, ids)));
    consolidations: ById<consolidation::Consolidations> = by_id;
    run_usage: ByKey<Uuid, RunUsage> = by_key(|scoped, ids| Box::pin(run_usage(scoped, ids)));
    summaries: ByKey<projects::ProjectId, analysis::ProjectSummary> =
        by_key(|scoped, ids| Box::pin(analysis::project_summaries_of(scoped, ids)));
    findings: ByKey<projects::ProjectId, analysis::ProjectFindings> =
        by_key(|scoped, ids| Box::pin(analysis::project_findings_of(scoped, ids)));
    /// A tenant has one catalog, so the key is empty. The catalog resolves model ids; it is loaded without the
    /// operator's keys.
    model_catalogs: ByKey<(), Arc<TenantCatalog>> = by_key(|scoped, _| Box::pin(async move {
        let catalog = TenantCatalog::load(scoped, HashSet::new()).await?;
        Ok(HashMap::from([((), Arc::new(catalog))]))
    }));
    pattern_changes_last: ByKey<analysis::CodePatternId, analysis::CodePatternChange> =
        by_key(|scoped, ids| Box::pin(analysis::pattern_changes_last(scoped, ids)));
}
