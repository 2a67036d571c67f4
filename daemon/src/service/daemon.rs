//! The daemon as a whole: load, serve, drain.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use interpret_proto::{FILE_DESCRIPTOR_SET, v1::interpreter_server::InterpreterServer};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tokio_stream::{
    StreamExt as _,
    wrappers::{ReceiverStream, UnixListenerStream},
};
use tonic::{
    service::interceptor::InterceptedService,
    transport::{Server, server::Router},
};
use tonic_health::{ServingStatus, server::HealthReporter};

use super::{
    capacity::Capacity,
    incoming::{heard, incoming},
    interpreter::InterpreterService,
    listen::Listeners,
    reload::Reload,
    resume::Resumable,
    tls::{Identity, TlsError},
};
use crate::{
    access::{Gate, TokenFileError, Tokens},
    config::Config,
    engines::{self, Engines, LoadError},
    rooms::Rooms,
    session::Shutdown,
};

/// Largest message taken: an audio chunk of 1 MiB with its frame.
const MESSAGE_BYTES: usize = (1 << 20) + 4096;
/// A silent connection is probed so often, and given up when the probe stays unanswered so long.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// After the sessions have ended, connections may take so long to close.
const CLOSE: Duration = Duration::from_secs(2);

/// An interpreting daemon. Cheap to clone; clones are the same daemon.
///
/// Loading and serving are boxed: their code is made once, in this crate, and not again in each program that
/// awaits them.
#[derive(Debug, Clone)]
pub struct Daemon {
    config: Arc<Config>,
    service: InterpreterService,
    health: HealthReporter,
    health_service: HealthService,
    shutdown: Shutdown,
    reload: Reload,
}

type HealthService =
    tonic_health::pb::health_server::HealthServer<tonic_health::server::HealthService>;

/// The daemon could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// Reflection could not be set up.
    #[error("the protocol's description is damaged: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// The daemon cannot be set up as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Tokens.
    #[error(transparent)]
    Tokens(#[from] TokenFileError),
}

