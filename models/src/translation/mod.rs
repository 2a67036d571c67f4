//! Translation of text, sentence by sentence.

pub mod glossary;
pub mod marian;
pub mod pivot;
pub mod relay;
pub mod sentences;

use std::{ops::Range, sync::Arc};

pub use glossary::{Glossary, GlossaryEntry, GlossaryError};
pub use marian::{MarianOptions, MarianTranslator, Precision};
pub use pivot::PivotTranslator;

use crate::{LanguagePair, store::TranslationRoute};

/// Loads what translates `pair` by `route`.
///
/// # Errors
/// [`TranslationError::Load`] when a file is missing or damaged.
pub fn load(
    route: &TranslationRoute,
    pair: LanguagePair,
) -> Result<Box<dyn Translator>, TranslationError> {
    let models = route
        .models()
        .map(|(pair, model)| MarianTranslator::load(model.folder(), pair));
    let mut models = models.collect::<Result<Vec<_>, _>>()?.into_iter();
    match (models.next(), models.next()) {
        (Some(only), None) => Ok(Box::new(only)),
        (Some(first), Some(second)) => Ok(Box::new(PivotTranslator::new(first, second)?)),
        (None, _) => Err(TranslationError::Run(format!("no model translates {pair}"))),
    }
}

/// Translates sentences of one language pair. Keeps nothing between sentences.
pub trait Translator: Send {
    /// The direction it translates.
    fn pair(&self) -> LanguagePair;

    /// Translates one sentence.
    ///
    /// # Errors
    /// When the sentence is too long for the model, or the model fails to run.
    fn translate(&mut self, request: &TranslationRequest) -> Result<Translation, TranslationError>;

    /// Translates several sentences, side by side where the engine can: it has to read its weights from
    /// memory only once for all of them. Each translation is the same as alone, and is told, with the
    /// index of its request, as soon as it is there.
    fn translate_all(
        &mut self,
        requests: &[TranslationRequest],
        tell: &mut (dyn FnMut(usize, Result<Translation, TranslationError>) + Send),
    ) {
        for (index, request) in requests.iter().enumerate() {
            tell(index, self.translate(request));
        }
    }
}

impl<T: Translator + ?Sized> Translator for &mut T {
    fn pair(&self) -> LanguagePair {
        (**self).pair()
    }

    fn translate(&mut self, request: &TranslationRequest) -> Result<Translation, TranslationError> {
        (**self).translate(request)
    }

    fn translate_all(
        &mut self,
        requests: &[TranslationRequest],
        tell: &mut (dyn FnMut(usize, Result<Translation, TranslationError>) + Send),
    ) {
        (**self).translate_all(requests, tell);
    }
}

/// A sentence to translate, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TranslationRequest {
    /// One sentence, or the beginning of one.
    pub source: String,
    /// Target tokens the translation must begin with: what was committed before.
    pub committed_prefix: Vec<u32>,
    /// How target tokens are searched.
    pub search: Search,
    /// Set where the source is only the beginning of a sentence: what is still to come may change
    /// the end of the translation, so that is held back. Without it the translation is complete.
    /// Searches greedily, whatever `search` says.
    pub hold_back: Option<HoldBack>,
    /// The committed prefix ends with a whole word, so what follows it begins another word or is
    /// punctuation. Always so with `hold_back`; to be set as well when the rest of a sentence is
    /// translated after its beginning was with `hold_back`.
    pub whole_words: bool,
    /// Terms that are to be rendered in a given way.
    pub glossary: Option<Arc<Glossary>>,
    /// How many of the translations that beam search weighed up are to be told with their scores, in
    /// [`Translation::n_best`]: as many as its width at most. Greedy search weighs none up.
    pub n_best: usize,
}

/// How much of a translation is held back while its sentence is still being spoken.
///
/// The translation ends before the first token whose attention is strongest on one of the last
/// `words` words of the source (`AlignAtt`: Papi, Turchi and Negri 2023), or before its end of
/// sentence. It is then cut back to whole words, and a full stop, question mark or the like at the
/// end is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldBack {
    /// Source words that may not be relied on yet. What has no letter or digit counts as part of
    /// the word before it.
    pub words: usize,
}

