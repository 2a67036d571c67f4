//! Hearing: requests become 16 kHz audio for the pipeline.

use std::{sync::Arc, time::Duration};

use interpret_models::SOURCE_SAMPLE_RATE;
use interpret_proto::v1::{AudioChunk, Control, control, interpret_request::Request};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{
    Refusal, Requests, SourceClock,
    changes::{Changes, Outcome},
};
use crate::{
    access::Admission,
    audio::{ChunkDecoder, Format, Resampler},
    pipeline::Input,
    rooms::Room,
};

/// Most bytes one chunk may hold.
const CHUNK_BYTES: usize = 1 << 20;

/// The hearing half of a session.
pub(super) struct Hear {
    pub(super) format: Format,
    /// Dropping it ends the speech.
    pub(super) input: mpsc::Sender<Input>,
    pub(super) clock: SourceClock,
    /// Set: hear no more.
    pub(super) drain: CancellationToken,
    /// Where others listen to the floor.
    pub(super) room: Option<Arc<Room>>,
    /// What the client may change.
    pub(super) changes: Changes,
    /// Where it is told what became of it.
    pub(super) outcomes: mpsc::Sender<Outcome>,
    pub(super) admission: Arc<Admission>,
}

impl Hear {
    /// Reads until the client closes its stream or the daemon drains.
    pub(super) async fn run(mut self, mut requests: Requests) -> Result<(), Status> {
        let mut resampler = Resampler::new(self.format.sample_rate_hz, SOURCE_SAMPLE_RATE)
            .map_err(|e| Refusal::BadConfig(e.to_string()))?;
        let mut decoder =
            ChunkDecoder::new(self.format).map_err(|e| Refusal::BadConfig(e.to_string()))?;
        let mut expected = 0;
        loop {
            let request = tokio::select! {
                biased;
                () = self.drain.cancelled() => break,
                request = requests.next() => request?,
            };
            let Some(request) = request else { break };
            match request.request {
                Some(Request::Audio(chunk)) => {
                    let samples = decode(&mut decoder, &chunk, &mut expected)?;
                    self.clock.count_chunk();
                    let samples = resampler
                        .push(&samples)
                        .map_err(|e| Refusal::BadAudio(e.to_string()))?;
                    if self.give(samples).await.is_none() {
                        return Ok(());
                    }
                }
                Some(Request::Control(Control { control })) => self.control(control).await?,
                Some(Request::Config(_)) => {
                    return Err(bad(
                        "the session is configured already; SessionConfig must not be repeated",
                    ));
                }
                Some(Request::Resume(_)) => {
                    return Err(bad("the session is open already; Resume opens a stream"));
                }
                None => return Err(bad("an InterpretRequest is empty")),
            }
        }
        let rest = resampler
            .finish()
            .map_err(|e| Refusal::BadAudio(e.to_string()))?;
        // As above; there is nothing more to hear.
        let _ = self.give(rest).await;
        Ok(())
    }

    /// Waits when the pipeline is busy; so the next request is not read, and HTTP/2 flow control
    /// stops the sender. None: the pipeline has ended, and telling says why.
    async fn give(&self, samples: Vec<f32>) -> Option<()> {
        self.clock.advance(samples.len());
        self.admission.heard(Duration::from_micros(
            samples.len() as u64 * 1_000_000 / u64::from(SOURCE_SAMPLE_RATE),
        ));
        if let Some(room) = &self.room {
            room.publish_floor(&samples);
        }
        self.input.send(Input::Audio(samples)).await.ok()
    }

    async fn control(&mut self, control: Option<control::Control>) -> Result<(), Status> {
        match control {
            Some(control::Control::EndUtterance(_)) => {
                // Fails only when the pipeline has ended; telling says why.
                let _ = self.input.send(Input::EndUtterance).await;
                Ok(())
            }
            // Only a link keeps responses, and it takes this itself.
            Some(control::Control::Acknowledge(_)) => Ok(()),
            Some(change) => {
                let outcome = self.changes.apply(change).await;
                let (outcome, change) = match outcome {
                    Ok(change) => (Outcome::Done(self.changes.state()), Some(change)),
                    Err(refusal) => (Outcome::Refused(refusal), None),
                };
                // Both fail only when the pipeline has ended; telling says why.
                let _ = self.outcomes.send(outcome).await;
                if let Some(change) = change {
                    let _ = self.input.send(Input::Change(change)).await;
                }
                Ok(())
            }
            None => Err(bad("a Control is empty")),
        }
    }
}

/// The samples of a chunk, which must be the next in number.
fn decode(
    decoder: &mut ChunkDecoder,
    chunk: &AudioChunk,
    expected: &mut u64,
) -> Result<Vec<f32>, Status> {
    if chunk.sequence != *expected {
        return Err(bad(&format!(
            "audio chunk {} came where {expected} was expected; number chunks 0, 1, 2, …",
            chunk.sequence
        )));
    }
    *expected += 1;
    if chunk.data.is_empty() || chunk.data.len() > CHUNK_BYTES {
        return Err(bad(&format!(
            "audio chunk {} has {} bytes; send 1 to {CHUNK_BYTES}",
            chunk.sequence,
            chunk.data.len()
        )));
    }
    let samples = decoder.decode(&chunk.data);
    Ok(samples.map_err(|e| Refusal::BadAudio(e.to_string()))?)
}

fn bad(message: &str) -> Status {
    Refusal::BadAudio(message.to_owned()).into()
}
