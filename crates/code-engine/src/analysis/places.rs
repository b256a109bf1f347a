//! Visits every path in an analysis, so that a caller can map it. A project may consist of several repositories, which
//! the engine distinguishes only by path.

use super::super::evidence::CodeLocation;
use super::super::patterns::Pattern;
use super::ProjectAnalysis;

/// A path in an analysis. The engine leaves the source unknown; a caller that combines several sources sets the source
/// and the path in it.
#[derive(Debug)]
pub enum Place<'a> {
    /// The path of a file.
    File {
        /// The path.
        path: &'a mut String,
        /// The source, as an id of the caller.
        source_id: &'a mut Option<String>,
    },
    /// The path of a folder.
    Folder {
        /// The path; empty for the whole project.
        path: &'a mut String,
        /// The source that contains all of its files, if the report has a field for it.
        source_id: Option<&'a mut Option<String>>,
    },
}

impl ProjectAnalysis {
    /// Calls `visit` for every path.
    pub fn places_visit(&mut self, mut visit: impl FnMut(Place<'_>)) {
        let visit = &mut visit;
        for pattern in &mut self.patterns {
            pattern_visit(pattern, visit);
        }
        for one in &mut self.commands {
            file_visit(&mut one.path, &mut one.source_id, visit);
        }
        for one in &mut self.hotspots {
            file_visit(&mut one.path, &mut one.source_id, visit);
        }
        for pair in &mut self.co_changes {
            for (path, source_id) in pair.paths.iter_mut().zip(&mut pair.source_ids) {
                file_visit(path, source_id, visit);
            }
        }
        for one in &mut self.ownership {
            visit(Place::Folder {
                path: &mut one.folder,
                source_id: Some(&mut one.source_id),
            });
        }
        for path in self
            .imports
            .layers
            .iter_mut()
            .flat_map(|one| &mut one.folders)
        {
            folder_visit(path, visit);
        }
        for step in self.imports.cycles.iter_mut().flat_map(|one| &mut one.path) {
            file_visit(&mut step.file, &mut step.source_id, visit);
        }
        for group in &mut self.duplicates {
            locations_visit(&mut group.places, visit);
        }
        for unused in &mut self.dead_code {
            file_visit(
                &mut unused.location.path,
                &mut unused.location.source_id,
                visit,
            );
        }
        for one in &mut self.map {
            file_visit(&mut one.path, &mut one.source_id, visit);
        }
        for error in &mut self.rules.errors {
            file_visit(&mut error.path, &mut error.source_id, visit);
        }
        for rule in &mut self.rules.rules {
            file_visit(&mut rule.path, &mut rule.source_id, visit);
            locations_visit(&mut rule.places, visit);
            locations_visit(&mut rule.counter_places, visit);
        }
    }
}

fn pattern_visit(pattern: &mut Pattern, visit: &mut impl FnMut(Place<'_>)) {
    locations_visit(&mut pattern.exemplars, visit);
    locations_visit(&mut pattern.counter_examples, visit);
    if let Some(scope) = &mut pattern.scope {
        folder_visit(scope, visit);
    }
}

fn locations_visit(locations: &mut [CodeLocation], visit: &mut impl FnMut(Place<'_>)) {
    for one in locations {
        file_visit(&mut one.path, &mut one.source_id, visit);
    }
}

fn file_visit(
    path: &mut String,
    source_id: &mut Option<String>,
    visit: &mut impl FnMut(Place<'_>),
) {
    visit(Place::File { path, source_id });
}

fn folder_visit(path: &mut String, visit: &mut impl FnMut(Place<'_>)) {
    visit(Place::Folder {
        path,
        source_id: None,
    });
}