impl Daemon {
    /// A daemon that has loaded nothing yet, with certificates and tokens as `config` names them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn secured(config: Config) -> Result<Self, SecurityError> {
        let reload = Reload {
            identity: config
                .listen
                .tls
                .as_ref()
                .map(Identity::read)
                .transpose()?
                .map(Arc::new),
            tokens: config
                .listen
                .tokens
                .as_deref()
                .map(Tokens::read)
                .transpose()?
                .map(Arc::new),
        };
        Ok(Self {
            reload,
            ..Self::new(config)
        })
    }

    /// A daemon that has loaded nothing yet. Whoever can connect is served, without TLS.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let shutdown = Shutdown::default();
        let engines = Arc::new(OnceLock::new());
        let service = InterpreterService {
            limits: config.sessions.clone(),
            shutdown: shutdown.clone(),
            capacity: Capacity::new(&config.sessions, Arc::clone(&engines)),
            engines,
            rooms: Rooms::default(),
            resumable: Resumable::default(),
        };
        let health = HealthReporter::new();
        let health_service = HealthService::new(
            tonic_health::server::HealthService::from_health_reporter(health.clone()),
        );
        Self {
            config: Arc::new(config),
            service,
            health,
            health_service,
            shutdown,
            reload: Reload::default(),
        }
    }

    /// Reads certificates and tokens again, as SIGHUP asks. What cannot be used is told in the log, and
    /// stays as it was.
    pub fn reload(&self) {
        self.reload.now();
    }

    /// Loads the models; then the health service says SERVING and sessions are taken.
    ///
    /// # Errors
    /// When a model is not fetched or damaged.
    pub fn load_models(&self) -> BoxFuture<'_, Result<(), LoadError>> {
        Box::pin(async move {
            let models = self.config.models.clone();
            let engines: Engines = tokio::task::spawn_blocking(move || engines::load(&models))
                .await
                .map_err(|_| LoadError::Panicked("the models".to_owned()))??;
            for pair in &self.config.models.preload {
                engines.translation().load(*pair).await?;
            }
            // A second load changes nothing.
            let _ = self.service.engines.set(engines);
            self.set_health(ServingStatus::Serving).await;
            Ok(())
        })
    }

    /// The engines, once they are loaded.
    #[must_use]
    pub fn engines(&self) -> Option<&Engines> {
        self.service.engines.get()
    }

    /// Sessions that run now.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.service.capacity.sessions()
    }

    /// Whether the daemon takes no new session because it is about to end.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.shutdown.close.is_cancelled()
    }

    async fn set_health(&self, status: ServingStatus) {
        self.health.set_service_status("", status).await;
        let name = <InterpreterServer<InterpreterService> as tonic::server::NamedService>::NAME;
        self.health.set_service_status(name, status).await;
    }

    /// Whoever asks before the models are loaded is told `NOT_SERVING`, not that nobody is there.
    async fn announce(&self) {
        if self.engines().is_none() {
            self.set_health(ServingStatus::NotServing).await;
        }
    }

    /// The services; `gate` checks those who call.
    fn router(&self, gate: Gate) -> Result<Router, ServeError> {
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let interpreter =
            InterpreterServer::new(self.service.clone()).max_decoding_message_size(MESSAGE_BYTES);
        let interpreter = InterceptedService::new(interpreter, gate);
        Ok(Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE.0))
            .http2_keepalive_timeout(Some(KEEPALIVE.1))
            .tcp_nodelay(true)
            .add_service(self.health_service.clone())
            .add_service(reflection().build_v1()?)
            // For grpcurl before 1.8.8.
            .add_service(reflection().build_v1alpha()?)
            .add_service(interpreter))
    }

    /// Serves on `listeners` until [`drain`](Self::drain) has ended.
    ///
    /// # Errors
    /// When the transport fails.
    pub fn serve(&self, listeners: Listeners) -> BoxFuture<'_, Result<(), ServeError>> {
        Box::pin(async move {
            self.announce().await;
            let mut servers = JoinSet::new();
            if let Some(tcp) = listeners.tcp {
                let router = self.router(Gate::new(self.reload.tokens.clone()))?;
                match self.reload.identity.clone() {
                    Some(identity) => servers.spawn(router.serve_with_incoming_shutdown(
                        incoming(tcp, move |stream| Arc::clone(&identity).shake(stream)),
                        self.stopped(),
                    )),
                    None => servers.spawn(
                        router.serve_with_incoming_shutdown(incoming(tcp, heard), self.stopped()),
                    ),
                };
            }
            let mut socket_file = None;
            if let Some(unix) = listeners.unix {
                socket_file = Some(unix.path);
                let incoming = UnixListenerStream::new(unix.listener);
                servers.spawn(
                    self.router(Gate::new(None))?
                        .serve_with_incoming_shutdown(incoming, self.stopped()),
                );
            }
            let closed = async {
                while let Some(server) = servers.join_next().await {
                    if let Ok(served) = server {
                        served?;
                    }
                }
                Ok(())
            };
            // A connection that a client never closes must not keep the daemon.
            let result = tokio::select! {
                result = closed => result,
                () = async { self.stopped().await; tokio::time::sleep(CLOSE).await } => Ok(()),
                () = self.reload.clone().watch() => Ok(()),
            };
            drop(socket_file);
            result
        })
    }

    /// Opens a connection to this daemon inside the process, without any socket.
    ///
    /// # Errors
    /// When the transport fails.
    pub fn connect_in_process(
        &self,
    ) -> BoxFuture<'_, Result<tonic::transport::Channel, ServeError>> {
        Box::pin(async move {
            self.announce().await;
            let (client, server) = tokio::io::duplex(1 << 20);
            let (sender, incoming) = mpsc::channel(1);
            // Cannot fail: the receiver is here, and the channel is empty.
            let _ = sender.try_send(server);
            let incoming = ReceiverStream::new(incoming).map(Ok::<_, io::Error>);
            let router = self.router(Gate::new(None))?;
            let stopped = self.stopped();
            tokio::spawn(async move {
                // Holding the sender keeps the server waiting for a second connection, not ending.
                let _sender = sender;
                if let Err(error) = router.serve_with_incoming_shutdown(incoming, stopped).await {
                    tracing::error!(%error, "the in-process connection failed");
                }
            });
            let mut client = Some(hyper_util::rt::TokioIo::new(client));
            let connector = tower::service_fn(move |_| {
                let client = client.take().ok_or_else(|| {
                    io::Error::new(
                        io::ErrorKind::NotConnected,
                        "the in-process connection has ended",
                    )
                });
                std::future::ready(client)
            });
            let endpoint = tonic::transport::Endpoint::from_static("http://in-process");
            Ok(endpoint.connect_with_connector(connector).await?)
        })
    }

    /// Ends the daemon: takes no new session, lets the running ones go on for at most
    /// `sessions.linger_secs` and then finish what they heard for at most `sessions.drain_secs`, then
    /// stops them.
    pub async fn drain(&self) {
        self.set_health(ServingStatus::NotServing).await;
        self.shutdown.close.cancel();
        let limits = &self.config.sessions;
        let all_ended = async |limit| timeout(limit, self.service.capacity.idle()).await.is_ok();
        let mut ended = all_ended(limits.linger()).await;
        if !ended {
            self.shutdown.drain.cancel();
            ended = all_ended(limits.drain()).await;
        }
        match ended {
            true => tracing::info!("all sessions have finished"),
            false => tracing::warn!(sessions = self.sessions(), "sessions are cut off"),
        }
        self.stop();
    }

    /// Stops everything now.
    pub fn stop(&self) {
        self.shutdown.close.cancel();
        self.shutdown.drain.cancel();
        self.shutdown.stop.cancel();
    }

    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        self.shutdown.stop.clone().cancelled_owned()
    }
}
