//! Running the package registries' own clients.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use super::failure::Failure;

/// For a question; a download by the client has no limit.
const QUESTION: Duration = Duration::from_secs(60);

/// Runs a program that answers a question and returns what it prints.
pub(crate) async fn ask(program: &[&str], arguments: &[&str]) -> Result<String, Failure> {
    match tokio::time::timeout(QUESTION, run(program, arguments)).await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::Unavailable(format!(
            "'{}' gave no answer in {} s",
            program.join(" "),
            QUESTION.as_secs()
        ))),
    }
}

/// Runs a program to its end and returns what it prints. Dropped, it is killed.
pub(crate) async fn run(program: &[&str], arguments: &[&str]) -> Result<String, Failure> {
    let Some((name, first)) = program.split_first() else {
        return Err(Failure::Unavailable("no program".to_owned()));
    };
    let output = Command::new(name)
        .args(first)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Failure::Unavailable(format!("the program '{name}' is not installed"))
            }
            _ => Failure::Unavailable(format!("cannot run '{name}': {error}")),
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let reason = errors.lines().map(str::trim).rev().find(|line| {
        let lower = line.to_ascii_lowercase();
        lower.contains("err") && !lower.contains("complete log")
    });
    Err(Failure::Unavailable(format!(
        "'{}' failed: {}",
        program.join(" "),
        reason.unwrap_or(errors.trim())
    )))
}

/// The only file in `folder`: what a client downloaded.
pub(crate) fn only_file(folder: &Path) -> Result<PathBuf, Failure> {
    let entries = std::fs::read_dir(folder).map_err(Failure::io("read", folder))?;
    let mut files = entries.flatten().map(|entry| entry.path());
    files
        .next()
        .ok_or_else(|| Failure::Unavailable("the client downloaded nothing".to_owned()))
}
