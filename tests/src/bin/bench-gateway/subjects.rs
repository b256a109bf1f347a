//! The measured subjects, and the check that all of them return the same data.

use std::path::Path;

use anyhow::{Context, ensure};
use nyxcore_tests::bench::{Bench, CreatedRows, NodePeer, Server};
use serde_json::Value;
use url::Url;

use crate::load::{Sample, pgbench_run, wrk_run};
use crate::operation::{Dialect, Operation};

/// A measured server, or pgbench.
pub struct Subject {
    /// Its name in the table.
    pub label: String,
    /// Its features and omissions, for the reader of the table.
    pub does: String,
    kind: Kind,
    known: CreatedRows,
    /// The name of its database.
    database: String,
}

enum Kind {
    Server(Box<Server>, Dialect),
    Pgbench(Url),
}

impl Subject {
    /// Measures it under load for so many seconds.
    ///
    /// # Errors
    /// A request failed, or a note was returned but not stored.
    pub async fn sample(
        &self,
        bench: &Bench,
        operation: Operation,
        seconds: u32,
    ) -> anyhow::Result<Sample> {
        let before = bench.written_count(&self.database).await?;
        let sample = match &self.kind {
            Kind::Server(server, dialect) => {
                let document = operation.document(*dialect, &self.known);
                wrk_run(server, &document, seconds).await
            }
            Kind::Pgbench(url) => pgbench_run(url, operation, &self.known, seconds).await,
        };
        let sample = sample.with_context(|| format!("{} on {}", operation.name(), self.label))?;
        if operation == Operation::Create {
            let stored = bench.written_count(&self.database).await? - before;
            ensure!(
                u64::try_from(stored)? >= sample.requests,
                "{} answered {} notes and stored {stored}",
                self.label,
                sample.requests
            );
        }
        Ok(sample)
    }

    /// The peak resident memory so far, in kB. `None` for pgbench, which is no server.
    ///
    /// # Errors
    /// The server has ended.
    pub fn peak_memory(&self) -> anyhow::Result<Option<u64>> {
        match &self.kind {
            Kind::Server(server, _) => Ok(Some(server.peak_memory()?)),
            Kind::Pgbench(_) => Ok(None),
        }
    }

    /// The response to an operation without the ids, whose form differs between servers. `None` for pgbench, which is
    /// no server.
    async fn answer(&self, operation: Operation) -> anyhow::Result<Option<Value>> {
        let Kind::Server(server, dialect) = &self.kind else {
            return Ok(None);
        };
        let mut answer = server
            .ask(&operation.document(*dialect, &self.known))
            .await?;
        ids_remove(&mut answer);
        Ok(Some(answer))
    }
}

fn ids_remove(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("id");
            fields.values_mut().for_each(ids_remove);
        }
        Value::Array(items) => items.iter_mut().for_each(ids_remove),
        _ => {}
    }
}

/// The options of the subjects.
pub struct Options<'a> {
    /// The programs of nyxcore, each with its name in the table. The peers serve from the database of the first.
    pub programs: &'a [(String, std::path::PathBuf)],
    /// The bare server.
    pub bare: &'a Path,
    /// Whether the peers look a token up once for all requests.
    pub remember: bool,
}

/// Starts all subjects. The first is nyxcore.
///
/// # Errors
/// A server does not start, two return different data, or one serves a caller without a token.
pub async fn subjects_start(bench: &Bench, options: Options<'_>) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for (label, program) in options.programs {
        let nyxcore = bench.nyxcore(label, program).await?;
        let known = bench.rows_create(&nyxcore).await?;
        subjects.push(Subject {
            label: label.clone(),
            does: "remembers a verified token until a signal revokes it; row-level security; roles, limits, request \
                   cost; createNote checks the project and writes the search document too"
                .into(),
            kind: Kind::Server(Box::new(nyxcore.server), Dialect::Nyxcore),
            known,
            database: nyxcore.database,
        });
    }
    let first = subjects.first().context("no program is named")?;
    let (known, database) = (first.known.clone(), first.database.clone());
    let Kind::Server(nyxcore, _) = &first.kind else {
        anyhow::bail!("the first is a server");
    };
    let token = nyxcore.token.clone().context("nyxcore has a token")?;
    let look_up = if options.remember {
        "looks a token up once and never again (revocation is not seen)"
    } else {
        "looks the token up once a request"
    };
    let remember = [("REMEMBER_TOKENS", "1")];
    let settings: &[(&str, &str)] = if options.remember { &remember } else { &[] };
    for (label, script, dialect, does) in [
        (
            "postgraphile",
            "postgraphile.mjs",
            Dialect::PostGraphile,
            "row-level security by pgSettings; no roles, no limits",
        ),
        (
            "mercurius",
            "mercurius.mjs",
            Dialect::Plain,
            "JIT and loaders, statements by hand; row-level security by a transaction of each resolver; no roles, no limits",
        ),
        (
            "yoga + prisma",
            "yoga.mjs",
            Dialect::Plain,
            "relation joins; row-level security by a transaction of each operation; no roles, no limits",
        ),
    ] {
        let peer = NodePeer {
            label,
            script,
            database: &database,
            token: Some(&token),
            settings,
        };
        let server = bench.node(peer).await?;
        subjects.push(Subject {
            label: label.into(),
            does: format!("{look_up}; {does}; createNote inserts the row alone"),
            kind: Kind::Server(Box::new(server), dialect),
            known: known.clone(),
            database: database.clone(),
        });
    }
    let bare = bench
        .native("bare server", options.bare, &database, &token)
        .await?;
    subjects.push(Subject {
        label: "bare server".into(),
        does: "axum, async-graphql and sqlx: a token is looked up once and never again; row-level security by \
               nyxcore's form of one statement; no roles, no limits; createNote inserts the row alone"
            .into(),
        kind: Kind::Server(Box::new(bare), Dialect::Plain),
        known: known.clone(),
        database: database.clone(),
    });
    subjects.push(Subject {
        label: "pgbench".into(),
        does: "the statements alone, 10 clients: row-level security, no HTTP, no GraphQL, no token"
            .into(),
        kind: Kind::Pgbench(bench.app_url(&database)),
        known,
        database,
    });
    same_data_check(&subjects).await?;
    strangers_check(&subjects).await?;
    Ok(subjects)
}

/// Checks that every server returns the same data, apart from ids.
async fn same_data_check(subjects: &[Subject]) -> anyhow::Result<()> {
    for operation in Operation::ALL {
        let mut expected: Option<(String, Value)> = None;
        for subject in subjects {
            // Another nyxcore has its own database, in which other random ids come first.
            if subject.database != subjects[0].database {
                continue;
            }
            let Some(answer) = subject.answer(operation).await? else {
                continue;
            };
            match &expected {
                None => expected = Some((subject.label.clone(), answer)),
                Some((label, expected)) => ensure!(
                    *expected == answer,
                    "{}: {} and {label} give other data:\n{answer}\n{expected}",
                    operation.name(),
                    subject.label
                ),
            }
        }
    }
    Ok(())
}

/// Checks that no server reveals a project to a caller without a token, or with a wrong one.
async fn strangers_check(subjects: &[Subject]) -> anyhow::Result<()> {
    for subject in subjects {
        if let Kind::Server(server, dialect) = &subject.kind {
            let document = Operation::Project.document(*dialect, &subject.known);
            for token in [None, Some("nyx_unknown")] {
                let answer = server.ask_as(token, &document).await;
                ensure!(
                    answer.is_err(),
                    "{} answers a stranger: {:?}",
                    subject.label,
                    answer.ok()
                );
            }
        }
    }
    Ok(())
}
