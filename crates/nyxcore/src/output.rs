//! Standard output: machine-readable results and summaries. A closed pipe is not an error.

use std::io::{self, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use unicode_width::UnicodeWidthStr;

use crate::error::Result;

/// The width of a summary without a terminal.
const WIDTH: usize = 100;

/// Writes to standard output.
///
/// # Errors
/// Writing fails, other than because the pipe is closed.
pub fn write(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("writing to standard output failed")
        }
        _ => Ok(()),
    }
}

/// Whether standard output shows colours: it is a terminal, and the environment does not forbid them.
pub fn is_coloured() -> bool {
    !matches!(AutoStream::choice(&io::stdout()), ColorChoice::Never)
}

/// The width of the terminal, or the default width where the output is not a terminal.
pub fn width_of(to_terminal: bool) -> usize {
    if to_terminal { width() } else { WIDTH }
}

/// The width of the terminal in columns.
pub fn width() -> usize {
    let size = console::Term::stdout().size_checked();
    size.map_or(WIDTH, |(_rows, columns)| usize::from(columns))
}

/// A table with headings, for a person and for `awk`: no cell is empty, and the last column is not padded. Wide letters
/// take two columns, and combining marks none.
pub struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Table<N> {
    /// A table with these headings.
    pub fn new(headings: [&str; N]) -> Self {
        Self(vec![headings.map(str::to_owned)])
    }

    /// Adds a row. Characters that move the cursor or reorder the line become `?`, because the cells may be untrusted
    /// text.
    pub fn row(&mut self, cells: [String; N]) {
        self.0.push(cells.map(|cell| match cell.trim() {
            "" => "-".to_owned(),
            cell => cell.replace(is_harmful, "?"),
        }));
    }

    /// Formats the table.
    pub fn text(&self) -> String {
        let widths: [usize; N] = std::array::from_fn(|column| {
            let width = |row: &[String; N]| row[column].width();
            self.0.iter().map(width).max().unwrap_or_default()
        });
        let mut text = String::new();
        for row in &self.0 {
            let cells = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// Whether a character is a control character, or changes the direction of text (Unicode, Bidi_Control).
pub fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_and_shows_no_control_characters() {
        let mut table = Table::new(["NAME", "ID"]);
        table.row(["a\u{1b}[2J\u{202e}b".into(), "1".into()]);
        table.row([String::new(), "22".into()]);
        assert_eq!(table.text(), "NAME     ID\na?[2J?b  1\n-        22\n");
    }

    #[test]
    fn wide_letters_and_marks_line_up() {
        let mut table = Table::new(["NAME", "ID"]);
        table.row(["漢字".into(), "1".into()]);
        table.row(["Ame\u{301}lie".into(), "2".into()]);
        assert_eq!(table.text(), "NAME    ID\n漢字    1\nAme\u{301}lie  2\n");
    }
}
