//! Telephone calls: two legs, each interpreted for the other.
//!
//! One rpc carries both legs. Linking two sessions by a name was the other way; it would need a place
//! where legs wait for each other, and a rule for each way in which one of them may be missing, while
//! whoever bridges a call holds both legs anyway. Each leg is a pipeline of its own. What a leg hears is
//! clocked by what comes from it, piece by piece, as telephones do: so nothing here needs a timer, and
//! the same audio is always mixed in the same way.

mod comfort;
mod dtmf;
mod ear;
mod echo_gate;
mod leg;
mod spec;

use std::{pin::Pin, sync::Arc, time::Duration};

use interpret_proto::v1::{
    self, CallRequest, CallResponse, call_request::Request, call_response::Response,
    interpret_response,
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{Status, Streaming};
use tracing::Instrument as _;

pub use self::echo_gate::EchoGate;
pub(crate) use self::spec::CallSpec;
use self::{
    ear::{Begun, Clause},
    leg::Leg,
};
use crate::{
    access::Admission,
    admin::measure,
    audio::Resampler,
    audit::Audit,
    config::Sessions,
    engines::Engines,
    pipeline::{Event, Pipeline, SourceRange},
    session::{Outputs, Refusal, Shutdown},
    telemetry::traces,
};

/// Events that may wait to be told.
const EVENT_CAPACITY: usize = 16;
/// What is still to be heard when the client has closed its stream follows in pieces of this length.
const LAST_PIECE_MS: u32 = 20;

/// Messages to the client.
pub(crate) type Responses = mpsc::Sender<Result<CallResponse, Status>>;
type Events = Pin<Box<dyn Stream<Item = (usize, Event)> + Send>>;

/// A call that has been admitted and whose models are loaded.
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) spec: CallSpec,
    pub(crate) limits: Sessions,
    pub(crate) shutdown: Shutdown,
    /// Leave to run; counts what is spoken.
    pub(crate) admission: Arc<Admission>,
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
            outcome = self.interpret(&engines, requests, responses.clone()).instrument(span.clone()) => {
                outcome
            }
        };
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
            let told = ReceiverStream::new(told).map(move |event| (leg, event));
            Ok((leg_state, pipeline, told))
        };
        let (first, first_pipeline, first_events) = start(0)?;
        let (second, second_pipeline, second_events) = start(1)?;
        let mut events: Events = Box::pin(first_events.merge(second_events));
        let mut desk = Desk {
            legs: [first, second],
            outputs: [0, 1].map(|leg| Outputs::new(&self.spec.legs[leg].session)),
            unread: self.limits.unread_timeout(),
            admission: self.admission,
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
                        desk.finish();
                    }
                },
                () = drain.cancelled(), if !draining => {
                    (hearing, draining) = (false, true);
                    desk.finish();
                    desk.tell_shutdown().await?;
                }
                event = events.next() => match event {
                    Some((leg, event)) => desk.tell(leg, event).await?,
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
            ended.push(v1::SessionEnded {
                source_ms: desk.legs[leg].now_ms(),
                stages: crate::session::stage_reports(&pipeline.finished().await),
                reason: reason.into(),
                daemon_resident_bytes: crate::memory::resident_bytes().unwrap_or(0),
            });
        }
        desk.send(Response::Ended(v1::CallEnded { legs: ended }))
            .await
    }
}

/// Between the two legs.
struct Desk {
    legs: [Leg; 2],
    /// For what is said on each leg.
    outputs: [Outputs; 2],
    unread: Duration,
    admission: Arc<Admission>,
    responses: Responses,
}

impl Desk {
    /// Takes a request, and gives the leg that it comes from as much to hear.
    async fn take(&mut self, request: CallRequest) -> Result<(), Status> {
        let bad = |message: &str| Err(Refusal::BadAudio(message.to_owned()).into());
        let audio = match request.request {
            Some(Request::Audio(audio)) => audio,
            Some(Request::Config(_)) => {
                return bad("the call is configured already; CallConfig must not be repeated");
            }
            None => return bad("a CallRequest is empty"),
        };
        let Some(here) = usize::try_from(audio.leg).ok().filter(|leg| *leg < 2) else {
            return bad("a call has the legs 0 and 1");
        };
        let there = 1 - here;
        let came = self.legs[here].hear(audio.sequence, &audio.data)?;
        let rate = self.legs[here].rate();
        self.admission.heard(Duration::from_micros(
            came.samples.len() as u64 * 1_000_000 / u64::from(rate.max(1)),
        ));
        let at_ms = self.legs[here].now_ms();
        for key in came.keys {
            let dtmf = v1::Dtmf {
                leg: audio.leg,
                key: key.to_string(),
                source_ms: at_ms,
            };
            self.send(Response::Dtmf(dtmf)).await?;
        }
        let samples = came.samples.len();
        let overheard = convert(came.samples, rate, self.legs[there].rate())?;
        if let Some(key) = came.key {
            self.legs[there].hear_key(key);
        }
        self.legs[there]
            .ear
            .overhear(&overheard, came.key.is_some());
        let awaited = self.legs[there].is_awaited();
        self.legs[here].ear.expect(awaited);
        self.play(here, audio.sequence, samples).await?;
        let dropped_ms = self.legs[here].take_dropped_ms();
        if dropped_ms > 0 {
            let notice = v1::Notice {
                kind: v1::NoticeKind::AudioDropped.into(),
                message: "audio was dropped because recognition is too far behind".to_owned(),
                source_ms: at_ms,
                amount_ms: dropped_ms,
                ..v1::Notice::default()
            };
            self.tell_response(here, interpret_response::Response::Notice(notice))
                .await?;
        }
        Ok(())
    }

