//! The summary of a quickstart: the project, its conventions, and the enriched note.

use std::fmt::Write as _;
use std::time::Duration;

use nyxcore_code_analysis::{CodePattern, ProjectHotspots, ProjectPatterns, project_summary};
use nyxcore_code_engine::analysis::ProjectAnalysis;
use nyxcore_code_engine::patterns::Pattern;
use nyxcore_code_engine::project::HOTSPOT_CAP;
use nyxcore_code_engine::render::project_table;
use nyxcore_note_enrichment::NoteEnrichment;
use nyxcore_projects::{Note, Project, ProjectId, Source};
use nyxcore_tenancy::{Access, ChildList, PAGE_MAX, PageRequest, Result, Scoped};
use owo_colors::{OwoColorize, Style};

use crate::progress::seconds;
use crate::terminal_text::markdown_render;

/// The maximum width: longer lines are tiring to read.
const WIDEST: usize = 100;
/// The length of a short commit id, as git shows it.
const COMMIT_SHOWN: usize = 10;

/// The content of a summary.
pub struct Summary {
    /// The project.
    pub project: Project,
    /// The source, at the analysed commit.
    pub source: Source,
    /// The branch, where it is known.
    pub branch: Option<String>,
    /// The result of the analysis; `None` where there is none yet.
    pub analysis: Option<ProjectAnalysis>,
    /// The note.
    pub note: Note,
    /// The enrichment of the note.
    pub enrichment: NoteEnrichment,
    /// The steps, each with its duration; `None` where an earlier result was reused.
    pub steps: Vec<(&'static str, Option<Duration>)>,
}

impl Summary {
    /// The summary in lines of at most `width` columns.
    pub fn render(&self, width: usize, colour: bool) -> String {
        let width = width.clamp(40, WIDEST);
        let paint = |text: &str, style: Style| {
            if colour {
                text.style(style).to_string()
            } else {
                text.to_owned()
            }
        };
        let (strong, heading) = (Style::new().bold(), Style::new().bold().cyan());
        let faint = Style::new().dimmed();
        let rule = paint(&"─".repeat(width), faint);
        let name = self.project.name.replace(char::is_control, "?");
        let mut text = format!("\n{}", paint(&name, strong));
        let at = self.place();
        if !at.is_empty() {
            let _infallible = write!(text, "  {}", paint(&at, faint));
        }
        let _infallible = write!(text, "\n{rule}\n");
        match &self.analysis {
            Some(analysis) => {
                text.push_str(&project_table(analysis, width, colour));
                text.push('\n');
            }
            None => text.push_str("No code was found to analyse.\n\n"),
        }
        let _infallible = writeln!(
            text,
            "{} {}",
            paint("Note", heading),
            paint(&self.note.title.replace(char::is_control, "?"), strong)
        );
        let markdown = self.enrichment.markdown.as_deref().unwrap_or_default();
        text.push_str(&markdown_render(markdown, width, 2, colour));
        let _infallible = write!(text, "\n{rule}\n{}\n", paint(&self.took(), faint));
        text
    }

    fn place(&self) -> String {
        let commit = self.source.head_commit.as_deref().unwrap_or_default();
        let commit: String = commit.chars().take(COMMIT_SHOWN).collect();
        match &self.branch {
            Some(branch) => format!("{branch} @ {commit}"),
            None => commit,
        }
    }

    fn took(&self) -> String {
        let all: Duration = self.steps.iter().filter_map(|(_, took)| *took).sum();
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|(name, took)| match took {
                Some(took) => format!("{name} {}", seconds(*took)),
                None => format!("{name} unchanged"),
            })
            .collect();
        format!("Took {}: {}", seconds(all), steps.join(" · "))
    }
}

/// Loads the stored analysis of a project as the engine's type. `None` where the project was never analysed.
///
/// # Errors
/// The database fails.
pub async fn analysis_load<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
) -> Result<Option<ProjectAnalysis>> {
    let Some(summary) = project_summary(scoped, project).await? else {
        return Ok(None);
    };
    let mut patterns: Vec<Pattern> = Vec::new();
    let mut page = PageRequest::first(PAGE_MAX);
    loop {
        let found = ProjectPatterns::default()
            .page(scoped, project, &page)
            .await?;
        page.after = found.items.last().map(|(cursor, _)| cursor.clone());
        let has_next = found.has_next;
        patterns.extend(found.into_items().into_iter().map(pattern));
        if !has_next {
            break;
        }
    }
    Ok(Some(ProjectAnalysis {
        stack: summary.technologies,
        metrics: summary.metrics,
        patterns,
        hotspots: ProjectHotspots
            .page(scoped, project, &PageRequest::first(HOTSPOT_CAP as u64))
            .await?
            .into_items(),
        ..ProjectAnalysis::default()
    }))
}

fn pattern(kept: CodePattern) -> Pattern {
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Pattern {
        key: kept.key,
        kind: kept.kind,
        title: kept.title,
        statement: kept.statement,
        stack: kept.stack,
        scope: kept.scope,
        support: count(kept.support),
        cases: count(kept.cases),
        confidence: kept.confidence,
        exemplars: kept.exemplars,
        counter_examples: kept.counter_examples,
        deviations: Vec::new(),
    }
}
