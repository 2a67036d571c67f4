//! A sentence as the model takes it: pieces, tokens, and the terms of a glossary in it.

use std::ops::Range;

use super::{
    MarianTranslator,
    hold_back::Watch,
    repetition::RepetitionGuard,
    search::Limits,
    spans,
    terms::{Term, Terms},
};
use crate::translation::{TermOutcome, TranslationError, TranslationRequest, glossary::Marked};

/// A translation is ended at this many target tokens per source token ...
const MOST_TARGET_PER_SOURCE: usize = 3;
/// ... plus these: a source of one token may need several.
const SPARE_TARGET: usize = 16;

pub(super) struct Sentence {
    /// The source, with the terms it holds.
    marked: Marked,
    pieces: Vec<String>,
    /// Source tokens, the end of sentence included.
    pub(super) tokens: Vec<u32>,
    /// Where each token comes from: bytes of the marked text.
    spans: Vec<Range<usize>>,
}

impl Sentence {
    /// # Errors
    /// When it has more tokens than the model takes.
    pub(super) fn new(
        model: &MarianTranslator,
        request: &TranslationRequest,
    ) -> Result<Self, TranslationError> {
        let marked = request.glossary.as_ref().map_or_else(
            || Marked::plain(&request.source),
            |glossary| glossary.mark(&request.source),
        );
        let pieces = model.tokens.source_pieces(marked.text())?;
        let mut tokens = model.tokens.numbers(&pieces);
        tokens.push(model.special.end);
        if tokens.len() > model.positions {
            return Err(TranslationError::TooLong {
                tokens: tokens.len(),
                limit: model.positions,
            });
        }
        let spans = spans::spans(marked.text(), &pieces, |word| {
            model.tokens.source_words(word)
        });
        Ok(Self {
            marked,
            pieces,
            tokens,
            spans,
        })
    }

    /// Where the search for its translation ends.
    pub(super) fn limits<'model>(
        &self,
        model: &'model MarianTranslator,
        request: &TranslationRequest,
    ) -> Result<Limits<'model>, TranslationError> {
        let most = (self.tokens.len() * MOST_TARGET_PER_SOURCE)
            .max(request.committed_prefix.len())
            .saturating_add(SPARE_TARGET)
            .min(model.positions);
        let watch = |words| Watch::new(&self.pieces, words);
        Ok(Limits {
            end: model.special.end,
            most,
            guard: RepetitionGuard::new(&self.tokens),
            watch: request.hold_back.map(|hold_back| watch(hold_back.words)),
            whole_words: request.whole_words || request.hold_back.is_some(),
            words: &model.words,
            terms: self.terms(model)?,
        })
    }

    fn terms(&self, model: &MarianTranslator) -> Result<Terms, TranslationError> {
        if self.marked.places().is_empty() {
            return Ok(Terms::default());
        }
        let pieces = spans::of_pieces(self.marked.text(), &self.pieces, &self.spans);
        let terms = self.marked.places().iter().map(|place| {
            let touched = |bytes: &Range<usize>| {
                bytes.start < place.marked.end && place.marked.start < bytes.end
            };
            let first = pieces.iter().position(touched).unwrap_or(0);
            let count = pieces[first..]
                .iter()
                .take_while(|bytes| touched(bytes))
                .count();
            let form = |text: &str| {
                let tokens = model.tokens.encode_target(text)?;
                let unknown = tokens.contains(&model.tokens.unknown());
                Ok(if unknown { Vec::new() } else { tokens })
            };
            Ok(Term {
                source: first..first + count,
                forms: [form(&place.first)?, form(&place.rendering)?],
            })
        });
        Ok(Terms::new(terms.collect::<Result<_, TranslationError>>()?))
    }

    /// Where in the source as it was given each token comes from.
    pub(super) fn source_spans(&self) -> Vec<Range<usize>> {
        let spans = self.spans.iter();
        spans.map(|bytes| self.marked.in_source(bytes)).collect()
    }

    /// What became of its terms, of which a translation says some.
    pub(super) fn outcomes(&self, said: &[bool]) -> Vec<TermOutcome> {
        let places = self.marked.places().iter().enumerate();
        let outcome = places.map(|(index, place)| TermOutcome {
            source: place.source.clone(),
            rendering: place.rendering.clone(),
            honoured: said.get(index).copied().unwrap_or(false),
        });
        outcome.collect()
    }
}
