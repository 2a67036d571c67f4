//! What the three modes are made of.

use std::time::Duration;

use interpret_models::{Language, vad::EndpointConfig};

use super::{
    CommitPolicy, TranscriberSettings, WindowLimits,
    speak::{PhraseLengths, SpeechLimits, SpeechPolicy},
    translate::TranslationPolicy,
};

/// Longest utterance while words are committed within it. The window of recognition is cut by
/// itself long before; this bounds what detection keeps.
const LONGEST_STREAMED_MS: u32 = 28_000;

/// Trade between delay and quality: docs/streaming.md has the measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Starts soonest.
    LowLatency,
    /// Between the two.
    #[default]
    Balanced,
    /// Whole utterances and whole sentences.
    Accurate,
}

impl Mode {
    /// How recognition works.
    pub(super) fn transcriber(self, sources: &[Language]) -> TranscriberSettings {
        let (policy, step_ms) = match self {
            Self::LowLatency => (CommitPolicy::AlignAtt { hold_ms: 240 }, 640),
            Self::Balanced => (CommitPolicy::AlignAtt { hold_ms: 320 }, 640),
            Self::Accurate => (CommitPolicy::AtEnd, 960),
        };
        TranscriberSettings {
            sources: sources.to_vec(),
            policy,
            step_ms,
            limits: WindowLimits::default(),
            prompt: false,
        }
    }

    /// When translation is committed.
    pub(super) fn translation(self) -> TranslationPolicy {
        let (hold_back, hold_back_in_pause, step_words) = match self {
            Self::LowLatency => (Some(1), 0, 1),
            Self::Balanced => (Some(2), 1, 2),
            Self::Accurate => (None, 0, 0),
        };
        TranslationPolicy {
            hold_back,
            hold_back_in_pause,
            step_words,
        }
    }

    /// When and how translation is spoken.
    pub(super) fn speech(self) -> SpeechPolicy {
        let words = |least, most| Some(PhraseLengths { least, most });
        let (lengths, first, patience_ms) = match self {
            Self::LowLatency => (words(3, 7), 2, 600),
            Self::Balanced => (words(4, 8), 3, 800),
            Self::Accurate => (None, 0, 0),
        };
        SpeechPolicy {
            lengths,
            first,
            patience: Duration::from_millis(patience_ms),
            limits: self.speech_limits(),
        }
    }

    /// When the governor acts.
    fn speech_limits(self) -> SpeechLimits {
        let seconds = Duration::from_secs_f32;
        let streamed = |fastest, late| SpeechLimits {
            short_pauses: seconds(1.0),
            faster: seconds(0.8),
            fastest: seconds(fastest),
            late: seconds(late),
            latest: seconds(late + 2.0),
            silent: seconds(15.0),
            speaks_again: seconds(6.0),
        };
        match self {
            Self::LowLatency => streamed(2.5, 2.0),
            Self::Balanced => streamed(4.0, 2.4),
            // An utterance comes as a whole: so much speech waits, and so old is its beginning, though
            // nothing is late.
            Self::Accurate => SpeechLimits {
                short_pauses: seconds(16.0),
                faster: seconds(16.0),
                fastest: seconds(24.0),
                late: seconds(24.0),
                latest: seconds(30.0),
                silent: seconds(45.0),
                speaks_again: seconds(25.0),
            },
        }
    }

    /// When utterances begin and end, given what is configured.
    pub(super) fn endpoint(self, configured: &EndpointConfig) -> EndpointConfig {
        match self {
            Self::Accurate => configured.clone(),
            Self::LowLatency | Self::Balanced => EndpointConfig {
                max_utterance_ms: LONGEST_STREAMED_MS.max(configured.max_utterance_ms),
                ..configured.clone()
            },
        }
    }
}
