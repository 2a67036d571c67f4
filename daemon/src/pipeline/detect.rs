//! Detect: audio becomes utterances.

use std::time::Duration;

use interpret_models::vad::{
    EndReason, EndpointConfig, InvalidEndpointConfig, Segmenter, SileroState, SileroVad,
    SpeechEvent, Utterance, VadError,
};
use tokio::sync::mpsc;

use super::{Event, Input, NoticeKind, StageReport, source_ms};
use crate::engines::{EngineThread, Engines, Timing};

/// Silence after which whatever was said is complete, even without a full stop: 1.2 s in samples.
const PAUSE_SAMPLES: u64 = 19_200;

/// What detection gives to recognition.
#[derive(Debug)]
pub(super) enum Heard {
    /// Somebody spoke.
    Utterance {
        /// Counts from 1.
        id: u64,
        /// Number of its first sample since the session began.
        start: u64,
        /// 16 kHz mono.
        samples: Vec<f32>,
    },
    /// Nobody has spoken for a while since.
    Pause,
}

/// The stage.
pub(super) struct Detect {
    engine: EngineThread<SileroVad>,
    endpoint: EndpointConfig,
    /// None before the first audio, after `EndUtterance`, and while the engine has it.
    segmenter: Option<Segmenter<SileroState>>,
    /// Samples of the session before the segmenter's first.
    offset: u64,
    /// Samples heard in all.
    heard: u64,
    /// Utterances begun so far.
    count: u64,
    /// Where the last utterance ended, until speech goes on or a pause has been told.
    ended: Option<u64>,
    utterances: mpsc::Sender<Heard>,
    events: mpsc::Sender<Event>,
    report: StageReport,
}

impl Detect {
    pub(super) fn new(
        engines: &Engines,
        endpoint: EndpointConfig,
        utterances: mpsc::Sender<Heard>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            engine: engines.detector(),
            endpoint,
            segmenter: None,
            offset: 0,
            heard: 0,
            count: 0,
            ended: None,
            utterances,
            events,
            report: StageReport::new("detect"),
        }
    }

    pub(super) async fn run(mut self, mut input: mpsc::Receiver<Input>) -> StageReport {
        while let Some(input) = input.recv().await {
            let going = match input {
                Input::Audio(samples) => self.audio(samples).await,
                Input::EndUtterance => self.end_utterance().await,
            };
            if going.is_none() {
                return self.report;
            }
        }
        // The session is over either way; whether anyone still listens changes nothing.
        let _ = self.end_utterance().await;
        self.report
    }

    /// None: nobody listens any more.
    async fn audio(&mut self, samples: Vec<f32>) -> Option<()> {
        self.heard += samples.len() as u64;
        let events = self
            .segment(move |segmenter, engine| segmenter.push(engine, &samples))
            .await;
        self.tell(events).await?;
        match self.ended {
            Some(ended) if self.heard >= ended + PAUSE_SAMPLES => self.pause().await,
            _ => Some(()),
        }
    }

    async fn end_utterance(&mut self) -> Option<()> {
        let events = self
            .segment(|segmenter, engine| segmenter.finish(engine))
            .await;
        // The segmenter begins anew; its samples count from here.
        self.offset = self.heard;
        self.tell(events).await?;
        match self.ended {
            Some(_) => self.pause().await,
            None => Some(()),
        }
    }

    /// Runs the segmenter on the engine's thread.
    async fn segment<F>(&mut self, step: F) -> Result<Vec<SpeechEvent>, String>
    where
        F: FnOnce(
                &mut Segmenter<SileroState>,
                &mut SileroVad,
            ) -> Result<Vec<SpeechEvent>, VadError>
            + Send
            + 'static,
    {
        type Stepped = (Segmenter<SileroState>, Result<Vec<SpeechEvent>, VadError>);
        let (segmenter, endpoint) = (self.segmenter.take(), self.endpoint.clone());
        let run = move |engine: &mut SileroVad| -> Result<Stepped, InvalidEndpointConfig> {
            let mut segmenter = match segmenter {
                Some(segmenter) => segmenter,
                None => Segmenter::new(engine, &endpoint)?,
            };
            let events = step(&mut segmenter, engine);
            Ok((segmenter, events))
        };
        let (answer, timing): (_, Timing) =
            self.engine.call(run).await.map_err(|e| e.to_string())?;
        let (segmenter, events) = answer.map_err(|e| e.to_string())?;
        self.segmenter = Some(segmenter);
        self.report.add(timing);
        events.map_err(|e| e.to_string())
    }

    async fn tell(&mut self, events: Result<Vec<SpeechEvent>, String>) -> Option<()> {
        match events {
            Ok(events) => {
                for event in events {
                    match event {
                        SpeechEvent::Started(at) => self.started(at).await?,
                        SpeechEvent::Ended(utterance) => self.ended(utterance).await?,
                    }
                }
                Some(())
            }
            Err(message) => {
                // What was kept of the stream is lost with the engine's answer.
                self.offset = self.heard;
                let notice = Event::Notice {
                    kind: NoticeKind::StageFailed,
                    message: format!("speech detection failed: {message}"),
                    target: None,
                    at_ms: source_ms(self.heard),
                    amount: Duration::ZERO,
                };
                self.events.send(notice).await.ok()
            }
        }
    }

    async fn started(&mut self, at: u64) -> Option<()> {
        self.count += 1;
        self.ended = None;
        let at_ms = source_ms(self.offset + at);
        self.events
            .send(Event::SpeechStarted {
                utterance: self.count,
                at_ms,
            })
            .await
            .ok()
    }

    async fn ended(&mut self, utterance: Utterance) -> Option<()> {
        let Utterance {
            range,
            samples,
            reason,
        } = utterance;
        let cut = reason == EndReason::MaximumLength;
        let end = self.offset + range.end;
        self.ended = (!cut).then_some(end);
        let event = Event::SpeechEnded {
            utterance: self.count,
            at_ms: source_ms(end),
            cut,
        };
        self.events.send(event).await.ok()?;
        let start = self.offset + range.start;
        let heard = Heard::Utterance {
            id: self.count,
            start,
            samples,
        };
        self.utterances.send(heard).await.ok()
    }

    /// Tells recognition that the speaker pauses.
    async fn pause(&mut self) -> Option<()> {
        self.ended = None;
        self.utterances.send(Heard::Pause).await.ok()
    }
}
