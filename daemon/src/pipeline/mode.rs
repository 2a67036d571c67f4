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
        let (lengths, patience_ms, fastest_ms, late_ms) = match self {
            Self::LowLatency => (Some(PhraseLengths { least: 3, most: 7 }), 600, 2_500, 2_000),
            Self::Balanced => (Some(PhraseLengths { least: 4, most: 8 }), 800, 4_000, 2_400),
            Self::Accurate => (None, 0, 6_000, 8_000),
        };
        SpeechPolicy {
            lengths,
            patience: Duration::from_millis(patience_ms),
            limits: SpeechLimits {
                short_pauses: Duration::from_millis(1_000),
                faster: Duration::from_millis(800),
                fastest: Duration::from_millis(fastest_ms),
                late: Duration::from_millis(late_ms),
                latest: Duration::from_millis(late_ms + 2_000),
                silent: Duration::from_secs(15),
                speaks_again: Duration::from_secs(6),
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
