//! Translate: source text becomes target text, while its sentence is still being spoken.
//!
//! A sentence is translated anew whenever enough of it has come, beginning with what is committed of
//! its translation; what its last words may still change is held back (`AlignAtt`). Once it is
//! complete the rest is committed. A sentence that was complete before its translation began is
//! translated as a whole.

mod open_sentence;
mod source_text;

use std::{sync::Arc, time::Duration};

use interpret_models::{
    Language, LanguagePair,
    translation::{Glossary, Translation as Translated, TranslationRequest},
};
use tokio::sync::mpsc;

use self::{
    open_sentence::OpenSentence,
    source_text::{SourceSentences, TimedSentence},
};
use super::{
    Event, NoticeKind, SourceRange, StageReport, TargetSpec, Term, TimedWord, recognise::Said,
    speak::ToSpeak,
};
use crate::engines::{Engines, Translation as TranslationEngine};

/// When the translation of a sentence is committed that is still being spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TranslationPolicy {
    /// Source words at the end whose translation is held back; none: sentences are translated as a
    /// whole.
    pub(super) hold_back: Option<usize>,
    /// The same when the speaker has paused, but not ended the sentence.
    pub(super) hold_back_in_pause: usize,
    /// New source words that a translation takes.
    pub(super) step_words: usize,
}

/// The stage, for one target.
pub(super) struct Translate {
    engine: TranslationEngine,
    target: Language,
    glossary: Option<Arc<Glossary>>,
    policy: TranslationPolicy,
    /// Whether somebody listens live: then only the newest state is translated.
    live: bool,
    speech: Option<mpsc::Sender<ToSpeak>>,
    events: mpsc::Sender<Event>,
    sentences: SourceSentences,
    open: OpenSentence,
    /// Number of the sentence that is open, or of the next one.
    number: u64,
    /// Whether anything was committed, so that the next text needs a space before it.
    begun: bool,
    report: StageReport,
}

