//! The rows that the measured servers return.

use anyhow::Context;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::{Bench, Nyxcore};

/// The number of projects of the only tenant that is queried.
pub const PROJECTS: usize = 1_000;
/// The number of notes, spread evenly.
pub const NOTES: usize = 100_000;
/// The title and body of the note that is created again and again.
pub const NOTES_WRITTEN: (&str, &str) = ("a written note", "written by the benchmark");

/// The ids in the operations.
#[derive(Clone)]
pub struct CreatedRows {
    /// The tenant.
    pub tenant: Uuid,
    /// The project that is read: the one with the greatest id.
    pub project: Uuid,
    /// The same id in nyxcore's form.
    pub project_text: String,
    /// The project in which notes are created. No operation reads it.
    pub written: Uuid,
    /// The same id in nyxcore's form.
    pub written_text: String,
    /// The 20 projects with the greatest ids.
    pub first: Vec<Uuid>,
}

impl Bench {
    /// Creates the rows of a nyxcore's tenant, and the objects that the peers need: `bench.caller`, which finds the
    /// caller of a token by one look-up, and defaults of a note's columns.
    ///
    /// # Errors
    /// The database refuses, or the server does not find a row.
    pub async fn rows_create(&self, nyxcore: &Nyxcore) -> anyhow::Result<CreatedRows> {
        // Its id has the current time, so it is less than nearly all other ids, which are random.
        let create = r#"mutation { createProject(input: {name: "Written", slug: "written"}) { project { id } } }"#;
        let written = nyxcore.server.ask(create).await?;
        let written = text(&written["createProject"]["project"]["id"])?;
        let connection = self.superuser(&nyxcore.database).await?;
        let each = NOTES / PROJECTS;
        let app = self.app.username();
        connection
            .execute_unprepared(&format!(
                "INSERT INTO projects (tenant_id, id, slug, name, created_at, updated_at)
                 SELECT t.id, gen_random_uuid(), 'project-' || n, 'Project ' || n, now(), now()
                 FROM tenants t, generate_series(1, {PROJECTS}) n;
                 INSERT INTO notes (tenant_id, id, project_id, title, body, created_at, updated_at)
                 SELECT p.tenant_id, gen_random_uuid(), p.id, 'note ' || n || ' of ' || p.slug,
                        p.slug || repeat(' body', 40), now(), now()
                 FROM projects p, generate_series(1, {each}) n WHERE p.slug <> 'written';
                 ALTER TABLE notes
                   ALTER tenant_id SET DEFAULT nullif(current_setting('nyxcore.tenant_id', true), '')::uuid,
                   ALTER id SET DEFAULT gen_random_uuid(),
                   ALTER created_at SET DEFAULT now(),
                   ALTER updated_at SET DEFAULT now();
                 CREATE SCHEMA bench;
                 CREATE FUNCTION bench.caller(secret bytea) RETURNS TABLE (tenant uuid, role text)
                   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
                   'SELECT tenant_id, role FROM api_tokens WHERE secret_hash = secret AND revoked_at IS NULL
                    AND (expires_at IS NULL OR expires_at > now())';
                 GRANT USAGE ON SCHEMA bench TO {app};
                 GRANT EXECUTE ON FUNCTION bench.caller TO {app};"
            ))
            .await?;
        connection.execute_unprepared("VACUUM ANALYZE").await?;
        let backend = connection.get_database_backend();
        let ids = |sql: &'static str| {
            let connection = &connection;
            async move {
                let rows = connection.query_all_raw(Statement::from_string(backend, sql));
                let rows = rows.await?;
                let ids: Result<Vec<Uuid>, _> =
                    rows.iter().map(|row| row.try_get("", "id")).collect();
                anyhow::Ok(ids?)
            }
        };
        let first = ids("SELECT id FROM projects ORDER BY id DESC LIMIT 20").await?;
        let written_id = ids("SELECT id FROM projects WHERE slug = 'written'").await?;
        let tenant = ids("SELECT id FROM tenants").await?;
        connection.close().await?;
        let newest = "{ projects(first: 1) { nodes { id } } }";
        let newest = nyxcore.server.ask(newest).await?;
        Ok(CreatedRows {
            tenant: *tenant.first().context("no tenant")?,
            project: *first.first().context("no project")?,
            project_text: text(&newest["projects"]["nodes"][0]["id"])?,
            written: *written_id.first().context("no project to write to")?,
            written_text: written,
            first,
        })
    }

    /// The number of notes that the benchmark has created in a database.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn written_count(&self, database: &str) -> anyhow::Result<i64> {
        let connection = self.superuser(database).await?;
        let sql = "SELECT count(*) AS n FROM notes n JOIN projects p ON p.id = n.project_id WHERE p.slug = 'written'";
        let backend = connection.get_database_backend();
        let row = connection
            .query_one_raw(Statement::from_string(backend, sql))
            .await?
            .context("a count has a row")?;
        connection.close().await?;
        Ok(row.try_get("", "n")?)
    }
}

fn text(value: &serde_json::Value) -> anyhow::Result<String> {
    let text = value.as_str().context("not a text");
    Ok(text.with_context(|| value.to_string())?.to_owned())
}
