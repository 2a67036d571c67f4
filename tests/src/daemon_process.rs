//! `interpretd` as a process of its own, on real sockets.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use interpret_proto::v1::interpreter_client::InterpreterClient;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::resources::Resources;

/// A daemon that is killed when dropped.
#[derive(Debug)]
pub struct DaemonProcess {
    child: Child,
    folder: TempDir,
}

/// The program `name` of this workspace, or `examples/` with the name of an example, as cargo has built
/// it beside the tests.
///
/// # Errors
/// When it has not been built.
pub fn program(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("the test's own folder")?;
    let path = folder.join(name);
    if !path.exists() {
        bail!(
            "{} is not built; run: cargo build --release --workspace --bins --example device_bridge",
            path.display()
        );
    }
    Ok(path)
}

impl DaemonProcess {
    /// Starts a daemon on a Unix socket and a free TCP port, with further `flags`; does not wait
    /// for its models.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(flags: &[&str]) -> Result<Self> {
        Self::start_under(&[], flags)
    }

    /// The same, under the program `wrapper`, whose last arguments are the daemon and its flags.
    fn start_under(wrapper: &[String], flags: &[&str]) -> Result<Self> {
        let folder = TempDir::new()?;
        let log = File::create(folder.path().join("log"))?;
        let daemon = program("interpretd")?;
        let mut command = match wrapper {
            [] => Command::new(daemon),
            [wrapper, arguments @ ..] => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(daemon);
                command
            }
        };
        // Unless it is to listen somewhere else.
        let listen = match flags.contains(&"--listen") {
            true => &[][..],
            false => &["--listen", "127.0.0.1:0"],
        };
        let child = command
            .args(listen)
            .args(["--log-format", "json", "--unix"])
            .arg(folder.path().join("socket"))
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("starting interpretd")?;
        Ok(Self { child, folder })
    }

    /// Starts a daemon and waits until it is ready.
    ///
    /// # Errors
    /// When it ends before that; the error holds its log.
    pub async fn ready(flags: &[&str]) -> Result<Self> {
        Self::ready_under(&[], flags).await
    }

    /// The same, with a configuration file that holds `configuration`.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub async fn ready_with(configuration: &str, flags: &[&str]) -> Result<Self> {
        // Read once, before the daemon is ready.
        let folder = TempDir::new()?;
        let file = folder.path().join("interpretd.toml");
        std::fs::write(&file, configuration)?;
        let file = file.display().to_string();
        Self::ready(&[&["--config", &file], flags].concat()).await
    }

    /// The same, under the program `wrapper`, whose last arguments are the daemon and its flags.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub async fn ready_under(wrapper: &[String], flags: &[&str]) -> Result<Self> {
        let mut daemon = Self::start_under(wrapper, flags)?;
        let begun = Instant::now();
        while daemon.health().await != Some(ServingStatus::Serving) {
            if let Some(status) = daemon.child.try_wait()? {
                bail!("interpretd ended with {status}:\n{}", daemon.log());
            }
            // Not a limit on speed, but an end for a test that would never end.
            if begun.elapsed() > Duration::from_secs(300) {
                bail!("interpretd is not ready after 300 s:\n{}", daemon.log());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(daemon)
    }

    /// What the health service says; none while nobody answers.
    pub async fn health(&self) -> Option<ServingStatus> {
        let channel = self.connect().await.ok()?;
        let request = HealthCheckRequest {
            service: "interpret.v1.Interpreter".to_owned(),
        };
        let answer = HealthClient::new(channel).check(request).await.ok()?;
        Some(answer.into_inner().status())
    }

    /// The Unix socket's file.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// The TCP address, once it is bound.
    ///
    /// # Errors
    /// When the daemon has not said it.
    pub fn tcp_address(&self) -> Result<String> {
        self.logged("address")
    }

    /// What the admin port answers to a GET of `path`: status and text. The daemon must have been
    /// started with `--admin 127.0.0.1:0`.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn admin(&self, path: &str) -> Result<(u16, String)> {
        let mut connection = TcpStream::connect(self.logged("admin")?).await?;
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        let (head, text) = answer.split_once("\r\n\r\n").context("no HTTP")?;
        let status = head.split(' ').nth(1).context("no status")?;
        Ok((status.parse()?, text.to_owned()))
    }

    /// The value of the metric `line` of the admin port, its labels included; 0 where it is not there.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub async fn metric(&self, line: &str) -> Result<f64> {
        let (_, metrics) = self.admin("/metrics").await?;
        let value = metrics.lines().find_map(|l| l.strip_prefix(line));
        Ok(value.map_or(Ok(0.0), |value| value.trim().parse())?)
    }

    /// The first value of `field` in the log.
    fn logged(&self, field: &str) -> Result<String> {
        let lines = self.log_lines();
        let mut values = lines
            .iter()
            .filter_map(|line| line["fields"][field].as_str());
        values
            .next()
            .map(str::to_owned)
            .with_context(|| format!("the log has no {field}"))
    }

    /// A connection through the Unix socket.
    ///
    /// # Errors
    /// When the daemon does not listen yet.
    pub async fn connect(&self) -> Result<Channel> {
        connect(&self.socket()).await
    }

    /// A client of the Unix socket.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn client(&self) -> Result<InterpreterClient<Channel>> {
        Ok(InterpreterClient::new(self.connect().await?))
    }

    /// What the daemon has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The same, line by line; what is no line of the log is left out.
    #[must_use]
    pub fn log_lines(&self) -> Vec<serde_json::Value> {
        let log = self.log();
        let lines = log.lines().map(serde_json::from_str);
        lines.filter_map(Result::ok).collect()
    }

    /// The file of the log.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The daemon's process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the daemon to end, as a service manager does.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn terminate(&self) -> Result<()> {
        let status = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()?;
        if !status.success() {
            bail!("kill: {status}");
        }
        Ok(())
    }

    /// Waits until the daemon has ended.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Memory that the daemon holds now, in bytes (resident set).
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn resident_bytes(&self) -> Result<u64> {
        Ok(self.resources()?.resident_bytes)
    }

    /// What the daemon holds now, and what it has used.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn resources(&self) -> Result<Resources> {
        Resources::of(self.child.id())
    }
}

impl Drop for DaemonProcess {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection to the Unix socket at a path.
///
/// # Errors
/// When nobody listens there.
pub async fn connect(socket: &Path) -> Result<Channel> {
    let address = format!("unix://{}", socket.display());
    Ok(Endpoint::from_shared(address)?.connect().await?)
}