/// How target tokens are searched.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Search {
    /// The most probable token at each step.
    #[default]
    Greedy,
    /// The most probable of several sequences.
    Beam {
        /// Sequences kept at each step, at least 1.
        width: usize,
        /// Exponent of the length by which a sequence's log probability is divided: 0 prefers
        /// short ones, 1 is the mean.
        length_penalty: f32,
    },
}

/// A translated sentence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Translation {
    /// The translation, trimmed.
    pub text: String,
    /// Its tokens, without the end of sentence.
    pub tokens: Vec<TranslatedToken>,
    /// Number of source tokens, the end of sentence included: the length of each
    /// [`TranslatedToken::attention`].
    pub source_tokens: usize,
    /// Where in [`TranslationRequest::source`] each source token comes from: the byte range of its
    /// word (what white space parts), and an empty one at the end for the end of sentence.
    pub source_spans: Vec<Range<usize>>,
    /// The terms of the glossary that the source holds, in its order.
    pub terms: Vec<TermOutcome>,
    /// As many as [`TranslationRequest::n_best`] asked for and beam search has, best first: the first is this
    /// translation itself.
    pub n_best: Vec<ScoredTranslation>,
}

/// One of several translations of a sentence. Two may say the same in different tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredTranslation {
    /// The translation, trimmed.
    pub text: String,
    /// Its tokens, without the end of sentence.
    pub tokens: Vec<TranslatedToken>,
    /// Natural logarithm of its probability, from the end of the committed prefix to the end of sentence,
    /// divided by its number of tokens there, the end included, to the power of
    /// [`Search::Beam::length_penalty`]. Tokens of a term of the glossary were forced: they count for no
    /// probability. Through another language it is the score of the second half.
    pub score: f32,
}

/// What became of a term of the glossary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermOutcome {
    /// Where it is: bytes of [`TranslationRequest::source`].
    pub source: Range<usize>,
    /// How it was to be rendered.
    pub rendering: String,
    /// Whether the translation (so far) renders it so.
    pub honoured: bool,
}

impl Translation {
    /// The source word that target token `token` depends on most: a byte range in
    /// [`TranslationRequest::source`]. None where there is no such token or source word, or the
    /// engine tells no attention.
    #[must_use]
    pub fn aligned_span(&self, token: usize) -> Option<Range<usize>> {
        let strongest = self.tokens.get(token)?.aligned()?;
        self.source_spans.get(strongest).cloned()
    }
}

/// A target token.
#[derive(Debug, Clone, PartialEq)]
pub struct TranslatedToken {
    /// Its number in the model's vocabulary.
    pub id: u32,
    /// Its text; a "▁" at the beginning stands for the space before a word.
    pub piece: String,
    /// Natural logarithm of its probability; 0 for a token of the committed prefix or of a term of the
    /// glossary, which was forced.
    pub log_probability: f32,
    /// Cross-attention over the source tokens where this token was chosen (sums to 1), where the
    /// engine tells it.
    pub attention: Option<Vec<f32>>,
}

impl TranslatedToken {
    /// The source token that attention is strongest on, the end of sentence left out: that is
    /// where attention rests when it has nothing to look for.
    #[must_use]
    pub fn aligned(&self) -> Option<usize> {
        strongest(self.attention.as_deref()?)
    }
}

/// The index of the highest of all numbers but the last, which belongs to the end of sentence.
fn strongest(attention: &[f32]) -> Option<usize> {
    let (_, source) = attention.split_last()?;
    (0..source.len()).max_by(|&a, &b| source[a].total_cmp(&source[b]))
}

/// The byte ranges of what white space parts.
fn words(text: &str) -> Vec<Range<usize>> {
    text.split_whitespace()
        .map(|word| {
            let start = word.as_ptr().addr() - text.as_ptr().addr();
            start..start + word.len()
        })
        .collect()
}

/// Translation failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TranslationError {
    /// The model's files cannot be used.
    #[error("the translation model in {path} cannot be loaded: {reason}")]
    Load {
        /// The folder.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// More than the model was trained to take.
    #[error(
        "the text has {tokens} tokens, but the translation model takes at most {limit}; split it"
    )]
    TooLong {
        /// Tokens of the text.
        tokens: usize,
        /// Most tokens the model takes.
        limit: usize,
    },
    /// The model failed to run.
    #[error("translation failed: {0}")]
    Run(String),
}
