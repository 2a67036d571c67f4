//! Speak: committed translation becomes audio, phrase by phrase.

mod governor;
mod phrasing;

use std::time::{Duration, Instant};

use interpret_models::{
    Language,
    synthesis::{Speech, SynthesisRequest, Synthesizer},
};
use tokio::{sync::mpsc, time::sleep_until};

use self::{
    governor::{Governor, Manner},
    phrasing::{Phrase, PhraseEnd, Phrasing},
};
use super::{Event, NoticeKind, PaceChange, SourceClock, StageReport, TimedWord};
use crate::engines::{EngineThread, Engines};

pub(super) use self::{governor::SpeechLimits, phrasing::PhraseLengths};

/// Time that a word takes to be spoken, about: to tell how much an unspoken phrase would take.
const WORD: Duration = Duration::from_millis(330);
/// Time before the voice falls silent at which the next phrase must be begun, besides what it takes
/// to make.
const MARGIN: Duration = Duration::from_millis(100);
/// After so long a silence a listener waits for the first words more than for their melody.
const SILENCE: Duration = Duration::from_secs(1);
/// What making a phrase takes, before anything was made.
const FIRST_GUESS: Duration = Duration::from_millis(350);

/// Committed translation on its way to be spoken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ToSpeak {
    /// New words, each with its leading space.
    pub(super) words: Vec<TimedWord>,
    /// The sentence they belong to.
    pub(super) sentence: u64,
    /// Whether the sentence ends with them.
    pub(super) complete: bool,
}

/// When phrases are spoken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SpeechPolicy {
    /// Words of a phrase that is cut though its clause goes on; none: clauses are never cut.
    pub(super) lengths: Option<PhraseLengths>,
    /// The same at least, where nothing has been heard for a while.
    pub(super) first: usize,
    /// Longest that translated words wait for the end of their clause while nothing is heard.
    pub(super) patience: Duration,
    /// When the governor acts.
    pub(super) limits: SpeechLimits,
}

/// The stage, for one target.
pub(super) struct Speak {
    engine: EngineThread<Box<dyn Synthesizer>>,
    sample_rate: u32,
    target: Language,
    voice: String,
    /// How fast it speaks; 1 is its own speed.
    speed: f32,
    policy: SpeechPolicy,
    phrasing: Phrasing,
    /// None: nobody listens live, so nothing is hurried or left out.
    live: Option<Live>,
    events: mpsc::Sender<Event>,
    report: StageReport,
}

/// What a live listener hears when.
struct Live {
    clock: SourceClock,
    governor: Governor,
    /// When all speech made so far will have been heard.
    heard: Instant,
    /// What making a phrase takes, on average.
    takes: Duration,
    /// Since when unspoken words wait.
    waiting: Option<Instant>,
}

