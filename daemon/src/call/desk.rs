//! Between the two legs of a call: what comes from one, and what of it the other hears.

use std::{sync::Arc, time::Duration};

use interpret_proto::v1::{
    self, CallRequest, CallResponse, call_request::Request, call_response::Response,
    interpret_response,
};
use tokio::time::timeout;
use tonic::Status;

use super::{
    Responses,
    ear::{Begun, Clause},
    leg::Leg,
};
use crate::{
    access::Admission,
    admin::measure::{self, Skipped},
    audio::{ResampleError, Resampler},
    pipeline::{Event, SourceRange},
    session::{Outputs, Refusal, SessionSpec},
};

/// What is still to be heard when the client has closed its stream follows in pieces of this length.
const LAST_PIECE_MS: u32 = 20;

/// A resampler gives out what it takes in steps, and so late at most.
const FLOOR_LATE_MS: u64 = 80;

/// Between the two legs.
pub(super) struct Desk {
    pub(super) legs: [Leg; 2],
    /// What each leg says, at the rate of the other one.
    pub(super) floors: [Resampler; 2],
    /// Until when the key that was pressed last on each leg may still be in its floor, in source time.
    pub(super) key_until_ms: [u64; 2],
    /// What each leg's speaker is interpreted into, and with which terms.
    pub(super) specs: [SessionSpec; 2],
    /// For what is said on each leg.
    pub(super) outputs: [Outputs; 2],
    pub(super) unread: Duration,
    pub(super) admission: Arc<Admission>,
    pub(super) responses: Responses,
}

impl Desk {
    /// Takes a request, and gives the leg that it comes from as much to hear.
    pub(super) async fn take(&mut self, request: CallRequest) -> Result<(), Status> {
        let bad = |message: &str| Err(Refusal::BadAudio(message.to_owned()).into());
        let audio = match request.request {
            Some(Request::Audio(audio)) => audio,
            Some(Request::SetGlossary(terms)) => return self.set_terms(&terms).await,
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
        let floor = &mut self.floors[here];
        let overheard = floor.push(&came.samples).map_err(|e| failed(&e))?;
        if let Some(key) = came.key {
            self.legs[there].hear_key(key);
        }
        if came.key.is_some() {
            self.key_until_ms[here] = at_ms + FLOOR_LATE_MS;
        }
        let in_full = came.key.is_some()
            || rate != self.legs[there].rate() && at_ms < self.key_until_ms[here];
        self.legs[there].ear.overhear(&overheard, in_full);
        let awaited = self.legs[there].is_awaited();
        self.legs[here].ear.expect(awaited);
        self.play(here, audio.sequence, samples).await?;
        match self.legs[here].dropped_is_due() {
            true => self.tell_dropped(here).await,
            false => Ok(()),
        }
    }

    /// Tells what of a leg's audio was dropped since it was told last, if any was.
    async fn tell_dropped(&mut self, leg: usize) -> Result<(), Status> {
        let amount_ms = self.legs[leg].take_dropped_ms();
        if amount_ms == 0 {
            return Ok(());
        }
        let notice = v1::Notice {
            kind: v1::NoticeKind::AudioDropped.into(),
            message: "audio was dropped because recognition is too far behind".to_owned(),
            source_ms: self.legs[leg].now_ms(),
            amount_ms,
            ..v1::Notice::default()
        };
        measure::audio_dropped(amount_ms);
        self.tell_response(leg, interpret_response::Response::Notice(notice))
            .await
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
        let language = target.map(|target| target.language).unwrap_or_default();
        let now_ms = self.legs[leg].now_ms();
        measure::spoken(
            &language,
            &clause.text,
            now_ms.saturating_sub(clause.range.end_ms),
        );
        let event = interpret_response::Response::TranslatedAudio(v1::TranslatedAudio {
            language,
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
    pub(super) async fn tell(&mut self, leg: usize, event: Event) -> Result<(), Status> {
        // What is spoken is counted when it begins to be heard, since it may be left out until then.
        if !matches!(event, Event::TranslatedAudio { .. }) {
            measure::told(&event, self.legs[leg].now_ms());
        }
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
                return self.skipped(leg, left_out, Skipped::Waiting).await;
            }
            Event::SpeechStarted { .. } | Event::SpeechEnded { .. } => {
                let speaks = matches!(event, Event::SpeechStarted { .. });
                let left_out = self.legs[leg].speaks(speaks);
                self.skipped(1 - leg, left_out, Skipped::Interrupted)
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
    async fn skipped(
        &mut self,
        leg: usize,
        clauses: Vec<Clause>,
        why: Skipped,
    ) -> Result<(), Status> {
        let reason = match why {
            Skipped::Interrupted => "the other side has begun to speak",
            Skipped::Waiting | Skipped::Unspoken => "too much waits to be spoken",
        };
        for clause in clauses {
            let SourceRange { start_ms, end_ms } = clause.range;
            measure::skipped(&clause.text, end_ms.saturating_sub(start_ms), why);
            let notice = v1::Notice {
                kind: v1::NoticeKind::SpeechSkipped.into(),
                message: format!("a clause was not spoken: {reason}"),
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

    pub(super) async fn tell_shutdown(&mut self) -> Result<(), Status> {
        for leg in 0..2 {
            measure::shutting_down();
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

    pub(super) async fn tell_response(
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

    /// Hears no more on both legs: what was heard is finished.
    pub(super) async fn finish(&mut self) -> Result<(), Status> {
        for leg in 0..2 {
            self.legs[leg].finish();
            self.tell_dropped(leg).await?;
        }
        Ok(())
    }

    /// Gives each side what is still to be heard.
    pub(super) async fn play_rest(&mut self) -> Result<(), Status> {
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
    pub(super) async fn send(&self, response: Response) -> Result<(), Status> {
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

/// What brings the voice of each leg to the rate of the other one, piece by piece without a seam.
pub(super) fn floors(legs: &[Leg; 2]) -> Result<[Resampler; 2], Refusal> {
    let [first, second] = legs.each_ref().map(Leg::rate);
    let resampler = |from, to| Resampler::new(from, to).map_err(|e| failed(&e));
    Ok([resampler(first, second)?, resampler(second, first)?])
}

/// Samples at another rate, as a whole.
fn convert(samples: Vec<f32>, from: u32, to: u32) -> Result<Vec<f32>, Refusal> {
    if from == to {
        return Ok(samples);
    }
    let mut resampler = Resampler::new(from, to).map_err(|e| failed(&e))?;
    let mut converted = resampler.push(&samples).map_err(|e| failed(&e))?;
    converted.extend(resampler.finish().map_err(|e| failed(&e))?);
    Ok(converted)
}

fn failed(error: &ResampleError) -> Refusal {
    Refusal::EngineFailed(error.to_string())
}
