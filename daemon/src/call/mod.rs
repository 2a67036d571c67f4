//! Telephone calls: two legs, each interpreted for the other.
//!
//! One rpc carries both legs. Linking two sessions by a name was the other way; it would need a place
//! where legs wait for each other, and a rule for each way in which one of them may be missing, while
//! whoever bridges a call holds both legs anyway. Each leg is a pipeline of its own. What a leg hears is
//! clocked by what comes from it, piece by piece, as telephones do: so nothing here needs a timer, and
//! the same audio is always mixed in the same way.

mod comfort;
mod desk;
mod dtmf;
mod ear;
mod echo_gate;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod leg;
mod spec;
mod terms;

use std::{pin::Pin, sync::Arc};

use interpret_proto::v1::{self, CallRequest, CallResponse, call_response::Response};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::{Stream, StreamExt as _, once, wrappers::ReceiverStream};
use tonic::{Status, Streaming};
use tracing::Instrument as _;

pub use self::echo_gate::EchoGate;
pub(crate) use self::spec::CallSpec;
use self::{desk::Desk, leg::Leg};
use crate::{
    access::Admission,
    admin::measure,
    audit::Audit,
    config::Sessions,
    engines::Engines,
    headroom::{Share, Slot},
    pipeline::{Event, Pipeline, StageFailed},
    session::{Outputs, Refusal, Shutdown, guarded},
    telemetry::traces,
};

/// Events that may wait to be told.
const EVENT_CAPACITY: usize = 16;

/// Messages to the client.
pub(crate) type Responses = mpsc::Sender<Result<CallResponse, Status>>;
/// What happens on each leg; none: all of it is interpreted.
type Events = Pin<Box<dyn Stream<Item = (usize, Option<Event>)> + Send>>;

/// A call that has been admitted and whose models are loaded.
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) spec: CallSpec,
    pub(crate) limits: Sessions,
    pub(crate) shutdown: Shutdown,
    /// Leave to run; counts what is spoken.
    pub(crate) admission: Arc<Admission>,
    /// What it takes of the machine, until all that was heard is interpreted.
    pub(crate) share: Share,
    /// Its places among the sessions.
    pub(crate) slot: Slot,
}

impl Call {
    /// Runs the call to its end. Returns as soon as the client is gone.
    pub(crate) async fn run(
        self,
        engines: Engines,
        requests: Streaming<CallRequest>,
        responses: Responses,
    ) {
        let span = traces::conversation("call", &self.id, &self.spec.languages());
        let admission = Arc::clone(&self.admission);
        let audit = Audit::begin("call", &self.id, &admission, self.spec.languages());
        let stop = self.shutdown.stop.clone();
        let outcome = tokio::select! {
            biased;
            () = responses.closed() => Err(Status::cancelled("the client is gone")),
            () = stop.cancelled() => {
                Err(Refusal::ShuttingDown("the daemon has shut down".to_owned()).into())
            }
            outcome = guarded(self.interpret(&engines, requests, responses.clone()).instrument(span.clone())) => {
                outcome
            }
        };
        admission.leave();
        let code = outcome
            .as_ref()
            .map_or_else(Status::code, |()| tonic::Code::Ok);
        measure::session_ended(code);
        audit.end(admission.total(), &outcome);
        traces::ended(&span, admission.total(), code);
        if let Err(status) = outcome {
            // Fails when the client is gone or reads nothing: then it cannot be told.
            let _ = responses.try_send(Err(status));
        }
    }

    async fn interpret(
        self,
        engines: &Engines,
        mut requests: Streaming<CallRequest>,
        responses: Responses,
    ) -> Result<(), Status> {
        // Dropping it stops the forwarding of audio.
        let mut forwarding = JoinSet::new();
        let mut start = |leg: usize| -> Result<_, Refusal> {
            let spec = &self.spec.legs[leg];
            let (events, told) = mpsc::channel(EVENT_CAPACITY);
            let (input, pipeline) = Pipeline::start(engines, &spec.session.pipeline(), &events);
            let (leg_state, pieces) = Leg::new(spec)?;
            forwarding.spawn(leg::forward(pieces, input));
            let told = ReceiverStream::new(told).map(Some).chain(once(None));
            let told = told.map(move |event| (leg, event));
            Ok((leg_state, pipeline, told))
        };
        let (first, first_pipeline, first_events) = start(0)?;
        let (second, second_pipeline, second_events) = start(1)?;
        let mut events: Events = Box::pin(first_events.merge(second_events));
        let legs = [first, second];
        let mut desk = Desk {
            floors: desk::floors(&legs)?,
            key_until_ms: [0; 2],
            specs: self.spec.legs.each_ref().map(|leg| leg.session.clone()),
            legs,
            outputs: [0, 1].map(|leg| Outputs::new(&self.spec.legs[leg].session)),
            unread: self.limits.unread_timeout(),
            admission: Arc::clone(&self.admission),
            responses,
        };
        let started = v1::CallStarted {
            call_id: self.id,
            legs: self
                .spec
                .legs
                .iter()
                .map(|leg| leg.message.clone())
                .collect(),
        };
        desk.send(Response::Started(started)).await?;
        let drain = self.shutdown.drain;
        let (mut hearing, mut draining) = (true, false);
        loop {
            tokio::select! {
                request = requests.message(), if hearing => match request? {
                    Some(request) => desk.take(request).await?,
                    None => {
                        hearing = false;
                        desk.finish().await?;
                    }
                },
                () = drain.cancelled(), if !draining => {
                    (hearing, draining) = (false, true);
                    desk.finish().await?;
                    desk.tell_shutdown().await?;
                }
                event = events.next() => match event {
                    Some((leg, Some(event))) => desk.tell(leg, event).await?,
                    // Without the other side a call is none.
                    Some((_, None)) if hearing => return Err(Refusal::from(StageFailed).into()),
                    Some((_, None)) => {}
                    None => break,
                },
            }
        }
        desk.play_rest().await?;
        let reason = if draining {
            v1::EndReason::Shutdown
        } else {
            v1::EndReason::Finished
        };
        let mut ended = Vec::new();
        for (leg, pipeline) in [first_pipeline, second_pipeline].into_iter().enumerate() {
            let reports = pipeline.finished().await.map_err(Refusal::from)?;
            ended.push(v1::SessionEnded {
                source_ms: desk.legs[leg].now_ms(),
                stages: crate::session::stage_reports(&reports),
                reason: reason.into(),
                daemon_resident_bytes: crate::memory::resident_bytes().unwrap_or(0),
            });
        }
        // Before the end is told, so that the client's next call is not refused for this one.
        drop((self.share, self.slot));
        self.admission.leave();
        desk.send(Response::Ended(v1::CallEnded { legs: ended }))
            .await
    }
}
