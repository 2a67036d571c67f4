//! Traces for an OpenTelemetry collector (OTLP over gRPC), off by default.
//!
//! A trace is a session or a call: its root tells the languages and how it ended, and under it stands every
//! run of a model, with how long it waited for the cores. No span holds audio or text, and log lines are not
//! exported.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracerProvider, Tracer},
};
use tonic::Code;
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    registry::LookupSpan,
};

use crate::engines::Timing;

/// Target of the spans that are exported; log filters know them by it, too.
pub(crate) const TARGET: &str = "interpretd::trace";

/// The collector cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "traces.otlp '{address}' cannot be used: {reason}; give the address of a collector's gRPC port, such as \
     http://localhost:4317"
)]
pub struct BadCollector {
    address: String,
    reason: ExporterBuildError,
}

/// Sends spans until it is dropped; then what waits is sent first.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Exports to the collector at `address`. Call it within a tokio runtime.
    pub(super) fn to(address: &str) -> Result<Self, BadCollector> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(address)
            .build()
            .map_err(|reason| BadCollector {
                address: address.to_owned(),
                reason,
            })?;
        let provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_service_name("interpretd").build())
            .with_batch_exporter(exporter)
            .build();
        Ok(Self(provider))
    }

    /// Turns spans into the collector's.
    pub(super) fn layer<S>(&self) -> impl Layer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer: Tracer = self.0.tracer("interpretd");
        let layer: OpenTelemetryLayer<S, Tracer> = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false);
        layer.with_filter(filter_fn(is_exported).with_max_level_hint(LevelFilter::DEBUG))
    }
}

/// Spans of ours; no log lines.
fn is_exported(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == TARGET
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::debug!(%error, "the last traces were not taken");
        }
    }
}

/// The span of a session or call.
pub(crate) fn conversation(kind: &'static str, id: &str, languages: &str) -> Span {
    tracing::info_span!(
        target: TARGET,
        "conversation",
        otel.name = kind,
        id,
        languages,
        heard_ms = tracing::field::Empty,
        code = tracing::field::Empty,
    )
}

/// Tells how it ended, after so much speech.
pub(crate) fn ended(span: &Span, heard: Duration, code: Code) {
    span.record("heard_ms", heard.as_millis() as u64);
    span.record("code", tracing::field::debug(code));
}

/// The span of one run of a model, from asking to the answer; belongs to the conversation that asks.
pub(crate) fn model(name: &'static str) -> Span {
    tracing::debug_span!(
        target: TARGET,
        "model",
        otel.name = name,
        waited_ms = tracing::field::Empty,
        busy_ms = tracing::field::Empty,
    )
}

/// Tells of such a run how long it took.
pub(crate) fn ran(span: &Span, timing: Timing) {
    let millis = |duration: Duration| duration.as_secs_f64() * 1_000.0;
    span.record("waited_ms", millis(timing.waited));
    span.record("busy_ms", millis(timing.busy));
}
