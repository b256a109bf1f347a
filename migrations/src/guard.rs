//! Checks whether a live database still has the state that the migrations created: row-level security, rights, and
//! tables. It only reads.
//!
//! The expected state is stored in `schema/`, one line per object, by the test that compares it with a new database.
//! `nyxcore doctor` prints the results of [`guard_check`]. The tests damage a database in each of these ways and check
//! the report.
//!
//! A program that embeds nyxcore's crates may have its own tables beside them. Tables that follow the rules of
//! [`Ddl::tenant_table`](crate::ddl::Ddl::tenant_table) are accepted (`embedded.rs`); any other is a problem.

use std::collections::BTreeMap;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::embedded;
use crate::m0009_audit::APPEND_ONLY;

/// The objects of a new PostgreSQL database, in the form of [`schema_lines`].
const POSTGRES: &str = include_str!("../schema/postgres.snap");
/// The objects of a new SQLite database.
const SQLITE: &str = include_str!("../schema/sqlite.snap");

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The name of the check, in a word or two.
    pub what: &'static str,
    /// The message if there is no problem.
    pub good: String,
    /// The problems, one sentence each.
    pub problems: Vec<String>,
    /// The remedy for the problems.
    pub remedy: &'static str,
}

/// Runs all checks, as the serving role. The schema must be current.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn guard_check(db: &impl ConnectionTrait) -> Result<Vec<Check>, DbErr> {
    let mut found = schema_lines(db).await?;
    let postgres = db.get_database_backend() == DbBackend::Postgres;
    let expected = objects(if postgres { POSTGRES } else { SQLITE });
    let embedded = embedded::tables(db, &expected, &found).await?;
    found.retain(|line| !embedded.iter().any(|object| object.has(line)));
    let differences = differences(&expected, &found);
    let of = |kinds: &[&str]| -> Vec<String> {
        let wanted = differences
            .iter()
            .filter(|(kind, _)| kinds.contains(&kind.as_str()));
        wanted.map(|(_, problem)| problem.clone()).collect()
    };
    let count = |kind: &str| found.iter().filter(|line| line.starts_with(kind)).count();
    let objects = Check {
        what: "schema objects",
        good: format!("{} as the migrations make them", found.len()),
        problems: of(&["table", "column", "constraint", "index", "trigger", "view"]),
        remedy: "restore what the migrations make, as the owner of the tables",
    };
    if !postgres {
        return Ok(vec![objects]);
    }
    let mut foreign_keys = of(&["reference"]);
    foreign_keys.extend(texts(db, LOOSE_REFERENCES).await?);
    let mut security = of(&["security"]);
    security.extend(texts(db, UNGUARDED).await?);
    let mut rights = texts(db, &RIGHTS.replace("{logs}", &quoted(APPEND_ONLY))).await?;
    rights.sort_unstable();
    Ok(vec![
        Check {
            what: "database role",
            good: "only logs in: it owns nothing and is a member of no powerful role".into(),
            problems: role_problems(db).await?,
            remedy: ROLE_REMEDY,
        },
        Check {
            what: "row security",
            good: format!("enabled and forced on {} tables", count("security ")),
            problems: security,
            remedy: "as the owner: ALTER TABLE ... ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        },
        Check {
            what: "policies",
            good: format!(
                "{} as the migrations make them, and no others",
                count("policy ")
            ),
            problems: of(&["policy"]),
            remedy: "serve nobody until they are as the migrations make them",
        },
        Check {
            what: "rights",
            good: "the logs can be added to and read only, no table can be emptied".into(),
            problems: rights,
            remedy: "run `nyxcore migrate --app-role ROLE` as the owner, and revoke what is too much",
        },
        Check {
            what: "foreign keys",
            good: format!(
                "{} include the tenant wherever there is one",
                count("reference ")
            ),
            problems: foreign_keys,
            remedy: "restore what the migrations make: a foreign key looks past row security",
        },
        Check {
            what: "functions",
            good: format!(
                "{} run with more rights than their caller, as the migrations make them",
                count("function ")
            ),
            problems: of(&["function"]),
            remedy: "drop what is not nyxcore's, and restore what is",
        },
        Check {
            what: "vectors",
            good: if texts(db, VECTOR_INSTALLED).await?.is_empty() {
                "the extension vector is not installed: vectors are compared one by one, and insights have no column for them"
                    .into()
            } else if texts(db, VECTOR_OLD).await?.is_empty() {
                "insights have a column for embeddings, and the search an index of vectors".into()
            } else {
                "insights have a column for embeddings; the extension vector is older than 0.8: vectors are compared one by one"
                    .into()
            },
            problems: texts(db, VECTOR).await?,
            remedy: "run `nyxcore migrate` as the owner, or: ALTER TABLE workflow_insights ADD COLUMN embedding vector(1536)",
        },
        objects,
    ])
}

