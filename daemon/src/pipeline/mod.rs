//! The way of the sound: detect, recognise, then for each target translate and speak.
//!
//! One direction, no way back: every stage is a task that owns its state, takes from one bounded
//! queue and gives to the next. What the outside should know leaves through one bounded queue of
//! [`Event`]s. A full queue makes the giver wait, all the way back to whoever sends the audio.
//!
//! Contracts (docs/design.md): every time is a count of source samples (1); what is committed is
//! append-only (2); every queue is bounded (3); models run on engine threads (5); all text and
//! audio die with the session (6); closing the input flushes everything, dropping the [`Pipeline`]
//! stops everything within one model step (7).

mod clock;
mod detect;
mod event;
mod fan_out;
mod meter;
mod mode;
mod recognise;
mod speak;
mod translate;

use std::sync::Arc;

use interpret_models::{Language, translation::Glossary, vad::EndpointConfig};
use tokio::{sync::mpsc, task::JoinSet};
use tracing::Instrument as _;

use crate::engines::Engines;

pub use clock::SourceClock;
pub use detect::{Heard, Hearing};
pub use event::{Event, NoticeKind, PaceChange, SourceRange, Term, TimedWord, source_ms};
pub use meter::StageReport;
pub use mode::Mode;
pub use recognise::{
    CommitPolicy, Due, Run, Transcribed, Transcriber, TranscriberSettings, WindowLimits,
};

/// Pieces of audio that may wait for speech detection.
const INPUT_CAPACITY: usize = 8;
/// Pieces of what was heard that may wait for recognition: some seconds. Beyond, detection waits,
/// and so does the sender.
const HEARD_CAPACITY: usize = 64;

/// What a pipeline is to do.
#[derive(Debug, Clone)]
pub struct PipelineSpec {
    /// Languages the speaker may use; more than one means detection among them.
    pub sources: Vec<Language>,
    /// What to interpret into.
    pub targets: Vec<TargetSpec>,
    /// When an utterance begins and ends.
    pub endpoint: EndpointConfig,
    /// Trade between delay and quality.
    pub mode: Mode,
    /// Whether somebody listens while the speaker speaks: then the governor keeps lag from growing.
    /// Otherwise nothing is hurried or left out, and the same audio always gives the same text.
    pub live: bool,
    /// Words that the recogniser should expect, as text; empty: none.
    pub hot_words: String,
}

/// One language to interpret into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSpec {
    /// The language.
    pub language: Language,
    /// The voice to speak with; none: captions only.
    pub voice: Option<String>,
    /// How fast it speaks, in percent of its own speed.
    pub speed_percent: u32,
    /// Terms that are to be rendered in a given way.
    pub glossary: Option<Arc<Glossary>>,
}

/// What a session feeds into its pipeline. Dropping the sender ends the speech.
#[derive(Debug)]
pub enum Input {
    /// 16 kHz mono samples, full scale +-1, any number of them.
    Audio(Vec<f32>),
    /// The current utterance ends here, as with a long pause.
    EndUtterance,
    /// From here on something is done in another way.
    Change(Change),
}

/// What is to be done in another way from some point of the audio on.
#[derive(Debug, Clone)]
pub enum Change {
    /// Interprets into one more language.
    AddTarget(TargetSpec),
    /// Interprets into one language less; what was said so far is finished.
    RemoveTarget(Language),
    /// Has other terms.
    Terms {
        /// For each target.
        glossaries: Vec<(Language, Option<Arc<Glossary>>)>,
        /// Words that the recogniser should expect, as text.
        hot_words: String,
    },
}

/// A running pipeline. Dropping it stops all stages.
#[derive(Debug)]
pub struct Pipeline {
    stages: JoinSet<Vec<StageReport>>,
}

impl Pipeline {
    /// Starts the stages. Audio goes into the returned sender; what comes of it is sent to
    /// `events`.
    #[must_use]
    pub fn start(
        engines: &Engines,
        spec: &PipelineSpec,
        events: &mpsc::Sender<Event>,
    ) -> (mpsc::Sender<Input>, Self) {
        let mut stages = JoinSet::new();
        let clock = SourceClock::default();
        let targets = fan_out::FanOut::new(engines, spec, clock.clone(), events.clone());
        let (heard, waiting) = mpsc::channel(HEARD_CAPACITY);
        let settings = spec.mode.transcriber(&spec.sources);
        let mut recognise =
            recognise::Recognise::new(engines, settings, spec.live, targets, events.clone());
        recognise.set_hot_words(&spec.hot_words);
        stages.spawn(recognise.run(waiting).in_current_span());
        let (input, waiting) = mpsc::channel(INPUT_CAPACITY);
        let endpoint = spec.mode.endpoint(&spec.endpoint);
        let detect = detect::Detect::new(engines, endpoint, clock, heard, events.clone());
        stages.spawn(detect.run(waiting).in_current_span());
        (input, Self { stages })
    }

    /// Waits until all stages have finished, which they do after the input's sender is dropped,
    /// and tells what each has computed.
    ///
    /// # Errors
    /// When one of them panicked: what it should have said is missing. The others have flushed, but for the
    /// targets where recognition panicked.
    pub async fn finished(mut self) -> Result<Vec<StageReport>, StageFailed> {
        let mut reports = Vec::new();
        let mut failed = false;
        while let Some(stage) = self.stages.join_next().await {
            match stage {
                Ok(more) => reports.extend(more),
                // Where, is in the log already.
                Err(_panic) => failed = true,
            }
        }
        if failed {
            return Err(StageFailed);
        }
        reports.sort_by(|a, b| a.stage.cmp(&b.stage));
        Ok(reports)
    }
}

/// A stage panicked.
#[derive(Debug, thiserror::Error)]
#[error("a part of the session failed; what was heard may be interpreted in part only")]
pub struct StageFailed;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stage_that_panics_is_an_error_after_the_others_have_flushed() {
        let (flushed, mut told) = mpsc::channel(1);
        let mut stages = JoinSet::new();
        stages.spawn(async { panic!("poison input") });
        stages.spawn(async move {
            tokio::task::yield_now().await;
            // Somebody waits for it below.
            let _ = flushed.send(()).await;
            Vec::new()
        });
        let finished = Pipeline { stages }.finished().await;
        assert!(finished.is_err());
        assert_eq!(told.recv().await, Some(()));
    }
}
