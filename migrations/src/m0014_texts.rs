//! Converts texts and times that were stored before limits existed to the form that queries use now.
//!
//! - An API token that expires after the year 9999 could not be read back from PostgreSQL. It expires with that year.
//! - An e-mail address with an internationalised domain is known by the domain's ASCII form. Where an account has that
//!   form already, the address is left as it is.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, DbErr, Statement, Value};
use url::Host;

use crate::ddl::Ddl;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            // Row-level security applies to the owner too.
            ddl.run("SET LOCAL nyxcore.scope = 'system'").await?;
            ddl.run(
                "UPDATE api_tokens SET expires_at = '9999-12-31T23:59:59Z' WHERE expires_at >= '10000-01-01T00:00:00Z'",
            )
            .await?;
        } else {
            // The driver writes a year above 9999 with a sign before it.
            ddl.run(
                "UPDATE api_tokens SET expires_at = '9999-12-31 23:59:59+00:00' WHERE expires_at LIKE '+%'",
            )
            .await?;
        }
        let select = Statement::from_string(db.get_database_backend(), "SELECT email FROM users");
        for row in db.query_all_raw(select).await? {
            let email: String = row.try_get("", "email")?;
            let Some(ascii) = ascii_form(&email).filter(|ascii| *ascii != email) else {
                continue;
            };
            let values: [Value; 2] = [ascii.into(), email.into()];
            let update = Statement::from_sql_and_values(
                db.get_database_backend(),
                "UPDATE users SET email = $1 WHERE email = $2 AND NOT EXISTS (SELECT 1 FROM users WHERE email = $1)",
                values,
            );
            db.execute_raw(update).await?;
        }
        if db.get_database_backend() == DbBackend::Postgres {
            ddl.run("SET LOCAL nyxcore.scope = ''").await?;
        }
        Ok(())
    }
}

/// The address with its domain in ASCII; `None` if the domain is invalid.
fn ascii_form(email: &str) -> Option<String> {
    let (local, domain) = email.rsplit_once('@')?;
    match Host::parse(domain).ok()? {
        Host::Domain(domain) => Some(format!("{local}@{domain}")),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}
