//! `interpret devices`: microphones and loudspeakers.

use super::table::{print_json, print_table};
use crate::{
    device::{DeviceError, Direction, devices},
    error::ClientError,
};

/// Arguments of `interpret devices`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Lists the devices.
///
/// # Errors
///
/// Where there is none, the sound system does not answer, or standard output cannot be written.
pub fn run(args: &Args) -> Result<(), ClientError> {
    let found = devices()?;
    if args.json {
        return print_json(&found);
    }
    if found.is_empty() {
        let direction = Direction::Input;
        return Err(DeviceError::NoDevice { direction }.into());
    }
    let rows: Vec<[String; 4]> = found
        .into_iter()
        .map(|device| {
            let (rate, channels) = (device.rate_hz, device.channels);
            let mark = if device.default { "*" } else { "" };
            [
                format!("{}{mark}", device.direction),
                device.name,
                format!("{rate} Hz, {channels} ch, {}", device.format),
                device.id,
            ]
        })
        .collect();
    print_table(["KIND (* DEFAULT)", "NAME", "FORMAT", "ID"], &rows)
}
