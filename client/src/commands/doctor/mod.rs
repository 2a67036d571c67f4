//! `interpret doctor`: what this machine has, and what it can do.

mod machine;
mod speed;

use interpret_models::store::{Settings, Store};

use super::{Failure, ServerArgs};
use crate::{
    device::{Direction, devices},
    error::ClientError,
};

/// Arguments of `interpret doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Do not measure the speed.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Looks at everything that interpreting at a microphone needs, and says what to do.
///
/// # Errors
///
/// What is missing; all of it, each with what to do about it.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut report = Report::default();
    machine::look(&mut report);
    look_at_devices(&mut report);
    let ready = look_at_models(&mut report);
    if ready && !args.quick {
        let measured = speed::measure(&args.server).await;
        match measured {
            Ok(speed) => speed.tell(&mut report),
            Err(error) => report.bad("speed", error),
        }
    }
    report.print()?;
    let problems = report.problems.into_iter().map(Failure::from).collect();
    match Failure::first_of(problems) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// Lines for the person, and what is wrong.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: Vec<(String, String)>,
    problems: Vec<ClientError>,
}

impl Report {
    fn line(&mut self, what: &str, is: impl Into<String>) {
        self.lines.push((what.to_owned(), is.into()));
    }

    fn bad(&mut self, what: &str, error: impl Into<ClientError>) {
        let error = error.into();
        self.line(what, format!("PROBLEM: {error}"));
        self.problems.push(error);
    }

    fn print(&self) -> Result<(), ClientError> {
        use std::io::Write;
        let mut out = std::io::stdout().lock();
        for (what, is) in &self.lines {
            writeln!(out, "{what:<12}  {is}").map_err(ClientError::Stdout)?;
        }
        Ok(())
    }
}

fn look_at_devices(report: &mut Report) {
    let found = match devices() {
        Ok(found) => found,
        Err(error) => {
            report.bad("devices", error);
            return;
        }
    };
    for direction in [Direction::Input, Direction::Output] {
        let all: Vec<_> = found.iter().filter(|d| d.direction == direction).collect();
        let chosen = all.iter().find(|device| device.default).or(all.first());
        match chosen {
            Some(device) => report.line(
                direction.role(),
                format!(
                    "{} ({} Hz, {} channels); {} in all",
                    device.name,
                    device.rate_hz,
                    device.channels,
                    all.len()
                ),
            ),
            None => report.bad(
                direction.role(),
                crate::device::DeviceError::NoDevice { direction },
            ),
        }
    }
}

/// Whether everything is there that a session needs.
fn look_at_models(report: &mut Report) -> bool {
    let store = match Settings::from_env().and_then(Store::open) {
        Ok(store) => store,
        Err(error) => {
            report.bad("models", error);
            return false;
        }
    };
    let pairs = store.installed_pairs();
    let needed = [
        ("detection", store.detection().map(|_| ())),
        ("recognition", store.recognition(None).map(|_| ())),
        ("runtime", store.onnx_runtime().map(|_| ())),
    ];
    let mut ready = true;
    for (what, there) in needed {
        match there {
            Ok(()) => {}
            Err(error) => {
                ready = false;
                report.bad(what, error);
            }
        }
    }
    let names: Vec<String> = pairs.iter().map(ToString::to_string).collect();
    if names.is_empty() {
        ready = false;
        report.line(
            "translation",
            "no pair; `interpret models fetch` fetches the default ones",
        );
    } else {
        report.line("translation", names.join(", "));
    }
    ready
}
