//! A network between a client and a daemon, which can be slow and can be cut.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional, split},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tonic::transport::Channel;

use crate::{daemon_process::connect, random::Random};

/// How a network carries what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// At once.
    Fair,
    /// Each piece up to 300 ms late, and one in twenty, whose packet was lost, half a second more: in order, as TCP
    /// has it. (Where packets can be lost for real, there is [`crate::packets`].)
    Rough,
}

/// Passes connections on to a daemon. Dropping it cuts them, as when a program in the middle is killed.
#[derive(Debug)]
pub struct Proxy {
    folder: TempDir,
    passing: JoinHandle<()>,
    frozen: watch::Sender<bool>,
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
        let (frozen, freezing) = watch::channel(false);
        let passing = tokio::spawn(async move {
            // Aborted with the task that holds them.
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(pass_until_frozen(near, socket.clone(), freezing.clone()));
            }
        });
        Ok(Self {
            folder,
            passing,
            frozen,
        })
    }

    /// Carries nothing from here on, and tells neither side: all connections stay half open.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
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

/// The same, for a client that is a process of its own: at a TCP port.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    socket: watch::Sender<PathBuf>,
    passing: JoinHandle<()>,
}

impl TcpProxy {
    /// A network that leads to the daemon at `socket`.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn to(socket: &Path, weather: Weather) -> Result<Self> {
        Self::at(([127, 0, 0, 1], 0).into(), socket, weather).await
    }

    /// The same at an address where one was before.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn at(address: SocketAddr, socket: &Path, weather: Weather) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (socket, leads_to) = watch::channel(socket.to_owned());
        let passing = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let socket = leads_to.borrow().clone();
                connections.spawn(pass(near, socket, weather));
            }
        });
        Ok(Self {
            address,
            socket,
            passing,
        })
    }

    /// Leads new connections to another daemon from here on, as a balancer does that is told of one; those that
    /// there are stay as they are.
    pub fn lead_to(&self, socket: &Path) {
        self.socket.send_replace(socket.to_owned());
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

/// Carries a connection until either side ends it.
async fn pass(mut near: TcpStream, socket: PathBuf, weather: Weather) {
    let Ok(mut far) = UnixStream::connect(&socket).await else {
        return;
    };
    match weather {
        // An end is an end, whatever it was.
        Weather::Fair => drop(copy_bidirectional(&mut near, &mut far).await),
        Weather::Rough => {
            let (near_in, near_out) = split(near);
            let (far_in, far_out) = split(far);
            tokio::join!(late(near_in, far_out, 1), late(far_in, near_out, 2));
        }
    }
}

/// The same, or until nothing is carried any more: then both ends stay open.
async fn pass_until_frozen(
    mut near: UnixStream,
    socket: PathBuf,
    mut freezing: watch::Receiver<bool>,
) {
    let Ok(mut far) = UnixStream::connect(&socket).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => return,
        Ok(_) = freezing.wait_for(|frozen| *frozen) => {}
    }
    std::future::pending::<()>().await;
}

/// Carries one direction of a rough network.
async fn late(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, seed: u32) {
    let mut chance = Random::new(seed);
    let mut piece = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let random = chance.draw();
        let mut delay_ms = u64::from(random >> 16) % 300;
        if random >> 16 & 0xff < 13 {
            delay_ms += 500;
        }
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
