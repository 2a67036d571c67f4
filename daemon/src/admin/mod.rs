//! The admin port: plain HTTP for an operator's own network. `/metrics` for Prometheus, `/live` and
//! `/ready` for whatever starts and stops the daemon. Nothing that was said is ever there.

mod describe;
pub(crate) mod measure;

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use futures_util::future::BoxFuture;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::Daemon;

/// What `/metrics` answers with.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How often values are moved into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);
/// Upper ends of the buckets of histograms of time, in seconds.
const SECONDS: [f64; 16] = [
    0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 10.0, 20.0,
];
/// Upper ends of the buckets of histograms of sentences.
const SENTENCES: [f64; 8] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0];

/// Metrics are counted from now on, in this whole process.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

/// Metrics cannot be counted.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be counted: {0}")]
pub struct MetricsError(#[from] metrics_exporter_prometheus::BuildError);

impl Metrics {
    /// Begins to count. Once in a process.
    ///
    /// # Errors
    /// When something else in this process counts already.
    pub fn start() -> Result<Self, MetricsError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_sentences".to_owned()), &SENTENCES)?
            .install_recorder()?;
        describe::describe();
        Ok(Self(handle))
    }

    /// All of them, in Prometheus' text form.
    fn render(&self, daemon: &Daemon) -> String {
        measure::daemon(daemon.sessions(), crate::memory::resident_bytes());
        self.0.render()
    }
}

/// Answers on `listener` until the daemon has stopped.
///
/// # Errors
/// When the socket fails.
pub fn serve(
    listener: TcpListener,
    daemon: Daemon,
    metrics: Metrics,
) -> BoxFuture<'static, std::io::Result<()>> {
    Box::pin(async move {
        let stopped = daemon.stopped();
        let upkeep = tokio::spawn({
            let metrics = metrics.clone();
            async move {
                // Histograms keep every value until then: nobody may ever ask for them.
                let mut interval = tokio::time::interval(UPKEEP);
                loop {
                    interval.tick().await;
                    metrics.0.run_upkeep();
                }
            }
        });
        let routes = Router::new()
            .route("/live", get(async || "live\n"))
            .route("/ready", get(ready))
            .route("/metrics", get(exposition))
            .with_state((daemon, metrics));
        let served = axum::serve(listener, routes)
            .with_graceful_shutdown(stopped)
            .await;
        upkeep.abort();
        served
    })
}

async fn ready(State((daemon, _)): State<(Daemon, Metrics)>) -> (StatusCode, &'static str) {
    if daemon.draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n")
    } else if daemon.engines().is_none() {
        (StatusCode::SERVICE_UNAVAILABLE, "models are loading\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}

async fn exposition(
    State((daemon, metrics)): State<(Daemon, Metrics)>,
) -> impl IntoResponse + 'static {
    ([(CONTENT_TYPE, EXPOSITION)], metrics.render(&daemon))
}
