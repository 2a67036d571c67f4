//! `interpret token`: a new token for a daemon.

use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::Failure;
use crate::{error::ClientError, exit_status::ExitStatus};

/// Bytes of a token: 256 bits.
const BYTES: usize = 32;

/// Arguments of `interpret token`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose it is, for the daemon's log.
    name: String,
    /// File of tokens to add it to (listen.tokens of the daemon), which a running daemon reads again by
    /// itself; without it, what is to be added is printed.
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    /// Sessions at once that it may have [default: as many as the daemon takes].
    #[arg(long, value_name = "N")]
    sessions: Option<u32>,
    /// Minutes of speech a day that it may have [default: any].
    #[arg(long, value_name = "N")]
    minutes_per_day: Option<u32>,
    /// Room that it may open and listen to; may be repeated, and a `*` at the end stands for any ending
    /// [default: all rooms].
    #[arg(long, value_name = "NAME")]
    room: Vec<String>,
    /// From when on it is taken no more, such as 2027-01-31T00:00:00Z [default: never].
    #[arg(long, value_name = "TIME")]
    expires: Option<jiff::Timestamp>,
}

/// Prints a new token; it is kept nowhere.
///
/// # Errors
///
/// Where the file cannot be written.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut random = [0_u8; BYTES];
    getrandom::fill(&mut random).map_err(|error| Failure::new(ExitStatus::Unexpected, error))?;
    let token = hexadecimal(&random);
    let entry = entry(args, &interpretd::access::digest(&token));
    let mut stdout = io::stdout();
    match &args.into {
        None => {
            writeln!(
                stdout,
                "{token}\n\n# for the daemon's file of tokens:\n{entry}"
            )
            .map_err(ClientError::Stdout)?;
        }
        Some(path) => {
            refuse_second(path, &args.name)?;
            let written = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(path)
                .and_then(|mut file| file.write_all(format!("\n{entry}").as_bytes()));
            written.map_err(|source| ClientError::Output {
                path: path.clone(),
                source,
            })?;
            writeln!(stdout, "{token}").map_err(ClientError::Stdout)?;
        }
    }
    Ok(())
}

/// Two tokens of one name would make the daemon refuse the whole file.
fn refuse_second(path: &Path, name: &str) -> Result<(), ClientError> {
    let Ok(text) = std::fs::read_to_string(path) else {
        return Ok(());
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        ClientError::Usage(format!(
            "{} is no file of tokens: {}",
            path.display(),
            error.message()
        ))
    })?;
    let tokens = table.get("token").and_then(toml::Value::as_array);
    let named = |token: &toml::Value| token.get("name").and_then(toml::Value::as_str) == Some(name);
    if tokens.is_some_and(|tokens| tokens.iter().any(named)) {
        return Err(ClientError::Usage(format!(
            "{} has a token named {name} already; take that out first, or choose another name",
            path.display()
        )));
    }
    Ok(())
}

fn entry(args: &Args, digest: &[u8]) -> String {
    let mut entry = format!(
        "[[token]]\nname = {}\nsha256 = \"{}\"\n",
        toml::Value::from(args.name.as_str()),
        hexadecimal(digest)
    );
    // Writing to a string never fails.
    if let Some(sessions) = args.sessions {
        let _ = writeln!(entry, "sessions = {sessions}");
    }
    if let Some(minutes) = args.minutes_per_day {
        let _ = writeln!(entry, "minutes_per_day = {minutes}");
    }
    if !args.room.is_empty() {
        let _ = writeln!(entry, "rooms = {}", toml::Value::from(args.room.clone()));
    }
    if let Some(expires) = args.expires {
        let _ = writeln!(entry, "expires = \"{expires}\"");
    }
    entry
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
