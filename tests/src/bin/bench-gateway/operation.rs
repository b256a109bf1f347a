//! The measured operations, in the dialect of each server, so that all responses have the same shape.

use nyxcore_tests::bench::{CreatedRows, NOTES_WRITTEN};

/// The dialect of a server's schema.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// nyxcore's schema, with its ids.
    Nyxcore,
    /// The same schema with UUIDs: the hand-written peers.
    Plain,
    /// The schema that PostGraphile generates from the tables.
    PostGraphile,
}

/// A measured operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// One project by its id.
    Project,
    /// 20 projects with 10 notes each.
    Nested,
    /// A page of 100 notes of a project.
    Page,
    /// The creation of a note.
    Create,
}

impl Operation {
    /// All operations, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Project, Self::Nested, Self::Page, Self::Create];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Project => "project by id",
            Self::Nested => "20 projects with 10 notes each",
            Self::Page => "a page of 100 notes",
            Self::Create => "createNote",
        }
    }

    /// The document.
    pub fn document(self, dialect: Dialect, known: &CreatedRows) -> String {
        let (title, body) = NOTES_WRITTEN;
        if dialect == Dialect::PostGraphile {
            let project = format!(
                "project: projectByTenantIdAndRowId(tenantId: \"{}\", rowId: \"{}\")",
                known.tenant, known.project
            );
            return match self {
                Self::Project => format!("{{ {project} {{ id: rowId slug name }} }}"),
                Self::Nested => "{ projects: allProjects(first: 20, orderBy: PRIMARY_KEY_DESC) { nodes { id: rowId slug name \
                     notes: notesByTenantIdAndProjectId(first: 10, orderBy: PRIMARY_KEY_DESC) { nodes { id: rowId title } } } } }"
                    .into(),
                Self::Page => format!(
                    "{{ {project} {{ notes: notesByTenantIdAndProjectId(first: 100, orderBy: PRIMARY_KEY_DESC) \
                     {{ nodes {{ id: rowId title body }} }} }} }}"
                ),
                Self::Create => format!(
                    "mutation {{ createNote(input: {{note: {{projectId: \"{}\", title: \"{title}\", body: \"{body}\"}}}}) \
                     {{ note {{ id: rowId title body }} }} }}",
                    known.written
                ),
            };
        }
        let (project, written) = match dialect {
            Dialect::Nyxcore => (known.project_text.clone(), known.written_text.clone()),
            _ => (known.project.to_string(), known.written.to_string()),
        };
        match self {
            Self::Project => format!("{{ project(id: \"{project}\") {{ id slug name }} }}"),
            Self::Nested => {
                "{ projects(first: 20) { nodes { id slug name notes(first: 10) { nodes { id title } } } } }".into()
            }
            Self::Page => format!(
                "{{ project(id: \"{project}\") {{ notes(first: 100) {{ nodes {{ id title body }} }} }} }}"
            ),
            Self::Create => format!(
                "mutation {{ createNote(input: {{projectId: \"{written}\", title: \"{title}\", body: \"{body}\"}}) \
                 {{ note {{ id title body }} }} }}"
            ),
        }
    }

    /// The script for pgbench. It sets the tenant, and row-level security applies. A read of one statement sets the
    /// tenant in the statement, as nyxcore does. Variables: `t` tenant, `p` project, `w` the project that is written
    /// to, `f` 20 ids.
    pub fn pgbench(self) -> String {
        let alone = |select: &str| {
            format!(
                "SELECT p.* FROM (SELECT set_config('nyxcore.tenant_id', set_config('nyxcore.scope', '', true) || :t, \
                 true)::uuid AS v) s CROSS JOIN LATERAL (SELECT q.* FROM ({select}) q \
                 WHERE s.v = :t::text::uuid OFFSET 0) p;\n"
            )
        };
        let transaction = |statements: &str| {
            format!(
                "BEGIN;\nSELECT set_config('nyxcore.tenant_id', :t::text, true);\n{statements}\nCOMMIT;\n"
            )
        };
        match self {
            Self::Project => alone(
                "SELECT id, slug, name FROM projects WHERE tenant_id = :t::text::uuid AND id = :p::text::uuid",
            ),
            Self::Nested => transaction(
                "SELECT id, slug, name FROM projects WHERE tenant_id = :t::text::uuid ORDER BY id DESC LIMIT 20;\n\
                 SELECT q.* FROM unnest(:f::text::uuid[]) f(id) CROSS JOIN LATERAL (SELECT project_id, id, title \
                 FROM notes WHERE tenant_id = :t::text::uuid AND project_id = f.id ORDER BY id DESC LIMIT 10) q;",
            ),
            Self::Page => alone(
                "SELECT id, title, body FROM notes WHERE tenant_id = :t::text::uuid \
                 AND project_id = :p::text::uuid ORDER BY id DESC LIMIT 100",
            ),
            Self::Create => {
                let (title, body) = NOTES_WRITTEN;
                transaction(&format!(
                    "INSERT INTO notes (tenant_id, id, project_id, title, body, created_at, updated_at) VALUES \
                     (:t::text::uuid, gen_random_uuid(), :w::text::uuid, '{title}', '{body}', now(), now()) \
                     RETURNING id, title, body;"
                ))
            }
        }
    }
}
