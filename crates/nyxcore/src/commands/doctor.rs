//! `doctor`: checks that everything nyxcore needs is present and safe, and says how to fix problems. It changes
//! nothing.

mod master_key;

use std::path::Path;

use nyxcore_migrations::guard::guard_check;
use nyxcore_migrations::{SchemaState, schema_state};
use owo_colors::{OwoColorize, Style};
use sea_orm::{DatabaseConnection, DbErr};

use crate::data_dir::{probe, refusal, room};
use crate::database::{Place, connection_open};
use crate::error::{Error, Result, message_of};
use crate::git_tool::{git_version, is_new_enough};
use crate::local_model;
use crate::output;
use crate::private_files::open_to_others;
use crate::settings::Settings;

/// The minimum free space of a healthy data directory, in bytes: a mirror and the database of a repository of several
/// thousand files.
const ROOM_MIN: u64 = 256 << 20;

/// The maximum number of files that one line names.
const NAMED_MAX: usize = 3;

/// Runs the checks, and prints a line for each.
///
/// # Errors
/// [`Error::Unhealthy`] where a check fails.
pub async fn run(settings: &Settings) -> Result<()> {
    let mut report = Report::default();
    data_dir(settings, &mut report);
    git(&mut report).await;
    let opened = database(settings, &mut report).await;
    master_key::check(settings, opened.as_ref(), &mut report).await;
    local_embeddings(settings, &mut report);
    output::write(&report.text)?;
    match report.wrong {
        0 => Ok(()),
        1 => Err(Error::Unhealthy("1 check failed".into()).into()),
        wrong => Err(Error::Unhealthy(format!("{wrong} checks failed")).into()),
    }
}

/// The lines of the report so far.
#[derive(Default)]
struct Report {
    text: String,
    wrong: usize,
}

impl Report {
    fn good(&mut self, what: &str, text: impl AsRef<str>) {
        self.line("✓", Style::new().green(), what, text.as_ref());
    }

    fn bad(&mut self, what: &str, text: impl AsRef<str>) {
        self.wrong += 1;
        self.line("✗", Style::new().red(), what, text.as_ref());
    }

