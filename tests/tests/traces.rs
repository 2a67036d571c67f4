//! Traces, as an OpenTelemetry collector gets them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use interpret_proto::v1::interpret_request::Request;
use interpret_tests::{
    daemon_process::DaemonProcess,
    speech::recording,
    stream::{Stream, chunks, config},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Response, Status, transport::Server};

/// A collector that keeps what it gets.
struct Collector(mpsc::Sender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let taken = self.0.send(request.into_inner()).await;
        taken.map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_a_trace_that_holds_every_model_run_and_no_word() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let (kept, mut exported) = mpsc::channel(1_000);
    let collector = Server::builder()
        .add_service(TraceServiceServer::new(Collector(kept)))
        .serve_with_incoming(TcpListenerStream::new(listener));
    let collector = tokio::spawn(collector);
    let wrapper = [
        "env".to_owned(),
        format!("INTERPRETD_TRACES__OTLP={address}"),
    ];
    let mut daemon = DaemonProcess::ready_under(&wrapper, &["--preload", "en-fr"]).await?;
    let mut client = daemon.client().await?;
    let stream = Stream::open(&mut client, Request::Config(config("en", "fr"))).await?;
    let samples = recording("jfk-en")?.samples()?;
    stream.finish(chunks(&samples, 1_600)).await?;
    drop(client);
    // It sends what waits before it ends.
    daemon.terminate()?;
    assert_eq!(daemon.ended().await?.code(), Some(0), "{}", daemon.log());
    collector.abort();
    let mut requests = Vec::new();
    while let Some(request) = exported.recv().await {
        requests.push(request);
    }

    let everything = format!("{requests:?}").to_lowercase();
    for word in ["americans", "country", "compatriotes", "pays"] {
        assert!(!everything.contains(word), "a trace holds '{word}'");
    }
    let spans: Vec<Span> = requests
        .into_iter()
        .flat_map(|request| request.resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect();
    let root = spans.iter().find(|span| span.name == "session");
    let root = root.context("no session")?;
    let attributes: Vec<&str> = root.attributes.iter().map(|a| a.key.as_str()).collect();
    for wanted in ["id", "languages", "heard_ms", "code"] {
        assert!(attributes.contains(&wanted), "no {wanted}: {attributes:?}");
    }
    let mut runs = BTreeMap::new();
    for span in spans.iter().filter(|span| span.trace_id == root.trace_id) {
        if span.span_id != root.span_id {
            assert_eq!(span.parent_span_id, root.span_id, "{}", span.name);
            assert!(
                span.attributes.iter().any(|a| a.key == "busy_ms"),
                "{}",
                span.name
            );
            *runs.entry(span.name.as_str()).or_insert(0) += 1;
        }
    }
    println!("{runs:?}");
    assert!(runs.len() >= 4, "not every model is there: {runs:?}");
    Ok(())
}
