//! Where a daemon is.

use std::{fmt, path::PathBuf, str::FromStr};

use interpretd::Config;
use tonic::transport::Uri;

use super::{Bearer, Credentials};
use crate::error::ClientError;

/// Where the daemon is.
///
/// ```
/// use interpret::connect::Endpoint;
/// let remote: Endpoint = "localhost:50051".parse()?;
/// assert_eq!(remote.to_string(), "http://localhost:50051/");
/// let socket: Endpoint = "unix:/run/interpretd.sock".parse()?;
/// assert_eq!(socket.to_string(), "unix:/run/interpretd.sock");
/// # Ok::<(), interpret::ClientError>(())
/// ```
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// In this very process: no server to set up.
    InProcess(Box<LocalDaemon>),
    /// Over TCP.
    Remote(Remote),
    /// Over a Unix socket.
    Unix(PathBuf),
}

/// A daemon within this process: how it is configured.
#[derive(Debug, Clone)]
pub struct LocalDaemon(pub Config);

/// A daemon over TCP, and what is shown to it.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Where it is.
    pub uri: Uri,
    /// What is shown to it, and asked of it.
    pub credentials: Credentials,
}

impl Remote {
    /// The token, for every call.
    ///
    /// # Errors
    /// Where it would travel over a network in the clear, or is no token.
    pub(super) fn bearer(&self) -> Result<Bearer, ClientError> {
        let far = Endpoint::Remote(self.clone()).is_far();
        if far && self.credentials.token.is_some() && self.uri.scheme_str() != Some("https") {
            return Err(ClientError::Usage(format!(
                "the token would travel to {} in the clear; use https://",
                self.uri
            )));
        }
        Bearer::new(self.credentials.token.as_deref())
    }
}

impl Default for LocalDaemon {
    /// One session, with a daemon's defaults.
    fn default() -> Self {
        let mut config = Config::default();
        config.sessions.max = 1;
        Self(config)
    }
}

impl Endpoint {
    /// Shows `credentials` to the daemon, if it is over TCP; others need none.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        if let Self::Remote(remote) = &mut self {
            remote.credentials = credentials;
        }
        self
    }

    /// Whether the connection can be lost while both ends are well.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// Whether sound that goes there leaves this machine.
    #[must_use]
    pub fn is_far(&self) -> bool {
        match self {
            Self::InProcess(_) | Self::Unix(_) => false,
            Self::Remote(Remote { uri, .. }) => {
                let host = uri.host().unwrap_or_default();
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let loopback = host.parse::<std::net::IpAddr>().map(|ip| ip.is_loopback());
                !(host == "localhost" || loopback.unwrap_or(false))
            }
        }
    }
}

impl FromStr for Endpoint {
    type Err = ClientError;

    /// Takes `host:port`, `http://host:port`, `https://host:port` and `unix:/path`.
    fn from_str(address: &str) -> Result<Self, Self::Err> {
        let bad = |why: &str| {
            ClientError::Usage(format!(
                "'{address}' is no address of a daemon: {why}; write host:port, https://host:port \
                 or unix:/path"
            ))
        };
        if let Some(path) = address.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(bad("the path is empty"));
            }
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        let full = if address.contains("://") {
            address.to_owned()
        } else {
            format!("http://{address}")
        };
        let uri: Uri = full.parse().map_err(|_| bad("it cannot be parsed"))?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            _ => return Err(bad("the scheme is not http, https or unix")),
        }
        if uri.host().is_none_or(str::is_empty) || uri.port_u16().is_none() {
            return Err(bad("host or port is missing"));
        }
        Ok(Self::Remote(Remote {
            uri,
            credentials: Credentials::default(),
        }))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProcess(_) => f.write_str("this process"),
            Self::Remote(remote) => write!(f, "{}", remote.uri),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_near() {
        for (address, far) in [
            ("localhost:1", false),
            ("127.0.0.2:1", false),
            ("[::1]:1", false),
            ("unix:/x", false),
            ("192.168.0.2:1", true),
            ("desk.example:1", true),
        ] {
            assert_eq!(
                address.parse::<Endpoint>().unwrap().is_far(),
                far,
                "{address}"
            );
        }
    }

    #[test]
    fn addresses_in_all_spellings() {
        for (address, shown) in [
            ("localhost:5000", "http://localhost:5000/"),
            ("http://[::1]:5000", "http://[::1]:5000/"),
            ("https://desk.example:1", "https://desk.example:1/"),
            ("unix:/run/x.sock", "unix:/run/x.sock"),
            ("unix:///run/x.sock", "unix:/run/x.sock"),
        ] {
            assert_eq!(address.parse::<Endpoint>().unwrap().to_string(), shown);
        }
        for address in ["", "localhost", "ftp://a:1", "unix:", "a b:1", ":5000"] {
            let refused = address.parse::<Endpoint>();
            assert!(
                matches!(refused, Err(ClientError::Usage(_))),
                "{address}: {refused:?}"
            );
        }
    }
}
