//! Telling: what the pipeline says becomes responses.

use std::{sync::Arc, time::Duration};

use interpret_proto::v1::{self, interpret_response::Response};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{
    Refusal, Responses, SourceClock,
    changes::{Outcome, refused},
    wire::Outputs,
};
use crate::{
    access::Admission,
    admin::measure,
    config::Sessions,
    headroom::{Share, Slot},
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
    /// What the session takes of the machine, and its place.
    pub(super) taken: Option<(Arc<Share>, Slot)>,
    pub(super) admission: Arc<Admission>,
    pub(super) resume_token: String,
    pub(super) responses: Responses,
}

/// In a session that may be resumed a heartbeat is sent so often: it says what was heard, so that the
/// client need not keep it.
const ACKNOWLEDGE: Duration = Duration::from_secs(1);

impl Tell {
    /// Tells everything until the pipeline has finished.
    pub(super) async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut outcomes: mpsc::Receiver<Outcome>,
        pipeline: Pipeline,
    ) -> Result<(), Status> {
        let started = v1::SessionStarted {
            session_id: self.id.clone(),
            targets: self.outputs.messages(),
            mode: self.mode.into(),
            resume_token: self.resume_token.clone(),
        };
        self.send(Response::SessionStarted(started)).await?;
        let mut draining = false;
        let mut heartbeat = self.next_heartbeat();
        loop {
            let responses = tokio::select! {
                biased;
                // Before anything that comes of it.
                Some(outcome) = outcomes.recv() => vec![self.changed(outcome)],
                () = sleep_until(heartbeat) => {
                    heartbeat = self.next_heartbeat();
                    vec![Response::Heartbeat(v1::Heartbeat {
                        source_ms: self.clock.now_ms(),
                        next_audio_sequence: self.clock.next_chunk(),
                    })]
                }
                event = events.recv() => match event {
                    Some(event) => {
                        measure::told(&event, self.clock.now_ms());
                        self.outputs.responses(event)?
                    }
                    None => break,
                },
                () = self.drain.cancelled(), if !draining => {
                    draining = true;
                    measure::shutting_down();
                    self.outputs.responses(self.shutdown_notice())?
                }
            };
            for response in responses {
                self.send(response).await?;
            }
            if !self.responses.are_kept() {
                heartbeat = self.next_heartbeat();
            }
        }
        let reports = pipeline.finished().await.map_err(Refusal::from)?;
        let reason = if draining {
            v1::EndReason::Shutdown
        } else {
            v1::EndReason::Finished
        };
        let ended = v1::SessionEnded {
            source_ms: self.clock.now_ms(),
            stages: super::stage_reports(&reports),
            reason: reason.into(),
            daemon_resident_bytes: crate::memory::resident_bytes().unwrap_or(0),
        };
        // All is given back before the client knows the end, so that its next session is not refused for this one.
        let message = v1::InterpretResponse::from(Response::SessionEnded(ended));
        if let Some(room) = self.room.take() {
            room.publish(&message);
        }
        self.taken = None;
        self.admission.leave();
        self.responses
            .send(message, self.limits.unread_timeout())
            .await
    }

    fn next_heartbeat(&self) -> Instant {
        let period = match self.responses.are_kept() {
            true => ACKNOWLEDGE,
            false => self.limits.heartbeat(),
        };
        Instant::now() + period
    }

    /// Takes what became of a change, and tells it.
    fn changed(&mut self, outcome: Outcome) -> Response {
        let source_ms = self.clock.now_ms();
        match outcome {
            Outcome::Done(changed) => {
                let message = changed.message(source_ms);
                if let Some(room) = &self.room {
                    room.set_targets(message.targets.clone());
                }
                self.outputs.change(changed.targets, &changed.hot_words);
                Response::SessionChanged(message)
            }
            Outcome::Refused(refusal) => Response::Notice(refused(&refusal, source_ms)),
        }
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
        let message = v1::InterpretResponse::from(response);
        if let Some(room) = &self.room {
            room.publish(&message);
        }
        let limit = self.limits.unread_timeout();
        self.responses.send(message, limit).await
    }
}
