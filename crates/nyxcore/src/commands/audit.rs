//! `audit export`: prints the audit log as JSON lines.

use chrono::{DateTime, Utc};
use nyxcore_tenancy::PageRequest;
use nyxcore_tenancy::audit::{AuditFilter, audit_list, system_entry_list};

use super::tenant::tenant_require;
use crate::cli::AuditCommand;
use crate::error::Result;
use crate::output;
use crate::settings::Settings;
use crate::wiring::App;

/// The number of entries read at once.
const PAGE: u64 = 200;

/// Carries out a command on the audit log.
///
/// # Errors
/// `NOT_FOUND` for the tenant; the database cannot be used.
pub async fn run(settings: Settings, command: AuditCommand) -> Result<()> {
    let AuditCommand::Export { tenant, since } = command;
    let from = since.unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
    App::look(settings, async |app| {
        if let Some(slug) = tenant {
            return tenant_export(app, &slug, from).await;
        }
        for entry in system_entry_list(&app.store, from).await? {
            output::write(&(entry.json_line() + "\n"))?;
        }
        Ok(())
    })
    .await
}

async fn tenant_export(app: &App, slug: &str, from: DateTime<Utc>) -> Result<()> {
    let tenant = tenant_require(&app.store, slug).await?;
    let filter = AuditFilter {
        from: Some(from),
        ..AuditFilter::default()
    };
    let mut request = PageRequest::first(PAGE);
    loop {
        let scoped = app.store.read(tenant.id).await?;
        let page = audit_list(&scoped, &filter, &request).await?;
        drop(scoped);
        for (_, entry) in &page.items {
            output::write(&(entry.json_line() + "\n"))?;
        }
        if !page.has_next {
            return Ok(());
        }
        request.after = page.items.last().map(|(cursor, _)| cursor.clone());
    }
}
