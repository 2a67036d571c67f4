//! Logs and traces. None of their lines, at any level, holds audio or text.

mod panics;
pub(crate) mod traces;

use std::io::IsTerminal as _;

use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, FilterFn, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

pub use self::traces::{BadCollector, Traces};
use crate::config::{self, Log, LogFormat};

/// What is configured cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log.
    #[error(transparent)]
    Level(#[from] BadLevel),
    /// The traces.
    #[error(transparent)]
    Collector(#[from] BadCollector),
}

/// The log level makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("log.level '{level}' makes no sense: {reason}; use error, warn, info, debug or trace")]
pub struct BadLevel {
    level: String,
    reason: String,
}

/// Libraries that log what is said: no filter turns them on.
const TALKATIVE: &[&str] = &["misaki_rs"];

/// Lets through what may be logged at all.
#[must_use]
pub fn silent() -> FilterFn {
    filter_fn(|metadata| {
        let target = metadata.target();
        !TALKATIVE.iter().any(|library| target.starts_with(library))
    })
}

/// Sends log lines to standard error from now on, and traces to a collector if there is one, until what is
/// returned is dropped. Call it within a tokio runtime.
///
/// # Errors
/// When `log.level` is no level and no filter, or the collector's address is none.
pub fn start(log: &Log, traces: &config::Traces) -> Result<Option<Traces>, TelemetryError> {
    // What whisper.cpp has to say is in our own errors; it calls each run that we stop an error.
    let filter =
        EnvFilter::try_new(format!("whisper_rs=off,{}", log.level)).map_err(|e| BadLevel {
            level: log.level.clone(),
            reason: e.to_string(),
        })?;
    let filter = filter.and(silent());
    let traces = traces.otlp.as_deref().map(Traces::to).transpose()?;
    let registry = tracing_subscriber::registry().with(traces.as_ref().map(Traces::layer));
    let layer = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Fails when a program that embeds the daemon logs already; its choice stands.
    let _ = match log.format {
        LogFormat::Text => registry.with(layer.with_filter(filter)).try_init(),
        LogFormat::Json => registry.with(layer.json().with_filter(filter)).try_init(),
    };
    panics::log();
    Ok(traces)
}
