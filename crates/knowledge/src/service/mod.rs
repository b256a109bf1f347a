//! The operations on knowledge. Each also updates the search index in the same transaction; the caller commits.

mod consolidation_pattern;
mod insight;
mod letter;
mod memory_entry;

pub use consolidation_pattern::{NewConsolidationPattern, consolidation_pattern_create};
pub use insight::{NewInsight, insight_create};
pub use letter::{PendingLetter, PendingLetters, letters_clear, letters_pending, letters_take};
pub use memory_entry::{
    ImportedMemoryEntry, MemoryImport, NewMemoryEntry, RefusedMemoryEntry, memory_entries_import,
    memory_entries_remove, memory_entry_create,
};
