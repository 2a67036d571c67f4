//! `interpret evaluate`: how late and how good the interpretation of recordings is.

mod run;
mod select;
mod show;
mod stream;
mod write;

use std::path::PathBuf;

use interpret_models::Language;

use self::run::Run;
use super::{Failure, ServerArgs, interrupt::Interrupts, request::ModeArg};
use crate::{error::ClientError, exit_status::ExitStatus};

/// Arguments of `interpret evaluate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recordings: a table with tabs between its columns `audio`, `language`, `transcript`,
    /// `target_language`, `reference` (docs/evaluation.md).
    manifest: PathBuf,
    /// Folder for the report, the event logs and the speech; made if need be.
    #[arg(long, value_name = "DIR")]
    report: PathBuf,
    /// Interpret only into these languages; recordings whose manifest names no target get the first
    /// that they are not spoken in.
    #[arg(long, value_name = "LANGUAGE", value_delimiter = ',')]
    to: Vec<String>,
    /// Only recordings whose name (such as talk.fr-en) holds this.
    #[arg(long, value_name = "SUBSTRING")]
    only: Option<String>,
    /// Trade between delay and quality [default: the daemon's].
    #[arg(long, value_enum)]
    mode: Option<ModeArg>,
    /// Score the event logs in this folder (NAME.jsonl and, for the speech, NAME.wav); stream nothing.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["offline", "mode"])]
    logs: Option<PathBuf>,
    /// Recognise and translate whole files in this process instead: the ceiling. No latency.
    #[arg(long, conflicts_with = "mode")]
    offline: bool,
    /// Compare BLEU with that of this report.json, made with --offline.
    #[arg(long, value_name = "REPORT.json", conflicts_with = "offline")]
    offline_report: Option<PathBuf>,
    /// Do not recognise the speech again: no ASR-BLEU.
    #[arg(long)]
    no_asr: bool,
    /// What the report calls this run.
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Evaluates.
///
/// # Errors
///
/// One for each thing that went wrong; the first decides on the exit code. A recording that fails
/// does not keep the others from being measured.
pub async fn run(args: Args) -> Result<(), Failure> {
    let interrupts =
        Interrupts::listen().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?;
    let mut run = Run::prepare(&args).await?;
    let failed = run.measure(interrupts).await;
    let mut failures: Vec<Failure> = failed.into_iter().map(Failure::from).collect();
    if let Err(error) = run.report() {
        failures.push(error.into());
    }
    match Failure::first_of(failures) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

fn languages(codes: &[String]) -> Result<Vec<Language>, ClientError> {
    let parsed: Result<_, _> = codes.iter().map(|code| code.parse()).collect();
    Ok(parsed?)
}
