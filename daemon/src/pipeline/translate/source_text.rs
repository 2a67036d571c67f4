//! Source text on its way from words to sentences, with their times.

use std::{collections::VecDeque, ops::Range};

use interpret_models::{
    Language,
    translation::sentences::{Sentence, SentenceSplitter},
};

use crate::pipeline::{SourceRange, TimedWord};

/// A sentence of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimedSentence {
    pub(super) text: String,
    pub(super) language: Language,
    pub(super) range: SourceRange,
    /// Bytes of `text` and times of its words, in order.
    pub(super) words: Vec<(Range<usize>, SourceRange)>,
}

impl TimedSentence {
    /// When the words that bytes `span` of the text touch were said.
    pub(super) fn said(&self, span: &Range<usize>) -> Option<SourceRange> {
        let touched = self
            .words
            .iter()
            .filter(|(bytes, _)| bytes.start < span.end && span.start < bytes.end);
        touched.map(|(_, range)| *range).reduce(SourceRange::join)
    }
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

    /// The beginning of a sentence that is not complete yet, as far as it is certain to be of one
    /// sentence.
    pub(super) fn pending(&self) -> Option<TimedSentence> {
        let current = self.current.as_ref()?;
        let mut pending = current.timed_one(current.splitter.pending()?);
        if let Some(end) = current.splitter.may_end() {
            pending.text.truncate(end);
            pending.words.retain(|(bytes, _)| bytes.start < end);
            let end_ms = pending.words.last().map(|(_, range)| range.end_ms);
            pending.range.end_ms = end_ms.unwrap_or(pending.range.end_ms);
        }
        Some(pending)
    }

    /// Whether what is not complete yet ends as a sentence does.
    pub(super) fn looks_complete(&self) -> bool {
        self.current
            .as_ref()
            .and_then(|current| current.splitter.pending())
            .is_some_and(|pending| {
                let bare = pending
                    .text
                    .trim_end_matches(['"', '»', '”', ')', ' ', '\u{a0}']);
                bare.ends_with(is_stop) && !bare.ends_with("..")
            })
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

    /// Gives sentences the times of their words, and forgets these.
    fn timed(&mut self, sentences: Vec<Sentence>) -> Vec<TimedSentence> {
        let mut all = Vec::with_capacity(sentences.len());
        for sentence in sentences {
            let end = sentence.end;
            all.push(self.timed_one(sentence));
            // A word that goes on beyond the sentence is shared with the next one.
            while self
                .words
                .front()
                .is_some_and(|(bytes, _)| bytes.end <= end)
            {
                self.words.pop_front();
            }
        }
        all
    }

    fn timed_one(&self, sentence: Sentence) -> TimedSentence {
        let within = |bytes: &Range<usize>| {
            let from = bytes.start.max(sentence.start) - sentence.start;
            from..bytes
                .end
                .min(sentence.end)
                .saturating_sub(sentence.start)
                .max(from)
        };
        let words: Vec<_> = self
            .words
            .iter()
            .filter(|(bytes, _)| bytes.start < sentence.end && sentence.start < bytes.end)
            .map(|(bytes, range)| (within(bytes), *range))
            .collect();
        let range = words
            .iter()
            .map(|(_, range)| *range)
            .reduce(SourceRange::join);
        TimedSentence {
            text: sentence.text,
            language: self.language,
            range: range.unwrap_or_default(),
            words,
        }
    }
}

/// A sentence may end at this character.
fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, start_ms: u64) -> TimedWord {
        let end_ms = start_ms + 100;
        TimedWord {
            text: text.to_owned(),
            range: SourceRange { start_ms, end_ms },
            probability: 1.0,
        }
    }

    fn said(text: &str) -> Vec<TimedWord> {
        text.split_inclusive(' ')
            .zip(0..)
            .map(|(text, at)| word(text, at * 100))
            .collect()
    }

    #[test]
    fn sentences_and_what_is_pending_have_their_words_times() {
        let mut sentences = SourceSentences::default();
        let french = "fr".parse().unwrap();
        let complete = sentences.push(french, &said("Il est tard. Elle part "));
        assert_eq!(complete.len(), 1);
        assert_eq!(
            complete[0].range,
            SourceRange {
                start_ms: 0,
                end_ms: 300
            }
        );
        let tard = complete[0].text.find("tard").unwrap();
        let when = complete[0].said(&(tard..tard + 4)).unwrap();
        assert_eq!((when.start_ms, when.end_ms), (200, 300));
        let pending = sentences.pending().unwrap();
        assert_eq!(pending.text, "Elle part");
        assert_eq!(
            pending.range,
            SourceRange {
                start_ms: 300,
                end_ms: 500
            }
        );
        assert!(!sentences.looks_complete());
        sentences.push(french, &[word("demain.", 900)]);
        assert!(sentences.looks_complete());
        let pending = sentences.pending().unwrap();
        assert_eq!(
            (&*pending.text, pending.words.len()),
            ("Elle part demain", 3)
        );
    }

    #[test]
    fn what_may_be_two_sentences_is_pending_up_to_the_mark_until_that_is_known() {
        let pending = |text: &str| {
            let mut sentences = SourceSentences::default();
            sentences.push("fr".parse().unwrap(), &said(text));
            sentences.pending().map(|pending| pending.text)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(pending("Attends..."), some("Attends"));
        assert_eq!(pending("Il a 3.5 euros"), some("Il a 3.5 euros"));
        assert_eq!(pending("Voici M."), some("Voici M"));
        assert_eq!(pending("Voici M. Du"), some("Voici M. Du"));
        // Whisper's full stops are not all ends of sentences: what goes on is translated while it does.
        assert_eq!(
            pending("la page. en écoutant"),
            some("la page. en écoutant")
        );
        assert_eq!(
            pending("la page. en écoutant l'audio."),
            some("la page. en écoutant l'audio")
        );
    }
}
