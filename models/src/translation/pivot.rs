//! Translation through a language between: two translators, one after the other.

use std::sync::Arc;

use super::{
    Glossary, GlossaryEntry, HoldBack, TermOutcome, Translation, TranslationError,
    TranslationRequest, Translator, words,
};
use crate::LanguagePair;

/// Translates with one translator into a language between, and from there with another.
///
/// Nothing is remembered of the sentence between: the committed prefix of the target keeps what was said
/// from being taken back, as with one translator.
pub struct PivotTranslator<T> {
    first: T,
    second: T,
}

impl<T> std::fmt::Debug for PivotTranslator<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PivotTranslator").finish_non_exhaustive()
    }
}

impl<T: Translator> PivotTranslator<T> {
    /// `second` must translate from what `first` translates to.
    ///
    /// # Errors
    /// When it does not.
    pub fn new(first: T, second: T) -> Result<Self, TranslationError> {
        if first.pair().target == second.pair().source {
            Ok(Self { first, second })
        } else {
            Err(TranslationError::Run(format!(
                "{} cannot follow {}",
                second.pair(),
                first.pair()
            )))
        }
    }
}

impl<T: Translator> Translator for PivotTranslator<T> {
    fn pair(&self) -> LanguagePair {
        LanguagePair::new(self.first.pair().source, self.second.pair().target)
    }

    fn translate(&mut self, request: &TranslationRequest) -> Result<Translation, TranslationError> {
        let between = self.first.translate(&first_half(request))?;
        let found = self.second.translate(&second_half(request, &between))?;
        Ok(joined(&between, found))
    }
}

/// What the first of two translators is asked.
pub(super) fn first_half(request: &TranslationRequest) -> TranslationRequest {
    TranslationRequest {
        source: request.source.clone(),
        search: request.search,
        hold_back: request.hold_back,
        // Terms go through the language between as they will be in the target.
        glossary: request.glossary.clone(),
        ..TranslationRequest::default()
    }
}

/// What the second one is asked, about what the first one answered.
pub(super) fn second_half(
    request: &TranslationRequest,
    between: &Translation,
) -> TranslationRequest {
    TranslationRequest {
        source: between.text.clone(),
        // What is certain of the sentence between ends with a whole word, which the next may still
        // change the sense of.
        hold_back: request.hold_back.map(|hold_back| HoldBack {
            words: hold_back.words.min(1),
        }),
        glossary: kept(&between.terms),
        ..request.clone()
    }
}

/// A glossary that keeps the terms that are said in the language between as they are.
fn kept(terms: &[TermOutcome]) -> Option<Arc<Glossary>> {
    let honoured = terms.iter().filter(|term| term.honoured);
    let entries = honoured.map(|term| GlossaryEntry {
        source: term.rendering.clone(),
        target: term.rendering.clone(),
    });
    let entries: Vec<GlossaryEntry> = entries.collect();
    // Renderings are not empty, and each has only itself as rendering: that makes a glossary.
    Glossary::new(entries)
        .ok()
        .filter(|g| !g.entries().is_empty())
        .map(Arc::new)
}

/// The terms of the source, honoured where both halves did.
fn terms(between: &[TermOutcome], found: &[TermOutcome]) -> Vec<TermOutcome> {
    let mut said: Vec<&TermOutcome> = found.iter().filter(|term| term.honoured).collect();
    let outcomes = between.iter().map(|term| {
        let alike =
            |other: &&TermOutcome| other.rendering.to_lowercase() == term.rendering.to_lowercase();
        let place = term.honoured.then(|| said.iter().position(alike)).flatten();
        if let Some(place) = place {
            said.remove(place);
        }
        TermOutcome {
            honoured: place.is_some(),
            ..term.clone()
        }
    });
    outcomes.collect()
}

