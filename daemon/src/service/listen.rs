//! Sockets.

use std::{
    fs::Permissions,
    io,
    net::SocketAddr,
    os::unix::{fs::FileTypeExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::config::Listen;

/// Sockets that are bound.
#[derive(Debug, Default)]
pub struct Listeners {
    pub(super) tcp: Option<TcpListener>,
    pub(super) unix: Option<BoundUnix>,
    /// The admin port, for [`admin::serve`](crate::admin::serve).
    pub admin: Option<TcpListener>,
}

/// A Unix socket whose file is removed at the end.
#[derive(Debug)]
pub(super) struct BoundUnix {
    pub(super) listener: UnixListener,
    pub(super) path: SocketFile,
}

/// Removes the file when dropped.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already is as good; anything else the next start will say.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A socket cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A TCP address.
    #[error(
        "cannot listen on {address}: {source}; is another interpretd running? Choose another address with --listen"
    )]
    Tcp {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The admin port.
    #[error("cannot listen on the admin port {address}: {source}; choose another one with --admin")]
    Admin {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A Unix socket.
    #[error("cannot listen on the socket {path}: {source}")]
    Unix {
        /// The socket's file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Listeners {
    /// The TCP address that was bound: tells the port where 0 was asked for.
    #[must_use]
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp
            .as_ref()
            .and_then(|listener| listener.local_addr().ok())
    }
}

/// Binds what `listen` names.
///
/// # Errors
/// When an address is taken or not ours.
pub async fn bind(listen: &Listen) -> Result<Listeners, BindError> {
    let mut listeners = Listeners::default();
    if let Some(address) = listen.tcp {
        let tcp = TcpListener::bind(address).await;
        listeners.tcp = Some(tcp.map_err(|source| BindError::Tcp { address, source })?);
    }
    if let Some(address) = listen.admin {
        let admin = TcpListener::bind(address).await;
        listeners.admin = Some(admin.map_err(|source| BindError::Admin { address, source })?);
    }
    if let Some(path) = &listen.unix {
        let unix = bind_unix(path).await;
        listeners.unix = Some(unix.map_err(|source| BindError::Unix {
            path: path.clone(),
            source,
        })?);
    }
    Ok(listeners)
}

/// Takes over a socket file that no process listens on any more; refuses anything else that is
/// there.
async fn bind_unix(path: &Path) -> io::Result<BoundUnix> {
    if let Ok(there) = std::fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "a file that is no socket is there",
            ));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another daemon listens there",
            ));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    let path = SocketFile(path.to_owned());
    std::fs::set_permissions(&path.0, Permissions::from_mode(0o600))?;
    Ok(BoundUnix { listener, path })
}
