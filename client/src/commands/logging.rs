//! What the program says about itself, on standard error.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::stderr::Stderr;

/// Filter of the log, in the syntax of tracing-subscriber.
const VARIABLE: &str = "INTERPRET_LOG";

/// Starts logging. The variable goes before the flags.
pub(super) fn init(verbose: u8) {
    let by_flags = match verbose {
        // These log as errors what this program reports in its own words.
        0 => "warn,pulseaudio=off,symphonia=off",
        1 => "warn,interpret=info,interpretd=info,pulseaudio=off,symphonia=off",
        _ => "info,interpret=trace,interpretd=debug",
    };
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(by_flags));
    // A second call, in tests, finds a subscriber in place; that one stays.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(interpretd::telemetry::silent())
        .with(fmt::layer().with_writer(|| Stderr))
        .try_init();
}
