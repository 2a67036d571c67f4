//! One side of a call: what comes from it, and what it hears.

use interpret_models::SOURCE_SAMPLE_RATE;
use interpret_proto::v1;
use tokio::sync::mpsc;

use super::{
    dtmf::DtmfDetector,
    ear::{Begun, Clause, Ear},
    echo_gate::EchoGate,
    spec::LegSpec,
};
use crate::{
    audio::{ChunkDecoder, Format, Resampler},
    pipeline::{Input, source_ms},
    session::Refusal,
};

/// Most bytes of one piece of audio.
const MOST_BYTES: usize = 64 << 10;
/// Pieces that may wait for recognition: half a minute of 20 ms each. Telephones do not wait, so beyond
/// that pieces are dropped.
const PIECES: usize = 1_500;
/// Where more waits a change is refused: changes may be large, and nothing else bounds how many wait.
const BEFORE_CHANGE: usize = 25;
/// What was dropped is told at most so often.
const TELL_DROPPED_MS: u64 = 1_000;
/// A key's tone may come back so late.
const KEY_ECHO_MS: u32 = 1_000;
/// After the other side has stopped speaking, its interpretation is waited for so long.
const INTERPRETED_MS: u64 = 8_000;

/// One side of a call.
pub(super) struct Leg {
    pub(super) ear: Ear,
    format: Format,
    decoder: ChunkDecoder,
    /// None: nothing more is heard.
    resampler: Option<Resampler>,
    /// None: what comes from here is never an echo.
    gate: Option<EchoGate>,
    dtmf: DtmfDetector,
    /// A key of the other side that is heard here, and until which sample it may come back.
    key_played: Option<(char, u64)>,
    barge_in: v1::BargeIn,
    /// What was heard, on its way to the pipeline; none, too: nothing more is heard.
    heard: Option<mpsc::Sender<Input>>,
    /// Number of the next piece.
    next: u64,
    /// Samples at 16 kHz that came.
    samples: u64,
    /// Samples at 16 kHz that were dropped since it was told last.
    dropped: u64,
    /// When that was, in source time.
    told_ms: u64,
    /// Whether this side speaks, and since when it does not, in source time.
    speaks: bool,
    spoke_until_ms: Option<u64>,
}

/// What comes of a piece of audio.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// The piece's samples, for the other side's ear.
    pub(super) samples: Vec<f32>,
    /// The key that is being pressed in it.
    pub(super) key: Option<char>,
    /// Keys that were pressed.
    pub(super) keys: Vec<char>,
}

impl Leg {
    /// A leg, and the pieces for its pipeline.
    pub(super) fn new(spec: &LegSpec) -> Result<(Self, mpsc::Receiver<Input>), Refusal> {
        let format = spec.session.audio_format;
        let rate = format.sample_rate_hz;
        let bad = |error: &dyn std::fmt::Display| Refusal::BadConfig(error.to_string());
        let (heard, pieces) = mpsc::channel(PIECES);
        let original = spec.message.original_percent.min(100) as f32 / 100.0;
        let leg = Self {
            ear: Ear::new(rate, original, spec.message.comfort_tone),
            decoder: ChunkDecoder::new(format).map_err(|e| bad(&e))?,
            resampler: Some(Resampler::new(rate, SOURCE_SAMPLE_RATE).map_err(|e| bad(&e))?),
            gate: (!spec.message.no_echo).then(|| EchoGate::new(rate)),
            dtmf: DtmfDetector::new(rate),
            key_played: None,
            barge_in: spec.message.barge_in(),
            heard: Some(heard),
            format,
            next: 0,
            samples: 0,
            dropped: 0,
            told_ms: 0,
            speaks: false,
            spoke_until_ms: None,
        };
        Ok((leg, pieces))
    }

    /// Samples a second.
    pub(super) fn rate(&self) -> u32 {
        self.format.sample_rate_hz
    }

