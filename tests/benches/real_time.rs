//! One live session on this machine: what it costs and how far it lies behind.
//!
//! `make bench` prints, for recordings streamed at the speed of speech, the compute time of each
//! stage per second of audio, the memory the daemon holds, and the ear-voice span: from the end of a
//! clause in the source to the moment its translation begins to sound.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use interpret_tests::{daemon_process::DaemonProcess, interpret_command::interpret, speech};
use tempfile::TempDir;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    for (from, to, names) in [
        ("fr", "en", ["docs-a-fr", "docs-b-fr", "docs-c-fr"]),
        ("en", "fr", ["docs-a-en", "docs-b-en", "docs-c-en"]),
    ] {
        let daemon = DaemonProcess::ready(&["--preload", &format!("{from}-{to}")]).await?;
        let server = format!("unix:{}", daemon.socket().display());
        println!("\n{from} to {to}, one session, real time, base model");
        for name in names {
            let recording = speech::recording(name)?;
            let folder = TempDir::new()?;
            let wav = folder.path().join("out.wav");
            let path = recording.path.to_string_lossy();
            let output = interpret(&[
                "file",
                &path,
                "--from",
                from,
                "--to",
                to,
                "--server",
                &server,
                "--output",
                &wav.to_string_lossy(),
            ])?;
            let summary = String::from_utf8_lossy(&output.stderr).into_owned();
            if !output.status.success() {
                anyhow::bail!("interpret file {name}: {summary}");
            }
            println!("{name}:\n{summary}");
        }
        let peak = peak_resident_bytes(daemon.id()).context("memory of the daemon")?;
        println!(
            "daemon, one pair: {:.0} MiB at its peak",
            peak as f64 / f64::from(1 << 20)
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The most memory the process has held (Linux: `VmHWM`).
fn peak_resident_bytes(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .context("no VmHWM")?;
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .context("no number")?
        .parse()?;
    Ok(kib * 1024)
}
