//! What a team has learned: memory entries, insights and consolidation patterns.
