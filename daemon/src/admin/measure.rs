//! Counting what happens. Free where nobody has [started](super::Metrics::start) to count.

use std::time::Duration;

use metrics::{Gauge, counter, gauge, histogram};

use super::describe::{
    BATCH, DROPPED, ENDED, LAG, LISTENERS, LISTENERS_LOST, NOTICES, PACE, QUEUE, REFUSED, RESIDENT,
    RUN, SESSIONS, STEP, TERMS, WAIT, WORDS,
};
use crate::{
    engines::Timing,
    pipeline::{Event, NoticeKind, PaceChange},
    session::REASON_KEY,
};

/// The state of the daemon, when it is asked for.
pub(super) fn daemon(sessions: usize, resident_bytes: Option<u64>) {
    gauge!(SESSIONS).set(sessions as f64);
    if let Some(bytes) = resident_bytes {
        gauge!(RESIDENT).set(bytes as f64);
    }
}

/// A session ended, with this gRPC code.
pub(crate) fn session_ended(code: tonic::Code) {
    counter!(ENDED, "code" => format!("{code:?}")).increment(1);
}

/// A session was refused.
pub(crate) fn session_refused(status: &tonic::Status) {
    let reason = status.metadata().get(REASON_KEY);
    let reason = reason.and_then(|reason| reason.to_str().ok());
    let reason = reason.unwrap_or("other").to_owned();
    refused(&reason);
}

/// A session, or any call, was refused for this reason.
pub(crate) fn refused(reason: &str) {
    counter!(REFUSED, "reason" => reason.to_owned()).increment(1);
}

/// Somebody listens in a room, until what is returned is dropped.
pub(crate) fn listening() -> Present {
    Present::new(gauge!(LISTENERS))
}

/// A run of this engine is asked for, until what is returned is dropped.
pub(crate) fn queued(engine: &'static str) -> Present {
    Present::new(gauge!(QUEUE, "engine" => engine))
}

/// Something that a gauge counts as long as it is there.
#[derive(Debug)]
pub(crate) struct Present(Gauge);

impl Present {
    fn new(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A listener lost so much audio.
pub(crate) fn listener_lost(ms: u64) {
    if ms > 0 {
        counter!(LISTENERS_LOST).increment(ms);
    }
}

/// An engine answered.
pub(crate) fn engine_ran(engine: &'static str, timing: Timing) {
    histogram!(RUN, "engine" => engine).record(timing.busy);
    histogram!(WAIT, "engine" => engine).record(timing.waited);
}

/// So many sentences were translated together.
pub(crate) fn translated_together(sentences: usize) {
    histogram!(BATCH).record(sentences as f64);
}

/// A session tells `event` to its client; `source_ms` of its source were heard.
pub(crate) fn told(event: &Event, source_ms: u64) {
    match event {
        Event::SourceText { words, .. } => count_words("source", words.len()),
        Event::TranslatedText { words, terms, .. } => {
            count_words("translated", words.len());
            for term in terms {
                let outcome = if term.honoured { "honoured" } else { "missed" };
                counter!(TERMS, "outcome" => outcome).increment(1);
            }
        }
        Event::TranslatedAudio {
            target,
            text,
            range,
            ..
        } => spoken(target.code(), text, source_ms.saturating_sub(range.end_ms)),
        Event::Pace { change, .. } => paced(*change),
        Event::Notice {
            kind,
            text,
            target,
            amount,
            ..
        } => match kind {
            NoticeKind::StageFailed => {
                // Without its message: that of a model may hold what was said.
                tracing::warn!("a stage failed on a piece of input, which is lost");
                noticed("stage-failed");
                let stage = target.map_or("recognition", |_| "rendering");
                dropped(stage, "failed", amount.as_millis() as u64);
            }
            NoticeKind::SpeechSkipped => {
                skipped(text, amount.as_millis() as u64, Skipped::Unspoken);
            }
            NoticeKind::ShuttingDown => shutting_down(),
        },
        Event::SpeechStarted { .. } | Event::SpeechEnded { .. } => {}
    }
}

/// Translation is sent to be heard, or in a call begins to be heard, so long after the source was said.
pub(crate) fn spoken(target: &str, text: &str, lag_ms: u64) {
    count_words("spoken", text.split_whitespace().count());
    let lag = Duration::from_millis(lag_ms);
    histogram!(LAG, "target" => target.to_owned()).record(lag);
}

/// Why translation is not spoken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Skipped {
    /// The governor leaves it out, or the voice fails on it.
    Unspoken,
    /// In a call too much waits already.
    Waiting,
    /// In a call the other side begins to speak.
    Interrupted,
}

/// Translation of so much of the source is not spoken, and the client is told.
pub(crate) fn skipped(text: &str, ms: u64, why: Skipped) {
    let (words, reason) = match why {
        Skipped::Unspoken => ("skipped", "unspoken"),
        Skipped::Waiting => ("skipped", "waiting"),
        // As it was wished: nothing to be alarmed at.
        Skipped::Interrupted => ("interrupted", "interrupted"),
    };
    count_words(words, text.split_whitespace().count());
    noticed("speech-skipped");
    dropped("speech", reason, ms);
}

/// So much of the source is not recognised, and the client is told.
pub(crate) fn audio_dropped(ms: u64) {
    noticed("audio-dropped");
    dropped("recognition", "behind", ms);
}

/// A client is told that the daemon shuts down.
pub(crate) fn shutting_down() {
    noticed("shutting-down");
}

fn noticed(kind: &'static str) {
    counter!(NOTICES, "kind" => kind).increment(1);
}

fn dropped(stage: &'static str, reason: &'static str, ms: u64) {
    counter!(DROPPED, "stage" => stage, "reason" => reason).increment(ms);
}

fn count_words(stage: &'static str, words: usize) {
    counter!(WORDS, "stage" => stage).increment(words as u64);
}

fn paced(change: PaceChange) {
    let (stage, manner) = match change {
        PaceChange::RecognitionStep { step_ms } => {
            histogram!(STEP).record(Duration::from_millis(u64::from(step_ms)));
            ("recognition", "other-steps")
        }
        PaceChange::Speech {
            captions_only: true,
            ..
        } => ("speech", "captions-only"),
        PaceChange::Speech { rate, .. } if rate > 1.0 => ("speech", "faster"),
        PaceChange::Speech {
            pauses_shortened: true,
            ..
        } => ("speech", "pauses-shortened"),
        PaceChange::Speech { .. } => ("speech", "normal"),
    };
    counter!(PACE, "stage" => stage, "manner" => manner).increment(1);
}
