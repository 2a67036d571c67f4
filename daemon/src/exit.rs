//! Exit codes of `interpretd`.

use std::process::ExitCode;

use crate::{
    admin::MetricsError,
    config::ConfigError,
    engines::{LoadError, LoadFailure},
    service::{BindError, SecurityError, ServeError},
    telemetry::TelemetryError,
};

/// Why the daemon ends.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration makes no sense: exit code 78 (`EX_CONFIG` of sysexits.h).
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Certificates or tokens cannot be used: exit code 78.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The log level or the collector of traces makes no sense: exit code 78.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// A model is missing or damaged: exit code 66 (`EX_NOINPUT`) or 65 (`EX_DATAERR`).
    #[error(transparent)]
    Models(#[from] LoadError),
    /// An address is taken: exit code 69 (`EX_UNAVAILABLE`).
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The transport failed: exit code 70 (`EX_SOFTWARE`).
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Metrics cannot be counted: exit code 70.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The system refused something: exit code 71 (`EX_OSERR`).
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(_) | Self::Security(_) | Self::Telemetry(_) => 78,
            Self::Models(error) => match error.failure() {
                LoadFailure::Corrupt => 65,
                LoadFailure::Unknown | LoadFailure::Missing => 66,
                LoadFailure::Internal => 70,
            },
            Self::Bind(_) => 69,
            Self::Serve(_) | Self::Metrics(_) => 70,
            Self::System(_) => 71,
        })
    }
}
