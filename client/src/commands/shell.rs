//! `interpret completions` and `interpret man`: what a package installs beside the program.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Command;
use clap_complete::Shell;

use crate::error::ClientError;

/// Arguments of `interpret completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// Arguments of `interpret man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Folder to write the pages into: interpret.1 and one for each sub-command.
    folder: PathBuf,
}

/// Prints the completion script of a shell.
///
/// # Errors
///
/// Where standard output cannot be written.
pub fn completions(args: &CompletionsArgs, mut command: Command) -> Result<(), ClientError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "interpret", &mut script);
    io::stdout()
        .lock()
        .write_all(&script)
        .map_err(ClientError::Stdout)
}

/// Writes the manual pages.
///
/// # Errors
///
/// Where they cannot be written.
pub fn man(args: &ManArgs, command: Command) -> Result<(), ClientError> {
    std::fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(command, &args.folder))
        .map_err(|source| ClientError::Output {
            path: args.folder.clone(),
            source,
        })
}
