//! What a pipeline tells the outside.

use std::time::Duration;

use interpret_models::{Language, SOURCE_SAMPLE_RATE};

/// Source time in milliseconds of a sample number.
#[must_use]
pub fn source_ms(samples: u64) -> u64 {
    samples * 1_000 / u64::from(SOURCE_SAMPLE_RATE)
}

/// A stretch of source audio, in milliseconds of source time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SourceRange {
    /// Where it begins.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
}

impl SourceRange {
    /// From where the first of the two begins to where the last ends.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            start_ms: self.start_ms.min(other.start_ms),
            end_ms: self.end_ms.max(other.end_ms),
        }
    }
}

/// A word with the time at which it, or what it translates, was said.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedWord {
    /// The word with its leading space and punctuation.
    pub text: String,
    /// When it was said.
    pub range: SourceRange,
    /// What the recogniser gives it, 0 to 1.
    pub probability: f32,
}

/// A term of the glossary, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// As it was said.
    pub source: String,
    /// How it was to be rendered.
    pub rendering: String,
    /// Whether it is.
    pub honoured: bool,
}

/// What a pipeline tells the outside. Everything `committed` is append-only: joined in order it
/// makes the whole text, and no later event changes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The speaker began.
    SpeechStarted {
        /// Counts utterances from 1.
        utterance: u64,
        /// Source time.
        at_ms: u64,
    },
    /// The speaker stopped, or was cut.
    SpeechEnded {
        /// The utterance that ends.
        utterance: u64,
        /// Source time.
        at_ms: u64,
        /// Whether speech goes on: the utterance only reached its maximum length.
        cut: bool,
    },
    /// The speaker said something.
    SourceText {
        /// The utterance it belongs to.
        utterance: u64,
        /// What it is in.
        language: Language,
        /// How likely that is, 0 to 1.
        language_probability: f32,
        /// New final text, with the leading space it needs.
        committed: String,
        /// Text after it that may still change.
        tentative: String,
        /// The words of `committed`.
        words: Vec<TimedWord>,
    },
    /// It in another language.
    TranslatedText {
        /// That language.
        target: Language,
        /// New final text, with the leading space it needs.
        committed: String,
        /// Text after it that may still change.
        tentative: String,
        /// The sentence it translates.
        source_text: String,
        /// Counts source sentences from 1.
        sentence: u64,
        /// When the source was said.
        range: SourceRange,
        /// Whether the sentence ends here.
        sentence_complete: bool,
        /// The words of `committed`, with the time at which what they render was said.
        words: Vec<TimedWord>,
        /// Where the sentence ends here, the terms of the glossary that it holds.
        terms: Vec<Term>,
    },
    /// It spoken.
    TranslatedAudio {
        /// In what language.
        target: Language,
        /// Mono, full scale +-1.
        samples: Vec<f32>,
        /// Samples a second.
        sample_rate: u32,
        /// The clause that is spoken, as committed.
        text: String,
        /// The sentence it belongs to.
        sentence: u64,
        /// When the source was said.
        range: SourceRange,
    },
    /// The lag governor keeps up in another way than before.
    Pace {
        /// The target whose speech is concerned; none: recognition.
        target: Option<Language>,
        /// Source time.
        at_ms: u64,
        /// How far behind: sound not yet recognised, or speech not yet heard.
        lag_ms: u64,
        /// What changes.
        change: PaceChange,
    },
    /// Something the person should know.
    Notice {
        /// Its kind.
        kind: NoticeKind,
        /// In words.
        message: String,
        /// The target concerned; none: the session.
        target: Option<Language>,
        /// Source time.
        at_ms: u64,
        /// Audio or speech concerned.
        amount: Duration,
        /// Committed translation concerned.
        text: String,
    },
}

/// What the lag governor changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PaceChange {
    /// Sound between two recognition runs.
    RecognitionStep {
        /// Its length.
        step_ms: u32,
    },
    /// How translation is spoken.
    Speech {
        /// 1 is the voice's own speed.
        rate: f32,
        /// Whether pauses between clauses are shortened.
        pauses_shortened: bool,
        /// Whether translation is committed without being spoken.
        captions_only: bool,
    },
}

/// Kinds of [`Event::Notice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// A stage failed on a piece of input; the piece is lost.
    StageFailed,
    /// Committed translation was not spoken.
    SpeechSkipped,
    /// The daemon is shutting down.
    ShuttingDown,
}