impl Speak {
    pub(super) fn new(
        engines: &Engines,
        target: Language,
        (voice, speed_percent): (&str, u32),
        policy: SpeechPolicy,
        live: Option<SourceClock>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            engine: engines.synthesizer(),
            sample_rate: engines.speech_sample_rate(),
            target,
            voice: voice.to_owned(),
            speed: speed_percent as f32 / 100.0,
            policy,
            phrasing: Phrasing::new(target),
            live: live.map(|clock| Live {
                clock,
                governor: Governor::new(policy.limits),
                heard: Instant::now(),
                takes: FIRST_GUESS,
                waiting: None,
            }),
            events,
            report: StageReport::new(format!("speak:{target}")),
        }
    }

    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<ToSpeak>) -> StageReport {
        self.warm_up().await;
        loop {
            let silent_at = self.due_at();
            let more = tokio::select! {
                text = waiting.recv() => match text {
                    Some(text) => {
                        self.phrasing.push(text);
                        true
                    }
                    None => false,
                },
                () = sleep_until(silent_at.unwrap_or_else(Instant::now).into()),
                    if silent_at.is_some() => true,
            };
            while let Ok(text) = waiting.try_recv() {
                self.phrasing.push(text);
            }
            while let Some(phrase) = self.next(!more) {
                if self.speak(phrase).await.is_none() {
                    return self.report;
                }
            }
            if !more {
                return self.report;
            }
        }
    }

    /// Readies the voice before it is needed: its first phrase takes seconds otherwise.
    async fn warm_up(&mut self) {
        let request = SynthesisRequest {
            text: "a".to_owned(),
            voice: self.voice.clone(),
            speed: 1.0,
            goes_on: false,
        };
        // Whatever is wrong will be told with the first phrase.
        let _ = self
            .engine
            .call(move |engine| engine.synthesize(&request))
            .await;
    }

    /// When a phrase must be cut so that the voice does not fall silent.
    fn due_at(&mut self) -> Option<Instant> {
        let live = self.live.as_mut()?;
        if self.phrasing.len() == 0 {
            live.waiting = None;
            return None;
        }
        let since = *live.waiting.get_or_insert_with(Instant::now);
        let dry = live.heard - live.takes.min(Duration::from_secs(2)) - MARGIN;
        let now = Instant::now();
        if dry > now {
            return Some(dry);
        }
        // Cutting was tried when the voice fell silent: the next chance is when patience ends.
        let end = since + self.policy.patience;
        (end > now).then_some(end)
    }

    /// The next phrase to be spoken now, if there is one.
    fn next(&mut self, last: bool) -> Option<Phrase> {
        if last {
            self.phrasing.end();
        }
        let (Some(live), Some(lengths)) = (&self.live, self.policy.lengths) else {
            return self.phrasing.whole(usize::MAX);
        };
        let now = Instant::now();
        if live.heard > now + live.takes + MARGIN {
            return self.phrasing.whole(lengths.most);
        }
        let impatient = live
            .waiting
            .is_some_and(|since| now >= since + self.policy.patience);
        let least = if impatient {
            1
        } else if now > live.heard + SILENCE {
            self.policy.first
        } else {
            lengths.least
        };
        self.phrasing.part(PhraseLengths { least, ..lengths })
    }

    /// None: nobody listens any more.
    async fn speak(&mut self, phrase: Phrase) -> Option<()> {
        let manner = self.manner(&phrase).await?;
        if manner.captions_only {
            return self
                .skip(&phrase, "the voice is too far behind the speaker")
                .await;
        }
        let begun = Instant::now();
        match self.synthesize(&phrase, manner).await {
            // Nothing in it can be pronounced.
            Ok(speech) if speech.samples.is_empty() => Some(()),
            Ok(speech) => {
                let length = speech.samples.len() as f64 / f64::from(self.sample_rate.max(1));
                if let Some(live) = &mut self.live {
                    live.spoke(begun, Duration::from_secs_f64(length));
                }
                let event = Event::TranslatedAudio {
                    target: self.target,
                    samples: speech.samples,
                    sample_rate: self.sample_rate,
                    text: phrase.text,
                    sentence: phrase.sentence,
                    range: phrase.range,
                };
                self.events.send(event).await.ok()
            }
            Err(message) => self.skip(&phrase, &message).await,
        }
    }

    /// Asks the governor how to speak, and tells what it changes.
    async fn manner(&mut self, phrase: &Phrase) -> Option<Manner> {
        let Some(live) = &mut self.live else {
            return Some(Manner::default());
        };
        let now = Instant::now();
        let unheard = live.heard.saturating_duration_since(now);
        let unspoken = WORD.mul_f32(self.phrasing.len() as f32 / self.speed);
        let lag = live.clock.lag(phrase.range.end_ms, now) + unheard;
        let manner = live.governor.manner(unheard + unspoken, lag);
        if let Some(change) = live.governor.change() {
            let event = Event::Pace {
                target: Some(self.target),
                at_ms: phrase.range.end_ms,
                lag_ms: u64::try_from(lag.as_millis()).unwrap_or(u64::MAX),
                change: PaceChange::Speech {
                    rate: change.rate,
                    pauses_shortened: change.pauses_shortened,
                    captions_only: change.captions_only,
                },
            };
            self.events.send(event).await.ok()?;
        }
        Some(manner)
    }

    /// Tells that a phrase is not spoken.
    async fn skip(&mut self, phrase: &Phrase, why: &str) -> Option<()> {
        let words = phrase.text.split_whitespace().count();
        let notice = Event::Notice {
            kind: NoticeKind::SpeechSkipped,
            message: format!("{words} translated words were not spoken: {why}"),
            target: Some(self.target),
            at_ms: phrase.range.start_ms,
            amount: Duration::from_millis(
                phrase.range.end_ms.saturating_sub(phrase.range.start_ms),
            ),
            text: phrase.text.clone(),
        };
        self.events.send(notice).await.ok()
    }

    async fn synthesize(&mut self, phrase: &Phrase, manner: Manner) -> Result<Speech, String> {
        let request = SynthesisRequest {
            text: phrase.text.trim().to_owned(),
            voice: self.voice.clone(),
            speed: self.speed * manner.rate,
            goes_on: phrase.end == PhraseEnd::Within,
        };
        let answer = self
            .engine
            .call(move |engine| engine.synthesize(&request))
            .await;
        let (speech, timing) = answer.map_err(|e| e.to_string())?;
        self.report.add(timing);
        let mut speech = speech.map_err(|e| e.to_string())?;
        if !speech.samples.is_empty() {
            let pause = pause(phrase.end, manner.pauses_shortened).as_secs_f64();
            let silence = (pause * f64::from(self.sample_rate)) as usize;
            speech.samples.resize(speech.samples.len() + silence, 0.0);
        }
        Ok(speech)
    }
}

impl Live {
    /// Takes that a phrase of this length is on its way, which began to be made at `begun`.
    fn spoke(&mut self, begun: Instant, length: Duration) {
        let now = Instant::now();
        self.takes = (self.takes * 3 + (now - begun)) / 4;
        self.heard = self.heard.max(now) + length;
        self.waiting = None;
    }
}

/// Silence after a phrase, besides the tenth of a second that a voice takes to fade.
fn pause(end: PhraseEnd, shortened: bool) -> Duration {
    let ms = match (end, shortened) {
        (PhraseEnd::Sentence, false) => 200,
        (PhraseEnd::Sentence, true) | (PhraseEnd::Clause, false) => 60,
        (PhraseEnd::Clause, true) | (PhraseEnd::Within, _) => 0,
    };
    Duration::from_millis(ms)
}
