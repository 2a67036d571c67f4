//! The table of models.

use std::io::{self, Write};

use interpret_models::{catalogue::Model, error::Bytes, store::Store};

const TITLES: [&str; 6] = ["NAME", "KIND", "LANGUAGES", "SIZE", "LICENCE", "STATE"];

/// Writes the table, and where the models lie.
pub(super) fn print(store: &Store, out: &mut impl Write) -> io::Result<()> {
    let models: Vec<&Model> = store.catalogue().models().collect();
    let rows: Vec<[String; 6]> = models.iter().map(|model| row(store, model)).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].len());
        cells.chain([TITLES[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
    let titles = TITLES.map(str::to_owned);
    for row in std::iter::once(&titles).chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    let installed = models.iter().filter(|model| store.is_installed(model));
    let size: u64 = installed.map(|model| model.size()).sum();
    let default = models.iter().filter(|model| model.default);
    let default: u64 = default.map(|model| model.size()).sum();
    writeln!(
        out,
        "\n{} installed in {}; the default set (*) has {}.",
        Bytes(size),
        store.settings().cache.display(),
        Bytes(default)
    )
}

fn row(store: &Store, model: &Model) -> [String; 6] {
    let languages = match model.pair {
        Some(pair) => pair.to_string(),
        None => model.languages.to_string(),
    };
    let size = match (model.files.is_empty(), model.size()) {
        (true, _) => "-".to_owned(),
        (false, size) => Bytes(size).to_string(),
    };
    let state = if model.files.is_empty() {
        "not for this platform"
    } else if store.is_installed(model) {
        "installed"
    } else {
        "-"
    };
    let mark = if model.default { "*" } else { "" };
    [
        format!("{}{mark}", model.name),
        model.kind.to_string(),
        languages,
        size,
        model.licence.clone(),
        state.to_owned(),
    ]
}