impl Translate {
    pub(super) fn new(
        engines: &Engines,
        target: &TargetSpec,
        policy: TranslationPolicy,
        live: bool,
        speech: Option<mpsc::Sender<ToSpeak>>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            engine: engines.translation(),
            target: target.language,
            glossary: target.glossary.clone(),
            policy,
            live,
            speech,
            events,
            sentences: SourceSentences::default(),
            open: OpenSentence::default(),
            number: 1,
            begun: false,
            report: StageReport::new(format!("translate:{}", target.language)),
        }
    }

    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Said>) -> StageReport {
        while let Some(said) = waiting.recv().await {
            let mut hold_back = self.take(said).await;
            while self.live
                && let Some(Some(_)) = hold_back
                && let Ok(more) = waiting.try_recv()
            {
                hold_back = self.take(more).await;
            }
            let going = match hold_back {
                None => None,
                Some(None) => Some(()),
                Some(Some(hold_back)) => self.translate_open(hold_back).await,
            };
            if going.is_none() {
                return self.report;
            }
        }
        // The session is over either way; whether anyone still listened changes nothing.
        let _ = self.complete_all().await;
        self.report
    }

    /// Takes what was said, completes what is complete with it, and tells how many words the
    /// translation of the open sentence holds back, if it is due. None: nobody listens any more.
    async fn take(&mut self, said: Said) -> Option<Option<HoldBack>> {
        match said {
            Said::Text { language, words } => {
                for sentence in self.sentences.push(language, &words) {
                    self.complete(&sentence).await?;
                }
                let step = self.policy.step_words;
                Some(self.policy.hold_back.map(|words| HoldBack { words, step }))
            }
            Said::Ended if self.policy.hold_back.is_none() => Some(None),
            Said::Ended if self.sentences.looks_complete() => {
                self.complete_all().await?;
                Some(None)
            }
            Said::Ended => Some(Some(HoldBack {
                words: self.policy.hold_back_in_pause,
                step: 0,
            })),
            Said::Pause => {
                self.complete_all().await?;
                Some(None)
            }
            Said::Glossary(glossary) => {
                self.glossary = glossary;
                Some(None)
            }
        }
    }

    async fn complete_all(&mut self) -> Option<()> {
        for sentence in self.sentences.flush() {
            self.complete(&sentence).await?;
        }
        Some(())
    }

    /// Translates the sentence that is still being spoken, as far as it is certain.
    async fn translate_open(&mut self, hold_back: HoldBack) -> Option<()> {
        let Some(sentence) = self.sentences.pending() else {
            return Some(());
        };
        if sentence.language == self.target || !self.open.has_grown(&sentence, hold_back.step) {
            return Some(());
        }
        let translated = self.translate(&sentence, Some(hold_back.words)).await;
        match translated {
            Ok((words, _)) if words.is_empty() => Some(()),
            Ok((words, _)) => self.commit(&sentence, words, None).await,
            Err(message) => {
                // The sentence is translated again when more of it has come.
                tracing::warn!(message, "the beginning of a sentence was not translated");
                Some(())
            }
        }
    }

    /// Translates the rest of a sentence. None: nobody listens any more.
    async fn complete(&mut self, sentence: &TimedSentence) -> Option<()> {
        let words = if sentence.language == self.target {
            Ok((copied(sentence), Vec::new()))
        } else {
            self.translate(sentence, None).await
        };
        let outcome = match words {
            Ok((words, _)) if words.is_empty() && self.open.is_new() => Some(()),
            Ok((words, terms)) => self.commit(sentence, words, Some(terms)).await,
            Err(message) => self.lost(sentence, message).await,
        };
        self.open = OpenSentence::default();
        self.number += 1;
        outcome
    }

    /// New words of the translation, and the terms that the sentence holds so far.
    async fn translate(
        &mut self,
        sentence: &TimedSentence,
        hold_back: Option<usize>,
    ) -> Result<(Vec<TimedWord>, Vec<Term>), String> {
        let pair = LanguagePair::new(sentence.language, self.target);
        let request = TranslationRequest {
            glossary: self.glossary.clone(),
            ..self.open.request(sentence, hold_back)
        };
        let (translation, timing): (Translated, _) = self
            .engine
            .translate(pair, request)
            .await
            .map_err(|e| e.to_string())?;
        self.report.add(timing);
        let terms = translation.terms.iter().map(|term| Term {
            source: sentence.text[term.source.clone()].to_owned(),
            rendering: term.rendering.clone(),
            honoured: term.honoured,
        });
        Ok((self.open.commit(sentence, &translation), terms.collect()))
    }

    /// Tells `words`; with the terms of the sentence where it is complete with them.
    async fn commit(
        &mut self,
        sentence: &TimedSentence,
        mut words: Vec<TimedWord>,
        terms: Option<Vec<Term>>,
    ) -> Option<()> {
        let complete = terms.is_some();
        if let Some(first) = words.first_mut() {
            if !self.begun {
                first.text = first.text.trim_start().to_owned();
            }
            self.begun = true;
        }
        let range = words
            .iter()
            .map(|word| word.range)
            .reduce(SourceRange::join);
        let event = Event::TranslatedText {
            target: self.target,
            committed: words.iter().map(|word| word.text.as_str()).collect(),
            tentative: String::new(),
            source_text: sentence.text.clone(),
            sentence: self.number,
            range: range.unwrap_or(sentence.range),
            sentence_complete: complete,
            words: words.clone(),
            terms: terms.unwrap_or_default(),
        };
        self.events.send(event).await.ok()?;
        // What already is in the target's language is not spoken over the speaker.
        if sentence.language == self.target {
            return Some(());
        }
        self.speak(words, complete).await
    }

    async fn speak(&self, words: Vec<TimedWord>, complete: bool) -> Option<()> {
        let Some(speech) = &self.speech else {
            return Some(());
        };
        let text = ToSpeak {
            words,
            sentence: self.number,
            complete,
        };
        speech.send(text).await.ok()
    }

    async fn lost(&mut self, sentence: &TimedSentence, message: String) -> Option<()> {
        let SourceRange { start_ms, end_ms } = sentence.range;
        let notice = Event::Notice {
            kind: NoticeKind::StageFailed,
            message: format!("a sentence was not translated: {message}"),
            target: Some(self.target),
            at_ms: start_ms,
            amount: Duration::from_millis(end_ms.saturating_sub(start_ms)),
            text: String::new(),
        };
        self.events.send(notice).await.ok()?;
        self.speak(Vec::new(), true).await
    }
}

/// How much of the open sentence's translation is held back.
#[derive(Debug, Clone, Copy)]
struct HoldBack {
    /// Source words at the end that may still change it.
    words: usize,
    /// New source words that a translation takes.
    step: usize,
}

/// The words of a sentence that needs no translation.
fn copied(sentence: &TimedSentence) -> Vec<TimedWord> {
    let mut from = 0;
    let mut words = Vec::with_capacity(sentence.words.len());
    for (bytes, range) in &sentence.words {
        let text = sentence.text.get(from..bytes.end).unwrap_or_default();
        let space = if from == 0 { " " } else { "" };
        words.push(TimedWord {
            text: format!("{space}{text}"),
            range: *range,
            probability: 1.0,
        });
        from = bytes.end;
    }
    words
}
