//! Models: the tenants' own models, the health of providers, budgets, and the ledger of calls.
//!
//! Amounts are whole nano-dollars (10^-9 US dollars). A token of the cheapest models costs 5 to 20 of them, a fraction
//! of a micro-dollar. 64 bits hold nine thousand million dollars.

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
        catalog(&ddl).await?;
        budgets(&ddl).await?;
        ledger(&ddl).await
    }
}

async fn catalog(ddl: &Ddl<'_>) -> Result<(), DbErr> {
    // Incremented with every change of the tenant's data that the service caches.
    ddl.tenant_table(
        "model_settings",
        "area $text NOT NULL,
         version $int NOT NULL,
         PRIMARY KEY (tenant_id, area)",
    )
    .await?;
    // The values of the headers are sealed secrets, bound to the endpoint's name.
    ddl.tenant_table(
        "model_endpoints",
        "name $text NOT NULL,
         base_url $text NOT NULL,
         protocol $text NOT NULL CHECK (protocol IN ('OPENAI_CHAT', 'OPENAI_RESPONSES', 'ANTHROPIC_MESSAGES', 'GOOGLE_GENERATE_CONTENT')),
         header_names $json NOT NULL,
         created_at $time NOT NULL,
         updated_at $time NOT NULL,
         PRIMARY KEY (tenant_id, name)",
    )
    .await?;
    // `provider` is a vendor's id or the name of an endpoint, which share one namespace.
    ddl.tenant_table(
        "tenant_models",
        "model_id $text NOT NULL,
         provider $text NOT NULL,
         wire_id $text NOT NULL,
         name $text NOT NULL,
         mode $text NOT NULL CHECK (mode IN ('CHAT', 'EMBEDDING')),
         context_window $int,
         max_output_tokens $int,
         input_nanousd_per_mtok $int NOT NULL,
         output_nanousd_per_mtok $int NOT NULL,
         cache_read_nanousd_per_mtok $int,
         cache_write_nanousd_per_mtok $int,
         dimensions $int,
         capabilities $json NOT NULL,
         created_at $time NOT NULL,
         updated_at $time NOT NULL,
         PRIMARY KEY (tenant_id, model_id)",
    )
    .await?;
    ddl.run("CREATE INDEX tenant_models_provider ON tenant_models (tenant_id, provider)")
        .await?;
    ddl.tenant_table(
        "hidden_models",
        "model_id $text NOT NULL,
         PRIMARY KEY (tenant_id, model_id)",
    )
    .await?;
    ddl.tenant_table(
        "model_defaults",
        "purpose $text NOT NULL,
         model_id $text NOT NULL,
         PRIMARY KEY (tenant_id, purpose)",
    )
    .await?;
    ddl.tenant_table(
        "member_model_defaults",
        "user_id $uuid NOT NULL,
         purpose $text NOT NULL,
         model_id $text NOT NULL,
         PRIMARY KEY (tenant_id, user_id, purpose),
         FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE",
    )
    .await?;
    ddl.tenant_table(
        "provider_states",
        "provider $text NOT NULL,
         state $text NOT NULL CHECK (state IN ('UNVERIFIED', 'OK', 'INVALID_KEY', 'QUOTA_EXCEEDED', 'RATE_LIMITED', 'UNREACHABLE')),
         message $text,
         checked_at $time NOT NULL,
         PRIMARY KEY (tenant_id, provider)",
    )
    .await?;
    // Secrets of the operator for all tenants, sealed as the tenants' are.
    ddl.system_table(
        "operator_secrets",
        "kind $text NOT NULL,
         name $text NOT NULL,
         key_id $text NOT NULL,
         sealed $bytes NOT NULL,
         updated_at $time NOT NULL,
         PRIMARY KEY (kind, name)",
    )
    .await
}

