//! Standard output: what a program reads, and summaries. A reader that went away is no error.

use std::io::{self, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};

use crate::error::{Error, Result};

/// The width that a summary has where there is no terminal.
const WIDTH: usize = 100;

/// Writes to standard output.
///
/// # Errors
/// It refuses, other than because nobody reads it any more.
pub fn write(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::io("writing to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Whether standard output shows colours: it is a terminal, and nothing in the environment says no.
pub fn is_coloured() -> bool {
    !matches!(AutoStream::choice(&io::stdout()), ColorChoice::Never)
}

/// The columns of the terminal; of a page, where it is not written to one.
pub fn width_of(to_terminal: bool) -> usize {
    if to_terminal { width() } else { WIDTH }
}

/// The columns of the terminal.
pub fn width() -> usize {
    let size = console::Term::stdout().size_checked();
    size.map_or(WIDTH, |(_rows, columns)| usize::from(columns))
}
