//! The files of a report.

use std::{fs, path::Path};

use crate::{
    error::ClientError,
    evaluation::{
        Log, plots,
        report::{Kind, Report, markdown, to_json},
        score::Subject,
        simuleval::Export,
    },
};

/// `NAME.svg`, the session from top to bottom, and `NAME.heard.txt`, what the recogniser heard in the
/// speech.
pub(super) fn session(
    folder: &Path,
    subject: &Subject,
    log: &Log,
    heard: Option<&str>,
) -> Result<(), ClientError> {
    let name = subject.name();
    let picture = plots::timeline(&name, log, subject.target.code());
    write(folder, &format!("{name}.svg"), &picture)?;
    match heard {
        Some(heard) => write(folder, &format!("{name}.heard.txt"), &format!("{heard}\n")),
        None => Ok(()),
    }
}

/// `report.json`, `report.md` and, of a streamed run, the pictures.
pub(super) fn report(folder: &Path, report: &Report) -> Result<(), ClientError> {
    write(folder, "report.json", &json(to_json(report))?)?;
    write(folder, "report.md", &markdown(report))?;
    if report.kind == Kind::Streamed {
        write(folder, "lag.svg", &plots::lag_over_time(report))?;
        write(folder, "span.svg", &plots::span_histogram(report))?;
    }
    Ok(())
}

/// What `SimulEval` and `OmniSTEval` read.
pub(super) fn export(folder: &Path, sessions: &[(Subject, Log)]) -> Result<(), ClientError> {
    if sessions.is_empty() {
        return Ok(());
    }
    let mut export = Export::default();
    for (subject, log) in sessions {
        export.add(subject, log);
    }
    for (name, text) in json(export.files())? {
        write(folder, name, &text)?;
    }
    Ok(())
}

fn json<T>(made: serde_json::Result<T>) -> Result<T, ClientError> {
    made.map_err(|error| ClientError::Engine(error.to_string()))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), ClientError> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|source| ClientError::Output { path, source })
}
