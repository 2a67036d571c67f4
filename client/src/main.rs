//! `interpret`: the command-line client of interpretd.

use std::process::ExitCode;

fn main() -> ExitCode {
    interpret::commands::main()
}
