//! `eval`: measures search on the history of a repository.

use nyxcore_evaluation::{EvaluationReport, EvaluationRequest, Measure, evaluate};
use nyxcore_sync::git::repository_discover;
use nyxcore_tenancy::TenantId;
use nyxcore_tenancy::directory::{tenant_by_slug, tenant_create};
use tokio_util::sync::CancellationToken;

use crate::cli::{EvalArgs, EvalFormat};
use crate::error::{Error, Result};
use crate::local_model;
use crate::output::{self, Table};
use crate::progress::Screen;
use crate::settings::Settings;
use crate::wiring::App;

/// The tenant of a measurement. It holds only the repository's documents, and exists only during the measurement.
const SLUG: &str = "evaluation";

/// Measures, and prints the table, or the whole report as JSON. Without a database in the settings it uses one in a
/// temporary folder, so that nothing is left.
///
/// # Errors
/// `NOT_A_REPOSITORY`; git or the database fails; the history has no questions; the local model is not installed.
pub async fn run(mut settings: Settings, args: EvalArgs, screen: &Screen) -> Result<()> {
    let found = repository_discover(&args.path).await?;
    let found = found.ok_or_else(|| Error::NotARepository(args.path.clone()))?;
    let commit = found.head_commit;
    let commit = commit.ok_or_else(|| Error::NotARepository(args.path.clone()))?;
    // The model is in the configured data directory, which is replaced by an empty one below.
    let embedder = match args.local_embeddings {
        true => Some(local_model::embedder(&settings.data_dir)?),
        false => None,
    };
    let folder = tempfile::Builder::new().prefix("nyxcore-eval-").tempdir()?;
    settings.data_dir = folder.path().join("data");
    let request = EvaluationRequest {
        git_dir: found.git_dir,
        commit,
        questions: args.questions,
        embedder,
    };
    let step = screen.step("eval");
    step.phase("questions");
    let report = App::once(settings, async |app| {
        let tenant = tenant_open(app).await?;
        let told = |asked: usize, total: usize| {
            step.progress(asked as u64, Some(total as u64));
        };
        let cancel = CancellationToken::new();
        Ok(evaluate(&app.store, tenant, &request, &cancel, told).await?)
    })
    .await;
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            step.failed();
            return Err(error);
        }
    };
    step.done(&format!("{} questions", report.questions));
    match args.format {
        EvalFormat::Table => output::write(&table(&report)),
        EvalFormat::Json => output::write(&format!("{}\n", serde_json::to_string_pretty(&report)?)),
    }
}

async fn tenant_open(app: &App) -> Result<TenantId> {
    if let Some(tenant) = tenant_by_slug(&app.store, SLUG).await? {
        return Ok(tenant.id);
    }
    // This address receives no mail: the reserved name `localhost` is this machine.
    let owner = "evaluation@localhost";
    let (tenant, _) = tenant_create(&app.store, SLUG, "Evaluation", owner).await?;
    Ok(tenant.id)
}

fn table(report: &EvaluationReport) -> String {
    let mut table = Table::new(["", "ACC@1", "ACC@5", "ACC@10", "MRR", "NDCG@10"]);
    let mut row = |name: &str, measure: &Measure| {
        let share = |value: f64| format!("{value:.3}");
        table.row([
            name.to_owned(),
            share(measure.acc_1),
            share(measure.acc_5),
            share(measure.acc_10),
            share(measure.mrr),
            share(measure.ndcg_10),
        ]);
    };
    row("search", &report.search);
    if let Some(measure) = &report.search_with_vectors {
        row("search with vectors", measure);
    }
    row("plain BM25", &report.baseline);
    format!(
        "{}\n{} questions over {} files; a search takes {:.0} ms at the median\n",
        table.text().trim_end(),
        report.questions,
        report.files,
        report.search_ms
    )
}
