//! Sign-in: passwords, external identities, sessions, and the counters of the rate limits.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbErr;

use crate::ddl::Ddl;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        // `address_proven`: the password was set by a user with a verified e-mail address, or by an operator.
        ddl.system_table(
            "passwords",
            "user_id $uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
             hash $text NOT NULL,
             address_proven $bool NOT NULL,
             changed_at $time NOT NULL",
        )
        .await?;
        ddl.system_table(
            "identities",
            "issuer $text NOT NULL,
             subject $text NOT NULL,
             user_id $uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
             created_at $time NOT NULL,
             PRIMARY KEY (issuer, subject)",
        )
        .await?;
        ddl.run("CREATE INDEX identities_user ON identities (user_id)")
            .await?;
        ddl.system_table(
            "sessions",
            "id $uuid PRIMARY KEY,
             user_id $uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
             secret_hash $bytes NOT NULL,
             created_at $time NOT NULL,
             last_seen_at $time NOT NULL,
             expires_at $time NOT NULL,
             revoked_at $time,
             address $text,
             user_agent $text",
        )
        .await?;
        ddl.run("CREATE INDEX sessions_user ON sessions (user_id)")
            .await?;
        // `key` is `account:<SHA-256 of the given address>` or `address:<network address>`.
        ddl.system_table(
            "sign_in_attempts",
            "key $text PRIMARY KEY,
             failures $int NOT NULL,
             began_at $time NOT NULL,
             last_at $time NOT NULL",
        )
        .await?;
        // One login flow through a provider. `state_hash` is the SHA-256 of the state that the browser brings back in
        // the URL, and `browser_hash` that of the secret in its cookie.
        ddl.system_table(
            "sign_in_flows",
            "state_hash $bytes PRIMARY KEY,
             provider $text NOT NULL,
             browser_hash $bytes NOT NULL,
             nonce $text NOT NULL,
             return_to $text NOT NULL,
             address $text,
             created_at $time NOT NULL,
             expires_at $time NOT NULL",
        )
        .await?;
        ddl.run("CREATE INDEX sign_in_flows_expiry ON sign_in_flows (expires_at)")
            .await
    }
}