    fn line(&mut self, mark: &str, style: Style, what: &str, text: &str) {
        let style = if output::is_coloured() {
            style
        } else {
            Style::new()
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.text
            .push_str(&format!("{} {what:<18} {text}\n", mark.style(style)));
    }
}

fn data_dir(settings: &Settings, report: &mut Report) {
    let what = "data directory";
    let path = match std::path::absolute(&settings.data_dir) {
        Ok(path) => path,
        Err(error) => return report.bad(what, error.to_string()),
    };
    let is_there = path.symlink_metadata().is_ok();
    // If the directory is not created yet, its nearest existing parent folder decides.
    let Some(folder) = path
        .ancestors()
        .find(|folder| folder.symlink_metadata().is_ok())
    else {
        return report.bad(what, "none of its parent folders exists");
    };
    if is_there {
        privacy(&path, report);
    }
    match probe(folder) {
        Ok(()) if is_there => report.good(what, format!("{} can be written", path.display())),
        Ok(()) => report.good(
            what,
            format!(
                "{} will be created by the first command that needs it",
                path.display()
            ),
        ),
        Err(error) => report.bad(what, refusal(&path, &error).to_string()),
    }
    match room(folder) {
        Some(room) if room >= ROOM_MIN => report.good("free space", megabytes(room)),
        Some(room) => report.bad("free space", format!("{}: make room", megabytes(room))),
        None => report.bad("free space", "cannot be told"),
    }
}

/// Checks that other accounts of the machine have no access to the data directory.
fn privacy(path: &Path, report: &mut Report) {
    let what = "data privacy";
    match open_to_others(path) {
        Ok(open) if open.is_empty() => {
            report.good(what, "no other account can read the data directory")
        }
        Ok(open) => {
            let listed: Vec<String> = open
                .iter()
                .take(NAMED_MAX)
                .map(|(path, mode)| format!("{} has mode {mode:o}", path.display()))
                .collect();
            let more = match open.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            report.bad(
                what,
                format!(
                    "{}{more}: run `chmod -R go-rwx {}`",
                    listed.join(", "),
                    path.display()
                ),
            );
        }
        Err(error) => report.bad(what, format!("cannot be told: {error}")),
    }
}

fn megabytes(bytes: u64) -> String {
    let megabytes = bytes >> 20;
    if megabytes < 10_240 {
        format!("{megabytes} MiB")
    } else {
        format!("{} GiB", megabytes >> 10)
    }
}

/// Checks the local embedding model, in builds that support it.
fn local_embeddings(settings: &Settings, report: &mut Report) {
    let what = "local model";
    match local_model::look(&settings.data_dir) {
        None => {}
        Some(Ok(text)) => report.good(what, text),
        Some(Err(error)) => report.bad(what, message_of(&error)),
    }
}

async fn git(report: &mut Report) {
    match git_version().await {
        Some(version) if is_new_enough(&version) => report.good("git", version),
        Some(version) => report.bad(
            "git",
            format!("{version} is too old: install 2.45 or newer"),
        ),
        None => report.bad("git", "was not found: install 2.45 or newer"),
    }
}

/// Checks the database and its schema. Returns the database if its schema is the one of this program.
async fn database(settings: &Settings, report: &mut Report) -> Option<Place> {
    let what = "database";
    let place = Place::of(settings, &settings.data_dir)
        .and_then(|place| place.check(&settings.data_dir).map(|()| place));
    let place = match place {
        Ok(place) => place,
        Err(error) => {
            report.bad(what, message_of(&error));
            return None;
        }
    };
    if let Place::Sqlite(file) = &place
        && !file.exists()
    {
        report.good(what, format!("SQLite, {} will be created", file.display()));
        return None;
    }
    let connection = match connection_open(&place, settings).await {
        Ok(connection) => connection,
        Err(error) => {
            report.bad(what, message_of(&error));
            return None;
        }
    };
    match &place {
        Place::Sqlite(file) => report.good(what, format!("SQLite, {}", file.display())),
        Place::Postgres(_) => report.good(what, "PostgreSQL answers"),
    }
    let state = schema(&place, &connection, report).await;
    let is_current = matches!(state, Ok(true));
    match state {
        Err(error) => report.bad("schema", format!("cannot be read: {error}")),
        // The objects of another schema are not compared.
        Ok(false) => {}
        Ok(true) => {
            if let Err(error) = guard(&connection, report).await {
                report.bad("schema objects", format!("cannot be read: {error}"));
            }
        }
    }
    // The connection was only read from: an error at its end loses nothing.
    let _closed = connection.close().await;
    is_current.then_some(place)
}

/// Whether the schema is the one of this program.
async fn schema(
    place: &Place,
    db: &DatabaseConnection,
    report: &mut Report,
) -> Result<bool, DbErr> {
    let state = schema_state(db).await?;
    match (state, place) {
        (SchemaState::Current, _) => report.good("schema", "current"),
        (SchemaState::Newer, _) => report.bad("schema", Error::DatabaseNewer.to_string()),
        (SchemaState::Behind, Place::Sqlite(_)) => {
            report.good(
                "schema",
                "will be migrated by the next command that uses it",
            );
        }
        (SchemaState::Behind, Place::Postgres(_)) => {
            report.bad("schema", Error::SchemaBehind.to_string());
        }
    }
    Ok(state == SchemaState::Current)
}

/// Checks that all objects that separate the tenants are in place.
async fn guard(db: &DatabaseConnection, report: &mut Report) -> Result<(), DbErr> {
    for check in guard_check(db).await? {
        if check.problems.is_empty() {
            report.good(check.what, check.good);
        } else {
            let problems = check.problems.join("; ");
            report.bad(check.what, format!("{problems}. {}", check.remedy));
        }
    }
    Ok(())
}
