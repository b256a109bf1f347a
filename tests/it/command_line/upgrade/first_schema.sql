-- A row in every table of the first schema (m0001 to m0006), as an installation of that time had them.
-- #01 is an id, @time a time, @bytes some bytes, @terms the words of a document; the test writes them for a database.
INSERT INTO tenants (id, slug, name, created_at) VALUES (#01, 'acme', 'Acme', @time);
INSERT INTO users (id, email, name, created_at) VALUES (#02, 'ada@exämple.org', 'Ada', @time);
INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES (#01, #02, 'OWNER', @time);
INSERT INTO api_tokens (tenant_id, id, user_id, name, prefix, secret_hash, role, created_at, expires_at)
VALUES (#01, #03, #02, 'a script', 'nyx_abcd', @bytes, 'OWNER', @time, @time);
INSERT INTO projects (tenant_id, id, slug, name, description, created_by, created_at, updated_at)
VALUES (#01, #04, 'atlas', 'Atlas', 'Maps', #02, @time, @time);
INSERT INTO sources (tenant_id, id, project_id, url, branch, scan_path, head_commit, last_synced_at, created_at, updated_at)
VALUES (#01, #05, #04, 'https://example.org/atlas.git', 'main', '', '0123456789abcdef0123456789abcdef01234567', @time, @time, @time);
INSERT INTO blobs (tenant_id, oid, size, content) VALUES (#01, 'b10b', 12, 'fn main() {}');
INSERT INTO source_files (tenant_id, id, source_id, path, blob, language, size, commits)
VALUES (#01, #06, #05, 'src/main.rs', 'b10b', 'rust', 12, 3);
INSERT INTO source_history (tenant_id, source_id, commits) VALUES (#01, #05, @bytes);
INSERT INTO notes (tenant_id, id, project_id, title, body, created_by, created_at, updated_at)
VALUES (#01, #07, #04, 'A note', 'About the quince', #02, @time, @time);
INSERT INTO personas (tenant_id, id, name, description, system_prompt, traits, specializations, auto_specialized, category, xp,
    usage_count, success_count, created_by, created_at, updated_at)
VALUES (#01, #08, 'Gardener', 'Grows', 'You grow.', '["patient"]', '["rust"]', @true, 'garden', 20, 2, 1, #02, @time, @time);
INSERT INTO runs (tenant_id, id, kind, subject, status, project_id, started_by, input, attempt, max_attempts, handed_back, priority,
    available_at, cancel_requested, event_count, log_expired, progress_done, progress_at, created_at, started_at, finished_at)
VALUES (#01, #09, 'SYNC', 'source:x', 'SUCCEEDED', #04, #02, '{}', 1, 3, 0, 5, @time, @false, 1, @false, 1, @time, @time, @time, @time);
INSERT INTO runs (tenant_id, id, kind, subject, status, project_id, started_by, input, attempt, max_attempts, handed_back, priority,
    available_at, cancel_requested, event_count, log_expired, progress_done, progress_at, created_at, started_at, finished_at)
VALUES (#01, #10, 'CODE_ANALYSIS', 'project:x', 'SUCCEEDED', #04, #02, '{}', 1, 3, 0, 5, @time, @false, 1, @false, 1, @time, @time, @time, @time);
INSERT INTO runs (tenant_id, id, kind, subject, status, project_id, started_by, input, attempt, max_attempts, handed_back, priority,
    available_at, cancel_requested, event_count, log_expired, progress_done, progress_at, created_at, started_at, finished_at)
VALUES (#01, #11, 'NOTE_ENRICHMENT', 'note:x', 'SUCCEEDED', #04, #02, '{}', 1, 3, 0, 5, @time, @false, 1, @false, 1, @time, @time, @time, @time);
INSERT INTO run_attempts (tenant_id, run_id, attempt, worker, worker_name, started_at, ended_at, outcome, phases)
VALUES (#01, #09, 1, #12, 'machine:1', @time, @time, 'SUCCEEDED', '[]');
INSERT INTO run_events (tenant_id, run_id, seq, at, payload) VALUES (#01, #09, 1, @time, '{"type": "finished", "status": "SUCCEEDED"}');
INSERT INTO syncs (tenant_id, run_id, source_id, trigger_kind, to_commit, files_added, files_updated, files_deleted, files_renamed,
    files_unchanged, files_skipped, bytes_fetched, blob_bytes_max, phases_done)
VALUES (#01, #09, #05, 'MANUAL', '0123456789abcdef0123456789abcdef01234567', 1, 0, 0, 0, 0, 0, 100, 1000000, '[]');
INSERT INTO note_enrichments (tenant_id, run_id, note_id, persona_id, mode, markdown, citations, context_used, decision)
VALUES (#01, #11, #07, #08, 'EXTRACTIVE', 'Text', '[]', '{}', 'PENDING');
INSERT INTO action_points (tenant_id, id, note_id, enrichment_id, text, status, citations, created_at, updated_at)
VALUES (#01, #13, #07, #11, 'Do it', 'OPEN', '[]', @time, @time);
INSERT INTO search_documents (tenant_id, id, project_id, kind, subject, subject_id, chunk, content_key, title, body, terms)
VALUES (#01, #14, #04, 'NOTE', 'note:x', #07, 0, 'key', 'A note', 'About the quince', @terms);
INSERT INTO memory_entries (tenant_id, id, project_id, title, content, tags, source, created_by, created_at, updated_at)
VALUES (#01, #15, #04, 'Leases', 'Renew them', '["runs"]', 'MANUAL', #02, @time, @time);
INSERT INTO workflow_insights (tenant_id, id, project_id, type, severity, category, title, detail, created_by, created_at)
VALUES (#01, #16, #04, 'pain', 'high', 'tests', 'Slow tests', 'They are slow', #02, @time);
INSERT INTO consolidation_patterns (tenant_id, id, type, title, description, evidence, frequency, severity, tags, created_at)
VALUES (#01, #17, 'habit', 'Tests first', 'Often', '[]', 2, 'low', '[]', @time);
INSERT INTO consolidation_pattern_projects (tenant_id, consolidation_pattern_id, project_id) VALUES (#01, #17, #04);
INSERT INTO code_analyses (tenant_id, run_id, project_id, trigger_kind, commit_id, heads, files_analyzed, files_reused, files_skipped,
    lines_of_code, patterns_found, patterns_compared, patterns_appeared, patterns_strengthened, patterns_weakened, patterns_vanished,
    skipped, warnings)
VALUES (#01, #10, #04, 'MANUAL', 'c0ffee', '{}', 1, 0, 0, 1, 1, @true, 1, 0, 0, 0, '[]', '[]');
INSERT INTO file_facts (tenant_id, oid, language, engine_version, facts) VALUES (#01, 'b10b', 'rust', 1, @bytes);
INSERT INTO code_patterns (tenant_id, id, project_id, key, position, kind, title, statement, support, cases, confidence, exemplars,
    counter_examples, told_support, told_cases, told_confidence, first_seen_at)
VALUES (#01, #18, #04, 'naming', 0, 'NAMING', 'Names', 'Functions are in snake case', 9, 10, 0.9, '[]', '[]', 9, 10, 0.9, @time);
INSERT INTO code_pattern_changes (tenant_id, run_id, pattern_id, position, change, title, kind, support, cases, confidence)
VALUES (#01, #10, #18, 0, 'APPEARED', 'Names', 'NAMING', 9, 10, 0.9);
INSERT INTO hotspots (tenant_id, project_id, position, path, commits, complexity, score) VALUES (#01, #04, 0, 'src/main.rs', 3, 1, 3.5);
INSERT INTO project_metrics (tenant_id, project_id, analysis_id, engine_version, patterns_version, stack, metrics, commands, co_changes,
    ownership, imports, duplicates, dead_code, map)
VALUES (#01, #04, #10, 1, 1, '[]', '{}', '[]', '[]', '[]', '{}', '[]', '[]', '[]');
INSERT INTO rule_matches (tenant_id, project_id, oid, language, rules_key, matches) VALUES (#01, #04, 'b10b', 'rust', 'key', @bytes);
