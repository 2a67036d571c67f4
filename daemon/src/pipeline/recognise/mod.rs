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

use interpret_models::{Language, recognition::Recognizer, translation::Glossary};
use tokio::sync::mpsc;

use self::step::StepLength;
use super::{
    Change, Event, NoticeKind, PaceChange, StageReport, TimedWord, detect::ToRecognise,
    fan_out::FanOut, source_ms,
};
use crate::engines::{EngineThread, Engines, LoadMeter, Timing};

pub use policy::CommitPolicy;
pub use transcriber::{Due, Run, Transcribed, Transcriber, TranscriberSettings};
pub use window::WindowLimits;

/// With steps of this length an interpretation is still in time. Shorter ones are better where there is time
/// for them, and no reason to refuse a session.
const NEEDED_STEP_MS: u32 = 1_600;

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
    /// Terms are rendered so from here on.
    Glossary(Option<Arc<Glossary>>),
}

/// The stage.
pub(super) struct Recognise {
    engine: EngineThread<Box<dyn Recognizer>>,
    transcriber: Transcriber,
    /// How long steps are; none: as the settings say, however slow the machine is.
    step: Option<StepLength>,
    targets: FanOut,
    events: mpsc::Sender<Event>,
    /// Tells the model to stop when the session is gone.
    abort: AbortOnDrop,
    /// Whether tentative text was told that nothing has replaced yet.
    tentative: bool,
    load: LoadMeter,
    report: StageReport,
}

impl Recognise {
    pub(super) fn new(
        engines: &Engines,
        settings: TranscriberSettings,
        live: bool,
        targets: FanOut,
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
            load: engines.load().clone(),
            report: StageReport::new("recognise"),
        }
    }

    /// Words that the recogniser should expect.
    pub(super) fn set_hot_words(&mut self, words: &str) {
        self.transcriber.set_hot_words(words);
    }

    pub(super) async fn run(
        mut self,
        mut waiting: mpsc::Receiver<ToRecognise>,
    ) -> Vec<StageReport> {
        // None: nobody listens any more, and the session is over either way.
        let _ = self.hear_all(&mut waiting).await;
        drop(self.events);
        let mut reports = self.targets.finished().await;
        reports.push(self.report);
        reports
    }

    async fn hear_all(&mut self, waiting: &mut mpsc::Receiver<ToRecognise>) -> Option<()> {
        let mut more = true;
        while more {
            match waiting.recv().await {
                Some(ToRecognise::Heard(heard)) => self.transcriber.hear(heard),
                Some(ToRecognise::Change(change)) => self.change(change).await?,
                None => {
                    self.transcriber.finish();
                    more = false;
                }
            }
            self.catch_up(waiting).await?;
            while let Some(due) = self.transcriber.due() {
                self.act(due).await?;
                self.catch_up(waiting).await?;
            }
        }
        Some(())
    }

    /// Live, a late recogniser goes on with the newest sound. None: nobody listens any more.
    async fn catch_up(&mut self, waiting: &mut mpsc::Receiver<ToRecognise>) -> Option<()> {
        if self.step.is_none() {
            return Some(());
        }
        while let Ok(next) = waiting.try_recv() {
            match next {
                ToRecognise::Heard(heard) => self.transcriber.hear(heard),
                ToRecognise::Change(change) => self.change(change).await?,
            }
        }
        self.transcriber.catch_up();
        Some(())
    }

    /// None: nobody listens any more.
    async fn change(&mut self, change: Change) -> Option<()> {
        match change {
            Change::AddTarget(target) => self.targets.add(&target),
            Change::RemoveTarget(language) => self.targets.remove(language),
            Change::Terms {
                glossaries,
                hot_words,
            } => {
                self.transcriber.set_hot_words(&hot_words);
                self.targets.set_glossaries(&glossaries).await?;
            }
        }
        Some(())
    }

    /// None: nobody listens any more.
    async fn act(&mut self, due: Due) -> Option<()> {
        match due {
            Due::Run(run) => self.recognise(run).await,
            Due::Ended => self.targets.give(&Said::Ended).await,
            Due::Pause => self.targets.give(&Said::Pause).await,
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
        if let Some(step) = &step {
            let needed = (step.ms() as f32 / NEEDED_STEP_MS as f32).min(1.0);
            self.load
                .could_spare("recognition", took.busy.mul_f32(1.0 - needed));
        }
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
            language_probability: said.language_probability,
            committed: said.committed.iter().map(|w| w.text.as_str()).collect(),
            tentative: said.tentative,
            words: said.committed.clone(),
        };
        self.events.send(event).await.ok()?;
        if said.committed.is_empty() {
            return Some(());
        }
        let text = Said::Text {
            language: said.language,
            words: said.committed,
        };
        self.targets.give(&text).await
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