/// `found`, a translation of the text of `between`, as a translation of the source of `between`.
pub(super) fn joined(between: &Translation, mut found: Translation) -> Translation {
    let words = words(&between.text);
    let looked = looked(between, words.len());
    let last = between.source_tokens.saturating_sub(1);
    let others = found.n_best.iter_mut().flat_map(|other| &mut other.tokens);
    for token in found.tokens.iter_mut().chain(others) {
        let Some(attention) = token.attention.take() else {
            continue;
        };
        let mut through = vec![0.0; between.source_tokens];
        for (weight, span) in attention.iter().zip(&found.source_spans) {
            let word = words.iter().position(|word| word.contains(&span.start));
            match word.and_then(|word| looked.get(word)) {
                Some(row) if row.len() == through.len() => {
                    for (sum, part) in through.iter_mut().zip(row) {
                        *sum += weight * part;
                    }
                }
                // The end of sentence, and whatever tells nothing.
                _ => {
                    if let Some(end) = through.get_mut(last) {
                        *end += weight;
                    }
                }
            }
        }
        token.attention = Some(through);
    }
    Translation {
        source_tokens: between.source_tokens,
        source_spans: between.source_spans.clone(),
        terms: terms(&between.terms, &found.terms),
        ..found
    }
}

/// Where each of the `count` words of a translation looked, its tokens averaged.
fn looked(translation: &Translation, count: usize) -> Vec<Vec<f32>> {
    let mut sums = vec![(Vec::new(), 0.0_f32); count];
    let mut begun = 0_usize;
    for (index, token) in translation.tokens.iter().enumerate() {
        begun += usize::from(index == 0 || token.piece.starts_with('▁'));
        let Some((sum, tokens)) = sums.get_mut(begun.saturating_sub(1)) else {
            break;
        };
        let attention = token.attention.as_deref().unwrap_or_default();
        sum.resize(attention.len(), 0.0);
        for (sum, weight) in sum.iter_mut().zip(attention) {
            *sum += weight;
        }
        *tokens += 1.0;
    }
    let average = |(sum, tokens): (Vec<f32>, f32)| sum.iter().map(|sum| sum / tokens).collect();
    sums.into_iter().map(average).collect()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::{
        super::{ScoredTranslation, TranslatedToken},
        *,
    };

    fn token(piece: &str, attention: &[f32]) -> TranslatedToken {
        TranslatedToken {
            id: 0,
            piece: piece.to_owned(),
            log_probability: 0.0,
            attention: Some(attention.to_vec()),
        }
    }

    fn term(source: Range<usize>, rendering: &str, honoured: bool) -> TermOutcome {
        TermOutcome {
            source,
            rendering: rendering.to_owned(),
            honoured,
        }
    }

    /// "chat noir" became "black cat", which becomes "gato preto".
    #[test]
    fn the_words_of_the_target_are_those_of_the_source_of_the_source() {
        let between = Translation {
            text: "black cat".to_owned(),
            tokens: vec![
                token("▁bla", &[0.1, 0.9, 0.0]),
                token("ck", &[0.1, 0.9, 0.0]),
                token("▁cat", &[0.8, 0.1, 0.1]),
            ],
            source_tokens: 3,
            source_spans: vec![0..4, 5..9, 9..9],
            terms: vec![term(5..9, "preto", true), term(0..4, "bicho", false)],
            n_best: Vec::new(),
        };
        let found = Translation {
            text: "gato preto".to_owned(),
            tokens: vec![
                token("▁gato", &[0.1, 0.8, 0.1]),
                token("▁preto", &[0.9, 0.0, 0.1]),
            ],
            source_tokens: 3,
            source_spans: vec![0..5, 6..9, 9..9],
            terms: vec![term(0..5, "preto", true)],
            n_best: vec![ScoredTranslation {
                text: "preto".to_owned(),
                tokens: vec![token("▁preto", &[0.9, 0.0, 0.1])],
                score: -1.0,
            }],
        };
        let joined = joined(&between, found);
        let said = |token| &"chat noir"[joined.aligned_span(token).unwrap()];
        assert_eq!((said(0), said(1)), ("chat", "noir"));
        assert_eq!(joined.n_best[0].tokens, joined.tokens[1..]);
        let honoured = joined
            .terms
            .iter()
            .map(|term| (&"chat noir"[term.source.clone()], term.honoured));
        assert!(honoured.eq([("noir", true), ("chat", false)]));
        let sums = joined.tokens.iter().map(|t| t.attention.as_ref().unwrap());
        for sum in sums.map(|attention| attention.iter().sum::<f32>()) {
            assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        }
    }
}
