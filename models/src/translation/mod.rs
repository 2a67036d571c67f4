//! Translation of text, sentence by sentence.

pub mod marian;
pub mod sentences;

pub use marian::MarianTranslator;

use crate::LanguagePair;

/// Translates sentences of one language pair. Keeps nothing between sentences.
pub trait Translator: Send {
    /// The direction it translates.
    fn pair(&self) -> LanguagePair;

    /// Translates one sentence.
    ///
    /// # Errors
    /// When the sentence is too long for the model, or the model fails to run.
    fn translate(&mut self, request: &TranslationRequest) -> Result<Translation, TranslationError>;
}

/// A sentence to translate, and how.
#[derive(Debug, Clone, Default)]
pub struct TranslationRequest {
    /// One sentence, or the beginning of one.
    pub source: String,
    /// Target tokens the translation must begin with: what was committed before.
    pub committed_prefix: Vec<u32>,
    /// How target tokens are searched.
    pub search: Search,
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
#[derive(Debug, Clone, PartialEq)]
pub struct Translation {
    /// The translation, trimmed.
    pub text: String,
    /// Its tokens, without the end of sentence.
    pub tokens: Vec<TranslatedToken>,
    /// Number of source tokens, the end of sentence included: the length of each
    /// [`TranslatedToken::attention`].
    pub source_tokens: usize,
}

/// A target token.
#[derive(Debug, Clone, PartialEq)]
pub struct TranslatedToken {
    /// Its number in the model's vocabulary.
    pub id: u32,
    /// Natural logarithm of its probability.
    pub log_probability: f32,
    /// Cross-attention over the source tokens (sums to 1), where the engine tells it.
    pub attention: Option<Vec<f32>>,
}

/// Translation failed.
#[derive(Debug, thiserror::Error)]
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
