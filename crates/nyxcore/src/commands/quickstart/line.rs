//! The steps of a quickstart: sync, analysis, note, enrichment. Each is an ordinary run, and existing results are
//! reused.

use std::time::Duration;

use chrono::TimeDelta;
use nyxcore_code_analysis::{
    AnalysisTrigger, ProjectHotspots, analysis_latest, analysis_start, project_summary,
};
use nyxcore_code_engine::facts::ENGINE_VERSION;
use nyxcore_code_engine::project::Hotspot;
use nyxcore_note_enrichment::{
    NewEnrichment, NoteEnrichment, NoteEnrichmentList, enrichment_get, enrichment_start,
};
use nyxcore_projects::{NewNote, Note, Project, ProjectNotes, Source, Sources, note_create};
use nyxcore_runs::{Run, RunId, RunStatus, Runs};
use nyxcore_sync::{SyncDetail, SyncTrigger, sync_get, sync_start};
use nyxcore_tenancy::{ChildList, PAGE_MAX, PageRequest, Repository};

use super::home::{CreatedProject, Home, home_open, project_open};
use super::target::Target;
use crate::error::Result;
use crate::progress::{Screen, Step};
use crate::summary::{Summary, analysis_load};
use crate::wiring::App;

/// The default question: what a newcomer wants to know of any repository, in the words that describe patterns of code.
/// It is followed by a short list of the files that change often and are complex. It is short because every word of a
/// note is searched for.
const NOTE_TITLE: &str = "Where should a newcomer start?";
const NOTE_BODY: &str = "How is code written here: names of functions and types, handling of errors, tests, doc comments, imports?";
/// The number of files that the note names.
const FILES_NAMED: u64 = 3;

/// The request of a quickstart.
pub struct Request<'a> {
    /// The repository.
    pub target: &'a Target,
    /// The branch, where it is not the one that is checked out.
    pub branch: Option<&'a str>,
    /// The folder in it.
    pub scan_path: &'a str,
    /// The question of the note, if the user asks one.
    pub note: Option<&'a str>,
}

/// How long a step took; `None` where an earlier result was reused.
type StepDuration = Option<Duration>;

/// Runs the steps.
///
/// # Errors
/// A run fails, or the database does.
pub async fn walk(
    app: &App,
    asked: &Request<'_>,
    made: &mut CreatedProject,
    screen: &Screen,
) -> Result<(Home, Summary)> {
    let home = home_open(&app.store).await?;
    let wanted = (asked.target.url()?, asked.branch, asked.scan_path);
    let (project, source) = project_open(app, home, asked.target.name(), wanted, made).await?;
    let walk = Quickstart {
        app,
        home,
        screen,
        project,
    };
    let (source, sync_took) = walk.sync(source).await?;
    let analysis_took = walk.analysis(&source).await?;
    let note = walk.note(asked.note).await?;
    let (enrichment, note_took) = walk.enrichment(&note).await?;
    let scoped = app.store.read(home.tenant).await?;
    let analysis = analysis_load(&scoped, walk.project.id).await?;
    drop(scoped);
    let branch = asked.branch.or(asked.target.branch()).map(str::to_owned);
    let summary = Summary {
        project: walk.project,
        source,
        branch,
        analysis,
        note,
        enrichment,
        steps: vec![
            ("sync", sync_took),
            ("analysis", analysis_took),
            ("note", note_took),
        ],
    };
    Ok((home, summary))
}

struct Quickstart<'a> {
    app: &'a App,
    home: Home,
    screen: &'a Screen,
    project: Project,
}

