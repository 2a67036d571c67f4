//! Logging. No log line, at any level, holds audio or text.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    EnvFilter,
    filter::{FilterFn, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::{Log, LogFormat};

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

/// Sends log lines to standard error from now on.
///
/// # Errors
/// When `log.level` is no level and no filter.
pub fn start(log: &Log) -> Result<(), BadLevel> {
    // What whisper.cpp has to say is in our own errors; it calls each run that we stop an error.
    let filter =
        EnvFilter::try_new(format!("whisper_rs=off,{}", log.level)).map_err(|e| BadLevel {
            level: log.level.clone(),
            reason: e.to_string(),
        })?;
    let registry = tracing_subscriber::registry().with(filter).with(silent());
    let layer = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Fails when a program that embeds the daemon logs already; its choice stands.
    let _ = match log.format {
        LogFormat::Text => registry.with(layer).try_init(),
        LogFormat::Json => registry.with(layer.json()).try_init(),
    };
    Ok(())
}