    /// Number of the next piece from here; what is played after the last one counts on.
    pub(super) fn next_sequence(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// What came so far, in source time.
    pub(super) fn now_ms(&self) -> u64 {
        source_ms(self.samples)
    }

    /// Takes a piece of audio.
    pub(super) fn hear(&mut self, sequence: u64, data: &[u8]) -> Result<Came, Refusal> {
        if sequence != self.next {
            return Err(Refusal::BadAudio(format!(
                "a leg's audio {sequence} came where {} was expected; number the pieces of each leg \
                 0, 1, 2, …",
                self.next
            )));
        }
        self.next += 1;
        if data.is_empty() || data.len() > MOST_BYTES {
            return Err(Refusal::BadAudio(format!(
                "a piece of a leg's audio has {} bytes; send 1 to {MOST_BYTES}",
                data.len()
            )));
        }
        let bad = |error: &dyn std::fmt::Display| Refusal::BadAudio(error.to_string());
        let samples = self.decoder.decode(data).map_err(|e| bad(&e))?;
        let mut speech = samples.clone();
        if let Some(gate) = &mut self.gate {
            gate.pass(&mut speech);
        }
        let mut keys = self.dtmf.push(&samples);
        let key = self.dtmf.current();
        if key.is_some() {
            speech.fill(0.0);
        }
        // A key of the other side comes back as an echo, too.
        let played = self.key_played.filter(|(_, until)| self.samples < *until);
        let is_echo = |key: char| played.is_some_and(|(played, _)| played == key);
        keys.retain(|key| !is_echo(*key));
        let key = key.filter(|key| !is_echo(*key));
        if let Some(resampler) = &mut self.resampler {
            let speech = resampler.push(&speech).map_err(|e| bad(&e))?;
            self.give(speech);
        }
        Ok(Came { samples, key, keys })
    }

    fn give(&mut self, speech: Vec<f32>) {
        let length = speech.len() as u64;
        self.samples += length;
        if let Some(heard) = &self.heard
            && heard.try_send(Input::Audio(speech)).is_err()
        {
            self.dropped += length;
        }
    }

    /// A place in the queue for a change, so that it takes effect behind what was heard so far. None: too much
    /// waits already.
    pub(super) fn place_for_change(&self) -> Option<mpsc::OwnedPermit<Input>> {
        let heard = self.heard.as_ref()?;
        let free = heard.max_capacity() - heard.capacity() < BEFORE_CHANGE;
        free.then(|| heard.clone().try_reserve_owned().ok())?
    }

    /// A key of the other side is heard here.
    pub(super) fn hear_key(&mut self, key: char) {
        let reach = u64::from(KEY_ECHO_MS * SOURCE_SAMPLE_RATE / 1_000);
        self.key_played = Some((key, self.samples + reach));
    }

    /// Whether something was dropped that should be told: not more often than once a second.
    pub(super) fn dropped_is_due(&self) -> bool {
        self.dropped > 0 && self.now_ms() >= self.told_ms + TELL_DROPPED_MS
    }

    /// Milliseconds that were dropped since this was asked last.
    pub(super) fn take_dropped_ms(&mut self) -> u64 {
        self.told_ms = self.now_ms();
        source_ms(std::mem::take(&mut self.dropped))
    }

    /// Hears no more: the pipeline finishes what it has.
    pub(super) fn finish(&mut self) {
        if let Some(Ok(rest)) = self.resampler.take().map(Resampler::finish) {
            self.give(rest);
        }
        self.heard = None;
    }

    /// The next `samples` for this side's ear, in its format, and the clauses that begin in them.
    pub(super) fn listen(&mut self, samples: usize) -> (Vec<u8>, Vec<Begun>) {
        let (sound, begun) = self.ear.hear(samples);
        if let Some(gate) = &mut self.gate {
            gate.play(&sound);
        }
        (self.format.encode(&sound), begun)
    }

    /// This side begins or stops to speak. Gives what of the translation is left out for it.
    pub(super) fn speaks(&mut self, speaks: bool) -> Vec<Clause> {
        self.speaks = speaks;
        if !speaks {
            self.spoke_until_ms = Some(self.now_ms());
        }
        self.ear.interrupt(speaks);
        if speaks && self.barge_in == v1::BargeIn::Stop {
            return self.ear.stop();
        }
        Vec::new()
    }

    /// This side's last words were spoken on the other side.
    pub(super) fn was_interpreted(&mut self) {
        self.spoke_until_ms = None;
    }

    /// Whether the other side waits for what is said here.
    pub(super) fn is_awaited(&self) -> bool {
        let recent = |until: u64| self.now_ms() < until + INTERPRETED_MS;
        self.speaks || self.spoke_until_ms.is_some_and(recent)
    }
}

/// Passes pieces on to a pipeline, which may be busy for a while.
pub(super) async fn forward(mut pieces: mpsc::Receiver<Input>, input: mpsc::Sender<Input>) {
    while let Some(piece) = pieces.recv().await {
        if input.send(piece).await.is_err() {
            return;
        }
    }
}

impl std::fmt::Debug for Leg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leg")
            .field("format", &self.format)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}
