//! The command line: one file per sub-command.

pub mod devices;
pub mod doctor;
pub mod evaluate;
pub mod file;
mod glossary;
mod interrupt;
pub mod languages;
pub mod listen;
mod logging;
pub mod mic;
pub mod models;
mod report;
mod request;
mod server;
pub mod shell;
mod source;
mod table;
pub mod token;
pub mod voices;
mod work;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use report::{Failure, print_failure};
pub use server::ServerArgs;

use crate::exit_status::ExitStatus;

/// Interprets speech into other languages while the speaker is still speaking.
#[derive(Debug, Parser)]
#[command(name = "interpret", version, after_help = ExitStatus::help_table())]
#[command(propagate_version = true, max_term_width = 100)]
struct Cli {
    /// Say more on standard error (-vv: much more). INTERPRET_LOG sets a filter instead.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Interpret a recording: captions on the terminal, audio, captions and events into files.
    File(file::Args),
    /// Interpret what a microphone hears, into headphones and onto the terminal.
    // Larger than the others: boxed.
    Mic(Box<mic::Args>),
    /// Listen to what somebody says in a room, in one's own language.
    Listen(listen::Args),
    /// Measure: stream recordings at the speed of speech, score the event logs, write a report.
    Evaluate(evaluate::Args),
    /// List microphones and loudspeakers.
    Devices(devices::Args),
    /// See what this machine has and how fast it is, and what to choose.
    Doctor(doctor::Args),
    /// List the language pairs that are ready.
    Languages(languages::Args),
    /// List the voices that are ready.
    Voices(voices::Args),
    /// List, fetch, verify, find, remove and import models.
    Models(models::Args),
    /// Make a token that a daemon knows a client by.
    Token(token::Args),
    /// Print a script that completes commands in a shell.
    Completions(shell::CompletionsArgs),
    /// Write manual pages.
    Man(shell::ManArgs),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::init(cli.verbose);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(ExitStatus::Unexpected, error))
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(cli.command));
            // A thread that still decodes must not hold the process.
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(()) => ExitStatus::Ok.into(),
        Err(failure) => {
            print_failure(&failure);
            failure.status().into()
        }
    }
}

async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::File(args) => file::run(args).await,
        Command::Mic(args) => mic::run(*args).await,
        Command::Listen(args) => listen::run(args).await,
        Command::Devices(args) => Ok(devices::run(&args)?),
        Command::Doctor(args) => doctor::run(args).await,
        Command::Token(args) => token::run(&args),
        Command::Completions(args) => Ok(shell::completions(&args, Cli::command())?),
        Command::Man(args) => Ok(shell::man(&args, Cli::command())?),
        Command::Evaluate(args) => evaluate::run(args).await,
        Command::Languages(args) => Ok(languages::run(args).await?),
        Command::Voices(args) => Ok(voices::run(args).await?),
        Command::Models(args) => Ok(models::run(args).await?),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
