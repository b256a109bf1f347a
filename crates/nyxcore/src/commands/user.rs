//! `user set-password`: what an operator does for a person who cannot sign in.

use std::io::{BufRead, IsTerminal, Read};

use nyxcore_tenancy::sign_in::{Password, PasswordHasher, password_reset};

use crate::cli::UserCommand;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::wiring::App;

/// The longest line that is read: four bytes for each character of the longest password.
const LINE_MAX: u64 = 4 * 1024 + 2;

/// Carries out a command on accounts.
///
/// # Errors
/// `NOT_FOUND` for the person, `INVALID_INPUT` for what is no password; the database cannot be used.
pub async fn run(settings: Settings, command: UserCommand) -> Result<()> {
    let UserCommand::SetPassword { email } = command;
    App::once(settings, async |app| password_take(app, &email).await).await
}

async fn password_take(app: &App, email: &str) -> Result<()> {
    if std::io::stdin().is_terminal() {
        anstream::eprint!("New password for {email}: ");
    }
    let password = line_read().map_err(|error| Error::io("reading the password", &error))?;
    let user = password_reset(&app.store, &PasswordHasher::new()?, email, &password).await?;
    anstream::eprintln!("{} has a new password; all sessions ended", user.email);
    Ok(())
}

fn line_read() -> std::io::Result<Password> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(LINE_MAX)
        .read_line(&mut line)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(Password::new(line))
}
