//! Source text on its way from words to sentences, with their times.

use std::{collections::VecDeque, ops::Range};

use interpret_models::{
    Language,
    translation::sentences::{Sentence, SentenceSplitter},
};

use super::{SourceRange, TimedWord};

/// A sentence of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimedSentence {
    pub(super) text: String,
    pub(super) language: Language,
    pub(super) range: SourceRange,
}

/// Collects committed words and gives out sentences.
#[derive(Debug, Default)]
pub(super) struct SourceSentences {
    /// None before the first word.
    current: Option<Current>,
}

/// Text of one language, as long as the language does not change.
#[derive(Debug)]
struct Current {
    language: Language,
    splitter: SentenceSplitter,
    /// Bytes given to the splitter.
    bytes: usize,
    /// Words not yet wholly in a sentence: their bytes and their times.
    words: VecDeque<(Range<usize>, SourceRange)>,
}

impl SourceSentences {
    /// Takes the next words and gives the sentences that are complete with them. A change of
    /// language completes what was said before.
    pub(super) fn push(&mut self, language: Language, words: &[TimedWord]) -> Vec<TimedSentence> {
        let mut complete = match &self.current {
            Some(current) if current.language != language => self.flush(),
            _ => Vec::new(),
        };
        let current = match &mut self.current {
            Some(current) if current.language == language => current,
            other => other.insert(Current::new(language)),
        };
        complete.extend(current.push(words));
        complete
    }

    /// Completes whatever was said.
    pub(super) fn flush(&mut self) -> Vec<TimedSentence> {
        self.current
            .as_mut()
            .map(Current::flush)
            .unwrap_or_default()
    }
}

impl Current {
    fn new(language: Language) -> Self {
        let splitter = SentenceSplitter::new(language);
        Self {
            language,
            splitter,
            bytes: 0,
            words: VecDeque::new(),
        }
    }

    fn push(&mut self, words: &[TimedWord]) -> Vec<TimedSentence> {
        let mut text = String::new();
        for word in words {
            let start = self.bytes + text.len();
            text.push_str(&word.text);
            self.words
                .push_back((start..self.bytes + text.len(), word.range));
        }
        self.bytes += text.len();
        let sentences = self.splitter.push(&text);
        self.timed(sentences)
    }

    fn flush(&mut self) -> Vec<TimedSentence> {
        let sentences = self.splitter.pause();
        self.timed(sentences)
    }

    /// Gives sentences the times of their words.
    fn timed(&mut self, sentences: Vec<Sentence>) -> Vec<TimedSentence> {
        sentences
            .into_iter()
            .map(|sentence| self.timed_one(sentence))
            .collect()
    }

    fn timed_one(&mut self, sentence: Sentence) -> TimedSentence {
        let mut range: Option<SourceRange> = None;
        while let Some((bytes, word)) = self.words.front().cloned() {
            if bytes.start >= sentence.end {
                break;
            }
            let start_ms = range.map_or(word.start_ms, |r| r.start_ms);
            range = Some(SourceRange {
                start_ms,
                end_ms: word.end_ms,
            });
            // A word that goes on beyond the sentence is shared with the next one.
            if bytes.end > sentence.end {
                break;
            }
            self.words.pop_front();
        }
        TimedSentence {
            text: sentence.text,
            language: self.language,
            range: range.unwrap_or_default(),
        }
    }
}
