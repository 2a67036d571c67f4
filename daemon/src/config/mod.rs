//! What the daemon is told: defaults, overridden by a TOML file, by `INTERPRETD_…` environment
//! variables, by command-line flags, in that order.

mod load;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use interpret_models::{LanguagePair, vad::EndpointConfig};
use serde::{Deserialize, Serialize};

pub use load::{ConfigError, ENVIRONMENT_PREFIX, load};

/// The whole configuration. Every key is optional.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where clients connect.
    pub listen: Listen,
    /// What models are used.
    pub models: Models,
    /// What sessions may do.
    pub sessions: Sessions,
    /// What is logged.
    pub log: Log,
    /// Where traces go.
    pub traces: Traces,
}

/// Where clients connect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// TCP address; loopback by default. An empty string: no TCP.
    #[serde(with = "load::optional_address")]
    pub tcp: Option<SocketAddr>,
    /// Path of a Unix socket, open to the daemon's own user only; none by default.
    pub unix: Option<PathBuf>,
    /// TCP address of the admin port (`/metrics`, `/live`, `/ready`); none by default.
    #[serde(with = "load::optional_address")]
    pub admin: Option<SocketAddr>,
    /// Speaks TLS on the TCP address; without it, only a loopback address is taken.
    pub tls: Option<Tls>,
    /// File with the bearer tokens that are taken on the TCP address; none by default: whoever can
    /// connect is served.
    pub tokens: Option<PathBuf>,
    /// Takes an address beyond loopback without TLS: for networks that something else secures.
    pub allow_plaintext: bool,
}

/// Files for TLS (PEM). They are read again when they change, and on SIGHUP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The daemon's certificate, and those that lead from it to a root.
    pub certificate: PathBuf,
    /// The certificate's key.
    pub key: PathBuf,
    /// Certificates that clients' own must be signed by; none: clients show none.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            tcp: Some(SocketAddr::from(([127, 0, 0, 1], 50551))),
            unix: None,
            admin: None,
            tls: None,
            tokens: None,
            allow_plaintext: false,
        }
    }
}

/// What models are used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Models {
    /// Folder of the model cache; the XDG cache folder by default.
    pub cache: Option<PathBuf>,
    /// Name of the recognition model.
    pub recognition: String,
    /// Name of the synthesis model.
    pub synthesis: String,
    /// Pairs whose translation models are loaded at the start; others are loaded when a session
    /// first asks for them.
    pub preload: Vec<LanguagePair>,
    /// Threads that one model step may use; the number of cores by default.
    pub threads: Option<u16>,
    /// Whether models run one after the other instead of at once; by default on two cores or one.
    pub turns: Option<bool>,
}

impl Default for Models {
    fn default() -> Self {
        Self {
            cache: None,
            recognition: interpret_models::store::DEFAULT_RECOGNITION.to_owned(),
            synthesis: "kokoro-82m".to_owned(),
            preload: Vec::new(),
            threads: None,
            turns: None,
        }
    }
}

/// What sessions may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Sessions at once; further ones are refused with `RESOURCE_EXHAUSTED`.
    pub max: usize,
    /// A live session is refused, too, where the models would be busy for more than this share of the
    /// time with it: 1 is all of it. Models that are busy for more than three quarters of it make those who
    /// speak wait for one another (docs/operations.md, "Size").
    pub pressure_limit: f32,
    /// Listeners in rooms at once, in all; further ones are refused with `RESOURCE_EXHAUSTED`.
    pub listeners: usize,
    /// A client that leaves the daemon's messages unread for so long loses its session.
    pub unread_timeout_secs: u64,
    /// A heartbeat is sent when nothing else was for so long.
    pub heartbeat_secs: u64,
    /// On shutdown sessions may go on as if nothing were for so long.
    pub linger_secs: u64,
    /// Then they may finish what they heard for so long.
    pub drain_secs: u64,
    /// A speaker who never pauses is cut after so long.
    pub max_utterance_secs: f32,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            max: 8,
            pressure_limit: 0.7,
            listeners: 500,
            unread_timeout_secs: 30,
            heartbeat_secs: 15,
            linger_secs: 0,
            drain_secs: 20,
            max_utterance_secs: 14.0,
        }
    }
}

impl Sessions {
    /// When utterances begin and end.
    #[must_use]
    pub fn endpoint(&self) -> EndpointConfig {
        let max_utterance_ms = (self.max_utterance_secs * 1_000.0) as u32;
        EndpointConfig {
            max_utterance_ms,
            ..EndpointConfig::default()
        }
    }

    /// [`unread_timeout_secs`](Self::unread_timeout_secs) as a duration.
    #[must_use]
    pub fn unread_timeout(&self) -> Duration {
        Duration::from_secs(self.unread_timeout_secs)
    }

    /// [`heartbeat_secs`](Self::heartbeat_secs) as a duration.
    #[must_use]
    pub fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_secs)
    }

    /// [`linger_secs`](Self::linger_secs) as a duration.
    #[must_use]
    pub fn linger(&self) -> Duration {
        Duration::from_secs(self.linger_secs)
    }

    /// [`drain_secs`](Self::drain_secs) as a duration.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_secs)
    }
}

/// What is logged. Never audio or text, at any level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Least severe level logged, or a `tracing` filter such as `interpretd=debug,info`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

/// Traces for OpenTelemetry: times of sessions and models, never audio or text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// A collector's gRPC address (OTLP), such as `http://localhost:4317`; none by default: no traces.
    pub otlp: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
