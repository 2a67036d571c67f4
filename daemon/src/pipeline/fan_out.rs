//! From one recognition to all targets, which come and go while the speaker speaks.

use std::sync::Arc;

use interpret_models::{Language, translation::Glossary};
use tokio::{sync::mpsc, task::JoinSet};
use tracing::Instrument as _;

use super::{
    Event, Mode, PipelineSpec, SourceClock, StageReport, TargetSpec, recognise::Said, speak,
    translate,
};
use crate::engines::Engines;

/// Recognised texts that may wait for translation.
const TEXT_CAPACITY: usize = 16;
/// Pieces of committed translation that may wait to be spoken.
const SPEECH_CAPACITY: usize = 32;

/// The targets of a session. Dropping it stops their stages.
pub(super) struct FanOut {
    engines: Engines,
    mode: Mode,
    live: bool,
    clock: SourceClock,
    events: mpsc::Sender<Event>,
    targets: Vec<(Language, mpsc::Sender<Said>)>,
    stages: JoinSet<StageReport>,
}

impl FanOut {
    /// The targets that `spec` begins with.
    pub(super) fn new(
        engines: &Engines,
        spec: &PipelineSpec,
        clock: SourceClock,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let mut fan_out = Self {
            engines: engines.clone(),
            mode: spec.mode,
            live: spec.live,
            clock,
            events,
            targets: Vec::new(),
            stages: JoinSet::new(),
        };
        for target in &spec.targets {
            fan_out.add(target);
        }
        fan_out
    }

    /// Interprets into one more language from here on.
    pub(super) fn add(&mut self, target: &TargetSpec) {
        self.remove(target.language);
        let speech = target.voice.as_ref().map(|voice| {
            let (speech, waiting) = mpsc::channel(SPEECH_CAPACITY);
            let stage = speak::Speak::new(
                &self.engines,
                target.language,
                (voice, target.speed_percent),
                self.mode.speech(),
                self.live.then(|| self.clock.clone()),
                self.events.clone(),
            );
            self.stages.spawn(stage.run(waiting).in_current_span());
            speech
        });
        let (text, waiting) = mpsc::channel(TEXT_CAPACITY);
        let stage = translate::Translate::new(
            &self.engines,
            target,
            self.mode.translation(),
            self.live,
            speech,
            self.events.clone(),
        );
        self.stages.spawn(stage.run(waiting).in_current_span());
        self.targets.push((target.language, text));
    }

    /// Interprets into one language less; its stages finish what they have.
    pub(super) fn remove(&mut self, language: Language) {
        self.targets.retain(|(target, _)| *target != language);
    }

    /// Gives what was said to every target. None: nobody listens any more.
    pub(super) async fn give(&self, said: &Said) -> Option<()> {
        for (_, target) in &self.targets {
            target.send(said.clone()).await.ok()?;
        }
        Some(())
    }

    /// Renders terms in another way from the next sentence on.
    pub(super) async fn set_glossaries(
        &self,
        glossaries: &[(Language, Option<Arc<Glossary>>)],
    ) -> Option<()> {
        for (language, target) in &self.targets {
            let glossary = glossaries.iter().find(|(of, _)| of == language);
            let glossary = glossary.and_then(|(_, glossary)| glossary.clone());
            target.send(Said::Glossary(glossary)).await.ok()?;
        }
        Some(())
    }

    /// Waits until all targets have finished what was given, and tells what they have computed. Panics where
    /// a target's stage did, once the others have finished.
    pub(super) async fn finished(mut self) -> Vec<StageReport> {
        self.targets.clear();
        let mut reports = Vec::new();
        let mut panic = None;
        while let Some(stage) = self.stages.join_next().await {
            match stage {
                Ok(report) => reports.push(report),
                Err(error) => panic = error.try_into_panic().ok().or(panic),
            }
        }
        if let Some(panic) = panic {
            // The stage that waits here is of the same session: it fails with them.
            std::panic::resume_unwind(panic);
        }
        reports
    }
}
