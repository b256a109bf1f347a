//! The lines inside functions: an import there runs later than the file is loaded.

use super::super::SourceFile;

/// The line ranges of functions.
pub(super) struct Spans(Vec<(u32, u32)>);

impl Spans {
    pub(super) fn functions(file: &SourceFile) -> Spans {
        let functions = file
            .facts
            .definitions
            .iter()
            .filter(|one| one.metrics.is_some());
        let mut spans: Vec<(u32, u32)> = functions
            .map(|one| (one.start_line + 1, one.end_line))
            .collect();
        spans.retain(|(first, last)| first <= last);
        spans.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(spans.len());
        for (first, last) in spans {
            match merged.last_mut() {
                Some(open) if first <= open.1 => open.1 = open.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Spans(merged)
    }

    pub(super) fn contain(&self, line: u32) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= line);
        after > 0 && line <= self.0[after - 1].1
    }
}
