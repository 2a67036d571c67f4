//! The committed text of a session, word by word, each with its times.

use interpret_proto::v1::{SourceText, TranslatedText, Word};

use super::log::Log;
use crate::session::Event;

/// A word of committed text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimedWord {
    /// The word with its punctuation.
    pub text: String,
    /// When it was complete, in wall ms since the first source sample.
    pub at_ms: i64,
    /// When it was said (source text), or when the words that it renders were (translation): begin
    /// and end in source time, ms. `None` where the log does not tell.
    pub source_ms: Option<(u64, u64)>,
    /// The sentence it belongs to; 0 in source text.
    pub sentence_id: u64,
}

/// Committed text as it came.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    text: String,
    letters: Vec<Letter>,
}

/// A character that is no white space.
#[derive(Debug, Clone, Copy)]
struct Letter {
    at_ms: i64,
    source_ms: Option<(u64, u64)>,
    sentence_id: u64,
}

impl Transcript {
    /// What was heard.
    #[must_use]
    pub fn of_source(log: &Log) -> Self {
        let mut transcript = Self::default();
        for logged in &log.events {
            if let Event::SourceText(SourceText {
                committed, words, ..
            }) = &logged.event
            {
                transcript.push(committed, words, logged.at_ms, 0);
            }
        }
        transcript
    }

    /// The translation into `language`.
    #[must_use]
    pub fn of_translation(log: &Log, language: &str) -> Self {
        let mut transcript = Self::default();
        for logged in &log.events {
            if let Event::TranslatedText(text) = &logged.event
                && text.language == language
            {
                let TranslatedText {
                    committed,
                    words,
                    sentence_id,
                    ..
                } = text;
                transcript.push(committed, words, logged.at_ms, *sentence_id);
            }
        }
        transcript
    }

    /// Takes a piece of text. The words of the message are laid on its letters one after another, so
    /// that a word may be split over messages; where letters differ, none has a source time.
    fn push(&mut self, committed: &str, words: &[Word], at_ms: i64, sentence_id: u64) {
        self.text.push_str(committed);
        let letters = committed.chars().filter(|c| !c.is_whitespace());
        let timed = words.iter().flat_map(|word| {
            let letters = word.text.chars().filter(|c| !c.is_whitespace());
            letters.map(|c| (c, (word.source_start_ms, word.source_end_ms)))
        });
        let agree = letters.clone().eq(timed.clone().map(|(c, _)| c));
        let mut timed = timed.map(|(_, ms)| ms);
        self.letters.extend(letters.map(|_| Letter {
            at_ms,
            source_ms: timed.next().filter(|_| agree),
            sentence_id,
        }));
    }

    /// All of the text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// Its words, parted by white space. A word is there when its last letter is.
    #[must_use]
    pub fn words(&self) -> Vec<TimedWord> {
        let mut letters = self.letters.iter();
        let timed = |word: &str| {
            let mut timed = TimedWord {
                text: word.to_owned(),
                ..TimedWord::default()
            };
            for letter in letters.by_ref().take(word.chars().count()) {
                timed.at_ms = letter.at_ms;
                timed.sentence_id = letter.sentence_id;
                timed.source_ms = match (timed.source_ms, letter.source_ms) {
                    (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                    (known, new) => known.or(new),
                };
            }
            timed
        };
        self.text.split_whitespace().map(timed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, source_start_ms: u64, source_end_ms: u64) -> Word {
        Word {
            text: text.to_owned(),
            source_start_ms,
            source_end_ms,
            probability: 1.0,
            hot: false,
        }
    }

    #[test]
    fn a_word_split_over_messages_is_there_when_its_last_letter_is() {
        let mut text = Transcript::default();
        text.push(
            " We said",
            &[word("We", 0, 100), word("said", 200, 300)],
            1000,
            1,
        );
        text.push(
            "- so.",
            &[word("-", 300, 350), word("so.", 400, 500)],
            2000,
            1,
        );
        text.push(" Yes", &[], 3000, 2);
        text.push(" no", &[word("other", 1, 2)], 4000, 2);
        let words = text.words();
        let found: Vec<_> = words
            .iter()
            .map(|w| (w.text.as_str(), w.at_ms, w.source_ms, w.sentence_id))
            .collect();
        let expected = [
            ("We", 1000, Some((0, 100)), 1),
            ("said-", 2000, Some((200, 350)), 1),
            ("so.", 2000, Some((400, 500)), 1),
            ("Yes", 3000, None, 2),
            ("no", 4000, None, 2),
        ];
        assert_eq!(found, expected);
        assert_eq!(text.text(), "We said- so. Yes no");
    }
}
