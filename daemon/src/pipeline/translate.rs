//! Translate: source text becomes sentences, sentences become target text and clauses to speak.

use std::time::Duration;

use interpret_models::{
    Language, LanguagePair, synthesis::clauses::clauses, translation::TranslationRequest,
};
use tokio::sync::mpsc;

use super::{
    Event, NoticeKind, StageReport,
    recognise::Said,
    source_text::{SourceSentences, TimedSentence},
    speak::Clause,
};
use crate::engines::{Engines, Translation as TranslationEngine};

/// The stage, for one target.
pub(super) struct Translate {
    engine: TranslationEngine,
    target: Language,
    clauses: Option<mpsc::Sender<Clause>>,
    events: mpsc::Sender<Event>,
    sentences: SourceSentences,
    /// Sentences begun so far.
    count: u64,
    /// Whether anything was committed, so that the next text needs a space before it.
    begun: bool,
    report: StageReport,
}

impl Translate {
    pub(super) fn new(
        engines: &Engines,
        target: Language,
        clauses: Option<mpsc::Sender<Clause>>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            engine: engines.translation(),
            target,
            clauses,
            events,
            sentences: SourceSentences::default(),
            count: 0,
            begun: false,
            report: StageReport::new(format!("translate:{target}")),
        }
    }

    pub(super) async fn run(mut self, mut said: mpsc::Receiver<Said>) -> StageReport {
        while let Some(said) = said.recv().await {
            let complete = match said {
                Said::Text { language, words } => self.sentences.push(language, &words),
                Said::Ended => continue,
                Said::Pause => self.sentences.flush(),
            };
            if self.translate_all(complete).await.is_none() {
                return self.report;
            }
        }
        let rest = self.sentences.flush();
        // The session is over either way; whether anyone still listened changes nothing.
        let _ = self.translate_all(rest).await;
        self.report
    }

    /// None: nobody listens any more.
    async fn translate_all(&mut self, sentences: Vec<TimedSentence>) -> Option<()> {
        for sentence in sentences {
            self.count += 1;
            match self.translate(&sentence).await {
                Ok(text) if text.is_empty() => {}
                Ok(text) => self.commit(sentence, text).await?,
                Err(message) => {
                    let notice = Event::Notice {
                        kind: NoticeKind::StageFailed,
                        message: format!("a sentence was not translated: {message}"),
                        target: Some(self.target),
                        at_ms: sentence.range.start_ms,
                        amount: Duration::from_millis(
                            sentence
                                .range
                                .end_ms
                                .saturating_sub(sentence.range.start_ms),
                        ),
                    };
                    self.events.send(notice).await.ok()?;
                }
            }
        }
        Some(())
    }

    async fn translate(&mut self, sentence: &TimedSentence) -> Result<String, String> {
        if sentence.language == self.target {
            return Ok(sentence.text.clone());
        }
        let pair = LanguagePair::new(sentence.language, self.target);
        let request = TranslationRequest {
            source: sentence.text.clone(),
            ..Default::default()
        };
        let (translation, timing) = self
            .engine
            .translate(pair, request)
            .await
            .map_err(|e| e.to_string())?;
        self.report.add(timing);
        Ok(translation.text)
    }

    async fn commit(&mut self, sentence: TimedSentence, text: String) -> Option<()> {
        let space = if self.begun { " " } else { "" };
        self.begun = true;
        let event = Event::TranslatedText {
            target: self.target,
            committed: format!("{space}{text}"),
            tentative: String::new(),
            source_text: sentence.text,
            sentence: self.count,
            range: sentence.range,
            sentence_complete: true,
            words: Vec::new(),
        };
        self.events.send(event).await.ok()?;
        // What already is in the target's language is not spoken over the speaker.
        if sentence.language == self.target {
            return Some(());
        }
        let Some(speak) = &self.clauses else {
            return Some(());
        };
        for clause in clauses(&text) {
            let clause = Clause {
                text: clause.to_owned(),
                sentence: self.count,
                range: sentence.range,
            };
            speak.send(clause).await.ok()?;
        }
        Some(())
    }
}
