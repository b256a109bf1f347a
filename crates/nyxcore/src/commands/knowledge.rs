//! `knowledge`: audits what a team has learned, imports memory entries from files, and finds what projects share.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use nyxcore_consolidation::{
    ConsolidationReport, ConsolidationRequest, Consolidations, consolidation_start_for,
};
use nyxcore_knowledge::{
    AuditFinding, ImportedMemoryEntry, KnowledgeAudit, import_parse, knowledge_audit,
    memory_entries_import_bulk,
};
use nyxcore_projects::{Project, project_by_slug};
use nyxcore_tenancy::{Error as StoreError, Repository, TenantId};

use super::tenant::tenant_require;
use crate::cli::{AuditFormat, KnowledgeCommand};
use crate::error::{Error, Result};
use crate::output;
use crate::progress::Screen;
use crate::settings::Settings;
use crate::wiring::{App, end_signal};

/// How long writing the ledger may take at the end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// Carries out a command on knowledge.
///
/// # Errors
/// `NOT_FOUND` for the tenant or the project; `INVALID_INPUT` for a file that has no entries; the database cannot be
/// used.
pub async fn run(settings: Settings, command: KnowledgeCommand, screen: &Screen) -> Result<()> {
    match command {
        KnowledgeCommand::Audit {
            tenant,
            project,
            format,
        } => {
            App::look(settings, async |app| {
                let tenant = tenant_require(&app.store, &tenant).await?.id;
                let project = match project {
                    Some(slug) => Some(project_require(app, tenant, &slug).await?.id),
                    None => None,
                };
                let scoped = app.store.read(tenant).await?;
                let audit = knowledge_audit(&scoped, project).await?;
                match format {
                    AuditFormat::Text => output::write(&text(&audit)),
                    AuditFormat::Json => output::write(&lines(&audit)),
                }
            })
            .await
        }
        KnowledgeCommand::Import {
            tenant,
            project,
            files,
        } => {
            let mut entries: Vec<ImportedMemoryEntry> = Vec::new();
            for file in &files {
                entries.extend(file_read(file)?);
            }
            App::once(settings, async |app| {
                let tenant = tenant_require(&app.store, &tenant).await?.id;
                let project = project_require(app, tenant, &project).await?;
                let scoped = app.store.write(tenant).await?;
                let import = memory_entries_import_bulk(&scoped, project.id, entries).await?;
                scoped.commit().await?;
                for refused in &import.refused {
                    anstream::eprintln!("refused {}: {}", refused.source_ref, refused.reason);
                }
                let told = format!(
                    "{} added, {} updated, {} unchanged, {} refused\n",
                    import.added,
                    import.updated,
                    import.unchanged,
                    import.refused.len()
                );
                output::write(&told)
            })
            .await
        }
        KnowledgeCommand::Consolidate {
            tenant,
            model,
            with_model,
            projects,
        } => {
            App::look(settings, async |app| {
                let tenant = tenant_require(&app.store, &tenant).await?.id;
                let mut request = ConsolidationRequest {
                    model,
                    with_model,
                    ..ConsolidationRequest::default()
                };
                for slug in &projects {
                    let project = project_require(app, tenant, slug).await?;
                    request.project_ids.push(project.id);
                }
                let report = consolidate(app, tenant, &request, screen).await?;
                let told = format!(
                    "{} patterns: {} created, {} updated, {} unchanged, {} archived\n",
                    report.patterns.len(),
                    report.created,
                    report.updated,
                    report.unchanged,
                    report.archived
                );
                output::write(&told)
            })
            .await
        }
    }
}

/// Starts a consolidation and follows it to its end, with workers of this process beside those of a server.
async fn consolidate(
    app: &App,
    tenant: TenantId,
    request: &ConsolidationRequest,
    screen: &Screen,
) -> Result<ConsolidationReport> {
    let ended = end_signal()?;
    let models = app.models_start()?;
    let scoped = app.store.write(tenant).await?;
    let catalog = models.catalog(&scoped).await?;
    let (start, _) = consolidation_start_for(&scoped, &catalog, request).await?;
    scoped.commit().await?;
    let id = start.run().id;
    let workers = app.workers_start(&models, app.settings.quiet_period())?;
    let step = screen.step("Sharing");
    let outcome = tokio::select! {
        outcome = step.run_watch(&app.store, tenant, id) => outcome.map(drop),
        () = ended => Err(Error::Interrupted.into()),
    };
    workers.shutdown().await;
    models.drain(DRAIN_PATIENCE).await;
    match outcome {
        Ok(()) => {
            step.done("what the projects share is kept");
        }
        Err(error) => {
            step.failed();
            return Err(error);
        }
    }
    let scoped = app.store.read(tenant).await?;
    let consolidation = Consolidations::require(&scoped, id).await?;
    Ok(consolidation.report.unwrap_or_default())
}

async fn project_require(app: &App, tenant: TenantId, slug: &str) -> Result<Project> {
    let scoped = app.store.read(tenant).await?;
    let project = project_by_slug(&scoped, slug).await?;
    Ok(project.ok_or(StoreError::NotFound("project"))?)
}

/// Reads the entries of a file. They are named after the file without its folders, so that the same file elsewhere
/// updates the same entries.
fn file_read(path: &Path) -> Result<Vec<ImportedMemoryEntry>> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(import_parse(&name, &text)?)
}

fn text(audit: &KnowledgeAudit) -> String {
    let mut text = String::new();
    for finding in &audit.findings {
        text.push_str(&format!("{}: {}\n", finding.kind.as_str(), finding.reason));
        for subject in &finding.subjects {
            text.push_str(&format!("    {}  {}\n", subject.id, subject.title));
        }
    }
    let found = audit.findings.len() + audit.omitted;
    text.push_str(&format!("{found} findings in {} entries\n", audit.checked));
    if audit.omitted > 0 {
        text.push_str(&format!("{} of them are not shown\n", audit.omitted));
    }
    text
}

/// Formats the findings, one a line.
fn lines(audit: &KnowledgeAudit) -> String {
    let line = |finding: &AuditFinding| {
        let subjects = finding.subjects.iter().map(|subject| {
            serde_json::json!({"kind": subject.kind, "id": subject.id, "title": subject.title})
        });
        let subjects: Vec<serde_json::Value> = subjects.collect();
        let line = serde_json::json!({
            "kind": finding.kind.as_str(), "reason": finding.reason, "subjects": subjects
        });
        format!("{line}\n")
    };
    audit.findings.iter().map(line).collect()
}
