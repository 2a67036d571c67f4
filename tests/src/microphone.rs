//! `interpret mic` as a process of its own, at a sound server of the test's.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::{
    daemon_process::program,
    interpret_command::{Interpreted, read_events},
    sound_server::{SoundServer, interrupt},
};

/// Lines that wait for the test.
const LINES: usize = 10_000;

/// A running `interpret mic --plain`, which writes its event log and captions into a folder.
#[derive(Debug)]
pub struct MicProcess {
    child: Child,
    folder: TempDir,
    lines: Receiver<String>,
    /// Everything it has said.
    pub said: Vec<String>,
}

impl MicProcess {
    /// Starts it at a microphone, with further `flags`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(server: &SoundServer, microphone: &str, flags: &[&str]) -> Result<Self> {
        let folder = TempDir::new()?;
        let mut child = server
            .command(program("interpret")?)
            .args(["mic", "--plain", "--microphone", microphone])
            .arg("--events")
            .arg(folder.path().join("log.jsonl"))
            .arg("--captions")
            .arg(folder.path().join("captions.vtt"))
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (lines, received) = sync_channel(LINES);
        let stdout = child.stdout.take().context("no standard output")?;
        let stderr = child.stderr.take().context("no standard error")?;
        let readers: [Box<dyn std::io::Read + Send>; 2] = [Box::new(stdout), Box::new(stderr)];
        for reader in readers {
            let lines = lines.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(reader).lines().map_while(Result::ok) {
                    if lines.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self {
            child,
            folder,
            lines: received,
            said: Vec::new(),
        })
    }

    /// Waits until it says something that holds `wanted`.
    ///
    /// # Errors
    /// When it ends, or does not say it in time; the error holds what it said.
    pub fn wait_for(&mut self, wanted: &str, within: Duration) -> Result<String> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(wanted) {
                        return Ok(line);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("not said in time: {wanted}\n{}", self.said.join("\n"))
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("it ended before saying: {wanted}\n{}", self.said.join("\n"))
                }
            }
        }
    }

    /// What it says within a time.
    pub fn lines_within(&mut self, time: Duration) -> Vec<String> {
        let until = Instant::now() + time;
        let mut lines = Vec::new();
        while let Ok(line) = self
            .lines
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            self.said.push(line.clone());
            lines.push(line);
        }
        lines
    }

    /// Waits until it listens.
    ///
    /// # Errors
    /// When it does not start to.
    pub fn wait_until_ready(&mut self) -> Result<()> {
        self.wait_for("microphone: Microphone", Duration::from_secs(60))
            .map(|_| ())
    }

    /// Ends it as Ctrl-C would, and waits until it has completed its work.
    ///
    /// # Errors
    /// When it cannot be told to.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        interrupt(&self.child)?;
        self.wait()
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait()?;
        self.said.extend(self.lines.iter());
        Ok(status)
    }

    /// What it left behind, once it has ended; `wav` is what somebody recorded of it.
    ///
    /// # Errors
    /// When it left nothing.
    pub fn result(&self, wav: PathBuf) -> Result<Interpreted> {
        Ok(Interpreted {
            wav,
            vtt: self.folder.path().join("captions.vtt"),
            events: read_events(&self.folder.path().join("log.jsonl"))?,
        })
    }
}

impl Drop for MicProcess {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
