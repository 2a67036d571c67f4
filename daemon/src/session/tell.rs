//! Telling: what the pipeline says becomes responses.

use std::sync::Arc;

use interpret_proto::v1::{self, interpret_response::Response};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{Refusal, Responses, SourceClock, wire::Outputs};
use crate::{
    admin::measure,
    config::Sessions,
    pipeline::{Event, NoticeKind, Pipeline},
    rooms::Room,
};

/// The telling half of a session.
pub(super) struct Tell {
    pub(super) id: String,
    pub(super) outputs: Outputs,
    pub(super) mode: v1::Mode,
    pub(super) limits: Sessions,
    pub(super) clock: SourceClock,
    /// Set: the client is told that the daemon shuts down.
    pub(super) drain: CancellationToken,
    /// Where others listen.
    pub(super) room: Option<Arc<Room>>,
    pub(super) responses: Responses,
}

impl Tell {
    /// Tells everything until the pipeline has finished.
    pub(super) async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        pipeline: Pipeline,
    ) -> Result<(), Status> {
        let started = v1::SessionStarted {
            session_id: self.id.clone(),
            targets: self.outputs.messages(),
            mode: self.mode.into(),
        };
        self.send(Response::SessionStarted(started)).await?;
        let mut draining = false;
        let mut heartbeat = self.next_heartbeat();
        loop {
            let responses = tokio::select! {
                event = events.recv() => match event {
                    Some(event) => {
                        measure::told(&event, self.clock.now_ms());
                        self.outputs.responses(event)?
                    }
                    None => break,
                },
                () = self.drain.cancelled(), if !draining => {
                    draining = true;
                    self.outputs.responses(self.shutdown_notice())?
                }
                () = sleep_until(heartbeat) => {
                    let source_ms = self.clock.now_ms();
                    vec![Response::Heartbeat(v1::Heartbeat { source_ms })]
                }
            };
            for response in responses {
                self.send(response).await?;
            }
            heartbeat = self.next_heartbeat();
        }
        let reports = pipeline.finished().await;
        let reason = if draining {
            v1::EndReason::Shutdown
        } else {
            v1::EndReason::Finished
        };
        let ended = v1::SessionEnded {
            source_ms: self.clock.now_ms(),
            stages: reports.iter().map(super::wire::stage_report).collect(),
            reason: reason.into(),
            daemon_resident_bytes: crate::memory::resident_bytes().unwrap_or(0),
        };
        self.send(Response::SessionEnded(ended)).await
    }

    fn next_heartbeat(&self) -> Instant {
        Instant::now() + self.limits.heartbeat()
    }

    fn shutdown_notice(&self) -> Event {
        Event::Notice {
            kind: NoticeKind::ShuttingDown,
            message: "the daemon is shutting down: what was heard is finished, no more is heard"
                .to_owned(),
            target: None,
            at_ms: self.clock.now_ms(),
            amount: std::time::Duration::ZERO,
            text: String::new(),
        }
    }

    /// Waits for a client that reads slowly, but not for ever.
    async fn send(&self, response: Response) -> Result<(), Status> {
        let message = v1::InterpretResponse {
            response: Some(response),
        };
        if let Some(room) = &self.room {
            room.publish(&message);
        }
        let limit = self.limits.unread_timeout();
        match timeout(limit, self.responses.send(Ok(message))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::cancelled("the client is gone")),
            Err(_) => Err(Refusal::Unread(format!(
                "the client has read nothing for {} seconds",
                limit.as_secs()
            ))
            .into()),
        }
    }
}
