//! Where the daemon is, and the way there.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use interpret_proto::v1::{ListLanguagesRequest, interpreter_client::InterpreterClient};
use interpretd::{Config, Daemon};
use tonic::transport::{Channel, Endpoint as Transport, Uri};

use crate::error::{ClientError, Reason};

/// How long a daemon may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How often a daemon that loads its models is asked whether it has.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// A silent connection is tried after this long.
const PING_EVERY: Duration = Duration::from_secs(10);
/// A connection whose ping stays unanswered this long is lost.
const PONG_WITHIN: Duration = Duration::from_secs(10);

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
    InProcess(LocalDaemon),
    /// Over TCP.
    Remote(Uri),
    /// Over a Unix socket.
    Unix(PathBuf),
}

/// A daemon within this process: how it is configured.
#[derive(Debug, Clone)]
pub struct LocalDaemon(pub Config);

impl Default for LocalDaemon {
    /// One session, with a daemon's defaults.
    fn default() -> Self {
        let mut config = Config::default();
        config.sessions.max = 1;
        Self(config)
    }
}

impl Endpoint {
    /// Whether sound that goes there leaves this machine.
    #[must_use]
    pub fn is_far(&self) -> bool {
        match self {
            Self::InProcess(_) | Self::Unix(_) => false,
            Self::Remote(uri) => {
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

    /// Takes `host:port`, `http://host:port` and `unix:/path`.
    fn from_str(address: &str) -> Result<Self, Self::Err> {
        let bad = |why: &str| {
            ClientError::Usage(format!(
                "'{address}' is no address of a daemon: {why}; write host:port, http://host:port \
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
            Some("http") => {}
            Some("https") => return Err(bad("this build speaks no TLS")),
            _ => return Err(bad("the scheme is not http or unix")),
        }
        if uri.host().is_none_or(str::is_empty) || uri.port_u16().is_none() {
            return Err(bad("host or port is missing"));
        }
        Ok(Self::Remote(uri))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProcess(_) => f.write_str("this process"),
            Self::Remote(uri) => write!(f, "{uri}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Connects to the daemon and waits until it has loaded its models.
///
/// # Errors
///
/// [`ClientError::Unreachable`] where nobody answers within 5 seconds; within this process, where a
/// model is missing or damaged.
pub async fn connect(endpoint: &Endpoint) -> Result<Channel, ClientError> {
    let transport = match endpoint {
        Endpoint::InProcess(LocalDaemon(config)) => return in_process(config.clone()).await,
        Endpoint::Remote(uri) => Transport::from(uri.clone()),
        Endpoint::Unix(path) => {
            let path = path.to_str().ok_or_else(|| {
                ClientError::Usage("the path of the Unix socket is not UTF-8".to_owned())
            })?;
            Transport::from_shared(format!("unix:{path}"))
                .map_err(|error| unreachable_at(endpoint, error))?
        }
    };
    let channel = transport
        .connect_timeout(CONNECT_WITHIN)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN)
        .keep_alive_while_idle(true)
        .connect()
        .await
        .map_err(|error| unreachable_at(endpoint, error))?;
    ready(&channel).await?;
    Ok(channel)
}

/// Waits while the daemon loads its models.
async fn ready(channel: &Channel) -> Result<(), ClientError> {
    let mut client = InterpreterClient::new(channel.clone());
    let mut told = false;
    loop {
        match client
            .list_languages(ListLanguagesRequest {})
            .await
            .map_err(ClientError::from)
        {
            Ok(_) => return Ok(()),
            Err(ClientError::Refused {
                reason: Reason::Loading,
                message,
            }) => {
                if !told {
                    tracing::info!("{message}");
                    told = true;
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Starts a daemon in this process.
async fn in_process(config: Config) -> Result<Channel, ClientError> {
    let daemon = Daemon::new(config);
    daemon.load_models().await?;
    daemon
        .connect_in_process()
        .await
        .map_err(|error| ClientError::Unreachable {
            address: "this process".to_owned(),
            source: Box::new(error),
        })
}

fn unreachable_at(endpoint: &Endpoint, error: tonic::transport::Error) -> ClientError {
    ClientError::Unreachable {
        address: endpoint.to_string(),
        source: Box::new(error),
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
            ("unix:/run/x.sock", "unix:/run/x.sock"),
            ("unix:///run/x.sock", "unix:/run/x.sock"),
        ] {
            assert_eq!(address.parse::<Endpoint>().unwrap().to_string(), shown);
        }
        for address in [
            "",
            "localhost",
            "https://a:1",
            "ftp://a:1",
            "unix:",
            "a b:1",
            ":5000",
        ] {
            let refused = address.parse::<Endpoint>();
            assert!(
                matches!(refused, Err(ClientError::Usage(_))),
                "{address}: {refused:?}"
            );
        }
    }
}