/// The reasons why the connected role is unfit to serve, one sentence each: it could bypass row-level security, or
/// grant itself that right. Empty on SQLite, which has no roles.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn role_problems(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    match db.get_database_backend() {
        DbBackend::Postgres => texts(db, ROLE).await,
        _ => Ok(Vec::new()),
    }
}

/// The remedy for [`role_problems`].
pub const ROLE_REMEDY: &str =
    "serve with a plain role that only logs in, as `nyxcore setup postgres` makes it";

/// All objects of the schema, one sorted line each: `kind name: definition`. Objects of extensions are excluded.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn schema_lines(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => POSTGRES_LINES,
        _ => SQLITE_LINES,
    };
    let lines = texts(db, sql).await?;
    let mut lines: Vec<String> = lines
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    lines.sort_unstable();
    Ok(lines)
}

/// The kinds whose additional objects are a problem, because they decide who can access what. An operator may add a
/// column or an index.
const NO_MORE: [&str; 7] = [
    "function",
    "policy",
    "reference",
    "security",
    "table",
    "trigger",
    "view",
];

/// The expected objects, each with its definition.
fn objects(written: &'static str) -> BTreeMap<&'static str, &'static str> {
    // The file begins with a header between two lines of dashes.
    let lines = written.splitn(3, "---\n").last().unwrap_or_default();
    lines
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect()
}

/// Missing, changed and additional objects, each with its kind.
fn differences(expected: &BTreeMap<&str, &str>, found: &[String]) -> Vec<(String, String)> {
    let found: BTreeMap<&str, &str> = found
        .iter()
        .filter_map(|line| line.split_once(": "))
        .collect();
    let mut problems = Vec::new();
    let mut problem = |object: &str, text: String| {
        let kind = object.split(' ').next().unwrap_or_default();
        problems.push((kind.to_owned(), text));
    };
    for (object, definition) in expected {
        match found.get(object) {
            None => problem(object, format!("{object} is missing")),
            Some(other) if other != definition => {
                problem(
                    object,
                    format!("{object} is `{other}` and not `{definition}`"),
                );
            }
            Some(_) => {}
        }
    }
    for (object, definition) in &found {
        let kind = object.split(' ').next().unwrap_or_default();
        if !expected.contains_key(object) && NO_MORE.contains(&kind) {
            problem(
                object,
                format!("{object} is not one of nyxcore's: `{definition}`"),
            );
        }
    }
    problems
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    names.join(", ")
}

