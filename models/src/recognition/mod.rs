//! Speech recognition: what was said in this window of audio, and when?

mod ggml;
mod guard;
mod model;
mod parameters;
mod steering;
mod stop;
mod threads;
mod whisper;
mod whole;
mod words;

pub use model::WhisperModel;
pub use whisper::{GuardCounts, WhisperOptions, WhisperRecognizer};
pub use whole::recognize_whole;

use std::sync::{Arc, atomic::AtomicBool};

use crate::Language;

/// Recognises speech in a window of audio. Keeps nothing between windows.
pub trait Recognizer: Send {
    /// Recognises the speech in `request.samples`.
    ///
    /// # Errors
    /// When the model fails to run, or was aborted.
    fn recognize(&mut self, request: &RecognitionRequest) -> Result<Recognition, RecognitionError>;
}

/// A window of audio to recognise, and how.
#[derive(Debug, Clone, Default)]
pub struct RecognitionRequest {
    /// 16 kHz mono, full scale +-1; at most 30 s.
    pub samples: Vec<f32>,
    /// The languages it may be in. One: it is in that one. Several: detected among them. None:
    /// detected among all that the model knows.
    pub languages: Vec<Language>,
    /// Text said just before, as context.
    pub prompt: String,
    /// Tokens that the text must begin with, as [`RecognizedWord::tokens`] told them: what was
    /// committed of this window before. Only what follows them comes back.
    pub forced: Vec<i32>,
    /// Whether this text is only a step on the way: one in which the decoder goes astray is left out
    /// (no words come back) instead of being recognised again with the whole context, which takes
    /// several times as long.
    pub provisional: bool,
    /// Set to stop the model within about one step.
    pub abort: Option<Arc<AtomicBool>>,
}

/// What was recognised.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognition {
    /// Language given or detected.
    pub language: Language,
    /// Probability of `language` among those allowed; 1 where it was given.
    pub language_probability: f32,
    /// The text as written by the model, trimmed.
    pub text: String,
    /// The words of `text`, in order: joined with what [`RecognizedWord::text`] says, they make up
    /// `text` again. After forced tokens, the first may be a mark that follows the last of them.
    pub words: Vec<RecognizedWord>,
    /// Mean natural logarithm of the probabilities of the tokens that were not forced; 0 at best.
    pub average_log_probability: f32,
}

/// A word and when it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct RecognizedWord {
    /// The word with its leading space (absent where the script has none) and its punctuation.
    pub text: String,
    /// Begin, in milliseconds since the window's first sample.
    pub start_ms: u32,
    /// End, in milliseconds since the window's first sample.
    pub end_ms: u32,
    /// Lowest probability among its tokens, 0 to 1.
    pub probability: f32,
    /// Its tokens in the model's vocabulary, for [`RecognitionRequest::forced`].
    pub tokens: Vec<i32>,
}

/// Recognition failed.
#[derive(Debug, thiserror::Error)]
pub enum RecognitionError {
    /// The model file cannot be used.
    #[error("the recognition model {path} cannot be loaded: {reason}")]
    Load {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model failed to run.
    #[error("recognition failed: {0}")]
    Run(String),
    /// [`RecognitionRequest::abort`] was set.
    #[error("recognition was aborted")]
    Aborted,
}

/// For the fuzzer: checks a file as [`WhisperModel::load`] does before whisper.cpp reads it.
#[cfg(feature = "fuzzing")]
pub(crate) fn checked(path: &std::path::Path) -> Result<(), String> {
    ggml::check(path).map(drop)
}