impl Quickstart<'_> {
    /// Shows a run's progress on the screen until its end.
    async fn follow(&self, step: Step, run: RunId) -> Result<(Run, Step)> {
        match step.run_watch(&self.app.store, self.home.tenant, run).await {
            Ok(run) => Ok((run, step)),
            Err(error) => {
                step.failed();
                Err(error)
            }
        }
    }

    async fn sync(&self, source: Source) -> Result<(Source, StepDuration)> {
        let step = self.screen.step("sync");
        let scoped = self.app.store.write(self.home.tenant).await?;
        let (start, _sync) = sync_start(
            &scoped,
            source.id,
            SyncTrigger::Manual,
            Some(self.home.owner),
        )
        .await?;
        scoped.commit().await?;
        let id = start.run().id;
        let (_run, step) = self.follow(step, id).await?;
        let scoped = self.app.store.read(self.home.tenant).await?;
        let source = Sources::require(&scoped, source.id).await?;
        let sync = sync_get(&scoped, id).await?;
        let told = sync.map_or_else(String::new, |sync| news(&sync.detail));
        Ok((source, Some(step.done(&told))))
    }

    /// Ensures an analysis of the source's current state. The sync may have started it. It is started here if there is
    /// none, if the last one is of another commit or failed, or if an older engine made it.
    async fn analysis(&self, source: &Source) -> Result<StepDuration> {
        let step = self.screen.step("analysis");
        if let Some(files) = self.analysis_is_current(source).await? {
            step.done(&format!("{files}, as analysed before"));
            return Ok(None);
        }
        let scoped = self.app.store.write(self.home.tenant).await?;
        let (start, _analysis) = analysis_start(
            &scoped,
            self.project.id,
            AnalysisTrigger::Manual,
            Some(self.home.owner),
            TimeDelta::zero(),
        )
        .await?;
        scoped.commit().await?;
        let (run, step) = self.follow(step, start.run().id).await?;
        let scoped = self.app.store.read(self.home.tenant).await?;
        let found = analysis_latest(&scoped, self.project.id).await?;
        let told = found
            .filter(|analysis| analysis.run_id == run.id)
            .map(|analysis| {
                let mut told = format!(
                    "{} of code, {}",
                    counted(analysis.lines_of_code, "line"),
                    counted(analysis.patterns_found, "pattern")
                );
                // Files with the same content are reused even in the first analysis. That is not worth a message.
                if analysis.files_reused > analysis.files_analyzed {
                    told.push_str(&format!(
                        "; {} parsed, {} known already",
                        counted(analysis.files_analyzed, "file"),
                        thousands(analysis.files_reused)
                    ));
                }
                told
            });
        Ok(Some(step.done(&told.unwrap_or_default())))
    }

    /// The size of the analysed code, if the last analysis is of the source's current state.
    async fn analysis_is_current(&self, source: &Source) -> Result<Option<String>> {
        let scoped = self.app.store.read(self.home.tenant).await?;
        let Some(latest) = analysis_latest(&scoped, self.project.id).await? else {
            return Ok(None);
        };
        let run = Runs::require(&scoped, latest.run_id).await?;
        let summary = project_summary(&scoped, self.project.id).await?;
        let is_of_this_engine = summary.as_ref().is_some_and(|summary| {
            summary.analysis_id == latest.run_id
                && summary.engine_version == i64::from(ENGINE_VERSION)
        });
        let is_current = run.status == RunStatus::Succeeded
            && latest.commit_id == source.head_commit
            && is_of_this_engine;
        Ok(is_current.then(|| format!("{} of code", counted(latest.lines_of_code, "line"))))
    }

    /// Returns the note with this question, and creates it if it does not exist.
    async fn note(&self, asked: Option<&str>) -> Result<Note> {
        let scoped = self.app.store.write(self.home.tenant).await?;
        let hotspots = ProjectHotspots
            .page(&scoped, self.project.id, &PageRequest::first(FILES_NAMED))
            .await?
            .into_items();
        let (title, body) = note_of(asked, &hotspots);
        let notes = ProjectNotes
            .page(&scoped, self.project.id, &PageRequest::first(PAGE_MAX))
            .await?;
        // Enriching and applying change a note's body, but not its title.
        let known = notes
            .into_items()
            .into_iter()
            .find(|note| note.title == title);
        if let Some(note) = known {
            return Ok(note);
        }
        let new = NewNote {
            project_id: self.project.id,
            title,
            body,
            created_by: Some(self.home.owner),
        };
        let note = note_create(&scoped, new).await?;
        scoped.commit().await?;
        Ok(note)
    }

    /// Returns the current enrichment of the note. Enriches it again if the analysis or the note is newer than the last
    /// enrichment.
    async fn enrichment(&self, note: &Note) -> Result<(NoteEnrichment, StepDuration)> {
        let step = self.screen.step("note");
        if let Some(enrichment) = self.enrichment_current(note).await? {
            step.done("enriched before");
            return Ok((enrichment, None));
        }
        let scoped = self.app.store.write(self.home.tenant).await?;
        let new = NewEnrichment {
            started_by: Some(self.home.owner),
            ..NewEnrichment::extractive(note.id)
        };
        let (start, _enrichment) = enrichment_start(&scoped, new).await?;
        scoped.commit().await?;
        let id = start.run().id;
        let (_run, step) = self.follow(step, id).await?;
        let scoped = self.app.store.read(self.home.tenant).await?;
        let enrichment = enrichment_get(&scoped, id).await?;
        let enrichment = enrichment.ok_or(nyxcore_tenancy::Error::NotFound("enrichment"))?;
        let citations = i64::try_from(enrichment.citations.len()).unwrap_or(i64::MAX);
        let took = step.done(&format!("enriched, {}", counted(citations, "citation")));
        Ok((enrichment, Some(took)))
    }

    async fn enrichment_current(&self, note: &Note) -> Result<Option<NoteEnrichment>> {
        let scoped = self.app.store.read(self.home.tenant).await?;
        let latest = NoteEnrichmentList
            .page(&scoped, note.id, &PageRequest::first(1))
            .await?;
        let Some(latest) = latest.into_items().into_iter().next() else {
            return Ok(None);
        };
        let run = Runs::require(&scoped, latest.run_id).await?;
        let analysed_at = match analysis_latest(&scoped, self.project.id).await? {
            Some(analysis) => Runs::require(&scoped, analysis.run_id).await?.finished_at,
            None => None,
        };
        let is_current = run.status == RunStatus::Succeeded
            && latest.markdown.is_some()
            && analysed_at.is_none_or(|at| at <= run.created_at)
            && note.updated_at <= run.created_at;
        Ok(is_current.then_some(latest))
    }
}