    /// Gives a leg so many samples to hear.
    async fn play(&mut self, leg: usize, sequence: u64, samples: usize) -> Result<(), Status> {
        let (data, begun) = self.legs[leg].listen(samples);
        let audio = v1::CallAudio {
            leg: leg as u32,
            sequence,
            data,
        };
        self.send(Response::Audio(audio)).await?;
        for clause in begun {
            self.tell_begun(1 - leg, clause).await?;
        }
        Ok(())
    }

    /// Tells that a clause said on `leg` begins to be heard on the other one.
    async fn tell_begun(&mut self, leg: usize, clause: Begun) -> Result<(), Status> {
        let target = self.outputs[leg].messages().into_iter().next();
        let event = interpret_response::Response::TranslatedAudio(v1::TranslatedAudio {
            language: target.map(|target| target.language).unwrap_or_default(),
            text: clause.text,
            sentence_id: clause.sentence,
            source_start_ms: clause.range.start_ms,
            source_end_ms: clause.range.end_ms,
            clause_complete: true,
            ..v1::TranslatedAudio::default()
        });
        let event = v1::CallEvent {
            leg: leg as u32,
            event: Some(event.into()),
            heard_ms: clause.at_ms,
        };
        self.send(Response::Event(event)).await
    }

    /// Tells what is said on a leg; what of it is spoken goes to the other side's ear.
    async fn tell(&mut self, leg: usize, event: Event) -> Result<(), Status> {
        measure::told(&event, self.legs[leg].now_ms());
        let event = match event {
            Event::TranslatedAudio {
                samples,
                sample_rate,
                text,
                sentence,
                range,
                ..
            } => {
                let there = 1 - leg;
                let clause = Clause {
                    samples: convert(samples, sample_rate, self.legs[there].rate())?,
                    text,
                    sentence,
                    range,
                };
                self.legs[leg].was_interpreted();
                let left_out = self.legs[there].ear.speak(clause);
                return self
                    .skipped(leg, left_out, "too much waits to be spoken")
                    .await;
            }
            Event::SpeechStarted { .. } | Event::SpeechEnded { .. } => {
                let speaks = matches!(event, Event::SpeechStarted { .. });
                let left_out = self.legs[leg].speaks(speaks);
                self.skipped(1 - leg, left_out, "the other side has begun to speak")
                    .await?;
                event
            }
            other => other,
        };
        for response in self.outputs[leg].responses(event)? {
            self.tell_response(leg, response).await?;
        }
        Ok(())
    }

    /// Tells that clauses said on `leg` are not spoken.
    async fn skipped(&mut self, leg: usize, clauses: Vec<Clause>, why: &str) -> Result<(), Status> {
        for clause in clauses {
            let SourceRange { start_ms, end_ms } = clause.range;
            let notice = v1::Notice {
                kind: v1::NoticeKind::SpeechSkipped.into(),
                message: format!("a clause was not spoken: {why}"),
                source_ms: start_ms,
                amount_ms: end_ms.saturating_sub(start_ms),
                text: clause.text,
                ..v1::Notice::default()
            };
            self.tell_response(leg, interpret_response::Response::Notice(notice))
                .await?;
        }
        Ok(())
    }

    async fn tell_shutdown(&mut self) -> Result<(), Status> {
        for leg in 0..2 {
            let notice = v1::Notice {
                kind: v1::NoticeKind::ShuttingDown.into(),
                message:
                    "the daemon is shutting down: what was heard is finished, no more is heard"
                        .to_owned(),
                source_ms: self.legs[leg].now_ms(),
                ..v1::Notice::default()
            };
            self.tell_response(leg, interpret_response::Response::Notice(notice))
                .await?;
        }
        Ok(())
    }

    async fn tell_response(
        &mut self,
        leg: usize,
        response: interpret_response::Response,
    ) -> Result<(), Status> {
        let event = v1::CallEvent {
            leg: leg as u32,
            event: Some(response.into()),
            heard_ms: 0,
        };
        self.send(Response::Event(event)).await
    }

    fn finish(&mut self) {
        for leg in &mut self.legs {
            leg.finish();
        }
    }

    /// Gives each side what is still to be heard.
    async fn play_rest(&mut self) -> Result<(), Status> {
        // By turns, so that whoever plays it as it comes can play both.
        while self.legs.iter().any(|leg| leg.ear.is_speaking()) {
            for leg in 0..2 {
                if self.legs[leg].ear.is_speaking() {
                    let samples = (self.legs[leg].rate() * LAST_PIECE_MS / 1_000) as usize;
                    let sequence = self.legs[leg].next_sequence();
                    self.play(leg, sequence, samples).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits for a client that reads slowly, but not for ever.
    async fn send(&self, response: Response) -> Result<(), Status> {
        let message = CallResponse {
            response: Some(response),
        };
        match timeout(self.unread, self.responses.send(Ok(message))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::cancelled("the client is gone")),
            Err(_) => Err(Refusal::Unread(format!(
                "the client has read nothing for {} seconds",
                self.unread.as_secs()
            ))
            .into()),
        }
    }
}

/// Samples at another rate, as a whole.
fn convert(samples: Vec<f32>, from: u32, to: u32) -> Result<Vec<f32>, Refusal> {
    if from == to {
        return Ok(samples);
    }
    let failed = |error: &dyn std::fmt::Display| Refusal::EngineFailed(error.to_string());
    let mut resampler = Resampler::new(from, to).map_err(|e| failed(&e))?;
    let mut converted = resampler.push(&samples).map_err(|e| failed(&e))?;
    converted.extend(resampler.finish().map_err(|e| failed(&e))?);
    Ok(converted)
}
