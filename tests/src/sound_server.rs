//! A PulseAudio server of a test's own, with a fake microphone and fake headphones.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

/// A server that takes longer to start has failed.
const START_WITHIN: Duration = Duration::from_secs(20);

/// What the server has: a room, which the microphone hears, and headphones.
const DEVICES: &str = "\
load-module module-null-sink sink_name=room rate=48000 sink_properties=device.description=Room
load-module module-null-sink sink_name=headphones rate=44100 sink_properties=device.description=Headphones
load-module module-remap-source master=room.monitor source_name=microphone source_properties=device.description=Microphone
set-default-sink headphones
set-default-source microphone
";

/// A running server. Dropped, it ends.
#[derive(Debug)]
pub struct SoundServer {
    folder: TempDir,
    process: Child,
}

/// A program that plays or records; ended when dropped.
#[derive(Debug)]
pub struct Tool(Child);

impl SoundServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    /// When it does not start; `scripts/setup` installs it.
    pub fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        let script = folder.path().join("devices.pa");
        let socket = folder.path().join("native");
        std::fs::write(
            &script,
            format!(
                "load-module module-native-protocol-unix socket={} auth-anonymous=1\n{DEVICES}",
                socket.display()
            ),
        )?;
        let process = Command::new("pulseaudio")
            .args([
                "-n",
                "--daemonize=no",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
            ])
            .args(["--realtime=no", "--high-priority=no", "-F"])
            .arg(&script)
            .env("HOME", folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .env("PULSE_RUNTIME_PATH", folder.path())
            .env("PULSE_STATE_PATH", folder.path())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()
            .context("starting pulseaudio (scripts/setup installs it)")?;
        let server = Self { folder, process };
        let began = Instant::now();
        while server.pactl(&["info"]).is_err() {
            if began.elapsed() > START_WITHIN {
                let log = std::fs::read_to_string(server.folder.path().join("log"))?;
                bail!("pulseaudio does not answer:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Where it is: the value of `PULSE_SERVER`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:{}", self.folder.path().join("native").display())
    }

    /// A command for one of its clients.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("PULSE_SERVER", self.address());
        command
    }

    /// Asks the server something; returns what it says.
    ///
    /// # Errors
    /// When it refuses or does not answer.
    pub fn pactl(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command("pactl").args(arguments).output()?;
        if !output.status.success() {
            bail!(
                "pactl {arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Unplugs the headphones; returns nothing that could be plugged in again.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn unplug(&self, sink: &str) -> Result<()> {
        let modules = self.pactl(&["list", "short", "modules"])?;
        let module = modules
            .lines()
            .find(|line| line.contains(&format!("sink_name={sink} ")))
            .and_then(|line| line.split_whitespace().next())
            .with_context(|| format!("no module makes {sink}:\n{modules}"))?;
        self.pactl(&["unload-module", module]).map(|_| ())
    }

    /// Plugs a device in.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn plug(&self, sink: &str, rate_hz: u32) -> Result<()> {
        self.pactl(&[
            "load-module",
            "module-null-sink",
            &format!("sink_name={sink}"),
            &format!("rate={rate_hz}"),
            &format!("sink_properties=device.description={sink}"),
        ])
        .map(|_| ())
    }

    /// Starts to play a sound file into a sink.
    ///
    /// # Errors
    /// When the player cannot be started.
    pub fn play(&self, sink: &str, file: &Path) -> Result<Tool> {
        let mut command = self.command("paplay");
        command.arg(format!("--device={sink}")).arg(file);
        Ok(Tool(command.spawn()?))
    }

    /// Starts to record what a sink plays, mono at 16 kHz, as a WAV file.
    ///
    /// # Errors
    /// When the recorder cannot be started.
    pub fn record(&self, sink: &str, name: &str) -> Result<(Tool, PathBuf)> {
        let path = self.folder.path().join(name);
        let mut command = self.command("parec");
        command
            .arg(format!("--device={sink}.monitor"))
            .args(["--rate=16000", "--channels=1", "--format=s16le"])
            .args(["--file-format=wav", "--latency-msec=20"])
            .arg(&path);
        Ok((Tool(command.spawn()?), path))
    }
}

impl Tool {
    /// Takes a process, which ends with it.
    #[must_use]
    pub fn new(process: Child) -> Self {
        Self(process)
    }

    /// The process, to read from or write to.
    pub fn process(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it fails.
    pub fn wait(mut self) -> Result<()> {
        let status = self.0.wait()?;
        if !status.success() {
            bail!("a sound tool ended with {status}");
        }
        Ok(())
    }

    /// Ends it as Ctrl-C would, so that it completes its file.
    ///
    /// # Errors
    /// When it cannot be told to end.
    pub fn stop(mut self) -> Result<()> {
        interrupt(&self.0)?;
        self.0.wait()?;
        Ok(())
    }
}

/// Sends a process what Ctrl-C sends.
///
/// # Errors
/// When it is gone.
pub fn interrupt(process: &Child) -> Result<()> {
    let id = process.id().to_string();
    let status = Command::new("kill").args(["-INT", &id]).status()?;
    if !status.success() {
        bail!("kill -INT {id}: {status}");
    }
    Ok(())
}

impl Drop for Tool {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for SoundServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