/// The title and the body of the note. For a given text, the title is its first line and the body is all of it.
fn note_of(asked: Option<&str>, hotspots: &[Hotspot]) -> (String, String) {
    let asked = asked.map(str::trim).filter(|text| !text.is_empty());
    let Some(asked) = asked else {
        let mut body = format!("{NOTE_BODY}\n");
        if !hotspots.is_empty() {
            let paths: Vec<String> = hotspots
                .iter()
                .map(|one| format!("`{}`", one.path))
                .collect();
            body.push_str(&format!("\nTo read first: {}.\n", paths.join(", ")));
        }
        return (NOTE_TITLE.to_owned(), body);
    };
    let first = asked.lines().next().unwrap_or_default().trim();
    let title: String = first.chars().take(200).collect();
    (title, asked.to_owned())
}

/// A short summary of a sync's changes.
fn news(detail: &SyncDetail) -> String {
    let parts: Vec<String> = [
        (detail.files_added, "new"),
        (detail.files_updated, "changed"),
        (detail.files_renamed, "moved"),
        (detail.files_deleted, "gone"),
        (detail.files_unchanged, "unchanged"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", thousands(count)))
    .collect();
    match parts.as_slice() {
        [] => "no files".to_owned(),
        _ => format!("files: {}", parts.join(", ")),
    }
}

/// `1,234 files`, `1 file`.
fn counted(count: i64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", thousands(count))
}

fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_what_is_asked_is_the_title() {
        let (title, body) = note_of(Some(" How are leases renewed?\nAnd when? "), &[]);
        assert_eq!(title, "How are leases renewed?");
        assert_eq!(body, "How are leases renewed?\nAnd when?");
        assert_eq!(note_of(Some("  "), &[]).0, NOTE_TITLE);
    }

    #[test]
    fn where_nobody_asks_the_files_to_look_at_are_named() {
        let hotspot = |path: &str| Hotspot {
            source_id: None,
            path: path.to_owned(),
            commits: 2,
            complexity: 3,
            score: 1.0,
        };
        let (_, body) = note_of(None, &[hotspot("src/a.rs"), hotspot("src/b.rs")]);
        assert!(body.starts_with(NOTE_BODY) && body.ends_with("`src/a.rs`, `src/b.rs`.\n"));
    }

    #[test]
    fn counts_read_well() {
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(1_234_567, "file"), "1,234,567 files");
    }
}
