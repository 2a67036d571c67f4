//! Detect: audio becomes utterances.

mod hearing;

use std::time::Duration;

use interpret_models::vad::{EndpointConfig, SileroState, SileroVad};
use tokio::sync::mpsc;

use super::{Change, Event, Input, NoticeKind, SourceClock, StageReport, source_ms};
use crate::engines::{EngineThread, Engines, Timing};

pub use hearing::{Heard, Hearing};

/// What detection gives to recognition.
#[derive(Debug)]
pub(super) enum ToRecognise {
    /// What was heard.
    Heard(Heard),
    /// Something is done in another way from here on.
    Change(Change),
}

/// The stage.
pub(super) struct Detect {
    engine: EngineThread<SileroVad>,
    endpoint: EndpointConfig,
    /// None before the first audio, and while the engine has it.
    hearing: Option<Hearing<SileroState>>,
    /// Samples that came in.
    heard: u64,
    /// Utterances begun so far.
    count: u64,
    clock: SourceClock,
    recogniser: mpsc::Sender<ToRecognise>,
    events: mpsc::Sender<Event>,
    report: StageReport,
}

/// What the engine gives back: the hearing, what was heard, and what went wrong.
type Stepped = (Option<Hearing<SileroState>>, Vec<Heard>, Result<(), String>);

impl Detect {
    pub(super) fn new(
        engines: &Engines,
        endpoint: EndpointConfig,
        clock: SourceClock,
        recogniser: mpsc::Sender<ToRecognise>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            engine: engines.detector(),
            endpoint,
            hearing: None,
            heard: 0,
            count: 0,
            clock,
            recogniser,
            events,
            report: StageReport::new("detect"),
        }
    }

    pub(super) async fn run(mut self, mut input: mpsc::Receiver<Input>) -> Vec<StageReport> {
        while let Some(input) = input.recv().await {
            let going = match input {
                Input::Audio(samples) => self.hear(Some(samples)).await,
                Input::EndUtterance => self.hear(None).await,
                Input::Change(change) => {
                    let change = ToRecognise::Change(change);
                    self.recogniser.send(change).await.ok()
                }
            };
            if going.is_none() {
                return vec![self.report];
            }
        }
        // The session is over either way; whether anyone still listens changes nothing.
        let _ = self.hear(None).await;
        vec![self.report]
    }

    /// Takes audio; none: the utterance ends. None: nobody listens any more.
    async fn hear(&mut self, audio: Option<Vec<f32>>) -> Option<()> {
        let before = self.heard;
        if let Some(samples) = &audio {
            self.heard += samples.len() as u64;
            self.clock.heard(source_ms(self.heard));
        }
        let (heard, result) = self.step(audio, before).await;
        for heard in heard {
            if let Heard::Started { utterance, .. } = heard {
                self.count = utterance;
            }
            if let Some(event) = told(&heard) {
                self.events.send(event).await.ok()?;
            }
            self.recogniser.send(ToRecognise::Heard(heard)).await.ok()?;
        }
        match result {
            Ok(()) => Some(()),
            Err(message) => {
                let notice = Event::Notice {
                    kind: NoticeKind::StageFailed,
                    message: format!("speech detection failed: {message}"),
                    target: None,
                    at_ms: source_ms(self.heard),
                    amount: Duration::ZERO,
                    text: String::new(),
                };
                self.events.send(notice).await.ok()
            }
        }
    }

    /// Runs on the engine's thread; `before` samples came before.
    async fn step(
        &mut self,
        audio: Option<Vec<f32>>,
        before: u64,
    ) -> (Vec<Heard>, Result<(), String>) {
        let (hearing, endpoint, count) = (self.hearing.take(), self.endpoint.clone(), self.count);
        let run = move |engine: &mut SileroVad| -> Stepped {
            let mut heard = Vec::new();
            let resume = || Hearing::resume(engine, &endpoint, before, count);
            let mut hearing = match hearing.map_or_else(resume, Ok) {
                Ok(hearing) => hearing,
                Err(error) => return (None, heard, Err(error.to_string())),
            };
            let result = match audio {
                Some(samples) => hearing.push(engine, &samples, &mut heard),
                None => hearing.end_utterance(engine, &mut heard),
            };
            (Some(hearing), heard, result.map_err(|e| e.to_string()))
        };
        let answer: Result<(Stepped, Timing), _> = self.engine.call(run).await;
        match answer {
            Ok(((hearing, heard, result), timing)) => {
                self.hearing = hearing;
                self.report.add(timing);
                (heard, result)
            }
            // What was kept of the stream is lost with the engine's answer.
            Err(error) => (Vec::new(), Err(error.to_string())),
        }
    }
}

/// What of it the client is told.
fn told(heard: &Heard) -> Option<Event> {
    match *heard {
        Heard::Started { utterance, at } => Some(Event::SpeechStarted {
            utterance,
            at_ms: source_ms(at),
        }),
        Heard::Ended {
            utterance,
            end,
            cut,
        } => Some(Event::SpeechEnded {
            utterance,
            at_ms: source_ms(end),
            cut,
        }),
        Heard::Audio(_) | Heard::Pause { .. } => None,
    }
}