async fn budgets(ddl: &Ddl<'_>) -> Result<(), DbErr> {
    ddl.tenant_table(
        "budgets",
        "id $uuid NOT NULL,
         scope $text NOT NULL CHECK (scope IN ('TENANT', 'PROJECT', 'MEMBER', 'PURPOSE')),
         project_id $uuid,
         user_id $uuid,
         purpose $text,
         period $text NOT NULL CHECK (period IN ('DAY', 'MONTH')),
         enforcement $text NOT NULL CHECK (enforcement IN ('SOFT', 'HARD')),
         limit_nanousd $int NOT NULL,
         created_at $time NOT NULL,
         updated_at $time NOT NULL,
         PRIMARY KEY (tenant_id, id),
         FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE,
         FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE",
    )
    .await?;
    // `period` is the first day of the day or month, as YYYY-MM-DD.
    ddl.tenant_table(
        "budget_spend",
        "budget_id $uuid NOT NULL,
         period $text NOT NULL,
         reserved_nanousd $int NOT NULL,
         spent_nanousd $int NOT NULL,
         PRIMARY KEY (tenant_id, budget_id, period),
         FOREIGN KEY (tenant_id, budget_id) REFERENCES budgets (tenant_id, id) ON DELETE CASCADE",
    )
    .await?;
    ddl.tenant_table(
        "run_budgets",
        "run_id $uuid NOT NULL,
         limit_nanousd $int NOT NULL,
         reserved_nanousd $int NOT NULL,
         spent_nanousd $int NOT NULL,
         PRIMARY KEY (tenant_id, run_id),
         FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE",
    )
    .await
}

async fn ledger(ddl: &Ddl<'_>) -> Result<(), DbErr> {
    // A running call. `budgets` are the budgets and periods in which its cost is reserved.
    ddl.tenant_table(
        "model_reservations",
        "id $uuid NOT NULL,
         owner $uuid NOT NULL,
         started_at $time NOT NULL,
         deadline_at $time NOT NULL,
         user_id $uuid,
         project_id $uuid,
         purpose $text NOT NULL,
         run_id $uuid,
         step $text,
         provider $text NOT NULL,
         model_asked $text NOT NULL,
         model $text NOT NULL,
         key_source $text NOT NULL CHECK (key_source IN ('TENANT', 'OPERATOR', 'NONE')),
         amount_nanousd $int NOT NULL,
         budgets $json NOT NULL,
         PRIMARY KEY (tenant_id, id)",
    )
    .await?;
    ddl.run("CREATE INDEX model_reservations_deadline ON model_reservations (deadline_at)")
        .await?;
    ddl.run("CREATE INDEX model_reservations_owner ON model_reservations (owner)")
        .await?;
    // Workers extend the deadlines of their calls, and the sweeper finds the expired ones.
    ddl.system_access("model_reservations").await?;
    // The ledger outlives people, projects and runs: it refers to them without a key.
    ddl.tenant_table(
        "model_calls",
        "id $uuid NOT NULL,
         started_at $time NOT NULL,
         user_id $uuid,
         project_id $uuid,
         purpose $text NOT NULL,
         run_id $uuid,
         step $text,
         provider $text NOT NULL,
         model_asked $text NOT NULL,
         model $text NOT NULL,
         model_answered $text,
         key_source $text NOT NULL CHECK (key_source IN ('TENANT', 'OPERATOR', 'NONE')),
         outcome $text NOT NULL CHECK (outcome IN ('SUCCEEDED', 'FAILED', 'CANCELLED', 'REFUSED', 'LOST')),
         finish_reason $text,
         error_code $text,
         error_message $text,
         note $text,
         attempts $int NOT NULL,
         input_tokens $int NOT NULL,
         cache_read_tokens $int NOT NULL,
         cache_write_tokens $int NOT NULL,
         cache_write_long_tokens $int NOT NULL,
         output_tokens $int NOT NULL,
         reasoning_tokens $int NOT NULL,
         usage_source $text NOT NULL CHECK (usage_source IN ('REPORTED', 'ESTIMATED')),
         cost_nanousd $int NOT NULL,
         reserved_nanousd $int NOT NULL,
         first_token_ms $int,
         duration_ms $int NOT NULL,
         PRIMARY KEY (tenant_id, id)",
    )
    .await?;
    ddl.run(
        "CREATE INDEX model_calls_run ON model_calls (tenant_id, run_id) WHERE run_id IS NOT NULL",
    )
    .await?;
    // The source of reports: the daily sums of the ledger. The nil id stands for no user and no project.
    ddl.tenant_table(
        "model_usage_daily",
        "day $text NOT NULL,
         provider $text NOT NULL,
         model $text NOT NULL,
         purpose $text NOT NULL,
         project_id $uuid NOT NULL,
         user_id $uuid NOT NULL,
         calls $int NOT NULL,
         failed_calls $int NOT NULL,
         input_tokens $int NOT NULL,
         cache_read_tokens $int NOT NULL,
         output_tokens $int NOT NULL,
         reasoning_tokens $int NOT NULL,
         cost_nanousd $int NOT NULL,
         PRIMARY KEY (tenant_id, day, provider, model, purpose, project_id, user_id)",
    )
    .await?;
    ddl.run(
        "CREATE INDEX model_usage_daily_project ON model_usage_daily (tenant_id, project_id, day)",
    )
    .await
}
