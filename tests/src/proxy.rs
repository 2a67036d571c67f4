//! A network between a client and a daemon, which can be cut.

use std::path::Path;

use anyhow::Result;
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    task::{JoinHandle, JoinSet},
};
use tonic::transport::Channel;

use crate::daemon_process::connect;

/// Passes connections on to a daemon. Dropping it cuts them, as when a machine is gone: neither side has
/// said good-bye.
#[derive(Debug)]
pub struct Proxy {
    folder: TempDir,
    passing: JoinHandle<()>,
}

impl Proxy {
    /// A network that leads to the daemon at `socket`.
    ///
    /// # Errors
    /// When the system gives no socket.
    pub fn to(socket: &Path) -> Result<Self> {
        let folder = TempDir::new()?;
        let listener = UnixListener::bind(folder.path().join("proxy"))?;
        let socket = socket.to_owned();
        let passing = tokio::spawn(async move {
            // Aborted with the task that holds them.
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let Ok(mut far) = UnixStream::connect(&socket).await else {
                    return;
                };
                connections.spawn(async move { copy_bidirectional(&mut near, &mut far).await });
            }
        });
        Ok(Self { folder, passing })
    }

    /// A connection through it.
    ///
    /// # Errors
    /// When the daemon is not there.
    pub async fn connect(&self) -> Result<Channel> {
        connect(&self.folder.path().join("proxy")).await
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.passing.abort();
    }
}
