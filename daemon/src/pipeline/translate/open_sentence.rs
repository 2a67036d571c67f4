//! The sentence whose translation has begun while it is still being spoken.

use interpret_models::translation::{HoldBack, Translation, TranslationRequest};

use super::source_text::TimedSentence;
use crate::pipeline::{SourceRange, TimedWord};

/// What is committed of the translation of one sentence. The next translation is forced to begin
/// with it, so nothing is ever taken back (contract 2 in docs/design.md).
#[derive(Debug, Default)]
pub(super) struct OpenSentence {
    tokens: Vec<u32>,
    /// Words of the source when it was last translated.
    seen: usize,
}

impl OpenSentence {
    /// Whether nothing is committed.
    pub(super) fn is_new(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whether the source has at least `more` words more than at the last translation.
    pub(super) fn has_grown(&self, sentence: &TimedSentence, more: usize) -> bool {
        sentence.words.len() >= self.seen + more
    }

    /// Asks for the translation of the sentence so far, less what the last `hold_back` source words
    /// may still change; or, without it, of the whole sentence.
    pub(super) fn request(
        &mut self,
        sentence: &TimedSentence,
        hold_back: Option<usize>,
    ) -> TranslationRequest {
        self.seen = sentence.words.len();
        TranslationRequest {
            source: sentence.text.clone(),
            committed_prefix: self.tokens.clone(),
            hold_back: hold_back.map(|words| HoldBack { words }),
            whole_words: !self.tokens.is_empty(),
            ..TranslationRequest::default()
        }
    }

    /// Commits what `translation` adds, and gives its words, each with a leading space.
    pub(super) fn commit(
        &mut self,
        sentence: &TimedSentence,
        translation: &Translation,
    ) -> Vec<TimedWord> {
        let mut words: Vec<TimedWord> = Vec::new();
        let (committed, added) = translation
            .tokens
            .split_at(self.tokens.len().min(translation.tokens.len()));
        let mut before: String = committed.iter().map(|token| token.piece.as_str()).collect();
        for (index, token) in (committed.len()..).zip(added) {
            let mut text = token.piece.replace('▁', " ");
            if begins_sentence(&before, &text) {
                text.insert(0, ' ');
            }
            before.push_str(&token.piece);
            let said = translation
                .aligned_span(index)
                .and_then(|span| sentence.said(&span));
            let probability = token.log_probability.exp();
            match words.last_mut() {
                Some(word) if !text.starts_with(' ') => {
                    word.text.push_str(&text);
                    word.range = said.map_or(word.range, |said| word.range.join(said));
                    word.probability = word.probability.min(probability);
                }
                last => {
                    let before = last.map_or(sentence.range.start_ms, |word| word.range.end_ms);
                    words.push(TimedWord {
                        text,
                        range: said.unwrap_or(SourceRange {
                            start_ms: before,
                            end_ms: before,
                        }),
                        probability,
                    });
                }
            }
        }
        self.tokens.extend(added.iter().map(|token| token.id));
        words
    }
}

/// Whether `text` is the first word of a sentence that a model has put right behind the full stop of the one
/// before. It happens where the recogniser heard a stop in mid-sentence. (Not in "U.S.A.", "Ph.D." or
/// "v2.Beta": the word before has three letters at least; nor in "ASP.NET".)
fn begins_sentence(before: &str, text: &str) -> bool {
    let Some(word) = before.strip_suffix(['.', '!', '?', '…']) else {
        return false;
    };
    let letters = word.chars().rev().take_while(|c| c.is_alphabetic());
    let mut begin = text.chars();
    let capital = begin.next().is_some_and(char::is_uppercase);
    capital && !begin.next().is_some_and(char::is_uppercase) && letters.take(3).count() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_a_space_and_an_abbreviation_goes_on_without() {
        for (before, text, begins) in [
            ("▁the▁page.", "By", true),
            ("▁Really?", "Ólafur", true),
            ("▁the▁page.", "com", false),
            ("▁the▁page.", " By", false),
            ("▁the▁U.S.", "A.", false),
            ("▁a▁Ph.", "D.", false),
            ("▁ASP.", "NET", false),
            ("▁Mac", "Donald", false),
            ("", "By", false),
        ] {
            assert_eq!(begins_sentence(before, text), begins, "{before}{text}");
        }
    }
}
