//! Where the daemon is, and the way there.

mod credentials;
mod endpoint;

use std::time::Duration;

use futures_util::future::BoxFuture;
use interpret_proto::v1::{ListLanguagesRequest, interpreter_client::InterpreterClient};
use interpretd::{Config, Daemon};
use tonic::{
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint as Transport},
};

pub use self::{
    credentials::{Bearer, Credentials},
    endpoint::{Endpoint, LocalDaemon, Remote},
};
use crate::error::{ClientError, Reason};

/// How long a daemon may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How often a daemon that loads its models is asked whether it has.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// A silent connection is tried after this long.
const PING_EVERY: Duration = Duration::from_secs(10);
/// A connection whose ping stays unanswered this long is lost.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// A way to a daemon, which many sessions may use at once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connection {
    channel: Channel,
    bearer: Bearer,
}

impl Connection {
    /// The daemon's rpcs.
    #[must_use]
    pub fn interpreter(&self) -> InterpreterClient<InterceptedService<Channel, Bearer>> {
        InterpreterClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }
}

impl From<Channel> for Connection {
    /// A connection without a token.
    fn from(channel: Channel) -> Self {
        Self {
            channel,
            bearer: Bearer::default(),
        }
    }
}

/// Connects to the daemon and waits until it has loaded its models.
///
/// # Errors
///
/// [`ClientError::Unreachable`] where nobody answers within 5 seconds; within this process, where a
/// model is missing or damaged.
pub fn connect(endpoint: &Endpoint) -> BoxFuture<'_, Result<Connection, ClientError>> {
    Box::pin(async move {
        let mut bearer = Bearer::default();
        let transport = match endpoint {
            Endpoint::InProcess(local) => return in_process(local.0.clone()).await,
            Endpoint::Remote(remote) => {
                bearer = remote.bearer()?;
                let transport = Transport::from(remote.uri.clone());
                match remote.credentials.tls(&remote.uri)? {
                    Some(tls) => transport
                        .tls_config(tls)
                        .map_err(|error| unreachable_at(endpoint, error))?,
                    None => transport,
                }
            }
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
        let connection = Connection { channel, bearer };
        ready(&connection).await?;
        Ok(connection)
    })
}

/// Waits while the daemon loads its models.
async fn ready(connection: &Connection) -> Result<(), ClientError> {
    let mut client = connection.interpreter();
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
async fn in_process(config: Config) -> Result<Connection, ClientError> {
    let daemon = Daemon::new(config);
    daemon.load_models().await?;
    daemon
        .connect_in_process()
        .await
        .map(Connection::from)
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
