//! Speak: committed clauses become audio.

use std::time::Duration;

use interpret_models::{
    Language,
    synthesis::{Speech, SynthesisRequest, Synthesizer},
};
use tokio::sync::mpsc;

use super::{Event, NoticeKind, SourceRange, StageReport};
use crate::engines::{EngineThread, Engines};

/// A piece of committed translation to speak.
#[derive(Debug)]
pub(super) struct Clause {
    /// As committed.
    pub(super) text: String,
    /// The sentence it belongs to.
    pub(super) sentence: u64,
    /// When its source was said.
    pub(super) range: SourceRange,
}

/// The stage, for one target.
pub(super) struct Speak {
    engine: EngineThread<Box<dyn Synthesizer>>,
    sample_rate: u32,
    target: Language,
    voice: String,
    events: mpsc::Sender<Event>,
    report: StageReport,
}

impl Speak {
    pub(super) fn new(
        engines: &Engines,
        target: Language,
        voice: &str,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            engine: engines.synthesizer(),
            sample_rate: engines.speech_sample_rate(),
            target,
            voice: voice.to_owned(),
            events,
            report: StageReport::new(format!("speak:{target}")),
        }
    }

    pub(super) async fn run(mut self, mut clauses: mpsc::Receiver<Clause>) -> StageReport {
        while let Some(clause) = clauses.recv().await {
            let event = match self.synthesize(&clause).await {
                Ok(speech) if speech.samples.is_empty() => continue,
                Ok(speech) => Event::TranslatedAudio {
                    target: self.target,
                    samples: speech.samples,
                    sample_rate: self.sample_rate,
                    text: clause.text,
                    sentence: clause.sentence,
                    range: clause.range,
                },
                Err(message) => Event::Notice {
                    kind: NoticeKind::SpeechSkipped,
                    message: format!("a clause was not spoken: {message}"),
                    target: Some(self.target),
                    at_ms: clause.range.start_ms,
                    amount: Duration::from_millis(clause.range.end_ms - clause.range.start_ms),
                },
            };
            if self.events.send(event).await.is_err() {
                break;
            }
        }
        self.report
    }

    async fn synthesize(&mut self, clause: &Clause) -> Result<Speech, String> {
        let request = SynthesisRequest {
            text: clause.text.clone(),
            voice: self.voice.clone(),
            speed: 1.0,
        };
        let answer = self
            .engine
            .call(move |engine| engine.synthesize(&request))
            .await;
        let (speech, timing) = answer.map_err(|e| e.to_string())?;
        self.report.add(timing);
        speech.map_err(|e| e.to_string())
    }
}
