//! Speech synthesis: text to audio, clause by clause.
//!
//! Text is spelled out ([`normalize`]), turned into phonemes ([`phonemes`]) and spoken by a neural
//! network ([`kokoro`]).

pub mod clauses;
mod kokoro;
mod normalize;
mod phonemes;

pub use self::kokoro::{KokoroFiles, KokoroSynthesizer};
#[cfg(feature = "fuzzing")]
pub(crate) use self::{kokoro::changed, normalize::normalize, phonemes::Dialect};
use crate::Language;

/// Speaks text. Keeps nothing between clauses.
pub trait Synthesizer: Send {
    /// The voices it has, by language and name.
    fn voices(&self) -> &[Voice];

    /// Samples a second of what it speaks.
    fn sample_rate(&self) -> u32;

    /// Speaks one clause or sentence.
    ///
    /// # Errors
    /// When the voice is unknown, the text cannot be turned into phonemes, or the model fails.
    fn synthesize(&mut self, request: &SynthesisRequest) -> Result<Speech, SynthesisError>;
}

/// Text to speak, and how.
#[derive(Debug, Clone)]
pub struct SynthesisRequest {
    /// A clause or a sentence, as written.
    pub text: String,
    /// The name of one of [`Synthesizer::voices`]; it decides the language.
    pub voice: String,
    /// Speed of speech: 1 is the voice's own, 1.35 a third faster.
    pub speed: f32,
    /// Whether more of the same clause follows: then hardly any silence is left after it.
    pub goes_on: bool,
}

/// Spoken text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Speech {
    /// Mono, full scale +-1, at [`Synthesizer::sample_rate`]. Empty where the text has nothing to
    /// pronounce.
    pub samples: Vec<f32>,
}

/// A voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// Its name, such as `af_heart`.
    pub name: String,
    /// What it speaks.
    pub language: Language,
    /// Region of its accent, where known ("US").
    pub region: Option<&'static str>,
    /// Gender it sounds as.
    pub gender: Gender,
    /// Whether it is the default of its language.
    pub is_default: bool,
}

/// Gender a voice sounds as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gender {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// Synthesis failed.
#[derive(Debug, thiserror::Error)]
pub enum SynthesisError {
    /// The model's files cannot be used.
    #[error("the voice model in {path} cannot be loaded: {reason}")]
    Load {
        /// The file or folder.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No voice of that name.
    #[error("there is no voice '{0}'; `interpret voices` lists them")]
    UnknownVoice(String),
    /// The text could not be turned into phonemes.
    #[error("no phonemes for the text: {0}")]
    Phonemes(String),
    /// The model failed to run.
    #[error("synthesis failed: {0}")]
    Run(String),
}
