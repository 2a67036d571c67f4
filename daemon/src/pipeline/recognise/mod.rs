//! Recognise: utterances become source text, while they are spoken.

mod policy;
mod step;
mod transcriber;
mod window;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use interpret_models::{Language, recognition::Recognizer};
use tokio::sync::mpsc;

use self::step::StepLength;
use super::{Event, NoticeKind, PaceChange, StageReport, TimedWord, detect::Heard, source_ms};
use crate::engines::{EngineThread, Engines, Timing};

pub use policy::CommitPolicy;
pub use transcriber::{Due, Run, Transcribed, Transcriber, TranscriberSettings};
pub use window::WindowLimits;

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
    /// An utterance is over; the speaker may go on in the same sentence.
    Ended,
    /// The speaker pauses: whatever was said before is complete.
    Pause,
}

/// The stage.
pub(super) struct Recognise {
    engine: EngineThread<Box<dyn Recognizer>>,
    transcriber: Transcriber,
    /// How long steps are; none: as the settings say, however slow the machine is.
    step: Option<StepLength>,
    targets: Vec<mpsc::Sender<Said>>,
    events: mpsc::Sender<Event>,
    /// Tells the model to stop when the session is gone.
    abort: AbortOnDrop,
    /// Whether tentative text was told that nothing has replaced yet.
    tentative: bool,
    report: StageReport,
}

impl Recognise {
    pub(super) fn new(
        engines: &Engines,
        settings: TranscriberSettings,
        live: bool,
        targets: Vec<mpsc::Sender<Said>>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            engine: engines.recognizer(),
            step: live.then(|| StepLength::new(settings.step_ms)),
            transcriber: Transcriber::new(settings),
            targets,
            events,
            abort: AbortOnDrop::default(),
            tentative: false,
            report: StageReport::new("recognise"),
        }
    }

    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Heard>) -> StageReport {
        let mut more = true;
        while more {
            match waiting.recv().await {
                Some(heard) => self.transcriber.hear(heard),
                None => {
                    self.transcriber.finish();
                    more = false;
                }
            }
            self.catch_up(&mut waiting);
            while let Some(due) = self.transcriber.due() {
                if self.act(due).await.is_none() {
                    return self.report;
                }
                self.catch_up(&mut waiting);
            }
        }
        self.report
    }

    /// Live, a late recogniser goes on with the newest sound.
    fn catch_up(&mut self, waiting: &mut mpsc::Receiver<Heard>) {
        if self.step.is_none() {
            return;
        }
        while let Ok(heard) = waiting.try_recv() {
            self.transcriber.hear(heard);
        }
        self.transcriber.catch_up();
    }

    /// None: nobody listens any more.
    async fn act(&mut self, due: Due) -> Option<()> {
        match due {
            Due::Run(run) => self.recognise(run).await,
            Due::Ended => self.give(&Said::Ended).await,
            Due::Pause => self.give(&Said::Pause).await,
        }
    }

    async fn recognise(&mut self, mut run: Run) -> Option<()> {
        run.request.abort = Some(self.abort.flag());
        let request = run.request.clone();
        let answer = self
            .engine
            .call(move |engine| engine.recognize(&request))
            .await;
        let recognition = match answer {
            Ok((result, timing)) => {
                self.report.add(timing);
                self.pace(timing, run.end).await?;
                result.map_err(|e| e.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        match recognition {
            Ok(recognition) => match self.transcriber.done(&run, &recognition) {
                Some(transcribed) => self.tell(transcribed).await,
                None => Some(()),
            },
            Err(message) => {
                let lost_ms = self.transcriber.failed(&run);
                let notice = Event::Notice {
                    kind: NoticeKind::StageFailed,
                    message: format!("speech could not be recognised: {message}"),
                    target: None,
                    at_ms: source_ms(run.end),
                    amount: Duration::from_millis(lost_ms),
                    text: String::new(),
                };
                self.events.send(notice).await.ok()
            }
        }
    }

    /// Takes longer steps where runs take long, and tells of it.
    async fn pace(&mut self, took: Timing, end: u64) -> Option<()> {
        let step = self.step.as_mut();
        let step_ms = step.and_then(|step| step.took(took.busy, took.waited));
        let Some(step_ms) = step_ms else {
            return Some(());
        };
        self.transcriber.set_step_ms(step_ms);
        tracing::debug!(step_ms, "recognition step");
        let event = Event::Pace {
            target: None,
            at_ms: source_ms(end),
            lag_ms: self.transcriber.behind_ms(),
            change: PaceChange::RecognitionStep { step_ms },
        };
        self.events.send(event).await.ok()
    }

    async fn tell(&mut self, said: Transcribed) -> Option<()> {
        if said.committed.is_empty() && said.tentative.is_empty() && !self.tentative {
            return Some(());
        }
        self.tentative = !said.tentative.is_empty();
        let event = Event::SourceText {
            utterance: said.utterance,
            language: said.language,
            committed: said.committed.iter().map(|w| w.text.as_str()).collect(),
            tentative: said.tentative,
            words: said.committed.clone(),
        };
        self.events.send(event).await.ok()?;
        if said.committed.is_empty() {
            return Some(());
        }
        self.give(&Said::Text {
            language: said.language,
            words: said.committed,
        })
        .await
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
