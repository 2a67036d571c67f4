//! Recognise: utterances become source text.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use interpret_models::{
    Language,
    recognition::{Recognition, RecognitionRequest, Recognizer},
};
use tokio::sync::mpsc;

use super::{Event, NoticeKind, SourceRange, StageReport, TimedWord, detect::Heard, source_ms};
use crate::engines::{EngineThread, Engines};

/// What recognition gives to each target's translation.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// New committed source text, with the leading space it needs.
    Text {
        /// What it is in.
        language: Language,
        /// Its words, which joined make the text.
        words: Vec<TimedWord>,
    },
    /// The speaker pauses: whatever was said before is complete.
    Pause,
}

/// The stage.
pub(super) struct Recognise {
    engine: EngineThread<Box<dyn Recognizer>>,
    sources: Vec<Language>,
    targets: Vec<mpsc::Sender<Said>>,
    events: mpsc::Sender<Event>,
    /// Tells the model to stop when the session is gone.
    abort: AbortOnDrop,
    /// Whether anything was committed, so that the next text needs a space before it.
    begun: bool,
    report: StageReport,
}

impl Recognise {
    pub(super) fn new(
        engines: &Engines,
        sources: Vec<Language>,
        targets: Vec<mpsc::Sender<Said>>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            engine: engines.recognizer(),
            sources,
            targets,
            events,
            abort: AbortOnDrop::default(),
            begun: false,
            report: StageReport::new("recognise"),
        }
    }

    pub(super) async fn run(mut self, mut heard: mpsc::Receiver<Heard>) -> StageReport {
        while let Some(heard) = heard.recv().await {
            let going = match heard {
                Heard::Utterance { id, start, samples } => self.utterance(id, start, samples).await,
                Heard::Pause => self.give(&Said::Pause).await,
            };
            if going.is_none() {
                break;
            }
        }
        self.report
    }

    /// None: nobody listens any more.
    async fn utterance(&mut self, id: u64, start: u64, samples: Vec<f32>) -> Option<()> {
        let length = samples.len() as u64;
        let request = RecognitionRequest {
            samples,
            languages: self.sources.clone(),
            prompt: String::new(),
            abort: Some(self.abort.flag()),
        };
        let answer = self
            .engine
            .call(move |engine| engine.recognize(&request))
            .await;
        let recognition = match answer {
            Ok((result, timing)) => {
                self.report.add(timing);
                result.map_err(|e| e.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        match recognition {
            Ok(recognition) if recognition.words.is_empty() => Some(()),
            Ok(recognition) => self.commit(id, start, recognition).await,
            Err(message) => {
                let notice = Event::Notice {
                    kind: NoticeKind::StageFailed,
                    message: format!("an utterance could not be recognised: {message}"),
                    target: None,
                    at_ms: source_ms(start),
                    amount: Duration::from_millis(source_ms(length)),
                };
                self.events.send(notice).await.ok()
            }
        }
    }

    async fn commit(&mut self, id: u64, start: u64, recognition: Recognition) -> Option<()> {
        let language = recognition.language;
        let words = self.timed(start, &recognition);
        let committed = words.iter().map(|word| word.text.as_str()).collect();
        let event = Event::SourceText {
            utterance: id,
            language,
            committed,
            tentative: String::new(),
            words: words.clone(),
        };
        self.events.send(event).await.ok()?;
        self.give(&Said::Text { language, words }).await
    }

    /// The words with source times, and a space before the first unless it begins the session.
    fn timed(&mut self, start: u64, recognition: &Recognition) -> Vec<TimedWord> {
        let start_ms = source_ms(start);
        let mut words: Vec<TimedWord> = recognition
            .words
            .iter()
            .map(|word| TimedWord {
                text: word.text.clone(),
                range: SourceRange {
                    start_ms: start_ms + u64::from(word.start_ms),
                    end_ms: start_ms + u64::from(word.end_ms),
                },
                probability: word.probability,
            })
            .collect();
        if let Some(first) = words.first_mut() {
            let bare = first.text.trim_start();
            let space = if self.begun { " " } else { "" };
            first.text = format!("{space}{bare}");
            self.begun = true;
        }
        words
    }

    async fn give(&self, said: &Said) -> Option<()> {
        for target in &self.targets {
            target.send(said.clone()).await.ok()?;
        }
        Some(())
    }
}

/// A flag that is set when the stage is dropped, so that a recognition under way stops.
#[derive(Debug, Default)]
struct AbortOnDrop(Arc<AtomicBool>);

impl AbortOnDrop {
    fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
