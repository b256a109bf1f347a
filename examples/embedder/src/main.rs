//! Creates a tenant with two terms, reviews them by a run, and prints the events. It uses in-memory SQLite, or the
//! PostgreSQL database of `GLOSSARY_OWNER_URL` (which owns the tables), `GLOSSARY_APP_URL` and `GLOSSARY_APP_ROLE`
//! (which serve).

use anyhow::Result;
use futures::TryStreamExt;
use glossary::review::{ReviewHandler, review_start};
use glossary::term::{term_create, term_list};
use glossary::{migrate, store_open};
use nyxcore_runs::{Runs, Workers, run_follow};
use nyxcore_tenancy::{PageRequest, Repository, directory};

/// One database in memory, which lives as long as somebody is connected.
const IN_MEMORY: &str = "sqlite:file:glossary?mode=memory&cache=shared";

#[tokio::main]
async fn main() -> Result<()> {
    let variable = |name| std::env::var(name).ok();
    let owner_url = variable("GLOSSARY_OWNER_URL").unwrap_or_else(|| IN_MEMORY.into());
    let app_url = variable("GLOSSARY_APP_URL").unwrap_or_else(|| IN_MEMORY.into());
    let owner = migrate(&owner_url, variable("GLOSSARY_APP_ROLE").as_deref()).await?;
    let store = store_open(&app_url).await?;

    let (tenant, _) = directory::tenant_create(&store, "acme", "Acme", "ada@example.org").await?;
    let scoped = store.write(tenant.id).await?;
    term_create(&scoped, "churn", "Lines that changed within a month").await?;
    term_create(&scoped, "hotspot", "Hotspot").await?;
    let run = review_start(&scoped).await?.run().id;
    scoped.commit().await?;
    println!(
        "{} has a glossary of 2 terms; {run} reviews it",
        tenant.name
    );

    let workers = Workers::builder(&store).handler(ReviewHandler).start()?;
    let mut events = Box::pin(run_follow(&store, tenant.id, run, 0));
    while let Some(event) = events.try_next().await? {
        println!("{} {:?}", event.seq, event.body);
    }
    workers.shutdown().await;

    let scoped = store.read(tenant.id).await?;
    let run = Runs::require(&scoped, run).await?;
    println!("{} ended as {:?}", run.kind, run.status);
    for term in term_list(&scoped, &PageRequest::first(10))
        .await?
        .into_items()
    {
        println!(
            "{} {}: {} (reviewed: {})",
            term.id, term.word, term.meaning, term.is_reviewed
        );
    }
    drop(scoped);
    owner.close().await?;
    Ok(())
}