async fn texts(db: &impl ConnectionTrait, sql: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

const SQLITE_LINES: &str = "
    SELECT type || ' ' || name || ': ' || sql FROM sqlite_master
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search_terms_%'";

/// The columns for embeddings and their indexes are excluded: they depend on the server, and have a separate check. The
/// owner of the table `tenants` is printed as `the owner`, because the operator chooses its name.
const POSTGRES_LINES: &str = "
    WITH tables AS (
        SELECT c.* FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ), roles AS (
        SELECT r.oid, CASE WHEN c.oid IS NULL THEN r.rolname::text ELSE 'the owner' END AS rolname
        FROM pg_roles r LEFT JOIN pg_class c ON c.oid = to_regclass('public.tenants') AND c.relowner = r.oid
    )
    SELECT 'table ' || relname || ': ' || CASE relkind WHEN 'p' THEN 'partitioned' ELSE 'ordinary' END FROM tables
    UNION ALL
    SELECT 'view ' || c.relname || ': ' || c.relkind::text FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('v', 'm', 'f')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'security ' || relname || ': ' || CASE WHEN relrowsecurity THEN 'enabled' ELSE 'not enabled' END
        || ', ' || CASE WHEN relforcerowsecurity THEN 'forced' ELSE 'not forced' END
    FROM tables WHERE relname <> 'seaql_migrations'
    UNION ALL
    SELECT 'column ' || t.relname || '.' || a.attname || ': ' || format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
        || CASE WHEN a.attgenerated <> '' THEN ' generated ' || pg_get_expr(e.adbin, e.adrelid) ELSE '' END
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
    WHERE (t.relname, a.attname) NOT IN (('workflow_insights', 'embedding'), ('search_vectors', 'embedding'))
    UNION ALL
    SELECT CASE k.contype WHEN 'f' THEN 'reference ' ELSE 'constraint ' END || t.relname || '.' || k.conname || ': '
        || pg_get_constraintdef(k.oid) || CASE WHEN k.convalidated THEN '' ELSE ' not valid' END
    FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
    UNION ALL
    SELECT 'index ' || i.relname || ': ' || pg_get_indexdef(x.indexrelid) || CASE WHEN x.indisvalid THEN '' ELSE ' not valid' END
    FROM tables t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
      AND NOT starts_with(i.relname, 'search_vectors_hnsw')
    UNION ALL
    SELECT 'policy ' || t.relname || '.' || p.polname || ': ' || CASE WHEN p.polpermissive THEN '' ELSE 'restrictive ' END
        || CASE p.polcmd WHEN '*' THEN 'all' WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' ELSE 'delete' END
        || ' to ' || (SELECT string_agg(coalesce(r.rolname, 'public'), ', ' ORDER BY r.rolname)
                      FROM unnest(p.polroles) AS one (id) LEFT JOIN roles r ON r.oid = one.id)
        || coalesce(' using ' || pg_get_expr(p.polqual, p.polrelid), '')
        || coalesce(' check ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
    FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
    UNION ALL
    SELECT 'trigger ' || t.relname || '.' || g.tgname || ': ' || pg_get_triggerdef(g.oid)
    FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT 'trigger ' || t.relname || '.' || r.rulename || ': rule' FROM tables t JOIN pg_rewrite r ON r.ev_class = t.oid
    UNION ALL
    SELECT 'function ' || f.oid::regprocedure::text || ': of ' || r.rolname || ', ' || coalesce(array_to_string(f.proconfig, ' '), 'no settings')
        || ', ' || md5(f.prosrc)
    FROM pg_proc f JOIN roles r ON r.oid = f.proowner
    WHERE f.prosecdef AND f.pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')";

/// Tables with a tenant that lack a part of their row-level security, whoever created them.
const UNGUARDED: &str = "
    SELECT 'table ' || c.relname || ' has a tenant and no policy tenant_isolation that is enabled, forced and for everybody'
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
          SELECT 1 FROM pg_policy p
          WHERE p.polrelid = c.oid AND p.polname = 'tenant_isolation' AND p.polcmd = '*' AND p.polroles = '{0}'
            AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL))
    ORDER BY 1";

/// Foreign keys between tables with a tenant that do not include the tenant: they bypass row-level security, and would
/// reveal the existence of another tenant's rows.
const LOOSE_REFERENCES: &str = "
    SELECT 'foreign key ' || k.conrelid::regclass::text || '.' || k.conname || ' leaves the tenant out'
    FROM pg_constraint k
    JOIN pg_attribute here ON here.attrelid = k.conrelid AND here.attname = 'tenant_id'
    JOIN pg_attribute there ON there.attrelid = k.confrelid AND there.attname = 'tenant_id'
    WHERE k.contype = 'f'
      AND NOT EXISTS (SELECT 1 FROM unnest(k.conkey, k.confkey) AS pair (a, b) WHERE pair.a = here.attnum AND pair.b = there.attnum)
    ORDER BY 1";

/// The excessive rights of the connected role, or of a role that it is a member of. Memberships count with any options,
/// because a holder of the ADMIN option can grant itself the others. `pg_database_owner` is excluded: its member is the
/// owner of the database, which is reported separately.
const ROLE: &str = "
    WITH me AS (
        SELECT * FROM pg_roles WHERE rolname = current_user
    ), reached AS (
        SELECT other.* FROM me, pg_roles other
        WHERE other.oid = me.oid OR (NOT me.rolsuper AND pg_has_role(me.oid, other.oid, 'MEMBER'))
    ), tables AS (
        SELECT relowner AS owner, count(*) AS number, min(relname) AS first FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') GROUP BY relowner
    ), facts AS (
        SELECT oid, 'is a superuser' AS fact FROM pg_roles WHERE rolsuper
        UNION ALL SELECT oid, 'has BYPASSRLS' FROM pg_roles WHERE rolbypassrls
        UNION ALL SELECT oid, 'has CREATEROLE' FROM pg_roles WHERE rolcreaterole
        UNION ALL SELECT oid, 'has CREATEDB' FROM pg_roles WHERE rolcreatedb
        UNION ALL SELECT oid, 'has REPLICATION' FROM pg_roles WHERE rolreplication
        UNION ALL SELECT oid, 'is a predefined role' FROM pg_roles WHERE rolname LIKE 'pg\\_%' AND rolname <> 'pg_database_owner'
        UNION ALL SELECT datdba, 'owns the database' FROM pg_database WHERE datname = current_database()
        UNION ALL SELECT nspowner, 'owns the schema public' FROM pg_namespace
            WHERE nspname = 'public' AND nspowner <> to_regrole('pg_database_owner')
        UNION ALL SELECT owner, CASE number WHEN 1 THEN 'owns the table ' || first ELSE 'owns ' || number || ' tables' END FROM tables
        UNION ALL SELECT proowner, 'owns the function ' || proname FROM pg_proc
            WHERE prosecdef AND pronamespace = 'public'::regnamespace
    )
    SELECT CASE WHEN r.oid = me.oid THEN r.rolname ELSE me.rolname || ' is a member of ' || r.rolname || ', which' END
        || ' ' || string_agg(f.fact, ', ' ORDER BY f.fact)
    FROM me, reached r JOIN facts f ON f.oid = r.oid
    WHERE NOT r.rolsuper OR f.fact = 'is a superuser'
    GROUP BY me.oid, me.rolname, r.oid, r.rolname
    UNION ALL
    SELECT rolname || ' may make tables in the schema public' FROM me
    WHERE NOT rolsuper AND has_schema_privilege('public', 'CREATE')
    UNION ALL
    SELECT rolname || ' may make schemas in the database' FROM me
    WHERE NOT rolsuper AND has_database_privilege(current_database(), 'CREATE')
    ORDER BY 1";

