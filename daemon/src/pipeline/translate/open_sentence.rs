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
        for (index, token) in translation
            .tokens
            .iter()
            .enumerate()
            .skip(self.tokens.len())
        {
            let text = token.piece.replace('▁', " ");
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
        self.tokens.extend(
            translation
                .tokens
                .iter()
                .skip(self.tokens.len())
                .map(|t| t.id),
        );
        words
    }
}
