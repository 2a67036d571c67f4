//! Rows under headings, for people; JSON, for programs.

use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::error::ClientError;

/// Prints rows in columns as wide as they need to be.
pub(super) fn print_table<const N: usize>(
    headings: [&str; N],
    rows: &[[String; N]],
) -> Result<(), ClientError> {
    write_table(&mut io::stdout().lock(), headings, rows).map_err(ClientError::Stdout)
}

/// Prints one JSON value.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), ClientError> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)
        .map_err(io::Error::from)
        .and_then(|()| writeln!(out))
        .map_err(ClientError::Stdout)
}

fn write_table<const N: usize>(
    out: &mut impl Write,
    headings: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let mut widths = headings.map(UnicodeWidthStr::width);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let headings = headings.map(str::to_owned);
    for row in std::iter::once(&headings).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width + 2 - cell.width()));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let mut out = Vec::new();
        let rows = [
            ["中文", "x"].map(str::to_owned),
            ["a", "y"].map(str::to_owned),
        ];
        write_table(&mut out, ["N", "K"], &rows).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "N     K\n中文  x\na     y\n"
        );
    }
}