/// The serving role's missing or excessive rights on each table, one line per right.
const RIGHTS: &str = "
    WITH wanted AS (
        SELECT c.relname, c.oid, one.verb,
            CASE
                WHEN one.verb IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') THEN false
                WHEN c.relname = 'seaql_migrations' THEN one.verb = 'SELECT'
                WHEN c.relname = 'tenants' AND one.verb = 'DELETE' THEN false
                WHEN c.relname IN ({logs}) THEN one.verb IN ('SELECT', 'INSERT')
                ELSE true
            END AS is_wanted
        FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS one (verb)
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    )
    SELECT current_user || CASE WHEN is_wanted THEN ' lacks ' ELSE ' has ' END || verb || ' on ' || relname
    FROM wanted
    WHERE is_wanted <> (has_table_privilege(oid, verb)
        OR (NOT is_wanted AND verb IN ('UPDATE', 'REFERENCES') AND has_any_column_privilege(oid, verb)))
      AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)";

const VECTOR_INSTALLED: &str = "SELECT extname::text FROM pg_extension WHERE extname = 'vector'";

/// Selects a version of pgvector without iterative scans.
const VECTOR_OLD: &str = "
    SELECT extname::text FROM pg_extension
    WHERE extname = 'vector' AND (regexp_match(extversion, '^([0-9]+)\\.([0-9]+)'))::int[] < ARRAY[0, 8]";

/// If the extension is installed, the embedding column of insights must exist, with the size of the embedding models in
/// the catalogue. If the version allows it, the search must have its column and indexes too.
const VECTOR: &str = "
    SELECT 'column workflow_insights.embedding is ' || coalesce(
        (SELECT '`' || format_type(a.atttypid, a.atttypmod) || '` and not `vector(1536)`' FROM pg_attribute a
         WHERE a.attrelid = to_regclass('public.workflow_insights') AND a.attname = 'embedding' AND NOT a.attisdropped), 'missing')
    WHERE EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'vector')
      AND NOT EXISTS (SELECT 1 FROM pg_attribute a
        WHERE a.attrelid = to_regclass('public.workflow_insights') AND a.attname = 'embedding' AND NOT a.attisdropped
          AND format_type(a.atttypid, a.atttypmod) = 'vector(1536)')
    UNION ALL
    SELECT wanted.what || ' is missing'
    FROM (
        SELECT 'column search_vectors.embedding' AS what
        WHERE NOT EXISTS (SELECT 1 FROM pg_attribute a
            WHERE a.attrelid = to_regclass('public.search_vectors') AND a.attname = 'embedding' AND NOT a.attisdropped)
        UNION ALL
        SELECT 'index ' || name FROM unnest(ARRAY['none', '384', '768', '1024', '1536', '3072']) AS one (length),
            LATERAL (SELECT 'search_vectors_hnsw_' || one.length AS name) named
        WHERE NOT EXISTS (SELECT 1 FROM pg_index x WHERE x.indexrelid = to_regclass('public.' || name) AND x.indisvalid)
    ) wanted
    WHERE EXISTS (SELECT 1 FROM pg_extension
        WHERE extname = 'vector' AND (regexp_match(extversion, '^([0-9]+)\\.([0-9]+)'))::int[] >= ARRAY[0, 8])";
