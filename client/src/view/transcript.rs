//! What has been said so far, and what is still open.

use interpret_proto::v1::TranslatedText;

use crate::session::{Event, Received};

/// Source text that nobody translates is forgotten beyond this many bytes.
const MOST_OPEN: usize = 4096;

/// Something final to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A source sentence.
    Source {
        /// Its language, ISO 639-1.
        language: String,
        /// Its text.
        text: String,
        /// When it began, in source time.
        start_ms: u64,
    },
    /// Its translation into one language.
    Translation {
        /// The target language, ISO 639-1.
        language: String,
        /// The text.
        text: String,
        /// How long after the end of the source it was final, in wall time.
        lag_ms: i64,
    },
    /// Something the person should know.
    Notice(String),
}

/// The open sentence in one target language.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenTranslation {
    pub(super) language: String,
    pub(super) committed: String,
    pub(super) tentative: String,
}

/// Turns events into final lines, and keeps what is not final yet.
#[derive(Debug, Default)]
pub struct Transcript {
    pub(super) source: String,
    pub(super) source_tentative: String,
    pub(super) source_language: String,
    pub(super) open: Vec<OpenTranslation>,
    /// The last sentence whose source has been shown.
    shown: Option<u64>,
    pub(super) lag_ms: Option<i64>,
}

impl Transcript {
    /// Takes an event; returns what is final now.
    pub fn take(&mut self, received: &Received) -> Vec<Line> {
        match &received.event {
            Event::SessionStarted(started) => {
                self.open = started
                    .targets
                    .iter()
                    .map(|target| OpenTranslation {
                        language: target.language.clone(),
                        ..OpenTranslation::default()
                    })
                    .collect();
                Vec::new()
            }
            Event::SourceText(text) => {
                self.source.push_str(&text.committed);
                self.source_tentative.clone_from(&text.tentative);
                self.source_language.clone_from(&text.language);
                if self.source.len() > MOST_OPEN {
                    self.source.clear();
                }
                Vec::new()
            }
            Event::TranslatedText(text) => self.take_translation(text, received.at_ms),
            Event::Notice(notice) => vec![Line::Notice(notice.message.clone())],
            _ => Vec::new(),
        }
    }

    fn take_translation(&mut self, text: &TranslatedText, at_ms: i64) -> Vec<Line> {
        let index = self
            .open
            .iter()
            .position(|open| open.language == text.language);
        let index = index.unwrap_or_else(|| {
            self.open.push(OpenTranslation {
                language: text.language.clone(),
                ..OpenTranslation::default()
            });
            self.open.len() - 1
        });
        let open = &mut self.open[index];
        open.committed.push_str(&text.committed);
        open.tentative.clone_from(&text.tentative);
        if !text.sentence_complete {
            return Vec::new();
        }
        open.tentative.clear();
        let translation = std::mem::take(&mut open.committed).trim().to_owned();
        let lag_ms = at_ms.saturating_sub_unsigned(text.source_end_ms);
        self.lag_ms = Some(lag_ms);
        let mut lines = Vec::new();
        if self.shown.is_none_or(|shown| shown < text.sentence_id) {
            self.shown = Some(text.sentence_id);
            self.forget(text.source_text.trim());
            lines.push(Line::Source {
                language: self.source_language.clone(),
                text: text.source_text.trim().to_owned(),
                start_ms: text.source_start_ms,
            });
        }
        // What was said in the target's own language is there already.
        if !translation.is_empty() && translation != text.source_text.trim() {
            lines.push(Line::Translation {
                language: text.language.clone(),
                text: translation,
                lag_ms,
            });
        }
        let missed = text.terms.iter().filter(|term| !term.honoured);
        lines.extend(missed.map(|term| {
            Line::Notice(format!(
                "'{}' is not rendered as '{}'",
                term.source, term.target
            ))
        }));
        lines
    }

    /// Drops a sentence, and what stands before it, from the open source text.
    fn forget(&mut self, sentence: &str) {
        if let Some(at) = self.source.find(sentence) {
            self.source.drain(..at + sentence.len());
        }
    }
}

#[cfg(test)]
pub(super) mod tests_support {
    use interpret_proto::v1::SourceText;

    use super::*;

    pub(in crate::view) fn source(committed: &str, tentative: &str) -> Received {
        Received {
            at_ms: 1000,
            event: Event::SourceText(SourceText {
                language: "fr".to_owned(),
                committed: committed.to_owned(),
                tentative: tentative.to_owned(),
                ..SourceText::default()
            }),
        }
    }

    pub(in crate::view) fn translated(
        language: &str,
        id: u64,
        source: &str,
        text: &str,
    ) -> Received {
        Received {
            at_ms: 4200,
            event: Event::TranslatedText(TranslatedText {
                language: language.to_owned(),
                committed: text.to_owned(),
                source_text: source.to_owned(),
                sentence_id: id,
                source_start_ms: 100,
                source_end_ms: 2000,
                sentence_complete: true,
                ..TranslatedText::default()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        tests_support::{source, translated},
        *,
    };

    #[test]
    fn a_sentence_is_shown_once_with_all_its_translations() {
        let mut transcript = Transcript::default();
        assert!(transcript.take(&source(" Bonjour. Je", "suis")).is_empty());
        let lines = transcript.take(&translated("en", 1, "Bonjour.", " Hello."));
        assert_eq!(
            lines,
            [
                Line::Source {
                    language: "fr".to_owned(),
                    text: "Bonjour.".to_owned(),
                    start_ms: 100
                },
                Line::Translation {
                    language: "en".to_owned(),
                    text: "Hello.".to_owned(),
                    lag_ms: 2200
                },
            ]
        );
        let lines = transcript.take(&translated("pt", 1, "Bonjour.", " Olá."));
        assert!(matches!(&lines[..], [Line::Translation { language, .. }] if language == "pt"));
        assert_eq!(transcript.source, " Je");
    }

    #[test]
    fn tentative_text_is_never_a_line() {
        let mut transcript = Transcript::default();
        let mut open = translated("en", 1, "Bonjour", "");
        if let Event::TranslatedText(text) = &mut open.event {
            text.tentative = "Hello".to_owned();
            text.sentence_complete = false;
        }
        assert!(transcript.take(&open).is_empty());
        assert_eq!(transcript.open[0].tentative, "Hello");
    }
}
